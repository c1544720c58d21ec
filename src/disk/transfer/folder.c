/*
 * folder.c: folders. A new one is 0700 until it is left; then it gets its metadata by its handle,
 * as all below is done.
 */
#include "disk/transfer/apply.h"

/* Makes the folder and opens it. */
static int make_and_open(os_handle folder, const char *name, os_handle *out, struct error *err)
{
    struct error ignored = {0};

    if (os_make_dir(folder, name, 0700, err))
        return -1;
    if (!os_open_dir(folder, name, out, err))
        return 0;
    if (os_remove_dir(folder, name, &ignored))
        error_release(&ignored);
    return -1;
}

/* What is no folder gives way: it is set aside, so that it is back if the folder cannot be made. */
static int replace_and_open(struct run *r, os_handle *out, struct error *err)
{
    os_handle folder = position_folder(r);
    const char *name = (const char *)r->name.data;
    char aside[ANCHOR_NAME_BYTES];
    struct error ignored = {0};

    int unlocked = placing_unlock(r, name, err);
    if (unlocked < 0)
        return -1;
    run_temporary_name(r, aside);
    if (os_rename(folder, name, folder, aside, err))
        return -1;
    if (make_and_open(folder, name, out, err)) {
        if (os_rename(folder, aside, folder, name, &ignored))
            error_release(&ignored);
        return -1;
    }
    return os_remove(folder, aside, err);
}

/* A new folder has what its parent hands down, which is not its own. */
static int strip_inherited(struct run *r, os_handle folder, uint32_t inherits, struct error *err)
{
    struct os_object o = {.handle = folder};

    if (inherits & INHERITS_ACL) {
        if (os_remove_xattr(&o, "system.posix_acl_default", err))
            return -1;
        if (os_list_xattrs(&o, &r->xattrs, err))
            return -1;
        if (pairs_find(&r->xattrs, bytes_of("system.posix_acl_access")) >= 0 &&
            os_remove_xattr(&o, "system.posix_acl_access", err))
            return -1;
        if (os_set_mode(&o, 0700, err))
            return -1;
    }
    return inherits & INHERITS_FLAGS ? os_set_flags(&o, 0, err) : 0;
}

/* Remembers what the folder is to become, for when it is left, or for the end of the run where its
 * content may come at any time. */
static int keep_goal(struct run *r, const struct difference_pair *pair, uint32_t fields,
                     const struct os_stat *status, struct error *err)
{
    struct level *level = position_level(r);

    if (!r->facts->ordered) {
        struct meta_goal goal = {.want = &pair->want->meta, .fields = fields};
        goal.fresh = level->created;
        return late_add_folder(r, pair->want->path, status, &goal, err);
    }
    level->fields |= fields;
    level->has_want = true;
    return meta_copy(&level->want, &pair->want->meta, err);
}

/* The innermost folder becomes the one named r->name in it. */
static int go_into(struct run *r, struct bytes path, os_handle handle, struct os_stat *status,
                   struct error *err)
{
    size_t before = r->here.size;

    if (os_stat_handle(handle, status, err))
        goto failed;
    buffer_clear(&r->here);
    if (buffer_append(&r->here, path.data, path.size, err))
        goto failed;
    if (!position_push(r, handle, status, err))
        return 0;
    r->here.size = before;
    return -1;

failed:
    r->here.size = before;
    os_close(handle);
    return -1;
}

static int create(struct run *r, const struct difference_pair *pair, struct error *err)
{
    os_handle folder = OS_NO_HANDLE;
    struct os_stat status;

    if (position_touch(r, err))
        return -1;
    if (pair->have ? replace_and_open(r, &folder, err)
                   : make_and_open(position_folder(r), (const char *)r->name.data, &folder, err))
        return -1;
    if (strip_inherited(r, folder, position_level(r)->inherits, err)) {
        os_close(folder);
        return -1;
    }
    if (go_into(r, pair->want->path, folder, &status, err))
        return -1;
    position_level(r)->created = true;
    r->counts->created += !pair->have;
    r->counts->replaced += pair->have != NULL;
    run_change(r, pair->want, pair->have ? "replace" : "create");
    return keep_goal(r, pair, pair->want->meta.known, &status, err);
}

static int enter(struct run *r, const struct difference_pair *pair, struct error *err)
{
    os_handle folder;
    struct os_stat status;

    if (os_open_dir(position_folder(r), (const char *)r->name.data, &folder, err) ||
        go_into(r, pair->want->path, folder, &status, err))
        return -1;
    const struct identity *seen = &pair->have->identity;
    if (status.device != seen->volume || status.file[0] != seen->file[0])
        return error_set(err, ERROR_CHANGED, "open folder",
                         "another folder took its place meanwhile");
    return keep_goal(r, pair, pair->fields, &status, err);
}

/* Tells what becomes of a folder that was there. */
static void tell_entered(struct run *r, const struct difference_pair *pair)
{
    if (pair->fields) {
        r->counts->updated++;
        run_change(r, pair->want, "metadata");
    } else {
        r->counts->unchanged++;
    }
}

/* The root that is the anchor itself: its folder is the position already. */
static int enter_anchor(struct run *r, const struct difference_pair *pair, struct error *err)
{
    struct level *level = position_level(r);
    uint32_t fields = level->created ? pair->want->meta.known : pair->fields;

    if (level->created) {
        r->counts->created++;
        run_change(r, pair->want, "create");
    } else {
        tell_entered(r, pair);
    }
    return keep_goal(r, pair, fields, &level->found, err);
}

int folder_apply(struct run *r, const struct difference_pair *pair, struct error *err)
{
    if (position_enter(r, pair->want->path, err))
        return -1;
    if (!r->name.size)
        return enter_anchor(r, pair, err);
    bool there = pair->have && pair->have->kind == ENTRY_DIRECTORY;
    if (there ? enter(r, pair, err) : create(r, pair, err))
        return -1;
    if (there)
        tell_entered(r, pair);
    return 0;
}
