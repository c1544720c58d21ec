#!/usr/bin/env python3
"""A link farm shaped like a package manager's store: hashed store files, projects whose names are
hard links into it, and symlinks between packages.

    farm.py DEST [--names 100000] [--groups 40000] [--no-links]

`names` counts every entry. Without links the store alone is made: as many files, no further name.
"""

import argparse
import os
import random
import sys
from typing import List

WORDS = (
    "const function return export default import from module require this.options props state "
    "undefined null true false if (!value) { } => => ; , . = === !== && || throw new Error( "
    "async await Promise.resolve( Object.keys( Array.isArray( typeof length index callback "
    "parser token node child parent visitor compiler context source map version license "
    '"use strict"; /** @param {string} */ // TODO-free for (let i = 0; i < n; i++) switch case'
).split(" ")
POOL_BYTES = 24 << 20  # larger than the compressors' windows, so that files do not repeat
FILES_PER_PACKAGE = 12


def make_farm(dest, names: int = 100000, groups: int = 40000, links: bool = True) -> dict:
    """Makes the farm at `dest` and returns its counts. The same arguments make the same farm."""
    rng = random.Random(20261122)
    os.makedirs(dest)
    store = _make_store(dest, groups, rng)
    counts = {"files": groups, "folders": 257, "further names": 0, "symlinks": 0}
    if links:
        _make_projects(dest, store, names - groups - 257, counts)
    counts["bytes"] = sum(os.stat(path).st_size for path in store)
    return counts


def _make_store(dest: str, groups: int, rng: random.Random) -> List[str]:
    pool = make_pool(rng)
    for number in range(256):
        os.makedirs(f"{dest}/store/{number:02x}")
    store = []
    for number in range(groups):
        key = f"{rng.getrandbits(160):040x}"
        path = f"{dest}/store/{key[:2]}/{key[2:]}"
        size = min(int(rng.lognormvariate(7.6, 1.12)) + 1, 4 << 20)
        at = rng.randrange(POOL_BYTES - size)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        os.write(fd, b"/* %s */\n" % key.encode() + pool[at : at + size])
        os.close(fd)
        store.append(path)
    return store


def make_pool(rng: random.Random) -> bytes:
    """Text that compresses about as well as program source does: common words, rare names."""
    parts = []
    size = 0
    while size < POOL_BYTES:
        names = [f"{rng.getrandbits(40):x}" for _ in range(60)]
        text = " ".join(rng.choices(WORDS, k=900) + names + rng.choices(WORDS + names, k=400))
        parts.append(text.replace("; ", ";\n  "))
        size += len(parts[-1])
    return "".join(parts).encode()[:POOL_BYTES]


def _make_projects(dest: str, store: List[str], budget: int, counts: dict) -> None:
    """Packages of links into the store until `budget` entries are made. Each pass over the store
    is one project, so that a file has as many further names as there are passes."""
    project, package = 0, 0
    while budget > 0:
        base = f"{dest}/projects/p{project}/node_modules"
        os.makedirs(base + "/.pnpm")
        for first in range(0, len(store), FILES_PER_PACKAGE):
            if budget <= 0:
                break
            files = store[first : first + FILES_PER_PACKAGE]
            budget -= _make_package(base, package, files[: max(budget - 3, 1)], counts)
            package += 1
        project += 1


def _make_package(base: str, number: int, files: List[str], counts: dict) -> int:
    inner = f"{base}/.pnpm/pkg-{number}@1.{number % 10}.0"
    os.makedirs(inner + "/lib")
    for at, path in enumerate(files):
        os.link(path, f"{inner}/lib/file{at}.js")
    os.symlink(f".pnpm/pkg-{number}@1.{number % 10}.0", f"{base}/pkg-{number}")
    counts["folders"] += 2
    counts["further names"] += len(files)
    counts["symlinks"] += 1
    return len(files) + 3


def main() -> int:
    """The command line. Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("dest")
    parser.add_argument("--names", type=int, default=100000, help="entries in all")
    parser.add_argument("--groups", type=int, default=40000, help="files in the store")
    parser.add_argument("--links", action=argparse.BooleanOptionalAction, default=True)
    options = parser.parse_args()
    print(make_farm(options.dest, options.names, options.groups, options.links))
    return 0


if __name__ == "__main__":
    sys.exit(main())
