#!/usr/bin/env python3
"""Our archives in other tools' hands: extracted exactly within their own powers, listed and tested
in silence."""

import os
import shutil
import subprocess
import sys
import tarfile

import support
from support import Case, needs_root, place_of, tool
from trees.full import full_tree

PLACES = {}
SUFFIXES = (".tar", ".tar.gz", ".tar.zst")


def setUpModule():
    needs_root()
    support.mount_places(globals(), "ext4")


class OurArchives(Case):
    """The full tree in each container, but for paths longer than PATH_MAX, which no other tool
    extracts and busybox does not even list. Every exception that a tool needs stands below."""

    def setUp(self):
        super().setUp()
        self.place = place_of(PLACES, "ext4")
        self.source = os.path.join(self.place, "tree")
        self.addCleanup(support.cleanup, self.source)
        full_tree(self.source, deep=False)

    def archives(self):
        for suffix in SUFFIXES:
            archive = self.path("a" + suffix)
            self.run_ok("backup", self.source, archive)
            yield suffix, archive

    def extract_all(self, command: list, excuse) -> None:
        """Extracts each archive with `command` and judges; `excuse` says what it may get wrong."""
        dest = os.path.join(self.place, "extracted")
        source = support.snapshot(self.source)
        for suffix, archive in self.archives():
            with self.subTest(suffix=suffix):
                support.cleanup(dest)
                os.mkdir(dest)
                result = tool(*command, "-C", dest, "-xf", archive)
                differences = support.compare(source, support.snapshot(dest + "/tree"))
                unexpected = [str(item) for item in differences if not excuse(item, source)]
                self.assert_no_lines(unexpected, str(result))
        support.cleanup(dest)

    def test_gnu_tar_extracts(self):
        command = ["tar", "--acls", "--xattrs", "--xattrs-include=*", "-p", "--numeric-owner"]
        self.extract_all(command, excused_of_gnu_tar)

    def test_bsdtar_extracts(self):
        command = ["bsdtar", "--acls", "--xattrs", "--same-owner", "--numeric-owner", "-p"]
        self.extract_all(command, excused_of_bsdtar)

    def test_listing_is_silent(self):
        for suffix, archive in self.archives():
            for command in (["tar", "-tf"], ["tar", "-tvf"], ["bsdtar", "-tf"], ["bsdtar", "-tvf"]):
                with self.subTest(suffix=suffix, command=command):
                    result = tool(*command, archive)
                    self.assertEqual(result.status, 0, str(result))
                    self.assertEqual(result.err, b"")

    def test_busybox_lists(self):
        """busybox knows no sparse files and no names or targets of more than 4,094 bytes."""
        options = ("--exclude", "sparse*", "--exclude", "4095")
        for archive, listing in ((self.path("a.tar"), "-tf"), (self.path("a.tar.gz"), "-tzf")):
            self.run_ok("backup", *options, self.source, archive)
            result = tool("busybox", "tar", listing, archive)
            self.assertEqual((result.status, result.err), (0, b""), str(result))
            self.assertIn(b"tree/times/link", result.out)

    def test_containers_are_sound(self):
        testers = {".tar.gz": ["gzip", "-t"], ".tar.zst": ["zstd", "-q", "-t"]}
        for suffix, archive in self.archives():
            commands = [testers[suffix]] if suffix in testers else []
            if suffix != ".tar.zst":
                commands.append(["7zz", "t"])  # 7-Zip knows zstd from version 24 on
            for command in commands:
                with self.subTest(command=command):
                    result = tool(*command, archive)
                    self.assertEqual(result.status, 0, str(result))
                    self.assertEqual(result.err, b"")

    def test_7zip_tests_the_tar_inside(self):
        self.run_ok("backup", self.source, self.path("a.tar"))
        result = tool("7zz", "l", self.path("a.tar"))
        self.assertEqual(result.status, 0, str(result))

    def test_python_reads_every_member(self):
        source = support.snapshot(self.source)
        self.run_ok("backup", self.source, self.path("a.tar"))
        with tarfile.open(self.path("a.tar"), errors="surrogateescape") as archive:
            names = {os.fsencode(member.name).rstrip(b"/") for member in archive}
        expected = {b"tree" if path == b"." else b"tree/" + path for path in source}
        self.assertEqual(names, expected)


def excused_of_gnu_tar(item, source) -> bool:
    """What no plain tar can do with any archive: sockets and file flags."""
    if item.path in source and source[item.path].kind == "socket":
        return True
    return item.kind == "metadata" and item.field == "flags"


def excused_of_bsdtar(item, source) -> bool:
    """Besides, libarchive 3.6.2 reads times before 1970 with a fraction wrong (GNU tar's own
    -1.25 as -0.75), and does not decode the names of attributes as GNU tar encodes them."""
    if item.field == "mtime":
        nanoseconds = source[item.path].mtime_ns
        return nanoseconds < 0 and nanoseconds % 10**9 != 0
    encoded = item.field is not None and item.field.startswith("xattr ") and "%" in item.field
    return encoded or item.field == "xattr user.a=b" or excused_of_gnu_tar(item, source)


class Pipes(Case):
    """Other tools read what we write to a pipe."""

    def test_backup_into_tar(self):
        if shutil.which("tar") is None:
            self.skipTest("tar is not installed")
        self.write("tree/file", b"x" * 100000)
        os.mkdir(self.path("out"))
        backup = subprocess.Popen(
            [support.PROGRAM, "backup", "--format", "tar.gz", self.path("tree"), "-"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        result = tool("tar", "-C", self.path("out"), "-xzf", "-", stdin=backup.stdout)
        backup.stdout.close()
        self.assertEqual((backup.wait(), result.status, result.err), (0, 0, b""))
        self.assert_equal_trees(self.path("tree"), self.path("out/tree"))


if __name__ == "__main__":
    sys.exit(support.main())
