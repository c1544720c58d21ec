/*
 * writers.c: new files, symbolic links and further names are made by other threads, a batch of them
 * at a time (batch.c), while the run's own goes on; and blocks of files that it makes itself are
 * written beside it.
 *
 * Batches come back in the order in which they were filled, so that what is told does not depend on
 * chance: what a writer finds out is told by the run's own thread. A folder whose files are on
 * their way when it is left gets its metadata when they are done. Nothing is linked to a file until
 * it is whole (writers_wait).
 */
#include "disk/transfer/batch.h"

#include <stdlib.h>

/* So many batches that the run's own thread seldom waits for one that has to wait for a core. */
enum { WRITERS_MOST = 4, BATCHES = 8 };

/* Folders that a batch takes: their handles come to 96, beside those of the position, where 256
 * must be enough for all (SAFETY R14). */
enum { FOLDERS_FEW = 12, MANY_HANDLES = 1024 };

/* What is larger is copied by the run's own thread, which tells how far it is. */
enum { LARGE_MOST = 256 * 1024 * 1024 };

/* Entries wait by the thousand, with their paths, targets and attributes, for which a header may
 * have megabytes: one with more than this the run's own thread makes at once (SAFETY R14). */
enum { BESIDES_MOST = 8 * 1024 };

/* The batches between `first` and `given` are with the pool; `given` is being filled. Each stands
 * at its number modulo BATCHES. */
struct writers {
    struct pool *pool;
    struct batch *batches; /* BATCHES */
    size_t batch_folders;  /* that a batch takes */
    size_t batch_contents; /* that a batch has open; 0: none */
    uint64_t first, given;
    bool has_link; /* the run's own thread has made a symbolic link, on this device: */
    uint64_t link_device;
    struct block_write {
        struct pool_task task; /* first */
        os_handle file;
        uint64_t offset;
        struct bytes bytes;
        bool given, failed;
        struct error failure;
    } block;
};

/* ---- What comes back ---- */

static void tell_losses(struct run *r, struct batch *b)
{
    for (size_t i = 0; i < b->loss_count; i++) {
        struct batch_loss *l = &b->losses[i];
        watcher_loss(r->watcher, batch_path(b, &b->items[l->item]), l->reason,
                     l->cause.kind != ERROR_NONE ? &l->cause : NULL);
        error_release(&l->cause);
    }
}

/* What the writers still had when the run could go on no more: that they were stopped, or that a
 * disk is full, is told once for all of them. Releases the failure. */
static void tell_rest(struct run *r, struct bytes path, struct error *failure)
{
    if (failure->kind != ERROR_INTERRUPTED && !os_error_is_full(failure))
        run_error(r, path, failure);
    error_release(failure);
}

/* Tells a failure. -1: the run cannot go on; err has the first reason for that. */
static int tell_failure(struct run *r, struct bytes path, struct error *failure, struct error *err)
{
    if (!run_failed(r, path, failure))
        return 0;
    if (err->kind == ERROR_NONE) {
        error_move(err, failure);
        return -1;
    }
    tell_rest(r, path, failure);
    return -1;
}

/* What became of an item. -1: the run cannot go on. */
static int settle_item(struct run *r, struct batch *b, size_t index, struct error *err)
{
    const struct batch_item *it = &b->items[index];
    struct error *failure = &b->failures[index];

    if (it->failed) {
        r->reading_failed = it->reading_failed;
        r->counts->bytes -= it->bytes;
        --*(it->kind == BATCH_NAME ? &r->counts->linked : &r->counts->created);
        if (failure->kind == ERROR_NONE)
            return 0;
        return tell_failure(r, batch_path(b, it), failure, err);
    }
    if (it->may_grow &&
        names_keep(r, &it->key, (struct named){it->device, it->file, true}, failure))
        return tell_failure(r, batch_path(b, it), failure, err);
    return 0;
}

/* All in the folder is whole. -1: the run cannot go on. */
static int settle_folder(struct run *r, const struct batch *b, const struct batch_folder *f,
                         struct error *err)
{
    struct os_object folder = {.handle = f->handle};
    struct error failure = {0};
    struct meta_goal goal = {
        .want = &f->want,
        .fields = f->fields,
        .kind = ENTRY_DIRECTORY,
        .now = &f->found,
        .fresh = true,
        .path = batch_folder_path(b, f),
    };

    if (!f->is_left || !meta_set(r, &folder, &goal, &failure))
        return 0;
    return tell_failure(r, goal.path, &failure, err);
}

/* Waits for the oldest batch with the pool and tells what became of it. -1: the run cannot go on;
 * the batch is done with all the same. */
static int take_back(struct run *r, struct error *err)
{
    struct writers *w = r->writers;
    struct batch *b = &w->batches[w->first % BATCHES];
    int result = 0;

    pool_wait(w->pool, &b->task);
    tell_losses(r, b);
    for (size_t i = 0; i < b->count; i++) {
        if (settle_item(r, b, i, err))
            result = -1;
    }
    for (size_t i = 0; i < b->folder_count; i++) {
        if (settle_folder(r, b, &b->folders[i], err))
            result = -1;
    }
    for (size_t i = 0; i < b->folder_count; i++) {
        struct batch_folder *f = &b->folders[i];
        if (f->may_be_linked_from && parents_keep(&r->names.parents, &f->key, f->handle))
            f->handle = OS_NO_HANDLE;
    }
    batch_clear(b);
    w->first++;
    return result;
}

/* ---- The run's side ---- */

static void write_block(struct pool_task *t)
{
    struct block_write *b = (struct block_write *)t;

    b->failed = os_write_at(b->file, b->offset, b->bytes, &b->failure) != 0;
}

int writers_flush(struct run *r, struct error *err)
{
    struct block_write *b = r->writers ? &r->writers->block : NULL;

    if (!b || !b->given)
        return 0;
    pool_wait(r->writers->pool, &b->task);
    b->given = false;
    if (!b->failed)
        return 0;
    error_move(err, &b->failure);
    return -1;
}

int writers_write(struct run *r, os_handle file, uint64_t offset, struct bytes bytes,
                  struct error *err)
{
    if (!r->writers)
        return os_write_at(file, offset, bytes, err);
    if (writers_flush(r, err))
        return -1;
    r->writers->block = (struct block_write){
        .task.work = write_block, .file = file, .offset = offset, .bytes = bytes, .given = true};
    pool_give(r->writers->pool, &r->writers->block.task);
    return 0;
}

int writers_new(struct run *r, size_t threads, struct error *err)
{
    struct writers *w = calloc(1, sizeof *w);

    if (!w)
        return error_memory(err);
    if (threads > WRITERS_MOST)
        threads = WRITERS_MOST;
    w->batches = calloc(BATCHES, sizeof *w->batches);
    if (!w->batches || pool_new(threads, &w->pool, err)) {
        free(w->batches);
        free(w);
        return err->kind ? -1 : error_memory(err);
    }
    r->writers = w;
    w->batch_folders = os_handle_limit() < MANY_HANDLES ? FOLDERS_FEW : BATCH_FOLDERS;
    w->batch_contents = os_handle_limit() < WRITERS_HANDLES_MOST ? 0 : BATCH_CONTENTS;
    for (size_t i = 0; i < BATCHES; i++)
        batch_init(&w->batches[i], r);
    return 0;
}

void writers_free(struct writers *w)
{
    if (!w)
        return;
    pool_free(w->pool);
    for (size_t i = 0; w->batches && i < BATCHES; i++)
        batch_release(&w->batches[i]);
    free(w->batches);
    free(w);
}

/* What is new, in a folder that this run made, under the very name that the entry has: a batch
 * knows no other. */
static bool want_entry(const struct run *r, const struct difference_pair *pair)
{
    const struct entry *want = pair->want;

    return r->writers && r->facts->ordered && !pair->have &&
           r->levels[r->stack.depth - 1].created &&
           want->path.size + want->target.size + want->meta.xattrs.bytes.size <= BESIDES_MOST &&
           bytes_equal(buffer_bytes(&r->name), entry_name(want));
}

bool writers_want(const struct run *r, const struct difference_pair *pair, const struct data *d)
{
    const struct entry *want = pair->want;
    bool whole = d->extent_count == 1 && d->extents[0].length == d->size;
    bool flags = (want->meta.known & METADATA_FLAGS) && want->meta.flags;

    if (!want_entry(r, pair) || flags)
        return false;
    return d->size <= APPLY_BLOCK_BYTES ? whole || !d->size
                                        : d->size <= LARGE_MOST && writers_read(r, d);
}

bool writers_read(const struct run *r, const struct data *d)
{
    return r->writers->batch_contents && d->os_handle != OS_NO_HANDLE;
}

/* Passes the batch on that is being filled, and makes sure that the next one is free. */
static int pass_on(struct run *r, struct error *err)
{
    struct writers *w = r->writers;
    struct batch *b = &w->batches[w->given % BATCHES];

    if (!b->count)
        return 0;
    w->given++;
    pool_give(w->pool, &b->task);
    return w->given - w->first == BATCHES ? take_back(r, err) : 0;
}

/* The same for who waits until it is done. What is all that there is to do needs no other thread.
 */
static int pass_on_to_wait(struct run *r, struct error *err)
{
    struct writers *w = r->writers;

    if (w->first != w->given || !w->batches[w->given % BATCHES].count)
        return pass_on(r, err);
    pool_do(&w->batches[w->given % BATCHES].task);
    w->given++;
    return 0;
}

/* True if the batch that is being filled has the folder in hand. */
static bool has_folder(const struct writers *w, const struct level *level)
{
    return level->has_batch && level->batch == w->given;
}

/* A folder's files are best made by one thread, in one batch: others would wait for it. */
static bool is_for_new_folder(const struct writers *w, const struct batch *b)
{
    return b->folder_count < w->batch_folders && b->count < BATCH_ITEMS / 2 &&
           b->contents <= w->batch_contents / 2 && b->data_bytes < BATCH_BYTES / 2;
}

static bool has_room(const struct writers *w, const struct level *level, size_t bytes)
{
    const struct batch *b = &w->batches[w->given % BATCHES];

    return b->count < BATCH_ITEMS && !b->is_heavy &&
           (!b->contents || b->contents < w->batch_contents) &&
           BATCH_BYTES - b->data_bytes >= bytes &&
           (has_folder(w, level) || is_for_new_folder(w, b));
}

int writers_room(struct run *r, size_t bytes, uint8_t **out, struct error *err)
{
    struct writers *w = r->writers;

    if (!has_room(w, position_level(r), bytes) && pass_on(r, err))
        return -1;
    struct batch *b = &w->batches[w->given % BATCHES];
    if (!b->data)
        b->data = malloc(BATCH_BYTES);
    if (!b->data)
        return error_memory(err);
    *out = b->data + b->data_bytes;
    return 0;
}

/* Makes sure that the batch that is being filled has the folder in hand. */
static int need_folder(struct run *r, struct batch *b, struct level *level, struct error *err)
{
    struct writers *w = r->writers;

    if (has_folder(w, level))
        return 0;
    if (batch_add_folder(b, position_folder(r), level->inherits, err))
        return -1;
    const struct os_volume *volume = position_volume(r);
    struct batch_folder *f = &b->folders[b->folder_count - 1];
    f->path_bytes = level->path_bytes;
    f->can_glance = volume && volume->listed_numbers && !level->has_batch;
    level->has_batch = true;
    level->batch = w->given;
    level->batch_folder = b->folder_count - 1;
    return 0;
}

/* Names that will be linked to a file need its folder: the batch's handle of it is kept. */
static int note_parent(struct run *r, const struct entry *want, struct batch_folder *f,
                       struct error *err)
{
    struct spot spot;

    if (f->may_be_linked_from || !names_may_grow(r, want))
        return 0;
    if (position_spot(r, want->path, &spot, err))
        return -1;
    f->may_be_linked_from = true;
    f->key = parents_key(r, &spot);
    return 0;
}

int writers_add(struct run *r, const struct writers_file *f, struct error *err)
{
    struct writers *w = r->writers;
    struct batch *b = &w->batches[w->given % BATCHES];
    struct level *level = position_level(r);

    if (need_folder(r, b, level, err) ||
        note_parent(r, f->want, &b->folders[level->batch_folder], err))
        return -1;
    return batch_add_file(b, level->batch_folder, f, err);
}

bool writers_want_symlink(const struct run *r, const struct difference_pair *pair)
{
    return want_entry(r, pair) && !names_may_grow(r, pair->want) && r->writers->has_link &&
           r->writers->link_device == r->levels[r->stack.depth - 1].found.device;
}

void writers_note_symlink(struct run *r)
{
    if (!r->writers)
        return;
    r->writers->has_link = true;
    r->writers->link_device = position_level(r)->found.device;
}

/* The batch for what comes without a content, and has the folder in hand; or NULL. */
static struct batch *batch_in_hand(struct run *r, struct error *err)
{
    struct writers *w = r->writers;
    struct level *level = position_level(r);

    if (!has_room(w, level, 0) && pass_on(r, err))
        return NULL;
    struct batch *b = &w->batches[w->given % BATCHES];
    return need_folder(r, b, level, err) ? NULL : b;
}

int writers_add_symlink(struct run *r, const struct entry *want, struct error *err)
{
    struct batch *b = batch_in_hand(r, err);

    return b ? batch_add_symlink(b, position_level(r)->batch_folder, want, err) : -1;
}

bool writers_want_name(const struct run *r, const struct difference_pair *pair)
{
    return want_entry(r, pair);
}

int writers_add_name(struct run *r, const struct writers_name *n, struct error *err)
{
    struct batch *b = batch_in_hand(r, err);

    return b ? batch_add_name(b, position_level(r)->batch_folder, n, err) : -1;
}

uint64_t writers_mark(const struct run *r)
{
    /* A name that finds no room is in the batch behind the one that is being filled. */
    return r->writers ? r->writers->given + 2 : 0;
}

int writers_reach(struct run *r, uint64_t mark, struct error *err)
{
    struct writers *w = r->writers;

    if (w && mark > w->given && pass_on_to_wait(r, err))
        return -1;
    while (w && w->first < mark && w->first < w->given) {
        if (take_back(r, err))
            return -1;
    }
    return 0;
}

int writers_leave(struct run *r, const struct level *level, struct error *err)
{
    struct writers *w = r->writers;

    if (!level->has_batch || level->batch < w->first)
        return 0;
    if (level->want.xattrs.bytes.size > BESIDES_MOST)
        return writers_reach(r, level->batch + 1, err);
    struct batch_folder *f = &w->batches[level->batch % BATCHES].folders[level->batch_folder];
    if (meta_copy(&f->want, &level->want, err))
        return -1;
    f->fields = level->fields;
    f->found = level->found;
    f->is_left = true;
    return 1;
}

/* True if a batch has the file of a path. */
static bool has_file(const struct batch *b, const struct hash128 *path)
{
    for (size_t i = 0; i < b->count; i++) {
        const struct batch_item *it = &b->items[i];
        if (it->may_grow && it->key.low == path->low && it->key.high == path->high)
            return true;
    }
    return false;
}

int writers_wait(struct run *r, const struct hash128 *path, struct error *err)
{
    struct writers *w = r->writers;
    uint64_t number;

    if (!w)
        return 0;
    for (number = w->first; number <= w->given; number++) {
        if (has_file(&w->batches[number % BATCHES], path))
            break;
    }
    if (number == w->given && pass_on_to_wait(r, err))
        return -1;
    while (number < w->given && w->first <= number) {
        if (take_back(r, err))
            return -1;
    }
    return 0;
}

int writers_settle(struct run *r, struct error *err)
{
    struct writers *w = r->writers;

    if (w && pass_on_to_wait(r, err))
        return -1;
    while (w && w->first < w->given) {
        if (take_back(r, err))
            return -1;
    }
    return 0;
}

void writers_abandon(struct run *r)
{
    struct error ignored = {0};

    while (r->writers && writers_settle(r, &ignored)) {
        tell_rest(r, bytes_make(ignored.path, ignored.path_bytes), &ignored);
    }
}
