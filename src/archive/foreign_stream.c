/*
 * foreign_stream.c: see foreign_stream.h.
 */
#include "archive/foreign_stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/libarchive.h"

enum { NAME_BYTES = 48 };

/* ---- A temporary file ---- */

/* A file without a name, or one that loses it at once, in $TMPDIR. */
static int open_temporary(os_handle *out, struct error *err)
{
    const char *folder_path = getenv("TMPDIR");
    os_handle folder = OS_NO_HANDLE;
    uint8_t random[8];
    char name[NAME_BYTES] = "holdfast-";
    int result = -1;

    if (!folder_path || !*folder_path)
        folder_path = "/tmp";
    if (os_open_root(folder_path, &folder, err))
        return error_at(err, folder_path, strlen(folder_path));
    if (os_create_unnamed(folder, 0600, out, err) == 0) {
        result = 0;
        goto out;
    }
    if (err->kind != ERROR_UNSUPPORTED || os_random(random, sizeof random, err))
        goto out;
    for (size_t i = 0; i < sizeof random; i++)
        (void)snprintf(name + strlen(name), NAME_BYTES - strlen(name), "%02x", random[i]);
    error_release(err);
    if (os_create_file(folder, name, 0600, out, err))
        goto out;
    result = os_remove(folder, name, err);
    if (result)
        os_close(*out);
out:
    os_close(folder);
    return result;
}

static int read_input(struct foreign_stream *s, void *bytes, size_t capacity, size_t *got,
                      struct error *err)
{
    size_t left = s->head_bytes - s->head_given, part = left < capacity ? left : capacity, rest;

    memcpy(bytes, s->head + s->head_given, part);
    s->head_given += part;
    *got = part;
    if (input_read(s->input, (uint8_t *)bytes + part, capacity - part, &rest, err))
        return -1;
    *got += rest;
    return 0;
}

static int copy_to_file(struct foreign_stream *s, struct error *err)
{
    uint64_t trailing;
    size_t got;

    do {
        if (read_input(s, s->room, FOREIGN_ROOM_BYTES, &got, err) ||
            (got != 0 && os_write(s->file, s->room, got, err)))
            return -1;
        s->file_bytes += got;
    } while (got == FOREIGN_ROOM_BYTES);
    return input_drain(s->input, &trailing, err);
}

/* ---- Opening ---- */

const char *foreign_stream_guess(const struct foreign_stream *s)
{
    static const uint8_t seven_zip[] = {'7', 'z', 0xbc, 0xaf, 0x27, 0x1c};

    if (s->head_bytes >= 4 && s->head[0] == 'P' && s->head[1] == 'K' && s->head[2] <= 8)
        return "zip";
    if (s->head_bytes >= sizeof seven_zip && memcmp(s->head, seven_zip, sizeof seven_zip) == 0)
        return "7-Zip";
    return NULL;
}

int foreign_stream_open(struct foreign_stream *s, struct input *in, struct error *err)
{
    struct os_stat status;

    memset(s, 0, sizeof *s);
    s->input = in;
    s->file = OS_NO_HANDLE;
    if (input_read(in, s->head, FOREIGN_HEAD_BYTES, &s->head_bytes, err))
        return -1;
    if (input_can_seek(in) && strcmp(input_compression(in), "plain") == 0) {
        s->file = input_handle(in);
        if (os_stat_handle(s->file, &status, err))
            return -1;
        s->file_bytes = status.size;
        return 0;
    }
    if (!foreign_stream_guess(s))
        return 0;
    if (open_temporary(&s->file, err)) {
        s->file = OS_NO_HANDLE;
        return -1;
    }
    s->owns_file = true;
    return copy_to_file(s, err);
}

void foreign_stream_close(struct foreign_stream *s)
{
    if (s->owns_file)
        os_close(s->file);
    error_release(&s->failure);
}

/* ---- Callbacks ---- */

/* Reads the next bytes into the room, which keeps its content at the end. */
static int fill_room(struct foreign_stream *s, size_t *got, struct error *err)
{
    struct os_range range = {s->offset, FOREIGN_ROOM_BYTES};

    int result = s->file != OS_NO_HANDLE ? os_read_at(s->file, range, s->room, got, err)
                                         : read_input(s, s->room, FOREIGN_ROOM_BYTES, got, err);
    if (result)
        return -1;
    s->offset += *got;
    if (*got != 0)
        s->room_bytes = *got;
    return 0;
}

static la_ssize_t read_callback(struct archive *a, void *context, const void **bytes)
{
    struct foreign_stream *s = context;
    size_t got;

    if (fill_room(s, &got, &s->failure)) {
        la.archive_set_error(a, EIO, "reading failed");
        return ARCHIVE_FATAL;
    }
    *bytes = s->room;
    return (la_ssize_t)got;
}

static la_int64_t seek_callback(struct archive *a, void *context, la_int64_t offset, int whence)
{
    struct foreign_stream *s = context;
    int64_t base = whence == SEEK_END   ? (int64_t)s->file_bytes
                   : whence == SEEK_CUR ? (int64_t)s->offset
                                        : 0;

    if (offset < -base || offset > INT64_MAX - base) {
        la.archive_set_error(a, EINVAL, "an offset outside the file");
        return ARCHIVE_FATAL;
    }
    s->offset = (uint64_t)(base + offset);
    return (la_int64_t)s->offset;
}

static la_int64_t skip_callback(struct archive *a, void *context, la_int64_t request)
{
    struct foreign_stream *s = context;
    uint64_t left = s->offset < s->file_bytes ? s->file_bytes - s->offset : 0;

    (void)a;
    if (request < 0)
        return 0;
    if ((uint64_t)request > left)
        request = (la_int64_t)left;
    s->offset += (uint64_t)request;
    return request;
}

int foreign_stream_attach(struct foreign_stream *s, struct archive *a)
{
    if (la.archive_read_set_callback_data(a, s) != ARCHIVE_OK ||
        la.archive_read_set_read_callback(a, read_callback) != ARCHIVE_OK)
        return ARCHIVE_FATAL;
    if (s->file != OS_NO_HANDLE &&
        (la.archive_read_set_seek_callback(a, seek_callback) != ARCHIVE_OK ||
         la.archive_read_set_skip_callback(a, skip_callback) != ARCHIVE_OK))
        return ARCHIVE_FATAL;
    return la.archive_read_open1(a);
}

static bool has_content(const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (bytes[i] != 0)
            return true;
    return false;
}

int foreign_stream_rest(struct foreign_stream *s, struct archive *a, struct error *err)
{
    uint64_t used = (uint64_t)la.archive_filter_bytes(a, 0);
    uint64_t ahead = s->offset > used ? s->offset - used : 0;
    /* What libarchive has read ahead still stands at the end of the room. */
    size_t start = ahead < s->room_bytes ? s->room_bytes - (size_t)ahead : 0;
    size_t got = s->room_bytes;

    while (got != 0) {
        if (has_content(s->room + start, got - start))
            return 1;
        start = 0;
        if (fill_room(s, &got, err))
            return -1;
    }
    return 0;
}
