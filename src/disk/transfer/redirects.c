/*
 * redirects.c: links that stand at the destination where the source has a folder, used as the
 * folders that they lead to (--keep-redirects). A link that is used so stays what it is.
 *
 * Such a folder becomes an anchor: a lock, a marker and temporary names of its own, since it may
 * lie on another file system, and the root that everything below it is reached from. It is opened
 * once, by following the link, and held: whatever becomes of the link later on, the run works in
 * the folder that was looked at. None may lie in what is read, or in another place that is written
 * to, nor hold one: there one file would be two.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk/nearest.h"
#include "disk/transfer/apply.h"

/* True if what is written or will be written below the anchor is or may be in the folder, or the
 * other way round. */
static bool meets_anchor(const struct anchor *a, os_handle folder, struct error *err)
{
    os_handle there = OS_NO_HANDLE;
    size_t known;

    if (a->folder != OS_NO_HANDLE)
        return os_folders_overlap(a->folder, folder, err) != 0;
    if (nearest_open(a->path, &known, &there, err))
        return true;
    int below = os_folder_is_below(there, folder, err);
    os_close(there);
    return below != 0;
}

/* True if the folder is, holds or lies in an older copy, or may do so. */
static bool meets_older(const struct run *r, os_handle folder, struct error *err)
{
    const struct transfer_options *o = r->options;

    for (size_t i = 0; i < o->older_count; i++) {
        os_handle older = OS_NO_HANDLE;
        int common = os_open_root(o->older[i].place, &older, err)
                         ? -1
                         : os_folders_overlap(older, folder, err);
        os_close(older);
        if (common)
            return true;
    }
    return false;
}

/* Why the folder may not be written to: static text, or NULL. */
static const char *forbids(const struct run *r, os_handle folder, struct error *err)
{
    if (r->redirects.count == REDIRECTS_MAX)
        return "a link that leads to a folder: no more than 16 are used as folders";
    if (r->redirects.source != OS_NO_HANDLE && os_folders_overlap(r->redirects.source, folder, err))
        return "a link to a folder of the source, or to one that holds it, cannot be used as a "
               "folder";
    if (meets_older(r, folder, err))
        return "a link to a folder of an older copy, or to one that holds it, cannot be used as a "
               "folder";
    for (size_t i = 0; i < r->anchor_count; i++) {
        if (meets_anchor(&r->anchors[i], folder, err))
            return "a link into the destination, to what holds it, or to where another link leads "
                   "cannot be used as a folder";
    }
    return NULL;
}

/* Why it could not be opened. */
static const char *unopened(const struct error *problem)
{
    if (os_error_is_missing(problem) || os_error_is_link(problem))
        return "a link that leads to no folder cannot be used as one";
    if (problem->kind == ERROR_CHANGED)
        return "another link took the place of this one meanwhile";
    return "the folder that this link leads to cannot be opened";
}

static bool is_fatal(const struct error *problem)
{
    return problem->kind == ERROR_MEMORY || problem->kind == ERROR_INTERRUPTED;
}

static char *copy_path(struct bytes path, struct error *err)
{
    char *copy = malloc(path.size + 1);

    if (!copy) {
        (void)error_memory(err);
        return NULL;
    }
    memcpy(copy, path.data, path.size);
    copy[path.size] = '\0';
    return copy;
}

/* Makes the folder an anchor. The handle is taken, also on failure. */
static int add_anchor(struct run *r, struct bytes path, os_handle folder, struct error *err)
{
    struct redirects *all = &r->redirects;
    struct anchor *a = &r->anchors[r->anchor_count];
    struct buffer place = {0};
    enum anchor_use use = r->options->mode == TRANSFER_DRY_RUN ? ANCHOR_LOOK : ANCHOR_CHECK;
    char *root = copy_path(path, err);
    int result = -1;

    if (!root || os_handle_path(folder, &place, err) || buffer_terminate(&place, err) ||
        anchor_init(a, (const char *)place.data, root, err)) {
        os_close(folder);
        goto out;
    }
    a->is_redirect = true;
    if (anchor_take_over(a, folder, use, err) || run_look_at_place(r, a, err)) {
        anchor_release(a);
        goto out;
    }
    all->paths[all->count++] = root;
    root = NULL;
    r->anchor_count++;
    result = 0;
out:
    free(root);
    buffer_release(&place);
    return result;
}

static void tell_used(struct run *r, struct bytes path)
{
    const struct anchor *a = &r->anchors[r->anchor_count - 1];
    char text[400];

    (void)snprintf(text, sizeof text, "this link is used as the folder that it leads to: %s",
                   a->path);
    watcher_remark(r->watcher, path, text);
}

/* Opens what the link in hand leads to, if it may be used: 1; 0 or -1 and why. */
static int open_folder(struct run *r, os_handle *out, struct error *err)
{
    struct redirects *all = &r->redirects;
    int known = walk_link_follow(r->walk, r->options->redirects->drives, out, err);

    all->why = "nobody knows where this link of Windows leads: --drive C:=FOLDER says it";
    if (known != 1) {
        all->why = known < 0 ? unopened(err) : all->why;
        return known;
    }
    all->why = forbids(r, *out, err);
    if (!all->why)
        return 1;
    os_close(*out);
    return 0;
}

/* Has the run, and the walk, work in the folder of the link in hand: 1; 0 or -1 and why. */
static int use_folder(struct run *r, const struct entry **have, struct error *err)
{
    struct bytes path = (*have)->path;
    os_handle folder, walked;
    int opened = open_folder(r, &folder, err);

    if (opened != 1)
        return opened;
    r->redirects.why = "the folder that this link leads to cannot be looked at";
    if (os_open_beneath(folder, bytes_make(NULL, 0), &walked, err)) {
        os_close(folder);
        return -1;
    }
    if (add_anchor(r, path, folder, err)) {
        if (err->kind == ERROR_REFUSED)
            r->redirects.why = "another run is writing to the folder that this link leads to";
        os_close(walked);
        return -1;
    }
    tell_used(r, path);
    return walk_link_enter(r->walk, walked, have, err) ? -1 : 1;
}

/* What fails here is this link's trouble, and told by the plan; the run goes on. */
static int adapt(struct diff_adapter *adapter, const struct entry **have, struct error *err)
{
    struct run *r = ((struct redirects *)adapter)->run;
    struct error problem = {0};
    int result = 0;

    (void)use_folder(r, have, &problem);
    if (is_fatal(&problem)) {
        error_move(err, &problem);
        result = -1;
    }
    error_release(&problem);
    return result;
}

int redirects_init(struct run *r, struct error *err)
{
    const struct transfer_redirects *o = r->options->redirects;
    struct redirects *all = &r->redirects;

    *all = (struct redirects){.adapter = {adapt}, .run = r, .source = OS_NO_HANDLE};
    if (!o)
        return 0;
    if (!r->facts->ordered)
        return error_set(err, ERROR_USAGE, NULL,
                         "--keep-redirects: the entries of another tool's archive come in no "
                         "order, so that a link might be one of them");
    return o->apart_from ? os_open_root(o->apart_from, &all->source, err) : 0;
}

void redirects_release(struct redirects *all)
{
    os_close(all->source);
    while (all->count)
        free(all->paths[--all->count]);
}
