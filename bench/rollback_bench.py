#!/usr/bin/env python3
"""How long a rollback takes: from the call to the first list by the restored model.

    bench/rollback_bench.py [--rounds N] [--listeners N] [--tracks N]

On made-up listeners (SEGUE_TEST_DATA: on real ones, dropped in two halves). Each
round promotes the newer model again, lets it serve, and rolls it back: once by
the HTTP call, which returns when the restored model answers, once by
`segue rollback`, whose own start counts. Prints milliseconds; asserts nothing.
"""

import argparse
import os
import pathlib
import statistics
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "harness"))
from segue import Server, segue, wait_until  # noqa: E402

SETTINGS = ["train.algorithms=popularity,ials", "search.trials=0", "inbox.settle_ms=0", "inbox.burst_ms=1000", "runs.feedback_trigger=0",
            "gate.min_mrr=0", "gate.min_hit_rate=0", "gate.max_drop=1", "gate.confidence=0.9999"]


def drop(server, options, half):
    data = os.environ.get("SEGUE_TEST_DATA")
    if data:
        for number in range(1 + 6 * half, 7 + 6 * half):
            server.drop(pathlib.Path(data) / "spotify_histories" / f"listener-{number:02d}")
        return "listener-01"
    with tempfile.TemporaryDirectory() as folder:
        segue("simulate", "--output", folder, "--listeners", options.listeners, "--tracks", options.tracks, "--days", 60, "--seed", half + 1, "--quiet")
        server.drop(folder, f"half-{half}")
    return "a-visitor"


def first_answer(server, listener, model):
    while server.recommendations(listener)["model_id"] != model:
        pass


def timed(server, listener, newer, older, go_back):
    if server.live() != newer:
        server.post(f"/v1/models/{newer}/promote", {"reason": "bench"})
        wait_until(lambda: server.recommendations(listener)["model_id"] == newer, "the newer model serves")
    start = time.perf_counter()
    go_back()
    called = time.perf_counter()
    first_answer(server, listener, older)
    return (called - start) * 1000, (time.perf_counter() - start) * 1000


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--listeners", type=int, default=200)
    parser.add_argument("--tracks", type=int, default=5000)
    options = parser.parse_args()
    with Server(settings=SETTINGS) as server:
        drop(server, options, 0)
        older = server.wait_live(600)
        runs = len(server.wait_runs(1, 600))
        listener = drop(server, options, 1)
        server.wait_runs(runs + 1, 600)
        newer = next(step["to"] for step in server.get("/v1/deployments")["items"] if step["kind"] == "recommender")
        if newer == older:
            sys.exit("the second half made no other model live: nothing to roll back")
        wait_until(lambda: server.live() == newer, "the newer model serves")
        ways = {"POST /v1/models/rollback": lambda: server.post("/v1/models/rollback", {"reason": "bench"}),
                "segue rollback": lambda: segue("rollback", "--reason", "bench", "--data", server.data)}
        for name, go_back in ways.items():
            rounds = [timed(server, listener, newer, older, go_back) for _ in range(options.rounds)]
            calls, answers = zip(*rounds)
            print(f"{name}: returns after {statistics.median(calls):.0f} ms, first list by the restored model after "
                  f"min {min(answers):.0f}, median {statistics.median(answers):.0f}, max {max(answers):.0f} ms ({options.rounds} rounds)", flush=True)


if __name__ == "__main__":
    main()
