"""Places to put trees: fresh file systems on loop images, and tmpfs, each gone after its block."""

import contextlib
import os
import subprocess
import tempfile
import unittest
from typing import Iterator

MAKERS = {
    "ext4": ["mkfs.ext4", "-q", "-I", "256"],
    "xfs": ["mkfs.xfs", "-q"],
    "btrfs": ["mkfs.btrfs", "-q"],
}
_SBIN = "/usr/local/sbin:/usr/sbin:/sbin"


@contextlib.contextmanager
def mounted(kind: str, size: str = "2G") -> Iterator[str]:
    """Yields the path of an empty file system of `kind` (ext4, xfs, btrfs, tmpfs) that belongs to
    root, and takes it away afterwards. Skips the test where that cannot be done."""
    if os.geteuid() != 0:
        raise unittest.SkipTest(f"{kind}: mounting needs root")
    with tempfile.TemporaryDirectory(prefix="holdfast-mount-") as folder:
        place = os.path.join(folder, kind)
        os.mkdir(place)
        if kind == "tmpfs":
            _must(["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "tmpfs", place])
        else:
            image = os.path.join(folder, "image")
            _must(["truncate", "-s", size, image])
            _must([*MAKERS[kind], image])
            _must(["mount", "-t", kind, "-o", "loop", image, place])
        try:
            with contextlib.suppress(FileNotFoundError):
                os.rmdir(os.path.join(place, "lost+found"))
            yield place
        finally:
            _unmount(place)


def _unmount(place: str) -> None:
    """Takes a mount away. One that something still uses goes as soon as it is let go of; that is
    a failure, too."""
    result = subprocess.run(["umount", place], env=_environment(), check=False)
    if result.returncode != 0:
        subprocess.run(["umount", "-l", place], env=_environment(), check=True)
        raise RuntimeError(f"{place} was still in use")


def _must(command: list) -> None:
    """Runs a command that sets a place up; a failure means that this machine cannot."""
    try:
        result = subprocess.run(
            command, env=_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
    except FileNotFoundError as error:
        raise unittest.SkipTest(f"{command[0]} is not installed") from error
    if result.returncode != 0:
        reason = result.stdout.decode(errors="replace").strip().splitlines()
        raise unittest.SkipTest(f"{' '.join(command)}: {reason[-1] if reason else 'failed'}")


def _environment() -> dict:
    return {**os.environ, "PATH": os.environ.get("PATH", "/usr/bin:/bin") + ":" + _SBIN}
