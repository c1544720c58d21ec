/*
 * tar_sparse.c: see tar_sparse.h. All forms end in one map, which is checked once: in order,
 * without overlap, within the file, as long as the data.
 */
#include "archive/tar_sparse.h"

#include <stdlib.h>
#include <string.h>

static const char operation[] = "read sparse map";

void tar_map_release(struct tar_map *map)
{
    free(map->extents);
    *map = (struct tar_map){0};
}

void tar_map_clear(struct tar_map *map)
{
    *map = (struct tar_map){.extents = map->extents, .capacity = map->capacity};
}

static int grow(struct tar_map *map, struct error *err)
{
    if (map->count < map->capacity)
        return 0;
    size_t capacity = map->capacity ? map->capacity * 2 : 32;
    struct extent *extents = realloc(map->extents, capacity * sizeof *extents);
    if (!extents)
        return error_memory(err);
    map->extents = extents;
    map->capacity = capacity;
    return 0;
}

int tar_map_add(struct tar_map *map, uint64_t offset, uint64_t length, struct error *err)
{
    if (offset > INT64_MAX || length > INT64_MAX - offset)
        return error_set(err, ERROR_FORMAT, operation, "a range of the sparse map is too large");
    if (offset < map->end)
        return error_set(err, ERROR_FORMAT, operation,
                         "the sparse map's ranges overlap or are not in order");
    map->end = offset + length;
    map->stored += length;
    if (length == 0 || map->over_limit)
        return 0;
    struct extent *last = map->count ? &map->extents[map->count - 1] : NULL;
    if (last && last->offset + last->length == offset) {
        last->length += length;
        return 0;
    }
    if (map->count == TAR_MAX_EXTENTS) {
        map->over_limit = true;
        return 0;
    }
    if (grow(map, err))
        return -1;
    map->extents[map->count++] = (struct extent){offset, length};
    return 0;
}

int tar_map_finish(const struct tar_map *map, uint64_t size, uint64_t stored, struct error *err)
{
    if (map->end > size)
        return error_set(err, ERROR_FORMAT, operation, "the sparse map goes beyond the file's end");
    if (map->stored != stored)
        return error_set(err, ERROR_FORMAT, operation,
                         "the sparse map does not fit the stored size");
    return 0;
}

/* --- old GNU --- */

/* Adds slots up to the first that is not used; returns -1 on an error. */
static int add_slots(struct tar_map *map, const struct tar_slot *slots, size_t count,
                     struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        const struct tar_slot *slot = &slots[i];
        struct tar_field offset = {slot->offset, sizeof slot->offset, "sparse offset"};
        struct tar_field length = {slot->length, sizeof slot->length, "sparse length"};
        uint64_t from = 0, bytes = 0;
        if (slot->length[0] == 0)
            break;
        if (tar_number_get_unsigned(offset, &from, err) ||
            tar_number_get_unsigned(length, &bytes, err))
            return -1;
        if (tar_map_add(map, from, bytes, err))
            return -1;
    }
    return 0;
}

int tar_map_read_slots(struct tar_map *map, const struct tar_block *header, struct tar_stream *s,
                       struct error *err)
{
    struct tar_slot_block more;
    uint8_t extended = header->tail.gnu.extended;
    if (add_slots(map, header->tail.gnu.slots, TAR_SLOTS_IN_HEADER, err))
        return -1;
    while (extended) {
        if (tar_stream_exact(s, &more, sizeof more, err))
            return -1;
        if (add_slots(map, more.slots, TAR_SLOTS_IN_BLOCK, err))
            return -1;
        extended = more.extended;
    }
    return 0;
}

static size_t slot_count(const struct tar_member *m)
{
    const struct extent *last = m->extent_count ? &m->extents[m->extent_count - 1] : NULL;
    bool ends_in_hole = !last || last->offset + last->length != m->size;
    return m->extent_count + ends_in_hole;
}

static void put_slot(struct tar_slot *slot, const struct tar_member *m, size_t index)
{
    struct extent e = {m->size, 0};
    if (index < m->extent_count)
        e = m->extents[index];
    tar_number_put(slot->offset, sizeof slot->offset, (int64_t)e.offset);
    tar_number_put(slot->length, sizeof slot->length, (int64_t)e.length);
}

int tar_map_write(struct buffer *out, struct tar_block *header, const struct tar_member *m,
                  struct error *err)
{
    size_t count = slot_count(m);
    size_t index = 0;
    for (; index < count && index < TAR_SLOTS_IN_HEADER; index++)
        put_slot(&header->tail.gnu.slots[index], m, index);
    header->tail.gnu.extended = index < count;
    while (index < count) {
        struct tar_slot_block block = {0};
        for (size_t i = 0; i < TAR_SLOTS_IN_BLOCK && index < count; i++, index++)
            put_slot(&block.slots[i], m, index);
        block.extended = index < count;
        if (buffer_append(out, &block, sizeof block, err))
            return -1;
    }
    return 0;
}

/* --- GNU's pax forms --- */

int tar_map_parse(struct tar_map *map, struct bytes text, struct error *err)
{
    uint64_t numbers[2];
    size_t at = 0, index = 0;
    while (at < text.size) {
        const uint8_t *from = text.data + at;
        const uint8_t *comma = memchr(from, ',', text.size - at);
        size_t bytes = comma ? (size_t)(comma - from) : text.size - at;
        struct tar_field field = {from, bytes, "GNU.sparse.map"};
        if (tar_decimal_get(field, &numbers[index], err))
            return -1;
        if (index == 1 && tar_map_add(map, numbers[0], numbers[1], err))
            return -1;
        index = 1 - index;
        at += bytes + 1;
    }
    if (index)
        return error_set(err, ERROR_FORMAT, operation, "the sparse map ends after an offset");
    return 0;
}

/* Lines of digits that are read block by block. */
struct line_reader {
    struct tar_stream *stream;
    uint64_t *stored; /* bytes of the member's data that are left */
    uint8_t block[TAR_BLOCK_BYTES];
    size_t at; /* in block */
};

static int next_byte(struct line_reader *r, uint8_t *byte, struct error *err)
{
    if (r->at == sizeof r->block) {
        if (*r->stored < sizeof r->block)
            return error_set(err, ERROR_FORMAT, operation, "the sparse map is cut short");
        if (tar_stream_exact(r->stream, r->block, sizeof r->block, err))
            return -1;
        *r->stored -= sizeof r->block;
        r->at = 0;
    }
    *byte = r->block[r->at++];
    return 0;
}

static int next_line(struct line_reader *r, uint64_t *number, struct error *err)
{
    uint8_t digits[24];
    size_t count = 0;
    for (;;) {
        uint8_t byte = 0;
        if (next_byte(r, &byte, err))
            return -1;
        if (byte == '\n')
            break;
        if (count == sizeof digits)
            return error_set(err, ERROR_FORMAT, operation,
                             "a number of the sparse map is too long");
        digits[count++] = byte;
    }
    return tar_decimal_get((struct tar_field){digits, count, "sparse map"}, number, err);
}

int tar_map_read_lines(struct tar_map *map, struct tar_stream *s, uint64_t *stored,
                       struct error *err)
{
    struct line_reader reader = {.stream = s, .stored = stored, .at = TAR_BLOCK_BYTES};
    uint64_t count = 0;
    if (next_line(&reader, &count, err))
        return -1;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t offset = 0, length = 0;
        if (next_line(&reader, &offset, err) || next_line(&reader, &length, err))
            return -1;
        if (tar_map_add(map, offset, length, err))
            return -1;
    }
    return 0;
}
