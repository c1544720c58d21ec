#!/usr/bin/env python3
"""Links that get other targets: in place with a journal and its undo, and on the way in a restore. On
NTFS volumes each case of fixtures/remap is a link, judged by the bytes that stand there; on other
file systems the links are looked at with the system's own calls."""

import ctypes
import fcntl
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import time
from typing import Dict, List, Optional, Tuple

import support
from mounts import mounted
from ntfs_case import Ntfs
from oracle import ntfs as oracle
from support import Case, holdfast, named, needs_root, tool
from trees import ntfs as recipe

FIXTURES = os.path.join(os.path.dirname(support.TESTS), "fixtures", "remap")
JUNCTION_TAG = bytes.fromhex("030000a0")


def fixture_bytes(lines: List[str]) -> bytes:
    """The bytes of a part of a case."""
    words = " ".join(line.split("#")[0] for line in lines).split()
    found = bytearray()
    for word in words:
        text, _, times = word.partition("*")
        found += bytes.fromhex(text) * int(times or 1)
    return bytes(found)


def cases() -> Dict[str, Tuple[List[str], bytes, Optional[bytes], bool]]:
    """Each case by its name: its rules, the buffer before and after (None if it stays), and whether
    that is because the link cannot hold the new target."""
    found = {}
    for name in sorted(os.listdir(FIXTURES)):
        if not name.endswith(".txt"):
            continue
        rules, parts, part, impossible = [], {}, None, False
        with open(os.path.join(FIXTURES, name), encoding="utf-8") as stream:
            for line in stream.read().splitlines():
                key = re.match(r"([a-z]+):? ?(.*)", line)
                if line.startswith("  "):
                    parts.setdefault(part, []).append(line)
                elif line.startswith("rule: "):
                    rules.append(line[6:])
                elif key:
                    part = key.group(1)
                    impossible = impossible or part == "impossible"
        after = fixture_bytes(parts["out"]) if "out" in parts else None
        found[name[:-4]] = (rules, fixture_bytes(parts["in"]), after, impossible)
    return found


def rules_of(rules: List[str]) -> List[str]:
    """Options of the program."""
    return [word for rule in rules for word in ("--map", rule)]


def targets(top: str) -> Dict[str, str]:
    """Each symbolic link below `top` and its target."""
    found = {}
    for folder, folders, files in os.walk(top):
        for name in folders + files:
            path = os.path.join(folder, name)
            if os.path.islink(path):
                found[os.path.relpath(path, top)] = os.readlink(path)
    return found


def states(top: str) -> Dict[str, tuple]:
    """What a link and a folder has besides its content: mode, owner, times to the nanosecond, xattrs,
    and which names are one file."""
    found, files = {}, {}
    for folder, folders, names in os.walk(top):
        for name in [*folders, *names, "."]:
            path = os.path.normpath(os.path.join(folder, name))
            s = os.lstat(path)
            names_of_it = files.setdefault((s.st_dev, s.st_ino), [])
            names_of_it.append(os.path.relpath(path, top))
            xattrs = {k: os.getxattr(path, k, follow_symlinks=False) for k in os.listxattr(path, follow_symlinks=False)}
            target = os.readlink(path) if os.path.islink(path) else None
            found[os.path.relpath(path, top)] = (s.st_mode, s.st_uid, s.st_gid, s.st_mtime_ns, xattrs, target, names_of_it)
    return found


def kill_after(journal: str, seconds: float, *words: str) -> None:
    """Runs a remap and kills it so long after its journal is there."""
    run = subprocess.Popen(
        [support.PROGRAM, "remap", *words[:-1], "--journal", journal, words[-1]],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not os.path.exists(journal) and run.poll() is None:
        time.sleep(0.001)
    time.sleep(seconds)
    run.send_signal(signal.SIGKILL)
    run.wait()


class OnNtfs(Ntfs):
    """Links of every form on a real volume."""

    def setUp(self):
        super().setUp()
        self.at = self.volume()
        self.top = self.at.path + "/tree"
        self.journal = self.path("journal")

    def plant(self, chosen: Dict) -> None:
        """A link for each case, by its name; each second one old, hidden, or with a descriptor."""
        os.mkdir(self.top)
        for number, (name, (_, before, _, _)) in enumerate(chosen.items()):
            path = f"{self.top}/{name}"
            recipe.make(path, before, before[:4] == JUNCTION_TAG)
            if number % 3 == 0:
                recipe.set_ntfs(path, "acl", recipe.descriptor(1000 + number))
            if number % 3 == 1:
                recipe.set_attributes(path, recipe.HIDDEN | recipe.ARCHIVED)
            recipe.set_mtime(path, 1_000_000_000_123_456_700 + number * 10**9)
        recipe.set_mtime(self.top, 1_100_000_000_000_000_000)
        self.at.remount()

    def buffers(self) -> Dict[str, bytes]:
        """The raw buffer of each link, as somebody else finds it."""
        self.at.remount()
        return {name: oracle.get(os.fsencode(f"{self.top}/{name}"), "reparse_data") for name in os.listdir(self.top)}

    def check(self, rules: List[str], chosen: Dict) -> None:
        """Plan, remap, and undo of one list of rules."""
        before = oracle.snapshot(self.top)
        plan = holdfast("remap", "--json", "--dry-run", *rules_of(rules), self.top).objects()
        planned = {os.path.basename(o["path"]): o for o in plan if o["type"] == "target"}
        self.assertEqual(oracle.compare(before, oracle.snapshot(self.top)), [])
        wanted_status = int(any(impossible for _, _, _, impossible in chosen.values()))
        self.run_ok("remap", *rules_of(rules), "--journal", self.journal, self.top, status=wanted_status)
        found = self.buffers()
        for name, (_, old, new, impossible) in chosen.items():
            self.assertEqual(found[name].hex(), (new or old).hex(), name)
            outcome = planned[name]["outcome"] if name in planned else None
            self.assertEqual(outcome == "mapped", new is not None, (name, outcome))
            self.assertEqual(outcome == "not mappable", impossible, (name, outcome))
        # All else is as it was: times, descriptors, attributes; the folder, too.
        after = oracle.snapshot(self.top)
        lines = oracle.compare(before, after)
        self.assertEqual([line for line in lines if ": reparse: " not in line], [])
        self.assertEqual(len(lines), sum(new is not None for _, _, new, _ in chosen.values()))
        # What was done is all that there was to do.
        again = holdfast("remap", "--json", *rules_of(rules), "--journal", self.path("no"), self.top)
        if rules == ["C:\\=D:\\"]:
            self.assertEqual(again.objects()[-1]["changed"], 0, again)
            self.assertFalse(os.path.exists(self.path("no")))
        self.run_ok("remap", "--undo", self.journal)
        self.at.remount()
        self.assertEqual(oracle.compare(before, oracle.snapshot(self.top)), [])

    def test_drive_c_becomes_d(self):
        chosen = {name: case for name, case in cases().items() if case[0] == ["C:\\=D:\\"]}
        self.assertGreaterEqual(len(chosen), 40)
        self.plant(chosen)
        self.check(["C:\\=D:\\"], chosen)

    def test_components_alone(self):
        chosen = {name: case for name, case in cases().items() if case[0] == ["C:\\foo=C:\\bar"]}
        self.assertIn("43-component-longer", chosen)
        self.plant(chosen)
        self.check(["C:\\foo=C:\\bar"], chosen)

    def test_every_other_rule(self):
        lists = {tuple(case[0]) for case in cases().values()} - {("C:\\=D:\\",), ("C:\\foo=C:\\bar",)}
        for number, rules in enumerate(sorted(lists)):
            self.top, journal = f"{self.at.path}/tree{number}", self.path(f"journal{number}")
            chosen = {name: case for name, case in cases().items() if tuple(case[0]) == rules}
            chosen.pop("72-too-long", None)  # the driver takes no buffer of that size
            self.plant(chosen)
            found = holdfast("remap", *rules_of(list(rules)), "--journal", journal, self.top)
            self.assertIn(found.status, (0, 1), found)
            after = self.buffers()
            for name, (_, old, new, _) in chosen.items():
                self.assertEqual(after[name].hex(), (new or old).hex(), name)
            if os.path.exists(journal):
                self.run_ok("remap", "--undo", journal)
            after = self.buffers()
            for name, (_, old, _, _) in chosen.items():
                self.assertEqual(after[name].hex(), old.hex(), name)

    def test_names_of_one_link_stay_one(self):
        os.mkdir(self.top)
        recipe.make(self.top + "/b", recipe.symlink("\\??\\C:\\x", "C:\\x", False), False)
        for name in ("a", "c"):
            os.link(self.top + "/b", f"{self.top}/{name}", follow_symlinks=False)
        self.at.remount()
        before = oracle.snapshot(self.top)
        self.run_ok("remap", "--map", "C:\\=D:\\", "--journal", self.journal, self.top)
        self.assertEqual(set(self.buffers().values()), {recipe.symlink("\\??\\D:\\x", "D:\\x", False)})
        self.assert_same_file(*(f"{self.top}/{name}" for name in "abc"))
        self.run_ok("remap", "--undo", self.journal)
        self.at.remount()
        self.assertEqual(oracle.compare(before, oracle.snapshot(self.top)), [])

    def test_killed_in_the_middle(self):
        os.mkdir(self.top)
        for number in range(400):
            target = f"C:\\{number}"
            recipe.make(f"{self.top}/j{number}", recipe.junction("\\??\\" + target, target), True)
        self.at.remount()
        before = oracle.snapshot(self.top)
        middle = 0
        for wait in (0.02, 0.05, 0.1, 0.2):
            journal = self.path(f"journal{wait}")
            kill_after(journal, wait, "--map", "C:\\=D:\\", self.top)
            found = {n: raw for n, raw in self.buffers().items() if not n.startswith(".holdfast-")}
            self.assertEqual(found.keys(), before.keys() - {""})
            middle += len({b"D" in raw for raw in found.values()}) == 2
            self.run_ok("remap", "--undo", journal)
            self.at.remount()
            lines = oracle.compare(before, oracle.snapshot(self.top))
            self.assertEqual([line for line in lines if not line.startswith(": mtime")], [])
        self.assertGreater(middle, 0, "no run was killed in the middle")

    def test_drives_say_what_is_there(self):
        os.makedirs(self.top + "/Real/Sub")
        recipe.write(self.top + "/Real/File.txt", b"x")
        for name, target in {
            "there": "C:\\tree\\real\\SUB",
            "gone": "C:\\tree\\nothing",
            "elsewhere": "Q:\\x",
            "through": "C:\\tree\\there",
            "round": "C:\\tree\\round",
        }.items():
            recipe.make(f"{self.top}/{name}", recipe.junction("\\??\\" + target, target), True)
        self.at.remount()
        drive = ["--drive", "C:=" + self.at.path]

        def found(*options) -> Dict[str, str]:
            lines = self.run_ok("scan", "--json", *options, self.top).objects()
            return {os.path.basename(o["path"]): o["state"] for o in lines if o["type"] == "link"}

        self.assertEqual(set(found().values()), {"unknown"})
        self.assertEqual(
            found(*drive),
            {"there": "inside", "gone": "dangling", "elsewhere": "unknown", "through": "inside", "round": "looping"},
        )
        recipe.make(self.top + "/same", recipe.junction("\\??\\C:\\tree\\Real", "C:\\tree\\Real"), True)
        self.run_ok("backup", self.top, self.path("a.tar.zst"))
        lines = self.run_ok("scan", "--json", *drive, self.path("a.tar.zst")).objects()
        states_in_it = {os.path.basename(o["path"]): o["state"] for o in lines if o["type"] == "link"}
        self.assertEqual(states_in_it, {"same": "inside", "there": "unknown", "gone": "unknown", "through": "unknown",
                                        "elsewhere": "unknown", "round": "looping"})
        os.unlink(self.top + "/same") if os.path.islink(self.top + "/same") else os.rmdir(self.top + "/same")
        listed = self.run_ok("list", *drive, self.top).text
        self.assertIn(f"C:\\\\tree\\\\nothing = {self.at.path}/tree/nothing", listed)
        plan = self.run_ok("remap", "-n", "--json", *drive, "--map", "C:\\tree\\nothing=C:\\tree\\Real", self.top)
        rows = {os.path.basename(o["path"]): o for o in plan.objects() if o["type"] == "target"}
        self.assertEqual((rows["gone"]["outcome"], rows["gone"]["exists"]), ("mapped", True))
        self.assertNotIn("exists", rows["elsewhere"])


def swap(folder: str, spare: str) -> None:
    """Exchanges the folder and a link at `spare`, for ever, each time at once (renameat2)."""
    exchange = ctypes.CDLL(None).renameat2
    names = os.fsencode(folder), os.fsencode(spare)
    while True:
        exchange(-100, names[0], -100, names[1], 2)  # AT_FDCWD, RENAME_EXCHANGE


class InPlace(Case):
    """Symbolic links of this system."""

    kind = "tmpfs"

    def setUp(self):
        super().setUp()
        needs_root()
        context = mounted(self.kind, "64M")
        self.disk = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        self.top = self.disk + "/tree"
        self.journal = self.path("journal")
        self.rule = ["--map", "/old=/new"]
        self.plant()

    def plant(self) -> None:
        """Links that a rule meets, those that it does not, and hard-linked ones."""
        os.makedirs(self.top + "/a/b")
        for name, target in {
            "one": "/old/x",
            "a/root": "/old",
            "a/other": "/older/x",
            "a/relative": "old/x",
            "a/b/odd": b"/old/\xff\n",
            "a/b/up": "/old/../old/x",
        }.items():
            os.symlink(target, os.path.join(os.fsencode(self.top), os.fsencode(name)))
        os.symlink("/old/shared", self.top + "/a/s1")
        for name in ("a/b/s2", "s0"):
            os.link(self.top + "/a/s1", f"{self.top}/{name}", follow_symlinks=False)
        with open(self.top + "/file", "wb") as stream:
            stream.write(b"x" * 100)
        if self.kind == "ext4":
            os.setxattr(self.top + "/one", "trusted.note", b"kept", follow_symlinks=False)
        for number, name in enumerate(["one", "a/root", "a/s1", "a/b/odd"]):
            os.lchown(f"{self.top}/{name}", 1000 + number, 2000)
            os.utime(f"{self.top}/{name}", ns=(10**18, 10**18 + number), follow_symlinks=False)
        for name in ("a/b", "a", ""):
            os.utime(f"{self.top}/{name}", ns=(10**18, 9 * 10**17))

    CHANGED = {"one", "a/root", "a/b/odd", "a/s1", "a/b/s2", "s0"}

    def test_there_and_back(self):
        before, was = targets(self.top), states(self.top)
        plan = self.run_ok("remap", "--json", "-n", *self.rule, self.top).objects()
        planned = {named(o)[len(b"tree/"):] for o in plan if o.get("outcome") == "mapped"}
        self.assertEqual(states(self.top), was)
        self.run_ok("remap", *self.rule, "--journal", self.journal, self.top)
        after = targets(self.top)
        self.assertEqual({os.fsencode(n) for n in before if after[n] != before[n]}, planned)
        self.assertEqual({n for n in before if after[n] != before[n]}, self.CHANGED)
        for name in self.CHANGED:
            self.assertEqual(after[name], before[name].replace("/old", "/new", 1))
        self.assert_same_file(self.top + "/s0", self.top + "/a/s1", self.top + "/a/b/s2")
        now = states(self.top)
        for name in was:  # all but targets: owners, times of links and folders, xattrs, groups
            self.assertEqual(now[name][:5] + now[name][6:], was[name][:5] + was[name][6:], name)
        self.run_ok("remap", "--undo", self.journal)
        self.assertEqual(states(self.top), was)
        again = self.run_ok("remap", "--undo", self.journal).text
        self.assertIn("changed 0 links", again)
        self.assertEqual(states(self.top), was)
        self.assert_no_temporary_names(self.top)

    def test_what_changed_since_is_left(self):
        was = targets(self.top)
        self.run_ok("remap", *self.rule, "--journal", self.journal, self.top)
        os.unlink(self.top + "/one")
        os.symlink("/somewhere/else", self.top + "/one")
        os.unlink(self.top + "/a/root")
        os.unlink(os.fsencode(self.top) + b"/a/b/odd")
        os.mkdir(self.top + "/a/b/odd")
        os.unlink(self.top + "/a/s1")
        os.symlink("/new/shared/x", self.top + "/a/s1")
        back = self.run_ok("remap", "--undo", self.journal, status=1)
        self.assertIn("it has changed since, and is left as it is", back.text)
        for name in ("tree/one", "tree/a/root", "tree/a/b/odd", "tree/a/s1"):
            self.assertIn(name, back.text)
        self.assertEqual(os.readlink(self.top + "/one"), "/somewhere/else")
        self.assertFalse(os.path.lexists(self.top + "/a/root"))
        self.assertTrue(os.path.isdir(self.top + "/a/b/odd"))
        self.assertEqual(os.readlink(self.top + "/a/s1"), "/new/shared/x")
        self.assertEqual(os.readlink(self.top + "/s0"), was["s0"])
        self.assert_same_file(self.top + "/s0", self.top + "/a/b/s2")

    def test_a_folder_that_became_a_link_is_not_entered(self):
        self.run_ok("remap", *self.rule, "--journal", self.journal, self.top)
        os.rename(self.top + "/a", self.disk + "/moved")
        os.symlink(self.disk + "/moved", self.top + "/a")
        there = targets(self.disk + "/moved")
        self.run_ok("remap", "--undo", self.journal, status=1)
        self.assertEqual(targets(self.disk + "/moved"), there)
        self.assertEqual(os.readlink(self.top + "/one"), "/old/x")

    def test_a_tree_that_moved(self):
        was = targets(self.top)
        self.run_ok("remap", *self.rule, "--journal", self.journal, self.top)
        os.rename(self.top, self.disk + "/elsewhere")
        self.run_ok("remap", "--undo", self.journal, status=2)
        dry = self.run_ok("remap", "--undo", self.journal, "-n", self.disk + "/elsewhere").text
        self.assertIn("would change 6 links", dry)
        self.assertEqual(os.readlink(self.disk + "/elsewhere/one"), "/new/x")
        self.run_ok("remap", "--undo", self.journal, self.disk + "/elsewhere")
        self.assertEqual(targets(self.disk + "/elsewhere"), was)

    def test_a_damaged_journal_changes_nothing(self):
        self.run_ok("remap", *self.rule, "--journal", self.journal, self.top)
        after = states(self.top)
        with open(self.journal, "rb") as stream:
            content = stream.read()
        for damaged in (content[:-1], content[:100], b"", content[:60] + b"A" + content[61:], content + b"x",
                        content.replace(b"link ", b"link  ", 1), b"\n".join(content.split(b"\n")[1:])):
            if damaged == content:
                continue
            with open(self.path("damaged"), "wb") as stream:
                stream.write(damaged)
            result = holdfast("remap", "--undo", self.path("damaged"), self.top)
            self.assertEqual(result.status, 3, result)
        self.assertEqual(states(self.top), after)
        self.run_ok("remap", "--undo", self.path("none"), status=2)

    def test_a_journal_is_never_replaced(self):
        self.run_ok("remap", *self.rule, "--journal", self.journal, self.top)
        with open(self.journal, "rb") as stream:
            content = stream.read()
        self.run_ok("remap", "--map", "/new=/newer", "--journal", self.journal, self.top, status=2)
        self.assertEqual(os.readlink(self.top + "/one"), "/new/x")
        with open(self.journal, "rb") as stream:
            self.assertEqual(stream.read(), content)
        for number in ("", "-2", "-3"):
            self.run_ok("remap", "--map", "/new=/newer", self.top, cwd=self.work)
            self.run_ok("remap", "--map", "/newer=/new", self.top, cwd=self.work)
            self.assertTrue(os.path.exists(self.path(f"holdfast-remap{number}.journal")))

    def test_a_second_writer_is_refused(self):
        folder = os.open(self.top, os.O_RDONLY)
        fcntl.flock(folder, fcntl.LOCK_EX)
        try:
            result = self.run_ok("remap", *self.rule, "--journal", self.journal, self.top, status=2)
        finally:
            os.close(folder)
        self.assertIn("another run is writing", result.text)
        self.assertNotIn("--undo", result.text)
        self.assertFalse(os.path.exists(self.journal))

    def test_names_outside_are_said(self):
        os.makedirs(self.disk + "/out")
        os.link(self.top + "/one", self.disk + "/out/one", follow_symlinks=False)
        result = self.run_ok("remap", *self.rule, "--journal", self.journal, self.top, status=1)
        self.assertIn("1 link has names outside this folder, which keep the old target", result.text)
        self.assertEqual(os.readlink(self.disk + "/out/one"), "/old/x")

    def test_as_a_user(self):
        for folder in (self.disk, self.top, self.top + "/a", self.top + "/a/b"):
            os.chown(folder, support.NOBODY, support.NOBODY)
        for name in ("one", "a/root", "a/s1"):
            os.lchown(f"{self.top}/{name}", support.NOBODY, support.NOBODY)
        was = targets(self.top)
        os.chmod(self.work, 0o777)
        os.chmod(os.path.dirname(self.disk), 0o755)
        result = self.run_ok("remap", *self.rule, "--journal", self.journal, self.top, user=support.NOBODY, status=1)
        self.assertIn("owner", result.text)  # of a/b/odd, which was another's
        self.assertEqual(os.readlink(self.top + "/one"), "/new/x")
        self.run_ok("remap", "--undo", self.journal, user=support.NOBODY)
        self.assertEqual(targets(self.top), was)

    def test_a_journal_that_cannot_be_written(self):
        self.run_ok("remap", *self.rule, "--journal", self.path("no/such/folder"), self.top, status=2)
        self.assertEqual(os.readlink(self.top + "/one"), "/old/x")

    def test_wrong_usage(self):
        for words in (["remap"], ["remap", self.top], ["remap", "--map", "x", self.top], ["remap", "--map", "a=b", self.top],
                      ["remap", "--map", "/old=/new", self.top + "/file"], ["remap", "--map", "/a=/b", self.top, self.top],
                      ["remap", "--undo", self.journal, "--map", "/a=/b"], ["remap", "--drive", "C=/x", self.top],
                      ["remap", "--map-file", self.path("none"), self.top]):
            self.run_ok(*words, status=2)
        self.assertEqual(os.readlink(self.top + "/one"), "/old/x")

    def test_undo_takes_nothing_that_it_would_not_heed(self):
        self.run_ok("remap", *self.rule, "--journal", self.journal, self.top)
        for words in (["--exclude", "two"], ["--journal", self.path("other")], ["-x"], ["--drive", "C:=/x"]):
            self.run_ok("remap", "--undo", self.journal, *words, status=2)
        self.assertEqual(os.readlink(self.top + "/one"), "/new/x")

    def test_killed_in_the_middle(self):
        """Never a moment without a link; and undo finds its way from wherever the run was."""
        count = 3000
        for number in range(count):
            os.symlink(f"/old/{number}", f"{self.top}/a/n{number:05}")
        for number in range(0, count, 7):
            os.link(f"{self.top}/a/n{number:05}", f"{self.top}/h{number:05}", follow_symlinks=False)
        was = targets(self.top)
        groups = {n: s[6] for n, s in states(self.top).items()}
        middle = 0
        for number in range(6):
            journal = self.path(f"journal-{number}")
            kill_after(journal, 0.02 * (number + 1), *self.rule, self.top)
            now = {n: t for n, t in targets(self.top).items() if ".holdfast-" not in n}
            self.assertEqual(now.keys(), was.keys())
            changed = sum(now[n] != was[n] for n in was)
            middle += 0 < changed < count
            self.run_ok("remap", "--undo", journal)
            self.assertEqual(targets(self.top), was)
            self.assertEqual({n: s[6] for n, s in states(self.top).items()}, groups)
            self.assert_no_temporary_names(self.top)
        self.assertGreater(middle, 0, "no run was killed in the middle")

    def test_a_folder_swapped_meanwhile(self):
        """Nothing outside changes, whatever becomes of the folder on the way."""
        outside, inner = self.disk + "/outside", self.top + "/a/b"
        for folder in (outside, inner):
            os.makedirs(folder, exist_ok=True)
            for number in range(1000):
                os.symlink(f"/old/{number}", f"{folder}/n{number}")
        os.symlink(outside, self.disk + "/spare")
        there = targets(outside)
        for number in range(4):
            attacker = multiprocessing.Process(target=swap, args=(inner, self.disk + "/spare"))
            attacker.start()
            try:
                for direction in (["--map", "/old=/new"], ["--map", "/new=/old"]):
                    found = holdfast("remap", *direction, self.top, cwd=self.work)
                    self.assertIn(found.status, (0, 1, 3), found)
            finally:
                attacker.kill()
                attacker.join()
            self.assertEqual(targets(outside), there)


class OnExt4(InPlace):
    """The same with extended attributes and a disk's times."""

    kind = "ext4"

    def test_an_immutable_folder(self):
        self.assertEqual(tool("chattr", "+i", self.top + "/a").status, 0)
        self.addCleanup(tool, "chattr", "-R", "-i", self.top)
        result = self.run_ok("remap", *self.rule, "--journal", self.journal, self.top, status=1)
        self.assertIn("its folder is immutable: --clear-flags takes the flag off", result.text)
        self.assertEqual(os.readlink(self.top + "/a/root"), "/old")
        self.assertEqual(os.readlink(self.top + "/one"), "/new/x")
        options = ["--clear-flags", "--journal", self.path("second")]
        self.run_ok("remap", *self.rule, *options, self.top)
        self.assertEqual(os.readlink(self.top + "/a/root"), "/new")
        self.assertIn("i", tool("lsattr", "-d", self.top + "/a").text.split()[0])
        self.run_ok("remap", "--undo", self.path("second"), "--clear-flags")
        self.run_ok("remap", "--undo", self.journal, "--clear-flags")
        self.assertEqual(os.readlink(self.top + "/a/root"), "/old")


class Restores(Case):
    """Rules on the way of a restore, and verify with them."""

    def setUp(self):
        super().setUp()
        self.source = self.path("src")
        os.makedirs(self.source + "/d")
        self.write("src/d/file")
        for name, target in {
            "in": self.source + "/d/file",
            "top": self.source,
            "out": "/etc",
            "gone": "/no/such/place",
            "data": "/data/x",
            "relative": "d/file",
            "near": self.source + "x/y",
        }.items():
            os.symlink(target, f"{self.source}/{name}")
        self.archive = self.path("a.tar.zst")
        self.run_ok("backup", self.source, self.archive)

    def test_rebase(self):
        dest = self.path("dest")
        options = ["--rebase", "--map", "/data=/srv/data"]
        plan = self.run_ok("restore", "--dry-run", "--json", *options, self.archive, dest).objects()
        rows = {o["path"]: o for o in plan if o["type"] == "target"}
        self.assertFalse(os.path.exists(dest))
        self.assertEqual({p[4:]: (o["outcome"], o.get("exists")) for p, o in rows.items()}, {
            "in": ("mapped", True), "top": ("mapped", True), "out": ("kept outside", True), "gone": ("dangling", False),
            "data": ("mapped", False), "relative": ("inside", True), "near": ("dangling", False)})
        self.run_ok("restore", *options, self.archive, dest)
        found = targets(dest + "/src")
        self.assertEqual(found["in"], dest + "/src/d/file")
        self.assertEqual(found["top"], dest + "/src")
        self.assertEqual(found["data"], "/srv/data/x")
        self.assertEqual({n: found[n] for n in rows_unchanged(rows)}, {n: targets(self.source)[n] for n in rows_unchanged(rows)})
        self.assertEqual({p[4:]: o["new"] for p, o in rows.items() if o["outcome"] == "mapped"},
                         {n: found[n] for n in ("in", "top", "data")})
        self.assert_verified(self.archive, dest + "/src", *options)
        self.assertEqual(len(self.verify_differences(self.archive, dest + "/src")), 3)
        again = self.run_ok("restore", *options, self.archive, dest).text
        self.assertIn("0 created, 0 linked, 0 replaced, 0 updated", again)

    def test_table_for_people(self):
        text = self.run_ok("restore", "-n", "--map", "/data=/srv", self.archive, self.path("dest")).text
        self.assertRegex(text, r"outcome +exists +link -> old target => new target")
        self.assertRegex(text, r"mapped +no +src/data -> /data/x => /srv/x")
        self.assertRegex(text, r"kept outside +yes +src/out -> /etc\n")

    def test_rules_from_a_file(self):
        rules = self.write("rules", b'{"from": "/data", "to": "/a=b"}\n{"from": "/etc", "to": "/srv/etc"}\n')
        self.run_ok("restore", "--map-file", rules, self.archive, self.path("dest"))
        found = targets(self.path("dest/src"))
        self.assertEqual((found["data"], found["out"]), ("/a=b/x", "/srv/etc"))
        broken = self.write("broken", b'{"from": "/data"}\n')
        self.assertIn("line 1", self.run_ok("restore", "--map-file", broken, self.archive, self.path("x"), status=2).text)

    def test_a_hint_once_the_old_place_is_gone(self):
        os.rename(self.source, self.path("away"))
        text = self.run_ok("restore", self.archive, self.path("dest")).text
        self.assertIn("2 links lead to its old place, where nothing is now; --rebase, or --map "
                      f"'{self.source}={self.path('dest')}/src', has them lead here", text)
        text = self.run_ok("restore", "--rebase", self.archive, self.path("dest2")).text
        self.assertNotIn("old place", text)
        text = self.run_ok("restore", "--root", "src=" + self.source, self.archive).text
        self.assertNotIn("old place", text)

    def test_rebase_needs_to_know(self):
        self.assertEqual(tool("tar", "-C", self.work, "-cf", self.path("r.tar"), "src").status, 0)
        self.run_ok("restore", "--rebase", self.path("r.tar"), self.path("dest"), status=2)
        self.assertFalse(os.path.exists(self.path("dest")))
        self.run_ok("verify", "--rebase", self.source, self.archive, status=2)


def rows_unchanged(rows: Dict[str, dict]) -> List[str]:
    """The names of links that no rule met."""
    return [path[4:] for path, row in rows.items() if row["outcome"] != "mapped"]


class Across(Ntfs):
    """From one system's links to the other's."""

    def setUp(self):
        super().setUp()
        self.at = self.volume()

    def test_junctions_become_links_of_this_system_and_back(self):
        top = self.at.path + "/tree"
        os.mkdir(top)
        recipe.make(top + "/j", recipe.junction("\\??\\C:\\data\\x", "C:\\data\\x"), True)
        recipe.make(top + "/s", recipe.symlink("\\??\\C:\\file", "C:\\file", False), False)
        self.at.remount()
        self.run_ok("backup", top, self.path("a.tar.zst"))
        rule = ["--map", "C:\\=" + self.path("c")]
        self.run_ok("restore", *rule, self.path("a.tar.zst"), self.path("out"))
        self.assertEqual(targets(self.path("out/tree")), {"j": self.path("c/data/x"), "s": self.path("c/file")})
        self.assert_verified(self.path("a.tar.zst"), self.path("out/tree"), *rule, "--no-data")
        os.makedirs(self.path("c/data/x"))
        self.write("c/file")
        self.run_ok("backup", self.path("out/tree"), self.path("b.tar.zst"))
        back = ["--map", self.path("c") + "=C:\\"]
        self.run_ok("restore", *back, self.path("b.tar.zst"), self.at.path + "/back")
        self.at.remount()
        found = oracle.snapshot(self.at.path + "/back/tree")
        self.assertEqual((found["j"][0].kind, found["j"][0].reparse),
                         ("reparse folder", recipe.symlink("\\??\\C:\\data\\x", "C:\\data\\x", False)))
        self.assertEqual((found["s"][0].kind, found["s"][0].reparse),
                         ("reparse file", recipe.symlink("\\??\\C:\\file", "C:\\file", False)))

    def test_the_flavour_is_that_of_the_new_place_or_told(self):
        os.mkdir(self.path("tree"))
        os.symlink("/old/folder", self.path("tree/l"))
        self.run_ok("backup", self.path("tree"), self.path("a.tar.zst"))
        os.makedirs(self.at.path + "/folder")
        rule, told = ["--map", "/old=C:\\"], "cannot be seen from here"
        result = self.run_ok("restore", *rule, self.path("a.tar.zst"), self.at.path + "/blind",
                             status=1)
        self.assertIn(told, result.text)
        result = self.run_ok("restore", *rule, "--drive", "C:=" + self.at.path, self.path("a.tar.zst"),
                             self.at.path + "/seen", status=1)
        self.assertNotIn(told, result.text)
        self.at.remount()
        found = oracle.snapshot(self.at.path)
        self.assertEqual(found["blind/tree/l"][0].kind, "reparse file")
        self.assertEqual(found["seen/tree/l"][0].kind, "reparse folder")

    def test_in_place_on_a_file_system_that_keeps_notes(self):
        top, out = self.at.path + "/tree", ""
        os.mkdir(top)
        recipe.make(top + "/j", recipe.junction("\\??\\C:\\data\\x", "C:\\data\\x"), True)
        self.at.remount()
        self.run_ok("backup", top, self.path("a.tar.zst"))
        context = mounted("ext4", "64M")
        out = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        self.run_ok("restore", self.path("a.tar.zst"), out, status=1)
        self.run_ok("remap", "--map", "C:\\=D:\\", "--journal", self.path("journal"), out + "/tree", status=1)
        self.assertEqual(os.readlink(out + "/tree/j"), "D:\\data\\x")
        self.run_ok("backup", out + "/tree", self.path("b.tar.zst"))
        self.run_ok("restore", self.path("b.tar.zst"), self.at.path + "/back")
        self.at.remount()
        found = oracle.snapshot(self.at.path + "/back/tree")
        self.assertEqual(found["j"][0].reparse, recipe.junction("\\??\\D:\\data\\x", "D:\\data\\x"))
        self.run_ok("remap", "--undo", self.path("journal"), status=1)
        self.assertEqual(os.readlink(out + "/tree/j"), "C:\\data\\x")
        self.assert_verified(self.path("a.tar.zst"), out + "/tree")


if __name__ == "__main__":
    sys.exit(support.main())
