#!/usr/bin/env python3
"""holdfast beside tar, bsdtar, squashfs-tools, rsync and cp: time, memory and sizes.

    bench.py [SECTION]... [--rounds 5] [--place /dev/shm] [--program FILE]
             [--markdown FILE] [--json FILE] [--scale 1]

Prints each command with the median of its rounds, least and most, processor time and peak memory,
then what is held against a goal. docs/benchmarks.md tells the method, and has a run's tables:

    bench.py --markdown docs/benchmarks.md        measures all and puts the tables into the page
"""

import argparse
import os
import signal
import sys

from measuring import Failed
from report import Report, aligned, machine_facts, put_between_marks
from sections import SECTIONS, TESTS, Bench


def parse() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS) + "; all if none is named")
    built = os.path.join(os.path.dirname(TESTS), "build", "release", "holdfast")
    parser.add_argument("--program", default=os.environ.get("HOLDFAST", built), help="the holdfast to measure")
    parser.add_argument("--place", default="/dev/shm", help="a folder with 3 GB of room, best on tmpfs")
    parser.add_argument("--rounds", type=int, default=5, help="counted runs of each command")
    parser.add_argument("--scale", type=float, default=1, help="below 1: smaller trees, to try things out")
    parser.add_argument("--realtime", action="store_true",
                        help="run the commands at real-time priority, so that others do not disturb them (as root)")
    parser.add_argument("--markdown", metavar="FILE", help="put the tables between the marks of this page")
    parser.add_argument("--json", metavar="FILE", help="write all numbers to this file")
    options = parser.parse_args()
    options.sections = options.sections or list(SECTIONS)
    unknown = [name for name in options.sections if name not in SECTIONS]
    if unknown:
        parser.error(f"no section {unknown[0]}; there are: {', '.join(SECTIONS)}")
    if options.rounds < 1:
        parser.error("at least one round")
    options.program = os.path.abspath(options.program)
    if not os.access(options.program, os.X_OK):
        parser.error(f"{options.program}: not built; cmake --workflow --preset release")
    return options


def run_facts(options: argparse.Namespace, load: float) -> str:
    """How this run was made."""
    facts = [f"Sections: {', '.join(options.sections)}", f"rounds: {options.rounds}"]
    facts.append(f"load of the machine before: {load:.1f}")
    if options.realtime:
        facts.append("real-time priority")
    if options.scale != 1:
        facts.append(f"trees scaled by {options.scale:g}: no numbers to go by")
    return "; ".join(facts)


def main() -> int:
    """Returns the exit status: 0, or 1 if a command failed or did not make what it should."""
    options = parse()
    report = Report()
    bench = Bench(options, report)
    load = os.getloadavg()[0]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # the trees are removed, then
    try:
        for name in options.sections:
            SECTIONS[name](bench)
    except Failed as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    facts = [*machine_facts(options.program, options.place), run_facts(options, load)]
    print("", *facts, "", aligned(report.goals()), sep="\n")
    if options.markdown:
        put_between_marks(options.markdown, report.markdown(facts))
    if options.json:
        with open(options.json, "w", encoding="utf-8") as stream:
            stream.write(report.as_json(facts) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
