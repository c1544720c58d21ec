/*
 * names.c: further names of files (hard links). A name is linked only to a file that this run made
 * or found equal, known by its identity (SAFETY R4); both ends go by held folders, and the new name
 * is looked at after it was made.
 */
#include "disk/apply.h"
#include "disk/older.h"

#include <string.h>

/* The file of a group, by the hash of the path that others name as their first. */
struct named_file {
    struct hash128 key;
    uint64_t device, file;
    uint32_t is_made; /* by this run */
    uint32_t names;   /* that were made of it, up to HANDED_MOST */
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

int names_keep(struct run *r, const struct hash128 *path, struct named file, struct error *err)
{
    struct named_file *f = table_add(&r->names.files, path, err);

    if (!f)
        return -1;
    f->device = file.device;
    f->file = file.file;
    f->is_made = file.is_made;
    return 0;
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
        const struct named_file *f = table_find(&r->names.files, &key);
        if (f && f->device == file.device && f->file == file.file)
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
    struct named_file file;
    os_handle folder;
    const char *name; /* in r->text */
};

/* Finds the group's file by a path that names it: 1; 0 if this run knows none; -1. */
static int find_file(struct run *r, struct bytes path, struct link_source *out, struct error *err)
{
    struct spot spot;

    out->key = hash_bytes(path);
    const struct named_file *file = table_find(&r->names.files, &out->key);
    if (!file) {
        if (writers_wait(r, &out->key, err))
            return -1;
        file = table_find(&r->names.files, &out->key);
    }
    if (!file)
        return 0;
    out->file = *file;
    const struct moved_name *m = table_find(&r->names.moved, &out->key);
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
    return 1;
}

int names_find(struct run *r, struct bytes path, struct names_place *out, struct error *err)
{
    struct link_source from;
    int found = find_file(r, path, &from, err);

    if (found == 1)
        *out = (struct names_place){
            {from.file.device, from.file.file, from.file.is_made != 0}, from.folder, from.name};
    return found;
}

int names_exchange(struct run *r, struct bytes path, struct named file, struct bytes at,
                   struct error *err)
{
    struct hash128 key = hash_bytes(path);
    struct named_file *f = table_find(&r->names.files, &key);

    if (!f)
        return 0;
    *f = (struct named_file){.key = key, .device = file.device, .file = file.file};
    return move_to(r, key, at, err);
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
    const struct named_file *file = &from->file;
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
    const struct named_file *made = table_find(&r->names.files, &own);
    if (!made)
        return error_set(err, ERROR_CHANGED, "link", "the new copy could not be made");
    struct named_file copy = *made;
    struct named_file *group = table_add(&r->names.files, &key, err);
    if (!group)
        return -1;
    group->device = copy.device;
    group->file = copy.file;
    watcher_loss(r->watcher, want->path, reason, NULL);
    return move_to(r, key, want->path, err);
}

/* The group begins with this name: further ones will be linked to it. */
static int begin_group(struct run *r, const struct difference_pair *pair,
                       const struct named_file *file, struct error *err)
{
    if (pair->other.size && r->facts->names_known)
        return 0;
    return remember(r, pair->want->path,
                    (struct named){file->device, file->file, file->is_made != 0}, err);
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
    struct named_file *file = from->file.is_made ? table_find(&r->names.files, &from->key) : NULL;

    if (!file || file->names == HANDED_MOST)
        return 0;
    return ++file->names == HANDED_MOST ? writers_settle(r, err) : 0;
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

int names_link(struct run *r, const struct difference_pair *pair, enum diff_outcome *outcome,
               struct error *err)
{
    struct link_source from;

    if (position_enter(r, pair->want->path, err))
        return -1;
    int found = find_source(r, pair, &from, err);
    if (found < 0)
        return -1;
    if (found)
        return link_found(r, &from, pair, outcome, err);
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

/* ---- Links that came before their first name ---- */

enum waiting_state { WAITING, ON_THE_WAY, THROUGH };
struct waiting {
    struct bytes path, first;
    size_t before; /* the one that waits for this one; while ON_THE_WAY */
    enum waiting_state state;
};
struct waiting_place {
    struct hash128 key;
    size_t index;
};

static int make_waiting(struct run *r, const struct waiting *w, struct error *err)
{
    struct bytes parent = path_parent(w->path);
    struct entry want = {.path = w->path, .kind = ENTRY_FILE, .first_name = w->first};
    struct entry have = {.path = w->path, .kind = ENTRY_FILE};
    struct difference_pair pair = {.want = &want};
    enum diff_outcome outcome;
    struct link_source from;
    struct os_stat status;

    want.name_offset = have.name_offset = parent.size ? parent.size + 1 : 0;
    if (position_enter(r, w->path, err))
        return -1;
    if (!os_stat_at(position_folder(r), (const char *)r->name.data, &status, err)) {
        have.identity = (struct identity){status.device, {status.file[0], status.file[1]}};
        have.kind = status.kind == OS_DIRECTORY ? ENTRY_DIRECTORY : ENTRY_FILE;
        pair.have = &have;
    } else if (os_error_is_missing(err)) {
        error_release(err);
    } else {
        return -1;
    }
    if (pair.have && r->options->existing == EXISTING_KEEP)
        return 0;
    int found = find_source(r, &pair, &from, err);
    if (found > 0)
        return link_found(r, &from, &pair, &outcome, err);
    return found < 0 ? -1 : run_refuse(err, "its first name was not restored by this run");
}

/* The index of what waits under that path, or SIZE_MAX. */
static size_t find_waiting(const struct table *places, struct bytes path)
{
    struct hash128 key = hash_bytes(path);
    const struct waiting_place *p = table_find(places, &key);

    return p ? p->index : SIZE_MAX;
}

/* Goes to the beginning of the chain that `start` stands in and makes its names from there on: each
 * is met once. */
static int make_chain(struct run *r, struct waiting *all, const struct table *places, size_t start,
                      struct error *err)
{
    size_t at = start;

    all[at].before = SIZE_MAX;
    for (;;) {
        all[at].state = ON_THE_WAY;
        size_t next = find_waiting(places, all[at].first);
        if (next == SIZE_MAX || all[next].state != WAITING)
            break;
        all[next].before = at;
        at = next;
    }
    for (; at != SIZE_MAX; at = all[at].before) {
        all[at].state = THROUGH;
        if (run_check_stop(r, err))
            return -1;
        if (make_waiting(r, &all[at], err) && run_failed(r, all[at].path, err))
            return -1;
    }
    return 0;
}

static int read_waiting(struct run *r, struct waiting *all, struct table *places, struct error *err)
{
    struct cursor c = {r->names.forward.data, r->names.forward.size};

    for (size_t i = 0; i < r->names.forward_count; i++) {
        if (cursor_string(&c, &all[i].path, err) || cursor_string(&c, &all[i].first, err))
            return -1;
        struct hash128 key = hash_bytes(all[i].path);
        struct waiting_place *p = table_add(places, &key, err);
        if (!p)
            return -1;
        p->index = i;
    }
    return 0;
}

int names_finish(struct run *r, struct error *err)
{
    size_t count = r->names.forward_count;
    struct buffer room = {0};
    struct table places;
    int result = -1;

    if (!count)
        return 0;
    table_init(&places, sizeof(struct waiting_place), sizeof(struct hash128));
    if (buffer_reserve(&room, count * sizeof(struct waiting), err))
        goto out;
    struct waiting *all = (struct waiting *)(void *)room.data;
    memset(all, 0, count * sizeof *all);
    if (read_waiting(r, all, &places, err))
        goto out;
    for (size_t i = 0; i < count; i++) {
        if (all[i].state == WAITING && make_chain(r, all, &places, i, err))
            goto out;
    }
    result = 0;
out:
    table_release(&places);
    buffer_release(&room);
    return result;
}
