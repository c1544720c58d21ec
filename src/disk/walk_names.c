/*
 * walk_names.c: names as entries have them: as the disk has them or, if asked for, what escaped
 * ones (link/winname.h) stand for. The order of entries is that of the names that they have.
 */
#include "disk/walk_state.h"

#include <stdlib.h>
#include <string.h>

#include "link/winname.h"

void walk_aliases_release(struct walk_aliases *a)
{
    free(a->items);
    buffer_release(&a->text);
    *a = (struct walk_aliases){0};
}

static struct bytes listed(const struct os_listing *names, size_t index)
{
    return bytes_make(os_listing_name(names, index), names->items[index].bytes);
}

/* True if the folder has that name as it is. A listing is sorted. */
static bool has_name(const struct os_listing *names, struct bytes name)
{
    size_t low = 0, high = names->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = path_compare(listed(names, middle), name);

        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

/* Appends what a name stands for: 1; 0 if it is no escape, or another one has that name already;
 * -1. */
static int unescape(const struct os_listing *names, struct bytes name, struct buffer *out,
                    struct error *err)
{
    struct error not_ours = {0};
    size_t before = out->size;
    struct bytes plain;

    /* All escapes are of three bytes and begin so. */
    if (!memchr(name.data, 0xef, name.size))
        return 0;
    if (winname_unescape(out, name, &not_ours)) {
        if (not_ours.kind == ERROR_MEMORY) {
            error_move(err, &not_ours);
            return -1;
        }
        error_release(&not_ours);
        return 0;
    }
    plain = bytes_make(out->data + before, out->size - before);
    if (!bytes_equal(plain, name) && !has_name(names, plain))
        return 1;
    out->size = before;
    return 0;
}

static int compare(const void *a, const void *b)
{
    return path_compare(((const struct walk_alias *)a)->shown,
                        ((const struct walk_alias *)b)->shown);
}

/* Makes the items once the first escaped name was found. */
static int begin(struct walk_aliases *a, const struct os_listing *names, struct error *err)
{
    if (a->items)
        return 0;
    a->items = calloc(names->count, sizeof *a->items);
    if (!a->items)
        return error_memory(err);
    for (size_t i = 0; i < names->count; i++)
        a->items[i] = (struct walk_alias){listed(names, i), i, false};
    return 0;
}

/* True if escaping what the name is told as does not make it: 1, 0, -1. */
static int is_foreign(struct bytes name, struct bytes shown, struct error *err)
{
    struct buffer again = {0};
    struct error too_long = {0};
    int result = 1;

    if (!winname_escape(&again, shown, &too_long))
        result = !bytes_equal(buffer_bytes(&again), name);
    else if (too_long.kind == ERROR_MEMORY)
        result = error_memory(err);
    error_release(&too_long);
    buffer_release(&again);
    return result;
}

/* Takes one name of the listing. */
static int take(const struct walk *w, struct walk_level *level, size_t index, struct error *err)
{
    struct walk_aliases *a = &level->aliases;
    struct bytes name = listed(&level->listing, index);
    size_t before = a->text.size;
    int unescaped = unescape(&level->listing, name, &a->text, err);
    int foreign = 0;

    if (unescaped < 0)
        return -1;
    if (w->options.names == WALK_NAMES_MADE && !unescaped)
        foreign = is_foreign(name, name, err);
    if (foreign < 0 || ((foreign || unescaped) && begin(a, &level->listing, err)))
        return -1;
    if (unescaped) /* where it stands is known when the text has all */
        a->items[index].shown = bytes_make(NULL, a->text.size - before);
    if (foreign)
        a->items[index].is_foreign = true;
    return 0;
}

int walk_aliases_make(const struct walk *w, struct walk_level *level, struct error *err)
{
    struct walk_aliases *a = &level->aliases;
    size_t count = level->listing.count, at = 0;

    if (w->options.names == WALK_NAMES_LISTED)
        return 0;
    for (size_t i = 0; i < count; i++) {
        if (take(w, level, i, err))
            return -1;
    }
    if (!a->items)
        return 0;
    for (size_t i = 0; i < count; i++) {
        struct bytes *shown = &a->items[i].shown;

        if (shown->data)
            continue;
        shown->data = a->text.data + at;
        at += shown->size;
    }
    qsort(a->items, count, sizeof *a->items, compare);
    return 0;
}

bool walk_level_is_foreign(const struct walk_level *level, size_t place)
{
    return level->aliases.items && level->aliases.items[place].is_foreign;
}

static size_t index_of(const struct walk_level *level, size_t place)
{
    return level->aliases.items ? level->aliases.items[place].index : place;
}

struct bytes walk_level_name(const struct walk_level *level, size_t place, const char **on_disk)
{
    size_t index = index_of(level, place);

    *on_disk = os_listing_name(&level->listing, index);
    return level->aliases.items ? level->aliases.items[place].shown
                                : listed(&level->listing, index);
}

enum os_kind walk_level_hint(const struct walk_level *level, size_t place)
{
    return (enum os_kind)level->listing.items[index_of(level, place)].kind_hint;
}

int walk_append_path(const struct walk *w, struct bytes path, struct buffer *out, struct error *err)
{
    return w->options.names != WALK_NAMES_LISTED ? winname_escape_path(out, path, err)
                                                 : buffer_append(out, path.data, path.size, err);
}
