"""Clients of ListenBrainz and Last.fm from npm, which nobody here wrote, against
the real program: listens arrive, and what is recommended changes. And TLS, which
the one for Last.fm insists on."""

import http.client
import json
import os
import pathlib
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "harness"))
from segue import ROOT, Server, Skip, main, segue, wait_until  # noqa: E402

CLIENTS = ROOT / "tests" / "clients"
QUICK = ["inbox.settle_ms=0", "inbox.burst_ms=100", "train.algorithms=ials", "ials.factors=8", "ials.epochs=2", "evaluate.bootstrap_samples=50",
         "search.trials=0", "gate.min_mrr=0", "gate.min_hit_rate=0"]


def node(script, *arguments, certificate=None):
    if not (CLIENTS / "node_modules").is_dir():
        raise Skip("the clients are not installed (npm ci in tests/clients)")
    environment = {**os.environ, "NODE_EXTRA_CA_CERTS": str(certificate or "")}
    done = subprocess.run(["node", str(CLIENTS / script), *map(str, arguments)], capture_output=True, text=True, timeout=60, env=environment)
    assert done.returncode == 0, f"{script}: {done.stdout[-1000:]}{done.stderr[-2000:]}"
    return json.loads(done.stdout)


class Certificate:
    """A self-signed one, and its key, as files."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="segue-tls-"))
        self.certificate, self.key = self.folder / "certificate.pem", self.folder / "key.pem"
        self.make()

    def make(self):
        if not shutil.which("openssl"):
            raise Skip("openssl is not installed")
        made = self.folder / "made.pem", self.folder / "made.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                        "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", made[1], "-out", made[0]], check=True, capture_output=True)
        made[1].replace(self.key)
        made[0].replace(self.certificate)

    def settings(self):
        return ["serve.tls_listen=127.0.0.1:0", f"serve.tls_certificate={self.certificate}", f"serve.tls_key={self.key}"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)


def test_tokens_are_made_listed_and_revoked_from_the_shell():
    data = pathlib.Path(tempfile.mkdtemp(prefix="segue-tokens-"))
    try:
        secret = segue("tokens", "create", "phone", "--role", "listen", "--listener", "anna", "--data", data).strip()
        assert secret.startswith("segue_") and len(secret) == 70, secret
        segue("tokens", "create", "phone", "--role", "read", "--data", data, expect=1)
        segue("tokens", "create", "boss", "--role", "admin", "--listener", "anna", "--data", data, expect=2)
        listed = segue("tokens", "list", "--data", data, "--json")
        assert secret not in listed and [t["name"] for t in json.loads(listed)] == ["phone"], listed
        assert secret.encode() not in b"".join(p.read_bytes() for p in data.glob("catalog.sqlite*")), "only its hash is kept"
        segue("tokens", "revoke", "phone", "--data", data)
        segue("tokens", "revoke", "phone", "--data", data, expect=2)
        assert json.loads(segue("tokens", "list", "--data", data, "--json"))[0]["revoked"]
        audit = json.loads(segue("audit", "--data", data, "--json"))
        assert [(a["action"], a["outcome"] == "ok") for a in audit] == [
            ("segue tokens revoke", False), ("segue tokens revoke", True), ("segue tokens create", False), ("segue tokens create", True)], audit
    finally:
        shutil.rmtree(data, ignore_errors=True)


def test_a_listenbrainz_client_tells_listens_and_recommendations_change():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="segue-clients-"))
    try:
        segue("simulate", "--output", folder / "made", "--listeners", 8, "--tracks", 80, "--days", 20, "--seed", 3)
        with Server(settings=QUICK) as server:
            server.drop(folder / "made")
            server.wait_live()
            before = server.recommendations("anna")
            assert before["fallback"], "nothing is known of her yet"
            told = node("listen.mjs", f"http://127.0.0.1:{server.port}", "anna", "anna")
            assert [t["track_name"] for t in told["listens"]["listens"]] == ["Bachelorette", "Jóga"], told
            assert "does not contain any listens" in told["refused"], told
            assert told["latest"] == {"musicbrainz_id": "anna", "latest_import": 0}, told
            # One of the catalogue's own tracks: it is heard now, and others like it come.
            first = before["items"][0]
            listen = {"listened_at": 1_700_000_000, "track_metadata": {"artist_name": first["artist"], "track_name": first["title"]}}
            status, _, body = server.request("POST", "/1/submit-listens", json.dumps({"listen_type": "single", "payload": [listen]}),
                                             {"Authorization": "Token anna"})
            assert status == 200, body
            after = server.recommendations("anna")
            assert after["fallback"] is None, after
            assert first["track_id"] not in [item["track_id"] for item in after["items"]], "it is heard"
            assert server.get("/1/user/anna/listen-count")["payload"]["count"] == 3
            server.kill()
            server.start()
            assert server.get("/1/user/anna/listen-count")["payload"]["count"] == 3, "what was acknowledged is there after a kill"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_a_lastfm_client_logs_in_and_scrobbles_over_tls():
    with Certificate() as tls, Server(settings=["serve.token=of the test", "serve.lastfm_secret=shared", *tls.settings()]) as server:
        token = segue("tokens", "create", "phone", "--role", "listen", "--listener", "anna", "--data", server.data).strip()
        told = node("scrobble.mjs", server.tls_port, "anna", token, "shared", certificate=tls.certificate)
        assert told["session"]["name"] == "anna", told
        assert "signature" in told["refused"], told
        assert told["scrobbles"]["@attr"] == {"accepted": 2, "ignored": 1}, told
        assert told["scrobbles"]["scrobble"][2]["ignoredMessage"]["code"] == "3", told
        names = [track["name"] for track in told["recent"]["track"]]
        assert names == ["Run", "Venus", "Cherry Blossom Girl"], told["recent"]
        assert told["recent"]["track"][0]["@attr"] == {"nowplaying": "true"}, told["recent"]
        feedback = json.loads(server.request("GET", "/1/feedback/user/anna/get-feedback?metadata=true", headers={"Authorization": f"Token {token}"})[2])
        assert [f["track_metadata"]["track_name"] for f in feedback["feedback"]] == ["Venus"], feedback


def test_a_changed_certificate_is_served_without_a_restart():
    with Certificate() as tls, Server(settings=tls.settings()) as server:
        def answers():
            context = ssl.create_default_context(cafile=tls.certificate)
            connection = http.client.HTTPSConnection("localhost", server.tls_port, timeout=20, context=context)
            try:
                connection.request("GET", "/healthz")
                return connection.getresponse().status == 200
            except ssl.SSLError:
                return False
            finally:
                connection.close()
        assert answers()
        tls.make()
        wait_until(answers, "the new certificate is served", 20, server.alive)
        tls.key.write_text("no key")
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "the certificate before goes on" in server.log.read_text(), "the pair that does not fit is told of", 20, server.alive)
        assert answers(), "and changes nothing"
        tls.make()
        server.process.send_signal(signal.SIGHUP)
        wait_until(answers, "SIGHUP reads it too", 20, server.alive)


main(globals())
