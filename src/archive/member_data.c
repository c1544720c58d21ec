#include "archive/member_data.h"

#include <string.h>

/* Takes `count` stored bytes of the extent that is being read, into `bytes` or to nowhere (NULL).
 */
static int take_stored(struct member_data *m, uint8_t *bytes, uint64_t count, struct error *err)
{
    uint8_t waste[16384];

    while (count != 0) {
        size_t wanted = bytes == NULL && count > sizeof waste ? sizeof waste : (size_t)count,
               got = 0;

        if (tar_read(m->decoder, bytes != NULL ? bytes : waste, wanted, &got, err) != 0)
            return -1;
        if (got == 0)
            return error_set(err, ERROR_FORMAT, "read archive", "cut short inside a file");
        m->within += got;
        count -= got;
        if (bytes != NULL)
            bytes += got;
    }
    return 0;
}

/* Goes on to the extent that holds `offset` or comes next behind it, passing over the data before
 * it. */
static int seek_extent(struct member_data *m, uint64_t offset, struct error *err)
{
    while (m->extent < m->data.extent_count) {
        const struct extent *x = &m->data.extents[m->extent];
        uint64_t at = x->offset + m->within, end = x->offset + x->length;

        if (at >= offset && at < end)
            return 0;
        if (at < end && take_stored(m, NULL, (end < offset ? end : offset) - at, err) != 0)
            return -1;
        if (m->within == x->length) {
            m->extent++;
            m->within = 0;
        }
    }
    return 0;
}

static int member_read(struct data *d, uint64_t offset, struct data_span span, size_t *got,
                       struct error *err)
{
    struct member_data *m = (struct member_data *)d;
    uint8_t *out = span.bytes;
    size_t left = span.capacity;

    if (offset >= d->size)
        left = 0;
    else if (left > d->size - offset)
        left = (size_t)(d->size - offset);
    *got = left;
    while (left != 0) {
        if (seek_extent(m, offset, err) != 0)
            return -1;
        const struct extent *x = m->extent < d->extent_count ? &d->extents[m->extent] : NULL;
        uint64_t data_at = x != NULL ? x->offset + m->within : d->size;
        bool hole = data_at > offset;
        uint64_t run = hole ? data_at - offset : x->length - m->within;
        size_t count = run < left ? (size_t)run : left;

        if (hole)
            memset(out, 0, count);
        else if (take_stored(m, out, count, err) != 0)
            return -1;
        out += count;
        offset += count;
        left -= count;
    }
    return 0;
}

static int member_view(struct data *d, uint64_t offset, size_t most, struct bytes *out,
                       struct error *err)
{
    struct member_data *m = (struct member_data *)d;

    if (seek_extent(m, offset, err) != 0 || tar_take(m->decoder, most, out, err) != 0)
        return -1;
    if (out->size == 0)
        return error_set(err, ERROR_FORMAT, "read archive", "cut short inside a file");
    m->within += out->size;
    return 0;
}

static void member_close(struct data *d)
{
    (void)d; /* belongs to whoever reads the archive */
}

static const struct data_ops member_ops = {
    .read = member_read, .view = member_view, .close = member_close};

void member_data_begin(struct member_data *d, struct tar_decoder *decoder,
                       const struct tar_member *m)
{
    static const struct data nothing;

    d->data = nothing;
    d->data.ops = &member_ops;
    d->data.os_handle = -1;
    d->data.size = m->size;
    d->whole = (struct extent){0, m->size};
    d->data.extents = m->sparse ? m->extents : &d->whole;
    d->data.extent_count = m->sparse ? m->extent_count : m->size != 0;
    d->decoder = decoder;
    d->extent = 0;
    d->within = 0;
}
