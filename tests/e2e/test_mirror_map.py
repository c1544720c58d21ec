#!/usr/bin/env python3
"""Mirrors whose links get other targets on the way: the copy has what the rules say and is else the
same, a further run does nothing, and verify with the same rules finds both equal. The links are
looked at with the system's own calls, on NTFS with the driver's."""

import os
import sys
import time

import support
from ntfs_case import Ntfs
from oracle import ntfs as oracle
from support import Case, holdfast, named
from trees import ntfs as recipe

CHANGED = ("created", "linked", "replaced", "updated", "deleted")


class Maps(Case):
    """What the tests here share."""

    def mirror(self, *arguments, status: int = 0) -> dict:
        """A run's last word."""
        result = self.run_ok("mirror", "--json", *arguments, status=status)
        return result.objects()[-1]

    def assert_still(self, *arguments) -> None:
        """A run that finds nothing to do, with its plan."""
        time.sleep(0.02)
        for more in ((), ("--dry-run",), ("--checksum", "--delete")):
            counts = self.mirror(*more, *arguments)
            self.assertEqual([counts[key] for key in CHANGED], [0] * 5, counts)

    def assert_verified_with(self, *arguments) -> None:
        self.assertIn("equal", self.run_ok("verify", *arguments).text)


class OnPosix(Maps):
    """Symbolic links of this system."""

    def setUp(self):
        super().setUp()
        self.source, self.dest = self.path("source"), self.path("dest")
        self.write("source/folder/file")
        self.write("source/other")
        self.write("data/there")
        os.mkdir(self.path("new"))
        for name, target in (
            ("absolute", self.source + "/folder"),
            ("deep/absolute", self.source + "/folder/file"),
            ("relative", "folder/file"),
            ("data", self.path("data/there")),
            ("data-too", self.path("database")),
            ("gone", self.path("data/gone")),
        ):
            os.makedirs(os.path.dirname(f"{self.source}/{name}"), exist_ok=True)
            os.symlink(target, f"{self.source}/{name}")
        os.link(self.source + "/data", self.source + "/data-again", follow_symlinks=False)

    def links(self, top: str) -> dict:
        """The targets of all links below."""
        return {os.path.relpath(os.path.join(folder, name), top): os.readlink(os.path.join(folder, name))
                for folder, folders, files in os.walk(top) for name in folders + files
                if os.path.islink(os.path.join(folder, name))}  # fmt: skip

    def test_rules(self):
        rule = f"{self.path('data')}={self.path('new')}"
        before = self.links(self.source)
        summary = self.mirror("--map", rule, self.source, self.dest)
        self.assertEqual(summary["mapped"], 3, summary)
        self.assertEqual(summary["not_mappable"], 0)
        want = dict(before, gone=self.path("new/gone"))
        want["data"] = want["data-again"] = self.path("new/there")
        self.assertEqual(self.links(self.dest), want)
        self.assertEqual(self.links(self.source), before)
        self.assert_same_file(self.dest + "/data", self.dest + "/data-again")
        self.assert_still("--map", rule, self.source, self.dest)
        self.assert_verified_with("--map", rule, self.source, self.dest)
        found = self.verify_differences(self.source, self.dest)
        self.assertEqual({(kind, path) for kind, path, _ in found}, {("target", b"data"), ("target", b"gone")})

    def test_without_rules_they_come_back(self):
        rule = f"{self.path('data')}={self.path('new')}"
        self.mirror("--map", rule, self.source, self.dest)
        counts = self.mirror(self.source, self.dest)
        self.assertNotIn("mapped", counts)
        self.assert_equal_trees(self.source, self.dest)

    def test_rules_from_a_file(self):
        rules = self.write("rules", b'{"from": "%s", "to": "/n=w"}\n' % os.fsencode(self.path("data")))
        self.mirror("--map-file", rules, self.source, self.dest)
        self.assertEqual(os.readlink(self.dest + "/data"), "/n=w/there")
        self.assert_still("--map-file", rules, self.source, self.dest)
        self.assert_verified_with("--map-file", rules, self.source, self.dest)

    def test_rebase(self):
        """By their real paths, whatever words name the two."""
        os.symlink("source", self.path("s"))
        os.mkdir(self.path("real"))
        os.symlink("real", self.path("d"))
        words = ("--rebase", self.path("s"), self.path("d") + "/below/dest/")
        self.mirror(*words)
        made = self.path("real/below/dest")
        links = self.links(made)
        self.assertEqual(links["absolute"], made + "/folder")
        self.assertEqual(links["deep/absolute"], made + "/folder/file")
        self.assertEqual(links["relative"], "folder/file")
        self.assertEqual(links["data"], self.path("data/there"))
        self.assert_still(*words)
        self.assert_verified_with(*words)
        found = self.verify_differences(self.source, made)
        self.assertEqual([path for _, path, _ in found], [b"absolute", b"deep/absolute"])

    def test_verify_rebase_needs_a_folder_last(self):
        archive = self.path("a.tar.zst")
        self.run_ok("backup", self.source, archive)
        result = self.run_ok("verify", "--rebase", self.source, archive, status=2)
        self.assertIn("--rebase", result.text)

    def test_the_table_of_a_dry_run(self):
        rule = f"{self.path('data')}={self.path('new')}"
        words = ("mirror", "--dry-run", "--map", rule, self.source, self.dest)
        told = {named(o): o for o in self.run_ok(*words, "--json").objects() if o["type"] == "target"}
        self.assertEqual(told[b"source/data"]["new"], self.path("new/there"))
        self.assertEqual(told[b"source/data"]["old"], self.path("data/there"))
        self.assertEqual({k.decode()[7:]: o["outcome"] for k, o in told.items()},
                         {"absolute": "kept outside", "deep/absolute": "kept outside", "relative": "inside",
                          "data": "mapped", "data-again": "mapped", "gone": "mapped",
                          "data-too": "dangling"})  # fmt: skip
        self.assertFalse(told[b"source/gone"]["exists"])
        text = self.run_ok(*words).text
        self.assertIn("link -> old target => new target", text)
        self.assertIn("source/data -> " + self.path("data/there") + " => " + self.path("new/there"), text)
        self.assertFalse(os.path.exists(self.dest))
        told = self.run_ok("mirror", "--dry-run", "--rebase", "--json", self.source, self.dest).objects()
        outcome = {named(o): (o["outcome"], o["exists"]) for o in told if o["type"] == "target"}
        self.assertEqual(outcome[b"source/absolute"], ("mapped", True))

    def test_left_out(self):
        """What filters leave out gets no new target, on either side."""
        rule = f"{self.path('data')}={self.path('new')}"
        self.mirror(self.source, self.dest)
        summary = self.mirror("--map", rule, "--exclude", "data*", self.source, self.dest)
        self.assertEqual(summary["mapped"], 1)
        self.assertEqual(os.readlink(self.dest + "/data"), self.path("data/there"))
        self.assertEqual(os.readlink(self.dest + "/gone"), self.path("new/gone"))

    def test_wrong_words(self):
        for words in (("--map", "nothing"), ("--map-file", self.path("missing")), ("--drive", "1:=/x")):
            self.run_ok("mirror", *words, self.source, self.dest, status=2)
        self.assertFalse(os.path.exists(self.dest))


class OnNtfs(Ntfs, Maps):
    """From one NTFS volume to another, and away from it."""

    def setUp(self):
        super().setUp()
        self.from_volume, self.to_volume = self.volume(), self.volume()
        self.source, self.dest = self.from_volume.path + "/tree", self.to_volume.path + "/tree"
        os.makedirs(self.source + "/folder")
        recipe.write(self.source + "/folder/file", b"content")
        for name, (old, _, folder) in self.cases().items():
            recipe.make(f"{self.source}/{name}", old, folder)
        recipe.make(self.source + "/elsewhere", recipe.junction("\\??\\E:\\x", "E:\\x"), True)
        self.from_volume.remount()
        self.rules = ("--map", "C:\\Users=D:\\People", "--map", "C:\\=D:\\")

    @staticmethod
    def cases() -> dict:
        """Buffers before and after, both names of each; and whether it stands for a folder."""
        nt = "\\??\\"
        return {
            "junction": (recipe.junction(nt + "C:\\Users\\ana", "C:\\Users\\ana"),
                         recipe.junction(nt + "D:\\People\\ana", "D:\\People\\ana"), True),
            "no-print-name": (recipe.junction(nt + "c:\\data", ""), recipe.junction(nt + "D:\\data", ""), True),
            "symlink": (recipe.symlink(nt + "C:\\Users", "C:\\Users", False),
                        recipe.symlink(nt + "D:\\People", "D:\\People", False), True),
            "file-symlink": (recipe.symlink(nt + "C:\\data\\f", "C:\\data\\f", False),
                             recipe.symlink(nt + "D:\\data\\f", "D:\\data\\f", False), False),
        }  # fmt: skip

    def raw(self, top: str) -> dict:
        return {name: oracle.get(os.fsencode(f"{top}/{name}"), "reparse_data") for name in os.listdir(top)}

    def test_both_names_are_rewritten(self):
        summary = self.mirror(*self.rules, self.source, self.dest)
        self.assertEqual(summary["mapped"], 4)
        self.to_volume.remount()
        made = self.raw(self.dest)
        for name, (_, new, _) in self.cases().items():
            self.assertEqual(made[name], new, name)
        self.assertEqual(made["elsewhere"], self.raw(self.source)["elsewhere"])
        self.assert_still(*self.rules, self.source, self.dest)
        self.assert_verified_with(*self.rules, self.source, self.dest)
        # All else is the same.
        lines = oracle.compare(oracle.snapshot(self.source), oracle.snapshot(self.dest))
        self.assertEqual({line.split(":")[0] for line in lines}, set(self.cases()), lines)
        self.assertTrue(all("reparse" in line for line in lines), lines)

    def test_rebase_by_drives(self):
        """Where the two volumes are drives, links of Windows are rebased, too."""
        recipe.make(self.source + "/own", recipe.junction("\\??\\Q:\\tree\\folder", "Q:\\tree\\folder"), True)
        words = ("--rebase", "--drive", f"Q:={self.from_volume.path}", "--drive", f"R:={self.to_volume.path}",
                 self.source, self.dest)  # fmt: skip
        told = {named(o): o for o in self.run_ok("mirror", "--dry-run", "--json", *words).objects()
                if o["type"] == "target"}  # fmt: skip
        self.assertEqual(told[b"tree/own"]["new"], "R:\\tree\\folder")
        self.assertTrue(told[b"tree/own"]["exists"])
        self.mirror(*words)
        self.to_volume.remount()
        self.assertEqual(self.raw(self.dest)["own"], recipe.junction("\\??\\R:\\tree\\folder", "R:\\tree\\folder"))
        self.assert_still(*words)
        self.assert_verified_with(*words)

    def test_they_become_links_of_this_system(self):
        rules = ("--map", "C:\\=/mnt/c", "--map", "E:\\=/mnt/e")
        dest = self.path("dest")
        result = holdfast("mirror", *rules, self.source, dest)
        self.assertEqual(result.status, 0, str(result))
        self.assertEqual(os.readlink(dest + "/junction"), "/mnt/c/Users/ana")
        self.assertEqual(os.readlink(dest + "/elsewhere"), "/mnt/e/x")
        self.assert_still(*rules, self.source, dest)
        self.assert_verified_with(*rules, self.source, dest)


if __name__ == "__main__":
    sys.exit(support.main())
