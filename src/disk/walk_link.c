/*
 * walk_link.c: a link of a destination in whose place the folder comes that it leads to.
 */
#include "disk/drive_way.h"
#include "disk/walk_state.h"

/* Opens what a target of Windows means here: 1, 0, -1. */
static int open_by_drive(const struct walk *w, const struct drives *drives, os_handle *out,
                         struct error *err)
{
    const struct drive_start start = {drives, w->current.status.device};
    enum os_leads leads = OS_LEADS_NOWHERE;
    struct buffer path = {0};
    int known = drives ? drive_way_follow(&start, w->entry.target, &leads, &path, err) : 0;

    if (known == 1 && leads != OS_LEADS_SOMEWHERE)
        known = error_set(err, ERROR_REFUSED, "open folder", "it leads to nothing");
    if (known == 1 &&
        (buffer_terminate(&path, err) || os_open_root((const char *)path.data, out, err)))
        known = -1;
    buffer_release(&path);
    return known;
}

int walk_link_follow(struct source *walk, const struct drives *drives, os_handle *out,
                     struct error *err)
{
    const struct walk *w = walk_of(walk);
    const struct walk_subject *t = &w->current;
    struct os_stat now;
    int known = 1;

    *out = OS_NO_HANDLE;
    if (drive_way_decides(&w->entry))
        known = open_by_drive(w, drives, out, err);
    else if (os_follow_dir(t->folder, t->name, out, err))
        known = -1;
    if (known != 1)
        return known;
    if (!os_stat_at(t->folder, t->name, &now, err)) {
        if (now.device == t->status.device && now.file[0] == t->status.file[0])
            return 1;
        error_set(err, ERROR_CHANGED, "open folder", "another link took its place meanwhile");
    }
    os_close(*out);
    *out = OS_NO_HANDLE;
    return -1;
}

int walk_link_enter(struct source *walk, os_handle folder, const struct entry **out,
                    struct error *err)
{
    struct walk *w = walk_of(walk);

    walk_subject_close(&w->current);
    w->current = (struct walk_subject){.folder = OS_NO_HANDLE, .name = "", .open = folder};
    w->is_apart = true;
    *out = &w->entry;
    return walk_take(w, err) < 0 ? -1 : 0;
}
