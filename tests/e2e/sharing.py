"""What tests of copies that share files with older ones have in common."""

import os
import time

import support
from oracle.oracle import compare, snapshot
from oracle.walk import LEAVE, walk
from support import Case, holdfast

CHANGED = ("created", "linked", "linked_to_older", "replaced", "updated", "deleted")


def past_the_grain():
    """Lets the clock of inodes go on: what is copied within its grain is read once more."""
    time.sleep(0.02)


def standing(top: str) -> dict:
    """What of each inode nobody may change: all but the count of names, the time of change that
    comes with it, and the time of access."""
    return {
        visit.path: (visit.status.st_dev, visit.status.st_ino, visit.status.st_mode, visit.status.st_uid,
                     visit.status.st_gid, visit.status.st_size, visit.status.st_mtime_ns)
        for visit in walk(os.fsencode(top)) if visit.event != LEAVE
    }  # fmt: skip


class Snapshots(Case):
    """What the tests here share."""

    def counted(self, *arguments, status: int = 0, note: str = "") -> dict:
        """The summary of a run."""
        result = holdfast(*arguments[:1], "--json", *arguments[1:])
        self.assertEqual(result.status, status, f"{note}\n{result}")
        return result.objects()[-1]

    def mirror(self, *arguments, **options) -> dict:
        return self.counted("mirror", *arguments, **options)

    def snap(self, *arguments, **options) -> str:
        """Makes a snapshot; its path."""
        name = self.counted("snapshot", *arguments, **options)["snapshot"]
        return os.path.join(arguments[-1], name)

    def assert_exact(self, source: str, dest: str, note: str = "") -> None:
        self.assert_equal_trees(source, dest, ignore=("holes",), note=note)

    def assert_linked(self, source: str, old: str, dest: str, *options, note: str = "") -> dict:
        """DEST is made exact by way of OLD, which stays what it is; the next run does nothing."""
        before, content = standing(old), snapshot(old)
        past_the_grain()
        counts = self.mirror("--link-dest", old, *options, source, dest, note=note)
        self.assert_exact(source, dest, note)
        self.assertEqual(standing(old), before, note)
        self.assert_no_lines([str(line) for line in compare(content, snapshot(old), ("holes",))], note)
        past_the_grain()
        still = self.mirror("--link-dest", old, *options, "--delete", source, dest, note=note)
        self.assertEqual([still[key] for key in CHANGED], [0] * len(CHANGED), f"{note}\n{still}")
        self.assert_exact(source, dest, note)
        self.assertEqual(standing(old), before, note)
        return counts

    def each(self, place: str, items, check) -> None:
        """Has each item checked with three free folders in a place."""
        paths = [os.path.join(place, name) for name in ("source", "old", "dest")]
        for item in items:
            with self.subTest(item=item, place=os.path.basename(place)):
                try:
                    check(item, *paths)
                finally:
                    for path in paths:
                        support.cleanup(path)
