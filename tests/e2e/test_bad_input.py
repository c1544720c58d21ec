#!/usr/bin/env python3
"""Wrong usage, wrong archives, wrong places: what is said, how it ends, and what stays as it was."""

import os
import subprocess
import sys

import support
from mounts import mounted
from support import Case, holdfast, needs_root


class BadInput(Case):
    """Whatever the mistake: canaries and sources do not change, no new name appears."""

    def setUp(self):
        super().setUp()
        self.write("docs/file", b"docs\n" * 5000)
        self.write("docs/other", os.urandom(300000))
        self.write("canary", b"canary\n")
        self.archives = {}
        for suffix in (".tar", ".tar.gz", ".tar.zst"):
            self.archives[suffix] = self.path("good" + suffix)
            self.run_ok("backup", self.path("docs"), self.archives[suffix])

    def refused(self, *arguments, status, words=()) -> support.Result:
        """Runs the program, which must change nothing and say `words`."""
        before = support.snapshot(self.work)
        result = self.run_ok(*arguments, status=status)
        now = support.snapshot(self.work)
        self.assert_no_lines([str(item) for item in support.compare(before, now)], str(result))
        for word in words:
            self.assertIn(word, result.text)
        return result

    def test_missing_source(self):
        words = ("gone", "No such file")
        self.refused("backup", self.path("gone"), self.path("a.tar"), status=2, words=words)

    def test_forgotten_archive_name(self):
        """`backup docs notes` must not eat notes, whether it is a file or a folder."""
        self.write("notes", b"precious notes\n")
        self.refused("backup", self.path("docs"), self.path("notes"), status=2, words=("notes",))
        os.mkdir(self.path("folder"))
        self.refused("backup", self.path("docs"), self.path("folder"), status=2, words=("folder",))
        self.refused("backup", self.path("docs"), self.path("new name"), status=2, words=("new name",))

    def test_existing_file_that_is_no_archive(self):
        self.write("precious.tar.zst", b"not an archive, but precious\n")
        archive = self.path("precious.tar.zst")
        self.refused("backup", self.path("docs"), archive, status=2, words=("precious",))

    def test_existing_archive_is_replaced(self):
        archive = self.archives[".tar.zst"]
        self.write("docs/new")
        self.run_ok("backup", self.path("docs"), archive)
        self.run_ok("verify", archive, self.path("docs"))

    def test_archive_inside_its_source(self):
        archive = self.path("docs/inside.tar.zst")
        result = self.run_ok("backup", self.path("docs"), archive)
        self.assertIn("inside.tar.zst", result.text)
        listed = self.run_ok("list", archive)
        self.assertNotIn("inside.tar.zst", listed.text)

    def test_archive_in_a_missing_folder(self):
        self.refused("backup", self.path("docs"), self.path("no/such/a.tar"), status=2, words=("no/such",))

    def test_not_an_archive(self):
        text = self.write("text.tar.zst", b"just some text\n" * 100)
        empty = self.write("empty.tar", b"")
        noise = self.write("noise.tar", os.urandom(5000))
        for archive in (text, empty, noise, self.path("docs/file")):
            with self.subTest(archive):
                out = self.path("out")
                self.refused("restore", archive, out, status=3, words=(os.path.basename(archive),))
                self.assertEqual(self.run_ok("list", archive, status=3).out, b"")

    def test_missing_archive(self):
        for command in (("restore", self.path("gone.tar"), self.path("out")),
                        ("list", self.path("gone.tar")), ("verify", self.path("gone.tar"))):  # fmt: skip
            self.refused(*command, status=2, words=("gone.tar", "No such file"))

    def test_verify_of_a_folder_alone(self):
        words = ("docs", "is a folder", "second")
        self.refused("verify", self.path("docs"), status=2, words=words)

    def test_destination_is_a_file(self):
        archive = self.archives[".tar.zst"]
        self.refused("restore", archive, self.path("canary"), status=2, words=("canary",))

    def test_destination_below_a_file(self):
        archive = self.archives[".tar.zst"]
        self.refused("restore", archive, self.path("canary/out"), status=2, words=("canary",))

    def test_truncated_archives(self):
        for suffix, archive in self.archives.items():
            with open(archive, "rb") as stream:
                content = stream.read()
            for part in (1, 20, 50, 80, 99):
                with self.subTest(suffix=suffix, percent=part):
                    cut = self.write("cut" + suffix, content[: len(content) * part // 100])
                    self.assertNotEqual(holdfast("verify", cut).status, 0)
                    result = holdfast("restore", cut, self.path("out"))
                    self.assertIn(result.status, (1, 3), str(result))
                    self.assertRegex(result.text, "cut|damaged|not an archive")

    def test_flipped_bytes(self):
        """A changed byte anywhere is found, by verify and by restore."""
        for suffix, archive in self.archives.items():
            with open(archive, "rb") as stream:
                content = stream.read()
            for at in range(7, len(content), max(1, len(content) // 25)):
                with self.subTest(suffix=suffix, at=at):
                    flipped = bytearray(content)
                    flipped[at] ^= 0x10
                    path = self.write("flipped" + suffix, bytes(flipped))
                    verified, restored = holdfast("verify", path), holdfast("restore", path, self.path("out"))
                    self.assertNotEqual(verified.status, 0, str(verified))
                    self.assertNotEqual(restored.status, 0, str(restored))

    def test_wrong_suffix_is_not_believed(self):
        """What a file is decides, not what it is called."""
        with open(self.archives[".tar.gz"], "rb") as stream:
            renamed = self.write("renamed.tar.zst", stream.read())
        self.run_ok("restore", renamed, self.path("out"))
        self.assert_equal_trees(self.path("docs"), self.path("out/docs"))

    def test_source_is_the_destination(self):
        """verify of a tree with itself is fine; a backup onto its own source file is not."""
        source = self.write("single.tar", b"x" * 100)
        before = support.snapshot(source)
        result = holdfast("backup", source, source)
        self.assertNotEqual(result.status, 0, str(result))
        self.assertEqual(list(support.compare(before, support.snapshot(source))), [])


class FullDisk(Case):
    """A small tmpfs: stops with exit 3, says why, leaves no half archive."""

    def setUp(self):
        super().setUp()
        needs_root()
        self.write("docs/large", os.urandom(3 << 20))
        self.write("docs/zulu", os.urandom(1 << 20))

    def test_backup(self):
        with mounted("tmpfs", "1M") as place:
            archive = os.path.join(place, "a.tar")
            result = self.run_ok("backup", self.path("docs"), archive, status=3)
            self.assertIn("No space left", result.text)
            self.assertEqual(os.listdir(place), [])

    def test_backup_keeps_the_old_archive(self):
        self.write("small/file", b"x")
        with mounted("tmpfs", "1M") as place:
            archive = os.path.join(place, "a.tar")
            self.run_ok("backup", self.path("small"), archive)
            self.run_ok("backup", self.path("docs"), archive, status=3)
            self.run_ok("verify", archive, self.path("small"))
            self.assertEqual(os.listdir(place), ["a.tar"])

    def test_restore(self):
        self.run_ok("backup", self.path("docs"), self.path("a.tar"))
        with mounted("tmpfs", "2M") as place:
            result = self.run_ok("restore", self.path("a.tar"), place + "/out", status=3)
            self.assertIn("No space left", result.text)
            for name in ("large", "zulu"):
                path = f"{place}/out/docs/{name}"
                if os.path.exists(path) and os.path.getsize(path) != os.path.getsize(self.path("docs", name)):
                    self.assertEqual(os.stat(path).st_mode & 0o7777, 0o600, path)

    def test_restore_into_existing_keeps_the_old_file(self):
        self.run_ok("backup", self.path("docs"), self.path("a.tar"))
        with mounted("tmpfs", "2M") as place:
            os.makedirs(place + "/out/docs")
            with open(place + "/out/docs/large", "wb") as stream:
                stream.write(b"old")
            self.run_ok("restore", self.path("a.tar"), place + "/out", status=3)
            with open(place + "/out/docs/large", "rb") as stream:
                self.assertEqual(stream.read(), b"old")

    def test_output_to_a_full_device(self):
        with open("/dev/full", "wb") as full:
            result = subprocess.run(
                [support.PROGRAM, "backup", "--format", "tar", self.path("docs"), "-"],
                stdout=full, stderr=subprocess.PIPE, check=False,
            )  # fmt: skip
        self.assertEqual(result.returncode, 3, result.stderr)


if __name__ == "__main__":
    sys.exit(support.main())
