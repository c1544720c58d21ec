#!/usr/bin/env python3
"""A second reader of an archive's tail and index, written from docs/format.md alone.

usage: archive_index.py ARCHIVE

Prints one JSON object an entry. Blocks are decompressed by the zstd program; checksums are made by
libxxhash, where it is installed.
"""

import base64
import ctypes
import ctypes.util
import json
import os
import struct
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Dict, Iterator, List, Optional, Tuple

KINDS = ["directory", "file", "symlink", "fifo", "socket", "chardev", "blockdev"]
KINDS += ["junction", "mount point", "reparse point"]
SUMMARY, FRAMES, LOSSES, HEAD, ENTRIES = range(0x46480001, 0x46480006)
FURTHER, SHARED, SPARSE, HASH, XATTRS, IDENTITY, INEXACT, FILE_FLAGS, IN_BASE = (
    1 << n for n in range(4, 13)
)
REPARSE, FOLDER_FLAVOUR = 1 << 13, 1 << 14
LINKS = ("symlink", "junction", "mount point")
MODE, USER, GROUP, MTIME, CTIME, BTIME, FLAGS = 1, 2, 4, 8, 32, 64, 128
BLOCK = 512
HASH_BLOCK = 65536


class Damaged(Exception):
    """The archive is not what docs/format.md says."""


def check(condition: bool, what: str) -> None:
    """Raises Damaged unless the condition holds."""
    if not condition:
        raise Damaged(what)


class _Hash128(ctypes.Structure):
    _fields_ = [("low", ctypes.c_uint64), ("high", ctypes.c_uint64)]


def _library():
    name = ctypes.util.find_library("xxhash")
    if name is None:
        return None
    library = ctypes.CDLL(name)
    library.XXH3_64bits.restype = ctypes.c_uint64
    library.XXH3_64bits.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
    library.XXH3_128bits.restype = _Hash128
    library.XXH3_128bits.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
    return library


_XXHASH = _library()


def has_hashes() -> bool:
    """True if checksums are checked at all."""
    return _XXHASH is not None


def xxh64(data: bytes, wanted: int) -> int:
    """XXH3-64 of the data; `wanted` where there is no library."""
    return _XXHASH.XXH3_64bits(data, len(data)) if _XXHASH else wanted


def xxh128(data: bytes) -> bytes:
    """XXH3-128: low half, high half, as the index has it. Needs the library."""
    value = _XXHASH.XXH3_128bits(data, len(data))
    return struct.pack("<QQ", value.low, value.high)


def content_hash(content: bytes) -> bytes:
    """The hash of a content as the index has it."""
    parts = []
    for at in range(0, len(content), HASH_BLOCK):
        block = content[at : at + HASH_BLOCK]
        if block.strip(b"\0"):
            parts += [struct.pack("<QQ", at, len(block)), block]
    return xxh128(b"".join(parts) + struct.pack("<Q", len(content)))


class Cursor:
    """Takes numbers and texts off the begin of some bytes."""

    def __init__(self, data: bytes):
        self.data = data
        self.at = 0

    def take(self, count: int) -> bytes:
        check(count <= len(self.data) - self.at, "it ends early")
        self.at += count
        return self.data[self.at - count : self.at]

    def u64(self) -> int:
        return struct.unpack("<Q", self.take(8))[0]

    def varint(self) -> int:
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                check(value < 1 << 64 and (byte != 0 or shift == 7), "a malformed number")
                return value

    def signed(self) -> int:
        value = self.varint()
        return -(value + 1 >> 1) if value & 1 else value >> 1

    def text(self) -> bytes:
        return self.take(self.varint())

    def ended(self) -> bool:
        return self.at == len(self.data)


# ---- The tail ----


def _pieces(total: int, full: int) -> List[int]:
    """The law of pieces: the first is the short one."""
    first = total % full or full
    return [first] + [full] * ((total - first) // full)


def _trailer_end(file: bytes) -> Tuple[int, int, int, int]:
    """Where the trailer ends, and a piece's full size and what stands before and behind it."""
    if file[:2] == b"\x1f\x8b":
        return len(file) - 10, 16000, 16, 10
    if file[:4] == b"\x28\xb5\x2f\xfd" or file[1:4] == b"\x2a\x4d\x18":
        frames, descriptor, magic = struct.unpack("<IBI", file[-9:])
        check(magic == 0x8F92EAB1, "no seek table")
        table = 8 + frames * (12 if descriptor & 0x80 else 8) + 9
        return len(file) - table, 1 << 20, 8, 0
    return len(file), len(file) + 1, 0, 0


def read_tail(file: bytes) -> bytes:
    """The bytes of the tail without wrapping."""
    end, full, before, behind = _trailer_end(file)
    trailer = file[end - 48 : end]
    magic, version, _, total, _, _, own = struct.unpack("<8sIIQQQQ", trailer)
    check(magic == b"HOLDTAIL" and version == 1, "no trailer")
    check(own == xxh64(trailer[:40], own), "the trailer's checksum")
    pieces = _pieces(total, full)
    at = end + behind - total - len(pieces) * (before + behind)
    tail = b""
    for size in pieces:
        tail += file[at + before : at + before + size]
        at += before + size + behind
    return tail


@dataclass
class Block:
    """A block of the tail; what stands in it is decompressed when it is asked for."""

    kind: int
    raw_size: int
    stored: bytes
    checksum: int

    def content(self) -> bytes:
        check(self.checksum == xxh64(self.stored, self.checksum), "a block's checksum")
        if len(self.stored) == self.raw_size:
            return self.stored
        run = subprocess.run(["zstd", "-dcq"], input=self.stored, capture_output=True, check=True)
        check(len(run.stdout) == self.raw_size, "a block's length")
        return run.stdout


def read_blocks(tail: bytes) -> List[Block]:
    """All blocks of a tail."""
    count, total, checksum = struct.unpack("<IQQ", tail[-36:-16])
    check(total == len(tail), "the tail's length")
    check(checksum == xxh64(tail[:-48], checksum), "the tail's checksum")
    cursor = Cursor(tail[:-48])
    blocks = []
    while not cursor.ended():
        kind, version, raw, stored, own = struct.unpack("<IIQQQ", cursor.take(32))
        check(version == 1, "a block's version")
        blocks.append(Block(kind, raw, cursor.take(stored), own))
    check(len(blocks) == count, "the number of blocks")
    return blocks


def _pack_block(kind: int, raw_size: int, stored: bytes) -> bytes:
    return struct.pack("<IIQQQ", kind, 1, raw_size, len(stored), xxh64(stored, 0)) + stored


def _frame_table_of(file: bytes, content: bytes) -> bytes:
    """A frame table with the checksums of what stands in the file."""
    cursor = Cursor(content)
    table, at = b"", 0
    for _ in range(cursor.varint()):
        at += cursor.varint()
        size = cursor.varint()
        cursor.varint()
        cursor.varint()
        table += content[len(table) : cursor.at] + struct.pack("<Q", xxh64(file[at : at + size], 0))
        cursor.take(8)
        at += size
    return table


def with_true_checksums(file: bytes) -> bytes:
    """A plain archive whose frames' bytes were changed, with the frame table that says so. Its
    index, and so its identity, stay what they were. Needs the library."""
    tail = read_tail(file)
    blocks = read_blocks(tail)
    packed = b""
    for block in blocks:
        if block.kind == FRAMES:
            table = _frame_table_of(file, block.content())
            packed += _pack_block(FRAMES, len(table), table)
        else:
            packed += _pack_block(block.kind, block.raw_size, block.stored)
    trailer = struct.pack(
        "<8sIIQQQ", b"HOLDTAIL", 1, len(blocks), len(packed) + 48, xxh64(packed, 0), 0
    )
    return file[: -len(tail)] + packed + trailer + struct.pack("<Q", xxh64(trailer, 0))


# ---- The index ----


@dataclass
class Head:
    """The head of the index."""

    owners: List[Tuple[int, int, bytes, bytes]]
    file_systems: int
    entries: int
    bases: List[Tuple[bytes, int, bytes]]  # identity, entries, file name
    blocks: List[Tuple[int, int, int, int, int, bytes]]  # entries, place, raw, stored, checksum, path


@dataclass
class Entry:
    """One entry; of a further name all but path, number and place is its first name's."""

    path: bytes
    number: int
    kind: str
    data_offset: int
    base: Optional[int] = None  # the base that the data is in
    first: Optional[int] = None  # of a further name
    inexact: bool = False
    known: int = 0
    mode: int = 0
    owner: Tuple[int, int, bytes, bytes] = (0, 0, b"", b"")
    mtime: Tuple[int, int] = (0, 0)
    btime: Tuple[int, int] = (0, 0)
    ctime: Tuple[int, int] = (0, 0)
    size: int = 0
    target: bytes = b""
    reparse: bytes = b""
    folder_flavour: bool = False
    device: Tuple[int, int] = (0, 0)
    flags: int = 0
    links: int = 1
    identity: Optional[Tuple[int, int]] = None
    extents: List[Tuple[int, int]] = field(default_factory=list)
    hash: Optional[bytes] = None
    xattrs: Dict[bytes, bytes] = field(default_factory=dict)


def read_head(content: bytes) -> Head:
    """Decodes the head."""
    c = Cursor(content)
    owners = [(c.varint(), c.varint(), c.text(), c.text()) for _ in range(c.varint())]
    file_systems, entries = c.varint(), c.varint()
    bases = [(c.take(16), c.varint(), c.text()) for _ in range(c.varint())]
    head = Head(owners, file_systems, entries, bases, [])
    place = 0
    for _ in range(c.varint()):
        count, gap, raw, stored, checksum = c.varint(), c.varint(), c.varint(), c.varint(), c.u64()
        place += gap
        head.blocks.append((count, place, raw, stored, checksum, c.text()))
    check(c.ended(), "bytes behind the head")
    return head


def _time(c: Cursor, base: int) -> Tuple[int, int]:
    return base + c.signed(), c.varint()


def _read_body(c: Cursor, e: Entry, flags: int, head: Head) -> None:
    """What follows the flags of an entry that is no further name."""
    e.known, e.mode = c.varint(), c.varint()
    e.owner = head.owners[c.varint()]
    e.mtime = _time(c, 0) if e.known & MTIME else e.mtime
    e.btime = _time(c, e.mtime[0]) if e.known & BTIME else e.btime
    e.ctime = _time(c, e.mtime[0]) if e.known & CTIME else e.ctime
    if e.kind == "file":
        e.size = c.varint()
        e.extents = [(0, e.size)] if e.size else []
    elif e.kind in LINKS:
        e.target = c.text()
    elif e.kind in ("chardev", "blockdev"):
        e.device = c.varint(), c.varint()
    e.flags = c.varint() if flags & FILE_FLAGS else 0
    e.links = c.varint() if flags & SHARED else 1
    if flags & IDENTITY:
        volume, low, high = c.varint(), c.varint(), c.varint()
        check(volume < head.file_systems, "a file of no file system")
        e.identity = volume, high << 64 | low
    if flags & IN_BASE:
        e.base, e.data_offset = c.varint(), c.varint() * BLOCK
        check(e.base < len(head.bases), "a base")
    if flags & SPARSE:
        e.extents, at = [], 0
        for _ in range(c.varint()):
            at += c.varint()
            length = c.varint()
            e.extents.append((at, length))
            at += length
    e.hash = c.take(16) if flags & HASH else None
    if flags & XATTRS:
        e.xattrs = {c.text(): c.text() for _ in range(c.varint())}
    e.reparse = c.text() if flags & REPARSE else b""
    e.folder_flavour = bool(flags & FOLDER_FLAVOUR)


def _read_entries(content: bytes, head: Head, number: int, place: int) -> Iterator[Entry]:
    """The entries of a block whose first one is `number` and stands at `place`."""
    c = Cursor(content)
    path = b""
    while not c.ended():
        common = c.varint()
        path = path[:common] + c.text()
        header = c.varint() * BLOCK
        flags = c.varint()
        e = Entry(path, number, KINDS[flags & 15], place + header, inexact=bool(flags & INEXACT))
        if flags & FURTHER:
            e.first = number - c.varint()
        else:
            _read_body(c, e, flags, head)
        yield e
        check((header == 0) == (e.base is not None) or e.first is not None, "a place")
        if e.base is None:
            stored = sum(length for _, length in e.extents)
            place = e.data_offset + (stored + BLOCK - 1) // BLOCK * BLOCK
        number += 1


def _like_first(e: Entry, first: Entry) -> Entry:
    """A further name with what its first name says."""
    check(first.first is None, "a further name of a further name")
    whole = Entry(**{**first.__dict__, "path": e.path, "number": e.number, "first": e.first})
    return whole


def read_index(file: bytes) -> Optional[List[Entry]]:
    """All entries of an archive, None if it has no index."""
    blocks = read_blocks(read_tail(file))
    heads = [b for b in blocks if b.kind == HEAD]
    if not heads:
        return None
    head = read_head(heads[0].content())
    parts = [b for b in blocks if b.kind == ENTRIES]
    check(len(parts) == len(head.blocks), "the number of blocks of entries")
    entries: List[Entry] = []
    for block, told in zip(parts, head.blocks):
        count, place, raw, stored, checksum, first_path = told
        check((raw, stored, checksum) == (block.raw_size, len(block.stored), block.checksum), "a block")
        found = list(_read_entries(block.content(), head, len(entries), place))
        check(len(found) == count and found[0].path == first_path, "a block's entries")
        entries += found
    check(len(entries) == head.entries, "the number of entries")
    return [e if e.first is None else _like_first(e, entries[e.first]) for e in entries]


# ---- Printing ----


def _named(key: str, name: bytes) -> Dict[str, str]:
    try:
        return {key: name.decode()}
    except UnicodeDecodeError:
        return {key + "_b64": base64.b64encode(name).decode()}


def _text_or_base64(name: bytes):
    try:
        return name.decode()
    except UnicodeDecodeError:
        return {"b64": base64.b64encode(name).decode()}


def _decimal(time: Tuple[int, int]) -> str:
    total = time[0] * 10**9 + time[1]
    sign = "-" if total < 0 else ""
    return f"{sign}{abs(total) // 10**9}.{abs(total) % 10**9:09}"


def as_json(e: Entry, entries: List[Entry]) -> dict:
    """An entry in the words of `holdfast list --json`, and what that does not show."""
    size = len(e.target) if e.kind in LINKS else e.size
    shown = {"type": "entry", **_named("path", e.path), "kind": e.kind, "size": size}
    shown.update(mode=f"{e.mode:04o}", uid=e.owner[0], gid=e.owner[1])
    for key, name in (("user", e.owner[2]), ("group_name", e.owner[3])):
        if name:
            shown.update(_named(key, name))
    shown["mtime"] = _decimal(e.mtime)
    if e.xattrs:
        shown["xattrs"] = [_text_or_base64(name) for name in e.xattrs]
    if e.kind in ("chardev", "blockdev"):
        shown.update(major=e.device[0], minor=e.device[1])
    if e.kind in LINKS:
        shown.update(_named("target", e.target))
    if e.reparse:
        tag = struct.unpack("<I", e.reparse[:4])[0]
        shown.update(tag=f"0x{tag:08X}", flavour="folder" if e.folder_flavour else "file")
        shown.update(reparse_bytes=len(e.reparse))
    if e.first is not None:
        shown.update(_named("same_as", entries[e.first].path))
    shown.update(data_offset=e.data_offset, inexact=e.inexact)
    return shown


def main() -> None:
    """Prints the index of the archive that the command line names."""
    with open(sys.argv[1], "rb") as archive:
        entries = read_index(archive.read())
    if entries is None:
        sys.exit(f"{os.path.basename(sys.argv[0])}: the archive has no index")
    for e in entries:
        print(json.dumps(as_json(e, entries)))


if __name__ == "__main__":
    main()
