#!/usr/bin/env python3
"""Which tools bring a copy up to date when links were changed: each of the named changes of
tests/trees/relink.py is made to a tree that was copied before, and the same command runs again, and
once more. tests/oracle judges.

    mutations.py [--program FILE] [--place FOLDER] [--markdown FILE] [CHANGE...]

docs/comparison.md tells the method, and has a run's tables:

    mutations.py --markdown docs/comparison.md
"""

import argparse
import collections
import os
import subprocess
import sys
import tempfile
import time
from typing import Callable, Dict, List, NamedTuple

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, TESTS)

from comparison import table  # noqa: E402
from oracle.compare import compare  # noqa: E402
from oracle.oracle import snapshot  # noqa: E402
from oracle.walk import LEAVE, walk  # noqa: E402
from report import put_between_marks  # noqa: E402
from trees.maker import cleanup  # noqa: E402
from trees.relink import CHANGES, make_base, settle_times  # noqa: E402

# Without the last one rsync does not look at the fractions of seconds.
RSYNC = ("rsync", "-aHAX", "--delete", "--modify-window=-1")
TAR = ("tar", "--format=posix", "--xattrs", "--acls")
# Names that a copier never deletes are told apart from what is wrong.
WORDS = ("joined", "split", "data", "target", "kind", "missing", "metadata", "extra")


def tools(program: str) -> Dict[str, Callable[[str, str], List[List[str]]]]:
    """The commands that take SOURCE to DEST, a pipe between them if there are two."""

    def rsync(*options: str):
        return lambda s, d: [[*RSYNC, *options, s + "/", d + "/"]]

    return {
        "holdfast mirror --delete": lambda s, d: [[program, "mirror", "--delete", s, d]],
        " ".join(RSYNC): rsync(),
        "the same, --checksum": rsync("--checksum"),
        "the same, --ignore-times": rsync("--ignore-times"),
        "the same, --checksum --inplace": rsync("--checksum", "--inplace"),
        "cp -a": lambda s, d: [["cp", "-a", s + "/.", d]],
        "cp -au --remove-destination": lambda s, d: [["cp", "-au", "--remove-destination", s + "/.", d]],
        "tar, through a pipe": lambda s, d: [[*TAR, "-C", s, "-cf", "-", "."], [*TAR, "-C", d, "-xpf", "-"]],
    }


class Outcome(NamedTuple):
    """What one tool made of one change."""

    first: int  # differences of the first copy, which are not counted again
    second: collections.Counter  # differences after the run behind the change, by kind
    third: collections.Counter  # and after one more
    still: bool  # the third run changed nothing
    failed: bool  # one of the runs had another exit status than 0


def run(commands: List[List[str]]) -> bool:
    """Runs a command, or two with a pipe between them. True if all went well."""
    running, before = [], subprocess.DEVNULL
    for command in commands:
        last = command is commands[-1]
        running.append(subprocess.Popen(command, stdin=before, stderr=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL if last else subprocess.PIPE))  # fmt: skip
        before = running[-1].stdout
    return not any([one.wait() for one in running])


def pause() -> None:
    """Lets the clock of inodes go on, so that no tool is misled by two events at one time."""
    time.sleep(0.02)


def differences(source: str, dest: str) -> List[tuple]:
    """Kinds and paths; where files have holes is not held against a copy."""
    return [(one.kind, one.path) for one in compare(snapshot(source), snapshot(dest), ("holes",))]


def counted(found: List[tuple], but: List[tuple]) -> collections.Counter:
    """How many of each kind, without those that were there before."""
    return collections.Counter(one[0] for one in found if one not in but)


def change_times(top: str) -> dict:
    """Of each inode's last change."""
    return {visit.path: visit.status.st_ctime_ns for visit in walk(os.fsencode(top)) if visit.event != LEAVE}


def measure(place: str, commands: Callable, change: Callable, settled: bool) -> Outcome:
    """One tool and one change; `settled` sets all times back behind it."""
    source, dest = os.path.join(place, "source"), os.path.join(place, "dest")
    try:
        make_base(source)
        os.mkdir(dest)
        pause()
        ends = [run(commands(source, dest))]
        first = differences(source, dest)
        pause()
        change(source)
        if settled:
            settle_times(source)
        pause()
        ends.append(run(commands(source, dest)))
        second, before = counted(differences(source, dest), first), change_times(dest)
        pause()
        ends.append(run(commands(source, dest)))
        third = counted(differences(source, dest), first)
        return Outcome(len(first), second, third, change_times(dest) == before, not all(ends))
    finally:
        cleanup(source)
        cleanup(dest)


def worded(found: collections.Counter) -> str:
    """The differences of a cell."""
    return ", ".join(f"{found[word]} {word}" for word in WORDS if found[word]) or "exact"


def cell(outcome: Outcome) -> str:
    """What stands in the table of all changes."""
    text = worded(outcome.second)
    if outcome.third != outcome.second:
        text += f"; then {worded(outcome.third)}"
    return text + (" (exit status not 0)" if outcome.failed else "")


def share(outcomes: List[Outcome], good: Callable[[Outcome], bool]) -> str:
    """How many of them, marked if not all."""
    count = sum(good(one) for one in outcomes)
    text = f"{count} of {len(outcomes)}"
    return text if count == len(outcomes) else f"**{text}**"


def only_extra(found: collections.Counter) -> bool:
    """Nothing but names that the source lacks, and the folders that they lie in."""
    return not any(found[word] for word in WORDS if word != "extra")


ROWS: Dict[str, Callable[[Outcome], bool]] = {
    "exact at first, before the change": lambda o: not o.first,
    "exact after the next run": lambda o: not o.second,
    "exact but for names that the source lacks": lambda o: only_extra(o.second),
    "exact after one more run": lambda o: not o.third,
    "exact, and one more run changes nothing": lambda o: not o.second and o.still,
    "no names made one file that should not be": lambda o: not o.second["joined"],
    "no names made files of their own that should not be": lambda o: not o.second["split"],
    "no wrong contents": lambda o: not o.second["data"],
    "exact, or the exit status says that it is not": lambda o: not o.second or o.failed,
}


def page(changes: List[str], tools_run: List[str], found: dict) -> str:
    """The tables. `found` is by tool, change and whether times were set back."""
    parts = []
    for settled, title in ((True, "all times set back"), (False, "times as the change leaves them")):
        lines = [[row] + [share([found[tool, c, settled] for c in changes], good) for tool in tools_run]
                 for row, good in ROWS.items()]  # fmt: skip
        parts.append(table([title] + tools_run, lines))
    every = [[change] + [cell(found[tool, change, True]) for tool in tools_run] for change in changes]
    parts += ["Each change, all times set back:", table(["change"] + tools_run, every)]
    versions = [subprocess.run([name, "--version"], stdout=subprocess.PIPE, check=False).stdout.decode()
                .splitlines()[0] for name in ("rsync", "cp", "tar")]  # fmt: skip
    return "\n\n".join([*parts, "Versions: " + "; ".join(versions) + "."])


def main() -> int:
    """Measures all."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    built = os.path.join(os.path.dirname(TESTS), "build", "release", "holdfast")
    parser.add_argument("--program", default=os.environ.get("HOLDFAST", built), help="the holdfast to measure")
    parser.add_argument("--place", default="/dev/shm", help="a folder on the file system to work on")
    parser.add_argument("--markdown", metavar="FILE", help="put the tables between the marks of this page")
    parser.add_argument("changes", nargs="*", metavar="CHANGE", help="these alone")
    options = parser.parse_args()
    changes, found = options.changes or list(CHANGES), {}
    commands = tools(options.program)
    with tempfile.TemporaryDirectory(dir=options.place) as place:
        for change in changes:
            for tool, command in commands.items():
                for settled in (True, False):
                    found[tool, change, settled] = measure(place, command, CHANGES[change], settled)
            print(f"{change}: " + "; ".join(cell(found[tool, change, True]) for tool in commands), flush=True)
    text = page(changes, list(commands), found)
    print(text)
    if options.markdown:
        put_between_marks(options.markdown, text, "mutations")
    return 0


if __name__ == "__main__":
    sys.exit(main())
