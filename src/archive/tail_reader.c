/*
 * tail_reader.c: a tail as it passes by, a piece at a time. Memory: one block, and what the small
 * blocks say.
 */
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "archive/index_sum.h"
#include "archive/tail.h"
#include "archive/tail_format.h"

/* What the next bytes are. */
enum reader_state { IN_HEADER, IN_CONTENT, AT_END, IS_DAMAGED };

struct tail_reader {
    enum reader_state state;
    struct buffer pending; /* bytes of the header, content or trailer that is coming */
    struct tail_block block;
    uint64_t bytes; /* of the tail so far, all whole blocks */
    uint32_t block_count;
    size_t index_count; /* of its blocks */
    struct tail_totals totals;
    XXH3_state_t *checksum; /* of all blocks */
    struct buffer memory;   /* a decompressed block */
    struct tail_memory *tail;
    struct index_sum sum;
    struct index_cursor cursor;
    struct buffer last_path; /* of the index */
    struct error damage;
};

int tail_reader_new(struct tail_reader **out, struct error *err)
{
    struct tail_reader *r = calloc(1, sizeof *r);

    if (!r)
        return error_memory(err);
    r->checksum = XXH3_createState();
    if (!r->checksum || index_sum_init(&r->sum, err)) {
        tail_reader_free(r);
        return error_memory(err);
    }
    XXH3_64bits_reset(r->checksum);
    *out = r;
    return 0;
}

void tail_reader_free(struct tail_reader *r)
{
    if (!r)
        return;
    tail_free(r->tail);
    XXH3_freeState(r->checksum);
    buffer_release(&r->pending);
    buffer_release(&r->memory);
    buffer_release(&r->last_path);
    index_sum_release(&r->sum);
    index_cursor_release(&r->cursor);
    error_release(&r->damage);
    free(r);
}

void tail_reader_clear(struct tail_reader *r)
{
    tail_free(r->tail);
    r->tail = NULL;
    r->state = IN_HEADER;
    buffer_clear(&r->pending);
    buffer_clear(&r->last_path);
    r->bytes = 0;
    r->block_count = 0;
    r->index_count = 0;
    r->totals = (struct tail_totals){0};
    XXH3_64bits_reset(r->checksum);
    index_sum_clear(&r->sum);
    error_release(&r->damage);
}

/* ---- Blocks ---- */

/* Sums up a block of the index. */
static int sum_entries(struct tail_reader *r, const struct index_block *b, struct bytes content,
                       struct error *err)
{
    const struct index_item *item;
    int more;

    if (r->last_path.size != 0 && path_compare(buffer_bytes(&r->last_path), b->first_path) >= 0)
        return tail_damaged(err, "the blocks of its index are not in order");
    r->sum.is_partial = tail_of(r->tail)->index->base_count != 0;
    index_cursor_begin(&r->cursor, tail_of(r->tail)->index, b, content);
    while ((more = index_cursor_next(&r->cursor, &item, err)) == 1) {
        if (!index_item_is_in_stream(item))
            continue;
        if (index_sum_add(&r->sum, item, err))
            return -1;
        if (item->entry.has_data_hash)
            index_sum_content(&r->sum, item->entry.data_hash);
    }
    if (more < 0)
        return -1;
    buffer_clear(&r->last_path);
    return buffer_append(&r->last_path, r->cursor.memory.path.data, r->cursor.memory.path.size,
                         err);
}

/* A block of the index is the one that its head tells of. */
static int take_entries(struct tail_reader *r, struct error *err)
{
    const struct index_head *head = tail_of(r->tail)->index;
    struct bytes content;

    if (!head || r->index_count == head->block_count)
        return tail_damaged(err, "entries that its index does not know");
    const struct index_block *b = &head->blocks[r->index_count];

    if (b->tail_offset != r->bytes || b->block.checksum != r->block.checksum ||
        b->block.raw_bytes != r->block.raw_bytes)
        return tail_damaged(err, "entries that are not those of its index");
    r->index_count++;
    if (tail_block_content(&r->block, buffer_bytes(&r->pending), &r->memory, &content, err))
        return -1;
    return sum_entries(r, b, content, err);
}

static int take_block(struct tail_reader *r, struct error *err)
{
    uint64_t end = r->bytes + TAIL_BLOCK_HEADER_BYTES + r->block.stored_bytes;
    struct bytes content;

    XXH3_64bits_update(r->checksum, r->pending.data, r->pending.size);
    if (r->block.type == TAIL_BLOCK_ENTRIES) {
        if (take_entries(r, err))
            return -1;
    } else if (r->block.type >= TAIL_BLOCK_SUMMARY && r->block.type <= TAIL_BLOCK_INDEX) {
        if (tail_block_content(&r->block, buffer_bytes(&r->pending), &r->memory, &content, err) ||
            tail_memory_add(r->tail, r->block.type, content, end, err))
            return -1;
    } else if (tail_block_check(&r->block, buffer_bytes(&r->pending), err)) {
        return -1;
    }
    r->bytes = end;
    r->state = IN_HEADER;
    return 0;
}

static int check_version(const struct tail_block *b, struct error *err)
{
    if (b->type < TAIL_BLOCK_SUMMARY || b->type > TAIL_BLOCK_ENTRIES ||
        b->version == TAIL_BLOCK_VERSION)
        return 0;
    return error_set(err, ERROR_UNSUPPORTED, "read tail",
                     "a block of version %u; this program knows 1", (unsigned)b->version);
}

static int take_header(struct tail_reader *r, struct error *err)
{
    struct cursor c = {r->pending.data, r->pending.size};

    XXH3_64bits_update(r->checksum, r->pending.data, r->pending.size);
    if (tail_block_header(&c, &r->block, err) || check_version(&r->block, err))
        return -1;
    if (r->block.type == TAIL_BLOCK_ENTRIES) {
        if (r->block.raw_bytes > INDEX_MAX_BLOCK_BYTES)
            return tail_damaged(err, "a block of its index is too large");
    } else {
        r->totals.raw_bytes += r->block.raw_bytes;
        r->totals.stored_bytes += r->block.stored_bytes;
        if (!tail_totals_plausible(&r->totals))
            return error_set(err, ERROR_LIMIT, "read tail",
                             "the archive's tail grows beyond measure");
    }
    r->block_count++;
    r->state = IN_CONTENT;
    return 0;
}

static int take_trailer(struct tail_reader *r, struct error *err)
{
    const struct index_head *head = tail_of(r->tail)->index;
    struct tail_end end = {0};

    int found = tail_end_decode(buffer_bytes(&r->pending), &end, err);
    if (found <= 0)
        return found == 0 ? tail_damaged(err, "it has no trailer") : -1;
    r->bytes += TAIL_TRAILER_BYTES;
    if (end.tail_bytes != r->bytes)
        return tail_damaged(err, "its length is wrong");
    if (end.checksum != XXH3_64bits_digest(r->checksum))
        return tail_damaged(err, "its checksum is wrong");
    if (end.block_count != r->block_count)
        return tail_damaged(err, "it has another number of blocks");
    if (head && r->index_count != head->block_count)
        return tail_damaged(err, "its index is not whole");
    r->state = AT_END;
    return tail_memory_check(r->tail, err);
}

/* ---- Pieces ---- */

static bool is_trailer(const struct tail_reader *r)
{
    return r->pending.size >= 4 && memcmp(r->pending.data, tail_magic, 4) == 0;
}

/* How many bytes `pending` must have before it can be taken. */
static size_t wanted_bytes(const struct tail_reader *r)
{
    if (r->state == IN_CONTENT)
        return (size_t)r->block.stored_bytes;
    if (r->pending.size < 4)
        return 4;
    return is_trailer(r) ? TAIL_TRAILER_BYTES : TAIL_BLOCK_HEADER_BYTES;
}

/* Takes `pending`, which is as long as was wanted. */
static int take_pending(struct tail_reader *r, struct error *err)
{
    int result;

    if (r->state == IN_CONTENT)
        result = take_block(r, err);
    else if (is_trailer(r))
        result = take_trailer(r, err);
    else
        result = take_header(r, err);
    buffer_clear(&r->pending);
    return result;
}

/* Takes what is wanted of the piece, or as much as it has. */
static int take_part(struct tail_reader *r, struct bytes *piece, struct error *err)
{
    size_t wanted = wanted_bytes(r) - r->pending.size;
    size_t part = wanted < piece->size ? wanted : piece->size;

    if (buffer_append(&r->pending, piece->data, part, err))
        return -1;
    *piece = bytes_make(piece->data + part, piece->size - part);
    /* A block of no bytes is taken as soon as its header was. */
    while (r->state != AT_END && wanted_bytes(r) == r->pending.size) {
        if (take_pending(r, err))
            return -1;
    }
    return 0;
}

int tail_reader_feed(struct tail_reader *r, struct bytes piece, struct error *err)
{
    struct error failure = {0};
    int result = 0;

    while (result == 0 && piece.size != 0 && r->state != IS_DAMAGED) {
        if (r->state == AT_END)
            tail_reader_clear(r);
        if (!r->tail)
            result = tail_memory_new(&r->tail, &failure);
        if (result == 0)
            result = take_part(r, &piece, &failure);
    }
    if (result != 0 && failure.kind == ERROR_MEMORY) {
        error_move(err, &failure);
        return -1;
    }
    if (result != 0) {
        r->state = IS_DAMAGED;
        error_move(&r->damage, &failure);
    }
    return 0;
}

bool tail_reader_has_head(const struct tail_reader *r)
{
    return r->state == AT_END ||
           (r->state == IN_CONTENT && r->block.type == TAIL_BLOCK_ENTRIES && r->tail);
}

int tail_reader_end(const struct tail_reader *r, struct error *err)
{
    if (!r->tail)
        return 0;
    if (r->state == IS_DAMAGED)
        return error_set(err, r->damage.kind, r->damage.operation, "%s", r->damage.detail);
    return r->state == AT_END ? 1 : tail_damaged(err, "it is cut short");
}

const struct tail *tail_reader_tail(const struct tail_reader *r)
{
    return tail_of(r->tail);
}

uint64_t tail_reader_bytes(const struct tail_reader *r)
{
    return r->bytes;
}

const struct index_sum *tail_reader_sum(const struct tail_reader *r)
{
    return &r->sum;
}

int tail_decode(struct bytes bytes, struct tail_memory **out, struct error *err)
{
    struct tail_reader *r = NULL;
    int result = -1;

    if (tail_reader_new(&r, err))
        return -1;
    if (tail_reader_feed(r, bytes, err) == 0) {
        int found = tail_reader_end(r, err);

        if (found == 0)
            tail_damaged(err, "it is cut short");
        if (found == 1 && r->bytes != bytes.size)
            tail_damaged(err, "its length is wrong");
        else if (found == 1)
            result = 0;
    }
    if (result == 0) {
        *out = r->tail;
        r->tail = NULL;
    }
    tail_reader_free(r);
    return result;
}
