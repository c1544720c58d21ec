#!/usr/bin/env python3
"""Copies that share what is unchanged with older ones (mirror --link-dest), and the snapshots that
are made of them: each exact whatever was done to links, older ones untouched, unfinished ones never
taken for whole, none gone that a rule keeps.

HOLDFAST_MIXTURES random mixtures on each file system (2 if not set), seeds from HOLDFAST_SEED on
(drawn if not set, and printed). On some file systems a sample of the named changes is made, all of
them from 20 mixtures on. HOLDFAST_DAYS days of work on a project of HOLDFAST_PACKAGES packages (5 and
12 if not set); HOLDFAST_PNPM is a pnpm that makes a real one instead.
"""

import datetime
import fcntl
import os
import random
import re
import signal
import stat
import subprocess
import time

import support
from ntfs_case import Ntfs
from oracle.oracle import compare, snapshot
from oracle.walk import LEAVE, walk
from support import PROGRAM, Case, holdfast, needs_root, place_of, tool
from trees.generate import Options, generate
from trees.maker import unprotect
from trees.mutate import mutate
from trees.pnpm import Generated, Real
from trees.relink import CHANGES, make_base, mix, settle_times

MIXTURES = int(os.environ.get("HOLDFAST_MIXTURES", "2"))
SEED = int(os.environ.get("HOLDFAST_SEED", random.randrange(10**6) * 1000))
KINDS = ("tmpfs", "ext4", "btrfs", "xfs")
CHANGED = ("created", "linked", "linked_to_older", "replaced", "updated", "deleted")
DAYS = int(os.environ.get("HOLDFAST_DAYS", "5"))
PACKAGES = int(os.environ.get("HOLDFAST_PACKAGES", "12"))
PNPM = os.environ.get("HOLDFAST_PNPM")
NAME = re.compile(r"\d{4}-\d\d-\d\dT\d{6}Z")
DAY = 24 * 3600
PLACES = {}


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


def standing(top: str) -> dict:
    """What of each inode nobody may change: all but the count of names, the time of change that
    comes with it, and the time of access."""
    return {
        visit.path: (visit.status.st_dev, visit.status.st_ino, visit.status.st_mode, visit.status.st_uid,
                     visit.status.st_gid, visit.status.st_size, visit.status.st_mtime_ns)
        for visit in walk(os.fsencode(top)) if visit.event != LEAVE
    }  # fmt: skip


class Snapshots(Case):
    """What the tests here share."""

    def counted(self, *arguments, status: int = 0, note: str = "") -> dict:
        """The summary of a run."""
        result = holdfast(*arguments[:1], "--json", *arguments[1:])
        self.assertEqual(result.status, status, f"{note}\n{result}")
        return result.objects()[-1]

    def mirror(self, *arguments, **options) -> dict:
        return self.counted("mirror", *arguments, **options)

    def snap(self, *arguments, **options) -> str:
        """Makes a snapshot; its path."""
        name = self.counted("snapshot", *arguments, **options)["snapshot"]
        return os.path.join(arguments[-1], name)

    def assert_exact(self, source: str, dest: str, note: str = "") -> None:
        self.assert_equal_trees(source, dest, ignore=("holes",), note=note)

    def assert_linked(self, source: str, old: str, dest: str, *options, note: str = "") -> dict:
        """DEST is made exact by way of OLD, which stays what it is; the next run does nothing."""
        before, content = standing(old), snapshot(old)
        past_the_grain()
        counts = self.mirror("--link-dest", old, *options, source, dest, note=note)
        self.assert_exact(source, dest, note)
        self.assertEqual(standing(old), before, note)
        self.assertEqual(snapshot(old), content, note)
        past_the_grain()
        still = self.mirror("--link-dest", old, *options, "--delete", source, dest, note=note)
        self.assertEqual([still[key] for key in CHANGED], [0] * len(CHANGED), f"{note}\n{still}")
        self.assert_exact(source, dest, note)
        self.assertEqual(standing(old), before, note)
        return counts

    def each(self, kind: str, items, check) -> None:
        """Has each item checked with three free places on a file system."""
        place = place_of(PLACES, kind)
        paths = [os.path.join(place, name) for name in ("source", "old", "dest")]
        for item in items:
            with self.subTest(item=item, place=kind):
                try:
                    check(item, *paths)
                finally:
                    for path in paths:
                        support.cleanup(path)


class Matrix(Snapshots):
    """Each named change to links between the older copy and the new one, and mixtures of them."""

    def change_source(self, name: str, source: str, old: str, dest: str) -> None:
        make_base(source)
        past_the_grain()
        self.mirror(source, old)
        past_the_grain()
        CHANGES[name](source)
        settle_times(source)
        self.assert_linked(source, old, dest, note=name)

    def change_old(self, name: str, source: str, old: str, dest: str) -> None:
        """The older copy is not what it was: its contents are compared."""
        make_base(source)
        past_the_grain()
        self.mirror(source, old)
        past_the_grain()
        CHANGES[name](old)
        settle_times(old)
        self.assert_linked(source, old, dest, "--checksum", note=name)

    def change_both(self, name: str, source: str, old: str, dest: str) -> None:
        """The copy itself begins as an older state, that shares files with the older copy."""
        make_base(source)
        past_the_grain()
        self.mirror(source, old)
        past_the_grain()
        self.mirror("--link-dest", old, source, dest)
        past_the_grain()
        CHANGES[name](source)
        settle_times(source)
        self.assert_linked(source, old, dest, "--delete", note=name)

    def test_source_tmpfs(self):
        self.each("tmpfs", CHANGES, self.change_source)

    def test_source_ext4(self):
        self.each("ext4", CHANGES, self.change_source)

    def test_source_btrfs(self):
        self.each("btrfs", sample(), self.change_source)

    def test_source_xfs(self):
        self.each("xfs", sample(), self.change_source)

    def test_old_tmpfs(self):
        self.each("tmpfs", CHANGES, self.change_old)

    def test_both_tmpfs(self):
        self.each("tmpfs", CHANGES, self.change_both)

    def test_both_ext4(self):
        self.each("ext4", sample(), self.change_both)

    def mixture(self, seed: int, source: str, old: str, dest: str) -> None:
        make_base(source)
        past_the_grain()
        self.mirror(source, old)
        past_the_grain()
        mix(source, seed, 40)
        self.assert_linked(source, old, dest, note=f"seed {seed}")

    def random_trees(self, seed: int, source: str, old: str, dest: str) -> None:
        generate(source, seed, Options("small"))
        past_the_grain()
        self.mirror(source, old, note=f"seed {seed}")
        self.mirror("--link-dest", old, source, dest, note=f"seed {seed}")
        unprotect(os.fsencode(source))
        unprotect(os.fsencode(dest))
        past_the_grain()
        done = mutate(source, seed, 20) + mutate(dest, seed + 1, 20)
        note = f"seed {seed}: " + ", ".join(done)
        self.assert_linked(source, old, dest, "--delete", "--clear-flags", note=note)

    def seeds(self) -> range:
        return range(SEED, SEED + MIXTURES)

    def test_mixtures_tmpfs(self):
        self.each("tmpfs", self.seeds(), self.mixture)

    def test_mixtures_ext4(self):
        self.each("ext4", self.seeds(), self.mixture)

    def test_random_tmpfs(self):
        self.each("tmpfs", self.seeds(), self.random_trees)

    def test_random_xfs(self):
        self.each("xfs", self.seeds(), self.random_trees)


class Rules(Snapshots):
    """What becomes a further name of the older file, and what does not."""

    def setUp(self):
        self.place = place_of(PLACES, "ext4")
        super().setUp()
        self.source, self.old, self.dest = (self.path(name) for name in ("source", "old", "dest"))
        make_base(self.source)
        past_the_grain()
        self.mirror(self.source, self.old)
        past_the_grain()

    def link(self, *options, **more) -> dict:
        return self.assert_linked(self.source, self.old, self.dest, *options, **more)

    def shared(self, name: str) -> bool:
        """True if a name of the copy is one of the older copy's file."""
        return os.lstat(os.path.join(self.dest, name))[1] == os.lstat(os.path.join(self.old, name))[1]

    def test_unchanged_files_are_shared_and_all_else_is_new(self):
        counts = self.link()
        files = {os.lstat(os.path.join(folder, name)).st_ino for folder, _, names in os.walk(self.source)
                 for name in names if os.path.isfile(os.path.join(folder, name))
                 and not os.path.islink(os.path.join(folder, name))}  # fmt: skip
        self.assertEqual(counts["linked_to_older"], len(files))
        self.assertEqual(counts["bytes"], 0)
        for name in ("l/s1", "p/1", "k/link", "k"):
            self.assertFalse(self.shared(name), name)

    def test_every_difference_of_metadata_makes_a_copy(self):
        tool("setfattr", "-n", "user.a", "-v", "1", self.source + "/h/f")
        tool("setfacl", "-m", "u:9:r", self.source + "/h/g")
        os.chmod(self.source + "/h/h", 0o640)
        os.chown(self.source + "/k/file", 4, 5)
        tool("chattr", "+d", self.source + "/k/folder/x")
        os.utime(self.source + "/h/empty1", ns=(1, 1))
        self.link()
        for name in ("h/f", "h/g", "h/h", "k/file", "k/folder/x", "h/empty1"):
            self.assertFalse(self.shared(name), name)
        for name in ("h/empty2", "h/large", "k/folder/below/y"):
            self.assertTrue(self.shared(name), name)

    def rewrite(self, top: str, name: str) -> None:
        """Another content of the same size and time."""
        path = os.path.join(top, name)
        status = os.stat(path)
        with open(path, "r+b") as stream:
            stream.write(b"!")
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    def test_a_content_changed_behind_its_size_and_time_is_copied(self):
        self.rewrite(self.source, "h/f")
        self.rewrite(self.source, "g/a")
        self.link()
        self.assertFalse(self.shared("h/f"))
        self.assertFalse(self.shared("g/a"))
        self.assertTrue(self.shared("h/g"))

    def test_what_was_only_touched_is_read_and_shared(self):
        os.chmod(self.source + "/h/f", 0o600)
        os.chmod(self.source + "/h/f", os.stat(self.old + "/h/f").st_mode & 0o7777)
        self.link()
        self.assertTrue(self.shared("h/f"))

    def test_checksum_finds_an_older_copy_that_was_written_to(self):
        self.rewrite(self.old, "h/f")
        past_the_grain()
        self.link("--checksum")
        self.assertFalse(self.shared("h/f"))

    def test_the_first_older_copy_that_has_it_counts(self):
        self.mirror(self.source, self.path("older"))
        past_the_grain()
        self.rewrite(self.old, "h/f")
        os.unlink(self.old + "/h/g")
        before = standing(self.path("older"))
        past_the_grain()
        self.mirror("--checksum", "--link-dest", self.old, "--link-dest", self.path("older"),
                    self.source, self.dest)  # fmt: skip
        self.assert_exact(self.source, self.dest)
        for name, shared in (("h/f", "older"), ("h/g", "older"), ("h/h", "old")):
            self.assert_same_file(self.path(shared, name), self.path("dest", name))
        self.assertEqual(standing(self.path("older")), before)

    def test_what_stands_and_differs_gives_way_to_the_older_file(self):
        self.write("dest/h/f", b"another\n")
        os.makedirs(self.dest + "/h/g")
        self.link("--delete")
        self.assertTrue(self.shared("h/f"))
        self.assertTrue(self.shared("h/g"))

    def test_a_group_that_got_a_new_first_name_takes_no_room(self):
        """The file is made for the names that come before the one that the older copy has."""
        os.link(self.source + "/g/d", self.source + "/a first name")
        os.link(self.source + "/g/d", self.source + "/g/another name")
        os.link(self.source + "/n/deep/z1", self.source + "/g/one before z1")
        self.write("source/a new file", b"n" * 300)
        os.link(self.source + "/a new file", self.source + "/g/its name")
        os.utime(self.source + "/g", ns=(7, 7))
        self.link()
        for name in ("g/d", "m/z2", "g/a"):
            self.assertTrue(self.shared(name), name)
        planned = holdfast("mirror", "--dry-run", "--json", "--link-dest", self.old, self.source, self.path("plan"))
        self.assertEqual(planned.status, 0, str(planned))

    def test_a_file_that_the_source_has_itself_is_no_copy_of_it(self):
        tool("rm", "-r", self.old)
        tool("cp", "-al", self.source, self.old)
        past_the_grain()
        self.mirror("--link-dest", self.old, self.source, self.dest)
        self.assert_exact(self.source, self.dest)
        self.assert_not_same_file(self.source + "/h/f", self.dest + "/h/f")

    def test_immutable_files_are_copied(self):
        self.write("source/stuck")
        tool("chattr", "+i", self.source + "/stuck")
        self.addCleanup(unprotect, os.fsencode(self.work))
        past_the_grain()
        self.mirror(self.source, self.old)
        past_the_grain()
        result = holdfast("mirror", "--link-dest", self.old, self.source, self.dest)
        self.assertEqual(result.status, 0, str(result))
        self.assertIn("takes no further name", result.text)
        self.assert_exact(self.source, self.dest)

    def test_links_on_the_way_are_not_walked_through(self):
        """In OLD a folder became a link to one that has the same files."""
        os.rename(self.old + "/h", self.path("elsewhere"))
        os.symlink("../elsewhere", self.old + "/h")
        past_the_grain()
        self.mirror("--link-dest", self.old, self.source, self.dest)
        self.assert_exact(self.source, self.dest)
        self.assertEqual(os.lstat(self.path("elsewhere/f")).st_nlink, 1)

    def test_what_a_dead_run_left_is_read(self):
        """An older copy whose run was cut off may have sizes and times over other contents."""
        self.rewrite(self.old, "h/f")
        marker = self.write("old/.holdfast-run", b"holdfast run\nversion 1\nid 0123456789abcdef\n")
        os.utime(marker, ns=(1, 1))
        past_the_grain()
        self.mirror("--link-dest", self.old, self.source, self.dest)
        self.assert_exact(self.source, self.dest)
        self.assertFalse(self.shared("h/f"))

    def test_dry_run_tells_what_a_run_does(self):
        CHANGES["a group rewritten"](self.source)
        os.unlink(self.old + "/h/g")
        options = ("--json", "--link-dest", self.old, self.source, self.dest)
        planned = holdfast("mirror", "--dry-run", *options)
        self.assertFalse(os.path.exists(self.dest))
        done = holdfast("mirror", "-v", *options)
        changes = [sorted((item["action"], item["path"]) for item in run.objects() if item["type"] == "change")
                   for run in (planned, done)]  # fmt: skip
        self.assertEqual(*changes)
        self.assertIn(("link-old", "source/h/f"), changes[0])
        summaries = [run.objects()[-1] for run in (planned, done)]
        self.assertEqual(summaries[0]["linked_to_older"], summaries[1]["linked_to_older"])

    def test_places_that_cannot_be(self):
        os.symlink("dest", self.path("link"))
        os.makedirs(self.dest + "/below")
        other = place_of(PLACES, "tmpfs")
        for older, words in ((self.source, "same folder"), (self.source + "/g", "same folder"),
                             (self.dest, "same folder"), (self.path("link"), "same folder"),
                             (self.dest + "/below", "same folder"), (self.work, "same folder"),
                             (other, "different file systems"), (self.path("not there"), "No such file"),
                             (self.old + "/h/f", "Not a directory")):  # fmt: skip
            with self.subTest(older=older):
                result = holdfast("mirror", "--link-dest", older, self.source, self.dest)
                self.assertEqual(result.status, 2, str(result))
                self.assertIn(words, result.text)
        many = [word for _ in range(21) for word in ("--link-dest", self.old)]
        self.assertIn("20 times", self.run_ok("mirror", *many, self.source, self.dest, status=2).text)

    def test_a_relative_place_is_relative_to_the_current_folder(self):
        self.run_ok("mirror", "--link-dest", "old", "source", "dest", cwd=self.work)
        self.assertTrue(self.shared("h/f"))

    def test_few_handles_are_enough(self):
        """Twenty older copies of a deep tree, of which the last alone has the files."""
        deep = os.path.join(self.source, *["d"] * 70)
        os.makedirs(deep)
        for number in range(50):
            self.write(os.path.join(deep, str(number)))
        past_the_grain()
        self.mirror(self.source, self.old)
        older = []
        for number in range(19):
            os.makedirs(self.path(f"older{number}", *["d"] * 70))
            older += ["--link-dest", self.path(f"older{number}")]
        past_the_grain()
        command = ["sh", "-c", 'ulimit -n 256; exec "$@"', "-", PROGRAM, "mirror", "--json", *older,
                   "--link-dest", self.old, self.source, self.dest]  # fmt: skip
        result = tool(*command)
        self.assertEqual(result.status, 0, str(result))
        self.assertEqual(result.objects()[-1]["bytes"], 0, str(result))
        self.assert_exact(self.source, self.dest)


class Users(Snapshots):
    """An ordinary user."""

    def test_an_ordinary_user_s_group_in_a_folder_that_may_not_be_written(self):
        os.chmod(self.work, 0o755)
        self.source, self.old, self.dest = (self.path(name) for name in ("source", "old", "dest"))
        self.write("source/a folder/first")
        os.link(self.source + "/a folder/first", self.source + "/z")
        for folder, folders, names in os.walk(self.work):
            for name in ["", *folders, *names]:
                os.chown(os.path.join(folder, name), support.NOBODY, support.NOBODY, follow_symlinks=False)
        past_the_grain()
        os.rename(self.source + "/a folder", self.path("away"))
        self.run_ok("mirror", "--delete", self.source, self.old, user=support.NOBODY)
        os.rename(self.path("away"), self.source + "/a folder")
        os.chmod(self.source + "/a folder", 0o555)
        past_the_grain()
        self.run_ok("mirror", "--link-dest", self.old, self.source, self.dest, user=support.NOBODY)
        self.assert_exact(self.source, self.dest)
        self.assert_same_file(self.old + "/z", self.dest + "/a folder/first")


class Limits(Snapshots):
    """A file that takes no more names."""

    def test_ext4(self):
        self.place = place_of(PLACES, "ext4")
        self.setUp()
        source, old, dest = (self.path(name) for name in ("source", "old", "dest"))
        self.write("source/full")
        os.link(source + "/full", source + "/full too")
        self.write("source/other")
        past_the_grain()
        self.mirror(source, old)
        os.mkdir(self.path("names"))
        for number in range(65000 - 2):
            os.link(old + "/full", self.path("names", str(number)))
        before = standing(old)
        past_the_grain()
        result = holdfast("mirror", "--link-dest", old, source, dest)
        self.assertEqual(result.status, 1, str(result))
        self.assertIn("link limit", result.text)
        self.assert_exact(source, dest)
        self.assert_same_file(old + "/other", dest + "/other")
        self.assertEqual(standing(old), before)
        past_the_grain()
        self.assertEqual(self.mirror("--link-dest", old, source, dest)["created"], 0)


class OnNtfs(Ntfs):
    """NTFS through ntfs-3g."""

    def setUp(self):
        super().setUp()
        self.top = self.volume().path
        self.source, self.old, self.dest = (os.path.join(self.top, name) for name in ("source", "old", "dest"))
        os.makedirs(self.source + "/folder")
        for name in ("a", "b", "folder/c"):
            with open(os.path.join(self.source, name), "w", encoding="ascii") as stream:
                stream.write(name)
        os.link(self.source + "/a", self.source + "/folder/a too")
        past_the_grain()

    def run_ok(self, *arguments, status: int = 0):
        result = holdfast(*arguments)
        self.assertEqual(result.status, status, str(result))
        return result

    def test_names_are_shared_up_to_1024(self):
        self.run_ok("mirror", self.source, self.old)
        os.mkdir(self.top + "/names")
        for number in range(1022):
            os.link(self.old + "/a", f"{self.top}/names/{number}")
        past_the_grain()
        result = self.run_ok("mirror", "--link-dest", self.old, self.source, self.dest, status=1)
        self.assertIn("link limit", result.text)
        self.assert_same_on_ntfs(self.source, self.dest)
        for name in ("b", "folder/c"):
            self.assert_same_file(os.path.join(self.old, name), os.path.join(self.dest, name))
        self.assert_same_file(self.dest + "/a", self.dest + "/folder/a too")

    def test_snapshots(self):
        store = self.top + "/store"
        for _ in range(2):
            self.run_ok("snapshot", self.source, store)
        first, second = sorted(name for name in os.listdir(store) if name != "latest")
        for name in (first, second):
            self.assert_same_on_ntfs(self.source, os.path.join(store, name))
        self.assert_same_file(os.path.join(store, first, "b"), os.path.join(store, second, "b"))
        self.assertEqual(os.path.realpath(store + "/latest"), os.path.join(store, second))


class Stores(Snapshots):
    """What the tests of stores share."""

    def setUp(self):
        super().setUp()
        self.source, self.store = self.path("source"), self.path("store")
        make_base(self.source)
        past_the_grain()

    def change(self, day: int) -> None:
        """What a day brings: a new file with a further name, one that is rewritten, one that goes,
        names that change their files."""
        self.write(f"source/day{day}", b"%d" % day)
        os.link(self.source + f"/day{day}", self.source + f"/h/also {day}")
        self.write("source/h/f", b"%d" % day * 50)
        if day % 2:
            CHANGES["a group rewritten"](self.source)
        for name in (f"day{day + 2}", "h/h"):
            if os.path.lexists(self.path("source", name)):
                os.unlink(self.path("source", name))
        os.link(self.source + "/n/deep/z1", self.source + f"/g/z{day}")

    def whole(self) -> list:
        return sorted(name for name in os.listdir(self.store) if NAME.fullmatch(name))

    def age(self, path: str, seconds: int) -> str:
        """Gives a snapshot an older name; its new path."""
        moment = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=seconds)
        new = os.path.join(os.path.dirname(path), moment.strftime("%Y-%m-%dT%H%M%SZ"))
        os.rename(path, new)
        return new

    def latest(self) -> str:
        return os.readlink(os.path.join(self.store, "latest"))

    def assert_tidy(self) -> None:
        """Nothing of an unfinished run is left, and nothing that a run makes for itself."""
        left = [name for name in os.listdir(self.store) if not NAME.fullmatch(name) and name != "latest"]
        self.assertEqual(left, [])
        for name in self.whole():
            self.assert_no_temporary_names(os.path.join(self.store, name))


class Store(Stores):
    """holdfast snapshot."""

    def test_a_second_one_shares_what_is_unchanged(self):
        first = self.snap(self.source, self.store)
        before, content = standing(first), snapshot(first)
        past_the_grain()
        CHANGES["a group rewritten"](self.source)
        second = self.snap(self.source, self.store)
        self.assertLess(first, second)
        self.assert_exact(self.source, second)
        self.assertEqual((standing(first), snapshot(first)), (before, content))
        self.assert_same_file(first + "/h/f", second + "/h/f")
        self.assert_not_same_file(first + "/g/a", second + "/g/a")
        self.assertEqual(self.latest(), os.path.basename(second))
        self.assert_tidy()

    def test_a_change_behind_size_and_time_is_seen_though_links_touch_the_older_files(self):
        """Each link to a file, and each snapshot that goes, sets the time of change of its inode: no
        longer that of the copy."""
        first = self.snap(self.source, self.store)
        status = os.stat(self.source + "/h/f")
        past_the_grain()
        with open(self.source + "/h/f", "r+b") as stream:
            stream.write(b"!")
        os.utime(self.source + "/h/f", ns=(status.st_atime_ns, status.st_mtime_ns))
        past_the_grain()
        os.link(first + "/h/f", self.path("another name"))
        os.unlink(self.path("another name"))
        past_the_grain()
        self.mirror("--link-dest", first, self.source, self.path("by hand"))
        self.assert_same_file(first + "/h/f", self.path("by hand/h/f"))  # the trap
        self.assert_exact(self.source, self.snap(self.source, self.store))

    def test_what_is_left_out_is_no_part_of_it(self):
        second = self.snap("--exclude", "/g", self.source, self.store)
        self.assertEqual(os.path.exists(second + "/g"), False)
        self.assert_exact(self.source, self.snap(self.source, self.store))

    def test_dry_run_changes_nothing_and_tells_all(self):
        self.run_ok("snapshot", "--dry-run", self.source, self.store)
        self.assertFalse(os.path.exists(self.store))
        for days in (3, 2, 1):
            self.age(self.snap(self.source, self.store), days * DAY)
        before, content = standing(self.store), sorted(os.listdir(self.store))
        result = self.run_ok("snapshot", "--dry-run", "--keep", "last=2", self.source, self.store)
        self.assertEqual((standing(self.store), sorted(os.listdir(self.store))), (before, content))
        self.assertIn("would make 20", result.text)
        for name in self.whole()[:2]:
            self.assertIn(f"prune     {name}", result.text)
        self.assertIn("would prune 2 snapshots", result.text)

    def test_pruning_leaves_the_others_exact_and_all_that_is_no_snapshot(self):
        trees = {}
        for days in range(6, 0, -1):
            past_the_grain()
            self.change(days)
            path = self.age(self.snap(self.source, self.store), days * DAY)
            trees[os.path.basename(path)] = snapshot(path)
        for name in ("notes", "2026-11-25T130501Z.bak", "2026-02-30T000000Z", "2001-01-01T000000z"):
            self.write(f"store/{name}/kept")
        self.write("store/2001-01-01T000000Z")
        os.symlink("notes", self.path("store/2001-01-02T000000Z"))
        last = self.snap("--keep", "daily=3", self.source, self.store)
        self.assertEqual(len(self.whole()), 3 + 3)
        for name in self.whole()[-3:-1]:
            self.assertEqual(snapshot(os.path.join(self.store, name)), trees[name])
        self.assert_exact(self.source, last)
        for name in ("notes", "2026-11-25T130501Z.bak", "2026-02-30T000000Z", "2001-01-01T000000z"):
            self.assertEqual(os.listdir(self.path("store", name)), ["kept"])
        self.assertTrue(os.path.isfile(self.path("store/2001-01-01T000000Z")))
        self.assertTrue(os.path.islink(self.path("store/2001-01-02T000000Z")))

    def test_rules_that_are_none(self):
        for rules in ("", "daily", "daily=", "daily=0", "daily=-1", "daily=1,daily=2", "daily=1,", "often=3"):
            with self.subTest(rules=rules):
                self.run_ok("snapshot", "--keep", rules, self.source, self.store, status=2)
        self.assertFalse(os.path.exists(self.store))

    def test_losses_are_told_and_nothing_is_pruned(self):
        os.chmod(self.work, 0o755)
        for folder, folders, names in os.walk(self.work):
            for name in ["", *folders, *names]:
                os.chown(os.path.join(folder, name), support.NOBODY, support.NOBODY, follow_symlinks=False)
        os.mkdir(self.store)
        os.chown(self.store, support.NOBODY, support.NOBODY)
        first = holdfast("snapshot", self.source, self.store, user=support.NOBODY)
        self.assertEqual(first.status, 0, str(first))
        os.chmod(self.source + "/g", 0)
        second = holdfast("snapshot", "--keep", "last=1", self.source, self.store, user=support.NOBODY)
        self.assertEqual(second.status, 1, str(second))
        self.assertIn("nothing is pruned after errors", second.text)
        self.assertEqual(len(self.whole()), 2)
        self.assertEqual(self.latest(), self.whole()[1])
        os.chmod(self.source + "/g", 0o755)

    def test_an_empty_source_makes_none(self):
        self.snap(self.source, self.store)
        os.mkdir(self.path("empty"))
        result = self.run_ok("snapshot", self.path("empty"), self.store, status=2)
        self.assertIn("--allow-empty", result.text)
        self.run_ok("snapshot", self.path("not there"), self.store, status=2)
        self.assertEqual(len(self.whole()), 1)
        self.assert_tidy()
        self.assertEqual(os.listdir(self.snap("--allow-empty", self.path("empty"), self.store)), [])
        self.snap(self.path("empty"), self.store)

    def test_a_source_that_goes_away_makes_none(self):
        """Its disk is taken away while what was read is synced: there is an empty folder then."""
        first = os.path.basename(self.snap(self.source, self.store))
        run = self.traced("inject=syncfs:delay_enter=3000000")
        until = time.monotonic() + 60
        while not any(name.endswith(".unfinished") for name in os.listdir(self.store)):
            self.assertLess(time.monotonic(), until)
            time.sleep(0.02)
        time.sleep(1)
        os.rename(self.source, self.path("away"))
        os.mkdir(self.source)
        out, _ = run.communicate(timeout=60)
        self.assertEqual(run.returncode, 3, out)
        self.assertIn(b"went away", out)
        self.assertEqual((self.whole(), self.latest()), ([first], first))
        os.rmdir(self.source)
        os.rename(self.path("away"), self.source)
        self.assert_exact(self.source, self.snap(self.source, self.store))
        self.assert_tidy()

    def traced(self, *injections, options=()) -> subprocess.Popen:
        """A run whose system calls are meddled with."""
        command = ["strace", "-f", "-qq", "-o", os.devnull]
        for injection in injections:
            command += ["-e", injection]
        sanitizer = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
        return subprocess.Popen([*command, PROGRAM, "snapshot", *options, self.source, self.store],
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                env={**os.environ, "ASAN_OPTIONS": sanitizer})  # fmt: skip

    def test_where_no_link_can_be_made(self):
        support.cleanup(self.source)
        self.write("source/file")
        run = self.traced("inject=symlinkat,symlink:error=EPERM")
        out, _ = run.communicate(timeout=60)
        self.assertEqual(run.returncode, 0, out)
        self.assertIn(b"no symbolic links", out)
        self.assertEqual(os.listdir(self.store), self.whole())

    def test_what_is_no_link_stays(self):
        self.write("store/latest/mine")
        result = self.run_ok("snapshot", self.source, self.store, status=1)
        self.assertIn("is no symbolic link", result.text)
        self.assertEqual(os.listdir(self.path("store/latest")), ["mine"])

    def test_one_run_at_a_time(self):
        os.mkdir(self.store)
        folder = os.open(self.store, os.O_RDONLY)
        fcntl.flock(folder, fcntl.LOCK_EX)
        try:
            result = self.run_ok("snapshot", self.source, self.store, status=2)
            self.assertIn("another run is writing", result.text)
        finally:
            os.close(folder)
        self.assertEqual(os.listdir(self.store), [])

    def test_a_store_in_the_source_is_refused(self):
        for source, store in ((self.source, self.source + "/g"), (self.source, self.source),
                              (self.source + "/g", self.source)):  # fmt: skip
            with self.subTest(source=source, store=store):
                self.assertIn("same folder", self.run_ok("snapshot", source, store, status=2).text)

    def test_a_clock_behind_the_newest_is_told(self):
        self.age(self.snap(self.source, self.store), -DAY)
        result = self.run_ok("snapshot", self.source, self.store, status=2)
        self.assertIn("set the clock", result.text)
        self.assertEqual(len(self.whole()), 1)

    def test_leftovers_of_cut_runs_are_finished_or_go(self):
        first = self.snap(self.source, self.store)
        os.rename(self.age(self.snap(self.source, self.store), DAY),
                  self.path("store/2020-01-01T000000Z.pruned"))  # fmt: skip
        self.write("store/2020-01-02T000000Z.unfinished/stale/file")
        self.write("store/2020-01-03T000000Z.unfinished/stale/file")
        self.write("store/2020-01-03T000000Z.unfinished/h/f", b"half")
        result = self.run_ok("snapshot", "-v", self.source, self.store)
        self.assertIn("this one goes on with it", result.text)
        self.assert_tidy()
        self.assertEqual(len(self.whole()), 2)
        self.assert_exact(self.source, os.path.join(self.store, self.latest()))
        self.assert_exact(self.source, first)


class Killed(Stores):
    """A run is killed at one of its calls that change something, and the next one is made."""

    CALLS = ("mkdirat", "linkat", "renameat", "symlinkat", "utimensat", "fchmod", "unlinkat", "fsync", "syncfs",
             "pwrite64")  # fmt: skip

    def killed(self, call: str, when: int) -> bool:
        """A run that is killed at so many of these calls; false if it has fewer."""
        command = ["strace", "-f", "-qq", "-o", os.devnull, "-e", f"inject={call}:signal=KILL:when={when}"]
        sanitizer = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
        run = tool(*command, PROGRAM, "snapshot", "-j1", "--keep", "last=2", self.source, self.store,
                   env={**os.environ, "ASAN_OPTIONS": sanitizer})  # fmt: skip
        self.assertIn(run.status, (0, -signal.SIGKILL, 128 + signal.SIGKILL), str(run))
        return run.status != 0

    def assert_known(self, name: str, note: str) -> None:
        """A snapshot is what it was, or, if it is new, what the source is."""
        seen = snapshot(os.path.join(self.store, name))
        lines = compare(self.known.get(name, self.wanted), seen, ("holes",))
        self.assert_no_lines([str(line) for line in lines], f"{note}: {name}")

    def check(self, call: str, when: int) -> bool:
        note = f"killed at {call} {when}"
        tool("cp", "-a", self.path("before"), self.store)
        was_killed = self.killed(call, when)
        for name in self.whole():
            self.assert_known(name, note)
        self.assertTrue(NAME.fullmatch(self.latest()), note)
        self.assertIn(self.latest(), self.whole(), note)
        past_the_grain()
        last = self.snap("--keep", "last=2", self.source, self.store, note=note)
        self.assert_exact(self.source, last, note)
        self.assertEqual(self.latest(), os.path.basename(last), note)
        self.assert_tidy()
        self.assertEqual(len(self.whole()), 2, note)
        for name in self.whole():
            self.assert_known(name, note)
        support.cleanup(self.store)
        return was_killed

    def test_any_moment(self):
        for days in (2, 1):
            self.age(self.snap(self.source, self.store), days * DAY)
            past_the_grain()
            self.change(days)
        name = self.whole()[-1]
        os.unlink(self.path("store/latest"))
        os.symlink(name, self.path("store/latest"))
        os.rename(self.store, self.path("before"))
        self.known = {name: snapshot(self.path("before", name)) for name in os.listdir(self.path("before"))}
        self.wanted = snapshot(self.source)
        every = MIXTURES >= 20
        calls = 0
        for call in self.CALLS:
            when = 1 if every else random.Random(f"{SEED} {call}").randrange(1, 6)
            while self.check(call, when):
                calls += 1
                if not every:
                    break
                when += 1
        print(f"killed at {calls} calls", flush=True)
        self.assertGreater(calls, 3)



class Days(Stores):
    """Days of work on a project of pnpm's: a snapshot a day, then most of them go."""

    def setUp(self):
        self.place = place_of(PLACES, "ext4")
        super().setUp()
        support.cleanup(self.source)
        self.project = Real(self.source, PNPM) if PNPM else Generated(self.source, PACKAGES, SEED)
        self.versions = {}  # of a file, content and metadata: how many files there were at once
        self.trees = []

    def note_versions(self, tree) -> None:
        """A version of a file has to be kept once for each file that there was of it at a time."""
        files = {record.identity: record for record in tree.values() if record.kind == "file"}
        counts = {}
        for record in files.values():
            key = (record.data, record.size, record.mode, record.uid, record.gid, record.mtime_ns)
            counts[key] = counts.get(key, 0) + 1
        for key, count in counts.items():
            self.versions[key] = max(self.versions.get(key, 0), count)

    def ideal(self) -> int:
        """Bytes in blocks of what has to be kept."""
        block = os.statvfs(self.store).f_bsize
        return sum(-(-key[1] // block) * block * count for key, count in self.versions.items())

    def used(self) -> int:
        """Bytes in blocks of all files in the store, each once."""
        blocks = {}
        for name in self.whole():
            for visit in walk(os.fsencode(os.path.join(self.store, name))):
                if visit.event != LEAVE and stat.S_ISREG(visit.status.st_mode):
                    blocks[visit.status.st_ino] = visit.status.st_blocks * 512
        return sum(blocks.values())

    def plain(self) -> int:
        """What copies that share nothing would take."""
        block = os.statvfs(self.store).f_bsize
        return sum(-(-record.size // block) * block for tree in self.trees
                   for record in {item.identity: item for item in tree.values()}.values()
                   if record.kind == "file")  # fmt: skip

    def on_volume(self) -> int:
        tool("sync", "-f", self.work)
        facts = os.statvfs(self.work)
        return (facts.f_blocks - facts.f_bfree) * facts.f_frsize

    def kept(self, times: list, rules: dict) -> set:
        """Which times stay, worked out apart from the program."""
        stay = {times[-1]}
        for period, count in rules.items():
            newest = {}
            for moment in times:
                newest[moment.strftime(period)] = moment
            stay.update(sorted(newest.values())[-count:])
        return stay

    def test_each_is_exact_and_takes_what_changed(self):
        begun = time.monotonic()
        for day in range(DAYS):
            if day:
                past_the_grain()
                self.project.day()
            past_the_grain()
            before = self.on_volume()
            path = self.snap(self.source, self.store, note=f"day {day}")
            tree = snapshot(self.source)
            self.assert_no_lines([str(line) for line in compare(tree, snapshot(path), ("holes",))], f"day {day}")
            self.note_versions(tree)
            self.trees.append(tree)
            print(f"day {day}: {len(tree)} entries, {self.on_volume() - before} bytes on the volume", flush=True)
        used, ideal = self.used(), self.ideal()
        print(f"{DAYS} days, seed {SEED}: files take {used} bytes in blocks, {ideal} is the ideal "
              f"({used / ideal:.4f}), {self.plain()} copies that share nothing; {time.monotonic() - begun:.0f} s",
              flush=True)  # fmt: skip
        self.assertLessEqual(used, ideal * 1.05)
        self.assert_pruned()

    def assert_pruned(self) -> None:
        """The days get their dates, and rules say which of them stay."""
        today = datetime.datetime.now(datetime.timezone.utc)
        trees = {}
        for index, name in enumerate(self.whole()):
            new = self.age(os.path.join(self.store, name), (DAYS - index) * DAY)
            trees[os.path.basename(new)] = self.trees[index]
        self.assert_all_exact(trees)
        options = ("--keep", "daily=3,weekly=2,monthly=2", self.source, self.store)
        last = os.path.basename(self.snap(*options))
        trees[last] = self.trees[-1]
        times = [datetime.datetime.strptime(name, "%Y-%m-%dT%H%M%SZ") for name in sorted(trees)]
        stay = self.kept(times, {"%Y-%m-%d": 3, "%G %V": 2, "%Y-%m": 2})
        self.assertEqual(self.whole(), [moment.strftime("%Y-%m-%dT%H%M%SZ") for moment in sorted(stay)])
        self.assert_all_exact(trees)
        self.assert_tidy()
        print(f"{len(self.whole())} of {len(trees)} stay since {today:%Y-%m-%d}", flush=True)

    def assert_all_exact(self, trees: dict) -> None:
        for name in self.whole():
            lines = compare(trees[name], snapshot(os.path.join(self.store, name)), ("holes",))
            self.assert_no_lines([str(line) for line in lines], name)


if __name__ == "__main__":
    support.main()
