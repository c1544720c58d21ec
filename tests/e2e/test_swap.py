#!/usr/bin/env python3
"""Folders are swapped for links while the program runs (SAFETY R2): a backup and a mirror take nothing from outside their
source, a restore, a mirror and a removal change nothing outside their destination. HOLDFAST_ROUNDS sets how many rounds are run.
Each test tells how often the folder was swapped while the program ran, and how many runs met a swap: named something for it."""

import ctypes
import multiprocessing
import os
import shutil
import time
import unittest

import support
from support import Case, holdfast

ROUNDS = int(os.environ.get("HOLDFAST_ROUNDS", "8"))
FILES = 1000
AT_FDCWD, RENAME_EXCHANGE = -100, 2


def _swap(folder: str, spare: str, count) -> None:
    """Exchanges the folder and a link at `spare`, for ever, each time at once (renameat2), and counts."""
    exchange = ctypes.CDLL(None).renameat2
    names = os.fsencode(folder), os.fsencode(spare)
    while True:
        if exchange(AT_FDCWD, names[0], AT_FDCWD, names[1], RENAME_EXCHANGE) == 0:
            count.value += 1


class Swapped(Case):
    def setUp(self):
        super().setUp()
        self.outside = self.path("outside")
        os.mkdir(self.outside)
        for i in range(FILES):
            with open(os.path.join(self.outside, f"f{i}"), "w", encoding="ascii") as file:
                file.write("SECRET")
        self.inner = self.path("tree/a/b")
        os.makedirs(self.inner)
        for i in range(FILES):
            with open(os.path.join(self.inner, f"f{i}"), "w", encoding="ascii") as file:
                file.write("public")
        self.archive = self.path("a.tar")
        self.run_ok("backup", self.path("tree"), self.archive)
        self.swaps, self.rounds_swapped, self.rounds_met = 0, 0, 0
        self.addCleanup(self.tell)

    def tell(self):
        print(f"{self.swaps} swaps during {self.rounds_swapped} of {ROUNDS} runs, met by {self.rounds_met}", flush=True)

    def swapped(self, folder, *arguments):
        """Runs the program while another process swaps `folder`, and puts the folder back."""
        spare = self.path("spare")
        os.symlink(self.outside, spare)
        count = multiprocessing.Value(ctypes.c_uint64, lock=False)
        process = multiprocessing.Process(target=_swap, args=(folder, spare, count), daemon=True)
        process.start()
        while count.value < 10:  # until it is at it
            time.sleep(0.001)
        before = count.value
        result = holdfast(*arguments)
        swaps = count.value - before
        self.swaps += swaps
        self.rounds_swapped += swaps > 0
        self.rounds_met += result.status != 0
        process.kill()
        process.join()
        if os.path.islink(folder) and os.path.isdir(spare):
            os.unlink(folder)
            os.rename(spare, folder)
        if os.path.islink(spare):
            os.unlink(spare)
        else:
            shutil.rmtree(spare, ignore_errors=True)

    def assert_no_leak(self, top):
        """Nothing of what lies outside stands in a copy."""
        for folder, _, files in os.walk(top):
            for name in files:
                with open(os.path.join(folder, name), "rb") as stream:
                    self.assertNotIn(b"SECRET", stream.read())

    def test_source(self):
        for _ in range(ROUNDS):
            self.swapped(self.inner, "backup", self.path("tree"), self.path("b.tar"))
            with open(self.path("b.tar"), "rb") as archive:
                self.assertNotIn(b"SECRET", archive.read())

    def test_destination(self):
        before = support.snapshot(self.outside)
        for i in range(ROUNDS):
            out = self.path(f"out{i}")
            os.makedirs(os.path.join(out, "tree/a/b"))
            folder = os.path.join(out, "tree/a/b")
            self.swapped(folder, "restore", "--no-sync", self.archive, out)
            self.assertEqual(list(support.compare(before, support.snapshot(self.outside))), [])

    def test_source_of_a_mirror(self):
        for i in range(ROUNDS):
            out = self.path(f"out{i}")
            self.swapped(self.inner, "mirror", "--no-sync", self.path("tree"), out)
            self.assert_no_leak(out)

    def test_destination_of_a_mirror(self):
        before = support.snapshot(self.outside)
        for i in range(ROUNDS):
            folder = self.path(f"out{i}/a/b")
            os.makedirs(folder)
            for name in ("f1", "f2", "extra"):
                with open(os.path.join(folder, name), "wb") as file:
                    file.write(b"other")
            self.swapped(folder, "mirror", "--no-sync", "--delete", self.path("tree"), self.path(f"out{i}"))
            self.assert_no_leak(self.path(f"out{i}"))
            self.assertEqual(list(support.compare(before, support.snapshot(self.outside))), [])

    def test_removal(self):
        before = support.snapshot(self.outside)
        for i in range(ROUNDS):
            shutil.copytree(self.path("tree"), self.path(f"gone{i}"))
            self.swapped(self.path(f"gone{i}/a/b"), "remove", self.path(f"gone{i}"))
            self.assertEqual(list(support.compare(before, support.snapshot(self.outside))), [])


if __name__ == "__main__":
    unittest.main()
