/*
 * input_decoder.h: what input.c asks of a compression: its bytes in order. One implementation each:
 * input_plain.c, input_gzip.c, input_zstd.c, input_filter.c (through libarchive).
 */
#ifndef HOLDFAST_ARCHIVE_INPUT_DECODER_H
#define HOLDFAST_ARCHIVE_INPUT_DECODER_H

#include "archive/input_raw.h"
#include "archive/tail.h"
#include "base/hash.h"

/* What a decoder saw pass by besides the stream, for comparison with the tail. */
struct input_passing {
    bool is_wanted;      /* false where the tail can be read from the end of the file */
    bool is_too_large;   /* over INPUT_MAX_TAIL_BYTES: `bytes` is empty */
    struct buffer bytes; /* the pieces of the tail */
    struct buffer table; /* the seek table, a whole frame; of what is too long for one, the begin */
    struct hasher *frames; /* of all frames, as input_passing_frame adds them */
};
#define INPUT_MAX_TAIL_BYTES (UINT64_C(1) << 30)
enum { INPUT_MAX_TABLE_BYTES = 64 << 20 };
MUST_CHECK int input_passing_init(struct input_passing *p, struct error *err);
/* Forgets what was seen. */
void input_passing_clear(struct input_passing *p);
void input_passing_release(struct input_passing *p);
MUST_CHECK int input_passing_add(struct input_passing *p, struct bytes piece, struct error *err);
/* A frame or member that was not empty. */
void input_passing_frame(struct input_passing *p, uint64_t offset, uint64_t stored_bytes,
                         uint64_t checksum);

/* Where the tail's first piece begins in a file that ends with one, and how many bytes the tail has
 * without wrapping: 1, 0 there is none, -1 it is damaged. */
MUST_CHECK int input_tail_find(const struct input_raw *raw, enum container container,
                               struct os_range *out, struct error *err);

/* Reads the whole tail of a container from the end of a file: 1 and it is appended to `out`, 0
 * there is none, -1 it is damaged. */
MUST_CHECK int input_tail_at_end(const struct input_raw *raw, enum container container,
                                 struct buffer *out, struct error *err);

struct input_decoder;
struct input_decoder_ops {
    /* Fills `bytes`; *got is short only at the end, and says also on failure how many bytes are
     * good. */
    int (*read)(struct input_decoder *d, void *bytes, size_t capacity, size_t *got,
                struct error *err);
    const char *(*name)(const struct input_decoder *d);
    void (*release)(struct input_decoder *d);
};
struct input_decoder {
    const struct input_decoder_ops *ops;
};

/* `raw` and `passing` are borrowed. */
MUST_CHECK int input_plain_new(struct input_raw *raw, struct input_decoder **out,
                               struct error *err);
MUST_CHECK int input_gzip_new(struct input_raw *raw, struct input_passing *passing,
                              struct input_decoder **out, struct error *err);
MUST_CHECK int input_zstd_new(struct input_raw *raw, struct input_passing *passing,
                              struct input_decoder **out, struct error *err);
/* 1, 0 if libarchive knows no filter for these bytes (none were taken then), -1. */
MUST_CHECK int input_filter_new(struct input_raw *raw, struct input_decoder **out,
                                struct error *err);

/* True if stored bytes begin like this compression. */
bool input_gzip_begins(struct bytes head);
bool input_zstd_begins(struct bytes head);

#endif
