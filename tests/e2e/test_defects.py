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

    def each_defect(self, check) -> None:
        for defect in DEFECTS:
            with self.subTest(defect=defect.name):
                try:
                    full_tree(self.b)
                    defect.plant(os.fsencode(self.b))
                    check(defect)
                finally:
                    support.cleanup(self.b)

    def expected(self, defect) -> list:
        return sorted((kind, path, field or "") for kind, path, field in defect.expected)

    def test_oracle(self):
        reference = support.snapshot(self.a)

        def check(defect):
            differences = support.compare(reference, support.snapshot(self.b))
            found = sorted((d.kind, d.path, d.field or "") for d in differences)
            expected = self.expected(defect)
            if defect.holes_only:
                self.assertEqual([kind for kind, _, _ in found], ["holes"])
            else:
                self.assertEqual(found, expected)

        self.each_defect(check)

    def test_verify_folders(self):
        def check(defect):
            self.assertEqual(self.verify_differences(self.a, self.b), self.expected(defect))

        self.each_defect(check)

    def test_verify_archive(self):
        archive = self.path("a.tar.zst")
        self.run_ok("backup", self.a, archive)

        def check(defect):
            self.assertEqual(self.verify_differences(archive, self.b), self.expected(defect))

        self.each_defect(check)

    def test_verify_against_archive(self):
        """The folder is the reference, the archive of the changed tree is judged."""
        archive = self.path("b.tar")

        def check(defect):
            self.run_ok("backup", self.b, archive)
            self.assertEqual(self.verify_differences(self.a, archive), self.expected(defect))

        self.each_defect(check)

    def test_no_data(self):
        """--no-data compares structure and metadata alone."""

        def check(defect):
            expected = self.expected(defect)
            if defect.name == "one byte, same size and time":
                expected = []
            elif expected and expected[0][0] == "data":
                return  # whether a size counts as structure is not promised
            self.assertEqual(self.verify_differences(self.a, self.b, "--no-data"), expected)

        self.each_defect(check)


if __name__ == "__main__":
    sys.exit(support.main())
