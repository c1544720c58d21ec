/*
 * index_head.c: the head of the index: owners, and where the blocks are.
 */
#include <stdlib.h>
#include <string.h>

#include "archive/index.h"

enum { SMALLEST_OWNER_BYTES = 4, SMALLEST_BASE_BYTES = 18, SMALLEST_BLOCK_BYTES = 13 };

static int damaged(struct error *err, const char *what)
{
    return error_set(err, ERROR_FORMAT, "read index", "the archive's index is damaged: %s", what);
}

/* ---- Encoder ---- */

static int append_owner(struct buffer *out, const struct index_owner *o, struct error *err)
{
    if (buffer_append_varint(out, o->owner, err) || buffer_append_varint(out, o->group, err) ||
        buffer_append_string(out, bytes_of(o->owner_name), err))
        return -1;
    return buffer_append_string(out, bytes_of(o->group_name), err);
}

static int append_block(struct buffer *out, const struct index_block *b, uint64_t stream_gap,
                        struct error *err)
{
    if (buffer_append_varint(out, b->entry_count, err) ||
        buffer_append_varint(out, stream_gap, err) ||
        buffer_append_varint(out, b->block.raw_bytes, err) ||
        buffer_append_varint(out, b->block.stored_bytes, err) ||
        buffer_append_u64(out, b->block.checksum, err))
        return -1;
    return buffer_append_string(out, b->first_path, err);
}

static int append_base(struct buffer *out, const struct index_base *b, struct error *err)
{
    if (buffer_append_u64(out, b->identity.low, err) ||
        buffer_append_u64(out, b->identity.high, err) ||
        buffer_append_varint(out, b->entry_count, err))
        return -1;
    return buffer_append_string(out, bytes_of(b->file_name), err);
}

int index_head_encode(struct buffer *out, const struct index_head *head, struct error *err)
{
    uint64_t stream_offset = 0;

    if (buffer_append_varint(out, head->owner_count, err))
        return -1;
    for (size_t i = 0; i < head->owner_count; i++)
        if (append_owner(out, &head->owners[i], err))
            return -1;
    if (buffer_append_varint(out, head->volume_count, err) ||
        buffer_append_varint(out, head->entry_count, err) ||
        buffer_append_varint(out, head->base_count, err))
        return -1;
    for (size_t i = 0; i < head->base_count; i++)
        if (append_base(out, &head->bases[i], err))
            return -1;
    if (buffer_append_varint(out, head->block_count, err))
        return -1;
    for (size_t i = 0; i < head->block_count; i++) {
        const struct index_block *b = &head->blocks[i];

        if (append_block(out, b, b->stream_offset - stream_offset, err))
            return -1;
        stream_offset = b->stream_offset;
    }
    return 0;
}

/* ---- Decoder ---- */

struct index_head_memory {
    struct index_head head;
    struct index_owner *owners;
    struct index_base *bases;
    struct index_block *blocks;
    struct buffer text; /* what names and paths point into; large enough from the start */
};

/* Takes a count of items of at least `smallest` bytes each. */
static int take_count(struct cursor *c, size_t smallest, size_t *out, struct error *err)
{
    uint64_t count;

    if (cursor_varint(c, &count, err))
        return -1;
    if (count > c->left / smallest)
        return damaged(err, "a count is larger than its block");
    *out = (size_t)count;
    return 0;
}

/* A copy, ended by a NUL. */
static int take_text(struct index_head_memory *m, struct cursor *c, struct bytes *out,
                     struct error *err)
{
    struct bytes text;
    size_t offset = m->text.size;

    if (cursor_string(c, &text, err))
        return -1;
    if (text.size != 0 && memchr(text.data, 0, text.size))
        return damaged(err, "a NUL in a text");
    if (buffer_append(&m->text, text.data, text.size, err) || buffer_append_byte(&m->text, 0, err))
        return -1;
    *out = bytes_make(m->text.data + offset, text.size);
    return 0;
}

static int take_owners(struct index_head_memory *m, struct cursor *c, struct error *err)
{
    size_t count = 0;

    if (take_count(c, SMALLEST_OWNER_BYTES, &count, err))
        return -1;
    m->owners = calloc(count + 1, sizeof *m->owners);
    if (!m->owners)
        return error_memory(err);
    for (size_t i = 0; i < count; i++) {
        struct index_owner *o = &m->owners[i];
        struct bytes owner_name, group_name;

        if (cursor_varint(c, &o->owner, err) || cursor_varint(c, &o->group, err) ||
            take_text(m, c, &owner_name, err) || take_text(m, c, &group_name, err))
            return -1;
        o->owner_name = (const char *)owner_name.data;
        o->group_name = (const char *)group_name.data;
    }
    m->head.owners = m->owners;
    m->head.owner_count = count;
    return 0;
}

/* A file's name in its folder. */
static bool is_sound_name(struct bytes name)
{
    return name.size != 0 && !memchr(name.data, '/', name.size) &&
           !bytes_equal(name, bytes_of(".")) && !bytes_equal(name, bytes_of(".."));
}

static int take_bases(struct index_head_memory *m, struct cursor *c, struct error *err)
{
    size_t count = 0;

    if (take_count(c, SMALLEST_BASE_BYTES, &count, err))
        return -1;
    m->bases = calloc(count + 1, sizeof *m->bases);
    if (!m->bases)
        return error_memory(err);
    for (size_t i = 0; i < count; i++) {
        struct index_base *b = &m->bases[i];
        struct bytes name;

        if (cursor_u64(c, &b->identity.low, err) || cursor_u64(c, &b->identity.high, err) ||
            cursor_varint(c, &b->entry_count, err) || take_text(m, c, &name, err))
            return -1;
        if (!is_sound_name(name))
            return damaged(err, "a base with a name that makes no sense");
        b->file_name = (const char *)name.data;
    }
    m->head.bases = m->bases;
    m->head.base_count = count;
    return 0;
}

/* Adds to *sum; false if that overflows. */
static bool add(uint64_t *sum, uint64_t value)
{
    if (value > UINT64_MAX - *sum)
        return false;
    *sum += value;
    return true;
}

/* Where the next block begins. */
struct places {
    uint64_t tail_offset, entry, stream_offset;
};

static int take_block(struct index_head_memory *m, struct cursor *c, struct places *at,
                      struct index_block *out, struct error *err)
{
    struct tail_block *b = &out->block;
    uint64_t stream_gap;

    if (cursor_varint(c, &out->entry_count, err) || cursor_varint(c, &stream_gap, err) ||
        cursor_varint(c, &b->raw_bytes, err) || cursor_varint(c, &b->stored_bytes, err) ||
        cursor_u64(c, &b->checksum, err) || take_text(m, c, &out->first_path, err))
        return -1;
    b->type = TAIL_BLOCK_ENTRIES;
    b->version = TAIL_BLOCK_VERSION;
    out->tail_offset = at->tail_offset;
    out->first_entry = at->entry;
    if (b->stored_bytes > b->raw_bytes || b->raw_bytes > INDEX_MAX_BLOCK_BYTES ||
        out->entry_count == 0 || out->entry_count > b->raw_bytes ||
        !add(&at->stream_offset, stream_gap) || !add(&at->entry, out->entry_count) ||
        !add(&at->tail_offset, TAIL_BLOCK_HEADER_BYTES + b->stored_bytes))
        return damaged(err, "a block that makes no sense");
    out->stream_offset = at->stream_offset;
    return 0;
}

static int take_blocks(struct index_head_memory *m, struct cursor *c, uint64_t blocks_offset,
                       struct error *err)
{
    struct places at = {.tail_offset = blocks_offset};
    size_t count = 0;

    if (take_count(c, SMALLEST_BLOCK_BYTES, &count, err))
        return -1;
    m->blocks = calloc(count + 1, sizeof *m->blocks);
    if (!m->blocks)
        return error_memory(err);
    for (size_t i = 0; i < count; i++)
        if (take_block(m, c, &at, &m->blocks[i], err))
            return -1;
    if (at.entry != m->head.entry_count)
        return damaged(err, "its blocks do not hold what it counts");
    m->head.blocks = m->blocks;
    m->head.block_count = count;
    return 0;
}

int index_head_decode(struct bytes content, uint64_t blocks_offset, struct index_head_memory **out,
                      struct error *err)
{
    struct cursor c = {content.data, content.size};
    struct index_head_memory *m = calloc(1, sizeof *m);

    if (!m)
        return error_memory(err);
    /* Each text takes as many bytes in the block (its length) as here (its NUL). */
    if (buffer_reserve(&m->text, content.size + 1, err) || take_owners(m, &c, err) ||
        cursor_varint(&c, &m->head.volume_count, err) ||
        cursor_varint(&c, &m->head.entry_count, err) || take_bases(m, &c, err) ||
        take_blocks(m, &c, blocks_offset, err))
        goto failed;
    if (c.left != 0) {
        damaged(err, "bytes behind its head");
        goto failed;
    }
    *out = m;
    return 0;
failed:
    index_head_free(m);
    return -1;
}

struct hash128 index_identity(struct bytes head)
{
    return hash_bytes(head);
}

const struct index_head *index_head_of(const struct index_head_memory *m)
{
    return &m->head;
}

void index_head_free(struct index_head_memory *m)
{
    if (!m)
        return;
    free(m->owners);
    free(m->bases);
    free(m->blocks);
    buffer_release(&m->text);
    free(m);
}
