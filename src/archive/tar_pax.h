/*
 * tar_pax.h: extended headers (types x and g): records "LENGTH KEY=VALUE\n" taken apart, and
 * written. Private to the tar codec.
 *
 * Sources: POSIX.1-2017 pax (pax Extended Header), GNU tar manual, star(5), libarchive's tar(5).
 */
#ifndef HOLDFAST_ARCHIVE_TAR_PAX_H
#define HOLDFAST_ARCHIVE_TAR_PAX_H

#include "archive/tar_sparse.h"

/* The keys that we know and that stand for one value. */
enum tar_pax_key {
    PAX_PATH,
    PAX_LINK,
    PAX_SIZE,
    PAX_OWNER,
    PAX_GROUP,
    PAX_OWNER_NAME,
    PAX_GROUP_NAME,
    PAX_MTIME,
    PAX_ATIME,
    PAX_CTIME,
    PAX_BTIME,
    PAX_MAJOR,
    PAX_MINOR,
    PAX_FLAGS,
    PAX_COMMENT,
    PAX_ACL_ACCESS,
    PAX_ACL_DEFAULT,
    PAX_SPARSE_NAME,
    PAX_SPARSE_SIZE, /* GNU.sparse.size and GNU.sparse.realsize: the logical size */
    PAX_SPARSE_MAP,
    PAX_SPARSE_MAJOR,
    PAX_SPARSE_MINOR,
    PAX_SELINUX,
    PAX_KEY_COUNT,
};

/* Where an attribute comes from. Of records for one attribute the later origin of this list wins.
 */
enum tar_xattr_origin {
    XATTR_RHT, /* the SELinux label of RHT.security.selinux, without the NUL that the kernel keeps
                  behind it */
    XATTR_LIBARCHIVE, /* value in base64 without padding, name with any %XX */
    XATTR_SCHILY, /* value as it is; name with %25 and %3D (GNU tar) or, beside a LIBARCHIVE twin,
                     any %XX */
    XATTR_ACL,    /* made of the text of a SCHILY.acl record */
};
struct tar_raw_xattr {
    enum tar_xattr_origin origin;
    struct bytes name, value; /* as in the record */
};

/* The records of one extended header, pointing into its bytes. A zeroed struct is a valid empty
 * one. */
struct tar_pax {
    bool present;                      /* there was such a header, if only an empty one */
    struct bytes value[PAX_KEY_COUNT]; /* data is NULL where there is no record */
    bool deleted[PAX_KEY_COUNT]; /* a record without a value: the header's own field counts, not a
                                    global record */
    struct tar_raw_xattr *xattrs;
    size_t xattr_count, xattr_capacity;
    bool has_libarchive_xattrs;
    struct buffer names, text; /* for decoding names and values of attributes */
    struct tar_map map;        /* of form 0.0, whose ranges are records of their own */
    uint64_t map_offset;       /* the last GNU.sparse.offset, which waits for its numbytes */
    bool map_offset_waits;
};

void tar_pax_release(struct tar_pax *p);
/* Forgets all records and keeps the memory. */
void tar_pax_clear(struct tar_pax *p);

/* Takes a header's bytes apart; a later record of a key replaces an earlier one. `body` must live
 * as long as the records are used. ERROR_FORMAT. */
MUST_CHECK int tar_pax_parse(struct tar_pax *p, struct bytes body, struct error *err);

/* True if a key may stand in a global header; elsewhere it is passed over. */
bool tar_pax_key_is_global(enum tar_pax_key key);

/* A record's value as a number; only if there is one. ERROR_FORMAT. */
MUST_CHECK int tar_pax_number(const struct tar_pax *p, enum tar_pax_key key, uint64_t *value,
                              struct error *err);

/* Adds an attribute that stands for a record of another form; the bytes must live until
 * tar_pax_xattrs has returned. */
MUST_CHECK int tar_pax_add_xattr(struct tar_pax *p, struct tar_raw_xattr xattr, struct error *err);
/* Sets `out` to the attributes, decoded and sorted, each name once. ERROR_FORMAT, or ERROR_REFUSED
 * for a name that is empty or holds a NUL. */
MUST_CHECK int tar_pax_xattrs(struct tar_pax *p, struct pairs *out, struct error *err);

/* The size record of a header that is too large to keep: 1, 0, -1. Takes the whole body and its
 * padding. */
MUST_CHECK int tar_pax_scan_size(struct tar_stream *s, uint64_t body_bytes, uint64_t *size,
                                 struct error *err);

/* Writing a record: begin, append the value to `out`, end. `*start` ties the two. */
MUST_CHECK int tar_pax_begin(struct buffer *out, const char *key, size_t *start, struct error *err);
MUST_CHECK int tar_pax_begin_xattr(struct buffer *out, struct bytes name, size_t *start,
                                   struct error *err);
MUST_CHECK int tar_pax_end(struct buffer *out, size_t start, struct error *err);

#endif
