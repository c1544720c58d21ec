/*
 * index_data.h: the content of one file of an archive, read through its frames at any offset. Read
 * from its begin to its end, as a restore does, it is also held against the hash that the index has
 * of it: the checksums of frames say that these are the bytes that the archive was written with,
 * not that they are this file's.
 */
#ifndef HOLDFAST_ARCHIVE_INDEX_DATA_H
#define HOLDFAST_ARCHIVE_INDEX_DATA_H

#include "archive/frames.h"
#include "archive/index_writer.h"

/* Opens the content of a file, of which the entry tells the size and the hash. `frames` are
 * borrowed until it is closed. The read that completes a content of another hash is ERROR_FORMAT,
 * and so is each one after it. */
MUST_CHECK int index_data_open(struct frames *frames, const struct entry *e,
                               const struct index_place *place, struct data **out,
                               struct error *err);

#endif
