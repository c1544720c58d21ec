/*
 * batch.c: see batch.h.
 */
#include "disk/batch.h"

#include <stdlib.h>

/* ---- Losses, kept ---- */

static struct batch *batch_of(struct watcher *w)
{
    return (struct batch *)(void *)((char *)w - offsetof(struct batch, watcher));
}

static int grow_losses(struct batch *b)
{
    size_t capacity = b->loss_capacity ? b->loss_capacity * 2 : 16;
    struct batch_loss *losses;

    if (b->loss_count < b->loss_capacity)
        return 0;
    losses = realloc(b->losses, capacity * sizeof *losses);
    if (!losses)
        return -1;
    b->losses = losses;
    b->loss_capacity = capacity;
    return 0;
}

static void keep_loss(struct watcher *w, const struct notice *n)
{
    struct batch *b = batch_of(w);

    if (grow_losses(b)) {
        b->loss_missing = true;
        return;
    }
    struct batch_loss *l = &b->losses[b->loss_count++];
    *l = (struct batch_loss){.file = b->at, .reason = n->reason};
    if (n->problem) {
        l->cause = *n->problem;
        l->cause.path = NULL; /* the file's, which is told with it */
        l->cause.path_bytes = 0;
    }
}

/* ---- Making ---- */

/* Removes a file that is not whole, if it still is the one that stands there. Its folder gets its
 * time later. */
static void remove_file(os_handle folder, const char *name, const struct os_stat *made)
{
    struct error ignored = {0};
    struct os_stat status;

    if (os_stat_at(folder, name, &status, &ignored) || status.device != made->device ||
        status.file[0] != made->file[0] || os_remove(folder, name, &ignored))
        error_release(&ignored); /* it stays, unreadable for others and without its time:
                                    recognisably unfinished */
}

/* Gives a file that was just created all that it is to have, and closes it. */
static int fill_file(struct batch *b, struct batch_file *f, os_handle handle, struct error *err)
{
    struct os_object object = {.handle = handle};
    struct meta_hand hand = {.run = b->run, .watcher = &b->watcher, .xattrs = &b->xattrs};
    struct meta_goal goal = {
        .want = &f->want,
        .fields = f->want.known & ~b->run->ignore,
        .kind = ENTRY_FILE,
        .now = &f->made,
        .fresh = true,
        .inherits = b->folders[f->folder].inherits,
        .path = batch_path(b, f),
    };

    if (os_write_at(handle, 0, bytes_make(b->data + f->data_at, f->data_bytes), err) ||
        meta_apply(&hand, &object, &goal, err)) {
        os_close(handle);
        return -1;
    }
    if (os_close_checked(handle, err))
        return -1;
    return b->loss_missing ? error_memory(err) : 0;
}

static int make_file(struct batch *b, struct batch_file *f, struct error *err)
{
    os_handle folder = b->folders[f->folder].handle, file;
    const char *name = (const char *)b->paths.data + f->name_at;

    if (os_create_file(folder, name, 0600, &file, err))
        return -1;
    if (os_stat_handle(file, &f->made, err)) {
        os_close(file);
        return -1;
    }
    if (!fill_file(b, f, file, err))
        return 0;
    remove_file(folder, name, &f->made);
    return -1;
}

static void make_all(struct pool_task *t)
{
    struct batch *b = (struct batch *)t;

    for (b->at = 0; b->at < b->count; b->at++) {
        struct batch_file *f = &b->files[b->at];
        f->failed = make_file(b, f, &f->failure) != 0;
    }
}

/* ---- The batch ---- */

void batch_init(struct batch *b, const struct run *run)
{
    *b = (struct batch){.task.work = make_all, .watcher.notice = keep_loss, .run = run};
}

void batch_clear(struct batch *b)
{
    for (size_t i = 0; i < b->folder_count; i++)
        os_close(b->folders[i].handle);
    b->folder_count = 0;
    b->count = 0;
    b->data_bytes = 0;
    b->loss_count = 0;
    b->loss_missing = false;
    buffer_clear(&b->paths);
}

void batch_release(struct batch *b)
{
    batch_clear(b);
    for (size_t i = 0; i < BATCH_FILES; i++)
        pairs_release(&b->files[i].want.xattrs);
    for (size_t i = 0; i < BATCH_FOLDERS; i++)
        pairs_release(&b->folders[i].want.xattrs);
    buffer_release(&b->paths);
    pairs_release(&b->xattrs);
    free(b->losses);
    free(b->data);
}

struct bytes batch_path(const struct batch *b, const struct batch_file *f)
{
    return bytes_make(b->paths.data + f->path_at, f->path_bytes);
}

struct bytes batch_folder_path(const struct batch *b, const struct batch_folder *f)
{
    return bytes_make(b->paths.data + f->path_at, f->path_bytes);
}

int batch_add_folder(struct batch *b, os_handle folder, uint32_t inherits, struct error *err)
{
    struct batch_folder *f = &b->folders[b->folder_count];
    struct pairs xattrs = f->want.xattrs;

    *f = (struct batch_folder){
        .inherits = inherits, .want.xattrs = xattrs, .path_at = b->paths.size};
    if (os_duplicate(folder, &f->handle, err))
        return -1;
    b->folder_count++;
    return 0;
}

int batch_add_file(struct batch *b, size_t folder, const struct entry *want, size_t bytes,
                   struct error *err)
{
    struct batch_file *f = &b->files[b->count];
    struct pairs xattrs = f->want.xattrs;
    struct bytes path = want->path;

    *f = (struct batch_file){
        .folder = folder,
        .may_grow = names_may_grow(b->run, want),
        .want.xattrs = xattrs,
        .path_at = b->paths.size,
        .path_bytes = path.size,
        .name_at = b->paths.size + (path.size - entry_name(want).size),
        .data_at = b->data_bytes,
        .data_bytes = bytes,
    };
    if (f->may_grow)
        f->key = hash_bytes(path);
    if (meta_copy(&f->want, &want->meta, err) ||
        buffer_append(&b->paths, path.data, path.size, err) ||
        buffer_append_byte(&b->paths, 0, err))
        return -1;
    b->data_bytes += bytes;
    b->count++;
    return 0;
}
