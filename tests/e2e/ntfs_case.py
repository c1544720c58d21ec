"""What tests on NTFS volumes share."""

from mounts import ntfs
from oracle import ntfs as oracle
from support import Case


class Ntfs(Case):
    """Tests with volumes of their own."""

    def volume(self):
        """A mounted volume that goes with the test."""
        context = ntfs()
        volume = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        return volume

    def assert_same_on_ntfs(self, a: str, b: str, ignore=()) -> None:
        """Nothing that the oracle sees differs."""
        lines = oracle.compare(oracle.snapshot(a), oracle.snapshot(b))
        lines = [line for line in lines if not line.split(": ")[0] in ignore]
        self.assertEqual(lines, [])
