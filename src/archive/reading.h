/*
 * reading.h: the content of a file as a backup takes it: what cannot be read becomes zeros and the
 * rest is kept, a file that changes meanwhile is read again if it is small, and how it went is told
 * (SAFETY R9, R10).
 */
#ifndef HOLDFAST_ARCHIVE_READING_H
#define HOLDFAST_ARCHIVE_READING_H

#include "tree/data_hash.h"
#include "tree/source.h"
#include "tree/watcher.h"

/* The largest file that is read whole before it is written, in bytes. */
enum { READING_SMALL_BYTES = 8 << 20 };

/* How often a small file that changes under our hands is read. */
enum { READING_TRIES = 3 };

/* How a content came over. Starts as {.whole = true}; reading_release afterwards. */
struct reading {
    bool whole;           /* nothing was missing and nothing changed */
    bool any;             /* some bytes could be read */
    bool failed;          /* some bytes could not be read; they are zeros */
    struct error trouble; /* the first reason, if `failed` */
};

void reading_release(struct reading *r);

/* A file is read whole before it is written, or while it is written. */
enum reading_way { READING_SMALL, READING_LARGE };
/* Why a content is not exact, as a loss's reason (static text); NULL if it is exact. */
const char *reading_loss(const struct reading *r, enum reading_way way);

/* Fills the whole span. Around what cannot be read all is tried in small pieces: a dying disk gives
 * what it still has. */
void reading_block(struct reading *r, struct data *data, uint64_t offset, struct data_span span);

/* Reads a whole content for its hash alone (data_hasher_result). -1: without memory, or the watcher
 * stopped it. */
MUST_CHECK int reading_hash(struct reading *r, struct data *data, struct data_hasher *hasher,
                            struct watcher *watcher, struct error *err);

/* Asks at the end of a content whether the file changed since it was opened. */
void reading_finish(struct reading *r, struct data *data);

/* Reads all extents of `data`, of at most READING_SMALL_BYTES, into `out`, which is replaced, until
 * the file holds still: 0, and what was read is what `data` announces then; 1 if the file has grown
 * beyond that size meanwhile; -1: ERROR_MEMORY. */
MUST_CHECK int reading_small(struct reading *r, struct data *data, struct buffer *out,
                             struct error *err);

#endif
