#!/usr/bin/env python3
"""Each planted defect is found by the oracle and by verify, named rightly, and it alone."""

import os
import sys

import support
from support import Case, needs_root, place_of
from trees.defects import DEFECTS
from trees.full import full_tree

PLACES = {}


def setUpModule():
    needs_root()
    support.mount_places(globals(), "ext4")


class Defects(Case):
    """A is the full tree (or its archive), B a copy with one defect."""

    def setUp(self):
        super().setUp()
        place = place_of(PLACES, "ext4")
        self.a, self.b = os.path.join(place, "tree"), os.path.join(place, "copy")
        self.addCleanup(support.cleanup, self.a)
        full_tree(self.a)

    def test_each_defect(self):
        self.archive = self.path("a.tar.zst")
        self.run_ok("backup", self.a, self.archive)
        self.reference = support.snapshot(self.a)
        for defect in DEFECTS:
            try:
                full_tree(self.b)
                defect.plant(os.fsencode(self.b))
                self.judge(defect)
            finally:
                support.cleanup(self.b)

    def judge(self, defect) -> None:
        """Lets the oracle and verify judge B, folder against folder and archive against folder
        either way."""
        expected = sorted((kind, path, field or "") for kind, path, field in defect.expected)
        with self.subTest(defect=defect.name, judge="oracle"):
            differences = support.compare(self.reference, support.snapshot(self.b))
            found = sorted((d.kind, d.path, d.field or "") for d in differences)
            if defect.holes_only:
                self.assertEqual([kind for kind, _, _ in found], ["holes"])
            else:
                self.assertEqual(found, expected)
        with self.subTest(defect=defect.name, judge="verify A B"):
            self.assertEqual(self.verify_differences(self.a, self.b), expected)
        with self.subTest(defect=defect.name, judge="verify ARCHIVE B"):
            self.assertEqual(self.verify_differences(self.archive, self.b), expected)
        with self.subTest(defect=defect.name, judge="verify A ARCHIVE"):
            changed = self.path("b.tar")
            self.run_ok("backup", self.b, changed)
            self.assertEqual(self.verify_differences(self.a, changed), expected)
        with self.subTest(defect=defect.name, judge="verify --no-data"):
            found = self.verify_differences(self.a, self.b, "--no-data")
            # Equal sizes are no difference then; whether unequal ones are is not promised.
            self.assertEqual(
                [item for item in found if item[0] != "data"],
                [item for item in expected if item[0] != "data"],
            )


if __name__ == "__main__":
    sys.exit(support.main())
