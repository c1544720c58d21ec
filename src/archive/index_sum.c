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

/* What of an entry is a number; all of one width, so that there is no padding. */
struct numbers {
    uint64_t path_bytes, kind, distance, data_offset;
    uint64_t size, target_bytes, reparse_bytes, folder_flavour, device_major, device_minor,
        link_count;
    uint64_t mode, owner, group, flags;
    uint64_t mtime_seconds, mtime_nanoseconds, btime_seconds, btime_nanoseconds;
    uint64_t xattr_count, extent_count;
};

/* Fields that are not known count as zero: the two sides may know different ones of what the kind
 * does not have. */
static void take_metadata(struct numbers *n, const struct metadata *meta)
{
    n->mode = meta->known & METADATA_MODE ? meta->mode : 0;
    n->owner = meta->known & METADATA_OWNER ? meta->owner : 0;
    n->group = meta->known & METADATA_GROUP ? meta->group : 0;
    n->flags = meta->known & METADATA_FLAGS ? meta->flags : 0;
    if (meta->known & METADATA_MTIME) {
        n->mtime_seconds = (uint64_t)meta->mtime.seconds;
        n->mtime_nanoseconds = meta->mtime.nanoseconds;
    }
    if (meta->known & METADATA_BTIME) {
        n->btime_seconds = (uint64_t)meta->btime.seconds;
        n->btime_nanoseconds = meta->btime.nanoseconds;
    }
    n->xattr_count = meta->xattrs.count;
}

static void take_content(struct numbers *n, const struct index_item *item)
{
    const struct entry *e = &item->entry;

    n->size = e->kind == ENTRY_FILE ? e->size : 0;
    n->target_bytes = entry_is_link(e) ? e->target.size : 0;
    n->reparse_bytes = e->reparse.size;
    n->folder_flavour = e->folder_flavour;
    n->device_major = e->device_major;
    n->device_minor = e->device_minor;
    n->link_count = e->shared ? e->link_count : 1;
    n->extent_count = item->extent_count;
}

/* Target, reparse buffer, attributes, ranges. */
static int append_rest(struct buffer *out, const struct numbers *n, const struct index_item *item,
                       struct error *err)
{
    const struct pairs *xattrs = &item->entry.meta.xattrs;

    if (buffer_append(out, item->entry.target.data, (size_t)n->target_bytes, err) ||
        buffer_append(out, item->entry.reparse.data, (size_t)n->reparse_bytes, err))
        return -1;
    for (size_t i = 0; i < xattrs->count; i++)
        if (buffer_append_string(out, pairs_name(xattrs, i), err) ||
            buffer_append_string(out, pairs_value(xattrs, i), err))
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
    struct numbers numbers = {
        .path_bytes = e->path.size,
        .kind = (uint64_t)e->kind,
        .distance = item->is_further && !s->is_partial ? item->number - item->first : 0,
        .data_offset = item->data_offset,
    };

    if (!item->is_further) {
        take_content(&numbers, item);
        take_metadata(&numbers, &e->meta);
    }
    buffer_clear(&s->line);
    if (buffer_append(&s->line, &numbers, sizeof numbers, err) ||
        buffer_append(&s->line, e->path.data, e->path.size, err) ||
        (!item->is_further && append_rest(&s->line, &numbers, item, err)))
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
