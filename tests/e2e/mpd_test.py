"""A player that nobody here wrote: MPD plays files, and mpdscribble tells Segue
in Audioscrobbler 1.2, with a token that opens nothing else. A play takes its
time: mpdscribble counts one after half of a track of at least 30 s."""

import json
import math
import pathlib
import shutil
import socket
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "harness"))
from segue import Server, Skip, main, segue, wait_until  # noqa: E402

ADMIN = {"Authorization": "Bearer of the test"}
RATE = 8000


def info(name, text):
    data = text.encode() + b"\0"
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def write_wav(path, seconds, artist, title, album):
    """Eight-bit mono with its names in a LIST INFO chunk."""
    samples = bytes(128 + int(60 * math.sin(0.3 * i)) for i in range(RATE)) * seconds
    form = b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, RATE, RATE, 1, 8)
    names = b"INFO" + info(b"IART", artist) + info(b"INAM", title) + info(b"IPRD", album)
    chunks = form + b"LIST" + struct.pack("<I", len(names)) + names + b"data" + struct.pack("<I", len(samples)) + samples
    path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks)


class Mpd:
    """The daemon and its scrobbler in a folder of their own."""

    def __init__(self, folder, url, user, password):
        self.folder, self.socket = folder, folder / "mpd.socket"
        (folder / "mpd.conf").write_text(f'''
music_directory "{folder / 'music'}"
db_file "{folder / 'db'}"
bind_to_address "{self.socket}"
auto_update "no"
audio_output {{
  type "null"
  name "nowhere"
}}
''')
        (folder / "mpdscribble.conf").write_text(f'''
host = {self.socket}
log = {folder / 'mpdscribble.log'}
verbose = 2
[segue]
url = {url}
username = {user}
password = {password}
journal = {folder / 'journal'}
''')
        self.processes = []

    def __enter__(self):
        self.run("mpd", "--no-daemon", "--stderr", self.folder / "mpd.conf")
        wait_until(self.socket.exists, "MPD listens", 20)
        self.connection = socket.socket(socket.AF_UNIX)
        self.connection.settimeout(20)
        self.connection.connect(str(self.socket))
        self.lines = self.connection.makefile("r")
        self.lines.readline()
        return self

    def __exit__(self, kind, *_):
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            process.wait(timeout=20)
        if kind is not None:
            for log in self.folder.glob("*.log"):
                sys.stderr.write(f"--- {log.name}\n{log.read_text()[-3000:]}\n")

    def run(self, *command):
        log = open(self.folder / f"{command[0]}.out.log", "wb")
        self.processes.append(subprocess.Popen(list(map(str, command)), stdout=log, stderr=log))

    def scribble(self):
        self.run("mpdscribble", "--no-daemon", "--conf", self.folder / "mpdscribble.conf")

    def ask(self, command):
        self.connection.sendall(command.encode() + b"\n")
        answer = {}
        for line in self.lines:
            if line.startswith(("OK", "ACK")):
                assert line.startswith("OK"), f"{command}: {line}"
                return answer
            name, value = line.rstrip("\n").split(": ", 1)
            answer[name] = value


def test_what_mpd_plays_arrives():
    if not shutil.which("mpd") or not shutil.which("mpdscribble"):
        raise Skip("mpd and mpdscribble are not installed")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="segue-mpd-"))
    try:
        (folder / "music").mkdir()
        write_wav(folder / "music" / "a.wav", 31, "Björk", "Jóga", "Homogenic")
        write_wav(folder / "music" / "b.wav", 31, "Air", "Cherry Blossom Girl", "Talkie Walkie")
        with Server(settings=["serve.token=of the test"]) as server:
            token = segue("tokens", "create", "mpd", "--role", "listen", "--listener", "anna", "--legacy", "--data", server.data).strip()

            def get(path):
                status, _, body = server.request("GET", path, headers=ADMIN)
                assert status == 200, (path, status, body)
                return json.loads(body)

            with Mpd(folder, f"http://127.0.0.1:{server.port}/", "anna", token) as mpd:
                mpd.ask("update")
                wait_until(lambda: "updating_db" not in mpd.ask("status"), "MPD has read the files", 20)
                mpd.ask('add "a.wav"')
                mpd.ask('add "b.wav"')
                mpd.scribble()
                mpd.ask("play 0")
                playing = wait_until(lambda: get("/1/user/anna/playing-now")["payload"]["listens"], "what plays is told", 30)
                assert playing[0]["track_metadata"]["track_name"] == "Jóga", playing
                wait_until(lambda: float(mpd.ask("status")["elapsed"]) > 16, "half of it has been heard", 40)
                mpd.ask("next")
                mpd.ask("stop")
                listens = wait_until(lambda: get("/1/user/anna/listens")["payload"]["listens"], "the listen arrives", 30)
            assert len(listens) == 1, f"what was stopped at once is no listen: {listens}"
            heard = listens[0]["track_metadata"]
            assert (heard["artist_name"], heard["track_name"], heard["release_name"]) == ("Björk", "Jóga", "Homogenic"), heard
            status, _, body = server.request("GET", "/v1/status", headers={"Authorization": f"Bearer {token}"})
            assert status == 403, (status, body)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


main(globals())
