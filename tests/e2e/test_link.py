#!/usr/bin/env python3
"""`holdfast link`: what mklink makes on Windows and ln here, on NTFS volumes and elsewhere."""

import os
import sys

import support
from ntfs_case import Ntfs
from oracle import ntfs as oracle
from support import Case, needs_root
from trees import ntfs as recipe


class Here(Case):
    """On a file system of this system."""

    def link(self, *arguments: str, status: int = 0) -> str:
        return self.run_ok("link", *arguments, status=status).text

    def test_symbolic(self):
        for n, target in enumerate(("a", "../nothing", "/etc", "C:\\x", "a/./b//c", "a\nb")):
            place = self.path(f"l{n}")
            self.link("--symbolic", target, place)
            self.assertEqual(os.readlink(place), target)

    def test_hard(self):
        recipe.write(self.path("a"), b"content")
        os.symlink("a", self.path("s"))
        self.assertIn(" = ", self.link("--hard", self.path("a"), self.path("b")))
        self.assertTrue(os.path.samefile(self.path("a"), self.path("b")))
        self.link("--hard", self.path("s"), self.path("t"))
        self.assertTrue(os.path.islink(self.path("t")))
        self.assertEqual(os.lstat(self.path("s")).st_ino, os.lstat(self.path("t")).st_ino)

    def test_nothing_is_replaced(self):
        recipe.write(self.path("a"), b"content")
        os.symlink("nowhere", self.path("dangling"))
        os.mkdir(self.path("folder"))
        for there in ("a", "dangling", "folder"):
            for way in ("--symbolic", "--hard"):
                text = self.link(way, self.path("a"), self.path(there), status=2)
                self.assertIn("exists already", text)
        self.assertEqual(os.readlink(self.path("dangling")), "nowhere")
        self.assertEqual(sorted(os.listdir(self.work)), ["a", "dangling", "folder"])

    def test_refusals_say_what_to_do(self):
        os.mkdir(self.path("folder"))
        for words, arguments in {
            "--symbolic makes a link": ("--junction", "C:\\x", self.path("j")),
            "has one name": ("--hard", self.path("folder"), self.path("h")),
            "No such file": ("--hard", self.path("nothing"), self.path("h")),
            "names a folder": ("--symbolic", "x", self.path("folder/")),
            "No such file or": ("--symbolic", "x", self.path("nothing/l")),
            "needs one of": ("x", self.path("l")),
            "one of --symbolic": ("--symbolic", "--hard", "x", self.path("l")),
            "exclude each other": ("--symbolic", "--dir", "--file", "x", self.path("l")),
            "go with --symbolic": ("--hard", "--dir", "x", self.path("l")),
            "needs a TARGET": ("--symbolic", "x"),
        }.items():
            self.assertIn(words, self.link(*arguments, status=2))
        self.assertEqual(os.listdir(self.work), ["folder"])

    def test_json(self):
        lines = self.run_ok("link", "--json", "--symbolic", "x", self.path("l")).objects()
        self.assertEqual([o["type"] for o in lines], ["header", "link", "summary"])
        self.assertEqual((lines[1]["target"], lines[1]["made"]), ("x", "symbolic link"))


class Volumes(Ntfs):
    """On an NTFS volume."""

    def setUp(self):
        needs_root()
        super().setUp()
        self.at = self.volume()
        os.mkdir(self.at.path + "/folder")
        recipe.write(self.at.path + "/file", b"content")
        recipe.make(self.at.path + "/jump", recipe.junction("\\??\\Q:\\x", "Q:\\x"), True)

    def link(self, *arguments: str, status: int = 0) -> str:
        return self.run_ok("link", *arguments, status=status).text

    def found(self, name: str) -> tuple:
        record = oracle.read_record(os.fsencode(f"{self.at.path}/{name}"))
        return record.kind, record.reparse

    def test_junction(self):
        self.link("--junction", "C:\\folder", self.at.path + "/j")
        self.link("--junction", "d:/Data/x", self.at.path + "/folder/k")
        self.link("--junction", recipe.VOLUME.replace("\\??\\", "\\\\?\\"), self.at.path + "/m")
        self.at.remount()
        self.assertEqual(self.found("j"), ("reparse folder", recipe.junction("\\??\\C:\\folder", "C:\\folder")))
        self.assertEqual(self.found("folder/k"),
                         ("reparse folder", recipe.junction("\\??\\d:\\Data\\x", "d:\\Data\\x")))
        self.assertEqual(self.found("m"), ("reparse folder", recipe.junction(recipe.VOLUME, "")))

    def test_flavours(self):
        for n, (flag, target, folder) in enumerate((
            (None, "folder", True), (None, "file", False), (None, "folder/../file", False),
            (None, ".\\folder", True), (None, "jump", True), (None, "nothing", False),
            (None, "C:\\folder", False), ("--dir", "nothing", True), ("--file", "folder", False),
            ("--dir", "C:\\folder", True), ("--dir", "\\folder", True), ("--dir", "//server/share/x", True),
        )):
            text = self.link("--symbolic", *([flag] if flag else []), target, f"{self.at.path}/s{n}")
            guessed = flag is None and target in ("nothing", "C:\\folder")
            self.assertEqual("cannot be seen from here" in text, guessed, text)
            self.at.remount()
            turned = target.replace("/", "\\")
            relative = turned[1] != ":" and not turned.startswith("\\\\")
            long = turned if relative else "\\??\\" + turned
            if turned.startswith("\\\\"):
                long = "\\??\\UNC" + turned[1:]
            self.assertEqual(self.found(f"s{n}"), ("reparse folder" if folder else "reparse file",
                                                   recipe.symlink(long, turned, relative)), target)

    def test_hard(self):
        self.link("--hard", self.at.path + "/file", self.at.path + "/folder/second")
        self.link("--symbolic", "file", self.at.path + "/l")
        self.link("--hard", self.at.path + "/l", self.at.path + "/l2")
        self.at.remount()
        names = oracle.snapshot(self.at.path)
        self.assertEqual(names["file"][1], ["file", "folder/second"])
        self.assertEqual(names["l"][1], ["l", "l2"])

    def test_refused(self):
        for words, arguments in {
            "has one name": ("--hard", self.at.path + "/jump", self.at.path + "/x"),
            "from a drive": ("--junction", "folder", self.at.path + "/x"),
            "cannot lead to a server": ("--junction", "\\\\s\\h", self.at.path + "/x"),
            "which Windows does not know": ("--symbolic", "/etc", self.at.path + "/x"),
            "a device of Windows": ("--symbolic", "file", self.at.path + "/CON"),
            "a character that Windows": ("--hard", self.at.path + "/file", self.at.path + "/a:b"),
            "current folder": ("--symbolic", "C:x", self.at.path + "/x"),
            "exists already": ("--junction", "C:\\x", self.at.path + "/jump"),
            "in case alone": ("--symbolic", "file", self.at.path + "/JUMP"),
            "differs from another": ("--hard", self.at.path + "/file", self.at.path + "/File"),
            "another file system": ("--hard", self.at.path + "/file", self.path("x")),
        }.items():
            self.assertIn(words, self.link(*arguments, status=2))
        for n in range(1023):
            os.link(self.at.path + "/file", f"{self.at.path}/folder/{n}")
        text = self.link("--hard", self.at.path + "/file", self.at.path + "/x", status=2)
        self.assertIn("1024 names", text)
        self.assertEqual(sorted(os.listdir(self.at.path)), ["file", "folder", "jump"])


if __name__ == "__main__":
    sys.exit(support.main())
