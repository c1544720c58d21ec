/*
 * index_data.h: the content of one file of an archive, read through its frames at any offset.
 */
#ifndef HOLDFAST_ARCHIVE_INDEX_DATA_H
#define HOLDFAST_ARCHIVE_INDEX_DATA_H

#include "archive/frames.h"
#include "archive/index_writer.h"

/* Opens a content of `size` logical bytes. `frames` are borrowed until it is closed. */
MUST_CHECK int index_data_open(struct frames *frames, uint64_t size,
                               const struct index_place *place, struct data **out,
                               struct error *err);

#endif
