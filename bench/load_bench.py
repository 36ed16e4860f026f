#!/usr/bin/env python3
"""What a server bears: wrk on the same machine, against a model of many tracks.

    bench/load_bench.py [--tracks 100000] [--listeners 3000] [--algorithm hybrid] [--seconds 10] [--rounds 3] [--keep DIR]

Made-up listeners, one run of the pipeline, one server; then, each in several rounds
of which the median is printed, with requests a second and the latencies in which
half and 99 of 100 were answered:

    scored      lists of ten, each scored anew: no two requests ask for the same
    kept        lists of listeners about whom nothing has changed since the last
    events/100  POST /v1/events with a hundred each; events a second, each durable
    events/1    one each
    mixed       nine kept lists, one scored, and one event in twenty requests

and the server's memory, before and after. wrk sends the next request when an answer
has come, on as many connections as said: its latencies are those at full load.
--keep uses a data folder again, or makes it.
"""

import argparse
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "harness"))
from segue import Server, segue  # noqa: E402

SETTINGS = ["search.trials=0", "gate.min_mrr=0", "gate.min_hit_rate=0", "inbox.settle_ms=0", "inbox.burst_ms=100", "runs.config_trigger=off",
            "runs.feedback_trigger=0", "evaluate.bootstrap_samples=50", "gate.max_p99_ms=100000"]

SCRIPT = """
local listeners = {%(listeners)s}
local tracks = {%(tracks)s}
local threads = 0
function setup(thread) threads = threads + 1; thread:set("number", threads) end
local count = 0
local function listener() return listeners[count %% #listeners + 1] end
local function kept() return wrk.format("GET", "/v1/listeners/" .. listener() .. "/recommendations?n=10") end
local function scored()
  -- A novelty that is as good as none, and never the same.
  return wrk.format("GET", string.format("/v1/listeners/%%s/recommendations?n=10&novelty=%%.9f", listener(), (%(salt)d * 4e6 + number * 1e6 + count) * 1e-9))
end
local function event(i)
  return string.format('{"event_id":"%(salt)d-%%d-%%d-%%d","listener":"%%s","track_id":"%%s","kind":"play"}', number, count, i,
                       listeners[(count + 7 * i) %% #listeners + 1], tracks[(count * 31 + i) %% #tracks + 1])
end
local function events(n)
  local all = {}
  for i = 1, n do all[i] = event(i) end
  return wrk.format("POST", "/v1/events", {["Content-Type"] = "application/json"}, '{"events":[' .. table.concat(all, ",") .. "]}")
end
function request()
  count = count + 1
  local kind = "%(kind)s"
  if kind == "scored" then return scored() end
  if kind == "kept" then return kept() end
  if kind == "events/100" then return events(100) end
  if kind == "events/1" then return events(1) end
  if count %% 20 == 0 then return events(1) end
  if count %% 10 == 5 then return scored() end
  return kept()
end
"""
PER_REQUEST = {"events/100": 100}


def memory_mib(server):
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) / 1024


def milliseconds(text):
    number, unit = re.match(r"([\d.]+)(us|ms|s|m)", text).groups()
    return float(number) * {"us": 1e-3, "ms": 1, "s": 1e3, "m": 6e4}[unit]


def load(server, script, connections, seconds):
    done = subprocess.run(["wrk", "--latency", "-t2", f"-c{connections}", f"-d{seconds}s", "-s", str(script), f"http://127.0.0.1:{server.port}"],
                          capture_output=True, text=True, check=True).stdout
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", done)
    if failed or "Socket errors" in done:
        sys.exit(f"load_bench: answers failed\n{done}")
    return (float(re.search(r"Requests/sec:\s+([\d.]+)", done).group(1)), milliseconds(re.search(r"50%\s+(\S+)", done).group(1)),
            milliseconds(re.search(r"99%\s+(\S+)", done).group(1)))


def make(data, options):
    with tempfile.TemporaryDirectory(prefix="segue-load-") as made:
        segue("simulate", "--output", made, "--listeners", options.listeners, "--tracks", options.tracks,
              "--days", 60, "--quiet", timeout=3600)
        segue("ingest", made, "--data", data, "--quiet", timeout=3600)
    settings = SETTINGS + [f"train.algorithms={options.algorithm}"]
    segue("run", "--data", data, "--quiet", *[flag for setting in settings for flag in ("--set", setting)], timeout=7200)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tracks", type=int, default=100_000)
    parser.add_argument("--listeners", type=int, default=3000)
    parser.add_argument("--algorithm", default="hybrid")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--keep", metavar="DIR", type=pathlib.Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="segue-load-") as folder:
        data = options.keep or pathlib.Path(folder) / "data"
        if not (data / "bucket").is_dir():
            make(data, options)
        with Server(data, SETTINGS + [f"train.algorithms={options.algorithm}"]) as server:
            server.wait_live(600)
            catalogue = server.status()["catalogue"]
            listeners = [item["listener"] for item in server.get("/v1/listeners?limit=1000")["items"]]
            tracks = [item["track_id"] for item in server.get("/v1/tracks?limit=1000")["items"]]
            print(f"{catalogue['tracks']:,} tracks, {catalogue['listeners']:,} listeners, {server.status()['live']['algorithm']}, "
                  f"{options.connections} connections, {os.cpu_count()} cores with wrk on them; {memory_mib(server):,.0f} MiB", flush=True)
            salt = 0
            for kind in ("scored", "kept", "events/100", "events/1", "mixed"):
                rounds = []
                for _ in range(options.rounds):
                    salt += 1
                    script = pathlib.Path(folder) / "load.lua"
                    script.write_text(SCRIPT % {"kind": kind, "salt": salt, "listeners": ",".join(f'"{name}"' for name in listeners),
                                                "tracks": ",".join(f'"{track}"' for track in tracks)})
                    rounds.append(load(server, script, options.connections, options.seconds))
                rate, half, most = (statistics.median(figures) for figures in zip(*rounds))
                unit = "events" if kind in PER_REQUEST else "requests"
                print(f"{kind:11} {rate * PER_REQUEST.get(kind, 1):9,.0f} {unit}/s   50 % in {half:7.2f} ms   99 % in {most:7.2f} ms   "
                      f"{memory_mib(server):,.0f} MiB", flush=True)


if __name__ == "__main__":
    main()
