/*
 * input_passing.c: what a decoder saw pass by, kept small: the tail where it cannot be had
 * otherwise, the seek table, and one hash over all frames.
 */
#include "archive/input_decoder.h"

int input_passing_init(struct input_passing *p, struct error *err)
{
    *p = (struct input_passing){0};
    return hasher_new(&p->frames, err);
}

void input_passing_clear(struct input_passing *p)
{
    p->is_too_large = false;
    buffer_clear(&p->bytes);
    buffer_clear(&p->table);
    hasher_reset(p->frames);
}

void input_passing_release(struct input_passing *p)
{
    buffer_release(&p->bytes);
    buffer_release(&p->table);
    hasher_free(p->frames);
}

int input_passing_add(struct input_passing *p, struct bytes piece, struct error *err)
{
    if (!p->is_wanted || p->is_too_large)
        return 0;
    if (piece.size > INPUT_MAX_TAIL_BYTES - p->bytes.size) {
        p->is_too_large = true;
        buffer_release(&p->bytes);
        return 0;
    }
    return buffer_append(&p->bytes, piece.data, piece.size, err);
}

void input_passing_frame(struct input_passing *p, uint64_t offset, uint64_t stored_bytes,
                         uint64_t checksum)
{
    const uint64_t frame[3] = {offset, stored_bytes, checksum};

    hasher_add(p->frames, frame, sizeof frame);
}
