/*
 * input_passing.c: what a decoder saw pass by, kept small: the tail, the seek table, and
 * one hash over all frames.
 */
#include "archive/input_decoder.h"

int input_passing_init(struct input_passing *p, struct error *err)
{
    *p = (struct input_passing){0};
    return hasher_new(&p->frames, err);
}

void input_passing_clear(struct input_passing *p)
{
    if (p->tail)
        tail_reader_clear(p->tail);
    buffer_clear(&p->table);
    hasher_reset(p->frames);
    p->frame_count = 0;
}

void input_passing_release(struct input_passing *p)
{
    tail_reader_free(p->tail);
    buffer_release(&p->table);
    hasher_free(p->frames);
}

int input_passing_add(struct input_passing *p, struct bytes piece, struct error *err)
{
    return p->tail ? tail_reader_feed(p->tail, piece, err) : 0;
}

void input_passing_frame(struct input_passing *p, uint64_t offset, uint64_t stored_bytes,
                         uint64_t checksum)
{
    const uint64_t frame[3] = {offset, stored_bytes, checksum};

    hasher_add(p->frames, frame, sizeof frame);
    p->frame_count++;
}
