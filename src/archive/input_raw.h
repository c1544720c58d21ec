/*
 * input_raw.h: the stored bytes of an archive, read ahead through a buffer: by offset where the
 * handle can be sought, so that others may read elsewhere meanwhile, else in order.
 */
#ifndef HOLDFAST_ARCHIVE_INPUT_RAW_H
#define HOLDFAST_ARCHIVE_INPUT_RAW_H

#include <stdatomic.h>

#include "os/os.h"

struct input_raw {
    os_handle handle;
    bool can_seek;
    uint64_t file_bytes; /* if can_seek */
    uint64_t offset;     /* where the next read from the handle begins */
    bool at_end;         /* the handle has no more */
    struct buffer ahead; /* read, not taken before `start` */
    size_t start;
    struct buffer kept; /* what was taken since input_raw_keep */
    bool is_keeping;
    _Atomic bool is_stopped;   /* set by the other thread: a pipe is not waited for any longer */
    _Atomic uint64_t position; /* bytes taken; asked for by the other thread, too */
};

/* The handle stays the caller's. */
MUST_CHECK int input_raw_init(struct input_raw *raw, os_handle handle, struct error *err);
void input_raw_release(struct input_raw *raw);
/* Makes at least `want` bytes available (fewer only at the end) and shows all that are; borrowed
 * until the next call. */
MUST_CHECK int input_raw_peek(struct input_raw *raw, size_t want, struct bytes *out,
                              struct error *err);
/* Takes bytes that peek has shown. */
MUST_CHECK int input_raw_take(struct input_raw *raw, size_t count, struct error *err);
/* Takes bytes into the caller's memory; *got is short only at the end. */
MUST_CHECK int input_raw_read(struct input_raw *raw, void *bytes, size_t capacity, size_t *got,
                              struct error *err);
/* Remembers all that is taken from now on, until input_raw_restore puts it back or input_raw_forget
 * drops it. */
void input_raw_keep(struct input_raw *raw);
MUST_CHECK int input_raw_restore(struct input_raw *raw, struct error *err);
void input_raw_forget(struct input_raw *raw);
/* Begins again at the first byte; only if it can be sought. */
void input_raw_rewind(struct input_raw *raw);

#endif
