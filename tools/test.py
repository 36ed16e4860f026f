#!/usr/bin/env python3
"""Runs every test there is, and counts.

    tools/test.py [--fast] [--only NAME] [--build DIR]

In order: the googletest programs of the release build; the scripts (what must
not compile, the rule of sight, end to end, the documentation's commands); each
fuzzer for some seconds, where there is clang with libFuzzer; the googletest
programs under the address and undefined-behaviour sanitizers, and those with
threads under the thread sanitizer. What these need is built from the scripts on,
in the time that these leave idle. The last line is the count:
"N passed, N failed, N skipped". A program under a sanitizer counts as one test.

Exit code 1 where a test failed or none ran.
"""

import argparse
import concurrent.futures
import dataclasses
import glob
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parents[1]
THREADED = ["store", "train", "evaluate", "models", "monitor", "serve", "pipeline"]
# What runs on several threads of our own; the other tests of these modules would
# only take their time under the thread sanitizer.
TSAN_FILTERS = {"train": "*Threads*:*Search*", "pipeline": "Deliveries.*:ReleasedRuns.*:TheFollower.*:Forgetful.*:Runs.*:TheTriggers.*:Retries.*"}
UNIT_TIMEOUT_S = 1800
SCRIPT_TIMEOUT_S = 3600
BUILD_TIMEOUT_S = 3600
FUZZ_S = 5
LONGEST_SCRIPT = "e2e/loop_test (slow)"
COUNTS = re.compile(r"^(\d+) passed, (\d+) failed, (\d+) skipped$")


@dataclasses.dataclass
class Outcome:
    name: str
    passed: int = 0
    failed: int = 0
    skipped: list = dataclasses.field(default_factory=list)
    seconds: float = 0
    details: str = ""  # shown where something failed

    def show(self):
        word = "FAILED" if self.failed else "ok"
        counts = f"{self.passed} passed"
        if self.failed:
            counts += f", {self.failed} failed"
        if self.skipped:
            counts += f", {len(self.skipped)} skipped"
        print(f"{word:<7}{self.name:<34}{counts}  ({self.seconds:.1f} s)", flush=True)
        for skipped in self.skipped:
            print(f"         skipped: {skipped}")
        if self.failed:
            print(self.details.rstrip() + "\n", flush=True)


running = set()  # process groups


def execute(command, timeout, environment=None, in_idle_time=False):
    """(exit code, output, seconds). Ends the whole process group on a timeout."""
    start = time.monotonic()
    yields = (lambda: os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))) if in_idle_time else None
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               stdin=subprocess.DEVNULL, env=environment, start_new_session=True, preexec_fn=yields)
    running.add(process.pid)
    try:
        output, _ = process.communicate(timeout=timeout)
        code = process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        output += f"\nended after {timeout} s: it hangs or is far too slow\n".encode()
        code = -signal.SIGKILL
    running.discard(process.pid)
    return code, output.decode(errors="replace"), time.monotonic() - start


def end_all():
    for group in list(running):
        try:
            os.killpg(group, signal.SIGKILL)
        except ProcessLookupError:
            pass


def exit_reason(code):
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"ended by signal {-code}"


def failures_of(output):
    """The parts of googletest's output that belong to failed tests."""
    kept = []
    for block in re.split(r"^\[ RUN      \] ", output, flags=re.M)[1:]:
        if "[  FAILED  ]" in block.split("[       OK ]")[0]:
            kept.append(block.split("[----------]")[0].rstrip())
    return "\n".join(kept)


def run_unit(program, label, environment=None, as_one=False, only="*"):
    """One googletest program, or its tests that match `only`. `as_one`: it counts as a single test."""
    outcome = Outcome(label)
    with tempfile.TemporaryDirectory(prefix="segue-test-") as folder:
        report = pathlib.Path(folder) / "report.json"
        code, output, outcome.seconds = execute(
            [str(program), "--gtest_brief=0", "--gtest_color=no", f"--gtest_output=json:{report}", f"--gtest_filter={only}"],
            UNIT_TIMEOUT_S, environment)
        try:
            suites = json.loads(report.read_text())["testsuites"]
        except (OSError, ValueError, KeyError):
            suites = None
    if suites is None:
        outcome.failed = 1
        outcome.details = f"{exit_reason(code)}, before the tests were over:\n" + output[-8000:]
        return outcome
    for suite in suites:
        for test in suite["testsuite"]:
            name = f"{suite['name']}.{test['name']}"
            if test.get("result") == "SKIPPED":
                outcome.skipped.append(name)
            elif test.get("result") == "SUPPRESSED" or test.get("status") == "NOTRUN":
                outcome.skipped.append(f"{name} (disabled)")
            elif test.get("failures"):
                outcome.failed += 1
            else:
                outcome.passed += 1
    if outcome.failed:
        outcome.details = failures_of(output) or output[-8000:]
    elif code != 0:
        outcome.failed = 1
        outcome.details = f"every test passed, but {exit_reason(code)}:\n" + output[-8000:]
    if as_one:
        outcome.passed, outcome.failed = (0, 1) if outcome.failed else (1, 0)
        outcome.skipped = []
    return outcome


def run_script(command, label):
    """A script whose last line is the count."""
    outcome = Outcome(label)
    code, output, outcome.seconds = execute(command, SCRIPT_TIMEOUT_S)
    lines = output.rstrip().splitlines() or [""]
    counts = COUNTS.match(lines[-1])
    if not counts:
        outcome.failed = 1
        outcome.details = f"{exit_reason(code)}, without a count at the end:\n" + output[-12000:]
        return outcome
    outcome.passed, outcome.failed, skipped = map(int, counts.groups())
    named = [line.split(None, 1)[1] for line in lines if re.match(r"skipped\s+\S", line)]
    outcome.skipped = (named + ["(unnamed)"] * skipped)[:skipped]
    if code != 0 and outcome.failed == 0:
        outcome.failed = 1
    outcome.details = output[-12000:]
    return outcome


def run_scripts(wanted):
    """Two at a time, for they wait more than they compute; the longest first."""
    outcomes = []
    longest_first = sorted(wanted, key=lambda script: script[1] != LONGEST_SCRIPT)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(run_script, command, label) for command, label in longest_first]
        for future in concurrent.futures.as_completed(waiting):
            outcomes.append(future.result())
            outcomes[-1].show()
    return outcomes


def unit_programs(folder):
    return sorted(p for p in pathlib.Path(folder, "tests").glob("*_test") if os.access(p, os.X_OK) and p.is_file())


def run_units(programs, prefix="", environment=None, as_one=False, filters=None):
    """Two at a time; shown in the order of completion."""
    outcomes = []
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(run_unit, p, prefix + p.name, environment, as_one, (filters or {}).get(p.name.removesuffix("_test"), "*"))
                   for p in programs]
        for future in concurrent.futures.as_completed(waiting):
            outcomes.append(future.result())
            outcomes[-1].show()
    return outcomes


def scripts():
    found = [(["tests/must_not_compile/run.py"], "must_not_compile")]
    found.append((["tools/check_layers.py", "--test"], "check_layers"))
    for folder in ("e2e", "docs"):
        for path in sorted(glob.glob(f"tests/{folder}/*.py", root_dir=ROOT)):
            found.append(([path], f"{folder}/{pathlib.Path(path).stem} (slow)"))
    return [([sys.executable, *command], label) for command, label in found]


def start_builds(only):
    """Builds of fuzzers and sanitizers, one after another, in the time that the tests leave idle: most
    of the scripts wait. By preset: its targets and a future of execute's result."""
    units = [p.name for p in unit_programs(ROOT / "build" / "release") if only is None or only in p.name]
    targets = {"fuzz": [f"fuzz_{name}" for name in fuzzers(only)] if fuzzers_build() else [], "asan": units,
               "tsan": [name for name in units if name.removesuffix("_test") in THREADED]}
    pool = concurrent.futures.ThreadPoolExecutor(1)
    return {preset: (names, pool.submit(execute, ["tools/build.sh", preset, *names], BUILD_TIMEOUT_S, None, True))
            for preset, names in targets.items() if names}


def built(preset, build):
    """None, or the Outcome of a build that failed."""
    waited = time.monotonic()
    code, output, seconds = build.result()
    if code != 0:
        outcome = Outcome(f"{preset}: the build", failed=1, seconds=seconds, details=output[-8000:])
        outcome.show()
        return outcome
    print(f"       {preset}: built in {seconds:.0f} s, {time.monotonic() - waited:.0f} s of them alone", flush=True)
    return None


def sanitized(preset, targets, build):
    """Runs the unit tests of a sanitizer's build."""
    failed = built(preset, build)
    if failed:
        return [failed]
    environment = dict(os.environ)
    # Real data under sanitizers takes long and adds little to the made-up files.
    environment.pop("SEGUE_TEST_DATA", None)
    # Half of the time would go into remembering who allocated what, and into fresh pages for it:
    # four frames and 16 MiB of freed memory find the same bugs.
    environment["ASAN_OPTIONS"] = "detect_leaks=1:strict_string_checks=1:malloc_context_size=4:quarantine_size_mb=16"
    environment["LSAN_OPTIONS"] = f"suppressions={ROOT}/tools/lsan.supp:print_suppressions=0"
    environment["UBSAN_OPTIONS"] = "print_stacktrace=1:halt_on_error=1"
    environment["TSAN_OPTIONS"] = f"suppressions={ROOT}/tools/tsan.supp:halt_on_error=1:second_deadlock_stack=1"
    folder = ROOT / "build" / preset / "tests"
    return run_units([folder / name for name in targets], f"{preset}: ", environment, as_one=True,
                     filters=TSAN_FILTERS if preset == "tsan" else None)


def fuzzers(only):
    return sorted(p.stem for p in ROOT.glob("tests/fuzz/*.cc") if only is None or only in f"fuzz_{p.stem}")


def fuzzers_build():
    return shutil.which("clang++-16") and glob.glob("/usr/lib/llvm-16/lib/clang/*/lib/linux/libclang_rt.fuzzer-*.a")


def fuzzed(only, build):
    """Runs each fuzzer on its corpus, and for some seconds beyond."""
    names = fuzzers(only)
    if not names:
        return []
    if build is None:
        missing = Outcome("fuzzers", skipped=["fuzzers: clang-16 with libFuzzer is not installed"])
        missing.show()
        return [missing]
    failed = built("fuzz", build)
    if failed:
        return [failed]
    outcomes = []
    for name in names:
        with tempfile.TemporaryDirectory(prefix="segue-fuzz-") as folder:
            code, output, seconds = execute(
                [f"build/fuzz/fuzz/fuzz_{name}", f"-max_total_time={FUZZ_S}", "-timeout=10", "-rss_limit_mb=2048", f"-artifact_prefix={folder}/",
                 folder, f"tests/fuzz/corpus/{name}"], UNIT_TIMEOUT_S)
        outcome = Outcome(f"fuzz_{name}", passed=int(code == 0), failed=int(code != 0), seconds=seconds, details=output[-8000:])
        outcome.show()
        outcomes.append(outcome)
    return outcomes


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fast", action="store_true", help="unit tests and the rule of sight only")
    parser.add_argument("--only", metavar="NAME", help="only programs and scripts whose name contains this")
    parser.add_argument("--build", metavar="DIR", default=str(ROOT / "build" / "release"), help="where the tests are")
    arguments = parser.parse_args()
    os.environ.setdefault("SEGUE_BINARY", str(pathlib.Path(arguments.build, "segue").resolve()))

    def wanted(name):
        return arguments.only is None or arguments.only in name

    start = time.monotonic()
    outcomes = run_units([p for p in unit_programs(arguments.build) if wanted(p.name)])
    builds = {} if arguments.fast else start_builds(arguments.only)
    outcomes += run_scripts([(command, label) for command, label in scripts()
                             if wanted(label) and not (arguments.fast and label.endswith("(slow)"))])
    if not arguments.fast:
        outcomes += fuzzed(arguments.only, builds.get("fuzz", (None, None))[1])
        for preset in ("asan", "tsan"):
            if preset in builds:
                outcomes += sanitized(preset, *builds[preset])

    failed = [outcome for outcome in outcomes if outcome.failed]
    print(f"\n{len(outcomes)} programs in {time.monotonic() - start:.0f} s")
    for outcome in failed:
        print(f"FAILED {outcome.name}")
    passed = sum(outcome.passed for outcome in outcomes)
    skipped = sum(len(outcome.skipped) for outcome in outcomes)
    print(f"{passed} passed, {sum(o.failed for o in outcomes)} failed, {skipped} skipped", flush=True)
    return 1 if failed or passed == 0 else 0


if __name__ == "__main__":
    try:
        code = main()
    except BaseException as reason:  # Ctrl-C: leave nothing running
        end_all()
        if not isinstance(reason, (KeyboardInterrupt, SystemExit)):
            traceback.print_exc()
        sys.stdout.flush()
        os._exit(reason.code if isinstance(reason, SystemExit) else 1)  # not waiting for builds that were to come
    sys.exit(code)
