/*
 * index_item.c: one entry of the index, encoder and decoder side by side. Promises that whatever
 * the decoder lets pass is a sound entry: known kinds and fields, ranges in order and inside the
 * file, names of owners that are there.
 */
#include <string.h>

#include <stdlib.h>

#include "archive/index.h"
#include "archive/names.h"
#include "archive/tar.h"
#include "link/reparse.h"

/* The low four bits are the kind. */
enum item_flag {
    ITEM_KIND = 15,
    ITEM_FURTHER = 1 << 4,
    ITEM_SHARED = 1 << 5,
    ITEM_SPARSE = 1 << 6,
    ITEM_HASH = 1 << 7,
    ITEM_XATTRS = 1 << 8,
    ITEM_IDENTITY = 1 << 9,
    ITEM_INEXACT = 1 << 10,
    ITEM_FILE_FLAGS = 1 << 11,
    ITEM_IN_BASE = 1 << 12,
    ITEM_REPARSE = 1 << 13,
    ITEM_FOLDER_FLAVOUR = 1 << 14,
    ITEM_ALL = (1 << 15) - 1,
};

/* The fields that an entry may know. Access times are no part of an archive. */
#define KNOWN_FIELDS                                                                               \
    ((uint32_t)(METADATA_MODE | METADATA_OWNER | METADATA_GROUP | METADATA_MTIME |                 \
                METADATA_CTIME | METADATA_BTIME | METADATA_FLAGS | METADATA_XATTRS |               \
                METADATA_ACL))

#define MAX_SIZE (UINT64_C(1) << 62)

static int damaged(struct error *err, const char *what)
{
    return error_set(err, ERROR_FORMAT, "read index", "the archive's index is damaged: %s", what);
}

static bool is_device(enum entry_kind kind)
{
    return kind == ENTRY_CHAR_DEVICE || kind == ENTRY_BLOCK_DEVICE;
}

/* ---- Encoder ---- */

static uint64_t zigzag(uint64_t difference)
{
    return difference << 1 ^ (difference >> 63 ? UINT64_MAX : 0);
}

static int append_time(struct buffer *out, struct timestamp t, struct timestamp from,
                       struct error *err)
{
    if (buffer_append_varint(out, zigzag((uint64_t)t.seconds - (uint64_t)from.seconds), err))
        return -1;
    return buffer_append_varint(out, t.nanoseconds, err);
}

static int append_times(struct buffer *out, const struct metadata *meta, struct error *err)
{
    static const struct timestamp beginning;
    struct timestamp from = meta->known & METADATA_MTIME ? meta->mtime : beginning;

    if ((meta->known & METADATA_MTIME) && append_time(out, meta->mtime, beginning, err))
        return -1;
    if ((meta->known & METADATA_BTIME) && append_time(out, meta->btime, from, err))
        return -1;
    return meta->known & METADATA_CTIME ? append_time(out, meta->ctime, from, err) : 0;
}

static bool is_sparse(const struct index_item *item)
{
    if (item->entry.kind != ENTRY_FILE || item->entry.size == 0)
        return false;
    return item->extent_count != 1 || item->extents[0].offset != 0 ||
           item->extents[0].length != item->entry.size;
}

static uint32_t flags_of(const struct index_item *item)
{
    const struct entry *e = &item->entry;

    if (item->is_further)
        return (uint32_t)e->kind | ITEM_FURTHER | (item->is_inexact ? ITEM_INEXACT : 0u);
    return (uint32_t)e->kind | (e->shared ? ITEM_SHARED : 0u) |
           (is_sparse(item) ? ITEM_SPARSE : 0u) | (e->has_data_hash ? ITEM_HASH : 0u) |
           (e->meta.xattrs.count != 0 ? ITEM_XATTRS : 0u) |
           (identity_is_known(&e->identity) ? ITEM_IDENTITY : 0u) |
           (item->is_inexact ? ITEM_INEXACT : 0u) |
           ((e->meta.known & METADATA_FLAGS) && e->meta.flags != 0 ? ITEM_FILE_FLAGS : 0u) |
           (item->base != 0 ? ITEM_IN_BASE : 0u) | (e->reparse.size != 0 ? ITEM_REPARSE : 0u) |
           (e->reparse.size != 0 && e->folder_flavour ? ITEM_FOLDER_FLAVOUR : 0u);
}

/* What belongs to the kind. */
static int append_content(struct buffer *out, const struct entry *e, struct error *err)
{
    if (e->kind == ENTRY_FILE)
        return buffer_append_varint(out, e->size, err);
    if (entry_is_link(e))
        return buffer_append_string(out, e->target, err);
    if (!is_device(e->kind))
        return 0;
    return buffer_append_varint(out, e->device_major, err) ||
                   buffer_append_varint(out, e->device_minor, err)
               ? -1
               : 0;
}

static int append_extents(struct buffer *out, const struct index_item *item, struct error *err)
{
    uint64_t end = 0;

    if (buffer_append_varint(out, item->extent_count, err))
        return -1;
    for (size_t i = 0; i < item->extent_count; i++) {
        if (buffer_append_varint(out, item->extents[i].offset - end, err) ||
            buffer_append_varint(out, item->extents[i].length, err))
            return -1;
        end = item->extents[i].offset + item->extents[i].length;
    }
    return 0;
}

static int append_xattrs(struct buffer *out, const struct pairs *xattrs, struct error *err)
{
    if (buffer_append_varint(out, xattrs->count, err))
        return -1;
    for (size_t i = 0; i < xattrs->count; i++)
        if (buffer_append_string(out, pairs_name(xattrs, i), err) ||
            buffer_append_string(out, pairs_value(xattrs, i), err))
            return -1;
    return 0;
}

/* What stands there only if its flag is set. */
static int append_optional(struct buffer *out, const struct index_item *item, uint32_t flags,
                           struct error *err)
{
    const struct entry *e = &item->entry;

    if ((flags & ITEM_FILE_FLAGS) && buffer_append_varint(out, e->meta.flags, err))
        return -1;
    if ((flags & ITEM_SHARED) && buffer_append_varint(out, e->link_count, err))
        return -1;
    if ((flags & ITEM_IDENTITY) && (buffer_append_varint(out, e->identity.volume, err) ||
                                    buffer_append_varint(out, e->identity.file[0], err) ||
                                    buffer_append_varint(out, e->identity.file[1], err)))
        return -1;
    if ((flags & ITEM_IN_BASE) &&
        (buffer_append_varint(out, item->base - 1, err) ||
         buffer_append_varint(out, item->data_offset / TAR_BLOCK_BYTES, err)))
        return -1;
    if ((flags & ITEM_SPARSE) && append_extents(out, item, err))
        return -1;
    if ((flags & ITEM_HASH) && (buffer_append_u64(out, e->data_hash.low, err) ||
                                buffer_append_u64(out, e->data_hash.high, err)))
        return -1;
    if ((flags & ITEM_XATTRS) && append_xattrs(out, &e->meta.xattrs, err))
        return -1;
    return flags & ITEM_REPARSE ? buffer_append_string(out, e->reparse, err) : 0;
}

static int append_body(struct buffer *out, const struct index_item *item, struct error *err)
{
    const struct entry *e = &item->entry;
    uint32_t flags = flags_of(item);

    if (buffer_append_varint(out, flags, err))
        return -1;
    if (item->is_further)
        return buffer_append_varint(out, item->number - item->first, err);
    if (buffer_append_varint(out, e->meta.known & KNOWN_FIELDS, err) ||
        buffer_append_varint(out, e->meta.known & METADATA_MODE ? e->meta.mode : 0, err) ||
        buffer_append_varint(out, item->owner, err) || append_times(out, &e->meta, err) ||
        append_content(out, e, err))
        return -1;
    return append_optional(out, item, flags, err);
}

static size_t common_bytes(struct bytes a, struct bytes b)
{
    size_t most = a.size < b.size ? a.size : b.size, count = 0;

    while (count < most && a.data[count] == b.data[count])
        count++;
    return count;
}

int index_item_encode(struct buffer *out, struct bytes previous, const struct index_item *item,
                      struct error *err)
{
    bool in_stream = index_item_is_in_stream(item);
    uint64_t header_bytes = in_stream ? item->data_offset - item->header_offset : 0;
    struct bytes path = item->entry.path;
    size_t common = common_bytes(previous, path);

    if ((in_stream && header_bytes == 0) || header_bytes % TAR_BLOCK_BYTES != 0 ||
        (item->base != 0 && item->data_offset % TAR_BLOCK_BYTES != 0))
        return error_set(err, ERROR_USAGE, "encode index", "headers that are no whole blocks");
    if (buffer_append_varint(out, common, err) ||
        buffer_append_string(out, bytes_make(path.data + common, path.size - common), err) ||
        buffer_append_varint(out, header_bytes / TAR_BLOCK_BYTES, err))
        return -1;
    return append_body(out, item, err);
}

/* ---- Decoder ---- */

static uint64_t unzigzag(uint64_t value)
{
    return value >> 1 ^ (value & 1 ? UINT64_MAX : 0);
}

static int take_u32(struct cursor *c, uint32_t *out, struct error *err)
{
    uint64_t value;

    if (cursor_varint(c, &value, err))
        return -1;
    if (value > UINT32_MAX)
        return damaged(err, "a number is too large");
    *out = (uint32_t)value;
    return 0;
}

static int take_time(struct cursor *c, struct timestamp from, struct timestamp *out,
                     struct error *err)
{
    uint64_t difference;

    if (cursor_varint(c, &difference, err) || take_u32(c, &out->nanoseconds, err))
        return -1;
    out->seconds = (int64_t)((uint64_t)from.seconds + unzigzag(difference));
    return out->nanoseconds < 1000000000 ? 0 : damaged(err, "a time with too many nanoseconds");
}

static int take_times(struct cursor *c, struct metadata *meta, struct error *err)
{
    static const struct timestamp beginning;

    if ((meta->known & METADATA_MTIME) && take_time(c, beginning, &meta->mtime, err))
        return -1;
    if ((meta->known & METADATA_BTIME) && take_time(c, meta->mtime, &meta->btime, err))
        return -1;
    return meta->known & METADATA_CTIME ? take_time(c, meta->mtime, &meta->ctime, err) : 0;
}

static int take_metadata(struct cursor *c, const struct index_head *head, struct index_item *out,
                         struct error *err)
{
    struct metadata *meta = &out->entry.meta;

    if (take_u32(c, &meta->known, err) || take_u32(c, &meta->mode, err) ||
        cursor_varint(c, &out->owner, err))
        return -1;
    if ((meta->known & ~KNOWN_FIELDS) != 0 || meta->mode > 07777)
        return damaged(err, "an entry with metadata that makes no sense");
    if (out->owner >= head->owner_count)
        return damaged(err, "an entry of no owner");
    const struct index_owner *owner = &head->owners[out->owner];

    meta->owner = owner->owner;
    meta->group = owner->group;
    meta->owner_name = owner->owner_name[0] != '\0' ? owner->owner_name : NULL;
    meta->group_name = owner->group_name[0] != '\0' ? owner->group_name : NULL;
    return take_times(c, meta, err);
}

static int take_content(struct cursor *c, struct entry *e, struct error *err)
{
    if (e->kind == ENTRY_FILE) {
        if (cursor_varint(c, &e->size, err))
            return -1;
        return e->size <= MAX_SIZE ? 0 : damaged(err, "a file of no possible size");
    }
    if (entry_is_link(e))
        return cursor_string(c, &e->target, err);
    if (!is_device(e->kind))
        return 0;
    return take_u32(c, &e->device_major, err) || take_u32(c, &e->device_minor, err) ? -1 : 0;
}

/* Makes room for the extents that the rest of the block can hold at most. */
static int reserve_extents(struct index_memory *m, size_t count, struct error *err)
{
    if (count <= m->extent_capacity)
        return 0;
    struct extent *grown = realloc(m->extents, count * sizeof *grown);

    if (!grown)
        return error_memory(err);
    m->extents = grown;
    m->extent_capacity = count;
    return 0;
}

static int take_extents(struct cursor *c, struct index_memory *m, struct index_item *out,
                        struct error *err)
{
    uint64_t count, gap, end = 0, size = out->entry.size;

    if (cursor_varint(c, &count, err))
        return -1;
    if (count > c->left / 2 || count > TAR_MAX_EXTENTS)
        return damaged(err, "more ranges than it can hold");
    if (reserve_extents(m, (size_t)count, err))
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct extent *x = &m->extents[i];

        if (cursor_varint(c, &gap, err) || cursor_varint(c, &x->length, err))
            return -1;
        if (gap > size - end || x->length > size - end - gap || x->length == 0 ||
            (i != 0 && gap == 0))
            return damaged(err, "ranges of a file that lie outside it or touch");
        x->offset = end + gap;
        end = x->offset + x->length;
    }
    out->extents = m->extents;
    out->extent_count = (size_t)count;
    return 0;
}

static int take_xattrs(struct cursor *c, struct index_memory *m, struct error *err)
{
    struct bytes name, value;
    uint64_t count;

    if (cursor_varint(c, &count, err))
        return -1;
    for (uint64_t i = 0; i < count; i++) {
        if (cursor_string(c, &name, err) || cursor_string(c, &value, err))
            return -1;
        bool ascends = i == 0 || bytes_compare(pairs_name(&m->xattrs, (size_t)i - 1), name) < 0;

        if (name.size == 0 || memchr(name.data, 0, name.size) || !ascends)
            return damaged(err, "an attribute with a name that makes no sense");
        if (pairs_append(&m->xattrs, name, value, err))
            return -1;
    }
    return 0;
}

/* The ranges of a file that has no map of them. */
static void set_whole(struct index_memory *m, struct index_item *out)
{
    m->whole = (struct extent){0, out->entry.size};
    out->extents = &m->whole;
    out->extent_count = out->entry.kind == ENTRY_FILE && out->entry.size != 0;
}

static int take_identity(struct cursor *c, const struct index_head *head, struct identity *out,
                         struct error *err)
{
    if (cursor_varint(c, &out->volume, err) || cursor_varint(c, &out->file[0], err) ||
        cursor_varint(c, &out->file[1], err))
        return -1;
    return out->volume < head->volume_count ? 0 : damaged(err, "a file of no file system");
}

static int take_base(struct cursor *c, const struct index_head *head, struct index_item *out,
                     struct error *err)
{
    uint64_t base, blocks;

    if (cursor_varint(c, &base, err) || cursor_varint(c, &blocks, err))
        return -1;
    if (base >= head->base_count || blocks > MAX_SIZE / TAR_BLOCK_BYTES)
        return damaged(err, "a content that is in no archive");
    out->base = (size_t)base + 1;
    out->data_offset = blocks * TAR_BLOCK_BYTES;
    return 0;
}

/* A body that is being decoded. */
struct taking {
    struct cursor *c;
    const struct index_head *head;
    struct index_memory *memory;
    struct index_item *out; /* number and data_offset are set */
};

static int take_optional(const struct taking *t, uint32_t flags, struct error *err)
{
    struct cursor *c = t->c;
    struct index_memory *m = t->memory;
    struct index_item *out = t->out;
    struct entry *e = &out->entry;

    if ((flags & ITEM_FILE_FLAGS) && take_u32(c, &e->meta.flags, err))
        return -1;
    e->link_count = 1;
    if ((flags & ITEM_SHARED) && cursor_varint(c, &e->link_count, err))
        return -1;
    if ((flags & ITEM_IDENTITY) && take_identity(c, t->head, &e->identity, err))
        return -1;
    if ((flags & ITEM_IN_BASE) && take_base(c, t->head, out, err))
        return -1;
    set_whole(m, out);
    if ((flags & ITEM_SPARSE) && take_extents(c, m, out, err))
        return -1;
    if ((flags & ITEM_HASH) &&
        (cursor_u64(c, &e->data_hash.low, err) || cursor_u64(c, &e->data_hash.high, err)))
        return -1;
    pairs_clear(&m->xattrs);
    if ((flags & ITEM_XATTRS) && take_xattrs(c, m, err))
        return -1;
    e->meta.xattrs = m->xattrs; /* shared: the memory stays the owner */
    if ((flags & ITEM_REPARSE) == 0)
        return 0;
    e->folder_flavour = (flags & ITEM_FOLDER_FLAVOUR) != 0;
    if (cursor_string(c, &e->reparse, err))
        return -1;
    return e->reparse.size != 0 && e->reparse.size <= REPARSE_MAX_BYTES
               ? 0
               : damaged(err, "a reparse point of no possible size");
}

/* Whether an entry of that kind has to be a reparse point, may be one, or cannot. */
static bool is_reparse_sound(uint32_t flags)
{
    uint32_t kind = flags & ITEM_KIND;

    if ((flags & ITEM_FOLDER_FLAVOUR) && (flags & ITEM_REPARSE) == 0)
        return false;
    if ((flags & ITEM_REPARSE) == 0)
        return kind <= ENTRY_BLOCK_DEVICE || (flags & ITEM_FURTHER) != 0;
    return kind == ENTRY_SYMLINK || kind > ENTRY_BLOCK_DEVICE;
}

/* Flags that this version knows, on kinds that can have them. */
static bool are_sound(uint32_t flags)
{
    uint32_t kind = flags & ITEM_KIND;
    uint32_t of_files = ITEM_SPARSE | ITEM_HASH | ITEM_IN_BASE;
    uint32_t of_further = ITEM_KIND | ITEM_FURTHER | ITEM_INEXACT;

    if ((flags & ~(uint32_t)ITEM_ALL) != 0 || kind >= ENTRY_KINDS || !is_reparse_sound(flags))
        return false;
    if ((flags & ITEM_FURTHER) && ((flags & ~of_further) != 0 || kind == ENTRY_DIRECTORY))
        return false;
    if ((flags & ITEM_SHARED) && kind == ENTRY_DIRECTORY)
        return false;
    if ((flags & ITEM_IN_BASE) && (flags & ITEM_HASH) == 0)
        return false;
    return kind == ENTRY_FILE || (flags & of_files) == 0;
}

static int take_further(struct cursor *c, struct index_item *out, struct error *err)
{
    uint64_t distance;

    if (cursor_varint(c, &distance, err))
        return -1;
    if (distance == 0 || distance > out->number)
        return damaged(err, "a further name of no file");
    out->first = out->number - distance;
    return 0;
}

static int take_body(const struct taking *t, struct error *err)
{
    struct index_item *out = t->out;
    uint32_t flags = 0;

    if (take_u32(t->c, &flags, err))
        return -1;
    if (!are_sound(flags))
        return damaged(err, "an entry of a form that is not known");
    out->entry.kind = (enum entry_kind)(flags & ITEM_KIND);
    out->is_further = (flags & ITEM_FURTHER) != 0;
    out->is_inexact = (flags & ITEM_INEXACT) != 0;
    out->entry.shared = (flags & ITEM_SHARED) != 0;
    out->entry.has_data_hash = (flags & ITEM_HASH) != 0;
    if (out->is_further)
        return take_further(t->c, out, err);
    if (take_metadata(t->c, t->head, out, err) || take_content(t->c, &out->entry, err))
        return -1;
    return take_optional(t, flags, err);
}

int index_body_decode(const struct index_head *head, struct bytes body, struct index_memory *memory,
                      struct index_item *out, struct error *err)
{
    struct cursor c = {body.data, body.size};

    *out = (struct index_item){.data_offset = out->data_offset};
    if (take_body(&(struct taking){&c, head, memory, out}, err))
        return -1;
    if (out->is_further)
        return damaged(err, "a further name of a further name");
    return c.left == 0 ? 0 : damaged(err, "bytes behind an entry");
}

/* ---- Blocks ---- */

void index_cursor_begin(struct index_cursor *c, const struct index_head *head,
                        const struct index_block *block, struct bytes content)
{
    c->head = head;
    c->block = block;
    c->at = (struct cursor){content.data, content.size};
    c->position = block->stream_offset;
    c->taken = 0;
    buffer_clear(&c->memory.path);
}

void index_cursor_release(struct index_cursor *c)
{
    index_memory_release(&c->memory);
}

/* Puts the new path behind what it has in common with the old one. */
static int take_path(struct index_cursor *c, struct entry *e, struct error *err)
{
    struct buffer *path = &c->memory.path;
    struct bytes rest;
    uint64_t common;

    if (cursor_varint(&c->at, &common, err) || cursor_string(&c->at, &rest, err))
        return -1;
    if (common > path->size)
        return damaged(err, "a path that begins as no other");
    /* A longer path that begins with the whole old one comes behind it; else the first byte that
     * differs decides, where a slash and the end of a path come before all others. */
    bool ascends = common == path->size
                       ? rest.size != 0
                       : rest.size != 0 && rest.data[0] != '/' &&
                             (path->data[common] == '/' || rest.data[0] > path->data[common]);

    if (!ascends)
        return damaged(err, "its entries are not in order");
    path->size = (size_t)common;
    if (buffer_append(path, rest.data, rest.size, err))
        return -1;
    e->path = buffer_bytes(path);
    if (!names_is_clean(e->path))
        return damaged(err, "a path that makes no sense");
    e->depth = 0;
    e->name_offset = 0;
    for (size_t i = 0; i < e->path.size; i++) {
        if (e->path.data[i] == '/') {
            e->depth++;
            e->name_offset = i + 1;
        }
    }
    return 0;
}

static int take_item(struct index_cursor *c, struct error *err)
{
    struct index_item *item = &c->item;
    uint64_t header_blocks;

    *item = (struct index_item){.number = c->block->first_entry + c->taken,
                                .header_offset = c->position};
    if (take_path(c, &item->entry, err) || cursor_varint(&c->at, &header_blocks, err))
        return -1;
    if (header_blocks > MAX_SIZE / TAR_BLOCK_BYTES || c->position > MAX_SIZE)
        return damaged(err, "an entry that stands nowhere");
    item->data_offset = c->position + header_blocks * TAR_BLOCK_BYTES;
    const uint8_t *body = c->at.at;

    if (take_body(&(struct taking){&c->at, c->head, &c->memory, item}, err))
        return -1;
    item->body = bytes_make(body, (size_t)(c->at.at - body));
    if ((header_blocks == 0) != (item->base != 0) &&
        (header_blocks != 0 || !item->is_further || c->head->base_count == 0))
        return damaged(err, "an entry that stands nowhere");
    if (item->base == 0)
        c->position = index_item_end(item);
    return 0;
}

int index_cursor_next(struct index_cursor *c, const struct index_item **out, struct error *err)
{
    if (c->taken == c->block->entry_count)
        return c->at.left == 0 ? 0 : damaged(err, "bytes behind its entries");
    if (take_item(c, err))
        return -1;
    if (c->taken == 0 && !bytes_equal(c->item.entry.path, c->block->first_path))
        return damaged(err, "a block that begins with another entry");
    c->taken++;
    *out = &c->item;
    return 1;
}
