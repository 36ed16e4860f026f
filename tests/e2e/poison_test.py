"""Uploads whose rows read well and that are wrong as a whole, made of real data: each is
refused with a reason that can be read, and what is live stays live."""

import csv
import json
import pathlib
import random
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "harness"))
from segue import Server, main, real_data, wait_until  # noqa: E402

SETTINGS = ["inbox.settle_ms=0", "inbox.burst_ms=100", "train.algorithms=popularity", "search.trials=0",
            "evaluate.bootstrap_samples=50", "gate.min_mrr=0", "gate.min_hit_rate=0", "hits.min_songs=100000"]


def songs(path):
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return list(rows[0]), rows


def write_songs(path, fields, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        out = csv.DictWriter(file, fields, lineterminator="\n")
        out.writeheader()
        out.writerows(rows)


def scaled(path, source):
    fields, rows = songs(source)
    for row in rows:
        for field in ("danceability", "energy", "valence", "liveness"):
            row[field] = float(row[field]) * 1000
    write_songs(path, fields, rows)


def exchanged(path, source):
    """The same tracks, each column under another's name."""
    fields, rows = songs(source)
    names = ["danceability", "energy", "valence", "liveness", "acousticness"]
    for row in rows:
        values = [row[name] for name in names]
        row.update(zip(names, values[1:] + values[:1]))
    write_songs(path, fields, rows)


def shuffled(path, source):
    """New tracks, each column in an order of its own."""
    fields, rows = songs(source)
    rng = random.Random(1)
    for name in fields[3:]:
        values = [row[name] for row in rows]
        rng.shuffle(values)
        for row, value in zip(rows, values):
            row[name] = value
    write_songs(path, fields, rows)


def a_million_plays(path):
    with open(path, "w", encoding="utf-8") as file:
        json.dump([{"endTime": f"2021-{1 + i // 40000 % 12:02d}-{1 + i // 1440 % 28:02d} {i // 60 % 24:02d}:{i % 60:02d}",
                    "artistName": "Loop", "trackName": "Forever", "msPlayed": 30000 + i // 480000} for i in range(1_000_000)], file)


TEN_YEARS_S = 315_360_000  # the real ones are of 1997, before anything that Segue takes for a time


def ratings(path, source, rating=None, shift=0):
    """MovieLens' lines, ten years younger; all with the same rating where one is given."""
    with open(source, encoding="utf-8") as lines, open(path, "w", encoding="utf-8") as out:
        for line in list(lines)[:20000]:
            user, item, given, at = line.rstrip("\n").split("\t")
            out.write(f"{user}\t{int(item) + shift}\t{rating or given}\t{int(at) + TEN_YEARS_S}\n")


def test_poisoned_uploads_are_refused_and_the_live_model_stays():
    data = real_data()
    with tempfile.TemporaryDirectory(prefix="segue-poison-") as made, Server(settings=SETTINGS) as server:
        folder = pathlib.Path(made)
        decade = data / "hit_predictor" / "dataset-of-60s.csv"
        server.drop(decade)
        ratings(folder / "u.data", data / "ml-100k" / "u1.base")
        server.drop(folder / "u.data")
        server.wait_runs(1)
        live = server.wait_live()
        before = server.status()
        poisons = {
            "scaled.csv": (lambda path: scaled(path, data / "hit_predictor" / "dataset-of-70s.csv"), "impossible_column"),
            "exchanged.csv": (lambda path: exchanged(path, decade), "disagrees"),
            "shuffled.csv": (lambda path: shuffled(path, data / "hit_predictor" / "dataset-of-80s.csv"), "unrelated_columns"),
            "mallory/StreamingHistory0.json": (a_million_plays, "one_track"),
            "same/u.data": (lambda path: ratings(path, data / "ml-100k" / "u2.base", rating=4, shift=1), "constant_ratings"),
        }
        for name, (make, check) in poisons.items():
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            make(path)
            server.drop(path, name)

            def refusing():
                return next((run for run in server.finished_runs() if name in (run["error"] or "")), None)

            run = wait_until(refusing, f"a run that refuses {name}")
            assert run["state"] == "failed", (name, run)
            assert f"({check})" in run["error"], run["error"]
            assert server.live() == live, name
            rows = server.get("/v1/quarantine?n=10")["items"]
            assert any(row["file"] == name and not row["line"] for row in rows), (name, rows)
            assert any(name in alarm["message"] for alarm in server.get("/v1/alarms")["items"]), name
        # The catalogue is what it was, and what is right is taken in as ever.
        assert server.status()["catalogue"] == before["catalogue"]
        count = len(server.finished_runs())
        server.drop(data / "hit_predictor" / "dataset-of-70s.csv")
        run = server.wait_runs(count + 1)[0]
        # Tracks alone are nothing new to a recommender, but they are there.
        assert run["state"] == "nothing_new" and run["error"] is None, run
        wait_until(lambda: server.status()["catalogue"]["tracks"] > before["catalogue"]["tracks"], "the new decade is served")


main(globals())
