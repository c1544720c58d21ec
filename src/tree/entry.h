/*
 * entry.h: one name in a tree, as every part of the program sees it: the walk of a disk, an
 * archive's member, a wrapper round either. Pure data; the source that yields an entry owns all
 * that it points to until its next call.
 */
#ifndef HOLDFAST_TREE_ENTRY_H
#define HOLDFAST_TREE_ENTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/pairs.h"
#include "base/text.h"

enum entry_kind {
    ENTRY_DIRECTORY,
    ENTRY_FILE,
    ENTRY_SYMLINK,
    ENTRY_FIFO,
    ENTRY_SOCKET,
    ENTRY_CHAR_DEVICE,
    ENTRY_BLOCK_DEVICE,
    /* What follows is on NTFS volumes alone, and has `reparse`. */
    ENTRY_JUNCTION,    /* a link to a folder, by an absolute path */
    ENTRY_MOUNT_POINT, /* a junction to the root of a volume */
    ENTRY_REPARSE,     /* any other reparse point, and those that are malformed: kept as they are */
};
enum { ENTRY_KINDS = ENTRY_REPARSE + 1 };

/* Which fields of `struct metadata` are true. */
enum metadata_field {
    METADATA_MODE = 1 << 0,
    METADATA_OWNER = 1 << 1, /* uid */
    METADATA_GROUP = 1 << 2, /* gid */
    METADATA_MTIME = 1 << 3,
    METADATA_ATIME = 1 << 4,
    METADATA_CTIME = 1 << 5,
    METADATA_BTIME = 1 << 6,
    METADATA_FLAGS = 1 << 7,
    METADATA_XATTRS = 1 << 8, /* the whole list is known: what is not in it is not there */
    METADATA_ACL = 1 << 9, /* ACLs are known, too; they stand in xattrs as system.posix_acl_access
                              and _default */
};

/* File flags, in our own numbering; the os layer and the codecs translate. chattr(1) letters in
 * comments. */
enum file_flag {
    FILE_FLAG_IMMUTABLE = 1 << 0, /* i */
    FILE_FLAG_APPEND = 1 << 1,    /* a */
    FILE_FLAG_NODUMP = 1 << 2,    /* d */
    FILE_FLAG_NOATIME = 1 << 3,   /* A */
    FILE_FLAG_SYNC = 1 << 4,      /* S */
    FILE_FLAG_DIRSYNC = 1 << 5,   /* D */
    FILE_FLAG_NOCOW = 1 << 6,     /* C: takes effect on empty files only */
    FILE_FLAG_TOPDIR = 1 << 7,    /* T */
};

/* What an entry is besides its name, kind and content. Fields outside `known` hold nothing. */
struct metadata {
    uint32_t known; /* enum metadata_field bits */
    uint32_t mode;  /* the twelve permission bits, 07777 */
    uint64_t owner, group;
    const char *owner_name, *group_name; /* NUL-terminated, borrowed; NULL if not known */
    struct timestamp mtime, atime, ctime, btime;
    uint32_t flags;      /* enum file_flag bits */
    struct pairs xattrs; /* sorted by name; capabilities are security.capability; ACLs in the
                            kernel's binary form (version 2) */
};

/* Which file a name is a name of: volume (st_dev) and 128-bit file number (POSIX: the inode, high
 * half 0). No padding. */
struct identity {
    uint64_t volume;
    uint64_t file[2];
};

/* Why an entry, or part of it, could not be read. */
enum problem_scope {
    PROBLEM_NONE,
    PROBLEM_ENTRY, /* the name is there, nothing else is known: kind and metadata are not to be used
                    */
    PROBLEM_CONTENT, /* a folder that could not be listed (to its end): comes as a further item with
                        the folder's own path, before the names that were listed (or, if the folder
                        was lost while it was read, among them); nothing may be deleted below it */
    PROBLEM_METADATA, /* the entry stands, but `meta.known` lacks what could not be read */
};

/* A range of a file that holds data; what lies between ranges is a hole. */
struct extent {
    uint64_t offset, length; /* bytes */
};

struct entry {
    struct bytes
        path; /* from the source's top: "root/a/b", no leading, doubled or trailing slash */
    size_t name_offset; /* where the last component begins in path */
    size_t depth;       /* components before the last one */
    enum entry_kind kind;
    uint64_t size;        /* of a file: logical bytes */
    uint64_t allocated;   /* of a file on disk: bytes in blocks; a hint */
    struct bytes target;  /* of a link (entry_is_link): every byte of its text; of one with
                             `reparse` the text that programs on Windows use, after
                             reparse_append_target */
    struct bytes reparse; /* of what is a reparse point: its whole buffer, at most 16 KiB. Symbolic
                             links have one on NTFS alone. Else empty */
    bool folder_flavour;  /* of a reparse point: it stands for a folder, not for a file, whatever is
                             there */
    uint32_t device_major, device_minor;
    struct identity identity; /* all zero if not known */
    uint64_t link_count; /* names of the file as the system says, a hint; 0 = not known, so there
                            may be more */
    struct bytes
        first_name;     /* path of the group's first name; empty unless this is a further name */
    bool has_data_hash; /* `data_hash` holds: the content's hash as diff.h's data_hash makes it,
                           where the source knows it */
    struct hash128 data_hash;
    bool shared; /* the first of several names, as far as the source can tell ahead (archive's flag,
                    link count) */
    bool content_left_out; /* a folder whose content is left out on purpose: what lies there is not
                              known */
    bool passage; /* a folder that is only on the way to chosen paths: it is not chosen itself */
    struct metadata meta;
    enum problem_scope problem_scope;
    const struct error *problem; /* set unless PROBLEM_NONE */
};

/* The last component of the path. */
struct bytes entry_name(const struct entry *e);

/* True if the entry is a further name of a file whose first name came before. */
bool entry_is_further_name(const struct entry *e);

/* True for symbolic links, junctions and mount points, which have a target. */
bool entry_is_link(const struct entry *e);

/* The tag of a reparse point, 0 of what is none. */
uint32_t entry_reparse_tag(const struct entry *e);

/* Makes the entry the reparse point that its buffer says: kind, target (kept in `target`, whose
 * content is replaced), buffer, which is borrowed, and flavour. -1 is lack of memory. */
MUST_CHECK int entry_set_reparse(struct entry *e, struct bytes raw, bool folder_flavour,
                                 struct buffer *target, struct error *err);

/* True for the names of attributes that hold what NTFS alone has (system.ntfs_*). Who has one has
 * `system.ntfs_attrib`; the others follow the same rules as attributes do. */
bool entry_xattr_is_ntfs(struct bytes name);

/* "directory", "file", "symlink", "fifo", "socket", "chardev", "blockdev", "junction",
 * "mount point", "reparse point". */
const char *entry_kind_name(enum entry_kind kind);

/* Canonical order of two paths: component by component by unsigned bytes, a folder before its
 * content. (Not the order of the whole strings: "a/b" comes before "a.b", since '/' ends a
 * component.) */
int path_compare(struct bytes a, struct bytes b);

/* True if `path` is `folder` or lies below it. An empty folder holds everything. */
bool path_is_within(struct bytes path, struct bytes folder);

/* The path without its last component (empty for a top-level name). */
struct bytes path_parent(struct bytes path);

bool identity_is_known(const struct identity *id);
bool identity_equal(const struct identity *a, const struct identity *b);

#endif
