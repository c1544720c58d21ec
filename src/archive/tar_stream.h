/*
 * tar_stream.h: the bytes of a tar archive in order, counted; an end in the middle is an error with
 * its place. Private to the tar codec.
 */
#ifndef HOLDFAST_ARCHIVE_TAR_STREAM_H
#define HOLDFAST_ARCHIVE_TAR_STREAM_H

#include "archive/tar_block.h"

struct tar_stream {
    struct tar_input *in;           /* borrowed */
    uint64_t position;              /* bytes taken */
    uint8_t ahead[TAR_BLOCK_BYTES]; /* bytes that were looked at and not yet taken ... */
    size_t ahead_at, ahead_bytes;   /* ... from ahead_at up to ahead_bytes */
};

/* Zeros that follow `bytes` of data up to the next block. */
uint64_t tar_padding(uint64_t bytes);

/* "cut short" at the present position: sets ERROR_FORMAT, returns -1. */
int tar_stream_cut(const struct tar_stream *s, struct error *err);

/* Takes at most `most` bytes where they stand, none only at the end; borrowed until the next call.
 */
MUST_CHECK int tar_stream_take(struct tar_stream *s, size_t most, struct bytes *out,
                               struct error *err);

/* Takes up to `capacity` bytes; *got is short only at the end. */
MUST_CHECK int tar_stream_read(struct tar_stream *s, void *bytes, size_t capacity, size_t *got,
                               struct error *err);

/* Looks at the next block without taking it: 1, 0 if the archive ends before its end, -1. */
MUST_CHECK int tar_stream_peek(struct tar_stream *s, struct tar_block *block, struct error *err);

/* Takes exactly `count` bytes. */
MUST_CHECK int tar_stream_exact(struct tar_stream *s, void *bytes, size_t count, struct error *err);

/* Takes and forgets. */
MUST_CHECK int tar_stream_skip(struct tar_stream *s, uint64_t count, struct error *err);

/* Appends `count` bytes and takes their padding, too. Memory grows with what has arrived, not with
 * what was announced. */
MUST_CHECK int tar_stream_body(struct tar_stream *s, uint64_t count, struct buffer *out,
                               struct error *err);

#endif
