#!/usr/bin/env python3
"""The archive format as docs/format.md tells it: a second reader finds what the program finds, and
what stands on the disk; and the program finds it when the index is not that of the stream."""

import gzip
import os
import random
import shutil
import struct
import subprocess
import sys
import unittest

import support
from support import Case, holdfast

from oracle import archive_index
from trees.full import full_tree

CONTAINERS = ("tar", "tar.gz", "tar.zst")
SHOWN_BY_ONE = ("data_offset", "inexact")


def stream_of(archive: str) -> bytes:
    """The tar stream of an archive."""
    if archive.endswith(".zst"):
        return subprocess.run(["zstd", "-dcq", archive], capture_output=True, check=True).stdout
    with (gzip.open if archive.endswith(".gz") else open)(archive, "rb") as file:
        return file.read()


def content_of(entry: archive_index.Entry, stream: bytes) -> bytes:
    """A file's content by its place in the stream."""
    content = bytearray(entry.size)
    at = entry.data_offset
    for offset, length in entry.extents:
        content[offset : offset + length] = stream[at : at + length]
        at += length
    return bytes(content)


@unittest.skipIf(shutil.which("zstd") is None, "zstd is not installed")
class Format(Case):
    """Archives of one tree with all that there is in trees."""

    def archives(self, deep: bool = False):
        """The tree's path, and an archive of it in each container."""
        tree = self.path("tree")
        full_tree(tree, deep=deep)
        for container in CONTAINERS:
            archive = self.path("a." + container)
            self.run_ok("backup", tree, archive)
            yield tree, archive

    def entries(self, archive: str):
        with open(archive, "rb") as file:
            return archive_index.read_index(file.read())

    def test_list(self):
        """`list --json` by the index, `list --json` of the stream on a pipe, and the second reader
        say the same."""
        for _, archive in self.archives(deep=True):
            entries = self.entries(archive)
            second = [archive_index.as_json(e, entries) for e in entries]
            for item in second:
                for key in SHOWN_BY_ONE:
                    del item[key]
            shown = [o for o in self.run_ok("list", "--json", archive).objects() if o["type"] == "entry"]
            with open(archive, "rb") as pipe:
                piped = self.run_ok("list", "--json", "-", input=pipe.read()).objects()
            self.assertEqual(second, shown, archive)
            self.assertEqual(shown, [o for o in piped if o["type"] == "entry"], archive)

    def test_disk(self):
        """Contents, attributes, times and identities are those of the disk."""
        for tree, archive in self.archives():
            stream = stream_of(archive)
            for e in self.entries(archive):
                path = os.path.join(os.fsencode(os.path.dirname(tree)), e.path)
                status = os.lstat(path)
                self.assertEqual(e.identity[1], status.st_ino, path)
                self.assertEqual(e.mtime[0] * 10**9 + e.mtime[1], status.st_mtime_ns, path)
                self.assertEqual(e.ctime[0] * 10**9 + e.ctime[1], status.st_ctime_ns, path)
                self.assertEqual(e.mode, status.st_mode & 0o7777, path)
                if e.kind != "directory":
                    self.assertEqual(e.links, status.st_nlink, path)
                names = {os.fsencode(n) for n in os.listxattr(path, follow_symlinks=False)}
                self.assertEqual(set(e.xattrs), names, path)
                for name, value in e.xattrs.items():
                    self.assertEqual(os.getxattr(path, name, follow_symlinks=False), value, path)
                if e.kind == "symlink":
                    self.assertEqual(e.target, os.readlink(path))
                if e.kind == "file":
                    self.check_content(e, path, stream)

    def check_content(self, e, path, stream) -> None:
        if e.size > 64 << 20:
            return
        with open(path, "rb") as file:
            content = file.read()
        self.assertEqual(content_of(e, stream), content, path)
        if archive_index.has_hashes():
            self.assertEqual(e.hash, archive_index.content_hash(content) if content else None, path)


def varint(value: int) -> bytes:
    """LEB128."""
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def block(kind: int, content: bytes) -> bytes:
    """A block of the tail, not compressed."""
    checksum = archive_index.xxh64(content, 0)
    return struct.pack("<IIQQQ", kind, 1, len(content), len(content), checksum) + content


def with_entries(archive: bytes, edit) -> bytes:
    """A plain archive whose only block of entries was changed, with all checksums made right."""
    tail = archive_index.read_tail(archive)
    blocks = archive_index.read_blocks(tail)
    entries = edit(blocks[-1].content())
    head = archive_index.read_head(blocks[-2].content())
    count, place, _, _, _, first_path = head.blocks[0]
    content = varint(len(head.owners))
    for user, group, user_name, group_name in head.owners:
        content += varint(user) + varint(group)
        content += varint(len(user_name)) + user_name + varint(len(group_name)) + group_name
    content += varint(head.file_systems) + varint(head.entries) + varint(0) + varint(1) + varint(count)
    content += varint(place) + 2 * varint(len(entries))
    content += struct.pack("<Q", archive_index.xxh64(entries, 0)) + varint(len(first_path)) + first_path
    made = b"".join(block(b.kind, b.content()) for b in blocks[:-2])
    made += block(archive_index.HEAD, content) + block(archive_index.ENTRIES, entries)
    trailer = struct.pack("<8sIIQQQ", b"HOLDTAIL", 1, len(blocks), len(made) + 48,
                          archive_index.xxh64(made, 0), 0)
    trailer += struct.pack("<Q", archive_index.xxh64(trailer, 0))
    return archive[: -len(tail)] + made + trailer


@unittest.skipUnless(archive_index.has_hashes(), "libxxhash is not installed")
@unittest.skipIf(shutil.which("zstd") is None, "zstd is not installed")
class Mismatch(Case):
    """A stream and an index that each are sound and do not belong together."""

    def setUp(self):
        super().setUp()
        self.write("t/file", b"content")
        os.symlink("target", self.path("t/link"))
        self.run_ok("backup", self.path("t"), self.path("a.tar"))
        with open(self.path("a.tar"), "rb") as file:
            self.archive = file.read()

    def edited(self, edit) -> str:
        path = self.path("edited.tar")
        with open(path, "wb") as file:
            file.write(with_entries(self.archive, edit))
        return path

    def assert_mismatch(self, path: str, what: str) -> None:
        result = holdfast("verify", path)
        self.assertEqual(result.status, 1, result)
        self.assertIn(what, result.text)

    def test_unchanged(self):
        """The helper itself makes a whole archive."""
        path = self.edited(lambda content: content)
        self.run_ok("verify", path)
        self.run_ok("list", path)

    def test_target(self):
        path = self.edited(lambda content: content.replace(b"target", b"Target"))
        self.assertIn("Target", self.run_ok("list", path).text)
        self.assert_mismatch(path, "index does not match")
        result = holdfast("restore", path, self.path("out"))
        self.assertEqual(result.status, 3, result)
        self.assertIn("index does not match", result.text)

    def test_hash(self):
        wanted = archive_index.content_hash(b"content")
        path = self.edited(lambda content: content.replace(wanted, bytes(16)))
        self.assert_mismatch(path, "other hashes")

    def test_damaged_block(self):
        """The whole list comes from the stream, and the damage is told."""
        blocks = archive_index.read_blocks(archive_index.read_tail(self.archive))
        damaged = bytearray(self.archive)
        damaged[damaged.rfind(blocks[-1].stored) + 5] ^= 1
        with open(self.path("damaged.tar"), "wb") as file:
            file.write(damaged)
        result = holdfast("list", self.path("damaged.tar"))
        self.assertNotEqual(result.status, 0, result)
        self.assertIn("t/link -> target", result.text)
        self.assertIn("damaged", result.text)

    def test_missing_index(self):
        """An archive without one is whole, and is listed by its stream."""
        tail = archive_index.read_tail(self.archive)
        blocks = archive_index.read_blocks(tail)[:-2]
        made = b"".join(block(b.kind, b.content()) for b in blocks)
        trailer = struct.pack("<8sIIQQQ", b"HOLDTAIL", 1, len(blocks), len(made) + 48,
                              archive_index.xxh64(made, 0), 0)
        trailer += struct.pack("<Q", archive_index.xxh64(trailer, 0))
        path = self.path("bare.tar")
        with open(path, "wb") as file:
            file.write(self.archive[: -len(tail)] + made + trailer)
        self.run_ok("verify", path)
        self.assertIn("target", self.run_ok("list", path).text)
        self.run_ok("restore", path, "t/link", self.path("out"))
        self.assertEqual(os.readlink(self.path("out/t/link")), "target")


class Selection(Case):
    """Some paths by the index are what they are by the stream."""

    def test_all_containers(self):
        self.write("t/a/first", b"shared" * 1000)
        os.makedirs(self.path("t/b"))
        os.link(self.path("t/a/first"), self.path("t/b/second"))
        os.link(self.path("t/a/first"), self.path("t/b/third"))
        with open(self.path("t/b/sparse"), "wb") as file:
            file.truncate(10 << 20)
            file.seek(5 << 20)
            file.write(b"in the middle")
        for container in CONTAINERS:
            archive, dest = self.path("a." + container), self.path("out-" + container)
            self.run_ok("backup", self.path("t"), archive)
            self.run_ok("restore", archive, "t/b", dest)
            self.assert_equal_trees(self.path("t/b"), dest + "/t/b")
            self.assert_same_file(dest + "/t/b/second", dest + "/t/b/third")
            self.assertFalse(os.path.exists(dest + "/t/a"))

    def test_many_skipped_first_names(self):
        """More than are looked up one by one."""
        for i in range(40):
            self.write(f"t/a/{i}", b"%d" % i)
            os.makedirs(self.path("t/b"), exist_ok=True)
            os.link(self.path(f"t/a/{i}"), self.path(f"t/b/{39 - i}"))
        self.run_ok("backup", self.path("t"), self.path("a.tar.zst"))
        self.run_ok("restore", self.path("a.tar.zst"), "t/b", self.path("out"))
        self.assert_equal_trees(self.path("t/b"), self.path("out/t/b"))

    @unittest.skipUnless(archive_index.has_hashes(), "libxxhash is not installed")
    @unittest.skipIf(shutil.which("zstd") is None, "zstd is not installed")
    def test_damaged_block_elsewhere(self):
        """Only blocks with chosen paths, and the folders on the way to them, are read."""
        noise = random.Random(1)
        paths = ["t/0/a", *(f"t/1/{i:04} {noise.randbytes(110).hex()}" for i in range(1500)), "t/2/b"]
        for path in paths:
            self.write(path, b"content")
        self.run_ok("backup", self.path("t"), self.path("a.tar"))
        with open(self.path("a.tar"), "rb") as file:
            archive = file.read()
        blocks = archive_index.read_blocks(archive_index.read_tail(archive))
        first_paths = [b[-1] for b in archive_index.read_head(
            next(b for b in blocks if b.kind == archive_index.HEAD).content()).blocks]
        entries = [b.stored for b in blocks if b.kind == archive_index.ENTRIES]
        damaged = [stored for stored, here, behind in zip(entries, first_paths, first_paths[1:])
                   if here.startswith(b"t/1/") and behind.startswith(b"t/1/")]
        self.assertTrue(damaged)
        for stored in damaged:
            archive = archive.replace(stored, stored[:5] + bytes([stored[5] ^ 1]) + stored[6:])
        with open(self.path("a.tar"), "wb") as file:
            file.write(archive)
        self.run_ok("restore", self.path("a.tar"), paths[0], paths[-1], self.path("out"))
        result = holdfast("restore", self.path("a.tar"), paths[750], self.path("out"))
        self.assertNotEqual(result.status, 0, result)

    def test_damaged_frame(self):
        """It is an error where it is needed, and no matter elsewhere."""
        self.write("t/a", b"a" * 600)
        self.write("t/b", os.urandom(9 << 20))
        self.run_ok("backup", self.path("t"), self.path("a.tar"))
        with open(self.path("a.tar"), "r+b") as file:
            file.seek(9 << 20)
            file.write(b"damage")
        self.run_ok("restore", self.path("a.tar"), "t/a", self.path("out"))
        result = holdfast("restore", self.path("a.tar"), "t/b", self.path("out"))
        self.assertIn(result.status, (1, 3), result)
        self.assertIn("damaged", result.text)


if __name__ == "__main__":
    sys.exit(support.main())
