/*
 * position.c: the folders from an anchor down to the entry in hand, as held handles. What is
 * entered is opened no-follow from the folder above it; what is left gets its metadata by its own
 * handle (SAFETY R2, R12).
 */
#include "disk/transfer/writers.h"

#include <stdlib.h>
#include <string.h>

#include "link/winname.h"

struct level *position_level(struct run *r)
{
    return &r->levels[r->stack.depth - 1];
}

struct anchor *position_anchor(const struct run *r)
{
    return r->levels[r->stack.depth - 1].anchor;
}

os_handle position_folder(const struct run *r)
{
    return dirstack_top(&r->stack);
}

void position_release(struct run *r)
{
    for (size_t i = 0; i < r->level_capacity; i++)
        pairs_release(&r->levels[i].want.xattrs);
    free(r->levels);
    dirstack_release(&r->stack);
    buffer_release(&r->here);
    buffer_release(&r->name);
    for (size_t i = 0; i < r->volume_count; i++)
        os_close(r->volumes[i]);
}

/* ---- Where a path stands ---- */

/* Which anchors are looked at. */
enum reach { REACH_NAMED, REACH_ALL };

/* The innermost anchor that the path is at or below: of all, or of those that the user named. */
static struct anchor *find_anchor(struct run *r, struct bytes path, enum reach reach)
{
    struct anchor *found = NULL;
    size_t deepest = 0;

    for (size_t i = 0; i < r->anchor_count; i++) {
        struct anchor *a = &r->anchors[i];
        size_t depth = a->root ? strlen(a->root) : 0;

        if ((a->is_redirect && reach == REACH_NAMED) || (found && depth <= deepest) ||
            (a->root && !path_is_within(path, bytes_of(a->root))))
            continue;
        found = a;
        deepest = depth;
    }
    return found;
}

/* The bytes behind the first `count` and the slash that follows them. */
static struct bytes behind(struct bytes path, size_t count)
{
    if (count < path.size && count)
        count++;
    return bytes_make(path.data + count, path.size - count);
}

/* The path as the disk has it. */
static int escape_path(struct run *r, struct bytes *path, struct error *err)
{
    if (r->options->windows_names != NAMES_ESCAPE)
        return 0;
    buffer_clear(&r->escaped);
    if (winname_escape_path(&r->escaped, *path, err))
        return -1;
    *path = buffer_bytes(&r->escaped);
    return 0;
}

int position_spot(struct run *r, struct bytes path, struct spot *out, struct error *err)
{
    const uint8_t *slash = memchr(path.data, '/', path.size);

    out->anchor = find_anchor(r, path, REACH_ALL);
    if (!out->anchor)
        return run_refuse(err, "no place was named for this root");
    if (out->anchor->leaf) {
        out->parent = bytes_make(NULL, 0);
        out->name = bytes_of(out->anchor->leaf);
        if (slash)
            return run_refuse(err, "the place of its root is no folder");
        return 0;
    }
    struct bytes inner = path;
    if (out->anchor->root)
        inner = behind(path, strlen(out->anchor->root));
    if (escape_path(r, &inner, err))
        return -1;
    out->parent = path_parent(inner);
    out->name = behind(inner, out->parent.size);
    return 0;
}

int position_open_parent(struct run *r, const struct spot *spot, os_handle *out, struct error *err)
{
    (void)r;
    if (spot->anchor->folder == OS_NO_HANDLE)
        return run_refuse(err, "its folder is not there");
    return os_open_beneath(spot->anchor->folder, spot->parent, out, err);
}

/* ---- Going down ---- */

static int grow_levels(struct run *r, struct error *err)
{
    size_t capacity = r->level_capacity ? r->level_capacity * 2 : 16;
    struct level *levels;

    if (r->stack.depth < r->level_capacity)
        return 0;
    levels = realloc(r->levels, capacity * sizeof *levels);
    if (!levels)
        return error_memory(err);
    memset(levels + r->level_capacity, 0, (capacity - r->level_capacity) * sizeof *levels);
    r->levels = levels;
    r->level_capacity = capacity;
    return 0;
}

/* `anchor` is NULL for a folder that lies in the innermost one. */
static int push(struct run *r, struct anchor *anchor, os_handle folder,
                const struct os_stat *status, struct error *err)
{
    if (grow_levels(r, err)) {
        os_close(folder);
        return -1;
    }
    struct pairs xattrs = r->levels[r->stack.depth].want.xattrs;
    struct level *level = &r->levels[r->stack.depth];

    pairs_clear(&xattrs);
    *level = (struct level){.anchor = anchor ? anchor : position_anchor(r),
                            .path_bytes = r->here.size,
                            .found = *status};
    level->want.xattrs = xattrs;
    return (anchor ? dirstack_push_apart : dirstack_push)(&r->stack, folder, status, err);
}

int position_push(struct run *r, os_handle folder, const struct os_stat *status, struct error *err)
{
    return push(r, NULL, folder, status, err);
}

/* The position's first folder, or one that a link in the innermost folder leads to. */
static int push_anchor(struct run *r, struct anchor *a, struct error *err)
{
    struct os_stat status;
    os_handle folder;

    if (anchor_open(a, ANCHOR_MAKE, err) ||
        os_open_beneath(a->folder, bytes_make(NULL, 0), &folder, err))
        return -1;
    if (os_stat_handle(folder, &status, err)) {
        os_close(folder);
        return -1;
    }
    buffer_clear(&r->here);
    if (a->root && !a->leaf && buffer_append(&r->here, a->root, strlen(a->root), err)) {
        os_close(folder);
        return -1;
    }
    if (push(r, a, folder, &status, err))
        return -1;
    position_level(r)->created = a->created;
    return a->created ? meta_inherits(r, folder, &position_level(r)->inherits, err) : 0;
}

static int set_name(struct run *r, struct bytes name, struct error *err)
{
    buffer_clear(&r->name);
    if (buffer_append(&r->name, name.data, name.size, err))
        return -1;
    return buffer_terminate(&r->name, err);
}

/* The same for a component of a path. */
static int set_component(struct run *r, struct bytes name, struct error *err)
{
    buffer_clear(&r->name);
    if (r->options->windows_names != NAMES_ESCAPE)
        return set_name(r, name, err);
    return winname_escape(&r->name, name, err) ? -1 : buffer_terminate(&r->name, err);
}

/* Adds a component to the path of the innermost folder. */
static int extend_here(struct run *r, struct bytes name, struct error *err)
{
    if (r->here.size && buffer_append_byte(&r->here, '/', err))
        return -1;
    return buffer_append(&r->here, name.data, name.size, err);
}

bool position_made(const struct run *r, struct bytes path)
{
    struct hash128 key = hash_bytes(path);

    return table_find(&r->made, &key) != NULL;
}

/* Where content comes in no order, an entry may still speak of the innermost folder. */
static int note_made(struct run *r, struct error *err)
{
    struct hash128 key = hash_bytes(buffer_bytes(&r->here));

    return r->facts->ordered || table_add(&r->made, &key, err) ? 0 : -1;
}

/* A folder that no entry spoke of. */
static int make_parent(struct run *r, os_handle *folder, struct error *err)
{
    if (position_touch(r, err) ||
        os_make_dir(position_folder(r), (const char *)r->name.data, os_default_folder_mode(),
                    err) ||
        os_open_dir(position_folder(r), (const char *)r->name.data, folder, err))
        return -1;
    r->counts->created++;
    return 0;
}

/* Goes one component down, from r->name. */
static int descend_by_name(struct run *r, struct bytes name, struct error *err)
{
    size_t before = r->here.size;
    struct os_stat status;
    os_handle folder;
    bool made = false;

    if (os_open_dir(position_folder(r), (const char *)r->name.data, &folder, err)) {
        if (os_error_is_link(err))
            return run_refuse(err, "a folder on its way is a link or no folder");
        if (!os_error_is_missing(err))
            return -1;
        error_release(err);
        if (make_parent(r, &folder, err))
            return -1;
        made = true;
    }
    if (os_stat_handle(folder, &status, err) || extend_here(r, name, err)) {
        os_close(folder);
        r->here.size = before;
        return -1;
    }
    if (position_push(r, folder, &status, err)) {
        r->here.size = before;
        return -1;
    }
    if (!made)
        return 0;
    position_level(r)->created = true;
    if (note_made(r, err))
        return -1;
    watcher_remark(r->watcher, buffer_bytes(&r->here), "made a folder that no entry speaks of");
    return meta_inherits(r, folder, &position_level(r)->inherits, err);
}

static struct bytes first_component(struct bytes path)
{
    const uint8_t *slash = memchr(path.data, '/', path.size);
    return bytes_make(path.data, slash ? (size_t)(slash - path.data) : path.size);
}

/* Goes from the innermost folder to the next one on the way to a path below it. */
static int descend(struct run *r, struct bytes path, struct error *err)
{
    struct bytes name = first_component(behind(path, r->here.size));
    struct bytes next = bytes_make(path.data, (size_t)(name.data - path.data) + name.size);
    struct anchor *a = find_anchor(r, next, REACH_ALL);
    size_t before = r->here.size;

    if (!a || !a->is_redirect || strlen(a->root) != next.size)
        return set_component(r, name, err) ? -1 : descend_by_name(r, name, err);
    if (!push_anchor(r, a, err))
        return 0;
    r->here.size = before;
    return -1;
}

int position_enter(struct run *r, struct bytes path, struct error *err)
{
    struct anchor *outermost = find_anchor(r, path, REACH_NAMED);
    struct spot spot;
    struct bytes folder = path;

    if (position_spot(r, path, &spot, err))
        return -1;
    if (!r->stack.depth || r->levels[0].anchor != outermost) {
        if (position_leave(r, 0, err) || push_anchor(r, outermost, err))
            return -1;
    }
    /* The path of the folder to be in, as r->here has it. */
    if (spot.anchor->leaf || (!spot.name.size && !spot.anchor->is_redirect))
        folder = bytes_make(r->here.data, r->levels[0].path_bytes);
    else if (spot.name.size)
        folder = path_parent(path);
    while (r->stack.depth > 1 && !path_is_within(folder, buffer_bytes(&r->here))) {
        if (position_leave(r, r->stack.depth - 1, err))
            return -1;
    }
    while (folder.size > r->here.size) {
        if (descend(r, folder, err))
            return -1;
    }
    /* The user may well have a file of the marker's name. */
    if (!spot.parent.size && anchor_yield(spot.anchor, spot.name, r->id, err))
        return -1;
    return set_name(r, spot.name, err);
}

/* ---- Changing ---- */

/* Remembers a folder on each volume, for the final sync. */
static int note_volume(struct run *r, uint64_t device, struct error *err)
{
    for (size_t i = 0; i < r->volume_count; i++) {
        if (r->volume_devices[i] == device)
            return 0;
    }
    if (r->volume_count == APPLY_VOLUMES) { /* the first makes room */
        if (!r->options->no_sync && os_sync_volume(r->volumes[0], err))
            return -1;
        os_close(r->volumes[0]);
        r->volume_count--;
        memmove(r->volumes, r->volumes + 1, r->volume_count * sizeof *r->volumes);
        memmove(r->volume_devices, r->volume_devices + 1,
                r->volume_count * sizeof *r->volume_devices);
    }
    if (os_open_beneath(position_folder(r), bytes_make(NULL, 0), &r->volumes[r->volume_count], err))
        return -1;
    r->volume_devices[r->volume_count++] = device;
    return 0;
}

/* A folder that was there before may be immutable, or its owner may lack the right to write. */
static int prepare_found(struct run *r, struct level *level, struct error *err)
{
    const uint32_t stuck = OS_FLAG_IMMUTABLE | OS_FLAG_APPEND;
    struct os_object folder = {.handle = position_folder(r)};
    uint32_t flags;

    if (os_get_flags(&folder, &flags, err))
        return -1;
    if (flags & stuck) {
        if (!r->options->clear_flags)
            return run_refuse(err, "its folder is immutable: --clear-flags takes the flag off");
        if (os_set_flags(&folder, flags & ~stuck, err))
            return -1;
        level->had_flags = flags;
    }
    if (!r->privileged && (level->found.mode & 0300) != 0300 && level->found.owner == os_user()) {
        if (os_set_mode(&folder, level->found.mode | 0700, err))
            return -1;
        level->fields |= METADATA_MODE;
    }
    return meta_inherits(r, folder.handle, &level->inherits, err);
}

int position_mark(struct run *r, struct anchor *a, struct error *err)
{
    struct anchor_marking how = {r->id, !r->options->no_sync, r->options->clear_flags};

    return a->marked ? 0 : anchor_mark(a, &how, err);
}

int position_note(struct run *r, struct error *err)
{
    if (position_mark(r, position_anchor(r), err))
        return -1;
    return note_volume(r, position_level(r)->found.device, err);
}

int position_touch(struct run *r, struct error *err)
{
    struct level *level = position_level(r);

    if (level->touched)
        return 0;
    if (position_note(r, err))
        return -1;
    if (!level->created && prepare_found(r, level, err))
        return -1;
    level->touched = true;
    return 0;
}

/* The volume that the position is on; NULL if it cannot be asked. */
static const struct os_volume *look_at_volume(struct run *r, struct error *err)
{
    struct run_volume *v = &r->volume;
    uint64_t device = position_level(r)->found.device;

    if (v->asked && v->device == device)
        return &v->facts;
    v->asked = !os_volume_facts(position_folder(r), &v->facts, err);
    v->device = device;
    return v->asked ? &v->facts : NULL;
}

int position_on_ntfs(struct run *r, struct error *err)
{
    const struct os_volume *v = look_at_volume(r, err);

    return v ? v->reparse_points : -1;
}

const struct os_volume *position_volume(struct run *r)
{
    struct error ignored = {0};
    const struct os_volume *v = look_at_volume(r, &ignored);

    error_release(&ignored);
    return v;
}

/* ---- Going up ---- */

/* What was taken off a folder for the time of the run and what no entry speaks of. */
static int restore_found(struct run *r, struct level *level, struct error *err)
{
    struct os_object folder = {.handle = position_folder(r)};
    bool mode_wanted = level->has_want && (level->want.known & METADATA_MODE & ~r->ignore);
    bool flags_wanted = level->has_want && (level->want.known & METADATA_FLAGS & ~r->ignore);

    if ((level->fields & METADATA_MODE) && !mode_wanted &&
        os_set_mode(&folder, level->found.mode, err))
        return -1;
    if (level->had_flags && !flags_wanted)
        return late_add_flags(r, buffer_bytes(&r->here), &level->found, level->had_flags, err);
    if (level->had_flags)
        level->fields |= METADATA_FLAGS;
    return 0;
}

/* True if the innermost folder is its anchor. */
static bool is_anchor_itself(struct run *r)
{
    const struct level *level = position_level(r);

    return r->stack.depth == 1 || level[-1].anchor != level->anchor;
}

static int finish_level(struct run *r, struct level *level, struct error *err)
{
    struct os_object folder = {.handle = position_folder(r)};
    struct os_stat now = level->found;

    if (level->touched && restore_found(r, level, err))
        return -1;
    if (!level->has_want)
        return 0;
    if (level->touched)
        level->fields |= METADATA_MTIME;
    if (level->created)
        level->fields = UINT32_MAX;
    level->fields &= level->want.known & ~r->ignore;
    if (!level->fields)
        return 0;
    if ((level->fields & METADATA_FLAGS) && is_anchor_itself(r))
        level->anchor->had_flags = 0;
    int waits = writers_leave(r, level, err);
    if (waits)
        return waits < 0 ? -1 : 0;
    /* Of what this run made nobody has changed anything. */
    if (level->touched && !level->created && os_stat_handle(folder.handle, &now, err))
        return -1;
    struct meta_goal goal = {
        .want = &level->want,
        .fields = level->fields,
        .kind = ENTRY_DIRECTORY,
        .now = &now,
        .fresh = level->created,
        .path = buffer_bytes(&r->here),
    };
    return meta_set(r, &folder, &goal, err);
}

/* Takes the innermost folder off; what follows a failure here has no place to stand. */
static int pop(struct run *r, struct error *err)
{
    r->here.size = r->stack.depth > 1 ? r->levels[r->stack.depth - 2].path_bytes : 0;
    if (!dirstack_pop(&r->stack, err))
        return 0;
    r->broken = true;
    return -1;
}

int position_leave(struct run *r, size_t depth, struct error *err)
{
    while (r->stack.depth > depth) {
        if (finish_level(r, position_level(r), err) && run_failed(r, buffer_bytes(&r->here), err))
            return -1;
        if (pop(r, err))
            return -1;
    }
    return 0;
}

void position_abandon(struct run *r)
{
    struct error ignored = {0};

    while (r->stack.depth > 0 && position_folder(r) != OS_NO_HANDLE) {
        struct os_object folder = {.handle = position_folder(r)};
        const struct level *level = position_level(r);
        if ((level->fields & METADATA_MODE) && level->touched && !level->created &&
            os_set_mode(&folder, level->found.mode, &ignored))
            error_release(&ignored);
        if (level->had_flags && os_set_flags(&folder, level->had_flags, &ignored))
            error_release(&ignored);
        if (pop(r, &ignored))
            error_release(&ignored);
    }
}
