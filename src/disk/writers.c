/*
 * writers.c: small new files are written by other threads: the run's own makes them, so that their
 * names stand and their identities are known, and goes on; a writer gives them content and metadata
 * (times last, as ever: what is not whole cannot be taken for it) and closes them.
 *
 * Files travel in batches, which come back in the order in which they were filled, so that what is
 * told does not depend on chance. What a writer finds out is told by the run's own thread; a file
 * that could not be written is removed by it, too. Nothing is linked to a file until it is whole
 * (writers_wait).
 */
#include "disk/apply.h"

#include <stdlib.h>
#include <string.h>

#include "os/pool.h"

/* Files are open while they wait: 96 at most, beside the folders (SAFETY R14). */
enum { WRITERS_MOST = 4, OPEN_FILES = 96, BATCH_FILES = 32, BATCH_BYTES = 512 * 1024 };

/* A file on its way. */
struct batch_file {
    os_handle handle; /* OS_NO_HANDLE once it was closed */
    bool may_grow;    /* names may come to be linked to it */
    bool is_seen;     /* `made` holds */
    bool failed;
    struct hash128 key; /* of the path, if it may grow */
    struct os_stat made;
    struct metadata want; /* owned, its memory is kept for the next file */
    uint32_t inherits;
    size_t path_at, path_bytes; /* in batch.paths, with a NUL behind it */
    size_t data_at, data_bytes; /* in batch.data */
    struct error failure;
};

/* What was not exact. */
struct batch_loss {
    size_t file; /* index */
    const char *reason;
    struct error cause; /* ERROR_NONE if there is none */
};

struct batch {
    struct pool_task task;  /* first */
    struct watcher watcher; /* keeps losses for the run's own thread */
    const struct run *run;
    struct batch_file files[BATCH_FILES];
    size_t count;
    struct buffer paths;
    uint8_t *data; /* BATCH_BYTES, made when first needed */
    size_t data_bytes;
    struct batch_loss *losses;
    size_t loss_count, loss_capacity;
    bool loss_missing;   /* one could not be kept */
    struct pairs xattrs; /* scratch */
    size_t at;           /* the file that is being written */
};

/* The batches between `first` and `given` are with the pool; `given` is being filled. Each stands
 * at its number modulo batch_count. */
struct writers {
    struct pool *pool;
    struct batch *batches;
    size_t batch_count;
    size_t batch_files; /* that a batch takes */
    uint64_t first, given;
    struct block_write {
        struct pool_task task; /* first */
        os_handle file;
        uint64_t offset;
        struct bytes bytes;
        bool given, failed;
        struct error failure;
    } block;
};

/* ---- A writer's side ---- */

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

static struct bytes path_of(const struct batch *b, const struct batch_file *f)
{
    return bytes_make(b->paths.data + f->path_at, f->path_bytes);
}

static int write_file(struct batch *b, struct batch_file *f, struct error *err)
{
    struct os_object object = {.handle = f->handle};
    struct meta_hand hand = {.run = b->run, .watcher = &b->watcher, .xattrs = &b->xattrs};
    struct meta_goal goal = {
        .want = &f->want,
        .fields = f->want.known & ~b->run->ignore,
        .kind = ENTRY_FILE,
        .now = &f->made,
        .fresh = true,
        .inherits = f->inherits,
        .path = path_of(b, f),
    };

    if (os_stat_handle(f->handle, &f->made, err))
        return -1;
    f->is_seen = true;
    if (os_write_at(f->handle, 0, bytes_make(b->data + f->data_at, f->data_bytes), err) ||
        meta_apply(&hand, &object, &goal, err))
        return -1;
    f->handle = OS_NO_HANDLE;
    if (os_close_checked(object.handle, err))
        return -1;
    return b->loss_missing ? error_memory(err) : 0;
}

static void write_batch(struct pool_task *t)
{
    struct batch *b = (struct batch *)t;

    for (b->at = 0; b->at < b->count; b->at++) {
        struct batch_file *f = &b->files[b->at];
        f->failed = write_file(b, f, &f->failure) != 0;
        os_close(f->handle);
        f->handle = OS_NO_HANDLE;
    }
}

/* ---- What comes back ---- */

/* Removes a file that is not whole, if it still is the one that stands there; its folder keeps its
 * time. */
static void remove_file(struct run *r, struct bytes path, const struct os_stat *made)
{
    struct error ignored = {0};
    os_handle folder = OS_NO_HANDLE;
    struct os_stat before, status;
    struct spot spot;

    if (position_spot(r, path, &spot, &ignored) ||
        position_open_parent(r, &spot, &folder, &ignored))
        goto out;
    struct os_object object = {.handle = folder};
    const char *name = (const char *)spot.name.data; /* the end of the path, NUL and all */
    if (os_stat_handle(folder, &before, &ignored) || os_stat_at(folder, name, &status, &ignored) ||
        status.device != made->device || status.file[0] != made->file[0] ||
        os_remove(folder, name, &ignored) || os_set_times(&object, &before.mtime, NULL, &ignored))
        goto out; /* it stays, unreadable for others and without its time: recognisably unfinished
                   */
out:
    os_close(folder);
    error_release(&ignored);
}

static void tell_losses(struct run *r, struct batch *b)
{
    for (size_t i = 0; i < b->loss_count; i++) {
        struct batch_loss *l = &b->losses[i];
        watcher_loss(r->watcher, path_of(b, &b->files[l->file]), l->reason,
                     l->cause.kind != ERROR_NONE ? &l->cause : NULL);
        error_release(&l->cause);
    }
    b->loss_count = 0;
    b->loss_missing = false;
}

/* Tells that a file could not be written, and removes what there is of it. -1: the run cannot go
 * on. */
static int give_up(struct run *r, const struct batch *b, struct batch_file *f, struct error *err)
{
    struct bytes path = path_of(b, f);

    if (f->is_seen)
        remove_file(r, path, &f->made);
    r->counts->created--;
    if (!run_failed(r, path, &f->failure))
        return 0;
    if (err->kind == ERROR_NONE) {
        error_move(err, &f->failure);
        return -1;
    }
    if (f->failure.kind != ERROR_INTERRUPTED)
        run_error(r, path, &f->failure);
    error_release(&f->failure);
    return -1;
}

/* Waits for the oldest batch with the pool and tells what became of it. -1: the run cannot go on;
 * the batch is done with all the same. */
static int take_back(struct run *r, struct error *err)
{
    struct writers *w = r->writers;
    struct batch *b = &w->batches[w->first % w->batch_count];
    int result = 0;

    pool_wait(w->pool, &b->task);
    tell_losses(r, b);
    for (size_t i = 0; i < b->count; i++) {
        struct batch_file *f = &b->files[i];
        if (f->failed && give_up(r, b, f, err))
            result = -1;
        else if (!f->failed && f->may_grow && result == 0)
            result = names_keep(r, &f->key, &f->made, err);
    }
    b->count = 0;
    b->data_bytes = 0;
    buffer_clear(&b->paths);
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
    r->writers = w;
    if (threads > WRITERS_MOST)
        threads = WRITERS_MOST;
    w->batches = calloc(threads + 2, sizeof *w->batches);
    if (!w->batches)
        return error_memory(err);
    w->batch_count = threads + 2;
    w->batch_files = OPEN_FILES / w->batch_count;
    for (size_t i = 0; i < w->batch_count; i++) {
        struct batch *b = &w->batches[i];
        b->task.work = write_batch;
        b->watcher.notice = keep_loss;
        b->run = r;
    }
    return pool_new(threads, &w->pool, err);
}

void writers_free(struct writers *w)
{
    if (!w)
        return;
    pool_free(w->pool);
    for (size_t i = 0; i < w->batch_count; i++) {
        struct batch *b = &w->batches[i];
        for (size_t k = 0; k < BATCH_FILES; k++)
            pairs_release(&b->files[k].want.xattrs);
        buffer_release(&b->paths);
        pairs_release(&b->xattrs);
        free(b->losses);
        free(b->data);
    }
    free(w->batches);
    free(w);
}

bool writers_want(const struct run *r, const struct difference_pair *pair, const struct data *d)
{
    const struct entry *want = pair->want;
    bool whole = d->extent_count == 1 && d->extents[0].length == d->size;
    bool flags = (want->meta.known & METADATA_FLAGS) && want->meta.flags;

    return r->writers && r->facts->ordered && !pair->have && !flags &&
           d->size <= APPLY_BLOCK_BYTES && (whole || !d->size) &&
           r->levels[r->stack.depth - 1].created &&
           bytes_equal(buffer_bytes(&r->name), entry_name(want));
}

/* Passes the batch on that is being filled, and makes sure that the next one is free. */
static int pass_on(struct run *r, struct error *err)
{
    struct writers *w = r->writers;
    struct batch *b = &w->batches[w->given % w->batch_count];

    if (!b->count)
        return 0;
    w->given++;
    pool_give(w->pool, &b->task);
    return w->given - w->first == w->batch_count ? take_back(r, err) : 0;
}

int writers_room(struct run *r, size_t bytes, uint8_t **out, struct error *err)
{
    struct writers *w = r->writers;
    struct batch *b = &w->batches[w->given % w->batch_count];

    if (b->count == w->batch_files || BATCH_BYTES - b->data_bytes < bytes) {
        if (pass_on(r, err))
            return -1;
        b = &w->batches[w->given % w->batch_count];
    }
    if (!b->data)
        b->data = malloc(BATCH_BYTES);
    if (!b->data)
        return error_memory(err);
    *out = b->data + b->data_bytes;
    return 0;
}

int writers_add(struct run *r, const struct writers_file *what, struct error *err)
{
    struct writers *w = r->writers;
    struct batch *b = &w->batches[w->given % w->batch_count];
    struct batch_file *f = &b->files[b->count];
    struct bytes path = what->want->path;
    struct pairs xattrs = f->want.xattrs;

    *f = (struct batch_file){
        .handle = what->handle,
        .may_grow = names_may_grow(r, what->want),
        .want.xattrs = xattrs,
        .inherits = what->inherits,
        .path_at = b->paths.size,
        .path_bytes = path.size,
        .data_at = b->data_bytes,
        .data_bytes = what->bytes,
    };
    if (f->may_grow)
        f->key = hash_bytes(path);
    if (meta_copy(&f->want, &what->want->meta, err) ||
        buffer_append(&b->paths, path.data, path.size, err) ||
        buffer_append_byte(&b->paths, 0, err)) {
        os_close(what->handle);
        return -1;
    }
    b->data_bytes += what->bytes;
    b->count++;
    return 0;
}

/* True if a batch has the file of a path. */
static bool has_file(const struct batch *b, const struct hash128 *path)
{
    for (size_t i = 0; i < b->count; i++) {
        const struct batch_file *f = &b->files[i];
        if (f->may_grow && f->key.low == path->low && f->key.high == path->high)
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
        if (has_file(&w->batches[number % w->batch_count], path))
            break;
    }
    if (number == w->given && pass_on(r, err))
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

    if (w && pass_on(r, err))
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
        if (ignored.kind != ERROR_INTERRUPTED)
            run_error(r, bytes_make(ignored.path, ignored.path_bytes), &ignored);
        error_release(&ignored);
    }
}
