"""One planted defect for each field and kind: each changes a copy of the full tree (full.py) in
one way and knows the exact differences that a judge must then name.

A defect never leaves a trace in a folder's time, so that what it planted is the only difference.
"""

import contextlib
import os
import stat
from dataclasses import dataclass
from typing import Callable, List, Optional, Tuple

from trees.full import ACL
from trees.metadata import USER, acl_bytes, capability_bytes, change_flags

# (kind, path, field) in the vocabulary of verify's JSON; the field of metadata alone.
Expected = Tuple[str, bytes, Optional[str]]


@dataclass(frozen=True)
class Defect:
    """`plant(root)` makes the defect; a comparison with the untouched tree as A must then name
    `expected`, no more and no less. `holes_only`: verify must be silent, the oracle may not."""

    name: str
    plant: Callable[[bytes], None]
    expected: Tuple[Expected, ...]
    holes_only: bool = False


DEFECTS: List[Defect] = []


def _defect(name: str, *expected: Expected, holes_only: bool = False):
    def register(plant):
        DEFECTS.append(Defect(name, plant, expected, holes_only))
        return plant

    return register


@contextlib.contextmanager
def _times_kept(*paths: bytes):
    """Gives each of `paths` its own mtime back after the block."""
    times = [(path, os.lstat(path).st_mtime_ns) for path in paths]
    yield
    for path, moment in times:
        if os.path.lexists(path):
            os.utime(path, ns=(moment, moment), follow_symlinks=False)


def _at(root: bytes, path: bytes) -> Tuple[bytes, bytes]:
    """The full path of an entry and that of its folder."""
    full = os.path.join(root, path)
    return full, os.path.dirname(full)


@_defect("missing file", ("missing", b"files/513 bytes", None))
def _(root):
    full, folder = _at(root, b"files/513 bytes")
    with _times_kept(folder):
        os.unlink(full)


@_defect("missing folder", ("missing", b"empty/below/below", None))
def _(root):
    full, folder = _at(root, b"empty/below/below")
    with _times_kept(folder):
        os.rmdir(full)


@_defect("missing symlink", ("missing", b"links/dangling", None))
def _(root):
    full, folder = _at(root, b"links/dangling")
    with _times_kept(folder):
        os.unlink(full)


@_defect("extra file", ("extra", b"files/extra", None))
def _(root):
    full, folder = _at(root, b"files/extra")
    with _times_kept(folder):
        with open(full, "wb") as stream:
            stream.write(b"not in the source")


@_defect("extra folder", ("extra", b"empty/extra", None))
def _(root):
    full, folder = _at(root, b"empty/extra")
    with _times_kept(folder):
        os.mkdir(full)


@_defect("extra symlink", ("extra", b"links/extra", None))
def _(root):
    full, folder = _at(root, b"links/extra")
    with _times_kept(folder):
        os.symlink(b"goal", full)


@_defect("extra name of a file", ("extra", b"groups/extra name", None))
def _(root):
    full, folder = _at(root, b"groups/extra name")
    with _times_kept(folder):
        os.link(os.path.join(root, b"groups/file"), full)


@_defect("missing name of a group", ("missing", b"groups/far/file too", None))
def _(root):
    full, folder = _at(root, b"groups/far/file too")
    with _times_kept(folder):
        os.unlink(full)


@_defect("missing first name of a group", ("missing", b"groups/file", None))
def _(root):
    full, folder = _at(root, b"groups/file")
    with _times_kept(folder):
        os.unlink(full)


@_defect(
    "one missing and one extra name of a large group",
    ("missing", b"groups/big/050", None),
    ("extra", b"groups/big/050 extra", None),
)
def _(root):
    full, folder = _at(root, b"groups/big/050")
    with _times_kept(folder):
        os.rename(full, full + b" extra")


@_defect("symlink became a file", ("kind", b"links/relative", None))
def _(root):
    full, folder = _at(root, b"links/relative")
    with _times_kept(folder, full):
        os.unlink(full)
        with open(full, "wb") as stream:
            stream.write(b"what the links lead to")


@_defect("symlink became a folder", ("kind", b"links/to folder", None))
def _(root):
    full, folder = _at(root, b"links/to folder")
    with _times_kept(folder):
        os.unlink(full)
        os.mkdir(full)


@_defect("folder became a symlink", ("kind", b"links/folder", None))
def _(root):
    full, folder = _at(root, b"links/folder")
    with _times_kept(folder):
        os.rmdir(full)
        os.symlink(b"../files", full)


@_defect("fifo became a file", ("kind", b"nodes/fifo", None))
def _(root):
    full, folder = _at(root, b"nodes/fifo")
    with _times_kept(folder):
        os.unlink(full)
        with open(full, "wb"):
            pass


@_defect("socket became a fifo", ("kind", b"nodes/socket", None))
def _(root):
    full, folder = _at(root, b"nodes/socket")
    with _times_kept(folder):
        os.unlink(full)
        os.mkfifo(full)


def _overwrite(full: bytes, offset: int, content: bytes) -> None:
    with _times_kept(full):
        with open(full, "r+b") as stream:
            stream.seek(offset)
            stream.write(content)


@_defect("one byte, same size and time", ("data", b"files/65537 bytes", None))
def _(root):
    _overwrite(os.path.join(root, b"files/65537 bytes"), 40000, b"\xff")


@_defect("last byte of a large file", ("data", b"files/large", None))
def _(root):
    full = os.path.join(root, b"files/large")
    _overwrite(full, os.path.getsize(full) - 1, b"!")


@_defect("one byte in a hole", ("data", b"sparse/huge", None))
def _(root):
    _overwrite(os.path.join(root, b"sparse/huge"), 1 << 30, b"!")


@_defect("another size", ("data", b"files/512 bytes", None))
def _(root):
    full = os.path.join(root, b"files/512 bytes")
    with _times_kept(full):
        os.truncate(full, 511)


@_defect("hole filled with zeros", holes_only=True)
def _(root):
    _overwrite(os.path.join(root, b"sparse/middle"), 256 << 10, bytes(256 << 10))


def _retarget(root: bytes, path: bytes, target: bytes) -> None:
    full, folder = _at(root, path)
    status = os.lstat(full)
    with _times_kept(folder, full):
        os.unlink(full)
        os.symlink(target, full)
        os.chown(full, status.st_uid, status.st_gid, follow_symlinks=False)


@_defect("target changed", ("target", b"links/absolute dangling", None))
def _(root):
    _retarget(root, b"links/absolute dangling", b"/nonexistent/\xfe\n")


@_defect("target's last slash lost", ("target", b"links/slash", None))
def _(root):
    _retarget(root, b"links/slash", b"folder")


def _copy_over(root: bytes, path: bytes) -> None:
    """Replaces a name by a file of its own with equal content and metadata."""
    full, folder = _at(root, path)
    status = os.lstat(full)
    with _times_kept(folder, full):
        with open(full, "rb") as stream:
            content = stream.read()
        os.unlink(full)
        with open(full, "wb") as stream:
            stream.write(content)
        os.chown(full, status.st_uid, status.st_gid)
        os.chmod(full, stat.S_IMODE(status.st_mode))


@_defect("name split from its group", ("split", b"groups/file again", None))
def _(root):
    _copy_over(root, b"groups/file again")


@_defect("name split from a large group", ("split", b"groups/big/077", None))
def _(root):
    _copy_over(root, b"groups/big/077")


@_defect("symlink split from its group", ("split", b"groups/link too", None))
def _(root):
    _retarget(root, b"groups/link too", b"file")


@_defect("two files joined", ("joined", b"groups/twin b", None))
def _(root):
    full, folder = _at(root, b"groups/twin b")
    with _times_kept(folder):
        os.unlink(full)
        os.link(os.path.join(folder, b"twin a"), full)


def _mode_defect(name: str, path: bytes, mode: int, at: bytes = b"") -> None:
    """Another mode at `path`, or at another name `at` of the same file."""
    expected = (("metadata", path, "mode"),)
    plant = lambda root: os.chmod(os.path.join(root, at or path), mode)  # noqa: E731
    DEFECTS.append(Defect(name, plant, expected))


_mode_defect("mode", b"files/511 bytes", 0o600)
_mode_defect("setuid bit", b"attributes/mode 4755", 0o755)
_mode_defect("mode of a folder", b"links", 0o700)
_mode_defect("mode of a fifo", b"nodes/fifo", 0o620)
_mode_defect("mode of a group of names", b"groups/big/000", 0o600, at=b"groups/big/099")


@_defect("owner", ("metadata", b"files/1 bytes", "owner"))
def _(root):
    os.chown(os.path.join(root, b"files/1 bytes"), 4711, -1)


@_defect("group", ("metadata", b"many", "group"))
def _(root):
    os.chown(os.path.join(root, b"many"), -1, 4711)


@_defect("owner of a symlink", ("metadata", b"links/absolute", "owner"))
def _(root):
    os.chown(os.path.join(root, b"links/absolute"), 4711, -1, follow_symlinks=False)


def _later(root: bytes, path: bytes) -> None:
    full = os.path.join(root, path)
    moment = os.lstat(full).st_mtime_ns + 1
    os.utime(full, ns=(moment, moment), follow_symlinks=False)


def _time_defect(what: str, path: bytes) -> None:
    expected = (("metadata", path, "mtime"),)
    DEFECTS.append(Defect(f"1 ns later: {what}", lambda root: _later(root, path), expected))


_time_defect("file", b"files/4096 bytes")
_time_defect("folder", b"sparse")
_time_defect("symlink", b"links/self")
_time_defect("fifo", b"nodes/fifo")
_time_defect("device", b"nodes/null")
_time_defect("file before 1970", b"times/file -1250000000")
_time_defect("the root", b".")


def _set_xattr(root: bytes, path: bytes, name: bytes, value: Optional[bytes]) -> None:
    full = os.path.join(root, path)
    if value is None:
        os.removexattr(full, name, follow_symlinks=False)
    else:
        os.setxattr(full, name, value, follow_symlinks=False)


@_defect("xattr value", ("metadata", b"attributes/xattrs", "xattr user.with nul"))
def _(root):
    _set_xattr(root, b"attributes/xattrs", b"user.with nul", b"before\0After\n")


@_defect("xattr missing", ("metadata", b"attributes/folder xattrs", "xattr user.empty"))
def _(root):
    _set_xattr(root, b"attributes/folder xattrs", b"user.empty", None)


@_defect("xattr extra", ("metadata", b"files/0 bytes", "xattr user.extra"))
def _(root):
    _set_xattr(root, b"files/0 bytes", b"user.extra", b"")


@_defect("xattr of a symlink", ("metadata", b"links/absolute", "xattr trusted.on link"))
def _(root):
    _set_xattr(root, b"links/absolute", b"trusted.on link", b"changed")


@_defect("capability", ("metadata", b"attributes/capability", "xattr security.capability"))
def _(root):
    _set_xattr(root, b"attributes/capability", b"security.capability", capability_bytes(1 << 12))


def _changed_acl() -> bytes:
    return acl_bytes([(t, 0 if (t, n) == (USER, 70000) else bits, n) for t, bits, n in ACL])


@_defect("ACL entry", ("metadata", b"attributes/acl", "acl"))
def _(root):
    _set_xattr(root, b"attributes/acl", b"system.posix_acl_access", _changed_acl())


@_defect("default ACL entry", ("metadata", b"attributes/folder acl", "default acl"))
def _(root):
    _set_xattr(root, b"attributes/folder acl", b"system.posix_acl_default", _changed_acl())


@_defect("default ACL missing", ("metadata", b"attributes/folder acl", "default acl"))
def _(root):
    _set_xattr(root, b"attributes/folder acl", b"system.posix_acl_default", None)


def _add_flag(root: bytes, path: bytes, flag: str) -> None:
    full, folder = _at(root, path)
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        change_flags(fd, os.path.basename(full), (flag,), clear=flag == "nodump")
    finally:
        os.close(fd)


@_defect("flag extra", ("metadata", b"files/4095 bytes", "flags"))
def _(root):
    _add_flag(root, b"files/4095 bytes", "immutable")


@_defect("flag of a folder", ("metadata", b"many", "flags"))
def _(root):
    _add_flag(root, b"many", "append")


@_defect("flag changed", ("metadata", b"attributes/flag append", "flags"))
def _(root):
    _add_flag(root, b"attributes/flag append", "nodump")


@_defect("device number", ("metadata", b"nodes/null", "device"))
def _(root):
    full, folder = _at(root, b"nodes/null")
    status = os.lstat(full)
    with _times_kept(folder, full):
        os.unlink(full)
        os.mknod(full, status.st_mode, os.makedev(1, 5))
        os.chmod(full, stat.S_IMODE(status.st_mode))
