"""What may stand in a mirror's copy when its run was cut off (DESIGN: nothing half)."""

import os
import re
from typing import List, Optional

from oracle.compare import Snapshot
from oracle.record import Record

MARKER = b".holdfast-run"
TEMPORARY = re.compile(rb"\.holdfast-[0-9a-f]{16}-[0-9a-f]+$")
CONTENT = ("kind", "size", "data", "target", "device")
METADATA = ("mode", "uid", "gid", "mtime_ns", "xattrs", "acl", "default_acl", "flags")


def is_own(path: bytes) -> bool:
    """A name that a run made for itself, or what stands below one."""
    return any(name == MARKER or TEMPORARY.match(name) for name in path.split(b"/"))


def own_names(snapshot: Snapshot) -> List[bytes]:
    """The paths of such names."""
    return [path for path in snapshot if is_own(path)]


def _same(a: Record, b: Record, fields) -> bool:
    return all(getattr(a, field) == getattr(b, field) for field in fields)


def _is_between(now: Record, old: Optional[Record], new: Optional[Record]) -> bool:
    """It is the old or the new, or the old on its way to the new in metadata alone."""
    if new and _same(now, new, CONTENT):
        if _same(now, new, METADATA):
            return True
        if old and _same(old, new, CONTENT):
            return all(getattr(now, field) in (getattr(old, field), getattr(new, field)) for field in METADATA)
    return old is not None and _same(now, old, CONTENT + METADATA)


def _is_unfinished(now: Record, new: Optional[Record], grew_here: bool) -> bool:
    """Cannot be taken for whole: no final time, and nobody else may read what is not all there. A link or
    a FIFO has all but its metadata at once, wherever it is made."""
    if new is None or now.kind != new.kind or now.mtime_ns == new.mtime_ns:
        return False
    if now.kind != "file":
        return _same(now, new, CONTENT)
    return grew_here and (now.mode == 0o600 or _same(now, new, CONTENT))


def is_without_data(now: Record, old: Optional[Record], new: Optional[Record]) -> bool:
    """A file where none stood, which lacks its data: names and times come to a disk before contents, unless
    each file is waited for. The marker tells it, and the next run compares it."""
    return now.kind == "file" and new is not None and new.kind == "file" and (old is None or old.kind != "file")


def _lost_its_order(now: Record, new: Optional[Record]) -> bool:
    """A file with the size and time that it is to have, whatever its content. Only where the log was written
    without the data that ext4 writes before it, as a shutdown with "no data" does and no loss of power."""
    return now.kind == "file" and new is not None and _same(now, new, ("kind", "size", "mtime_ns"))


def judge(old: Snapshot, new: Snapshot, now: Snapshot, power_cut: bool = False, ordered: bool = True) -> List[str]:
    """A line for each thing that is neither as it was nor as it is to be."""
    lines = []
    may_lack_data = power_cut and MARKER in now
    for path, record in now.items():
        before, after = old.get(path), new.get(path)
        if is_own(path):
            continue
        if record.kind == "directory":
            good = "directory" in (before and before.kind, after and after.kind)
        else:
            parent = old.get(os.path.dirname(path) or b".")
            grew_here = parent is None or parent.kind != "directory"
            good = _is_between(record, before, after) or _is_unfinished(record, after, grew_here)
            good = good or (may_lack_data and is_without_data(record, before, after))
            good = good or (may_lack_data and not ordered and _lost_its_order(record, after))
        if not good:
            lines.append(f"{path!r} is {record}, was {before}, is to be {after}")
    own = own_names(now)
    if any(os.path.basename(path) != MARKER for path in own) and MARKER not in now:
        lines.append(f"no marker, but {own}")
    asides = {os.path.dirname(path) for path in own}
    for path in old.keys() & new.keys() - now.keys():
        # Where a folder gives way, or comes, the old stands under a temporary name for a moment.
        exchanged = "directory" in (old[path].kind, new[path].kind) and old[path].kind != new[path].kind
        if not (exchanged and os.path.dirname(path) in asides):
            lines.append(f"{path!r} is gone, was {old[path]}, is to be {new[path]}")
    return lines
