"""What the end-to-end tests share: running the program, places to work in, and assertions in the
words of the domain. The disk is looked at with the oracle, never with the program's own eyes."""

import atexit
import base64
import functools
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import unittest
from dataclasses import dataclass
from typing import Dict, List, Optional, Tuple

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, TESTS)

from mounts import mounted  # noqa: E402
from oracle.oracle import compare, snapshot  # noqa: E402
from trees.maker import cleanup  # noqa: E402

PROGRAM = os.environ.get("HOLDFAST") or os.path.join(
    os.path.dirname(TESTS), "build", "release", "holdfast"
)
NOBODY = 65534
SKIPPED = 77
# All that the program may answer: anything else is a crash or a sanitizer's report.
STATUSES = {0, 1, 2, 3, 128 + 2, 128 + 15}


@dataclass(frozen=True)
class Result:
    """How a run ended, and what it printed."""

    command: List[str]
    status: int
    out: bytes
    err: bytes

    @property
    def text(self) -> str:
        """Both streams, for assertions about wording."""
        return (self.out + self.err).decode("utf-8", "replace")

    def __str__(self) -> str:
        lines = [brief(line) for line in [" ".join(self.command), *self.text.splitlines()]]
        if len(lines) > 40:
            lines[30:-10] = ["[...]"]
        return "\n".join([f"exit {self.status} of {lines[0]}", *lines[1:]])

    def objects(self) -> List[dict]:
        """The lines of --json."""
        return [json.loads(line) for line in self.out.splitlines()]


def _limit_files() -> None:
    """Bounds what one run can write to a file, so that a hole that is taken for data cannot fill
    the disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (4 << 30, 4 << 30))


@functools.lru_cache(maxsize=None)
def program_for_users() -> str:
    """A copy of the program where every user reaches it: the checkout may lie in root's home."""
    folder = tempfile.mkdtemp(prefix="holdfast-program-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.chmod(folder, 0o755)
    copy = shutil.copy(PROGRAM, os.path.join(folder, "holdfast"))
    os.chmod(copy, 0o755)
    return copy


def brief(line: str) -> str:
    """A line short enough to be read in a report."""
    return line if len(line) <= 300 else f"{line[:140]} ... {line[-140:]}"


def holdfast(*arguments, user: Optional[int] = None, timeout: float = 120, **options) -> Result:
    """Runs the program with `arguments` (str or bytes), as `user` if given. An end by a signal, by
    a sanitizer or by the clock is a failure of the test at once."""
    command = [PROGRAM, *arguments]
    if user is not None:
        command[0] = program_for_users()
        options.update(user=user, group=user, extra_groups=[])
    if arguments and arguments[0] == "backup":
        options["preexec_fn"] = _limit_files
    if "input" not in options and "stdin" not in options:
        options["stdin"] = subprocess.DEVNULL
    run = subprocess.run(command, capture_output=True, timeout=timeout, check=False, **options)
    shown = [os.fsdecode(word) for word in ["holdfast", *arguments]]
    result = Result(shown, run.returncode, run.stdout, run.stderr)
    if run.returncode not in STATUSES:
        raise AssertionError(f"the program broke: {result}")
    return result


def tool(*command, **options) -> Result:
    """Runs another program; the test is skipped where it is not installed."""
    if shutil.which(command[0]) is None:
        raise unittest.SkipTest(f"{command[0]} is not installed")
    run = subprocess.run(command, capture_output=True, timeout=300, check=False, **options)
    return Result([os.fsdecode(word) for word in command], run.returncode, run.stdout, run.stderr)


def named(item: dict, key: str = "path") -> Optional[bytes]:
    """The exact bytes of a name in a JSON object, None if it has none."""
    if key + "_b64" in item:
        return base64.b64decode(item[key + "_b64"])
    return os.fsencode(item[key]) if key in item else None


def needs_root() -> None:
    """Skips what only root can do."""
    if os.geteuid() != 0:
        raise unittest.SkipTest("needs root")


class Case(unittest.TestCase):
    """A test with a temporary folder `self.work` (str), removed whatever stands in it."""

    maxDiff = 4000
    place: Optional[str] = None  # the folder to make `work` in; None is the system's own

    def setUp(self) -> None:
        self.work = tempfile.mkdtemp(prefix="holdfast-test-", dir=self.place)
        self.addCleanup(cleanup, self.work)

    def path(self, *parts: str) -> str:
        """A path below the temporary folder."""
        return os.path.join(self.work, *parts)

    def write(self, name: str, content: bytes = b"content\n") -> str:
        """A file below the temporary folder, with the folders it needs. Returns its path."""
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as stream:
            stream.write(content)
        return path

    def run_ok(self, *arguments, status: int = 0, **options) -> Result:
        """Runs the program and asserts how it ends."""
        result = holdfast(*arguments, **options)
        self.assertEqual(result.status, status, str(result))
        return result

    def assert_equal_trees(self, a, b, ignore=(), note: str = "") -> None:
        """Asserts that the oracle finds no difference of `b` from `a`."""
        differences = list(compare(snapshot(a), snapshot(b), ignore))
        self.assert_no_lines([str(difference) for difference in differences], note)

    def assert_no_lines(self, lines: List[str], note: str = "") -> None:
        """Asserts that a list of findings is empty, and shows the first of them."""
        if lines:
            shown = "\n".join(brief(line) for line in lines[:20])
            self.fail(f"{note}\n{len(lines)} differences:\n{shown}")

    def assert_same_file(self, *paths) -> None:
        """Asserts that all names are one file."""
        identities = {os.lstat(path)[1:3] for path in paths}
        self.assertEqual(len(identities), 1, f"not one file: {paths}")

    def assert_not_same_file(self, *paths) -> None:
        """Asserts that each name is a file of its own."""
        identities = {os.lstat(path)[1:3] for path in paths}
        self.assertEqual(len(identities), len(paths), f"one file: {paths}")

    def assert_no_temporary_names(self, folder, allowed=()) -> None:
        """Asserts that no name of the program's own stands below `folder` but those allowed."""
        names = [path for path in snapshot(folder) if b"holdfast" in os.path.basename(path)]
        self.assertEqual([path for path in names if path not in allowed], [])

    def verify_differences(self, a, b, *options) -> List[Tuple[str, bytes, str]]:
        """What `verify --json a b` names, as (kind, path below the root, field), sorted. Asserts
        that the exit status and the summary agree with it."""
        result = holdfast("verify", "--json", *options, a, b)
        found, counted = [], None
        for item in result.objects():
            if item["type"] == "difference":
                below = named(item).partition(b"/")[2] or b"."
                found.append((item["kind"], below, item.get("field", "")))
            elif item["type"] == "summary":
                counted = item["differences"]
        self.assertEqual(counted, len(found), str(result))
        self.assertEqual(result.status, 1 if found else 0, str(result))
        return sorted(found)

    def assert_verified(self, a, b, *options) -> None:
        """Asserts that verify finds no difference."""
        self.assert_no_lines([repr(item) for item in self.verify_differences(a, b, *options)])


def mount_places(module: Dict, *kinds: str) -> None:
    """For setUpModule: mounts each kind for the module's life and notes its path (or the reason
    why there is none) in module["PLACES"]."""
    places = module.setdefault("PLACES", {})
    for kind in kinds:
        context = mounted(kind)
        try:
            places[kind] = context.__enter__()
        except unittest.SkipTest as reason:
            places[kind] = reason
        else:
            unittest.addModuleCleanup(context.__exit__, None, None, None)


def place_of(places: Dict, kind: str) -> str:
    """The path that mount_places noted, or a skip with its reason."""
    place = places[kind]
    if isinstance(place, unittest.SkipTest):
        raise place
    return place


def main() -> None:
    """Runs the script's tests. Exit status 77 if every one was skipped, the reason on the last
    line."""
    if not os.access(PROGRAM, os.X_OK):
        print(f"skipped: no program at {PROGRAM}")
        sys.exit(SKIPPED)
    program = unittest.main(verbosity=2, exit=False)
    result = program.result
    if result.testsRun and len(result.skipped) == result.testsRun:
        print(f"skipped: {result.skipped[0][1]}")
        sys.exit(SKIPPED)
    sys.exit(0 if result.wasSuccessful() else 1)
