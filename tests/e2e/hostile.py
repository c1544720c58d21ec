"""Archives that try to break out, to be misread, or to be taken for whole.

Each is (name, bytes, verdict): BAD must not end with exit 0; FINE is odd but valid and must; ANY may
end either way. None may touch anything outside of the destination, crash, or hang. OUTSIDE stands
for the absolute path of a folder with canaries, beside the destination.
"""

from typing import Iterator, Tuple

from rawtar import END, GNU, folder, gnu_long, hardlink, header, member, pax, record, symlink

BAD, FINE, ANY = "bad", "fine", "any"
Case = Tuple[str, bytes, str]
EVIL = b"written by a hostile archive\n"


def hostile_archives(outside: bytes) -> Iterator[Case]:
    """All cases; `outside` is the canaries' folder, `../outside` seen from the destination."""
    for part in (_names, _links, _hard_links, _headers, _pax_headers, _sizes, _sparse):
        for name, content, verdict in part(outside):
            yield name, content, verdict
    yield from _cuts()


def _names(outside: bytes) -> Iterator[Case]:
    good = member(b"tree/good", b"good")
    yield "parent", good + member(b"../outside/file", EVIL) + END, BAD
    yield "parent inside", good + member(b"tree/../../outside/file", EVIL) + END, BAD
    yield "parent at the end", good + folder(b"tree/..") + END, BAD
    yield "parent alone", good + folder(b"..") + END, BAD
    yield "absolute", good + member(outside + b"/file", EVIL) + END, BAD
    yield "absolute folder", good + folder(outside + b"/new") + END, BAD
    yield "two slashes", good + member(b"/" + outside + b"/file", EVIL) + END, BAD
    yield "root itself", good + folder(b"/") + END, BAD
    yield "empty name", good + member(b"", EVIL) + END, BAD
    yield "prefix with parent", good + member(b"file", EVIL, prefix=b"../outside") + END, BAD
    yield "long name with parent", (
        good + gnu_long(b"L", b"../outside/file\0") + member(b"x", EVIL) + END
    ), BAD
    yield "pax path with parent", (
        good + pax([(b"path", b"../outside/file")]) + member(b"x", EVIL) + END
    ), BAD
    yield "pax path absolute", (
        good + pax([(b"path", outside + b"/file")]) + member(b"x", EVIL) + END
    ), BAD
    yield "pax path with NUL", good + pax([(b"path", b"tree/a\0b")]) + member(b"x", EVIL) + END, BAD
    yield "global pax path", (
        pax([(b"path", b"../outside/file")], b"g") + member(b"tree/x", EVIL) + END
    ), ANY
    yield "dots that are names", member(b"tree/...", b"x") + member(b"tree/..x", b"x") + END, FINE
    yield "own marker's name", member(b"tree/.holdfast", b"x") + END, FINE
    yield "current folder", folder(b"./") + member(b"./tree/x", b"x") + END, FINE


def _links(outside: bytes) -> Iterator[Case]:
    yield "link then file", symlink(b"lnk", outside) + member(b"lnk/file", EVIL) + END, BAD
    yield "relative link then file", (
        symlink(b"lnk", b"../outside") + member(b"lnk/file", EVIL) + END
    ), BAD
    yield "deep link then file", (
        folder(b"tree") + symlink(b"tree/l", b"../../outside") + member(b"tree/l/file", EVIL) + END
    ), BAD
    yield "link then folder", symlink(b"lnk", outside) + folder(b"lnk") + END, ANY
    yield "link then folder then file", (
        symlink(b"lnk", outside) + folder(b"lnk") + member(b"lnk/file", EVIL) + END
    ), ANY
    yield "link then file of its name", symlink(b"l", outside + b"/file") + member(b"l", EVIL) + END, ANY
    yield "link then link through it", (
        symlink(b"lnk", outside) + symlink(b"lnk/new", b"x") + END
    ), BAD
    yield "link then folder through it", symlink(b"lnk", outside) + folder(b"lnk/new") + END, BAD
    yield "link then FIFO through it", symlink(b"lnk", outside) + header(b"lnk/new", b"6") + END, BAD
    yield "two steps", (
        folder(b"a") + symlink(b"a/up", b"..") + symlink(b"a/out", b"up/../outside")
        + member(b"a/out/file", EVIL) + END
    ), BAD  # fmt: skip
    yield "folder, then link in its place", (
        folder(b"tree") + symlink(b"tree", outside) + member(b"tree/file", EVIL) + END
    ), ANY
    yield "link with a NUL target", (
        pax([(b"linkpath", b"a\0b")]) + symlink(b"tree/l", b"x") + END
    ), BAD
    yield "link without a target", symlink(b"tree/l", b"") + END, BAD
    yield "outward link alone", folder(b"tree") + symlink(b"tree/l", outside + b"/file") + END, FINE


def _hard_links(outside: bytes) -> Iterator[Case]:
    yield "hard link to absolute", hardlink(b"h", outside + b"/file") + member(b"h", EVIL) + END, BAD
    yield "hard link to parent", hardlink(b"h", b"../outside/file") + END, BAD
    yield "hard link through a link", (
        symlink(b"lnk", outside) + hardlink(b"h", b"lnk/file") + member(b"h", EVIL) + END
    ), BAD
    yield "hard link with data", (
        member(b"a", b"first") + hardlink(b"b", b"a", EVIL) + END
    ), ANY
    yield "hard link with data to outside", hardlink(b"h", outside + b"/file", EVIL) + END, BAD
    yield "hard link to nothing", hardlink(b"h", b"no such member") + END, BAD
    yield "hard link to itself", hardlink(b"h", b"h") + END, BAD
    yield "hard link to a folder", folder(b"d") + hardlink(b"h", b"d") + END, BAD
    yield "hard link to what was there", hardlink(b"h", b"existing") + END, BAD
    yield "hard link loop", hardlink(b"a", b"b") + hardlink(b"b", b"a") + END, BAD
    yield "pax hard link to parent", (
        pax([(b"linkpath", b"../outside/file")]) + hardlink(b"h", b"x") + END
    ), BAD


def _headers(outside: bytes) -> Iterator[Case]:
    good = member(b"tree/good", b"good")
    yield "empty file", b"", BAD
    yield "bad checksum at first", member(b"a", b"x", checksum=b"000000\0 ") + END, BAD
    yield "bad checksum in the middle", (
        good + member(b"tree/a", b"x", checksum=b"000000\0 ") + member(b"tree/b", b"y") + END
    ), BAD
    yield "garbage after a member", good + b"\xa5" * 512 + END, BAD
    yield "no end", good, BAD
    yield "unknown kind", good + member(b"tree/odd", b"x", b"?") + END, ANY
    yield "GNU multi-volume part", good + member(b"tree/m", b"x", b"M", magic=GNU) + END, BAD
    yield "GNU names list", good + member(b"tree/n", b"Rename a to b\n", b"N", magic=GNU) + END, ANY
    yield "mode with other bits", member(b"tree/m", b"x", mode=b"7777777\0") + END, ANY
    yield "letters in numbers", member(b"tree/m", b"x", uid=b"zzzzzzz\0") + END, BAD
    yield "device number out of range", (
        header(b"tree/d", b"3", devmajor=b"\xff" * 8, devminor=b"\xff" * 8) + END
    ), BAD
    yield "name twins", member(b"tree/a", b"1") + member(b"tree/a", b"2") + END, FINE
    yield "file, then folder of its name", member(b"tree/a", b"1") + folder(b"tree/a") + END, ANY
    yield "file, then file below it", member(b"tree/a", b"1") + member(b"tree/a/b", b"2") + END, BAD


def _pax_headers(outside: bytes) -> Iterator[Case]:
    def broken(content: bytes) -> bytes:
        return member(b"PaxHeaders/x", content, b"x") + member(b"tree/x", b"x") + END

    yield "pax without a member", member(b"tree/x", b"") + pax([(b"path", b"tree/y")]) + END, BAD
    yield "pax length too long", broken(b"99 path=tree/y\n"), BAD
    yield "pax length zero", broken(b"0 path=tree/y\n"), BAD
    yield "pax length negative", broken(b"-5 path=tree/y\n"), BAD
    yield "pax length overflow", broken(b"18446744073709551700 path=x\n"), BAD
    yield "pax without newline", broken(b"15 path=tree/yyy"), BAD
    yield "pax without equals", broken(b"12 pathtree\n"), BAD
    yield "pax empty key", broken(record(b"", b"x")), ANY
    yield "pax size not a number", broken(record(b"size", b"many")), BAD
    yield "pax size negative", broken(record(b"size", b"-1")), BAD
    yield "pax time not a number", broken(record(b"mtime", b"yesterday")), BAD
    yield "pax time huge", broken(record(b"mtime", b"9" * 40)), ANY
    yield "pax header huge", header(b"PaxHeaders/x", b"x", (1 << 33) - 1) + END, BAD
    yield "pax header of 16 MB", broken(record(b"comment", b"c" * (16 << 20))), ANY
    yield "long name huge", header(b"././@LongLink", b"L", (1 << 33) - 1, magic=GNU) + END, BAD
    yield "hundred pax headers", pax([(b"comment", b"x")]) * 100 + member(b"tree/x") + END, ANY
    for bits in (b"AAAA", b"%%%%", b"hf1:!!!!", b"H" * 100000):
        name = "foreign comment " + bits[:8].decode()
        yield name, pax([(b"comment", bits)]) + member(b"tree/x", b"x") + END, FINE


def _sizes(outside: bytes) -> Iterator[Case]:
    good = member(b"tree/good", b"good")
    negative = b"\xff" * 12
    yield "negative size", good + header(b"tree/n", size_field=negative) + END, BAD
    yield "huge size", good + header(b"tree/n", size_field=b"\x80" + b"\x7f" * 11) + END, BAD
    yield "size beyond the end", good + header(b"tree/n", b"0", (1 << 33) - 1) + b"x" * 512 + END, BAD
    yield "size in a folder", header(b"tree/d/", b"5", 512) + EVIL.ljust(512, b"\0") + END, ANY
    yield "size in a symlink", header(b"tree/l", b"2", 512, link=b"x") + bytes(512) + END, ANY
    yield "size not octal", good + header(b"tree/n", size_field=b"99999999999\0") + END, BAD


def _sparse(outside: bytes) -> Iterator[Case]:
    def mapped(text: bytes, real: bytes = b"100000", content: bytes = b"x" * 512) -> bytes:
        records = [(b"GNU.sparse.size", real), (b"GNU.sparse.map", text)]
        return pax(records) + member(b"tree/s", content) + END

    yield "sparse map overlapping", mapped(b"0,300,100,212"), BAD
    yield "sparse map descending", mapped(b"1000,256,0,256"), BAD
    yield "sparse map beyond the size", mapped(b"99900,512"), BAD
    yield "sparse map overflow", mapped(b"18446744073709551615,512"), BAD
    yield "sparse map odd count", mapped(b"0,256,512"), BAD
    yield "sparse map larger than the data", mapped(b"0,90000"), BAD
    yield "sparse map negative", mapped(b"-512,512"), BAD
    first = pax([(b"GNU.sparse.major", b"1"), (b"GNU.sparse.minor", b"0"),
                 (b"GNU.sparse.name", b"../outside/file"), (b"GNU.sparse.realsize", b"10")])  # fmt: skip
    yield "sparse name with parent", first + member(b"x", b"1\n0\n10\n".ljust(512, b"\0") + EVIL) + END, BAD
    endless = pax([(b"GNU.sparse.major", b"1"), (b"GNU.sparse.minor", b"0"),
                   (b"GNU.sparse.realsize", b"10")])  # fmt: skip
    count = b"99999999999\n".ljust(512, b"1")
    yield "sparse map of endless count", endless + member(b"tree/s", count) + END, BAD


def _cuts() -> Iterator[Case]:
    whole = member(b"tree/a", b"a" * 1000) + member(b"tree/b", b"b" * 3000) + END
    for at in (1, 100, 511, 512, 1000, 1536, 2047, 2048, 2049, 4000, 5631):
        yield f"cut at {at}", whole[:at], BAD
