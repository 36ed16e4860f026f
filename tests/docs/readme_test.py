"""The README's commands do what it says: run on the built program, in a folder
of their own, on a free port."""

import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "harness"))
from segue import BINARY, ROOT, main, segue  # noqa: E402

README = (ROOT / "README.md").read_text()


def blocks(language):
    """The fenced blocks of a language ("": of none), in order."""
    found, inside, lines = [], None, []
    for line in README.splitlines():
        if not line.startswith("```"):
            lines.append(line)
        elif inside is None:
            inside, lines = line[3:], []
        else:
            if inside == language:
                found.append("\n".join(lines) + "\n")
            inside = None
    return found


def free_address():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def shell(command, folder):
    done = subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_first_screen_is_one_sentence_one_command_one_request_one_picture():
    screen = README.split("`make demo` needs")[0]
    assert screen.count("```sh") == 2 and screen.count("![") == 1
    assert "make demo" in blocks("sh")[0] and "curl" in blocks("sh")[1]


def test_demo_then_the_requests_of_the_readme():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="segue-readme-"))
    address = free_address()
    demo = ["demo", "--data", folder / "demo-data", "--listen", address]
    try:
        said = segue(*demo)
        assert f"http://{address}" in said and "curl" in said and "inbox" in said, said
        start = time.monotonic()
        segue(*demo)
        assert time.monotonic() - start < 20, "the second demo has to start in seconds"
        here = lambda text: text.replace("127.0.0.1:7348", address)
        answer = json.loads(shell(here(blocks("sh")[1]), folder))
        assert len(answer["items"]) == 5 and all(item["reason"] for item in answer["items"]), answer
        upload = next(b for b in blocks("") if "curl -T" in b)
        (folder / "StreamingHistory0.json").write_text("[]")
        shell(here(upload), folder)
        feedback = next(b for b in blocks("") if "/v1/events" in b)
        assert json.loads(shell(here(feedback), folder))["accepted"] == 1
        look = next(b for b in blocks("") if "/v1/runs" in b)
        runs, models = [line.split("#")[0] for line in look.splitlines()[:2]]
        assert "verdict" in shell(here(runs), folder)
        assert "model_id" in shell(here(models), folder)
    finally:
        segue("demo", "--stop", "--data", folder / "demo-data")
        shutil.rmtree(folder, ignore_errors=True)


def test_models_are_judged_on_own_files():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="segue-readme-"))
    try:
        rows = [(u, i) for u in range(40) for i in range(30) if (u + i) % 3 == 0]
        for name, part in (("train", [r for k, r in enumerate(rows) if k % 5]), ("test", rows[::5])):
            lines = ["user_id,item_id,value", *[f"{u},{i},1" for u, i in part]]
            (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
        commands = next(b for b in blocks("") if "segue evaluate" in b)
        for line in commands.strip().splitlines():
            shell(re.sub(r"^segue", str(BINARY), line), folder)
        rows = (folder / "recs.csv").read_text().splitlines()
        assert rows[0] == "user_id,item_id,rank,score" and len(rows) > 40, rows[:3]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_every_verb_that_is_named_exists():
    known = segue("--help")
    for verb in set(re.findall(r"`segue ([a-z]+)", README + (ROOT / "docs/data.md").read_text())):
        assert re.search(rf"^\s+{verb}\b", known, re.M), f"README names `segue {verb}`"


def test_linked_files_exist():
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target


os.environ.setdefault("LC_ALL", "C.UTF-8")
main(globals())
