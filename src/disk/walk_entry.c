/*
 * walk_entry.c: from what the system says of a name to an entry.
 */
#include "disk/walk_state.h"
#include "tree/ntfs_note.h"

bool walk_is_fatal(struct error *problem, struct error *err)
{
    if (problem->kind != ERROR_MEMORY && problem->kind != ERROR_INTERRUPTED)
        return false;
    error_move(err, problem);
    return true;
}

static void begin_entry(struct walk *w, struct walk_spot spot)
{
    struct pairs xattrs = w->entry.meta.xattrs;

    pairs_clear(&xattrs);
    error_release(&w->problem);
    w->entry =
        (struct entry){.path = spot.path, .name_offset = spot.name_offset, .depth = spot.depth};
    w->entry.meta.xattrs = xattrs;
}

void walk_entry_problem(struct walk *w, struct walk_spot spot, enum problem_scope scope,
                        struct error *problem)
{
    begin_entry(w, spot);
    error_at(problem, (const char *)spot.path.data, spot.path.size);
    error_move(&w->problem, problem);
    w->entry.problem_scope = scope;
    w->entry.problem = &w->problem;
}

static const enum entry_kind kinds[] = {
    [OS_DIRECTORY] = ENTRY_DIRECTORY,
    [OS_FILE] = ENTRY_FILE,
    [OS_SYMLINK] = ENTRY_SYMLINK,
    [OS_FIFO] = ENTRY_FIFO,
    [OS_SOCKET] = ENTRY_SOCKET,
    [OS_CHAR_DEVICE] = ENTRY_CHAR_DEVICE,
    [OS_BLOCK_DEVICE] = ENTRY_BLOCK_DEVICE,
};

static void fill_metadata(struct walk *w, const struct os_stat *s)
{
    struct metadata *m = &w->entry.meta;

    m->known = METADATA_MODE | METADATA_OWNER | METADATA_GROUP | METADATA_MTIME | METADATA_ATIME |
               METADATA_CTIME;
    m->mode = s->mode;
    m->owner = s->owner;
    m->group = s->group;
    m->mtime = s->mtime;
    m->atime = s->atime;
    m->ctime = s->ctime;
    if (s->has_btime) {
        m->known |= METADATA_BTIME;
        m->btime = s->btime;
    }
    if (w->accounts) {
        m->owner_name = os_user_name(w->accounts, s->owner);
        m->group_name = os_group_name(w->accounts, s->group);
    }
}

/* What stands for a folder has one name on Windows, and counts of names have short ones among them:
 * nothing is to be taken for a further name of it. */
static void fill_names(struct entry *e, const struct os_stat *s)
{
    bool folder = e->kind == ENTRY_DIRECTORY || e->folder_flavour;

    e->link_count = e->folder_flavour ? 1 : s->link_count;
    e->shared = !folder && s->link_count > 1;
}

static int fill_entry(struct walk *w, struct walk_spot spot, const struct walk_subject *t,
                      struct error *err)
{
    const struct os_stat *s = &t->status;
    struct entry *e = &w->entry;

    begin_entry(w, spot);
    e->kind = kinds[s->kind];
    e->identity = (struct identity){s->device, {s->file[0], s->file[1]}};
    if (e->kind == ENTRY_FILE) {
        e->size = s->size;
        e->allocated = s->allocated;
    }
    if (e->kind == ENTRY_CHAR_DEVICE || e->kind == ENTRY_BLOCK_DEVICE) {
        e->device_major = s->device_major;
        e->device_minor = s->device_minor;
    }
    if (e->kind == ENTRY_SYMLINK)
        e->target = buffer_bytes(&w->target);
    if (w->reparse.size) {
        e->size = 0;
        e->allocated = s->allocated;
        if (entry_set_reparse(e, buffer_bytes(&w->reparse), t->folder_flavour, &w->target, err))
            return -1;
    }
    fill_names(e, s);
    fill_metadata(w, s);
    return 0;
}

/* Windows never gives what stands for a folder a second name; drivers elsewhere do if they are told
 * to. (A count above one may be that of a short name.) */
static int check_double(struct walk *w, const struct walk_subject *t, struct error *err)
{
    struct entry *e = &w->entry;

    if (!e->folder_flavour || t->status.link_count < 2 || t != &w->current)
        return 0;
    if (table_find(&w->doubles, &e->identity)) {
        error_set(&w->problem, ERROR_REFUSED, NULL,
                  "a second name of a reparse point that stands for a folder, as Windows has none: "
                  "kept as one of its own");
        error_at(&w->problem, (const char *)e->path.data, e->path.size);
        e->problem_scope = PROBLEM_METADATA;
        e->problem = &w->problem;
        return 0;
    }
    return table_add(&w->doubles, &e->identity, err) ? 0 : -1;
}

static bool is_left_out(const struct walk *w, const struct os_stat *s)
{
    struct identity id = {s->device, {s->file[0], s->file[1]}};

    for (size_t i = 0; s->kind == OS_FILE && i < w->options.leave_out_count; i++) {
        if (identity_equal(&id, &w->options.leave_out[i]))
            return true;
    }
    return false;
}

/* Whether the volume that the subject is on has what NTFS has. 1, 0, -1. */
static int ask_volume(struct walk *w, const struct os_object *o, const struct walk_subject *t,
                      struct error *err)
{
    struct walk_volume *v = &w->volume;
    uint32_t ignored;

    if (!v->asked || v->device != t->status.device) {
        int has = os_ntfs_attributes(o, &ignored, err);
        if (has < 0)
            return -1;
        *v = (struct walk_volume){true, has == 1, false, t->status.device};
    }
    return v->has_ntfs;
}

/* True if what stands there is still what was made for the reparse point of the note: 1, 0, -1. */
static int stands_for(const struct walk_subject *t, const struct ntfs_note *note, struct error *err)
{
    struct buffer texts[3] = {{0}}; /* of Windows, as it was made, as it is */
    struct entry e = {0};
    int result = -1;

    if (entry_set_reparse(&e, note->reparse, note->folder_flavour, &texts[0], err))
        goto out;
    result = t->status.kind == OS_FILE;
    if (!entry_is_link(&e))
        goto out;
    result = t->status.kind == OS_SYMLINK;
    if (result == 0)
        goto out;
    result = -1;
    if (!ntfs_note_link_text(&e, &texts[1], err) &&
        !os_read_link(t->folder, t->name, &texts[2], err))
        result = bytes_equal(buffer_bytes(&texts[1]), buffer_bytes(&texts[2]));
out:
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        buffer_release(&texts[i]);
    return result;
}

/* Finds the note of what may stand for a reparse point, beside it or in a relink file, into
 * w->note: 1, 0, -1. */
static int find_note(struct walk *w, struct walk_subject *t, const struct os_object *o,
                     struct bytes path, struct error *err)
{
    struct bytes note = {0};
    const struct identity id = {t->status.device, {t->status.file[0], t->status.file[1]}};
    int got = w->sees_notes ? os_get_xattr(o, NTFS_NOTE_NAME, &w->note, err) : 0;
    bool first = !got && w->options.relink && relink_find(w->options.relink, path, &note);
    struct walk_relinked *known = first || got ? NULL : table_find(&w->relinked, &id);

    if (!first && !known)
        return got;
    if (first && t->status.link_count > 1) {
        known = table_add(&w->relinked, &id, err);
        if (!known)
            return -1;
        known->note = note;
    }
    note = known ? known->note : note;
    t->is_relinked = true;
    return buffer_append(&w->note, note.data, note.size, err) ? -1 : 1;
}

/* On other file systems a note may tell that a symbolic link, or a file of mode 0 without content,
 * stands for a reparse point. As read_reparse. */
static int read_note(struct walk *w, struct walk_subject *t, struct bytes path, struct error *err)
{
    const struct os_object o = {t->open, t->folder, t->name};
    const struct os_stat *s = &t->status;
    struct error not_ours = {0};
    struct ntfs_note note;
    int got;

    if (t->folder == OS_NO_HANDLE ||
        !(s->kind == OS_SYMLINK || (s->kind == OS_FILE && !s->size && !s->mode)))
        return 0;
    buffer_clear(&w->note);
    got = find_note(w, t, &o, path, err);
    if (got != 1)
        return got;
    if (ntfs_note_decode(buffer_bytes(&w->note), &note, NULL, &not_ours)) {
        error_release(&not_ours);
        t->is_relinked = false;
        return 0;
    }
    if (t->is_relinked) {
        got = note.reparse.size ? stands_for(t, &note, err) : 0;
        t->is_relinked = got == 1;
        if (got != 1)
            return got;
    }
    t->folder_flavour = note.folder_flavour;
    if (buffer_append(&w->reparse, note.reparse.data, note.reparse.size, err))
        return -1;
    return note.reparse.size != 0;
}

/* Reads the buffer of a reparse point into w->reparse. What the status says of one depends on the
 * driver; its attributes are the volume's own. 1 it is one, 0 it is none, -1. */
static int read_reparse(struct walk *w, struct walk_subject *t, struct bytes path,
                        struct error *err)
{
    struct os_object o = {t->open, t->folder, t->name};
    uint32_t attributes;
    int got;

    buffer_clear(&w->reparse);
    t->is_relinked = false;
    got = ask_volume(w, &o, t, err);
    t->on_ntfs = got == 1;
    if (got != 1)
        return got < 0 ? -1 : read_note(w, t, path, err);
    if (os_ntfs_attributes(&o, &attributes, err) < 0)
        return -1;
    if (!(attributes & OS_ATTRIBUTE_REPARSE_POINT) || t->folder == OS_NO_HANDLE)
        return 0;
    t->folder_flavour = (attributes & OS_ATTRIBUTE_DIRECTORY) != 0;
    return os_read_reparse(t->folder, t->name, &w->reparse, err);
}

/* What is to be kept as data is a file, if the driver shows it as one (it has plug-ins for that):
 * the reparse point is forgotten. */
static int take_as_data(struct walk *w, const struct walk_subject *t, struct error *err)
{
    const struct entry point = {.reparse = buffer_bytes(&w->reparse)};

    if (!w->options.reparse || t->folder_flavour ||
        reparse_policy_of(w->options.reparse, entry_reparse_tag(&point)) != REPARSE_DATA)
        return 0;
    if (t->status.kind != OS_FILE || !t->on_ntfs)
        return error_set(err, ERROR_UNSUPPORTED, "read",
                         "a reparse point whose data cannot be read here, and whose data alone was "
                         "asked for");
    buffer_clear(&w->reparse);
    return 0;
}

static int look(struct walk_subject *t, struct error *err)
{
    struct error ignored = {0};

    if (t->open != OS_NO_HANDLE)
        return os_stat_handle(t->open, &t->status, err);
    if (t->opens_first && !os_open_file_stat(t->folder, t->name, &t->open, &t->status, &ignored))
        return 0;
    error_release(&ignored);
    return os_stat_at(t->folder, t->name, &t->status, err);
}

static int read_status(struct walk *w, struct walk_subject *t, struct bytes path, struct error *err)
{
    if (look(t, err))
        return -1;
    if (t->status.kind == OS_KIND_UNKNOWN)
        return error_set(err, ERROR_UNSUPPORTED, "stat", "a kind of entry that is not known");
    buffer_clear(&w->target);
    int reparse = read_reparse(w, t, path, err);
    if (reparse && t->opens_first)
        walk_subject_close(t);
    if (reparse)
        return reparse < 0 ? -1 : take_as_data(w, t, err);
    if (t->status.kind == OS_SYMLINK)
        return os_read_link(t->folder, t->name, &w->target, err);
    return 0;
}

int walk_entry_read(struct walk *w, struct walk_subject *t, struct walk_spot spot,
                    struct error *err)
{
    struct error problem = {0};

    t->loaded = t->is_read = false;
    if (!read_status(w, t, spot.path, &problem)) {
        if (is_left_out(w, &t->status)) {
            walk_subject_close(t);
            return 0;
        }
        return fill_entry(w, spot, t, err) || check_double(w, t, err) ? -1 : 1;
    }
    if (walk_is_fatal(&problem, err))
        return -1;
    walk_entry_problem(w, spot, PROBLEM_ENTRY, &problem);
    return 1;
}
