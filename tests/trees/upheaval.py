"""A copy that is out of date in every way at once: a source, a copy of what it was, names outside of
the copy that are files in it. What a run that is cut off can do harm to."""

import os
import random

from trees.relink import MOMENT, make_base, mix, names_below, settle_times

NEW_FILES = 12  # small ones, in each new folder


def _write(path: str, content: bytes) -> None:
    with open(path, "wb") as stream:
        stream.write(content)


def make_before(top: str, parts: int) -> None:
    """What the source was: so many small trees of links, a large file, files to be changed in place."""
    os.mkdir(top)
    for part in range(parts):
        make_base(f"{top}/part{part}")
        inner = f"{top}/part{part}/plain"
        os.makedirs(inner + "/mode")
        for name in ("mode/a", "mode/b", "owner", "attribute", "time", "content"):
            _write(f"{inner}/{name}", f"{part} {name}".encode())
        os.setxattr(inner + "/attribute", "user.colour", b"red")
    _write(f"{top}/large", b"before" * 200000)
    settle_times(top)


def make_after(top: str, seed: int) -> None:
    """What became of it: each part changed in forty ways, new folders, metadata, a large file."""
    rng = random.Random(seed)
    for number, part in enumerate(sorted(name for name in os.listdir(top) if name.startswith("part"))):
        inner = f"{top}/{part}/plain"
        os.chmod(inner + "/mode/a", 0o640)
        os.chmod(inner + "/mode", 0o711)
        os.chown(inner + "/owner", 5, 6)
        os.setxattr(inner + "/attribute", "user.colour", b"blue")
        _write(inner + "/content", rng.randbytes(rng.randrange(20000)))
        mix(f"{top}/{part}", seed * 100 + number, 40)
        _make_new(f"{top}/{part} new", rng)
    _write(f"{top}/large", b"after!" * 180000 + rng.randbytes(1000))
    settle_times(top)
    for folder, _, files in os.walk(top):
        if folder.endswith("/plain") and "time" in files:
            os.utime(folder + "/time", ns=(MOMENT, MOMENT + 10**9), follow_symlinks=False)


def _make_new(top: str, rng: random.Random) -> None:
    """A new folder of small files, further names of them and of an old file, links."""
    os.makedirs(top + "/deeper/still")
    for number in range(NEW_FILES):
        path = f"{top}/{rng.choice(['', 'deeper/', 'deeper/still/'])}file{number}"
        _write(path, rng.randbytes(rng.randrange(3000)))
        if number % 3 == 0:
            os.link(path, f"{top}/name{number}")
        if number % 4 == 0:
            os.symlink("file0", f"{top}/deeper/link{number}")
    _write(top + "/deeper/middling", rng.randbytes(100000))


def age(dest: str, outside: str) -> None:
    """What happened to the copy: names elsewhere of every third file, things that the source lacks, and
    others in the place of what it has."""
    os.mkdir(outside)
    _, others = names_below(dest)
    for number, path in enumerate(others):
        if number % 3 == 0:
            os.link(path, f"{outside}/{number}", follow_symlinks=False)
    for part in sorted(name for name in os.listdir(dest) if name.startswith("part")):
        top = f"{dest}/{part}"
        os.makedirs(top + "/extra/inside")
        _write(top + "/extra/inside/file", b"extra")
        os.link(top + "/extra/inside/file", f"{outside}/extra of {part}")
        _write(top + "/g/more", b"more")
        os.unlink(top + "/h/g")
        os.makedirs(top + "/h/g/was/a file")
        _write(top + "/h/g/was/here", b"in the way")
        _write(f"{dest}/{part} new", b"a file where a folder comes")
