#!/usr/bin/env python3
"""How well hits are told from flops, beside other libraries' figures.

    bench/hits.py FOLDER [--model NAME[,NAME...]] [--setting NAME[,NAME...]] [--seeds N]

FOLDER has the six files dataset-of-60s.csv ... dataset-of-10s.csv: 41,106 songs
with 15 numeric features and a column target. Needs the release build. Four
settings: a random 70/30 split, with the decade as a feature, a split by artist,
and by artist with the decade; mean and standard deviation over seeds of the
split. Prints, asserts nothing; settings of models are chosen on train only.

The peers' figures are the best single model (scikit-learn's forest, XGBoost) on
one random split of the same sizes, whose draw is another; the targets are ours.
"""

import argparse
import json
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[1]
SEGUE = ROOT / "build" / "release" / "segue"
# name: flags, (peers' accuracy, AUC), (target accuracy, AUC)
SETTINGS = {
    "random": (["--split", "random:0.3:1"], (0.7915, 0.8699), (0.796, 0.875)),
    "decade": (["--split", "random:0.3:1", "--with", "decade"], (0.817, 0.893), (0.820, 0.897)),
    "artist": (["--split", "artist:0.3:1"], (0.769, 0.847), (0.773, 0.851)),
    "artist-decade": (["--split", "artist:0.3:1", "--with", "decade"], (0.796, 0.874), (0.799, 0.877)),
}
MODELS = "gradient_boosting,extra_trees,random_forest,mlp,knn,logistic,ensemble"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--model", default=MODELS)
    parser.add_argument("--setting", default=",".join(SETTINGS))
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    files = []
    for decade in ("60", "70", "80", "90", "00", "10"):
        files += ["--csv", str(arguments.folder / f"dataset-of-{decade}s.csv")]
    for name in arguments.setting.split(","):
        flags, peer, target = SETTINGS[name]
        print(f"\n{name:<26}{'accuracy':>20}{'AUC':>20}{'fit s':>9}", flush=True)
        print(f"{'best peer':<26}{peer[0]:>11.4f}{'':>9}{peer[1]:>11.4f}")
        print(f"{'target':<26}{target[0]:>11.4f}{'':>9}{target[1]:>11.4f}")
        command = [str(SEGUE), "hits", "--json", "--quiet", "--model", arguments.model, "--seeds", str(arguments.seeds)] + flags + files
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            print("  " + (done.stderr.strip().splitlines() or ["no message"])[-1])
            continue
        for row in json.loads(done.stdout)["summary"]:
            accuracy, auc = row["accuracy"], row["auc"]
            print(f"{row['model']:<26}{accuracy['mean']:>11.4f} ± {accuracy['deviation']:.4f}{auc['mean']:>11.4f} ± {auc['deviation']:.4f}"
                  f"{row['fit_seconds']['mean']:>9.1f}", flush=True)


if __name__ == "__main__":
    main()
