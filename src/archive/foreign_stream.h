/*
 * foreign_stream.h: an archive's decompressed bytes as libarchive's callbacks. Private to the
 * adapter.
 *
 * A file that is not compressed is read at offsets, with seeking. Everything else comes through
 * input_read, so that the checks of input.h are made; but zip and 7-Zip tell kinds and names at
 * their end alone, so those are put into a temporary file first.
 */
#ifndef HOLDFAST_ARCHIVE_FOREIGN_STREAM_H
#define HOLDFAST_ARCHIVE_FOREIGN_STREAM_H

#include "archive/input.h"

struct archive;

enum { FOREIGN_ROOM_BYTES = 64 << 10, FOREIGN_HEAD_BYTES = 8 };

struct foreign_stream {
    struct input *input; /* borrowed */
    os_handle file;      /* to be read at offsets; OS_NO_HANDLE if it comes through the input */
    bool owns_file;      /* the temporary one */
    uint64_t file_bytes, offset;
    size_t room_bytes;                /* what the last read that got something put there */
    uint8_t head[FOREIGN_HEAD_BYTES]; /* taken from the input to know the format, given out first */
    size_t head_bytes, head_given;
    struct error failure; /* of a callback: what libarchive reports then is not the reason */
    uint8_t room[FOREIGN_ROOM_BYTES];
};

MUST_CHECK int foreign_stream_open(struct foreign_stream *s, struct input *in, struct error *err);
void foreign_stream_close(struct foreign_stream *s);
/* Opens `a` on the stream: an error code of libarchive. */
MUST_CHECK int foreign_stream_attach(struct foreign_stream *s, struct archive *a);
/* Reads what libarchive has not used, to the very end: 1 if there is anything but zeros, 0, -1. */
MUST_CHECK int foreign_stream_rest(struct foreign_stream *s, struct archive *a, struct error *err);
/* "zip" or "7-Zip" if the bytes begin like one; else NULL. */
const char *foreign_stream_guess(const struct foreign_stream *s);

#endif
