#!/usr/bin/env python3
"""NTFS volumes: what the user says of reparse points by their tags, and what cannot be kept or made:
long and hidden streams, more names of a file than there can be, folders' links with two names."""

import os
import sys

import support
from ntfs_case import Ntfs
from oracle import ntfs as oracle
from support import holdfast, needs_root
from trees import ntfs as recipe


def setUpModule():
    needs_root()


class Tags(Ntfs):
    """--reparse TAG=WAY."""

    def setUp(self):
        super().setUp()
        self.source = self.volume()
        self.tree = self.source.path + "/tree"
        recipe.ntfs_tree(self.tree)
        recipe.forget(self.tree, "behind/dedup")
        self.source.remount()
        self.archive = self.path("a.tar.zst")

    def listed(self, archive: str) -> set:
        lines = self.run_ok("list", "--json", archive).objects()
        return {line.get("path") for line in lines if line["type"] == "entry"}

    def test_skip(self):
        skip = ("--reparse", "cloud=skip", "--reparse=wof=skip", "--reparse=junction=skip")
        back = self.run_ok("backup", *skip, self.tree, self.archive)
        self.assertIn("tag cloud (0x9000001A): 2, left out as asked for", back.text)
        self.assertIn("tag wof (0x80000017): 1, left out as asked for", back.text)
        found = self.listed(self.archive)
        self.assertNotIn("tree/links/cloud-file", found)
        self.assertNotIn("tree/links/j-inside", found)
        self.assertIn("tree/links/s-relative-file", found)
        self.assertIn("tree/links/app-exec-link", found)
        # The archive remembers what it was made with.
        self.run_ok("verify", self.archive, self.tree)
        self.run_ok("verify", self.archive)
        out = self.volume()
        self.run_ok("restore", self.archive, out.path)
        self.run_ok("verify", *skip, self.tree, out.path + "/tree")

    def test_refuse_names_each_and_goes_on(self):
        back = holdfast("backup", "--json", "--reparse=0x9000001a=refuse", "--reparse=wof=skip",
                        self.tree, self.archive)
        self.assertEqual(back.status, 1, back)
        errors = [o for o in back.objects() if o["type"] == "error"]
        self.assertEqual([o["path"] for o in errors], ["tree/links/cloud-file", "tree/links/cloud-folder"])
        self.assertIn("tag cloud (0x9000001A), refused as asked for", errors[0]["reason"])
        self.assertIn("tree/links/largest", self.listed(self.archive))

    def test_data_that_cannot_be_read_is_named(self):
        back = holdfast("backup", "--json", "--reparse=wof=data", self.tree, self.archive)
        self.assertEqual(back.status, 1, back)
        errors = [o for o in back.objects() if o["type"] == "error"]
        self.assertEqual([o["path"] for o in errors], ["tree/behind/wof"])
        self.assertIn("whose data cannot be read here", errors[0]["reason"])

    def test_kept_by_default_in_a_line_a_tag(self):
        back = self.run_ok("backup", self.tree, self.archive, status=1)
        self.assertIn("kept as it is: cloud (0x9000001A) (2 times)", back.text)
        self.assertIn("kept as it is: app-exec-link (0x8000001B)", back.text)
        scan = self.run_ok("scan", self.tree)
        self.assertIn("tag cloud (0x9000001A): 2\n", scan.text)
        listed = self.run_ok("list", "--reparse=symlink=skip", self.archive, "tree/links")
        self.assertNotIn("s-relative-file", listed.text)
        self.assertIn("j-inside", listed.text)

    def test_wrong_words(self):
        for wrong in ("x=raw", "cloud", "cloud=x", "cloud=data", "junction=data"):
            text = self.run_ok("backup", "--reparse", wrong, self.tree, self.path("x.tar"), status=2).text
            self.assertIn("--reparse " + wrong, text)


class Streams(Ntfs):
    """Streams that cannot be read."""

    def test_a_long_one_costs_no_other(self):
        source, dest = self.volume(), self.volume()
        os.mkdir(source.path + "/tree")
        recipe.write(source.path + "/tree/file", b"content")
        os.setxattr(source.path + "/tree/file", "user.short", b"kept")
        recipe.set_attributes(source.path + "/tree/file", recipe.HIDDEN)
        source.remount("streams_interface=windows")
        for name in ("long", "longer"):
            recipe.write(f"{source.path}/tree/file:{name}", bytes(65537))
        source.remount()
        back = holdfast("backup", "--json", source.path + "/tree", self.path("a.tar"))
        self.assertEqual(back.status, 1, back)
        errors = [o for o in back.objects() if o["type"] == "error"]
        self.assertEqual([o["path"] for o in errors], ["tree/file"])
        self.assertIn("1 more are longer than the 64 KiB", errors[0]["reason"])
        self.run_ok("restore", self.path("a.tar"), dest.path, status=1)
        dest.remount()
        record = oracle.read_record(os.fsencode(dest.path + "/tree/file"))
        self.assertEqual(record.streams, {"user.short": b"kept"})
        self.assertEqual(record.attributes & recipe.HIDDEN, recipe.HIDDEN)

    def test_hidden_ones_are_told_once(self):
        source = self.volume()
        os.mkdir(source.path + "/tree")
        for name in "abc":
            recipe.write(f"{source.path}/tree/{name}", b"content")
        for way in ("none", "windows"):
            source.remount("streams_interface=" + way)
            text = self.run_ok("backup", source.path + "/tree", self.path("a.tar"), status=1).text
            self.assertEqual(text.count("streams_interface=xattr"), 1, text)
            self.assertIn("1 with errors", text)
            dest = self.volume()
            dest.remount("streams_interface=" + way)
            self.run_ok("restore", self.path("a.tar"), dest.path, status=1)
            self.assertEqual(sorted(os.listdir(dest.path + "/tree")), ["a", "b", "c"])
        source.remount("streams_interface=xattr")
        self.run_ok("backup", source.path + "/tree", self.path("a.tar"))


class Names(Ntfs):
    """How many names a file may have."""

    def test_more_names_than_ntfs_holds(self):
        tree, dest = self.path("tree"), self.volume()
        os.mkdir(tree)
        recipe.write(tree + "/0000", b"many names")
        for n in range(1, 2500):
            os.link(tree + "/0000", f"{tree}/{n:04}")
        for path in (tree + "/0000", tree):
            os.chmod(path, 0o777)
            os.utime(path, (1_500_000_000, 1_500_000_000))
        self.run_ok("backup", tree, self.path("a.tar"))
        back = holdfast("restore", "--json", self.path("a.tar"), dest.path)
        self.assertEqual(back.status, 1, back)
        losses = [o for o in back.objects() if o["type"] == "loss"]
        self.assertEqual([o["path"] for o in losses], ["tree/1024", "tree/2048"])
        self.assertIn("link limit", losses[0]["reason"])
        dest.remount()
        counts = {}
        for name in os.listdir(dest.path + "/tree"):
            with open(f"{dest.path}/tree/{name}", "rb") as stream:
                self.assertEqual(stream.read(), b"many names")
            number = os.stat(f"{dest.path}/tree/{name}").st_ino
            counts[number] = counts.get(number, 0) + 1
        self.assertEqual(sorted(counts.values()), [452, 1024, 1024])

    def test_second_name_of_a_folders_link(self):
        source, dest = self.volume(), self.volume()
        tree = source.path + "/tree"
        os.mkdir(tree)
        recipe.make(tree + "/a", recipe.junction("\\??\\C:\\x", "C:\\x"), True)
        os.link(tree + "/a", tree + "/b", follow_symlinks=False)
        source.remount()
        scan = self.run_ok("scan", tree, status=1)
        self.assertIn("tree/b: a second name of a reparse point that stands for a folder", scan.text)
        self.run_ok("backup", tree, self.path("a.tar.zst"), status=1)
        self.run_ok("restore", self.path("a.tar.zst"), dest.path, status=1)
        dest.remount()
        found = oracle.snapshot(dest.path + "/tree")
        self.assertEqual(found["a"][0].reparse, found["b"][0].reparse)
        self.assertEqual(found["a"][1], ["a"])


class Times(Ntfs):
    """The driver forgets utimensat(2) where a time of creation was set."""

    def test_all_times_outlive_a_remount(self):
        source, dest = self.volume(), self.volume()
        tree = source.path + "/tree"
        os.mkdir(tree)
        os.mkdir(tree + "/folder")
        recipe.write(tree + "/file", b"content")
        recipe.make(tree + "/junction", recipe.junction("\\??\\C:\\x", "C:\\x"), True)
        for n, name in enumerate(("/file", "/folder", "/junction", "")):
            recipe.set_ntfs(tree + name, "crtime", (125000000000000000 + n).to_bytes(8, "little"))
            recipe.set_mtime(tree + name, 1_400_000_000_123_456_700 + n * 100)
        source.remount()
        self.run_ok("backup", tree, self.path("a.tar"))
        self.run_ok("restore", self.path("a.tar"), dest.path)
        dest.remount()
        self.assert_same_on_ntfs(tree, dest.path + "/tree")
        # And of what stands there already.
        for name in ("/file", "/folder", "/junction"):
            recipe.set_mtime(dest.path + "/tree" + name, 1_600_000_000_000_000_000)
        dest.remount()
        self.run_ok("restore", self.path("a.tar"), dest.path)
        dest.remount()
        self.assert_same_on_ntfs(tree, dest.path + "/tree")


if __name__ == "__main__":
    sys.exit(support.main())
