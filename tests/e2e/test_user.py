#!/usr/bin/env python3
"""As an ordinary user: what the system allows is exact, the rest is named."""

import os
import sys
import traceback

import support
from support import NOBODY, Case, needs_root
from trees.generate import Options, generate


def setUpModule():
    needs_root()


def generate_as_nobody(dest: str, seed: int) -> None:
    """Makes a random tree in a child process that has given up its rights."""
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            generate(dest, seed, Options(user=True))
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if status != 0:
        raise AssertionError(f"seed {seed}: the tree could not be made")


class OrdinaryUser(Case):
    """Runs the program as nobody in a folder of its own."""

    def setUp(self):
        super().setUp()
        os.chmod(self.work, 0o755)
        self.home = self.path("home")
        os.mkdir(self.home)
        os.chown(self.home, NOBODY, NOBODY)

    def as_nobody(self, *arguments, status: int = 0):
        return self.run_ok(*arguments, status=status, user=NOBODY)

    def test_own_trees(self):
        for seed in range(8):
            source = f"{self.home}/tree{seed}"
            generate_as_nobody(source, seed)
            with self.subTest(seed=seed):
                self.as_nobody("backup", source, f"{self.home}/{seed}.tar.zst")
                self.as_nobody("restore", f"{self.home}/{seed}.tar.zst", f"{self.home}/out")
                self.assert_equal_trees(source, f"{self.home}/out/tree{seed}")
                self.as_nobody("verify", source, f"{self.home}/out/tree{seed}")

    def test_a_tree_that_may_not_be_written(self):
        """As a mounted disc is: its copies get their markers all the same, and lose them."""
        source = f"{self.home}/tree"
        generate_as_nobody(source, 1)
        os.chmod(source, 0o555)
        for dest in ("dest", "dest"):
            self.as_nobody("mirror", source, f"{self.home}/{dest}")
            self.assert_equal_trees(source, f"{self.home}/{dest}")
        support.tool("cp", "-p", "/bin/true", source + "/more")
        os.chown(source + "/more", NOBODY, NOBODY)
        for _ in range(2):
            self.as_nobody("snapshot", source, f"{self.home}/store")
            self.assert_equal_trees(source, f"{self.home}/store/latest/")
        self.as_nobody("mirror", source, f"{self.home}/dest")
        self.assert_equal_trees(source, f"{self.home}/dest")

    def make_others_tree(self) -> str:
        """A tree of root with parts that nobody cannot read."""
        source = self.path("tree")
        self.write("tree/before", b"before\n")
        self.write("tree/secret file", b"secret\n")
        self.write("tree/secret folder/inside", b"secret\n")
        self.write("tree/zulu", b"after\n")
        os.link(self.path("tree/zulu"), self.path("tree/zulu too"))
        os.chmod(self.path("tree/secret file"), 0o600)
        os.chmod(self.path("tree/secret folder"), 0o700)
        return source

    def test_unreadable_entries(self):
        """They are named, the rest is there, and verify of the whole says what is missing."""
        source, archive = self.make_others_tree(), self.home + "/a.tar.zst"
        result = self.as_nobody("backup", source, archive, status=1)
        self.assertIn("secret file", result.text)
        self.assertIn("secret folder", result.text)
        restored = support.holdfast("restore", archive, self.home + "/out", user=NOBODY)
        self.assertEqual(restored.status, 1, str(restored))
        self.assertIn("secret f", restored.text)
        self.assertIn("the backup could not keep it exactly", restored.text)
        self.assertIn("; 2 with errors", result.text)
        self.assertIn("; 2 not exact", restored.text)
        for name in ("before", "zulu", "zulu too"):
            path = f"{self.home}/out/tree/{name}"
            self.assert_equal_trees(f"{source}/{name}", path, ignore=("owner", "group"))
        self.assert_same_file(self.home + "/out/tree/zulu", self.home + "/out/tree/zulu too")

    def test_what_could_not_be_read_is_not_called_equal(self):
        """Both sides hide the same file: nothing differs, and nothing is proven."""
        source = self.make_others_tree()
        result = self.as_nobody("verify", source, source, status=1)
        self.assertNotIn("equal:", result.text)
        self.assertIn("in what could be read", result.text)

    def test_owners_are_no_part_of_equality(self):
        self.write("tree/file")
        os.chown(self.write("tree/other"), 12345, 54321)
        archive = self.path("a.tar")
        self.run_ok("backup", self.path("tree"), archive)
        self.as_nobody("restore", archive, self.home + "/out")
        self.assert_equal_trees(self.path("tree"), self.home + "/out/tree", ignore=("owner", "group"))
        self.as_nobody("verify", archive, self.home + "/out/tree")

    def test_owners_on_demand(self):
        self.write("tree/file")
        archive = self.path("a.tar")
        self.run_ok("backup", self.path("tree"), archive)
        result = self.as_nobody("restore", "--owner", archive, self.home + "/out", status=1)
        self.assertIn("owner", result.text)

    def test_devices_are_named(self):
        self.write("tree/file")
        os.mknod(self.path("tree/null device"), 0o20666, os.makedev(1, 3))
        archive = self.path("a.tar")
        self.run_ok("backup", self.path("tree"), archive)
        result = self.as_nobody("restore", archive, self.home + "/out", status=1)
        self.assertIn("null device", result.text)
        self.assertTrue(os.path.exists(self.home + "/out/tree/file"))

    def test_unwritable_destination(self):
        self.write("tree/file")
        archive = self.path("a.tar")
        self.run_ok("backup", self.path("tree"), archive)
        result = support.holdfast("restore", archive, self.path("out"), user=NOBODY)
        self.assertIn(result.status, (2, 3), str(result))

    def test_setuid_is_never_lost_in_silence(self):
        os.chmod(self.write("tree/program"), 0o4755)
        archive = self.path("a.tar")
        self.run_ok("backup", self.path("tree"), archive)
        result = support.holdfast("restore", archive, self.home + "/out", user=NOBODY)
        mode = os.stat(self.home + "/out/tree/program").st_mode
        self.assertTrue(result.status == 1 or mode & 0o4000, str(result))


if __name__ == "__main__":
    sys.exit(support.main())
