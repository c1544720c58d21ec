#!/usr/bin/env python3
"""NTFS volumes mounted by ntfs-3g: junctions, Windows' symbolic links and every other reparse point,
backed up and restored byte for byte; what NTFS has besides; and across systems. Judged by an oracle
that reads the volume's attributes itself."""

import os
import sys

import support
from mounts import ntfs
from oracle import ntfs as oracle
from support import Case, holdfast, needs_root
from trees import ntfs as recipe


def setUpModule():
    needs_root()


class Ntfs(Case):
    """Tests with volumes of their own."""

    def volume(self):
        """A mounted volume that goes with the test."""
        context = ntfs()
        volume = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        return volume

    def assert_same_on_ntfs(self, a: str, b: str, ignore=()) -> None:
        """Nothing that the oracle sees differs."""
        lines = oracle.compare(oracle.snapshot(a), oracle.snapshot(b))
        lines = [line for line in lines if not line.split(": ")[0] in ignore]
        self.assertEqual(lines, [])


class RoundTrip(Ntfs):
    """From one volume to another."""

    def round_trip(self, suffix: str) -> None:
        source, dest = self.volume(), self.volume()
        recipe.ntfs_tree(source.path + "/tree")
        source.remount()
        archive = self.path("a" + suffix)
        backup = holdfast("backup", source.path + "/tree", archive)
        self.assertEqual(backup.status, 1, backup)
        self.assertIn("its content cannot be read here", backup.text)
        self.assertIn("behind/wof", backup.text)
        self.assertIn("behind/dedup", backup.text)
        self.run_ok("verify", archive, status=1)  # says again what the backup lacks
        self.run_ok("restore", archive, dest.path, status=1)  # and once more
        dest.remount()
        self.assert_same_on_ntfs(source.path + "/tree", dest.path + "/tree")

    def test_zst(self):
        self.round_trip(".tar.zst")

    def test_gz(self):
        self.round_trip(".tar.gz")

    def test_tar(self):
        self.round_trip(".tar")


class Malformed(Ntfs):
    """Buffers that break the rules of their tags."""

    def test_they_come_back_and_are_told(self):
        source, dest = self.volume(), self.volume()
        os.mkdir(source.path + "/tree")
        made = recipe.malformed(source.path + "/tree")
        self.assertGreater(made, 30)
        source.remount()
        archive = self.path("a.tar.zst")
        backup = self.run_ok("backup", source.path + "/tree", archive)
        self.assertIn("malformed", backup.text)
        self.run_ok("restore", archive, dest.path)
        dest.remount()
        self.assert_same_on_ntfs(source.path + "/tree", dest.path + "/tree")
        self.assert_verified(archive, dest.path + "/tree")


if __name__ == "__main__":
    sys.exit(support.main())
