"""A deleted listener is gone: from serving at once, from the next dataset and
model after the next run, and his later listening counts as a new listener's."""

import json
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "harness"))
from segue import BINARY, Server, main, segue, wait_until  # noqa: E402

HIM, OTHER = "listener-003", "listener-004"


def export(server, listener):
    status, _, body = server.request("GET", f"/v1/listeners/{listener}/export")
    assert status == 200, body
    return [json.loads(line) for line in body.decode().splitlines()]


def names_in_dataset(server, dataset_id):
    """Listeners of the dataset's files, as their bytes have them: names are stored as they are."""
    folder = server.data / "bucket" / "datasets" / dataset_id
    return {name for name in (HIM, OTHER) for file in folder.iterdir() if name.encode() in file.read_bytes()}


def test_a_deleted_listener_is_gone():
    with Server(settings=["search.trials=0", "train.algorithms=svd", "gate.min_mrr=0", "gate.min_hit_rate=0", "evaluate.bootstrap_samples=50"]) as server:
        segue("simulate", "--output", server.data / "made", "--listeners", 12, "--tracks", 120, "--days", 30)
        server.drop(server.data / "made")
        first = server.wait_runs(1)[0]
        assert first["dataset_id"], first
        assert names_in_dataset(server, first["dataset_id"]) == {HIM, OTHER}
        model = server.data / "bucket" / "models" / first["model_id"] / "model.segue"
        assert HIM.encode() in model.read_bytes()
        wait_until(lambda: server.get("/v1/listeners")["total"] == 12, "the dataset is served", 30, server.alive)

        profile = server.get(f"/v1/listeners/{HIM}")
        assert profile["counts"]["plays"] > 20 and profile["top_artists"], profile
        shown = server.recommendations(HIM)
        track = server.get("/v1/tracks?n=1")["items"][0]["track_id"]
        server.post("/v1/events", {"events": [{"event_id": "before", "listener": HIM, "track_id": track, "kind": "like"}]})
        lines = export(server, HIM)
        assert {line["type"] for line in lines} >= {"interaction", "event", "list", "opinion"}, lines[:3]
        assert any(line.get("list_id") == shown["list_id"] for line in lines)

        # He goes.
        answer = server.call("DELETE", f"/v1/listeners/{HIM}")
        assert answer["known"] and answer["removed"]["events"] == 1 and "raw/" in answer["remains"], answer
        assert export(server, HIM) == []
        server.get(f"/v1/listeners/{HIM}", expect=404)
        assert server.get("/v1/listeners")["total"] == 11
        assert server.recommendations(HIM)["fallback"], "he has no recommendations of his own"
        audit = server.get("/v1/audit")["items"][0]
        assert audit["action"] == f"DELETE /v1/listeners/{HIM}" and audit["outcome"] == "ok", audit

        # The next run starts by itself, and is without him.
        second = server.wait_runs(2)[0]
        assert second["trigger"] == "forgotten" and second["state"] in ("approved", "refused"), second
        assert names_in_dataset(server, second["dataset_id"]) == {OTHER}
        assert second["model_id"] != first["model_id"]
        bytes_now = (server.data / "bucket" / "models" / second["model_id"] / "model.segue").read_bytes()
        assert HIM.encode() not in bytes_now and OTHER.encode() in bytes_now
        quality = server.get(f"/v1/datasets/{second['dataset_id']}/quality")
        rule = next(rule for rule in quality["rules"] if rule["rule"] == "forgotten_listener")
        assert rule["removed"] >= profile["counts"]["plays"], rule

        # So it stays over a crash, and what he does now counts.
        server.kill()
        server.start()
        wait_until(lambda: server.get("/v1/listeners")["total"] == 11, "the dataset is served", 30, server.alive)
        server.get(f"/v1/listeners/{HIM}", expect=404)
        answer = server.post("/v1/events", {"events": [{"event_id": "before", "listener": HIM, "track_id": track, "kind": "play"}]})
        assert answer["accepted"] == 1, "the id of an event that was deleted is free again"
        assert server.get(f"/v1/listeners/{HIM}")["counts"]["plays"] == 1
        server.post("/v1/runs", {"reason": "to see him again"}, expect=202)
        third = server.wait_runs(3)[0]
        assert names_in_dataset(server, third["dataset_id"]) == {HIM, OTHER}


def test_the_shell_asks_twice_and_the_server_follows():
    with Server(settings=["search.trials=0", "train.algorithms=popularity", "gate.min_mrr=0", "gate.min_hit_rate=0"]) as server:
        server.post("/v1/events", {"events": [{"listener": "anna", "artist": "A", "title": f"Song {i}", "kind": "play"} for i in range(3)]})
        assert server.get("/v1/listeners/anna")["counts"]["plays"] == 3
        done = subprocess.run([str(BINARY), "forget", "anna", "--data", str(server.data)], capture_output=True, text=True, timeout=60)
        assert done.returncode == 2 and "--yes" in done.stderr, done.stderr
        assert server.get("/v1/listeners/anna")["counts"]["plays"] == 3
        said = json.loads(segue("forget", "anna", "--yes", "--json", "--data", server.data))
        assert said["removed"]["events"] == 3, said
        wait_until(lambda: server.request("GET", "/v1/listeners/anna")[0] == 404, "the server follows", 30, server.alive)
        assert export(server, "anna") == []
        assert "segue forget" in segue("audit", "--data", server.data)


if __name__ == "__main__":
    main(globals())
