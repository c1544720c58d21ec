#!/usr/bin/env python3
"""Random trees by recipe: the same seed and options make the same tree (but for what a file
system refuses, which is counted as "not here").

    generate.py [--seed N] [--size small|medium] [--user] [--levels N] DEST
    generate.py --full DEST        the tree with every item, always the same
    generate.py --remove DEST      removes a generated tree whatever its flags are
"""

import argparse
import os
import random
import stat
import sys
from dataclasses import dataclass
from typing import List

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from trees.full import full_tree  # noqa: E402
from trees.maker import Maker, cleanup  # noqa: E402
from trees.metadata import Counts, Metadata  # noqa: E402
from trees.randoms import random_content, random_metadata, random_name, random_target  # noqa: E402

__all__ = ["Options", "cleanup", "full_tree", "generate"]

ENTRY_COUNTS = {"small": 60, "medium": 600}
SPARSE_GRAIN = 65536  # no file system in use has larger blocks


@dataclass(frozen=True)
class Options:
    """`user`: only what an ordinary user can make and read back; `levels`: adds a chain of that
    many short folders."""

    size: str = "small"
    user: bool = False
    levels: int = 0


def generate(dest, seed: int, options: Options = Options()) -> Counts:
    """Makes a random tree at `dest`, which must be absent or empty. Returns what was made."""
    recipe = _Recipe(Maker(dest), random.Random(seed), options)
    recipe.run()
    return recipe.maker.counts


class _Recipe:
    """The state of one random tree: folders and names made so far."""

    def __init__(self, maker: Maker, rng: random.Random, options: Options):
        self.maker = maker
        self.rng = rng
        self.options = options
        self.folders: List[bytes] = [b""]
        self.others: List[bytes] = []
        self.taken = set()

    def run(self) -> None:
        steps = {
            self._file: 30,
            self._folder: 18,
            self._symlink: 16,
            self._link: 16,
            self._sparse: 5,
            self._node: 5,
            self._loop: 2,
            self._twins: 2,
            self._large_group: 1,
        }
        count = self.rng.randint(5, ENTRY_COUNTS[self.options.size])
        for step in self.rng.choices(list(steps), list(steps.values()), k=count):
            step()
        if self.rng.random() < 0.15:
            name = self.rng.choice([b"d", b"\xff"]) * 200
            self.maker.chain(self._new_path(), name, 30, b"bottom")
        if self.options.levels:
            self.maker.chain(self._new_path(), b"l", self.options.levels, b"bottom")
        self.maker.dress(self._metadata)

    def _new_path(self, name: bytes = b"") -> bytes:
        while True:
            folder = self.rng.choice(self.folders)
            path = folder + (name or random_name(self.rng))
            if path not in self.taken:
                self.taken.add(path)
                return path
            name = b""

    def _file(self) -> None:
        path = self._new_path()
        if self.maker.file(path, random_content(self.rng)):
            self.others.append(path)

    def _folder(self) -> None:
        path = self._new_path()
        if self.maker.folder(path) and path.count(b"/") < 6 and self.rng.random() < 0.8:
            self.folders.append(path + b"/")

    def _symlink(self) -> None:
        path = self._new_path()
        target, item = random_target(self.rng, path, self.others)
        if self.maker.symlink(path, target, item):
            self.others.append(path)

    def _link(self) -> None:
        if self.others:
            old = self.rng.choice(self.others)
            new = self._new_path()
            if self.maker.link(old, new):
                self.others.append(new)

    def _sparse(self) -> None:
        path = self._new_path()
        units = self.rng.randint(2, 40)
        size = units * SPARSE_GRAIN - self.rng.choice([0, 1, 511, 4096])
        block = self.rng.randbytes(4096) * 16
        item = self.rng.choice(["start", "middle", "end", "all hole", "many", "64 GiB apparent"])
        if item == "64 GiB apparent":
            size, units = 64 << 30, 1 << 20
        at = {
            "start": [units - 2],
            "middle": [0, units - 2],
            "end": [0],
            "all hole": [],
            "many": range(0, units - 1, 2),
            "64 GiB apparent": [self.rng.randrange(units - 1)],
        }[item]
        pieces = [(unit * SPARSE_GRAIN, block) for unit in at]
        if self.maker.sparse(path, size, pieces, item):
            self.others.append(path)

    def _node(self) -> None:
        path = self._new_path()
        numbers = (self.rng.randrange(4096), self.rng.randrange(1 << 20))
        makers = [
            lambda: self.maker.fifo(path),
            lambda: self.maker.socket(path),
            lambda: self.maker.device(path, stat.S_IFCHR, *numbers),
            lambda: self.maker.device(path, stat.S_IFBLK, *numbers),
        ]
        if self.rng.choice(makers[:2] if self.options.user else makers)():
            self.others.append(path)

    def _loop(self) -> None:
        first, second = self._new_path(), self._new_path()
        self.maker.symlink(first, _relative(first, second), "looping")
        self.maker.symlink(second, _relative(second, first), "looping")

    def _twins(self) -> None:
        """Two names in one folder that fold to one under Unicode or case rules."""
        folder = self.rng.choice(self.folders)
        pairs = [(b"caf\xc3\xa9", b"cafe\xcc\x81"), (b"case", b"CASE"), (b"\xe1\xba\x9e", b"\xc3\x9f")]
        for name in self.rng.choice(pairs):
            if folder + name not in self.taken:
                self.taken.add(folder + name)
                self.maker.file(folder + name, name, "twin of another name")
                self.others.append(folder + name)

    def _large_group(self) -> None:
        old = self._new_path()
        if self.maker.file(old, random_content(self.rng)):
            self.others.append(old)
            for _ in range(self.rng.randint(3, 40)):
                self.maker.link(old, self._new_path())

    def _metadata(self, visit) -> Metadata:
        return random_metadata(self.rng, visit.status, self.options.user)


def _relative(source: bytes, goal: bytes) -> bytes:
    """The target that leads from the link `source` to `goal`, both below one root."""
    return b"../" * source.count(b"/") + goal


def main() -> int:
    """The command line. Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("dest")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    parser.add_argument("--size", choices=sorted(ENTRY_COUNTS), default="small")
    parser.add_argument("--user", action="store_true", help="only what an ordinary user can do")
    parser.add_argument("--levels", type=int, default=0, help="adds a chain of short folders")
    parser.add_argument("--full", action="store_true", help="the tree with every item")
    parser.add_argument("--remove", action="store_true", help="remove a generated tree")
    options = parser.parse_args()
    if options.remove:
        cleanup(options.dest)
        return 0
    if options.full:
        counts = full_tree(options.dest)
    else:
        print(f"seed {options.seed}")
        recipe = Options(options.size, options.user, options.levels)
        counts = generate(options.dest, options.seed, recipe)
    for item, count in sorted(counts.items()):
        print(f"{count:6} {item}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
