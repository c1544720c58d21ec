/*
 * resolver.c: asks the system where a link leads. It follows, by a handle that opens nothing for
 * reading, and looks at where it came out.
 */
#include <stdlib.h>

#include "disk/drive_way.h"
#include "disk/walk_state.h"

struct disk_resolver {
    struct inventory_resolver resolver;
    struct walk *walk;
    const struct drives *drives; /* borrowed */
    struct buffer real_path;
};

static bool is_within(struct bytes path, struct bytes root)
{
    if (root.size == 1 && root.data[0] == '/')
        return path.size && path.data[0] == '/';
    return root.size && path_is_within(path, root);
}

static enum target_state state_of(const struct disk_resolver *r)
{
    for (size_t i = 0; i < r->walk->root_count; i++) {
        if (is_within(buffer_bytes(&r->real_path), buffer_bytes(&r->walk->roots[i].absolute_path)))
            return TARGET_INSIDE;
    }
    return TARGET_OUTSIDE;
}

/* 1 and *leads, 0 nobody knows, -1. */
static int follow(struct disk_resolver *r, const struct entry *e, enum os_leads *leads,
                  struct error *err)
{
    const struct walk_subject *t = r->walk->last;
    struct drive_start start = {r->drives, t->status.device};

    if (drive_way_decides(e))
        return drive_way_follow(&start, e->target, leads, &r->real_path, err);
    return os_follow(t->folder, t->name, leads, &r->real_path, err) ? -1 : 1;
}

static int resolve(struct inventory_resolver *resolver, const struct entry *e,
                   enum target_state *state, struct error *err)
{
    struct disk_resolver *r = (struct disk_resolver *)resolver;
    struct error problem = {0};
    enum os_leads leads = OS_LEADS_NOWHERE;
    int known;

    if (!entry_is_link(e) || !bytes_equal(e->path, r->walk->entry.path))
        return error_set(err, ERROR_USAGE, "follow link", "not the link that came last");
    buffer_clear(&r->real_path);
    *state = TARGET_UNKNOWN;
    known = follow(r, e, &leads, &problem);
    if (known < 0) {
        /* Whoever may not look, or whose system fails, knows nothing of the target. */
        if (walk_is_fatal(&problem, err))
            return -1;
        error_release(&problem);
        return 0;
    }
    if (!known)
        return 0;
    if (leads == OS_LEADS_SOMEWHERE)
        *state = state_of(r);
    else
        *state = leads == OS_LEADS_NOWHERE ? TARGET_DANGLING : TARGET_LOOPING;
    return 0;
}

int disk_resolver_new(struct source *walk, const struct drives *drives,
                      struct inventory_resolver **out, struct error *err)
{
    struct disk_resolver *r = calloc(1, sizeof *r);

    if (!r)
        return error_memory(err);
    r->resolver.resolve = resolve;
    r->walk = walk_of(walk);
    r->drives = drives;
    *out = &r->resolver;
    return 0;
}

void disk_resolver_free(struct inventory_resolver *resolver)
{
    struct disk_resolver *r = (struct disk_resolver *)resolver;

    if (!r)
        return;
    buffer_release(&r->real_path);
    free(r);
}
