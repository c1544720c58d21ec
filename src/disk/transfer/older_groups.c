/*
 * older_groups.c: the names of one file, of which the first that comes is new, and a further one is
 * in an older copy. The file was made for the first; from the one that is known on, names are
 * linked to the older file, and at the end of the run those that came before are, too. So that a
 * file takes no room again because it got one more name.
 */
#include "disk/transfer/older.h"

/* A group that was given another file. */
struct exchanged_group {
    struct hash128 path;   /* by which the run knows the group */
    uint64_t device, file; /* that was made, and is to go */
    struct named now;      /* that it has */
};

void older_groups_init(struct older_groups *g)
{
    *g = (struct older_groups){0};
    spool_init(&g->names);
    table_init(&g->exchanged, sizeof(struct exchanged_group), sizeof(struct hash128));
}

void older_groups_release(struct older_groups *g)
{
    spool_release(&g->names);
    table_release(&g->exchanged);
    buffer_release(&g->record);
}

/* ---- While names come ---- */

int older_groups_note(struct run *r, struct bytes group, struct bytes path, struct error *err)
{
    struct buffer *b;

    if (!r->older)
        return 0;
    b = &r->older->groups.record;
    buffer_clear(b);
    if (buffer_append_string(b, group, err) || buffer_append_string(b, path, err))
        return -1;
    return spool_add(&r->older->groups.names, position_anchor(r)->folder, buffer_bytes(b), err);
}

/* The group's file was that of `made`; its first name is to be linked to the other one. */
static int exchange(struct run *r, const struct difference_pair *pair, const struct named *made,
                    struct error *err)
{
    struct hash128 key = hash_bytes(pair->other);
    struct exchanged_group *g = table_add(&r->older->groups.exchanged, &key, err);

    if (!g)
        return -1;
    g->device = made->device;
    g->file = made->file;
    g->now = older_named(r);
    if (names_exchange(r, pair->other, g->now, pair->want->path, err))
        return -1;
    return older_groups_note(r, pair->other, pair->other, err);
}

int older_groups_take(struct run *r, const struct difference_pair *pair, const struct named *file,
                      struct error *err)
{
    struct difference_pair alone = *pair;
    struct error why = {0};

    if (!r->older || !file->is_made || !pair->other.size || pair->want->kind != ENTRY_FILE)
        return 0;
    if (source_load(r->want, &alone.want, err))
        return -1;
    alone.group_first = true;
    if (!older_find(r, &alone))
        return 0;
    int result = older_place(r, &alone, &why, err);
    error_release(&why);
    if (result)
        return result < 0 ? -1 : 0;
    return exchange(r, pair, file, err) ? -1 : 1;
}

void older_groups_spill(struct run *r, const struct hash128 *group, struct named file)
{
    struct exchanged_group *g = r->older ? table_find(&r->older->groups.exchanged, group) : NULL;

    if (g)
        g->now = file;
}

/* ---- At the end ---- */

/* Where a name stands that is to be exchanged. */
struct spot_open {
    os_handle folder;
    struct os_stat before; /* of the folder */
    bool unlocked;         /* its owner was given the right to write */
};

static int open_spot(struct run *r, struct bytes path, struct spot_open *out, struct error *err)
{
    struct spot spot;

    *out = (struct spot_open){.folder = OS_NO_HANDLE};
    if (position_spot(r, path, &spot, err) || position_open_parent(r, &spot, &out->folder, err))
        return -1;
    buffer_clear(&r->name);
    if (buffer_append(&r->name, spot.name.data, spot.name.size, err) ||
        buffer_terminate(&r->name, err) || os_stat_handle(out->folder, &out->before, err))
        return -1;
    const struct os_object folder = {.handle = out->folder};
    out->unlocked = !r->privileged && (out->before.mode & 0300) != 0300;
    return out->unlocked ? os_set_mode(&folder, out->before.mode | 0700, err) : 0;
}

/* Closes it; the folder is as it was. */
static int close_spot(struct spot_open *s, struct error *err)
{
    const struct os_object folder = {.handle = s->folder};
    int result = 0;

    if (s->folder == OS_NO_HANDLE)
        return 0;
    if ((s->unlocked && os_set_mode(&folder, s->before.mode, err)) ||
        os_set_times(&folder, &s->before.mtime, &s->before.atime, err) ||
        os_set_ntfs_times(&folder, bytes_make(NULL, 0), &s->before.mtime, &s->before.atime, err))
        result = -1;
    os_close(s->folder);
    return result;
}

/* Puts a name of the group's file, which stands at `from`, in the place of what stands there. */
static int put_name(struct run *r, const struct exchanged_group *g, const struct names_place *from,
                    os_handle folder, struct error *err)
{
    char made[ANCHOR_NAME_BYTES];
    struct error ignored = {0};
    struct os_stat status;

    run_temporary_name(r, made);
    if (os_link(from->folder, from->name, folder, made, err))
        return -1;
    if (!os_stat_at(folder, made, &status, err)) {
        if (status.device != g->now.device || status.file[0] != g->now.file)
            error_set(err, ERROR_CHANGED, "link", "its first name is another file meanwhile");
        else if (!os_rename(folder, made, folder, (const char *)r->name.data, err))
            return 0;
    }
    if (os_remove(folder, made, &ignored))
        error_release(&ignored);
    return -1;
}

static int link_name(struct run *r, const struct exchanged_group *g, struct bytes group,
                     struct bytes path, struct error *err)
{
    struct error later = {0};
    struct names_place from;
    struct spot_open spot;
    struct os_stat status;
    int result = -1;

    if (names_find(r, group, &from, err))
        return -1;
    if (open_spot(r, path, &spot, err))
        goto out;
    if (os_stat_at(spot.folder, (const char *)r->name.data, &status, err)) {
        result = os_error_is_missing(err) ? 0 : -1;
        if (!result)
            error_release(err);
        goto out;
    }
    result = status.device == g->device && status.file[0] == g->file
                 ? put_name(r, g, &from, spot.folder, err)
                 : 0;
out:
    if (close_spot(&spot, result ? &later : err))
        result = -1;
    error_release(&later);
    return result;
}

int older_groups_finish(struct run *r, struct error *err)
{
    struct older_groups *all = r->older ? &r->older->groups : NULL;
    struct bytes record, group, path;
    int got;

    if (!all || !all->exchanged.count)
        return 0;
    while ((got = spool_next(&all->names, &record, err)) == 1) {
        struct cursor c = {record.data, record.size};

        if (run_check_stop(r, err) || cursor_string(&c, &group, err) ||
            cursor_string(&c, &path, err))
            return -1;
        struct hash128 key = hash_bytes(group);
        const struct exchanged_group *g = table_find(&all->exchanged, &key);
        if (g && link_name(r, g, group, path, err) && run_failed(r, path, err))
            return -1;
    }
    return got;
}
