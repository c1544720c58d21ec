#!/usr/bin/env python3
"""Removing trees: links as links, nothing through one, nothing that cannot be meant."""

import os
import sys

import support
from mounts import mounted
from ntfs_case import Ntfs
from oracle.oracle import snapshot
from support import Case, holdfast, needs_root, tool
from trees import ntfs as recipe


class Remove(Case):
    """On the system's own file system. `kept` is what links lead to."""

    def setUp(self):
        super().setUp()
        self.write("kept/file", b"not to be touched\n")
        self.write("kept/folder/inside")
        self.before = snapshot(self.path("kept"))

    def tearDown(self):
        self.assertEqual(snapshot(self.path("kept")), self.before)

    def test_a_tree_with_links(self):
        self.write("tree/folder/deep/er/file")
        os.symlink("../kept", self.path("tree/link"))
        os.symlink(self.path("kept/folder"), self.path("tree/folder/link"))
        os.symlink("..", self.path("tree/folder/up"))
        os.mkfifo(self.path("tree/fifo"))
        os.link(self.path("kept/file"), self.path("tree/name"))
        self.before = snapshot(self.path("kept"))
        result = self.run_ok("remove", self.path("tree"))
        self.assertIn("removed 10 names", result.text)
        self.assertFalse(os.path.lexists(self.path("tree")))
        self.before = snapshot(self.path("kept"))  # the link count is another
        self.assertEqual(os.listdir(self.path("kept")), sorted(os.listdir(self.path("kept"))))

    def test_a_path_that_is_a_link_is_removed_as_a_link(self):
        for slashes in ("", "/", "//"):
            with self.subTest(slashes=slashes):
                os.symlink("kept", self.path("link"))
                self.run_ok("remove", self.path("link") + slashes)
                self.assertFalse(os.path.lexists(self.path("link")))

    def test_a_path_below_a_link_is_reached(self):
        self.write("other/tree/file")
        os.symlink("other", self.path("way"))
        self.run_ok("remove", self.path("way/tree/"))
        self.assertEqual(os.listdir(self.path("other")), [])

    def test_what_cannot_be_meant_is_refused_before_anything_goes(self):
        self.write("tree/file")
        for words in ("/", "//", ".", "..", "./", "tree/..", "tree/.", "tree/../", ""):
            with self.subTest(path=words):
                result = holdfast("remove", "tree", words, cwd=self.work)
                self.assertEqual(result.status, 2, str(result))
                self.assertTrue(os.path.exists(self.path("tree/file")))

    def test_a_name_that_is_not_there(self):
        self.run_ok("remove", self.path("nothing"), status=2)
        self.write("tree/file")
        result = self.run_ok("remove", self.path("nothing"), self.path("tree"), status=1)
        self.assertIn("nothing", result.text)
        self.assertFalse(os.path.exists(self.path("tree")))

    def test_dry_run_tells_every_name_and_changes_nothing(self):
        self.write("tree/a/b")
        os.symlink("../kept", self.path("tree/link"))
        before = snapshot(self.path("tree"))
        planned = self.run_ok("remove", "--json", "--dry-run", self.path("tree"))
        self.assertEqual(snapshot(self.path("tree")), before)
        done = self.run_ok("remove", "--json", self.path("tree"))
        self.assertEqual(planned.out, done.out)
        told = {os.path.relpath(item["path"], self.work) for item in done.objects() if item["type"] == "change"}
        self.assertEqual(told, {"tree", "tree/a", "tree/a/b", "tree/link"})

    def test_paths_are_told_as_they_were_typed(self):
        self.write("tree/file")
        result = self.run_ok("remove", "-v", "./tree", cwd=self.work)
        self.assertEqual(result.out, b"delete    ./tree/file\ndelete    ./tree\n")

    def test_a_folder_that_may_not_be_changed(self):
        needs_root()
        self.write("tree/stuck/file")
        self.write("tree/free/file")
        tool("chattr", "+i", self.path("tree/stuck"))
        try:
            if tool("lsattr", "-d", self.path("tree/stuck")).status != 0:
                self.skipTest("no file flags here")
            result = self.run_ok("remove", self.path("tree"), status=1)
            self.assertIn("tree/stuck", result.text)
            self.assertEqual(os.listdir(self.path("tree")), ["stuck"])
            self.run_ok("remove", "--clear-flags", self.path("tree"))
        finally:
            tool("chattr", "-i", self.path("tree/stuck"))
        self.assertFalse(os.path.exists(self.path("tree")))

    def test_a_tree_deeper_than_a_path(self):
        folder = os.open(self.work, os.O_RDONLY)
        for _ in range(3000):
            os.mkdir("deep", dir_fd=folder)
            inner = os.open("deep", os.O_RDONLY, dir_fd=folder)
            os.close(folder)
            folder = inner
        os.close(folder)
        self.assertIn("removed 3000 names", self.run_ok("remove", self.path("deep")).text)


class Mounts(Case):
    """What is mounted stays, and all that is on it."""

    def setUp(self):
        needs_root()
        super().setUp()
        self.write("tree/file")
        self.write("other/file")
        os.mkdir(self.path("tree/place"))

    def stays(self) -> None:
        for path in ("tree", "tree/place"):
            result = self.run_ok("remove", self.path(path), status=1)
            self.assertIn("mounted here", result.text)
            self.assertIn("tree/place", result.text)
        self.assertEqual(os.listdir(self.path("tree/place")), ["file"])

    def test_another_file_system(self):
        with mounted("tmpfs") as other:
            with open(other + "/file", "wb"):
                pass
            tool("mount", "--bind", other, self.path("tree/place"))
            try:
                self.stays()
            finally:
                tool("umount", self.path("tree/place"))

    def test_a_folder_of_the_same_file_system(self):
        tool("mount", "--bind", self.path("other"), self.path("tree/place"))
        try:
            self.stays()
        finally:
            tool("umount", self.path("tree/place"))
        self.run_ok("remove", self.path("tree"))
        self.assertEqual(os.listdir(self.path("other")), ["file"])


class Junctions(Ntfs):
    """Links of Windows: Explorer's and rd's old traps."""

    def setUp(self):
        needs_root()
        super().setUp()
        self.top = self.volume().path
        os.makedirs(self.top + "/kept/folder")
        recipe.write(self.top + "/kept/folder/file", b"not to be touched\n")

    def tearDown(self):
        with open(self.top + "/kept/folder/file", "rb") as stream:
            self.assertEqual(stream.read(), b"not to be touched\n")

    def test_a_junction_itself(self):
        for slash in ("", "/"):
            with self.subTest(slash=slash):
                recipe.make(self.top + "/j", recipe.junction("\\??\\C:\\kept", "C:\\kept"), True)
                self.run_ok("remove", self.top + "/j" + slash)
                self.assertNotIn("j", os.listdir(self.top))

    def test_a_tree_of_all_kinds_of_links(self):
        os.makedirs(self.top + "/tree/links")
        recipe.links(self.top + "/tree/links")
        recipe.make(self.top + "/tree/kept", recipe.junction("\\??\\C:\\kept", "C:\\kept"), True)
        recipe.make(self.top + "/tree/up", recipe.symlink("..", "..", True), True)
        self.run_ok("remove", self.top + "/tree")
        self.assertEqual(os.listdir(self.top), ["kept"])


if __name__ == "__main__":
    sys.exit(support.main())
