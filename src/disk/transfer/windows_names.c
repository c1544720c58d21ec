/*
 * windows_names.c: names that Windows could not open on an NTFS volume, though the driver here
 * would make them: what link/winname.h refuses, and the second of two names in a folder that differ
 * in case alone.
 */
#include "disk/transfer/apply.h"

#include <stdlib.h>

#include "base/upcase.h"
#include "base/wtf8.h"
#include "link/winname.h"

/* The names of one folder. */
struct windows_level {
    struct hash128 folder; /* of its path */
    struct table seen;     /* struct seen_name */
};
struct seen_name {
    struct hash128 key;  /* of the folder's path and the folded name */
    struct hash128 path; /* of the path that came */
};

void windows_names_release(struct windows_names *n)
{
    for (size_t i = 0; i < n->count; i++)
        table_release(&n->levels[i].seen);
    free(n->levels);
    buffer_release(&n->folded);
    buffer_release(&n->escaped);
}

/* ---- What the validator says ---- */

static const char *fault_of(struct bytes name)
{
    switch (winname_check(name)) {
    case WINNAME_FINE:
        return NULL;
    case WINNAME_NO_NAME:
        return "an empty name";
    case WINNAME_NOT_TEXT:
        return "a name that is no text, which NTFS cannot hold; --windows-names=escape maps it";
    case WINNAME_CHARACTER:
        return "a name with a character that Windows does not take; --windows-names=escape maps it";
    case WINNAME_CONTROL:
        return "a name with a control character, which Windows does not take; "
               "--windows-names=escape maps it";
    case WINNAME_DEVICE:
        return "a name that is a device of Windows; --windows-names=escape maps it";
    case WINNAME_TRAILING:
        return "a name with a dot or space at its end, which Windows cuts off; "
               "--windows-names=escape maps it";
    case WINNAME_LONG:
        return "a name of more than 255 UTF-16 units, which NTFS cannot hold";
    }
    return NULL;
}

/* Of any component: where content comes in no order, a folder's name may not have been looked at.
 */
static const char *fault_in(struct bytes path)
{
    const char *fault = NULL;

    while (!fault && path.size) {
        struct bytes parent = path_parent(path);
        size_t start = parent.size + (parent.size != 0);

        fault = fault_of(bytes_make(path.data + start, path.size - start));
        path = parent;
    }
    return fault;
}

/* ---- Case ---- */

static int fold(struct buffer *out, struct bytes name, struct error *err)
{
    buffer_clear(out);
    while (name.size) {
        uint32_t point;
        size_t count = wtf8_decode(name, &point);

        if (count ? wtf8_append(out, upcase_point(point), err)
                  : buffer_append_byte(out, name.data[0], err))
            return -1;
        count += !count;
        name = bytes_make(name.data + count, name.size - count);
    }
    return 0;
}

/* The level of a depth, empty if it held the names of another folder. */
static struct windows_level *level_of(struct windows_names *n, size_t depth, struct hash128 folder,
                                      struct error *err)
{
    struct windows_level *level;

    if (depth >= n->count) {
        struct windows_level *grown = realloc(n->levels, (depth + 1) * sizeof *grown);
        if (!grown) {
            error_memory(err);
            return NULL;
        }
        n->levels = grown;
        for (; n->count <= depth; n->count++) {
            grown[n->count].folder = (struct hash128){0};
            table_init(&grown[n->count].seen, sizeof(struct seen_name), sizeof(struct hash128));
        }
    }
    level = &n->levels[depth];
    if (level->folder.low != folder.low || level->folder.high != folder.high)
        table_release(&level->seen);
    level->folder = folder;
    return level;
}

/* Remembers the name: 1 if another one in its folder differs from it in case alone, 0, -1. */
static int is_twin(struct run *r, const struct entry *want, struct error *err)
{
    struct windows_names *n = &r->windows_names;
    struct hash128 folder = hash_bytes(path_parent(want->path)), path = hash_bytes(want->path);
    struct bytes name = entry_name(want);
    struct windows_level *level;
    struct seen_name *seen;

    buffer_clear(&n->escaped);
    if (r->options->windows_names == NAMES_ESCAPE) {
        if (winname_escape(&n->escaped, name, err)) {
            bool memory = err->kind == ERROR_MEMORY;
            error_release(err);
            return memory ? error_memory(err) : 0; /* told when it is to be made */
        }
        name = buffer_bytes(&n->escaped);
    }
    if (fold(&n->folded, name, err) || buffer_append(&n->folded, &folder, sizeof folder, err))
        return -1;
    level = r->facts->ordered ? level_of(n, want->depth, folder, err)
                              : level_of(n, 0, (struct hash128){0}, err);
    if (!level)
        return -1;
    struct hash128 key = hash_bytes(buffer_bytes(&n->folded));
    seen = table_find(&level->seen, &key);
    if (seen)
        return seen->path.low != path.low || seen->path.high != path.high;
    seen = table_add(&level->seen, &key, err);
    if (!seen)
        return -1;
    seen->path = path;
    return 0;
}

/* ---- Both ---- */

int windows_names_check(struct run *r, const struct entry *want, struct error *err)
{
    struct error nowhere = {0};
    struct spot spot;
    int twin;

    r->windows_names.why = NULL;
    if (!r->may_be_ntfs || r->options->windows_names == NAMES_ANY ||
        want->problem_scope == PROBLEM_CONTENT || plan_bad_name(want->path))
        return 0;
    if (position_spot(r, want->path, &spot, &nowhere)) {
        error_release(&nowhere); /* told when it is to be made */
        return 0;
    }
    if (!spot.anchor->on_ntfs || !spot.name.size || spot.anchor->leaf)
        return 0;
    if (r->options->windows_names == NAMES_REFUSE) {
        r->windows_names.why = fault_of(spot.name);
        if (!r->windows_names.why && !r->facts->ordered)
            r->windows_names.why = fault_in(spot.parent);
        if (r->windows_names.why)
            return 0;
    }
    twin = is_twin(r, want, err);
    if (twin > 0)
        r->windows_names.why =
            "a name that differs from another one in its folder in case alone: Windows opens but "
            "one of them";
    return twin < 0 ? -1 : 0;
}
