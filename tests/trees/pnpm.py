#!/usr/bin/env python3
"""A project as pnpm keeps one, and what days of work do to it: a store of files by their hash inside
it, packages whose files are hard links into the store, symbolic links between packages, sources.

Generated: made up, the same for a seed. Real: made by pnpm itself (a path to it) from the registry.
"""

import hashlib
import os
import random
import shutil
import subprocess
from typing import Dict, List

from trees.farm import make_pool


class Generated:
    """Packages come, go, and get new versions, of which most files are those of the old one; the
    same package is installed once more beside itself (for other peers); files are written."""

    def __init__(self, top: str, packages: int, seed: int):
        self.rng = random.Random(seed)
        self.pool = make_pool(self.rng)
        self.top = top
        self.packages: Dict[str, List[bytes]] = {}  # folder in .pnpm: its files' contents
        os.makedirs(top + "/node_modules/.pnpm")
        os.makedirs(top + "/src")
        for number in range(packages):
            self.install(f"package{number}@1.0.0", [self.content() for _ in range(self.rng.randrange(4, 24))])
        for number in range(packages):
            self.write(f"src/module{number}.js", self.content())
        self.tick = 0

    def content(self) -> bytes:
        size = min(int(self.rng.lognormvariate(7.6, 1.12)) + 1, 1 << 20)
        at = self.rng.randrange(len(self.pool) - size)
        return b"/* %x */" % self.rng.getrandbits(64) + self.pool[at : at + size]

    def write(self, name: str, content: bytes) -> None:
        path = os.path.join(self.top, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as stream:
            stream.write(content)

    def install(self, folder: str, files: List[bytes]) -> None:
        """Hard links into the store, and the link in node_modules."""
        name = folder.split("@")[0]
        inner = f"node_modules/.pnpm/{folder}/node_modules/{name}"
        for number, content in enumerate(files):
            key = hashlib.sha256(content).hexdigest()
            stored = f"store/v3/files/{key[:2]}/{key[2:]}"
            if not os.path.exists(os.path.join(self.top, stored)):
                self.write(stored, content)
            path = os.path.join(self.top, inner, f"lib/file{number}.js" if number else "package.json")
            os.makedirs(os.path.dirname(path), exist_ok=True)
            os.link(os.path.join(self.top, stored), path)
        link = os.path.join(self.top, "node_modules", name)
        if os.path.lexists(link):
            os.unlink(link)
        os.symlink(f".pnpm/{folder}/node_modules/{name}", link)
        self.packages[folder] = files

    def remove(self, folder: str) -> None:
        shutil.rmtree(os.path.join(self.top, "node_modules/.pnpm", folder))
        del self.packages[folder]

    def day(self) -> None:
        """What one day brings."""
        self.tick += 1
        rng, folders = self.rng, sorted(self.packages)
        for number, folder in enumerate(rng.sample(folders, max(len(folders) // 12, 1))):
            files = [self.content() if rng.random() < 0.25 else content for content in self.packages[folder]]
            self.remove(folder)
            self.install(f"{folder.split('@')[0]}@1.{self.tick}.{number}", files)
        peer = rng.choice(sorted(self.packages))
        self.install(f"{peer.split('_')[0]}_{self.tick}", list(self.packages[peer]))
        self.install(f"a-new-one{self.tick}@1.0.0", [self.content() for _ in range(8)])
        if self.tick % 3 == 0:
            gone = rng.choice(sorted(self.packages))
            self.remove(gone)
        for number in rng.sample(range(len(folders)), max(len(folders) // 20, 1)):
            self.write(f"src/module{number}.js", self.content())
        self.write("pnpm-lock.yaml", self.content())
        if self.tick % 5 == 0:
            os.rename(self.top + "/src/module0.js", self.top + f"/src/renamed{self.tick}.js")
            self.write("src/module0.js", self.content())


class Real:
    """The same by pnpm, which links from a store inside the project."""

    DAYS = (
        "add express@4.17.1 lodash@4.17.20 typescript@5.0.4", "add react@17.0.2 react-dom@17.0.2", "add axios@0.27.2",
        "add eslint@8.40.0", "add lodash@4.17.21", "add chalk@4.1.2", "add commander@9.5.0", "add uuid@8.3.2",
        "add react@18.2.0 react-dom@18.2.0", "add debug@4.3.4", "remove axios", "add axios@1.6.0", "add semver@7.5.0",
        "add glob@8.1.0", "add glob@9.3.5", "add express@4.18.2", "add yargs@17.7.1", "add prettier@2.8.8",
        "add eslint@8.57.0", "remove uuid", "add rxjs@7.8.0", "add prettier@3.0.0", "add ws@8.13.0", "add ajv@8.12.0",
        "add yargs@17.7.2", "add rxjs@7.8.1", "add typescript@5.1.6", "remove chalk", "add async@3.2.4",
        "add semver@7.6.0",
    )  # fmt: skip

    def __init__(self, top: str, program: str):
        self.top, self.program, self.tick = top, program, 0
        os.makedirs(top + "/src")
        with open(top + "/package.json", "w", encoding="ascii") as stream:
            stream.write('{"name": "project", "version": "1.0.0"}\n')
        self.day()

    def day(self) -> None:
        words = self.DAYS[self.tick % len(self.DAYS)].split()
        self.tick += 1
        settings = {"store_dir": self.top + "/store", "ignore_scripts": "true",
                    "package_import_method": "hardlink", "modules_cache_max_age": "0"}  # fmt: skip
        environment = {**os.environ, **{f"npm_config_{key}": value for key, value in settings.items()}}
        command = [self.program, *words]
        run = subprocess.run(command, cwd=self.top, env=environment, capture_output=True, text=True, check=False)
        if run.returncode != 0:
            raise AssertionError(f"{command}: {run.stdout}{run.stderr}")
        with open(self.top + f"/src/day{self.tick % 7}.js", "w", encoding="ascii") as stream:
            stream.write(f"// day {self.tick}\n" * 200)
