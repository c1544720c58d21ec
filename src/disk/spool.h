/*
 * spool.h: records written first and read back later in the same order, in a nameless temporary
 * file, so that memory stays small (DESIGN 3). Private to the transfer.
 */
#ifndef HOLDFAST_DISK_SPOOL_H
#define HOLDFAST_DISK_SPOOL_H

#include "os/os.h"

/* A zeroed struct with `file` OS_NO_HANDLE is empty. */
struct spool {
    os_handle
        file; /* OS_NO_HANDLE: all is in `tail` (so far, or where there are no nameless files) */
    struct buffer tail; /* what is not in the file yet; when reading: the piece in hand */
    uint64_t file_bytes;
    uint64_t read_bytes; /* of the file, read so far */
    size_t tail_at;      /* where the next record begins in `tail` */
    uint64_t count;      /* records */
    bool reading;
};

void spool_init(struct spool *s);
void spool_release(struct spool *s);
/* Appends a record. `folder`: where the file is made when it is needed. */
MUST_CHECK int spool_add(struct spool *s, os_handle folder, struct bytes record, struct error *err);
/* The next record, borrowed until the next call: 1, 0 at the end, -1. Behind the first call nothing
 * can be added. */
MUST_CHECK int spool_next(struct spool *s, struct bytes *out, struct error *err);
/* Begins reading again at the first record. */
void spool_rewind(struct spool *s);

#endif
