/*
 * mirroring.c: see mirroring.h.
 */
#include "cli/mirroring.h"

#include <string.h>

#include "cli/changes.h"
#include "disk/nearest.h"

static const char *const reflink_words[] = {
    [REFLINK_AUTO] = "auto", [REFLINK_ALWAYS] = "always", [REFLINK_NEVER] = "never"};

/* ---- What may not be ---- */

static int check_source(const struct mirroring *m, struct error *err)
{
    int folder = tree_is_folder(m->source, err);

    if (folder == 0)
        return error_set(err, ERROR_USAGE, NULL, "'%s' is no folder", m->source);
    if (folder < 0)
        err->kind = ERROR_USAGE;
    return folder < 0 ? -1 : 0;
}

int mirroring_choose(struct mirroring *m, struct error *err)
{
    const struct mirroring_settings *s = m->settings;
    struct transfer_options *o = &m->transfer.options;

    if (changing_choose(&s->changing, &m->redirects, o, err) != 0 ||
        option_word_check("reflink", s->reflink, reflink_words, 3, err) != 0)
        return -1;
    o->reflink = (enum transfer_reflink)option_word(s->reflink, reflink_words, 3);
    return check_source(m, err);
}

static int is_empty(os_handle folder, struct error *err)
{
    struct os_listing names = {0};
    int result = os_list(folder, &names, err);
    size_t count = names.count;

    os_listing_release(&names);
    return result != 0 ? -1 : count == 0;
}

static int open_named(const char *path, os_handle *out, struct error *err)
{
    return os_open_root(path, out, err) == 0 ? 0 : error_at(err, path, strlen(path));
}

int mirroring_is_empty(const char *path, struct error *err)
{
    os_handle folder = OS_NO_HANDLE;
    int result = open_named(path, &folder, err) == 0 ? is_empty(folder, err) : -1;

    os_close(folder);
    return result;
}

/* A place that need not be there: it, or the folder that it will be made in. */
struct mirroring_place {
    os_handle folder;
    bool is_there;
};

static int open_place(const char *path, struct mirroring_place *out, struct error *err)
{
    size_t there;

    *out = (struct mirroring_place){.folder = OS_NO_HANDLE};
    if (nearest_open(path, &there, &out->folder, err) != 0)
        return error_at(err, path, strlen(path));
    out->is_there = path[there] == '\0';
    return 0;
}

/* 1 if a folder and a place have something in common, or will have; 0, -1. */
static int overlap(os_handle folder, const struct mirroring_place *place, struct error *err)
{
    return place->is_there ? os_folders_overlap(folder, place->folder, err)
                           : os_folder_is_below(place->folder, folder, err);
}

static int nested(struct error *err, const char *a, const char *b)
{
    return error_set(err, ERROR_USAGE, NULL,
                     "'%s' and '%s' are the same folder, or one lies in the other", a, b);
}

int mirroring_check_places(struct mirroring *m, struct error *err)
{
    struct mirroring_place place = {.folder = OS_NO_HANDLE};
    os_handle source = OS_NO_HANDLE;
    int result = -1, common, empty;

    if (open_named(m->source, &source, err) != 0 || open_place(m->destination, &place, err) != 0)
        goto out;
    common = overlap(source, &place, err);
    empty = place.is_there ? is_empty(place.folder, err) : 1;
    m->is_first = empty == 1;
    if (common > 0)
        result = nested(err, m->source, m->destination);
    else if (common == 0 && empty >= 0)
        result = 0;
out:
    if (result != 0)
        err->kind = ERROR_USAGE; /* nothing was changed yet */
    os_close(source);
    os_close(place.folder);
    return result;
}

/* ---- Older copies ---- */

/* A hard link does not leave its file system. */
static int check_device(const struct mirroring *m, const char *older, os_handle folder,
                        const struct mirroring_place *place, struct error *err)
{
    struct os_stat of_older, of_place;

    if (os_stat_handle(folder, &of_older, err) != 0 ||
        os_stat_handle(place->folder, &of_place, err) != 0)
        return -1;
    if (of_older.device == of_place.device)
        return 0;
    return error_set(err, ERROR_USAGE, NULL,
                     "'%s' and '%s' are on different file systems: no file of the one can be "
                     "linked to from the other",
                     older, m->destination);
}

/* A file that stands in two older copies could be given to two files of the source. */
static int check_others(const struct mirroring *m, const char *older, os_handle folder,
                        struct error *err)
{
    for (size_t i = 0; i < m->transfer.options.older_count; i++) {
        os_handle other = OS_NO_HANDLE;
        int common = open_named(m->older[i].place, &other, err) != 0
                         ? -1
                         : os_folders_overlap(other, folder, err);

        os_close(other);
        if (common != 0)
            return common < 0 ? -1 : nested(err, older, m->older[i].place);
    }
    return 0;
}

static int check_older(const struct mirroring *m, const char *older, struct error *err)
{
    struct mirroring_place place = {.folder = OS_NO_HANDLE};
    os_handle folder = OS_NO_HANDLE, source = OS_NO_HANDLE;
    int result = -1, with_source, with_place;

    if (open_named(older, &folder, err) != 0 || open_named(m->source, &source, err) != 0 ||
        open_place(m->destination, &place, err) != 0)
        goto out;
    with_source = os_folders_overlap(folder, source, err);
    with_place = with_source == 0 ? overlap(folder, &place, err) : 0;
    if (with_source < 0 || with_place < 0 || check_others(m, older, folder, err) != 0)
        goto out;
    result = with_source != 0  ? nested(err, older, m->source)
             : with_place != 0 ? nested(err, older, m->destination)
                               : check_device(m, older, folder, &place, err);
out:
    if (result != 0)
        err->kind = ERROR_USAGE;
    os_close(folder);
    os_close(source);
    os_close(place.folder);
    return result;
}

int mirroring_add_older(struct mirroring *m, const struct transfer_older *older, struct error *err)
{
    struct transfer_options *o = &m->transfer.options;

    if (o->older_count == MIRRORING_OLDER_MOST)
        return error_set(err, ERROR_USAGE, NULL, "--link-dest can be given %d times at most",
                         (int)MIRRORING_OLDER_MOST);
    if (check_older(m, older->place, err) != 0)
        return -1;
    m->older[o->older_count++] = *older;
    o->older = m->older;
    return 0;
}

/* ---- The run ---- */

int mirroring_open(struct mirroring *m, struct error *err)
{
    const struct tree_options options = {.filter = &m->settings->filter,
                                         .watcher = &m->report->watcher};
    const struct transfer_options *o = &m->transfer.options;

    if (tree_root_name(m->source, &m->root_name, err) != 0)
        return -1;
    const struct disk_root root = {.name = (const char *)m->root_name.data, .place = m->source};
    const struct disk_layout source = {.roots = &root, .root_count = 1};

    m->root = (struct disk_root){.name = root.name, .place = m->destination};
    m->transfer.layout = (struct disk_layout){.roots = &m->root, .root_count = 1};
    if (tree_open_layout(&m->tree, &source, &options, err) != 0)
        return error_at(err, m->source, strlen(m->source));
    /* A first copy has more to make than to look at, and the writers take the cores. */
    if ((!m->is_first || o->older_count != 0) && o->jobs != 1)
        return tree_read_ahead(&m->tree, &source, &options, err);
    return 0;
}

static void complete_options(struct mirroring *m)
{
    const struct rule_list *rules = &m->settings->filter.rules;

    if (m->is_sparing && rules->count != 0) {
        m->spare.rules = rules->items;
        m->spare.rule_count = rules->count;
        m->transfer.options.spare = &m->spare;
    }
    if (m->is_sparing && m->tree.reparse.count != 0)
        m->transfer.options.spare_reparse = &m->tree.reparse;
    m->transfer.watcher = &m->report->watcher;
    changing_leave_owners(&m->settings->changing, &m->transfer);
}

int mirroring_run(struct mirroring *m, struct error *err)
{
    complete_options(m);
    if (transfer_run(&m->transfer, m->tree.source, err) != 0) {
        if (err->kind == ERROR_REFUSED && !changes_any(&m->transfer))
            err->kind = ERROR_USAGE;
        return -1;
    }
    tree_tell_reparse(&m->tree, TREE_TAGS_SKIPPED, &m->report->watcher);
    return 0;
}

void mirroring_release(struct mirroring *m)
{
    tree_close(&m->tree);
    buffer_release(&m->root_name);
}
