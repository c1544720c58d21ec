/*
 * relink.c: see relink.h.
 */
#include "tree/relink.h"

#include <string.h>

#include "tree/ntfs_note.h"

static const char head[] = "holdfast relink 1\n";
enum { HEAD_BYTES = sizeof head - 1 };

struct note_place {
    struct hash128 path;
    uint64_t offset, bytes;
};

void relink_init(struct relink *r)
{
    *r = (struct relink){0};
    table_init(&r->places, sizeof(struct note_place), sizeof(struct hash128));
}

void relink_release(struct relink *r)
{
    buffer_release(&r->text);
    buffer_release(&r->notes);
    table_release(&r->places);
}

int relink_add(struct relink *r, const struct entry *e, struct error *err)
{
    struct buffer note = {0};
    struct bytes known;
    int result = -1;

    if (ntfs_note_encode(&note, e, err))
        goto out;
    if (relink_find(r, e->path, &known) && bytes_equal(known, buffer_bytes(&note))) {
        result = 0;
        goto out;
    }
    if ((!r->text.size && buffer_append(&r->text, head, HEAD_BYTES, err)) ||
        text_base64_encode(&r->text, e->path, err) || buffer_append_byte(&r->text, ' ', err) ||
        text_base64_encode(&r->text, buffer_bytes(&note), err))
        goto out;
    r->is_changed = true;
    result = buffer_append_byte(&r->text, '\n', err);
out:
    buffer_release(&note);
    return result;
}

static int no_relink(struct error *err, size_t line)
{
    return error_set(err, ERROR_FORMAT, NULL, "line %zu: no line of a relink file", line);
}

static int read_line(struct relink *r, struct bytes line, struct buffer *path, struct error *err)
{
    const uint8_t *space = memchr(line.data, ' ', line.size);
    size_t path_bytes = space ? (size_t)(space - line.data) : 0, before = r->notes.size;
    struct note_place *place;

    buffer_clear(path);
    if (!space)
        return error_set(err, ERROR_FORMAT, NULL, "no space");
    if (text_base64_decode(path, bytes_make(line.data, path_bytes), err) ||
        text_base64_decode(&r->notes, bytes_make(space + 1, line.size - path_bytes - 1), err))
        return -1;
    if (r->notes.size == before)
        return error_set(err, ERROR_FORMAT, NULL, "no note");
    struct hash128 key = hash_bytes(buffer_bytes(path));
    place = table_add(&r->places, &key, err);
    if (!place)
        return -1;
    place->offset = before;
    place->bytes = r->notes.size - before;
    return 0;
}

int relink_read(struct relink *r, struct bytes file, struct error *err)
{
    struct buffer path = {0};
    size_t number = 1;
    int result = 0;

    if (file.size < HEAD_BYTES || memcmp(file.data, head, HEAD_BYTES) != 0)
        return no_relink(err, number);
    for (size_t at = HEAD_BYTES; !result && at < file.size; number++) {
        struct bytes line = bytes_make(file.data + at, file.size - at);
        const uint8_t *end = memchr(line.data, '\n', line.size);

        line.size = end ? (size_t)(end - line.data) : line.size;
        result = end ? read_line(r, line, &path, err) : error_set(err, ERROR_FORMAT, NULL, "cut");
        if (result && err && err->kind == ERROR_FORMAT)
            result = no_relink(err, number + 1);
        at += line.size + 1;
    }
    buffer_release(&path);
    return result ? -1 : buffer_append(&r->text, file.data, file.size, err);
}

bool relink_find(const struct relink *r, struct bytes path, struct bytes *note)
{
    struct hash128 key = hash_bytes(path);
    const struct note_place *place = table_find(&r->places, &key);

    if (place)
        *note = bytes_make(r->notes.data + place->offset, place->bytes);
    return place != NULL;
}
