#!/usr/bin/env python3
"""Roots: what a source is called in the archive, and where it comes back."""

import fcntl
import os
import sys

import support
from support import Case, holdfast, named, tool


class Roots(Case):
    """One root or several, named as DESIGN 6 says: base name as typed, ~2 for an equal one."""

    def backup(self, *arguments, status: int = 0) -> str:
        archive = self.path("a.tar.zst")
        self.run_ok("backup", *arguments, archive, status=status)
        return archive

    def restored(self, archive: str, *options) -> str:
        dest = self.path("out")
        self.run_ok("restore", *options, archive, dest)
        return dest

    def test_single_file(self):
        path = self.write("lonely file", b"alone")
        os.setxattr(path, "user.x", b"y")
        archive = self.backup(path)
        dest = self.restored(archive)
        self.assert_equal_trees(path, dest + "/lonely file")
        self.assert_verified(archive, dest + "/lonely file")

    def test_several(self):
        self.write("one/a")
        self.write("two/b")
        dest = self.restored(self.backup(self.path("two"), self.path("one")))
        self.assert_equal_trees(self.path("one"), dest + "/one")
        self.assert_equal_trees(self.path("two"), dest + "/two")

    def test_equal_names(self):
        self.write("x/docs/first")
        self.write("y/docs/second")
        dest = self.restored(self.backup(self.path("y/docs"), self.path("x/docs")))
        self.assert_equal_trees(self.path("x/docs"), dest + "/docs")
        self.assert_equal_trees(self.path("y/docs"), dest + "/docs~2")

    def test_hard_link_across_roots(self):
        self.write("one/a")
        os.makedirs(self.path("two"))
        os.link(self.path("one/a"), self.path("two/b"))
        dest = self.restored(self.backup(self.path("one"), self.path("two")))
        self.assert_same_file(dest + "/one/a", dest + "/two/b")

    def test_nested_root_is_stored_once(self):
        self.write("outer/inner/file")
        self.write("outer/other")
        archive = self.backup(self.path("outer"), self.path("outer/inner"))
        dest = self.restored(archive)
        self.assert_equal_trees(self.path("outer"), dest + "/outer")
        self.assertEqual(os.listdir(dest), ["outer"])

    def test_as(self):
        self.write("tree/file")
        dest = self.restored(self.backup("--as", "other name", self.path("tree")))
        self.assert_equal_trees(self.path("tree"), dest + "/other name")

    def test_root_at_a_place(self):
        self.write("tree/file")
        self.write("more/file")
        archive = self.backup(self.path("tree"), self.path("more"))
        place = self.path("elsewhere/new")
        os.mkdir(self.path("elsewhere"))
        dest = self.restored(archive, "--root", "tree=" + place)
        self.assert_equal_trees(self.path("tree"), place)
        self.assert_equal_trees(self.path("more"), dest + "/more")
        self.assertFalse(os.path.lexists(dest + "/tree"))

    def test_root_through_a_link(self):
        """The last component of a root is followed, with and without a trailing slash."""
        self.write("real/file")
        os.symlink("real", self.path("alias"))
        for number, typed in enumerate((self.path("alias"), self.path("alias/"))):
            archive, dest = self.path(f"{number}.tar"), self.path(f"out{number}")
            self.run_ok("backup", typed, archive)
            self.run_ok("restore", archive, dest)
            self.assert_equal_trees(self.path("real"), dest + "/alias")

    def test_destination_through_a_link(self):
        self.write("tree/file")
        os.mkdir(self.path("real"))
        os.symlink("real", self.path("out"))
        self.restored(self.backup(self.path("tree")))
        self.assertTrue(os.path.islink(self.path("out")))
        self.assert_equal_trees(self.path("tree"), self.path("real/tree"))

    def test_one_of_several_is_missing(self):
        self.write("tree/file")
        archive = self.path("a.tar.zst")
        result = self.run_ok("backup", self.path("gone"), self.path("tree"), archive, status=1)
        self.assertIn("gone", result.text)
        self.run_ok("restore", archive, self.path("out"))
        self.assert_equal_trees(self.path("tree"), self.path("out/tree"))

    def test_destination_that_is_a_link(self):
        self.write("tree/file")
        archive = self.path("a.tar")
        self.run_ok("backup", self.path("tree"), archive)
        os.symlink(self.path("nowhere"), self.path("link"))
        result = self.run_ok("restore", archive, self.path("link"), status=2)
        self.assertIn("is a link that leads nowhere", result.text)
        result = self.run_ok("restore", "--root", f"tree={self.path('link')}", archive, status=2)
        self.assertIn("is a link that leads nowhere", result.text)
        self.assertFalse(os.path.exists(self.path("nowhere")))
        os.mkdir(self.path("nowhere"))
        self.run_ok("restore", archive, self.path("link"))
        self.assert_equal_trees(self.path("tree"), self.path("nowhere/tree"))

    def test_nothing_is_said_to_stay_of_nothing(self):
        """A run that stops before its first change."""
        self.write("tree/file")
        archive = self.path("a.tar")
        self.run_ok("backup", self.path("tree"), archive)
        os.mkdir(self.path("out"))
        lock = os.open(self.path("out"), os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            result = self.run_ok("restore", archive, self.path("out"), status=2)
        finally:
            os.close(lock)
        self.assertIn("another run is writing here", result.text)
        self.assertNotIn("stays", result.text)

    def test_folders_that_the_run_makes_itself_follow_the_umask(self):
        self.write("tree/sub/file")
        archive = self.path("a.tar")
        tool("tar", "-C", self.work, "-cf", archive, "tree/sub/file")
        for umask in (0o022, 0o077, 0o002):
            with self.subTest(umask=oct(umask)):
                out = self.path(f"new/out {umask}")
                self.run_ok("restore", archive, out, umask=umask)
                for folder in (self.path("new"), out, out + "/tree", out + "/tree/sub"):
                    self.assertEqual(os.stat(folder).st_mode & 0o7777, 0o777 & ~umask, folder)
                support.cleanup(self.path("new"))


class Selection(Case):
    """restore ARCHIVE PATH... DEST: the paths, all below them, and the folders above them."""

    def setUp(self):
        super().setUp()
        self.write("tree/a", b"one file of three names\n")
        self.write("tree/sub/deep/file", b"deep\n")
        self.write("tree/sub/other")
        self.write("tree/zoo/animal")
        os.link(self.path("tree/a"), self.path("tree/sub/b"))
        os.link(self.path("tree/a"), self.path("tree/zoo/c"))
        os.utime(self.path("tree/sub"), ns=(5, 123456789))
        self.archive = self.path("a.tar.zst")
        self.run_ok("backup", self.path("tree"), self.archive)

    def names(self) -> list:
        return sorted(path.decode() for path in support.snapshot(self.path("out")))

    def test_folder(self):
        self.run_ok("restore", self.archive, "tree/zoo", self.path("out"))
        self.assertEqual(self.names(), [".", "tree", "tree/zoo", "tree/zoo/animal", "tree/zoo/c"])
        self.assert_equal_trees(self.path("tree/zoo"), self.path("out/tree/zoo"))

    def test_deep_file_with_the_metadata_of_its_folders(self):
        self.run_ok("restore", self.archive, "tree/sub/deep/file", self.path("out"))
        self.assertEqual(
            self.names(), [".", "tree", "tree/sub", "tree/sub/deep", "tree/sub/deep/file"]
        )
        self.assertEqual(os.stat(self.path("out/tree/sub")).st_mtime_ns, 123456789)

    def check_further_names(self) -> None:
        self.assertEqual(self.names(), [".", "tree", "tree/sub", "tree/sub/b", "tree/zoo", "tree/zoo/c"])
        self.assert_same_file(self.path("out/tree/sub/b"), self.path("out/tree/zoo/c"))
        with open(self.path("out/tree/zoo/c"), "rb") as stream:
            self.assertEqual(stream.read(), b"one file of three names\n")

    def test_further_names_without_the_first(self):
        self.run_ok("restore", self.archive, "tree/zoo/c", "tree/sub/b", self.path("out"))
        self.check_further_names()

    def test_further_names_without_the_first_from_a_pipe(self):
        with open(self.archive, "rb") as stream:
            self.run_ok("restore", "-", "tree/zoo/c", "tree/sub/b", self.path("out"), stdin=stream)
        self.check_further_names()

    def test_folders_on_the_way_that_are_there_stay(self):
        """Nobody asked for them: neither mode nor times are set, and of a wrong PATH nothing is."""
        self.write("out/tree/sub/mine")
        os.chmod(self.path("out/tree/sub"), 0o700)
        before = support.snapshot(self.path("out"))
        self.run_ok("restore", self.archive, "tree/sub/nothing", self.path("out"), status=1)
        now = support.snapshot(self.path("out"))
        self.assert_no_lines([str(item) for item in support.compare(before, now)])
        for archive in (self.archive, self.foreign_archive()):
            self.run_ok("restore", archive, "tree/sub/deep", self.path("out"))
            self.assertEqual(os.stat(self.path("out/tree/sub")).st_mode & 0o7777, 0o700)
            self.assertNotEqual(os.stat(self.path("out/tree/sub")).st_mtime_ns, 123456789)
            self.assert_equal_trees(self.path("tree/sub/deep"), self.path("out/tree/sub/deep"))
            support.cleanup(self.path("out/tree/sub/deep"))

    def foreign_archive(self) -> str:
        """The tree in an archive of another tool's."""
        archive = self.path("foreign.tar")
        tool("tar", "--format=pax", "-C", self.work, "-cf", archive, "tree")
        return archive

    def test_folders_on_the_way_are_made_for_something_alone(self):
        os.mkdir(self.path("out"))
        for archive in (self.archive, self.foreign_archive()):
            for option in ("--dry-run", "--no-sync"):
                words = ("restore", option, "--json", archive, "tree/sub/nothing", self.path("out"))
                result = self.run_ok(*words, status=1)
                self.assertEqual([o for o in result.objects() if o["type"] == "change"], [])
                self.assertEqual(self.names(), ["."])
        result = self.run_ok(
            "restore", "--dry-run", "--json", self.archive, "tree/sub/deep", self.path("out")
        )
        told = [named(o) for o in result.objects() if o["type"] == "change"]
        self.assertEqual(
            told, [b"tree", b"tree/sub", b"tree/sub/deep", b"tree/sub/deep/file"], str(result)
        )

    def test_folder_on_the_way_that_comes_last(self):
        """Another tool's archive may tell of a folder behind its content."""
        archive = self.path("late.tar")
        names = ("tree/sub/deep/file", "tree/sub/deep", "tree/sub", "tree")
        tool("tar", "--format=pax", "-C", self.work, "--no-recursion", "-cf", archive, *names)
        self.run_ok("restore", archive, "tree/sub/deep/file", self.path("out"))
        self.assertEqual(os.stat(self.path("out/tree/sub")).st_mtime_ns, 123456789)

    def test_link_on_the_way_is_none_of_the_paths(self):
        os.makedirs(self.path("out/tree"))
        os.mkdir(self.path("elsewhere"))
        os.symlink(self.path("elsewhere"), self.path("out/tree/sub"))
        self.run_ok("restore", "--delete", self.archive, "tree/sub/deep", self.path("out"), status=1)
        self.assertTrue(os.path.islink(self.path("out/tree/sub")))
        self.assertEqual(os.listdir(self.path("elsewhere")), [])

    def test_path_that_is_not_there(self):
        result = holdfast("restore", self.archive, "tree/zoo", "tree/nothing", self.path("out"))
        self.assertIn(result.status, (1, 2), str(result))
        self.assertIn("tree/nothing", result.text)

    def test_path_without_its_root(self):
        for command in (("restore", self.archive, "zoo", self.path("out")), ("list", self.archive, "zoo")):
            result = self.run_ok(*command, status=1)
            self.assertIn("PATHs begin with a root: tree/zoo?", result.text)

    def test_verify_of_one_root(self):
        os.mkdir(self.path("second"))
        os.symlink("nothing", self.path("second/link"))
        archive, folder = self.path("both.tar"), self.path("second")
        self.run_ok("backup", self.path("tree"), folder, archive)
        for sides in ((archive, folder), (folder, archive), (archive, archive)):
            self.assertIn("equal: 2 entries", self.run_ok("verify", "--root", "second", *sides).text)

    def test_verify_of_the_folder_above(self):
        self.run_ok("restore", self.archive, self.path("out"))
        result = self.run_ok("verify", self.archive, self.path("out"), status=1)
        self.assertIn(f"did you mean {self.path('out')}/tree?", result.text)
        result = self.run_ok("verify", self.path("out"), self.archive, status=1)
        self.assertIn(f"did you mean {self.path('out')}/tree?", result.text)
        self.assertNotIn("did you mean", self.run_ok("verify", self.archive, self.path("out/tree")).text)

    def test_delete_acts_inside_the_paths_alone(self):
        self.run_ok("restore", self.archive, self.path("out"))
        self.write("out/tree/extra outside")
        self.write("out/tree/zoo/extra inside")
        self.run_ok("restore", "--delete", self.archive, "tree/zoo", self.path("out"))
        self.assertTrue(os.path.exists(self.path("out/tree/extra outside")))
        self.assertFalse(os.path.exists(self.path("out/tree/zoo/extra inside")))

    def test_list_of_a_path(self):
        result = self.run_ok("list", "--json", self.archive, "tree/zoo")
        paths = {named(item) for item in result.objects() if item["type"] == "entry"}
        self.assertIn(b"tree/zoo/animal", paths)
        self.assertNotIn(b"tree/sub/other", paths)


if __name__ == "__main__":
    sys.exit(support.main())
