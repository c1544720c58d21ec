/*
 * flavours.c: links of Windows that stand for links of another system, and so have to say whether
 * they lead to a folder or to a file. What they lead to may come behind them: at the end of the run
 * each is looked at once more, and made anew if it turned out to lead to a folder.
 */
#include "disk/transfer/apply.h"

#include "link/reparse.h"

/* One link that was made for a file. */
struct flavoured {
    struct bytes path, target;
    uint64_t device, file;
};

/* What stands at the other end. */
enum far_end { FAR_FOLDER, FAR_LINK, FAR_OTHER };

void flavours_init(struct flavours *f)
{
    spool_init(&f->now);
    spool_init(&f->later);
}

void flavours_release(struct flavours *f)
{
    spool_release(&f->now);
    spool_release(&f->later);
    buffer_release(&f->record);
    buffer_release(&f->far);
}

/* Some link was made, so that some place is there. */
static os_handle spool_folder(const struct run *r)
{
    size_t at = 0;

    while (at + 1 < r->anchor_count && r->anchors[at].folder == OS_NO_HANDLE)
        at++;
    return r->anchors[at].folder;
}

static int keep(struct run *r, struct spool *in, const struct flavoured *l, struct error *err)
{
    struct buffer *b = &r->flavours.record;

    buffer_clear(b);
    if (buffer_append_string(b, l->path, err) || buffer_append_string(b, l->target, err) ||
        buffer_append_u64(b, l->device, err) || buffer_append_u64(b, l->file, err))
        return -1;
    return spool_add(in, spool_folder(r), buffer_bytes(b), err);
}

int flavours_add(struct run *r, const struct entry *e, const struct os_stat *made,
                 struct error *err)
{
    struct flavoured l = {e->path, e->target, made->device, made->file[0]};

    return keep(r, &r->flavours.now, &l, err);
}

static int decode(struct bytes record, struct flavoured *out, struct error *err)
{
    struct cursor c = {record.data, record.size};

    if (cursor_string(&c, &out->path, err) || cursor_string(&c, &out->target, err) ||
        cursor_u64(&c, &out->device, err))
        return -1;
    return cursor_u64(&c, &out->file, err);
}

/* Opens the folder of a path and puts its name into r->name: 1; 0 if it is a place itself; -1. */
static int open_folder(struct run *r, struct bytes path, os_handle *folder, struct error *err)
{
    struct spot spot;

    if (position_spot(r, path, &spot, err) || position_open_parent(r, &spot, folder, err))
        return -1;
    buffer_clear(&r->name);
    if (!buffer_append(&r->name, spot.name.data, spot.name.size, err) &&
        !buffer_terminate(&r->name, err))
        return spot.name.size != 0;
    os_close(*folder);
    return -1;
}

/* Looks along a relative target, by its words and through no link. */
static enum far_end look(struct run *r, const struct flavoured *l)
{
    struct buffer *far = &r->flavours.far;
    struct error ignored = {0};
    enum far_end result = FAR_OTHER;
    uint32_t attributes = 0;
    os_handle folder = OS_NO_HANDLE;
    struct target t;

    buffer_clear(far);
    target_parse(l->target, TARGET_RULES_POSIX, &t);
    if (target_resolve(path_parent(l->path), &t, far, &ignored) == 1) {
        int named = open_folder(r, buffer_bytes(far), &folder, &ignored);
        struct os_object o = {OS_NO_HANDLE, folder, (const char *)r->name.data};

        if (named == 0 || (named > 0 && os_ntfs_attributes(&o, &attributes, &ignored) == 1 &&
                           (attributes & OS_ATTRIBUTE_DIRECTORY)))
            result = FAR_FOLDER;
        else if (attributes & OS_ATTRIBUTE_REPARSE_POINT)
            result = FAR_LINK;
        if (named >= 0)
            os_close(folder);
    }
    error_release(&ignored);
    return result;
}

/* The owner that the link had, where the new one has not got the same. */
static int set_owner(const struct os_object *o, const struct os_stat *s, struct error *err)
{
    struct os_stat made;

    if (os_stat_at(o->folder, o->name, &made, err))
        return -1;
    if (made.owner == s->owner && made.group == s->group)
        return 0;
    return os_set_owner(o, s->owner, s->group, err);
}

static int set_times(const struct os_object *o, const struct os_stat *s, struct error *err)
{
    if (os_set_times(o, &s->mtime, &s->atime, err))
        return -1;
    return os_set_ntfs_times(o, bytes_make(NULL, 0), &s->mtime, &s->atime, err);
}

/* Makes the same link of the other flavour and puts it in the old one's place. */
static int exchange(struct run *r, os_handle folder, const struct os_stat *old, struct error *err)
{
    struct os_object parent = {.handle = folder};
    struct os_stat before;
    char made[ANCHOR_NAME_BYTES];
    struct os_object link = {OS_NO_HANDLE, folder, made};
    struct error ignored = {0};
    const char *name = (const char *)r->name.data;

    buffer_clear(&r->link);
    if (os_stat_handle(folder, &before, err) || os_read_reparse(folder, name, &r->link, err) != 1)
        return -1;
    run_temporary_name(r, made);
    if (os_make_reparse(folder, made, OS_FLAVOUR_FOLDER, buffer_bytes(&r->link), err))
        return -1;
    if (!set_owner(&link, old, err) && !set_times(&link, old, err) &&
        !os_rename(folder, made, folder, name, err))
        return set_times(&parent, &before, err);
    if (os_remove(folder, made, &ignored))
        error_release(&ignored);
    return -1;
}

/* Makes a link anew that leads to a folder. */
static int turn(struct run *r, const struct flavoured *l, struct error *err)
{
    struct os_stat now;
    os_handle folder;
    int result = -1, named = open_folder(r, l->path, &folder, err);

    if (named < 0)
        return -1;
    if (!named || os_stat_at(folder, (const char *)r->name.data, &now, err))
        goto out;
    if (now.device != l->device || now.file[0] != l->file) {
        error_set(err, ERROR_CHANGED, "link", "another object took its place meanwhile");
    } else if (now.link_count > 1) {
        watcher_loss(r->watcher, l->path,
                     "a symbolic link to a folder that has several names: made as one to a file, "
                     "since Windows has no other",
                     NULL);
        result = 0;
    } else {
        result = exchange(r, folder, &now, err);
    }
out:
    os_close(folder);
    return result;
}

/* Goes through those that are left: how many were turned, which other links may lead through; -1.
 */
static int pass(struct run *r, size_t *turned, struct error *err)
{
    struct flavours *f = &r->flavours;
    struct bytes record;
    struct flavoured l;
    int got;

    *turned = 0;
    while ((got = spool_next(&f->now, &record, err)) == 1) {
        enum far_end far;

        if (run_check_stop(r, err) || decode(record, &l, err))
            return -1;
        far = look(r, &l);
        if (far == FAR_LINK && keep(r, &f->later, &l, err))
            return -1;
        if (far != FAR_FOLDER)
            continue;
        ++*turned;
        if (turn(r, &l, err) && run_failed(r, l.path, err))
            return -1;
    }
    return got;
}

int flavours_finish(struct run *r, struct error *err)
{
    struct flavours *f = &r->flavours;
    size_t turned;

    do {
        if (pass(r, &turned, err))
            return -1;
        spool_release(&f->now);
        f->now = f->later;
        spool_init(&f->later);
    } while (turned && f->now.count);
    return 0;
}
