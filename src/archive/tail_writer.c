/*
 * tail_writer.c: encodes a tail: its small blocks at once, the index as it is read, the trailer
 * when all before it went out. The counterpart of tail.c and tail_reader.c.
 */
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "archive/tail.h"
#include "archive/tail_format.h"

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
    size_t kinds = TAIL_USUAL_KINDS;

    for (size_t i = kinds; i < TAIL_KIND_COUNT; i++)
        kinds = t->kinds[i] ? TAIL_KIND_COUNT : kinds;
    if (buffer_append_varint(out, (uint64_t)t->container, err) ||
        encode_facts(out, &t->facts, err) || buffer_append_varint(out, t->entries, err) ||
        buffer_append_varint(out, t->file_bytes, err) ||
        buffer_append_varint(out, t->further_names, err) ||
        buffer_append_varint(out, t->raw_bytes, err) ||
        buffer_append_u64(out, t->raw_hash.low, err) ||
        buffer_append_u64(out, t->raw_hash.high, err) || buffer_append_varint(out, kinds, err))
        return -1;
    for (size_t i = 0; i < kinds; i++)
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

static int encode_index(struct buffer *out, const struct tail *t, struct error *err)
{
    return index_head_encode(out, index_writer_head(t->new_index), err);
}

struct block_type {
    uint32_t type;
    int (*encode)(struct buffer *out, const struct tail *t, struct error *err);
};

static const struct block_type block_types[] = {
    {TAIL_BLOCK_SUMMARY, encode_summary},
    {TAIL_BLOCK_FRAMES, encode_frames},
    {TAIL_BLOCK_LOSSES, encode_losses},
    {TAIL_BLOCK_INDEX, encode_index}, /* the last, and only if there is one */
};
enum { BLOCK_COUNT = sizeof block_types / sizeof *block_types };

struct tail_writer {
    struct buffer head;               /* the blocks before those of the index */
    const struct index_writer *index; /* or NULL */
    uint32_t block_count;
    uint64_t at, bytes;     /* what was given out, of all */
    XXH3_state_t *checksum; /* of the blocks that were given out */
    struct buffer trailer;  /* once they all were */
};

static int encode_head(struct tail_writer *w, const struct tail *t, struct error *err)
{
    struct buffer content = {0};
    struct tail_totals totals = {0};
    size_t count = t->new_index ? BLOCK_COUNT : BLOCK_COUNT - 1;
    int result = 0;

    for (size_t i = 0; result == 0 && i < count; i++) {
        buffer_clear(&content);
        result = block_types[i].encode(&content, t, err);
        if (result == 0)
            result = tail_block_append(&w->head, block_types[i].type, buffer_bytes(&content),
                                       &totals, err);
    }
    buffer_release(&content);
    w->block_count = (uint32_t)count;
    w->bytes = w->head.size + TAIL_TRAILER_BYTES;
    if (t->new_index) {
        w->block_count += (uint32_t)index_writer_head(t->new_index)->block_count;
        w->bytes += index_writer_stored(t->new_index);
    }
    return result;
}

int tail_writer_new(const struct tail *t, struct tail_writer **out, struct error *err)
{
    struct tail_writer *w = calloc(1, sizeof *w);

    if (!w)
        return error_memory(err);
    w->index = t->new_index;
    w->checksum = XXH3_createState();
    if (!w->checksum) {
        error_memory(err);
        goto failed;
    }
    XXH3_64bits_reset(w->checksum);
    if (encode_head(w, t, err))
        goto failed;
    *out = w;
    return 0;
failed:
    tail_writer_free(w);
    return -1;
}

void tail_writer_free(struct tail_writer *w)
{
    if (!w)
        return;
    XXH3_freeState(w->checksum);
    buffer_release(&w->head);
    buffer_release(&w->trailer);
    free(w);
}

uint64_t tail_writer_bytes(const struct tail_writer *w)
{
    return w->bytes;
}

static int encode_trailer(struct tail_writer *w, struct error *err)
{
    struct buffer *out = &w->trailer;

    if (buffer_append(out, tail_magic, sizeof tail_magic, err) ||
        buffer_append_u32(out, TAIL_TRAILER_VERSION, err) ||
        buffer_append_u32(out, w->block_count, err) || buffer_append_u64(out, w->bytes, err) ||
        buffer_append_u64(out, XXH3_64bits_digest(w->checksum), err) ||
        buffer_append_u64(out, 0, err))
        return -1;
    return buffer_append_u64(out, XXH3_64bits(out->data, TAIL_CHECKED_TRAILER_BYTES), err);
}

static size_t smaller(uint64_t a, size_t b)
{
    return a < b ? (size_t)a : b;
}

/* The next bytes of one of the three parts, at least one of `count`: how many, or 0 on failure. */
static size_t read_part(struct tail_writer *w, uint8_t *to, size_t count, struct error *err)
{
    uint64_t blocks_end = w->bytes - TAIL_TRAILER_BYTES;
    size_t part;

    if (w->at < w->head.size) {
        part = smaller(w->head.size - w->at, count);
        memcpy(to, w->head.data + w->at, part);
    } else if (w->at < blocks_end) {
        part = smaller(blocks_end - w->at, count);
        if (index_writer_read(w->index, w->at - w->head.size, to, part, err))
            return 0;
    } else {
        part = smaller(w->bytes - w->at, count);
        if (w->trailer.size == 0 && encode_trailer(w, err))
            return 0;
        memcpy(to, w->trailer.data + (w->at - blocks_end), part);
        return part;
    }
    XXH3_64bits_update(w->checksum, to, part);
    return part;
}

int tail_writer_read(struct tail_writer *w, void *bytes, size_t count, struct error *err)
{
    uint8_t *to = bytes;

    if (count > w->bytes - w->at)
        return error_set(err, ERROR_USAGE, "encode tail", "there is no more of it");
    while (count != 0) {
        size_t part = read_part(w, to, count, err);

        if (part == 0)
            return -1;
        w->at += part;
        to += part;
        count -= part;
    }
    return 0;
}

int tail_encode(struct buffer *out, const struct tail *t, struct error *err)
{
    struct tail_writer *w = NULL;
    int result = -1;

    if (tail_writer_new(t, &w, err))
        return -1;
    size_t bytes = (size_t)tail_writer_bytes(w);

    if (buffer_reserve(out, bytes, err) == 0 &&
        tail_writer_read(w, out->data + out->size, bytes, err) == 0) {
        out->size += bytes;
        result = 0;
    }
    tail_writer_free(w);
    return result;
}
