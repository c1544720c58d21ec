#!/usr/bin/env python3
"""Links at the destination where the source has a folder: kept and named, or, with --keep-redirects,
used as the folders that they lead to. What comes there is held against the source; the link, and all
that lies elsewhere, has to stay what it was."""

import fcntl
import os
import signal
import subprocess
import sys
import time

import support
from ntfs_case import Ntfs
from oracle.oracle import snapshot
from support import PROGRAM, Case, holdfast, named, needs_root, place_of, tool
from trees import ntfs as recipe

PLACES = {}
CHANGED = ("created", "linked", "replaced", "updated", "deleted")
USED = "this link is used as the folder that it leads to"


def setUpModule():
    needs_root()
    support.mount_places(globals(), "ext4")


class Redirects(Case):
    """A tree whose folder `app` is a link in the copy, and leads to `elsewhere`."""

    def setUp(self):
        super().setUp()
        self.source, self.dest, self.target = self.path("source"), self.path("dest"), self.path("elsewhere")
        for name in ("app/a", "app/deep/b", "app/deep/er/c", "zone"):
            self.write("source/" + name, name.encode() * 20)
        os.link(self.source + "/app/a", self.source + "/linked")
        os.link(self.source + "/app/deep/b", self.source + "/app/again")
        os.symlink("deep/b", self.source + "/app/s")
        os.chmod(self.source + "/app", 0o751)
        for name in ("dest", "elsewhere"):
            os.mkdir(self.path(name))
        self.redirect("../elsewhere")

    def redirect(self, target: str, name: str = "app") -> None:
        """Has a name of the copy lead there."""
        if os.path.lexists(f"{self.dest}/{name}"):
            os.unlink(f"{self.dest}/{name}")
        os.symlink(target, f"{self.dest}/{name}")

    def mirror(self, *words, status: int = 0):
        """One run with the option, as objects."""
        return self.run_ok("mirror", "--json", "--keep-redirects", *words, self.source, self.dest,
                           status=status).objects()  # fmt: skip

    def assert_redirected(self, target: str, link: str = "../elsewhere") -> None:
        """The link stands, and behind it and around it is what the source has."""
        self.assertEqual(os.readlink(self.dest + "/app"), link)
        self.assert_equal_trees(self.source + "/app", target)
        want, have = snapshot(self.source), snapshot(self.dest)
        outside = [path for path in want if path != b"app" and not path.startswith(b"app/")]
        self.assertEqual([path for path in have if path != b"app"], outside)
        for path in outside:
            a, b = want[path], have[path]
            self.assertEqual((a.kind, a.mode, a.mtime_ns, a.data, a.target),
                             (b.kind, b.mode, b.mtime_ns, b.data, b.target), path)  # fmt: skip
        for place in (self.dest, target):
            self.assert_no_temporary_names(place)

    def assert_still(self, *words, status: int = 0) -> None:
        time.sleep(0.02)
        for more in ((), ("--dry-run",), ("--checksum",)):
            counts = self.mirror(*more, *words, status=status)[-1]
            self.assertEqual([counts[key] for key in CHANGED], [0] * 5, counts)

    def refused(self, *words, reason: str, path: bytes = b"source/app") -> None:
        """The link is named, nothing is done behind it, and nothing is deleted."""
        link, before = os.readlink(self.dest + "/app"), snapshot(self.target)
        told = [o for o in self.mirror("--delete", *words, status=1) if o["type"] == "error" and named(o) == path]
        self.assertEqual(len(told), 1)
        self.assertIn(reason, str(told[0]))
        self.assertEqual(os.readlink(self.dest + "/app"), link)
        self.assertEqual(snapshot(self.target), before)


class Mirrors(Redirects):
    """From a folder."""

    def test_without_the_option_it_is_kept_and_named(self):
        self.write("elsewhere/mine")
        before = snapshot(self.target)
        result = holdfast("mirror", self.source, self.dest)
        self.assertEqual(result.status, 1)
        self.assertIn("a link stands where a folder belongs", result.text)
        self.assertIn("--keep-redirects", result.text)
        self.assertEqual(snapshot(self.target), before)
        self.assertEqual(os.readlink(self.dest + "/app"), "../elsewhere")

    def test_used_as_a_folder(self):
        told = self.mirror()
        remarks = [o for o in told if o["type"] == "remark"]
        self.assertEqual([named(o) for o in remarks], [b"source/app"])
        self.assertIn(f"{USED}: {self.target}", str(remarks[0]))
        self.assert_redirected(self.target)
        self.assert_same_file(self.dest + "/linked", self.target + "/a")
        self.assert_still("--delete")

    def test_what_was_there_is_made_equal(self):
        self.write("elsewhere/a", b"another content")
        self.write("elsewhere/deep", b"a file")
        self.write("elsewhere/mine/file")
        self.write("dest/theirs")
        self.mirror()
        self.assertEqual(sorted(os.listdir(self.target)), ["a", "again", "deep", "mine", "s"])
        plan = [(o["action"], named(o)) for o in self.mirror("--delete", "--dry-run") if o["type"] == "change"]
        self.assertEqual(plan, [("delete", b"source/app/mine"), ("delete", b"source/theirs")])
        self.mirror("--delete")
        self.assert_redirected(self.target)
        self.assert_still("--delete")

    def test_deletes_are_counted_there_too(self):
        for number in range(5):
            self.write(f"elsewhere/mine/{number}")
        self.mirror("--delete", "--max-delete", "5", status=1)
        self.assertEqual(len(os.listdir(self.target + "/mine")), 5)
        self.mirror("--delete", "--max-delete", "6")
        self.assert_redirected(self.target)

    def test_what_is_left_out_stays_there_too(self):
        self.write("elsewhere/left.o")
        self.mirror("--delete", "--exclude", "*.o")
        self.assertTrue(os.path.exists(self.target + "/left.o"))
        self.mirror("--delete")
        self.assert_redirected(self.target)

    def test_links_that_the_source_has_are_no_redirects(self):
        os.symlink("app", self.source + "/link")
        os.symlink("../elsewhere", self.dest + "/link")
        os.symlink("../elsewhere", self.dest + "/zone")
        os.symlink("../elsewhere", self.dest + "/extra")
        self.mirror("--delete")
        self.assertEqual(os.readlink(self.dest + "/link"), "app")
        self.assertFalse(os.path.lexists(self.dest + "/extra"))
        self.assertFalse(os.path.islink(self.dest + "/zone"))
        self.assert_equal_trees(self.source + "/app", self.target)

    def test_chains_and_absolute_links(self):
        os.symlink("elsewhere", self.path("by"))
        for link in ("../by", self.path("by"), self.target + "/.", "../dest/../elsewhere"):
            with self.subTest(link=link):
                self.redirect(link)
                self.mirror("--delete")
                self.assert_redirected(self.target, link)

    def test_one_in_another(self):
        os.mkdir(self.path("third"))
        os.symlink(self.path("third"), self.target + "/deep")
        os.mkdir(self.path("fourth"))
        self.redirect("../fourth", "zone2")
        self.write("source/zone2/file")
        self.mirror("--delete")
        self.assertTrue(os.path.islink(self.target + "/deep"))
        self.assert_equal_trees(self.source + "/app/deep", self.path("third"))
        self.assert_equal_trees(self.source + "/zone2", self.path("fourth"))
        self.assert_same_file(self.target + "/again", self.path("third/b"))
        self.assert_still("--delete")

    def test_far_down_on_both_sides(self):
        """More folders than are held open at a time, above the link and below it."""
        above, below = "/u" * 60, "/d" * 120
        os.makedirs(self.source + above + "/app" + below)
        self.write("source" + above + "/app" + below + "/file")
        self.write("source" + above + "/app-behind")
        self.write("source/u/z")
        os.makedirs(self.dest + above)
        os.mkdir(self.path("other"))
        os.symlink(self.path("other"), self.dest + above + "/app")
        self.mirror("--delete")
        self.assertTrue(os.path.islink(self.dest + above + "/app"))
        self.assert_equal_trees(self.source + above + "/app", self.path("other"))
        self.assertTrue(os.path.exists(self.dest + above + "/app-behind"))
        self.assert_still("--delete")

    def test_no_more_than_16(self):
        for number in range(18):
            self.write(f"source/n{number:02}/file")
            os.mkdir(self.path(f"t{number:02}"))
            self.redirect(f"../t{number:02}", f"n{number:02}")
        errors = [o for o in self.mirror(status=1) if o["type"] == "error"]
        self.assertEqual([named(o) for o in errors], [b"source/n15", b"source/n16", b"source/n17"])
        self.assertEqual(os.listdir(self.path("t15")), [])
        self.assertEqual(os.listdir(self.path("t14")), ["file"])

    def test_on_another_file_system(self):
        self.target = os.path.join(place_of(PLACES, "ext4"), "elsewhere")
        os.mkdir(self.target)
        self.addCleanup(support.cleanup, self.target)
        self.redirect(self.target)
        losses = [o for o in self.mirror(status=1) if o["type"] == "loss"]
        self.assertEqual([named(o) for o in losses], [b"source/linked"])  # one file cannot be on both
        os.unlink(self.source + "/linked")
        self.mirror("--delete")
        self.assert_redirected(self.target, self.target)
        self.assert_still("--delete")

    def test_what_cannot_be_used(self):
        os.makedirs(self.dest + "/zone2/inner")
        self.write("source/zone2/inner/file")
        os.makedirs(self.path("dest2"))
        self.write("file")
        for link, reason in (
            ("../nowhere", "leads to no folder"),
            ("../file", "leads to no folder"),
            ("app", "leads to no folder"),
            ("../source", "a folder of the source"),
            ("../source/app/deep", "a folder of the source"),
            ("..", "a folder of the source"),
            (".", "into the destination"),
            ("zone2", "into the destination"),
            ("zone2/inner", "into the destination"),
        ):
            with self.subTest(link=link):
                self.redirect(link)
                self.refused(reason=reason)
        self.assert_equal_trees(self.source + "/zone2", self.dest + "/zone2")

    def test_what_is_in_an_older_copy(self):
        """Nothing there is ever changed."""
        self.run_ok("mirror", self.source, self.path("old"))
        self.write("old/app/only there")
        self.target = self.path("old")
        for link in ("../old/app", "../old"):
            self.redirect(link)
            self.refused("--link-dest", self.path("old"), reason="older copy")

    def test_what_holds_the_destination(self):
        os.makedirs(self.path("outer/dest"))
        self.dest = self.path("outer/dest")
        self.redirect(self.path("outer"))
        self.refused(reason="what holds it")
        self.redirect("..")
        self.refused(reason="what holds it")

    def test_one_place_behind_two_links(self):
        self.write("source/more/x")
        self.write("source/most/x")
        self.redirect("../elsewhere/deep", "more")
        self.redirect("../elsewhere", "most")
        os.mkdir(self.target + "/deep")
        errors = [o for o in self.mirror(status=1) if o["type"] == "error"]
        self.assertEqual([named(o) for o in errors], [b"source/more", b"source/most"])
        self.assert_equal_trees(self.source + "/app", self.target)

    def test_bind_mounts_are_seen_through(self):
        os.mkdir(self.path("bound"))
        tool("mount", "--bind", self.source, self.path("bound"))
        try:
            self.redirect("../bound/app")
            self.refused(reason="a folder of the source")
        finally:
            tool("umount", self.path("bound"))

    def test_another_run_is_there(self):
        folder = os.open(self.target, os.O_RDONLY)
        fcntl.flock(folder, fcntl.LOCK_EX)
        try:
            self.refused(reason="another run is writing")
        finally:
            os.close(folder)

    def test_a_folder_that_may_not_be_read(self):
        os.chmod(self.work, 0o755)
        for folder, _, files in os.walk(self.work):
            for name in ["", *files]:
                os.lchown(os.path.join(folder, name), support.NOBODY, support.NOBODY)
        os.lchown(self.dest + "/app", support.NOBODY, support.NOBODY)
        os.chown(self.target, 0, 0)
        os.chmod(self.target, 0o700)
        result = holdfast("mirror", "--keep-redirects", self.source, self.dest, user=support.NOBODY)
        self.assertEqual(result.status, 1, str(result))
        self.assertIn("cannot be opened", result.text)
        self.assertEqual(os.listdir(self.target), [])

    def test_an_immutable_folder_behind_it(self):
        tree = os.path.join(place_of(PLACES, "ext4"), "immutable")
        os.mkdir(tree)
        self.addCleanup(support.cleanup, tree)
        os.unlink(self.source + "/linked")
        self.redirect(tree)
        self.mirror()
        self.write("source/app/new")
        self.assertEqual(tool("chattr", "+i", tree).status, 0)
        self.mirror(status=1)
        self.assertFalse(os.path.exists(tree + "/new"))
        self.mirror("--clear-flags")
        self.assert_equal_trees(self.source + "/app", tree)

    def start(self, *words) -> subprocess.Popen:
        """A run that has begun to write behind the link."""
        for number in range(0 if os.path.exists(self.source + "/app/many") else 2000):
            self.write(f"source/app/many/{number}", b"x" * 5000)
        run = subprocess.Popen([PROGRAM, "mirror", "--keep-redirects", *words, self.source, self.dest],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
        while not os.path.exists(self.target + "/.holdfast-run") and run.poll() is None:
            time.sleep(0.0005)
        return run

    def test_the_link_is_exchanged_meanwhile(self):
        """What was opened is what is written to."""
        os.mkdir(self.path("canary"))
        run = self.start()
        self.redirect("../canary")
        self.assertEqual(run.wait(), 0)
        self.assertEqual(os.listdir(self.path("canary")), [])
        self.assert_redirected(self.target, "../canary")

    def test_killed_and_run_again(self):
        for wait in (0, 0.02, 0.1):
            with self.subTest(wait=wait):
                run = self.start("-j1")
                time.sleep(wait)
                run.send_signal(signal.SIGKILL)
                run.wait()
                self.mirror("--delete")
                self.assert_redirected(self.target)
                self.assert_still("--delete")
                for place in (self.target, self.dest):
                    holdfast("remove", *(os.path.join(place, name) for name in os.listdir(place) if name != "app"))

    def test_leftovers_are_swept_there(self):
        """Those of the run that the marker names, and no others."""
        self.mirror()
        self.write("elsewhere/.holdfast-run", b"holdfast run\nversion 1\nid 0123456789abcdef\n")
        self.write("elsewhere/deep/.holdfast-0123456789abcdef-1")
        self.write("elsewhere/deep/.holdfast-1123456789abcdef-1")
        self.mirror()
        self.assertEqual(sorted(os.listdir(self.target + "/deep")), [".holdfast-1123456789abcdef-1", "b", "er"])
        self.assertFalse(os.path.exists(self.target + "/.holdfast-run"))

    def test_no_name_is_followed_but_that_one(self):
        """Of all that opens or changes something, one call follows a link below the destination."""
        log = self.path("trace")
        sanitizer = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
        result = tool("strace", "-f", "-qq", "-o", log, "-e", "trace=openat,openat2", PROGRAM, "mirror",
                      "--keep-redirects", "-j1", self.source, self.dest,
                      env={**os.environ, "ASAN_OPTIONS": sanitizer})  # fmt: skip
        self.assertEqual(result.status, 0, str(result))
        with open(log, encoding="utf-8", errors="replace") as stream:
            lines = [line for line in stream.read().splitlines() if '"app"' in line]
        following = [line for line in lines if "O_NOFOLLOW" not in line and "openat2" not in line]
        self.assertEqual(len(following), 1, following)
        self.assert_redirected(self.target)


class Restores(Redirects):
    """From an archive."""

    def setUp(self):
        super().setUp()
        self.archive = self.path("a.tar.zst")
        self.run_ok("backup", self.source, self.archive)
        self.words = ("restore", "--keep-redirects", "--root", "source=" + self.dest, self.archive)

    def test_all_of_it(self):
        self.write("elsewhere/mine")
        self.run_ok(*self.words)
        self.assertTrue(os.path.exists(self.target + "/mine"))
        self.run_ok(*self.words, "--delete")
        self.assert_redirected(self.target)

    def test_one_path(self):
        before = os.stat(self.target)
        for piped in (False, True):
            with self.subTest(piped=piped):
                words = ["restore", "--keep-redirects", "-" if piped else self.archive, "source/app/deep", self.path("to")]
                os.makedirs(self.path("to/source"))
                os.symlink(self.target, self.path("to/source/app"))
                with open(self.archive, "rb") as stream:
                    self.run_ok(*words, **({"stdin": stream} if piped else {}))
                self.assert_equal_trees(self.source + "/app/deep", self.target + "/deep")
                self.assertEqual(os.listdir(self.target), ["deep"])
                self.assertEqual(os.stat(self.target).st_mode, before.st_mode)
                holdfast("remove", self.path("to"), self.target + "/deep")

    def test_a_root_that_is_a_link(self):
        """DEST/ROOT, where ROOT leads elsewhere."""
        os.mkdir(self.path("to"))
        os.symlink(self.target, self.path("to/source"))
        self.run_ok("restore", "--keep-redirects", self.archive, self.path("to"))
        self.assert_equal_trees(self.source, self.target)
        self.assertTrue(os.path.islink(self.path("to/source")))

    def test_what_is_kept_there(self):
        self.write("elsewhere/a", b"mine")
        self.run_ok(*self.words, "--keep-existing")
        with open(self.target + "/a", "rb") as stream:
            self.assertEqual(stream.read(), b"mine")
        self.assertTrue(os.path.exists(self.target + "/deep/er/c"))

    def test_another_place_of_the_run(self):
        """Also one that is not there yet."""
        self.run_ok("backup", self.source, self.path("source/app"), self.path("two.tar.zst"))
        os.mkdir(self.path("second"))
        self.write("second/x")
        self.run_ok("backup", self.source, self.path("second"), self.path("two.tar.zst"))
        for place in ("elsewhere/new", "elsewhere"):
            result = holdfast("restore", "--keep-redirects", "--root", "source=" + self.dest, "--root",
                              "second=" + self.path(place), self.path("two.tar.zst"))  # fmt: skip
            self.assertEqual(result.status, 1, str(result))
            self.assertIn("into the destination", result.text)
            self.assertFalse(os.path.exists(self.target + "/a"))

    def test_another_tools_archive_is_refused(self):
        """There a link might be one that the archive has just made."""
        tar = self.path("b.tar")
        tool("tar", "-C", self.work, "-cf", tar, "source")
        result = self.run_ok("restore", "--keep-redirects", tar, self.path("to"), status=2)
        self.assertIn("in no order", result.text)
        self.assertFalse(os.path.exists(self.path("to")))


class OnNtfs(Ntfs):
    """Junctions of a volume, where the words of the target and the drives decide."""

    def setUp(self):
        super().setUp()
        self.volume_path = self.volume().path
        self.dest, self.target = self.volume_path + "/dest", self.volume_path + "/elsewhere"
        for name in (self.dest, self.target):
            os.mkdir(name)
        self.source = self.volume().path + "/source"
        os.makedirs(self.source + "/app/deep")
        for name in ("app/a", "app/deep/b"):
            recipe.write(f"{self.source}/{name}", name.encode())
        os.link(self.source + "/app/a", self.source + "/app/again")
        self.words = ("mirror", "--keep-redirects", "--delete", self.source, self.dest)

    def junction(self, target: str, name: str = "app") -> None:
        recipe.make(f"{self.dest}/{name}", recipe.junction("\\??\\" + target, target), True)

    def contents(self, top: str) -> dict:
        found = {}
        for folder, _, names in os.walk(top):
            for name in names:
                path = os.path.join(folder, name)
                with open(path, "rb") as stream:
                    found[os.path.relpath(path, top)] = stream.read()
        return found

    def test_junction(self):
        self.junction("Q:\\Elsewhere")
        before = os.getxattr(self.dest + "/app", "system.ntfs_reparse_data", follow_symlinks=False)
        result = self.run_ok(*self.words, status=1)
        self.assertIn("--drive", result.text)
        self.assertEqual(os.listdir(self.target), [])
        self.run_ok(*self.words, "--drive", "Q:=" + self.volume_path)
        self.assertEqual(self.contents(self.target), self.contents(self.source + "/app"))
        self.assert_same_file(self.target + "/a", self.target + "/again")
        self.assertEqual(os.getxattr(self.dest + "/app", "system.ntfs_reparse_data", follow_symlinks=False), before)
        time.sleep(0.02)
        counts = self.run_ok(*self.words, "--json", "--drive", "Q:=" + self.volume_path).objects()[-1]
        self.assertEqual([counts[key] for key in CHANGED], [0] * 5, counts)

    def test_another_drive_is_another_place(self):
        """The driver would lead into this volume whatever the letter is."""
        os.mkdir(self.path("drive"))
        os.mkdir(self.path("drive/elsewhere"))
        self.junction("R:\\elsewhere")
        self.run_ok(*self.words, "--drive", "R:=" + self.path("drive"))
        self.assertEqual(os.listdir(self.target), [])
        self.assertEqual(self.contents(self.path("drive/elsewhere")), self.contents(self.source + "/app"))

    def test_relative_symbolic_link(self):
        recipe.make(self.dest + "/app", recipe.symlink("..\\elsewhere", "..\\elsewhere", True), True)
        self.run_ok(*self.words)
        self.assertEqual(self.contents(self.target), self.contents(self.source + "/app"))

    def test_names_that_windows_cannot_hold_behind_it(self):
        recipe.write(self.source + "/app/a:b", b"no name for Windows")
        self.dest = self.path("dest")
        os.mkdir(self.dest)
        os.symlink(self.target, self.dest + "/app")
        result = self.run_ok("mirror", "--keep-redirects", self.source, self.dest, status=1)
        self.assertIn("a:b", result.text)
        self.assertEqual(sorted(os.listdir(self.target)), ["a", "again", "deep"])
        time.sleep(0.02)
        counts = self.run_ok("mirror", "--keep-redirects", "--json", self.source, self.dest, status=1).objects()[-1]
        self.assertEqual([counts[key] for key in CHANGED], [0] * 5, counts)


if __name__ == "__main__":
    sys.exit(support.main())
