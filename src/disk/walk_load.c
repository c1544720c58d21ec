/*
 * walk_load.c: what costs more than a status: extended attributes, file flags, contents. A file is
 * opened once: the handle that its flags and attributes were read by serves its content, a folder's
 * serves the descent.
 */
#include "disk/data.h"
#include "disk/walk_state.h"
#include "link/reparse_tag.h"
#include "tree/ntfs_note.h"

void walk_subject_close(struct walk_subject *t)
{
    os_close(t->open);
    t->open = OS_NO_HANDLE;
}

static bool is_same_file(const struct os_stat *a, const struct os_stat *b)
{
    return a->kind == b->kind && a->device == b->device && a->file[0] == b->file[0] &&
           a->file[1] == b->file[1];
}

static int open_and_stat(const struct walk_subject *t, enum os_kind kind, os_handle *out,
                         struct os_stat *status, struct error *err)
{
    if (kind != OS_DIRECTORY)
        return os_open_file_stat(t->folder, t->name, out, status, err);
    if (os_open_dir(t->folder, t->name, out, err))
        return -1;
    if (!os_stat_handle(*out, status, err))
        return 0;
    os_close(*out);
    return -1;
}

int walk_subject_open(struct walk_subject *t, enum os_kind kind, struct error *err)
{
    struct os_stat opened;
    os_handle handle;

    t->is_read = true;
    if (t->open != OS_NO_HANDLE)
        return 0;
    if (open_and_stat(t, kind, &handle, &opened, err))
        return -1;
    if (!is_same_file(&opened, &t->status)) {
        os_close(handle);
        return error_set(err, ERROR_CHANGED, "open", "another %s took its place meanwhile",
                         kind == OS_DIRECTORY ? "folder" : "file");
    }
    t->open = handle;
    t->status = opened;
    return 0;
}

/* Opens what has flags. Who may not open a file may still read attributes by name: no problem by
 * itself. */
static int open_for_load(struct walk_subject *t, const struct entry *e, struct error *err)
{
    if (e->kind != ENTRY_FILE && e->kind != ENTRY_DIRECTORY)
        return 0;
    if (!walk_subject_open(t, t->status.kind, err))
        return 0;
    if (!os_error_is_permission(err))
        return -1;
    error_release(err);
    return 0;
}

/* The content of what is a file besides being a reparse point: this driver does not show it. What
 * has none in blocks of its own may have it elsewhere on the volume. */
static bool hides_content(const struct walk_subject *t, const struct entry *e)
{
    return e->kind == ENTRY_REPARSE && !e->folder_flavour && t->on_ntfs &&
           (e->allocated || reparse_tag_class(entry_reparse_tag(e)) == REPARSE_CLASS_DATA);
}

/* Puts what a note tells in its place among the attributes. One that is not ours stays what it is.
 */
static int unfold_note(struct walk *w, const struct walk_subject *t, struct pairs *xattrs,
                       struct error *err)
{
    ptrdiff_t at = w->sees_notes ? pairs_find(xattrs, bytes_of(NTFS_NOTE_NAME)) : -1;
    struct error not_ours = {0};
    struct ntfs_note note;

    if (at < 0 && !t->is_relinked)
        return 0;
    pairs_clear(&w->kept);
    if (ntfs_note_decode(at < 0 ? buffer_bytes(&w->note) : pairs_value(xattrs, (size_t)at), &note,
                         &w->kept, &not_ours)) {
        bool memory = not_ours.kind == ERROR_MEMORY;
        error_release(&not_ours);
        return memory ? error_memory(err) : 0;
    }
    for (size_t i = 0; i < xattrs->count; i++) {
        if ((ptrdiff_t)i != at &&
            pairs_append(&w->kept, pairs_name(xattrs, i), pairs_value(xattrs, i), err))
            return -1;
    }
    pairs_sort(&w->kept);
    return pairs_copy(xattrs, &w->kept, err);
}

/* Reads the attributes. Those that are too long for the system cost no others: *partial says which,
 * and the rest is there. */
static int list_attributes(const struct os_object *o, struct pairs *xattrs, struct error *partial,
                           struct error *err)
{
    if (!os_list_xattrs(o, xattrs, partial) || partial->kind == ERROR_LIMIT)
        return 0;
    error_move(err, partial);
    return -1;
}

/* Whether the mount shows the streams of files: said once a volume, at the first file or folder. */
static int ask_streams(struct walk *w, const struct walk_subject *t, const struct os_object *o,
                       struct error *err)
{
    bool shown;

    if (w->volume.streams_asked || t->open == OS_NO_HANDLE || w->options.missing_roots)
        return 0;
    w->volume.streams_asked = true;
    if (os_ntfs_shows_streams(o, &shown, err))
        return -1;
    return shown ? 0
                 : error_set(err, ERROR_UNSUPPORTED, NULL,
                             "this volume is mounted so that the streams of its files are hidden, "
                             "and they are lost: mount it with -o streams_interface=xattr");
}

static int load_metadata(struct walk *w, struct walk_subject *t, struct entry *e, struct error *err)
{
    struct os_object object = {.folder = t->folder, .name = t->name};
    struct metadata *m = &e->meta;
    struct error partial = {0};

    if (open_for_load(t, e, err))
        return -1;
    object.handle = t->open;
    if (list_attributes(&object, &m->xattrs, &partial, err) || unfold_note(w, t, &m->xattrs, err))
        goto failed;
    m->known |= METADATA_XATTRS | METADATA_ACL;
    if (t->on_ntfs && os_list_ntfs(&object, &m->xattrs, err))
        goto failed;
    if (hides_content(t, e)) {
        error_set(err, ERROR_UNSUPPORTED, "read",
                  t->status.kind == OS_FILE
                      ? "its reparse point alone is kept; --reparse TAG=data keeps its content "
                        "instead"
                      : "its content cannot be read here: its reparse point alone is kept");
        goto failed;
    }
    if (t->open != OS_NO_HANDLE) {
        if (os_get_flags(&object, &m->flags, err))
            goto failed;
        m->known |= METADATA_FLAGS;
    }
    if (t->on_ntfs && ask_streams(w, t, &object, err))
        goto failed;
    if (partial.kind == ERROR_NONE)
        return 0;
    error_move(err, &partial);
failed:
    error_release(&partial);
    return -1;
}

int walk_load(struct source *s, const struct entry **out, struct error *err)
{
    struct walk *w = walk_of(s);
    struct entry *e = &w->entry;
    struct error problem = {0};

    *out = e;
    if (w->last->loaded ||
        (e->problem_scope != PROBLEM_NONE && e->problem_scope != PROBLEM_METADATA))
        return 0;
    w->last->loaded = true;
    if (!load_metadata(w, w->last, e, &problem))
        return 0;
    if (walk_is_fatal(&problem, err))
        return -1;
    error_move(&w->problem, &problem);
    if (!(e->meta.known & METADATA_XATTRS))
        pairs_clear(&e->meta.xattrs);
    error_at(&w->problem, (const char *)e->path.data, e->path.size);
    e->problem_scope = PROBLEM_METADATA;
    e->problem = &w->problem;
    return 0;
}

/* Attributes may take blocks that hide a hole in the count. */
static enum data_holes holes_of(const struct entry *e)
{
    bool plain = (e->meta.known & METADATA_XATTRS) && !e->meta.xattrs.count;
    return plain ? DATA_HOLES_IF_LARGE : DATA_HOLES_ALWAYS;
}

int walk_open_data(struct source *s, struct data **out, struct error *err)
{
    struct walk *w = walk_of(s);
    struct walk_subject *t = w->last;
    const struct entry *e = &w->entry;
    bool usable = e->problem_scope == PROBLEM_NONE || e->problem_scope == PROBLEM_METADATA;

    if (!usable || e->kind != ENTRY_FILE)
        return error_set(err, ERROR_USAGE, "open", "not a file");
    if (walk_subject_open(t, OS_FILE, err) ||
        disk_data_adopt(t->open, &t->status, holes_of(e), out, err))
        return error_at(err, (const char *)e->path.data, e->path.size);
    t->open = OS_NO_HANDLE;
    return 0;
}
