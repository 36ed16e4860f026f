"""Alarms, logs, drift and Prometheus, through the real program on made-up listeners."""

import hashlib
import hmac
import http.server
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.parse
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "harness"))
from segue import BINARY, ROOT, Server, Skip, main, segue, wait_until  # noqa: E402

QUICK = ["inbox.settle_ms=0", "inbox.burst_ms=100", "train.algorithms=popularity", "search.trials=0", "evaluate.bootstrap_samples=50",
         "gate.min_mrr=0", "gate.min_hit_rate=0", "alarms.check_seconds=1"]
SECRET = "a secret of the test"


class Folder:
    """A folder with made-up listeners in it, and a data folder to be."""

    def __enter__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="segue-monitor-"))
        segue("simulate", "--output", self.path / "made", "--listeners", 8, "--tracks", 80, "--days", 20, "--seed", 3)
        self.data = self.path / "data"
        self.data.mkdir()
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)

    def fill(self, server):
        for file in sorted((self.path / "made").rglob("*.json")):
            server.drop(file, f"{file.parent.name}/{file.name}")
        server.wait_runs(1, 60)


class Hook:
    """A webhook that refuses the first call."""

    def __enter__(self):
        calls = self.calls = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                calls.append((json.loads(body), self.headers.get("X-Segue-Signature"), body))
                self.send_response(503 if len(calls) == 1 else 204)
                self.end_headers()

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/alarms"
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def test_a_rule_fires_is_delivered_survives_a_restart_and_is_resolved():
    with Folder() as folder, Hook() as hook:
        rule = '[alarms]\ndefaults = "off"\n[[alarms.rule]]\nname = "no_files"\nmetric = "data_age_seconds"\ncomparison = ">="\nthreshold = {}\nfor = "2s"\nmessage = "{{value}}"\n'
        config = folder.data / "segue.toml"
        config.write_text(rule.format(0))
        extra = QUICK + [f"alarms.webhook_url={hook.url}", f"alarms.webhook_secret={SECRET}"]
        with Server(folder.data, extra) as server:
            folder.fill(server)
            wait_until(lambda: server.get("/v1/alarms?state=firing")["items"], "the rule fires", 30, server.alive)
            alarm = server.get("/v1/alarms?name=no_files")["items"][0]
            wait_until(lambda: len(hook.calls) >= 2, "it is sent again", 30, server.alive)
            told, signature, body = hook.calls[1]
            assert hook.calls[0][2] == body, "what was refused is sent again as it was"
            assert told["change"] == "firing" and told["alarm"]["name"] == "no_files", told
            assert signature == "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
            wait_until(lambda: server.get(f"/v1/alarms/{alarm['id']}")["history"][1]["delivered"], "its delivery is kept", 10, server.alive)
            changes = [change["change"] for change in server.get(f"/v1/alarms/{alarm['id']}")["history"]]
            assert changes == ["pending", "firing"], changes

            server.kill()
            server.start()
            segue("alarms", "ack", alarm["id"], "--note", "seen", "--data", folder.data)
            wait_until(lambda: len(hook.calls) >= 3, "the acknowledgement is sent", 15, server.alive)
            assert hook.calls[2][0]["change"] == "acknowledged" and hook.calls[2][0]["note"] == "seen", hook.calls[2]
            server.stop()
            config.write_text(rule.format(1e9))
            server.start()
            wait_until(lambda: len(hook.calls) >= 4, "its end is sent", 15, server.alive)
            assert [call[0]["change"] for call in hook.calls] == ["firing", "firing", "acknowledged", "resolved"]
        listed = json.loads(segue("alarms", "--data", folder.data, "--state", "resolved", "--json"))
        assert listed[0]["id"] == alarm["id"] and listed[0]["acknowledged"]["by"] == "cli", listed
        config.write_text(rule.format(1).replace("data_age_seconds", "data_age"))
        done = subprocess.run([str(BINARY), "serve", "--data", str(folder.data), "--listen", "127.0.0.1:0"], capture_output=True, text=True, timeout=60)
        assert done.returncode == 2 and "known: model_age_seconds" in done.stderr, done.stderr


def test_logs_of_runs_and_requests_are_searched_and_hold_no_secrets():
    with Folder() as folder:
        with Server(folder.data, QUICK + ["serve.token=hush-hush"]) as server:
            headers = {"Authorization": "Bearer hush-hush"}

            def get(path):
                status, _, body = server.request("GET", path, headers=headers)
                assert status == 200, (path, status, body)
                return json.loads(body)
            for file in sorted((folder.path / "made").rglob("*.json")):
                server.drop(file, f"{file.parent.name}/{file.name}")
            run = wait_until(lambda: [r for r in get("/v1/runs")["items"] if r["state"] == "approved"], "a run", 60, server.alive)[0]["run_id"]
            server.request("GET", "/v1/tracks?q=very-private&token=hush-hush", headers=headers)
            server.request("GET", "/v1/listeners/somebody-known/recommendations", headers=headers)
            lines = wait_until(lambda: [i for i in get("/v1/logs?stage=request&q=recommendations")["items"]], "the request is logged", 10, server.alive)
            assert lines[0]["fields"]["route"] == "/v1/listeners/{id}/recommendations" and lines[0]["fields"]["us"] > 0, lines[0]
            whole = get(f"/v1/logs?run={run}&n=1000")["items"]
            pages, cursor = [], ""
            while True:
                page = get(f"/v1/logs?run={run}&n=7&cursor={urllib.parse.quote(cursor)}")
                pages += page["items"]
                cursor = page["next"]
                if not cursor:
                    break
            assert pages == whole and len(whole) > 10, (len(pages), len(whole))
            assert {item["stage"] for item in get(f"/v1/logs?run={run}&stage=clean")["items"]} == {"clean"}
        text = "".join(file.read_text() for file in (folder.data / "logs").iterdir())
        assert "/v1/tracks" in text
        for secret in ("hush-hush", "very-private", "somebody-known"):
            assert secret not in text, secret
        found = segue("logs", "--data", folder.data, "--stage", "train", "--query", "trained", "--json").splitlines()
        assert json.loads(found[0])["run_id"] == run, found
        assert "gate" in segue("logs", run, "--data", folder.data)


def test_followed_logs_go_on_with_what_is_written_each_line_once():
    with Server() as server:
        command = [str(BINARY), "logs", "--data", str(server.data), "--stage", "request", "--query", "/v1/tracks", "--follow", "--json"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as follower:
            lines = []
            reader = threading.Thread(target=lambda: lines.extend(iter(follower.stdout.readline, "")))
            reader.start()
            try:
                for asked in range(3):  # each is shown before the next is asked for
                    server.get("/v1/tracks")
                    wait_until(lambda: len(lines) > asked, "the request is shown", 20, server.alive)
            finally:
                follower.send_signal(signal.SIGINT)
                code = follower.wait(20)
                reader.join()
            assert code == 0, (code, follower.stderr.read())
        shown = [json.loads(line) for line in lines]
        assert len(shown) == 3, shown
        assert [line["at"] for line in shown] == sorted(line["at"] for line in shown)


def test_other_listening_than_the_models_raises_drift_and_starts_one_run():
    with Folder() as folder:
        extra = QUICK + ["runs.feedback_trigger=0", "drift.min_rows=60", "drift.max_listening=0.3"]
        with Server(folder.data, extra) as server:
            folder.fill(server)
            listener = wait_until(lambda: server.get("/v1/listeners?n=1")["items"], "the dataset is served", 30, server.alive)[0]["listener"]
            events = [{"listener": listener, "artist": "Nobody Before", "title": f"Song {i}", "kind": "play"} for i in range(120)]
            server.post("/v1/events", {"events": events})
            run = wait_until(lambda: [r for r in server.finished_runs() if r["trigger"] == "drift"], "a run for the drift", 60, server.alive)[0]
            assert run["dataset_id"] and "is 0." in run["trigger_detail"], run["trigger_detail"]
            # The run has what was played: its model's dataset is the new baseline, and the alarm ends.
            wait_until(lambda: not server.get("/v1/alarms?state=firing&name=drift")["items"], "the drift is over", 30, server.alive)
            assert len(server.get("/v1/alarms?name=drift")["items"]) == 1
            assert len([r for r in server.runs() if r["trigger"] == "drift"]) == 1
            drift = server.get(f"/v1/datasets/{run['dataset_id']}/drift")
            assert drift["run_id"] == run["run_id"] and drift["baseline_dataset_id"] != run["dataset_id"], drift
            names = {column["column"]: column["state"] for column in drift["columns"]}
            assert names["interactions.kind"] and names["interactions.at"] == "not_judged", names


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_real_prometheus_takes_the_metrics():
    promtool, prometheus = shutil.which("promtool"), shutil.which("prometheus")
    if not promtool or not prometheus:
        raise Skip("prometheus is not installed: tools/install_dependencies.sh test")
    done = subprocess.run([promtool, "check", "config", str(ROOT / "ops" / "prometheus.yml")], capture_output=True, text=True)
    assert done.returncode == 0 and "FAILED" not in done.stdout + done.stderr, done.stdout + done.stderr
    with Folder() as folder:
        with Server(folder.data, QUICK) as server:
            folder.fill(server)
            server.wait_live()
            listener = server.get("/v1/listeners?n=1")["items"][0]["listener"]
            server.recommendations(listener)
            server.get("/v1/tracks/none", 404)
            status, headers, body = server.request("GET", "/metrics")
            assert status == 200 and headers["Content-Type"].startswith("text/plain"), headers
            done = subprocess.run([promtool, "check", "metrics"], input=body, capture_output=True)
            assert done.returncode == 0 and not done.stdout and not done.stderr, (done.stdout + done.stderr).decode()
            known = set(re.findall(r"^# TYPE (\w+)", body.decode(), re.M))
            asked = set(re.findall(r"\bsegue_\w+", (ROOT / "ops" / "prometheus-rules.yml").read_text()))
            asked = {re.sub(r"_bucket$", "", name) for name in asked}
            assert asked <= known | {"segue_alarms_firing", "segue_column_drift"}, asked - known

            config = (ROOT / "ops" / "prometheus.yml").read_text().replace("127.0.0.1:7348", f"127.0.0.1:{server.port}").replace("15s", "1s")
            (folder.path / "prometheus.yml").write_text(config)
            shutil.copyfile(ROOT / "ops" / "prometheus-rules.yml", folder.path / "prometheus-rules.yml")
            port = free_port()
            log = open(folder.path / "prometheus.log", "wb")
            scraper = subprocess.Popen([prometheus, f"--config.file={folder.path / 'prometheus.yml'}", f"--storage.tsdb.path={folder.path / 'tsdb'}",
                                        f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log, env={**os.environ, "no_proxy": "*"})
            try:
                def ask(query):
                    address = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": query})
                    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
                    try:
                        with opener.open(address, timeout=5) as answer:
                            return json.loads(answer.read())["data"]["result"]
                    except OSError:
                        return None
                live = wait_until(lambda: ask('segue_model_live{job="segue"}'), "prometheus has scraped segue", 30, lambda: scraper.poll() is None)
                assert live[0]["value"][1] == "1", live
                assert ask("up")[0]["value"][1] == "1"
                count = ask('sum(segue_requests_total{route="/v1/tracks/{id}",status="404"})')
                assert count[0]["value"][1] == "1", count
            finally:
                scraper.terminate()
                scraper.wait(timeout=30)


main(globals())
