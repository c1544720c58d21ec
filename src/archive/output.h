/*
 * output.h: the container of an archive on its way out: cuts the tar stream into frames that
 * decompress on their own, compresses them in threads of its own, keeps the frame table, and ends
 * with the tail. Places of cuts depend on the content alone (DESIGN 6), so the same input gives the
 * same bytes, whatever the number of threads.
 */
#ifndef HOLDFAST_ARCHIVE_OUTPUT_H
#define HOLDFAST_ARCHIVE_OUTPUT_H

#include "archive/tail.h"
#include "os/os.h"

/* A frame is cut at an entry start once it holds FRAME_SOFT_BYTES, and inside a file's data at
 * FRAME_HARD_BYTES. */
enum { FRAME_SOFT_BYTES = 7 << 20, FRAME_HARD_BYTES = 8 << 20 };

struct output_options {
    enum container container;
    int level; /* compression level; 0 = the default (zstd 3, gzip 6) */
    bool level_is_set;
    size_t frame_bytes; /* of the stream in a frame, which ends with an entry or an eighth later; 0:
                           FRAME_SOFT_BYTES and FRAME_HARD_BYTES. Never more */
    size_t threads;     /* that compress; 0 is one. Memory grows by two frames for each */
};

struct output;
/* Writes to `handle` (borrowed), which may be a pipe. */
MUST_CHECK int output_new(os_handle handle, const struct output_options *options,
                          struct output **out, struct error *err);
/* Frees; an unfinished output just ends. Joins the threads. */
void output_free(struct output *o);
/* Says that the next byte begins an entry's header: a frame may be cut here. */
MUST_CHECK int output_begin_entry(struct output *o, struct error *err);
/* Appends bytes of the tar stream. */
MUST_CHECK int output_write(struct output *o, const void *bytes, size_t count, struct error *err);
/* A block to fill in place, so that file contents need no copy: at least one byte of room;
 * output_commit appends what was filled. */
MUST_CHECK int output_reserve(struct output *o, uint8_t **bytes, size_t *capacity,
                              struct error *err);
MUST_CHECK int output_commit(struct output *o, size_t count, struct error *err);
/* Bytes of the tar stream so far. */
uint64_t output_position(const struct output *o);
/* Ends the stream (the caller has written tar's end blocks): waits for the compressors, writes the
 * tail (container, frames, raw_bytes and raw_hash are filled in here, borrowed until output_free)
 * and, for zstd, the seek table. */
MUST_CHECK int output_finish(struct output *o, struct tail *tail, struct error *err);
/* After a failed output_finish: true if all of the tar stream was written, so that no more than the
 * tail is missing. */
bool output_has_stream(const struct output *o);
/* Bytes written to the handle; complete after output_finish. */
uint64_t output_stored_bytes(const struct output *o);

#endif
