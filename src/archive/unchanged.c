#include "archive/unchanged.h"

#include <stdlib.h>
#include <string.h>

struct unchanged {
    struct source *source;
    const struct entry *entry; /* the one that comes next; NULL before the first and at the end */
    bool ended;
    struct index_base *bases;
    size_t base_count;
};

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

int unchanged_find(struct unchanged *u, const struct entry *e, struct stored_content *out,
                   struct error *err)
{
    struct index_origin origin;
    int found = advance(u, e->path, err);

    if (found != 1)
        return found;
    const struct entry *old = u->entry;

    index_source_origin(u->source, &origin);
    if (old->kind != ENTRY_FILE || old->size != e->size || !old->has_data_hash || origin.is_inexact)
        return 0;
    bool is_same_file = identity_is_known(&origin.identity) &&
                        origin.identity.file[0] == e->identity.file[0] &&
                        origin.identity.file[1] == e->identity.file[1] &&
                        timestamp_compare(old->meta.mtime, e->meta.mtime) == 0;

    *out = (struct stored_content){.size = old->size,
                                   .hash = old->data_hash,
                                   .is_same_file = is_same_file,
                                   .is_same_state =
                                       is_same_file && origin.has_ctime &&
                                       (e->meta.known & METADATA_CTIME) != 0 &&
                                       timestamp_compare(origin.ctime, e->meta.ctime) == 0,
                                   .place = origin.place};
    out->place.base++; /* the older archive's own numbers begin behind it */
    return 1;
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
