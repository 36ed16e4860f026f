"""A disk that fills up under the running program, through the real binary over
HTTP: a small file system of its own (needs the right to mount one)."""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "harness"))
from segue import Server, Skip, main, segue, wait_until  # noqa: E402

SIZE_MB = 96


class SmallDisk:
    """A file system of SIZE_MB in memory, which can be filled up."""

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="segue-disk-"))
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "segue-test", str(self.folder)],
                                 capture_output=True, text=True)
        if mounted.returncode != 0:
            self.folder.rmdir()
            raise Skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", "--lazy", str(self.folder)], check=False)
        self.folder.rmdir()

    def fill(self):
        """To the last page."""
        with open(self.folder / "filler", "ab", buffering=0) as filler:
            for block in (1 << 20, 4096):
                try:
                    while filler.write(b"\0" * block) == block:
                        pass
                except OSError:
                    pass
        assert shutil.disk_usage(self.folder).free == 0

    def empty(self):
        (self.folder / "filler").unlink()


def send(server, number):
    """The status of the answer to one play."""
    body = {"events": [{"event_id": f"disk-{number}", "listener": "new", "artist": "A", "title": f"T{number}", "kind": "play"}]}
    return server.request("POST", "/v1/events", json.dumps(body), {"Content-Type": "application/json"})


def test_full_disk():
    with tempfile.TemporaryDirectory() as made, SmallDisk() as disk:
        segue("simulate", "--output", made, "--listeners", 60, "--tracks", 400, "--days", 60, "--seed", 5)
        listeners = sorted(p for p in pathlib.Path(made).rglob("*") if p.is_dir() and any(p.glob("*.json")))
        tables = [p for p in pathlib.Path(made).rglob("*") if p.suffix in (".csv", ".tsv")]
        assert len(listeners) > 40 and tables
        with Server(disk.folder / "data", ["inbox.settle_ms=100", "inbox.burst_ms=200"]) as server:
            for source in [*tables, *listeners[:40]]:
                server.drop(source)
            live = server.wait_live()
            server.wait_runs(1)
            before = {run["run_id"] for run in server.runs()}

            disk.fill()
            # What cannot be kept is not acknowledged; what reads goes on.
            accepted = []
            for number in range(50):
                status, _, answer = send(server, number)
                assert status in (200, 503, 507), (status, answer)
                if status == 200:
                    accepted.append(number)
                else:
                    assert b"full" in answer or b"space" in answer, answer
            assert len(accepted) < 50, "fifty events were taken by a full disk"
            name = listeners[0].name
            assert server.recommendations(name)["items"]
            status, _, answer = server.request("PUT", "/v1/inbox/more.json", b"[]" * 100_000)
            assert status in (503, 507), (status, answer)
            assert server.request("POST", "/v1/runs", "{}", {"Content-Type": "application/json"})[0] < 600
            assert server.alive() and server.live() == live

            # Room again: everything goes on by itself, and nothing that was acknowledged is lost.
            disk.empty()
            status, _, answer = send(server, 100)
            assert status == 200, answer
            for source in listeners[40:]:
                server.drop(source)
            done = wait_until(lambda: [r for r in server.runs() if r["run_id"] not in before and r["state"] in ("approved", "refused")],
                              "a run on the new histories is judged", 180, server.alive)
            assert done[0]["verdict"]["checks"]
            for number in accepted:
                body = json.loads(send(server, number)[2])
                assert body["duplicates"] == 1, f"event {number} was acknowledged and is not there"


if __name__ == "__main__":
    main(globals())
