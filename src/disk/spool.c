/*
 * spool.c: see spool.h. A record is its length as a varint and its bytes.
 */
#include "disk/spool.h"

#include <string.h>

enum { PIECE_BYTES = 64 * 1024, LENGTH_BYTES = 10 };

void spool_init(struct spool *s)
{
    *s = (struct spool){.file = OS_NO_HANDLE};
}

void spool_release(struct spool *s)
{
    os_close(s->file);
    buffer_release(&s->tail);
    spool_init(s);
}

/* Writes what has gathered to the file. Where there are no nameless files it stays in memory. */
static int flush(struct spool *s, os_handle folder, struct error *err)
{
    if (s->tail.size < PIECE_BYTES)
        return 0;
    if (s->file == OS_NO_HANDLE && os_create_unnamed(folder, 0600, &s->file, err)) {
        s->file = OS_NO_HANDLE;
        if (!os_error_is_unsupported(err))
            return -1;
        error_release(err);
        return 0;
    }
    if (os_write_at(s->file, s->file_bytes, buffer_bytes(&s->tail), err))
        return -1;
    s->file_bytes += s->tail.size;
    buffer_clear(&s->tail);
    return 0;
}

int spool_add(struct spool *s, os_handle folder, struct bytes record, struct error *err)
{
    if (buffer_append_string(&s->tail, record, err))
        return -1;
    s->count++;
    return flush(s, folder, err);
}

/* Puts what is not in the file yet behind the rest, so that reading has one place to look at. */
static int begin_reading(struct spool *s, struct error *err)
{
    s->reading = true;
    if (s->file == OS_NO_HANDLE)
        return 0;
    if (os_write_at(s->file, s->file_bytes, buffer_bytes(&s->tail), err))
        return -1;
    s->file_bytes += s->tail.size;
    buffer_clear(&s->tail);
    return 0;
}

/* Reads on, so that at least `wanted` bytes are in hand if the file has them. */
static int read_on(struct spool *s, size_t wanted, struct error *err)
{
    size_t left = s->tail.size - s->tail_at;
    size_t got;

    if (left >= wanted || s->read_bytes == s->file_bytes)
        return 0;
    if (left)
        memmove(s->tail.data, s->tail.data + s->tail_at, left);
    s->tail.size = left;
    s->tail_at = 0;
    size_t count = wanted > PIECE_BYTES ? wanted : PIECE_BYTES;
    if (buffer_reserve(&s->tail, count, err) ||
        os_read_at(s->file, (struct os_range){s->read_bytes, count}, s->tail.data + left, &got,
                   err))
        return -1;
    if (!got)
        return error_set(err, ERROR_CHANGED, "read", "a temporary file was cut short");
    s->tail.size += got;
    s->read_bytes += got;
    return 0;
}

int spool_next(struct spool *s, struct bytes *out, struct error *err)
{
    if (!s->reading && begin_reading(s, err))
        return -1;
    if (read_on(s, LENGTH_BYTES, err))
        return -1;
    if (s->tail_at == s->tail.size)
        return 0;
    struct cursor c = {s->tail.data + s->tail_at, s->tail.size - s->tail_at};
    uint64_t length;
    if (cursor_varint(&c, &length, err))
        return -1;
    size_t head = (size_t)(c.at - (s->tail.data + s->tail_at));
    if (read_on(s, head + (size_t)length, err))
        return -1;
    c = (struct cursor){s->tail.data + s->tail_at + head, s->tail.size - s->tail_at - head};
    if (cursor_take(&c, (size_t)length, out, err))
        return -1;
    s->tail_at += head + (size_t)length;
    return 1;
}

void spool_rewind(struct spool *s)
{
    if (s->file != OS_NO_HANDLE && s->reading)
        buffer_clear(&s->tail);
    s->tail_at = 0;
    s->read_bytes = 0;
}
