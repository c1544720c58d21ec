#!/usr/bin/env python3
"""Snapshots: each whole and exact, the others untouched, unfinished ones never taken for whole, none gone
that a rule keeps.

A run is killed at a sample of its calls, at each from HOLDFAST_MIXTURES=20 on. HOLDFAST_DAYS days of
work on a project of HOLDFAST_PACKAGES packages (5 and 12 if not set), made up from HOLDFAST_SEED (drawn
if not set, and printed); HOLDFAST_PNPM is a pnpm that makes a real one instead.
"""

import datetime
import fcntl
import os
import random
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
import unittest

import support
from ntfs_case import Ntfs
from oracle.oracle import compare, snapshot
from oracle.walk import LEAVE, walk
from sharing import Snapshots, past_the_grain, standing
from support import PROGRAM, holdfast, needs_root, place_of, tool
from trees.pnpm import Generated, Real
from trees.relink import CHANGES, make_base

MIXTURES = int(os.environ.get("HOLDFAST_MIXTURES", "2"))
SEED = int(os.environ.get("HOLDFAST_SEED", random.randrange(10**6) * 1000))
DAYS = int(os.environ.get("HOLDFAST_DAYS", "5"))
PACKAGES = int(os.environ.get("HOLDFAST_PACKAGES", "12"))
PNPM = os.environ.get("HOLDFAST_PNPM")
NAME = re.compile(r"\d{4}-\d\d-\d\dT\d{6}Z")
DAY = 24 * 3600
PLACES = {}


def setUpModule():
    needs_root()
    support.mount_places(globals(), "ext4")
    print(f"seed {SEED}", flush=True)


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
        self.assertEqual(standing(first), before)
        self.assert_no_lines([str(line) for line in compare(content, snapshot(first), ("holes",))])
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
            seen = snapshot(os.path.join(self.store, name))
            self.assert_no_lines([str(line) for line in compare(trees[name], seen, ("holes",))], name)
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

    def test_a_file_that_is_written_to_is_in_each(self):
        for i in range(1500):
            self.write(f"source/many/{i}", b"%d" % i)
        self.write("source/many/zz-log")
        log = self.source + "/many/zz-log"
        writer = subprocess.Popen([sys.executable, "-c", "import sys, time\nwhile True:\n"
                                   " open(sys.argv[1], 'a').write('line\\n')\n time.sleep(0.001)", log])  # fmt: skip
        try:
            for _ in range(4):
                result = holdfast("snapshot", self.source, self.store)
                self.assertIn(result.status, (0, 1), str(result))
                with open(self.store + "/latest/many/zz-log", "rb") as copy, open(log, "rb") as now:
                    self.assertEqual(now.read().find(copy.read()), 0)
                past_the_grain()
        finally:
            writer.kill()
            writer.wait()

    def test_a_whole_one_without_its_name_is_read(self):
        """The run was killed between the marker's end and the name; what then changes behind size and
        time must not be taken for what is there, though links touched the files in the meantime."""
        first = self.snap(self.source, self.store)
        past_the_grain()
        run = self.traced("inject=renameat:signal=KILL:when=1")
        run.communicate(timeout=60)
        unfinished = [name for name in os.listdir(self.store) if name.endswith(".unfinished")]
        self.assertEqual(len(unfinished), 1)
        self.assertNotIn(".holdfast-run", os.listdir(f"{self.store}/{unfinished[0]}"))
        path = self.source + "/h/f"
        status = os.stat(path)
        with open(path, "r+b") as file:
            file.write(b"X")
        os.utime(path, ns=(status.st_mtime_ns, status.st_mtime_ns))
        past_the_grain()
        support.cleanup(first)
        past_the_grain()
        self.assert_exact(self.source, self.snap(self.source, self.store))

    @unittest.skipIf(shutil.which("strace") is None, "strace is not installed")
    def test_nothing_goes_before_the_new_one_is_on_the_disk(self):
        self.snap(self.source, self.store)
        past_the_grain()
        result = tool("strace", "-f", "-e", "trace=syncfs,unlinkat", PROGRAM, "snapshot", "--no-sync", "--keep",
                      "last=1", self.source, self.store,
                      env={**os.environ, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"})  # fmt: skip
        self.assertEqual(result.status, 0, str(result))
        self.assertRegex(result.text, r"(?s)syncfs\(.*unlinkat\(")

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



class OnNtfs(Ntfs):
    """A store on NTFS through ntfs-3g."""

    def test_snapshots(self):
        top = self.volume().path
        source, store = top + "/source", top + "/store"
        os.makedirs(source + "/folder")
        for name in ("a", "b", "folder/c"):
            with open(os.path.join(source, name), "w", encoding="ascii") as stream:
                stream.write(name)
        os.link(source + "/a", source + "/folder/a too")
        past_the_grain()
        for _ in range(2):
            self.run_ok("snapshot", source, store)
        first, second = sorted(name for name in os.listdir(store) if name != "latest")
        for name in (first, second):
            self.assert_same_on_ntfs(source, os.path.join(store, name))
        self.assert_same_file(os.path.join(store, first, "b"), os.path.join(store, second, "b"))
        self.assertEqual(os.path.realpath(store + "/latest"), os.path.join(store, second))


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
