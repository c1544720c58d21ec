/*
 * transfer.c: see transfer.h. The loop: what the diff finds is planned and applied, what has to
 * wait is done at the end, then all is synced and the markers go.
 */
#include "disk/transfer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk/owners.h"
#include "disk/transfer/apply.h"
#include "disk/transfer/older.h"
#include "disk/transfer/writers.h"
#include "disk/walk.h"
#include "tree/filter.h"

/* ---- Setting up ---- */

static int make_id(struct run *r, struct error *err)
{
    uint64_t random;

    if (os_random(&random, sizeof random, err))
        return -1;
    (void)snprintf(r->id, sizeof r->id, "%016" PRIx64, random);
    return 0;
}

/* A place that is there and no folder is that of a single file; its links are followed to the end.
 */
static int find_leaf(struct anchor *a, struct error *err)
{
    struct os_stat status;
    struct buffer real = {0};
    enum os_leads leads;
    int result = -1;

    if (os_stat_path(a->path, true, &status, err)) {
        if (!os_error_is_missing(err))
            return error_at(err, a->path, strlen(a->path));
        error_release(err);
        return 0;
    }
    if (status.kind == OS_DIRECTORY)
        return 0;
    if (os_follow(OS_NO_HANDLE, a->path, &leads, &real, err) || buffer_terminate(&real, err))
        goto out;
    result = anchor_set_leaf(a, real.size ? (const char *)real.data : a->path, err);
out:
    buffer_release(&real);
    return result;
}

static int init_anchors(struct run *r, const struct disk_layout *layout, struct error *err)
{
    size_t redirects = r->options->redirects ? REDIRECTS_MAX : 0;

    r->anchors = calloc(layout->root_count + 1 + redirects, sizeof *r->anchors);
    if (!r->anchors)
        return error_memory(err);
    if (layout->base && anchor_init(&r->anchors[r->anchor_count++], layout->base, NULL, err))
        return -1;
    for (size_t i = 0; i < layout->root_count; i++) {
        const struct disk_root *root = &layout->roots[i];
        if (!root->place)
            continue;
        struct anchor *a = &r->anchors[r->anchor_count++];
        if (anchor_init(a, root->place, root->name, err) || find_leaf(a, err))
            return -1;
    }
    return 0;
}

/* Two anchors in one folder would lock each other out. */
static int check_twins(const struct run *r, const struct anchor *a, struct error *err)
{
    for (const struct anchor *b = r->anchors; b < a; b++) {
        if (b->folder != OS_NO_HANDLE && b->device == a->device && b->file == a->file) {
            error_set(err, ERROR_USAGE, "open", "two roots have the same place");
            return error_at(err, a->path, strlen(a->path));
        }
    }
    return -1;
}

static int open_anchors(struct run *r, struct error *err)
{
    bool dry = r->options->mode == TRANSFER_DRY_RUN;

    for (size_t i = 0; i < r->anchor_count; i++) {
        struct anchor *a = &r->anchors[i];
        enum anchor_use use = dry ? ANCHOR_LOOK : a->root ? ANCHOR_CHECK : ANCHOR_MAKE;
        if (anchor_open(a, use, err))
            return err->kind == ERROR_REFUSED ? check_twins(r, a, err) : -1;
        if (a->user_marker && !dry)
            watcher_remark(r->watcher, bytes_of(a->path),
                           "a file of the name .holdfast-run is not ours and stays");
    }
    return 0;
}

static int open_diff(struct run *r, struct error *err)
{
    struct walk_options walk = run_walk_options(r);
    struct diff_options options = {
        .settle = true,
        .quick = !r->options->checksum,
        .adapter = r->options->redirects ? &r->redirects.adapter : NULL,
    };

    if (r->options->owners == OWNERS_LEAVE)
        r->ignore |= METADATA_OWNER | METADATA_GROUP;
    options.ignore_fields = r->ignore;
    if (walk_open(&r->transfer->layout, &walk, &r->walk, err))
        return -1;
    r->have = r->walk;
    if (r->options->spare && filter_new(r->have, r->options->spare, &r->have, err))
        return -1;
    if (diff_new(r->want, r->have, &options, &r->diff, err))
        return -1;
    for (size_t i = 0; i < r->anchor_count; i++) {
        if (run_look_at_place(r, &r->anchors[i], err))
            return -1;
    }
    return 0;
}

static int set_up(struct run *r, struct error *err)
{
    r->block = malloc(APPLY_BLOCK_BYTES);
    r->other_block = malloc(APPLY_BLOCK_BYTES);
    if (!r->block || !r->other_block)
        return error_memory(err);
    if (redirects_init(r, err) || make_id(r, err) || init_anchors(r, &r->transfer->layout, err) ||
        open_anchors(r, err))
        return -1;
    if (r->options->mode == TRANSFER_APPLY && r->options->jobs > 1 &&
        writers_new(r, r->options->jobs, err))
        return -1;
    return open_diff(r, err) || older_new(r, err) ? -1 : 0;
}

static void init(struct run *r, struct transfer *t, struct source *want)
{
    *r = (struct run){
        .transfer = t,
        .options = &t->options,
        .counts = &t->counts,
        .watcher = t->watcher,
        .want = want,
        .facts = source_facts(want),
        .privileged = os_is_privileged(),
        .time_grain_ns = 1,
        .redirects = {.source = OS_NO_HANDLE},
    };
    t->counts = (struct transfer_counts){0};
    dirstack_init(&r->stack);
    names_init(&r->names);
    flavours_init(&r->flavours);
    extras_init(&r->extras);
    table_init(&r->made, sizeof(struct hash128), sizeof(struct hash128));
    for (size_t i = 0; i < sizeof r->trash / sizeof *r->trash; i++)
        spool_init(&r->trash[i]);
}

static void release(struct run *r)
{
    writers_free(r->writers);
    older_free(r->older);
    diff_free(r->diff);
    source_close(r->have);
    position_release(r);
    names_release(&r->names);
    late_release(&r->late);
    flavours_release(&r->flavours);
    passages_release(&r->passages);
    windows_names_release(&r->windows_names);
    redirects_release(&r->redirects);
    extras_release(&r->extras);
    table_release(&r->made);
    for (size_t i = 0; i < sizeof r->trash / sizeof *r->trash; i++)
        spool_release(&r->trash[i]);
    for (size_t i = 0; i < r->anchor_count; i++)
        anchor_release(&r->anchors[i]);
    free(r->anchors);
    free(r->block);
    free(r->other_block);
    buffer_release(&r->text);
    buffer_release(&r->link);
    buffer_release(&r->escaped);
    pairs_release(&r->xattrs);
}

/* ---- The run ---- */

/* The place of a root that is not there yet becomes that of a single file, once the root turns out
 * to be one. */
static int learn_leaf(struct run *r, const struct entry *want, struct error *err)
{
    if (want->depth || want->kind == ENTRY_DIRECTORY)
        return 0;
    for (size_t i = 0; i < r->anchor_count; i++) {
        struct anchor *a = &r->anchors[i];
        if (a->root && !a->leaf && a->folder == OS_NO_HANDLE &&
            bytes_equal(bytes_of(a->root), want->path))
            return anchor_set_leaf(a, a->path, err);
    }
    return 0;
}

static int step(struct run *r, const struct difference_pair *pair, struct error *err)
{
    const struct entry *e = pair->want ? pair->want : pair->have;
    uint64_t bytes = r->counts->bytes;
    uint64_t entries = pair->want ? 1 : 0;

    if (run_check_stop(r, err))
        return -1;
    r->watcher->progress(r->watcher, 0, 0, e->path);
    r->counts->entries += entries;
    if (pair->want && pair->want->problem_scope != PROBLEM_ENTRY && learn_leaf(r, pair->want, err))
        return -1;
    if ((pair->want && extras_see(r, pair->want, err)) || apply_pair(r, pair, err))
        return -1;
    r->watcher->progress(r->watcher, entries, r->counts->bytes - bytes, bytes_make(NULL, 0));
    return 0;
}

static int go_through(struct run *r, struct error *err)
{
    const struct difference_pair *pair;
    int got;

    while ((got = diff_next(r->diff, &pair, err)) > 0) {
        if (step(r, pair, err))
            return -1;
    }
    return got < 0 ? -1 : extras_find(r, err);
}

/* R7: what was written is on the disk before the markers go. */
static int settle_on_disk(struct run *r, struct error *err)
{
    bool sync = !r->options->no_sync;

    for (size_t i = 0; sync && i < r->volume_count; i++) {
        if (os_sync_volume(r->volumes[i], err))
            return -1;
    }
    for (size_t i = 0; i < r->anchor_count; i++) {
        if (anchor_unmark(&r->anchors[i], sync, err))
            return -1;
    }
    return 0;
}

static int finish(struct run *r, struct error *err)
{
    if (position_leave(r, 0, err) || writers_settle(r, err) || names_finish(r, err) ||
        position_leave(r, 0, err) || older_groups_finish(r, err) || flavours_finish(r, err) ||
        trash_sweep(r, err) || trash_empty(r, err) || late_finish_folders(r, err) ||
        late_finish_flags(r, LATE_BELOW, err) || settle_on_disk(r, err))
        return -1;
    return late_finish_flags(r, LATE_ANCHORS, err);
}

/* Tidies up behind a run that stops: names of its own go, flags that it took off come back. The
 * marker stays. */
static void abandon(struct run *r)
{
    struct error ignored = {0};

    writers_abandon(r);
    position_abandon(r);
    trash_abandon(r);
    if (late_finish_flags(r, LATE_BELOW, &ignored))
        error_release(&ignored);
}

int transfer_run(struct transfer *t, struct source *want, struct error *err)
{
    struct source *mapped = NULL;
    struct run r;
    int result = -1;

    if (t->options.owners == OWNERS_NAMES && owners_new(want, &mapped, err))
        return -1;
    init(&r, t, mapped ? mapped : want);
    if (set_up(&r, err) || go_through(&r, err))
        goto out;
    result = t->options.mode == TRANSFER_APPLY ? finish(&r, err) : trash_tell_limit(&r);
out:
    if (result && t->options.mode == TRANSFER_APPLY)
        abandon(&r);
    release(&r);
    source_close(mapped);
    return result;
}
