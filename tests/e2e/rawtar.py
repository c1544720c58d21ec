"""Tar archives byte by byte, right or wrong on purpose."""

from typing import Iterable, Tuple

END = bytes(1024)
USTAR, GNU = b"ustar\x0000", b"ustar  \0"


def header(name: bytes, kind: bytes = b"0", size: int = 0, link: bytes = b"", **fields) -> bytes:
    """One header block. `fields` replaces whole fields by raw bytes: mode, uid, gid, size_field,
    mtime, magic, user_name, group_name, devmajor, devminor, prefix, checksum."""
    parts = [
        name.ljust(100, b"\0")[:100],
        fields.get("mode", b"0000755\0" if kind == b"5" else b"0000644\0"),
        fields.get("uid", b"0000000\0"),
        fields.get("gid", b"0000000\0"),
        fields.get("size_field", b"%011o\0" % size),
        fields.get("mtime", b"14000000000\0"),
        b" " * 8,
        kind,
        link.ljust(100, b"\0")[:100],
        fields.get("magic", USTAR),
        fields.get("user_name", b"").ljust(32, b"\0"),
        fields.get("group_name", b"").ljust(32, b"\0"),
        fields.get("devmajor", b"0000000\0"),
        fields.get("devminor", b"0000000\0"),
        fields.get("prefix", b"").ljust(155, b"\0"),
        bytes(12),
    ]
    block = b"".join(parts)
    assert len(block) == 512
    checksum = fields.get("checksum", b"%06o\0 " % sum(block))
    return block[:148] + checksum + block[156:]


def member(name: bytes, content: bytes = b"", kind: bytes = b"0", **fields) -> bytes:
    """A header and its padded content."""
    size = fields.pop("size", len(content))
    return header(name, kind, size, **fields) + content + bytes(-len(content) % 512)


def folder(name: bytes) -> bytes:
    """A folder's member."""
    return header(name.rstrip(b"/") + b"/", b"5")


def symlink(name: bytes, target: bytes) -> bytes:
    """A symbolic link's member."""
    return header(name, b"2", link=target)


def hardlink(name: bytes, first: bytes, content: bytes = b"") -> bytes:
    """A further name's member, with content if it is to be a wrong one."""
    return member(name, content, b"1", link=first)


def pax(records: Iterable[Tuple[bytes, bytes]], kind: bytes = b"x") -> bytes:
    """An extended header of (key, value) records."""
    return member(b"PaxHeaders/x", b"".join(record(*pair) for pair in records), kind)


def record(key: bytes, value: bytes) -> bytes:
    """One pax record: its length counts itself (POSIX pax, extended header)."""
    rest = b" " + key + b"=" + value + b"\n"
    length = len(rest)
    while len(b"%d" % length) + len(rest) != length:
        length = len(b"%d" % length) + len(rest)
    return b"%d" % length + rest


def gnu_long(kind: bytes, text: bytes) -> bytes:
    """GNU's long name (L) or long link (K) for the member that follows."""
    return member(b"././@LongLink", text, kind, magic=GNU)
