"""kill -9 at the beginning and in the middle of every stage of a run: each time the
program is started again, the run goes on by itself, and what it leaves at last is
what a run leaves that nobody disturbed."""

import hashlib
import pathlib
import shutil
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "harness"))
from segue import Server, main, segue, wait_until  # noqa: E402

SETTINGS = ["train.algorithms=popularity,item_knn,ials", "ials.epochs=8", "search.trials=1", "inbox.settle_ms=0", "inbox.burst_ms=100",
            "gate.min_mrr=0", "gate.min_hit_rate=0", "hits.algorithms=random_forest", "hits.min_auc=0", "hits.min_accuracy=0"]
STAGES = ["ingest", "clean", "hits", "train", "evaluate", "gate", "deploy"]
TRIES = 12  # the last stages are over in milliseconds: not every kill comes in time


def songs(path):
    """A table of songs of which the danceable are hits."""
    lines = ["track,artist,uri,danceability,energy,key,loudness,mode,speechiness,acousticness,instrumentalness,liveness,valence,tempo,"
             "duration_ms,time_signature,chorus_hit,sections,target"]
    for i in range(400):
        dance = i * 7919 % 400 / 400
        lines.append(f"Song {i},Artist {i % 80},spotify:track:{i:022d},{dance},{i * 31 % 400 / 400},5,-7,1,0.05,0.2,0,0.1,0.5,120,200000,4,30,9,"
                     f"{int(dance > 0.5)}")
    path.write_text("\n".join(lines) + "\n")


def fill(server, world):
    server.drop(world, "world")
    songs(server.inbox / "songs.csv")


def end_state(server, data):
    """What counts of a data folder when all is done."""
    runs = server.wait_runs(1)
    models = {path.parent.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (data / "bucket" / "models").glob("*/model.segue")}
    objects = sorted(path.parent.name + "/" + path.name for path in (data / "bucket").rglob("*")
                     if path.is_file() and path.relative_to(data / "bucket").parts[0] in ("raw", "staged", "datasets"))
    assert not [path for path in (data / "bucket" / "inbox").rglob("*") if path.is_file()], "files are left in the inbox"
    assert len(runs) == 1, [(run["run_id"], run["state"], run["error"]) for run in runs]
    return {"state": runs[0]["state"], "dataset": runs[0]["dataset_id"], "model": runs[0]["model_id"], "live": server.wait_live(),
            # What a stage did before the kill it may skip after it.
            "stages": [stage["name"] for stage in runs[0]["stages"]],
            "hits": server.get("/v1/hits")["model_id"], "models": models, "objects": objects}


def running_stage(server):
    for run in server.runs():
        for stage in run["stages"]:
            if stage["state"] == "running":
                return stage["name"]
        if run["state"] not in ("running", "interrupted"):
            return "over"
    return None


def kill_in(server, stage, delay):
    """Kills the program `delay` seconds after it has begun `stage`; False where the stage was over before."""
    at = STAGES.index(stage)

    def reached():
        now = running_stage(server)
        return now if now == "over" or (now and STAGES.index(now) >= at) else None

    now = wait_until(reached, f"the run is in {stage}", 120, server.alive)
    if now == stage:
        time.sleep(delay)
        now = running_stage(server) if delay else now
    server.kill()
    return now == stage


def test_killed_in_every_stage_it_ends_as_if_nothing_had_been():
    with tempfile.TemporaryDirectory(prefix="segue-kill-") as folder:
        folder = pathlib.Path(folder)
        world = folder / "world"
        segue("simulate", "--output", world, "--listeners", 40, "--tracks", 300, "--days", 30, "--seed", 5, "--quiet")
        (folder / "calm").mkdir()
        with Server(folder / "calm", SETTINGS) as server:
            fill(server, world)
            wanted = end_state(server, folder / "calm")
            lasted = {stage["name"]: stage["seconds"] for stage in server.runs()[0]["stages"]}
        assert wanted["state"] == "approved" and wanted["live"], wanted
        assert wanted["stages"] == STAGES and wanted["hits"] and len(wanted["models"]) >= 2, wanted

        # One run, killed in one stage after the other: each starts from what the kill before it left.
        data = folder / "killed"
        data.mkdir()
        kills = []
        first = True
        for stage in STAGES:
            for part in ("beginning", "middle"):
                for attempt in range(TRIES):
                    before = folder / "before"
                    shutil.rmtree(before, ignore_errors=True)
                    shutil.copytree(data, before)
                    server = Server(data, SETTINGS)
                    server.start()
                    if first:
                        fill(server, world)
                    if kill_in(server, stage, 0 if part == "beginning" else lasted[stage] / 2 * 0.8**attempt):
                        kills.append((stage, part))
                        first = False
                        break
                    # The stage was over: the same once more, from the folder as it was.
                    shutil.rmtree(data)
                    shutil.copytree(before, data)
        missed = [(stage, part) for stage in STAGES for part in ("beginning", "middle") if (stage, part) not in kills]
        print(f"killed {len(kills)} times; stages that were over too soon: {missed}")
        assert len(kills) >= 10 and {stage for stage, _ in kills} >= {"ingest", "clean", "hits", "train"}, missed
        with Server(data, SETTINGS) as server:
            found = end_state(server, data)
            assert found == wanted, {what: (found[what], wanted[what]) for what in wanted if found[what] != wanted[what]}


main(globals())
