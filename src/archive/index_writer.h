/*
 * index_writer.h: makes the index while a backup runs. Finished blocks are compressed at once and
 * kept in memory up to some MiB, beyond that in a nameless file, so that memory does not grow with
 * the number of entries. The bytes depend on what is added alone.
 */
#ifndef HOLDFAST_ARCHIVE_INDEX_WRITER_H
#define HOLDFAST_ARCHIVE_INDEX_WRITER_H

#include "archive/index.h"

struct index_writer;

/* `spool` is the path of a folder for the nameless file, borrowed; NULL, or one where it cannot be
 * made: all stays in memory. */
MUST_CHECK int index_writer_new(const char *spool, struct index_writer **out, struct error *err);
void index_writer_free(struct index_writer *w);

/* Where an entry was written. */
struct index_place {
    uint64_t header_offset, data_offset; /* in the tar stream */
    size_t base;                  /* as index_item has it; data_offset is in the base then. A name
                                     that is not in the stream without it has equal offsets */
    const struct extent *extents; /* of a file, as index_item has them; NULL: it has no data */
    size_t extent_count;
    bool is_inexact; /* it was told as a loss */
};

/* Adds the next entry of the archive: identity as on the disk, first_name set for further names. A
 * further name whose first name was not added is ERROR_USAGE. */
MUST_CHECK int index_add(struct index_writer *w, const struct entry *e,
                         const struct index_place *place, struct error *err);

/* Names the archives that `place->base` may mean (borrowed until the end, their entry counts are
 * not used), before the first entry. */
MUST_CHECK int index_writer_set_bases(struct index_writer *w, const struct index_base *bases,
                                      size_t count, struct error *err);

/* Ends the index; then come only the calls below. */
MUST_CHECK int index_writer_finish(struct index_writer *w, struct error *err);
/* The finished head, for index_head_encode. Borrowed. */
const struct index_head *index_writer_head(const struct index_writer *w);
/* All blocks with their headers, one after the other: how many bytes, and bytes from an offset. */
uint64_t index_writer_stored(const struct index_writer *w);
MUST_CHECK int index_writer_read(const struct index_writer *w, uint64_t offset, void *bytes,
                                 size_t count, struct error *err);

#endif
