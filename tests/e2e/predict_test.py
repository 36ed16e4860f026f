"""`segue predict` through the real binary."""

import csv
import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "harness"))
from segue import BINARY, main, segue  # noqa: E402

# Listeners of two tastes, who each leave out a track that the other may know.
LISTENERS = [f"u{n}" for n in range(40)]
TRACKS = ['a "quoted", one'] + [f"t{n}" for n in range(19)]


def stars(listener, track):
    return 5 if (listener + track) % 2 == 0 else 1 + track % 2


def write(path, rows):
    with open(path, "w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["user_id", "item_id", "value"])
        out.writerows(rows)


def test_predict_writes_every_row_of_the_test_file():
    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made)
        pairs = [(u, i) for u in range(len(LISTENERS)) for i in range(len(TRACKS))]
        rows = {(u, i): (LISTENERS[u], TRACKS[i], stars(u, i)) for u, i in pairs}
        held_out = [rows[u, i] for u, i in pairs if u % len(TRACKS) == i]
        strangers = [("nobody", "t3", 4), ("u1", "never rated", 2), ("nobody", "never rated", 3)]
        write(folder / "train.csv", [rows[u, i] for u, i in pairs if u % len(TRACKS) != i])
        write(folder / "test.csv", held_out + strangers)
        for algorithm in ("svd", "svdpp", "svdpp_gibbs"):
            printed = segue("predict", "--train", folder / "train.csv", "--test", folder / "test.csv", "--algorithm",
                            algorithm, "--set", "factors=4", "--output", folder / "out.csv", "--quiet", "--json")
            with open(folder / "out.csv", newline="") as file:
                got = list(csv.DictReader(file))
            assert list(got[0]) == ["user_id", "item_id", "value", "prediction"]
            assert sorted((r["user_id"], r["item_id"], float(r["value"])) for r in got) == sorted(held_out + strangers)
            errors = [float(r["prediction"]) - float(r["value"]) for r in got]
            figures = json.loads(printed)
            assert figures["rows"] == len(got)
            assert abs(figures["rmse"] - (sum(e * e for e in errors) / len(errors)) ** 0.5) < 1e-4
            assert abs(figures["mae"] - sum(map(abs, errors)) / len(errors)) < 1e-4
            known = [e for r, e in zip(got, errors) if (r["user_id"], r["item_id"], float(r["value"])) in held_out]
            assert sum(e * e for e in known) / len(known) < 1, f"{algorithm}: {known}"
            assert all(1 <= float(r["prediction"]) <= 5 for r in got)


def test_an_algorithm_without_ratings_names_those_that_have_them():
    done = subprocess.run([str(BINARY), "predict", "--train", "x.csv", "--test", "y.csv", "--algorithm", "ials", "--output",
                           "z.csv"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "svd, svdpp, svdpp_gibbs" in done.stderr, done.stderr


if __name__ == "__main__":
    main(globals())
