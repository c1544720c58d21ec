/*
 * batch.c: see batch.h.
 */
#include "disk/transfer/batch.h"

#include <stdlib.h>
#include <string.h>

#include "disk/transfer/sharing.h"

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
    *l = (struct batch_loss){.item = b->at, .reason = n->reason};
    if (n->problem) {
        l->cause = *n->problem;
        l->cause.path = NULL; /* the item's, which is told with it */
        l->cause.path_bytes = 0;
    }
}

/* ---- Doing ---- */

/* True if the name is that of the item's file. */
static int is_there(const struct batch_item *it, os_handle folder, const char *name,
                    struct error *err)
{
    struct os_stat status;

    if (os_stat_at(folder, name, &status, err))
        return -1;
    return status.device == it->device && status.file[0] == it->file;
}

/* Removes a file that is not whole, if it still is the one that stands there. Its folder gets its
 * time later. */
static void remove_file(const struct batch_item *it, os_handle folder, const char *name)
{
    struct error ignored = {0};

    if (is_there(it, folder, name, &ignored) <= 0 || os_remove(folder, name, &ignored))
        error_release(&ignored); /* it stays, unreadable for others and without its time:
                                    recognisably unfinished */
}

static int read_piece(struct batch_item *it, uint64_t at, struct data_span to, struct error *err)
{
    if (!data_read_full(it->content, at, to, err))
        return 0;
    it->reading_failed = true;
    return -1;
}

/* Of another time at the end, or not as long as it was, what was read is a mixture. */
static int end_reading(struct batch *b, struct batch_item *it, struct error *err)
{
    int changed = data_changed(it->content, err);

    it->reading_failed = changed < 0;
    if (changed > 0)
        watcher_loss(&b->watcher, batch_path(b, it), "changed while it was read", NULL);
    return changed < 0 ? -1 : 0;
}

static struct data_span room_of(const struct batch *b, const struct batch_item *it)
{
    return (struct data_span){b->data + it->data_at, it->data_bytes};
}

/* Copies a range by the system's own means, or through the item's room. */
static int copy_range(struct batch *b, struct batch_item *it, struct sharing_way *way,
                      struct extent e, struct error *err)
{
    struct data_span room = room_of(b, it);
    int shared = sharing_copy(way, (struct os_range){e.offset, (size_t)e.length}, err);
    uint64_t end = e.offset + e.length;

    if (shared)
        return shared < 0 ? -1 : 0;
    for (uint64_t at = e.offset; at < end; at += room.capacity) {
        if (end - at < room.capacity)
            room.capacity = (size_t)(end - at);
        if (run_check_stop(b->run, err) || read_piece(it, at, room, err) ||
            os_write_at(way->to, at, bytes_make(room.bytes, room.capacity), err))
            return -1;
    }
    return 0;
}

/* Gives a new file its content: from the room or, what is larger, from the source. */
static int write_content(struct batch *b, struct batch_item *it, os_handle file, struct error *err)
{
    struct sharing_way way = {b->run, it->content, file, true};
    const struct data *d = it->content;

    if (!d)
        return os_write_at(file, 0, bytes_make(b->data + it->data_at, it->data_bytes), err);
    for (size_t i = 0; i < d->extent_count; i++) {
        if (copy_range(b, it, &way, d->extents[i], err))
            return -1;
    }
    return file_end_content(d, file, err) || end_reading(b, it, err) ? -1 : 0;
}

/* Gives a file that was just created all that it is to have, and closes it. */
static int fill_file(struct batch *b, struct batch_item *it, os_handle handle, struct error *err)
{
    struct os_object object = {.handle = handle};
    struct meta_hand hand = {.run = b->run, .watcher = &b->watcher, .xattrs = &b->xattrs};
    struct os_stat made;
    struct meta_goal goal = {
        .want = batch_want(b, it),
        .fields = batch_want(b, it)->known & ~b->run->ignore,
        .kind = ENTRY_FILE,
        .now = &made,
        .fresh = true,
        .inherits = b->folders[it->folder].inherits,
        .path = batch_path(b, it),
    };

    if (os_stat_handle(handle, &made, err))
        goto failed;
    it->device = made.device;
    it->file = made.file[0];
    if (write_content(b, it, handle, err) || meta_apply(&hand, &object, &goal, err))
        goto failed;
    if (os_close_checked(handle, err))
        return -1;
    return b->loss_missing ? error_memory(err) : 0;

failed:
    os_close(handle);
    return -1;
}

static void close_content(struct batch_item *it)
{
    data_close(it->content);
    it->content = NULL;
}

/* Reads a content that the room has all of. */
static int read_content(struct batch *b, struct batch_item *it, struct error *err)
{
    if (!it->content || it->content->size > it->data_bytes)
        return 0;
    if (read_piece(it, 0, room_of(b, it), err) || end_reading(b, it, err))
        return -1;
    close_content(it);
    return 0;
}

static int make_file(struct batch *b, struct batch_item *it, os_handle folder, const char *name,
                     struct error *err)
{
    os_handle file;

    if (read_content(b, it, err))
        return -1;
    if (os_create_file(folder, name, 0600, &file, err))
        return -1;
    if (!fill_file(b, it, file, err))
        return 0;
    remove_file(it, folder, name);
    return -1;
}

static int make_name(struct batch *b, const struct batch_item *it, os_handle folder,
                     const char *name, struct error *err)
{
    os_handle from = it->from == OS_NO_HANDLE ? folder : it->from;

    return os_link(from, (const char *)b->paths.data + it->from_at, folder, name, err);
}

static int make_symlink(struct batch *b, struct batch_item *it, os_handle folder, const char *name,
                        struct error *err)
{
    struct meta_hand hand = {.run = b->run, .watcher = &b->watcher, .xattrs = &b->xattrs};
    const struct entry want = {
        .kind = ENTRY_SYMLINK,
        .path = batch_path(b, it),
        .name_offset = it->name_at - it->path_at,
        .target = bytes_make(b->paths.data + it->target_at, it->target_bytes),
        .meta = *batch_want(b, it),
    };
    const struct node_symlink l = {folder, name, &want, b->folders[it->folder].inherits, &b->text};
    int result = node_make_symlink(&hand, &l, err);

    return result >= 0 && b->loss_missing ? error_memory(err) : result;
}

/* File systems lie, and the first name may have been swapped for another file. */
static int check_name(const struct batch_item *it, os_handle folder, const char *name,
                      struct error *err)
{
    struct error ignored = {0};
    int there = it->is_seen ? 1 : is_there(it, folder, name, err);

    if (there > 0)
        return 0;
    if (there == 0)
        error_set(err, ERROR_CHANGED, "link", "its first name is another file meanwhile");
    if (os_remove(folder, name, &ignored))
        error_release(&ignored);
    return -1;
}

/* Names in one folder that are looked for in what it tells of itself: a read for all of them. */
struct looking {
    struct os_glance glance; /* first */
    struct batch *b;
    size_t items[BATCH_ITEMS]; /* indexes, in the order of the names' bytes */
    size_t count;
};

static const char *name_of(const struct batch *b, const struct batch_item *it)
{
    return (const char *)b->paths.data + it->name_at;
}

static void see(struct os_glance *g, const char *name, uint64_t file)
{
    struct looking *l = (struct looking *)g;
    size_t low = 0, high = l->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        struct batch_item *it = &l->b->items[l->items[middle]];
        int order = strcmp(name, name_of(l->b, it));

        if (order == 0) {
            it->is_seen = it->file == file;
            return;
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
}

/* A folder that has little but the batch's names is quicker read than asked for each of them. */
static bool is_worth_a_glance(const struct batch_folder *f)
{
    enum { NAMES_FEWEST = 4 };

    return f->can_glance && f->names >= NAMES_FEWEST;
}

static void look_for_names(struct batch *b, size_t folder)
{
    struct looking l = {.glance.see = see, .b = b};
    struct error ignored = {0};

    for (size_t i = 0; i < b->count; i++) {
        const struct batch_item *it = &b->items[i];
        if (it->kind == BATCH_NAME && it->folder == folder && !it->failed)
            l.items[l.count++] = i;
    }
    /* What is not seen is asked for. */
    if (os_glance_at(b->folders[folder].handle, &l.glance, &ignored))
        error_release(&ignored);
}

static int make(struct batch *b, struct batch_item *it, os_handle folder, const char *name,
                struct error *err)
{
    switch (it->kind) {
    case BATCH_FILE:
        return make_file(b, it, folder, name, err);
    case BATCH_NAME:
        return make_name(b, it, folder, name, err);
    case BATCH_SYMLINK:
        return make_symlink(b, it, folder, name, err);
    }
    return 0;
}

static void make_all(struct batch *b)
{
    for (b->at = 0; b->at < b->count; b->at++) {
        struct batch_item *it = &b->items[b->at];
        os_handle folder = b->folders[it->folder].handle;
        it->failed = make(b, it, folder, name_of(b, it), &b->failures[b->at]) != 0;
        close_content(it);
    }
}

static void do_all(struct pool_task *t)
{
    struct batch *b = (struct batch *)t;

    make_all(b);
    for (size_t i = 0; i < b->folder_count; i++) {
        if (is_worth_a_glance(&b->folders[i]))
            look_for_names(b, i);
    }
    for (size_t i = 0; i < b->count; i++) {
        struct batch_item *it = &b->items[i];
        if (it->kind == BATCH_NAME && !it->failed)
            it->failed =
                check_name(it, b->folders[it->folder].handle, name_of(b, it), &b->failures[i]) != 0;
    }
}

/* ---- The batch ---- */

void batch_init(struct batch *b, const struct run *run)
{
    b->task.work = do_all;
    b->watcher.notice = keep_loss;
    b->run = run;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

void batch_clear(struct batch *b)
{
    for (size_t i = 0; i < b->folder_count; i++)
        os_close(b->folders[i].handle);
    b->items_used = larger(b->items_used, b->count);
    b->folders_used = larger(b->folders_used, b->folder_count);
    b->folder_count = 0;
    b->count = 0;
    b->data_bytes = 0;
    b->contents = 0;
    b->is_heavy = false;
    b->loss_count = 0;
    b->loss_missing = false;
    buffer_clear(&b->paths);
}

void batch_release(struct batch *b)
{
    for (size_t i = 0; i < b->count; i++)
        data_close(b->items[i].content);
    batch_clear(b);
    for (size_t i = 0; i < b->items_used; i++)
        pairs_release(&b->wants[i].xattrs);
    for (size_t i = 0; i < b->folders_used; i++)
        pairs_release(&b->folders[i].want.xattrs);
    buffer_release(&b->paths);
    buffer_release(&b->text);
    pairs_release(&b->xattrs);
    free(b->losses);
    free(b->data);
}

struct metadata *batch_want(struct batch *b, const struct batch_item *it)
{
    return &b->wants[it - b->items];
}

struct bytes batch_path(const struct batch *b, const struct batch_item *it)
{
    return bytes_make(b->paths.data + it->path_at, it->path_bytes);
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

/* The next item, without what files have alone. */
static int add_item(struct batch *b, enum batch_kind kind, size_t folder, const struct entry *want,
                    struct error *err)
{
    struct bytes path = want->path;

    b->items[b->count] = (struct batch_item){
        .kind = kind,
        .folder = folder,
        .path_at = b->paths.size,
        .path_bytes = path.size,
        .name_at = b->paths.size + (path.size - entry_name(want).size),
    };
    if (buffer_append(&b->paths, path.data, path.size, err) ||
        buffer_append_byte(&b->paths, 0, err))
        return -1;
    b->count++;
    return 0;
}

int batch_add_file(struct batch *b, size_t folder, const struct writers_file *f, struct error *err)
{
    struct batch_item *it = &b->items[b->count];
    const struct entry *want = f->want;

    if (add_item(b, BATCH_FILE, folder, want, err))
        return -1;
    if (meta_copy(batch_want(b, it), &want->meta, err)) {
        b->count--;
        return -1;
    }
    it->may_grow = names_may_grow(b->run, want);
    if (it->may_grow)
        it->key = hash_bytes(want->path);
    it->bytes = f->bytes;
    it->data_at = b->data_bytes;
    it->data_bytes = f->room;
    it->content = f->content;
    b->data_bytes += f->room;
    b->contents += f->content != NULL;
    b->is_heavy = b->is_heavy || f->bytes > f->room;
    return 0;
}

int batch_add_symlink(struct batch *b, size_t folder, const struct entry *want, struct error *err)
{
    struct batch_item *it = &b->items[b->count];

    if (add_item(b, BATCH_SYMLINK, folder, want, err))
        return -1;
    it->target_at = b->paths.size;
    it->target_bytes = want->target.size;
    if (!buffer_append(&b->paths, want->target.data, want->target.size, err) &&
        !meta_copy(batch_want(b, it), &want->meta, err))
        return 0;
    b->count--;
    return -1;
}

int batch_add_name(struct batch *b, size_t folder, const struct writers_name *n, struct error *err)
{
    struct batch_item *it = &b->items[b->count];

    if (add_item(b, BATCH_NAME, folder, n->want, err))
        return -1;
    b->folders[folder].names++;
    it->device = n->file.device;
    it->file = n->file.file;
    it->from = n->from;
    it->from_at = b->paths.size;
    if (!buffer_append(&b->paths, n->from_name, strlen(n->from_name) + 1, err))
        return 0;
    b->count--;
    b->folders[folder].names--;
    return -1;
}
