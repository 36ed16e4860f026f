#!/usr/bin/env python3
"""What logging and metrics cost a request: two servers on the same made-up data,
one with logs.requests and serve.metrics on, one with both off, asked in turn.

    bench/overhead_bench.py [--pairs 9] [--seconds 2] [--listeners 200]

Each pair measures both, the order changing from pair to pair. Prints the medians
of requests a second and of the servers' processor time a request, and the medians
of the pairs' ratios. Processor time is what to look at on a machine that does other
things too: the client, in Python, takes most of the time between two requests.
"""

import argparse
import os
import pathlib
import shutil
import socket
import statistics
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "harness"))
from segue import Server, segue  # noqa: E402

QUICK = ["train.algorithms=popularity", "search.trials=0", "gate.min_mrr=0", "gate.min_hit_rate=0", "inbox.settle_ms=0", "inbox.burst_ms=100"]


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def ask(port, requests, seconds):
    """How many answers came, one after the other on one connection."""
    count, end = 0, time.monotonic() + seconds
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while time.monotonic() < end:
            connection.sendall(requests[count % len(requests)])
            data = b""
            while b"\r\n\r\n" not in data:
                data += connection.recv(65536)
            head, body = data.split(b"\r\n\r\n", 1)
            if not head.startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"overhead_bench: {head.splitlines()[0]!r}")
            left = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]) - len(body)
            while left > 0:
                left -= len(connection.recv(65536))
            count += 1
    return count


def measure(server, requests, seconds):
    before = cpu_seconds(server.process.pid)
    start = time.monotonic()
    count = ask(server.port, requests, seconds)
    return count / (time.monotonic() - start), (cpu_seconds(server.process.pid) - before) / count * 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--listeners", type=int, default=200)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="segue-overhead-") as name:
        folder = pathlib.Path(name)
        segue("simulate", "--output", folder / "made", "--listeners", arguments.listeners, "--days", 60)
        segue("ingest", folder / "made", "--data", folder / "on", "--quiet")
        segue("run", "--data", folder / "on", "--quiet", *[flag for setting in QUICK for flag in ("--set", setting)])
        shutil.copytree(folder / "on", folder / "off")
        watched = Server(folder / "on", QUICK + ["runs.config_trigger=off"])
        bare = Server(folder / "off", QUICK + ["runs.config_trigger=off", "logs.requests=off", "serve.metrics=off"])
        with watched, bare:
            watched.wait_live()
            bare.wait_live()
            listeners = [item["listener"] for item in watched.get("/v1/listeners?n=50")["items"]]
            requests = [f"GET /v1/listeners/{listener}/recommendations?n=10 HTTP/1.1\r\nHost: x\r\n\r\n".encode() for listener in listeners]
            for server in (watched, bare):
                measure(server, requests, 1)
            pairs = []
            for pair in range(arguments.pairs):
                order = [("on", watched), ("off", bare)]
                figures = {name: measure(server, requests, arguments.seconds) for name, server in (order if pair % 2 == 0 else reversed(order))}
                pairs.append(figures)
        for name in ("on", "off"):
            print(f"{name:4} {statistics.median(p[name][0] for p in pairs):9.0f} requests/s   {statistics.median(p[name][1] for p in pairs):7.1f} us of processor a request")
        print(f"on/off, median of {len(pairs)} pairs: requests/s {statistics.median(p['on'][0] / p['off'][0] for p in pairs):.3f}, "
              f"processor a request {statistics.median(p['on'][1] / p['off'][1] for p in pairs):.3f}")


main()
