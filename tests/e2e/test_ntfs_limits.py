#!/usr/bin/env python3
"""NTFS volumes: what the user says of reparse points by their tags, and what cannot be kept or made:
long and hidden streams, links on other file systems, more names of a file than there can be, folders' links with two names."""

import os
import sys

import support
from mounts import mounted
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


class Relink(Ntfs):
    """A user's restore elsewhere, and a backup that makes links of Windows of it again."""

    def setUp(self):
        super().setUp()
        self.source = self.volume()
        self.tree = self.source.path + "/tree"
        recipe.ntfs_tree(self.tree)
        recipe.forget(self.tree, "behind", "metadata/streams")
        os.link(self.tree + "/links/cloud-file", self.tree + "/names/cloud again", follow_symlinks=False)
        recipe.set_mtime(self.tree + "/names", 1_500_000_000_000_000_000)
        self.source.remount()
        os.chmod(self.work, 0o777)
        self.run_ok("backup", self.tree, self.path("a.tar.zst"))
        os.chmod(self.path("a.tar.zst"), 0o644)

    def user(self, *arguments: str, status: int) -> support.Result:
        result = holdfast(*arguments, user=support.NOBODY)
        self.assertEqual(result.status, status, result)
        return result

    def links(self, top: str) -> dict:
        return {path: (record.kind, record.reparse, record.mtime, record.plain["crtime"], names)
                for path, (record, names) in oracle.snapshot(top).items() if record.reparse}

    def test_there_and_back(self):
        out, note, second = self.path("out"), self.path("relink"), self.path("b.tar.zst")
        back = self.user("restore", "--relink", note, self.path("a.tar.zst"), out, status=1)
        self.assertNotIn("this file system has no reparse points", back.text)
        self.assertIn("a junction, made as a symbolic link", back.text)
        before = os.stat(note).st_size
        self.user("restore", "--relink", note, self.path("a.tar.zst"), out, status=1)
        self.assertEqual(os.stat(note).st_size, before)
        self.user("backup", "--relink", note, out + "/tree", second, status=0)
        dest = self.volume()
        holdfast("restore", second, dest.path)
        dest.remount()
        want = self.links(self.tree)
        self.assertGreater(len(want), 25)
        self.assertEqual(self.links(dest.path + "/tree"), want)

    def test_what_changed_is_what_it_is(self):
        out, note = self.path("out"), self.path("relink")
        self.user("restore", "--relink", note, self.path("a.tar.zst"), out, status=1)
        links = out + "/tree/links/"
        os.unlink(links + "j-inside")
        os.symlink("elsewhere", links + "j-inside")
        os.unlink(links + "cloud-file")
        recipe.write(links + "cloud-file", b"content")
        os.unlink(links + "j-root")
        os.mkdir(links + "j-root")
        self.run_ok("backup", "--relink", note, out + "/tree", self.path("b.tar"))
        kinds = {o.get("path"): o.get("kind") for o in self.run_ok("list", "--json", self.path("b.tar")).objects()
                 if o["type"] == "entry"}
        for name, kind in (("j-inside", "symlink"), ("cloud-file", "file"), ("j-root", "directory"),
                           ("j-outside", "junction"), ("cloud-folder", "reparse point")):
            self.assertEqual(kinds["tree/links/" + name], kind)

    def test_root_keeps_there_what_has_no_room(self):
        with mounted("ext4", "1G") as ext4:
            told = self.run_ok("restore", "--relink", self.path("relink"), self.path("a.tar.zst"), ext4, status=1)
            self.assertNotIn("No space left", told.text)
            self.run_ok("backup", "--relink", self.path("relink"), ext4 + "/tree", self.path("b.tar"))
        dest = self.volume()
        self.run_ok("restore", self.path("b.tar"), dest.path)
        dest.remount()
        self.assert_same_on_ntfs(self.tree, dest.path + "/tree")

    def test_wrong_files(self):
        for name, content in (("x", b"text\n"), ("y", b"holdfast relink 1\nx\n")):
            recipe.write(self.path(name), content)
            for command in ("backup", "restore"):
                arguments = [self.tree, self.path("n.tar")] if command == "backup" else [self.path("a.tar.zst"), self.path("n")]
                text = self.run_ok(command, "--relink", self.path(name), *arguments, status=2).text
                self.assertIn("no line of a relink file", text)
        self.run_ok("backup", "--relink", self.path("nothing"), self.tree, self.path("n.tar"), status=2)
        self.assertFalse(os.path.exists(self.path("n.tar")))
        self.run_ok("restore", "--relink", self.path("no/folder"), self.path("a.tar.zst"), self.path("n"), status=2)
        self.assertFalse(os.path.exists(self.path("n")))


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
