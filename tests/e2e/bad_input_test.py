"""CSV files that nobody should write, through the real binary: a clear error, or numbers."""

import csv
import json
import math
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "harness"))
from segue import BINARY, main, segue  # noqa: E402

ALGORITHMS = ["popularity", "trending", "item_knn", "user_knn", "ease", "ials", "ials_content", "content_text", "session_knn",
              "markov", "svd", "svdpp", "svdpp_gibbs"]
PREDICTING = ["svd", "svdpp", "svdpp_gibbs"]
ODD_IDS = ['a "quoted", one', "two\nlines", "comma,", " spaces ", "Bj\u00f6rk \u97f3\u697d \U0001f3b5", "'; DROP TABLE train; --", "tab\there", "\\N",
           "NULL", "0", "-1", "../up", "<b>&amp;", "%s%n", '"', ",", "a" * 5000]


def write(path, rows, header=("user_id", "item_id", "value")):
    with open(path, "w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(header)
        out.writerows(rows)


def read(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def fails(*arguments):
    """What the program says when it refuses; it must neither crash nor call it a bug."""
    done = subprocess.run([str(BINARY), *map(str, arguments)], capture_output=True, text=True, timeout=120)
    assert done.returncode in (1, 2), f"exit {done.returncode}: {done.stdout[-300:]}{done.stderr[-300:]}"
    assert done.stderr.startswith("segue: ") and "CHECK" not in done.stderr, done.stderr
    return done.stderr


def finite(figures):
    for name, figure in figures.items():
        for number in figure.values() if isinstance(figure, dict) else [figure]:
            assert number is None or math.isfinite(number), (name, figure)


def rows_of(listeners, items, value):
    return [(u, i, value(a, b)) for a, u in enumerate(listeners) for b, i in enumerate(items) if (a + b) % 4]


def test_ids_of_every_character_come_back_as_they_were():
    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made)
        rows = rows_of(ODD_IDS, ODD_IDS, lambda a, b: 1 + (a * b) % 5)
        write(folder / "train.csv", rows)
        write(folder / "test.csv", [(u, i, 3) for a, u in enumerate(ODD_IDS) for b, i in enumerate(ODD_IDS) if (a + b) % 4 == 0])
        for algorithm in ALGORITHMS:
            segue("recommend", "--train", folder / "train.csv", "--algorithm", algorithm, "-n", "3", "--output", folder / "out.csv",
                  "--set", "ials.factors=8", "--quiet")
            out = read(folder / "out.csv")
            assert {row["user_id"] for row in out} == set(ODD_IDS), algorithm
            assert {row["item_id"] for row in out} <= set(ODD_IDS), algorithm
            assert all(math.isfinite(float(row["score"])) for row in out), algorithm
        for algorithm in PREDICTING:
            segue("predict", "--train", folder / "train.csv", "--test", folder / "test.csv", "--algorithm", algorithm, "--set",
                  "factors=62", "--output", folder / "out.csv", "--quiet")
            out, asked = read(folder / "out.csv"), read(folder / "test.csv")
            assert sorted((r["user_id"], r["item_id"]) for r in out) == sorted((r["user_id"], r["item_id"]) for r in asked), algorithm
            assert all(math.isfinite(float(row["prediction"])) for row in out), algorithm


def test_what_is_no_value_is_refused_with_file_line_and_field():
    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made)
        good, bad = folder / "good.csv", folder / "bad.csv"
        write(good, [("a", "x", 1), ("a", "y", 2), ("b", "x", 3)])
        for value in ("inf", "-inf", "Infinity", "nan", "NaN", "", " ", "abc", "1e39", "-1e300", "1e400", "0x10", "1,5"):
            write(bad, [("two\nlines", "x", 1), ("a", "y", value)])
            for verb, files in (("evaluate", (bad, good)), ("evaluate", (good, bad)), ("predict", (bad, good)), ("predict", (good, bad))):
                output = ("--output", folder / "out.csv") if verb == "predict" else ()
                said = fails(verb, "--train", files[0], "--test", files[1], "--algorithm", "svd", *output)
                assert "bad.csv line 4" in said and "'value'" in said, (value, said)
            assert "bad.csv line 4" in fails("recommend", "--train", bad, "--output", folder / "out.csv")
        for row, field in ((("", "y", 1), "user_id"), (("a", "", 1), "item_id"), (("a",), "item_id")):
            write(bad, [("a", "x", 1), row])
            said = fails("evaluate", "--train", bad, "--test", good)
            assert "bad.csv line 3" in said and f"'{field}'" in said, said


def test_files_without_rows_or_columns_are_refused():
    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made)
        good, bad = folder / "good.csv", folder / "bad.csv"
        write(good, [("a", "x", 1), ("a", "y", 2), ("b", "x", 3), ("b", "z", 1)])
        write(bad, [])
        for algorithm in ALGORITHMS:
            assert "to train on" in fails("evaluate", "--train", bad, "--test", good, "--algorithm", algorithm), algorithm
        assert "nothing is held out" in fails("evaluate", "--train", good, "--test", bad)
        for content in (b"", b"\n", b"user_id,item_id\na,x\n", b"user_id,item_id,value,value\na,x,1,1\n", b"\x00\x00\x00", b"user_id,item_id,value\n\"a,x,1\n"):
            bad.write_bytes(content)
            assert "bad.csv" in fails("evaluate", "--train", bad, "--test", good), content
        assert "there is no such file" in fails("evaluate", "--train", folder / "none.csv", "--test", good)


def test_odd_tables_give_finite_figures_or_a_clear_error():
    many = [f"t{n}" for n in range(20)]
    tables = {
        "constant ratings": rows_of(many, many, lambda a, b: 4),
        "constant zeros": rows_of(many, many, lambda a, b: 0),
        "negative": rows_of(many, many, lambda a, b: 2 if (a + b) % 2 else -2),
        "huge": rows_of(many, many, lambda a, b: "3e38" if (a * b) % 3 else 1),
        "one listener": rows_of(["u"], many, lambda a, b: 1 + b),
        "one track": rows_of(many, ["x"], lambda a, b: 1 + a),
        "one row": [("u", "x", 1)],
        "rank one": rows_of(many, many, lambda a, b: 1 + b),
    }
    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made)
        train, test = folder / "train.csv", folder / "test.csv"
        for name, rows in tables.items():
            write(train, rows)
            # Of the training file's ids, and of none: no overlap.
            write(test, [("t0", "t0", 3), ("t1", "t3", 5), ("u", "t0", 2), ("t3", "x", 1), ("nobody", "nothing", 2)])
            for algorithm in ALGORITHMS:
                command = ["evaluate", "--train", train, "--test", test, "--algorithm", algorithm, "--set", "ials.factors=64", "--json", "--quiet"]
                done = subprocess.run([str(BINARY), *map(str, command)], capture_output=True, text=True, timeout=120)
                if done.returncode != 0:
                    assert "to train on" in done.stderr or "nothing is held out" in done.stderr, (name, algorithm, done.stderr)
                    continue
                finite(json.loads(done.stdout)["figures"])
            for algorithm in PREDICTING:
                command = ["predict", "--train", train, "--test", test, "--algorithm", algorithm, "--output", folder / "out.csv", "--json", "--quiet"]
                done = subprocess.run([str(BINARY), *map(str, command)], capture_output=True, text=True, timeout=120)
                if done.returncode != 0:
                    assert "to train on" in done.stderr, (name, algorithm, done.stderr)
                    continue
                assert all(math.isfinite(float(row["prediction"])) for row in read(folder / "out.csv")), (name, algorithm)


def test_train_and_test_without_a_common_id_are_judged_as_misses():
    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made)
        write(folder / "train.csv", rows_of([f"u{n}" for n in range(12)], [f"t{n}" for n in range(12)], lambda a, b: 1 + (a + b) % 3))
        write(folder / "test.csv", [("stranger", "new", 1), ("other", "newer", 2)])
        for algorithm in ALGORITHMS:
            figures = json.loads(segue("evaluate", "--train", folder / "train.csv", "--test", folder / "test.csv", "--algorithm", algorithm,
                                       "--set", "ials.factors=8", "--json", "--quiet"))["figures"]
            finite(figures)
            assert figures["ndcg@10"]["value"] == 0, (algorithm, figures)


if __name__ == "__main__":
    main(globals())
