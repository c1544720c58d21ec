#include "support/memory_data.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct memory_content {
    struct data base;
    struct memory_options options;
    struct memory_piece *pieces;
    struct extent *extents;
    size_t piece_count;
    uint64_t place, total;
};

static void copy_pieces(const struct memory_content *c, uint64_t offset, uint8_t *out, size_t count)
{
    memset(out, 0, count);
    for (size_t i = 0; i < c->piece_count; i++) {
        const struct memory_piece *p = &c->pieces[i];
        uint64_t first = p->offset > offset ? p->offset : offset;
        uint64_t last = p->offset + p->bytes.size;
        if (last > offset + count)
            last = offset + count;
        if (first < last)
            memcpy(out + (first - offset), p->bytes.data + (first - p->offset),
                   (size_t)(last - first));
    }
}

static int memory_read(struct data *d, uint64_t offset, struct data_span span, size_t *got,
                       struct error *err)
{
    struct memory_content *c = (struct memory_content *)d;
    const struct memory_options *o = &c->options;
    uint64_t end = o->cut > 0 ? o->cut : o->size;
    uint64_t left = offset < end ? end - offset : 0;
    size_t count = span.capacity < left ? span.capacity : (size_t)left;
    if (o->sequential)
        assert_true(offset >= c->place);
    if (o->most > 0 && count > o->most)
        count = o->most;
    if (o->fail_at > 0 && offset + count > o->fail_at)
        return error_os(err, "read", 5);
    copy_pieces(c, offset, span.bytes, count);
    c->place = offset + count;
    c->total += count;
    *got = count;
    return 0;
}

static void memory_close(struct data *d)
{
    struct memory_content *c = (struct memory_content *)d;
    free(c->pieces);
    free(c->extents);
    free(c);
}

static const struct data_ops memory_ops = {.read = memory_read, .close = memory_close};

struct data *memory_data(const struct memory_options *options, const struct memory_piece *pieces,
                         size_t piece_count)
{
    struct memory_content *c = calloc(1, sizeof *c);
    assert_non_null(c);
    c->pieces = calloc(piece_count + 1, sizeof *c->pieces);
    c->extents = calloc(piece_count + 1, sizeof *c->extents);
    assert_non_null(c->pieces);
    assert_non_null(c->extents);
    c->options = *options;
    c->piece_count = piece_count;
    for (size_t i = 0; i < piece_count; i++) {
        c->pieces[i] = pieces[i];
        c->extents[i] = (struct extent){pieces[i].offset, pieces[i].bytes.size};
    }
    c->base = (struct data){
        .ops = &memory_ops, .size = options->size, .extents = c->extents, .os_handle = -1};
    c->base.extent_count = piece_count;
    if (options->dense) {
        c->extents[0] = (struct extent){0, options->size};
        c->base.extent_count = options->size > 0;
    }
    return &c->base;
}

struct data *memory_data_text(const char *text)
{
    struct memory_piece piece = {.bytes = bytes_of(text)};
    struct memory_options options = {.size = strlen(text)};
    return memory_data(&options, &piece, piece.bytes.size > 0);
}

uint64_t memory_data_read(const struct data *d)
{
    return ((const struct memory_content *)d)->total;
}
