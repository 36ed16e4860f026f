"""What must not be possible does not compile.

Every *.cc beside this script is compiled twice (syntax only): as it is, which
must work, and with -DMUST_NOT_COMPILE, which must fail and for the reason that
the file gives in a line `// refused because: TEXT` (a part of the compiler's
message; `|` between alternatives). So a test can neither pass because the file
is broken nor because the rule has gone.

    python3 tests/must_not_compile/run.py [NAME]...

CXX names the compiler (default g++). Standard library only.
"""

import os
import pathlib
import re
import shlex
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
SOURCES = HERE.parents[1] / "src"
COMPILER = shlex.split(os.environ.get("CXX", "g++"))


def compile_only(file, *flags):
    """None where it compiles, else what the compiler says."""
    command = [*COMPILER, "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-I", str(SOURCES), *flags, str(file)]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"})
    return None if done.returncode == 0 else done.stderr or f"exit code {done.returncode}"


def problem_with(file):
    """None where both directions hold, else a sentence."""
    wanted = re.search(r"^// refused because: (.+)$", file.read_text(), re.M)
    if not wanted:
        return "the file has no line '// refused because: ...'"
    allowed = compile_only(file)
    if allowed is not None:
        return f"what must compile does not:\n{allowed}"
    refused = compile_only(file, "-DMUST_NOT_COMPILE")
    if refused is None:
        return "what must not compile does"
    if not any(part.strip() in refused for part in wanted[1].split("|")):
        return f"it does not compile, but not because of '{wanted[1]}':\n{refused}"
    return None


def main():
    names = sys.argv[1:]
    files = [file for file in sorted(HERE.glob("*.cc")) if not names or file.stem in names]
    passed = failed = 0
    for file in files:
        problem = problem_with(file)
        passed += problem is None
        failed += problem is not None
        print(f"passed   {file.stem}" if problem is None else f"FAILED   {file.stem}: {problem}", flush=True)
    if not files:
        failed = 1
        print("FAILED   there is no such test")
    print(f"{passed} passed, {failed} failed, 0 skipped")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
