/*
 * tail_format.h: what encoder and decoder of the tail share. Private to them.
 */
#ifndef HOLDFAST_ARCHIVE_TAIL_FORMAT_H
#define HOLDFAST_ARCHIVE_TAIL_FORMAT_H

#include "archive/tail.h"

/* What a trailer begins with. */
extern const uint8_t tail_magic[8];

enum {
    TAIL_TRAILER_VERSION = 1,
    TAIL_CHECKED_TRAILER_BYTES = TAIL_TRAILER_BYTES - 8, /* of the trailer, by its own checksum */
    TAIL_KIND_COUNT = ENTRY_KINDS,
    TAIL_USUAL_KINDS = 8, /* as many are told, unless there are some of the others */
};

/* Flags of the summary. */
enum summary_flag { SUMMARY_ORDERED = 1, SUMMARY_NAMES_KNOWN = 2, SUMMARY_COMPLETE_METADATA = 4 };

/* A decoded trailer. */
struct tail_end {
    uint32_t block_count;
    uint64_t tail_bytes;
    uint64_t checksum; /* of all blocks with their headers */
};
/* As tail_trailer. */
int tail_end_decode(struct bytes bytes, struct tail_end *out, struct error *err);

/* An empty one. */
MUST_CHECK int tail_memory_new(struct tail_memory **out, struct error *err);
/* Adds what a block holds; `end` is where the block ends in the tail. Blocks of other types are
 * passed over; those that come twice are damage. */
MUST_CHECK int tail_memory_add(struct tail_memory *m, uint32_t type, struct bytes content,
                               uint64_t end, struct error *err);
/* Checks that all is there that a tail must have. */
MUST_CHECK int tail_memory_check(const struct tail_memory *m, struct error *err);

#endif
