/*
 * names.c: further names of files (hard links). A name is linked only to a file that this run made
 * or found equal, known by its identity (SAFETY R4); both ends go by held folders, and the new name
 * is looked at after it was made.
 */
#include "disk/transfer/apply.h"
#include "disk/transfer/older.h"
#include "disk/transfer/writers.h"

#include <string.h>

/* The file of a group, by the hash of the path that others name as their first. */
struct named_file {
    struct hash128 key;
    struct diff_note note;
};

/* So many names of one file are possible (os_volume.many_names), even counted by two paths of it.
 */
enum { HANDED_MOST = 500 };

/* A group whose file stands under another path than its key says. */
struct moved_name {
    struct hash128 key;
    size_t offset, bytes; /* of the path, in moved_paths */
};

void names_init(struct names *n)
{
    *n = (struct names){0};
    table_init(&n->files, sizeof(struct named_file), sizeof(struct hash128));
    table_init(&n->moved, sizeof(struct moved_name), sizeof(struct hash128));
    parents_init(&n->parents);
}

void names_release(struct names *n)
{
    table_release(&n->files);
    table_release(&n->moved);
    buffer_release(&n->moved_paths);
    buffer_release(&n->forward);
    parents_release(&n->parents);
}

static bool find_note(const struct run *r, const struct hash128 *key, struct diff_note *out)
{
    const struct named_file *f = table_find(&r->names.files, key);

    if (!f)
        return diff_note(r->diff, key, out);
    *out = f->note;
    return true;
}

static int set_note(struct run *r, const struct hash128 *key, struct diff_note note,
                    struct error *err)
{
    int set = diff_set_note(r->diff, key, note, err);

    if (set < 0)
        return -1;
    if (set) {
        table_remove(&r->names.files, key);
        return 0;
    }
    struct named_file *f = table_add(&r->names.files, key, err);
    if (!f)
        return -1;
    f->note = note;
    return 0;
}

int names_keep(struct run *r, const struct hash128 *path, struct named file, struct error *err)
{
    struct diff_note note = {0};

    (void)find_note(r, path, &note);
    note.device = file.device;
    note.file = file.file;
    note.is_made = file.is_made;
    return set_note(r, path, note, err);
}

int names_settle(struct run *r, const struct entry *want, struct error *err)
{
    if (!r->names.files.count || want->kind == ENTRY_DIRECTORY)
        return 0;
    struct hash128 key = hash_bytes(entry_is_further_name(want) ? want->first_name : want->path);
    const struct named_file *f = table_find(&r->names.files, &key);
    return f ? set_note(r, &key, f->note, err) : 0;
}

static int remember(struct run *r, struct bytes path, struct named file, struct error *err)
{
    struct hash128 key = hash_bytes(path);

    return names_keep(r, &key, file, err);
}

bool names_may_grow(const struct run *r, const struct entry *e)
{
    return e->kind != ENTRY_DIRECTORY &&
           (entry_is_further_name(e) || e->shared || e->link_count > 1 || !r->facts->names_known);
}

int names_note(struct run *r, const struct entry *want, struct named file, struct error *err)
{
    if (!names_may_grow(r, want))
        return 0;
    /* One record a file is enough: at its first name, where all others look as well. */
    if (entry_is_further_name(want)) {
        struct hash128 key = hash_bytes(want->first_name);
        struct diff_note note;
        if (find_note(r, &key, &note) && note.file == file.file && note.device == file.device)
            return 0;
    }
    return remember(r, want->path, file, err);
}

/* The group's file stands at `path` now. */
static int move_to(struct run *r, struct hash128 key, struct bytes path, struct error *err)
{
    struct moved_name *m = table_add(&r->names.moved, &key, err);

    if (!m)
        return -1;
    m->offset = r->names.moved_paths.size;
    m->bytes = path.size;
    return buffer_append(&r->names.moved_paths, path.data, path.size, err);
}

/* ---- Where the group's file stands ---- */

/* The file to link to. */
struct link_source {
    struct hash128 key;
    struct diff_note file;
    os_handle folder;
    const char *name; /* in r->text */
};

/* Opens where the group's file stands that a path names; out->key is the path's. */
static int find_place(struct run *r, struct bytes path, struct link_source *out, struct error *err)
{
    const struct moved_name *m = table_find(&r->names.moved, &out->key);
    struct spot spot;

    if (m)
        path = bytes_make(r->names.moved_paths.data + m->offset, m->bytes);
    if (position_spot(r, path, &spot, err))
        return -1;
    if (r->stack.depth && spot.anchor == position_anchor(r) && !spot.anchor->leaf &&
        bytes_equal(path_parent(path), buffer_bytes(&r->here)))
        out->folder = position_folder(r);
    else if (parents_open(r, &spot, &out->folder, err))
        return -1;
    buffer_clear(&r->text);
    if (buffer_append(&r->text, spot.name.data, spot.name.size, err) ||
        buffer_terminate(&r->text, err))
        return -1;
    out->name = (const char *)r->text.data;
    return 0;
}

/* Finds the group's file by a path that names it: 1; 0 if this run knows none; -1. */
static int find_file(struct run *r, struct bytes path, struct link_source *out, struct error *err)
{
    out->key = hash_bytes(path);
    bool found = find_note(r, &out->key, &out->file);
    if (!found) {
        if (writers_wait(r, &out->key, err))
            return -1;
        found = find_note(r, &out->key, &out->file);
    }
    if (!found)
        return 0;
    return find_place(r, path, out, err) ? -1 : 1;
}

int names_find(struct run *r, struct bytes path, struct names_place *out, struct error *err)
{
    struct link_source from = {.key = hash_bytes(path)};

    if (find_place(r, path, &from, err))
        return -1;
    *out = (struct names_place){from.folder, from.name};
    return 0;
}

int names_exchange(struct run *r, struct bytes path, struct named file, struct bytes at,
                   struct error *err)
{
    struct hash128 key = hash_bytes(path);
    struct diff_note note;

    if (!find_note(r, &key, &note))
        return 0;
    note = (struct diff_note){.device = file.device, .file = file.file};
    return set_note(r, &key, note, err) ? -1 : move_to(r, key, at, err);
}

/* By what the diff knows to be there, or by the first name itself. */
static int find_source(struct run *r, const struct difference_pair *pair, struct link_source *out,
                       struct error *err)
{
    int found = pair->other.size ? find_file(r, pair->other, out, err) : 0;

    return found ? found : find_file(r, pair->want->first_name, out, err);
}

/* ---- Making a name ---- */

/* An immutable file refuses further names: 1 its flags were taken off until the end of the run, 0
 * it has none, -1. */
static int unlock_source(struct run *r, const struct link_source *from, struct bytes path,
                         struct error *err)
{
    const uint32_t stuck = OS_FLAG_IMMUTABLE | OS_FLAG_APPEND;
    struct os_object o = {OS_NO_HANDLE, from->folder, from->name};
    struct os_stat status;
    uint32_t flags = 0;

    if (os_stat_at(from->folder, from->name, &status, err))
        return -1;
    if (status.kind != OS_FILE || os_get_flags(&o, &flags, err))
        return 0;
    if (!(flags & stuck))
        return 0;
    if (!r->options->clear_flags)
        return run_refuse(err, "its file is immutable: --clear-flags takes the flag off");
    if (os_set_flags(&o, flags & ~stuck, err) || late_add_flags(r, path, &status, flags, err))
        return -1;
    return 1;
}

/* NTFS holds 1024 names of a file, and one of what stands for a folder; its driver does not count.
 * (A short name is counted as one of them.) */
int names_check_limit(struct run *r, os_handle folder, const char *name, struct error *err)
{
    enum { NTFS_NAMES_MOST = 1024 };
    int on_ntfs = r->may_be_ntfs ? position_on_ntfs(r, err) : 0;
    struct os_object o = {OS_NO_HANDLE, folder, name};
    struct os_stat status;
    uint32_t attributes;

    if (on_ntfs != 1)
        return on_ntfs;
    if (os_stat_at(folder, name, &status, err) || os_ntfs_attributes(&o, &attributes, err) < 0)
        return -1;
    if (attributes & OS_ATTRIBUTE_DIRECTORY)
        return error_set(err, ERROR_LIMIT, "link", "a link to a folder has one name on NTFS");
    return status.link_count < NTFS_NAMES_MOST
               ? 0
               : error_set(err, ERROR_LIMIT, "link", "NTFS holds %d names of a file",
                           (int)NTFS_NAMES_MOST);
}

static int make_link(struct run *r, const struct link_source *from, const struct placing *p,
                     struct bytes path, struct error *err)
{
    struct error stuck = {0};

    if (names_check_limit(r, from->folder, from->name, err))
        return -1;
    if (!os_link(from->folder, from->name, p->folder, placing_name(p), err))
        return 0;
    if (!os_error_is_permission(err))
        return -1;
    int unlocked = unlock_source(r, from, path, &stuck);
    if (unlocked < 0 && stuck.kind)
        error_move(err, &stuck);
    error_release(&stuck);
    if (unlocked <= 0)
        return -1;
    error_release(err);
    return os_link(from->folder, from->name, p->folder, placing_name(p), err);
}

/* File systems lie, and the first name may have been swapped for another file. */
static int check_link(const struct link_source *from, const struct placing *p, struct error *err)
{
    const struct diff_note *file = &from->file;
    struct os_stat made;

    if (os_stat_at(p->folder, placing_name(p), &made, err))
        return -1;
    if (made.device != file->device || made.file[0] != file->file)
        return error_set(err, ERROR_CHANGED, "link", "its first name is another file meanwhile");
    return 0;
}

static int link_to(struct run *r, const struct link_source *from,
                   const struct difference_pair *pair, struct error *err)
{
    struct placing p;

    if (placing_begin(r, pair->have, PLACING_WHOLE, &p, err) ||
        make_link(r, from, &p, pair->want->path, err))
        return -1;
    if (!check_link(from, &p, err) && !placing_end(r, &p, err))
        return 0;
    placing_abort(&p);
    return -1;
}

/* The copy is made from the group's file, or, being no file, from what the entry says. */
static int make_copy(struct run *r, const struct link_source *from,
                     const struct difference_pair *pair, struct error *err)
{
    struct difference_pair complete = *pair;

    if (pair->want->kind == ENTRY_FILE)
        return file_copy(r, from->folder, from->name, pair, err);
    if (source_load(r->want, &complete.want, err))
        return -1;
    return node_place(r, &complete, err);
}

/* A name that cannot be one of the file begins a new copy, which the names to come are linked to.
 */
static int spill(struct run *r, const struct link_source *from, const struct difference_pair *pair,
                 struct error *err)
{
    const char *reason = os_error_is_cross_device(err)
                             ? "its first name is on another file system: a new copy begins"
                             : "link limit of the destination reached: a new copy begins";
    const struct entry *want = pair->want;
    struct hash128 key = from->key, own = hash_bytes(want->path);

    error_release(err);
    if (make_copy(r, from, pair, err))
        return -1;
    struct diff_note made, group = from->file;
    if (!find_note(r, &own, &made))
        return error_set(err, ERROR_CHANGED, "link", "the new copy could not be made");
    group.device = made.device;
    group.file = made.file;
    if (set_note(r, &key, group, err))
        return -1;
    older_groups_spill(r, &key, (struct named){made.device, made.file, true});
    watcher_loss(r->watcher, want->path, reason, NULL);
    return move_to(r, key, want->path, err);
}

/* The group begins with this name: further ones will be linked to it. */
static int begin_group(struct run *r, const struct difference_pair *pair,
                       const struct diff_note *file, struct error *err)
{
    if (pair->other.size && r->facts->names_known)
        return 0;
    return remember(r, pair->want->path, (struct named){file->device, file->file, file->is_made},
                    err);
}

/* The writers make a name if nothing speaks against it but what ends a run or is an error anyway:
 * no flag, no limit on names, no other file system; and if no name is linked to it itself. */
static bool may_hand_over(struct run *r, const struct link_source *from,
                          const struct difference_pair *pair)
{
    const struct os_volume *v;

    if (pair->want->kind != ENTRY_FILE || !writers_want_name(r, pair) || !from->file.is_made ||
        from->file.names >= HANDED_MOST || !pair->other.size || !r->facts->names_known ||
        !parents_are_many(&r->names.parents) ||
        from->file.device != position_level(r)->found.device)
        return false;
    v = position_volume(r);
    return v && v->many_names;
}

static int hand_over(struct run *r, const struct link_source *from, const struct entry *want,
                     struct error *err)
{
    struct writers_name name = {
        .want = want,
        .file = {from->file.device, from->file.file, true},
        .from = from->folder == position_folder(r) ? OS_NO_HANDLE : from->folder,
        .from_name = from->name,
    };

    return writers_add_name(r, &name, err);
}

/* Where the writers make no more names of a file, all that they were given are made: whoever meets
 * the limit from then on is the run's own thread, which can begin a copy. */
static int count_name(struct run *r, const struct link_source *from, struct error *err)
{
    struct diff_note note;

    if (!from->file.is_made || !find_note(r, &from->key, &note) || note.names == HANDED_MOST)
        return 0;
    note.names++;
    if (set_note(r, &from->key, note, err))
        return -1;
    return note.names == HANDED_MOST ? writers_settle(r, err) : 0;
}

static int link_found(struct run *r, const struct link_source *from,
                      const struct difference_pair *pair, enum diff_outcome *outcome,
                      struct error *err)
{
    const struct entry *want = pair->want, *have = pair->have;

    *outcome = DIFF_KEPT;
    if (have && have->identity.volume == from->file.device &&
        have->identity.file[0] == from->file.file) {
        r->counts->unchanged++;
        return begin_group(r, pair, &from->file, err);
    }
    *outcome = DIFF_REPLACED;
    const struct named file = {from->file.device, from->file.file, from->file.is_made != 0};
    int taken = older_groups_take(r, pair, &file, err);
    if (taken < 0)
        return -1;
    if (taken) {
        r->counts->linked++;
        run_change(r, want, "link");
        return 0;
    }
    if (file.is_made && pair->other.size && older_groups_note(r, pair->other, want->path, err))
        return -1;
    if (may_hand_over(r, from, pair)) {
        if (hand_over(r, from, want, err) || count_name(r, from, err))
            return -1;
    } else if (link_to(r, from, pair, err)) {
        if (err->kind != ERROR_LIMIT && !os_error_is_cross_device(err))
            return -1;
        if (spill(r, from, pair, err))
            return -1;
    } else if (count_name(r, from, err) || begin_group(r, pair, &from->file, err)) {
        return -1;
    }
    r->counts->linked++;
    run_change(r, want, "link");
    return 0;
}

static int wait_for_first(struct run *r, const struct entry *want, struct error *err)
{
    r->names.forward_count++;
    if (buffer_append_string(&r->names.forward, want->path, err))
        return -1;
    return buffer_append_string(&r->names.forward, want->first_name, err);
}

int names_link_known(struct run *r, const struct difference_pair *pair, enum diff_outcome *outcome,
                     struct error *err)
{
    struct link_source from;
    int found = find_source(r, pair, &from, err);

    if (found != 1)
        return found;
    return link_found(r, &from, pair, outcome, err) ? -1 : 1;
}

int names_link(struct run *r, const struct difference_pair *pair, enum diff_outcome *outcome,
               struct error *err)
{
    int linked =
        position_enter(r, pair->want->path, err) ? -1 : names_link_known(r, pair, outcome, err);

    if (linked)
        return linked < 0 ? -1 : 0;
    *outcome = DIFF_FAILED;
    if (!r->facts->ordered && !bytes_equal(pair->want->path, pair->want->first_name))
        return wait_for_first(r, pair->want, err);
    return run_refuse(err, "its first name was not restored by this run");
}

/* ---- A group whose first name cannot be made ---- */

bool names_need_stand_in(const struct run *r, const struct entry *want)
{
    return r->facts->sequential && r->facts->names_known && !entry_is_further_name(want) &&
           want->kind != ENTRY_DIRECTORY && (want->shared || want->link_count > 1);
}

int names_stand_in(struct run *r, const struct difference_pair *pair, struct error *err)
{
    struct difference_pair alone = {.want = pair->want, .group_first = true};
    char name[ANCHOR_NAME_BYTES];
    struct os_stat made;

    if (position_enter(r, pair->want->path, err))
        return -1;
    run_temporary_name(r, name);
    buffer_clear(&r->name);
    if (buffer_append(&r->name, name, strlen(name), err) || buffer_terminate(&r->name, err))
        return -1;
    if (pair->want->kind == ENTRY_FILE ? file_place(r, &alone, err) : node_place(r, &alone, err))
        return -1;
    if (os_stat_at(position_folder(r), name, &made, err))
        return -1;
    struct identity id = {made.device, {made.file[0], made.file[1]}};
    buffer_clear(&r->text);
    if (buffer_append(&r->text, r->here.data, r->here.size, err) ||
        (r->here.size && buffer_append_byte(&r->text, '/', err)) ||
        buffer_append(&r->text, name, strlen(name), err))
        return -1;
    if (move_to(r, hash_bytes(pair->want->path), buffer_bytes(&r->text), err))
        return -1;
    return trash_add(r, TRASH_OWN, buffer_bytes(&r->text), &id, err);
}
