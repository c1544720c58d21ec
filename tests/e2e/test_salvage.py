#!/usr/bin/env python3
"""What comes back of a damaged archive: all that is readable, exact; what is lost is named."""

import os
import random
import sys

import support
from support import Case, compare, holdfast, snapshot

SUFFIXES = (".tar.zst", ".tar.gz", ".tar")


class Salvage(Case):
    """A tree of three frames or more, with links between them."""

    def setUp(self):
        super().setUp()
        for i in range(6):
            self.write(f"tree/d/f{i}", random.Random(i).randbytes(4 << 20))
        os.link(self.path("tree/d/f0"), self.path("tree/z"))
        os.link(self.path("tree/d/f2"), self.path("tree/y"))
        os.symlink("d/f0", self.path("tree/link"))
        self.before = snapshot(self.path("tree"))

    def archive(self, suffix: str) -> str:
        path = self.path("a" + suffix)
        self.run_ok("backup", "--no-sync", "tree", path, cwd=self.work)
        return path

    def damage(self, path: str, at: int) -> None:
        with open(path, "r+b") as stream:
            stream.seek(at)
            old = stream.read(1)
            stream.seek(at)
            stream.write(bytes([old[0] ^ 0x10]))

    def salvaged(self, archive: str, *paths, status: int = 1):
        """Restores what there is and returns the names that are lost; what came back is exact, but
        for folders' times and link counts, which lost names change."""
        out = self.path("out-" + os.path.basename(archive))
        self.run_ok("restore", "--no-sync", "--salvage", archive, *paths, out, status=status)
        found = [d for d in compare(self.before, snapshot(out + "/tree")) if d.kind != "missing"]
        self.assert_no_lines([str(d) for d in found if d.kind not in ("metadata",)])
        self.assert_no_temporary_names(out)
        return {str(p) for p in self.before} - {str(p) for p in snapshot(out + "/tree")}

    def test_damaged_frame(self):
        """One frame of many: without --salvage it ends there, with it the rest comes back."""
        for suffix in SUFFIXES:
            archive = self.archive(suffix)
            self.damage(archive, os.path.getsize(archive) // 2)
            result = holdfast("restore", "--no-sync", archive, self.path("no" + suffix))
            self.assertEqual(result.status, 3, str(result))
            self.assertIn("--salvage", result.text)
            lost = self.salvaged(archive)
            self.assertTrue(0 < len(lost) <= 4, f"{suffix} {lost}")

    def test_chosen_path(self):
        """A damaged file is an error of its own; what stands in other frames is restored."""
        archive = self.archive(".tar.zst")
        self.damage(archive, 100)
        result = holdfast("restore", archive, "tree/d/f0", "tree/d/f5", "tree/z", self.path("out"))
        self.assertEqual(result.status, 1, str(result))
        self.assertEqual(os.listdir(self.path("out/tree/d")), ["f5"])

    def test_cut(self):
        """Without an index all before the cut comes back."""
        for suffix in SUFFIXES:
            archive = self.archive(suffix)
            os.truncate(archive, 18 << 20)
            lost = self.salvaged(archive)
            self.assertIn("b'd/f5'", lost)
            self.assertNotIn("b'd/f1'", lost, suffix)
        with open(self.path("a.tar.zst"), "rb") as pipe:
            self.run_ok("restore", "--salvage", "-", self.path("piped"), status=1, stdin=pipe)
        self.assertTrue(os.path.exists(self.path("piped/tree/d/f1")))

    def test_lost_index(self):
        """All comes back, and that it could not be proved is said."""
        for suffix in SUFFIXES:
            archive = self.archive(suffix)
            self.damage(archive, os.path.getsize(archive) - 150)
            self.assertEqual(self.salvaged(archive), set())

    def test_whole(self):
        """Of a whole archive it is a restore like others."""
        archive = self.archive(".tar.zst")
        self.assertEqual(self.salvaged(archive, status=0), set())

    def test_delete(self):
        """What a damaged archive lacks is not known to be gone."""
        archive = self.archive(".tar")
        self.run_ok("restore", "--salvage", "--delete", archive, self.path("out"), status=2)
        self.assertFalse(os.path.exists(self.path("out")))


if __name__ == "__main__":
    sys.exit(support.main())
