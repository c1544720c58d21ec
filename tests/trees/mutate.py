"""Random changes to a tree that a restore has to undo: links swapped, joined and split, kinds
exchanged, files rewritten, extras added."""

import os
import random
from typing import List

from oracle.walk import ENTER, LEAVE, walk
from trees.maker import unprotect

_MAX_PATH = 3500  # leaves what lies deeper alone: path-based calls cannot reach it


def mutate(dest, seed: int, steps: int) -> List[str]:
    """Changes the tree at `dest` in about `steps` ways and returns what was done. File flags that
    protect entries are cleared first. Times are those of the changes."""
    rng = random.Random(seed)
    dest = os.fsencode(dest)
    unprotect(dest)
    done = []
    for number in range(steps):
        folders, others = _paths(dest)
        action = rng.choice([_swap, _join, _split, _remove, _rewrite, _exchange, _add, _truncate])
        path = rng.choice(others) if others else None
        folder = rng.choice(folders)
        if path is not None or action is _add:
            action(rng, path, rng.choice(others or [None]), folder, b"mutant %d %d" % (seed, number))
            done.append(f"{action.__name__[1:]} {path!r} {folder!r}")
    return done


def _paths(dest: bytes):
    folders, others = [dest], []
    for visit in walk(dest):
        if visit.event == LEAVE or visit.path == b"." or len(visit.path) > _MAX_PATH:
            continue
        (folders if visit.event == ENTER else others).append(dest + b"/" + visit.path)
    return folders, others


def _swap(rng, path, other, folder, name) -> None:
    spare = folder + b"/" + name
    os.rename(path, spare)
    if path != other:
        os.rename(other, path)
    os.rename(spare, other)


def _join(rng, path, other, folder, name) -> None:
    if path != other:
        os.unlink(path)
        os.link(other, path, follow_symlinks=False)


def _split(rng, path, other, folder, name) -> None:
    """The name becomes a file of its own with the same content and time, if it is a file."""
    status = os.lstat(path)
    if os.path.islink(path) or not os.path.isfile(path) or status.st_size > 1 << 24:
        return
    with open(path, "rb") as stream:
        content = stream.read()
    os.unlink(path)
    _rewrite_with(path, content)
    os.utime(path, ns=(status.st_mtime_ns, status.st_mtime_ns))


def _remove(rng, path, other, folder, name) -> None:
    os.unlink(path)


def _rewrite(rng, path, other, folder, name) -> None:
    os.unlink(path)
    _rewrite_with(path, rng.randbytes(rng.randrange(5000)))


def _truncate(rng, path, other, folder, name) -> None:
    if os.path.isfile(path) and not os.path.islink(path):
        os.truncate(path, rng.randrange(3) * 1000)


def _exchange(rng, path, other, folder, name) -> None:
    """Another kind of thing stands where a name was."""
    os.unlink(path)
    # XFS holds 1024 bytes of a target.
    makers = [os.mkfifo, os.mkdir, lambda at: os.symlink(other[-1000:], at), _full_folder]
    rng.choice(makers)(path)


def _full_folder(path: bytes) -> None:
    os.mkdir(path)
    _rewrite_with(path + b"/inside", b"inside")


def _add(rng, path, other, folder, name) -> None:
    rng.choice([_full_folder, os.mkfifo, lambda at: os.symlink(b"/etc", at)])(folder + b"/" + name)


def _rewrite_with(path: bytes, content: bytes) -> None:
    with open(path, "wb") as stream:
        stream.write(content)
