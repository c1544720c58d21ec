/*
 * extras.c: --delete for sources without order, which the diff looks up name by name: what was seen
 * is remembered, and after the last entry the destination is gone through for the rest.
 */
#include "disk/transfer/apply.h"

#include <stdlib.h>
#include <string.h>

#include "disk/walk.h"

/* A path that the source has, the last time that it came. */
struct seen {
    struct hash128 path;
    uint64_t folder; /* 1: what stands there may hold extra names */
};

void extras_init(struct extras *x)
{
    *x = (struct extras){0};
    table_init(&x->seen, sizeof(struct seen), sizeof(struct hash128));
}

void extras_release(struct extras *x)
{
    table_release(&x->seen);
    buffer_release(&x->roots);
}

static bool are_wanted(const struct run *r)
{
    return r->options->delete_extra && !r->facts->ordered;
}

static struct seen *find(const struct run *r, struct bytes path)
{
    struct hash128 key = hash_bytes(path);

    return table_find(&r->extras.seen, &key);
}

/* A path that was not known yet; top-level names are kept as they are. */
static struct seen *add(struct run *r, struct bytes path, struct error *err)
{
    struct hash128 key = hash_bytes(path);

    if (!path_parent(path).size) {
        if (buffer_append(&r->extras.roots, path.data, path.size, err) ||
            buffer_append_byte(&r->extras.roots, 0, err))
            return NULL;
        r->extras.root_count++;
    }
    return table_add(&r->extras.seen, &key, err);
}

int extras_see(struct run *r, const struct entry *want, struct error *err)
{
    bool folder = want->kind == ENTRY_DIRECTORY && want->problem_scope != PROBLEM_ENTRY;
    struct seen *known;

    if (!are_wanted(r) || want->problem_scope == PROBLEM_CONTENT || plan_bad_name(want->path))
        return 0;
    for (struct bytes at = want->path; at.size; at = path_parent(at), folder = true) {
        known = find(r, at);
        bool settled = known && at.size != want->path.size && known->folder;
        if (!known)
            known = add(r, at, err);
        if (!known)
            return -1;
        known->folder = folder;
        if (settled)
            break;
    }
    return 0;
}

/* ---- After the last entry ---- */

static int compare_roots(const void *a, const void *b)
{
    return strcmp(((const struct disk_root *)a)->name, ((const struct disk_root *)b)->name);
}

/* The roots that the source turned out to have, at their places. */
static int make_layout(const struct run *r, struct disk_root *roots, struct disk_layout *out)
{
    const struct disk_layout *given = &r->transfer->layout;
    const char *name = (const char *)r->extras.roots.data;

    *out = (struct disk_layout){.base = given->base, .roots = roots};
    for (size_t i = 0; i < r->extras.root_count; i++, name += strlen(name) + 1) {
        const struct disk_root *root = layout_find(given, name, strlen(name));
        const char *place = root ? root->place : NULL;
        if (place || given->base)
            roots[out->root_count++] = (struct disk_root){.name = name, .place = place};
    }
    qsort(roots, out->root_count, sizeof *roots, compare_roots);
    return out->root_count != 0;
}

static int take(struct run *r, struct source *walk, const struct entry *have, struct error *err)
{
    const struct seen *known = find(r, have->path);
    struct difference_pair pair = {.have = have, .differs = DIFFERS_EXTRA};

    if (have->problem_scope == PROBLEM_CONTENT) {
        run_error(r, have->path, have->problem);
        return 0;
    }
    if (known && known->folder)
        return 0;
    source_skip(walk);
    if (have->problem_scope != PROBLEM_NONE)
        pair.differs |= DIFFERS_UNREADABLE;
    return known ? 0 : apply_extra(r, &pair, err);
}

static int go_through(struct run *r, const struct disk_layout *layout, struct error *err)
{
    struct walk_options options = run_walk_options(r);
    struct source *walk = NULL;
    const struct entry *have;
    int got;

    if (walk_open(layout, &options, &walk, err))
        return -1;
    while ((got = source_next(walk, &have, err)) > 0) {
        r->watcher->progress(r->watcher, 0, 0, have->path);
        if (run_check_stop(r, err) || take(r, walk, have, err)) {
            got = -1;
            break;
        }
    }
    source_close(walk);
    return got;
}

int extras_find(struct run *r, struct error *err)
{
    struct disk_layout layout;
    struct disk_root *roots;
    int result = 0;

    if (!are_wanted(r) || !r->extras.root_count)
        return 0;
    roots = calloc(r->extras.root_count, sizeof *roots);
    if (!roots)
        return error_memory(err);
    if (make_layout(r, roots, &layout))
        result = go_through(r, &layout, err);
    free(roots);
    return result;
}
