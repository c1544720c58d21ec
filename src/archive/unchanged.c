#include "archive/unchanged.h"

#include <stdlib.h>
#include <string.h>

#include "archive/file_numbers.h"
#include "archive/index.h"
#include "base/table.h"

/* A file that stands in the older archive before the one that was looked up last costs a block of
 * its index now and a frame of it when it is restored: that is not worth it for many small ones. */
enum { MOST_STEPS_BACK = 1024, SMALL_BYTES = 1 << 20 };

struct unchanged {
    struct source *source;
    const struct entry *entry; /* the one that comes next; NULL before the first and at the end */
    bool ended;
    struct index_base *bases;
    size_t base_count;
    struct table volumes;         /* struct same_volume */
    struct file_numbers *numbers; /* once needed */
    uint64_t last_number;         /* the entry that was looked up last by the number of its file */
    unsigned steps_back;
};

/* ---- File systems ---- */

/* A file system of today and one of the older archive that are the same: devices are numbered anew
 * by each boot. Kept for either side. */
struct same_volume {
    struct volume_key {
        uint64_t is_old; /* else of today */
        uint64_t volume;
    } key;
    uint64_t other;
};

enum agreement { AGREE_UNKNOWN, AGREE_YES, AGREE_NO };

/* Whether an ordinal of the older archive and a device are one file system, as far as files told
 * before. */
static enum agreement compare_volumes(const struct unchanged *u, uint64_t ordinal, uint64_t device)
{
    const struct same_volume *old = table_find(&u->volumes, &(struct volume_key){1, ordinal});
    const struct same_volume *now = table_find(&u->volumes, &(struct volume_key){0, device});

    if (!old && !now)
        return AGREE_UNKNOWN;
    return old && now && old->other == device ? AGREE_YES : AGREE_NO;
}

static int note_volume(struct unchanged *u, struct volume_key key, uint64_t other,
                       struct error *err)
{
    struct same_volume *v = table_add(&u->volumes, &key, err);

    if (!v)
        return -1;
    v->other = other;
    return 0;
}

/* ---- Opening ---- */

/* The older archive itself and its own bases. */
static int take_bases(struct unchanged *u, const char *path, struct error *err)
{
    const struct tail *tail = index_source_tail(u->source);
    const struct index_head *head = tail->index;
    const char *slash = strrchr(path, '/');

    u->bases = calloc(head->base_count + 1, sizeof *u->bases);
    if (!u->bases)
        return error_memory(err);
    u->bases[0].identity = tail->identity;
    u->bases[0].file_name = slash ? slash + 1 : path;
    if (head->base_count != 0)
        memcpy(u->bases + 1, head->bases, head->base_count * sizeof *u->bases);
    u->base_count = head->base_count + 1;
    return 0;
}

int unchanged_open(const char *path, struct unchanged **out, struct error *err)
{
    struct unchanged *u = calloc(1, sizeof *u);
    os_handle handle;
    int found;

    if (!u)
        return error_memory(err);
    table_init(&u->volumes, sizeof(struct same_volume), sizeof(struct volume_key));
    if (os_open_path(path, &handle, err)) {
        err->kind = ERROR_USAGE;
        goto failed;
    }
    found = index_source_open(handle, INDEX_CHECKED_FIRST, &u->source, err);
    if (found != 1)
        os_close(handle);
    if (found == 0)
        (void)error_set(err, ERROR_USAGE, NULL,
                        "'%s' cannot be a base: it is no archive of holdfast, or its index is "
                        "damaged",
                        path);
    if (found != 1 || take_bases(u, path, err))
        goto failed;
    *out = u;
    return 0;
failed:
    unchanged_close(u);
    return -1;
}

void unchanged_close(struct unchanged *u)
{
    if (!u)
        return;
    source_close(u->source);
    file_numbers_free(u->numbers);
    table_release(&u->volumes);
    free(u->bases);
    free(u);
}

struct unchanged_bases unchanged_bases(const struct unchanged *u)
{
    return (struct unchanged_bases){u->bases, u->base_count};
}

/* Goes on to the first entry that is not before the path: 1 if it is the path's, 0, -1. */
static int advance(struct unchanged *u, struct bytes path, struct error *err)
{
    for (;;) {
        int order = u->entry ? path_compare(u->entry->path, path) : -1;

        if (u->ended || order > 0)
            return 0;
        if (order == 0)
            return 1;
        int more = source_next(u->source, &u->entry, err);

        if (more < 0)
            return -1;
        u->ended = more == 0;
    }
}

/* ---- Contents ---- */

/* What the older archive says of a file. */
struct old_file {
    const struct entry *entry;
    struct identity identity; /* `volume` is an ordinal */
    bool has_ctime;
    struct timestamp ctime;
    bool is_inexact;
    struct index_place place;
};

/* True if its content may be the entry's. */
static bool is_candidate(const struct old_file *old, const struct entry *e)
{
    return old->entry->kind == ENTRY_FILE && old->entry->size == e->size &&
           old->entry->has_data_hash && !old->is_inexact;
}

static bool is_same_file(const struct unchanged *u, const struct old_file *old,
                         const struct entry *e)
{
    return identity_is_known(&old->identity) && old->identity.file[0] == e->identity.file[0] &&
           old->identity.file[1] == e->identity.file[1] &&
           timestamp_compare(old->entry->meta.mtime, e->meta.mtime) == 0 &&
           compare_volumes(u, old->identity.volume, e->identity.volume) != AGREE_NO;
}

static bool has_same_ctime(const struct old_file *old, const struct entry *e)
{
    return old->has_ctime && (e->meta.known & METADATA_CTIME) != 0 &&
           timestamp_compare(old->ctime, e->meta.ctime) == 0;
}

static void take_content(const struct old_file *old, struct stored_content *out)
{
    *out = (struct stored_content){
        .size = old->entry->size, .hash = old->entry->data_hash, .place = old->place};
    out->place.base++; /* the older archive's own numbers begin behind it */
}

/* Looks under the entry's own path: 1, 0, -1. */
static int find_by_path(struct unchanged *u, const struct entry *e, struct stored_content *out,
                        struct error *err)
{
    struct index_origin origin;
    int found = advance(u, e->path, err);

    if (found != 1)
        return found;
    index_source_origin(u->source, &origin);
    struct old_file old = {.entry = u->entry,
                           .identity = origin.identity,
                           .has_ctime = origin.has_ctime,
                           .ctime = origin.ctime,
                           .is_inexact = origin.is_inexact,
                           .place = origin.place};

    if (!is_candidate(&old, e))
        return 0;
    take_content(&old, out);
    out->is_same_file = is_same_file(u, &old, e);
    out->is_same_state = out->is_same_file && has_same_ctime(&old, e);
    if (out->is_same_state &&
        (note_volume(u, (struct volume_key){1, origin.identity.volume}, e->identity.volume, err) ||
         note_volume(u, (struct volume_key){0, e->identity.volume}, origin.identity.volume, err)))
        return -1;
    return 1;
}

/* True if the entry of that number may be looked up for a file; counts what it costs. */
static bool is_worth_it(struct unchanged *u, uint64_t number, const struct entry *e)
{
    if (number < u->last_number && e->size < SMALL_BYTES && u->steps_back++ >= MOST_STEPS_BACK)
        return false;
    u->last_number = number;
    return true;
}

/* Looks for the file under any path, by its number: 1, 0, -1. What is found is to be read, whatever
 * its times: of another file system it may be another file. */
static int find_by_number(struct unchanged *u, const struct entry *e, struct stored_content *out,
                          struct error *err)
{
    size_t place = 0;
    uint64_t number;

    if (!identity_is_known(&e->identity))
        return 0;
    if (!u->numbers && file_numbers_new(u->source, FILE_NUMBERS_MOST, &u->numbers, err))
        return -1;
    while (file_numbers_find(u->numbers, e->identity.file, &place, &number) == 1) {
        const struct index_item *item;

        if (!is_worth_it(u, number, e))
            continue;
        if (index_source_item(u->source, number, &item, err))
            return -1;
        struct old_file old = {.entry = &item->entry,
                               .identity = item->entry.identity,
                               .place = {.data_offset = item->data_offset,
                                         .base = item->base,
                                         .extents = item->extents,
                                         .extent_count = item->extent_count}};

        if (!is_candidate(&old, e) || !is_same_file(u, &old, e))
            continue;
        take_content(&old, out);
        out->is_same_file = true;
        return 1;
    }
    return 0;
}

int unchanged_find(struct unchanged *u, const struct entry *e, struct stored_content *out,
                   struct error *err)
{
    int found = find_by_path(u, e, out, err);

    if (found < 0 || (found == 1 && out->is_same_file))
        return found;
    int elsewhere = find_by_number(u, e, out, err);

    return elsewhere != 0 ? elsewhere : found;
}

bool unchanged_is_content(const struct stored_content *content, const struct data *data,
                          struct hash128 hash)
{
    const struct index_place *place = &content->place;

    if (hash.low != content->hash.low || hash.high != content->hash.high ||
        data->size != content->size || data->extent_count != place->extent_count)
        return false;
    for (size_t i = 0; i < data->extent_count; i++) {
        if (data->extents[i].offset != place->extents[i].offset ||
            data->extents[i].length != place->extents[i].length)
            return false;
    }
    return true;
}
