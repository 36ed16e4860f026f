#!/usr/bin/env python3
"""Cold start on lastfm-2k: artists that nobody played, and listeners who were
not there when the model was trained.

    bench/cold_start.py --data FOLDER [--segue build/release/segue] [--seed 1] [--only artists|listeners]

FOLDER has train.csv, test.csv and item_tags.csv. A tenth of the artists and,
apart from that, a tenth of the listeners are drawn with the seed.

Artists: every event of the drawn artists is taken out of train; those events
are what is to be found. NDCG@100 twice: with the whole catalogue as candidates
(the drawn ones stand against all that people know), and among the drawn ones
alone. Beside the models, two orders among the drawn ones that need no model:
chance, and the popularity that they really have, which nobody can know.

Listeners: nothing of the drawn listeners is trained on; five of their train
events are shown at fold-in, and all their others are to be found. Beside it,
the same model trained with these five.
"""

import argparse
import csv
import json
import math
import pathlib
import random
import subprocess
import tempfile

SHARE = 0.1
SHOWN = 5
N = 100


def read(path):
    with open(path, newline="") as file:
        return [(row["user_id"], row["item_id"], row["value"]) for row in csv.DictReader(file)]


def write(path, rows):
    with open(path, "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["user_id", "item_id", "value"])
        out.writerows(rows)
    return path


def draw(names, seed):
    names = sorted(set(names))
    random.Random(seed).shuffle(names)
    return set(names[: round(len(names) * SHARE)])


def ndcg(ranked, relevant):
    """As in src/evaluate/metrics.h: binary, over the first N."""
    gain = sum(1 / math.log2(rank + 2) for rank, item in enumerate(ranked[:N]) if item in relevant)
    return gain / sum(1 / math.log2(rank + 2) for rank in range(min(N, len(relevant))))


class Bench:
    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        data = pathlib.Path(options.data)
        self.train = read(data / "train.csv")
        self.test = read(data / "test.csv")
        self.tags = data / "item_tags.csv"

    def command(self, verb, algorithm, *more):
        return [self.options.segue, verb, "--algorithm", algorithm, "--item-tags", str(self.tags), "--quiet",
                *map(str, more), *(a for s in self.options.set for a in ("--set", s))]

    def evaluate(self, algorithm, *more):
        done = subprocess.run(self.command("evaluate", algorithm, *more, "--json"), capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(done.stderr)
        figures = json.loads(done.stdout)["figures"]
        return {name: figure["value"] for name, figure in figures.items()}

    def among(self, algorithm, train, cold, relevant):
        """Mean NDCG@100 where only `cold` are candidates, from complete rankings."""
        ranked = {}
        command = self.command("recommend", algorithm, "--train", train, "--fold-in", self.folder / "cold.csv", "-n", 100000)
        # The drawn artists must be in the catalogue, but in nobody's past: a
        # listener of whom nothing else is known carries them.
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            next(process.stdout)
            for line in process.stdout:
                user, item, _ = line.split(",", 2)
                if item in cold and user in relevant:
                    ranked.setdefault(user, []).append(item)
        if process.returncode != 0:
            raise SystemExit(f"{' '.join(command)} failed")
        return sum(ndcg(ranked.get(user, []), items) for user, items in relevant.items()) / len(relevant)

    def artists(self, algorithms):
        rows = self.train + self.test
        cold = draw((item for _, item, _ in rows), self.options.seed)
        warm = [row for row in self.train if row[1] not in cold]
        known = {user for user, _, _ in warm}
        held = [row for row in rows if row[1] in cold and row[0] in known]
        train = write(self.folder / "train.csv", warm)
        test = write(self.folder / "test.csv", held)
        write(self.folder / "cold.csv", [("\x7fnobody", item, 1) for item in sorted(cold)])
        relevant = {}
        for user, item, _ in held:
            relevant.setdefault(user, set()).add(item)
        print(f"Cold artists: {len(cold)} of {len({i for _, i, _ in rows})} held out, {len(held)} events of "
              f"{len(relevant)} listeners to be found; NDCG@{N}")
        print(f"  {'':32}{'whole catalogue':>16}{'among the cold':>16}")
        for algorithm in algorithms:
            whole = self.evaluate(algorithm, "--train", train, "--test", test)[f"ndcg@{N}"]
            print(f"  {algorithm:32}{whole:16.4f}{self.among(algorithm, train, cold, relevant):16.4f}", flush=True)
        chance = sorted(cold)
        generator = random.Random(self.options.seed)
        total = 0
        for items in relevant.values():
            generator.shuffle(chance)
            total += ndcg(chance, items)
        print(f"  {'chance':32}{'':16}{total / len(relevant):16.4f}")
        count = {}
        for _, item, _ in held:
            count[item] = count.get(item, 0) + 1
        best = sorted(cold, key=lambda item: (-count.get(item, 0), item))
        oracle = sum(ndcg(best, items) for items in relevant.values()) / len(relevant)
        print(f"  {'their true popularity (unknown)':32}{'':16}{oracle:16.4f}")

    def listeners(self, algorithms):
        cold = draw((user for user, _, _ in self.train), self.options.seed)
        past = {}
        for row in self.train:
            if row[0] in cold:
                past.setdefault(row[0], []).append(row)
        generator = random.Random(self.options.seed)
        shown = [row for user in sorted(past) for row in generator.sample(past[user], min(SHOWN, len(past[user])))]
        seen = set(shown)
        warm = [row for row in self.train if row[0] not in cold]
        train = write(self.folder / "train.csv", warm)
        full = write(self.folder / "full.csv", warm + shown)
        fold_in = write(self.folder / "shown.csv", shown)
        held = [row for row in self.train + self.test if row[0] in cold and row not in seen]
        test = write(self.folder / "test.csv", held)
        print(f"Cold listeners: {len(cold)} held out, {SHOWN} of their plays shown, {len(held)} to be found")
        print(f"  {'':20}{'ndcg@10':>30}{'ndcg@100':>30}")
        print(f"  {'':20}" + 2 * f"{'fold-in':>10}{'trained':>10}{'share':>10}")
        for algorithm in algorithms:
            folded = self.evaluate(algorithm, "--train", train, "--fold-in", fold_in, "--test", test)
            trained = self.evaluate(algorithm, "--train", full, "--test", test)
            line = f"  {algorithm:20}"
            for figure in ("ndcg@10", "ndcg@100"):
                line += f"{folded[figure]:10.4f}{trained[figure]:10.4f}{folded[figure] / trained[figure]:10.1%}"
            print(line, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--segue", default=str(pathlib.Path(__file__).parent.parent / "build/release/segue"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=["artists", "listeners"])
    parser.add_argument("--algorithms", default="popularity,ials,content_text,ials_content")
    parser.add_argument("--set", action="append", default=[], help="KEY=VALUE for every model")
    options = parser.parse_args()
    algorithms = options.algorithms.split(",")
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(options, pathlib.Path(folder))
        if options.only != "listeners":
            bench.artists(algorithms)
        if options.only != "artists":
            bench.listeners(algorithms)


if __name__ == "__main__":
    main()
