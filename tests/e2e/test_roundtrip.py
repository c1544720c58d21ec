#!/usr/bin/env python3
"""backup, restore and verify of the tree with every item, on real file systems."""

import os
import subprocess
import sys

import support
from mounts import mounted
from support import Case, holdfast, needs_root, place_of
from trees.full import full_tree
from trees.maker import Maker

PLACES = {}


def setUpModule():
    needs_root()
    support.mount_places(globals(), "ext4", "tmpfs", "xfs", "btrfs")


class FullTree(Case):
    """The tree with every item, from and to each file system, in each container."""

    def round_trip(self, source_kind: str, dest_kind: str, suffix: str) -> None:
        source = os.path.join(place_of(PLACES, source_kind), "tree")
        full_tree(source)
        dest = os.path.join(place_of(PLACES, dest_kind), "restored")
        self.addCleanup(support.cleanup, source)
        self.addCleanup(support.cleanup, dest)
        archive = self.path("a" + suffix)
        self.run_ok("backup", source, archive)
        self.run_ok("restore", archive, dest)
        self.assert_equal_trees(source, dest + "/tree")
        self.assert_verified(source, dest + "/tree")
        self.assert_verified(archive, dest + "/tree")
        self.run_ok("verify", archive)

    def test_ext4_zst(self):
        self.round_trip("ext4", "ext4", ".tar.zst")

    def test_ext4_gz(self):
        self.round_trip("ext4", "ext4", ".tar.gz")

    def test_ext4_tar(self):
        self.round_trip("ext4", "ext4", ".tar")

    def test_tmpfs(self):
        self.round_trip("tmpfs", "tmpfs", ".tar.zst")

    def test_tmpfs_to_ext4(self):
        self.round_trip("tmpfs", "ext4", ".tar.zst")

    def test_xfs(self):
        self.round_trip("xfs", "xfs", ".tar.zst")

    def test_btrfs(self):
        self.round_trip("btrfs", "btrfs", ".tar.zst")

    def test_large_attributes_on_tmpfs(self):
        source = os.path.join(place_of(PLACES, "tmpfs"), "tree")
        self.addCleanup(support.cleanup, source)
        full_tree(source, portable=False)
        dest = os.path.join(place_of(PLACES, "tmpfs"), "restored")
        self.addCleanup(support.cleanup, dest)
        self.run_ok("backup", source, self.path("a.tar.zst"))
        self.run_ok("restore", self.path("a.tar.zst"), dest)
        self.assert_equal_trees(source, dest + "/tree")

    def test_pipes(self):
        source = os.path.join(place_of(PLACES, "ext4"), "tree")
        self.addCleanup(support.cleanup, source)
        full_tree(source)
        for form in ("tar.zst", "tar.gz", "tar"):
            dest = self.path("restored " + form)
            write = subprocess.Popen(
                [support.PROGRAM, "backup", "--format", form, source, "-"],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            self.run_ok("restore", "-", dest, stdin=write.stdout)
            write.stdout.close()
            self.assertEqual(write.wait(), 0)
            self.assert_equal_trees(source, dest + "/tree", note=form)

    def test_same_bytes_twice(self):
        source = os.path.join(place_of(PLACES, "ext4"), "tree")
        self.addCleanup(support.cleanup, source)
        full_tree(source)
        contents = []
        for name in ("one.tar.zst", "two.tar.zst"):
            self.run_ok("backup", source, self.path(name))
            with open(self.path(name), "rb") as stream:
                contents.append(stream.read())
        self.assertEqual(contents[0], contents[1])


class Lossy(Case):
    """What the destination cannot hold is named, and the rest is exact."""

    def test_long_target_on_xfs(self):
        source = self.path("tree")
        os.mkdir(source)
        self.write("tree/file")
        os.symlink("x" * 1024, source + "/too long for XFS")
        os.symlink("x" * 1023, source + "/just right")
        dest = os.path.join(place_of(PLACES, "xfs"), "restored")
        self.addCleanup(support.cleanup, dest)
        self.run_ok("backup", source, self.path("a.tar.zst"))
        result = self.run_ok("restore", self.path("a.tar.zst"), dest, status=1)
        self.assertIn("too long for XFS", result.text)
        differences = list(support.compare(support.snapshot(source), support.snapshot(dest + "/tree")))
        found = [(difference.kind, difference.path) for difference in differences]
        self.assertEqual(found, [("missing", b"too long for XFS")])

    def test_deep_short_names(self):
        """10,000 levels: the generator's chain, on tmpfs."""
        source = os.path.join(place_of(PLACES, "tmpfs"), "deep")
        self.addCleanup(support.cleanup, source)
        dest = os.path.join(place_of(PLACES, "tmpfs"), "restored")
        self.addCleanup(support.cleanup, dest)
        Maker(source).chain(b"chain", b"l", 10000, b"bottom")
        self.run_ok("backup", source, self.path("a.tar.zst"), timeout=300)
        self.run_ok("restore", self.path("a.tar.zst"), dest, timeout=300)
        self.assert_equal_trees(source, dest + "/deep")
        self.assert_verified(source, dest + "/deep")

    def test_more_names_than_ext4_allows(self):
        """65,000 names a file: the rest becomes a second file, which is said."""
        source = os.path.join(place_of(PLACES, "tmpfs"), "tree")
        self.addCleanup(support.cleanup, source)
        os.mkdir(source)
        with open(source + "/00000", "wb") as stream:
            stream.write(b"a file of very many names")
        for number in range(1, 65010):
            os.link(source + "/00000", f"{source}/{number:05}")
        dest = os.path.join(place_of(PLACES, "ext4"), "restored")
        self.addCleanup(support.cleanup, dest)
        self.run_ok("backup", source, self.path("a.tar.zst"))
        result = self.run_ok("restore", self.path("a.tar.zst"), dest, status=1)
        self.assertIn("650", result.text)
        names = support.snapshot(dest + "/tree")
        self.assertEqual(len(names), 65011)
        files = {record.identity for record in names.values() if record.kind == "file"}
        self.assertEqual(len(files), 2)

    def test_more_names_than_btrfs_allows(self):
        """An old btrfs has room for a few names of a file in one folder: no name is lost, whoever makes it."""
        source = os.path.join(place_of(PLACES, "tmpfs"), "tree")
        self.addCleanup(support.cleanup, source)
        os.mkdir(source)
        with open(source + "/0", "wb") as stream:
            stream.write(b"a file of many names")
        for number in range(150):
            os.link(source + "/0", f"{source}/{number:0240}")
        self.run_ok("backup", source, self.path("a.tar.zst"))
        with mounted("btrfs", options=["-O", "^extref"]) as place:
            result = self.run_ok("restore", "-j4", self.path("a.tar.zst"), place, status=1)
            self.assertIn("link limit of the destination reached: a new copy begins", result.text)
            self.assertEqual(len(os.listdir(place + "/tree")), 151)

    def test_times_that_ext4_lacks(self):
        """tmpfs holds times that ext4 does not: named, exit 1, no wrong time in silence."""
        source = os.path.join(place_of(PLACES, "tmpfs"), "tree")
        self.addCleanup(support.cleanup, source)
        os.mkdir(source)
        for name, moment in (("far", 2**36), ("early", -(2**33))):
            with open(os.path.join(source, name), "wb"):
                pass
            os.utime(os.path.join(source, name), (moment, moment))
        dest = os.path.join(place_of(PLACES, "ext4"), "restored")
        self.addCleanup(support.cleanup, dest)
        self.run_ok("backup", source, self.path("a.tar"))
        result = self.run_ok("restore", self.path("a.tar"), dest, status=1)
        self.assertIn("far", result.text)
        self.assertIn("early", result.text)

    def test_attributes_that_ext4_lacks(self):
        source = os.path.join(place_of(PLACES, "tmpfs"), "tree")
        self.addCleanup(support.cleanup, source)
        os.mkdir(source)
        with open(source + "/bulky", "wb"):
            pass
        os.setxattr(source + "/bulky", "user.big", b"v" * 30000)
        dest = os.path.join(place_of(PLACES, "ext4"), "restored")
        self.addCleanup(support.cleanup, dest)
        self.run_ok("backup", source, self.path("a.tar"))
        result = self.run_ok("restore", self.path("a.tar"), dest, status=1)
        self.assertIn("bulky", result.text)
        self.assertTrue(os.path.exists(dest + "/tree/bulky"))


class Program(Case):
    """The demo's tree: plain use from the working folder."""

    def test_relative_paths(self):
        self.write("tree/file")
        os.symlink("file", self.path("tree/link"))
        self.assertEqual(holdfast("backup", "tree", "a.tar.gz", cwd=self.work).status, 0)
        self.assertEqual(holdfast("restore", "a.tar.gz", "out", cwd=self.work).status, 0)
        self.assert_equal_trees(self.path("tree"), self.path("out/tree"))

    def test_dot_is_the_folder_name(self):
        self.write("tree/file")
        self.run_ok("backup", ".", self.path("a.tar"), cwd=self.path("tree"))
        self.run_ok("restore", self.path("a.tar"), self.path("out"))
        self.assert_equal_trees(self.path("tree"), self.path("out/tree"))


if __name__ == "__main__":
    sys.exit(support.main())
