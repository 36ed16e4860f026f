#!/usr/bin/env python3
"""How good the models are, beside other libraries on the same files.

    bench/accuracy.py SPLITS [--only NAME[,NAME...]] [--data NAME[,NAME...]] [--ratings FOLDER]

SPLITS has folders with train.csv and test.csv (and item_tags.csv, friends.csv
where there are any): lastfm-2k, ml-100k-ge4, ml-100k-all; ml-1m-ge3, whose test
part is not published, is judged on a fifth carved off train.csv, the ids' hashes
saying which. FOLDER is MovieLens 100K with its folds u1 to u5. Needs the
release build. Prints a row an algorithm and data set; asserts nothing.

The peers' figures are those of implicit 0.7.3, EASE^R in numpy and Surprise on
the same splits, each tuned on a part of train: the best of them, by column.
ml-1m-ge3's fifth has none.
"""

import argparse
import csv
import json
import math
import pathlib
import subprocess
import tempfile
import time

import tune

ROOT = pathlib.Path(__file__).resolve().parents[1]
SEGUE = ROOT / "build" / "release" / "segue"
COLUMNS = ["ndcg@10", "ndcg@100", "mrr", "recall@20", "hit_rate@10", "mrr_of_record"]
PEERS = {
    "lastfm-2k": {"ndcg@10": 0.2440, "ndcg@100": 0.3784, "mrr": 0.550, "recall@20": 0.2834, "hit_rate@10": 0.833},
    "ml-100k-ge4": {"ndcg@10": 0.3141, "ndcg@100": 0.4458, "mrr": 0.522, "recall@20": 0.3748, "hit_rate@10": 0.818},
    "ml-100k-all": {"mrr_of_record": 0.590},
    "ml-1m-ge3": {},
}
ALGORITHMS = ["popularity", "item_knn", "user_knn", "friends", "session_knn", "content_text", "bpr", "warp", "ease", "ials",
              "ials_content", "hybrid"]
RATINGS = {"svd": 0.9380, "svdpp": 0.9219, "svdpp_gibbs": 0.9219}  # Surprise's SVD and SVD++


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


def table(name, folder, algorithms):
    print(f"\n{name:<14}" + "".join(f"{column:>14}" for column in COLUMNS) + f"{'fit s':>10}", flush=True)
    best = PEERS[name]
    print(f"{'best peer':<14}" + "".join(f"{best[c]:>14.4f}" if c in best else f"{'':>14}" for c in COLUMNS))
    for algorithm in algorithms:
        result, note = evaluate(folder, algorithm)
        if result is None:
            print(f"{algorithm:<14}  {note}", flush=True)
            continue
        figures, seconds = result
        print(f"{algorithm:<14}" + "".join(f"{figures[c]:>14.4f}" for c in COLUMNS) + f"{seconds:>10.2f}", flush=True)


def to_csv(table_file, csv_file):
    with open(table_file) as rows, open(csv_file, "w") as out:
        out.write("user_id,item_id,value,at\n")
        out.writelines(line.replace("\t", ",") for line in rows)


def ratings(folder, algorithm, work):
    """RMSE and MAE over the five folds' predictions together, and the seconds in all."""
    errors = []
    start = time.monotonic()
    for fold in range(1, 6):
        for part, name in (("base", "train"), ("test", "test")):
            to_csv(folder / f"u{fold}.{part}", work / f"{name}.csv")
        subprocess.run([str(SEGUE), "predict", "--quiet", "--train", work / "train.csv", "--test", work / "test.csv",
                        "--algorithm", algorithm, "--output", work / "predictions.csv"], check=True, capture_output=True)
        with open(work / "predictions.csv", newline="") as rows:
            errors += [float(row["prediction"]) - float(row["value"]) for row in csv.DictReader(rows)]
    return (math.sqrt(sum(e * e for e in errors) / len(errors)), sum(map(abs, errors)) / len(errors), time.monotonic() - start)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("splits", type=pathlib.Path)
    parser.add_argument("--only", default=",".join(ALGORITHMS))
    parser.add_argument("--data", default=",".join(PEERS), help='"": none')
    parser.add_argument("--ratings", type=pathlib.Path, help="folder of MovieLens 100K")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        for data in filter(None, arguments.data.split(",")):
            folder = arguments.splits / data
            if not (folder / "test.csv").exists():
                tune.carve(folder / "train.csv", work / data, 0)
                folder = work / data
            table(data, folder, arguments.only.split(","))
        if arguments.ratings:
            print(f"\n{'u1 to u5, pooled':<18}{'RMSE':>8}{'MAE':>8}{'peer RMSE':>11}{'s in all':>10}")
            for algorithm, peer in RATINGS.items():
                rmse, mae, seconds = ratings(arguments.ratings, algorithm, work)
                print(f"{algorithm:<18}{rmse:>8.4f}{mae:>8.4f}{peer:>11.4f}{seconds:>10.1f}", flush=True)


if __name__ == "__main__":
    main()
