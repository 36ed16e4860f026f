#!/usr/bin/env python3
"""The loop, timed: from files in the inbox to a live model, memory, the speed of
recommendations at 500 requests a second, and a swap under that load.

    SEGUE_TEST_DATA=DIR bench/loop_bench.py      (needs wrk and the release build)

Prints figures; asserts nothing. One run on a shared machine says little: run it
several times and take medians.
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "harness"))
from segue import Server, real_data  # noqa: E402

RATE, CONNECTIONS, SECONDS = 500, 20, 20

# wrk has no rate: each connection waits between its requests.
SCRIPT = """
local names = {%s}
local n = 0
function delay() return math.random(0, 2 * %d) end
function request()
  n = n + 1
  return wrk.format("GET", "/v1/listeners/" .. names[n %% #names + 1] .. "/recommendations?n=" .. (10 + n %% 7))
end
"""


def peak_megabytes(server):
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status).group(1)) / 1024


def report(name, text):
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text).group(1)
    figures = dict(re.findall(r"(50|99)%\s+(\S+)", text))
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    broken = re.search(r"Socket errors: (.*)", text)
    print(f"{name}: {rate} requests/s, p50 {figures['50']}, p99 {figures['99']}, "
          f"failed {failed.group(1) if failed else 0}{', ' + broken.group(1) if broken else ''}", flush=True)


def measure(server, names, name, meanwhile=lambda: None):
    pause_ms = 1000 * CONNECTIONS // RATE
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(SCRIPT % (", ".join(f'"{n}"' for n in names), pause_ms))
        script.flush()
        wrk = subprocess.Popen(["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "--latency", "-s", script.name,
                                f"http://127.0.0.1:{server.port}"], stdout=subprocess.PIPE, text=True)
        meanwhile()
        report(name, wrk.communicate()[0])


def main():
    data = real_data()
    with Server() as server:
        start = time.monotonic()
        for number in range(1, 12):
            server.drop(data / "spotify_histories" / f"listener-{number:02d}")
        server.drop(data / "hit_predictor")
        server.drop(data / "spotify_songs")
        server.wait_live(600)
        print(f"inbox to live: {time.monotonic() - start:.1f} s, peak memory {peak_megabytes(server):.0f} MB", flush=True)
        for stage in server.wait_runs(1)[0]["stages"]:
            print(f"  {stage['name']:<9} {stage['seconds']:.2f} s")
        names = [f"listener-{number:02d}" for number in range(1, 12)]
        measure(server, names, "recommendations")
        before = server.live()

        def swap():
            server.drop(data / "spotify_histories" / "listener-12")
            server.wait_runs(2, 600)
        measure(server, names, "while a run trains", swap)
        print(f"swapped: {before} -> {server.live()}, peak memory {peak_megabytes(server):.0f} MB")
        if server.live() != before:
            measure(server, names, "while models are swapped", lambda: server.post("/v1/models/rollback", {"reason": "bench"}))


if __name__ == "__main__":
    main()
