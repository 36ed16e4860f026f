"""`segue replay` through the real binary."""

import json
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "harness"))
from segue import BINARY, main, real_data, segue, wait_until  # noqa: E402

ARMS = ["once", "timer", "trigger", "trigger_fold_in"]


def run(*arguments):
    return subprocess.run([str(BINARY), "replay", *map(str, arguments)], capture_output=True, text=True, timeout=300)


class Folder:
    def __enter__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="segue-replay-"))
        return self.path

    def __exit__(self, *error):
        shutil.rmtree(self.path, ignore_errors=True)


def simulated(folder):
    segue("simulate", "--output", folder / "world", "--listeners", 40, "--tracks", 400, "--days", 112, "--plays-per-day", 10,
          "--switch-day", 63, "--drift", 0)
    return folder / "world"


def test_a_switch_of_tastes_shows_in_every_output_and_threads_change_no_byte():
    with Folder() as folder:
        world = simulated(folder)
        common = ["--histories", world, "--window", "7d", "--algorithm", "markov", "--switch-at", "63d", "--retrain-every", 5, "--recovered", 0.7]
        done = run(*common, "--output", folder / "one", "--json", "--set", "train.threads=1")
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        assert told == json.loads((folder / "one" / "replay.json").read_text())
        assert [arm["name"] for arm in told["arms"]] == ARMS and told["data"]["clock"] == "calendar"
        recovery = told["protocols"]["next"]["recovery"]
        assert recovery["window"] == 9
        back = {arm: recovery["arms"][arm]["windows_to_recover"] for arm in ARMS}
        assert back["once"] is None and None not in (back["timer"], back["trigger"], back["trigger_fold_in"]), back
        assert back["trigger_fold_in"] <= min(back["timer"], back["trigger"]), back
        for window in told["windows"]:
            for protocol in ("discovery", "next"):
                for arm in ARMS:
                    for figure in window[protocol]["arms"][arm].values():
                        assert figure["low"] <= figure["value"] <= figure["high"], (window["window"], arm, figure)
        page = (folder / "one" / "replay.html").read_text()
        assert "not by the end" in page and "<svg" in page and "src=" not in page
        picture = xml.etree.ElementTree.parse(folder / "one" / "replay.svg").getroot()
        assert picture.tag == "{http://www.w3.org/2000/svg}svg"
        text = run(*common, "--output", folder / "two", "--quiet", "--set", "train.threads=2")
        assert "Next play" in text.stdout and "trigger_fold_in - once" in text.stdout, text.stdout
        again = json.loads((folder / "two" / "replay.json").read_text())
        told.pop("timings"), again.pop("timings")
        assert told == again
        assert sorted(path.name for path in (folder / "two").iterdir()) == ["replay.html", "replay.json", "replay.svg"]


def test_what_is_wrong_is_said_with_the_way_out_and_leaves_nothing_behind():
    with Folder() as folder:
        (folder / "empty").mkdir()
        (folder / "anna").mkdir()
        plays = [{"endTime": f"2024-01-{day:02d} 10:00", "artistName": "A", "trackName": f"Song {day}", "msPlayed": 200000} for day in range(1, 20)]
        (folder / "anna" / "StreamingHistory0.json").write_text(json.dumps(plays))
        out = ["--output", folder / "out"]
        for arguments, said in [
            (["--histories", folder / "empty"], "no files"),
            (["--histories", folder / "none"], "none"),
            (["--histories", folder / "anna", "--window", "52w"], "shorter --window"),
            (["--histories", folder / "anna", "--window", "soon"], "7d"),
            (["--histories", folder / "anna", "--algorithm", "magic"], "known: popularity"),
            (["--histories", folder / "anna", "--switch-at", "2024-13-01"], "expected a date"),
            (["--data", folder / "nothing"], "not a Segue data folder"),
        ]:
            done = run(*arguments, *out)
            assert done.returncode == 2 and said in done.stderr, (arguments, done.returncode, done.stderr)
        assert not (folder / "out").exists() or not list((folder / "out").iterdir())


def test_an_interrupt_stops_it_and_leaves_nothing_behind():
    with Folder() as folder:
        world = simulated(folder)
        command = [str(BINARY), "replay", "--histories", world, "--output", folder / "out", "--window", "1d", "--retrain-every", "1",
                   "--set", "ials.epochs=200"]
        process = subprocess.Popen([str(part) for part in command], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        wait_until(lambda: (folder / "out").exists() and list((folder / "out").iterdir()), "the scratch folder is there")
        wait_until(lambda: not list((folder / "out").iterdir()), "the histories are read", alive=lambda: process.poll() is None)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
        assert process.returncode == 1 and "asked to stop" in said, (process.returncode, said)
        assert not list((folder / "out").iterdir())


def test_real_histories_of_different_years_go_by_the_listeners_own_clock():
    histories = real_data() / "spotify_histories"
    with Folder() as folder:
        for name in ("listener-03", "listener-04"):
            (folder / "some" / name).mkdir(parents=True)
            for path in sorted((histories / name).glob("*.json"))[:1]:
                shutil.copy(path, folder / "some" / name / path.name)
        done = run("--histories", folder / "some", "--algorithm", "popularity", "--output", folder / "out", "--json", "--quiet")
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        assert told["data"]["clock"] == "listener" and told["data"]["listeners"] == 2
        assert told["protocols"]["next"]["pairs"] > 5


if __name__ == "__main__":
    main(globals())
