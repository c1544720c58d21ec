/*
 * names_waiting.c: links that came before their first name, in archives without order. Their names
 * are made at the end of the run, along chains of links to links.
 */
#include "disk/transfer/apply.h"

#include <string.h>

enum waiting_state { WAITING, ON_THE_WAY, THROUGH };
struct waiting {
    struct bytes path, first;
    size_t before; /* the one that waits for this one; while ON_THE_WAY */
    enum waiting_state state;
};
struct waiting_place {
    struct hash128 key;
    size_t index;
};

static int make_waiting(struct run *r, const struct waiting *w, struct error *err)
{
    struct bytes parent = path_parent(w->path);
    struct entry want = {.path = w->path, .kind = ENTRY_FILE, .first_name = w->first};
    struct entry have = {.path = w->path, .kind = ENTRY_FILE};
    struct difference_pair pair = {.want = &want};
    enum diff_outcome outcome;
    struct os_stat status;

    want.name_offset = have.name_offset = parent.size ? parent.size + 1 : 0;
    if (position_enter(r, w->path, err))
        return -1;
    if (!os_stat_at(position_folder(r), (const char *)r->name.data, &status, err)) {
        have.identity = (struct identity){status.device, {status.file[0], status.file[1]}};
        have.kind = status.kind == OS_DIRECTORY ? ENTRY_DIRECTORY : ENTRY_FILE;
        pair.have = &have;
    } else if (os_error_is_missing(err)) {
        error_release(err);
    } else {
        return -1;
    }
    if (pair.have && r->options->existing == EXISTING_KEEP)
        return 0;
    int linked = names_link_known(r, &pair, &outcome, err);
    if (linked)
        return linked < 0 ? -1 : 0;
    return run_refuse(err, "its first name was not restored by this run");
}

/* The index of what waits under that path, or SIZE_MAX. */
static size_t find_waiting(const struct table *places, struct bytes path)
{
    struct hash128 key = hash_bytes(path);
    const struct waiting_place *p = table_find(places, &key);

    return p ? p->index : SIZE_MAX;
}

/* Goes to the beginning of the chain that `start` stands in and makes its names from there on: each
 * is met once. */
static int make_chain(struct run *r, struct waiting *all, const struct table *places, size_t start,
                      struct error *err)
{
    size_t at = start;

    all[at].before = SIZE_MAX;
    for (;;) {
        all[at].state = ON_THE_WAY;
        size_t next = find_waiting(places, all[at].first);
        if (next == SIZE_MAX || all[next].state != WAITING)
            break;
        all[next].before = at;
        at = next;
    }
    for (; at != SIZE_MAX; at = all[at].before) {
        all[at].state = THROUGH;
        if (run_check_stop(r, err))
            return -1;
        if (make_waiting(r, &all[at], err) && run_failed(r, all[at].path, err))
            return -1;
    }
    return 0;
}

static int read_waiting(struct run *r, struct waiting *all, struct table *places, struct error *err)
{
    struct cursor c = {r->names.forward.data, r->names.forward.size};

    for (size_t i = 0; i < r->names.forward_count; i++) {
        if (cursor_string(&c, &all[i].path, err) || cursor_string(&c, &all[i].first, err))
            return -1;
        struct hash128 key = hash_bytes(all[i].path);
        struct waiting_place *p = table_add(places, &key, err);
        if (!p)
            return -1;
        p->index = i;
    }
    return 0;
}

int names_finish(struct run *r, struct error *err)
{
    size_t count = r->names.forward_count;
    struct buffer room = {0};
    struct table places;
    int result = -1;

    if (!count)
        return 0;
    table_init(&places, sizeof(struct waiting_place), sizeof(struct hash128));
    if (buffer_reserve(&room, count * sizeof(struct waiting), err))
        goto out;
    struct waiting *all = (struct waiting *)(void *)room.data;
    memset(all, 0, count * sizeof *all);
    if (read_waiting(r, all, &places, err))
        goto out;
    for (size_t i = 0; i < count; i++) {
        if (all[i].state == WAITING && make_chain(r, all, &places, i, err))
            goto out;
    }
    result = 0;
out:
    table_release(&places);
    buffer_release(&room);
    return result;
}
