"""Make the parts of a tree, one call an entry, then dress them in metadata in one pass.

A Maker owns the tree below `dest`. Paths are bytes relative to it. Metadata is applied by
`dress`, each file once and folders after their content, so that no later step changes a time.
"""

import os
import stat
from typing import Callable, Sequence, Tuple

from oracle.walk import ENTER, ENTRY, LEAVE, Visit, walk
from trees.metadata import Counts, Metadata, apply, change_flags


class Maker:
    """Makes entries and counts them in `counts`. Every method returns whether it could."""

    def __init__(self, dest):
        self.dest = os.fsencode(dest)
        self.counts = Counts()
        os.makedirs(self.dest, exist_ok=True)

    def full(self, path: bytes) -> bytes:
        """The path below the destination as the system calls want it."""
        return self.dest + b"/" + path

    def folder(self, path: bytes, item: str = "folder") -> bool:
        return self.counts.try_to(item, os.mkdir, self.full(path))

    def file(self, path: bytes, content: bytes = b"", item: str = "file") -> bool:
        return self.counts.try_to(item, _write_new, self.full(path), content)

    def sparse(self, path: bytes, size: int, pieces: Sequence[Tuple[int, bytes]], item: str) -> bool:
        """A file of `size` bytes that holds nothing but `pieces` of (offset, bytes)."""
        return self.counts.try_to("sparse " + item, _write_sparse, self.full(path), size, pieces)

    def symlink(self, path: bytes, target: bytes, item: str) -> bool:
        return self.counts.try_to("symlink " + item, os.symlink, target, self.full(path))

    def fifo(self, path: bytes) -> bool:
        return self.counts.try_to("FIFO", os.mkfifo, self.full(path), 0o644)

    def socket(self, path: bytes) -> bool:
        return self.counts.try_to("socket", os.mknod, self.full(path), stat.S_IFSOCK | 0o644)

    def device(self, path: bytes, kind: int, major: int, minor: int) -> bool:
        """`kind` is stat.S_IFCHR or stat.S_IFBLK."""
        item = "character device" if kind == stat.S_IFCHR else "block device"
        number = os.makedev(major, minor)
        return self.counts.try_to(item, os.mknod, self.full(path), kind | 0o600, number)

    def link(self, old: bytes, new: bytes) -> bool:
        """A further name `new` of `old`, which may be a symlink."""
        mode = os.lstat(self.full(old)).st_mode
        kinds = {stat.S_IFREG: "file", stat.S_IFLNK: "symlink", stat.S_IFIFO: "FIFO"}
        kind = kinds.get(stat.S_IFMT(mode), "socket" if stat.S_ISSOCK(mode) else "device")
        item = "further name of a " + kind
        arguments = (self.full(old), self.full(new))
        return self.counts.try_to(item, os.link, *arguments, follow_symlinks=False)

    def chain(self, path: bytes, name: bytes, levels: int, content: bytes) -> None:
        """`levels` folders called `name`, each in the one before, below the new folder `path`,
        with one file at the bottom. Goes down by handles: the path may exceed PATH_MAX."""
        self.folder(path)
        fd = os.open(self.full(path), os.O_RDONLY | os.O_DIRECTORY)
        try:
            for _ in range(levels):
                os.mkdir(name, dir_fd=fd)
                inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=fd)
                os.close(fd)
                fd = inner
            bottom = os.open(b"bottom", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644, dir_fd=fd)
            os.write(bottom, content)
            os.close(bottom)
        finally:
            os.close(fd)
        self.counts[f"chain of {levels} folders of {len(name)} bytes"] += 1

    def dress(self, choose: Callable[[Visit], Metadata]) -> None:
        """Puts the metadata that `choose` answers on every file once and on every folder after
        its content, the root last."""
        dressed = set()
        for visit in walk(self.dest):
            identity = (visit.status.st_dev, visit.status.st_ino)
            if visit.event == ENTER or identity in dressed:
                continue
            dressed.add(identity)
            apply(visit.dir_fd, visit.name, choose(visit), self.counts)


def _write_new(path: bytes, content: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    with os.fdopen(fd, "wb") as stream:
        stream.write(content)


def _write_sparse(path: bytes, size: int, pieces: Sequence[Tuple[int, bytes]]) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    try:
        for offset, piece in pieces:
            os.pwrite(fd, piece, offset)
        os.ftruncate(fd, size)
    except OSError:
        os.unlink(path)
        raise
    finally:
        os.close(fd)


def cleanup(dest) -> None:
    """Removes the tree at `dest` whatever its flags, modes and depth are. No error if absent."""
    if not os.path.isdir(dest):
        return
    for visit in walk(dest):
        if visit.event == ENTER:
            _unprotect(visit)
            os.chmod(visit.name, 0o700, dir_fd=visit.dir_fd)
        elif visit.event == ENTRY:
            _unprotect(visit)
            os.unlink(visit.name, dir_fd=visit.dir_fd)
        elif visit.event == LEAVE and visit.path != b".":
            os.rmdir(visit.name, dir_fd=visit.dir_fd)
    os.rmdir(dest)


def unprotect(dest) -> None:
    """Clears the flags that protect entries from change, everywhere at and below `dest`."""
    for visit in walk(dest):
        if visit.event != LEAVE:
            _unprotect(visit)


def _unprotect(visit: Visit) -> None:
    if stat.S_ISREG(visit.status.st_mode) or stat.S_ISDIR(visit.status.st_mode):
        Counts().try_to("flags", change_flags, visit.dir_fd, visit.name, clear=True)
