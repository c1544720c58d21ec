#!/usr/bin/env python3
"""The safety requirements as they show from outside: handles (R2), replacement (R5), one writer,
changing files (R9), unreadable entries (R10), signals, no trace left."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from typing import Iterator

import support
from mounts import mounted
from support import PROGRAM, Case, holdfast, needs_root, tool
from trees.farm import make_farm
from trees.full import full_tree

# System calls that change what stands in a folder, or what an entry is.
MUTATING = (
    "mkdir,mkdirat,mknod,mknodat,symlink,symlinkat,link,linkat,unlink,unlinkat,rmdir,rename,renameat,"
    "renameat2,chmod,fchmodat,?fchmodat2,chown,lchown,fchownat,utimensat,utime,utimes,futimesat,truncate,"
    "setxattr,lsetxattr,removexattr,lremovexattr,creat,open,openat,openat2"
)
# Stays behind a run that did not come to its end, so that the next one knows.
MARKER = b".holdfast-run"
STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')


class Handles(Case):
    """Every mutating call of a restore gets a held folder handle and one name component. Works on
    a file system of bounded size: the tree holds files of 64 GiB apparent size."""

    def setUp(self):
        needs_root()
        self.place = self.enterContext(mounted("ext4"))
        super().setUp()

    def trace(self, *arguments) -> list:
        """The mutating calls of a run, as strace prints them. A call that another thread's call
        interrupts is printed in two parts, of which the first has the arguments."""
        log = self.path("trace")
        command = ["strace", "-f", "-qq", "-s", "5000", "-o", log, "-e", "trace=" + MUTATING]
        # LeakSanitizer cannot work in a traced process.
        sanitizer = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
        environment = {**os.environ, "ASAN_OPTIONS": sanitizer}
        result = tool(*command, PROGRAM, *arguments, env=environment)
        self.assertEqual(result.status, 0, str(result))
        with open(log, encoding="utf-8", errors="replace") as stream:
            calls = [line.split(None, 1)[1] for line in stream]
        return [call for call in calls if not call.startswith("<... ")]

    def offences(self, lines: list, allowed: str) -> list:
        """The calls that name an entry by more than one component or without a handle. `allowed`
        is the destination itself, which may be opened and made by its path."""
        return [line for line in lines if changes(line) and not is_clean(line, allowed)]

    def test_restore(self):
        full_tree(self.path("tree"))
        self.run_ok("backup", self.path("tree"), self.path("a.tar"))
        out = self.path("out")
        lines = self.trace("restore", self.path("a.tar"), out)
        self.assert_no_lines(self.offences(lines, out), "paths in mutating calls")
        self.assertGreater(sum(map(changes, lines)), 500)

    def test_restore_over_existing(self):
        full_tree(self.path("tree"))
        self.run_ok("backup", self.path("tree"), self.path("a.tar"))
        out = self.path("out")
        for name in ("tree/files/1 bytes/in the way", "tree/many/extra", "tree/links/relative/x"):
            self.write("out/" + name)
        os.symlink(self.work, out + "/tree/sparse")
        lines = self.trace("restore", "--delete", self.path("a.tar"), out)
        self.assert_no_lines(self.offences(lines, out), "paths in mutating calls")
        self.assert_equal_trees(self.path("tree"), out + "/tree")

    def test_mirror_over_existing(self):
        full_tree(self.path("tree"))
        out = self.path("out")
        for name in ("files/1 bytes/in the way", "many/extra", "links/relative/x", "gone/with/all"):
            self.write("out/" + name)
        os.symlink(self.work, out + "/sparse")
        lines = self.trace("mirror", "--delete", self.path("tree"), out)
        self.assert_no_lines(self.offences(lines, out), "paths in mutating calls")
        self.assertGreater(sum(map(changes, lines)), 500)
        self.assert_equal_trees(self.path("tree"), out)

    def test_remove(self):
        full_tree(self.path("tree"))
        lines = self.trace("remove", "--clear-flags", self.path("tree"))
        self.assert_no_lines(self.offences(lines, ""), "paths in mutating calls")
        self.assertFalse(os.path.lexists(self.path("tree")))


def changes(line: str) -> bool:
    """Whether a traced call can change something: opening counts when it may write or make."""
    call = line.split("(")[0]
    if call in ("open", "openat", "openat2"):
        return re.search(r"O_WRONLY|O_RDWR|O_CREAT|O_TMPFILE", line) is not None
    return True


def is_clean(line: str, allowed: str) -> bool:
    """Whether each name in a call is one component below a handle, or a held handle itself."""
    call, rest = line.split("(", 1)
    names = STRING.findall(rest)
    if call.startswith("symlink"):
        names = names[1:]  # the first is the link's text
    if "xattr" in call:
        names = names[:1]  # then come the attribute's name and value
    for name in names:
        # ThreadSanitizer keeps a file of its own.
        if name == allowed or name.startswith(("/dev/", "/proc/self/fd/", "/tmp/tsan.")):
            continue
        if "/" in name or (name and "AT_FDCWD" in rest):
            return False
    return True


class Replacing(Case):
    """Nothing at the destination is opened for writing, no trace is left."""

    def setUp(self):
        super().setUp()
        self.write("tree/file", b"from the archive\n")
        self.write("tree/sub/other", b"x" * 100000)
        self.run_ok("backup", self.path("tree"), self.path("a.tar.zst"))

    def test_outside_name_is_not_written_through(self):
        self.write("outside", b"precious\n")
        os.makedirs(self.path("out/tree"))
        os.link(self.path("outside"), self.path("out/tree/file"))
        before = os.stat(self.path("outside"))
        self.run_ok("restore", self.path("a.tar.zst"), self.path("out"))
        after = os.stat(self.path("outside"))
        self.assertEqual((before.st_mtime_ns, before.st_mode), (after.st_mtime_ns, after.st_mode))
        with open(self.path("outside"), "rb") as stream:
            self.assertEqual(stream.read(), b"precious\n")

    def test_open_readers_keep_the_old_file(self):
        self.write("out/tree/file", b"old\n")
        with open(self.path("out/tree/file"), "rb") as stream:
            self.run_ok("restore", self.path("a.tar.zst"), self.path("out"))
            self.assertEqual(stream.read(), b"old\n")

    def test_nothing_is_left_over(self):
        self.write("out/tree/file", b"old\n")
        self.run_ok("restore", self.path("a.tar.zst"), self.path("out"))
        self.assertEqual(os.listdir(self.path("out")), ["tree"])
        self.assert_equal_trees(self.path("tree"), self.path("out/tree"))

    def test_a_file_that_looks_like_ours_is_kept(self):
        """A name is not enough to be swept or overwritten as a leftover of a dead run."""
        names = [".holdfast", ".holdfast-marker", ".holdfast.tmp", ".holdfast-0123456789abcdef"]
        for name in names:
            self.write("out/" + name, b"mine\n")
            self.write("out/tree/" + name, b"mine\n")
        self.run_ok("restore", self.path("a.tar.zst"), self.path("out"))
        for name in names:
            for place in ("out/", "out/tree/"):
                with open(self.path(place + name), "rb") as stream:
                    self.assertEqual(stream.read(), b"mine\n")


class Stopping(Case):
    """Signals and second runs, met by a restore that waits for its archive on a pipe. On tmpfs
    where there is one: each run ends with a sync."""

    def setUp(self):
        self.place = "/dev/shm" if os.path.isdir("/dev/shm") else None
        super().setUp()
        make_farm(self.path("tree"), names=3000, groups=1500)
        self.run_ok("backup", self.path("tree"), self.path("a.tar"))
        with open(self.path("a.tar"), "rb") as stream:
            self.content = stream.read()

    @contextlib.contextmanager
    def half_way(self, out: str) -> Iterator[subprocess.Popen]:
        """A restore into `out` that has read half of the archive and waits for more."""
        command = [PROGRAM, "restore", "-", out]
        run = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        run.stdin.write(self.content[: len(self.content) // 2])
        run.stdin.flush()
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and not os.path.isdir(out + "/tree/projects"):
            time.sleep(0.02)
        try:
            yield run
        finally:
            if run.poll() is None:
                run.kill()
            run.communicate()

    def test_signals(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            out = self.path(f"out{int(number)}")
            with self.half_way(out) as run:
                time.sleep(0.2)
                run.send_signal(number)
                self.assertEqual(run.wait(timeout=20), 128 + number)
            self.assert_no_temporary_names(out, allowed=[MARKER])
            self.run_ok("restore", self.path("a.tar"), out)
            self.assert_equal_trees(self.path("tree"), out + "/tree")
            self.assertEqual(os.listdir(out), ["tree"])

    def test_signal_to_backup(self):
        fifo = self.path("archive pipe")
        os.mkfifo(fifo)
        command = [PROGRAM, "backup", "--format", "tar", self.path("tree"), "-"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as run:
            run.stdout.read(1000)
            run.send_signal(signal.SIGINT)
            run.stdout.read()
            self.assertEqual(run.wait(timeout=20), 130)

    def test_killed_run_is_finished_by_the_next(self):
        out = self.path("out")
        with self.half_way(out) as run:
            time.sleep(0.2)
            run.kill()
            run.wait()
        self.run_ok("restore", self.path("a.tar"), out)
        self.assert_equal_trees(self.path("tree"), out + "/tree")
        self.assertEqual(os.listdir(out), ["tree"])

    def test_killed_run_over_existing_files(self):
        """Leftovers of the dead run are swept also in folders that stood before."""
        out = self.path("out")
        self.run_ok("restore", self.path("a.tar"), out)
        for folder, _, names in os.walk(out + "/tree/store"):
            for name in names:
                path = os.path.join(folder, name)
                os.unlink(path)
                with open(path, "wb") as stream:
                    stream.write(b"stale")
        with self.half_way(out) as run:
            time.sleep(0.5)
            run.kill()
            run.wait()
        self.run_ok("restore", "--delete", self.path("a.tar"), out)
        self.assert_equal_trees(self.path("tree"), out + "/tree")
        self.assertEqual(os.listdir(out), ["tree"])

    def test_two_restores_at_once(self):
        out = self.path("out")
        with self.half_way(out) as run:
            second = holdfast("restore", self.path("a.tar"), out)
            self.assertEqual(second.status, 2, str(second))
            self.assertIn("out", second.text)
            run.stdin.write(self.content[len(self.content) // 2 :])
            run.stdin.close()
            run.stdin = None
            self.assertEqual(run.wait(timeout=60), 0)
        self.assert_equal_trees(self.path("tree"), out + "/tree")


class ChangingFiles(Case):
    """A file that changes while it is read is named, the backup ends with exit 1, and the archive
    is sound (R9)."""

    def backup_while(self, change) -> support.Result:
        """Backs the tree up into a pipe that is read slowly, and calls `change` once the first
        bytes of the large file have passed."""
        self.write("tree/alpha", b"before\n")
        self.large = self.write("tree/large", os.urandom(1 << 20) * 48)
        self.write("tree/zulu", b"after\n")
        command = [PROGRAM, "backup", "--format", "tar", self.path("tree"), "-"]
        archive = self.path("a.tar")
        errors = []
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
            reader = threading.Thread(target=lambda: errors.append(run.stderr.read()))
            reader.start()
            with open(archive, "wb") as stream:
                stream.write(run.stdout.read(1 << 16))
                time.sleep(0.2)
                change(self.large)
                while chunk := run.stdout.read(1 << 20):
                    stream.write(chunk)
            reader.join()
        self.assertEqual(run.returncode, 1, errors[0])
        self.assertIn(b"large", errors[0])
        self.assertNotIn(b"zulu", errors[0])
        listed = tool("tar", "-tvf", archive)
        self.assertEqual((listed.status, listed.err), (0, b""), str(listed))
        restored = holdfast("restore", archive, self.path("out"))
        self.assertIn(restored.status, (0, 1), str(restored))
        self.assert_equal_trees(self.path("tree/zulu"), self.path("out/tree/zulu"))
        return restored

    def test_growing(self):
        def grow(path):
            with open(path, "ab") as stream:
                stream.write(b"more" * 1000000)

        self.backup_while(grow)
        self.assertGreaterEqual(os.path.getsize(self.path("out/tree/large")), 48 << 20)

    def test_shrinking(self):
        self.backup_while(lambda path: os.truncate(path, 1000))

    def test_rewritten(self):
        def rewrite(path):
            with open(path, "r+b") as stream:
                stream.seek(40 << 20)
                stream.write(b"changed")

        self.backup_while(rewrite)

    def test_removed(self):
        """A file that is gone after it was opened is still whole; its folder has changed."""
        self.write("tree/large", b"")
        with contextlib.suppress(AssertionError):
            self.backup_while(os.unlink)
        self.assertEqual(tool("tar", "-tf", self.path("a.tar")).status, 0)


class Unreadable(Case):
    """One folder that cannot be read never hides the rest of the tree (R10)."""

    def test_the_rest_is_there(self):
        needs_root()
        for name in ("a/file", "b closed/inside", "c/file", "d/file"):
            self.write("tree/" + name)
        os.chmod(self.path("tree/b closed"), 0)
        os.chmod(self.work, 0o777)
        archive = self.path("a.tar")
        result = self.run_ok("backup", self.path("tree"), archive, status=1, user=support.NOBODY)
        self.assertIn("b closed", result.text)
        self.assertIn("Permission denied", result.text)
        restored = holdfast("restore", archive, self.path("out"))
        self.assertEqual(restored.status, 1, str(restored))
        for name in ("a", "c", "d"):
            self.assertTrue(os.path.exists(self.path(f"out/tree/{name}/file")))

    def test_nothing_below_it_is_deleted(self):
        """What an unreadable source folder hides is not deleted at the destination."""
        needs_root()
        self.write("tree/closed/inside", b"keep me")
        self.write("tree/open/file")
        self.run_ok("backup", self.path("tree"), self.path("whole.tar"))
        self.run_ok("restore", self.path("whole.tar"), self.path("out"))
        os.chmod(self.path("tree/closed"), 0)
        os.chmod(self.work, 0o777)
        self.run_ok("backup", self.path("tree"), self.path("part.tar"), status=1, user=support.NOBODY)
        holdfast("restore", "--delete", self.path("part.tar"), self.path("out"))
        self.assertTrue(os.path.exists(self.path("out/tree/closed/inside")))


if __name__ == "__main__":
    sys.exit(support.main())
