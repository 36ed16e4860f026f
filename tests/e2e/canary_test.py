"""Canaries through the real program: a challenger that listeners dislike is rolled
back by itself, also where the program is killed in the middle; one that they
like goes live by itself; and from a list one gets back to the files."""

import json
import pathlib
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "harness"))
from segue import Server, main, segue, wait_until  # noqa: E402

SETTINGS = ["train.algorithms=popularity", "search.trials=0", "inbox.settle_ms=0", "inbox.burst_ms=300", "runs.feedback_trigger=0",
            "gate.min_mrr=0", "gate.min_hit_rate=0", "gate.max_drop=1", "gate.confidence=0.9999",
            "delivery.mode=canary", "delivery.canary_share=0.5", "delivery.min_listeners=20", "delivery.lists_per_listener=1",
            "delivery.margin=0.1", "impressions.window_s=1"]
LISTENERS = [f"visitor-{number}" for number in range(160)]


def drop_world(server, seed):
    with tempfile.TemporaryDirectory() as folder:
        segue("simulate", "--output", folder, "--listeners", 12, "--tracks", 150, "--days", 20, "--seed", seed, "--quiet")
        server.drop(folder, f"world-{seed}")


def challenger(server):
    tried = server.status()["challenger"]
    return tried["model_id"] if tried else None


def new_canary(server, seed):
    """A run on more listening, whose model becomes the canary."""
    runs, before = len(server.finished_runs()), server.live()
    drop_world(server, seed)
    run = server.wait_runs(runs + 1)[0]
    assert run["state"] == "approved", run
    wait_until(lambda: challenger(server) == run["model_id"], "the canary serves", 30, server.alive)
    assert server.live() == before, "a canary must not move the live model"
    return run["model_id"]


def listen(server, kind_for):
    """Everybody asks once, and answers as kind_for(model_id) says ("" not at all). Lists by model."""
    lists, events = {}, []
    for listener in LISTENERS:
        answer = server.recommendations(listener)
        lists.setdefault(answer["model_id"], []).append(answer["list_id"])
        if kind := kind_for(answer["model_id"]):
            events.append({"listener": listener, "track_id": answer["items"][0]["track_id"], "kind": kind, "list_id": answer["list_id"]})
    assert server.post("/v1/events", {"events": events})["accepted"] == len(events)
    return lists


def newest_step(server):
    return server.get("/v1/deployments")["items"][0]


def a_disliked_canary_is_rolled_back(server, live):
    canary = new_canary(server, 2)
    lists = listen(server, lambda model: "dislike" if model == canary else "like")
    assert set(lists) == {live, canary} and min(map(len, lists.values())) > 40, {k: len(v) for k, v in lists.items()}
    server.get("/v1/online")  # what was shown is written
    server.kill()
    server.start()
    step = wait_until(lambda: newest_step(server) if newest_step(server)["action"] == "withdraw" else None, "the canary is withdrawn", 30, server.alive)
    assert step["from"] == canary and step["to"] == live and step["actor"] == "pipeline", step
    assert step["figures"]["ended"] == "rolled_back" and "dislike_rate" in step["reason"], step
    # The history comes first, the alarm follows from it.
    alarms = wait_until(lambda: [a for a in server.get("/v1/alarms")["items"] if a["name"] == "challenger_rolled_back"], "an alarm says so", 30,
                        server.alive)
    assert len(alarms) == 1 and alarms[0]["severity"] == "critical" and canary in alarms[0]["message"], alarms
    wait_until(lambda: challenger(server) is None, "nothing is tried any more", 30, server.alive)
    assert {server.recommendations(listener)["model_id"] for listener in LISTENERS[:30]} == {live}
    assert server.live() == live
    return canary, lists[canary][0]


def from_a_list_to_the_files(server, canary, list_id):
    told = server.get(f"/v1/lists/{list_id}")
    assert told["model_id"] == canary and told["arm"] == "canary" and told["listener"] in LISTENERS, told
    files = told["lineage"]["dataset"]["objects"]
    assert files and all((server.data / "bucket" / file["raw"]).exists() for file in files), files
    shown = json.loads(segue("models", "lineage", canary, "--data", server.data, "--json"))
    assert shown == told["lineage"]
    online = {row["arm"]: row for row in json.loads(segue("models", "online", "--data", server.data, "--set", "impressions.window_s=1", "--json"))}
    assert online["canary"]["dislike_rate"] > 0.9 and online["live"]["like_rate"] > 0.5, online


def a_liked_canary_goes_live(server, live):
    canary = new_canary(server, 3)
    listen(server, lambda model: "like" if model == canary else "")
    wait_until(lambda: server.live() == canary, "the canary is live", 30, server.alive)
    step = newest_step(server)
    assert step["action"] == "promote" and step["from"] == live and step["actor"] == "pipeline", step
    assert {check["name"] for check in step["figures"]["checks"]} >= {"hit_rate", "like_rate", "dislike_rate"}, step
    return canary


def one_call_goes_back(server, live, before):
    server.call("PUT", "/v1/models/aliases/good", {"model_id": "live"})
    start = time.monotonic()
    answer = server.post("/v1/models/rollback", {"reason": "to show that it works"})
    assert answer["live"] == before and answer["serving"] is True, answer
    assert server.recommendations(LISTENERS[0])["model_id"] == before
    print(f"rolled back in {(time.monotonic() - start) * 1000:.0f} ms")
    assert server.get("/v1/models/good")["model_id"] == live, "a name stays with its model"
    new_canary(server, 4)
    told = segue("rollback", "--reason", "enough", "--data", server.data)
    assert "canary" in told and "ended" in told, told
    assert newest_step(server)["figures"]["ended"] == "by_hand"
    assert server.live() == before


def test_canaries_end_by_themselves():
    with Server(settings=SETTINGS) as server:
        drop_world(server, 1)
        first = server.wait_live()
        server.wait_runs(1)
        canary, list_id = a_disliked_canary_is_rolled_back(server, first)
        from_a_list_to_the_files(server, canary, list_id)
        second = a_liked_canary_goes_live(server, first)
        one_call_goes_back(server, second, first)


main(globals())
