/*
 * index_writer.c: entries to blocks, blocks to memory or file.
 */
#include "archive/index_writer.h"

#include <stdlib.h>
#include <string.h>

#include "archive/first_names.h"
#include "base/table.h"
#include "os/os.h"

enum { MEMORY_BYTES = 256 << 10 };

/* Which number an owner has; owners are compared by the hash of all that they are. */
struct owner_record {
    struct hash128 key;
    uint64_t ordinal;
};

struct volume_record {
    uint64_t volume;
    uint64_t ordinal;
};

struct index_writer {
    const char *spool;
    os_handle file;       /* OS_NO_HANDLE until it is needed */
    bool no_file;         /* there is none to be had */
    uint64_t file_bytes;  /* what was moved from `stored` into it */
    struct buffer stored; /* finished blocks behind those */

    struct buffer block; /* the entries of the one that is being filled */
    struct buffer path;  /* of the last entry in it */
    struct index_block *blocks;
    size_t block_count, block_capacity;
    uint64_t entry_count;
    struct index_base *bases;
    size_t base_count;

    struct table owner_table, volume_table;
    struct index_owner *owners;
    size_t owner_count, owner_capacity;
    struct buffer key; /* of an owner */
    struct first_names first_names;
    struct index_head head; /* once finished */
};

int index_writer_new(const char *spool, struct index_writer **out, struct error *err)
{
    struct index_writer *w = calloc(1, sizeof *w);

    if (!w)
        return error_memory(err);
    w->spool = spool;
    w->file = OS_NO_HANDLE;
    table_init(&w->owner_table, sizeof(struct owner_record), sizeof(struct hash128));
    table_init(&w->volume_table, sizeof(struct volume_record), sizeof(uint64_t));
    first_names_init(&w->first_names);
    *out = w;
    return 0;
}

/* What is owned through a pointer to constant bytes. */
static void free_text(const char *text)
{
    union {
        const char *constant;
        char *owned;
    } pointer = {text};

    free(pointer.owned);
}

static void free_path(struct bytes path)
{
    union {
        const uint8_t *constant;
        uint8_t *owned;
    } pointer = {path.data};

    free(pointer.owned);
}

void index_writer_free(struct index_writer *w)
{
    if (!w)
        return;
    os_close(w->file);
    buffer_release(&w->stored);
    buffer_release(&w->block);
    buffer_release(&w->path);
    buffer_release(&w->key);
    for (size_t i = 0; i < w->block_count; i++)
        free_path(w->blocks[i].first_path);
    free(w->blocks);
    for (size_t i = 0; i < w->owner_count; i++) {
        free_text(w->owners[i].owner_name);
        free_text(w->owners[i].group_name);
    }
    free(w->owners);
    free(w->bases);
    table_release(&w->owner_table);
    table_release(&w->volume_table);
    first_names_release(&w->first_names);
    free(w);
}

/* Room for one more item: the grown list, or NULL. */
static void *grow(void *items, size_t count, size_t *capacity, size_t item_bytes)
{
    if (count < *capacity)
        return items;
    size_t more = *capacity != 0 ? *capacity * 2 : 16;
    void *grown = realloc(items, more * item_bytes);

    if (grown)
        *capacity = more;
    return grown;
}

/* ---- Finished blocks ---- */

/* Moves what is in memory to the file. Without one all stays where it is. */
static int spill(struct index_writer *w, struct error *err)
{
    struct error ignored = {0};
    os_handle folder;

    if (w->file == OS_NO_HANDLE && !w->no_file) {
        w->no_file = w->spool == NULL || os_open_root(w->spool, &folder, &ignored) != 0;
        if (!w->no_file) {
            w->no_file = os_create_unnamed(folder, 0600, &w->file, &ignored) != 0;
            os_close(folder);
        }
        error_release(&ignored);
    }
    if (w->no_file)
        return 0;
    if (os_write(w->file, w->stored.data, w->stored.size, err) != 0)
        return -1;
    w->file_bytes += w->stored.size;
    buffer_clear(&w->stored);
    return 0;
}

static int end_block(struct index_writer *w, struct error *err)
{
    struct index_block *b = &w->blocks[w->block_count - 1];
    struct tail_totals alone = {0}; /* each is decompressed by itself */
    size_t start = w->stored.size;

    if (tail_block_append(&w->stored, TAIL_BLOCK_ENTRIES, buffer_bytes(&w->block), &alone, err))
        return -1;
    struct cursor c = {w->stored.data + start, w->stored.size - start};

    if (tail_block_header(&c, &b->block, err))
        return -1;
    b->entry_count = w->entry_count - b->first_entry;
    buffer_clear(&w->block);
    return w->stored.size >= MEMORY_BYTES ? spill(w, err) : 0;
}

static int begin_block(struct index_writer *w, const struct entry *e, uint64_t stream_offset,
                       struct error *err)
{
    struct index_block *blocks =
        grow(w->blocks, w->block_count, &w->block_capacity, sizeof *blocks);
    uint8_t *path = malloc(e->path.size + 1);

    if (blocks)
        w->blocks = blocks;
    if (!blocks || !path) {
        free(path);
        return error_memory(err);
    }
    memcpy(path, e->path.data, e->path.size);
    w->blocks[w->block_count++] = (struct index_block){.first_entry = w->entry_count,
                                                       .stream_offset = stream_offset,
                                                       .first_path = {path, e->path.size}};
    buffer_clear(&w->path);
    return 0;
}

/* ---- Entries ---- */

static char *copy_text(const char *text)
{
    size_t bytes = strlen(text) + 1;
    char *copy = malloc(bytes);

    if (copy)
        memcpy(copy, text, bytes);
    return copy;
}

static int add_owner(struct index_writer *w, const struct index_owner *o, struct error *err)
{
    struct index_owner *owners =
        grow(w->owners, w->owner_count, &w->owner_capacity, sizeof *owners);

    if (!owners)
        return error_memory(err);
    w->owners = owners;
    struct index_owner *copy = &owners[w->owner_count];

    *copy = *o;
    copy->owner_name = copy_text(o->owner_name);
    copy->group_name = copy_text(o->group_name);
    w->owner_count++;
    return copy->owner_name && copy->group_name ? 0 : error_memory(err);
}

static int find_owner(struct index_writer *w, const struct metadata *meta, uint64_t *ordinal,
                      struct error *err)
{
    struct index_owner o = {.owner = meta->known & METADATA_OWNER ? meta->owner : 0,
                            .group = meta->known & METADATA_GROUP ? meta->group : 0,
                            .owner_name = meta->owner_name ? meta->owner_name : "",
                            .group_name = meta->group_name ? meta->group_name : ""};

    buffer_clear(&w->key);
    if (buffer_append_u64(&w->key, o.owner, err) || buffer_append_u64(&w->key, o.group, err) ||
        buffer_append_string(&w->key, bytes_of(o.owner_name), err) ||
        buffer_append_string(&w->key, bytes_of(o.group_name), err))
        return -1;
    struct hash128 key = hash_bytes(buffer_bytes(&w->key));
    struct owner_record *record = table_find(&w->owner_table, &key);

    if (!record) {
        if (add_owner(w, &o, err))
            return -1;
        record = table_add(&w->owner_table, &key, err);
        if (!record)
            return -1;
        record->ordinal = w->owner_count - 1;
    }
    *ordinal = record->ordinal;
    return 0;
}

/* File systems are told by ordinals: their numbers mean nothing after the next start. */
static int number_volume(struct index_writer *w, struct identity *id, struct error *err)
{
    if (!identity_is_known(id))
        return 0;
    size_t count = w->volume_table.count;
    struct volume_record *record = table_add(&w->volume_table, &id->volume, err);

    if (!record)
        return -1;
    if (w->volume_table.count != count)
        record->ordinal = count;
    id->volume = record->ordinal;
    return 0;
}

static int find_first(struct index_writer *w, const struct entry *e, struct index_item *item,
                      struct error *err)
{
    if (entry_is_further_name(e)) {
        item->is_further = true;
        if (first_names_take(&w->first_names, e, &item->first) == 1)
            return 0;
        return error_set(err, ERROR_USAGE, "write index", "a further name of no file");
    }
    return e->shared ? first_names_add(&w->first_names, e, item->number, err) : 0;
}

static int make_item(struct index_writer *w, const struct entry *e, const struct index_place *place,
                     struct index_item *item, struct error *err)
{
    *item = (struct index_item){.entry = *e,
                                .number = w->entry_count,
                                .is_inexact = place->is_inexact,
                                .header_offset = place->header_offset,
                                .data_offset = place->data_offset,
                                .base = place->base,
                                .extents = place->extents,
                                .extent_count = place->extent_count};
    if (find_first(w, e, item, err))
        return -1;
    if (item->is_further)
        return 0;
    if (find_owner(w, &e->meta, &item->owner, err))
        return -1;
    return number_volume(w, &item->entry.identity, err);
}

int index_add(struct index_writer *w, const struct entry *e, const struct index_place *place,
              struct error *err)
{
    struct index_item item;

    if (make_item(w, e, place, &item, err))
        return -1;
    if (w->block.size == 0 && begin_block(w, e, place->header_offset, err))
        return -1;
    if (index_item_encode(&w->block, buffer_bytes(&w->path), &item, err))
        return -1;
    w->entry_count++;
    if (item.base != 0)
        w->bases[item.base - 1].entry_count++;
    buffer_clear(&w->path);
    if (buffer_append(&w->path, e->path.data, e->path.size, err))
        return -1;
    return w->block.size >= INDEX_BLOCK_BYTES ? end_block(w, err) : 0;
}

int index_writer_set_bases(struct index_writer *w, const struct index_base *bases, size_t count,
                           struct error *err)
{
    w->bases = calloc(count + 1, sizeof *w->bases);
    if (!w->bases)
        return error_memory(err);
    for (size_t i = 0; i < count; i++) {
        w->bases[i] = bases[i];
        w->bases[i].entry_count = 0;
    }
    w->base_count = count;
    return 0;
}

/* ---- The finished index ---- */

int index_writer_finish(struct index_writer *w, struct error *err)
{
    if (w->block.size != 0 && end_block(w, err))
        return -1;
    w->head = (struct index_head){.owners = w->owners,
                                  .owner_count = w->owner_count,
                                  .volume_count = w->volume_table.count,
                                  .entry_count = w->entry_count,
                                  .bases = w->bases,
                                  .base_count = w->base_count,
                                  .blocks = w->blocks,
                                  .block_count = w->block_count};
    return 0;
}

const struct index_head *index_writer_head(const struct index_writer *w)
{
    return &w->head;
}

uint64_t index_writer_stored(const struct index_writer *w)
{
    return w->file_bytes + w->stored.size;
}

int index_writer_read(const struct index_writer *w, uint64_t offset, void *bytes, size_t count,
                      struct error *err)
{
    uint8_t *to = bytes;

    if (offset < w->file_bytes && count != 0) {
        size_t part = w->file_bytes - offset < count ? (size_t)(w->file_bytes - offset) : count;
        size_t got = 0;

        if (os_read_at(w->file, (struct os_range){offset, part}, to, &got, err))
            return -1;
        if (got != part)
            return error_set(err, ERROR_CHANGED, "read", "the temporary file became shorter");
        to += part;
        offset += part;
        count -= part;
    }
    if (count != 0)
        memcpy(to, w->stored.data + (offset - w->file_bytes), count);
    return 0;
}
