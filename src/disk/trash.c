/*
 * trash.c: the delete phase. What is to go was written down during the run (path, identity); here
 * each is found again below its anchor, looked at once more, and removed. The times of the folders
 * that they leave are set back: those were set already.
 */
#include "disk/apply.h"
#include "disk/walk.h"

#include <string.h>

/* The folder that the last removals were made in. */
struct bin {
    struct run *run;
    struct anchor *anchor;
    struct buffer path; /* of the folder, from the anchor */
    os_handle folder;   /* OS_NO_HANDLE: none */
    struct os_stat before;
    struct bytes record; /* path of the record in hand */
};

int trash_add(struct run *r, enum trash_kind kind, struct bytes path, const struct identity *id,
              struct error *err)
{
    struct buffer record = {0};
    struct spot spot;
    int result = -1;

    if (!position_spot(r, path, &spot, err) && !buffer_append_u64(&record, id->volume, err) &&
        !buffer_append_u64(&record, id->file[0], err) &&
        !buffer_append(&record, path.data, path.size, err))
        result = spool_add(&r->trash[kind], spot.anchor->folder, buffer_bytes(&record), err);
    buffer_release(&record);
    return result;
}

/* Leaves the folder with the times that it had. */
static void leave(struct bin *b)
{
    struct os_object o = {.handle = b->folder};
    struct error ignored = {0};

    if (b->folder == OS_NO_HANDLE)
        return;
    if (os_set_times(&o, &b->before.mtime, &b->before.atime, &ignored))
        error_release(&ignored);
    os_close(b->folder);
    b->folder = OS_NO_HANDLE;
}

static int enter(struct bin *b, const struct spot *spot, struct error *err)
{
    if (b->folder != OS_NO_HANDLE && b->anchor == spot->anchor &&
        bytes_equal(buffer_bytes(&b->path), spot->parent))
        return 0;
    leave(b);
    buffer_clear(&b->path);
    if (buffer_append(&b->path, spot->parent.data, spot->parent.size, err) ||
        position_open_parent(b->run, spot, &b->folder, err)) {
        b->folder = OS_NO_HANDLE;
        return -1;
    }
    b->anchor = spot->anchor;
    if (position_mark(b->run, b->anchor, err))
        return -1;
    return os_stat_handle(b->folder, &b->before, err);
}

/* Tells what stays, by its whole path. */
static void tell_stays(void *context, struct bytes below, struct error *problem)
{
    struct bin *b = context;
    struct bytes parent = path_parent(b->record);
    struct buffer path = {0};
    struct error ignored = {0};

    if (buffer_append(&path, parent.data, parent.size, &ignored) ||
        (parent.size && buffer_append_byte(&path, '/', &ignored)) ||
        buffer_append(&path, below.data, below.size, &ignored))
        error_release(&ignored);
    run_error(b->run, buffer_bytes(&path), problem);
    error_release(problem);
    buffer_release(&path);
}

/* True if the source lacks the name perhaps only because it could not read there (SAFETY R10). */
static bool is_hidden(const struct run *r, struct bytes path)
{
    for (size_t i = 0; i < r->facts->lost_count; i++) {
        if (path_is_within(path, r->facts->lost[i]))
            return true;
    }
    return false;
}

/* Removes one record's name. */
static int remove_record(struct bin *b, enum trash_kind kind, struct bytes record,
                         struct error *err)
{
    struct run *r = b->run;
    struct cursor c = {record.data, record.size};
    struct removal task = {.clear_flags = r->options->clear_flags || kind == TRASH_OWN,
                           .failed = tell_stays,
                           .context = b};
    struct spot spot;

    if (cursor_u64(&c, &task.identity.volume, err) || cursor_u64(&c, &task.identity.file[0], err))
        return -1;
    b->record = bytes_make(c.at, c.left);
    if (kind == TRASH_EXTRA && is_hidden(r, b->record)) {
        r->counts->extras++;
        watcher_remark(r->watcher, b->record, "kept: the source could not be read here");
        return 0;
    }
    if (position_spot(r, b->record, &spot, err) || enter(b, &spot, err))
        return run_failed(r, b->record, err);
    buffer_clear(&r->name);
    if (buffer_append(&r->name, spot.name.data, spot.name.size, err) ||
        buffer_terminate(&r->name, err))
        return -1;
    task.folder = b->folder;
    task.name = (const char *)r->name.data;
    if (removal_run(&task))
        return 0;
    if (kind == TRASH_EXTRA) {
        struct notice n = {.kind = NOTICE_CHANGE, .path = b->record, .reason = "delete"};
        r->counts->deleted++;
        r->watcher->notice(r->watcher, &n);
    }
    return 0;
}

static int empty_kind(struct run *r, enum trash_kind kind, struct error *err)
{
    struct bin b = {.run = r, .folder = OS_NO_HANDLE};
    struct bytes record;
    int got;

    while ((got = spool_next(&r->trash[kind], &record, err)) > 0) {
        if ((kind != TRASH_OWN && run_check_stop(r, err)) || remove_record(&b, kind, record, err)) {
            got = -1;
            break;
        }
    }
    leave(&b);
    buffer_release(&b.path);
    return got;
}

int trash_empty(struct run *r, struct error *err)
{
    uint64_t kept = r->trash[TRASH_EXTRA].count + r->trash[TRASH_ASIDE].count;

    if (kept && r->faults) {
        struct error why = {0};
        r->counts->extras += kept;
        error_set(&why, ERROR_REFUSED, "delete", "nothing is deleted after errors");
        run_error(r, bytes_make(NULL, 0), &why);
        error_release(&why);
    } else if (empty_kind(r, TRASH_EXTRA, err) || empty_kind(r, TRASH_ASIDE, err)) {
        return -1;
    }
    return empty_kind(r, TRASH_OWN, err);
}

void trash_abandon(struct run *r)
{
    struct error ignored = {0};

    if (empty_kind(r, TRASH_OWN, &ignored))
        error_release(&ignored);
}

/* ---- What dead runs left ---- */

/* A folder with content that a dead run set aside belonged to the user: it goes only where deleting
 * is asked for. An empty one may have been on its way to become a junction. */
static bool may_sweep(struct run *r, const struct entry *e, struct bytes path)
{
    return e->kind != ENTRY_DIRECTORY || r->options->delete_extra || !plan_has_content(r, path);
}

static int sweep_entry(struct run *r, struct anchor *a, struct source *walk, const struct entry *e,
                       struct error *err)
{
    /* The walk calls the anchor's folder "x"; its own paths begin with the root's name, or with
     * nothing. */
    struct bytes inner = bytes_make(e->path.data + 1, e->path.size - 1);
    int result = -1;

    if (!e->depth || e->problem_scope == PROBLEM_CONTENT || e->problem_scope == PROBLEM_ENTRY ||
        !anchor_is_leftover(a, entry_name(e)))
        return 0;
    source_skip(walk);
    struct buffer path = {0};
    bool rooted = a->root && !a->leaf;
    if (!rooted)
        inner = bytes_make(inner.data + 1, inner.size - 1);
    if ((rooted && buffer_append(&path, a->root, strlen(a->root), err)) ||
        buffer_append(&path, inner.data, inner.size, err))
        goto out;
    if (!may_sweep(r, e, buffer_bytes(&path)))
        result = 0;
    else
        result = trash_add(r, TRASH_OWN, buffer_bytes(&path), &e->identity, err);
out:
    buffer_release(&path);
    return result;
}

static int sweep_anchor(struct run *r, struct anchor *a, struct error *err)
{
    struct disk_root root = {.name = "x", .place = a->path};
    struct disk_layout layout = {.roots = &root, .root_count = 1};
    struct walk_options options = run_walk_options(r);
    struct source *walk = NULL;
    const struct entry *e;
    int got;

    options.one_file_system = true;
    if (walk_open(&layout, &options, &walk, err))
        return -1;
    while ((got = source_next(walk, &e, err)) > 0) {
        if (run_check_stop(r, err) || sweep_entry(r, a, walk, e, err)) {
            got = -1;
            break;
        }
    }
    source_close(walk);
    return got;
}

int trash_sweep(struct run *r, struct error *err)
{
    for (size_t i = 0; i < r->anchor_count; i++) {
        struct anchor *a = &r->anchors[i];
        if (a->folder != OS_NO_HANDLE && a->dead.size && sweep_anchor(r, a, err))
            return -1;
    }
    return 0;
}
