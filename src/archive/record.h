/*
 * record.h: our own record in a member's pax `comment`: what tar has no field for. Text
 * "holdfast:1:" and base64 of tagged fields (docs/format.md); unknown tags are passed over, so that
 * later versions can add some. Under 900 KB; GNU tar, bsdtar and 7-Zip pass it over in silence.
 */
#ifndef HOLDFAST_ARCHIVE_RECORD_H
#define HOLDFAST_ARCHIVE_RECORD_H

#include "tree/source.h"

/* A reader of full archives alone must not take an incremental one for full. */
enum archive_version { ARCHIVE_FULL = 1, ARCHIVE_INCREMENTAL = 2 };

/* Of the whole archive; stands in the record of the first member alone. */
struct archive_record {
    uint32_t version;          /* of the archive format, enum archive_version */
    const char *program;       /* "holdfast 0.1.0"; "" if left out */
    struct source_facts facts; /* roots and host */
    struct bytes options;      /* the filters and options used, one "name=value" a line */
};

/* Of one member. */
struct member_record {
    bool has_archive; /* `archive` holds */
    struct archive_record archive;
    bool is_socket; /* stored as an empty regular file of mode 0: `mode` holds the real one */
    uint32_t mode;  /* of a socket or reparse point */
    bool shared;    /* first of several names: further names follow in this archive */
    uint32_t
        known; /* METADATA_FLAGS, METADATA_BTIME, METADATA_CTIME: which of the fields below hold */
    uint32_t unknown; /* enum metadata_field bits of what could not be read from the disk; else what
                         is not said is not there */
    uint32_t flags;
    struct timestamp btime, ctime;
    uint64_t link_count;  /* names the file had on the disk, 0 = not known */
    bool is_reparse;      /* the next three hold, and `mode` */
    enum entry_kind kind; /* SYMLINK, JUNCTION, MOUNT_POINT or REPARSE; the last is stored as an
                             empty regular file of mode 0 */
    struct bytes reparse; /* the buffer */
    bool folder_flavour;
    const struct pairs *xattrs; /* those of NTFS (entry_xattr_is_ntfs): given, they may be among
                                   others; got, these alone, or NULL for none */
};

/* Appends the comment's text. */
MUST_CHECK int record_encode(struct buffer *out, const struct member_record *r, struct error *err);

/* True if a comment is ours. */
bool record_is_ours(struct bytes comment);

/* Decodes; strings and the roots point into `memory`, which the caller owns and keeps as long as
 * the record. ERROR_FORMAT if it is ours but malformed. */
struct record_memory {
    struct buffer bytes;     /* decoded text */
    struct root_fact *roots; /* allocated */
    struct pairs xattrs;
};
MUST_CHECK int record_decode(struct bytes comment, struct record_memory *memory,
                             struct member_record *out, struct error *err);
void record_memory_release(struct record_memory *m);

#endif
