"""One tree with every item of the list of what must be exact, the same at each call.

The planted defects (defects.py) and the end-to-end tests know its paths. Big groups and folders
stand apart, so that a test can change one thing without touching another.
"""

import stat

from trees.maker import Maker
from trees.metadata import GROUP, GROUP_OBJ, MASK, NOBODY, OTHER, USER, USER_OBJ, Counts, Metadata

DAY = 86400 * 10**9
BASE_TIME = 1700000000 * 10**9 + 123456789
NAMES = [
    b"new\nline",
    b"tab\there",
    b"  spaces  ",
    b"-rf",
    b"--help",
    b"back\\slash",
    b"invalid \xff\xfe\x80 utf-8",
    b"surrogate \xed\xa0\x80",
    b"caf\xc3\xa9",
    b"cafe\xcc\x81",
    b"escape \x1b[31m red",
    b"right to left \xe2\x80\xae txt.exe",
    b"percent %41 %s",
    b"star * ? [a]",
    b"quote ' \" `",
    b"equals=sign",
    b"colon:name",
    b"CON",
    b"con",
    b"trailing dot.",
    b"...",
    b"~",
    b"\x01\x7f",
]
GROUP_SIZE = 100
ACL = (
    (USER_OBJ, 7, NOBODY),
    (USER, 5, 1),
    (USER, 4, 70000),
    (GROUP_OBJ, 5, NOBODY),
    (GROUP, 6, 12345),
    (MASK, 7, NOBODY),
    (OTHER, 4, NOBODY),
)


def full_tree(dest, portable: bool = True, deep: bool = True) -> Counts:
    """Makes the tree at `dest`. With `portable` it holds only what ext4 can hold, too (one block
    of extended attributes a file); with `deep` paths longer than PATH_MAX. Returns what was made
    and what was not here."""
    maker = Maker(dest)
    special = {}
    for part in (_names, _files, _sparse, _symlinks, _groups, _nodes, _attributes, _times):
        part(maker, special)
    if deep:
        maker.chain(b"deep", b"d" * 200, 30, b"at the bottom of 30 levels")
    if not portable:
        special[b"attributes/huge"] = Metadata(xattrs={b"user.huge": bytes(range(256)) * 120})
        maker.file(b"attributes/huge", b"30 KB of extended attribute")
    special[b"."] = Metadata(
        uid=4321, gid=8765, mode=0o1755, mtime_ns=-5 * DAY - 7, xattrs={b"user.root": b"root's own"}
    )

    def choose(visit):
        metadata = special.get(visit.path) or Metadata()
        if metadata.mtime_ns is None:
            metadata.mtime_ns = BASE_TIME + len(visit.path) * DAY
        return metadata

    maker.dress(choose)
    return maker.counts


def _names(maker: Maker, special: dict) -> None:
    maker.folder(b"names")
    for name in NAMES:
        maker.file(b"names/" + name, b"content of " + name, "odd name")
        maker.symlink(b"names/" + name + b".link", name, "any bytes")
    maker.folder(b"names/folder \n\xff")
    maker.file(b"names/folder \n\xff/inside", b"inside an odd folder", "odd name")
    for length in (98, 99, 100, 101, 155, 254, 255):
        maker.file(b"names/" + b"n" * length, b"%d bytes" % length, "long name")
    maker.file(b"names/" + b"\xc3\xa9" * 127 + b"x", b"255 bytes of UTF-8", "long name")
    maker.folder(b"names/" + b"f" * 255)
    maker.file(b"names/" + b"f" * 255 + b"/" + b"g" * 255, b"twice 255", "long name")


def _files(maker: Maker, special: dict) -> None:
    maker.folder(b"files")
    for size in (0, 1, 511, 512, 513, 4095, 4096, 65536, 65537):
        maker.file(b"files/%d bytes" % size, bytes((size + i * i) % 251 for i in range(size)))
    big = b"".join(b"line %d of a file of more than one frame\n" % i for i in range(250000))
    maker.file(b"files/large", big)
    maker.file(b"files/all zeros", bytes(20000))
    for path in (b"empty", b"empty/below", b"empty/below/below"):
        maker.folder(path, "empty folder")
    maker.folder(b"many")
    for number in range(300):
        maker.file(b"many/%03d" % number, b"%d\n" % number)


def _sparse(maker: Maker, special: dict) -> None:
    maker.folder(b"sparse")
    block = b"data " * 13107 + b"\n"  # 64 KiB, the largest block of the file systems in use
    one_mib, huge = 1 << 20, 64 << 30
    maker.sparse(b"sparse/start", one_mib, [(one_mib - 65536, block)], "hole at start")
    maker.sparse(b"sparse/middle", one_mib, [(0, block), (one_mib - 65536, block)], "hole in middle")
    maker.sparse(b"sparse/end", one_mib, [(0, block)], "hole at end")
    maker.sparse(b"sparse/all", one_mib + 17, [], "all hole")
    many = [(number * 4 * 65536, block) for number in range(40)]
    maker.sparse(b"sparse/many", 40 * 4 * 65536, many, "40 holes")
    maker.sparse(b"sparse/huge", huge, [(huge // 2, block[:4096])], "64 GiB apparent")
    maker.sparse(b"sparse/huge end", huge, [(huge - 3, b"end")], "64 GiB apparent")


def _symlinks(maker: Maker, special: dict) -> None:
    maker.folder(b"links")
    maker.file(b"links/goal", b"what the links lead to")
    maker.folder(b"links/folder")
    maker.symlink(b"links/relative", b"goal", "relative")
    maker.symlink(b"links/to folder", b"folder", "relative")
    maker.symlink(b"links/slash", b"folder/", "relative")
    maker.symlink(b"links/up", b"../files/../links//./goal", "relative")
    maker.symlink(b"links/absolute", b"/etc/passwd", "absolute")
    maker.symlink(b"links/dangling", b"nothing here", "dangling")
    maker.symlink(b"links/absolute dangling", b"/nonexistent/\xff\n", "dangling")
    maker.symlink(b"links/self", b"self", "looping")
    maker.symlink(b"links/loop a", b"loop b", "looping")
    maker.symlink(b"links/loop b", b"loop a", "looping")
    maker.symlink(b"links/parent", b"..", "looping")
    maker.symlink(b"links/bytes", bytes(range(1, 256)), "any bytes")
    maker.symlink(b"links/windows", b"C:\\Users\\x", "any bytes")
    for length in (99, 100, 101, 255, 256, 1023, 1024, 4095):
        maker.symlink(b"links/%d" % length, (b"x/" * 2048)[:length], f"of {length} bytes")
    special[b"links/relative"] = Metadata(uid=77, gid=78, mtime_ns=-DAY - 1)
    special[b"links/absolute"] = Metadata(xattrs={b"trusted.on link": b"of the link"})


def _groups(maker: Maker, special: dict) -> None:
    maker.folder(b"groups")
    maker.folder(b"groups/far")
    maker.file(b"groups/file", b"a file of three names")
    maker.link(b"groups/file", b"groups/file again")
    maker.link(b"groups/file", b"groups/far/file too")
    maker.file(b"groups/empty", b"")
    maker.link(b"groups/empty", b"groups/empty too")
    maker.file(b"groups/twin a", b"equal files that are not one")
    maker.file(b"groups/twin b", b"equal files that are not one")
    special[b"groups/twin b"] = Metadata(mtime_ns=BASE_TIME)
    special[b"groups/twin a"] = Metadata(mtime_ns=BASE_TIME)
    maker.symlink(b"groups/link", b"file", "relative")
    maker.link(b"groups/link", b"groups/link too")
    maker.sparse(b"groups/sparse", 1 << 20, [(0, b"x" * 65536)], "hole at end")
    maker.link(b"groups/sparse", b"groups/sparse too")
    maker.fifo(b"groups/fifo")
    maker.link(b"groups/fifo", b"groups/fifo too")
    maker.socket(b"groups/socket")
    maker.link(b"groups/socket", b"groups/socket too")
    if maker.device(b"groups/device", stat.S_IFCHR, 1, 3):
        maker.link(b"groups/device", b"groups/device too")
    maker.folder(b"groups/big")
    maker.file(b"groups/big/000", b"a file of a hundred names")
    for number in range(1, GROUP_SIZE):
        maker.link(b"groups/big/000", b"groups/big/%03d" % number)
    special[b"groups/far/file too"] = Metadata(uid=5, mode=0o640, mtime_ns=BASE_TIME + 1)


def _nodes(maker: Maker, special: dict) -> None:
    maker.folder(b"nodes")
    maker.fifo(b"nodes/fifo")
    maker.socket(b"nodes/socket")
    maker.device(b"nodes/null", stat.S_IFCHR, 1, 3)
    maker.device(b"nodes/block", stat.S_IFBLK, 7, 250)
    maker.device(b"nodes/large numbers", stat.S_IFCHR, 4095, 1048575)
    maker.device(b"nodes/whiteout", stat.S_IFCHR, 0, 0)
    special[b"nodes/fifo"] = Metadata(mode=0o621, uid=3, mtime_ns=5 * 10**17)
    special[b"nodes/socket"] = Metadata(mode=0o4711, gid=3, mtime_ns=-1)
    special[b"nodes/null"] = Metadata(mode=0o666, mtime_ns=2**32 * 10**9 + 5)


def _attributes(maker: Maker, special: dict) -> None:
    maker.folder(b"attributes")
    values = _attribute_values()
    for name, metadata in values.items():
        path = b"attributes/" + name
        if name.startswith(b"folder"):
            maker.folder(path)
        else:
            maker.file(path, b"file with " + name)
        special[path] = metadata
    maker.file(b"attributes/folder immutable/inside", b"in an immutable folder")
    maker.link(b"attributes/flag immutable", b"attributes/flag immutable too")


def _attribute_values() -> dict:
    result = {}
    modes = (0o0, 0o400, 0o644, 0o755, 0o777, 0o1777, 0o2755, 0o4755, 0o6711, 0o7777)
    for mode in modes:
        result[b"mode %04o" % mode] = Metadata(mode=mode, uid=1000, gid=1000)
        result[b"folder %04o" % mode] = Metadata(mode=mode)
    for number in (0, 1, 999, 65534, 2097151, 2097152, 2**31, 2**32 - 2):
        result[b"owner %d" % number] = Metadata(uid=number, gid=number)
    attributes = {
        b"user.plain": b"value",
        b"user.empty": b"",
        b"user.with nul": b"before\0after\n",
        b"user.a=b": b"=",
        b"user.per%cent %41": b"%",
        b"user.\xc3\xa9 \xff\xfe": b"\xff",
        b"user.new\nline": b"1\n2",
        b"trusted.overlay.opaque": b"y",
        b"security.holdfast": b"any",
    }
    result[b"xattrs"] = Metadata(xattrs=dict(attributes))
    result[b"folder xattrs"] = Metadata(xattrs=dict(attributes))
    result[b"xattr large"] = Metadata(xattrs={b"user.large": bytes(range(250)) * 12})
    result[b"xattr long name"] = Metadata(xattrs={b"user." + b"n" * 250: b"long"})
    result[b"acl"] = Metadata(acl=ACL)
    result[b"folder acl"] = Metadata(acl=ACL, default_acl=ACL)
    minimal = tuple(entry for entry in ACL if entry[0] in (USER_OBJ, GROUP_OBJ, OTHER))
    result[b"folder default acl"] = Metadata(default_acl=minimal)
    result[b"capability"] = Metadata(mode=0o755, capability=(1 << 13) | (1 << 39))
    for flag in ("immutable", "append", "nodump", "noatime", "sync"):
        result[b"flag " + flag.encode()] = Metadata(flags=(flag,))
    for flag in ("immutable", "append", "nodump", "dirsync", "topdir"):
        result[b"folder " + flag.encode()] = Metadata(flags=(flag,))
    return result


def _times(maker: Maker, special: dict) -> None:
    maker.folder(b"times")
    moments = (
        -(2**31) * 10**9,
        -1250000000,
        -1,
        0,
        1,
        2**31 * 10**9 + 1,
        2**33 * 10**9 + 999999999,
        4102444800 * 10**9 + 987654321,
        15032385534 * 10**9 + 999999999,
    )
    for moment in moments:
        text = b"%d" % moment
        maker.file(b"times/file " + text, b"time")
        maker.folder(b"times/folder " + text)
        maker.symlink(b"times/link " + text, b"file", "dangling")
        maker.fifo(b"times/fifo " + text)
        for kind in (b"file ", b"folder ", b"link ", b"fifo "):
            special[b"times/" + kind + text] = Metadata(mtime_ns=moment)
