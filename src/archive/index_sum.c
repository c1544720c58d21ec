#include "archive/index_sum.h"

int index_sum_init(struct index_sum *s, struct error *err)
{
    *s = (struct index_sum){.entries = NULL};
    if (hasher_new(&s->entries, err) || hasher_new(&s->contents, err)) {
        index_sum_release(s);
        return -1;
    }
    return 0;
}

void index_sum_clear(struct index_sum *s)
{
    hasher_reset(s->entries);
    hasher_reset(s->contents);
}

void index_sum_release(struct index_sum *s)
{
    hasher_free(s->entries);
    hasher_free(s->contents);
    buffer_release(&s->line);
    *s = (struct index_sum){.entries = NULL};
}

static int append_time(struct buffer *out, struct timestamp t, struct error *err)
{
    return buffer_append_u64(out, (uint64_t)t.seconds, err) ||
                   buffer_append_u32(out, t.nanoseconds, err)
               ? -1
               : 0;
}

/* Fields that are not known count as zero: the two sides may know different ones of what the kind
 * does not have. */
static int append_metadata(struct buffer *out, const struct metadata *meta, struct error *err)
{
    static const struct timestamp never;

    if (buffer_append_u32(out, meta->known & METADATA_MODE ? meta->mode : 0, err) ||
        buffer_append_u64(out, meta->known & METADATA_OWNER ? meta->owner : 0, err) ||
        buffer_append_u64(out, meta->known & METADATA_GROUP ? meta->group : 0, err) ||
        append_time(out, meta->known & METADATA_MTIME ? meta->mtime : never, err) ||
        append_time(out, meta->known & METADATA_BTIME ? meta->btime : never, err) ||
        buffer_append_u32(out, meta->known & METADATA_FLAGS ? meta->flags : 0, err))
        return -1;
    for (size_t i = 0; i < meta->xattrs.count; i++)
        if (buffer_append_string(out, pairs_name(&meta->xattrs, i), err) ||
            buffer_append_string(out, pairs_value(&meta->xattrs, i), err))
            return -1;
    return 0;
}

/* Size or target, device numbers, names, ranges. */
static int append_content(struct buffer *out, const struct index_item *item, struct error *err)
{
    const struct entry *e = &item->entry;

    if (buffer_append_u64(out, e->kind == ENTRY_FILE ? e->size : 0, err) ||
        buffer_append_string(out, e->kind == ENTRY_SYMLINK ? e->target : (struct bytes){NULL, 0},
                             err) ||
        buffer_append_u32(out, e->device_major, err) ||
        buffer_append_u32(out, e->device_minor, err) ||
        buffer_append_u64(out, e->shared ? e->link_count : 1, err))
        return -1;
    for (size_t i = 0; i < item->extent_count; i++)
        if (buffer_append_u64(out, item->extents[i].offset, err) ||
            buffer_append_u64(out, item->extents[i].length, err))
            return -1;
    return 0;
}

int index_sum_add(struct index_sum *s, const struct index_item *item, struct error *err)
{
    const struct entry *e = &item->entry;
    uint64_t distance = item->is_further && !s->is_partial ? item->number - item->first : 0;

    buffer_clear(&s->line);
    if (buffer_append_string(&s->line, e->path, err) ||
        buffer_append_u32(&s->line, (uint32_t)e->kind, err) ||
        buffer_append_u64(&s->line, distance, err) ||
        buffer_append_u64(&s->line, item->data_offset, err))
        return -1;
    if (!item->is_further &&
        (append_content(&s->line, item, err) || append_metadata(&s->line, &e->meta, err)))
        return -1;
    hasher_add(s->entries, s->line.data, s->line.size);
    return 0;
}

void index_sum_content(struct index_sum *s, struct hash128 hash)
{
    const uint64_t halves[2] = {hash.low, hash.high};

    hasher_add(s->contents, halves, sizeof halves);
}

static bool is_equal(const struct hasher *a, const struct hasher *b)
{
    struct hash128 x = hasher_result(a), y = hasher_result(b);

    return x.low == y.low && x.high == y.high;
}

bool index_sum_entries_equal(const struct index_sum *a, const struct index_sum *b)
{
    return is_equal(a->entries, b->entries);
}

bool index_sum_contents_equal(const struct index_sum *a, const struct index_sum *b)
{
    return is_equal(a->contents, b->contents);
}
