/*
 * passage.c: folders on the way to chosen paths. One that is there is left alone: nobody asked for
 * it. One that is missing is made, with its metadata, once something below it comes.
 */
#include "disk/transfer/apply.h"

#include <stdlib.h>

/* A folder that waits for something below it. */
struct passage {
    struct buffer path;
    struct metadata meta; /* its xattrs are owned */
    bool replaces;        /* something else stands there and gives way */
};

static void release(struct passage *p)
{
    buffer_release(&p->path);
    pairs_release(&p->meta.xattrs);
}

void passages_release(struct passages *all)
{
    for (size_t i = 0; i < all->count; i++)
        release(&all->items[i]);
    free(all->items);
    *all = (struct passages){0};
}

static void drop(struct passages *all, size_t at)
{
    release(&all->items[at]);
    all->items[at] = all->items[--all->count];
}

/* In an ordered source what another folder's turn finds waiting has nothing below it. */
static void drop_passed(struct run *r, struct bytes path)
{
    struct passages *all = &r->passages;

    for (size_t i = all->count; r->facts->ordered && i-- > 0;) {
        if (!path_is_within(path, buffer_bytes(&all->items[i].path)))
            drop(all, i);
    }
}

static int keep(struct run *r, const struct entry *want, bool replaces, struct error *err)
{
    struct passages *all = &r->passages;
    struct passage p = {.replaces = replaces};

    drop_passed(r, want->path);
    if (all->count == all->capacity) {
        size_t capacity = all->capacity ? all->capacity * 2 : 8;
        struct passage *grown = realloc(all->items, capacity * sizeof *grown);
        if (!grown)
            return error_memory(err);
        all->items = grown;
        all->capacity = capacity;
    }
    if (meta_copy(&p.meta, &want->meta, err) ||
        buffer_append(&p.path, want->path.data, want->path.size, err)) {
        release(&p);
        return -1;
    }
    all->items[all->count++] = p;
    return 0;
}

int passage_take(struct run *r, const struct difference_pair *pair, struct error *err)
{
    const struct entry *want = pair->want, *have = pair->have;
    enum plan_action action;

    if (have && have->kind == ENTRY_DIRECTORY && have->problem_scope != PROBLEM_ENTRY) {
        if (position_made(r, want->path))
            return 0; /* for its content, which came before it */
        r->counts->unchanged++;
        return diff_settle(r->diff, DIFF_KEPT, err) ? -1 : 1;
    }
    action = plan_make(r, pair).action;
    if (action != PLAN_CREATE && action != PLAN_REPLACE)
        return 0;
    if (source_load(r->want, &want, err))
        return -1;
    if (want->problem_scope == PROBLEM_METADATA)
        run_error(r, want->path, want->problem);
    if (keep(r, want, have != NULL, err))
        return -1;
    return diff_settle(r->diff, DIFF_REPLACED, err) ? -1 : 1;
}

static size_t depth_of(struct bytes path)
{
    size_t depth = 0;

    for (size_t i = 0; i < path.size; i++)
        depth += path.data[i] == '/';
    return depth;
}

static int make(struct run *r, const struct passage *p, struct error *err)
{
    struct bytes path = buffer_bytes(&p->path);
    struct entry want = {.path = path,
                         .name_offset = path_parent(path).size,
                         .depth = depth_of(path),
                         .kind = ENTRY_DIRECTORY,
                         .meta = p->meta};
    struct entry other = {.path = path, .kind = ENTRY_FILE};
    struct difference_pair pair = {.want = &want, .have = p->replaces ? &other : NULL};

    want.name_offset += want.depth != 0;
    if (r->options->mode == TRANSFER_APPLY)
        return folder_apply(r, &pair, err) ? run_failed(r, path, err) : 0;
    ++*(p->replaces ? &r->counts->replaced : &r->counts->created);
    run_change(r, &want, p->replaces ? "replace" : "create");
    return 0;
}

/* The outermost folder that waits on the way to the path, or the count. */
static size_t outermost(const struct passages *all, struct bytes path)
{
    size_t found = all->count;

    for (size_t i = 0; i < all->count; i++) {
        if (path_is_within(path, buffer_bytes(&all->items[i].path)) &&
            (found == all->count || all->items[i].path.size < all->items[found].path.size))
            found = i;
    }
    return found;
}

int passage_open(struct run *r, struct bytes path, struct error *err)
{
    struct passages *all = &r->passages;
    size_t next;

    while ((next = outermost(all, path)) != all->count) {
        int result = make(r, &all->items[next], err);
        drop(all, next);
        if (result)
            return -1;
    }
    return 0;
}
