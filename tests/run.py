"""Runs ctest and says what was skipped and why, before ctest's own closing lines.

usage: run.py [--strict] --preset PRESET [CTEST OPTION...]

A test is skipped whole (exit 77), or in part: a cmocka test that calls skip(), a Python test that raises SkipTest.
With --strict a skip that allowed-skips.txt does not name is a failure.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

HERE = pathlib.Path(__file__).parent
CLOSING = re.compile(r"^\d+% tests passed|^No tests were found")
PARTS = (
    re.compile(r"^\[  SKIPPED \] (?P<name>\w+)()$", re.MULTILINE),
    re.compile(r"^(?P<name>\w+) \([\w.]+\)(?:\n.*)? \.\.\. skipped ['\"](?P<why>.*)['\"]$", re.MULTILINE),
    re.compile(r"^SKIP(?:PED)?:? (?P<name>[^:\n]+): (?P<why>.*)$", re.MULTILINE),
)


def run_ctest(arguments, results):
    """Run ctest, pass its output on, and return (status, the closing lines, held back)."""
    at_once = min(4, len(os.sched_getaffinity(0)))  # more, and tests that kill or wait get in each other's way
    command = ["ctest", "--parallel", str(at_once), "--output-junit", results, "--test-output-size-passed", "1000000",
               *arguments]
    closing = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
                          errors="replace") as ctest:
        for line in ctest.stdout:
            if closing or CLOSING.match(line):
                closing.append(line)
            else:
                print(line, end="", flush=True)
    return ctest.returncode, "".join(closing)


def skipped_parts(test, output):
    """Yield (name, reason) of what was skipped inside a test that ran."""
    seen = set()
    for pattern in PARTS:
        for match in pattern.finditer(output):
            name = f"{test}:{match['name']}"
            if name not in seen:
                seen.add(name)
                yield name, match[2].strip() or "see its output"


def skipped_tests(results):
    """Yield (name, reason) of all that was skipped, whole or in part."""
    for case in xml.etree.ElementTree.parse(results).getroot().iter("testcase"):
        output = case.findtext("system-out") or ""
        if case.get("status") == "notrun":
            lines = output.strip().splitlines()
            yield case.get("name"), lines[-1].removeprefix("skipped: ") if lines else "no reason given"
        else:
            yield from skipped_parts(case.get("name"), output)


def allowed_skips():
    """Return the names that may be skipped."""
    lines = (HERE / "allowed-skips.txt").read_text(encoding="utf-8").splitlines()
    return {line.rsplit(": ", 1)[0] for line in lines if line and not line.startswith("#")}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--strict", action="store_true")
    options, arguments = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as folder:
        results = f"{folder}/results.xml"
        status, closing = run_ctest(arguments, results)
        skipped = list(skipped_tests(results)) if pathlib.Path(results).exists() else []
    allowed = allowed_skips()
    unexpected = [name for name, _ in skipped if name not in allowed]
    for name, why in skipped:
        print(f"skipped: {name}: {why}")
    if options.strict and unexpected:
        print(f"{len(unexpected)} skipped tests are not in tests/allowed-skips.txt")
        status = status or 1
    print(closing, end="")
    return status


if __name__ == "__main__":
    sys.exit(main())
