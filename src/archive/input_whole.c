/*
 * input_whole.c: a decoder round another one that gives out the bytes of a frame once all of it was
 * decompressed and its checksum held: for what is read of a damaged archive. Frames larger than
 * ours (other tools' archives) are given out as they come.
 */
#include <stdlib.h>
#include <string.h>

#include "archive/input_decoder.h"
#include "archive/output.h"

struct whole_decoder {
    struct input_decoder base;
    struct input_decoder *inner;
    struct input_passing *passing;
    struct buffer held; /* decompressed and not yet given out */
    size_t given;       /* of it */
    size_t sound;       /* of it, belongs to whole frames */
    bool ended;
    struct error failure; /* what comes once all that is sound was given out */
};

/* Decompresses up to the end of the next frame that is not empty. */
static int fill(struct whole_decoder *w, struct error *err)
{
    enum { STEP_BYTES = 256 << 10 };
    uint64_t frames = w->passing->frame_count;

    w->held.size = 0;
    w->given = w->sound = 0;
    while (!w->ended && w->sound == 0) {
        size_t got = 0;

        if (buffer_reserve(&w->held, STEP_BYTES, err))
            return -1;
        int result = w->inner->ops->read(w->inner, w->held.data + w->held.size, STEP_BYTES, &got,
                                         &w->failure);

        w->held.size += got;
        w->ended = result != 0 || (got == 0 && w->passing->frame_count == frames);
        if (w->passing->frame_count != frames || w->held.size > FRAME_HARD_BYTES)
            w->sound = w->held.size;
        frames = w->passing->frame_count;
    }
    return 0;
}

static int whole_read(struct input_decoder *d, void *bytes, size_t capacity, size_t *got,
                      struct error *err)
{
    struct whole_decoder *w = (struct whole_decoder *)d;
    uint8_t *to = bytes;

    *got = 0;
    while (*got < capacity) {
        size_t part = w->sound - w->given < capacity - *got ? w->sound - w->given : capacity - *got;

        if (part != 0)
            memcpy(to + *got, w->held.data + w->given, part);
        w->given += part;
        *got += part;
        if (*got == capacity || w->ended)
            break;
        if (fill(w, err))
            return -1;
    }
    if (*got == capacity || w->failure.kind == ERROR_NONE)
        return 0;
    error_move(err, &w->failure);
    return -1;
}

static const char *whole_name(const struct input_decoder *d)
{
    const struct whole_decoder *w = (const struct whole_decoder *)d;

    return w->inner->ops->name(w->inner);
}

static void whole_release(struct input_decoder *d)
{
    struct whole_decoder *w = (struct whole_decoder *)d;

    w->inner->ops->release(w->inner);
    buffer_release(&w->held);
    error_release(&w->failure);
    free(w);
}

static const struct input_decoder_ops whole_ops = {whole_read, whole_name, whole_release};

int input_whole_new(struct input_decoder *inner, struct input_passing *passing,
                    struct input_decoder **out, struct error *err)
{
    struct whole_decoder *w = calloc(1, sizeof *w);

    if (!w)
        return error_memory(err);
    w->base.ops = &whole_ops;
    w->inner = inner;
    w->passing = passing;
    passing->by_frame = true;
    *out = &w->base;
    return 0;
}
