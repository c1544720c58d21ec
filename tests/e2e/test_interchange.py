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
    """The full tree in each container. Every exception that a tool needs is listed here."""

    def setUp(self):
        super().setUp()
        self.place = place_of(PLACES, "ext4")
        self.source = os.path.join(self.place, "tree")
        self.dest = os.path.join(self.place, "extracted")
        self.addCleanup(support.cleanup, self.source)
        self.addCleanup(support.cleanup, self.dest)
        full_tree(self.source)
        os.mkdir(self.dest)

    def archives(self):
        for suffix in SUFFIXES:
            archive = self.path("a" + suffix)
            self.run_ok("backup", self.source, archive)
            yield suffix, archive

    def unexpected(self, excuse) -> list:
        """The differences of what was extracted that `excuse` does not accept."""
        source, found = support.snapshot(self.source), support.snapshot(self.dest + "/tree")
        differences = support.compare(source, found)
        return [str(item) for item in differences if not excuse(item, source)]

    def test_gnu_tar_extracts(self):
        command = ["tar", "--acls", "--xattrs", "--xattrs-include=*", "-p", "--numeric-owner"]
        for suffix, archive in self.archives():
            with self.subTest(suffix=suffix):
                result = tool(*command, "-C", self.dest, "-xf", archive)
                self.assert_no_lines(self.unexpected(excused_of_gnu_tar), result.text)
                support.cleanup(self.dest)
                os.mkdir(self.dest)

    def test_bsdtar_extracts(self):
        command = ["bsdtar", "--acls", "--xattrs", "--same-owner", "--numeric-owner", "-p"]
        for suffix, archive in self.archives():
            with self.subTest(suffix=suffix):
                result = tool(*command, "-C", self.dest, "-xf", archive)
                self.assert_no_lines(self.unexpected(excused_of_bsdtar), result.text)
                support.cleanup(self.dest)
                os.mkdir(self.dest)

    def test_listing_is_silent(self):
        for suffix, archive in self.archives():
            listers = [["tar", "-tf"], ["tar", "-tvf"], ["bsdtar", "-tf"], ["bsdtar", "-tvf"]]
            if suffix != ".tar.zst":
                listers.append(["busybox", "tar", "-tf" if suffix == ".tar" else "-tzf"])
            for command in listers:
                with self.subTest(suffix=suffix, command=command):
                    result = tool(*command, archive)
                    self.assertEqual(result.status, 0, str(result))
                    self.assertEqual(result.err, b"")

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
    """What GNU tar 1.34 cannot do with any archive: sockets, file flags (and times of folders
    made append-only), device numbers over its own limits."""
    if item.kind == "kind" and source[item.path].kind == "socket":
        return True
    if item.path in source and source[item.path].kind == "socket":
        return True
    return item.kind == "metadata" and item.field == "flags"


def excused_of_bsdtar(item, source) -> bool:
    """What bsdtar 3.6.2 cannot do with any archive."""
    return excused_of_gnu_tar(item, source)


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
        )
        result = tool("tar", "-C", self.path("out"), "-xzf", "-", stdin=backup.stdout)
        backup.stdout.close()
        self.assertEqual((backup.wait(), result.status, result.err), (0, 0, b""))
        self.assert_equal_trees(self.path("tree"), self.path("out/tree"))


if __name__ == "__main__":
    sys.exit(support.main())
