#!/usr/bin/env python3
"""NTFS volumes mounted by ntfs-3g: junctions, Windows' symbolic links and every other reparse point,
backed up and restored byte for byte; what NTFS has besides; and across systems. Judged by an oracle
that reads the volume's attributes itself."""

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


class Elsewhere(Ntfs):
    """By way of a file system that has nothing of all this."""

    def setUp(self):
        super().setUp()
        context = mounted("ext4", "1G")
        self.ext4 = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)

    def test_an_archive_on_ext4(self):
        source, dest = self.volume(), self.volume()
        recipe.ntfs_tree(source.path + "/tree")
        source.remount()
        self.run_ok("backup", source.path + "/tree", self.ext4 + "/a.tar.zst", status=1)
        self.run_ok("restore", self.ext4 + "/a.tar.zst", dest.path, status=1)
        dest.remount()
        self.assert_same_on_ntfs(source.path + "/tree", dest.path + "/tree")

    def test_ext4_keeps_it_for_root(self):
        source, dest = self.volume(), self.volume()
        tree = source.path + "/tree"
        recipe.ntfs_tree(tree)
        source.remount()
        first, second = self.path("a.tar.zst"), self.path("b.tar.zst")
        self.run_ok("backup", tree, first, status=1)
        there = holdfast("restore", "--json", first, self.ext4)
        self.assertEqual(there.status, 1, there)
        told = {}
        for o in there.objects():
            if o["type"] in ("loss", "error") and "path" in o:
                told.setdefault(o["reason"].split(":")[0], []).append(o["path"])
        # Links are made as others, and come back: what does not is named.
        self.assertEqual(told["extended attribute not set"], ["tree/metadata/streams"])
        self.assertEqual(told["this file system has no reparse points"], ["tree/links/largest"])
        self.assertEqual(len(told["a junction, made as a symbolic link"]), 9)
        self.assertEqual(len(told["a symbolic link of Windows, made as one of this system"]), 11)
        self.assertEqual(told["a mount point, made as a symbolic link"], ["tree/links/mount-point"])
        self.assertEqual(len(told["a reparse point, made as an empty file of mode 0"]), 7)
        self.assertEqual(len(told["the backup could not keep it exactly"]), 2)
        self.assertEqual(len(told), 7)
        links = self.ext4 + "/tree/links"
        self.assertEqual(os.readlink(links + "/s-relative-file"), "../plain/file.txt")
        self.assertEqual(os.readlink(links + "/j-drive-q"), "Q:\\data\\all of it")
        self.assertEqual(os.stat(links + "/cloud-file").st_size, 0)
        text = self.run_ok("verify", first, self.ext4 + "/tree", status=1).text
        self.assertIn("2 differences (missing 1, metadata 1)", text)
        self.run_ok("backup", self.ext4 + "/tree", second)
        self.run_ok("restore", second, dest.path)
        dest.remount()
        lines = oracle.compare(oracle.snapshot(tree), oracle.snapshot(dest.path + "/tree"))
        self.assertEqual([line[: line.index("{") if "{" in line else None] for line in lines],
                         ["links/largest: only in A", "metadata/streams: streams: "])

    def test_a_user_keeps_the_targets(self):
        source = self.volume()
        os.mkdir(source.path + "/tree")
        recipe.make(source.path + "/tree/j", recipe.junction("\\??\\C:\\x", "C:\\x"), True)
        recipe.make(source.path + "/tree/cloud", recipe.buffer(recipe.CLOUD, b"123"), False)
        archive = self.path("a.tar.zst")
        self.run_ok("backup", source.path + "/tree", archive)
        os.chmod(self.work, 0o755)
        os.chmod(archive, 0o644)
        os.mkdir(self.path("out"))
        os.chown(self.path("out"), support.NOBODY, support.NOBODY)
        back = holdfast("restore", archive, self.path("out"), user=support.NOBODY)
        self.assertEqual(back.status, 1, back)
        self.assertIn("a junction, made as a symbolic link", back.text)
        self.assertIn("this file system has no reparse points", back.text)
        self.assertEqual(os.readlink(self.path("out/tree/j")), "C:\\x")
        self.assertFalse(os.path.lexists(self.path("out/tree/cloud")))
        for way, words in {
            "skip": "left out as asked",
            "refuse": "a link of Windows, and this is no NTFS volume",
        }.items():
            text = self.run_ok("restore", "--foreign-links", way, archive, self.path(way), status=1).text
            self.assertIn(words, text)
            self.assertFalse(os.path.lexists(self.path(way + "/tree/j")))
        self.run_ok("restore", "--foreign-links=x", archive, self.path("x"), status=2)

    def test_links_of_this_system_become_links_of_windows(self):
        dest = self.volume()
        tree = self.path("tree")
        os.makedirs(tree + "/a/folder")
        for name, target in {"z": "a/folder", "y": "nothing/here", "x": "/etc", "w": "a:b"}.items():
            os.symlink(target, f"{tree}/{name}")
        self.run_ok("backup", tree, self.path("a.tar.zst"))
        back = holdfast("restore", self.path("a.tar.zst"), dest.path)
        self.assertEqual(back.status, 1, back)
        self.assertIn("a symbolic link, made as one of Windows", back.text)
        dest.remount()
        found = oracle.snapshot(dest.path + "/tree")
        for name, (kind, raw) in {
            "z": ("reparse folder", recipe.symlink("a\\folder", "a\\folder", True)),
            "y": ("reparse file", recipe.symlink("nothing\\here", "nothing\\here", True)),
            "x": ("reparse file", recipe.buffer(recipe.LX_SYMLINK, b"\2\0\0\0/etc")),
            "w": ("reparse file", recipe.buffer(recipe.LX_SYMLINK, b"\2\0\0\0a:b")),
        }.items():
            record, _ = found[name]
            self.assertEqual((record.kind, record.reparse), (kind, raw), name)


    def test_a_link_that_gets_its_flavour_late_keeps_its_owner(self):
        dest = self.volume()
        dest.remount("permissions")
        tree = self.path("owned")
        os.makedirs(tree + "/folder")
        os.symlink("folder", tree + "/early")
        os.lchown(tree + "/early", 1234, 1235)
        self.run_ok("backup", tree, self.path("a.tar"))
        self.run_ok("restore", self.path("a.tar"), dest.path, status=1)
        found = os.lstat(dest.path + "/owned/early")
        self.assertEqual((found.st_uid, found.st_gid), (1234, 1235))
        dest.remount()
        self.assertEqual(oracle.read_record(os.fsencode(dest.path + "/owned/early")).kind, "reparse folder")

    def test_flavours_are_known_at_the_end(self):
        dest = self.volume()
        tree = self.path("tree")
        os.makedirs(tree + "/m/folder")
        os.makedirs(tree + "/z/deep")
        os.mkdir(tree + "/a")
        recipe.write(tree + "/m/file", b"")
        folders = {"a/later": "../z/deep", "a/up": "..", "b-chain": "c-chain", "c-chain": "d-chain",
                   "d-chain": "z", "e-early": "m/folder", "n-early": "m/folder", "y": "./a/./later"}
        files = {"a/file": "../m/file", "a/nothing": "../nothing", "loop": "loop", "a/out": "../../..",
                 "two": "z"}
        for name, target in {**folders, **files}.items():
            os.symlink(target, f"{tree}/{name}")
        os.link(tree + "/two", tree + "/two again", follow_symlinks=False)
        for folder, below, names in os.walk(tree, topdown=False):
            for path in (*(f"{folder}/{name}" for name in names + below), folder):
                os.utime(path, (1_400_000_000, 1_400_000_000), follow_symlinks=False)
                if not os.path.islink(path):
                    os.chmod(path, 0o777)
        self.run_ok("backup", tree, self.path("a.tar"))
        back = self.run_ok("restore", self.path("a.tar"), dest.path, status=1)
        self.assertIn("tree/two: a symbolic link to a folder that has several names", back.text)
        dest.remount()
        found = oracle.snapshot(dest.path + "/tree")
        for names, kind in ((folders, "reparse folder"), (files, "reparse file")):
            for name, target in names.items():
                turned = target.replace("/", "\\")
                record, _ = found[name]
                self.assertEqual((record.kind, record.reparse),
                                 (kind, recipe.symlink(turned, turned, True)), name)
        self.assertEqual({record.mtime for record, _ in found.values()}, {1_400_000_000_000_000_000})
        self.assertEqual(found["two"][1], ["two", "two again"])
        self.assertEqual(len(os.listdir(dest.path)), 1)
        again = self.run_ok("restore", self.path("a.tar"), dest.path)
        self.assertIn("0 created, 0 linked, 0 replaced, 0 updated", again.text)
        # What another tool's archive tells in any order.
        tar = support.tool("tar", "-cf", self.path("t.tar"), "-C", self.work, "tree")
        self.assertEqual(tar.status, 0)
        other = self.volume()
        self.run_ok("restore", self.path("t.tar"), other.path, status=1)
        other.remount()
        for name in folders:
            self.assertEqual(oracle.read_record(os.fsencode(f"{other.path}/tree/{name}")).kind,
                             "reparse folder", name)


class Loops(Ntfs):
    """Junctions that lead back."""

    def test_the_walk_ends_and_nothing_comes_twice(self):
        volume = self.volume()
        for folder in ("tree", "tree/a", "tree/b"):
            os.mkdir(f"{volume.path}/{folder}")
        recipe.write(volume.path + "/tree/a/data", os.urandom(1 << 20))
        for name, target in {
            "tree/root": "C:\\",
            "tree/a/up": "C:\\tree",
            "tree/a/peer": "C:\\tree\\b",
            "tree/b/peer": "C:\\tree\\a",
            "tree/b/self": "C:\\tree\\b\\self",
        }.items():
            recipe.make(f"{volume.path}/{name}", recipe.junction("\\??\\" + target, target), True)
        volume.remount()
        self.run_ok("backup", volume.path + "/tree", self.path("a.tar"))
        self.assertLess(os.path.getsize(self.path("a.tar")), 3 << 19)
        listed = self.run_ok("list", "--json", self.path("a.tar")).objects()
        kinds = {o["path"]: o["kind"] for o in listed if o["type"] == "entry"}
        self.assertEqual(len(kinds), 9)
        self.assertEqual([p for p, k in kinds.items() if k == "junction"],
                         ["tree/a/peer", "tree/a/up", "tree/b/peer", "tree/b/self", "tree/root"])
        counts = self.run_ok("scan", "--json", volume.path + "/tree").objects()[-1]
        self.assertEqual((counts["junctions"], counts["unknown"], counts["dangling"]), (5, 5, 0))

    def test_verify_tells_buffers_and_flavours(self):
        volume = self.volume()
        for tree, shown, folder in (("a", "x", True), ("b", "y", False)):
            os.mkdir(f"{volume.path}/{tree}")
            recipe.make(f"{volume.path}/{tree}/l", recipe.symlink("x", shown, True), folder)
        text = self.run_ok("verify", volume.path + "/a", volume.path + "/b", status=1).text
        self.assertIn("a/l: flavour folder in A, file in B", text)
        self.assertIn("reparse buffer", text)


class Again(Ntfs):
    """Restores over what is there."""

    def test_a_second_restore_finds_nothing_to_do(self):
        source, dest = self.volume(), self.volume()
        recipe.ntfs_tree(source.path + "/tree")
        recipe.forget(source.path + "/tree", "behind")
        self.run_ok("backup", source.path + "/tree", self.path("a.tar.zst"))
        self.run_ok("restore", self.path("a.tar.zst"), dest.path)
        dest.remount()
        again = self.run_ok("restore", self.path("a.tar.zst"), dest.path)
        self.assertIn("0 created, 0 linked, 0 replaced, 0 updated", again.text)
        os.unlink(dest.path + "/tree/links/j-inside")
        os.mkdir(dest.path + "/tree/links/j-inside")
        recipe.set_attributes(dest.path + "/tree/metadata/hidden", 0)
        os.unlink(dest.path + "/tree/links/cloud-file")
        recipe.make(dest.path + "/tree/links/cloud-file", recipe.buffer(recipe.CLOUD, b"1"), False)
        dest.remount()
        self.run_ok("restore", self.path("a.tar.zst"), dest.path)
        dest.remount()
        self.assert_same_on_ntfs(source.path + "/tree", dest.path + "/tree")


class Names(Ntfs):
    """Names that Windows cannot hold, and names that differ in case alone."""

    BAD = ("CON", "nul.txt", "a:b", "what?", "trailing.", "trailing ", "tab\tname", "back\\slash")

    def settle(self, top: str) -> None:
        """Modes and times that NTFS volumes hold."""
        for folder, _, files in os.walk(top, topdown=False):
            for path in (*(f"{folder}/{name}" for name in files), folder):
                os.chmod(path, 0o777)
                os.utime(path, (1_500_000_000, 1_500_000_000))

    def tree(self) -> str:
        top = self.path("tree")
        os.makedirs(top + "/aux")
        recipe.write(top + "/aux/below", b"below")
        for name in self.BAD:
            recipe.write(f"{top}/{name}", name.encode())
        recipe.write(top + "/fine", b"fine")
        os.link(top + "/a:b", top + "/zz a further name")
        self.settle(top)
        self.run_ok("backup", top, self.path("a.tar.zst"))
        self.run_ok("backup", top, self.path("a.tar"))
        return top

    def test_refused_by_name(self):
        top, dest = self.tree(), self.volume()
        dry = holdfast("restore", "--json", "-n", self.path("a.tar.zst"), dest.path + "/new")
        back = holdfast("restore", "--json", self.path("a.tar.zst"), dest.path + "/new")
        for result in (dry, back):
            self.assertEqual(result.status, 1, result)
            refused = {o["path"] for o in result.objects() if o["type"] == "error"}
            self.assertEqual(refused, {"tree/" + name for name in ("aux", *self.BAD)})
            self.assertEqual(result.objects()[-1]["refused"], 1 + len(self.BAD))
        self.assertEqual(sorted(os.listdir(dest.path + "/new/tree")), ["fine", "zz a further name"])
        with open(dest.path + "/new/tree/zz a further name", "rb") as stream:
            self.assertEqual(stream.read(), b"a:b")
        self.assertEqual(os.listdir(dest.path + "/new"), ["tree"])
        self.assertTrue(os.path.isdir(top))

    def test_refused_in_an_archive_without_order(self):
        self.tree()
        self.assertEqual(support.tool("tar", "-cf", self.path("t.tar"), "-C", self.work, "tree").status, 0)
        dest = self.volume()
        back = holdfast("restore", "--json", self.path("t.tar"), dest.path)
        self.assertEqual(back.status, 1, back)
        self.assertNotIn("aux", os.listdir(dest.path + "/tree"))
        self.assertIn("fine", os.listdir(dest.path + "/tree"))

    def test_any_makes_them(self):
        top, dest = self.tree(), self.volume()
        self.run_ok("restore", "--windows-names=any", self.path("a.tar.zst"), dest.path)
        self.assertEqual(sorted(os.listdir(dest.path + "/tree")), sorted(os.listdir(top)))

    def escaped(self, archive: str) -> None:
        """There and back, and over what is there."""
        top, dest = self.tree(), self.volume()
        escape = "--windows-names=escape"
        self.run_ok("restore", escape, self.path(archive), dest.path)
        names = os.listdir(dest.path + "/tree")
        self.assertIn("\uf043ON", names)
        self.assertIn("a\uf03ab", names)
        self.assertFalse(set(names) & set(self.BAD))
        dest.remount()
        again = self.run_ok("restore", escape, self.path(archive), dest.path)
        self.assertIn("0 created, 0 linked, 0 replaced, 0 updated", again.text)
        self.run_ok("verify", escape, self.path(archive), dest.path + "/tree")
        os.unlink(dest.path + "/tree/a\uf03ab")
        recipe.write(dest.path + "/tree/extra\uf02e", b"escaped")
        recipe.write(dest.path + "/tree/\uf06fther", b"no escape: o need not be")
        recipe.write(dest.path + "/tree/q?", b"nor this")
        odd = holdfast("restore", escape, "--delete", "--json", self.path(archive), dest.path)
        self.assertEqual(odd.status, 1, odd)
        told = [o["path"] for o in odd.objects() if o["type"] == "error" and "path" in o]
        self.assertEqual(told, ["tree/q?", "tree/\uf06fther"])
        os.unlink(dest.path + "/tree/q?")
        os.unlink(dest.path + "/tree/\uf06fther")
        self.run_ok("restore", escape, "--delete", self.path(archive), dest.path)
        self.assertEqual(set(os.listdir(dest.path + "/tree")), set(names))
        self.run_ok("backup", escape, dest.path + "/tree", self.path("b.tar.zst"))
        self.run_ok("restore", self.path("b.tar.zst"), self.path("out"))
        self.assertEqual(sorted(os.listdir(self.path("out/tree"))), sorted(os.listdir(top)))
        for name in (*self.BAD, "aux/below"):
            with open(f"{self.work}/out/tree/{name}", "rb") as stream:
                self.assertEqual(stream.read().decode(), name.split("/")[-1])
        self.assertEqual(os.stat(self.path("out/tree/a:b")).st_nlink, 2)

    def test_escaped_and_mapped_back(self):
        self.escaped("a.tar.zst")

    def test_escaped_from_another_tools_archive(self):
        self.tree()
        self.assertEqual(support.tool("tar", "-cf", self.path("t.tar"), "-C", self.work, "tree").status, 0)
        dest = self.volume()
        self.run_ok("restore", "--windows-names=escape", self.path("t.tar"), dest.path)
        self.assertIn("\uf061ux", os.listdir(dest.path + "/tree"))
        self.assertEqual(os.listdir(dest.path + "/tree/\uf061ux"), ["below"])
        dest.remount()
        again = self.run_ok("restore", "--windows-names=escape", "--delete", self.path("t.tar"), dest.path)
        self.assertIn("0 created", again.text)

    def test_a_twin_is_refused(self):
        top, dest = self.path("tree"), self.volume()
        os.makedirs(top + "/Folder")
        os.makedirs(top + "/other/FILE")
        os.makedirs(top + "/folder")
        for name in ("File", "file", "folder/x", "Folder/x", "other/file", "\u00c9", "\u00e9"):
            recipe.write(f"{top}/{name}", name.encode())
        self.settle(top)
        self.run_ok("backup", top, self.path("a.tar.zst"))
        back = holdfast("restore", "--json", self.path("a.tar.zst"), dest.path)
        self.assertEqual(back.status, 1, back)
        refused = [o["path"] for o in back.objects() if o["type"] == "error"]
        self.assertEqual(refused, ["tree/file", "tree/folder", "tree/other/file", "tree/\u00e9"])
        self.assertEqual(sorted(os.listdir(dest.path + "/tree")), ["File", "Folder", "other", "\u00c9"])
        again = holdfast("restore", "--windows-names=escape", self.path("a.tar.zst"), dest.path)
        self.assertEqual(again.status, 1, again)
        self.run_ok("restore", "--windows-names=any", self.path("a.tar.zst"), dest.path)
        self.assertEqual(sorted(os.listdir(dest.path + "/tree")), sorted(os.listdir(top)))

    def test_elsewhere_all_names_are_made(self):
        self.tree()
        self.run_ok("restore", self.path("a.tar.zst"), self.path("out"))
        self.run_ok("restore", "--windows-names=x", self.path("a.tar.zst"), self.path("x"), status=2)
        self.run_ok("backup", "--windows-names=refuse", self.path("tree"), self.path("x.tar"), status=2)


class Malformed(Ntfs):
    """Buffers that break the rules of their tags."""

    def test_they_come_back_and_are_told(self):
        source, dest = self.volume(), self.volume()
        os.mkdir(source.path + "/tree")
        made = recipe.malformed(source.path + "/tree")
        self.assertGreaterEqual(made, 60)
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
