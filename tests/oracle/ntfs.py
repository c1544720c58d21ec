"""What a tree on an NTFS volume holds, read through ntfs-3g's extended attributes alone: no code of
the program's, no readlink (the driver makes its answers up), nothing opened that is a reparse
point."""

import ctypes
import errno
import hashlib
import os
import struct
from dataclasses import dataclass, field
from typing import Dict, List, Optional, Tuple

MOST = 1 << 16
REPARSE_POINT, DIRECTORY = 0x400, 0x10
# Attributes that say what a file is for; the rest follow from how it is stored.
SETTABLE = 0x3127
PLAIN = ("acl", "crtime", "dos_name", "ea", "object_id")

_libc = ctypes.CDLL(None, use_errno=True)
_libc.lgetxattr.restype = ctypes.c_ssize_t
_libc.lgetxattr.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t]


def get(path: bytes, name: str) -> Optional[bytes]:
    """The value of system.ntfs_NAME, None if there is none. (os.getxattr begins with a small buffer,
    to which the driver says EIO.)"""
    room = ctypes.create_string_buffer(MOST)
    got = _libc.lgetxattr(path, b"system.ntfs_" + name.encode(), room, MOST)
    if got >= 0:
        return room.raw[:got]
    code = ctypes.get_errno()
    if code in (errno.ENODATA, errno.EMLINK, errno.EPERM):
        return None
    raise OSError(code, os.strerror(code), path)


def attributes(path: bytes) -> int:
    """The attributes of the name itself."""
    return struct.unpack("<I", get(path, "attrib"))[0]


@dataclass
class Record:
    """One file or folder, whatever its names."""

    kind: str  # "file", "folder", both with "reparse ", or "symlink": none of Windows
    attributes: int
    mtime: int
    reparse: Optional[bytes] = None
    content: Optional[str] = None
    plain: Dict[str, bytes] = field(default_factory=dict)
    streams: Dict[str, bytes] = field(default_factory=dict)


def _hash(path: bytes) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def _streams(path: bytes) -> Dict[str, bytes]:
    return {
        name: os.getxattr(path, name)
        for name in os.listxattr(path, follow_symlinks=False)
        if name.startswith("user.")
    }


def read_record(path: bytes) -> Record:
    """All of one name's file."""
    bits = attributes(path)
    reparse = get(path, "reparse_data") if bits & REPARSE_POINT else None
    kind = "folder" if bits & DIRECTORY else "file"
    mtime = os.lstat(path).st_mtime_ns
    record = Record(kind, bits & SETTABLE, mtime, reparse)
    for name in PLAIN:
        value = get(path, name)
        if value is not None:
            record.plain[name] = value
    if reparse is not None:
        record.kind = "reparse " + kind
    elif os.path.islink(path):  # of another system: the driver keeps one as a system file
        record.kind = "symlink"
    else:
        record.streams = _streams(path)
        if kind == "file":
            record.content = _hash(path)
    return record


def snapshot(top: str) -> Dict[str, Tuple[Record, List[str]]]:
    """Each path below `top` (and "" for itself): its record and all paths of its file."""
    files: Dict[int, List[str]] = {}
    records: Dict[str, Tuple[Record, List[str]]] = {}

    def visit(path: bytes, below: str) -> None:
        record = read_record(path)
        names = files.setdefault(os.lstat(path).st_ino, [])
        names.append(below)
        records[below] = (record, names)
        if record.kind == "folder":
            for name in sorted(os.listdir(path)):
                shown = os.fsdecode(name)
                visit(path + b"/" + name, below + "/" + shown if below else shown)

    visit(os.fsencode(top), "")
    return records


def compare(a: Dict[str, Tuple[Record, List[str]]], b) -> List[str]:
    """One line a difference."""
    lines = [f"{p}: only in A" for p in a.keys() - b.keys()]
    lines += [f"{p}: only in B" for p in b.keys() - a.keys()]
    for path in sorted(a.keys() & b.keys()):
        (x, x_names), (y, y_names) = a[path], b[path]
        for key in x.__dict__:
            if getattr(x, key) != getattr(y, key):
                lines.append(f"{path}: {key}: {getattr(x, key)!r} {getattr(y, key)!r}")
        if x_names != y_names:
            lines.append(f"{path}: names: {x_names} {y_names}")
    return lines
