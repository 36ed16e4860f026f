#!/usr/bin/env python3
"""Chooses settings on a part of a training file, without a look at any test.

    bench/tune.py TRAIN.csv ALGORITHM KEY=VALUE,VALUE... [KEY=...]
                  [--metric ndcg@10] [--fifths N] [--trials N] [--item-tags F] [--friends F]

A fifth of each listener's rows, chosen by hash, is held out of the file; every
combination (or N drawn from them) is trained on the rest and judged on it. The
table is printed best first; nothing is written beside temporary files.
"""

import argparse
import csv
import hashlib
import itertools
import json
import pathlib
import random
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
SEGUE = ROOT / "build" / "release" / "segue"


def carve(path, folder, fifth):
    """train.csv and test.csv of `folder`: four fifths and one."""
    folder.mkdir()
    with open(path, newline="") as rows:
        reader = csv.reader(rows)
        header = next(reader)
        with open(folder / "train.csv", "w", newline="") as train, open(folder / "test.csv", "w", newline="") as test:
            writers = [csv.writer(train), csv.writer(test)]
            for writer in writers:
                writer.writerow(header)
            for row in reader:
                held = hashlib.sha256(f"{row[0]}/{row[1]}".encode()).digest()[0] % 5 == fifth
                writers[held].writerow(row)


def judge(folder, algorithm, settings, extra, metric):
    command = [str(SEGUE), "evaluate", "--json", "--quiet", "--train", str(folder / "train.csv"), "--test",
               str(folder / "test.csv"), "--algorithm", algorithm, *extra]
    for key, value in settings:
        command += ["--set", f"{key}={value}"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    report = json.loads(done.stdout)
    figure = report["figures"][metric]
    return figure["value"] if isinstance(figure, dict) else figure, report["fit_seconds"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("train", type=pathlib.Path)
    parser.add_argument("algorithm")
    parser.add_argument("grid", nargs="+", metavar="KEY=VALUE,VALUE...")
    parser.add_argument("--metric", default="ndcg@10")
    parser.add_argument("--fifths", type=int, choices=range(1, 6), default=1, help="hold out so many, one after the other; the mean counts")
    parser.add_argument("--trials", type=int, default=0, help="so many drawn from the grid; 0: all of it")
    parser.add_argument("--item-tags")
    parser.add_argument("--friends")
    arguments = parser.parse_args()
    extra = []
    for flag, value in (("--item-tags", arguments.item_tags), ("--friends", arguments.friends)):
        extra += [flag, value] if value else []
    keys = [part.partition("=")[0] for part in arguments.grid]
    choices = list(itertools.product(*(part.partition("=")[2].split(",") for part in arguments.grid)))
    if 0 < arguments.trials < len(choices):
        choices = random.Random(1).sample(choices, arguments.trials)
    found = []
    with tempfile.TemporaryDirectory() as name:
        folders = [pathlib.Path(name) / str(fifth) for fifth in range(arguments.fifths)]
        for fifth, folder in enumerate(folders):
            carve(arguments.train, folder, fifth)
        for choice in choices:
            judged = [judge(folder, arguments.algorithm, list(zip(keys, choice)), extra, arguments.metric) for folder in folders]
            figure, seconds = (sum(values) / len(judged) for values in zip(*judged))
            found.append((figure, seconds, choice))
            print(f"{figure:.4f} {seconds:7.2f} s  " + " ".join(f"{k}={v}" for k, v in zip(keys, choice)), flush=True)
    print(f"\nbest {arguments.metric} first")
    for figure, seconds, choice in sorted(found, reverse=True)[:10]:
        print(f"{figure:.4f} {seconds:7.2f} s  " + " ".join(f"{k}={v}" for k, v in zip(keys, choice)))


if __name__ == "__main__":
    main()
