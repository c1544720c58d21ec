/*
 * input_plain.c: bytes that are stored as they are.
 */
#include <stdlib.h>

#include "archive/input_decoder.h"

struct plain_decoder {
    struct input_decoder base;
    struct input_raw *raw;
};

static int plain_read(struct input_decoder *d, void *bytes, size_t capacity, size_t *got,
                      struct error *err)
{
    return input_raw_read(((struct plain_decoder *)d)->raw, bytes, capacity, got, err);
}

static const char *plain_name(const struct input_decoder *d)
{
    (void)d;
    return "plain";
}

static void plain_release(struct input_decoder *d)
{
    free(d);
}

static const struct input_decoder_ops plain_ops = {plain_read, plain_name, plain_release};

int input_plain_new(struct input_raw *raw, struct input_decoder **out, struct error *err)
{
    struct plain_decoder *p = calloc(1, sizeof *p);

    if (!p)
        return error_memory(err);
    p->base.ops = &plain_ops;
    p->raw = raw;
    *out = &p->base;
    return 0;
}
