#!/usr/bin/env python3
"""What backup leaves out: patterns, cache folders, marks, the nodump flag, other file systems."""

import os
import sys
import unittest

import support
from mounts import mounted
from support import PROGRAM, Case, tool
from trees.metadata import change_flags

CACHE_TAG = b"Signature: 8a477f597d28d172789f06886806bc55\n# a cache\n"


class Filters(Case):
    """Each test says which names of one tree come back."""

    def setUp(self):
        super().setUp()
        for name in ("a.o", "a.c", "sub/b.o", "sub/b.c", "sub/build/x.c", "build/y.c", "keep.o"):
            self.write("tree/" + name)

    def left(self, *options) -> set:
        """The paths of files that a backup with `options` holds."""
        archive, dest = self.path("a.tar"), self.path("out")
        self.run_ok("backup", *options, self.path("tree"), archive)
        self.run_ok("restore", archive, dest)
        found = support.snapshot(dest + "/tree")
        return {path.decode() for path, record in found.items() if record.kind != "directory"}

    def test_name_at_any_depth(self):
        expected = {"a.c", "sub/b.c", "sub/build/x.c", "build/y.c"}
        self.assertEqual(self.left("--exclude", "*.o"), expected)

    def test_include_before_exclude(self):
        expected = {"a.c", "keep.o", "sub/b.c", "sub/build/x.c", "build/y.c"}
        self.assertEqual(self.left("--include", "keep.o", "--exclude", "*.o"), expected)

    def test_anchored(self):
        expected = {"a.o", "a.c", "keep.o", "sub/b.o", "sub/b.c", "sub/build/x.c"}
        self.assertEqual(self.left("--exclude", "/build"), expected)

    def test_folder_pattern(self):
        self.assertEqual(self.left("--exclude", "build/", "--exclude", "*.o"), {"a.c", "sub/b.c"})

    def test_slash_in_the_middle(self):
        expected = {"a.o", "a.c", "keep.o", "sub/b.o", "sub/b.c", "build/y.c"}
        self.assertEqual(self.left("--exclude", "sub/build"), expected)

    def test_star_stops_at_a_slash(self):
        expected = {"a.o", "a.c", "keep.o", "sub/build/x.c", "build/y.c"}
        self.assertEqual(self.left("--exclude", "/sub/*.[co]"), expected)

    def test_exclude_from(self):
        patterns = self.write("patterns", b"*.o\nbuild/\n")
        self.assertEqual(self.left("--exclude-from", patterns), {"a.c", "sub/b.c"})

    def test_caches(self):
        self.write("tree/cache/CACHEDIR.TAG", CACHE_TAG)
        self.write("tree/cache/junk")
        self.write("tree/false/CACHEDIR.TAG", b"not the signature")
        self.write("tree/false/kept")
        left = self.left("--exclude-caches")
        self.assertNotIn("cache/junk", left)
        self.assertIn("false/kept", left)
        self.assertIn("a.c", left)

    def test_caches_are_kept_without_the_option(self):
        self.write("tree/cache/CACHEDIR.TAG", CACHE_TAG)
        self.write("tree/cache/junk")
        self.assertIn("cache/junk", self.left())

    def test_if_present(self):
        self.write("tree/sub/.nobackup")
        left = self.left("--exclude-if-present", ".nobackup")
        self.assertNotIn("sub/b.c", left)
        self.assertNotIn("sub/build/x.c", left)
        self.assertIn("build/y.c", left)

    def test_nodump(self):
        fd = os.open(self.path("tree"), os.O_RDONLY)
        try:
            change_flags(fd, b"a.c", ("nodump",))
            change_flags(fd, b"build", ("nodump",))
        except OSError as error:
            raise unittest.SkipTest(f"no file flags here: {error}") from error
        finally:
            os.close(fd)
        left = self.left("--nodump")
        self.assertNotIn("a.c", left)
        self.assertNotIn("build/y.c", left)
        self.assertIn("sub/b.c", left)

    def test_verify_takes_the_filters(self):
        self.run_ok("backup", "--exclude", "*.o", self.path("tree"), self.path("a.tar"))
        self.run_ok("restore", self.path("a.tar"), self.path("out"))
        os.utime(self.path("out/tree"), ns=(0, os.stat(self.path("tree")).st_mtime_ns))
        self.assert_verified(self.path("tree"), self.path("out/tree"), "--exclude", "*.o")

    def test_verify_takes_the_filters_of_the_archive(self):
        self.write("tree/cache/CACHEDIR.TAG", CACHE_TAG)
        self.write("tree/cache/junk")
        self.write("tree/sub/.nobackup")
        for suffix in (".tar", ".tar.zst"):
            archive = self.path("a" + suffix)
            options = ("--include", "a.o", "--exclude", "*.o", "--exclude-caches")
            self.run_ok("backup", *options, "--exclude-if-present", ".nobackup", self.path("tree"), archive)
            for more in ((), ("--no-data",)):
                result = self.run_ok("verify", *more, archive, self.path("tree"))
                self.assertIn("made with filters", result.text)
                self.run_ok("verify", *more, self.path("tree"), archive)
            os.rename(self.path("tree/a.c"), self.path("tree/new file"))
            result = self.run_ok("verify", archive, self.path("tree"), status=1)
            self.assertIn("extra     tree/new file", result.text)
            os.rename(self.path("tree/new file"), self.path("tree/a.c"))
            self.run_ok("backup", *options, self.path("tree"), archive)

    def test_what_is_left_out_is_not_opened(self):
        """Neither in the source nor where it stands at the destination, behind a file that is looked into."""
        for name in ("a", "b", "b.tmp", "c"):
            self.write("tree/" + name, name.encode())
        self.run_ok("mirror", self.path("tree"), self.path("out"))
        for name in ("a", "b", "c"):
            os.chmod(self.path("out/" + name), 0o600)
        result = tool(
            "strace", "-f", "-qq", "-o", self.path("trace"), "-e", "trace=openat",
            PROGRAM, "mirror", "--exclude=*.tmp", self.path("tree"), self.path("out"),
            env={**os.environ, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"},
        )  # fmt: skip
        self.assertEqual(result.status, 0, str(result))
        with open(self.path("trace"), encoding="utf-8", errors="replace") as stream:
            trace = stream.read()
        self.assertIn('"b"', trace)
        self.assertNotIn("b.tmp", trace)

    def test_archive_inside_its_source_is_left_out(self):
        archive = self.path("tree/sub/a.tar")
        self.run_ok("backup", self.path("tree"), archive)
        self.run_ok("backup", self.path("tree"), archive)
        self.run_ok("restore", archive, self.path("out"))
        self.assertFalse(os.path.exists(self.path("out/tree/sub/a.tar")))
        self.assertTrue(os.path.exists(self.path("out/tree/sub/b.c")))


class OneFileSystem(Case):
    """Mounts below a root are crossed unless --one-file-system."""

    def test_mount(self):
        with mounted("tmpfs", "10M") as place:
            inner = os.path.join(place, "inner")
            os.mkdir(inner)
            with mounted("tmpfs", "10M") as other:
                self.bind(other, inner)
                try:
                    self.check(place, inner)
                finally:
                    support.tool("umount", inner)

    def bind(self, other: str, inner: str) -> None:
        result = support.tool("mount", "--bind", other, inner)
        if result.status:
            self.skipTest("no bind mounts: " + result.text)

    def check(self, place: str, inner: str) -> None:
        for path in (place + "/outer file", inner + "/inner file"):
            with open(path, "wb"):
                pass
        for options, expected in (((), True), (("--one-file-system",), False)):
            archive, dest = self.path("a.tar"), self.path("out" + "".join(options))
            self.run_ok("backup", *options, place, archive)
            self.run_ok("restore", archive, dest)
            self.assertTrue(os.path.isdir(dest + "/tmpfs/inner"))
            self.assertEqual(os.path.exists(dest + "/tmpfs/inner/inner file"), expected)


if __name__ == "__main__":
    sys.exit(support.main())
