#!/usr/bin/env python3
"""The command line: help, suggestions, exit statuses, JSON, what goes to which stream."""

import json
import os
import subprocess
import sys

import support
from support import Case, holdfast, named

COMMANDS = ("backup", "restore", "mirror", "snapshot", "verify", "list", "scan", "link", "remap", "remove")


class Help(Case):
    """Help is a result: stdout, exit 0."""

    def test_program(self):
        result = self.run_ok("--help")
        self.assertEqual(result.err, b"")
        for command in COMMANDS:
            self.assertIn(command.encode(), result.out)

    def test_commands(self):
        for command in COMMANDS:
            result = self.run_ok(command, "--help")
            self.assertEqual(result.err, b"")
            self.assertIn(command.encode(), result.out)

    def test_version(self):
        self.assertIn(b"holdfast", self.run_ok("--version").out)

    def test_lines_fit_a_terminal(self):
        for command in COMMANDS:
            lines = self.run_ok(command, "--help").out.decode().splitlines()
            self.assertEqual([line for line in lines if len(line) > 100], [])


class Usage(Case):
    """Wrong usage: exit 2, on stderr alone, with the nearest right word."""

    def wrong(self, *arguments, words=()) -> None:
        result = self.run_ok(*arguments, status=2)
        self.assertEqual(result.out, b"")
        for word in words:
            self.assertIn(word, result.text)

    def test_nothing(self):
        self.wrong()

    def test_unknown_command(self):
        self.wrong("bakup", words=("bakup", "backup"))
        self.wrong("verfiy", words=("verify",))

    def test_unknown_option(self):
        self.wrong("backup", "--exlude", "x", "a", "b.tar", words=("--exlude", "--exclude"))
        self.wrong("restore", "--delet", "a.tar", "b", words=("--delete",))

    def test_missing_arguments(self):
        for command in COMMANDS:
            self.wrong(command)
        self.wrong("backup", "only-one.tar")
        self.wrong("backup", "--exclude")

    def test_option_that_takes_no_value(self):
        self.wrong("restore", "--delete=yes", "a.tar", "b")

    def test_level_that_is_none(self):
        self.write("tree/file")
        for level in ("x", "3x", "1000", ""):
            self.wrong("backup", "--level", level, self.path("tree"), self.path("a.tar.zst"))

    def test_an_archive_alone_is_compared_with_nothing(self):
        self.run_ok("backup", self.write("f"), self.path("a.tar"))
        for words in (["--map", "/a=/b"], ["--rebase"], ["--root", "f"], ["--no-data"], ["--exclude", "x"], ["-x"],
                      ["--windows-names", "any"], ["--owner"], ["--drive", "C:=/x"]):
            self.wrong("verify", *words, self.path("a.tar"), words=("archive alone",))
        self.run_ok("verify", self.path("a.tar"))

    def test_names_that_begin_with_a_dash(self):
        self.write("-tree/-file")
        self.run_ok("backup", "--", "-tree", "-a.tar", cwd=self.work)
        self.run_ok("restore", "--", "-a.tar", "-out", cwd=self.work)
        self.assert_equal_trees(self.path("-tree"), self.path("-out/-tree"))

    def test_options_after_names(self):
        self.write("tree/file")
        self.run_ok("backup", self.path("tree"), self.path("a.tar"), "--dry-run")
        self.assertFalse(os.path.exists(self.path("a.tar")))


class Streams(Case):
    """Results go to stdout, all else to stderr; JSON is one object a line."""

    def setUp(self):
        super().setUp()
        self.odd = b"bytes \xff \n"
        self.write("tree/file", b"x" * 10)
        os.link(self.path("tree/file"), self.path("tree/same"))
        os.symlink("file", self.path("tree/link"))
        with open(os.fsencode(self.path("tree/")) + self.odd, "wb"):
            pass
        self.archive = self.path("a.tar.zst")

    def test_silence_is_success(self):
        result = self.run_ok("backup", self.path("tree"), self.archive)
        self.assertEqual(result.out, b"")
        self.assertNotIn(b"\r", result.err)

    def check_json(self, command: str, *arguments, status: int = 0) -> list:
        result = self.run_ok(command, "--json", *arguments, status=status)
        lines = [json.loads(line) for line in result.out.splitlines()]
        first = lines[0]
        self.assertEqual((first["type"], first["schema"], first["program"]), ("header", 1, "holdfast"))
        self.assertEqual(first["command"], command)
        self.assertTrue(all("type" in line for line in lines))
        return lines

    def test_json_of_backup_and_restore(self):
        last = self.check_json("backup", self.path("tree"), self.archive)[-1]
        self.assertEqual((last["type"], last["status"]), ("summary", 0))
        lines = self.check_json("restore", self.archive, self.path("out"))
        self.assertEqual((lines[-1]["type"], lines[-1]["status"]), ("summary", 0))
        changed = {named(line) for line in lines if line["type"] == "change"}
        self.assertTrue({b"tree/file", b"tree/same", b"tree/link", b"tree/" + self.odd} <= changed)

    def test_json_of_list(self):
        self.run_ok("backup", self.path("tree"), self.archive)
        for place in (self.archive, self.path("tree")):
            lines = self.check_json("list", place)
            found = {os.path.basename(named(line)): line for line in lines if line["type"] == "entry"}
            self.assertEqual(found[b"file"]["kind"], "file")
            self.assertEqual(found[b"file"]["size"], 10)
            self.assertEqual(named(found[b"link"], "target"), b"file")
            self.assertEqual(os.path.basename(named(found[b"same"], "same_as")), b"file")
            self.assertIn(self.odd, found)
            status = os.lstat(self.path("tree/file"))
            self.assertEqual(found[b"file"]["mode"], f"{status.st_mode & 0o7777:04o}")
            seconds, rest = divmod(status.st_mtime_ns, 10**9)
            self.assertEqual(found[b"file"]["mtime"], f"{seconds}.{rest:09d}")

    def test_json_of_scan(self):
        os.symlink("/etc/passwd", self.path("tree/absolute"))
        os.symlink("nowhere", self.path("tree/dangling"))
        os.symlink("loop", self.path("tree/loop"))
        self.run_ok("backup", self.path("tree"), self.archive)
        for place in (self.archive, self.path("tree")):
            lines = self.check_json("scan", place)
            links = {
                os.path.basename(named(line)): line["state"] for line in lines if line["type"] == "link"
            }
            self.assertEqual(links[b"link"], "inside")
            self.assertEqual(links[b"dangling"], "dangling")
            self.assertEqual(links[b"loop"], "looping")
            self.assertIn(links[b"absolute"], ("outside", "unknown"))
            groups = [line for line in lines if line["type"] == "group"]
            self.assertEqual(len(groups), 1)
            self.assertEqual(groups[0]["names_in_tree"], 2)

    def test_scan_counts_names_outside(self):
        os.link(self.path("tree/file"), self.path("outside name"))
        lines = self.check_json("scan", self.path("tree"))
        group = [line for line in lines if line["type"] == "group"][0]
        self.assertEqual((group["names_in_tree"], group["names_total"]), (2, 3))

    def test_json_of_verify(self):
        lines = self.check_json("verify", self.path("tree"), self.path("tree"))
        self.assertEqual(lines[-1]["differences"], 0)

    def test_null_separated_names(self):
        self.run_ok("backup", self.path("tree"), self.archive)
        names = self.run_ok("list", "-0", self.archive).out.split(b"\0")
        self.assertIn(b"tree/" + self.odd, names)

    def test_list_for_people(self):
        self.run_ok("backup", self.path("tree"), self.archive)
        text = self.run_ok("list", self.archive).out.decode()
        self.assertIn("tree/link -> file", text)
        self.assertIn("tree/same", text)
        self.assertNotIn("\\xff \n", text)

    def test_list_of_paths(self):
        """The PATH and what lies below it, not the folders on the way."""
        self.write("tree/sub/deep/file")
        self.run_ok("backup", self.path("tree"), self.archive)
        for place in (self.archive, self.path("tree")):
            names = self.run_ok("list", "-0", place, "tree/sub/deep").out.split(b"\0")
            self.assertEqual(names, [b"tree/sub/deep", b"tree/sub/deep/file", b""])

    def test_archive_that_is_a_link(self):
        """The link stays, what it leads to is replaced; one that leads nowhere is no name."""
        self.run_ok("backup", self.path("tree"), self.archive)
        os.symlink(os.path.basename(self.archive), self.path("latest.tar"))
        self.write("tree/one more")
        self.run_ok("backup", self.path("tree"), self.path("latest.tar"))
        self.assertTrue(os.path.islink(self.path("latest.tar")))
        self.assert_verified(self.path("tree"), self.archive)
        os.unlink(self.archive)
        result = self.run_ok("backup", self.path("tree"), self.path("latest.tar"), status=2)
        self.assertIn("is a link that leads nowhere", result.text)
        self.assertTrue(os.path.islink(self.path("latest.tar")))

    def test_reader_that_has_enough(self):
        """tar closes the pipe behind the last member: the tail is not missed."""
        self.write("tree/big", os.urandom(3 << 20))
        command = [support.PROGRAM, "backup", "--format", "tar", self.path("tree"), "-"]
        for reader, status in ((("tar", "tf", "-"), 0), (("head", "-c", "1000"), 3)):
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
                read = subprocess.run(reader, stdin=run.stdout, capture_output=True, check=False)
                run.stdout.close()
                told = run.stderr.read().decode()
            self.assertEqual((run.returncode, read.returncode), (status, 0), told)
            self.assertNotIn("under its name", told)
        self.assertIn("is no whole archive", told)

    def test_closed_stdout_is_no_crash(self):
        self.run_ok("backup", self.path("tree"), self.archive)
        with open("/dev/full", "wb") as full:
            command = [support.PROGRAM, "list", self.archive]
            run = subprocess.run(
                command, stdout=full, stderr=subprocess.PIPE, check=False
            )
        self.assertIn(run.returncode, (1, 3), run.stderr)


class Masking(Case):
    """Names are masked for people, exact for programs (R17)."""

    def test_terminal_escapes(self):
        evil = "evil \x1b[31m\x07\x9b \u202e name"
        self.write("tree/" + evil)
        os.symlink("to \x1b]0;title\x07", self.path("tree/link"))
        archive = self.path("a.tar")
        runs = [
            holdfast("backup", "-v", self.path("tree"), archive),
            holdfast("list", archive),
            holdfast("list", self.path("tree")),
            holdfast("scan", archive),
            holdfast("restore", "-v", archive, self.path("out")),
            holdfast("verify", self.path("tree"), self.path("out")),
            holdfast("restore", archive, evil, self.path("out")),
        ]
        for result in runs:
            for byte in (b"\x1b", b"\x07", b"\xc2\x9b", b"\xe2\x80\xae"):
                self.assertNotIn(byte, result.out + result.err, str(result))


if __name__ == "__main__":
    sys.exit(support.main())
