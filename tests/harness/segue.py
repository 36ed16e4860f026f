"""Runs the real program for tests: starts it on a free port, speaks HTTP to it,
kills it, and waits for conditions. Standard library only."""

import http.client
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("SEGUE_BINARY", ROOT / "build" / "release" / "segue"))


class Skip(Exception):
    """This test cannot run here; the message says why."""


def real_data():
    folder = os.environ.get("SEGUE_TEST_DATA", "")
    if not folder or not pathlib.Path(folder).is_dir():
        raise Skip("SEGUE_TEST_DATA is not set to the folder of real data")
    return pathlib.Path(folder)


def wait_until(condition, what, timeout=120, alive=None):
    """The condition's first true value; fails with `what` after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    pause = threading.Event()
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        if alive is not None and not alive():
            raise AssertionError(f"the program ended while waiting for: {what}")
        pause.wait(0.05)
    raise AssertionError(f"after {timeout} s still not: {what}")


class Server:
    """`segue serve` on a data folder of its own."""

    def __init__(self, data=None, settings=()):
        self.owned = data is None
        self.data = pathlib.Path(data or tempfile.mkdtemp(prefix="segue-test-"))
        self.settings = list(settings)
        self.process = None
        self.port = None
        self.tls_port = None
        self.log = self.data.parent / (self.data.name + ".log")

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, error, trace):
        self.stop()
        if kind is not None and self.log.exists():
            sys.stderr.write(f"--- the server's log ({self.log})\n{self.log.read_text()[-4000:]}\n")
        if self.owned:
            shutil.rmtree(self.data, ignore_errors=True)
            self.log.unlink(missing_ok=True)

    @property
    def inbox(self):
        return self.data / "bucket" / "inbox"

    def start(self):
        log = open(self.log, "ab")
        command = [str(BINARY), "serve", "--data", str(self.data), "--listen", "127.0.0.1:0"]
        for setting in self.settings:
            command += ["--set", setting]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        line = self.process.stdout.readline()
        if line.startswith("segue serves on https://"):
            self.tls_port = int(line.rsplit(":", 1)[1])
            line = self.process.stdout.readline()
        assert "http://127.0.0.1:" in line, f"the server did not start: {line!r}\n{self.log.read_text()[-2000:]}"
        self.port = int(line.rsplit(":", 1)[1])
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def alive(self):
        return self.process.poll() is None

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        if self.process and self.alive():
            self.process.terminate()
            try:
                self.process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError("the server did not stop within 60 s of SIGTERM") from None

    def request(self, method, path, body=None, headers=None, timeout=60):
        """(status, headers, bytes)"""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read()
        finally:
            connection.close()

    def call(self, method, path, body=None, expect=200):
        data = None if body is None else json.dumps(body)
        status, _, answer = self.request(method, path, data, {"Content-Type": "application/json"} if data else {})
        assert status == expect, f"{method} {path}: {status}, expected {expect}: {answer[:500]!r}"
        return json.loads(answer) if answer else None

    def get(self, path, expect=200):
        return self.call("GET", path, None, expect)

    def post(self, path, body, expect=200):
        return self.call("POST", path, body, expect)

    def status(self):
        return self.get("/v1/status")

    def live(self):
        live = self.status()["live"]
        return live["model_id"] if live else None

    def wait_live(self, timeout=180):
        return wait_until(self.live, "a model is live", timeout, self.alive)

    def runs(self):
        answer = self.get("/v1/runs")
        return answer["items"] if isinstance(answer, dict) else answer

    def finished_runs(self):
        return [run for run in self.runs() if run["state"] not in ("running", "interrupted")]

    def wait_runs(self, count, timeout=180):
        """Waits until that many runs have finished and none is going; newest first."""
        def enough():
            runs = self.runs()
            done = [run for run in runs if run["state"] not in ("running", "interrupted")]
            return done if len(done) >= count and len(done) == len(runs) else None
        return wait_until(enough, f"{count} runs have finished", timeout, self.alive)

    def recommendations(self, listener, n=10, mode="discovery"):
        path = f"/v1/listeners/{urllib.parse.quote(listener, safe='')}/recommendations?n={n}&mode={mode}"
        return self.get(path)

    def drop(self, source, name=None):
        """Copies a file or folder into the inbox, as a person would."""
        source = pathlib.Path(source)
        target = self.inbox / (name or source.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            # copyfile, not copytree's default: the real data are read-only files.
            shutil.copytree(source, target, copy_function=shutil.copyfile, dirs_exist_ok=True)
            for folder in [target, *[p for p in target.rglob("*") if p.is_dir()]]:
                folder.chmod(0o755)
        else:
            shutil.copyfile(source, target)


class Client(threading.Thread):
    """Asks for recommendations all the time and counts what failed."""

    def __init__(self, server, listener):
        super().__init__(daemon=True)
        self.server, self.listener = server, listener
        self.requests, self.failures, self.models = 0, [], set()
        self.done = threading.Event()

    def run(self):
        while not self.done.is_set():
            try:
                answer = self.server.recommendations(self.listener)
                self.models.add(answer["model_id"])
                if not answer["items"]:
                    self.failures.append("an empty list")
            except Exception as error:  # every kind of failure counts
                self.failures.append(repr(error))
            self.requests += 1
            self.done.wait(0.005)

    def finish(self):
        self.done.set()
        self.join()
        return self


def segue(*arguments, expect=0, timeout=600):
    """Runs a verb; its standard output."""
    done = subprocess.run([str(BINARY), *map(str, arguments)], capture_output=True, text=True, timeout=timeout)
    assert done.returncode == expect, (
        f"segue {' '.join(map(str, arguments))}: exit {done.returncode}, expected {expect}\n"
        f"{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def main(namespace):
    """Runs every test_* function of a script; last line counts."""
    wanted = sys.argv[1:]
    passed = failed = skipped = 0
    for name, test in list(namespace.items()):
        if not name.startswith("test_") or (wanted and name not in wanted):
            continue
        start = time.monotonic()
        try:
            test()
            passed += 1
            print(f"passed   {name} ({time.monotonic() - start:.1f} s)", flush=True)
        except Skip as reason:
            skipped += 1
            print(f"skipped  {name}: {reason}", flush=True)
        except Exception as error:
            failed += 1
            import traceback
            traceback.print_exc()
            print(f"FAILED   {name}: {error}", flush=True)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    sys.exit(1 if failed else 0)
