#!/usr/bin/env python3
"""Any number of threads: the same archive, the same tree, and the same honesty about what fails."""

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile

import rawtar
import support
from mounts import mounted
from support import PROGRAM, Case, tool
from trees.farm import make_farm
from trees.full import full_tree

JOBS = ("1", "2", "8")


def digest(path: str) -> str:
    with open(path, "rb") as stream:
        return hashlib.sha256(stream.read()).hexdigest()


class Backup(Case):
    """The bytes of an archive are those of its content."""

    def test_same_archive(self):
        make_farm(self.path("farm"), names=4000, groups=1500)
        with open(self.path("farm/large"), "wb") as stream:
            for i in range(30):
                stream.write(os.urandom(1 << 19) + bytes([i]) * (1 << 19))
        for suffix in (".tar.zst", ".tar.gz", ".tar"):
            found = set()
            for jobs in JOBS * 2:
                archive = self.path("a" + suffix)
                self.run_ok("backup", "-j", jobs, "farm", archive, cwd=self.work)
                found.add(digest(archive))
            self.assertEqual(len(found), 1, suffix)

    def test_numbers_that_make_no_sense(self):
        self.write("tree/file")
        for jobs in ("0", "-1", "100000", "x"):
            self.run_ok("backup", "--jobs=" + jobs, self.path("tree"), self.path("a.tar"), status=2)
            self.run_ok("restore", "--jobs=" + jobs, self.path("a.tar"), self.path("out"), status=2)


class Restore(Case):
    """What the threads write is what one writes."""

    def test_same_tree(self):
        full_tree(self.path("tree"))
        self.run_ok("backup", self.path("tree"), self.path("a.tar.zst"))
        for jobs in JOBS:
            out = self.path("out" + jobs)
            self.run_ok("restore", "-j", jobs, self.path("a.tar.zst"), out)
            self.assert_equal_trees(self.path("tree"), out + "/tree", note="-j " + jobs)

    def small_tree(self) -> None:
        """Files with and without further names, near and far."""
        for i in range(70):
            self.write(f"tree/d/f{i:02}", b"content %d\n" % i)
        for i in range(0, 70, 3):
            os.link(self.path(f"tree/d/f{i:02}"), self.path(f"tree/d/f{i:02}-again"))
        os.mkdir(self.path("tree/e"))
        for i in range(0, 70, 6):
            os.link(self.path(f"tree/d/f{i:02}"), self.path(f"tree/e/g{i:02}"))
        os.utime(self.path("tree/d"), (10**9, 10**9))
        self.run_ok("backup", self.path("tree"), self.path("a.tar"))

    def restore_failing(self, code: str, when: int) -> support.Result:
        """Restores to `out` while the write of that number fails."""
        command = ["restore", "-j", "3", "--no-sync", self.path("a.tar"), self.path("out")]
        return self.inject(f"pwrite64:error={code}:when={when}", command)

    def inject(self, fault: str, command: list) -> support.Result:
        """Runs a command that fills `out` while a call fails."""
        sanitizer = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
        shutil.rmtree(self.path("out"), ignore_errors=True)
        os.mkdir(self.path("out"))
        return tool(
            "strace", "-f", "-qq", "-o", self.path("trace"), "-e", f"trace={fault.split(':')[0]}",
            "-e", f"inject={fault}", PROGRAM, *command, env={**os.environ, "ASAN_OPTIONS": sanitizer},
        )  # fmt: skip

    def check_what_stands(self, note: str) -> None:
        """Every name that stands has its content, and is one file with its fellows."""
        for folder, _, names in os.walk(self.path("out/tree")):
            for name in names:
                path = os.path.join(folder, name)
                with open(path, "rb") as stream:
                    content = stream.read()
                with open(path.replace("/out/", "/", 1), "rb") as stream:
                    self.assertEqual(content, stream.read(), f"{note}: {path}")
                self.assertNotEqual(os.stat(path).st_mode & 0o777, 0o600, f"{note}: {path}")

    def finish(self) -> None:
        """A second run brings the rest."""
        self.run_ok("restore", self.path("a.tar"), self.path("out"))
        self.assert_equal_trees(self.path("tree"), self.path("out/tree"))

    def test_a_file_that_cannot_be_written(self):
        self.small_tree()
        for when in range(1, 70, 4):
            result = self.restore_failing("EFBIG", when)
            self.assertEqual(result.status, 1, str(result))
            self.assertIn("File too large", result.text)
            self.check_what_stands(f"write {when}")
            self.assertEqual(os.stat(self.path("out/tree/d")).st_mtime, 10**9, f"write {when}")
            self.finish()

    def large_files(self) -> None:
        for i in range(6):
            self.write(f"tree/large{i}", os.urandom(700_000 + i))

    def test_a_large_content_that_cannot_be_copied(self):
        """One file fails alone; where the system's own copying breaks, reading and writing do it."""
        self.large_files()
        in_pieces = ["--reflink=never"]
        for fault, options, message, times in (
            ("pread64:error=EIO", in_pieces, "Input/output error", (3, 4, 5)),  # the loader reads twice
            ("pwrite64:error=EFBIG", in_pieces, "File too large", (1, 2, 3)),
            ("copy_file_range:error=EIO", [], None, (1, 2)),
        ):
            command = ["mirror", "-j", "3", *options, self.path("tree"), self.path("out/tree")]
            for when in times:  # in each thread
                result = self.inject(f"{fault}:when={when}", command)
                self.check_what_stands(f"{fault} {when}")
                made = len(os.listdir(self.path("out/tree")))
                self.assertEqual(made, 6 - result.text.count(" tree/large"), str(result))
                self.assertEqual(result.status, int(made < 6), str(result))
                self.assertEqual(made < 6, message is not None and message in result.text, str(result))
                self.run_ok("mirror", self.path("tree"), self.path("out/tree"))
                self.assert_equal_trees(self.path("tree"), self.path("out/tree"))

    def peak(self, jobs: str, beginning: bytes, large: bytes, entry) -> int:
        """KiB that a restore takes at most whose archive goes on with many of that entry, each behind `large`."""
        shutil.rmtree(self.path("out"), ignore_errors=True)
        with subprocess.Popen(
            [PROGRAM, "restore", "-j", jobs, "-", self.path("out")], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0:quarantine_size_mb=1"},
        ) as run:  # fmt: skip
            run.stdin.write(beginning)
            for i in range(60):
                run.stdin.write(large + entry(b"tree/d/b%03d" % i))
            run.stdin.write(rawtar.END)
            run.stdin.close()
            _, status, usage = os.wait4(run.pid, 0)
            run.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(run.returncode, 3)  # it has no end record
        self.assertTrue(os.path.exists(self.path("out/tree/d/a")))
        return usage.ru_maxrss

    def test_memory_does_not_depend_on_headers(self):
        """What waits for a thread is little, whatever a header says of targets and attributes."""
        self.write("tree/d/a", b"a")
        self.run_ok("backup", self.path("tree"), self.path("a.tar"))
        with tarfile.open(self.path("a.tar")) as archive:
            end = archive.getmember("tree/d/a").offset_data + 512
        with open(self.path("a.tar"), "rb") as stream:
            beginning = stream.read(end)
        target = rawtar.gnu_long(b"K", b"x" * 500_000 + b"\0")
        attribute = rawtar.pax([(b"SCHILY.xattr.user.x", b"x" * 500_000)])
        for large, entry in (
            (target, lambda name: rawtar.symlink(name, b"x")),
            (attribute, rawtar.member),
            (attribute, lambda name: rawtar.folder(name) + rawtar.member(name + b"/a")),
        ):
            alone, together = (self.peak(jobs, beginning, large, entry) for jobs in ("1", "3"))
            self.assertLess(together - alone, 15_000)

    def test_links_that_a_file_system_has_not(self):
        """Each is told as what it is, and none as made."""
        os.mkdir(self.path("tree"))
        for i in range(5):
            os.symlink("target", self.path(f"tree/link{i}"))
        command = ["mirror", "-v", "-j", "3", self.path("tree"), self.path("out/tree")]
        result = self.inject("symlinkat:error=EPERM", command)
        self.assertEqual(result.status, 1, str(result))
        self.assertIn("Operation not permitted (5 times)", result.text)
        self.assertNotIn("link0 ->", result.text)
        self.assertEqual(os.listdir(self.path("out/tree")), [])

    def test_a_content_that_cannot_be_read(self):
        """A mirror's threads read for themselves: one file's failure costs that file and its names."""
        self.small_tree()
        command = ["mirror", "-j", "3", "--json", self.path("tree"), self.path("out/tree")]
        for when in range(5, 70, 9):
            result = self.inject(f"pread64:error=EIO:when={when}", command)
            self.assertEqual(result.status, 1, str(result))
            self.assertIn("Input/output error", result.text)
            self.check_what_stands(f"read {when}")
            summary = result.objects()[-1]
            files = len(os.listdir(self.path("tree/d"))) + len(os.listdir(self.path("tree/e")))
            made = sum(len(names) for _, _, names in os.walk(self.path("out/tree")))
            self.assertLess(made, files)
            folders = 3
            self.assertEqual(summary["created"] + summary["linked"], made + folders, str(result))
            self.run_ok("mirror", self.path("tree"), self.path("out/tree"))
            self.assert_equal_trees(self.path("tree"), self.path("out/tree"))

    def test_a_full_disk_is_told_once(self):
        """Whatever waited for the threads."""
        support.needs_root()
        for i in range(600):
            self.write(f"tree/f{i:03}", os.urandom(4000))
        with mounted("tmpfs", "1M") as place:
            result = self.run_ok("mirror", "-j", "3", self.path("tree"), place + "/out", status=3)
            self.assertEqual(result.text.count("No space left"), 1, str(result))
            self.assertNotIn(" times)", result.text)

    def test_a_destination_that_is_full(self):
        self.small_tree()
        for when in range(1, 70, 7):
            result = self.restore_failing("ENOSPC", when)
            self.assertEqual(result.status, 3, str(result))
            self.assertIn("No space left", result.text)
            self.assertIn("Make room there, then run the same command again", result.text)
            self.check_what_stands(f"write {when}")
            self.finish()


if __name__ == "__main__":
    sys.exit(support.main())
