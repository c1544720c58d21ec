#!/usr/bin/env python3
"""Copies that share what is unchanged with older ones (mirror --link-dest): exact whatever was done to
links, and the older ones untouched.

HOLDFAST_MIXTURES random mixtures on each file system (2 if not set), seeds from HOLDFAST_SEED on
(drawn if not set, and printed). On some file systems a sample of the named changes is made, all of
them from 20 mixtures on.
"""

import os
import random

import support
from ntfs_case import Ntfs
from oracle.oracle import compare, snapshot
from sharing import Snapshots, past_the_grain, standing
from support import PROGRAM, holdfast, needs_root, place_of, tool
from trees.generate import Options, generate
from trees.maker import unprotect
from trees.mutate import mutate
from trees.relink import CHANGES, make_base, mix, settle_times

MIXTURES = int(os.environ.get("HOLDFAST_MIXTURES", "2"))
SEED = int(os.environ.get("HOLDFAST_SEED", random.randrange(10**6) * 1000))
KINDS = ("tmpfs", "ext4", "btrfs", "xfs")
PLACES = {}


def setUpModule():
    needs_root()
    support.mount_places(globals(), *KINDS)
    print(f"seeds {SEED} to {SEED + MIXTURES - 1}, on each file system", flush=True)


def sample() -> dict:
    """All named changes, or a quarter of them, as the seed has it."""
    if MIXTURES >= 20:
        return CHANGES
    return dict(item for at, item in enumerate(CHANGES.items()) if (at + SEED // 1000) % 4 == 0)


class Matrix(Snapshots):
    """Each named change to links between the older copy and the new one, and mixtures of them."""

    def change_source(self, name: str, source: str, old: str, dest: str) -> None:
        make_base(source)
        past_the_grain()
        self.mirror(source, old)
        past_the_grain()
        CHANGES[name](source)
        settle_times(source)
        self.assert_linked(source, old, dest, note=name)

    def change_old(self, name: str, source: str, old: str, dest: str) -> None:
        """The older copy is not what it was: its contents are compared."""
        make_base(source)
        past_the_grain()
        self.mirror(source, old)
        past_the_grain()
        CHANGES[name](old)
        settle_times(old)
        self.assert_linked(source, old, dest, "--checksum", note=name)

    def change_both(self, name: str, source: str, old: str, dest: str) -> None:
        """The copy itself begins as an older state, that shares files with the older copy."""
        make_base(source)
        past_the_grain()
        self.mirror(source, old)
        past_the_grain()
        self.mirror("--link-dest", old, source, dest)
        past_the_grain()
        CHANGES[name](source)
        settle_times(source)
        self.assert_linked(source, old, dest, "--delete", note=name)

    def test_source_tmpfs(self):
        self.each(place_of(PLACES, "tmpfs"), CHANGES, self.change_source)

    def test_source_ext4(self):
        self.each(place_of(PLACES, "ext4"), sample(), self.change_source)

    def test_source_btrfs(self):
        self.each(place_of(PLACES, "btrfs"), sample(), self.change_source)

    def test_source_xfs(self):
        self.each(place_of(PLACES, "xfs"), sample(), self.change_source)

    def test_old_tmpfs(self):
        self.each(place_of(PLACES, "tmpfs"), sample(), self.change_old)

    def test_both_tmpfs(self):
        self.each(place_of(PLACES, "tmpfs"), CHANGES, self.change_both)

    def test_both_ext4(self):
        self.each(place_of(PLACES, "ext4"), sample(), self.change_both)

    def mixture(self, seed: int, source: str, old: str, dest: str) -> None:
        make_base(source)
        past_the_grain()
        self.mirror(source, old)
        past_the_grain()
        mix(source, seed, 40)
        self.assert_linked(source, old, dest, note=f"seed {seed}")

    def random_trees(self, seed: int, source: str, old: str, dest: str) -> None:
        generate(source, seed, Options("small"))
        past_the_grain()
        self.mirror(source, old, note=f"seed {seed}")
        self.mirror("--link-dest", old, source, dest, note=f"seed {seed}")
        unprotect(os.fsencode(source))
        unprotect(os.fsencode(dest))
        past_the_grain()
        done = mutate(source, seed, 20) + mutate(dest, seed + 1, 20)
        note = f"seed {seed}: " + ", ".join(done)
        self.assert_linked(source, old, dest, "--delete", "--clear-flags", note=note)

    def seeds(self) -> range:
        return range(SEED, SEED + MIXTURES)

    def test_mixtures_tmpfs(self):
        self.each(place_of(PLACES, "tmpfs"), self.seeds(), self.mixture)

    def test_mixtures_ext4(self):
        self.each(place_of(PLACES, "ext4"), self.seeds(), self.mixture)

    def test_random_tmpfs(self):
        self.each(place_of(PLACES, "tmpfs"), self.seeds(), self.random_trees)

    def test_random_xfs(self):
        self.each(place_of(PLACES, "xfs"), self.seeds(), self.random_trees)


class Rules(Snapshots):
    """What becomes a further name of the older file, and what does not."""

    def setUp(self):
        self.place = place_of(PLACES, "ext4")
        super().setUp()
        self.source, self.old, self.dest = (self.path(name) for name in ("source", "old", "dest"))
        make_base(self.source)
        past_the_grain()
        self.mirror(self.source, self.old)
        past_the_grain()

    def link(self, *options, **more) -> dict:
        return self.assert_linked(self.source, self.old, self.dest, *options, **more)

    def shared(self, name: str) -> bool:
        """True if a name of the copy is one of the older copy's file."""
        return os.lstat(os.path.join(self.dest, name))[1] == os.lstat(os.path.join(self.old, name))[1]

    def test_unchanged_files_are_shared_and_all_else_is_new(self):
        counts = self.link()
        files = {os.lstat(os.path.join(folder, name)).st_ino for folder, _, names in os.walk(self.source)
                 for name in names if os.path.isfile(os.path.join(folder, name))
                 and not os.path.islink(os.path.join(folder, name))}  # fmt: skip
        self.assertEqual(counts["linked_to_older"], len(files))
        self.assertEqual(counts["bytes"], 0)
        for name in ("l/s1", "p/1", "k/link", "k"):
            self.assertFalse(self.shared(name), name)

    def test_every_difference_of_metadata_makes_a_copy(self):
        tool("setfattr", "-n", "user.a", "-v", "1", self.source + "/h/f")
        tool("setfacl", "-m", "u:9:r", self.source + "/h/g")
        os.chmod(self.source + "/h/h", 0o640)
        os.chown(self.source + "/k/file", 4, 5)
        tool("chattr", "+d", self.source + "/k/folder/x")
        os.utime(self.source + "/h/empty1", ns=(1, 1))
        self.link()
        for name in ("h/f", "h/g", "h/h", "k/file", "k/folder/x", "h/empty1"):
            self.assertFalse(self.shared(name), name)
        for name in ("h/empty2", "h/large", "k/folder/below/y"):
            self.assertTrue(self.shared(name), name)

    def rewrite(self, top: str, name: str) -> None:
        """Another content of the same size and time."""
        path = os.path.join(top, name)
        status = os.stat(path)
        with open(path, "r+b") as stream:
            stream.write(b"!")
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    def test_a_content_changed_behind_its_size_and_time_is_copied(self):
        self.rewrite(self.source, "h/f")
        self.rewrite(self.source, "g/a")
        self.link()
        self.assertFalse(self.shared("h/f"))
        self.assertFalse(self.shared("g/a"))
        self.assertTrue(self.shared("h/g"))

    def test_what_was_only_touched_is_read_and_shared(self):
        os.chmod(self.source + "/h/f", 0o600)
        os.chmod(self.source + "/h/f", os.stat(self.old + "/h/f").st_mode & 0o7777)
        self.link()
        self.assertTrue(self.shared("h/f"))

    def test_checksum_finds_an_older_copy_that_was_written_to(self):
        self.rewrite(self.old, "h/f")
        past_the_grain()
        self.link("--checksum")
        self.assertFalse(self.shared("h/f"))

    def test_the_first_older_copy_that_has_it_counts(self):
        self.mirror(self.source, self.path("older"))
        past_the_grain()
        self.rewrite(self.old, "h/f")
        os.unlink(self.old + "/h/g")
        before = standing(self.path("older"))
        past_the_grain()
        self.mirror("--checksum", "--link-dest", self.old, "--link-dest", self.path("older"),
                    self.source, self.dest)  # fmt: skip
        self.assert_exact(self.source, self.dest)
        for name, shared in (("h/f", "older"), ("h/g", "older"), ("h/h", "old")):
            self.assert_same_file(self.path(shared, name), self.path("dest", name))
        self.assertEqual(standing(self.path("older")), before)

    def test_what_stands_and_differs_gives_way_to_the_older_file(self):
        self.write("dest/h/f", b"another\n")
        os.makedirs(self.dest + "/h/g")
        self.link("--delete")
        self.assertTrue(self.shared("h/f"))
        self.assertTrue(self.shared("h/g"))

    def test_a_group_that_got_a_new_first_name_takes_no_room(self):
        """The file is made for the names that come before the one that the older copy has."""
        os.link(self.source + "/g/d", self.source + "/a first name")
        os.link(self.source + "/g/d", self.source + "/g/another name")
        os.link(self.source + "/n/deep/z1", self.source + "/g/one before z1")
        self.write("source/a new file", b"n" * 300)
        os.link(self.source + "/a new file", self.source + "/g/its name")
        os.utime(self.source + "/g", ns=(7, 7))
        self.link()
        for name in ("g/d", "m/z2", "g/a"):
            self.assertTrue(self.shared(name), name)
        planned = holdfast("mirror", "--dry-run", "--json", "--link-dest", self.old, self.source, self.path("plan"))
        self.assertEqual(planned.status, 0, str(planned))

    def test_a_file_that_the_source_has_itself_is_no_copy_of_it(self):
        tool("rm", "-r", self.old)
        tool("cp", "-al", self.source, self.old)
        past_the_grain()
        self.mirror("--link-dest", self.old, self.source, self.dest)
        self.assert_exact(self.source, self.dest)
        self.assert_not_same_file(self.source + "/h/f", self.dest + "/h/f")

    def test_immutable_files_are_copied(self):
        self.write("source/stuck")
        tool("chattr", "+i", self.source + "/stuck")
        self.addCleanup(unprotect, os.fsencode(self.work))
        past_the_grain()
        self.mirror(self.source, self.old)
        past_the_grain()
        result = holdfast("mirror", "--link-dest", self.old, self.source, self.dest)
        self.assertEqual(result.status, 0, str(result))
        self.assertIn("takes no further name", result.text)
        self.assert_exact(self.source, self.dest)

    def test_links_on_the_way_are_not_walked_through(self):
        """In OLD a folder became a link to one that has the same files."""
        os.rename(self.old + "/h", self.path("elsewhere"))
        os.symlink("../elsewhere", self.old + "/h")
        past_the_grain()
        self.mirror("--link-dest", self.old, self.source, self.dest)
        self.assert_exact(self.source, self.dest)
        self.assertEqual(os.lstat(self.path("elsewhere/f")).st_nlink, 1)

    def test_what_a_dead_run_left_is_read(self):
        """An older copy whose run was cut off may have sizes and times over other contents."""
        self.rewrite(self.old, "h/f")
        marker = self.write("old/.holdfast-run", b"holdfast run\nversion 1\nid 0123456789abcdef\n")
        os.utime(marker, ns=(1, 1))
        past_the_grain()
        self.mirror("--link-dest", self.old, self.source, self.dest)
        self.assert_exact(self.source, self.dest)
        self.assertFalse(self.shared("h/f"))

    def test_dry_run_tells_what_a_run_does(self):
        CHANGES["a group rewritten"](self.source)
        os.unlink(self.old + "/h/g")
        options = ("--json", "--link-dest", self.old, self.source, self.dest)
        planned = holdfast("mirror", "--dry-run", *options)
        self.assertFalse(os.path.exists(self.dest))
        done = holdfast("mirror", "-v", *options)
        changes = [sorted((item["action"], item["path"]) for item in run.objects() if item["type"] == "change")
                   for run in (planned, done)]  # fmt: skip
        self.assertEqual(*changes)
        self.assertIn(("link-old", "source/h/f"), changes[0])
        summaries = [run.objects()[-1] for run in (planned, done)]
        self.assertEqual(summaries[0]["linked_to_older"], summaries[1]["linked_to_older"])

    def test_places_that_cannot_be(self):
        os.symlink("dest", self.path("link"))
        os.makedirs(self.dest + "/below")
        other = place_of(PLACES, "tmpfs")
        for older, words in ((self.source, "same folder"), (self.source + "/g", "same folder"),
                             (self.dest, "same folder"), (self.path("link"), "same folder"),
                             (self.dest + "/below", "same folder"), (self.work, "same folder"),
                             (other, "different file systems"), (self.path("not there"), "No such file"),
                             (self.old + "/h/f", "Not a directory")):  # fmt: skip
            with self.subTest(older=older):
                result = holdfast("mirror", "--link-dest", older, self.source, self.dest)
                self.assertEqual(result.status, 2, str(result))
                self.assertIn(words, result.text)
        for one, other in ((self.old, self.old), (self.old, self.old + "/h"), (self.old + "/h", self.old)):
            result = holdfast("mirror", "--link-dest", one, "--link-dest", other, self.source, self.dest)
            self.assertEqual(result.status, 2, str(result))
            self.assertIn("same folder", result.text)
        for number in range(21):
            os.mkdir(self.path(f"older{number}"))
        many = [word for n in range(21) for word in ("--link-dest", self.path(f"older{n}"))]
        self.assertIn("20 times", self.run_ok("mirror", *many, self.source, self.dest, status=2).text)

    def test_a_relative_place_is_relative_to_the_current_folder(self):
        self.run_ok("mirror", "--link-dest", "old", "source", "dest", cwd=self.work)
        self.assertTrue(self.shared("h/f"))

    def test_few_handles_are_enough(self):
        """Twenty older copies of a deep tree, of which the last alone has the files."""
        deep = os.path.join(self.source, *["d"] * 70)
        os.makedirs(deep)
        for number in range(50):
            self.write(os.path.join(deep, str(number)))
        past_the_grain()
        self.mirror(self.source, self.old)
        older = []
        for number in range(19):
            os.makedirs(self.path(f"older{number}", *["d"] * 70))
            older += ["--link-dest", self.path(f"older{number}")]
        past_the_grain()
        command = ["sh", "-c", 'ulimit -n 256; exec "$@"', "-", PROGRAM, "mirror", "--json", *older,
                   "--link-dest", self.old, self.source, self.dest]  # fmt: skip
        result = tool(*command)
        self.assertEqual(result.status, 0, str(result))
        self.assertEqual(result.objects()[-1]["bytes"], 0, str(result))
        self.assert_exact(self.source, self.dest)


class Users(Snapshots):
    """An ordinary user."""

    def test_an_ordinary_user_s_group_in_a_folder_that_may_not_be_written(self):
        os.chmod(self.work, 0o755)
        self.source, self.old, self.dest = (self.path(name) for name in ("source", "old", "dest"))
        self.write("source/a folder/first")
        os.link(self.source + "/a folder/first", self.source + "/z")
        for folder, folders, names in os.walk(self.work):
            for name in ["", *folders, *names]:
                os.chown(os.path.join(folder, name), support.NOBODY, support.NOBODY, follow_symlinks=False)
        past_the_grain()
        os.rename(self.source + "/a folder", self.path("away"))
        self.run_ok("mirror", "--delete", self.source, self.old, user=support.NOBODY)
        os.rename(self.path("away"), self.source + "/a folder")
        os.chmod(self.source + "/a folder", 0o555)
        past_the_grain()
        self.run_ok("mirror", "--link-dest", self.old, self.source, self.dest, user=support.NOBODY)
        self.assert_exact(self.source, self.dest)
        self.assert_same_file(self.old + "/z", self.dest + "/a folder/first")


class Limits(Snapshots):
    """A file that takes no more names."""

    def test_ext4(self):
        self.place = place_of(PLACES, "ext4")
        self.setUp()
        source, old, dest = (self.path(name) for name in ("source", "old", "dest"))
        self.write("source/full")
        os.link(source + "/full", source + "/full too")
        self.write("source/other")
        past_the_grain()
        self.mirror(source, old)
        os.mkdir(self.path("names"))
        for number in range(65000 - 2):
            os.link(old + "/full", self.path("names", str(number)))
        before = standing(old)
        past_the_grain()
        result = holdfast("mirror", "--link-dest", old, source, dest)
        self.assertEqual(result.status, 1, str(result))
        self.assertIn("link limit", result.text)
        self.assert_exact(source, dest)
        self.assert_same_file(old + "/other", dest + "/other")
        self.assertEqual(standing(old), before)
        past_the_grain()
        self.assertEqual(self.mirror("--link-dest", old, source, dest)["created"], 0)


class OnNtfs(Ntfs):
    """NTFS through ntfs-3g."""

    def setUp(self):
        super().setUp()
        self.top = self.volume().path
        self.source, self.old, self.dest = (os.path.join(self.top, name) for name in ("source", "old", "dest"))
        os.makedirs(self.source + "/folder")
        for name in ("a", "b", "folder/c"):
            with open(os.path.join(self.source, name), "w", encoding="ascii") as stream:
                stream.write(name)
        os.link(self.source + "/a", self.source + "/folder/a too")
        past_the_grain()

    def run_ok(self, *arguments, status: int = 0):
        result = holdfast(*arguments)
        self.assertEqual(result.status, status, str(result))
        return result

    def test_names_are_shared_up_to_1024(self):
        self.run_ok("mirror", self.source, self.old)
        os.mkdir(self.top + "/names")
        for number in range(1022):
            os.link(self.old + "/a", f"{self.top}/names/{number}")
        past_the_grain()
        result = self.run_ok("mirror", "--link-dest", self.old, self.source, self.dest, status=1)
        self.assertIn("link limit", result.text)
        self.assert_same_on_ntfs(self.source, self.dest)
        for name in ("b", "folder/c"):
            self.assert_same_file(os.path.join(self.old, name), os.path.join(self.dest, name))
        self.assert_same_file(self.dest + "/a", self.dest + "/folder/a too")


if __name__ == "__main__":
    support.main()
