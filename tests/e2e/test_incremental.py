#!/usr/bin/env python3
"""Incremental archives: a chain of them restores each state exactly, with the data of what changed
and no more; a base that is missing, wrong or damaged is said before or instead of a wrong file."""

import os
import random
import shutil
import sys

import support
from support import Case, compare, holdfast, snapshot, tool

from oracle import archive_index
from trees.generate import generate
from trees.mutate import mutate

STEPS = 5


def set_time(path: str) -> None:
    """Gives a file a time of its own again and again, so that its time of change is a new one."""
    os.utime(path, ns=(10**18, 10**18))


def change_links(tree: str, step: int) -> None:
    """Splits a group, joins another, moves a name from one group to the next, retargets a link,
    and deletes a name; on the files that `link_tree` made."""
    at = lambda name: os.path.join(tree, name)  # noqa: E731
    split, joined = at(f"group{step}/b"), at(f"single{step}")
    shutil.copy2(split, split + ".new")
    os.rename(split + ".new", split)
    os.unlink(joined)
    os.link(at(f"group{step}/a"), joined)
    os.unlink(at(f"moved{step}"))
    os.link(at(f"group{step + 1}/a"), at(f"moved{step}"))
    os.unlink(at(f"link{step}"))
    os.symlink(f"group{step}/a", at(f"link{step}"))
    os.unlink(at(f"gone{step}"))


def link_tree(tree: str) -> None:
    """Files, groups and links for the steps to come."""
    for step in range(STEPS + 1):
        folder = os.path.join(tree, f"group{step}")
        os.makedirs(folder)
        with open(os.path.join(folder, "a"), "wb") as stream:
            stream.write(b"group %d\n" % step * 3000)
        for name in ("b", "c"):
            os.link(os.path.join(folder, "a"), os.path.join(folder, name))
        os.link(os.path.join(folder, "c"), os.path.join(tree, f"moved{step}"))
        os.symlink("nowhere", os.path.join(tree, f"link{step}"))
        for name in ("single", "gone", "still"):
            with open(os.path.join(tree, f"{name}{step}"), "wb") as stream:
                stream.write(random.Random(step).randbytes(20000))


class Chain(Case):
    """Five steps, each over a tree whose links changed."""

    def assert_state(self, state, folder: str, note: str, ignore=()) -> None:
        """Asserts that a folder is what a tree was."""
        self.assert_no_lines([str(d) for d in compare(state, snapshot(folder), ignore)], note)

    def make_chain(self, suffix: str, seed: int):
        """Archives 0 to STEPS, and each state as the oracle sees it."""
        print(f"seed {seed} {suffix}")
        tree = self.path("tree")
        os.mkdir(tree)
        generate(tree + "/any", seed)
        link_tree(tree)
        archives, states = [], []
        for step in range(STEPS + 1):
            if step != 0:
                change_links(tree, step - 1)
                mutate(tree + "/any", seed + step, 12)
            archive = self.path(f"step{step}{suffix}")
            base = ["--base", archives[-1]] if archives else []
            self.run_ok("backup", *base, tree, archive)
            archives.append(archive)
            states.append(snapshot(tree))
        return archives, states

    def check_chain(self, suffix: str) -> None:
        seed = int(os.environ.get("HOLDFAST_SEED") or random.SystemRandom().randrange(1 << 32))
        archives, states = self.make_chain(suffix, seed)
        for step, (archive, state) in enumerate(zip(archives, states)):
            out = self.path(f"out{step}")
            self.run_ok("restore", archive, out)
            self.assert_state(state, out + "/tree", f"step {step}, seed {seed}")
            self.run_ok("verify", archive)
            self.assert_verified(archive, out + "/tree")
        # Back to an older state, and on to the last one, over what stands there: equal contents
        # stay as they are there, holes or not.
        for step in (1, STEPS):
            self.run_ok("restore", "--delete", archives[step], self.path("out3"))
            self.assert_state(states[step], self.path("out3/tree"), f"to {step}, seed {seed}", ["holes"])

    def test_zstd(self):
        self.check_chain(".tar.zst")

    def test_gzip(self):
        self.check_chain(".tar.gz")

    def test_plain(self):
        self.check_chain(".tar")

    def test_second_reader(self):
        """The index says of each entry in which archive its content is."""
        archives, _ = self.make_chain(".tar", 7)
        with open(archives[-1], "rb") as file:
            entries = archive_index.read_index(file.read())
        found = {e.path: e for e in entries}
        self.assertIsNotNone(found[b"tree/still0"].base)
        shown = self.run_ok("list", "--json", archives[-1]).objects()
        self.assertEqual([e.path for e in entries], [support.named(o) for o in shown if o["type"] == "entry"])

    def test_bases_elsewhere(self):
        """Bases under other names in another folder are found by --base, in any order."""
        archives, states = self.make_chain(".tar.zst", 11)
        os.mkdir(self.path("store"))
        options = []
        for i, archive in enumerate(archives[:-1]):
            os.rename(archive, self.path(f"store/{i * 7}.x"))
            options = ["--base", self.path(f"store/{i * 7}.x"), *options]
        self.run_ok("restore", archives[-1], self.path("none"), status=2)
        self.assertFalse(os.path.exists(self.path("none")))
        self.run_ok("restore", *options, archives[-1], self.path("out"))
        self.assert_state(states[-1], self.path("out/tree"), "bases elsewhere")
        self.run_ok("verify", *options, archives[-1])
        self.run_ok("verify", archives[-1], status=1)
        self.run_ok("restore", *options, archives[-1], "tree/still0", "tree/group5", self.path("some"))
        self.assertEqual(sorted(os.listdir(self.path("some/tree"))), ["group5", "still0"])
        self.assert_same_file(self.path("some/tree/group5/a"), self.path("some/tree/group5/b"))


class Changes(Case):
    """What is stored again, and what is not."""

    def setUp(self):
        super().setUp()
        self.data = random.Random(1).randbytes(3 << 20)
        self.large = random.Random(2).randbytes(9 << 20)
        self.write("tree/a", self.data)
        self.write("tree/large", self.large)
        self.run_ok("backup", self.path("tree"), self.path("old.tar.zst"))

    def backup(self) -> dict:
        result = self.run_ok(
            "backup", "--json", "--base", self.path("old.tar.zst"), self.path("tree"), self.path("new.tar.zst")
        )
        self.run_ok("restore", self.path("new.tar.zst"), self.path("out"))
        self.assert_equal_trees(self.path("tree"), self.path("out/tree"))
        return result.objects()[-1]

    def test_nothing(self):
        summary = self.backup()
        self.assertEqual(summary["base_files"], 2)
        self.assertLess(os.path.getsize(self.path("new.tar.zst")), 4096)

    def test_new_names(self):
        """link() makes the time of change newer: the file is read, and not stored, also if the new
        name comes before the old ones."""
        os.link(self.path("tree/a"), self.path("tree/b"))
        os.link(self.path("tree/large"), self.path("tree/0"))
        self.assertEqual(self.backup()["base_files"], 2)
        self.assertLess(os.path.getsize(self.path("new.tar.zst")), 4096)
        self.assert_same_file(self.path("out/tree/a"), self.path("out/tree/b"))
        self.assert_same_file(self.path("out/tree/0"), self.path("out/tree/large"))

    def test_renamed(self):
        """A file is known by its number, under any name."""
        os.mkdir(self.path("tree/0"))
        os.rename(self.path("tree/a"), self.path("tree/0/z"))
        os.rename(self.path("tree/large"), self.path("tree/a"))
        self.assertEqual(self.backup()["base_files"], 2)
        self.assertLess(os.path.getsize(self.path("new.tar.zst")), 4096)

    def test_renamed_folder(self):
        """Nothing in it has a name of before, and nothing of it is stored again."""
        os.mkdir(self.path("tree/folder"))
        for i in range(300):
            self.write(f"tree/folder/{i}", random.Random(i).randbytes(2000))
        self.run_ok("backup", self.path("tree"), self.path("old.tar.zst"))
        os.rename(self.path("tree/folder"), self.path("tree/1"))
        self.assertEqual(self.backup()["base_files"], 302)
        self.assertLess(os.path.getsize(self.path("new.tar.zst")), 99999)

    def test_swapped(self):
        """Two files of one size and time change their names."""
        self.write("tree/b", random.Random(5).randbytes(len(self.data)))
        for name in ("a", "b"):
            set_time(self.path("tree", name))
        self.run_ok("backup", self.path("tree"), self.path("old.tar.zst"))
        os.rename(self.path("tree/a"), self.path("tree/x"))
        os.rename(self.path("tree/b"), self.path("tree/a"))
        os.rename(self.path("tree/x"), self.path("tree/b"))
        self.assertEqual(self.backup()["base_files"], 3)

    def test_renamed_and_changed(self):
        """The number, size and time of before under another name are no proof."""
        for name in ("a", "large"):
            path = self.path("tree", name)
            before = os.stat(path).st_mtime_ns
            with open(path, "r+b") as stream:
                stream.seek(1 << 20)
                stream.write(b"changed")
            os.rename(path, path + ".new")
            os.utime(path + ".new", ns=(before, before))
        self.assertEqual(self.backup()["base_files"], 0)

    def test_touched(self):
        """A new time is restored, the content not stored again (of a large file it is)."""
        set_time(self.path("tree/a"))
        self.assertEqual(self.backup()["base_files"], 2)

    def test_same_size_and_time(self):
        """Only the time of change tells that a file was written to."""
        for name in ("a", "large"):
            path = self.path("tree", name)
            before = os.stat(path).st_mtime_ns
            with open(path, "r+b") as stream:
                stream.seek(1 << 20)
                stream.write(b"changed")
            os.utime(path, ns=(before, before))
        self.assertEqual(self.backup()["base_files"], 0)

    def test_hole(self):
        """Equal bytes with another layout of holes are another content."""
        path = self.write("tree/zeros", bytes(1 << 20))
        self.run_ok("backup", self.path("tree"), self.path("old.tar.zst"))
        times = os.stat(path)
        with open(path, "r+b") as stream:
            stream.truncate(0)
            stream.truncate(1 << 20)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        self.assertEqual(self.backup()["base_files"], 2)

    def test_same_bytes(self):
        self.write("tree/c", b"new\n" * 100000)
        found = set()
        for jobs in ("1", "2", "8"):
            self.run_ok("backup", "-j", jobs, "--base", "old.tar.zst", "tree", "new.tar.zst", cwd=self.work)
            with open(self.path("new.tar.zst"), "rb") as stream:
                found.add(stream.read())
        self.assertEqual(len(found), 1)

    def test_plain_tar(self):
        """Other tools see what changed."""
        self.write("tree/c")
        self.backup()
        listed = tool("bsdtar", "-tf", self.path("new.tar.zst"))
        self.assertEqual(listed.out.split(), [b"tree/", b"tree/c"], str(listed))


class Refusals(Case):
    """Nothing is changed, and what is wrong is named."""

    def setUp(self):
        super().setUp()
        self.write("tree/a", random.Random(1).randbytes(50000))
        self.write("tree/b", random.Random(3).randbytes(50000))
        self.run_ok("backup", "tree", "old.tar", cwd=self.work)
        self.write("tree/c")
        self.run_ok("backup", "--base", "old.tar", "tree", "new.tar", cwd=self.work)

    def refused(self, status: int, *arguments, word: str = "", **options) -> None:
        result = self.run_ok(*arguments, status=status, cwd=self.work, **options)
        self.assertIn(word, result.text)
        self.assertFalse(os.path.exists(self.path("out")))

    def test_missing(self):
        os.unlink(self.path("old.tar"))
        self.refused(2, "restore", "new.tar", "out", word="old.tar")
        self.refused(2, "restore", "--base", "nothing.tar", "new.tar", "out", word="old.tar")

    def test_all_missing_are_named(self):
        """Of a chain, by verify and by restore; what stands in the archive itself can be salvaged."""
        self.write("tree/d", random.Random(4).randbytes(3000))
        self.run_ok("backup", "--base", "new.tar", "tree", "third.tar", cwd=self.work)
        os.rename(self.path("old.tar"), self.path("moved"))
        os.rename(self.path("new.tar"), self.path("gone"))
        for word in ("old.tar: this base", "new.tar: this base", "not all archives that it needs"):
            self.refused(2, "restore", "third.tar", "out", word=word)
        result = self.run_ok("verify", "third.tar", status=1, cwd=self.work)
        for word in ("old.tar: this base", "new.tar: this base", "whole in itself"):
            self.assertIn(word, result.text)
        result = self.run_ok("verify", "--base", "moved", "third.tar", status=1, cwd=self.work)
        self.assertNotIn("old.tar", result.text)
        self.run_ok("restore", "--salvage", "--base", "moved", "third.tar", "out", status=1, cwd=self.work)
        self.assertEqual(sorted(os.listdir(self.path("out/tree"))), ["a", "b", "d"])

    def test_another_under_its_name(self):
        self.write("tree/d")
        self.run_ok("backup", "tree", "old.tar", cwd=self.work)
        self.refused(2, "restore", "new.tar", "out", word="another archive")
        self.refused(2, "restore", "--base", "new.tar", "new.tar", "out", word="another archive")

    def test_pipe(self):
        with open(self.path("new.tar"), "rb") as pipe:
            content = pipe.read()
        self.refused(3, "restore", "-", "out", word="incremental", input=content)
        self.refused(2, "verify", "-", word="incremental", input=content)

    def test_damaged_base(self):
        """A wrong byte in a content of the base is an error of the file that it is in; in a
        compressed base of all files in its frame."""
        for old, lost in (("old.tar", ["tree/a"]), ("old.tar.zst", ["tree/a", "tree/b"])):
            os.unlink(self.path("new.tar"))
            os.unlink(self.path("tree/c"))
            self.run_ok("backup", "tree", old, cwd=self.work)
            self.write("tree/c")
            self.run_ok("backup", "--base", old, "tree", "new.tar", cwd=self.work)
            with open(self.path(old), "r+b") as stream:
                stream.seek(20000)
                stream.write(b"X")
            for words in (["verify", "new.tar"], ["restore", "new.tar", "out " + old]):
                result = self.run_ok(words[0], "--json", *words[1:], status=1, cwd=self.work)
                errors = [o for o in result.objects() if o["type"] == "error"]
                self.assertEqual([o["path"] for o in errors], lost)
                for error in errors:
                    self.assertIn("damaged", error["reason"])
            kept = {"a", "b", "c"} - {os.path.basename(path) for path in lost}
            self.assertEqual(set(os.listdir(self.path("out " + old, "tree"))), kept)

    def test_false_base(self):
        """A base with the right index whose frames hold other bytes, with checksums that say so:
        only the hash of the content tells."""
        if not archive_index.has_hashes():
            self.skipTest("needs libxxhash")
        with open(self.path("tree/a"), "rb") as stream:
            wanted = stream.read()
        with open(self.path("old.tar"), "rb") as stream:
            content = stream.read()
        self.assertEqual(content.count(wanted), 1)
        content = content.replace(wanted, bytes(len(wanted)))
        with open(self.path("old.tar"), "wb") as stream:
            stream.write(archive_index.with_true_checksums(content))
        reason = "tree/a: read archive: its content in the archive is damaged: it is another one than was backed up"
        self.assertIn(reason, self.run_ok("verify", "new.tar", status=1, cwd=self.work).text)
        self.assertIn(reason, self.run_ok("restore", "new.tar", "out", status=1, cwd=self.work).text)
        self.assertFalse(os.path.exists(self.path("out/tree/a")))
        self.assertTrue(os.path.exists(self.path("out/tree/b")))

    def test_no_base(self):
        self.write("text", b"no archive\n")
        tool("tar", "-cf", self.path("plain.tar"), "-C", self.work, "tree")
        for base in ("text", "plain.tar", "nothing.tar", "tree"):
            self.refused(2, "backup", "--base", base, "tree", "new2.tar", word=base)
        self.refused(2, "backup", "--base", "old.tar", "tree", "old.tar", word="base itself")
        self.assertFalse(os.path.exists(self.path("new2.tar")))


if __name__ == "__main__":
    sys.exit(support.main())
