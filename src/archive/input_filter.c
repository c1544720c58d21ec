/*
 * input_filter.c: other compressions, through libarchive's filters. What the filters take while
 * they look is put back if none applies.
 */
#include <stdlib.h>

#include "archive/foreign.h"
#include "archive/input_decoder.h"

struct filter_decoder {
    struct input_decoder base;
    struct foreign_filter_input input;
    struct input_raw *raw;
    struct foreign_filter *filter;
};

static int read_stored(struct foreign_filter_input *in, void *bytes, size_t capacity, size_t *got,
                       struct error *err)
{
    struct filter_decoder *f =
        (struct filter_decoder *)((char *)in - offsetof(struct filter_decoder, input));

    return input_raw_read(f->raw, bytes, capacity, got, err);
}

static int filter_read(struct input_decoder *d, void *bytes, size_t capacity, size_t *got,
                       struct error *err)
{
    return foreign_filter_read(((struct filter_decoder *)d)->filter, bytes, capacity, got, err);
}

static const char *filter_name(const struct input_decoder *d)
{
    return foreign_filter_name(((const struct filter_decoder *)d)->filter);
}

static void filter_release(struct input_decoder *d)
{
    foreign_filter_close(((struct filter_decoder *)d)->filter);
    free(d);
}

static const struct input_decoder_ops filter_ops = {filter_read, filter_name, filter_release};

int input_filter_new(struct input_raw *raw, struct input_decoder **out, struct error *err)
{
    struct filter_decoder *f = calloc(1, sizeof *f);

    if (!f)
        return error_memory(err);
    f->base.ops = &filter_ops;
    f->input.read = read_stored;
    f->raw = raw;
    input_raw_keep(raw);
    int found = foreign_filter_open(&f->input, &f->filter, err);
    if (found == 0 && input_raw_restore(raw, err))
        found = -1;
    if (found <= 0) {
        free(f);
        return found;
    }
    input_raw_forget(raw);
    *out = &f->base;
    return 1;
}
