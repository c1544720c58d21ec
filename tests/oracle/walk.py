"""Walk a tree on open directory handles, never through a link, at any depth.

The walk promises: no path of more than one component reaches the kernel below the root, no
recursion in Python, at most OPEN_LIMIT directory handles open at once. A parent whose handle was
given up is reached again by "..", and its identity is checked.
"""

import os
import stat
from typing import Iterator, NamedTuple

OPEN_LIMIT = 64
ENTER = "enter"  # a folder, before it is opened and before its content
LEAVE = "leave"  # the same folder, after its content
ENTRY = "entry"  # anything that is not a folder

_OPEN_DIR = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Visit(NamedTuple):
    """One step of the walk. `dir_fd` and `name` reach the entry and are valid until the next
    step; `path` is relative to the root, b"." for the root itself."""

    event: str
    path: bytes
    dir_fd: int
    name: bytes
    status: os.stat_result


class TreeChanged(Exception):
    """A folder was moved while it was walked."""


class _Folder:
    """One folder on the way from the root to where the walk stands."""

    def __init__(self, path: bytes, name: bytes, status: os.stat_result, fd: int):
        self.path = path
        self.name = name
        self.status = status
        self.fd = fd
        self.names = iter(sorted(os.fsencode(n) for n in os.listdir(fd)))

    def child_path(self, name: bytes) -> bytes:
        return name if self.path == b"." else self.path + b"/" + name


def walk(root: bytes) -> Iterator[Visit]:
    """Yields every entry below and including `root` in canonical order: a folder before its
    content (ENTER) and again after it (LEAVE), siblings by the bytes of their names. A link as
    the root's last component is followed when it leads to a folder."""
    root = os.fsencode(root)
    try:
        fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except NotADirectoryError:
        yield from _walk_single(root)
        return
    try:
        yield Visit(ENTER, b".", fd, b".", os.stat(fd))
        stack = [_Folder(b".", b".", os.stat(fd), fd)]
    except BaseException:
        os.close(fd)
        raise
    try:
        yield from _walk_stack(stack)
    finally:
        for folder in stack:
            if folder.fd >= 0:
                os.close(folder.fd)


def _walk_single(root: bytes) -> Iterator[Visit]:
    parent, name = os.path.split(root)
    fd = os.open(parent or b".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        status = os.stat(name, dir_fd=fd, follow_symlinks=False)
        yield Visit(ENTRY, b".", fd, name, status)
    finally:
        os.close(fd)


def _walk_stack(stack: list) -> Iterator[Visit]:
    while stack:
        folder = stack[-1]
        name = next(folder.names, None)
        if name is None:
            yield from _leave(stack)
            continue
        status = os.stat(name, dir_fd=folder.fd, follow_symlinks=False)
        path = folder.child_path(name)
        if not stat.S_ISDIR(status.st_mode):
            yield Visit(ENTRY, path, folder.fd, name, status)
            continue
        yield Visit(ENTER, path, folder.fd, name, status)
        fd = os.open(name, _OPEN_DIR, dir_fd=folder.fd)
        stack.append(_Folder(path, name, status, fd))
        if len(stack) > OPEN_LIMIT:
            _give_up(stack[-1 - OPEN_LIMIT])


def _give_up(folder: _Folder) -> None:
    if folder.fd >= 0:
        os.close(folder.fd)
        folder.fd = -1


def _leave(stack: list) -> Iterator[Visit]:
    """Closes the innermost folder and yields its LEAVE with its parent's handle open."""
    folder = stack.pop()
    try:
        if not stack:
            yield Visit(LEAVE, folder.path, folder.fd, b".", folder.status)
            return
        parent = stack[-1]
        if parent.fd < 0:
            parent.fd = _reopen_parent(parent, folder.fd)
    finally:
        os.close(folder.fd)
    yield Visit(LEAVE, folder.path, parent.fd, folder.name, folder.status)


def _reopen_parent(parent: _Folder, child_fd: int) -> int:
    fd = os.open("..", _OPEN_DIR, dir_fd=child_fd)
    status = os.stat(fd)
    if (status.st_dev, status.st_ino) != (parent.status.st_dev, parent.status.st_ino):
        os.close(fd)
        raise TreeChanged(os.fsdecode(parent.path))
    return fd
