/*
 * walk_find.c: one path looked up beneath its root, through no link. Apart from the stream: an
 * entry that was found does not move it.
 */
#include "disk/walk_state.h"

#include <string.h>

static void forget_folder(struct walk *w)
{
    os_close(w->find_folder);
    w->find_folder = OS_NO_HANDLE;
    buffer_clear(&w->find_parent);
}

void walk_find_release(struct walk *w)
{
    walk_subject_close(&w->found);
    walk_place_close(&w->find_place);
    forget_folder(w);
    buffer_release(&w->find_parent);
    buffer_release(&w->find_path);
    buffer_release(&w->find_name);
    buffer_release(&w->find_root.name);
}

/* A parent that is missing, a link or no folder holds nothing. */
static bool is_not_there(const struct error *err)
{
    return os_error_is_missing(err) || os_error_is_link(err);
}

/* No disk holds a name with a NUL, or one without a byte. */
static bool can_exist(struct bytes path)
{
    if (!path.size || memchr(path.data, 0, path.size) || path.data[path.size - 1] == '/')
        return false;
    for (size_t i = 1; i < path.size; i++) {
        if (path.data[i] == '/' && path.data[i - 1] == '/')
            return false;
    }
    return true;
}

/* The root that a path begins with. Unordered sources tell their roots only as they come: those
 * that the layout does not name stand below its base. NULL without a base, or without memory. */
static const struct walk_root *root_of(struct walk *w, struct bytes path)
{
    const uint8_t *slash = memchr(path.data, '/', path.size);
    struct bytes name = bytes_make(path.data, slash ? (size_t)(slash - path.data) : path.size);

    for (size_t i = 0; i < w->root_count; i++) {
        if (bytes_equal(buffer_bytes(&w->roots[i].name), name))
            return &w->roots[i];
    }
    buffer_clear(&w->find_root.name);
    if (!w->base_path.size || buffer_append(&w->find_root.name, name.data, name.size, NULL) ||
        buffer_terminate(&w->find_root.name, NULL))
        return NULL;
    return &w->find_root;
}

/* Opens the folder `parent`, which begins with the root's name, and keeps it: 1, 0, -1. */
static int open_folder(struct walk *w, const struct walk_root *r, struct bytes parent,
                       struct error *err)
{
    struct walk_place place;
    struct walk_subject root;
    struct bytes rest = bytes_make(parent.data + r->name.size, parent.size - r->name.size);
    int found = walk_place_open(w, r, &place, err);
    struct buffer below = {0};
    int result = -1;

    forget_folder(w);
    if (found != 1) {
        walk_place_close(&place);
        return found;
    }
    walk_subject_at(w, &place, &root);
    if (rest.size)
        rest = bytes_make(rest.data + 1, rest.size - 1);
    if ((root.open == OS_NO_HANDLE && os_open_dir(root.folder, root.name, &root.open, err)) ||
        walk_append_path(w, rest, &below, err) ||
        os_open_beneath(root.open, buffer_bytes(&below), &w->find_folder, err))
        result = is_not_there(err) ? 0 : -1;
    else if (!buffer_append(&w->find_parent, parent.data, parent.size, err))
        result = 1;
    buffer_release(&below);
    walk_subject_close(&root);
    walk_place_close(&place);
    return result;
}

/* Points w->found at the entry: 1, 0, -1. *kept: by a folder that was open already. */
static int reach(struct walk *w, const struct walk_root *r, struct walk_spot spot, bool *kept,
                 struct error *err)
{
    struct bytes parent = path_parent(spot.path);
    int found;

    *kept = false;
    if (!spot.depth) {
        walk_place_close(&w->find_place);
        found = walk_place_open(w, r, &w->find_place, err);
        if (found == 1)
            walk_subject_at(w, &w->find_place, &w->found);
        return found;
    }
    *kept = w->find_folder != OS_NO_HANDLE && bytes_equal(buffer_bytes(&w->find_parent), parent);
    if (!*kept) {
        found = open_folder(w, r, parent, err);
        if (found != 1)
            return found;
    }
    buffer_clear(&w->find_name);
    if (walk_append_path(
            w, bytes_make(spot.path.data + spot.name_offset, spot.path.size - spot.name_offset),
            &w->find_name, err) ||
        buffer_terminate(&w->find_name, err))
        return -1;
    w->found = (struct walk_subject){
        .folder = w->find_folder,
        .name = (const char *)w->find_name.data,
        .open = OS_NO_HANDLE,
    };
    return 1;
}

static int look_up(struct walk *w, const struct walk_root *r, struct walk_spot spot,
                   struct error *err)
{
    struct error problem = {0};
    bool kept;
    int found;

    do {
        walk_subject_close(&w->found);
        error_release(&problem);
        found = reach(w, r, spot, &kept, &problem);
        if (found == 1)
            found = walk_entry_read(w, &w->found, spot, &problem);
        if (found == 1 && w->entry.problem_scope == PROBLEM_ENTRY && is_not_there(&w->problem))
            found = 0;
        /* The kept folder may have been removed and made anew since. */
        if (!found && kept)
            forget_folder(w);
    } while (!found && kept);
    if (found < 0 && walk_is_fatal(&problem, err))
        return -1;
    if (found < 0) {
        walk_entry_problem(w, spot, PROBLEM_ENTRY, &problem);
        found = 1;
    }
    error_release(&problem);
    return found;
}

/* The path's text with a NUL, and where its last component stands. */
static int keep_path(struct walk *w, struct bytes path, struct walk_spot *out, struct error *err)
{
    buffer_clear(&w->find_path);
    if (buffer_append(&w->find_path, path.data, path.size, err) ||
        buffer_terminate(&w->find_path, err))
        return -1;
    *out = (struct walk_spot){.path = buffer_bytes(&w->find_path)};
    for (size_t i = 0; i < path.size; i++) {
        if (w->find_path.data[i] != '/')
            continue;
        out->depth++;
        out->name_offset = i + 1;
    }
    return 0;
}

int walk_find(struct source *s, struct bytes path, const struct entry **out, struct error *err)
{
    struct walk *w = walk_of(s);
    const struct walk_root *r = can_exist(path) ? root_of(w, path) : NULL;
    struct walk_spot spot;

    w->last = &w->found;
    *out = &w->entry;
    if (!r)
        return 0;
    return keep_path(w, path, &spot, err) ? -1 : look_up(w, r, spot, err);
}

struct walk_found walk_found(struct source *s)
{
    const struct walk_subject *t = &walk_of(s)->found;

    return (struct walk_found){t->folder, t->name, t->status};
}
