/*
 * select.c: a tap stands between the archive and the filter. When the filter asks it for the next
 * entry without having let the last one pass, that one was left out; if it is the first name of
 * several, the tap keeps it aside before it goes on.
 */
#include "archive/select.h"

#include <stdlib.h>
#include <string.h>

#include "base/table.h"

/* A first name that was left out, with all that its further names may need. */
struct kept {
    enum entry_kind kind;
    uint64_t size;
    uint64_t stored_offset; /* of its extents' bytes, in the spool */
    struct extent *extents;
    size_t extent_count;
    struct buffer target;
    struct buffer new_first; /* path of the name that took its place; empty until one did */
    uint32_t device_major, device_minor;
    uint64_t link_count;
    bool has_data_hash;
    struct hash128 data_hash;
    struct metadata meta; /* names of owner and group are not kept */
};

struct kept_record {
    struct hash128 first_name;
    uint64_t index; /* of `kept` */
};

struct select {
    struct source source;
    struct source tap;        /* what the filter reads */
    struct source *inner;     /* the archive, owned by the tap's side */
    struct source *filter;    /* owns nothing but itself: closing it closes the tap */
    const struct entry *last; /* what the tap gave last; NULL if it passed or was kept */
    struct table index;
    struct kept *kept;
    size_t kept_count, kept_capacity;
    bool contents;
    os_handle spool_folder, spool;
    uint64_t spool_bytes;
    struct buffer memory; /* the spool where there is no folder for it */
    struct source_facts tap_facts;
    struct bytes here; /* the path that was given last */
    struct buffer
        skipped; /* the folder whose content the reader of this source does not want, or empty */
    struct entry entry;         /* a further name that became a first one */
    const struct kept *current; /* what `entry` stands for, or NULL */
};

static struct select *select_of(struct source *s)
{
    return (struct select *)s;
}

static struct select *select_of_tap(struct source *s)
{
    return (struct select *)((char *)s - offsetof(struct select, tap));
}

/* ---- The spool ---- */

static int spool_write(struct select *s, const void *bytes, size_t count, struct error *err)
{
    if (s->spool_folder == OS_NO_HANDLE) {
        if (buffer_append(&s->memory, bytes, count, err) != 0)
            return -1;
    } else {
        if (s->spool == OS_NO_HANDLE &&
            os_create_unnamed(s->spool_folder, 0600, &s->spool, err) != 0)
            return -1;
        if (os_write(s->spool, bytes, count, err) != 0)
            return -1;
    }
    s->spool_bytes += count;
    return 0;
}

/* Copies the extents of a content to the spool. */
static int spool_data(struct select *s, struct data *data, struct error *err)
{
    uint8_t *block = malloc(65536);
    int result = block != NULL ? 0 : error_memory(err);

    for (size_t i = 0; result == 0 && i < data->extent_count; i++) {
        struct extent x = data->extents[i];

        while (result == 0 && x.length != 0) {
            size_t wanted = x.length < 65536 ? (size_t)x.length : 65536, got = 0;

            result = data_read(data, x.offset, (struct data_span){block, wanted}, &got, err);
            if (result == 0 && got < wanted)
                result = error_set(err, ERROR_FORMAT, "read archive", "cut short inside a file");
            if (result == 0)
                result = spool_write(s, block, got, err);
            x.offset += got;
            x.length -= got;
        }
    }
    free(block);
    return result;
}

/* A content in the spool. */
struct spooled {
    struct data data;
    const struct select *select;
    uint64_t stored_offset;
};

static int spooled_take(const struct spooled *d, uint64_t at, uint8_t *bytes, size_t count,
                        struct error *err)
{
    const struct select *s = d->select;
    size_t got = 0;

    if (s->spool_folder == OS_NO_HANDLE) {
        memcpy(bytes, s->memory.data + at, count);
        return 0;
    }
    if (os_read_at(s->spool, (struct os_range){at, count}, bytes, &got, err) != 0)
        return -1;
    return got == count ? 0 : error_set(err, ERROR_OS, "read", "what was kept aside is cut short");
}

static int spooled_read(struct data *data, uint64_t offset, struct data_span span, size_t *got,
                        struct error *err)
{
    const struct spooled *d = (const struct spooled *)data;
    uint64_t stored = d->stored_offset;
    uint8_t *out = span.bytes;

    *got = offset >= data->size                  ? 0
           : data->size - offset < span.capacity ? (size_t)(data->size - offset)
                                                 : span.capacity;
    memset(out, 0, *got);
    for (size_t i = 0; i < data->extent_count; i++) {
        const struct extent *x = &data->extents[i];
        uint64_t from = x->offset > offset ? x->offset : offset;
        uint64_t to = x->offset + x->length < offset + *got ? x->offset + x->length : offset + *got;

        if (from < to && spooled_take(d, stored + (from - x->offset), out + (from - offset),
                                      (size_t)(to - from), err) != 0)
            return -1;
        stored += x->length;
    }
    return 0;
}

static void spooled_close(struct data *data)
{
    free(data);
}

static const struct data_ops spooled_ops = {.read = spooled_read, .close = spooled_close};

/* ---- Keeping ---- */

static struct kept *kept_add(struct select *s, struct bytes first_name, struct error *err)
{
    struct hash128 key = hash_bytes(first_name);

    if (s->kept_count == s->kept_capacity) {
        size_t capacity = s->kept_capacity != 0 ? s->kept_capacity * 2 : 16;
        struct kept *grown = realloc(s->kept, capacity * sizeof *grown);

        if (grown == NULL) {
            (void)error_memory(err);
            return NULL;
        }
        s->kept = grown;
        s->kept_capacity = capacity;
    }
    struct kept_record *record = table_add(&s->index, &key, err);

    if (record == NULL)
        return NULL;
    record->index = s->kept_count;
    memset(&s->kept[s->kept_count], 0, sizeof s->kept[0]);
    return &s->kept[s->kept_count++];
}

static int keep_data(struct select *s, struct kept *k, struct error *err)
{
    struct data *data = NULL;
    int result;

    if (k->kind != ENTRY_FILE || k->size == 0 || k->has_data_hash || !s->contents)
        return 0;
    if (source_open_data(s->inner, &data, err) != 0)
        return -1;
    k->stored_offset = s->spool_bytes;
    k->extents = malloc((data->extent_count + 1) * sizeof *k->extents);
    if (k->extents == NULL) {
        result = error_memory(err);
    } else {
        memcpy(k->extents, data->extents, data->extent_count * sizeof *k->extents);
        k->extent_count = data->extent_count;
        result = spool_data(s, data, err);
    }
    data_close(data);
    return result;
}

static int keep(struct select *s, const struct entry *e, struct error *err)
{
    struct kept *k = kept_add(s, e->path, err);

    if (k == NULL)
        return -1;
    k->kind = e->kind;
    k->size = e->size;
    k->device_major = e->device_major;
    k->device_minor = e->device_minor;
    k->link_count = e->link_count;
    k->has_data_hash = e->has_data_hash;
    k->data_hash = e->data_hash;
    k->meta = e->meta;
    k->meta.owner_name = k->meta.group_name = NULL;
    memset(&k->meta.xattrs, 0, sizeof k->meta.xattrs);
    if (pairs_copy(&k->meta.xattrs, &e->meta.xattrs, err) != 0 ||
        buffer_append(&k->target, e->target.data, e->target.size, err) != 0)
        return -1;
    return keep_data(s, k, err);
}

static bool may_be_needed(const struct entry *e)
{
    return e->problem_scope != PROBLEM_ENTRY && e->kind != ENTRY_DIRECTORY &&
           !entry_is_further_name(e) && e->link_count != 1;
}

/* ---- The tap ---- */

static int tap_next(struct source *tap, const struct entry **out, struct error *err)
{
    struct select *s = select_of_tap(tap);
    int more;

    if (s->last != NULL && may_be_needed(s->last) && keep(s, s->last, err) != 0)
        return -1;
    s->last = NULL;
    more = source_next(s->inner, out, err);
    if (more == 1)
        s->last = *out;
    return more;
}

/* Folders that are left out are read all the same: first names may stand below them. The filter
 * leaves their content out by its parents, since it is told that the order cannot be relied on. */
static void tap_skip(struct source *tap)
{
    (void)tap;
}

static int tap_load(struct source *tap, const struct entry **out, struct error *err)
{
    return source_load(select_of_tap(tap)->inner, out, err);
}

static int tap_open_data(struct source *tap, struct data **out, struct error *err)
{
    return source_open_data(select_of_tap(tap)->inner, out, err);
}

static const struct source_facts *tap_facts(struct source *tap)
{
    struct select *s = select_of_tap(tap);

    s->tap_facts = *source_facts(s->inner);
    s->tap_facts.ordered = false;
    return &s->tap_facts;
}

static void tap_close(struct source *tap)
{
    source_close(select_of_tap(tap)->inner);
}

static const struct source_ops tap_ops = {
    .next = tap_next,
    .load = tap_load,
    .skip = tap_skip,
    .open_data = tap_open_data,
    .facts = tap_facts,
    .close = tap_close,
};

/* ---- The wrapper ---- */

/* A further name whose first name was left out: the first such one takes its place, the others
 * become its further names. */
static int stand_in(struct select *s, const struct entry *e, struct kept *k, struct error *err)
{
    s->entry = *e;
    if (k->new_first.size != 0) {
        s->entry.first_name = buffer_bytes(&k->new_first);
        return 0;
    }
    if (buffer_append(&k->new_first, e->path.data, e->path.size, err) != 0)
        return -1;
    s->entry.kind = k->kind;
    s->entry.size = k->size;
    s->entry.target = buffer_bytes(&k->target);
    s->entry.device_major = k->device_major;
    s->entry.device_minor = k->device_minor;
    s->entry.link_count = k->link_count;
    s->entry.has_data_hash = k->has_data_hash;
    s->entry.data_hash = k->data_hash;
    s->entry.first_name = (struct bytes){NULL, 0};
    s->entry.shared = true;
    s->entry.meta = k->meta;
    s->current = k;
    return 0;
}

static int select_next(struct source *source, const struct entry **out, struct error *err)
{
    struct select *s = select_of(source);
    int more;

    s->current = NULL;
    do {
        more = source_next(s->filter, out, err);
    } while (more == 1 && s->skipped.size != 0 &&
             path_is_within((*out)->path, buffer_bytes(&s->skipped)));
    if (more != 1)
        return more;
    s->last = NULL;
    s->here = (*out)->path;
    buffer_clear(&s->skipped);
    if (!entry_is_further_name(*out))
        return 1;
    struct hash128 key = hash_bytes((*out)->first_name);
    const struct kept_record *record = table_find(&s->index, &key);

    if (record == NULL)
        return 1;
    if (stand_in(s, *out, &s->kept[record->index], err) != 0)
        return -1;
    *out = &s->entry;
    return 1;
}

static int select_load(struct source *source, const struct entry **out, struct error *err)
{
    struct select *s = select_of(source);

    if (s->current == NULL)
        return source_load(s->filter, out, err);
    *out = &s->entry;
    return 0;
}

static int select_open_data(struct source *source, struct data **out, struct error *err)
{
    struct select *s = select_of(source);

    if (s->current == NULL)
        return source_open_data(s->filter, out, err);
    struct spooled *d = calloc(1, sizeof *d);

    if (d == NULL)
        return error_memory(err);
    d->data.ops = &spooled_ops;
    d->data.size = s->current->size;
    d->data.extents = s->current->extents;
    d->data.extent_count = s->current->extent_count;
    d->data.os_handle = -1;
    d->select = s;
    d->stored_offset = s->current->stored_offset;
    *out = &d->data;
    return 0;
}

static void select_skip(struct source *source)
{
    struct select *s = select_of(source);
    struct error err = {0};

    if (buffer_append(&s->skipped, s->here.data, s->here.size, &err) != 0)
        buffer_clear(&s->skipped); /* out of memory: the content comes, and is refused one by one */
    error_release(&err);
}

static const struct source_facts *select_facts(struct source *source)
{
    return source_facts(select_of(source)->inner);
}

static void select_free(struct select *s)
{
    for (size_t i = 0; i < s->kept_count; i++) {
        free(s->kept[i].extents);
        buffer_release(&s->kept[i].target);
        buffer_release(&s->kept[i].new_first);
        pairs_release(&s->kept[i].meta.xattrs);
    }
    free(s->kept);
    table_release(&s->index);
    buffer_release(&s->memory);
    buffer_release(&s->skipped);
    if (s->spool != OS_NO_HANDLE)
        os_close(s->spool);
    free(s);
}

static void select_close(struct source *source)
{
    struct select *s = select_of(source);

    source_close(s->filter); /* closes the tap, and that the archive */
    select_free(s);
}

static const struct source_ops select_ops = {
    .next = select_next,
    .load = select_load,
    .skip = select_skip,
    .open_data = select_open_data,
    .facts = select_facts,
    .close = select_close,
};

int select_new(struct source *inner, const struct select_options *options, struct source **out,
               struct error *err)
{
    struct select *s = calloc(1, sizeof *s);

    if (s == NULL)
        return error_memory(err);
    s->source.ops = &select_ops;
    s->tap.ops = &tap_ops;
    s->inner = inner;
    s->spool_folder = options->spool;
    s->contents = options->contents;
    s->spool = OS_NO_HANDLE;
    table_init(&s->index, sizeof(struct kept_record), sizeof(struct hash128));
    if (filter_new(&s->tap, &options->filter, &s->filter, err) != 0) {
        select_free(s);
        return -1;
    }
    *out = &s->source;
    return 0;
}

size_t select_unmatched(const struct source *s, size_t from)
{
    return filter_unmatched(((const struct select *)s)->filter, from);
}
