/*
 * late.c: metadata that has to wait for the end of the run: immutable and append-only flags, which
 * refuse links, and the folders of archives whose entries come in any order. Each is found again
 * below its anchor without passing a link and is touched only if it is the object that was recorded
 * (SAFETY R12).
 */
#include "disk/transfer/apply.h"

#include <stdlib.h>
#include <string.h>

struct late_folder {
    struct buffer path;
    uint64_t device, file;
    uint32_t fields;
    bool fresh;
    size_t depth, order;
    struct metadata want;
};

void late_release(struct late *l)
{
    for (size_t i = 0; i < l->folder_count; i++) {
        buffer_release(&l->folders[i].path);
        pairs_release(&l->folders[i].want.xattrs);
    }
    free(l->folders);
    buffer_release(&l->flags);
    *l = (struct late){0};
}

/* Finds an object again: a folder by its own handle, anything else by its name. 0 and *o, whose
 * handle the caller closes. */
static int reach(struct run *r, struct bytes path, struct os_object *o, struct os_stat *status,
                 struct error *err)
{
    struct spot spot;
    os_handle folder = OS_NO_HANDLE;
    int result = -1;

    *o = (struct os_object){.handle = OS_NO_HANDLE};
    if (position_spot(r, path, &spot, err) || position_open_parent(r, &spot, &folder, err))
        return -1;
    if (!spot.name.size) {
        o->handle = folder;
        return os_stat_handle(folder, status, err);
    }
    buffer_clear(&r->name);
    if (buffer_append(&r->name, spot.name.data, spot.name.size, err) ||
        buffer_terminate(&r->name, err))
        goto out;
    const char *name = (const char *)r->name.data;
    if (os_stat_at(folder, name, status, err))
        goto out;
    if (status->kind == OS_DIRECTORY)
        result = os_open_dir(folder, name, &o->handle, err);
    else
        result = os_open_file(folder, name, &o->handle, err);
    if (result) {
        o->handle = OS_NO_HANDLE;
        goto out;
    }
    result = os_stat_handle(o->handle, status, err);
out:
    os_close(folder);
    return result;
}

static int check_identity(const struct os_stat *s, uint64_t device, uint64_t file,
                          struct error *err)
{
    if (s->device == device && s->file[0] == file)
        return 0;
    return error_set(err, ERROR_CHANGED, "set metadata", "another object took its place meanwhile");
}

/* ---- Folders ---- */

static int grow(struct late *l, struct error *err)
{
    size_t capacity = l->folder_capacity ? l->folder_capacity * 2 : 64;
    struct late_folder *folders;

    if (l->folder_count < l->folder_capacity)
        return 0;
    folders = realloc(l->folders, capacity * sizeof *folders);
    if (!folders)
        return error_memory(err);
    l->folders = folders;
    l->folder_capacity = capacity;
    return 0;
}

static size_t count_slashes(struct bytes path)
{
    size_t count = 0;

    for (size_t i = 0; i < path.size; i++)
        count += path.data[i] == '/';
    return count;
}

int late_add_folder(struct run *r, struct bytes path, const struct os_stat *status,
                    const struct meta_goal *goal, struct error *err)
{
    struct late *l = &r->late;

    if (grow(l, err))
        return -1;
    struct late_folder *f = &l->folders[l->folder_count];
    *f = (struct late_folder){
        .device = status->device,
        .file = status->file[0],
        /* What comes below it changes its time. */
        .fields = (goal->fields | METADATA_MTIME) & goal->want->known & ~r->ignore,
        .fresh = goal->fresh,
        .depth = count_slashes(path),
        .order = l->folder_count++,
    };
    if (buffer_append(&f->path, path.data, path.size, err))
        return -1;
    return meta_copy(&f->want, goal->want, err);
}

/* Deepest first; of one folder that came twice the last word counts. */
static int compare_folders(const void *a, const void *b)
{
    const struct late_folder *x = a, *y = b;

    if (x->depth != y->depth)
        return x->depth > y->depth ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static int finish_folder(struct run *r, const struct late_folder *f, struct error *err)
{
    struct os_object o;
    struct os_stat status;
    int result = -1;

    if (reach(r, buffer_bytes(&f->path), &o, &status, err) ||
        check_identity(&status, f->device, f->file, err))
        goto out;
    struct meta_goal goal = {
        .want = &f->want,
        .fields = f->fields,
        .kind = ENTRY_DIRECTORY,
        .now = &status,
        .fresh = f->fresh,
        .path = buffer_bytes(&f->path),
    };
    result = meta_set(r, &o, &goal, err);
out:
    os_close(o.handle);
    return result;
}

int late_finish_folders(struct run *r, struct error *err)
{
    struct late *l = &r->late;

    if (l->folder_count)
        qsort(l->folders, l->folder_count, sizeof *l->folders, compare_folders);
    for (size_t i = 0; i < l->folder_count; i++) {
        struct late_folder *f = &l->folders[i];
        if (finish_folder(r, f, err) && run_failed(r, buffer_bytes(&f->path), err))
            return -1;
    }
    return 0;
}

/* ---- Flags ---- */

int late_add_flags(struct run *r, struct bytes path, const struct os_stat *status, uint32_t flags,
                   struct error *err)
{
    struct buffer *b = &r->late.flags;

    if (buffer_append_string(b, path, err) || buffer_append_u64(b, status->device, err) ||
        buffer_append_u64(b, status->file[0], err))
        return -1;
    return buffer_append_u32(b, flags, err);
}

struct late_flags {
    struct bytes path;
    uint64_t device, file;
    uint32_t flags;
};

static int next_flags(struct cursor *c, struct late_flags *out, struct error *err)
{
    if (cursor_string(c, &out->path, err) || cursor_u64(c, &out->device, err) ||
        cursor_u64(c, &out->file, err))
        return -1;
    return cursor_u32(c, &out->flags, err);
}

static int finish_flags(struct run *r, const struct late_flags *f, struct error *err)
{
    struct os_object o;
    struct os_stat status;
    int result = -1;

    if (!reach(r, f->path, &o, &status, err) && !check_identity(&status, f->device, f->file, err))
        result = os_set_flags(&o, f->flags, err);
    os_close(o.handle);
    return result;
}

static bool is_anchor(const struct run *r, const struct late_flags *f)
{
    for (size_t i = 0; i < r->anchor_count; i++) {
        const struct anchor *a = &r->anchors[i];
        if (a->folder != OS_NO_HANDLE && a->device == f->device && a->file == f->file)
            return true;
    }
    return false;
}

int late_finish_flags(struct run *r, enum late_flags_of which, struct error *err)
{
    struct cursor c = {r->late.flags.data, r->late.flags.size};
    struct late_flags f;

    while (c.left) {
        if (next_flags(&c, &f, err))
            return -1;
        if (is_anchor(r, &f) != (which == LATE_ANCHORS) || !finish_flags(r, &f, err))
            continue;
        if (!os_error_is_permission(err) && !os_error_is_unsupported(err)) {
            if (run_failed(r, f.path, err))
                return -1;
            continue;
        }
        watcher_loss(r->watcher, f.path, "file flags not set", err);
        error_release(err);
    }
    return 0;
}
