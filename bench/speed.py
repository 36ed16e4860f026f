#!/usr/bin/env python3
"""Segue's speed beside other libraries' on the same data, and its kernels
beside what the machine could do.

    bench/speed.py --splits FOLDER --data FOLDER [--synthetic FOLDER] [--runs N] [--only WORD[,WORD...]]

--splits     has lastfm-2k/train.csv and ml-1m-ge3/train.csv
--data       has ml-100k/ with u1.base, u1.test ... u5.test
--synthetic  where the 10 million made-up interactions are kept, and made if
             they are not there (bench/synthetic.h; default build/synthetic)
--only       svdpp, als, quality, recommend, ease, knn, memory, kernels

Needs `tools/build.sh bench` and `tools/build.sh release segue`. Figures are
medians of N runs (default 3) on two threads. Beside the clock stands what the
same run would take on an idle machine with two cores: half its processor
seconds, for work that both threads share evenly. Asserts nothing.

The peers' figures are theirs on such a machine, two threads each: Surprise
1.1.4, implicit 0.7.3, EASE^R in numpy. The time to a quality is that of 15 of
implicit's iterations (.126 s), its quality that of our own conjugate gradients
in its place, both on a fifth that is carved off ml-1m-ge3's train.csv.
"""

import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
BENCH = ROOT / "build" / "bench" / "bench"
SEGUE = ROOT / "build" / "release" / "segue"
PEER_RMSE = 0.9219
PEER_MEMORY_MB = 600


def run(program, *arguments, **environment):
    done = subprocess.run([str(program), *map(str, arguments)], capture_output=True, text=True, env={**os.environ, **environment})
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip() or f"{program} failed")
    return done.stdout


def median(runs, measure):
    """Of each figure that measure() gives."""
    all_of = [measure() for _ in range(runs)]
    return {key: statistics.median(one[key] for one in all_of) for key in all_of[0]}


def measure(*arguments):
    return json.loads(run(BENCH / "speed", *arguments))


class Table:
    HEAD = f"{'':<58}{'Segue':>10}{'idle':>10}{'peer':>10}{'times':>8}{'idle':>8}{'target':>8}"

    def __init__(self):
        print(self.HEAD, flush=True)

    def seconds(self, what, clock, processors, peer, target, note=""):
        idle = processors / 2
        self._row(what, f"{clock:.3f} s", f"{idle:.3f} s", f"{peer:g} s", peer / clock, peer / idle, target, note)

    def rate(self, what, clock, idle, peer, target, note=""):
        self._row(what, f"{clock:,.0f}/s", f"{idle:,.0f}/s", f"{peer:,}/s", clock / peer, idle / peer, target, note)

    def megabytes(self, what, size, most, note=""):
        print(f"{what:<58}{size:>7.0f} MB{'':>10}{most:>7} MB{most / size:>8.2f}{'':>8}{1:>8.2f}  {note}", flush=True)

    @staticmethod
    def skipped(what, why):
        print(f"{what:<58}skipped: {why}", flush=True)

    @staticmethod
    def _row(what, clock, idle, peer, times, idle_times, target, note):
        print(f"{what:<58}{clock:>10}{idle:>10}{peer:>10}{times:>8.2f}{idle_times:>8.2f}{target:>8.2f}  {note}", flush=True)


class Bench:
    def __init__(self, arguments):
        self.runs = arguments.runs
        self.splits = arguments.splits
        self.data = arguments.data
        self.synthetic = arguments.synthetic
        self.table = Table()

    def made_up(self):
        train = self.synthetic / "train.csv"
        if not train.exists():
            run(BENCH / "speed", "synthetic", self.synthetic)
        return train

    def missing(self, what, path):
        if path is not None and path.exists():
            return False
        self.table.skipped(what, f"{path if path is not None else 'its folder'} is not there")
        return True

    def svdpp(self):
        what = "SVD++, 20 factors, 20 epochs, ml-100k u1 to u5"
        if self.missing(what, self.data and self.data / "ml-100k" / "u1.base"):
            return

        def measure():
            out = run(BENCH / "ratings_bench", "standard", "svdpp", "svdpp.factors=20", "svdpp.epochs=20", SEGUE_TEST_DATA=str(self.data))
            rmse, clock, cpu = re.search(r"RMSE ([\d.]+).* in ([\d.]+) s \(CPU ([\d.]+) s", out).groups()
            return {"rmse": float(rmse), "seconds": float(clock), "cpu": float(cpu)}

        got = median(self.runs, measure)
        # One thread does it all: idle, it takes its processor seconds.
        self.table.seconds(what, got["seconds"], 2 * got["cpu"], 122, 60, f"RMSE {got['rmse']:.4f}, the peer's {PEER_RMSE}")

    def als(self):
        for factors, peer, target in ((64, 2.83, 2.5), (128, 3.50, 1.5)):
            got = median(self.runs, lambda: measure("als", self.made_up(), factors))
            self.table.seconds(f"ALS, an exact iteration, synthetic 10M, {factors} factors", got["seconds"], got["cpu"], peer, target,
                               f"peer: CG; {got['floor_cpu'] / got['cpu']:.0%} of the operations' floor")
            self.table.megabytes(f"  peak memory of the whole process, {factors} factors", got["memory_mb"], PEER_MEMORY_MB, "CSV read by the bench")

    def quality(self):
        what = "ALS, time to NDCG@10 of 15 CG iterations, ml-1m-ge3"
        train = self.splits and self.splits / "ml-1m-ge3" / "train.csv"
        if self.missing(what, train):
            return
        # The peer's best of a small grid; ours the defaults.
        got = median(self.runs, lambda: measure("quality", train, 64, 4, 60, 1.5, 1.55, 0.5))
        if got["seconds"] == 0:
            print(f"{what}: not reached in {got['epochs']:.0f} epochs: {got['ndcg']:.4f}, CG: {got['peer_ndcg']:.4f}")
            return
        self.table.seconds(what, got["seconds"], got["cpu"], 15 * 0.126, 4,
                           f"whole fit, {got['epochs']:.0f} epochs: {got['ndcg']:.4f}, CG: {got['peer_ndcg']:.4f}")

    def recommend(self):
        got = median(self.runs, lambda: measure("recommend", self.made_up(), 64))
        self.table.rate("top 10 of all listeners, synthetic 10M, 64 factors", got["from_factors"], got["from_factors_cpu"], 5500, 4, "heard tracks left out")
        self.table.rate("  the same with their factors worked out from events", got["from_events"], got["from_events_cpu"], 5500, 4)

    def ease(self):
        what = "EASE^R, fit, lastfm-2k"
        train = self.splits and self.splits / "lastfm-2k" / "train.csv"
        if self.missing(what, train):
            return
        got = median(self.runs, lambda: measure("fit", train, "ease"))
        self.table.seconds(what, got["seconds"], got["cpu"], 8.6, 2)

    def knn(self):
        got = median(self.runs, lambda: measure("fit", self.made_up(), "item_knn", "weighting=bm25", "neighbours=20"))
        self.table.seconds("item-kNN, BM25, 20 neighbours, fit, synthetic 10M", got["seconds"], got["cpu"], 8.8, 2)

    def memory(self):
        what = "  peak memory of segue evaluate, its CSV included"
        if not SEGUE.exists():
            self.table.skipped(what, f"{SEGUE} is not built")
            return
        train = self.made_up()
        with tempfile.NamedTemporaryFile("w", suffix=".csv") as few, open(train.parent / "test.csv") as test:
            few.writelines(line for line, _ in zip(test, range(1000)))
            few.flush()
            process = subprocess.Popen([SEGUE, "evaluate", "--train", train, "--test", few.name, "--algorithm", "ials", "--set", "factors=64",
                                        "--set", "block=64", "--set", "epochs=2", "--quiet"], stdout=subprocess.DEVNULL)
            usage = os.wait4(process.pid, 0)[2]
        self.table.megabytes(what, usage.ru_maxrss * 1024 / 1e6, PEER_MEMORY_MB, "64 factors")

    def kernels(self):
        machine = measure("machine")
        print(f"\nOne core: {machine['avx2'] / 1e9:.0f} Gflop/s (AVX2), {machine['avx512'] / 1e9:.0f} (AVX-512); "
              f"memory {machine['read1'] / 1e9:.1f} GB/s alone, {machine['read2'] / 1e9:.1f} together")
        print("Above 100 %: what was read lay in a cache, so that memory did not bind it.")
        print(f"{'kernel':<30}{'set':<8}{'factors':>8}{'us':>10}{'Gflop/s':>9}{'GB/s':>8}  of the floor")
        for line in run(BENCH / "speed", "kernels").splitlines():
            row = json.loads(line)
            print(f"{row['kernel']:<30}{row['set']:<8}{row['factors']:>8}{row['us']:>10.2f}{row['gflops']:>9.1f}{row['gbytes']:>8.2f}"
                  f"  {row['share']:>5.0%} {row['floor']}", flush=True)


PARTS = ("svdpp", "als", "memory", "quality", "recommend", "ease", "knn", "kernels")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--splits", type=pathlib.Path)
    parser.add_argument("--data", type=pathlib.Path)
    parser.add_argument("--synthetic", type=pathlib.Path, default=ROOT / "build" / "synthetic")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default=",".join(PARTS))
    arguments = parser.parse_args()
    wanted = arguments.only.split(",")
    if unknown := set(wanted) - set(PARTS):
        parser.error(f"--only knows {', '.join(PARTS)}, not {', '.join(sorted(unknown))}")
    print(f"load average {os.getloadavg()[0]:.1f}; times: the peer's seconds by ours, or our rate by the peer's")
    bench = Bench(arguments)
    for part in PARTS:
        if part in wanted:
            getattr(bench, part)()


if __name__ == "__main__":
    main()
