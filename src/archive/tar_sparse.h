/*
 * tar_sparse.h: maps of sparse files in the forms that tar archives have them: old GNU's slots in
 * header blocks, and GNU's pax forms 0.0 and 0.1 (records) and 1.0 (text in front of the data).
 * Private to the tar codec.
 *
 * Source: GNU tar manual, "Storing Sparse Files".
 */
#ifndef HOLDFAST_ARCHIVE_TAR_SPARSE_H
#define HOLDFAST_ARCHIVE_TAR_SPARSE_H

#include "archive/tar_stream.h"

/* The ranges with data, ascending, not touching, not empty. A zeroed struct is a valid empty map.
 */
struct tar_map {
    struct extent *extents;
    size_t count, capacity;
    uint64_t end;    /* of the last range */
    uint64_t stored; /* data bytes of all ranges */
    bool over_limit; /* more than TAR_MAX_EXTENTS: what came later is not in `extents` */
};

void tar_map_release(struct tar_map *map);
/* Forgets the ranges and keeps the memory. */
void tar_map_clear(struct tar_map *map);

/* Adds a range behind the others; empty ones are checked and left out. Unordered or overlapping
 * ones are ERROR_FORMAT. */
MUST_CHECK int tar_map_add(struct tar_map *map, uint64_t offset, uint64_t length,
                           struct error *err);

/* Checks the whole map against the file's size and the data that is stored; ERROR_FORMAT. */
MUST_CHECK int tar_map_finish(const struct tar_map *map, uint64_t size, uint64_t stored,
                              struct error *err);

/* Old GNU: the slots of a type S header and of the blocks that follow it. */
MUST_CHECK int tar_map_read_slots(struct tar_map *map, const struct tar_block *header,
                                  struct tar_stream *s, struct error *err);

/* pax 0.1: "offset,length,offset,length". */
MUST_CHECK int tar_map_parse(struct tar_map *map, struct bytes text, struct error *err);

/* pax 1.0: lines of decimal numbers (how many ranges; offset and length of each) in whole blocks at
 * the head of the data, of which *stored bytes are left. */
MUST_CHECK int tar_map_read_lines(struct tar_map *map, struct tar_stream *s, uint64_t *stored,
                                  struct error *err);

/* Appends the blocks of slots that do not fit a type S header, after filling the header's own. A
 * file that ends in a hole gets an empty range at its end, as GNU tar writes it. `header` must not
 * point into `out`. */
MUST_CHECK int tar_map_write(struct buffer *out, struct tar_block *header,
                             const struct tar_member *m, struct error *err);

#endif
