"""Models of hits on real songs, through the real program: trained from labelled
tracks alone, retrained when more come in (through a kill -9), judged, rolled back, and asked over HTTP."""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "harness"))
from segue import Server, main, real_data, segue, wait_until  # noqa: E402

# Fewer trees than by default: the loop is what is tested here, not how good they are.
SETTINGS = ["boosting.trees=200", "extra_trees.trees=60", "evaluate.bootstrap_samples=200", "search.trials=0"]
DECADES = ["60s", "70s", "80s", "90s", "00s"]
SONG = {"danceability": 0.7, "energy": 0.8, "key": 5, "loudness": -5, "mode": 1, "speechiness": 0.05, "acousticness": 0.1,
        "instrumentalness": 0, "liveness": 0.1, "valence": 0.6, "tempo": 120, "time_signature": 4, "chorus_hit": 35, "sections": 9,
        "duration_ms": 210000}


def stage(run):
    return next(s for s in run["stages"] if s["name"] == "hits")


def live_hits(server):
    hits = server.status()["hits"]
    return hits["model_id"] if hits else None


def five_decades_make_a_live_model(server, data):
    for decade in DECADES:
        server.drop(data / "hit_predictor" / f"dataset-of-{decade}.csv")
    run = server.wait_runs(1, 600)[0]
    detail = stage(run)["detail"]
    assert run["state"] == "approved" and detail["verdict"]["approved"], run
    best = next(m for m in detail["models"] if m["model_id"] == detail["model_id"])
    # Random guessing has 0.5; held-out artists, so that no name gives it away.
    assert best["figures"]["auc"]["value"] > 0.75, best["figures"]
    assert best["songs"] > 5000 and detail["train"] > 20000, detail
    wait_until(lambda: live_hits(server) == detail["model_id"], "the first model of hits serves", 60, server.alive)
    return detail["model_id"]


def the_sixth_is_learned_from_and_judged(server, data, first):
    server.drop(data / "hit_predictor" / "dataset-of-10s.csv")
    wait_until(lambda: len(server.runs()) == 2 and stage(server.runs()[0])["state"] == "running", "models of hits are being made", 120, server.alive)
    server.kill()
    server.start()
    run = server.wait_runs(2, 600)[0]
    detail = stage(run)["detail"]
    assert detail["live"]["model_id"] == first, "the live model was judged on the same songs"
    checks = {c["name"]: c for c in detail["verdict"]["checks"]}
    assert set(checks) == {"hits.min_auc", "hits.min_accuracy", "no_worse_than_live", "artifact_size", "smoke_test"}, checks
    assert all(c["why"] for c in checks.values())
    assert "interval" in checks["no_worse_than_live"]["why"], checks["no_worse_than_live"]
    print("         " + checks["no_worse_than_live"]["why"])
    assert run["state"] == ("approved" if detail["verdict"]["approved"] else "refused"), run
    # The sixth decade's own hits are what the first model never saw.
    assert detail["verdict"]["approved"], detail["verdict"]["reason"]
    second = detail["model_id"]
    assert second != first
    wait_until(lambda: live_hits(server) == second, "the second model of hits serves", 60, server.alive)
    return second


def tracks_and_songs_have_probabilities(server, model):
    track = server.get("/v1/tracks?q=jealous+kind+of+fella&n=1")["items"][0]
    answer = server.get(f"/v1/tracks/{track['track_id']}/hit")
    assert answer["model_id"] == model and 0 < answer["probability"] < 1 and answer["known_label"] is True, answer
    predicted = server.post("/v1/hits/predict", {"features": SONG})
    assert predicted["model_id"] == model and 0 < predicted["predictions"][0]["probability"] < 1, predicted
    assert not predicted["warnings"], predicted
    in_seconds = server.post("/v1/hits/predict", {"songs": [{**SONG, "duration_ms": 210}]})
    assert any("duration_ms" in w for w in in_seconds["warnings"]), in_seconds
    lacking = {k: v for k, v in SONG.items() if k != "tempo"}
    assert "tempo" in server.call("POST", "/v1/hits/predict", {"features": lacking}, 400)["detail"]
    totals = server.get("/v1/hits")
    assert totals["tracks"] == totals["hits"]["tracks"] + totals["others"]["tracks"] + totals["unknown"]["tracks"], totals
    assert totals["hits"]["labelled"] > 10000 and totals["others"]["labelled"] > 10000, totals


def feedback_shows_in_a_listeners_hits(server):
    track = server.get("/v1/tracks?q=jealous+kind+of+fella&n=1")["items"][0]
    server.post("/v1/events", {"events": [{"listener": "ann", "track_id": track["track_id"], "kind": "play"}]})
    ann = server.get("/v1/listeners/ann/hits")
    assert ann["hits"]["plays"] == 1 and ann["items"][0]["track_id"] == track["track_id"], ann


def rollback_is_of_its_kind(server, first, second):
    answer = json.loads(segue("rollback", "--kind", "hits", "--reason", "to show it", "--data", server.data, "--json"))
    assert answer["live"] == first and answer["kind"] == "hits", answer
    wait_until(lambda: live_hits(server) == first, "the first model of hits serves again", 30, server.alive)
    models = {m["model_id"]: m for m in json.loads(segue("models", "--kind", "hits", "--data", server.data, "--json"))}
    assert models[first]["live"] and not models[second]["live"], models
    assert all(m["kind"] == "hits" for m in models.values())
    segue("rollback", "--data", server.data, expect=3)  # no recommender is live
    assert live_hits(server) == first
    again = json.loads(segue("promote", second, "--kind", "hits", "--data", server.data, "--json"))
    assert again["live"] == second, again
    kinds = [d["kind"] for d in server.get("/v1/deployments")["items"]]
    assert kinds == ["hits"] * 4, kinds


def test_a_model_of_hits_follows_the_songs_that_come_in():
    data = real_data()
    with Server(settings=SETTINGS) as server:
        first = five_decades_make_a_live_model(server, data)
        second = the_sixth_is_learned_from_and_judged(server, data, first)
        tracks_and_songs_have_probabilities(server, second)
        feedback_shows_in_a_listeners_hits(server)
        rollback_is_of_its_kind(server, first, second)


main(globals())
