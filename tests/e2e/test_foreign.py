#!/usr/bin/env python3
"""Other tools' archives in our hands: every tar dialect exactly, cpio, zip and 7z as far as the
formats go."""

import grp
import os
import pwd
import sys

import support
from rawtar import END, folder, member
from support import Case, holdfast, named, needs_root, tool
from trees.maker import Maker
from trees.metadata import GROUP_OBJ, MASK, NOBODY, OTHER, USER, USER_OBJ, Metadata

SECOND = 10**9
NO_LINKS = ("split",)
NO_OWNERS = ("owner", "group")


def setUpModule():
    needs_root()


def plain_tree(dest: str) -> None:
    """What every format can hold: short ASCII names, whole even seconds after 1980, small owners,
    hard links of files, symlinks."""
    maker = Maker(dest)
    _plain_content(maker)
    maker.dress(lambda visit: _plain_metadata(visit.path))


def _plain_content(maker: Maker) -> None:
    maker.folder(b"sub")
    maker.folder(b"sub/deep")
    maker.folder(b"empty folder")
    maker.file(b"file", b"a plain file\n" * 100)
    maker.file(b"sub/nothing", b"")
    maker.file(b"sub/deep/binary", bytes(range(256)) * 500)
    maker.link(b"file", b"sub/same as file")
    maker.link(b"file", b"zulu")
    maker.symlink(b"link", b"sub/deep/binary", "relative")
    maker.symlink(b"sub/dangling", b"../../nowhere", "dangling")
    maker.symlink(b"sub/absolute", b"/etc/passwd", "absolute")


def _plain_metadata(path: bytes) -> Metadata:
    moment = (1500000000 + 86400 * len(path)) * SECOND
    mode = 0o640 + len(path) % 2 * 0o111
    return Metadata(uid=1000 + len(path), gid=100, mode=mode, mtime_ns=moment)


def rich_tree(dest: str) -> None:
    """What pax headers can hold, too: long and odd names, large numbers, ns, xattrs, ACLs."""
    maker = Maker(dest)
    _plain_content(maker)
    maker.file(b"n" * 255, b"long name")
    maker.folder(b"f" * 200)
    maker.file(b"f" * 200 + b"/" + b"g" * 200, b"long path")
    maker.symlink(b"long link", b"t/" * 1000, "of 2000 bytes")
    maker.file(b"caf\xc3\xa9", b"NFC")
    maker.file(b"cafe\xcc\x81", b"NFD")
    maker.file(b"bytes \xff\xfe", b"not UTF-8")
    maker.file(b"new\nline", b"odd")
    maker.fifo(b"fifo")
    maker.device(b"device", 0o020000, 1, 3)
    maker.file(b"attributes", b"with attributes")
    special = {
        b"attributes": Metadata(
            xattrs={b"user.plain": b"v\0w\n", b"user.a=b %": b"", b"trusted.t": b"x"},
            acl=[(USER_OBJ, 6, NOBODY), (USER, 4, 1234), (GROUP_OBJ, 4, NOBODY),
                 (MASK, 4, NOBODY), (OTHER, 0, NOBODY)],
        ),
        b"file": Metadata(uid=3000000, gid=2**31, mtime_ns=-1250000000),
        b"sub/nothing": Metadata(mode=0o6755, mtime_ns=2**33 * SECOND + 5),
    }  # fmt: skip

    def choose(visit):
        result = special.get(visit.path) or _plain_metadata(visit.path)
        if result.mtime_ns is None or visit.path not in special:
            result.mtime_ns = (1500000000 + len(visit.path)) * SECOND + 123456789
        return result

    maker.dress(choose)


def sparse_tree(dest: str) -> None:
    """Files with holes, of whole seconds."""
    maker = Maker(dest)
    block = b"data" * 16384
    mib = 1 << 20
    maker.sparse(b"start", mib, [(mib - 65536, block)], "hole at start")
    maker.sparse(b"middle", mib, [(0, block), (mib - 65536, block)], "hole in middle")
    maker.sparse(b"end", mib + 100, [(0, block)], "hole at end")
    maker.sparse(b"all", mib, [], "all hole")
    maker.sparse(b"many", 40 * 131072, [(n * 131072, block) for n in range(40)], "40 holes")
    maker.sparse(b"huge", 9 << 30, [(8 << 30, block)], "9 GiB apparent")
    maker.dress(lambda visit: _plain_metadata(visit.path))


class Foreign(Case):
    """Each test packs a tree with another tool, restores it with ours, and judges."""

    def check(self, make, command, suffix: str, ignore=(), statuses=(0,)) -> None:
        """Packs with `command`, in which ARCHIVE stands for the archive's path; the tree's name
        `tree` is its last argument and its folder the working folder."""
        note = " ".join(command)
        with self.subTest(note):
            source, out = self.path("tree"), self.path("out")
            support.cleanup(source)
            support.cleanup(out)
            make(source)
            archive = self.path("a" + suffix)
            if os.path.exists(archive):
                os.unlink(archive)
            words = [word.replace("ARCHIVE", archive) for word in command]
            packed = tool(*words, "tree", cwd=self.work)
            self.assertTrue(os.path.exists(archive), str(packed))
            result = holdfast("restore", archive, out)
            self.assertIn(result.status, statuses, str(result))
            self.assert_equal_trees(source, out + "/tree", ignore, note=f"{note}\n{result.text}")

    def test_gnu_tar_posix(self):
        attributes = ["--acls", "--xattrs", "--xattrs-include=*"]
        for more in ([], ["--numeric-owner"]):
            command = ["tar", "--format=posix", *attributes, *more, "-cf", "ARCHIVE"]
            self.check(rich_tree, command, ".tar")

    def test_gnu_tar_gnu(self):
        command = ["tar", "--format=gnu", "-cf", "ARCHIVE"]
        self.check(plain_tree, command, ".tar")
        self.check(rich_tree, command, ".tar", ignore=("mtime", "xattr", "acl", "mode"))

    def test_gnu_tar_old_formats(self):
        for form in ("v7", "ustar", "oldgnu"):
            self.check(plain_tree, ["tar", f"--format={form}", "-cf", "ARCHIVE"], ".tar")

    def test_gnu_tar_sparse(self):
        forms = [["--format=gnu"], ["--format=oldgnu"]]
        forms += [["--format=posix", f"--sparse-version={v}"] for v in ("0.0", "0.1", "1.0")]
        for form in forms:
            self.check(sparse_tree, ["tar", *form, "-S", "-cf", "ARCHIVE"], ".tar")

    def test_compressions(self):
        kinds = {"--gzip": ".gz", "--zstd": ".zst", "--xz": ".xz", "--bzip2": ".bz2"}
        for option, suffix in kinds.items():
            command = ["tar", option, "--format=posix", "-cf", "ARCHIVE"]
            self.check(plain_tree, command, ".tar" + suffix)

    def test_bsdtar_tars(self):
        command = ["bsdtar", "--acls", "--xattrs", "--format", "pax", "-cf", "ARCHIVE"]
        # libarchive writes times before 1970 wrong (-1.25 s as -2.75): the file's own is not judged.
        self.check(rich_tree, command, ".tar", ignore=("mtime",))
        for form in ("pax", "gnutar", "ustar"):
            self.check(plain_tree, ["bsdtar", "--format", form, "-cf", "ARCHIVE"], ".tar")

    def test_bsdtar_sparse(self):
        command = ["bsdtar", "--read-sparse", "--format", "pax", "-cf", "ARCHIVE"]
        self.check(sparse_tree, command, ".tar")

    def test_cpio(self):
        for form in ("newc", "odc"):
            command = ["bsdtar", "--format", form, "-cf", "ARCHIVE"]
            self.check(plain_tree, command, ".cpio", statuses=(0, 1))

    def test_zip(self):
        ignore = (*NO_LINKS, *NO_OWNERS)
        command = ["bsdtar", "--format", "zip", "-cf", "ARCHIVE"]
        self.check(plain_tree, command, ".zip", ignore, statuses=(0, 1))

    def test_7z(self):
        ignore = (*NO_LINKS, *NO_OWNERS)
        command = ["bsdtar", "--format", "7zip", "-cf", "ARCHIVE"]
        self.check(plain_tree, command, ".7z", ignore, statuses=(0, 1))

    def test_7zip_program(self):
        ignore = (*NO_LINKS, *NO_OWNERS, "mode", "mtime")
        for form in ("7z", "zip"):
            command = ["7zz", "a", "-bd", "-snl", f"-t{form}", "ARCHIVE"]
            self.check(plain_tree, command, "." + form, ignore, statuses=(0, 1))

    def test_pipe(self):
        plain_tree(self.path("tree"))
        packed = tool("tar", "--format=gnu", "-cf", "-", "tree", cwd=self.work)
        self.run_ok("restore", "-", self.path("out"), input=packed.out)
        self.assert_equal_trees(self.path("tree"), self.path("out/tree"))

    def test_last_member_of_a_name_wins(self):
        self.write("tree/file", b"old")
        tool("tar", "-cf", "a.tar", "tree", cwd=self.work)
        self.write("tree/file", b"newer")
        tool("tar", "-rf", "a.tar", "tree/file", cwd=self.work)
        self.run_ok("restore", self.path("a.tar"), self.path("out"))
        with open(self.path("out/tree/file"), "rb") as stream:
            self.assertEqual(stream.read(), b"newer")

    def test_dot_names_and_missing_parents(self):
        self.write("tree/sub/file", b"x")
        tool("tar", "-cf", "a.tar", "./tree//sub/file", cwd=self.work)
        self.run_ok("restore", self.path("a.tar"), self.path("out"))
        self.assertTrue(os.path.exists(self.path("out/tree/sub/file")))

    def test_owners_by_number_or_by_name(self):
        """The header's number is nobody's here, its names are known."""
        names = {"user_name": b"daemon", "group_name": b"bin"}
        numbers = {"uid": b"0150000\0", "gid": b"0160000\0"}
        content = folder(b"tree") + member(b"tree/file", b"x", **names, **numbers) + END
        with open(self.path("a.tar"), "wb") as stream:
            stream.write(content)
        daemon = (pwd.getpwnam("daemon").pw_uid, grp.getgrnam("bin").gr_gid)
        for options, expected in (((), (0o150000, 0o160000)), (("--map-owners",), daemon)):
            out = self.path("out" + "".join(options))
            self.run_ok("restore", *options, self.path("a.tar"), out)
            status = os.stat(out + "/tree/file")
            self.assertEqual((status.st_uid, status.st_gid), expected)

    def test_verify_a_foreign_archive(self):
        plain_tree(self.path("tree"))
        tool("tar", "--format=posix", "-cf", "a.tar", "tree", cwd=self.work)
        self.assert_verified(self.path("a.tar"), self.path("tree"))


class Delete(Case):
    """--delete of an archive that comes in no order: what it lacks goes, as of one of ours."""

    def setUp(self):
        super().setUp()
        for name in ("tree/a", "tree/sub/file", "tree/sub/more", "top level"):
            self.write(name)
        os.link(self.path("tree/a"), self.path("tree/z"))
        self.archive = self.path("a.tar")
        names = ("top level", "tree/sub/file", "tree/z", "tree/a", "tree/sub/more")
        tool("tar", "--format=pax", "-C", self.work, "-cf", self.archive, *names)
        self.out = self.path("out")
        self.run_ok("restore", self.archive, self.out)
        self.write("outside/precious")

    def plant(self) -> set:
        """Names that the archive lacks; returns those that --delete has to remove."""
        self.write("out/tree/extra")
        self.write("out/tree/sub/folder/deep")
        os.symlink(self.path("outside"), self.out + "/tree/way out")
        os.link(self.out + "/tree/a", self.out + "/tree/one more")
        self.write("out/beside")
        self.write("out/other/inside")
        return {b"tree/extra", b"tree/sub/folder", b"tree/way out", b"tree/one more"}

    def deleted(self, *words) -> set:
        result = self.run_ok("restore", "--delete", "--json", *words, self.out)
        return {
            named(o) for o in result.objects() if o["type"] == "change" and o["action"] == "delete"
        }

    def test_what_the_archive_lacks_goes(self):
        before = support.snapshot(self.out + "/tree")
        extra = self.plant()
        self.assertEqual(self.deleted("--dry-run", self.archive), extra)
        self.assertTrue(os.path.exists(self.out + "/tree/extra"))
        self.assertEqual(self.deleted(self.archive), extra)
        now = support.snapshot(self.out + "/tree")
        differences = support.compare(before, now, ("mtime",))
        self.assert_no_lines([str(item) for item in differences])
        for name in ("out/beside", "out/other/inside", "outside/precious"):
            self.assertTrue(os.path.exists(self.path(name)), name)

    def test_from_a_pipe(self):
        extra = self.plant()
        with open(self.archive, "rb") as stream:
            result = self.run_ok("restore", "--delete", "-", self.out, stdin=stream)
        for name in extra:
            self.assertFalse(os.path.lexists(os.path.join(os.fsencode(self.out), name)), result)

    def test_inside_chosen_paths_alone(self):
        self.plant()
        self.assertEqual(self.deleted(self.archive, "tree/sub"), {b"tree/sub/folder"})

    def test_root_at_a_place(self):
        self.write("place/sub/extra")
        self.write("place/sub/file")
        self.run_ok("restore", "--delete", "--root", f"tree={self.path('place')}", self.archive, self.out)
        self.assertEqual(sorted(os.listdir(self.path("place"))), ["a", "sub", "z"])
        self.assertEqual(sorted(os.listdir(self.path("place/sub"))), ["file", "more"])

    def test_folder_that_gives_way(self):
        """What is set aside for a file is removed once, and told once."""
        os.unlink(self.out + "/top level")
        self.write("out/top level/inside")
        self.assertEqual(self.deleted(self.archive), set())
        self.assertTrue(os.path.isfile(self.out + "/top level"))
        self.assert_no_temporary_names(self.out)

    def test_nothing_after_errors(self):
        self.plant()
        with open(self.archive, "rb") as stream:
            members = stream.read()
        bad = self.path("bad.tar")
        with open(bad, "wb") as stream:
            stream.write(member(b"../evil") + members)
        self.run_ok("restore", "--delete", bad, self.out, status=1)
        self.assertTrue(os.path.exists(self.out + "/tree/extra"))


if __name__ == "__main__":
    sys.exit(support.main())
