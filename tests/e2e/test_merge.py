#!/usr/bin/env python3
"""Restoring into a folder that already holds something: links put right, nothing half, nothing
reached that lies outside."""

import os
import sys

import support
from support import Case, holdfast, needs_root

MOMENT = 1600000000 * 10**9


class Merge(Case):
    """A small tree `tree`, its archive, and a destination that is changed before the restore."""

    def setUp(self):
        super().setUp()
        self.write("tree/a", b"content A\n")
        self.write("tree/b", b"content B\n")
        self.write("tree/sub/file", b"in sub\n")
        self.write("tree/sub/more", b"more\n")
        os.link(self.path("tree/a"), self.path("tree/c"))
        os.symlink("a", self.path("tree/link"))
        os.mkdir(self.path("tree/empty"))
        for folder, _, names in os.walk(self.path("tree")):
            for name in [*names, "."]:
                path = os.path.join(folder, name)
                os.utime(path, ns=(MOMENT, MOMENT), follow_symlinks=False)
        self.archive = self.path("a.tar.zst")
        self.run_ok("backup", self.path("tree"), self.archive)
        self.out = self.path("out")
        self.write("outside/precious", b"precious\n")
        self.write("outside/file", b"also precious\n")
        self.outside = support.snapshot(self.path("outside"))

    def tearDown(self):
        now = support.snapshot(self.path("outside"))
        lines = [str(item) for item in support.compare(self.outside, now)]
        self.assert_no_lines(lines, "outside of the destination")
        self.assert_no_temporary_names(self.out)

    def restore(self, *options, status: int = 0) -> support.Result:
        return self.run_ok("restore", *options, self.archive, self.out, status=status)

    def assert_exact(self) -> None:
        self.assert_equal_trees(self.path("tree"), self.out + "/tree")
        self.assert_verified(self.path("tree"), self.out + "/tree")

    def existing(self, *names: str) -> str:
        """Restores once, removes `names`, and returns the restored tree's path."""
        self.restore()
        for name in names:
            path = os.path.join(self.out, "tree", name)
            if os.path.isdir(path) and not os.path.islink(path):
                support.cleanup(path)
            else:
                os.unlink(path)
        return self.out + "/tree"

    def test_second_restore_changes_nothing(self):
        self.restore()
        first = support.snapshot(self.out)
        result = self.run_ok("restore", "--dry-run", "--json", self.archive, self.out)
        changes = [item for item in result.objects() if item["type"] == "change"]
        self.assertEqual(changes, [])
        self.restore()
        second = support.snapshot(self.out)
        identities = {path: record.identity for path, record in first.items()}
        self.assertEqual({path: record.identity for path, record in second.items()}, identities)
        self.assert_exact()

    def test_dry_run_changes_nothing(self):
        tree = self.existing("a", "sub")
        os.symlink("x", tree + "/sub")
        before = support.snapshot(self.out)
        result = holdfast("restore", "--dry-run", "--delete", "--json", self.archive, self.out)
        self.assertIn(result.status, (0, 1), str(result))
        self.assertTrue([item for item in result.objects() if item["type"] == "change"])
        now = support.snapshot(self.out)
        self.assert_no_lines([str(item) for item in support.compare(before, now)])

    def test_missing_destination_is_made(self):
        self.restore()
        self.assert_exact()

    def test_joined_names(self):
        tree = self.existing("b")
        os.link(tree + "/a", tree + "/b")
        self.restore()
        self.assert_exact()

    def test_split_names(self):
        tree = self.existing("c")
        self.write("out/tree/c", b"content A\n")
        os.utime(tree + "/c", ns=(MOMENT, MOMENT))
        self.restore()
        self.assert_exact()

    def test_swapped_names(self):
        """{a,c} and {b} stand as {b,c} and {a}, with equal sizes and times."""
        tree = self.existing()
        os.rename(tree + "/a", tree + "/x")
        os.rename(tree + "/b", tree + "/a")
        os.rename(tree + "/x", tree + "/b")
        self.restore("--delete")
        self.assert_exact()

    def test_claimed_inode(self):
        """The destination has {a,b} of B and {c} of A: no content may be lost on the way."""
        tree = self.existing("a")
        os.link(tree + "/b", tree + "/a")
        self.restore()
        self.assert_exact()

    def test_changed_file_with_an_outside_name(self):
        tree = self.existing("b")
        os.link(self.path("outside/precious"), tree + "/b")
        self.outside = support.snapshot(self.path("outside"))
        self.restore()
        self.assert_exact()

    def test_metadata_of_a_file_with_an_outside_name(self):
        tree = self.existing()
        os.chmod(tree + "/b", 0o600)
        os.link(tree + "/b", self.path("outside/same as b"))
        self.outside = support.snapshot(self.path("outside"))
        self.restore()
        self.assert_exact()

    def test_setuid_file_with_an_outside_name(self):
        """The file is replaced by a copy, which loses nothing on its way, and no loss is told."""
        needs_root()
        os.chown(self.path("tree/b"), 1, 1)
        os.chmod(self.path("tree/b"), 0o6755)
        self.run_ok("backup", self.path("tree"), self.archive)
        tree = self.existing()
        os.utime(tree + "/b")
        os.link(tree + "/b", self.path("outside/same as b"))
        self.outside = support.snapshot(self.path("outside"))
        self.restore()
        self.assert_exact()

    def test_symlink_at_a_file(self):
        tree = self.existing("b")
        os.symlink(self.path("outside/precious"), tree + "/b")
        self.restore()
        self.assert_exact()

    def test_symlink_at_a_folder(self):
        tree = self.existing("sub")
        os.symlink(self.path("outside"), tree + "/sub")
        result = self.restore(status=1)
        self.assertIn("sub", result.text)
        self.assertTrue(os.path.islink(tree + "/sub"))

    def test_symlink_at_a_folder_with_delete(self):
        tree = self.existing("sub")
        os.symlink(self.path("outside"), tree + "/sub")
        self.restore("--delete")
        self.assert_exact()

    def test_symlink_at_the_root(self):
        os.mkdir(self.out)
        os.symlink(self.path("outside"), self.out + "/tree")
        holdfast("restore", self.archive, self.out)
        self.assertTrue(os.path.islink(self.out + "/tree"))

    def test_file_at_a_folder(self):
        self.existing("sub")
        self.write("out/tree/sub", b"a file")
        result = holdfast("restore", self.archive, self.out)
        if result.status == 0:
            self.assert_exact()
        else:
            self.assertEqual(result.status, 1, str(result))
            self.assertIn("sub", result.text)

    def test_file_at_a_folder_with_delete(self):
        self.existing("sub")
        self.write("out/tree/sub", b"a file")
        self.restore("--delete")
        self.assert_exact()

    def test_full_folder_at_a_file(self):
        self.existing("b")
        self.write("out/tree/b/inside", b"somebody's")
        result = self.restore(status=1)
        self.assertIn("b", result.text)
        with open(self.out + "/tree/b/inside", "rb") as stream:
            self.assertEqual(stream.read(), b"somebody's")

    def test_full_folder_at_a_file_with_delete(self):
        tree = self.existing("b", "link")
        self.write("out/tree/b/inside", b"somebody's")
        os.symlink(self.path("outside"), tree + "/b/way out")
        self.write("out/tree/link/deep/er")
        self.restore("--delete")
        self.assert_exact()

    def test_empty_folder_at_a_file(self):
        tree = self.existing("b")
        os.mkdir(tree + "/b")
        self.restore()
        self.assert_exact()

    def test_extras_stay_without_delete(self):
        self.existing()
        self.write("out/tree/sub/extra", b"extra")
        self.restore()
        self.assertTrue(os.path.exists(self.out + "/tree/sub/extra"))

    def test_extras_go_with_delete(self):
        tree = self.existing()
        self.write("out/tree/sub/extra", b"extra")
        self.write("out/tree/folder/below/deep", b"extra")
        os.symlink(self.path("outside"), tree + "/way out")
        os.symlink(self.path("outside"), tree + "/folder/way out")
        os.link(tree + "/a", tree + "/further name of a")
        self.write("out/beside the root", b"not in a root")
        self.restore("--delete")
        self.assert_exact()
        self.assertTrue(os.path.exists(self.out + "/beside the root"))

    def test_special_files_in_the_way(self):
        tree = self.existing("a", "link", "sub")
        os.mkfifo(tree + "/a")
        self.write("out/tree/link", b"a file where a link goes")
        os.mkfifo(tree + "/sub")
        self.restore("--delete")
        self.assert_exact()

    def test_keep_existing(self):
        tree = self.existing("sub")
        self.write("out/tree/b", b"mine")
        self.restore("--keep-existing")
        with open(tree + "/b", "rb") as stream:
            self.assertEqual(stream.read(), b"mine")
        self.assert_equal_trees(self.path("tree/sub"), tree + "/sub")

    def test_nothing_is_linked_to_a_kept_file(self):
        tree = self.existing("c")
        os.unlink(tree + "/a")
        self.write("out/tree/a", b"mine")
        self.restore("--keep-existing")
        self.assert_not_same_file(tree + "/a", tree + "/c")
        with open(tree + "/c", "rb") as stream:
            self.assertEqual(stream.read(), b"content A\n")

    def test_keep_newer(self):
        tree = self.existing("a", "b", "c")
        self.write("out/tree/a", b"newer")
        self.write("out/tree/b", b"older")
        os.utime(tree + "/b", ns=(MOMENT - 1, MOMENT - 1))
        self.restore("--keep-newer")
        with open(tree + "/a", "rb") as stream:
            self.assertEqual(stream.read(), b"newer")
        self.assert_equal_trees(self.path("tree/b"), tree + "/b")


if __name__ == "__main__":
    sys.exit(support.main())
