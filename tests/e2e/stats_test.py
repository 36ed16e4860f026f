"""`segue stats` through the real binary."""

import csv
import html.parser
import json
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "harness"))
from segue import BINARY, main, real_data, segue  # noqa: E402

FEATURES = ["danceability", "tempo", "duration_ms"]


def run(*arguments):
    return subprocess.run([str(BINARY), "stats", *map(str, arguments)], capture_output=True, text=True, timeout=120)


def write(path, header, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(header)
        out.writerows(rows)
    return path


def songs(folder, decade, count=60):
    made = random.Random(decade)
    rows = []
    for n in range(count):
        hit = n % 2
        rows.append([f'Song "{n}", {decade}', f"Artist & <{n}>", f"song:{decade}:{n}", 0.4 + 0.2 * hit + made.gauss(0, 0.1),
                     made.uniform(60, 180), made.randint(100_000, 300_000), hit])
    return write(folder / f"dataset-of-{decade}s.csv", ["track", "artist", "uri", *FEATURES, "target"], rows), rows


def student_t(a, b):
    pooled = ((len(a) - 1) * statistics.variance(a) + (len(b) - 1) * statistics.variance(b)) / (len(a) + len(b) - 2)
    return (statistics.fmean(a) - statistics.fmean(b)) / (pooled * (1 / len(a) + 1 / len(b))) ** 0.5


class Tags(html.parser.HTMLParser):
    """Whether a page closes what it opens, and what it would fetch."""

    VOID = {"meta", "br", "img", "link", "input"}

    def __init__(self):
        super().__init__()
        self.open = []
        self.seen = {}
        self.fetched = []

    def handle_starttag(self, tag, attributes):
        self.seen[tag] = self.seen.get(tag, 0) + 1
        self.fetched += [v for k, v in attributes if k in ("src", "href", "xlink:href") and not v.startswith("#")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.seen[tag] = self.seen.get(tag, 0) + 1

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, f"</{tag}> closes nothing"


def test_json_holds_the_tests_that_python_computes():
    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made)
        sixties, a = songs(folder, 60)
        tens, b = songs(folder, 10)
        report = json.loads(segue("stats", "--csv", sixties, "--csv", tens, "--json", "--quiet"))
        assert report["rows"] == 120 and report["labels"] == ["0", "1"]
        for column, name in enumerate(FEATURES, start=3):
            values = [[r[column] for r in a + b if r[6] == label] for label in (0, 1)]
            test = report["all"]["tests"][name]
            assert abs(test["student"]["t"] / student_t(values[1], values[0]) - 1) < 1e-11, name
            assert test["second"]["n"] == 60
            u = sum((x > y) + (x == y) / 2 for x in values[1] for y in values[0])
            assert test["mann_whitney"]["u"] == u
        assert [d["decade"] for d in report["decades"]] == [1960, 2010]
        of_sixties = [[r[3] for r in a if r[6] == label] for label in (0, 1)]
        assert abs(report["decades"][0]["tests"]["danceability"]["student"]["t"] / student_t(of_sixties[1], of_sixties[0]) - 1) < 1e-11


def test_the_page_is_whole_and_fetches_nothing():
    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made)
        text = segue("stats", songs(folder, 60)[0], songs(folder, 90)[0], "--html", folder / "report.html", "--quiet")
        assert "danceability" in text and max(map(len, text.splitlines())) <= 120
        tags = Tags()
        tags.feed((folder / "report.html").read_text(encoding="utf-8"))
        assert tags.open == [] and tags.fetched == [] and "script" not in tags.seen
        assert tags.seen["svg"] == tags.seen["figure"] >= 5


def test_what_is_not_defined_is_null_and_said():
    with tempfile.TemporaryDirectory() as made:
        file = write(pathlib.Path(made) / "few.csv", ["energy", "mode", "target"], [[0.1, 1, 0], [0.2, 1, 0], [0.3, 1, ""]])
        report = json.loads(segue("stats", file, "--json"))
        assert report["all"]["tests"] == {} and report["unlabelled"] == 1
        assert any("one class" in note for note in report["notes"])
        segue("stats", file, "--html", pathlib.Path(made) / "few.html", "--quiet")


def test_errors_name_the_way_out():
    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made)
        file = songs(folder, 60)[0]
        for arguments, says in [
            ([file, "--by", "genre"], "there is no column 'genre'; there are track, artist, uri, danceability"),
            ([folder / "none.csv"], "there is no such file"),
            ([], "required"),
            ([file, "--features", "energy"], "no column 'energy'"),
        ]:
            done = run(*arguments)
            assert done.returncode in (1, 2) and says in done.stderr, (arguments, done.stderr)
        done = run(file, "--html", folder / "no" / "such" / "folder.html")
        assert done.returncode != 0 and "folder.html" in done.stderr, done.stderr


def test_real_files_of_genres_and_broken_ones():
    data = real_data()
    report = json.loads(segue("stats", data / "spotify_songs" / "SpotifyDataset.csv", "--by", "song_genre", "--json"))
    assert report["rows"] == 19_999 and len(report["labels"]) == 82
    assert report["all"]["tests"]["danceability"]["anova"]["df_between"] == 81
    assert run(data / "bad_inputs" / "one_newline_file.csv").returncode == 2
    assert "file is empty" in run(data / "bad_inputs" / "one_newline_file.csv").stderr
    cut = run(data / "bad_inputs" / "hit_merged_cut_bom.csv", "--json")
    assert cut.returncode == 0 and json.loads(cut.stdout)["rows"] > 5_000, cut.stderr


if __name__ == "__main__":
    main(globals())
