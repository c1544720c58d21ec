#!/usr/bin/env python3
"""Mirrors with --reparse: what is left out of the source is left out at the destination, too, and
stays there, on NTFS and where notes say what stood for it."""

import os
import sys

import support
from ntfs_case import Ntfs
from oracle import ntfs as oracle
from trees import ntfs as recipe

NT = "\\??\\"


class LeftOut(Ntfs):
    """Junctions that are skipped, in folders that stay and in folders that go."""

    def setUp(self):
        super().setUp()
        self.source = self.volume().path + "/tree"
        for name in ("stays", "goes/deep", "goes-too"):
            os.makedirs(f"{self.source}/{name}")
        for name in ("j", "stays/j", "goes/deep/j"):
            recipe.make(f"{self.source}/{name}", recipe.junction(NT + "C:\\x", "C:\\x"), True)
        recipe.make(self.source + "/s", recipe.symlink("stays", "stays", True), True)
        recipe.make(self.source + "/goes/s", recipe.symlink("deep", "deep", True), True)
        for name in ("goes/deep/file", "goes-too/file"):
            recipe.write(f"{self.source}/{name}", b"content")

    def names(self, top: str) -> set:
        return {os.path.relpath(os.path.join(folder, name), top)
                for folder, folders, files in os.walk(top) for name in folders + files}  # fmt: skip

    def mirror(self, *words, dest: str, status: int = 0):
        return self.run_ok("mirror", "--json", *words, self.source, dest, status=status).objects()

    def stays(self, dest: str, status: int = 0) -> None:
        """What lies at `dest` is all that the source had."""
        self.run_ok("remove", self.source + "/goes", self.source + "/goes-too", self.source + "/s",
                    self.source + "/j", self.source + "/stays/j")  # fmt: skip
        recipe.make(self.source + "/stays/another", recipe.junction(NT + "D:\\y", "D:\\y"), True)
        words = ("--reparse", "junction=skip", "--delete")
        plan = self.mirror(*words, "--dry-run", dest=dest)
        deleted = sorted(o["path"] for o in plan if o["type"] == "change" and o["action"] == "delete")
        self.assertEqual(deleted, ["tree/goes", "tree/goes-too", "tree/s"])
        self.mirror(*words, "--max-delete", "4", dest=dest, status=1)
        self.assertIn("goes-too", self.names(dest))
        summary = self.mirror(*words, "--max-delete", "5", dest=dest)[-1]
        self.assertEqual(self.names(dest), {"j", "stays", "stays/j", "goes", "goes/deep", "goes/deep/j"})
        self.assertEqual(summary["deleted"], 3)
        self.assertEqual(summary["extras"], 3)
        # Without the option they go.
        self.mirror("--delete", dest=dest, status=status)
        self.assertEqual(self.names(dest), {"stays", "stays/another"})

    def test_on_ntfs(self):
        dest = self.volume().path + "/tree"
        self.mirror(dest=dest)
        before = oracle.get(os.fsencode(dest + "/goes/deep/j"), "reparse_data")
        self.assertIsNotNone(before)
        self.stays(dest)

    def test_where_notes_say_what_they_were(self):
        dest = self.path("tree")
        self.mirror(dest=dest, status=1)  # a junction is none there
        self.stays(dest, status=1)


if __name__ == "__main__":
    sys.exit(support.main())
