"""What an entry carries besides its content, and how it is put on: owner, mode, ACLs, extended
attributes, capabilities, time, file flags, in the order in which none undoes another."""

import collections
import errno
import fcntl
import os
import stat
import struct
from dataclasses import dataclass, field
from typing import Dict, Optional, Sequence, Tuple

FS_IOC_GETFLAGS = 0x80086601  # linux/fs.h, 64 bit systems
FS_IOC_SETFLAGS = 0x40086602
FLAGS = {
    "sync": 0x00000008,
    "immutable": 0x00000010,
    "append": 0x00000020,
    "nodump": 0x00000040,
    "noatime": 0x00000080,
    "dirsync": 0x00010000,
    "topdir": 0x00020000,
}

# Tags of POSIX ACL entries (linux/posix_acl.h) and the id of entries that name nobody.
USER_OBJ, USER, GROUP_OBJ, GROUP, MASK, OTHER = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
NOBODY = 0xFFFFFFFF

_REFUSALS = (
    errno.ENOTSUP,
    errno.EPERM,
    errno.EACCES,
    errno.ENOSPC,
    errno.ENOTTY,
    errno.EINVAL,
    errno.ENAMETOOLONG,
    errno.E2BIG,
    errno.EFBIG,
)


@dataclass
class Metadata:
    """What to put on one entry; None or empty leaves it as it is."""

    uid: Optional[int] = None
    gid: Optional[int] = None
    mode: Optional[int] = None  # never for symlinks
    mtime_ns: Optional[int] = None
    xattrs: Dict[bytes, bytes] = field(default_factory=dict)
    acl: Optional[Sequence[Tuple[int, int, int]]] = None
    default_acl: Optional[Sequence[Tuple[int, int, int]]] = None
    capability: Optional[int] = None  # permitted and effective bits
    flags: Tuple[str, ...] = ()


class Counts(collections.Counter):
    """How many of each item were made; what this place cannot do is counted "not here"."""

    def try_to(self, item: str, action, *arguments, **options) -> bool:
        """Runs `action`, counts it under `item`, and returns whether it was possible."""
        try:
            action(*arguments, **options)
        except OSError as error:
            if error.errno not in _REFUSALS:
                raise
            self["not here: " + item] += 1
            return False
        self[item] += 1
        return True


def acl_bytes(entries: Sequence[Tuple[int, int, int]]) -> bytes:
    """The extended attribute's form of an ACL of (tag, permissions, id): version 2, then eight
    bytes an entry (linux/posix_acl_xattr.h)."""
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


def capability_bytes(bits: int) -> bytes:
    """security.capability in revision 2 with the effective bit (linux/capability.h)."""
    low, high = bits & 0xFFFFFFFF, bits >> 32
    return struct.pack("<IIIII", 0x02000001, low, 0, high, 0)


def change_flags(dir_fd: int, name: bytes, add: Sequence[str] = (), clear: bool = False) -> None:
    """Adds file flags to a file or folder, or clears those that protect it from deletion."""
    fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=dir_fd)
    try:
        word = fcntl.ioctl(fd, FS_IOC_GETFLAGS, bytes(8))
        old = struct.unpack("=I", word[:4])[0]
        new = old | sum(FLAGS[flag] for flag in add)
        if clear:
            new &= ~(FLAGS["immutable"] | FLAGS["append"])
        if new != old:
            fcntl.ioctl(fd, FS_IOC_SETFLAGS, struct.pack("=II", new, 0))
    finally:
        os.close(fd)


def apply(dir_fd: int, name: bytes, metadata: Metadata, counts: Counts) -> None:
    """Puts `metadata` on the entry `name` of the open folder `dir_fd` and counts each item."""
    status = os.stat(name, dir_fd=dir_fd, follow_symlinks=False)
    path = b"/proc/self/fd/%d/%s" % (dir_fd, name)
    _apply_owner_and_mode(dir_fd, name, status, metadata, counts)
    if metadata.acl is not None:
        value = acl_bytes(metadata.acl)
        counts.try_to("ACL", os.setxattr, path, "system.posix_acl_access", value)
    if metadata.default_acl is not None:
        value = acl_bytes(metadata.default_acl)
        counts.try_to("default ACL", os.setxattr, path, "system.posix_acl_default", value)
    for key, value in metadata.xattrs.items():
        counts.try_to(_xattr_item(key, value, status), _set_xattr, path, key, value)
    if metadata.capability is not None:
        value = capability_bytes(metadata.capability)
        counts.try_to("file capability", os.setxattr, path, "security.capability", value)
    _apply_time_and_flags(dir_fd, name, status, metadata, counts)


def _set_xattr(path: bytes, key: bytes, value: bytes) -> None:
    os.setxattr(path, key, value, follow_symlinks=False)


def _apply_owner_and_mode(dir_fd, name, status, metadata, counts) -> None:
    if metadata.uid is not None or metadata.gid is not None:
        uid = -1 if metadata.uid is None else metadata.uid
        gid = -1 if metadata.gid is None else metadata.gid
        counts.try_to("owner", os.chown, name, uid, gid, dir_fd=dir_fd, follow_symlinks=False)
    if metadata.mode is None or stat.S_ISLNK(status.st_mode):
        return
    special = {0o4000: "setuid", 0o2000: "setgid", 0o1000: "sticky"}
    items = [word for bit, word in special.items() if metadata.mode & bit] or ["plain"]
    if not metadata.mode & 0o777:
        items.append("0000")
    for item in items:
        counts.try_to("mode " + item, os.chmod, name, metadata.mode, dir_fd=dir_fd)


def _apply_time_and_flags(dir_fd, name, status, metadata, counts) -> None:
    if metadata.mtime_ns is not None:
        times = (metadata.mtime_ns, metadata.mtime_ns)
        item = _time_item(metadata.mtime_ns, status)
        counts.try_to(item, os.utime, name, ns=times, dir_fd=dir_fd, follow_symlinks=False)
    for flag in metadata.flags:
        counts.try_to("flag " + flag, change_flags, dir_fd, name, (flag,))


def _xattr_item(key: bytes, value: bytes, status: os.stat_result) -> str:
    space = key.split(b".")[0].decode()
    odd = any(byte in b"= %\n" or byte > 126 for byte in key)
    size = "empty" if not value else "large" if len(value) >= 2000 else ""
    where = "on a symlink" if stat.S_ISLNK(status.st_mode) else ""
    return " ".join(filter(None, ["xattr", space, "odd name" if odd else "", size, where]))


def _time_item(ns: int, status: os.stat_result) -> str:
    kind = "folder" if stat.S_ISDIR(status.st_mode) else ""
    kind = kind or ("symlink" if stat.S_ISLNK(status.st_mode) else "other")
    if ns < 0:
        return f"time before 1970 ({kind})"
    if ns >= 4102444800 * 10**9:
        return f"time after 2100 ({kind})"
    return f"time after 2038 ({kind})" if ns >= 2**31 * 10**9 else f"time ({kind})"
