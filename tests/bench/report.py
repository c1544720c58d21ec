"""What was measured, as text while it is measured, and as tables at the end."""

import json
import os
import platform
import shutil
import subprocess
import time
from dataclasses import dataclass
from typing import List, NamedTuple, Optional, Sequence

from measuring import Measure

MIB = 1 << 20
VERSIONS = (["tar", "--version"], ["bsdtar", "--version"], ["mksquashfs", "-version"],
            ["rsync", "--version"], ["cp", "--version"], ["zstd", "--version"], ["gzip", "--version"])


@dataclass(frozen=True)
class Finding:
    """One line of the table: what is held against a goal, or told for information (no goal).
    `spread` is the least and the most of the rounds, `cpu` the same ratio in processor time."""

    what: str
    value: Optional[float]
    goal: Optional[float] = None
    unit: str = ""
    spread: Sequence[float] = ()
    cpu: Optional[float] = None
    missing: str = ""  # why there is no value

    @property
    def met(self) -> str:
        """Whether the goal is met, in a word."""
        if self.value is None:
            return "not measured"
        if self.goal is None:
            return ""
        return "yes" if self.value <= self.goal else "no"

    def cells(self) -> List[str]:
        """What, measured, least and most, in processor time, goal, met."""
        value = self.missing if self.value is None else self._text(self.value)
        spread = " to ".join(self._text(one) for one in self.spread)
        cpu = "" if self.cpu is None else self._text(self.cpu)
        goal = "" if self.goal is None else f"{self.goal:g} {self.unit}".strip()
        return [self.what, value, spread, cpu, goal, self.met]

    def _text(self, value: float) -> str:
        digits = 1 if self.unit in ("MiB", "MB") else 3 if value < 0.1 else 2
        return f"{value:.{digits}f} {self.unit}".strip()


class Comparison(NamedTuple):
    """Commands that took turns."""

    title: str
    measures: List[Measure]


class Report:
    """Gathers comparisons and findings. Both are printed as they come."""

    def __init__(self):
        self.comparisons: List[Comparison] = []
        self.findings: List[Finding] = []

    def add(self, title: str, measures: List[Measure]) -> None:
        """Takes what the commands of one comparison cost."""
        self.comparisons.append(Comparison(title, measures))
        print(f"\n{title}")
        print(aligned([command_cells(measure) for measure in measures]), flush=True)

    def ratio(self, what: str, ours: Measure, other: Measure, goal: Optional[float] = None) -> None:
        """The time of a command of ours as a share of another's: the ratio of the medians."""
        missing = ours.missing or other.missing
        if missing:
            self.note(Finding(what, None, goal, missing=missing))
            return
        rounds = [a / b for a, b in zip(ours.walls, other.walls)]
        self.note(Finding(what, ours.wall / other.wall, goal, spread=(min(rounds), max(rounds)),
                          cpu=ours.cpu / other.cpu))

    def seconds(self, what: str, measure: Measure, goal: float) -> None:
        """The time of a command against a goal in seconds."""
        spread = (min(measure.walls), max(measure.walls))
        self.note(Finding(what, measure.wall, goal, "s", spread))

    def peaks(self, title: str, measures: List[Measure], goal: float) -> None:
        """The most memory of each command against a goal in MiB."""
        for measure in measures:
            self.note(Finding(f"{title}: {measure.command.line}", measure.peak / MIB, goal, "MiB"))

    def note(self, finding: Finding) -> None:
        """Takes one line of the table of goals."""
        self.findings.append(finding)

    def goals(self) -> List[List[str]]:
        """The table of goals."""
        head = ["what", "measured", "of single rounds", "CPU time", "goal", "met"]
        return [head, *(finding.cells() for finding in self.findings)]

    def markdown(self, facts: List[str]) -> str:
        """Facts and tables, as they stand in a page."""
        parts = ["\n".join(f"- {fact}" for fact in facts), table(self.goals())]
        for title, measures in self.comparisons:
            head = [title, "seconds", "of single rounds", "CPU seconds", "peak", "not exact"]
            parts.append(table([head, *(markdown_cells(measure) for measure in measures)]))
        return "\n\n".join(parts)

    def as_json(self, facts: List[str]) -> str:
        """The same for programs, with each round."""
        commands = [
            {"comparison": title, "command": measure.command.line, "missing": measure.missing,
             "not_exact": measure.flaw, "rounds": [cost._asdict() for cost in measure.costs]}
            for title, measures in self.comparisons for measure in measures
        ]
        findings = [dict(vars(finding), met=finding.met) for finding in self.findings]
        return json.dumps({"facts": facts, "findings": findings, "commands": commands}, indent=1)


def command_cells(measure: Measure) -> List[str]:
    """Command, seconds, least and most, processor seconds, peak, what was not exact."""
    line = measure.command.line
    if measure.missing:
        return [line, measure.missing, "", "", "", ""]
    spread = f"{min(measure.walls):.3f} to {max(measure.walls):.3f}"
    return [line, f"{measure.wall:.3f}", spread, f"{measure.cpu:.3f}",
            f"{measure.peak / MIB:.1f} MiB", measure.flaw]


def markdown_cells(measure: Measure) -> List[str]:
    """The same for a page."""
    line, *rest = command_cells(measure)
    return [f"`{line}`", *rest]


def table(rows: List[List[str]]) -> str:
    """A table of markdown; the first row is its head."""
    lines = [rows[0], ["---"] * len(rows[0]), *rows[1:]]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def aligned(rows: List[List[str]]) -> str:
    """A table for the terminal: columns one under the other, the first one last, since it is long."""
    rows = [row[1:] + row[:1] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row[:-1], widths)) + "  " + row[-1] for row in rows]
    return "\n".join(lines)


def put_between_marks(path: str, text: str, name: str = "results") -> None:
    """Replaces what stands between the two marks of that name in a page. ValueError if they are not
    there."""
    marks = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    with open(path, encoding="utf-8") as stream:
        page = stream.read()
    before, begin, rest = page.partition(marks[0])
    _, end, after = rest.partition(marks[1])
    if not begin or not end:
        raise ValueError(f"{path}: no lines {marks[0]} and {marks[1]}")
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(f"{before}{begin}\n\n{text}\n\n{end}{after}")


def machine_facts(program: str, place: str) -> List[str]:
    """What the numbers depend on: processor, kernel, file system, versions."""
    file_system = _first_line(["stat", "-f", "-c", "%T", place])
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    facts = [
        f"Day: {time.strftime('%Y-%m-%d', time.gmtime())}",
        f"Processor: {_processor()}, {os.cpu_count()} cores; memory: {memory:.0f} GiB",
        f"System: {platform.system()} {platform.release()} {platform.machine()}; file system: {file_system}",
    ]
    versions = [_first_line([program, "--version"])]
    for command in VERSIONS:
        installed = shutil.which(command[0])
        versions.append(_first_line(command) if installed else f"{command[0]}: not installed")
    return facts + ["Versions: " + "; ".join(versions)]


def _processor() -> str:
    with open("/proc/cpuinfo", encoding="utf-8") as stream:
        for line in stream:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()


def _first_line(command: List[str]) -> str:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return " ".join(done.stdout.decode("utf-8", "replace").partition("\n")[0].split()).strip("* ")
