"""The sections of the benchmark: each makes a tree, runs comparisons and notes what they say.

A section is a function that takes a Bench. To add one, write it and name it in SECTIONS.
"""

import argparse
import collections
import contextlib
import filecmp
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from typing import Callable, Dict, Iterator, List, Optional

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, TESTS)

from measuring import Command, Measure, Runner  # noqa: E402
from oracle.oracle import compare, snapshot  # noqa: E402
from report import MIB, Finding, Report  # noqa: E402
from trees.bulk import name_of  # noqa: E402

MB = 1_000_000
TAR = "tar --format=posix --acls --xattrs"


@dataclass(frozen=True)
class Bench:
    """What a section is given: the command line's options, and where results go."""

    options: argparse.Namespace
    report: Report

    @contextlib.contextmanager
    def runner(self) -> Iterator[Runner]:
        """A folder to work in, which goes away with all in it."""
        prefix = ["chrt", "--rr", "1"] if self.options.realtime else []
        with tempfile.TemporaryDirectory(prefix="holdfast-bench-", dir=self.options.place) as folder:
            yield Runner(self.options.program, folder, prefix)

    def count(self, number: int) -> int:
        """A size or count of this benchmark's trees, scaled."""
        return max(int(number * self.options.scale), 1)

    def compare(self, runner: Runner, title: str, commands: List[Command],
                judge: Optional[Callable[[], str]] = None) -> List[Measure]:
        """Runs a comparison and reports it."""
        measures = runner.compare(commands, self.options.rounds, judge)
        self.report.add(title, measures)
        return measures

    def peaks(self, runner: Runner, title: str, commands: List[Command], goal: float) -> None:
        """Reports the peak memory of commands, each run once."""
        measures = [Measure(command, [runner.run(command)]) for command in commands]
        self.report.add(title, measures)
        self.report.peaks(title, measures, goal)


def make_tree(recipe: str, dest: str, *options: str) -> None:
    """Makes a tree by one of the recipes of tests/trees, in a process of its own."""
    words = [sys.executable, os.path.join(TESTS, "trees", recipe), dest, *options]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)


def make_farm(runner: Runner, names: int, groups: int, option: str = "--links") -> None:
    """Makes the farm of that many entries and files as `tree` in the runner's folder."""
    make_tree("farm.py", runner.path("tree"), f"--names={names}", f"--groups={groups}", option)


def exactness(source: str, place: str) -> Callable[[], str]:
    """Returns a function that says how the tree at `place` differs from the one at `source`:
    nothing if it is equal, else a count for each kind of difference."""
    reference = snapshot(source)

    def judge() -> str:
        found = collections.Counter(
            difference.field or difference.kind for difference in compare(reference, snapshot(place))
        )
        return ", ".join(f"{kind} of {count}" for kind, count in sorted(found.items()))

    return judge


def farm(bench: Bench) -> None:
    """100,000 entries, of which 40,000 are files and 48,000 further names of these."""
    with bench.runner() as runner:
        make_farm(runner, names=bench.count(100000), groups=bench.count(40000))
        _farm_backup(bench, runner)
        _farm_gzip(bench, runner)
        _farm_restore(bench, runner)
        listing, _ = bench.compare(runner, "list, farm", [
            Command("holdfast list ours.tar.zst"),
            Command("tar -tvf ours.tar.zst", needs="zstd"),
        ])
        bench.report.seconds("list of the farm", listing, 0.3)
        bench.peaks(runner, "peak memory, farm", [
            Command("holdfast backup -j 2 tree ours.tar.zst", makes="ours.tar.zst"),
            Command("holdfast backup -j 2 tree ours.tar.gz", makes="ours.tar.gz"),
            Command("holdfast restore -j 2 ours.tar.zst out", makes="out/"),
            Command("holdfast list ours.tar.zst"),
            Command("holdfast verify ours.tar.zst"),
            Command("holdfast verify tree out/tree"),
        ], goal=64)


def _farm_backup(bench: Bench, runner: Runner) -> None:
    ours, tar, squash = bench.compare(runner, "backup, farm", [
        Command("holdfast backup tree ours.tar.zst", makes="ours.tar.zst"),
        Command(f"{TAR} --zstd -cf theirs.tar.zst tree", makes="theirs.tar.zst", needs="zstd"),
        Command("mksquashfs tree theirs.sqfs -comp zstd -Xcompression-level 3 -noappend -quiet -no-progress",
                makes="theirs.sqfs"),
    ])
    bench.report.ratio("backup of the farm: .tar.zst / tar --zstd", ours, tar, 0.6)
    bench.report.ratio("backup of the farm: .tar.zst / mksquashfs", ours, squash, 0.7)
    for other, name, goal in ((tar, "theirs.tar.zst", 1.15), (squash, "theirs.sqfs", None)):
        what = f"size of the farm's archive: ours.tar.zst / {name}"
        value = None if other.missing else runner.size("ours.tar.zst") / runner.size(name)
        bench.report.note(Finding(what, value, goal, missing=other.missing))


def _farm_gzip(bench: Bench, runner: Runner) -> None:
    ours, tar = bench.compare(runner, "backup as .tar.gz, farm", [
        Command("holdfast backup tree ours.tar.gz", makes="ours.tar.gz"),
        Command(f"{TAR} -z -cf theirs.tar.gz tree", makes="theirs.tar.gz", needs="gzip"),
    ])
    bench.report.ratio("backup of the farm: .tar.gz / tar -z", ours, tar, 0.6)
    runner.run(Command("holdfast verify tree ours.tar.gz"))  # its restore is not measured


def _farm_restore(bench: Bench, runner: Runner) -> None:
    judge = exactness(runner.path("tree"), runner.path("out/tree"))
    ours, bsdtar, squash, rsync, cp = bench.compare(runner, "restore and copy, farm", [
        Command("holdfast restore ours.tar.zst out", makes="out/"),
        Command("bsdtar -C out -xf ours.tar.zst", makes="out/"),
        Command("unsquashfs -quiet -no-progress -d out/tree theirs.sqfs", makes="out/", needs="mksquashfs"),
        Command("rsync -aHAX tree out/", makes="out/"),
        Command("cp -a tree out/", makes="out/"),
    ], judge)
    bench.report.ratio("restore of the farm / bsdtar -x", ours, bsdtar, 0.4)
    bench.report.ratio("restore of the farm / unsquashfs", ours, squash, 0.8)
    bench.report.ratio("restore of the farm / rsync's copy", ours, rsync)
    bench.report.ratio("restore of the farm / cp's copy", ours, cp)


def large(bench: Bench) -> None:
    """1 GB in 8 files, of which every second block of 64 KiB compresses."""
    with bench.runner() as runner:
        make_tree("bulk.py", runner.path("tree"), f"--bytes={bench.count(125 * MB)}")
        ours, tar = bench.compare(runner, "backup, 1 GB in 8 files", [
            Command("holdfast backup tree ours.tar.zst", makes="ours.tar.zst"),
            Command("tar -I 'zstd -T0' -cf theirs.tar.zst tree", makes="theirs.tar.zst", needs="zstd"),
        ])
        bench.report.ratio("backup of 1 GB in 8 files / tar -I 'zstd -T0'", ours, tar, 0.9)
        if not tar.missing:
            os.remove(runner.path("theirs.tar.zst"))  # makes room in memory
        judge = exactness(runner.path("tree"), runner.path("out/tree"))
        ours, tar = bench.compare(runner, "restore, 1 GB in 8 files", [
            Command("holdfast restore ours.tar.zst out", makes="out/"),
            Command("tar -C out -xf ours.tar.zst", makes="out/", needs="zstd"),
        ], judge)
        bench.report.ratio("restore of 1 GB in 8 files / tar -x", ours, tar, 0.7)
        bench.peaks(runner, "peak memory, 1 GB in 8 files", [
            Command("holdfast backup -j 2 tree ours.tar.zst", makes="ours.tar.zst"),
            Command("holdfast restore -j 2 ours.tar.zst out", makes="out/"),
        ], goal=64)


def single(bench: Bench) -> None:
    """One file of 125 KB out of an archive of 2 GB, which is 16,000 such files that do not
    compress, so that the archive is as large in each format."""
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder:  # need not be on tmpfs
        tree = os.path.join(folder, "tree")
        files = bench.count(16000)
        make_tree("bulk.py", tree, f"--files={files}", "--bytes=125000", "--text=0")
        for suffix, level in (("tar.zst", ""), ("tar.gz", "-l 1 "), ("tar", "")):
            with bench.runner() as runner:
                archive = f"ours.{suffix}"
                runner.run(Command(f"holdfast backup {level}{tree} {archive}"))
                _single_file(bench, runner, tree, name_of(files // 2), archive)


def _single_file(bench: Bench, runner: Runner, tree: str, name: str, archive: str) -> None:
    def judge() -> str:
        same = filecmp.cmp(f"{tree}/{name}", runner.path(f"out/tree/{name}"), shallow=False)
        return "" if same else "data"

    restore = Command(f"holdfast restore {archive} tree/{name} out", makes="out/")
    needs = {"zst": "zstd", "gz": "gzip", "tar": ""}[archive.rpartition(".")[2]]
    extract = Command(f"tar -C out -xf {archive} tree/{name}", makes="out/", needs=needs)
    ours, tar = bench.compare(runner, f"one file out of 2 GB, {archive}", [restore, extract], judge)
    bench.report.ratio(f"one file out of 2 GB: {archive} / tar -x", ours, tar, 0.05)
    what = f"one file out of 2 GB: bytes read of {archive}"
    traced = Command(f"strace -ff -y -s 0 -e trace=read,readv,pread64,preadv,preadv2,mmap -o trace/t {restore.line}",
                     makes="trace/ out/")
    missing = runner.missing(traced)
    if missing:
        bench.report.note(Finding(what, None, 10, "MB", missing=missing))
        return
    runner.run(traced)
    bench.report.note(Finding(what, bytes_read(runner.path("trace"), archive) / MB, 10, "MB"))


def bytes_read(traces: str, archive: str) -> int:
    """Adds up, from strace's files (one a thread), what was read of a file of that name."""
    total = 0
    call = re.compile(r"\w*read\w*\(\d+<[^>]*/" + re.escape(archive) + r">.* = (\d+)$")
    for name in os.listdir(traces):
        with open(os.path.join(traces, name), encoding="utf-8", errors="replace") as stream:
            for line in stream:
                found = call.match(line)
                total += int(found[1]) if found else 0
                if line.startswith("mmap(") and f"/{archive}>" in line:
                    total += int(line.split(", ")[1])
    return total


def links(bench: Bench) -> None:
    """What names cost in memory: 40,000 files with eleven further names each, and with none."""
    peaks: Dict[str, List[Measure]] = {}
    groups = bench.count(40000)
    for label, option in (("with links", "--links"), ("without", "--no-links")):
        with bench.runner() as runner:
            make_farm(runner, groups * 12, groups, option)
            commands = [
                Command("holdfast backup tree ours.tar.zst", makes="ours.tar.zst"),
                Command("holdfast restore ours.tar.zst out", makes="out/"),
            ]
            peaks[label] = [Measure(command, [runner.run(command)]) for command in commands]
            bench.report.add(f"memory, 40,000 files {label}", peaks[label])
    for what, more, less in zip(("backup", "restore"), *peaks.values()):
        value = (more.peak - less.peak) / MIB
        bench.report.note(Finding(f"peak memory of a {what}: with links, minus without", value, 8, "MiB"))


def mirror(bench: Bench) -> None:
    """Copies from folder to folder: the farm, snapshots, many small files, 1 GB in 8 files; and the
    farm once more, when there is nothing to do."""
    with bench.runner() as runner:
        make_farm(runner, names=bench.count(97000), groups=bench.count(40000))
        _first_copy(bench, runner, "the farm", 0.6)
        for name in ("ours", "theirs", "cp"):
            runner.run(Command(f"cp -aT tree {name}"))
        runner.run(Command("holdfast mirror --no-sync tree ours"))  # newer than the source
        ours, rsync, cp = bench.compare(runner, "mirror with nothing to do, farm", [
            Command("holdfast mirror --no-sync --delete tree ours"),
            Command("rsync -aHAX --delete tree/ theirs"),
            Command("cp -auT tree cp"),
        ])
        bench.report.ratio("mirror of the farm with nothing to do / rsync", ours, rsync, 0.25)
        bench.report.ratio("mirror of the farm with nothing to do / cp -au", ours, cp, 0.55)
    with bench.runner() as runner:
        os.mkdir(runner.path("tree"))
        make_tree("bulk.py", runner.path("tree/0"), f"--files={bench.count(20000)}", "--bytes=1500")
        for number in range(1, 10):
            runner.run(Command(f"cp -al tree/0 tree/{number}"))
        _first_copy(bench, runner, "10 snapshots of 20,000 files", 0.6)
    with bench.runner() as runner:
        make_tree("bulk.py", runner.path("tree"), f"--files={bench.count(80000)}", "--bytes=1500")
        _first_copy(bench, runner, "80,000 small files", 0.6)
    with bench.runner() as runner:
        make_tree("bulk.py", runner.path("tree"), f"--bytes={bench.count(125 * MB)}")
        _first_copy(bench, runner, "1 GB in 8 files", 1.0)


def _first_copy(bench: Bench, runner: Runner, what: str, goal: float) -> None:
    ours, cp, rsync = bench.compare(runner, f"first mirror, {what}", [
        Command("holdfast mirror --no-sync tree out/tree", makes="out/"),
        Command("cp -a tree out/", makes="out/"),
        Command("rsync -aHAX tree out/", makes="out/"),
    ], exactness(runner.path("tree"), runner.path("out/tree")))
    bench.report.ratio(f"first mirror of {what} / cp -a", ours, cp, goal)
    bench.report.ratio(f"first mirror of {what} / rsync", ours, rsync)


def disk(bench: Bench) -> None:
    """First copies of the farm on the file system of the temporary folder, with and without waiting
    until they are on the disk."""
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder:
        runner = Runner(bench.options.program, folder, [])
        make_farm(runner, names=bench.count(97000), groups=bench.count(40000))
        ours, cp, synced, cp_synced = bench.compare(runner, "first mirror, the farm, on a disk", [
            Command("holdfast mirror --no-sync tree out/tree", makes="out/"),
            Command("cp -a tree out/", makes="out/"),
            Command("holdfast mirror tree out/tree", makes="out/"),
            Command("sh -c 'cp -a tree out/ && sync -f out'", makes="out/"),
        ])
        bench.report.ratio("first mirror of the farm on a disk / cp -a", ours, cp, 0.9)
        bench.report.ratio("the same with sync / cp -a && sync -f", synced, cp_synced, 0.9)


SECTIONS: Dict[str, Callable[[Bench], None]] = {
    "farm": farm,
    "large": large,
    "single": single,
    "links": links,
    "mirror": mirror,
    "disk": disk,
}
