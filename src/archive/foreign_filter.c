/*
 * foreign_filter.c: libarchive's decompression filters with its format "raw". Strict where
 * libarchive is not: bytes behind the compressed data are an error, and so is every warning.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/foreign.h"
#include "archive/libarchive.h"

enum { ROOM_BYTES = 64 << 10, NAME_BYTES = 64 };

struct foreign_filter {
    struct archive *archive;
    struct foreign_filter_input *input;
    struct error failure; /* of the input */
    uint64_t taken_bytes; /* from the input */
    struct bytes block;   /* decompressed, libarchive's, not given out yet */
    bool at_end;
    char name[NAME_BYTES];
    uint8_t room[ROOM_BYTES];
};

static la_ssize_t read_input(struct archive *a, void *context, const void **bytes)
{
    struct foreign_filter *f = context;
    size_t got;

    if (f->input->read(f->input, f->room, ROOM_BYTES, &got, &f->failure)) {
        la.archive_set_error(a, EIO, "reading failed");
        return ARCHIVE_FATAL;
    }
    f->taken_bytes += got;
    *bytes = f->room;
    return (la_ssize_t)got;
}

/* What libarchive or the input says. */
static int filter_failed(struct foreign_filter *f, struct error *err)
{
    if (f->failure.kind != ERROR_NONE) {
        error_move(err, &f->failure);
        return -1;
    }
    const char *text = la.archive_error_string(f->archive);
    return error_set(err, ERROR_FORMAT, "decompress", "%s: %s",
                     *f->name ? f->name : "compressed data", text ? text : "damaged");
}

/* No filter for which libarchive might start another program (lrzip, lzop, grzip). gzip and zstd
 * are here for what stands inside of an RPM package. */
static int add_filters(struct archive *a)
{
    int (*const filters[])(struct archive *) = {
        la.archive_read_support_filter_bzip2, la.archive_read_support_filter_compress,
        la.archive_read_support_filter_gzip,  la.archive_read_support_filter_lz4,
        la.archive_read_support_filter_lzip,  la.archive_read_support_filter_lzma,
        la.archive_read_support_filter_rpm,   la.archive_read_support_filter_xz,
        la.archive_read_support_filter_zstd,
    };

    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++)
        if (filters[i](a) != ARCHIVE_OK)
            return -1;
    return la.archive_read_support_format_raw(a) == ARCHIVE_OK ? 0 : -1;
}

/* Joins the names of the filters, the outermost first. The last one is the input itself. */
static void name_filters(struct foreign_filter *f)
{
    size_t length = 0;

    for (int i = la.archive_filter_count(f->archive) - 2; i >= 0; i--) {
        int more = snprintf(f->name + length, NAME_BYTES - length, "%s%s", length ? "+" : "",
                            la.archive_filter_name(f->archive, i));
        if (more < 0 || (size_t)more >= NAME_BYTES - length)
            return;
        length += (size_t)more;
    }
}

static int begin(struct foreign_filter *f, struct error *err)
{
    struct archive_entry *entry;

    if (add_filters(f->archive))
        return filter_failed(f, err);
    int code = la.archive_read_open(f->archive, f, NULL, read_input, NULL);
    name_filters(f);
    if (code == ARCHIVE_OK)
        code = la.archive_read_next_header(f->archive, &entry);
    if (code != ARCHIVE_OK && code != ARCHIVE_EOF)
        return filter_failed(f, err);
    f->at_end = code == ARCHIVE_EOF;
    return la.archive_filter_count(f->archive) > 1;
}

int foreign_filter_open(struct foreign_filter_input *in, struct foreign_filter **out,
                        struct error *err)
{
    struct foreign_filter *f;

    if (libarchive_load(err))
        return -1;
    f = calloc(1, sizeof *f);
    if (!f)
        return error_memory(err);
    f->input = in;
    f->archive = la.archive_read_new();
    int result = f->archive ? begin(f, err) : error_memory(err);
    if (result == 1)
        *out = f;
    else
        foreign_filter_close(f);
    return result;
}

/* libarchive stops in silence where it does not know the bytes behind the compressed data. */
static int check_end(struct foreign_filter *f, struct error *err)
{
    uint64_t used = (uint64_t)la.archive_filter_bytes(f->archive, -1);
    size_t more;

    f->at_end = true;
    if (f->input->read(f->input, f->room, ROOM_BYTES, &more, err))
        return -1;
    if (used == f->taken_bytes && more == 0)
        return 0;
    return error_set(err, ERROR_FORMAT, "decompress", "%s: bytes behind the compressed data",
                     f->name);
}

static int next_block(struct foreign_filter *f, struct error *err)
{
    const void *bytes = NULL;
    size_t count = 0;
    la_int64_t offset;

    int code = la.archive_read_data_block(f->archive, &bytes, &count, &offset);
    if (code == ARCHIVE_EOF)
        return check_end(f, err);
    if (code != ARCHIVE_OK)
        return filter_failed(f, err);
    f->block = bytes_make(bytes, count);
    return 0;
}

int foreign_filter_read(struct foreign_filter *f, void *bytes, size_t capacity, size_t *got,
                        struct error *err)
{
    uint8_t *to = bytes;

    *got = 0;
    while (*got < capacity) {
        if (f->block.size == 0 && f->at_end)
            return 0;
        if (f->block.size == 0 && next_block(f, err))
            return -1;
        size_t part = f->block.size < capacity - *got ? f->block.size : capacity - *got;
        if (part != 0)
            memcpy(to + *got, f->block.data, part);
        f->block = bytes_make(f->block.data + part, f->block.size - part);
        *got += part;
    }
    return 0;
}

const char *foreign_filter_name(const struct foreign_filter *f)
{
    return f->name;
}

void foreign_filter_close(struct foreign_filter *f)
{
    if (!f)
        return;
    la.archive_read_free(f->archive);
    error_release(&f->failure);
    free(f);
}
