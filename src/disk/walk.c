/*
 * walk.c: the stream: which name comes next, down into folders and up again. What an entry is made
 * of stands in walk_entry.c and walk_load.c, the roots in walk_root.c.
 */
#include "disk/walk_state.h"

#include <stdlib.h>
#include <string.h>

enum { SPARE_BYTES_MAX = 1 << 20 }; /* memory for names that is kept from folder to folder */

static struct walk_spot stream_spot(const struct walk *w, size_t depth)
{
    return (struct walk_spot){buffer_bytes(&w->path), w->name_offset, depth};
}

/* ---- Down and up ---- */

static int push_level(struct walk *w, struct error *err)
{
    size_t capacity = w->level_capacity ? w->level_capacity * 2 : 16;
    struct walk_level *levels;

    if (w->depth == w->level_capacity) {
        levels = realloc(w->levels, capacity * sizeof *levels);
        if (!levels)
            return error_memory(err);
        w->levels = levels;
        w->level_capacity = capacity;
    }
    w->levels[w->depth++] = (struct walk_level){
        .listing = w->spare, .path_bytes = w->path.size, .name_offset = w->name_offset};
    w->spare = (struct os_listing){0};
    return 0;
}

/* Names are missing in this folder: to be told behind those that are known. */
static int note_unlisted(struct walk_level *level, struct error *problem, struct error *err)
{
    if (level->unlisted) {
        error_release(problem);
        return 0;
    }
    level->unlisted = calloc(1, sizeof *level->unlisted);
    if (!level->unlisted) {
        error_release(problem);
        return error_memory(err);
    }
    error_move(level->unlisted, problem);
    return 0;
}

/* Reads the names of the folder that was just entered. */
static int list(struct walk *w, os_handle folder, struct error *err)
{
    struct walk_level *level = &w->levels[w->depth - 1];
    struct error problem = {0};
    int failed = os_list(folder, &level->listing, &problem);

    if (failed && walk_is_fatal(&problem, err))
        return -1;
    if (failed && note_unlisted(level, &problem, err))
        return -1;
    return walk_aliases_make(w, level, err);
}

/* Goes into the folder that came last: 0; 1 if instead an item says why not; -1. */
static int enter(struct walk *w, struct error *err)
{
    struct error problem = {0};
    struct walk_subject *t = &w->current;
    os_handle folder;

    w->descend = false;
    if (walk_subject_open(t, OS_DIRECTORY, &problem)) {
        if (walk_is_fatal(&problem, err))
            return -1;
        walk_entry_problem(w, stream_spot(w, w->depth), PROBLEM_CONTENT, &problem);
        return 1;
    }
    folder = t->open;
    t->open = OS_NO_HANDLE;
    if ((w->is_apart ? dirstack_push_apart : dirstack_push)(&w->folders, folder, &t->status, err) ||
        push_level(w, err))
        return -1;
    return list(w, folder, err);
}

static void keep_spare(struct walk *w, struct os_listing *listing)
{
    os_listing_release(&w->spare);
    if (listing->names.capacity > SPARE_BYTES_MAX) {
        os_listing_release(listing);
        return;
    }
    w->spare = *listing;
    buffer_clear(&w->spare.names);
    w->spare.count = 0;
}

/* Leaves the innermost folder. If its parent cannot be reached again, the names that are left there
 * are unlisted. */
static int leave(struct walk *w, struct error *err)
{
    struct error problem = {0};
    struct walk_level *parent;

    w->depth--;
    walk_aliases_release(&w->levels[w->depth].aliases);
    keep_spare(w, &w->levels[w->depth].listing);
    if (!dirstack_pop(&w->folders, &problem))
        return 0;
    parent = &w->levels[w->depth - 1];
    if (parent->next == parent->listing.count) {
        error_release(&problem);
        return 0;
    }
    parent->next = parent->listing.count;
    return note_unlisted(parent, &problem, err);
}

/* ---- Names ---- */

/* Makes an entry of the current subject, and plans the descent. */
int walk_take(struct walk *w, struct error *err)
{
    int got = walk_entry_read(w, &w->current, stream_spot(w, w->depth), err);

    if (got != 1 || w->entry.problem_scope != PROBLEM_NONE || w->entry.kind != ENTRY_DIRECTORY)
        return got;
    if (!w->depth)
        w->root_device = w->entry.identity.volume;
    w->descend = !w->options.one_file_system || w->entry.identity.volume == w->root_device;
    w->entry.content_left_out = !w->descend;
    return 1;
}

static int set_path(struct walk *w, size_t folder_bytes, struct bytes name, struct error *err)
{
    uint8_t *end;

    w->path.size = folder_bytes;
    if (buffer_reserve(&w->path, name.size + 1, err))
        return -1;
    end = w->path.data + folder_bytes;
    if (folder_bytes)
        *end++ = '/';
    memcpy(end, name.data, name.size);
    w->name_offset = (size_t)(end - w->path.data);
    w->path.size = w->name_offset + name.size;
    return 0;
}

static int tell_unlisted(struct walk *w, struct walk_level *level)
{
    w->path.size = level->path_bytes;
    w->name_offset = level->name_offset;
    walk_entry_problem(w, stream_spot(w, w->depth - 1), PROBLEM_CONTENT, level->unlisted);
    free(level->unlisted);
    level->unlisted = NULL;
    return 1;
}

static int tell_foreign(struct walk *w)
{
    struct error problem = {0};

    error_set(&problem, ERROR_REFUSED, "look", "a name that escaping does not make");
    walk_entry_problem(w, stream_spot(w, w->depth), PROBLEM_ENTRY, &problem);
    return 1;
}

/* The next name of the innermost folder: 1; 0 when there was none and the folder was left; -1. */
static int next_name(struct walk *w, struct error *err)
{
    struct walk_level *level = &w->levels[w->depth - 1];

    if (level->unlisted)
        return tell_unlisted(w, level);
    while (level->next < level->listing.count) {
        const char *name;
        size_t place = level->next++;
        struct bytes bytes = walk_level_name(level, place, &name);
        int got;

        if (set_path(w, level->path_bytes, bytes, err))
            return -1;
        w->current.folder = dirstack_top(&w->folders);
        w->current.name = name;
        w->current.opens_first =
            w->reads_files && !w->options.looks_first && walk_level_hint(level, place) == OS_FILE;
        if (walk_level_is_foreign(level, place))
            return tell_foreign(w);
        got = walk_take(w, err);
        if (got)
            return got;
    }
    return leave(w, err);
}

/* A root that is not there is an entry with a problem, or, where nobody expects it, none. */
static int take_root(struct walk *w, const struct walk_root *r, struct error *err)
{
    int got = walk_take(w, err);
    bool missing = got == 1 && w->entry.problem_scope == PROBLEM_ENTRY && !r->placed &&
                   os_error_is_missing(&w->problem);

    return missing && w->options.missing_roots ? 0 : got;
}

static int open_root(struct walk *w, const struct walk_root *r, struct error *err)
{
    struct error problem = {0};
    int found;

    walk_place_close(&w->root_place);
    if (set_path(w, 0, buffer_bytes(&r->name), err))
        return -1;
    found = walk_place_open(w, r, &w->root_place, &problem);
    if (found == 1) {
        walk_subject_at(w, &w->root_place, &w->current);
        return take_root(w, r, err);
    }
    if (walk_is_fatal(&problem, err))
        return -1;
    if (!found && w->options.missing_roots) {
        error_release(&problem);
        return 0;
    }
    walk_entry_problem(w, stream_spot(w, 0), PROBLEM_ENTRY, &problem);
    return 1;
}

static int next_root(struct walk *w, struct error *err)
{
    while (w->root_next < w->root_count) {
        int got = open_root(w, &w->roots[w->root_next++], err);
        if (got)
            return got;
    }
    return 0;
}

/* ---- The source ---- */

static int walk_next(struct source *s, const struct entry **out, struct error *err)
{
    struct walk *w = walk_of(s);
    int got = 0;

    w->last = &w->current;
    *out = &w->entry;
    if (w->current.status.kind == OS_FILE)
        w->reads_files = w->current.is_read;
    if (w->descend)
        got = enter(w, err);
    else
        walk_subject_close(&w->current);
    w->is_apart = false;
    while (!got && w->depth)
        got = next_name(w, err);
    return got ? got : next_root(w, err);
}

static void walk_skip(struct source *s)
{
    struct walk *w = walk_of(s);
    if (w->last == &w->current)
        w->descend = false;
}

static const struct source_facts *walk_facts(struct source *s)
{
    return &walk_of(s)->facts;
}

static void walk_close(struct source *s)
{
    struct walk *w = walk_of(s);

    while (w->depth) {
        struct walk_level *level = &w->levels[--w->depth];
        os_listing_release(&level->listing);
        walk_aliases_release(&level->aliases);
        error_release(level->unlisted);
        free(level->unlisted);
    }
    free(w->levels);
    os_listing_release(&w->spare);
    walk_subject_close(&w->current);
    walk_find_release(w);
    dirstack_release(&w->folders);
    walk_place_close(&w->root_place);
    walk_roots_release(w);
    buffer_release(&w->path);
    buffer_release(&w->target);
    buffer_release(&w->reparse);
    buffer_release(&w->note);
    pairs_release(&w->kept);
    table_release(&w->doubles);
    table_release(&w->relinked);
    pairs_release(&w->entry.meta.xattrs);
    error_release(&w->problem);
    os_accounts_free(w->accounts);
    free(w->leave_out);
    free(w);
}

static const struct source_ops walk_ops = {
    .next = walk_next,
    .load = walk_load,
    .skip = walk_skip,
    .find = walk_find,
    .open_data = walk_open_data,
    .facts = walk_facts,
    .close = walk_close,
};

struct walk *walk_of(struct source *s)
{
    return s->ops == &walk_ops ? (struct walk *)s : NULL;
}

static int copy_options(struct walk *w, const struct walk_options *options, struct error *err)
{
    size_t count = options->leave_out_count;

    w->options = *options;
    if (count) {
        w->leave_out = calloc(count, sizeof *w->leave_out);
        if (!w->leave_out)
            return error_memory(err);
        memcpy(w->leave_out, options->leave_out, count * sizeof *w->leave_out);
    }
    w->options.leave_out = w->leave_out;
    return options->owner_names ? os_accounts_new(&w->accounts, err) : 0;
}

int walk_open(const struct disk_layout *layout, const struct walk_options *options,
              struct source **out, struct error *err)
{
    struct walk *w = calloc(1, sizeof *w);

    if (!w)
        return error_memory(err);
    w->source.ops = &walk_ops;
    w->base = w->current.open = w->found.open = w->find_folder = OS_NO_HANDLE;
    w->root_place = (struct walk_place){.handle = OS_NO_HANDLE, .folder = OS_NO_HANDLE};
    w->find_place = w->root_place;
    w->last = &w->current;
    w->sees_notes = os_is_privileged();
    dirstack_init(&w->folders);
    table_init(&w->doubles, sizeof(struct identity), sizeof(struct identity));
    table_init(&w->relinked, sizeof(struct walk_relinked), sizeof(struct identity));
    if (copy_options(w, options, err) || walk_roots_init(w, layout, err)) {
        walk_close(&w->source);
        return -1;
    }
    *out = &w->source;
    return 0;
}

bool walk_link_count_is_hint(struct source *walk)
{
    return !walk_of(walk)->facts.names_known;
}
