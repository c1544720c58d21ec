#!/usr/bin/env python3
"""The tests' own judge: is tree B exactly tree A?

    oracle.py compare A B [--ignore FIELD,FIELD...]

prints one line a difference. Exit status: 0 equal, 1 different, 2 trouble.
"""

import argparse
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from oracle.compare import Snapshot, compare  # noqa: E402
from oracle.record import read_record  # noqa: E402
from oracle.walk import LEAVE, TreeChanged, walk  # noqa: E402


def snapshot(root) -> Snapshot:
    """Reads the whole tree at `root` (a folder or a single file): path to Record in canonical
    order. Names of one file share one Record object, so each file is read once."""
    files = {}
    result = {}
    for visit in walk(os.fsencode(root)):
        if visit.event == LEAVE:
            continue
        identity = (visit.status.st_dev, visit.status.st_ino)
        record = files.get(identity)
        if record is None:
            record = read_record(visit.dir_fd, visit.name, visit.status)
            if visit.status.st_nlink > 1:
                files[identity] = record
        result[visit.path] = record
    return result


def main(arguments=None) -> int:
    """The command line. Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("compare", help="print every difference of B from A")
    command.add_argument("a", type=os.fsencode)
    command.add_argument("b", type=os.fsencode)
    command.add_argument("--ignore", default="", help="fields and kinds, separated by commas")
    options = parser.parse_args(arguments)
    ignore = [word for word in options.ignore.split(",") if word]
    try:
        differences = list(compare(snapshot(options.a), snapshot(options.b), ignore))
    except (OSError, TreeChanged) as error:
        print(f"oracle: {error}", file=sys.stderr)
        return 2
    for difference in differences:
        print(difference)
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
