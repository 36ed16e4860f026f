#!/usr/bin/env python3
"""Memory-based models: fit seconds on synthetic 10M and quality on the splits,
beside the peers' figures, with the release binary.

    bench/knn_bench.py SPLITS [SYNTHETIC]

SPLITS     folder with lastfm-2k, ml-100k-ge4, ml-100k-all (train.csv, test.csv,
           and friends.csv where there is one)
SYNTHETIC  folder with train.csv and test.csv of the 10M synthetic interactions

Prints figures; asserts nothing. Quality is exact and repeatable; seconds on a
shared machine are not: the load average is printed beside them.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

SEGUE = pathlib.Path(__file__).resolve().parents[1] / "build" / "release" / "segue"
FIGURES = ("ndcg@10", "recall@20", "mrr", "mrr_of_record")
ALGORITHMS = ("popularity", "trending", "item_knn", "user_knn", "friends")
# implicit 0.7.3, two threads; by split NDCG@10 of its BM25 item-kNN and of the
# best of the peers' item-kNN.
PEER_SECONDS = 8.8
PEER_NDCG = {"lastfm-2k": (".1964", ".2114"), "ml-100k-ge4": (".2770", ".2770"), "ml-100k-all": ("-", "-")}


def evaluate(train, test, algorithm, *options):
    command = [str(SEGUE), "evaluate", "--train", str(train), "--test", str(test), "--algorithm", algorithm,
               "--json", "--quiet", *options]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def value(figure):
    return figure["value"] if isinstance(figure, dict) else figure


def quality(splits):
    for name, (bm25, best) in PEER_NDCG.items():
        folder = splits / name
        print(f"{name} (peers' item-kNN, NDCG@10: BM25 {bm25}, best {best})")
        for algorithm in ALGORITHMS:
            friends = folder / "friends.csv"
            if algorithm == "friends" and not friends.exists():
                continue
            options = ["--friends", str(friends)] if algorithm == "friends" else []
            report = evaluate(folder / "train.csv", folder / "test.csv", algorithm, *options)
            print(f"  {algorithm:<11}" + "".join(f" {key} {value(report['figures'][key]):.4f}" for key in FIGURES), flush=True)


def seconds(synthetic):
    # Fitting is timed, not judging: a short hold-out will do.
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as few, open(synthetic / "test.csv") as test:
        few.writelines(line for line, _ in zip(test, range(1000)))
        few.flush()
        print(f"synthetic 10M, fit seconds, 2 threads (implicit's BM25 item-kNN, 20 neighbours: {PEER_SECONDS})")
        for what, options in (("bm25, 20 neighbours", ("weighting=bm25", "neighbours=20")), ("as it comes", ())):
            settings = [part for option in options for part in ("--set", option)]
            for _ in range(3):
                report = evaluate(synthetic / "train.csv", few.name, "item_knn", "--set", "train.threads=2", *settings)
                print(f"  item_knn, {what}: {report['fit_seconds']:.2f}  (load average {os.getloadavg()[0]:.1f})", flush=True)


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    quality(pathlib.Path(sys.argv[1]))
    if len(sys.argv) == 3:
        seconds(pathlib.Path(sys.argv[2]))


if __name__ == "__main__":
    main()
