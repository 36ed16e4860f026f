"""Each reason for a run, and runs that put nothing live, through the real program
on made-up listeners."""

import hashlib
import hmac
import json
import os
import pathlib
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "harness"))
from segue import BINARY, ROOT, Server, main, segue, wait_until  # noqa: E402

QUICK = ["inbox.settle_ms=0", "inbox.burst_ms=100", "train.algorithms=popularity", "evaluate.bootstrap_samples=50",
         "gate.min_mrr=0", "gate.min_hit_rate=0"]
SECRET = "a secret of the test"


class Folder:
    def __enter__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="segue-triggers-"))
        segue("simulate", "--output", self.path / "made", "--listeners", 8, "--tracks", 80, "--days", 20, "--seed", 3)
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)

    def files(self):
        return sorted(p for p in (self.path / "made").rglob("*.json"))


def settings(more=()):
    return QUICK + list(more)


def flags(more=()):
    return [flag for setting in settings(more) for flag in ("--set", setting)]


def newest(server, trigger, count):
    """The newest run, once `count` have finished, which has to be of this trigger."""
    run = server.wait_runs(count, 60)[0]
    assert run["trigger"] == trigger, (run["trigger"], run["trigger_detail"])
    assert set(run["new"]) >= {"objects", "rows", "events"}, run["new"]
    return run


def notify(server, key, headers):
    record = {"eventName": "s3:ObjectCreated:Put", "s3": {"bucket": {"name": "b"}, "object": {"key": key, "size": 5, "eTag": "e"}}}
    body = json.dumps({"Records": [record]})
    return server.request("POST", "/v1/notifications", body, headers(body) if callable(headers) else headers)


def signed(body):
    return {"X-Segue-Signature": "sha256=" + hmac.new(SECRET.encode(), body.encode(), hashlib.sha256).hexdigest()}


def test_each_trigger():
    with Folder() as folder:
        secret = folder.path / "secret"
        secret.write_text(SECRET + "\n")
        extra = [f"notifications.secret_file={secret}", "runs.feedback_trigger=20"]
        with Server(folder.path / "data", settings(extra)) as server:
            files = folder.files()
            late = files.pop()
            for file in files:
                server.drop(file, f"{file.parent.name}/{file.name}")
            run = newest(server, "inbox", 1)
            assert run["state"] == "approved" and run["new"]["objects"] == len(files), run

            # A notification whose object comes later.
            key = f"{late.parent.name}/{late.name}"
            assert notify(server, f"inbox/{key}", {})[0] == 401
            assert notify(server, f"inbox/{key}", {"Authorization": "Bearer wrong"})[0] == 401
            status, _, answer = notify(server, f"inbox/{key}", signed)
            assert status == 202 and json.loads(answer)["accepted"], answer
            assert server.request("POST", "/v1/notifications", '{"Event":"s3:TestEvent"}', {"Authorization": f"Bearer {SECRET}"})[0] == 202
            server.drop(late, key)
            run = server.wait_runs(2, 60)[0]
            assert run["trigger"] in ("notification", "inbox") and run["new"]["objects"] == 1, run
            if run["trigger"] == "notification":
                assert run["trigger_detail"] == f"inbox/{key}", run

            server.post("/v1/events", {"events": [
                {"event_id": f"e{i}", "listener": "me", "artist": "A", "title": f"T{i}", "kind": "play"} for i in range(20)]})
            assert newest(server, "feedback", 3)["new"]["events"] == 20

            server.post("/v1/runs", {"reason": "why not"}, expect=202)
            assert newest(server, "person", 4)["trigger_detail"] == "api: why not"

            live = server.live()
            server.post("/v1/runs", {"dry_run": True}, expect=202)
            run = newest(server, "dry_run", 5)
            assert run["state"] == "dry_run" and run["verdict"]["checks"], run
            assert server.live() == live

            database = sqlite3.connect(folder.path / "data" / "catalog.sqlite", timeout=30)
            with database:
                database.execute("INSERT INTO alarms(at,severity,name,message,run_id) VALUES (?,'warning','drift','tastes have moved','')",
                                 (int(time.time()) + 1,))
            database.close()
            assert newest(server, "drift", 6)["trigger_detail"] == "tastes have moved"

        # Other settings judge anew; so does a schedule whose time came while it was off.
        with Server(folder.path / "data", settings(extra + ["train.skip_weight=0.25", "schedule.cron=* * * * *"])) as server:
            run = newest(server, "config", 7)
            assert run["trigger_detail"] == "train.skip_weight 0.5 -> 0.25" and run["new"]["config"], run
            server.stop()
            database = sqlite3.connect(folder.path / "data" / "catalog.sqlite", timeout=30)
            with database:
                database.execute("UPDATE meta SET value=? WHERE name='schedule_reference'", (f"{int(time.time()) - 3600} UTC * * * * *",))
            database.close()
            server.start()
            wait_until(lambda: any(r["trigger"] == "schedule" for r in server.finished_runs()), "a scheduled run", 30, server.alive)
            scheduled = [r for r in server.finished_runs() if r["trigger"] == "schedule"]
            assert len(scheduled) == 1 and scheduled[0]["state"] == "nothing_new", scheduled
        listed = json.loads(segue("runs", "--data", folder.path / "data", "--json"))
        assert {run["trigger"] for run in listed} >= {"inbox", "feedback", "person", "dry_run", "drift", "config", "schedule"}


def test_a_broken_schedule_is_refused_before_anything_starts():
    for setting, word in (("schedule.cron=0 3 * *", "expected 5"), ("schedule.cron=61 3 * * *", "minute"),
                          ("schedule.timezone=Europe/Nowhere", "Europe/Nowhere")):
        done = subprocess.run([str(BINARY), "settings", "--set", setting], capture_output=True, text=True)
        assert done.returncode == 2 and word in done.stderr, done.stderr


def test_a_configuration_is_judged_before_it_is_merged_and_models_are_made_again():
    workflow = (ROOT / "ops" / "github-workflow.yml").read_text()
    commands = re.findall(r"^ +run: (segue .*)$", workflow, re.M)
    assert len(commands) == 2, commands
    try:
        import yaml
        parsed = yaml.safe_load(workflow)
        steps = parsed["jobs"]["judge"]["steps"]
        assert [step["run"] for step in steps if step.get("run", "").startswith("segue ")] == commands
        assert True in parsed and "pull_request" in parsed[True], "YAML reads the key `on` as true"
    except ImportError:
        assert "\t" not in workflow
    with Folder() as folder:
        data = folder.path / "data"
        segue("ingest", "--data", data, folder.path / "made", "--quiet")
        (folder.path / "segue.toml").write_text(
            '[train]\nalgorithms = "popularity"\n[evaluate]\nbootstrap_samples = 50\n[gate]\nmin_mrr = 0\nmin_hit_rate = 0\n')
        environment = {**os.environ, "PATH": f"{BINARY.parent}:{os.environ['PATH']}", "SEGUE_DATA": str(data)}

        def judge():
            line = re.sub(r"\$\{\{.*?\}\}", "7", " && ".join(commands))
            return subprocess.run(["bash", "-eo", "pipefail", "-c", line], cwd=folder.path, env=environment, capture_output=True, text=True)
        done = judge()
        assert done.returncode == 0 and "passed" in done.stdout and "dry_run" in done.stdout, done.stdout + done.stderr
        with open(folder.path / "segue.toml", "a") as config:
            config.write("max_artifact_mb = 4096\nmin_coverage = 1\n")
        done = judge()
        assert done.returncode == 3 and "REFUSED min_coverage" in done.stdout, done.stdout + done.stderr
        (folder.path / "segue.toml").write_text("[gate]\nmin_mmr = 0\n")
        assert judge().returncode == 2

        assert json.loads(segue("runs", "--data", data, "--json"))[0]["state"] == "dry_run"
        run = json.loads(segue("run", "--data", data, "--json", "--quiet", *flags()))
        assert run["state"] == "approved" and run["new"]["rows"] > 0, run
        said = segue("models", "reproduce", run["model_id"], "--data", data)
        assert "identical" in said and "NOT" not in said, said
        hashes = re.findall(r"\b[0-9a-f]{64}\b", said)
        artifact = data / "bucket" / "models" / run["model_id"] / "model.segue"
        assert hashes == [hashlib.sha256(artifact.read_bytes()).hexdigest()] * 2
        artifact.chmod(0o644)
        artifact.write_bytes(artifact.read_bytes()[:-3] + b"abc")
        said = json.loads(segue("models", "reproduce", run["model_id"], "--data", data, "--json", expect=1))
        assert not said["identical"] and said["differs_at"] and said["manifest_sha256"] == said["rebuilt"]["sha256"], said
        segue("models", "reproduce", "m000", "--data", data, expect=2)
        assert "popularity" in segue("models", "--data", data)


main(globals())
