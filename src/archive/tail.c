/*
 * tail.c: decodes the blocks of a tail and its trailer. Promises to read nothing outside the bytes
 * that it got and to allocate no more than those bytes make plausible; tail_reader.c takes them as
 * they come.
 */
#include "archive/tail.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "archive/tail_format.h"

const uint8_t tail_magic[8] = {'H', 'O', 'L', 'D', 'T', 'A', 'I', 'L'};

/* Encoded. */
enum { SMALLEST_FRAME_BYTES = 12, SMALLEST_LOSS_BYTES = 2, SMALLEST_ROOT_BYTES = 4 };

struct tail_memory {
    struct tail tail;
    struct buffer text;   /* the NUL-terminated strings of the summary */
    struct buffer losses; /* the decoded block that the losses point into */
    struct root_fact *roots;
    struct frame *frames;
    struct tail_loss *loss_items;
    struct index_head_memory *index;
};

/* ---- The trailer ---- */

int tail_end_decode(struct bytes bytes, struct tail_end *out, struct error *err)
{
    struct cursor c = {bytes.data, bytes.size};
    struct bytes found;
    uint32_t version;
    uint64_t reserved, own;

    if (bytes.size != TAIL_TRAILER_BYTES || memcmp(bytes.data, tail_magic, sizeof tail_magic) != 0)
        return 0;
    if (cursor_take(&c, sizeof tail_magic, &found, err) || cursor_u32(&c, &version, err) ||
        cursor_u32(&c, &out->block_count, err) || cursor_u64(&c, &out->tail_bytes, err) ||
        cursor_u64(&c, &out->checksum, err) || cursor_u64(&c, &reserved, err) ||
        cursor_u64(&c, &own, err))
        return -1;
    if (own != XXH3_64bits(bytes.data, TAIL_CHECKED_TRAILER_BYTES))
        return tail_damaged(err, "the checksum of its trailer is wrong");
    if (version != TAIL_TRAILER_VERSION)
        return error_set(err, ERROR_UNSUPPORTED, "read tail",
                         "tail of version %u; this program knows 1", (unsigned)version);
    if (out->tail_bytes < TAIL_TRAILER_BYTES || reserved != 0)
        return tail_damaged(err, "its trailer makes no sense");
    return 1;
}

int tail_trailer(struct bytes trailer, uint64_t *tail_bytes, struct error *err)
{
    struct tail_end t = {0};
    int result = tail_end_decode(trailer, &t, err);

    *tail_bytes = t.tail_bytes;
    return result;
}

/* ---- Blocks ---- */

/* A NUL-terminated copy in m->text, which was made large enough before. */
static int take_text(struct tail_memory *m, struct cursor *c, const char **out, struct error *err)
{
    struct bytes text;

    if (cursor_string(c, &text, err))
        return -1;
    if (text.size != 0 && memchr(text.data, 0, text.size))
        return tail_damaged(err, "a NUL in a text");
    size_t offset = m->text.size;
    if (buffer_append(&m->text, text.data, text.size, err) || buffer_append_byte(&m->text, 0, err))
        return -1;
    *out = (const char *)m->text.data + offset;
    return 0;
}

/* Takes a count of items that take at least `smallest` bytes each. */
static int take_count(struct cursor *c, size_t smallest, size_t *count, struct error *err)
{
    uint64_t value;

    if (cursor_varint(c, &value, err))
        return -1;
    if (value > c->left / smallest)
        return tail_damaged(err, "a count is larger than its block");
    *count = (size_t)value;
    return 0;
}

static int decode_roots(struct tail_memory *m, struct cursor *c, struct error *err)
{
    size_t count = 0;

    if (take_count(c, SMALLEST_ROOT_BYTES, &count, err))
        return -1;
    m->roots = calloc(count + 1, sizeof *m->roots);
    if (!m->roots)
        return error_memory(err);
    for (size_t i = 0; i < count; i++) {
        struct root_fact *root = &m->roots[i];
        if (take_text(m, c, &root->name, err) || take_text(m, c, &root->absolute_path, err) ||
            take_text(m, c, &root->file_system, err) || take_text(m, c, &root->volume, err))
            return -1;
    }
    m->tail.facts.roots = m->roots;
    m->tail.facts.root_count = count;
    return 0;
}

static int decode_facts(struct tail_memory *m, struct cursor *c, struct error *err)
{
    struct source_facts *facts = &m->tail.facts;
    uint64_t flags;

    if (cursor_varint(c, &flags, err) || take_text(m, c, &facts->host_system, err))
        return -1;
    facts->ordered = (flags & SUMMARY_ORDERED) != 0;
    facts->names_known = (flags & SUMMARY_NAMES_KNOWN) != 0;
    facts->complete_metadata = (flags & SUMMARY_COMPLETE_METADATA) != 0;
    return decode_roots(m, c, err);
}

static int decode_summary(struct tail_memory *m, struct bytes content, struct error *err)
{
    struct cursor c = {content.data, content.size};
    struct tail *t = &m->tail;
    uint64_t container, kinds;

    /* Each text takes at least as many bytes in the block (its length) as here (its NUL), so that
     * the memory need not move. */
    if (buffer_reserve(&m->text, content.size, err) || cursor_varint(&c, &container, err))
        return -1;
    if (container > CONTAINER_ZSTD)
        return tail_damaged(err, "an unknown container");
    t->container = (enum container)container;
    if (decode_facts(m, &c, err) || cursor_varint(&c, &t->entries, err) ||
        cursor_varint(&c, &t->file_bytes, err) || cursor_varint(&c, &t->further_names, err) ||
        cursor_varint(&c, &t->raw_bytes, err) || cursor_u64(&c, &t->raw_hash.low, err) ||
        cursor_u64(&c, &t->raw_hash.high, err) || cursor_varint(&c, &kinds, err))
        return -1;
    if (kinds < TAIL_USUAL_KINDS || kinds > TAIL_KIND_COUNT)
        return tail_damaged(err, "an unknown number of kinds");
    for (size_t i = 0; i < kinds; i++)
        if (cursor_varint(&c, &t->kinds[i], err))
            return -1;
    return c.left == 0 ? 0 : tail_damaged(err, "bytes behind its summary");
}

/* Places a range behind `end`: offset = end + gap; `end` moves to the range's end. */
static bool place(uint64_t *end, uint64_t gap, uint64_t length, uint64_t *offset)
{
    if (gap > UINT64_MAX - *end || length > UINT64_MAX - *end - gap)
        return false;
    *offset = *end + gap;
    *end = *offset + length;
    return true;
}

static int decode_frames(struct tail_memory *m, struct bytes content, struct error *err)
{
    struct cursor c = {content.data, content.size};
    uint64_t stored_end = 0, raw_end = 0, stored_gap = 0, raw_gap = 0;
    size_t count = 0;

    if (take_count(&c, SMALLEST_FRAME_BYTES, &count, err))
        return -1;
    m->frames = calloc(count + 1, sizeof *m->frames);
    if (!m->frames)
        return error_memory(err);
    for (size_t i = 0; i < count; i++) {
        struct frame *f = &m->frames[i];
        if (cursor_varint(&c, &stored_gap, err) || cursor_varint(&c, &f->stored_bytes, err) ||
            cursor_varint(&c, &raw_gap, err) || cursor_varint(&c, &f->raw_bytes, err) ||
            cursor_u64(&c, &f->checksum, err))
            return -1;
        if (!place(&stored_end, stored_gap, f->stored_bytes, &f->stored_offset) ||
            !place(&raw_end, raw_gap, f->raw_bytes, &f->raw_offset))
            return tail_damaged(err, "a frame ends past every file");
    }
    m->tail.frames = m->frames;
    m->tail.frame_count = count;
    return c.left == 0 ? 0 : tail_damaged(err, "bytes behind its frame table");
}

static int decode_losses(struct tail_memory *m, struct bytes content, struct error *err)
{
    size_t count = 0;

    if (buffer_append(&m->losses, content.data, content.size, err))
        return -1;
    struct cursor c = {m->losses.data, m->losses.size};
    if (take_count(&c, SMALLEST_LOSS_BYTES, &count, err))
        return -1;
    m->loss_items = calloc(count + 1, sizeof *m->loss_items);
    if (!m->loss_items)
        return error_memory(err);
    for (size_t i = 0; i < count; i++)
        if (cursor_string(&c, &m->loss_items[i].path, err) ||
            cursor_string(&c, &m->loss_items[i].reason, err))
            return -1;
    m->tail.losses = m->loss_items;
    m->tail.loss_count = count;
    return c.left == 0 ? 0 : tail_damaged(err, "bytes behind its losses");
}

/* A block of a type that comes once. */
static int once(bool is_there, struct error *err)
{
    return is_there ? tail_damaged(err, "a block that comes twice") : 0;
}

static int decode_index(struct tail_memory *m, struct bytes content, uint64_t end,
                        struct error *err)
{
    if (index_head_decode(content, end, &m->index, err))
        return -1;
    m->tail.index = index_head_of(m->index);
    m->tail.identity = index_identity(content);
    return 0;
}

int tail_memory_add(struct tail_memory *m, uint32_t type, struct bytes content, uint64_t end,
                    struct error *err)
{
    switch (type) {
    case TAIL_BLOCK_SUMMARY:
        return once(m->text.data, err) || decode_summary(m, content, err) ? -1 : 0;
    case TAIL_BLOCK_FRAMES:
        return once(m->frames, err) || decode_frames(m, content, err) ? -1 : 0;
    case TAIL_BLOCK_LOSSES:
        return once(m->loss_items, err) || decode_losses(m, content, err) ? -1 : 0;
    case TAIL_BLOCK_INDEX:
        return once(m->index, err) || decode_index(m, content, end, err) ? -1 : 0;
    default:
        return 0; /* later versions may add some */
    }
}

int tail_memory_check(const struct tail_memory *m, struct error *err)
{
    if (!m->text.data)
        return tail_damaged(err, "it has no summary");
    if (m->index && m->tail.index->entry_count != m->tail.entries)
        return tail_damaged(err, "its index has another number of entries");
    return 0;
}

int tail_memory_new(struct tail_memory **out, struct error *err)
{
    *out = calloc(1, sizeof **out);
    return *out ? 0 : error_memory(err);
}

const struct tail *tail_of(const struct tail_memory *m)
{
    return &m->tail;
}

void tail_free(struct tail_memory *m)
{
    if (!m)
        return;
    buffer_release(&m->text);
    buffer_release(&m->losses);
    free(m->roots);
    free(m->frames);
    free(m->loss_items);
    index_head_free(m->index);
    free(m);
}
