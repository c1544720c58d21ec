/*
 * pairs.c: see pairs.h.
 */
#include "base/pairs.h"

#include <stdlib.h>
#include <string.h>

void pairs_release(struct pairs *p)
{
    if (!p)
        return;
    buffer_release(&p->bytes);
    free(p->slots);
    *p = (struct pairs){0};
}

void pairs_clear(struct pairs *p)
{
    buffer_clear(&p->bytes);
    p->count = 0;
}

static int reserve_slot(struct pairs *p, struct error *err)
{
    size_t capacity = p->capacity ? p->capacity * 2 : 8;
    struct pair_slot *slots;

    if (p->count < p->capacity)
        return 0;
    if (capacity > SIZE_MAX / 2 / sizeof *slots)
        return error_memory(err);
    slots = realloc(p->slots, capacity * sizeof *slots);
    if (!slots)
        return error_memory(err);
    p->slots = slots;
    p->capacity = capacity;
    return 0;
}

int pairs_append(struct pairs *p, struct bytes name, struct bytes value, struct error *err)
{
    size_t start = p->bytes.size;

    if (reserve_slot(p, err))
        return -1;
    if (buffer_append(&p->bytes, name.data, name.size, err) ||
        buffer_append_byte(&p->bytes, 0, err) ||
        buffer_append(&p->bytes, value.data, value.size, err)) {
        p->bytes.size = start;
        return -1;
    }
    p->slots[p->count++] = (struct pair_slot){
        .name_offset = start,
        .name_bytes = name.size,
        .value_offset = start + name.size + 1,
        .value_bytes = value.size,
    };
    return 0;
}

struct bytes pairs_name(const struct pairs *p, size_t index)
{
    return bytes_make(p->bytes.data + p->slots[index].name_offset, p->slots[index].name_bytes);
}

struct bytes pairs_value(const struct pairs *p, size_t index)
{
    return bytes_make(p->bytes.data + p->slots[index].value_offset, p->slots[index].value_bytes);
}

/* Pairs of one name keep the order in which they came: the later one counts (pairs_find). */
static int compare(const struct pairs *p, size_t a, size_t b)
{
    int order = bytes_compare(pairs_name(p, a), pairs_name(p, b));
    size_t first = p->slots[a].name_offset, second = p->slots[b].name_offset;

    return order ? order : (first > second) - (first < second);
}

static void swap(struct pairs *p, size_t a, size_t b)
{
    struct pair_slot slot = p->slots[a];

    p->slots[a] = p->slots[b];
    p->slots[b] = slot;
}

static void sift_down(struct pairs *p, size_t root, size_t count)
{
    size_t child;

    while ((child = 2 * root + 1) < count) {
        if (child + 1 < count && compare(p, child, child + 1) < 0)
            child++;
        if (compare(p, root, child) >= 0)
            return;
        swap(p, root, child);
        root = child;
    }
}

static bool is_sorted(const struct pairs *p)
{
    for (size_t i = 1; i < p->count; i++) {
        if (compare(p, i - 1, i) > 0)
            return false;
    }
    return true;
}

/* A heap sort: qsort cannot be told where the names are, and an archive may bring any number of
 * pairs. */
void pairs_sort(struct pairs *p)
{
    if (is_sorted(p))
        return;
    for (size_t root = p->count / 2; root-- > 0;)
        sift_down(p, root, p->count);
    for (size_t end = p->count; end-- > 1;) {
        swap(p, 0, end);
        sift_down(p, 0, end);
    }
}

ptrdiff_t pairs_find(const struct pairs *p, struct bytes name)
{
    for (size_t i = p->count; i-- > 0;) {
        if (bytes_equal(pairs_name(p, i), name))
            return (ptrdiff_t)i;
    }
    return -1;
}

int pairs_copy(struct pairs *to, const struct pairs *from, struct error *err)
{
    pairs_clear(to);
    for (size_t i = 0; i < from->count; i++) {
        if (pairs_append(to, pairs_name(from, i), pairs_value(from, i), err))
            return -1;
    }
    return 0;
}

bool pairs_equal(const struct pairs *a, const struct pairs *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        if (!bytes_equal(pairs_name(a, i), pairs_name(b, i)) ||
            !bytes_equal(pairs_value(a, i), pairs_value(b, i)))
            return false;
    }
    return true;
}
