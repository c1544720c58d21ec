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
    struct tail_reader *tail; /* what takes the pieces of the tail, or NULL */
    struct buffer table; /* the seek table, a whole frame; of what is too long for one, the begin */
    struct hasher *frames; /* of all frames, as input_passing_frame adds them */
    uint64_t frame_count;  /* of them, so far */
    bool by_frame;         /* a decoder's read returns at the end of each, short or not */
};
enum { INPUT_MAX_TABLE_BYTES = 64 << 20 };
/* Without something that takes the tail. */
MUST_CHECK int input_passing_init(struct input_passing *p, struct error *err);
/* Forgets what was seen. */
void input_passing_clear(struct input_passing *p);
void input_passing_release(struct input_passing *p);
/* A piece of the tail. */
MUST_CHECK int input_passing_add(struct input_passing *p, struct bytes piece, struct error *err);
/* A frame or member that was not empty. */
void input_passing_frame(struct input_passing *p, uint64_t offset, uint64_t stored_bytes,
                         uint64_t checksum);

/* Where the tail's first piece begins in a file that ends with one, and how many bytes the tail has
 * without wrapping. */
struct tail_place {
    enum container container;
    struct os_range range;
};
/* Finds it: 1, 0 there is none, -1 it is damaged. */
MUST_CHECK int input_tail_find(const struct input_raw *raw, enum container container,
                               struct tail_place *out, struct error *err);

/* Appends a part of a tail, which is counted without wrapping. */
MUST_CHECK int input_tail_read(const struct input_raw *raw, const struct tail_place *tail,
                               struct os_range part, struct buffer *out, struct error *err);

/* Feeds a new reader as much of a tail as it takes to have its head. */
MUST_CHECK int input_tail_head(const struct input_raw *raw, const struct tail_place *tail,
                               struct tail_reader *reader, struct error *err);

struct input_decoder;
struct input_decoder_ops {
    /* Fills `bytes`, or stops between two frames; *got is 0 only at the end (or, passing->by_frame,
     * behind an empty frame), and says also on failure how many bytes are good. */
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

/* Gives out the bytes of whole frames alone; `inner` is its own on success. */
MUST_CHECK int input_whole_new(struct input_decoder *inner, struct input_passing *passing,
                               struct input_decoder **out, struct error *err);

/* True if stored bytes begin like this compression. */
bool input_gzip_begins(struct bytes head);
bool input_zstd_begins(struct bytes head);

#endif
