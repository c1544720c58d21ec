#include "archive/bases.h"

#include <stdlib.h>
#include <string.h>

struct bases {
    size_t count;
    struct source *sources[]; /* an index each, or NULL */
};

/* Opens an archive of ours: 1, 0 if there is none at that place or it has no sound index, -1. */
static int open_index(const char *path, struct source **out, struct error *err)
{
    struct error ignored = {0};
    os_handle handle;
    int found;

    if (os_open_path(path, &handle, &ignored)) {
        error_release(&ignored);
        return 0;
    }
    found = index_source_open(handle, INDEX_CHECKED_AS_READ, out, err);
    if (found != 1)
        os_close(handle);
    return found;
}

/* The path of a file beside another one. */
static int path_beside(struct buffer *out, const char *archive, const char *name, struct error *err)
{
    const char *slash = strrchr(archive, '/');

    buffer_clear(out);
    if (slash && buffer_append(out, archive, (size_t)(slash + 1 - archive), err))
        return -1;
    if (buffer_append(out, name, strlen(name), err))
        return -1;
    return buffer_terminate(out, err);
}

/* How the search for one base goes. */
struct search {
    const struct index_base *base;
    bool met_another; /* an archive that has its name and is another one */
    struct source *found;
};

/* Looks at one place: 0, or -1 without memory. */
static int look_at(struct search *s, const char *path, struct error *err)
{
    struct source *source = NULL;
    int found = open_index(path, &source, err);

    if (found != 1)
        return found;
    struct hash128 identity = index_source_tail(source)->identity;

    if (identity.low == s->base->identity.low && identity.high == s->base->identity.high) {
        s->found = source;
        return 0;
    }
    const char *slash = strrchr(path, '/');

    if (strcmp(slash ? slash + 1 : path, s->base->file_name) == 0)
        s->met_another = true;
    source_close(source);
    return 0;
}

/* Looks for one base: 1, 0 it is not there, -1 without memory. */
static int find_base(struct search *s, const struct bases_places *places, struct error *err)
{
    struct buffer path = {0};
    int result = path_beside(&path, places->archive, s->base->file_name, err);

    if (result == 0)
        result = look_at(s, (const char *)path.data, err);
    for (size_t i = 0; result == 0 && !s->found && i < places->path_count; i++)
        result = look_at(s, places->paths[i], err);
    buffer_release(&path);
    return result ? -1 : s->found != NULL;
}

static void tell_missing(struct watcher *watcher, const struct search *s)
{
    struct error missing = {0};

    if (s->met_another)
        (void)error_set(&missing, ERROR_USAGE, NULL,
                        "is another archive than the base that was used, or its index is damaged: "
                        "give the right one with --base FILE");
    else
        (void)error_set(&missing, ERROR_USAGE, NULL,
                        "this base (identity %016llx%016llx) is not beside the archive, or is "
                        "damaged: put it there, or give it with --base FILE",
                        (unsigned long long)s->base->identity.high,
                        (unsigned long long)s->base->identity.low);
    watcher_error(watcher, bytes_of(s->base->file_name), &missing);
    error_release(&missing);
}

int bases_open(const struct index_head *head, const struct bases_places *places,
               struct watcher *watcher, struct bases **out, struct error *err)
{
    struct bases *b = calloc(1, sizeof *b + head->base_count * sizeof *b->sources);
    int result = 1;

    if (!b)
        return error_memory(err);
    b->count = head->base_count;
    for (size_t i = 0; i < b->count; i++) {
        struct search search = {.base = &head->bases[i]};
        int found = search.base->entry_count == 0 ? 1 : find_base(&search, places, err);

        if (found < 0) {
            bases_close(b);
            return -1;
        }
        if (found == 0) {
            tell_missing(watcher, &search);
            result = 0;
        }
        b->sources[i] = search.found;
    }
    *out = b;
    return result;
}

void bases_close(struct bases *b)
{
    if (!b)
        return;
    for (size_t i = 0; i < b->count; i++)
        source_close(b->sources[i]);
    free(b);
}

struct frames *bases_frames(const struct bases *b, size_t n)
{
    return n < b->count && b->sources[n] ? index_source_frames(b->sources[n]) : NULL;
}
