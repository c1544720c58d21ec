#!/usr/bin/env python3
"""Mirrors: whatever was done to links on either side, the next run makes the copy exact, and the one
after it does nothing.

HOLDFAST_MIXTURES random mixtures on each file system, NTFS among them (2 if not set), seeds from HOLDFAST_SEED on
(drawn if not set, and printed). On some file systems a sample of the named changes is made, all of
them from 20 mixtures on.
"""

import fcntl
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from unittest import mock

import support
from ntfs_case import Ntfs
from oracle import ntfs as oracle_ntfs
from oracle.oracle import snapshot
from oracle.walk import LEAVE, walk
from support import PROGRAM, Case, holdfast, needs_root, place_of, tool
from trees import ntfs as recipe
from trees import relink
from trees.generate import Options, generate
from trees.maker import unprotect
from trees.mutate import mutate
from trees.relink import ACTIONS, CHANGES, make_base, mix, settle_times

MIXTURES = int(os.environ.get("HOLDFAST_MIXTURES", "2"))
SEED = int(os.environ.get("HOLDFAST_SEED", random.randrange(10**6) * 1000))
KINDS = ("tmpfs", "ext4", "btrfs", "xfs")
CHANGED = ("created", "linked", "replaced", "updated", "deleted")
PLACES = {}

# What changes something; an opening only if it makes or may write.
MUTATING = (
    "mkdir,mkdirat,mknod,mknodat,symlink,symlinkat,link,linkat,unlink,unlinkat,rmdir,rename,renameat,"
    "renameat2,chmod,fchmod,fchmodat,?fchmodat2,chown,fchown,lchown,fchownat,utimensat,utime,utimes,"
    "futimesat,truncate,ftruncate,fallocate,setxattr,lsetxattr,fsetxattr,removexattr,lremovexattr,"
    "fremovexattr,creat,pwrite64,copy_file_range,syncfs,fsync,sync,open,openat,openat2"
)
# getxattrat and listxattrat, which strace prints where it does not know them.
UNKNOWN_READS = re.compile(r"syscall_0x1d[01]\(")
ONLY_READS = re.compile(r"open(at2?)?\((?!.*(O_WRONLY|O_RDWR|O_CREAT|O_TMPFILE|O_TRUNC))")


def setUpModule():
    needs_root()
    support.mount_places(globals(), *KINDS)
    print(f"seeds {SEED} to {SEED + MIXTURES - 1}, on each file system", flush=True)


def sample() -> dict:
    """All named changes, or a quarter of them, as the seed has it."""
    if MIXTURES >= 20:
        return CHANGES
    return dict(item for at, item in enumerate(CHANGES.items()) if (at + SEED // 1000) % 4 == 0)


def past_the_grain():
    """Lets the clock of inodes go on: what is copied within its grain is read once more."""
    time.sleep(0.02)


def change_times(top: str) -> dict:
    """The time of each inode's last change, which no call sets."""
    return {visit.path: visit.status.st_ctime_ns for visit in walk(os.fsencode(top)) if visit.event != LEAVE}


class Mirror(Case):
    """What the tests here share: a tree, its copy, and the three runs."""

    def mirror(self, *arguments, status: int = 0, note: str = ""):
        result = holdfast("mirror", "--json", *arguments)
        self.assertEqual(result.status, status, f"{note}\n{result}")
        summary = result.objects()[-1]
        return {key: summary[key] for key in (*CHANGED, "extras", "unchanged", "bytes")}

    def assert_still(self, *arguments, note: str = "") -> None:
        """The run finds nothing to do, and does nothing: it makes no call that changes something,
        and no inode of the copy is touched."""
        before = change_times(arguments[-1])
        calls, result = self.traced("--json", *arguments, note=note)
        summary = result.objects()[-1]
        self.assertEqual([summary[key] for key in CHANGED], [0] * 5, f"{note}\n{summary}")
        self.assert_no_lines(calls, f"{note}: calls that change something")
        self.assertEqual(change_times(arguments[-1]), before, note)

    def traced(self, *arguments, note: str = ""):
        """A run, and its calls that change something, as strace prints them."""
        sanitizer = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
        with tempfile.NamedTemporaryFile("r", encoding="utf-8", errors="replace") as log:
            command = ["strace", "-f", "--seccomp-bpf", "-qq", "-o", log.name, "-e", "signal=none",
                       "-e", "trace=" + MUTATING]  # fmt: skip
            result = tool(*command, PROGRAM, "mirror", *arguments,
                          env={**os.environ, "ASAN_OPTIONS": sanitizer})  # fmt: skip
            lines = [line for line in log.read().splitlines() if "<... " not in line]
        self.assertEqual(result.status, 0, f"{note}\n{result}")
        return [line for line in lines if not UNKNOWN_READS.search(line) and not ONLY_READS.search(line)], result

    def assert_converges(self, source: str, dest: str, *options, note: str = "") -> None:
        past_the_grain()
        self.mirror("--delete", *options, source, dest, note=note)
        self.assert_equal_trees(source, dest, ignore=("holes",), note=note)
        past_the_grain()
        self.assert_still("--delete", *options, source, dest, note=note)


class Matrix(Mirror):
    """Each change alone."""

    def each_change(self, kind: str, check, changes=None) -> None:
        place = place_of(PLACES, kind)
        for name, change in (changes or CHANGES).items():
            with self.subTest(change=name, place=kind):
                source, dest = os.path.join(place, "source"), os.path.join(place, "dest")
                try:
                    make_base(source)
                    past_the_grain()
                    self.mirror(source, dest)
                    check(source, dest, change, f"{name} on {kind}")
                finally:
                    support.cleanup(source)
                    support.cleanup(dest)

    def change_source(self, source: str, dest: str, change, note: str) -> None:
        past_the_grain()
        change(source)
        settle_times(source)
        self.assert_converges(source, dest, note=note)

    def change_dest(self, source: str, dest: str, change, note: str) -> None:
        """Contents that were exchanged behind equal sizes and times show by reading alone."""
        past_the_grain()
        change(dest)
        past_the_grain()
        self.mirror("--delete", "--checksum", source, dest, note=note)
        self.assert_equal_trees(source, dest, ignore=("holes",), note=note)
        past_the_grain()
        self.assert_still("--delete", source, dest, note=note)

    def test_source_tmpfs(self):
        self.each_change("tmpfs", self.change_source)

    def test_source_ext4(self):
        self.each_change("ext4", self.change_source)

    def test_source_btrfs(self):
        self.each_change("btrfs", self.change_source, sample())

    def test_source_xfs(self):
        self.each_change("xfs", self.change_source, sample())

    def test_dest_tmpfs(self):
        self.each_change("tmpfs", self.change_dest)

    def test_dest_ext4(self):
        self.each_change("ext4", self.change_dest, sample())


class Mixtures(Mirror):
    """Forty changes at once, on the small tree and on random ones."""

    def each_seed(self, kind: str, check) -> None:
        place = place_of(PLACES, kind)
        for seed in range(SEED, SEED + MIXTURES):
            with self.subTest(seed=seed, place=kind):
                source, dest = os.path.join(place, "source"), os.path.join(place, "dest")
                try:
                    check(seed, source, dest)
                finally:
                    support.cleanup(source)
                    support.cleanup(dest)

    def small(self, seed: int, source: str, dest: str) -> None:
        make_base(source)
        past_the_grain()
        self.mirror(source, dest)
        past_the_grain()
        mix(source, seed, 40)
        self.assert_converges(source, dest, note=f"seed {seed}")

    def both_sides(self, seed: int, source: str, dest: str) -> None:
        generate(source, seed, Options("small"))
        past_the_grain()
        self.mirror(source, dest, note=f"seed {seed}")
        unprotect(os.fsencode(source))
        past_the_grain()
        mutate(source, seed, 20)
        done = mutate(dest, seed + 1, 20)
        note = f"seed {seed}: " + ", ".join(done)
        self.assert_converges(source, dest, "--clear-flags", note=note)

    def test_small_tmpfs(self):
        self.each_seed("tmpfs", self.small)

    def test_small_ext4(self):
        self.each_seed("ext4", self.small)

    def test_small_btrfs(self):
        self.each_seed("btrfs", self.small)

    def test_random_tmpfs(self):
        self.each_seed("tmpfs", self.both_sides)

    def test_random_ext4(self):
        self.each_seed("ext4", self.both_sides)

    def test_random_xfs(self):
        self.each_seed("xfs", self.both_sides)


class Rules(Mirror):
    """What a mirror does and does not."""

    def setUp(self):
        super().setUp()
        self.source, self.dest = self.path("source"), self.path("dest")
        make_base(self.source)

    def test_content_goes_directly_into_the_destination(self):
        counts = self.mirror(self.source + "/", self.path("new/parents/dest"))
        self.assertEqual(counts["replaced"] + counts["updated"], 0)
        self.assert_equal_trees(self.source, self.path("new/parents/dest"))

    def test_a_run_with_nothing_to_do_makes_no_call_that_changes(self):
        self.mirror(self.source, self.dest)
        past_the_grain()
        self.assert_still("--delete", self.source, self.dest)
        CHANGES["a group rewritten"](self.source)
        self.assertGreater(len(self.traced("--delete", self.source, self.dest)[0]), 5)

    def test_extra_names_stay_without_delete_and_are_counted(self):
        self.mirror(self.source, self.dest)
        self.write("dest/extra/one")
        self.write("dest/g/two")
        self.assertEqual(self.mirror(self.source, self.dest)["extras"], 2)
        self.assertTrue(os.path.exists(self.path("dest/extra/one")))
        self.assertEqual(self.mirror("--delete", self.source, self.dest)["deleted"], 2)
        self.assert_equal_trees(self.source, self.dest)

    def test_dry_run_changes_nothing_and_tells_all(self):
        self.mirror(self.source, self.dest)
        self.write("dest/extra/one")
        past_the_grain()
        CHANGES["a folder becomes a symbolic link"](self.source)
        CHANGES["two groups become one"](self.source)
        before = snapshot(self.dest)
        planned = holdfast("mirror", "--json", "--dry-run", "--delete", self.source, self.dest)
        self.assertEqual(snapshot(self.dest), before)
        done = holdfast("mirror", "--json", "-v", "--delete", self.source, self.dest)
        changes = [sorted((item["action"], item["path"]) for item in run.objects() if item["type"] == "change")
                   for run in (planned, done)]  # fmt: skip
        self.assertEqual(*changes)
        self.assertGreater(len(changes[0]), 3)

    def test_max_delete(self):
        self.mirror(self.source, self.dest)
        for number in range(5):
            self.write(f"dest/extra/{number}")
        for options in (("--max-delete", "5"), ("--max-delete", "5", "--dry-run")):
            counts = self.mirror("--delete", *options, self.source, self.dest, status=1)
            self.assertEqual(counts["deleted"] if "--dry-run" not in options else 0, 0)
            self.assertEqual(len(os.listdir(self.path("dest/extra"))), 5)
        self.mirror("--delete", "--max-delete", "6", self.source, self.dest)
        self.assert_equal_trees(self.source, self.dest)

    def test_max_delete_and_a_folder_in_the_way(self):
        self.mirror(self.source, self.dest)
        past_the_grain()
        CHANGES["a folder becomes a file"](self.source)
        before = snapshot(self.dest + "/k/folder")
        self.mirror("--delete", "--max-delete", "3", self.source, self.dest, status=1)
        self.assertEqual(snapshot(self.dest + "/k/folder"), before)
        self.mirror("--delete", "--max-delete", "4", self.source, self.dest)
        self.assert_equal_trees(self.source, self.dest)

    def test_excluded_names_are_spared_on_both_sides(self):
        self.write("source/g/new.o")
        self.write("dest/keep.o")
        self.write("dest/extra/inside/keep.o")
        self.write("dest/extra/inside/gone")
        self.write("dest/cache/whole/folder")
        self.mirror("--delete", "--exclude", "*.o", "--exclude", "/cache/", self.source, self.dest)
        left = [path for path in snapshot(self.dest) if path not in snapshot(self.source)]
        self.assertEqual(left, [b"cache", b"cache/whole", b"cache/whole/folder", b"extra",
                                b"extra/inside", b"extra/inside/keep.o", b"keep.o"])  # fmt: skip
        self.assertFalse(os.path.exists(self.path("dest/g/new.o")))

    def test_a_folder_in_the_way_that_holds_excluded_names_stays(self):
        self.write("dest/g/a/keep.o")
        result = holdfast("mirror", "--delete", "--exclude", "*.o", self.source, self.dest)
        self.assertEqual(result.status, 1)
        self.assertIn("holds what is left out", result.text)
        self.assertTrue(os.path.exists(self.path("dest/g/a/keep.o")))

    def test_marked_folders_keep_what_the_copy_has(self):
        self.mirror(self.source, self.dest)
        self.write("source/g/.nobackup")
        self.write("dest/g/more")
        self.mirror("--delete", "--exclude-if-present", ".nobackup", self.source, self.dest)
        self.assertEqual(sorted(os.listdir(self.dest + "/g")), ["a", "b", "c", "d", "e", "more"])

    def test_other_file_systems_keep_what_the_copy_has(self):
        self.mirror(self.source, self.dest)
        self.write("dest/m/more")
        with support.mounted("tmpfs") as other:
            tool("mount", "--bind", other, self.source + "/m")
            try:
                self.mirror("--delete", "-x", self.source, self.dest)
            finally:
                tool("umount", self.source + "/m")
        self.assertEqual(sorted(os.listdir(self.dest + "/m")), ["more", "z2"])

    def test_an_empty_source_empties_nothing(self):
        self.mirror(self.source, self.dest)
        os.mkdir(self.path("empty"))
        before = snapshot(self.dest)
        result = self.run_ok("mirror", "--delete", self.path("empty"), self.dest, status=2)
        self.assertIn("--allow-empty", result.text)
        self.assertEqual(snapshot(self.dest), before)
        self.run_ok("mirror", "--delete", self.path("empty"), self.path("not there"))
        self.mirror(self.path("empty"), self.dest)
        self.mirror("--delete", "--allow-empty", self.path("empty"), self.dest)
        self.assertEqual(os.listdir(self.dest), [])

    def test_a_source_that_is_gone_empties_nothing(self):
        self.mirror(self.source, self.dest)
        before = snapshot(self.dest)
        self.run_ok("mirror", "--delete", self.path("gone"), self.dest, status=2)
        self.run_ok("mirror", "--delete", self.source + "/h/f", self.dest, status=2)
        self.assertEqual(snapshot(self.dest), before)

    def test_one_folder_under_two_names_is_refused(self):
        os.symlink("source", self.path("link"))
        os.symlink("source/g", self.path("inner"))
        before = snapshot(self.work)
        pairs = [("source", "source"), ("source", "link"), ("link", "source"), ("source/g", "source"),
                 ("source", "source/g"), ("source", "inner"), ("inner", "source"),
                 ("source", "source/new"), ("source", "link/new/below"), ("source", "inner/new")]  # fmt: skip
        for a, b in pairs:
            with self.subTest(source=a, dest=b):
                self.refused(a, b)
        self.assertEqual(snapshot(self.work), before)

    def refused(self, a: str, b: str) -> None:
        result = holdfast("mirror", "--delete", self.path(a), self.path(b))
        self.assertEqual(result.status, 2, str(result))
        self.assertIn("are the same folder", result.text)

    def test_bind_mounts_are_seen_through(self):
        os.mkdir(self.path("bound"))
        os.mkdir(self.path("other"))
        os.mkdir(self.path("source/m/mounted"))
        before = snapshot(self.source)
        for mounted, pairs in (
            ("source", [("source", "bound"), ("bound", "source"), ("source", "bound/new"),
                        ("bound/g", "source"), ("source", "bound/g"), ("source/g", "bound")]),
            ("source/g", [("source", "bound"), ("bound", "source"), ("source", "bound/new")]),
        ):  # fmt: skip
            tool("mount", "--bind", self.path(mounted), self.path("bound"))
            try:
                for a, b in pairs:
                    with self.subTest(mounted=mounted, source=a, dest=b):
                        self.refused(a, b)
            finally:
                tool("umount", self.path("bound"))
        tool("mount", "--bind", self.path("other"), self.path("source/m/mounted"))
        try:
            self.refused("source", "other/dest")
            self.refused("other", "source")
        finally:
            tool("umount", self.path("source/m/mounted"))
        self.assertEqual(snapshot(self.source), before)
        self.assertEqual(os.listdir(self.path("other")), [])

    def test_roots_that_are_links_are_followed(self):
        os.mkdir(self.path("real"))
        os.symlink("source", self.path("s"))
        os.symlink("real", self.path("d"))
        self.mirror(self.path("s"), self.path("d"))
        self.assertTrue(os.path.islink(self.path("d")))
        self.assert_equal_trees(self.source, self.path("real"))

    def test_a_file_is_no_destination(self):
        self.run_ok("mirror", self.source, self.write("file"), status=2)

    def test_names_outside_are_never_changed(self):
        self.mirror(self.source, self.dest)
        for name in ("g/a", "h/f", "h/g", "l/s3", "p/3"):
            os.link(self.path("dest", name), self.path("outside-" + name.replace("/", "-")),
                    follow_symlinks=False)  # fmt: skip
        outside = {name: self.seen(name) for name in os.listdir(self.work) if name.startswith("outside")}
        past_the_grain()
        CHANGES["a group rewritten"](self.source)
        CHANGES["a symbolic link retargeted"](self.source)
        self.change_metadata(self.source)
        self.assert_converges(self.source, self.dest)
        self.assertEqual({name: self.seen(name) for name in outside}, outside)

    def change_metadata(self, top: str) -> None:
        os.chmod(top + "/h/f", 0o604)
        os.chown(top + "/h/g", 5, 6)
        os.chmod(top + "/p/3", 0o622)

    def seen(self, name: str):
        path = self.path(name)
        status = os.lstat(path)
        content = os.readlink(path) if os.path.islink(path) else None
        if os.path.isfile(path) and not os.path.islink(path):
            with open(path, "rb") as stream:
                content = stream.read()
        return (status.st_mode, status.st_uid, status.st_gid, status.st_mtime_ns, content)

    def test_a_link_that_stands_in_the_way_is_not_walked_through(self):
        self.write("elsewhere/g/a", b"not to be touched\n")
        os.makedirs(self.dest)
        os.symlink("../elsewhere/g", self.dest + "/g")
        before = snapshot(self.path("elsewhere"))
        result = holdfast("mirror", self.source, self.dest)
        self.assertEqual(result.status, 1)
        self.assertIn("a link stands where a folder belongs", result.text)
        self.mirror("--delete", self.source, self.dest)
        self.assert_equal_trees(self.source, self.dest)
        self.assertEqual(snapshot(self.path("elsewhere")), before)

    def test_a_group_whose_first_name_cannot_be_made_is_no_other_group(self):
        """Its next name stands in DEST as a name of another group's file, which it must not stay."""
        place = place_of(PLACES, "ext4")
        source, dest = os.path.join(place, "source"), os.path.join(place, "dest")
        for top in (source, dest):
            self.addCleanup(support.cleanup, top)
            os.mkdir(top)
        for name, first, content in (("a", None, b"A"), ("b", None, b"B"), ("c", "a", b""), ("d", "b", b"")):
            for top, like in ((source, first), (dest, first and "b")):
                if like:
                    os.link(f"{top}/{like}", f"{top}/{name}")
                else:
                    recipe.write(f"{top}/{name}", content if top == source else b"B")
        for top in (source, dest):
            settle_times(top)
        tool("chattr", "+i", dest + "/a")
        past_the_grain()
        result = holdfast("mirror", "--delete", source, dest)
        self.assertEqual(result.status, 1, str(result))
        self.assertIn("immutable", result.text)
        with open(dest + "/c", "rb") as stream:
            self.assertEqual(stream.read(), b"A")
        self.assert_not_same_file(dest + "/b", dest + "/c")
        self.assert_same_file(dest + "/b", dest + "/d")

    def test_a_second_writer_is_refused(self):
        os.mkdir(self.dest)
        folder = os.open(self.dest, os.O_RDONLY)
        fcntl.flock(folder, fcntl.LOCK_EX)
        try:
            self.assertIn("another run is writing", holdfast("mirror", self.source, self.dest).text)
        finally:
            os.close(folder)
        self.assertEqual(os.listdir(self.dest), [])


class Unreadable(Mirror):
    """An ordinary user whose source has a folder that may not be listed."""

    def test_what_it_hides_stays(self):
        needs_root()
        os.chmod(self.work, 0o755)
        source, dest = self.path("source"), self.path("dest")
        for name in ("source/hidden/a", "source/seen/b", "dest/hidden/a", "dest/hidden/more",
                     "dest/seen/gone"):  # fmt: skip
            self.write(name)
        for folder, _, files in os.walk(self.work):
            for name in ["", *files]:
                os.chown(os.path.join(folder, name), support.NOBODY, support.NOBODY)
        os.chmod(source + "/hidden", 0o300)
        result = holdfast("mirror", "--delete", source, dest, user=support.NOBODY)
        self.assertEqual(result.status, 1, str(result))
        self.assertIn("hidden", result.text)
        self.assertEqual(sorted(os.listdir(dest + "/hidden")), ["a", "more"])
        self.assertTrue(os.path.exists(dest + "/seen/b"))


class Contents(Mirror):
    """How data comes to the copy."""

    def on(self, kind: str) -> None:
        self.source = os.path.join(place_of(PLACES, kind), "source")
        self.dest = os.path.join(place_of(PLACES, kind), "dest")
        os.mkdir(self.source)
        for place in (self.source, self.dest):
            self.addCleanup(support.cleanup, place)

    def write_source(self, name: str, *parts) -> None:
        """A file of parts: bytes, or the size of a hole."""
        with open(os.path.join(self.source, name), "wb") as stream:
            for part in parts:
                if isinstance(part, int):
                    stream.seek(part, os.SEEK_CUR)
                    stream.truncate(stream.tell())
                else:
                    stream.write(part)

    def test_holes_and_sizes(self):
        block = os.urandom(1 << 16)
        for kind in KINDS:
            for reflink in ("auto", "never"):
                with self.subTest(place=kind, reflink=reflink):
                    self.on(kind)
                    self.write_source("hole at the end", block, 1 << 20)
                    self.write_source("hole at the start", 1 << 20, block)
                    self.write_source("holes", *[1 << 18, block] * 5, 12345)
                    self.write_source("all hole", 1 << 22)
                    self.write_source("large", *[block] * 80, b"odd end")
                    for size in (0, 1, 4095, 4096, 65535, 65537, 262144, 262145):
                        self.write_source(f"{size} bytes", os.urandom(size))
                    self.mirror("--reflink", reflink, self.source, self.dest)
                    self.assert_equal_trees(self.source, self.dest)
                    self.doCleanups()

    def used(self, place: str) -> int:
        tool("sync", "-f", place)
        facts = os.statvfs(place)
        return (facts.f_blocks - facts.f_bfree) * facts.f_frsize

    def shares(self, kind: str) -> None:
        self.on(kind)
        self.write_source("large", os.urandom(32 << 20))
        before = self.used(self.source)
        self.mirror("--reflink", "always", self.source, self.dest)
        self.assertLess(self.used(self.source) - before, 4 << 20)
        self.mirror("--reflink", "never", self.source, self.dest + "/copy")
        self.assertGreater(self.used(self.source) - before, 30 << 20)
        self.assert_equal_trees(self.source, self.dest + "/copy")

    def test_blocks_are_shared_on_btrfs(self):
        self.shares("btrfs")

    def test_blocks_are_shared_on_xfs(self):
        self.shares("xfs")

    def test_what_cannot_be_shared_is_an_error_if_it_must_be(self):
        self.on("tmpfs")
        self.write_source("file", b"x" * 5000)
        result = holdfast("mirror", "--reflink=always", self.source, self.dest)
        self.assertEqual(result.status, 1, str(result))
        self.assertIn("blocks cannot be shared", result.text)
        self.assertEqual(os.listdir(self.dest), [])

    def test_a_file_that_changes_while_it_is_copied_is_named(self):
        self.on("tmpfs")
        self.write_source("log", os.urandom(64 << 20))
        self.write_source("still", b"still")
        writer = subprocess.Popen(
            [sys.executable, "-c", "import sys\nwhile True: open(sys.argv[1], 'r+b').write(b'changed')",
             os.path.join(self.source, "log")]  # fmt: skip
        )
        try:
            log = os.path.join(self.source, "log")
            written = os.stat(log).st_mtime_ns
            while os.stat(log).st_mtime_ns == written:  # until it is at it
                time.sleep(0.01)
            result = holdfast("mirror", "--json", self.source, self.dest)
        finally:
            writer.kill()
            writer.wait()
        self.assertEqual(result.status, 1, str(result))
        told = [item for item in result.objects() if item.get("path") == "source/log" and item["type"] == "loss"]
        self.assertEqual(told[0]["reason"], "changed while it was read", str(result))
        self.assert_converges(self.source, self.dest)

    def test_acls_that_xfs_shows_twice(self):
        for a, b in (("ext4", "xfs"), ("xfs", "ext4"), ("xfs", "xfs")):
            with self.subTest(source=a, dest=b):
                self.on(a)
                self.dest = os.path.join(place_of(PLACES, b), "acls")
                self.addCleanup(support.cleanup, self.dest)
                self.write_source("file", b"content")
                if tool("setfacl", "-m", "u:5:rw", self.source + "/file").status != 0:
                    self.skipTest("no ACLs here")
                past_the_grain()
                self.mirror(self.source, self.dest)
                past_the_grain()
                self.assert_still("--delete", self.source, self.dest)
                acl = "system.posix_acl_access"
                self.assertEqual(os.getxattr(self.dest + "/file", acl), os.getxattr(self.source + "/file", acl))
                tool("setfacl", "-b", self.source + "/file")
                past_the_grain()
                self.mirror(self.source, self.dest)
                self.assertNotIn(acl, os.listxattr(self.dest + "/file"))
                self.doCleanups()


class OnNtfs(Ntfs, Mirror):
    """From one NTFS volume to another, where junctions are and times have a grain of 100 ns."""

    def setUp(self):
        super().setUp()
        self.source_volume = self.volume()
        self.source, self.dest = self.source_volume.path + "/source", self.volume().path + "/dest"
        self.enterContext(mock.patch.object(relink, "make_symlink", self.make_symlink))

    @staticmethod
    def make_symlink(target: str, path: str) -> None:
        """One of Windows, to a folder or a file."""
        shown = target.replace("/", "\\")
        recipe.make(path, recipe.symlink(shown, shown, True), target in ("folder", "below"))

    def test_every_change(self):
        for name, change in sample().items():
            if "FIFO" in name or "mode" in name:  # which a volume without a mapping of users has not
                continue
            with self.subTest(change=name):
                make_base(self.source, fifos=False)
                past_the_grain()
                self.mirror(self.source, self.dest)
                past_the_grain()
                change(self.source)
                settle_times(self.source)
                past_the_grain()
                if name.startswith("a group"):
                    # What was written by one name does not show by the others: each has a cache.
                    self.source_volume.remount()
                self.mirror("--delete", self.source, self.dest, note=name)
                self.assert_same_on_ntfs(self.source, self.dest)
                past_the_grain()
                self.assert_still("--delete", self.source, self.dest, note=name)
            for place in (self.source, self.dest):
                holdfast("remove", place)

    @staticmethod
    def as_junction(path: str, rng) -> None:
        """The name becomes a junction, or a link of the folder flavour."""
        os.unlink(path)
        target = rng.choice(["C:\\source\\g", "D:\\elsewhere", "C:\\"])
        raw = rng.choice([recipe.junction("\\??\\" + target, target), recipe.symlink("..\\g", "..\\g", True)])
        recipe.make(path, raw, True)

    def test_mixtures(self):
        """With junctions and links of the folder flavour among them, and no FIFOs, which Windows does not know."""
        actions = [name for name in ACTIONS if name != "fifo"] + ["junction"] * 3
        for seed in range(SEED, SEED + MIXTURES):
            with self.subTest(seed=seed):
                make_base(self.source, fifos=False)
                past_the_grain()
                self.mirror(self.source, self.dest)
                past_the_grain()
                mix(self.source, seed, 40, actions, {"junction": self.as_junction}, self.is_of_a_file)
                # What was written by one name does not show by the others: each has a cache.
                self.source_volume.remount()
                self.mirror("--delete", self.source, self.dest, note=f"seed {seed}")
                self.assert_same_on_ntfs(self.source, self.dest)
                past_the_grain()
                self.assert_still("--delete", self.source, self.dest, note=f"seed {seed}")
            for place in (self.source, self.dest):
                holdfast("remove", place)

    @staticmethod
    def is_of_a_file(path: str) -> bool:
        """What stands for a folder never gets a second name."""
        return not oracle_ntfs.attributes(os.fsencode(path)) & oracle_ntfs.DIRECTORY

    def junctions(self, *names) -> None:
        for name, target in names:
            recipe.make(f"{self.source}/{name}", recipe.junction("\\??\\" + target, target), True)

    def test_junctions(self):
        os.makedirs(self.source + "/folder/below")
        recipe.write(self.source + "/folder/below/file", b"content")
        self.junctions(("j", "C:\\source\\folder"), ("k", "D:\\elsewhere"))
        recipe.make(self.source + "/s", recipe.symlink("folder", "folder", True), True)
        past_the_grain()
        self.mirror(self.source, self.dest)
        self.assert_same_on_ntfs(self.source, self.dest)
        past_the_grain()
        self.assert_still("--delete", self.source, self.dest)
        # Retargeted, swapped for a folder, and a folder for it.
        self.run_ok("remove", self.source + "/j", self.source + "/k", self.source + "/folder/below")
        self.junctions(("k", "E:\\elsewhere"), ("folder/below", "C:\\source"))
        os.mkdir(self.source + "/j")
        recipe.write(self.source + "/j/file", b"now a folder")
        past_the_grain()
        self.mirror("--delete", self.source, self.dest)
        self.assert_same_on_ntfs(self.source, self.dest)
        past_the_grain()
        self.assert_still("--delete", self.source, self.dest)


if __name__ == "__main__":
    sys.exit(support.main())
