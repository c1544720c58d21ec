#!/usr/bin/env python3
"""Hostile archives: nothing outside the destination changes, nothing crashes or hangs, and bad
input is never exit 0. As root and as nobody, plain and compressed."""

import gzip
import os
import sys

import support
from hostile import BAD, FINE, hostile_archives
from rawtar import END, folder, hardlink, member, symlink
from support import NOBODY, Case, holdfast

LIMIT_SECONDS = 60


class Hostile(Case):
    """Canaries stand beside the destination; every archive is restored, listed and verified."""

    def setUp(self):
        super().setUp()
        os.chmod(self.work, 0o755)
        self.arena = self.path("arena")
        self.write("arena/outside/file", b"canary\n")
        self.write("arena/outside/folder/inside", b"canary\n")
        self.out = self.path("arena/out")
        self.outside = os.fsencode(self.path("arena/outside"))
        if os.geteuid() == 0:
            for folder_, _, names in os.walk(self.arena):
                for name in [".", *names]:
                    os.chown(os.path.join(folder_, name), NOBODY, NOBODY)

    def prepare(self) -> None:
        """A fresh destination with something in it, which nobody may write, too."""
        support.cleanup(self.out)
        self.write("arena/out/existing", b"existing\n")
        if os.geteuid() == 0:
            os.chown(self.out, NOBODY, NOBODY)
            os.chown(self.out + "/existing", NOBODY, NOBODY)
        os.utime(self.arena, ns=(10**18, 10**18))
        everything = support.snapshot(self.arena)
        self.before = {p: r for p, r in everything.items() if not is_inside(p)}

    def judge(self, name: str, verdict: str, result) -> None:
        if verdict == BAD:
            self.assertNotEqual(result.status, 0, f"{name}\n{result}")
        elif verdict == FINE:
            self.assertEqual(result.status, 0, f"{name}\n{result}")
        everything = support.snapshot(self.arena)
        now = {path: record for path, record in everything.items() if not is_inside(path)}
        found = [str(item) for item in support.compare(self.before, now)]
        self.assert_no_lines(found, f"{name}: changed outside of the destination\n{result}")

    def each(self, suffix: str, wrap, user=None, options=()) -> None:
        for name, content, verdict in hostile_archives(self.outside):
            with self.subTest(name):
                self.prepare()
                archive = self.write("h" + suffix, wrap(content))
                run = {"timeout": LIMIT_SECONDS, "user": user}
                result = holdfast("restore", *options, archive, self.out, **run)
                self.judge(name, verdict, result)

    def test_tar(self):
        self.each(".tar", lambda content: content)

    def test_gzip(self):
        self.each(".tar.gz", gzip.compress)

    def test_tar_as_nobody(self):
        support.needs_root()
        self.each(".tar", lambda content: content, user=NOBODY)

    def test_with_delete(self):
        self.each(".tar", lambda content: content, options=("--delete",))

    def test_pipe(self):
        for name, content, verdict in hostile_archives(self.outside):
            with self.subTest(name):
                self.prepare()
                result = holdfast("restore", "-", self.out, input=content, timeout=LIMIT_SECONDS)
                self.judge(name, verdict, result)

    def test_list_scan_and_verify(self):
        for name, content, _ in hostile_archives(self.outside):
            with self.subTest(name):
                self.prepare()
                archive = self.write("h.tar", content)
                for command in ("list", "scan", "verify"):
                    holdfast(command, archive, timeout=LIMIT_SECONDS)
                self.judge(name, "", holdfast("verify", archive, self.out, timeout=LIMIT_SECONDS))

    def test_the_rest_goes_on(self):
        """A refused name does not stop the others."""
        content = member(b"tree/a", b"1") + member(b"../evil", b"2") + member(b"tree/z", b"3") + END
        self.prepare()
        result = holdfast("restore", self.write("h.tar", content), self.out)
        self.assertEqual(result.status, 1, str(result))
        self.assertIn("evil", result.text)
        self.assertEqual(sorted(os.listdir(self.out + "/tree")), ["a", "z"])

    def test_strip_absolute(self):
        content = folder(b"/top/") + member(b"/top/file", b"x") + hardlink(b"/top/l", b"/top/file") + END
        self.prepare()
        archive = self.write("h.tar", content)
        self.judge("absolute", BAD, holdfast("restore", archive, self.out))
        result = holdfast("restore", "--strip-absolute", archive, self.out)
        self.judge("absolute stripped", FINE, result)
        self.assert_same_file(self.out + "/top/file", self.out + "/top/l")

    def test_standing_links_are_not_walked_through(self):
        """A link that stood at the destination before, where the archive has a folder."""
        content = folder(b"tree") + folder(b"tree/d") + member(b"tree/d/file", b"evil") + END
        for target in (self.outside, b"../../outside", b".."):
            for options in ((), ("--delete",)):
                self.prepare()
                os.mkdir(self.out + "/tree")
                os.symlink(target, os.fsencode(self.out) + b"/tree/d")
                archive = self.write("h.tar", content)
                self.judge("standing link", "", holdfast("restore", *options, archive, self.out))

    def test_outward_links_come_back_byte_for_byte(self):
        targets = [b"/etc/passwd", b"../../../..", self.outside, b"a//b/./", b"\xff\n\x1b"]
        content = folder(b"tree")
        content += b"".join(symlink(b"tree/%d" % n, text) for n, text in enumerate(targets)) + END
        self.prepare()
        self.judge("links", FINE, holdfast("restore", self.write("h.tar", content), self.out))
        found = [os.readlink(os.fsencode(f"{self.out}/tree/{n}")) for n in range(len(targets))]
        self.assertEqual(found, targets)


def is_inside(path: bytes) -> bool:
    """Whether a path of the arena is the destination's own."""
    return path == b"out" or path.startswith(b"out/")


if __name__ == "__main__":
    sys.exit(support.main())
