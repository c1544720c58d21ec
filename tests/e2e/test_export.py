#!/usr/bin/env python3
"""backup --format zip, 7z and cpio: what comes back is exact, or was named as lost; in our hands and
in those of other tools."""

import os
import subprocess
import sys

import support
from support import NOBODY, Case, holdfast, named, needs_root, place_of, tool
from trees.full import full_tree
from trees.maker import Maker
from trees.metadata import Metadata

PLACES = {}
FORMATS = ("zip", "7z", "cpio")
SECOND = 10**9

# Words of a loss, and the differences (kind, field) that it stands for.
LOSSES = {
    "its time is": {("metadata", "mtime")},
    "extended attributes": {("metadata", "xattr")},
    "its capabilities": {("metadata", "xattr security.capability")},
    "its ACL": {("metadata", "acl"), ("metadata", "default acl")},
    "its file flags": {("metadata", "flags")},
    "its owner and group": {("metadata", "owner"), ("metadata", "group")},
    "its setuid or setgid": {("metadata", "mode")},
    "its holes": {("holes", "")},
    "no longer one file": {("split", "")},
    "its name is decomposed": {("missing", "")},
    "left out": {("missing", "")},
}


def setUpModule():
    needs_root()
    support.mount_places(globals(), "ext4")


def told_losses(result) -> dict:
    """What a backup named as lost: path below the root to the reasons."""
    losses = {}
    for item in result.objects():
        if item["type"] in ("loss", "error"):
            below = named(item).partition(b"/")[2] or b"."
            losses.setdefault(below, []).append(item["reason"])
    return losses


def meant_by(reason: str) -> set:
    """The differences that a reason stands for; none for an unknown one."""
    return next((kinds for words, kinds in LOSSES.items() if reason.startswith(words)), set())


def matches(difference, meant: set) -> bool:
    field = difference.field or ""
    if (difference.kind, field) in meant:
        return True
    is_plain = field.startswith("xattr ") and field != "xattr security.capability"
    return is_plain and ("metadata", "xattr") in meant


def common_tree(dest: str) -> None:
    """What every format can hold, but for owners in 7z: whole even seconds after 1980, small owners,
    no further names."""
    maker = Maker(dest)
    for path in (b"sub", b"sub/deep", b"empty folder"):
        maker.folder(path)
    maker.file(b"file", b"a plain file\n" * 1000)
    maker.file(b"empty", b"")
    maker.file(b"with spaces", b"1")
    maker.file(b"caf\xc3\xa9", b"2")
    maker.file(b"sub/\xe4\xb8\xad\xe6\x96\x87", b"3")
    maker.file(b"n" * 200, b"4")
    maker.file(b"sub/deep/binary", bytes(range(256)) * 500)
    maker.symlink(b"link", b"sub/deep/binary", "relative")
    maker.symlink(b"sub/dangling", b"nowhere", "dangling")
    maker.symlink(b"sub/l\xc3\xa9", b"caf\xc3\xa9", "dangling")

    def choose(visit):
        moment = (1500000000 + 86400 * len(visit.path)) * SECOND
        return Metadata(mode=0o755, mtime_ns=moment)

    maker.dress(choose)


class Losses(Case):
    """The tree with every item: what does not come back was named, and what was named does not
    come back."""

    def check(self, form: str, exclude=()) -> None:
        source = os.path.join(place_of(PLACES, "ext4"), "tree")
        dest = os.path.join(place_of(PLACES, "ext4"), "restored")
        self.addCleanup(support.cleanup, source)
        self.addCleanup(support.cleanup, dest)
        full_tree(source)
        for name in exclude:
            os.unlink(os.path.join(source, name))
        archive = self.path("a." + form)
        told = told_losses(self.run_ok("backup", "--json", source, archive, status=1))
        self.run_ok("verify", archive)
        self.assertIn(holdfast("restore", archive, dest).status, (0, 1))
        differences = list(support.compare(support.snapshot(source), support.snapshot(dest + "/tree")))
        self.assert_no_lines(self.not_told(differences, told), "not told")
        self.assert_no_lines(self.not_lost(differences, told, form), "told, and not lost")

    def not_told(self, differences, told) -> list:
        """Differences without a loss that names them."""
        found = []
        for difference in differences:
            reasons = told.get(difference.path, [])
            if not any(matches(difference, meant_by(reason)) for reason in reasons):
                found.append(str(difference))
        return found

    def not_lost(self, differences, told, form) -> list:
        """Losses without a difference. A restore by root makes root the owner of all that has none,
        and takes a zip's setuid bits from others than root."""
        by_path = {}
        for difference in differences:
            by_path.setdefault(difference.path, []).append(difference)
        found = []
        for path, reasons in told.items():
            for reason in reasons:
                meant = meant_by(reason)
                if any(matches(one, meant) for one in by_path.get(path, [])):
                    continue
                if any(one.kind == "missing" for one in by_path.get(path, [])):
                    continue
                if form == "7z" and "its owner and group" in reason:
                    continue
                if form == "zip" and "its setuid or setgid" in reason:
                    continue
                found.append(f"{path!r}: {reason}")
        return found

    def test_zip(self):
        self.check("zip", ("sparse/huge", "sparse/huge end"))

    def test_7z(self):
        self.check("7z", ("sparse/huge", "sparse/huge end"))

    def test_cpio(self):
        self.check("cpio")

    def test_dry_run_tells_the_same(self):
        source = os.path.join(place_of(PLACES, "ext4"), "tree")
        self.addCleanup(support.cleanup, source)
        full_tree(source, deep=False)
        for name in ("sparse/huge", "sparse/huge end", "files/large"):
            os.unlink(os.path.join(source, name))
        for form in FORMATS:
            archive = self.path("a." + form)
            dry = told_losses(self.run_ok("backup", "--json", "-n", source, archive, status=1))
            self.assertFalse(os.path.exists(archive))
            self.assertEqual(dry, told_losses(self.run_ok("backup", "--json", source, archive, status=1)))


class Readers(Case):
    """A plain tree in the hands of other tools."""

    def check(self, form: str, command, no_times=()) -> None:
        """Extracts with `command`, in which ARCHIVE stands for the archive, in a folder. The tool
        does not restore times of the kinds `no_times`."""
        source, out = self.path("tree"), self.path("out")
        common_tree(source)
        if form == "cpio":
            os.link(source + "/file", source + "/sub/another name")
            os.link(source + "/file", source + "/zulu")
            os.utime(source, (1500000000, 1500000000))
            os.utime(source + "/sub", (1500000000, 1500000000))
        archive = self.path("a." + form)
        backed = holdfast("backup", source, archive)
        self.assertEqual(backed.status, 1 if form == "7z" else 0, str(backed))
        os.mkdir(out)
        words = [word.replace("ARCHIVE", archive) for word in command]
        result = tool(*words, cwd=out)
        self.assertEqual(result.status, 0, str(result))
        differences = []
        left = support.snapshot(source)
        for difference in support.compare(left, support.snapshot(out + "/tree")):
            if difference.field != "mtime" or left[difference.path].kind not in no_times:
                differences.append(str(difference))
        self.assert_no_lines(differences, f"{command}\n{result}")

    def test_holdfast_reads_each(self):
        source = self.path("tree")
        common_tree(source)
        self.write("tree/large", os.urandom(9 << 20))  # more than is read at once
        for name in ("tree/large", "tree"):
            os.utime(self.path(name), (1500000000, 1500000000))
        for form in FORMATS:
            archive = self.path("a." + form)
            self.assertEqual(holdfast("backup", source, archive).status, 1 if form == "7z" else 0)
            out = self.path("out " + form)
            self.run_ok("restore", archive, out)
            self.assert_equal_trees(source, out + "/tree")
            self.assert_verified(archive, source)
            names = holdfast("list", "-0", archive).out.split(b"\0")
            self.assertIn(b"tree/caf\xc3\xa9", names)

    def test_unzip(self):
        self.check("zip", ["unzip", "-q", "ARCHIVE"], ("symlink",))

    def test_7zip_of_zip(self):
        self.check("zip", ["7zz", "x", "-bd", "-snl", "ARCHIVE"])

    def test_bsdtar_of_zip(self):
        self.check("zip", ["bsdtar", "-xpf", "ARCHIVE"])

    def test_7zip_of_7z(self):
        self.check("7z", ["7zz", "x", "-bd", "-snl", "ARCHIVE"])

    def test_bsdtar_of_7z(self):
        self.check("7z", ["bsdtar", "-xpf", "ARCHIVE"])

    def test_cpio(self):
        self.check("cpio", ["cpio", "-idm", "--quiet", "-F", "ARCHIVE"], ("symlink", "directory"))

    def test_bsdcpio(self):
        self.check("cpio", ["bsdcpio", "-idm", "--quiet", "-F", "ARCHIVE"])

    def test_bsdtar_of_cpio(self):
        self.check("cpio", ["bsdtar", "-xpf", "ARCHIVE"])

    def test_7zip_of_cpio(self):
        self.check("cpio", ["7zz", "x", "-bd", "-snl", "ARCHIVE"])

    def test_tools_say_that_they_are_whole(self):
        common_tree(self.path("tree"))
        for form, command in (("zip", ["unzip", "-tqq"]), ("zip", ["7zz", "t"]), ("7z", ["7zz", "t"])):
            archive = self.path("a." + form)
            holdfast("backup", self.path("tree"), archive)
            result = tool(*command, archive)
            self.assertEqual(result.status, 0, str(result))


class Names(Case):
    """Names that one format or another has trouble with."""

    def check(self, form: str, paths, lost=()) -> None:
        """Backs a tree of files up whose content is their name. `lost` are not judged."""
        maker = Maker(self.path("tree"))
        for path in paths:
            maker.file(path, b"content of " + path)
        archive, out = self.path("a." + form), os.fsencode(self.path("out " + form))
        told = told_losses(holdfast("backup", "--json", self.path("tree"), archive))
        named_lost = {path for path, reasons in told.items() if any("name" in r for r in reasons)}
        self.assertEqual(named_lost, set(lost))
        self.run_ok("restore", archive, os.fsdecode(out))
        for path in set(paths) - set(lost):
            with open(out + b"/tree/" + path, "rb") as stream:
                self.assertEqual(stream.read(), b"content of " + path)
        self.assertEqual(len(os.listdir(out + b"/tree")), len(paths))

    BYTES = (b"\xff", b"a\xc3", b"\xed\xa0\x80", b"\xee\xbe\x80", b"\xee\xbf\xbf\xff", b"\xf0\x9f\x98\x80", b"a\\b")

    def test_any_bytes(self):
        for form in FORMATS:
            with self.subTest(form):
                self.check(form, self.BYTES)
                support.cleanup(self.path("tree"))

    def test_7zip_gives_any_bytes_back(self):
        maker = Maker(self.path("tree"))
        for path in self.BYTES:
            maker.file(path, b"x")
        for form in ("zip", "7z"):
            holdfast("backup", self.path("tree"), self.path("a." + form))
            out = self.path("out " + form)
            result = tool("7zz", "x", "-bd", "-o" + out, self.path("a." + form))
            self.assertEqual(result.status, 0, str(result))
            self.assertEqual(set(os.listdir(os.fsencode(out) + b"/tree")), set(self.BYTES), form)

    def test_decomposed(self):
        """Stored as it is; libarchive composes it where it reads Unicode."""
        name = b"cafe\xcc\x81"
        for form in FORMATS:
            with self.subTest(form):
                self.check(form, (name, b"other"), () if form == "cpio" else (name,))
                support.cleanup(self.path("tree"))

    def test_decomposed_in_the_hands_of_others(self):
        self.write("tree/cafe\u0301", b"x")
        for form, command in (("zip", ["unzip", "-q"]), ("zip", ["7zz", "x"]), ("7z", ["7zz", "x"])):
            holdfast("backup", self.path("tree"), self.path("a." + form))
            out = self.path("out " + "".join(command) + form)
            os.mkdir(out)
            self.assertEqual(tool(*command, self.path("a." + form), cwd=out).status, 0)
            self.assertEqual(os.listdir(os.fsencode(out) + b"/tree"), [b"cafe\xcc\x81"])

    def test_top_level_names_with_a_meaning(self):
        """The name that ends a cpio archive, and a backslash without a slash."""
        for name in ("TRAILER!!!", "back\\slash"):
            self.write(name, b"x")
            self.write("zz last", b"y")
            for form in FORMATS:
                out = self.path(f"out {form} {name}")
                holdfast("backup", self.path(name), self.path("zz last"), self.path("a." + form))
                self.run_ok("restore", self.path("a." + form), out)
                self.assertEqual(sorted(os.listdir(out)), sorted([name, "zz last"]))

    def test_targets_of_any_bytes(self):
        os.mkdir(self.path("tree"))
        targets = [b"\xff", b"cafe\xcc\x81", b"caf\xc3\xa9", bytes(range(1, 256)), b"t" * 4000]
        for number, target in enumerate(targets):
            os.symlink(target, os.fsencode(self.path("tree")) + b"/caf\xc3\xa9 %d" % number)
        for form in FORMATS:
            holdfast("backup", self.path("tree"), self.path("a." + form))
            self.run_ok("restore", self.path("a." + form), self.path("out " + form))
            for number, target in enumerate(targets):
                link = os.fsencode(self.path("out " + form)) + b"/tree/caf\xc3\xa9 %d" % number
                self.assertEqual(os.readlink(link), target, form)


class HardLinks(Case):
    """Names of one file: one file in cpio, a copy each in zip and 7z, which is said."""

    def setUp(self):
        super().setUp()
        self.write("tree/a", b"content of a")
        os.link(self.path("tree/a"), self.path("tree/b"))
        os.link(self.path("tree/a"), self.path("outside"))
        self.write("tree/c", b"other")
        self.write("tree/d", b"of one name in the tree")
        os.link(self.path("tree/d"), self.path("outside d"))
        for name in ("tree/a", "tree/c", "tree/d", "tree"):
            os.utime(self.path(name), (1500000000, 1500000000))

    def test_cpio(self):
        self.run_ok("backup", self.path("tree"), self.path("a.cpio"))
        self.run_ok("restore", self.path("a.cpio"), self.path("out"))
        self.assert_equal_trees(self.path("tree"), self.path("out/tree"))
        self.assert_same_file(self.path("out/tree/a"), self.path("out/tree/b"))

    def test_cpio_of_chosen_names(self):
        self.run_ok("backup", "--exclude", "/tree/a", self.path("tree"), self.path("a.cpio"))
        self.run_ok("restore", self.path("a.cpio"), self.path("out"))
        with open(self.path("out/tree/b"), "rb") as stream:
            self.assertEqual(stream.read(), b"content of a")

    def test_copies_are_told(self):
        for form in ("zip", "7z"):
            result = self.run_ok("backup", "--json", self.path("tree"), self.path("a." + form), status=1)
            (copy,) = [o for o in result.objects() if o.get("reason", "").startswith("no longer one file")]
            self.assertEqual((copy["path"], copy["other"]), ("tree/b", "tree/a"))
            self.run_ok("restore", self.path("a." + form), self.path("out " + form))
            for name in ("a", "b"):
                with open(self.path("out " + form, "tree", name), "rb") as stream:
                    self.assertEqual(stream.read(), b"content of a")
            self.assert_not_same_file(*(self.path("out " + form, "tree", name) for name in "ab"))

    def test_unreadable(self):
        """An ordinary user: what cannot be read is named, and no name of it is an empty file."""
        os.chmod(self.path("tree/a"), 0)
        os.chmod(self.work, 0o755)
        os.mkdir(self.path("to"))
        os.chown(self.path("to"), NOBODY, NOBODY)
        for form in FORMATS:
            archive = self.path("to", "a." + form)
            told = told_losses(self.run_ok("backup", "--json", self.path("tree"), archive, status=1, user=NOBODY))
            for name in (b"a", b"b"):
                self.assertTrue(any("denied" in reason for reason in told[name]), told)
            names = holdfast("list", "-0", archive).out.split(b"\0")
            self.assertEqual(sorted(names), [b"", b"tree", b"tree/c", b"tree/d"])

    def test_many_groups_of_many_names(self):
        maker = Maker(self.path("many"))
        for group in range(50):
            maker.file(b"f%02d-0" % group, b"content %d" % group)
            for number in range(1, 20):
                maker.link(b"f%02d-0" % group, b"f%02d-%d" % (group, number))
        for kind in (b"fifo", b"link"):
            maker.fifo(kind) if kind == b"fifo" else maker.symlink(kind, b"x", "dangling")
            maker.link(kind, kind + b" too")
        maker.dress(lambda visit: Metadata(mtime_ns=1500000000 * SECOND))
        self.run_ok("backup", self.path("many"), self.path("m.cpio"))
        self.run_ok("restore", self.path("m.cpio"), self.path("out"))
        self.assert_equal_trees(self.path("many"), self.path("out/many"))
        self.assert_verified(self.path("m.cpio"), self.path("many"))


class Promises(Case):
    """What holds for every archive, whatever its format."""

    def setUp(self):
        super().setUp()
        common_tree(self.path("tree"))

    def read(self, name: str) -> bytes:
        with open(self.path(name), "rb") as stream:
            return stream.read()

    def test_same_tree_same_bytes(self):
        for form in FORMATS:
            for name in ("one.", "two."):
                holdfast("backup", self.path("tree"), self.path(name + form))
            self.assertEqual(self.read("one." + form), self.read("two." + form), form)

    def test_pipe(self):
        """The same bytes; and read from one, too."""
        for form in FORMATS:
            holdfast("backup", self.path("tree"), self.path("a." + form))
            result = holdfast("backup", "--format", form, self.path("tree"), "-")
            self.assertEqual(result.out, self.read("a." + form), form)
            self.run_ok("restore", "-", self.path("out " + form), input=result.out)
            self.assert_equal_trees(self.path("tree"), self.path("out " + form, "tree"))

    def test_disk_full(self):
        """What stood under the name stands there still."""
        self.write("tree/random", os.urandom(2 << 20))
        with support.mounted("tmpfs", "1M") as place:
            for form in FORMATS:
                archive = os.path.join(place, "a." + form)
                holdfast("backup", self.path("tree/empty"), archive)
                with open(archive, "rb") as stream:
                    before = stream.read()
                self.run_ok("backup", self.path("tree"), archive, status=3)
                with open(archive, "rb") as stream:
                    self.assertEqual(stream.read(), before)
                self.assertEqual(os.listdir(place), ["a." + form])
                os.unlink(archive)

    def test_full_pipe(self):
        for form in FORMATS:
            with open("/dev/full", "wb") as full:
                run = subprocess.run(
                    [support.PROGRAM, "backup", "--format", form, self.path("tree"), "-"],
                    stdout=full, stderr=subprocess.PIPE, check=False,
                )  # fmt: skip
            self.assertEqual(run.returncode, 3, run.stderr)
            self.assertIn(b"No space left", run.stderr)

    def test_no_room_for_7z_to_compress_in(self):
        """(libarchive then forgets to free its list of files.)"""
        self.write("tree/random", os.urandom(2 << 20))
        with support.mounted("tmpfs", "1M") as place:
            environment = {**os.environ, "TMPDIR": place, "LSAN_OPTIONS": "detect_leaks=0"}
            result = self.run_ok("backup", self.path("tree"), self.path("a.7z"), status=3, env=environment)
            self.assertIn("No space left", result.text)
            self.assertFalse(os.path.exists(self.path("a.7z")))

    def test_verify_against_the_folder(self):
        for form in FORMATS:
            with self.subTest(form):
                archive = self.path("a." + form)
                holdfast("backup", self.path("tree"), archive)
                os.utime(self.path("tree/file"), ns=(0, os.stat(self.path("tree/file")).st_mtime_ns + 50))
                self.assert_verified(archive, self.path("tree"))
                self.write("tree/file", b"changed")
                found = self.verify_differences(archive, self.path("tree"))
                self.assertIn(("data", b"file", ""), found)
                support.cleanup(self.path("tree"))
                common_tree(self.path("tree"))

    def test_damage_is_found(self):
        for form in ("zip", "7z"):
            archive = self.path("a." + form)
            holdfast("backup", self.path("tree"), archive)
            content = bytearray(self.read("a." + form))
            content[len(content) // 2] ^= 0x10
            with open(archive, "wb") as stream:
                stream.write(content)
            self.assertEqual(holdfast("verify", archive).status, 1)

    def test_filters_and_roots(self):
        self.write("more/x")
        for form in FORMATS:
            archive = self.path("a." + form)
            holdfast("backup", "--exclude", "deep", "--as", "one", "--as", "two",
                     self.path("tree"), self.path("more"), archive)  # fmt: skip
            names = holdfast("list", "-0", archive).out.split(b"\0")
            self.assertIn(b"two/x", names)
            self.assertFalse([name for name in names if b"deep" in name], form)

    def test_verbose_and_summary(self):
        result = self.run_ok("backup", "-v", self.path("tree"), self.path("a.cpio"))
        self.assertIn("tree/link -> sub/deep/binary", result.text)
        self.assertIn("stored 14 entries", result.text)
        self.assertIn("no checksums", result.text)


class Options(Case):
    """What is refused, and what may be replaced."""

    def setUp(self):
        super().setUp()
        self.write("tree/file")

    def refused(self, *words: str) -> str:
        result = self.run_ok("backup", *words, status=2)
        return result.text

    def test_format_without_suffix(self):
        for form in FORMATS:
            archive = self.path("archive of " + form)
            self.assertIn("--format", self.refused(self.path("tree"), archive))
            self.assertIn(holdfast("backup", "--format", form, self.path("tree"), archive).status, (0, 1))
            self.run_ok("verify", archive)

    def test_unknown_format(self):
        text = self.refused("--format", "rar", self.path("tree"), self.path("a.rar"))
        self.assertIn("tar.zst, tar.gz, tar, zip, 7z or cpio", text)

    def test_base(self):
        self.run_ok("backup", self.path("tree"), self.path("old.tar"))
        for form in FORMATS:
            text = self.refused("--base", self.path("old.tar"), self.path("tree"), self.path("a." + form))
            self.assertIn("--base needs a tar archive", text)

    def test_level(self):
        self.assertIn("not compressed", self.refused("-l", "3", self.path("tree"), self.path("a.cpio")))
        self.write("tree/text", b"".join(b"line %d\n" % (i * i) for i in range(50000)))
        for form in ("zip", "7z"):
            self.assertIn("1 to 9", self.refused("-l", "10", self.path("tree"), self.path("a." + form)))
            sizes = []
            for level in ("1", "9"):
                holdfast("backup", "-l", level, "-j", "2", self.path("tree"), self.path("a." + form))
                sizes.append(os.path.getsize(self.path("a." + form)))
            self.assertLess(sizes[1], sizes[0])

    def test_existing_files(self):
        self.run_ok("backup", self.path("tree"), self.path("real.tar"))
        for form in FORMATS:
            archive = self.path("a." + form)
            self.write("a." + form, b"notes of mine, no archive")
            self.assertIn("no such archive", self.refused(self.path("tree"), archive))
            os.replace(self.path("real.tar"), archive)
            self.assertIn("no such archive", self.refused(self.path("tree"), archive))
            os.replace(archive, self.path("real.tar"))
            self.write("a." + form, b"")
            for _ in range(2):  # an empty file, then an archive of that kind
                self.assertIn(holdfast("backup", self.path("tree"), archive).status, (0, 1))
            self.run_ok("verify", archive)
        self.assertIn("no archive", self.refused("--format", "tar", self.path("tree"), self.path("a.zip")))


if __name__ == "__main__":
    sys.exit(support.main())
