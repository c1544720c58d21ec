#!/usr/bin/env python3
"""Random trees: make, back up, restore, compare; then change the restored tree and restore again.

HOLDFAST_TREES trees on each file system (20 if not set), seeds from HOLDFAST_SEED on (drawn if not
set, and printed).
"""

import os
import random
import sys
import time

import support
from support import Case, holdfast, needs_root, place_of
from trees.generate import Options, generate
from trees.metadata import Counts
from trees.mutate import mutate

TREES = int(os.environ.get("HOLDFAST_TREES", "20"))
SEED = int(os.environ.get("HOLDFAST_SEED", random.randrange(10**6) * 1000))
SUFFIXES = (".tar.zst", ".tar", ".tar.gz")
PLACES = {}
MADE = Counts()


def setUpModule():
    needs_root()
    support.mount_places(globals(), "ext4", "tmpfs")
    print(f"seeds {SEED} to {SEED + TREES - 1}, on each file system", flush=True)


def tearDownModule():
    for item, count in sorted(MADE.items()):
        print(f"{count:7} {item}")


class RandomTrees(Case):
    """The seed of a failure is in its message: generate.py --seed N makes the tree again."""

    def each_seed(self, kind: str, check) -> None:
        place = place_of(PLACES, kind)
        for seed in range(SEED, SEED + TREES):
            with self.subTest(seed=seed, place=kind):
                source, dest = os.path.join(place, "tree"), os.path.join(place, "restored")
                try:
                    check(seed, source, dest)
                finally:
                    support.cleanup(source)
                    support.cleanup(dest)

    def round_trip(self, seed: int, source: str, dest: str) -> None:
        size = "medium" if seed % 5 == 0 else "small"
        MADE.update(generate(source, seed, Options(size)))
        archive = self.path("a" + SUFFIXES[seed % len(SUFFIXES)])
        self.run_ok("backup", source, archive)
        self.run_ok("restore", archive, dest)
        self.assert_equal_trees(source, dest + "/tree", note=f"seed {seed}")
        self.assert_verified(source, dest + "/tree")
        self.assert_verified(archive, source)

    def converge(self, seed: int, source: str, dest: str) -> None:
        """A destination in any state becomes the archive's tree. A file that stood there with the
        right content may keep its zeros where the source has holes: verify sees no difference."""
        generate(source, seed, Options("small"))
        archive = self.path("a.tar")
        self.run_ok("backup", source, archive)
        self.run_ok("restore", archive, dest)
        time.sleep(0.02)  # past the grain of the inode clock
        done = mutate(dest + "/tree", seed, 12)
        note = f"seed {seed}: " + ", ".join(done)
        result = holdfast("restore", "--delete", archive, dest)
        self.assertEqual(result.status, 0, f"{note}\n{result}")
        self.assert_equal_trees(source, dest + "/tree", ignore=("holes",), note=note)

    def test_ext4(self):
        self.each_seed("ext4", self.round_trip)

    def test_tmpfs(self):
        self.each_seed("tmpfs", self.round_trip)

    def test_converge_ext4(self):
        self.each_seed("ext4", self.converge)

    def test_converge_tmpfs(self):
        self.each_seed("tmpfs", self.converge)


if __name__ == "__main__":
    sys.exit(support.main())
