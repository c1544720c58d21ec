/*
 * tar_member.h: the headers of one member, from all dialects, into one struct tar_member. Private
 * to the tar codec.
 */
#ifndef HOLDFAST_ARCHIVE_TAR_MEMBER_H
#define HOLDFAST_ARCHIVE_TAR_MEMBER_H

#include "archive/tar_pax.h"

/* The body of a GNU L or K header. */
struct tar_long_text {
    bool present;
    struct buffer bytes;
};

/* What is known of a member while its headers are read, and the memory that its struct tar_member
 * points into. A zeroed struct is a valid empty one. */
struct tar_reader {
    struct tar_block block; /* the header read last */
    struct tar_pax pax;     /* of the x header before it */
    struct tar_long_text long_path, long_link;
    struct buffer globals[PAX_KEY_COUNT]; /* values of g headers, for the rest of the archive; empty
                                             where there is none */
    bool has_globals;
    bool size_is_known; /* `known_size` is the size record of an x header that was too large to keep
                         */
    uint64_t known_size;
    struct error trouble; /* why this member must be passed over, or ERROR_NONE */

    bool is_ustar, is_gnu; /* by magic; neither: v7 */
    bool may_lack_data;    /* whether the announced bytes follow is not sure */
    uint64_t stored;       /* data bytes that follow */
    struct tar_map map;
    struct buffer path, link, owner_name, group_name, acl_access, acl_default;
    struct tar_member member;
};

void tar_reader_release(struct tar_reader *r);

/* Forgets the last member; globals and memory stay. */
void tar_reader_begin(struct tar_reader *r);

/* True if headers were read that need a member behind them. */
bool tar_reader_expects_member(const struct tar_reader *r);

/* Takes over the records of a g header; one without a value ends the older one. */
MUST_CHECK int tar_reader_set_globals(struct tar_reader *r, const struct tar_pax *records,
                                      struct error *err);

/* Keeps an error that concerns this member alone (ERROR_REFUSED, ERROR_LIMIT) until all of its
 * headers were read, and returns 0; other errors stay, and -1. */
MUST_CHECK int tar_reader_trouble(struct tar_reader *r, struct error *err);

/* Decodes the member whose own header is in `block`; takes what stands between it and the data
 * (sparse maps) from the stream. */
MUST_CHECK int tar_reader_member(struct tar_reader *r, struct tar_stream *s, struct error *err);

#endif
