#!/usr/bin/env python3
"""Folders are swapped for links while the program runs (SAFETY R2): a backup stores nothing from outside its source, a
restore changes nothing outside its destination. HOLDFAST_ROUNDS sets how many rounds are run."""

import multiprocessing
import os
import shutil
import unittest

import support
from support import Case, holdfast

ROUNDS = int(os.environ.get("HOLDFAST_ROUNDS", "8"))
FILES = 150


def _swap(folder: str, link_to: str) -> None:
    """Puts a link in the folder's place and the folder back again, for ever."""
    aside = folder + ".aside"
    while True:
        try:
            os.rename(folder, aside)
            os.symlink(link_to, folder)
            os.unlink(folder)
            os.rename(aside, folder)
        except OSError:  # the program made something in the gap, or has not made the folder yet
            if os.path.islink(folder):
                os.unlink(folder)
            if os.path.isdir(aside) and not os.path.lexists(folder):
                os.rename(aside, folder)


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

    def swapped(self, folder, *arguments):
        """Runs the program while another process swaps `folder`, and puts the folder back."""
        process = multiprocessing.Process(target=_swap, args=(folder, self.outside), daemon=True)
        process.start()
        holdfast(*arguments)
        process.kill()
        process.join()
        if os.path.islink(folder):
            os.unlink(folder)
        if os.path.isdir(folder + ".aside"):
            shutil.rmtree(folder, ignore_errors=True)
            os.rename(folder + ".aside", folder)

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


if __name__ == "__main__":
    unittest.main()
