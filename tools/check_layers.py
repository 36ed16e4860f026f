#!/usr/bin/env python3
"""Checks the rule of sight from the #include lines of src/, and what headers
may pull in. Silent where all is well; else a line an offence, and exit code 1.

    tools/check_layers.py [--root DIR] [--test]

--test also tries every rule on a made-up tree that breaks it, and counts.
"""

import argparse
import pathlib
import re
import sys
import tempfile

SHARED = {"core", "math", "page", "store", "models"}
STAGES = {"ingest", "clean", "train", "evaluate", "gate", "deploy", "serve", "monitor", "simulate", "songs"}
# folder -> the other folders that it may include
SIGHT = {
    "core": set(),
    "math": {"core"},
    "page": {"core"},
    "store": {"core"},
    "models": {"core", "math", "store"},
    **{stage: SHARED for stage in STAGES},
    "pipeline": SHARED | STAGES,
    "cli": SHARED | STAGES | {"pipeline"},
}
# What makes every file that includes it slow to compile stays in .cc files.
HEAVY = re.compile(r"^(boost/|Eigen/|toml\+\+|toml\.hpp$|duckdb\.h(pp)?$|nlohmann/json\.hpp$|xgboost/)")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)
MODULE = re.compile(r"segue_(module|program)\(\s*(\w+)([^)]*)\)")


def includes(text):
    """(line, is ours, path) of each #include."""
    for match in INCLUDE.finditer(text):
        yield text.count("\n", 0, match.start()) + 1, match[1] == '"', match[2]


def is_test(path):
    return path.stem.endswith("_test") or path.stem.startswith("test") or path.stem.endswith("_support")


def check_sources(root):
    source = root / "src"
    edges = {}
    for path in sorted(source.rglob("*")):
        if path.suffix not in (".h", ".cc", ".inc"):
            continue
        name = path.relative_to(source)
        shown = path.relative_to(root)
        folder = name.parts[0]
        if len(name.parts) == 1 or folder not in SIGHT:
            yield f"{shown}: lies in no folder that the rule of sight knows ({', '.join(sorted(SIGHT))})"
            continue
        edges[str(name)] = []
        for line, ours, target in includes(path.read_text(errors="replace")):
            first = target.split("/")[0]
            if ours and not (source / target).is_file():
                yield f"{shown}:{line}: \"{target}\" is no file below src/; ours are included as \"folder/file.h\""
            elif not ours and first in SIGHT and (source / target).is_file():
                yield f"{shown}:{line}: <{target}> is ours and wants quotes"
            if (ours or (source / target).is_file()) and first in SIGHT:
                edges[str(name)].append(target)
                if first != folder and first not in SIGHT[folder]:
                    sees = ", ".join(sorted(SIGHT[folder])) or "no other folder"
                    yield f"{shown}:{line}: {folder}/ includes {target}, but sees {sees} only"
            if not ours and path.suffix == ".h" and HEAVY.match(target) and not is_test(path):
                yield f"{shown}:{line}: <{target}> is heavy; include it in a .cc file"
    yield from check_cycles(edges)


def check_cycles(edges):
    """Headers that include each other, however indirectly; each cycle once."""
    done, path = set(), []

    def visit(name):
        if name in path:
            yield "src: these include each other: " + " -> ".join(path[path.index(name):] + [name])
            return
        if name in done:
            return
        path.append(name)
        for target in edges.get(name, []):
            yield from visit(target)
        path.pop()
        done.add(name)

    for name in sorted(edges):
        yield from visit(name)


def check_build(root):
    """CMake must not let a module link what it may not see."""
    file = root / "CMakeLists.txt"
    for kind, name, rest in MODULE.findall(file.read_text() if file.is_file() else ""):
        words = rest.split()
        folder = words[words.index("FOLDER") + 1] if kind == "program" and "FOLDER" in words else name
        sees = set()
        if "SEES" in words:
            for word in words[words.index("SEES") + 1:]:
                if word.isupper():
                    break
                sees.add(word)
        for extra in sorted(sees - SIGHT.get(folder, set())):
            yield f"CMakeLists.txt: {name} SEES {extra}, which the rule of sight forbids"
        if folder not in SIGHT:
            yield f"CMakeLists.txt: {name} is in no folder that the rule of sight knows"


def offences(root):
    return [*check_sources(root), *check_build(root)]


# name of the test, files of a made-up tree, what the only offence must say (None: no offence)
MADE_UP = [
    ("a stage may include the shared folders and itself",
     {"src/core/a.h": "", "src/train/a.h": '#include "core/a.h"\n', "src/train/a.cc": '#include "train/a.h"\n'}, None),
    ("a stage may not include another stage",
     {"src/gate/a.h": "", "src/train/a.cc": '#include <vector>\n#include "gate/a.h"\n'}, "src/train/a.cc:2: train/ includes gate/a.h"),
    ("angle brackets do not hide a stage",
     {"src/gate/a.h": "", "src/gate/b.cc": "#include <gate/a.h>\n"}, "wants quotes"),
    ("core sees nothing", {"src/math/a.h": "", "src/core/a.h": '#  include "math/a.h"\n'}, "no other folder"),
    ("the pipeline is below the command line",
     {"src/cli/a.h": "", "src/pipeline/a.cc": '#include "cli/a.h"\n'}, "pipeline/ includes cli/a.h"),
    ("the pipeline may name every stage",
     {"src/gate/a.h": "", "src/ingest/a.h": "", "src/pipeline/a.cc": '#include "gate/a.h"\n#include "ingest/a.h"\n'}, None),
    ("a heavy header stays out of headers", {"src/serve/a.h": "#include <boost/asio.hpp>\n"}, "src/serve/a.h:1"),
    ("full JSON stays out of headers", {"src/core/a.h": "#include <nlohmann/json.hpp>\n"}, "is heavy"),
    ("a .cc may include a heavy header, a header the forward declarations",
     {"src/core/a.cc": "#include <nlohmann/json.hpp>\n", "src/core/a.h": "#include <nlohmann/json_fwd.hpp>\n"}, None),
    ("headers do not include each other in a circle",
     {"src/core/a.h": '#include "core/b.h"\n', "src/core/b.h": '#include "core/a.h"\n'}, "include each other"),
    ("no file lies beside the folders", {"src/a.cc": ""}, "no folder"),
    ("no folder is unknown", {"src/utils/a.cc": ""}, "no folder"),
    ("ours are included from src", {"src/core/b.h": "", "src/core/a.cc": '#include "b.h"\n'}, "no file below src/"),
    ("the build's sight is the rule's", {"CMakeLists.txt": "segue_module(train SEES core gate LINKS TBB::tbb)\n"}, "train SEES gate"),
]


def test(root):
    failed = []
    found = offences(root)
    if found:
        failed.append("\n".join(["the tree keeps the rule of sight:"] + found))
    for name, files, expected in MADE_UP:
        with tempfile.TemporaryDirectory(prefix="segue-layers-") as folder:
            for path, text in files.items():
                file = pathlib.Path(folder, path)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
            found = offences(pathlib.Path(folder))
        right = not found if expected is None else len(found) == 1 and expected in found[0]
        if not right:
            failed.append(f"{name}: expected {expected!r}, found {found}")
    for failure in failed:
        print(f"FAILED   {failure}")
    print(f"{len(MADE_UP) + 1 - len(failed)} passed, {len(failed)} failed, 0 skipped")
    return 1 if failed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[1])
    parser.add_argument("--test", action="store_true")
    arguments = parser.parse_args()
    if arguments.test:
        return test(arguments.root)
    found = offences(arguments.root)
    for offence in found:
        print(offence)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
