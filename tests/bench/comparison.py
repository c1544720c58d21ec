#!/usr/bin/env python3
"""What of an NTFS tree other tools keep: the tree of tests/trees/ntfs.py, from one volume to
another, through holdfast, rsync, cp and tar, counted by tests/oracle/ntfs.py.

    comparison.py [--program FILE] [--markdown FILE]

Needs root, ntfs-3g and /dev/fuse. docs/comparison.md tells the method, and has a run's tables:

    comparison.py --markdown docs/comparison.md
"""

import argparse
import collections
import os
import subprocess
import sys
import tempfile
import unittest
from typing import Callable, Dict, List, Tuple

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [TESTS, os.path.join(TESTS, "e2e")]

from mounts import ntfs  # noqa: E402
from oracle import ntfs as oracle  # noqa: E402
from report import put_between_marks  # noqa: E402
from trees import ntfs as recipe  # noqa: E402

Snapshot = Dict[str, Tuple[oracle.Record, List[str]]]
LINK_TAGS = (recipe.JUNCTION, recipe.SYMLINK, recipe.LX_SYMLINK)
SHOWN = ("links/j-inside", "links/j-drive-q", "links/mount-point", "links/s-relative-file",
         "links/s-unc", "links/lx-symlink", "links/app-exec-link", "links/cloud-file", "behind/wof")


def tools(program: str) -> Dict[str, Callable[[str, str, str], List[List[str]]]]:
    """The commands that take SOURCE/tree to DEST/tree, with a folder for an archive."""
    return {
        "holdfast": lambda s, d, a: [[program, "backup", s + "/tree", a + "/a.tar.zst"],
                                     [program, "restore", a + "/a.tar.zst", d]],
        "rsync -aHAX": lambda s, d, a: [["rsync", "-aHAX", s + "/tree", d + "/"]],
        "cp -a": lambda s, d, a: [["cp", "-a", s + "/tree", d + "/"]],
        "tar --xattrs --acls": lambda s, d, a: [
            ["tar", "--xattrs", "--acls", "-C", s, "-cf", a + "/a.tar", "tree"],
            ["tar", "--xattrs", "--acls", "-C", d, "-xpf", a + "/a.tar"]],
    }


def tag_of(record: oracle.Record) -> int:
    """Of a reparse point; 0 of what is none."""
    return int.from_bytes(record.reparse[:4], "little") if record.reparse else 0


def same_link(a: oracle.Record, b: oracle.Record) -> bool:
    """Buffer and flavour."""
    return (a.kind, a.reparse) == (b.kind, b.reparse)


def plain(name: str) -> Tuple[Callable, Callable]:
    """Which have an attribute of NTFS, and whether it is the same."""
    return lambda r: name in r.plain, lambda a, b: a.plain[name] == b.plain.get(name)


def rows(source: Snapshot) -> Dict[str, Tuple[Callable, Callable]]:
    """What is counted: which records of the source it is about, and when one is kept."""
    usual = collections.Counter(r.plain["acl"] for r, _ in source.values()).most_common(1)[0][0]
    special = recipe.HIDDEN | recipe.SYSTEM | recipe.READ_ONLY
    volume = recipe.junction(recipe.VOLUME, "")
    return {
        "junctions": (lambda r: tag_of(r) == recipe.JUNCTION and r.reparse != volume, same_link),
        "volume mount points": (lambda r: r.reparse == volume, same_link),
        "symbolic links to files": (
            lambda r: tag_of(r) == recipe.SYMLINK and r.kind == "reparse file", same_link),
        "symbolic links to folders": (
            lambda r: tag_of(r) == recipe.SYMLINK and r.kind == "reparse folder", same_link),
        "symbolic links of WSL": (lambda r: tag_of(r) == recipe.LX_SYMLINK, same_link),
        "other reparse points": (lambda r: r.reparse and tag_of(r) not in LINK_TAGS, same_link),
        "contents of files": (lambda r: r.content is not None, lambda a, b: a.content == b.content),
        "files with streams": (lambda r: r.streams, lambda a, b: a.streams == b.streams),
        "hidden, system and read-only": (
            lambda r: r.attributes & special, lambda a, b: a.attributes & special == b.attributes & special),
        "security descriptors of their own": (
            lambda r: r.plain["acl"] != usual, lambda a, b: a.plain["acl"] == b.plain.get("acl")),
        "times of creation": plain("crtime"),
        "times of change": (lambda r: True, lambda a, b: a.mtime == b.mtime),
        "short (DOS) names": plain("dos_name"),
        "object ids": plain("object_id"),
        "extended attributes (EA)": plain("ea"),
    }


def count(source: Snapshot, copy: Snapshot) -> Dict[str, Tuple[int, int]]:
    """Kept, and of how many."""
    found = {"names": (len(source.keys() & copy.keys()), len(source))}
    for row, (is_one, is_kept) in rows(source).items():
        those = [path for path, (record, _) in source.items() if is_one(record)]
        kept = [p for p in those if p in copy and is_kept(source[p][0], copy[p][0])]
        found[row] = len(kept), len(those)
    groups = {names[0]: names for _, names in source.values() if len(names) > 1}
    kept_groups = [g for g, names in groups.items() if g in copy and copy[g][1] == names]
    found["files with several names"] = len(kept_groups), len(groups)
    return found


def became(path: str, record: oracle.Record, place: str) -> str:
    """What stands at the other end, in words."""
    if record.reparse:
        return "the same"
    if os.path.islink(path):
        return f"symlink(2) to `{os.readlink(path).replace(place, 'MOUNT')}`"
    return f"{record.kind} of {os.path.getsize(path)} bytes"


def measure(source: str, want: Snapshot, commands: Callable) -> dict:
    """Runs one tool's commands and looks at what they made."""
    with ntfs() as dest, tempfile.TemporaryDirectory() as aside:
        run, statuses, said = commands(source, dest.path, aside), [], 0
        for command in run:
            result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
            statuses.append(result.returncode)
            said += len(result.stderr.splitlines())
        dest.remount()
        have = oracle.snapshot(dest.path + "/tree") if os.path.exists(dest.path + "/tree") else {}
        words = {}
        for shown in SHOWN:
            ours = shown in have
            words[shown] = became(f"{dest.path}/tree/{shown}", have[shown][0], source) if ours else "missing"
        return {"status": statuses, "said": said, "count": count(want, have), "words": words}


def table(head: List[str], lines: List[List[str]]) -> str:
    """A table of a Markdown page."""
    text = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    return "\n".join(text + ["| " + " | ".join(line) + " |" for line in lines])


def page(results: Dict[str, dict]) -> str:
    """The tables."""
    names = list(results)
    lines = [["exit status"] + [", ".join(map(str, results[n]["status"])) for n in names],
             ["lines on standard error"] + [str(results[n]["said"]) for n in names]]
    for row in results[names[0]]["count"]:
        cells = []
        for name in names:
            kept, of = results[name]["count"][row]
            cells.append(f"{kept} of {of}" if kept == of else f"**{kept} of {of}**")
        lines.append([row] + cells)
    kinds = [[f"`{p}`"] + [results[n]["words"][p] for n in names] for p in SHOWN]
    versions = [subprocess.run([*command, "--version"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
                .stdout.decode().splitlines()[0] for command in (["rsync"], ["cp"], ["tar"], ["ntfs-3g"])]
    return "\n\n".join([table(["kept exactly"] + names, lines),
                        "What some of the links became (MOUNT is where the source was mounted):",
                        table(["in the tree"] + names, kinds), "Versions: " + "; ".join(versions) + "."])


def main() -> int:
    """Measures all."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    built = os.path.join(os.path.dirname(TESTS), "build", "release", "holdfast")
    parser.add_argument("--program", default=os.environ.get("HOLDFAST", built), help="the holdfast to measure")
    parser.add_argument("--markdown", metavar="FILE", help="put the tables between the marks of this page")
    options = parser.parse_args()
    try:
        with ntfs() as source:
            recipe.ntfs_tree(source.path + "/tree")
            source.remount()
            want = oracle.snapshot(source.path + "/tree")
            results = {}
            for name, commands in tools(options.program).items():
                results[name] = measure(source.path, want, commands)
                if oracle.compare(want, oracle.snapshot(source.path + "/tree")):
                    print(f"{name} changed its source", file=sys.stderr)
                    return 1
    except unittest.SkipTest as reason:
        print(reason, file=sys.stderr)
        return 2
    text = page(results)
    print(text)
    if options.markdown:
        put_between_marks(options.markdown, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
