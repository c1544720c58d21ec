#!/usr/bin/env python3
"""Mirrors that are cut off: killed at their Nth call that changes something, at any moment, or by a loss of power
(R16). Whatever then stands in the copy is old or new; the next run makes it exact, the one after it does nothing.
After a loss of power a name where no file stood may have all but its data, as the marker tells (R7).

The gate takes a sample. A campaign: HOLDFAST_KILLS=300 (the first so many calls, with one and with two threads),
HOLDFAST_MOMENTS=100 (random moments), HOLDFAST_CUTS=30 (losses of power in each way and place), HOLDFAST_SEED.
"""

import os
import random
import shutil
import subprocess
import sys
import time
import unittest

import support
from crashes import judge
from mounts import Disk
from oracle.oracle import compare, snapshot
from support import PROGRAM, Case, holdfast, needs_root, place_of
from trees.upheaval import age, make_after, make_before

KILLS = int(os.environ.get("HOLDFAST_KILLS", "0"))
MOMENTS = int(os.environ.get("HOLDFAST_MOMENTS", "2"))
CUTS = int(os.environ.get("HOLDFAST_CUTS", "1"))
SEED = int(os.environ.get("HOLDFAST_SEED", random.randrange(10**6)))
SAMPLE = 4  # calls of each run with so many threads
KILL_AT = os.environ.get("HOLDFAST_KILL_AT") or os.path.join(
    os.path.dirname(support.TESTS), "build", "dev", "tests", "campaign_kill_at"
)
KILLED = 128 + 9
NO_DATA = 1  # EXT4_GOING_FLAGS_LOGFLUSH: the log is written, and nothing else any more
PLACES = {}


def setUpModule():
    needs_root()
    if not os.access(KILL_AT, os.X_OK):
        raise unittest.SkipTest(f"no program at {KILL_AT}")
    support.mount_places(globals(), "tmpfs")
    print(f"seed {SEED}", flush=True)


def past_the_grain():
    """Lets the clock of inodes go on: what is copied within its grain is read once more."""
    time.sleep(0.02)


class Cut(Case):
    """A source, a copy that is out of date, names outside of it; what a cut left is judged."""

    parts = 3

    def setUp(self):
        self.place = place_of(PLACES, "tmpfs")
        super().setUp()
        self.source = self.path("source")
        self.environment = {**os.environ, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}

    def command(self, jobs: int, *options: str) -> list:
        return [PROGRAM, "mirror", "--delete", "-j", str(jobs), *options, self.source, self.dest]

    def prepare(self, top: str, seed: int) -> None:
        """The source, and in `top` the copy and the names outside."""
        self.dest, self.outside = top + "/dest", top + "/outside"
        make_before(self.source, self.parts)
        past_the_grain()
        self.run_ok("mirror", self.source, self.dest)
        age(self.dest, self.outside)
        past_the_grain()
        make_after(self.source, seed)
        self.new = snapshot(self.source)
        self.keep_old()

    def keep_old(self) -> None:
        self.old, self.held = snapshot(self.dest), snapshot(self.outside)

    def assert_old_or_new(self, note: str, power_cut: bool = False, ordered: bool = True) -> None:
        self.assert_no_lines(judge(self.old, self.new, snapshot(self.dest), power_cut, ordered), note)
        self.assert_outside_is_untouched(note)

    def assert_outside_is_untouched(self, note: str) -> None:
        self.assert_no_lines([str(line) for line in compare(self.held, snapshot(self.outside))], note + ": outside")

    def assert_exact(self, note: str) -> None:
        lines = compare(self.new, snapshot(self.dest), ("holes",))
        self.assert_no_lines([str(line) for line in lines], note)

    def assert_finished_by_the_next_run(self, note: str) -> None:
        past_the_grain()
        self.run_ok("mirror", "--delete", self.source, self.dest)
        self.assert_exact(note + ": after the next run")
        self.assert_outside_is_untouched(note + ": after the next run")
        past_the_grain()
        before = snapshot(self.dest)
        result = self.run_ok("mirror", "--json", "--delete", self.source, self.dest)
        summary = result.objects()[-1]
        changed = [summary[key] for key in ("created", "linked", "replaced", "updated", "deleted")]
        self.assertEqual(changed, [0] * 5, f"{note}: the third run\n{summary}")
        self.assertEqual(snapshot(self.dest), before, note)


class Killed(Cut):
    """On tmpfs, each time from the same state: what was there is copied, links and all."""

    def setUp(self):
        super().setUp()
        os.mkdir(self.path("template"))
        self.prepare(self.path("template"), SEED)
        self.tried = self.path("tried")
        # What is copied has times of change later than the source's, which it must not have.
        shutil.move(self.source, self.path("source template"))
        self.dest, self.outside = self.tried + "/dest", self.tried + "/outside"

    def set_up_again(self) -> None:
        for path in (self.tried, self.source):
            support.cleanup(path)
        for what, where in (("template", self.tried), ("source template", self.source)):
            subprocess.run(["cp", "-a", self.path(what), where], check=True)
            past_the_grain()
        self.keep_old()

    def run_killed_at(self, jobs: int, number: int, options: tuple) -> subprocess.CompletedProcess:
        return subprocess.run([KILL_AT, str(number), *self.command(jobs, *options)], capture_output=True,
                              check=False, timeout=120, env=self.environment)  # fmt: skip

    def kill_at_calls(self, jobs: int, *options: str) -> None:
        self.set_up_again()
        run = self.run_killed_at(jobs, 0, options)
        self.assertEqual(run.returncode, 0, run.stderr)
        calls = int(run.stderr.split()[-1])
        self.assertGreater(calls, 300)
        rng = random.Random(SEED + jobs)
        numbers = range(1, min(KILLS, calls) + 1) if KILLS else sorted(rng.sample(range(1, calls + 1), SAMPLE))
        for number in numbers:
            note = f"seed {SEED}, -j {jobs} {' '.join(options)}, call {number} of {calls}"
            with self.subTest(note):
                self.set_up_again()
                run = self.run_killed_at(jobs, number, options)
                self.assertIn(run.returncode, (KILLED, 0) if jobs > 1 else (KILLED,), f"{note}\n{run.stderr}")
                self.assert_old_or_new(note)
                self.assert_finished_by_the_next_run(note)
        print(f"{len(numbers)} kills of {calls} calls, -j {jobs}", flush=True)

    def test_at_each_call(self):
        self.kill_at_calls(1)

    def test_at_each_call_of_two_threads(self):
        self.kill_at_calls(2)

    def test_at_each_call_of_a_first_copy(self):
        """Where nothing stands: files grow under their own names."""
        self.set_up_again()
        support.cleanup(self.path("template/dest"))
        os.mkdir(self.path("template/dest"))
        self.kill_at_calls(2, "--no-sync")

    def test_at_any_moment(self):
        self.set_up_again()
        start = time.monotonic()
        subprocess.run(self.command(2), check=True, capture_output=True)
        lasts = time.monotonic() - start
        rng, killed = random.Random(SEED), 0
        for number in range(MOMENTS):
            after = rng.uniform(0, lasts * 1.1)
            note = f"seed {SEED}, moment {number}, after {after:.4f} s"
            with self.subTest(note):
                self.set_up_again()
                with subprocess.Popen(self.command(1 + number % 2), stdout=subprocess.DEVNULL) as run:
                    time.sleep(after)
                    run.kill()
                killed += run.returncode == -9
                self.assert_old_or_new(note)
                self.assert_finished_by_the_next_run(note)
        print(f"{killed} of {MOMENTS} runs killed before their end", flush=True)


class PowerCut(Cut):
    """On a disk that goes off, and comes back with what was on it."""

    def setUp(self):
        super().setUp()
        self.kind = "ext4"

    def cut(self, flags: int, number: int, at_end: bool) -> bool:
        """One loss of power, after it the judgement. Returns whether the run was cut off."""
        rng = random.Random(SEED * 100 + number * 4 + flags)
        note = f"seed {SEED}, cut {number}, flags {flags}, {'behind the end' if at_end else 'during the run'}"
        support.cleanup(self.source)
        with Disk.made(self.kind) as disk:
            self.prepare(disk.path, SEED + number)
            disk.sync()
            if at_end:
                self.run_ok("mirror", "--delete", self.source, self.dest)
                disk.lose_power(flags)
                status = 0
            else:
                with subprocess.Popen(self.command(1 + number % 2), stdout=subprocess.DEVNULL,
                                      stderr=subprocess.DEVNULL) as run:
                    time.sleep(rng.uniform(0, self.lasts * 0.8))
                    disk.lose_power(flags)
                status = run.returncode
            disk.come_back()
            if status == 0:
                self.assert_exact(note + ": a run that ended well")
            else:
                self.assertEqual(status, 3, note)
                self.assert_old_or_new(note, power_cut=True, ordered=flags != NO_DATA)
                self.without_data += len(judge(self.old, self.new, snapshot(self.dest)))
            self.assert_finished_by_the_next_run(note)
        return status != 0

    def measure(self) -> None:
        with Disk.made(self.kind) as disk:
            self.prepare(disk.path, SEED)
            disk.sync()
            start = time.monotonic()
            self.run_ok("mirror", "--delete", self.source, self.dest)
            self.lasts = time.monotonic() - start

    def each_way(self, at_end: bool) -> None:
        self.measure()
        for flags, name in enumerate(("the log is flushed", "no data", "not even the log")):
            cut_off, self.without_data = 0, 0
            for number in range(CUTS):
                with self.subTest(flags=flags, cut=number):
                    cut_off += self.cut(flags, number, at_end)
            print(f"{self.kind}, {name}: {cut_off} of {CUTS} runs cut off, {self.without_data} new names without data",
                  flush=True)

    def test_during_the_run(self):
        self.each_way(at_end=False)

    def test_behind_the_end(self):
        self.each_way(at_end=True)


if __name__ == "__main__":
    sys.exit(support.main())
