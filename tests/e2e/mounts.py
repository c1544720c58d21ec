"""Places to put trees: fresh file systems on loop images, and tmpfs, each gone after its block."""

import contextlib
import fcntl
import os
import struct
import subprocess
import tempfile
import time
import unittest
from typing import Iterator, Sequence

MAKERS = {
    "ext4": ["mkfs.ext4", "-q", "-I", "256"],
    "xfs": ["mkfs.xfs", "-q"],
    "btrfs": ["mkfs.btrfs", "-q"],
}
_SBIN = "/usr/local/sbin:/usr/sbin:/sbin"
SHUTDOWN = 0x8004587D  # FS_IOC_SHUTDOWN, _IOR('X', 125, __u32)


@contextlib.contextmanager
def mounted(kind: str, size: str = "2G", options: Sequence[str] = ()) -> Iterator[str]:
    """Yields the path of an empty file system of `kind` (ext4, xfs, btrfs, tmpfs) that belongs to
    root, made with `options`, and takes it away afterwards. Skips the test where that cannot be done."""
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
            _must([*MAKERS[kind], *options, image])
            _must(["mount", "-t", kind, "-o", "loop", image, place])
        try:
            with contextlib.suppress(FileNotFoundError):
                os.rmdir(os.path.join(place, "lost+found"))
            yield place
        finally:
            _unmount(place)


class Disk:
    """A file system in an image, that can lose power and come back."""

    def __init__(self, kind: str, folder: str, size: str):
        self.kind = kind
        self.image = os.path.join(folder, "image")
        self.path = os.path.join(folder, "disk")
        os.mkdir(self.path)
        _must(["truncate", "-s", size, self.image])
        _must([*MAKERS[kind], self.image])

    @classmethod
    @contextlib.contextmanager
    def made(cls, kind: str, size: str = "512M") -> Iterator["Disk"]:
        """Yields one, mounted and empty, and takes it away afterwards. Skips the test where that cannot be done."""
        if os.geteuid() != 0:
            raise unittest.SkipTest(f"{kind}: mounting needs root")
        with tempfile.TemporaryDirectory(prefix="holdfast-disk-") as folder:
            disk = cls(kind, folder, size)
            disk._mount()
            try:
                yield disk
            finally:
                _unmount(disk.path)

    def _mount(self) -> None:
        _must(["mount", "-t", self.kind, "-o", "loop", self.image, self.path])

    def sync(self) -> None:
        """All that was written comes to the disk."""
        _must(["sync", "-f", self.path])

    def lose_power(self, flags: int) -> None:
        """From now on nothing comes to the disk. 0: all that was written until now did; 1: of what the log
        has all did; 2: what did is a matter of chance."""
        fd = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(fd, SHUTDOWN, struct.pack("=I", flags))
        except OSError as error:
            raise unittest.SkipTest(f"{self.kind}: cannot be shut down: {error}") from error
        finally:
            os.close(fd)

    def come_back(self) -> None:
        """Power is back: what is on the disk is mounted."""
        _unmount(self.path)
        self._mount()


class Ntfs:
    """An NTFS volume in an image, that can be taken away and come back."""

    def __init__(self, folder: str, size: str):
        self.image = os.path.join(folder, "image")
        self.path = os.path.join(folder, "volume")
        self.driver = None
        os.mkdir(self.path)
        _must(["truncate", "-s", size, self.image])
        _must(["mkntfs", "-F", "-q", self.image])

    def mount(self, options: str = "") -> None:
        """Mounts it; skips the test where that cannot be done."""
        more = f",{options}" if options else ""
        command = ["ntfs-3g", "-o", "no_detach" + more, self.image, self.path]
        try:
            self.driver = subprocess.Popen(
                command, env=_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
        except FileNotFoundError as error:
            raise unittest.SkipTest("ntfs-3g is not installed") from error
        for _ in range(200):
            if os.path.ismount(self.path):
                return
            if self.driver.poll() is not None:
                break
            time.sleep(0.05)
        raise unittest.SkipTest("ntfs-3g cannot mount an image")

    def unmount(self) -> None:
        """Takes it away. The driver goes on writing behind umount's back: it is waited for."""
        if self.driver is None:
            return
        _unmount(self.path)
        self.driver.wait(60)
        self.driver = None

    def remount(self, options: str = "") -> None:
        """The volume as somebody else will find it: with nothing of it in any cache."""
        self.unmount()
        self.mount(options)


@contextlib.contextmanager
def ntfs(size: str = "64M") -> Iterator[Ntfs]:
    """Yields a mounted, empty NTFS volume, and takes it away afterwards. Skips the test where that
    cannot be done."""
    if os.geteuid() != 0:
        raise unittest.SkipTest("ntfs: mounting needs root")
    if not os.path.exists("/dev/fuse"):
        raise unittest.SkipTest("ntfs: there is no /dev/fuse")
    with tempfile.TemporaryDirectory(prefix="holdfast-ntfs-") as folder:
        volume = Ntfs(folder, size)
        volume.mount()
        try:
            yield volume
        finally:
            volume.unmount()


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
