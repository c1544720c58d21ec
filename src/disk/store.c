/*
 * store.c: see store.h.
 */
#include "disk/store.h"

#include <stdlib.h>
#include <string.h>

#include "disk/newlink.h"

static const char latest_name[] = "latest";
/* The lock is held while it stands, so that one name is enough. */
static const char coming_name[] = ".holdfast-latest";

/* ---- Opening ---- */

static int compare_items(const void *a, const void *b)
{
    const struct store_item *x = a, *y = b;

    if (x->seconds != y->seconds)
        return x->seconds < y->seconds ? -1 : 1;
    return (int)x->state - (int)y->state;
}

/* 1 if a folder of that name stands there, itself; 0, -1. */
static int is_folder(const struct store *s, const char *name, struct error *err)
{
    struct os_stat status;

    if (!os_stat_at(s->anchor.folder, name, &status, err))
        return status.kind == OS_DIRECTORY;
    if (!os_error_is_missing(err))
        return -1;
    error_release(err);
    return 0;
}

static int find_items(struct store *s, struct error *err)
{
    struct os_listing names = {0};
    int result = -1;

    if (os_list(s->anchor.folder, &names, err))
        goto out;
    s->items = calloc(names.count + 1, sizeof *s->items); /* one for store_add */
    if (!s->items) {
        error_memory(err);
        goto out;
    }
    for (size_t i = 0; i < names.count; i++) {
        const char *name = os_listing_name(&names, i);
        struct store_item *item = &s->items[s->count];
        int folder = snapshot_name_parse(bytes_of(name), &item->seconds, &item->state)
                         ? is_folder(s, name, err)
                         : 0;
        if (folder < 0)
            goto out;
        s->count += (size_t)folder;
    }
    qsort(s->items, s->count, sizeof *s->items, compare_items);
    result = 0;
out:
    os_listing_release(&names);
    return result;
}

int store_open(struct store *s, const char *path, enum store_use use, struct error *err)
{
    *s = (struct store){.path = path};
    if (anchor_init(&s->anchor, path, NULL, err) ||
        anchor_open(&s->anchor, use == STORE_WRITE ? ANCHOR_MAKE : ANCHOR_LOOK, err))
        return -1;
    return s->anchor.folder == OS_NO_HANDLE ? 0 : find_items(s, err);
}

void store_close(struct store *s)
{
    if (s->path)
        anchor_release(&s->anchor);
    free(s->items);
    *s = (struct store){0};
}

const struct store_item *store_newest(const struct store *s, enum snapshot_state state)
{
    for (size_t i = s->count; i-- > 0;) {
        if (s->items[i].state == state)
            return &s->items[i];
    }
    return NULL;
}

int store_append_path(const struct store *s, const struct store_item *item, struct buffer *out,
                      struct error *err)
{
    char name[SNAPSHOT_NAME_BYTES];
    size_t bytes = strlen(s->path);

    snapshot_name(name, item->seconds, item->state);
    if (buffer_append(out, s->path, bytes, err) ||
        (bytes && s->path[bytes - 1] != '/' && buffer_append_byte(out, '/', err)) ||
        buffer_append(out, name, strlen(name), err))
        return -1;
    return buffer_terminate(out, err);
}

/* ---- Changing ---- */

static void sort_items(struct store *s)
{
    qsort(s->items, s->count, sizeof *s->items, compare_items);
}

bool store_has_marker(const struct store *s, const struct store_item *item)
{
    struct buffer path = {0};
    struct error ignored = {0};
    struct anchor a;
    bool found = false;

    if (!store_append_path(s, item, &path, &ignored) &&
        !anchor_init(&a, (const char *)path.data, NULL, &ignored)) {
        found = !anchor_open(&a, ANCHOR_LOOK, &ignored) && a.dead.size != 0;
        anchor_release(&a);
    }
    error_release(&ignored);
    buffer_release(&path);
    return found;
}

void store_add(struct store *s, const struct store_item *item)
{
    s->items[s->count++] = *item;
    sort_items(s);
}

int store_rename(struct store *s, const struct store_item *from, const struct store_item *to,
                 struct error *err)
{
    char old_name[SNAPSHOT_NAME_BYTES], new_name[SNAPSHOT_NAME_BYTES];
    struct store_item was = *from;
    struct os_stat status;

    if (!compare_items(from, to))
        return 0;
    snapshot_name(old_name, from->seconds, from->state);
    snapshot_name(new_name, to->seconds, to->state);
    if (!os_stat_at(s->anchor.folder, new_name, &status, err)) {
        error_set(err, ERROR_REFUSED, "rename", "something of the new name stands there");
        return error_at(err, new_name, strlen(new_name));
    }
    if (!os_error_is_missing(err))
        return -1;
    error_release(err);
    if (os_rename(s->anchor.folder, old_name, s->anchor.folder, new_name, err))
        return -1;
    for (size_t i = 0; i < s->count; i++) {
        if (!compare_items(&s->items[i], &was))
            s->items[i] = *to;
    }
    sort_items(s);
    return 0;
}

int store_sync(const struct store *s, struct error *err)
{
    return os_sync_file(s->anchor.folder, err);
}

/* True if `latest` leads to that name already; *kind is what it is, OS_KIND_UNKNOWN if nothing. */
static int look_at_latest(const struct store *s, const char *name, enum os_kind *kind,
                          struct error *err)
{
    struct buffer target = {0};
    struct os_stat status;
    int result = 0;

    *kind = OS_KIND_UNKNOWN;
    if (os_stat_at(s->anchor.folder, latest_name, &status, err)) {
        if (!os_error_is_missing(err))
            return -1;
        error_release(err);
        return 0;
    }
    *kind = status.kind;
    if (status.kind != OS_SYMLINK)
        return 0;
    if (os_read_link(s->anchor.folder, latest_name, &target, err))
        result = -1;
    else
        result = bytes_equal(buffer_bytes(&target), bytes_of(name));
    buffer_release(&target);
    return result;
}

/* What a killed run left beside `latest` is a symbolic link, or the empty folder that one of NTFS
 * begins as. Anything else stays, and the link cannot be made. */
static int clear_coming(const struct store *s, struct error *err)
{
    struct os_stat status;

    if (os_stat_at(s->anchor.folder, coming_name, &status, err)) {
        if (!os_error_is_missing(err))
            return -1;
        error_release(err);
        return 0;
    }
    if (status.kind == OS_SYMLINK)
        return os_remove(s->anchor.folder, coming_name, err);
    return status.kind == OS_DIRECTORY ? os_remove_dir(s->anchor.folder, coming_name, err) : 0;
}

/* Makes the link beside `latest`. */
static int make_coming(struct store *s, const char *target, struct error *err)
{
    struct newlink link = {.kind = NEWLINK_SYMBOLIC, .flavour = NEWLINK_FOLDER, .target = target};
    struct newlink_made made = {0};
    struct buffer place = {0};
    int result = -1;

    if (clear_coming(s, err))
        return -1;
    if (!buffer_append(&place, s->path, strlen(s->path), err) &&
        !buffer_append_byte(&place, '/', err) &&
        !buffer_append(&place, coming_name, strlen(coming_name), err) &&
        !buffer_terminate(&place, err)) {
        link.place = (const char *)place.data;
        result = newlink_make(&link, &made, err);
    }
    buffer_release(&made.target);
    buffer_release(&place);
    return result;
}

int store_set_latest(struct store *s, const struct store_item *item, enum store_latest *out,
                     struct error *err)
{
    char name[SNAPSHOT_NAME_BYTES];
    struct error ignored = {0};
    enum os_kind kind;

    snapshot_name(name, item->seconds, item->state);
    int leads = look_at_latest(s, name, &kind, err);
    if (leads < 0)
        return -1;
    *out = STORE_LATEST_LEADS;
    if (leads)
        return 0;
    if (kind != OS_SYMLINK && kind != OS_KIND_UNKNOWN) {
        *out = STORE_LATEST_IN_THE_WAY;
        return 0;
    }
    if (make_coming(s, name, err)) {
        if (err->kind != ERROR_USAGE && !os_error_is_permission(err) &&
            !os_error_is_unsupported(err))
            return -1;
        error_release(err);
        *out = STORE_LATEST_IMPOSSIBLE;
        return 0;
    }
    if (!os_rename(s->anchor.folder, coming_name, s->anchor.folder, latest_name, err))
        return 0;
    if (os_remove(s->anchor.folder, coming_name, &ignored))
        error_release(&ignored);
    return -1;
}

int store_remove(struct store *s, const struct store_item *item, struct removal *task,
                 struct error *err)
{
    struct store_item gone = *item;
    char name[SNAPSHOT_NAME_BYTES];
    struct os_stat status;

    if (gone.state == SNAPSHOT_WHOLE && task->mode == REMOVAL_DO) {
        gone.state = SNAPSHOT_PRUNED;
        if (store_rename(s, item, &gone, err) || store_sync(s, err))
            return -1;
    }
    snapshot_name(name, gone.seconds, gone.state);
    if (os_stat_at(s->anchor.folder, name, &status, err))
        return -1;
    task->folder = s->anchor.folder;
    task->name = name;
    task->identity = (struct identity){status.device, {status.file[0], status.file[1]}};
    return removal_run(task);
}
