/*
 * tail_block.h: one block of the tail: type, version, lengths, checksum, and a content that is
 * compressed where that helps (docs/format.md, "The tail").
 */
#ifndef HOLDFAST_ARCHIVE_TAIL_BLOCK_H
#define HOLDFAST_ARCHIVE_TAIL_BLOCK_H

#include "base/buffer.h"

/* Block types carry two letters in their high half, so that the first bytes of a tail can be told
 * from other bytes behind a tar stream. */
#define TAIL_BLOCK_LETTERS UINT32_C(0x46480000)
#define TAIL_BLOCK_SUMMARY (TAIL_BLOCK_LETTERS | 1)
#define TAIL_BLOCK_FRAMES (TAIL_BLOCK_LETTERS | 2)
#define TAIL_BLOCK_LOSSES (TAIL_BLOCK_LETTERS | 3)
#define TAIL_BLOCK_INDEX (TAIL_BLOCK_LETTERS | 4)
#define TAIL_BLOCK_ENTRIES (TAIL_BLOCK_LETTERS | 5)

enum { TAIL_BLOCK_HEADER_BYTES = 32, TAIL_BLOCK_VERSION = 1 };

/* A block's header. */
struct tail_block {
    uint32_t type, version;
    uint64_t raw_bytes, stored_bytes; /* of the content; equal if it is not compressed */
    uint64_t checksum;                /* XXH3-64 of the stored content */
};

/* How much blocks hold together. */
struct tail_totals {
    uint64_t raw_bytes, stored_bytes;
};

/* True if so much can be expected of so many stored bytes: 64 MiB, or 256 times as much. */
bool tail_totals_plausible(const struct tail_totals *t);

/* Appends a block: header and content, compressed unless that makes it longer or the totals (to
 * which it is added) implausible. */
MUST_CHECK int tail_block_append(struct buffer *out, uint32_t type, struct bytes content,
                                 struct tail_totals *totals, struct error *err);

/* Takes a header. Lengths that make no sense are ERROR_FORMAT. */
MUST_CHECK int tail_block_header(struct cursor *c, struct tail_block *out, struct error *err);

/* Compares the length and checksum of `stored` with the header's; ERROR_FORMAT. */
MUST_CHECK int tail_block_check(const struct tail_block *b, struct bytes stored, struct error *err);

/* The content of `stored`, whose length is the header's, once its checksum was found right:
 * borrowed from `stored`, or decompressed into `memory`. */
MUST_CHECK int tail_block_content(const struct tail_block *b, struct bytes stored,
                                  struct buffer *memory, struct bytes *out, struct error *err);

/* Sets "the archive's tail is damaged: ..." (ERROR_FORMAT) and returns -1. */
int tail_damaged(struct error *err, const char *what);

#endif
