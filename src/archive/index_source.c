/*
 * index_source.c: blocks of the index, one at a time, to entries. What a first name says is kept,
 * as it is encoded, until all names of its file were seen: its further names have it from there.
 */
#include "archive/index_source.h"

#include <stdlib.h>
#include <string.h>

#include "archive/bases.h"
#include "archive/index_data.h"
#include "archive/input_decoder.h"
#include "archive/names.h"
#include "archive/tar.h"
#include "base/table.h"

/* How many first names are looked up in blocks that were skipped, each at the price of a block,
 * before all those blocks are read after all. */
enum { LOOK_UPS = 8 };

/* A first name whose further names are to come. */
struct kept_name {
    uint64_t number; /* of the entry */
    uint64_t data_offset;
    uint64_t missing; /* names not seen yet; UINT64_MAX if nobody knows */
    uint8_t *body;    /* the encoded entry */
    uint64_t body_bytes;
};

/* One decompressed block and the place in it. */
struct open_block {
    size_t index; /* SIZE_MAX: none */
    struct buffer stored, memory;
    struct index_cursor cursor;
};

struct index_source {
    struct source source;
    struct input_raw raw;
    struct tail_place place;
    struct tail_reader *tail_reader;
    const struct tail *tail;
    const struct index_head *head;
    struct frames *frames;
    struct source_facts facts;
    struct bytes *lost;

    struct open_block here;  /* what the stream is at */
    struct open_block there; /* where a first name was looked up that had been skipped */
    unsigned look_ups;       /* how often; from LOOK_UPS on nothing is skipped any more */
    struct table kept;
    struct index_memory memory; /* of a further name's body */
    struct index_item first;    /* what a further name has from its first one */
    uint8_t *spent;             /* the body of the first name that was forgotten last */
    struct entry entry;         /* what came last */
    struct index_origin origin;
    struct bases *bases;     /* or NULL */
    struct buffer sought;    /* nothing before this path is wanted, or empty */
    struct buffer skipped;   /* the folder whose content is not wanted, or empty */
    struct buffer last_path; /* of the last block */
};

static struct index_source *index_of(struct source *s)
{
    return (struct index_source *)s;
}

static int damaged(struct error *err, const char *what)
{
    return error_set(err, ERROR_FORMAT, "read index", "the archive's index is damaged: %s", what);
}

/* ---- Blocks ---- */

/* Replaces `stored` by the block as it is in the archive. */
static int read_block(struct index_source *s, const struct index_block *b, struct buffer *stored,
                      struct error *err)
{
    struct os_range part = {b->tail_offset + TAIL_BLOCK_HEADER_BYTES,
                            (size_t)b->block.stored_bytes};

    buffer_clear(stored);
    return input_tail_read(&s->raw, &s->place, part, stored, err);
}

static int open_block(struct index_source *s, struct open_block *open, size_t index,
                      struct error *err)
{
    const struct index_block *b = &s->head->blocks[index];
    struct bytes content;

    open->index = SIZE_MAX;
    if (read_block(s, b, &open->stored, err) ||
        tail_block_content(&b->block, buffer_bytes(&open->stored), &open->memory, &content, err))
        return -1;
    index_cursor_begin(&open->cursor, s->head, b, content);
    open->index = index;
    return 0;
}

static void open_block_release(struct open_block *open)
{
    buffer_release(&open->stored);
    buffer_release(&open->memory);
    index_cursor_release(&open->cursor);
}

/* True if the entry is not wanted. */
static bool is_passed_over(const struct index_source *s, struct bytes path)
{
    return (s->skipped.size != 0 && path_is_within(path, buffer_bytes(&s->skipped))) ||
           (s->sought.size != 0 && path_compare(path, buffer_bytes(&s->sought)) < 0);
}

/* True if nothing is wanted from that path on, which stands in the block before `next`, up to that
 * block. */
static bool is_all_passed_over(const struct index_source *s, struct bytes path, size_t next)
{
    struct bytes folder = buffer_bytes(&s->skipped), sought = buffer_bytes(&s->sought);
    struct bytes end;

    if (s->look_ups >= LOOK_UPS || next >= s->head->block_count)
        return false;
    end = s->head->blocks[next].first_path;
    return (folder.size != 0 && path_is_within(path, folder) && path_is_within(end, folder)) ||
           (sought.size != 0 && path_compare(end, sought) <= 0);
}

/* Goes on to the next block that has something that is wanted: 1, 0 at the end, -1. */
static int next_block(struct index_source *s, struct error *err)
{
    size_t index = s->here.index == SIZE_MAX ? 0 : s->here.index + 1;

    if (s->here.index != SIZE_MAX) {
        buffer_clear(&s->last_path);
        if (buffer_append(&s->last_path, s->here.cursor.memory.path.data,
                          s->here.cursor.memory.path.size, err))
            return -1;
    }
    while (index < s->head->block_count &&
           is_all_passed_over(s, s->head->blocks[index].first_path, index + 1))
        index++;
    if (index >= s->head->block_count)
        return 0;
    if (s->last_path.size != 0 &&
        path_compare(buffer_bytes(&s->last_path), s->head->blocks[index].first_path) >= 0)
        return damaged(err, "its blocks are not in order");
    return open_block(s, &s->here, index, err) ? -1 : 1;
}

/* The next item: 1, 0 at the end, -1. */
static int next_item(struct index_source *s, const struct index_item **out, struct error *err)
{
    for (;;) {
        int more = 0;

        if (s->here.index != SIZE_MAX &&
            !is_all_passed_over(s, buffer_bytes(&s->here.cursor.memory.path), s->here.index + 1))
            more = index_cursor_next(&s->here.cursor, out, err);
        if (more != 0)
            return more;
        more = next_block(s, err);
        if (more != 1)
            return more;
    }
}

/* ---- First names ---- */

static int keep(struct index_source *s, const struct index_item *item, struct error *err)
{
    uint64_t links = item->entry.link_count;
    struct kept_name *k;

    if (item->is_further || !item->entry.shared || links == 1)
        return 0;
    k = table_add(&s->kept, &item->number, err);
    if (!k)
        return -1;
    if (k->body)
        return 0;
    k->body = malloc(item->body.size);
    if (!k->body) {
        table_remove(&s->kept, &item->number);
        return error_memory(err);
    }
    memcpy(k->body, item->body.data, item->body.size);
    k->body_bytes = item->body.size;
    k->data_offset = item->data_offset;
    k->missing = links != 0 ? links - 1 : UINT64_MAX;
    return 0;
}

/* The block that holds an entry. */
static size_t block_of(const struct index_head *head, uint64_t number)
{
    size_t low = 0, high = head->block_count;

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (head->blocks[middle].first_entry <= number)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* Looks up an entry by its number. Those that are wanted stand one after the other as a rule, so
 * that the place in the block stays. */
static int look_up(struct index_source *s, uint64_t number, const struct index_item **out,
                   struct error *err)
{
    struct open_block *there = &s->there;
    size_t index = block_of(s->head, number);
    const struct index_item *item = &there->cursor.item;
    bool is_behind = there->index == index && there->cursor.taken != 0 && item->number <= number;

    if (!is_behind && open_block(s, there, index, err))
        return -1;
    while (there->cursor.taken == 0 || item->number != number) {
        int more = index_cursor_next(&there->cursor, &item, err);

        if (more <= 0)
            return more < 0 ? -1 : damaged(err, "an entry is not where it says");
    }
    *out = item;
    return 0;
}

/* Looks up a first name that was not kept, because it stands in a folder that was skipped. */
static int look_up_first(struct index_source *s, uint64_t number, struct error *err)
{
    const struct index_item *item;

    if (look_up(s, number, &item, err))
        return -1;
    if (item->is_further)
        return damaged(err, "a further name of a further name");
    s->first = *item;
    return 0;
}

/* Keeps the first names of all blocks so far, of which some were skipped. */
static int catch_up(struct index_source *s, struct error *err)
{
    const struct index_item *item;
    int more = 0;

    for (size_t i = 0; more == 0 && i <= s->here.index; i++) {
        if (open_block(s, &s->there, i, err))
            return -1;
        while ((more = index_cursor_next(&s->there.cursor, &item, err)) == 1) {
            if (item->number >= s->here.cursor.item.number)
                return 0;
            if (keep(s, item, err))
                return -1;
        }
    }
    return more;
}

/* Makes s->first what the item's first name says. */
static int find_first(struct index_source *s, const struct index_item *item, struct error *err)
{
    struct kept_name *k = table_find(&s->kept, &item->first);

    if (!k && s->look_ups < LOOK_UPS && ++s->look_ups == LOOK_UPS) {
        if (catch_up(s, err))
            return -1;
        k = table_find(&s->kept, &item->first);
    }
    if (!k)
        return look_up_first(s, item->first, err);
    s->first.data_offset = k->data_offset;
    if (index_body_decode(s->head, bytes_make(k->body, (size_t)k->body_bytes), &s->memory,
                          &s->first, err))
        return -1;
    if (k->missing != UINT64_MAX && --k->missing == 0) {
        free(s->spent);
        s->spent = k->body; /* s->first points into it */
        table_remove(&s->kept, &item->first);
    }
    return 0;
}

/* ---- Entries ---- */

/* Makes s->entry of an item: its own or, of a further name, its first one's. */
static int make_entry(struct index_source *s, const struct index_item *item, struct error *err)
{
    const struct index_item *of = item;
    struct entry *e = &s->entry;

    if (item->is_further) {
        if (find_first(s, item, err))
            return -1;
        of = &s->first;
        if (of->entry.kind != item->entry.kind)
            return damaged(err, "names of one file that are of two kinds");
    } else if (keep(s, item, err)) {
        return -1;
    }
    *e = of->entry;
    e->path = item->entry.path;
    e->name_offset = item->entry.name_offset;
    e->depth = item->entry.depth;
    e->shared = item->is_further || of->entry.shared;
    e->identity = (struct identity){.volume = 1};
    e->identity.file[0] = (item->is_further ? item->first : item->number) + 1;
    /* A tar header has no change time, and contents are not to be taken as equal because of it. */
    e->meta.known &= ~(uint32_t)METADATA_CTIME;
    s->origin = (struct index_origin){.identity = of->entry.identity,
                                      .has_ctime = (of->entry.meta.known & METADATA_CTIME) != 0,
                                      .ctime = of->entry.meta.ctime,
                                      .is_inexact = of->is_inexact,
                                      .is_further_name = item->is_further,
                                      .in_stream = index_item_is_in_stream(item),
                                      .place = {.data_offset = of->data_offset,
                                                .base = of->base,
                                                .extents = of->extents,
                                                .extent_count = of->extent_count}};
    return 0;
}

static int index_next(struct source *source, const struct entry **out, struct error *err)
{
    struct index_source *s = index_of(source);
    const struct index_item *item;
    int more;

    while ((more = next_item(s, &item, err)) == 1) {
        if (!is_passed_over(s, item->entry.path))
            break;
        if (keep(s, item, err))
            return -1;
    }
    if (more != 1)
        return more;
    buffer_clear(&s->skipped);
    buffer_clear(&s->sought);
    if (make_entry(s, item, err))
        return -1;
    *out = &s->entry;
    return 1;
}

static int index_load(struct source *source, const struct entry **out, struct error *err)
{
    (void)err;
    *out = &index_of(source)->entry;
    return 0;
}

static void index_skip(struct source *source)
{
    struct index_source *s = index_of(source);
    struct error err = {0};

    buffer_clear(&s->skipped);
    if (buffer_append(&s->skipped, s->entry.path.data, s->entry.path.size, &err) != 0)
        buffer_clear(&s->skipped); /* out of memory: the content comes, and is refused one by one */
    error_release(&err);
}

static void index_seek(struct source *source, struct bytes path)
{
    struct index_source *s = index_of(source);
    struct error err = {0};

    buffer_clear(&s->sought);
    if (buffer_append(&s->sought, path.data, path.size, &err) != 0)
        buffer_clear(&s->sought); /* out of memory: what lies before comes, too */
    error_release(&err);
}

static int index_open_data(struct source *source, struct data **out, struct error *err)
{
    struct index_source *s = index_of(source);
    const struct index_place *place = &s->origin.place;
    struct frames *frames = s->frames;

    if (place->base != 0) {
        frames = s->bases ? bases_frames(s->bases, place->base - 1) : NULL;
        if (!frames)
            return error_set(err, ERROR_USAGE, "open",
                             "its content is in the archive '%s', which is not at hand",
                             s->head->bases[place->base - 1].file_name);
    }
    return index_data_open(frames, &s->entry, place, out, err);
}

static const struct source_facts *index_facts(struct source *source)
{
    return &index_of(source)->facts;
}

/* ---- Opening ---- */

static void index_free(struct index_source *s)
{
    struct kept_name *k;
    size_t place = 0;

    while ((k = table_next(&s->kept, &place)) != NULL)
        free(k->body);
    table_release(&s->kept);
    open_block_release(&s->here);
    open_block_release(&s->there);
    index_memory_release(&s->memory);
    frames_free(s->frames);
    bases_close(s->bases);
    tail_reader_free(s->tail_reader);
    input_raw_release(&s->raw);
    buffer_release(&s->sought);
    buffer_release(&s->skipped);
    buffer_release(&s->last_path);
    free(s->lost);
    free(s->spent);
    free(s);
}

static void index_close(struct source *source)
{
    struct index_source *s = index_of(source);
    os_handle handle = s->raw.handle;

    index_free(s);
    os_close(handle);
}

static const struct source_ops index_ops = {
    .next = index_next,
    .load = index_load,
    .skip = index_skip,
    .seek = index_seek,
    .open_data = index_open_data,
    .facts = index_facts,
    .close = index_close,
};

/* How the archive is stored, by its first bytes: 1, 0 if it is in none of our containers, -1. */
static int find_container(struct index_source *s, enum container *out, struct error *err)
{
    uint8_t bytes[TAR_BLOCK_BYTES];
    struct bytes head = bytes_make(bytes, 0);

    if (!s->raw.can_seek)
        return 0;
    if (os_read_at(s->raw.handle, (struct os_range){0, sizeof bytes}, bytes, &head.size, err))
        return -1;
    *out = input_zstd_begins(head)   ? CONTAINER_ZSTD
           : input_gzip_begins(head) ? CONTAINER_GZIP
                                     : CONTAINER_PLAIN;
    return 1;
}

/* Reads the head of the tail that such a container has: 1, 0 if there is no index that belongs to
 * it, -1. */
static int read_head_in(struct index_source *s, enum container container, struct error *err)
{
    int found = input_tail_find(&s->raw, container, &s->place, err);

    if (found != 1)
        return found;
    tail_reader_free(s->tail_reader);
    if (tail_reader_new(&s->tail_reader, err) ||
        input_tail_head(&s->raw, &s->place, s->tail_reader, err))
        return -1;
    s->tail = tail_reader_tail(s->tail_reader);
    s->head = s->tail->index;
    if (!s->head || s->tail->container != container || !s->tail->facts.ordered)
        return 0;
    return names_check_roots(&s->tail->facts, err) ? -1 : 1;
}

/* Finds the tail. The first bytes may be damaged and say another container, or none. */
static int read_head(struct index_source *s, struct error *err)
{
    struct error first = {0};
    enum container container;
    int found = find_container(s, &container, err);

    if (found != 1)
        return found;
    found = read_head_in(s, container, &first);
    for (int i = CONTAINER_PLAIN; found != 1 && i <= CONTAINER_ZSTD; i++) {
        struct error ignored = {0};

        if (i != (int)container && read_head_in(s, (enum container)i, &ignored) == 1)
            found = 1;
        error_release(&ignored);
    }
    if (found < 0)
        error_move(err, &first);
    error_release(&first);
    return found;
}

static int take_facts(struct index_source *s, struct error *err)
{
    const struct tail *t = s->tail;

    s->facts = t->facts;
    s->facts.sequential = false;
    s->facts.names_known = true;
    s->lost = calloc(t->loss_count + 1, sizeof *s->lost);
    if (!s->lost)
        return error_memory(err);
    for (size_t i = 0; i < t->loss_count; i++)
        s->lost[i] = t->losses[i].path;
    s->facts.lost = s->lost;
    s->facts.lost_count = t->loss_count;
    return 0;
}

/* Looks at all blocks. */
static int check_blocks(struct index_source *s, struct error *err)
{
    struct buffer *stored = &s->there.stored;

    for (size_t i = 0; i < s->head->block_count; i++) {
        const struct index_block *b = &s->head->blocks[i];

        if (read_block(s, b, stored, err) || tail_block_check(&b->block, buffer_bytes(stored), err))
            return -1;
    }
    return 0;
}

int index_source_open(os_handle handle, enum index_trust trust, struct source **out,
                      struct error *err)
{
    struct index_source *s = calloc(1, sizeof *s);
    struct error failure = {0};
    int result = -1;

    if (!s)
        return error_memory(err);
    s->source.ops = &index_ops;
    s->here.index = s->there.index = SIZE_MAX;
    table_init(&s->kept, sizeof(struct kept_name), sizeof(uint64_t));
    if (input_raw_init(&s->raw, handle, &failure) == 0)
        result = read_head(s, &failure);
    if (result == 1 &&
        (take_facts(s, &failure) || frames_new(handle, s->tail, &s->frames, &failure) ||
         (trust == INDEX_CHECKED_FIRST && check_blocks(s, &failure))))
        result = -1;
    if (result == 1) {
        *out = &s->source;
        return 1;
    }
    index_free(s);
    if (result < 0 && failure.kind == ERROR_MEMORY)
        error_move(err, &failure);
    else
        result = 0;
    error_release(&failure);
    return result;
}

void index_source_origin(const struct source *s, struct index_origin *out)
{
    *out = ((const struct index_source *)s)->origin;
}

int index_source_item(struct source *s, uint64_t number, const struct index_item **out,
                      struct error *err)
{
    return look_up(index_of(s), number, out, err);
}

void index_source_set_bases(struct source *s, struct bases *bases)
{
    index_of(s)->bases = bases;
}

struct frames *index_source_frames(const struct source *s)
{
    return ((const struct index_source *)s)->frames;
}

const struct tail *index_source_tail(const struct source *s)
{
    return ((const struct index_source *)s)->tail;
}
