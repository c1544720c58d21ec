"""Runs commands side by side and keeps what they cost.

The commands of a comparison take turns, round by round, so that what else the machine does hits
all of them alike. A first round is not counted: it warms the caches, and it is where what the
commands made is judged, so that a fast wrong result cannot win.
"""

import os
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from typing import Callable, List, NamedTuple, Optional

LAUNCH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "launch.py")
OURS = "holdfast"  # stands in command lines for the program that is measured


class Failed(Exception):
    """A command did not end well, or holdfast's result was wrong: there is nothing to compare."""


@dataclass(frozen=True)
class Command:
    """A command line as a shell would take it. What it `makes` (names, separated by spaces) is
    removed before it runs; a name that ends in a slash is then made again, as an empty folder.
    `needs` is a program that it starts itself or whose work it uses."""

    line: str
    makes: str = ""
    needs: str = ""

    @property
    def program(self) -> str:
        """The name of the program that is run."""
        return self.line.split(" ", 1)[0]


class Cost(NamedTuple):
    """What one run took. Peak is that of the largest process, in bytes."""

    wall: float
    cpu: float
    peak: int


@dataclass
class Measure:
    """The counted runs of a command: none if it is not `missing` a program, in words."""

    command: Command
    costs: List[Cost] = field(default_factory=list)
    missing: str = ""
    flaw: str = ""  # what was not exact in what it made

    @property
    def walls(self) -> List[float]:
        """Seconds that each round took."""
        return [cost.wall for cost in self.costs]

    @property
    def wall(self) -> float:
        """The median of the seconds that a round took."""
        return statistics.median(self.walls)

    @property
    def cpu(self) -> float:
        """The median of the seconds of user and system time."""
        return statistics.median(cost.cpu for cost in self.costs)

    @property
    def peak(self) -> int:
        """The most memory of all rounds, in bytes."""
        return max(cost.peak for cost in self.costs)


class Runner:
    """Runs commands in one folder. `program` is the holdfast that is measured; `prefix` stands
    before each command line."""

    def __init__(self, program: str, folder: str, prefix: List[str]):
        self.program = program
        self.folder = folder
        self.prefix = prefix

    def path(self, name: str) -> str:
        """The path of what stands in the folder."""
        return os.path.join(self.folder, name)

    def size(self, name: str) -> int:
        """The size of a file in the folder, in bytes."""
        return os.path.getsize(self.path(name))

    def missing(self, command: Command) -> str:
        """Says which program the command lacks here; empty if none."""
        for name in (command.program, command.needs):
            if name not in (OURS, "") and not shutil.which(name):
                return f"{name} is not installed"
        return ""

    def run(self, command: Command) -> Cost:
        """Runs the command once. Any other end than exit 0 is Failed."""
        self._make_room(command)
        words = [self.program if word == OURS else word for word in shlex.split(command.line)]
        reader, writer = os.pipe()
        with tempfile.TemporaryFile() as errors:
            launcher = [*self.prefix, sys.executable, "-I", "-S", LAUNCH, str(writer), *words]
            done = subprocess.run(launcher, cwd=self.folder, pass_fds=[writer], check=False,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors)
            os.close(writer)
            with os.fdopen(reader) as stream:
                told = stream.read().split()
            if done.returncode != 0 or told[0] != "0":
                errors.seek(0)
                text = errors.read().decode("utf-8", "replace")
                raise Failed(f"{command.line}: exit {told[0] if told else 'unknown'}\n{text}")
        return Cost(float(told[1]), float(told[2]), int(told[3]))

    def _make_room(self, command: Command) -> None:
        for name in command.makes.split():
            path = self.path(name.rstrip("/"))
            subprocess.run(["rm", "-rf", "--", path], check=True)  # quicker than Python's
            if name.endswith("/"):
                os.mkdir(path)

    def compare(self, commands: List[Command], rounds: int,
                judge: Optional[Callable[[], str]] = None) -> List[Measure]:
        """Runs the commands `rounds` times in turn, after a round that is not counted. In that
        one `judge` is asked after each command what is not exact in what it made; of holdfast
        nothing may be."""
        measures = [Measure(command, missing=self.missing(command)) for command in commands]
        present = [measure for measure in measures if not measure.missing]
        for measure in present:
            self.run(measure.command)
            measure.flaw = judge() if judge else ""
            if measure.flaw and measure.command.program == OURS:
                raise Failed(f"{measure.command.line}: not exact: {measure.flaw}")
        for number in range(rounds):
            first = number % max(len(present), 1)
            for measure in present[first:] + present[:first]:
                measure.costs.append(self.run(measure.command))
        return measures
