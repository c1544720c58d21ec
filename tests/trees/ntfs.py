"""A tree on an NTFS volume with all that Windows knows as links, written by extended attributes of
ntfs-3g. Buffers are put together here, after [MS-FSCC] 2.1.2."""

import os
import struct

JUNCTION, SYMLINK, LX_SYMLINK = 0xA0000003, 0xA000000C, 0xA000001D
CLOUD, WOF, DEDUP, APP_EXEC_LINK = 0x9000001A, 0x80000017, 0x80000013, 0x8000001B
THIRD_PARTY = 0x00000123
READ_ONLY, HIDDEN, SYSTEM, ARCHIVED = 1, 2, 4, 0x20
VOLUME = "\\??\\Volume{12345678-9abc-def0-1234-56789abcdef0}\\"


def utf16(text: str) -> bytes:
    """UTF-16LE, surrogates as they are."""
    return text.encode("utf-16-le", "surrogatepass")


def buffer(tag: int, data: bytes) -> bytes:
    """A whole buffer."""
    return struct.pack("<IHH", tag, len(data), 0) + data


def junction(substitute: str, shown: str) -> bytes:
    """As mklink /J and mountvol make it: NULs behind both names."""
    a, b = utf16(substitute), utf16(shown)
    head = struct.pack("<HHHH", 0, len(a), len(a) + 2, len(b))
    return buffer(JUNCTION, head + a + b"\0\0" + b + b"\0\0")


def symlink(substitute: str, shown: str, relative: bool) -> bytes:
    """As CreateSymbolicLink makes it: print name first."""
    a, b = utf16(substitute), utf16(shown)
    head = struct.pack("<HHHHI", len(b), len(a), 0, len(b), int(relative))
    return buffer(SYMLINK, head + b + a)


def set_ntfs(path: str, name: str, value: bytes) -> None:
    """Sets system.ntfs_NAME of the name itself."""
    os.setxattr(path, "system.ntfs_" + name, value, follow_symlinks=False)


def make(path: str, raw: bytes, folder: bool) -> None:
    """A reparse point."""
    if folder:
        os.mkdir(path)
    else:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    set_ntfs(path, "reparse_data", raw)
    for _ in range(2):  # the driver's first answer may be that it is stale
        try:
            os.lstat(path)
        except OSError:
            pass


def write(path: str, content: bytes) -> None:
    """A file."""
    with open(path, "xb") as stream:
        stream.write(content)


def set_attributes(path: str, bits: int) -> None:
    """Attributes by their bits."""
    set_ntfs(path, "attrib", struct.pack("<I", bits))


def set_mtime(path: str, ns: int) -> None:
    """The time of the last change. (utime is forgotten where the time of creation was set.)"""
    created = os.getxattr(path, "system.ntfs_crtime", follow_symlinks=False)
    filetime = struct.pack("<Q", ns // 100 + 116444736000000000)
    set_ntfs(path, "times", created + filetime + filetime)


def descriptor(rid: int) -> bytes:
    """A security descriptor: owner and group S-1-5-21-1-2-3-RID, one entry that lets them do all."""
    sid = struct.pack("<BB6sIIIII", 1, 5, b"\0\0\0\0\0\5", 21, 1, 2, 3, rid)
    ace = struct.pack("<BBHI", 0, 3, 8 + len(sid), 0x1F01FF) + sid
    acl = struct.pack("<BBHHH", 2, 0, 8 + len(ace), 1, 0) + ace
    at = 20
    head = struct.pack("<BBHIIII", 1, 0, 0x8004, at, at + len(sid), 0, at + 2 * len(sid))
    return head + sid + sid + acl


def links(top: str) -> None:
    """Junctions, symbolic links and other reparse points of all kinds."""
    for name, target in {
        "inside": "C:\\tree\\plain",
        "outside": "C:\\Windows",
        "drive-q": "Q:\\data\\all of it",
        "dangling": "C:\\no\\such\\folder",
        "chain": "C:\\tree\\links\\j-inside",
        "ancestor": "C:\\tree",
        "root": "C:\\",
    }.items():
        make(f"{top}/j-{name}", junction("\\??\\" + target, target), True)
    make(f"{top}/j-no-print-name", junction("\\??\\C:\\tree\\plain", ""), True)
    make(f"{top}/mount-point", junction(VOLUME, ""), True)
    for name, (target, folder) in {
        "relative-file": ("..\\plain\\file.txt", False),
        "relative-folder": ("..\\plain", True),
        "dangling-file": ("nothing\\here", False),
        "dangling-folder": ("nothing\\here", True),
        "root-relative": ("\\tree\\plain\\file.txt", False),
    }.items():
        make(f"{top}/s-{name}", symlink(target, target, True), folder)
    for name, (substitute, shown, folder) in {
        "absolute-file": ("\\??\\C:\\tree\\plain\\file.txt", "C:\\tree\\plain\\file.txt", False),
        "absolute-folder": ("\\??\\C:\\tree\\plain", "C:\\tree\\plain", True),
        "unc": ("\\??\\UNC\\server\\share\\x", "\\\\server\\share\\x", True),
        "other-print-name": ("\\??\\C:\\one", "C:\\two", False),
    }.items():
        make(f"{top}/s-{name}", symlink(substitute, shown, False), folder)
    make(f"{top}/lx-symlink", buffer(LX_SYMLINK, struct.pack("<I", 2) + b"../plain/file.txt"), False)
    make(f"{top}/app-exec-link", buffer(APP_EXEC_LINK, struct.pack("<I", 3) + utf16("a\0b\0c\0")), False)
    make(f"{top}/cloud-file", buffer(CLOUD, bytes(range(200))), False)
    make(f"{top}/cloud-folder", buffer(CLOUD, bytes(range(100))), True)
    make(f"{top}/third-party", struct.pack("<IHH", THIRD_PARTY, 9, 0) + bytes(range(16)) + b"by others", False)
    make(f"{top}/three-kilobytes", buffer(0x8000009A, bytes(i % 249 for i in range(3000))), False)
    make(f"{top}/largest", buffer(0x80000099, bytes(i % 251 for i in range(16376))), False)


def malformed_buffers() -> dict:
    """Buffers that break the rules of their tag, by what is wrong, with their flavour."""
    name, other = utf16("\\??\\C:\\x"), utf16("C:\\x")
    found = {}
    for tag, kind, flags in ((JUNCTION, "junction", b""), (SYMLINK, "symlink", bytes(4))):
        for what, (head, names) in {
            "odd length": ((0, 9, 12, 4), name + b"\0\0" + other + b"\0\0"),
            "odd offset": ((1, 12, 14, 8), b"\0" + name + b"\0\0" + other + b"\0\0"),
            "no substitute name": ((0, 0, 2, 8), b"\0\0" + other + b"\0\0"),
            "nothing": ((0, 0, 0, 0), b""),
            "no names, but bytes": ((0, 0, 0, 0), name),
            "a NUL in the name": ((0, 14, 16, 8), name[:8] + b"\0\0" + name[8:] + b"\0\0" + other),
            "print name outside": ((0, 14, 16, 800), name + b"\0\0" + other + b"\0\0"),
            "substitute name outside": ((0, 1400, 16, 8), name + b"\0\0" + other + b"\0\0"),
            "offset outside": ((60000, 14, 16, 8), name + b"\0\0" + other + b"\0\0"),
        }.items():
            found[f"{kind}, {what}"] = buffer(tag, struct.pack("<HHHH", *head) + flags + names), tag == JUNCTION
        for count in range(0, 12):
            found[f"{kind}, {count} bytes"] = buffer(tag, bytes(range(1, count + 1))), tag == JUNCTION
    for count in range(0, 5):
        found[f"lx symlink, {count} bytes"] = buffer(LX_SYMLINK, bytes(count)), False
    found["lx symlink, version"] = buffer(LX_SYMLINK, struct.pack("<I", 9) + b"x"), False
    found["lx symlink, NUL"] = buffer(LX_SYMLINK, struct.pack("<I", 2) + b"a\0b"), False
    for at in range(0, 30, 2):  # a NUL inside of one name or the other
        for tag, kind, flags in ((JUNCTION, "junction", b""), (SYMLINK, "symlink", bytes(4))):
            shown = utf16("abcdefgh")
            both = bytearray(utf16("\\??\\C:\\y") + shown)
            both[at // 2 * 2 : at // 2 * 2 + 2] = b"\0\0"
            head = struct.pack("<HHHH", 0, 14, 14, 16)
            found[f"{kind}, NUL at {at}"] = buffer(tag, head + flags + bytes(both)), tag == JUNCTION
    for odd in range(1, 15, 2):
        for tag, kind, flags in ((JUNCTION, "junction", b""), (SYMLINK, "symlink", bytes(4))):
            head = struct.pack("<HHHH", 0, odd, 14, 2)
            found[f"{kind}, length {odd}"] = buffer(tag, head + flags + name + b"xy"), tag == JUNCTION
    for tag in (0, 1, 2, 0x00000005, 0x20000007, 0x80000000):
        found[f"tag {tag:08x}"] = buffer(tag, b"data"), False
    for count in range(0, 17, 4):
        found[f"no whole GUID, {count}"] = struct.pack("<IHH", THIRD_PARTY, 0, 0) + bytes(count), False
    for wrong in (0, 1, 7, 65535):
        found[f"length {wrong}"] = struct.pack("<IHH", CLOUD, wrong, 0) + b"12345678", False
    found["reserved"] = struct.pack("<IHH", CLOUD, 4, 0xABCD) + b"1234", False
    return found


def malformed(top: str) -> int:
    """As many of these as the driver takes; their count."""
    made = 0
    for name, (raw, folder) in malformed_buffers().items():
        try:
            make(f"{top}/{name}", raw, folder)
            made += 1
        except OSError:
            (os.rmdir if folder else os.unlink)(f"{top}/{name}")
    return made


def data_behind(top: str) -> None:
    """What has content that the driver does not show."""
    make(f"{top}/wof", buffer(WOF, struct.pack("<IIII", 1, 2, 1, 0)), False)
    make(f"{top}/dedup", buffer(DEDUP, bytes(120)), False)


def metadata(top: str) -> None:
    """Attributes, descriptors, times, streams, short names, ids."""
    os.mkdir(f"{top}/hidden folder")
    set_attributes(f"{top}/hidden folder", HIDDEN | SYSTEM)
    for name, bits in (("hidden", HIDDEN | ARCHIVED), ("read-only", READ_ONLY), ("none", 0)):
        write(f"{top}/{name}", name.encode())
        set_attributes(f"{top}/{name}", bits)
    write(f"{top}/secured", b"secret")
    set_ntfs(f"{top}/secured", "acl", descriptor(1001))
    os.mkdir(f"{top}/secured folder")
    set_ntfs(f"{top}/secured folder", "acl", descriptor(1002))
    write(f"{top}/a file with a long name.txt", b"short")
    set_ntfs(f"{top}/a file with a long name.txt", "dos_name", b"AFILEW~1.TXT")
    os.mkdir(f"{top}/a folder with a long name")
    set_ntfs(f"{top}/a folder with a long name", "dos_name", b"AFOLDE~1")
    write(f"{top}/identified", b"id")
    set_ntfs(f"{top}/identified", "object_id", bytes(range(100, 164)))
    write(f"{top}/ea", b"ea")
    set_ntfs(f"{top}/ea", "ea", struct.pack("<IBBH", 16, 0, 4, 3) + b"NAME\0abc")
    write(f"{top}/streams", b"main")
    os.setxattr(f"{top}/streams", "user.Zone.Identifier", b"[ZoneTransfer]\r\nZoneId=3\r\n")
    os.setxattr(f"{top}/streams", "user.large", bytes(i % 256 for i in range(65536)))
    for name in ("hidden", "secured", "secured folder"):
        set_ntfs(f"{top}/{name}", "crtime", struct.pack("<Q", 125000000000000000 + len(name)))
    make(f"{top}/junction with all", junction("\\??\\C:\\x", "C:\\x"), True)
    set_ntfs(f"{top}/junction with all", "acl", descriptor(1003))
    set_attributes(f"{top}/junction with all", HIDDEN | SYSTEM | 0x400)
    set_ntfs(f"{top}/junction with all", "crtime", struct.pack("<Q", 124000000000000000))


def names(top: str) -> None:
    """Hard links, of links of the file flavour, too; names that Windows alone has."""
    write(f"{top}/one", b"several names")
    os.link(f"{top}/one", f"{top}/two")
    os.mkdir(f"{top}/below")
    os.link(f"{top}/one", f"{top}/below/three")
    make(f"{top}/link", symlink("one", "one", True), False)
    os.link(f"{top}/link", f"{top}/second name of link", follow_symlinks=False)
    with open(os.fsencode(top) + b"/lone surrogate \xed\xa0\x80", "xb"):
        pass
    write(f"{top}/\u00e9 \U0001f600", b"text")
    write(f"{top}/sparse", b"")
    with open(f"{top}/sparse", "r+b") as stream:
        stream.truncate(1 << 20)
        stream.seek(1 << 19)
        stream.write(b"island")


def ntfs_tree(top: str) -> None:
    """The whole tree, its times set at the end."""
    for part in ("", "plain", "links", "behind", "metadata", "names"):
        os.mkdir(f"{top}/{part}" if part else top)
    write(f"{top}/plain/file.txt", b"content\n")
    links(f"{top}/links")
    data_behind(f"{top}/behind")
    metadata(f"{top}/metadata")
    names(f"{top}/names")
    when = 1_500_000_000_000_000_000
    for folder, folders, files in os.walk(os.fsencode(top), topdown=False):
        for name in sorted(files + folders):
            when += 1_000_000_100
            set_mtime(os.fsdecode(folder + b"/" + name), when)
    set_mtime(top, when)


def forget(top: str, *names: str) -> None:
    """Takes parts of the tree away, and gives the folders that they were in their times again."""
    for name in names:
        path = f"{top}/{name}"
        parent = os.path.dirname(path)
        before = os.stat(parent).st_mtime_ns
        if os.path.isdir(path) and not os.path.islink(path):
            for below in os.listdir(path):
                os.unlink(f"{path}/{below}")
            os.rmdir(path)
        else:
            os.unlink(path)
        set_mtime(parent, before)
