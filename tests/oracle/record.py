"""Read one entry into a record of all that must survive a backup.

Everything is read through the folder's handle and the entry's name, nothing follows a link, and
nothing is opened but regular files and folders.
"""

import errno
import fcntl
import hashlib
import os
import stat
import struct
from dataclasses import dataclass
from typing import Dict, Optional, Tuple

ACL_ACCESS = b"system.posix_acl_access"
ACL_DEFAULT = b"system.posix_acl_default"

FS_IOC_GETFLAGS = 0x80086601  # linux/fs.h, 64 bit systems
FLAG_NAMES = {
    0x00000008: "sync",
    0x00000010: "immutable",
    0x00000020: "append",
    0x00000040: "nodump",
    0x00000080: "noatime",
    0x00010000: "dirsync",
    0x00020000: "topdir",
    0x00800000: "nocow",
}
_KNOWN_FLAGS = sum(FLAG_NAMES)

_HASH_BLOCK = 65536
_ZEROS = bytes(_HASH_BLOCK)

KINDS = {
    stat.S_IFDIR: "directory",
    stat.S_IFREG: "file",
    stat.S_IFLNK: "symlink",
    stat.S_IFIFO: "fifo",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "chardev",
    stat.S_IFBLK: "blockdev",
}


@dataclass(frozen=True)
class Record:
    """What one inode is. Names that are one file share one Record object."""

    identity: Tuple[int, int]
    kind: str
    mode: int
    uid: int
    gid: int
    mtime_ns: int
    size: int  # of files, 0 for other kinds
    device: Tuple[int, int]
    target: bytes  # of symlinks
    data: bytes  # hash of a file's logical content
    extents: Tuple[Tuple[int, int], ...]  # (offset, length) of what is no hole
    blocks: int  # as stat counts them, 512 bytes each
    block_size: int
    xattrs: Dict[bytes, bytes]  # without the ACLs
    acl: Optional[tuple]
    default_acl: Optional[tuple]
    flags: Optional[int]  # None where the file system knows none


def read_record(dir_fd: int, name: bytes, status: os.stat_result) -> Record:
    """The record of the entry `name` in the open folder `dir_fd`, whose lstat is `status`."""
    kind = KINDS[stat.S_IFMT(status.st_mode)]
    xattrs = _read_xattrs(dir_fd, name)
    acl = _parse_acl(xattrs.pop(ACL_ACCESS, None))
    default_acl = _parse_acl(xattrs.pop(ACL_DEFAULT, None))
    flags, data, extents = None, b"", ()
    if kind in ("file", "directory"):
        fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=dir_fd)
        try:
            flags = _read_flags(fd)
            if kind == "file":
                extents = tuple(_read_extents(fd, status.st_size))
                data = _hash_content(fd, status.st_size, extents)
        finally:
            os.close(fd)
    device = status.st_rdev if kind in ("chardev", "blockdev") else 0
    return Record(
        identity=(status.st_dev, status.st_ino),
        kind=kind,
        mode=stat.S_IMODE(status.st_mode),
        uid=status.st_uid,
        gid=status.st_gid,
        mtime_ns=status.st_mtime_ns,
        size=status.st_size if kind == "file" else 0,
        device=(os.major(device), os.minor(device)),
        target=os.readlink(name, dir_fd=dir_fd) if kind == "symlink" else b"",
        data=data,
        extents=extents,
        blocks=status.st_blocks,
        block_size=status.st_blksize,
        xattrs=xattrs,
        acl=acl,
        default_acl=default_acl,
        flags=flags,
    )


def _read_xattrs(dir_fd: int, name: bytes) -> Dict[bytes, bytes]:
    path = b"/proc/self/fd/%d/%s" % (dir_fd, name)
    try:
        names = [os.fsencode(n) for n in os.listxattr(path, follow_symlinks=False)]
    except OSError as error:
        if error.errno == errno.ENOTSUP:
            return {}
        raise
    return {n: os.getxattr(path, n, follow_symlinks=False) for n in names}


def _parse_acl(value: Optional[bytes]) -> Optional[tuple]:
    """Decodes posix_acl_xattr.h's form into a sorted tuple of (tag, id, permissions)."""
    if value is None:
        return None
    entries = (struct.unpack_from("<HHI", value, at) for at in range(4, len(value), 8))
    return tuple(sorted((tag, number, bits) for tag, bits, number in entries))


def _read_flags(fd: int) -> Optional[int]:
    try:
        word = fcntl.ioctl(fd, FS_IOC_GETFLAGS, bytes(8))
    except OSError as error:
        if error.errno in (errno.ENOTTY, errno.EOPNOTSUPP, errno.EINVAL):
            return None
        raise
    return struct.unpack("=I", word[:4])[0] & _KNOWN_FLAGS


def _read_extents(fd: int, size: int):
    at = 0
    while at < size:
        try:
            start = os.lseek(fd, at, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:
                return
            raise
        at = min(os.lseek(fd, start, os.SEEK_HOLE), size)
        yield start, at - start


def _hash_content(fd: int, size: int, extents) -> bytes:
    """Hashes size, offset and bytes of each aligned block that is not all zero, so that the
    result does not depend on which zeros are holes."""
    digest = hashlib.blake2b(size.to_bytes(8, "little"), digest_size=16)
    done = 0
    for start, length in extents:
        at = max(done, start - start % _HASH_BLOCK)
        while at < start + length:
            block = os.pread(fd, _HASH_BLOCK, at)
            if block != _ZEROS[: len(block)]:
                digest.update(at.to_bytes(8, "little"))
                digest.update(block)
            at += _HASH_BLOCK
        done = max(done, at)
    return digest.digest()
