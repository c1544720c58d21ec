#!/usr/bin/env python3
"""libarchive is loaded by those runs alone that need it; without it all else works, and what needs
it says so."""

import functools
import os
import re
import subprocess
import unittest
import zipfile

import support
from support import PROGRAM, Case, Result, holdfast, tool


@functools.lru_cache(maxsize=None)
def soname() -> str:
    """The name by which the program loads it."""
    with open(PROGRAM, "rb") as stream:
        found = re.search(rb"libarchive\.so[.0-9]*", stream.read())
    if found is None:
        raise AssertionError("the program does not hold the library's name")
    return found.group().decode()


class Runs(Case):
    """A small tree in all archives of our own, and what is done with them every day."""

    def setUp(self):
        super().setUp()
        self.write("tree/d/file", b"content\n" * 1000)
        os.link(self.path("tree/d/file"), self.path("tree/d/same"))
        os.symlink("d/file", self.path("tree/link"))
        with zipfile.ZipFile(self.path("other.zip"), "w") as archive:
            archive.writestr("file", "content\n")

    def call(self, *arguments, **options) -> Result:
        """Runs the program as the class is about, and asserts that all went well."""
        raise NotImplementedError

    def round(self, suffix: str) -> None:
        """A backup, an incremental one over it, and everything that reads them."""
        tree, one, two = self.path("tree"), self.path("1" + suffix), self.path("2" + suffix)
        out = self.path("out" + suffix)
        self.call("backup", tree, one)
        self.call("backup", tree, one)  # over the one that is there
        self.write("tree/d/new" + suffix)
        self.call("backup", "--base", one, tree, two)
        for command in ("list", "scan", "verify"):
            self.call(command, two)
        self.call("restore", two, out)
        self.call("restore", "--dry-run", two, out)
        self.call("restore", one, "tree/d/same", out + "-one")
        self.call("restore", "--salvage", two, out + "-salvaged")
        with open(one, "rb") as stream:
            self.call("restore", "-", out + "-pipe", stdin=stream)
        self.call("verify", two, tree)
        self.call("verify", "--no-data", two, two)
        self.assert_equal_trees(tree, out + "/tree")
        self.assert_equal_trees(tree, out + "-salvaged/tree")

    def test_tar_zst(self):
        self.round(".tar.zst")

    def test_tar_gz(self):
        self.round(".tar.gz")

    def test_tar(self):
        self.round(".tar")

    def test_tar_of_others(self):
        for name, option in (("gnu.tar", "-c"), ("gnu.tar.gz", "-cz"), ("gnu.tar.zst", "-c --zstd")):
            result = tool("tar", *option.split(), "-f", self.path(name), "-C", self.work, "tree")
            self.assertEqual(result.status, 0, str(result))
            self.call("list", self.path(name))
            self.call("restore", self.path(name), self.path("out-" + name))
            self.call("verify", self.path(name), self.path("out-" + name, "tree"))

    def test_folders(self):
        tree, copy = self.path("tree"), self.path("copy")
        self.call("--version")
        self.call("backup", "--help")
        self.call("mirror", "--delete", tree, copy)
        self.call("verify", tree, copy)
        self.call("list", copy)
        self.call("scan", copy)
        self.call("link", "--symbolic", "/old/place", os.path.join(copy, "more"))
        self.call("remap", "--journal", self.path("journal"), "--map", "/old=/new", copy)
        self.call("remove", copy)


class Traced(Runs):
    """No file with the library's name is opened, or looked for."""

    def trace(self, *arguments, **options) -> bool:
        """Runs the program; whether it went for the library."""
        log = self.path("trace")
        sanitizer = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
        result = tool("strace", "-f", "-qq", "-o", log, "-e", "trace=?open,openat", PROGRAM,
                      *arguments, env={**os.environ, "ASAN_OPTIONS": sanitizer},
                      **options)  # fmt: skip
        self.assertEqual(result.status, 0, str(result))
        with open(log, encoding="utf-8", errors="replace") as stream:
            return "libarchive" in stream.read()

    def call(self, *arguments, **options):
        options.setdefault("stdin", subprocess.DEVNULL)
        self.assertFalse(self.trace(*arguments, **options), f"{arguments}: libarchive is loaded")

    def test_a_zip_does_load_it(self):
        self.assertTrue(self.trace("list", self.path("other.zip")))


class Without(Runs):
    """The library's file is none: an empty one stands before it on the loader's way."""

    def setUp(self):
        super().setUp()
        self.write("hidden/" + soname(), b"")
        self.environment = {**os.environ, "LD_LIBRARY_PATH": self.path("hidden")}

    def call(self, *arguments, **options):
        return self.run_ok(*arguments, env=self.environment, **options)

    def assert_needs_it(self, *arguments, **options) -> None:
        """The run ends at once, and says what is missing, what to install, and what goes on."""
        result = holdfast(*arguments, env=self.environment, **options)
        self.assertEqual(result.status, 3, str(result))
        self.assertIn("needs libarchive (Debian's package: libarchive13)", result.text)
        self.assertIn("tar, gzip or zstd, as holdfast's own archives are", result.text)
        self.assertIn(soname(), result.text)

    def test_a_zip(self):
        other, out = self.path("other.zip"), self.path("out")
        for command in ("list", "scan", "verify"):
            self.assert_needs_it(command, other)
        self.assert_needs_it("verify", other, self.path("tree"))
        self.assert_needs_it("verify", self.path("tree"), other)
        self.assert_needs_it("restore", other, out)
        self.assertFalse(os.path.lexists(out), "the restore has begun")
        self.assert_needs_it("restore", "--json", other, out)
        with open(other, "rb") as stream:
            self.assert_needs_it("restore", "-", out, stdin=stream)

    def test_a_compression(self):
        self.call("backup", self.path("tree"), self.path("a.tar"))
        result = tool("xz", self.path("a.tar"))
        self.assertEqual(result.status, 0, str(result))
        self.assert_needs_it("restore", self.path("a.tar.xz"), self.path("out"))

    def test_a_format_within_gzip(self):
        """Its compression is ours, so that the format is met later."""
        self.write("cpio.gz", b"")
        run = "find tree | cpio -o -H newc 2>/dev/null | gzip >cpio.gz"
        result = tool("cpio", "--version")
        self.assertEqual(result.status, 0, str(result))
        subprocess.run(run, shell=True, cwd=self.work, check=True)
        self.assert_needs_it("restore", self.path("cpio.gz"), self.path("out"))
        self.assert_needs_it("verify", self.path("cpio.gz"), self.path("tree"))

    def test_writing(self):
        for suffix in (".zip", ".7z", ".cpio"):
            archive = self.path("new" + suffix)
            self.assert_needs_it("backup", self.path("tree"), archive)
            self.assertFalse(os.path.lexists(archive))
            self.assert_needs_it("backup", "--dry-run", self.path("tree"), archive)

    def test_a_file_that_is_no_archive_is_not_replaced(self):
        file = self.write("precious", b"no archive\n")
        result = holdfast("backup", "--format", "tar", self.path("tree"), file,
                          env=self.environment)  # fmt: skip
        self.assertEqual(result.status, 2, str(result))
        with open(file, "rb") as stream:
            self.assertEqual(stream.read(), b"no archive\n")

    def test_a_damaged_archive_is_listed_and_salvaged(self):
        """Its first byte is another one, so that only its end tells what it is."""
        archive = self.path("a.tar.zst")
        self.call("backup", self.path("tree"), archive)
        with open(archive, "r+b") as stream:
            stream.write(b"X")
        self.call("list", archive)
        result = holdfast("restore", "--salvage", archive, self.path("out"), env=self.environment)
        self.assertEqual(result.status, 1, str(result))
        self.assert_needs_it("verify", archive)


class Linked(unittest.TestCase):
    def test_it_is_not_linked(self):
        result = tool("readelf", "-d", PROGRAM)
        self.assertEqual(result.status, 0, str(result))
        self.assertIn("NEEDED", result.text)
        self.assertNotIn("libarchive", result.text)


del Runs  # its tests are those of the classes made of it

if __name__ == "__main__":
    support.main()
