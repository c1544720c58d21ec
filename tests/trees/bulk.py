#!/usr/bin/env python3
"""A tree of contents rather than of links: files of one size, of which a share of the bytes is
text and the rest noise that no compressor makes smaller.

    bulk.py DEST [--files 8] [--bytes 125000000] [--text 0.5]

File number N is DEST/NN/file-NNNNN, a hundred in a folder. The same arguments make the same tree.
"""

import argparse
import os
import random
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from trees.farm import POOL_BYTES, make_pool  # noqa: E402

FILES_PER_FOLDER = 100
BLOCK_BYTES = 65536


def name_of(number: int) -> str:
    """The path of a file below DEST."""
    return f"{number // FILES_PER_FOLDER:02}/file-{number:05}"


def make_bulk(dest: str, files: int = 8, size: int = 125_000_000, text: float = 0.5) -> None:
    """Makes the tree at `dest`: `files` of `size` bytes, the share `text` of which compresses."""
    rng = random.Random(20261123)
    pool = make_pool(rng)
    for number in range(files):
        path = os.path.join(dest, name_of(number))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "xb") as stream:
            for at in range(0, size, BLOCK_BYTES):
                block = at // BLOCK_BYTES
                is_text = int((block + 1) * text) > int(block * text)
                stream.write(_block(rng, pool if is_text else b"", min(BLOCK_BYTES, size - at)))


def _block(rng: random.Random, pool: bytes, size: int) -> bytes:
    """A piece of the pool, or noise if that is empty."""
    if not pool:
        return rng.randbytes(size)
    start = rng.randrange(POOL_BYTES - size)
    return pool[start : start + size]


def main() -> int:
    """The command line. Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("dest")
    parser.add_argument("--files", type=int, default=8)
    parser.add_argument("--bytes", type=int, default=125_000_000, help="size of each file")
    parser.add_argument("--text", type=float, default=0.5, help="share that compresses")
    options = parser.parse_args()
    make_bulk(options.dest, options.files, options.bytes, options.text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
