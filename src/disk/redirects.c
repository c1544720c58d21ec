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

#include "disk/apply.h"
#include "disk/nearest.h"

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

/* Why the folder may not be written to: static text, or NULL. */
static const char *forbids(const struct run *r, os_handle folder, struct error *err)
{
    if (r->redirects.count == REDIRECTS_MAX)
        return "a link that leads to a folder: no more than 16 are used as folders";
    if (r->redirects.source != OS_NO_HANDLE && os_folders_overlap(r->redirects.source, folder, err))
        return "a link to a folder of the source, or to one that holds it, cannot be used as a "
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

static bool is_fatal(struct error *problem, struct error *err)
{
    if (problem->kind != ERROR_MEMORY && problem->kind != ERROR_INTERRUPTED)
        return false;
    error_move(err, problem);
    return true;
}

static char *copy_path(struct bytes path)
{
    char *copy = malloc(path.size + 1);

    if (!copy)
        return NULL;
    memcpy(copy, path.data, path.size);
    copy[path.size] = '\0';
    return copy;
}

/* Makes the folder an anchor: 1; 0 and why if another run has it; -1. The handle is taken. */
static int add_anchor(struct run *r, struct bytes path, os_handle folder, struct error *err)
{
    struct redirects *all = &r->redirects;
    struct anchor *a = &r->anchors[r->anchor_count];
    struct buffer place = {0};
    struct error problem = {0};
    enum anchor_use use = r->options->mode == TRANSFER_DRY_RUN ? ANCHOR_LOOK : ANCHOR_CHECK;
    char *root = copy_path(path);
    int result = -1;

    if (!root || os_handle_path(folder, &place, err) || buffer_terminate(&place, err) ||
        anchor_init(a, (const char *)place.data, root, err)) {
        result = root ? -1 : error_memory(err);
        os_close(folder);
        free(root);
        goto out;
    }
    a->is_redirect = true;
    if (anchor_take_over(a, folder, use, &problem) || run_look_at_place(r, a, &problem)) {
        result = is_fatal(&problem, err) ? -1 : 0;
        all->why = problem.kind == ERROR_REFUSED
                       ? "another run is writing to the folder that this link leads to"
                       : "the folder that this link leads to cannot be looked at";
        anchor_release(a);
        free(root);
        goto out;
    }
    all->paths[all->count++] = root;
    r->anchor_count++;
    result = 1;
out:
    error_release(&problem);
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

/* Opens what the link in hand leads to and finds out whether it may be used: 1, 0 and why, -1. */
static int open_folder(struct run *r, os_handle *out, struct error *err)
{
    struct redirects *all = &r->redirects;
    struct error problem = {0};
    int known = walk_link_follow(r->walk, r->options->redirects->drives, out, &problem);

    all->why = "nobody knows where this link of Windows leads: --drive C:=FOLDER says it";
    if (known < 0) {
        all->why = unopened(&problem);
        known = is_fatal(&problem, err) ? -1 : 0;
    } else if (known == 1) {
        all->why = forbids(r, *out, &problem);
        if (all->why) {
            known = is_fatal(&problem, err) ? -1 : 0;
            os_close(*out);
        }
    }
    error_release(&problem);
    return known;
}

static int adapt(struct diff_adapter *adapter, const struct entry **have, struct error *err)
{
    struct run *r = ((struct redirects *)adapter)->run;
    struct bytes path = (*have)->path;
    os_handle folder, walked;
    int used = open_folder(r, &folder, err);

    if (used != 1)
        return used;
    if (os_open_beneath(folder, bytes_make(NULL, 0), &walked, err)) {
        os_close(folder);
        return -1;
    }
    used = add_anchor(r, path, folder, err);
    if (used != 1) {
        os_close(walked);
        return used;
    }
    tell_used(r, path);
    return walk_link_enter(r->walk, walked, have, err);
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
