"""Named changes to the links of a small tree, each the trap of some copier: groups split, joined and
swapped, names moved between them, kinds exchanged. Files have one size and one time, so that
neither gives a change away."""

import os
import random
import shutil
from typing import Callable, Dict

SIZE = 100
MOMENT = 1_600_000_000_123_456_700  # whole steps of 100 ns, as NTFS has them


make_symlink = os.symlink  # a test on another file system puts its own in this place


def _write(path: str, letter: str, size: int = SIZE) -> None:
    with open(path, "xb") as stream:
        stream.write(letter.encode() * size)


def _link(old: str, new: str) -> None:
    os.link(old, new, follow_symlinks=False)


def _replace_by_link(old: str, new: str) -> None:
    """`new`, whatever it was, becomes a name of `old`."""
    os.unlink(new)
    _link(old, new)


def _swap(a: str, b: str) -> None:
    os.rename(a, a + ".spare")
    os.rename(b, a)
    os.rename(a + ".spare", b)


def _own_copy(path: str) -> None:
    """The name becomes a file of its own, the same in all else."""
    with open(path, "rb") as stream:
        content = stream.read()
    os.unlink(path)
    with open(path, "xb") as stream:
        stream.write(content)


def settle_times(top: str) -> None:
    """One time for everything below and for the folder itself."""
    for folder, folders, files in os.walk(top, topdown=False):
        for name in folders + files:
            os.utime(os.path.join(folder, name), ns=(MOMENT, MOMENT), follow_symlinks=False)
    os.utime(top, ns=(MOMENT, MOMENT))


def make_base(top: str, fifos: bool = True) -> None:
    """The tree that the changes are made to: groups {a,b,c}, {d,e}, {z1,z2}, single files, links,
    FIFOs, each kind with and without further names."""
    for folder in ("g", "h", "l", "p", "k/folder/below", "n/deep", "m"):
        os.makedirs(os.path.join(top, folder))
    at = lambda name: os.path.join(top, name)  # noqa: E731
    for first, further, letter in (("g/a", ("g/b", "g/c"), "A"), ("g/d", ("g/e",), "B"),
                                   ("n/deep/z1", ("m/z2",), "Z")):  # fmt: skip
        _write(at(first), letter)
        for name in further:
            _link(at(first), at(name))
    for number, name in enumerate(("h/f", "h/g", "h/h", "k/file", "k/folder/x", "k/folder/below/y")):
        _write(at(name), chr(ord("a") + number))
    for name in ("h/empty1", "h/empty2"):
        _write(at(name), "", 0)
    with open(at("h/large"), "xb") as stream:
        stream.write(b"L" * 300000)
        stream.truncate(1 << 20)
    make_symlink("../g/a", at("l/s1"))
    _link(at("l/s1"), at("l/s2"))
    make_symlink("../g/a", at("l/s3"))
    make_symlink("../g/b", at("l/s4"))
    _link(at("l/s4"), at("l/s5"))
    make_symlink("folder", at("k/link"))
    if fifos:
        os.mkfifo(at("p/1"))
        _link(at("p/1"), at("p/2"))
        os.mkfifo(at("p/3"))
    settle_times(top)


CHANGES: Dict[str, Callable[[str], None]] = {}


def _in_order(*steps) -> Callable[[str], None]:
    def run(top: str) -> None:
        for call, *names in steps:
            call(*(os.path.join(top, name) for name in names))

    return run


def _as_symlink(target: str) -> Callable[[str], None]:
    def run(path: str) -> None:
        shutil.rmtree(path) if os.path.isdir(path) and not os.path.islink(path) else os.unlink(path)
        make_symlink(target, path)

    return run


def _as_folder(path: str) -> None:
    os.unlink(path)
    os.mkdir(path)
    _write(os.path.join(path, "inside"), "i")


def _as_file(path: str) -> None:
    shutil.rmtree(path) if os.path.isdir(path) and not os.path.islink(path) else os.unlink(path)
    _write(path, "F")


def _as_fifo(path: str) -> None:
    os.unlink(path)
    os.mkfifo(path)


def _rewrite(path: str) -> None:
    with open(path, "r+b") as stream:
        stream.write(b"w" * SIZE)


def _cut(path: str) -> None:
    os.truncate(path, SIZE // 2)


def _all_hole(path: str) -> None:
    os.truncate(path, 0)
    os.truncate(path, 1 << 20)


def _chmod(path: str) -> None:
    os.chmod(path, 0o640)


def _mtime(path: str) -> None:
    os.utime(path, ns=(MOMENT, MOMENT + 1_000_000_000))


SIMPLE = {
    "a name leaves its group": [(_own_copy, "g/b")],
    "the first name leaves its group": [(_own_copy, "g/a")],
    "a group falls apart": [(_own_copy, "g/b"), (_own_copy, "g/c")],
    "two groups become one": [(_replace_by_link, "g/a", "g/d"), (_replace_by_link, "g/a", "g/e")],
    "a single file joins a group": [(_replace_by_link, "g/d", "h/f")],
    "a group joins a single file": [(_replace_by_link, "h/f", "g/d"), (_replace_by_link, "h/f", "g/e")],
    "two single files become one": [(_replace_by_link, "h/f", "h/g")],
    "names of two groups swapped": [(_swap, "g/a", "g/d")],
    "last names of two groups swapped": [(_swap, "g/c", "g/e")],
    "names of a group and a single file swapped": [(_swap, "g/a", "h/f")],
    "two single files swapped": [(_swap, "h/f", "h/g")],
    "three single files rotated": [(_swap, "h/f", "h/g"), (_swap, "h/g", "h/h")],
    "a name moves to another group": [(_replace_by_link, "g/d", "g/c")],
    "a first name moves to another group": [(_replace_by_link, "g/d", "g/a")],
    "all but one move to another group": [(_replace_by_link, "g/d", "g/a"), (_replace_by_link, "g/d", "g/b")],
    "names exchanged until a group is another's": [(_own_copy, "g/b"), (_swap, "g/b", "g/a")],
    "a name is gone": [(os.unlink, "g/b")],
    "a first name is gone": [(os.unlink, "g/a")],
    "a new first name": [(_link, "g/a", "a-first")],
    "a new last name": [(_link, "g/a", "z-last")],
    "a group renamed": [(os.rename, "g/a", "g/x"), (os.rename, "g/b", "g/y"), (os.rename, "g/c", "g/w")],
    "a group across folders split": [(_own_copy, "m/z2")],
    "a group's folder renamed": [(os.rename, "n", "o")],
    "folders of groups swapped": [(_swap, "n/deep", "m")],
    "a folder moved into another": [(os.rename, "m", "g/m")],
    "a symbolic link joins a group": [(_replace_by_link, "l/s1", "l/s3")],
    "symbolic links' groups become one": [(_replace_by_link, "l/s1", "l/s4"), (_replace_by_link, "l/s1", "l/s5")],
    "symbolic links swapped between groups": [(_swap, "l/s2", "l/s5")],
    "a symbolic link of a group is another": [(_as_symlink("../g/c"), "l/s2")],
    "a symbolic link retargeted": [(_as_symlink("../g/c"), "l/s3")],
    "a group of symbolic links falls apart": [(_as_symlink("../g/a"), "l/s2")],
    "a symbolic link becomes a group's name": [(_replace_by_link, "g/a", "l/s3")],
    "a group's name becomes a symbolic link": [(_as_symlink("a"), "g/b")],
    "a group's first name becomes a symbolic link": [(_as_symlink("b"), "g/a")],
    "a file becomes a symbolic link": [(_as_symlink("folder/x"), "k/file")],
    "a symbolic link becomes a file": [(_as_file, "l/s3")],
    "a folder becomes a symbolic link": [(_as_symlink("below"), "k/folder")],
    "a symbolic link becomes a folder": [(_as_folder, "k/link")],
    "a folder becomes a file": [(_as_file, "k/folder")],
    "a file becomes a folder": [(_as_folder, "k/file")],
    "a folder and the link to it swapped": [(_swap, "k/folder", "k/link")],
    "a symbolic link to itself": [(_as_symlink("s3"), "l/s3")],
    "a FIFO joins a group": [(_replace_by_link, "p/1", "p/3")],
    "a FIFO leaves its group": [(_as_fifo, "p/2")],
    "FIFOs swapped between groups": [(_swap, "p/2", "p/3")],
    "a FIFO becomes a group's name": [(_replace_by_link, "g/a", "p/2")],
    "a group's name becomes a FIFO's": [(_replace_by_link, "p/1", "g/b")],
    "a group rewritten": [(_rewrite, "g/b")],
    "a single file rewritten": [(_rewrite, "h/f")],
    "a group cut": [(_cut, "g/b")],
    "a file becomes a hole": [(_all_hole, "h/large")],
    "a group's mode": [(_chmod, "g/b")],
    "a group's time": [(_mtime, "g/b")],
    "empty files become one": [(_replace_by_link, "h/empty1", "h/empty2")],
}  # fmt: skip
for _name, _steps in SIMPLE.items():
    CHANGES[_name] = _in_order(*_steps)


def names_below(top: str):
    """Folders (without the top) and all other names below it, as paths."""
    folders, others = [], []
    for folder, inner, files in os.walk(top):
        for name in inner:
            path = os.path.join(folder, name)
            (others if os.path.islink(path) else folders).append(path)
        others += [os.path.join(folder, name) for name in files]
    return sorted(folders), sorted(others)


ACTIONS = ("swap", "join", "join", "own", "symlink", "folder", "file", "fifo", "move", "remove", "rewrite",
           "add", "folders")  # fmt: skip


def mix(top: str, seed: int, steps: int, actions=ACTIONS, more=None, may_join=lambda path: True) -> None:
    """Makes so many random changes of the same kinds; files keep one size and one time. `more` has actions of
    the caller's, by name, that turn a path into something else; `may_join` says what can have a further name."""
    rng = random.Random(seed)
    for number in range(steps):
        folders, others = names_below(top)
        if len(others) < 2:
            break
        a, b = rng.sample(others, 2)
        action = rng.choice(actions)
        if action == "swap":
            _swap(a, b)
        elif action == "join" and may_join(a):
            _replace_by_link(a, b)
        elif action == "own" and os.path.isfile(a) and not os.path.islink(a):
            _own_copy(a)
        elif action == "symlink":
            _as_symlink(rng.choice(["x", ".", "../g/a", "/etc"]))(a)
        elif action == "folder":
            _as_folder(a)
        elif action == "file":
            _as_file(a)
        elif action == "fifo":
            _as_fifo(a)
        elif action == "move":
            os.rename(a, os.path.join(rng.choice(folders or [top]), f"moved{number}"))
        elif action == "remove":
            os.unlink(a)
        elif action == "rewrite" and os.path.isfile(a) and not os.path.islink(a):
            _rewrite(a)
        elif action == "add":
            _write(os.path.join(rng.choice(folders or [top]), f"new{number}"), rng.choice("ABCDEF"))
        elif action == "folders" and folders:
            folder = rng.choice(folders)
            rng.choice([shutil.rmtree, _as_symlink("."), _as_file])(folder)
        elif more and action in more:
            more[action](a, rng)
    settle_times(top)
