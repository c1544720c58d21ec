/*
 * tail.c: encoder and decoder of the tail, side by side. Promises that the decoder reads nothing
 * outside the bytes it got and allocates no more than those bytes make plausible; leaves to others
 * where in the archive the tail stands.
 */
#include "archive/tail.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>
#include <zstd.h>

static const uint8_t magic[8] = {'H', 'O', 'L', 'D', 'T', 'A', 'I', 'L'};

enum {
    TRAILER_VERSION = 1,
    BLOCK_VERSION = 1,
    BLOCK_HEADER_BYTES = 32,
    CHECKED_TRAILER_BYTES = TAIL_TRAILER_BYTES - 8,
    COMPRESSION_LEVEL = 3,
    KIND_COUNT = sizeof((struct tail *)0)->kinds / sizeof(uint64_t),
    SMALLEST_FRAME_BYTES = 12, /* encoded */
    SMALLEST_LOSS_BYTES = 2,
    SMALLEST_ROOT_BYTES = 4,
};

/* Block types carry two letters in their high half, so that the first bytes of a tail can be told
 * from other bytes behind a tar stream. */
#define BLOCK_LETTERS UINT32_C(0x46480000)
#define BLOCK_SUMMARY (BLOCK_LETTERS | 1)
#define BLOCK_FRAMES (BLOCK_LETTERS | 2)
#define BLOCK_LOSSES (BLOCK_LETTERS | 3)

enum summary_flag { SUMMARY_ORDERED = 1, SUMMARY_NAMES_KNOWN = 2, SUMMARY_COMPLETE_METADATA = 4 };

/* How much all blocks together may hold decompressed. The encoder keeps to it, too: a block that
 * would break it is stored as it is. */
static bool is_plausible(uint64_t raw_bytes, uint64_t stored_bytes)
{
    return raw_bytes <= (UINT64_C(64) << 20) || raw_bytes / 256 <= stored_bytes;
}

struct totals {
    uint64_t raw_bytes, stored_bytes;
};

/* ---- Encoder ---- */

static int append_block(struct buffer *out, uint32_t type, struct bytes content,
                        struct totals *totals, struct error *err)
{
    struct bytes stored = content;
    void *compressed = NULL;
    int result = -1;

    size_t capacity = ZSTD_compressBound(content.size);
    compressed = malloc(capacity);
    if (!compressed)
        return error_memory(err);
    size_t size =
        ZSTD_compress(compressed, capacity, content.data, content.size, COMPRESSION_LEVEL);
    if (ZSTD_isError(size)) {
        error_set(err, ERROR_MEMORY, "compress", "%s", ZSTD_getErrorName(size));
        goto out;
    }
    if (size < content.size &&
        is_plausible(totals->raw_bytes + content.size, totals->stored_bytes + size))
        stored = bytes_make(compressed, size);
    totals->raw_bytes += content.size;
    totals->stored_bytes += stored.size;
    if (buffer_append_u32(out, type, err) || buffer_append_u32(out, BLOCK_VERSION, err) ||
        buffer_append_u64(out, content.size, err) || buffer_append_u64(out, stored.size, err) ||
        buffer_append_u64(out, XXH3_64bits(stored.data, stored.size), err) ||
        buffer_append(out, stored.data, stored.size, err))
        goto out;
    result = 0;
out:
    free(compressed);
    return result;
}

static int append_text(struct buffer *out, const char *text, struct error *err)
{
    return buffer_append_string(out, bytes_of(text ? text : ""), err);
}

static int encode_facts(struct buffer *out, const struct source_facts *facts, struct error *err)
{
    uint64_t flags = (facts->ordered ? SUMMARY_ORDERED : 0) |
                     (facts->names_known ? SUMMARY_NAMES_KNOWN : 0) |
                     (facts->complete_metadata ? SUMMARY_COMPLETE_METADATA : 0);
    if (buffer_append_varint(out, flags, err) || append_text(out, facts->host_system, err) ||
        buffer_append_varint(out, facts->root_count, err))
        return -1;
    for (size_t i = 0; i < facts->root_count; i++) {
        const struct root_fact *root = &facts->roots[i];
        if (append_text(out, root->name, err) || append_text(out, root->absolute_path, err) ||
            append_text(out, root->file_system, err) || append_text(out, root->volume, err))
            return -1;
    }
    return 0;
}

static int encode_summary(struct buffer *out, const struct tail *t, struct error *err)
{
    if (buffer_append_varint(out, (uint64_t)t->container, err) ||
        encode_facts(out, &t->facts, err) || buffer_append_varint(out, t->entries, err) ||
        buffer_append_varint(out, t->file_bytes, err) ||
        buffer_append_varint(out, t->further_names, err) ||
        buffer_append_varint(out, t->raw_bytes, err) ||
        buffer_append_u64(out, t->raw_hash.low, err) ||
        buffer_append_u64(out, t->raw_hash.high, err) || buffer_append_varint(out, KIND_COUNT, err))
        return -1;
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (buffer_append_varint(out, t->kinds[i], err))
            return -1;
    return 0;
}

static int encode_frames(struct buffer *out, const struct tail *t, struct error *err)
{
    uint64_t stored_end = 0, raw_end = 0;

    if (buffer_append_varint(out, t->frame_count, err))
        return -1;
    for (size_t i = 0; i < t->frame_count; i++) {
        const struct frame *f = &t->frames[i];
        if (f->stored_offset < stored_end || f->raw_offset < raw_end)
            return error_set(err, ERROR_USAGE, "encode tail", "frames out of order");
        if (buffer_append_varint(out, f->stored_offset - stored_end, err) ||
            buffer_append_varint(out, f->stored_bytes, err) ||
            buffer_append_varint(out, f->raw_offset - raw_end, err) ||
            buffer_append_varint(out, f->raw_bytes, err) ||
            buffer_append_u64(out, f->checksum, err))
            return -1;
        stored_end = f->stored_offset + f->stored_bytes;
        raw_end = f->raw_offset + f->raw_bytes;
    }
    return 0;
}

static int encode_losses(struct buffer *out, const struct tail *t, struct error *err)
{
    if (buffer_append_varint(out, t->loss_count, err))
        return -1;
    for (size_t i = 0; i < t->loss_count; i++)
        if (buffer_append_string(out, t->losses[i].path, err) ||
            buffer_append_string(out, t->losses[i].reason, err))
            return -1;
    return 0;
}

struct block_type {
    uint32_t type;
    int (*encode)(struct buffer *out, const struct tail *t, struct error *err);
};

static const struct block_type block_types[] = {
    {BLOCK_SUMMARY, encode_summary},
    {BLOCK_FRAMES, encode_frames},
    {BLOCK_LOSSES, encode_losses},
};
enum { BLOCK_COUNT = sizeof block_types / sizeof *block_types };

static int append_trailer(struct buffer *out, size_t start, struct error *err)
{
    uint64_t blocks_bytes = out->size - start;
    uint64_t checksum = XXH3_64bits(out->data + start, out->size - start);
    size_t trailer = out->size;

    if (buffer_append(out, magic, sizeof magic, err) ||
        buffer_append_u32(out, TRAILER_VERSION, err) || buffer_append_u32(out, BLOCK_COUNT, err) ||
        buffer_append_u64(out, blocks_bytes + TAIL_TRAILER_BYTES, err) ||
        buffer_append_u64(out, checksum, err) || buffer_append_u64(out, 0, err))
        return -1;
    return buffer_append_u64(out, XXH3_64bits(out->data + trailer, CHECKED_TRAILER_BYTES), err);
}

int tail_encode(struct buffer *out, const struct tail *t, struct error *err)
{
    struct buffer content = {0};
    struct totals totals = {0};
    size_t start = out->size;
    int result = -1;

    for (size_t i = 0; i < BLOCK_COUNT; i++) {
        buffer_clear(&content);
        if (block_types[i].encode(&content, t, err) ||
            append_block(out, block_types[i].type, buffer_bytes(&content), &totals, err))
            goto out;
    }
    result = append_trailer(out, start, err);
out:
    buffer_release(&content);
    return result;
}

/* ---- Decoder ---- */

struct tail_memory {
    struct tail tail;
    struct buffer text;   /* the NUL-terminated strings of the summary */
    struct buffer losses; /* the decoded block that the losses point into */
    struct root_fact *roots;
    struct frame *frames;
    struct tail_loss *loss_items;
};

static int damaged(struct error *err, const char *what)
{
    return error_set(err, ERROR_FORMAT, "read tail", "the archive's tail is damaged: %s", what);
}

bool tail_may_begin(struct bytes bytes)
{
    return bytes.size >= 4 && bytes.data[1] == 0 && bytes.data[2] == 'H' && bytes.data[3] == 'F';
}

struct trailer {
    uint32_t blocks;
    uint64_t tail_bytes;
    uint64_t checksum;
};

static int decode_trailer(struct bytes bytes, struct trailer *out, struct error *err)
{
    struct cursor c = {bytes.data, bytes.size};
    struct bytes found;
    uint32_t version;
    uint64_t reserved, own;

    if (bytes.size != TAIL_TRAILER_BYTES || memcmp(bytes.data, magic, sizeof magic) != 0)
        return 0;
    if (cursor_take(&c, sizeof magic, &found, err) || cursor_u32(&c, &version, err) ||
        cursor_u32(&c, &out->blocks, err) || cursor_u64(&c, &out->tail_bytes, err) ||
        cursor_u64(&c, &out->checksum, err) || cursor_u64(&c, &reserved, err) ||
        cursor_u64(&c, &own, err))
        return -1;
    if (own != XXH3_64bits(bytes.data, CHECKED_TRAILER_BYTES))
        return damaged(err, "the checksum of its trailer is wrong");
    if (version != TRAILER_VERSION)
        return error_set(err, ERROR_UNSUPPORTED, "read tail",
                         "tail of version %u; this program knows 1", (unsigned)version);
    if (out->tail_bytes < TAIL_TRAILER_BYTES || reserved != 0)
        return damaged(err, "its trailer makes no sense");
    return 1;
}

int tail_trailer(struct bytes trailer, uint64_t *tail_bytes, struct error *err)
{
    struct trailer t = {0};
    int result = decode_trailer(trailer, &t, err);

    *tail_bytes = t.tail_bytes;
    return result;
}

/* A NUL-terminated copy in m->text, which was made large enough before. */
static int take_text(struct tail_memory *m, struct cursor *c, const char **out, struct error *err)
{
    struct bytes text;

    if (cursor_string(c, &text, err))
        return -1;
    if (text.size != 0 && memchr(text.data, 0, text.size))
        return damaged(err, "a NUL in a text");
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
        return damaged(err, "a count is larger than its block");
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
        return damaged(err, "an unknown container");
    t->container = (enum container)container;
    if (decode_facts(m, &c, err) || cursor_varint(&c, &t->entries, err) ||
        cursor_varint(&c, &t->file_bytes, err) || cursor_varint(&c, &t->further_names, err) ||
        cursor_varint(&c, &t->raw_bytes, err) || cursor_u64(&c, &t->raw_hash.low, err) ||
        cursor_u64(&c, &t->raw_hash.high, err) || cursor_varint(&c, &kinds, err))
        return -1;
    if (kinds != KIND_COUNT)
        return damaged(err, "an unknown number of kinds");
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (cursor_varint(&c, &t->kinds[i], err))
            return -1;
    return c.left == 0 ? 0 : damaged(err, "bytes behind its summary");
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
            return damaged(err, "a frame ends past every file");
    }
    m->tail.frames = m->frames;
    m->tail.frame_count = count;
    return c.left == 0 ? 0 : damaged(err, "bytes behind its frame table");
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
    return c.left == 0 ? 0 : damaged(err, "bytes behind its losses");
}

struct block {
    uint32_t type, version;
    uint64_t raw_bytes;
    struct bytes stored;
};

static int take_block(struct cursor *c, struct block *out, struct totals *totals, struct error *err)
{
    uint64_t stored_bytes, checksum;

    if (cursor_u32(c, &out->type, err) || cursor_u32(c, &out->version, err) ||
        cursor_u64(c, &out->raw_bytes, err) || cursor_u64(c, &stored_bytes, err) ||
        cursor_u64(c, &checksum, err))
        return -1;
    if (stored_bytes > c->left)
        return damaged(err, "a block is longer than the tail");
    if (cursor_take(c, (size_t)stored_bytes, &out->stored, err))
        return -1;
    if (checksum != XXH3_64bits(out->stored.data, out->stored.size))
        return damaged(err, "a block's checksum is wrong");
    if (stored_bytes > out->raw_bytes || out->raw_bytes > SIZE_MAX - totals->raw_bytes)
        return damaged(err, "a block's length makes no sense");
    totals->raw_bytes += out->raw_bytes;
    totals->stored_bytes += stored_bytes;
    if (!is_plausible(totals->raw_bytes, totals->stored_bytes))
        return error_set(err, ERROR_LIMIT, "read tail", "the archive's tail grows beyond measure");
    return 0;
}

/* Decompresses a block into `memory`; the frame's own word on its size is asked before memory is.
 */
static int decompress_block(const struct block *b, struct buffer *memory, struct error *err)
{
    size_t raw_bytes = (size_t)b->raw_bytes;

    if (ZSTD_getFrameContentSize(b->stored.data, b->stored.size) != b->raw_bytes)
        return damaged(err, "a block's length is wrong");
    buffer_clear(memory);
    if (buffer_reserve(memory, raw_bytes, err))
        return -1;
    size_t got = ZSTD_decompress(memory->data, raw_bytes, b->stored.data, b->stored.size);
    if (ZSTD_isError(got) || got != raw_bytes)
        return damaged(err, "a block cannot be decompressed");
    memory->size = got;
    return 0;
}

static int decode_block(struct tail_memory *m, const struct block *b, struct buffer *memory,
                        struct error *err)
{
    struct bytes content = b->stored;

    if (b->version != BLOCK_VERSION)
        return error_set(err, ERROR_UNSUPPORTED, "read tail",
                         "a block of version %u; this program knows 1", (unsigned)b->version);
    if (b->raw_bytes != b->stored.size) {
        if (decompress_block(b, memory, err))
            return -1;
        content = buffer_bytes(memory);
    }
    switch (b->type) {
    case BLOCK_SUMMARY:
        return m->text.data ? damaged(err, "two summaries") : decode_summary(m, content, err);
    case BLOCK_FRAMES:
        return m->frames ? damaged(err, "two frame tables") : decode_frames(m, content, err);
    default:
        return m->loss_items ? damaged(err, "two lists of losses") : decode_losses(m, content, err);
    }
}

static bool is_known_block(uint32_t type)
{
    for (size_t i = 0; i < BLOCK_COUNT; i++)
        if (block_types[i].type == type)
            return true;
    return false;
}

static int decode_blocks(struct tail_memory *m, struct cursor *c, uint32_t count, struct error *err)
{
    struct buffer memory = {0};
    struct totals totals = {0};
    struct block block;
    int result = -1;

    for (uint32_t i = 0; i < count; i++) {
        if (take_block(c, &block, &totals, err))
            goto out;
        /* Later versions may add blocks of other types. */
        if (is_known_block(block.type) && decode_block(m, &block, &memory, err))
            goto out;
    }
    if (c->left != 0)
        damaged(err, "bytes behind its last block");
    else if (!m->text.data)
        damaged(err, "it has no summary");
    else
        result = 0;
out:
    buffer_release(&memory);
    return result;
}

int tail_decode(struct bytes bytes, struct tail_memory **out, struct error *err)
{
    struct trailer trailer;
    struct tail_memory *m = NULL;

    if (bytes.size < TAIL_TRAILER_BYTES)
        return damaged(err, "it is cut short");
    size_t blocks_bytes = bytes.size - TAIL_TRAILER_BYTES;
    int found =
        decode_trailer(bytes_make(bytes.data + blocks_bytes, TAIL_TRAILER_BYTES), &trailer, err);
    if (found <= 0)
        return found == 0 ? damaged(err, "it has no trailer") : -1;
    if (trailer.tail_bytes != bytes.size)
        return damaged(err, "its length is wrong");
    if (trailer.checksum != XXH3_64bits(bytes.data, blocks_bytes))
        return damaged(err, "its checksum is wrong");
    m = calloc(1, sizeof *m);
    if (!m)
        return error_memory(err);
    struct cursor c = {bytes.data, blocks_bytes};
    if (decode_blocks(m, &c, trailer.blocks, err)) {
        tail_free(m);
        return -1;
    }
    *out = m;
    return 0;
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
    free(m);
}
