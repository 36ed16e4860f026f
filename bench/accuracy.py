#!/usr/bin/env python3
"""How good the models are, beside other libraries on the same files.

    bench/accuracy.py SPLITS [--only NAME[,NAME...]] [--data NAME[,NAME...]]

SPLITS has folders with train.csv and test.csv (and item_tags.csv, friends.csv
where there are any): lastfm-2k, ml-100k-ge4, ml-100k-all. Needs the release
build. Prints a row an algorithm and data set; asserts nothing.

The peers' figures are those of implicit 0.7.3, EASE^R in numpy and Surprise on
the same splits, each tuned on a part of train: the best of them, by column.
"""

import argparse
import json
import pathlib
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
SEGUE = ROOT / "build" / "release" / "segue"
COLUMNS = ["ndcg@10", "ndcg@100", "mrr", "recall@20", "hit_rate@10", "mrr_of_record"]
PEERS = {
    "lastfm-2k": {"ndcg@10": 0.2440, "ndcg@100": 0.3784, "mrr": 0.550, "recall@20": 0.2834, "hit_rate@10": 0.833},
    "ml-100k-ge4": {"ndcg@10": 0.3141, "ndcg@100": 0.4458, "mrr": 0.522, "recall@20": 0.3748, "hit_rate@10": 0.818},
    "ml-100k-all": {"mrr_of_record": 0.590},
}
ALGORITHMS = ["popularity", "item_knn", "user_knn", "friends", "session_knn", "content_text", "bpr", "warp", "ease", "ials", "ials_content", "hybrid"]


def evaluate(folder, algorithm):
    command = [str(SEGUE), "evaluate", "--json", "--quiet", "--train", str(folder / "train.csv"),
               "--test", str(folder / "test.csv"), "--algorithm", algorithm]
    for flag, name in (("--item-tags", "item_tags.csv"), ("--friends", "friends.csv")):
        if (folder / name).exists():
            command += [flag, str(folder / name)]
    start = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        return None, done.stderr.strip().splitlines()[-1]
    report = json.loads(done.stdout)
    figures = {name: figure["value"] if isinstance(figure, dict) else figure for name, figure in report["figures"].items()}
    return (figures, report["fit_seconds"]), time.monotonic() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("splits", type=pathlib.Path)
    parser.add_argument("--only", default=",".join(ALGORITHMS))
    parser.add_argument("--data", default=",".join(PEERS))
    arguments = parser.parse_args()
    for name in arguments.data.split(","):
        folder = arguments.splits / name
        print(f"\n{name:<14}" + "".join(f"{column:>14}" for column in COLUMNS) + f"{'fit s':>10}", flush=True)
        best = PEERS.get(name, {})
        print(f"{'best peer':<14}" + "".join(f"{best[c]:>14.4f}" if c in best else f"{'':>14}" for c in COLUMNS))
        for algorithm in arguments.only.split(","):
            result, note = evaluate(folder, algorithm)
            if result is None:
                print(f"{algorithm:<14}  {note}", flush=True)
                continue
            figures, seconds = result
            print(f"{algorithm:<14}" + "".join(f"{figures[c]:>14.4f}" for c in COLUMNS) + f"{seconds:>10.2f}", flush=True)


if __name__ == "__main__":
    main()
