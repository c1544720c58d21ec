"""Draws for random trees: names, contents, link targets and metadata, odd ones as often as
plain ones."""

import random
import stat
from typing import List, Tuple

from trees.metadata import GROUP, GROUP_OBJ, MASK, NOBODY, OTHER, USER, USER_OBJ, Metadata

_EARLIEST, _LATEST = -(2**31), 15032385534  # what ext4 holds with inodes of 256 bytes
_ODD_BYTES = [b for b in range(1, 256) if b != 0x2F]
_LETTERS = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
_FIXED_NAMES = [
    b"new\nline", b"tab\t", b" leading", b"trailing ", b"-f", b"--", b"back\\slash", b"...",
    b"\xff\xfe", b"\xc3", b"\xed\xa0\x80", b"\xf0\x9f\x98\x80", b"%41", b"a=b", b"*", b"[a-b]?",
    b"\x1b[2J", b"\xe2\x80\xae", b"~", b"x~2", b"'", b'"', b"$HOME", b"`id`", b"C:", b"nul.txt",
    b"@LongLink", b"PaxHeaders", b"#", b"!", b";", b"&", b"|", b"a" * 100, b"\xc3\xa9" * 60,
]  # fmt: skip
_SIZES = [0, 1, 100, 511, 512, 513, 1000, 4095, 4096, 4097, 10240, 65536, 100000]
_NUMBERS = [0, 1, 2, 1000, 65534, 65535, 2097151, 2097152, 2**31 - 1, 2**31, 2**32 - 2]
_XATTR_NAMES = [
    b"plain", b"with space", b"a=b", b"%", b"%41", b"\xc3\xa9", b"\xff\xfe", b"new\nline",
    b"dotted.name", b"UPPER", b"n" * 200, b"\x01",
]  # fmt: skip


def random_name(rng: random.Random) -> bytes:
    """A name of 1 to 255 bytes, never "." or "..", without "/" and NUL."""
    choice = rng.random()
    if choice < 0.45:
        name = bytes(rng.choices(_LETTERS, k=rng.randint(1, 12)))
    elif choice < 0.75:
        name = rng.choice(_FIXED_NAMES) + (b"%d" % rng.randrange(100))
    elif choice < 0.90:
        name = bytes(rng.choices(_ODD_BYTES, k=rng.randint(1, 20)))
    else:
        name = bytes(rng.choices(_LETTERS, k=rng.choice([98, 99, 100, 101, 155, 200, 254, 255])))
    return name + b"_" if name in (b".", b"..") else name


def random_content(rng: random.Random) -> bytes:
    """Compressible or random bytes of sizes round the block sizes, seldom some megabytes."""
    size = rng.choice(_SIZES)
    if rng.random() < 0.02:
        size = rng.randrange(1 << 20, 10 << 20)
    unit = rng.randbytes(rng.choice([1, 40, 1000, 65536]))
    return (unit * (size // len(unit) + 1))[:size]


def random_target(rng: random.Random, path: bytes, names: List[bytes]) -> Tuple[bytes, str]:
    """A link target for the link `path`, and the item it is counted under."""
    choice = rng.random()
    if choice < 0.40 and names:
        return b"../" * path.count(b"/") + rng.choice(names), "relative"
    if choice < 0.50:
        return rng.choice([b".", b"..", b"./", b"../..", b"//x//y/"]), "relative"
    if choice < 0.65:
        return rng.choice([b"/etc/passwd", b"/", b"/nonexistent/x"]), "absolute"
    if choice < 0.80:
        return random_name(rng) + b"-nowhere", "dangling"
    if choice < 0.93:
        return bytes(rng.choices(_ODD_BYTES + [0x2F], k=rng.randint(1, 120))), "any bytes"
    length = rng.choice([99, 100, 101, 255, 1023])
    if rng.random() < 0.3:
        length = 4095
    return (b"target/" * 600)[:length], f"of {length} bytes"


def random_metadata(rng: random.Random, status, user: bool) -> Metadata:
    """Metadata for an entry with lstat `status`. For an ordinary user nothing that would make
    the entry unreadable or needs rights."""
    kind = stat.S_IFMT(status.st_mode)
    result = Metadata(mtime_ns=_time(rng))
    if not user and rng.random() < 0.5:
        result.uid, result.gid = rng.choice(_NUMBERS), rng.choice(_NUMBERS)
    if rng.random() < 0.6:
        result.mode = rng.choice([0, 0o4755, 0o2711, 0o1777, 0o7777, rng.randrange(0o10000)])
        if user:
            result.mode = result.mode & 0o1777 | 0o700
    if rng.random() < 0.35:
        _add_attributes(rng, kind, user, result)
    if kind == stat.S_IFREG and not user and rng.random() < 0.08:
        result.capability = rng.randrange(1, 1 << 40)
    if kind != stat.S_IFLNK and rng.random() < 0.12:
        result.acl = _acl(rng)
    if kind == stat.S_IFDIR and rng.random() < 0.2:
        result.default_acl = _acl(rng)
    if kind in (stat.S_IFREG, stat.S_IFDIR) and rng.random() < 0.1:
        protecting = () if user else ("immutable", "append")
        result.flags = (rng.choice(("nodump", "noatime") + protecting),)
    return result


def _time(rng: random.Random) -> int:
    special = [0, -1, -1250000000, 1, 2**31 * 10**9, 2**33 * 10**9 - 1, 10**18]
    if rng.random() < 0.3:
        return rng.choice(special)
    return rng.randrange(_EARLIEST, _LATEST) * 10**9 + rng.randrange(10**9)


def _add_attributes(rng: random.Random, kind: int, user: bool, result: Metadata) -> None:
    spaces = [b"user."] if kind in (stat.S_IFREG, stat.S_IFDIR) else []
    if not user:
        spaces += [b"trusted.", b"security."]
    room = 2800  # one block of ext4 holds names, values and the ACLs
    for _ in range(rng.randint(1, 5) if spaces else 0):
        name = rng.choice(spaces) + rng.choice(_XATTR_NAMES)
        sizes = [0, 1, 10, 100, 2000]
        value = rng.choice([rng.randbytes, bytes])(rng.choice(sizes))
        room -= len(name) + len(value) + 32
        if room > 0:
            result.xattrs[name] = value


def _acl(rng: random.Random) -> list:
    def bits() -> int:
        return rng.randrange(8)

    if rng.random() < 0.2:
        return [(USER_OBJ, 7, NOBODY), (GROUP_OBJ, bits(), NOBODY), (OTHER, bits(), NOBODY)]
    users = sorted(rng.sample(_NUMBERS, rng.randint(1, 4)))
    groups = sorted(rng.sample(_NUMBERS, rng.randint(0, 3)))
    return (
        [(USER_OBJ, 7, NOBODY)]
        + [(USER, bits(), number) for number in users]
        + [(GROUP_OBJ, bits(), NOBODY)]
        + [(GROUP, bits(), number) for number in groups]
        + [(MASK, bits(), NOBODY), (OTHER, bits(), NOBODY)]
    )
