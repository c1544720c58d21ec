"""Name every difference between two snapshots, in the words that `holdfast verify` uses.

Name groups are compared over the names that both sides have, so that one name missing from a
large group is one difference. What belongs to a file and not to a name (data, metadata) is
reported once, at the first name where the two files meet.
"""

from typing import Dict, Iterable, Iterator, NamedTuple, Optional

from oracle.record import FLAG_NAMES, Record

Snapshot = Dict[bytes, Record]

# ext4 and XFS count blocks of extent trees, ACLs and xattrs to the file as well.
_HIDDEN_BLOCKS_BYTES = 131072


class Difference(NamedTuple):
    """`kind` and `field` are the vocabulary of verify's JSON (and "holes", which verify does not
    judge); `field` is set for metadata alone, `other` for joined and split alone."""

    kind: str
    path: bytes
    field: Optional[str] = None
    a: str = ""
    b: str = ""
    other: Optional[bytes] = None

    def __str__(self) -> str:
        words = [self.kind, ascii(self.path)[1:]]
        if self.field:
            words.append(self.field)
        if self.other is not None:
            words.append("with " + ascii(self.other)[1:])
        if self.a or self.b:
            words.append(f"({self.a} in A, {self.b} in B)")
        return " ".join(words)


def canonical_key(path: bytes) -> bytes:
    """Sorts paths depth first, a folder before its content, siblings by unsigned bytes: no name
    holds a NUL, and a NUL sorts before every other byte."""
    return b"" if path == b"." else path.replace(b"/", b"\0")


def compare(a: Snapshot, b: Snapshot, ignore: Iterable[str] = ()) -> Iterator[Difference]:
    """Yields each difference of `b` from the reference `a` in canonical order. `ignore` holds
    kinds ("holes", "split") and metadata fields ("owner", "xattr", "xattr user.x")."""
    ignored = frozenset(ignore)
    for difference in _compare_all(a, b):
        field = difference.field or ""
        if not ignored & {difference.kind, field, field.split(" ")[0]}:
            yield difference


def _compare_all(a: Snapshot, b: Snapshot) -> Iterator[Difference]:
    groups = _Groups()
    for path in _canonical_merge(a, b):
        left, right = a.get(path), b.get(path)
        if right is None:
            yield Difference("missing", path, a=left.kind)
        elif left is None:
            yield Difference("extra", path, b=right.kind)
        elif left.kind != right.kind:
            yield Difference("kind", path, a=left.kind, b=right.kind)
        else:
            if left.kind != "directory":
                yield from groups.compare(path, left, right)
            if groups.first_meeting(left, right):
                yield from _compare_records(path, left, right)


def _canonical_merge(a: Snapshot, b: Snapshot) -> Iterator[bytes]:
    """Every path of either side in canonical order, which each snapshot has already."""
    if a.keys() == b.keys():
        return iter(a)
    return iter(sorted(a.keys() | b.keys(), key=canonical_key))


class _Groups:
    """Which file of A meets which file of B, in both directions, each with its first name."""

    def __init__(self):
        self._a_to_b = {}
        self._b_to_a = {}
        self._met = set()

    def compare(self, path: bytes, left: Record, right: Record) -> Iterator[Difference]:
        partner, first = self._a_to_b.setdefault(left.identity, (right.identity, path))
        if partner != right.identity:
            yield Difference("split", path, other=first)
        partner, first = self._b_to_a.setdefault(right.identity, (left.identity, path))
        if partner != left.identity:
            yield Difference("joined", path, other=first)

    def first_meeting(self, left: Record, right: Record) -> bool:
        pair = (left.identity, right.identity)
        if pair in self._met:
            return False
        self._met.add(pair)
        return True


def _compare_records(path: bytes, left: Record, right: Record) -> Iterator[Difference]:
    if left.target != right.target:
        yield Difference("target", path, a=ascii(left.target), b=ascii(right.target))
    if (left.size, left.data) != (right.size, right.data):
        yield Difference("data", path, a=f"{left.size} bytes", b=f"{right.size} bytes")
    else:
        yield from _compare_holes(path, left, right)
    yield from _compare_metadata(path, left, right)


def _compare_holes(path: bytes, left: Record, right: Record) -> Iterator[Difference]:
    grain = max(left.block_size, right.block_size, 1)
    limit, done = 0, 0
    for start, length in left.extents:
        begin = max(done, start - start % grain)
        done = -(-(start + length) // grain) * grain
        limit += max(0, done - begin)
    used = sum(length for _, length in right.extents)
    if used > limit or right.blocks * 512 > max(limit, left.blocks * 512) + _HIDDEN_BLOCKS_BYTES:
        yield Difference("holes", path, a=f"{limit} bytes", b=f"{used} bytes")


def _compare_metadata(path: bytes, left: Record, right: Record) -> Iterator[Difference]:
    fields = [
        ("mode", f"{left.mode:04o}", f"{right.mode:04o}"),
        ("owner", left.uid, right.uid),
        ("group", left.gid, right.gid),
        ("mtime", _time_text(left.mtime_ns), _time_text(right.mtime_ns)),
        ("device", left.device, right.device),
        ("acl", left.acl, right.acl),
        ("default acl", left.default_acl, right.default_acl),
        ("flags", _flag_text(left.flags), _flag_text(right.flags)),
    ]
    for name in sorted(left.xattrs.keys() | right.xattrs.keys()):
        label = "xattr " + name.decode("utf-8", "backslashreplace")
        fields.append((label, left.xattrs.get(name), right.xattrs.get(name)))
    for field, in_a, in_b in fields:
        if in_a != in_b:
            yield Difference("metadata", path, field, _brief(in_a), _brief(in_b))


def _time_text(ns: int) -> str:
    seconds, rest = divmod(ns, 10**9)
    return f"{seconds}.{rest:09d}"


def _flag_text(flags: Optional[int]) -> str:
    names = [name for bit, name in FLAG_NAMES.items() if (flags or 0) & bit]
    return ",".join(names) or "none"


def _brief(value) -> str:
    text = value if isinstance(value, str) else ascii(value)
    return text if len(text) <= 80 else text[:77] + "..."
