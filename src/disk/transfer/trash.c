/*
 * trash.c: the delete phase. What is to go was written down during the run (path, identity); here
 * each is found again below its anchor, looked at once more, and removed. The times of the folders
 * that they leave are set back: those were set already.
 */
#include "disk/transfer/apply.h"
#include "disk/walk.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "link/reparse_tag.h"
#include "tree/filter.h"
#include "tree/ntfs_note.h"

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

/* The whole path of what lies below the record's folder; the caller releases it. */
static struct buffer whole_path(const struct bin *b, struct bytes below)
{
    struct bytes parent = path_parent(b->record);
    struct buffer path = {0};
    struct error ignored = {0};

    if (buffer_append(&path, parent.data, parent.size, &ignored) ||
        (parent.size && buffer_append_byte(&path, '/', &ignored)) ||
        buffer_append(&path, below.data, below.size, &ignored))
        error_release(&ignored);
    return path;
}

/* Tells what stays. */
static void tell_stays(void *context, struct bytes below, struct error *problem)
{
    struct bin *b = context;
    struct buffer path = whole_path(b, below);

    run_error(b->run, buffer_bytes(&path), problem);
    error_release(problem);
    buffer_release(&path);
}

/* Reads the buffer of what a note says to stand for a reparse point: 1, 0, -1. */
static int read_noted(const struct os_object *o, struct buffer *out, struct error *err)
{
    struct error not_ours = {0};
    struct buffer text = {0};
    struct ntfs_note note;
    int has = os_get_xattr(o, NTFS_NOTE_NAME, &text, err);

    if (has == 1 && ntfs_note_decode(buffer_bytes(&text), &note, NULL, &not_ours))
        has = 0;
    if (has == 1 && buffer_append(out, note.reparse.data, note.reparse.size, err))
        has = -1;
    error_release(&not_ours);
    buffer_release(&text);
    return has;
}

/* Reads the buffer of what is a reparse point, or stands for one: 1, 0, -1. */
static int read_reparse(const struct run *r, const struct removal_name *n, struct buffer *out,
                        struct error *err)
{
    const struct os_object o = {OS_NO_HANDLE, n->folder, n->name};
    uint32_t attributes;
    int has = os_ntfs_attributes(&o, &attributes, err);

    if (!has)
        return r->privileged ? read_noted(&o, out, err) : 0;
    if (has < 0 || !(attributes & OS_ATTRIBUTE_REPARSE_POINT))
        return has < 0 ? -1 : 0;
    return os_read_reparse(n->folder, n->name, out, err);
}

/* True for what --reparse leaves out; what cannot be looked at is not known to go. */
static bool is_left_out(const struct run *r, const struct removal_name *n)
{
    struct error ignored = {0};
    struct buffer raw = {0};
    int is_reparse = read_reparse(r, n, &raw, &ignored);
    const struct entry point = {.reparse = buffer_bytes(&raw)};
    bool left_out = is_reparse < 0 || (is_reparse == 1 && trash_leaves_out(r, &point));

    error_release(&ignored);
    buffer_release(&raw);
    return left_out;
}

bool trash_leaves_out(const struct run *r, const struct entry *e)
{
    return r->options->spare_reparse && e->reparse.size &&
           reparse_policy_of(r->options->spare_reparse, entry_reparse_tag(e)) == REPARSE_SKIP;
}

static bool is_spared(void *context, const struct removal_name *n)
{
    struct bin *b = context;
    const struct transfer_options *o = b->run->options;
    struct buffer path = whole_path(b, n->below);
    bool spared = o->spare && filter_excludes(o->spare, buffer_bytes(&path), n->is_folder);

    buffer_release(&path);
    return spared || (o->spare_reparse && is_left_out(b->run, n));
}

bool trash_spares(const struct run *r)
{
    return r->options->spare || r->options->spare_reparse;
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

/* What is to be done with a record. */
struct record {
    enum trash_kind kind;
    enum removal_mode mode;
    struct bytes bytes;
};

/* Tells what became of an extra name. */
static void tell_deleted(struct bin *b, const struct removal *task)
{
    struct notice n = {.kind = NOTICE_CHANGE, .path = b->record, .reason = "delete"};

    b->run->counts->extras += task->spared != 0;
    if (!task->removed)
        return;
    b->run->counts->deleted++;
    b->run->watcher->notice(b->run->watcher, &n);
}

/* Removes one record's name, or counts what that would remove. */
static int remove_record(struct bin *b, const struct record *record, struct error *err)
{
    struct run *r = b->run;
    struct cursor c = {record->bytes.data, record->bytes.size};
    struct removal task = {.mode = record->mode,
                           .clear_flags = r->options->clear_flags || record->kind == TRASH_OWN,
                           .spares =
                               record->kind == TRASH_EXTRA && trash_spares(r) ? is_spared : NULL,
                           .failed = tell_stays,
                           .context = b};
    struct spot spot;

    if (cursor_u64(&c, &task.identity.volume, err) || cursor_u64(&c, &task.identity.file[0], err))
        return -1;
    b->record = bytes_make(c.at, c.left);
    if (record->kind == TRASH_EXTRA && is_hidden(r, b->record)) {
        if (record->mode == REMOVAL_LOOK)
            return 0;
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
    int failed = removal_run(&task);
    if (record->mode == REMOVAL_LOOK)
        r->to_delete += task.removed;
    else if (!failed && record->kind == TRASH_EXTRA)
        tell_deleted(b, &task);
    return 0;
}

static int empty_kind(struct run *r, enum trash_kind kind, enum removal_mode mode,
                      struct error *err)
{
    struct bin b = {.run = r, .folder = OS_NO_HANDLE};
    struct record record = {.kind = kind, .mode = mode};
    int got;

    while ((got = spool_next(&r->trash[kind], &record.bytes, err)) > 0) {
        if ((kind != TRASH_OWN && run_check_stop(r, err)) || remove_record(&b, &record, err)) {
            got = -1;
            break;
        }
    }
    leave(&b);
    buffer_release(&b.path);
    if (mode == REMOVAL_LOOK)
        spool_rewind(&r->trash[kind]);
    return got;
}

/* What the user asked to be deleted stays: why. */
static void tell_kept(struct run *r, const char *reason)
{
    struct error why = {0};

    error_set(&why, ERROR_REFUSED, "delete", "%s", reason);
    run_error(r, bytes_make(NULL, 0), &why);
    error_release(&why);
}

/* True, and told, if more would be deleted than may be. */
static bool is_over_limit(struct run *r)
{
    char text[128];

    if (!r->options->limits_deletes || r->to_delete <= r->options->max_delete)
        return false;
    (void)snprintf(text, sizeof text,
                   "nothing is deleted: %" PRIu64 " names would go, and --max-delete says %" PRIu64,
                   r->to_delete, r->options->max_delete);
    tell_kept(r, text);
    return true;
}

int trash_tell_limit(struct run *r)
{
    (void)is_over_limit(r);
    return 0;
}

int trash_look(struct run *r, struct bytes path, const struct identity *id, struct trash_view *out,
               struct error *err)
{
    struct bin b = {.run = r, .folder = OS_NO_HANDLE, .record = path};
    struct removal task = {.mode = REMOVAL_LOOK,
                           .identity = *id,
                           .spares = trash_spares(r) ? is_spared : NULL,
                           .failed = tell_stays,
                           .context = &b};
    struct spot spot;
    struct buffer name = {0};
    int result = -1;

    if (position_spot(r, path, &spot, err) ||
        buffer_append(&name, spot.name.data, spot.name.size, err) || buffer_terminate(&name, err) ||
        position_open_parent(r, &spot, &task.folder, err))
        goto out;
    task.name = (const char *)name.data;
    if (removal_run(&task))
        error_release(err); /* told */
    os_close(task.folder);
    *out = (struct trash_view){task.removed, task.spared};
    result = 0;
out:
    buffer_release(&name);
    return result;
}

/* Deletes what the user asked for, if nothing speaks against it. What was set aside for something
 * else was counted, and allowed, when that was done. */
static int empty_asked(struct run *r, struct error *err)
{
    uint64_t extras = r->trash[TRASH_EXTRA].count, asides = r->trash[TRASH_ASIDE].count;

    if (!extras && !asides)
        return 0;
    if (!r->faults && r->options->limits_deletes && empty_kind(r, TRASH_EXTRA, REMOVAL_LOOK, err))
        return -1;
    if (r->faults) {
        r->counts->extras += extras + asides;
        tell_kept(r, "nothing is deleted after errors");
        return 0;
    }
    if (is_over_limit(r))
        r->counts->extras += extras;
    else if (empty_kind(r, TRASH_EXTRA, REMOVAL_DO, err))
        return -1;
    return empty_kind(r, TRASH_ASIDE, REMOVAL_DO, err);
}

int trash_empty(struct run *r, struct error *err)
{
    return empty_asked(r, err) ? -1 : empty_kind(r, TRASH_OWN, REMOVAL_DO, err);
}

void trash_abandon(struct run *r)
{
    struct error ignored = {0};

    if (empty_kind(r, TRASH_OWN, REMOVAL_DO, &ignored))
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
