#!/usr/bin/env python3
"""The speed and memory that issue 2 asks for, measured in one run on tmpfs.

    bench.py [--program FILE] [--place FOLDER] [--rounds 3] [--names 100000] [--groups 40000]
             [--memory]

Prints each command, the median of its rounds, its peak memory, and the ratios. `--memory` adds the
farms with many names and with none.
"""

import argparse
import os
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FARM = os.path.join(TESTS, "trees", "farm.py")
MIB = 1 << 20


@dataclass
class Measure:
    """The median time and the largest peak memory of a command (of its own process: where it
    starts others, as tar does, they are not counted)."""

    seconds: float
    peak_mib: float


def make_farm(dest: str, names: int, groups: int, links: str = "--links") -> None:
    """Makes a farm in a process of its own."""
    command = [sys.executable, FARM, dest, "--names", str(names), "--groups", str(groups), links]
    subprocess.run(command, check=True)


def run_once(command: list, folder: str) -> tuple:
    """Runs a command in `folder` and returns (seconds, peak bytes). Any other end than exit 0 ends
    the benchmark. The peak is read every few milliseconds from the process itself: what wait4
    tells counts the memory of the process that started it, too."""
    start = time.monotonic()
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=errors)
        peak = 0
        while process.poll() is None:
            peak = max(peak, high_water(process.pid))
            time.sleep(0.004)
        seconds = time.monotonic() - start
        if process.returncode != 0:
            errors.seek(0)
            sys.stderr.buffer.write(errors.read())
            sys.exit(f"bench: {shlex.join(command)}: exit {process.returncode}")
    return seconds, peak


def high_water(pid: int) -> int:
    """The most memory that a running process has had so far, in bytes; 0 once it has ended."""
    try:
        with open(f"/proc/{pid}/status", "rb") as stream:
            for line in stream:
                if line.startswith(b"VmHWM:"):
                    return int(line.split()[1]) * 1024
    except (FileNotFoundError, ProcessLookupError):
        pass
    return 0


def measure(command: list, folder: str, rounds: int, before=lambda: None) -> Measure:
    """Runs `before` and the command `rounds` times and prints the result."""
    times, peaks = [], []
    for _ in range(rounds):
        before()
        seconds, peak = run_once(command, folder)
        times.append(seconds)
        peaks.append(peak / MIB)
    result = Measure(statistics.median(times), max(peaks))
    spread = f"{min(times):.2f} to {max(times):.2f}"
    print(f"{result.seconds:7.2f} s ({spread})  {result.peak_mib:6.1f} MiB  {shlex.join(command)}", flush=True)
    return result


def compare_with_tar(program: str, folder: str, rounds: int) -> None:
    """backup against GNU tar, restore against bsdtar, of the farm `tree` in `folder`."""
    ours = [program, "backup", "tree", "ours.tar.zst"]
    theirs = ["tar", "--zstd", "--format=posix", "--acls", "--xattrs", "-cf", "theirs.tar.zst", "tree"]
    run_once(theirs, folder)  # warms the caches
    tar = measure(theirs, folder, rounds)
    backup = measure(ours, folder, rounds)
    sizes = [os.path.getsize(os.path.join(folder, name)) for name in ("ours.tar.zst", "theirs.tar.zst")]

    def fresh():
        shutil.rmtree(os.path.join(folder, "out"), ignore_errors=True)
        os.mkdir(os.path.join(folder, "out"))

    bsdtar = measure(["bsdtar", "-C", "out", "-xf", "ours.tar.zst"], folder, rounds, fresh)
    restore = measure([program, "restore", "ours.tar.zst", "out"], folder, rounds, fresh)
    measure([program, "verify", "tree", "out/tree"], folder, rounds)
    print(f"backup / tar:     {backup.seconds / tar.seconds:.2f} (goal: 1.2)")
    print(f"restore / bsdtar: {restore.seconds / bsdtar.seconds:.2f} (goal: 1.0)")
    print(f"archive: {sizes[0]} bytes, tar's {sizes[1]}, ratio {sizes[0] / sizes[1]:.3f}")
    print(f"peak memory: {max(backup.peak_mib, restore.peak_mib):.1f} MiB (goal: 48)")


def compare_memory(program: str, place: str, groups: int) -> None:
    """Peak memory with ten names a file and with one."""
    peaks = {}
    for label in ("links", "no-links"):
        with tempfile.TemporaryDirectory(prefix="holdfast-bench-", dir=place) as folder:
            make_farm(folder + "/tree", groups * 12, groups, "--" + label)
            backup = measure([program, "backup", "tree", "a.tar.zst"], folder, 1)
            restore = measure([program, "restore", "a.tar.zst", "out"], folder, 1)
            peaks[label] = (backup.peak_mib, restore.peak_mib)
    for at, what in enumerate(("backup", "restore")):
        more = peaks["links"][at] - peaks["no-links"][at]
        print(f"{what}: {more:+.1f} MiB with links (goal: at most 8)")


def main() -> int:
    """The command line. Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    built = os.path.join(os.path.dirname(TESTS), "build", "release", "holdfast")
    parser.add_argument("--program", default=os.environ.get("HOLDFAST", built))
    parser.add_argument("--place", default="/dev/shm", help="a folder on tmpfs")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--names", type=int, default=100000)
    parser.add_argument("--groups", type=int, default=40000)
    parser.add_argument("--memory", action="store_true")
    options = parser.parse_args()
    program = os.path.abspath(options.program)
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-", dir=options.place) as folder:
        make_farm(folder + "/tree", options.names, options.groups)
        compare_with_tar(program, folder, options.rounds)
    if options.memory:
        compare_memory(program, options.place, options.groups)
    return 0


if __name__ == "__main__":
    sys.exit(main())
