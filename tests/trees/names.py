#!/usr/bin/env python3
"""Trees that ask for memory: many names of many files, one folder with very many files, folders very
deep in each other.

    names.py snapshots DEST [--names 1600000] [--groups 171000]    each of its folders has a name of each file
    names.py together DEST [--names 1600000] [--groups 171000]     all names of a file stand in one folder
    names.py wide DEST [--names 1000000]                           files in one folder
    names.py deep DEST [--names 10000]                             folders, each in the one before it

In `snapshots`, as in folders of daily backups, no file's last name comes before almost all files were
seen; in `together` each file's names come one behind the other.
"""

import argparse
import os
import sys

PER_FOLDER = 1000  # files


def make_snapshots(dest: str, names: int, groups: int) -> None:
    """DEST/day-NN/NNN/file-NNNNNN, a file of two bytes; the last day has what is left of `names`."""
    for first in range(0, names, groups):
        day = os.path.join(dest, f"day-{first // groups:02}")
        for number in range(min(groups, names - first)):
            folder, name = f"{number // PER_FOLDER:03}", f"file-{number:06}"
            if number % PER_FOLDER == 0:
                os.makedirs(os.path.join(day, folder))
            _name(os.path.join(dest, "day-00", folder, name), os.path.join(day, folder, name), first == 0)


def make_together(dest: str, names: int, groups: int) -> None:
    """DEST/NNN/file-NNNNNN-NN, files of two bytes, the names spread over them evenly."""
    for number in range(groups):
        folder = os.path.join(dest, f"{number // PER_FOLDER:03}")
        if number % PER_FOLDER == 0:
            os.makedirs(folder)
        count = (number + 1) * names // groups - number * names // groups
        base = os.path.join(folder, f"file-{number:06}-")
        for further in range(count):
            _name(base + "00", f"{base}{further:02}", further == 0)


def _name(first: str, path: str, is_new: bool) -> None:
    if not is_new:
        os.link(first, path)
        return
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    os.write(fd, b"x\n")
    os.close(fd)


def make_wide(dest: str, names: int) -> None:
    """DEST/file-NNNNNNN, empty."""
    os.mkdir(dest)
    for number in range(names):
        os.close(os.open(f"{dest}/file-{number:07}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644))


def make_deep(dest: str, names: int) -> None:
    """DEST/d/d/d/..., a file in each hundredth; made by handles, since no path reaches there."""
    os.mkdir(dest)
    folder = os.open(dest, os.O_RDONLY | os.O_DIRECTORY)
    for number in range(names):
        os.mkdir("d", dir_fd=folder)
        if number % 100 == 0:
            os.close(os.open("file", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644, dir_fd=folder))
        inner = os.open("d", os.O_RDONLY | os.O_DIRECTORY, dir_fd=folder)
        os.close(folder)
        folder = inner
    os.close(folder)


MAKERS = {"snapshots": make_snapshots, "together": make_together, "wide": make_wide, "deep": make_deep}
NAMES = {"snapshots": 1_600_000, "together": 1_600_000, "wide": 1_000_000, "deep": 10_000}


def main() -> int:
    """The command line. Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("kind", choices=MAKERS)
    parser.add_argument("dest")
    parser.add_argument("--names", type=int)
    parser.add_argument("--groups", type=int, default=171_000)
    options = parser.parse_args()
    counts = [options.names or NAMES[options.kind]]
    if options.kind in ("snapshots", "together"):
        counts.append(options.groups)
    MAKERS[options.kind](options.dest, *counts)
    return 0


if __name__ == "__main__":
    sys.exit(main())
