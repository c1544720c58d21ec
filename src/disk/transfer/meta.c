/*
 * meta.c: metadata of an object that is held, in the order in which one does not undo the other:
 * owner (which takes setuid bits and capabilities away), attributes and ACLs, mode, capabilities,
 * flags, times. What cannot be set is a loss that is told, not an end.
 */
#include "disk/transfer/apply.h"

#include <stdio.h>
#include <string.h>

#include "tree/ntfs_note.h"

static const char capability[] = "security.capability";
static const char default_acl[] = "system.posix_acl_default";
static const char access_acl[] = "system.posix_acl_access";
static const uint32_t stuck_flags = OS_FLAG_IMMUTABLE | OS_FLAG_APPEND;

/* One object on its way. */
struct setting {
    struct meta_hand *hand;
    const struct run *run;
    const struct os_object *object;
    const struct meta_goal *goal;
    uint64_t owner, group; /* as they are now */
    bool owner_changed;
    bool mode_opened; /* the mode was widened so that attributes can be set */
};

int meta_copy(struct metadata *to, const struct metadata *from, struct error *err)
{
    struct pairs xattrs = to->xattrs;

    if (pairs_copy(&xattrs, &from->xattrs, err)) {
        to->xattrs = xattrs;
        return -1;
    }
    *to = *from;
    to->xattrs = xattrs;
    to->owner_name = to->group_name = NULL;
    return 0;
}

int meta_inherits(struct run *r, os_handle folder, uint32_t *out, struct error *err)
{
    struct os_object o = {.handle = folder};
    uint32_t flags;

    *out = 0;
    if (os_list_xattrs(&o, &r->xattrs, err)) {
        if (err->kind != ERROR_LIMIT) /* a long one is no ACL */
            return -1;
        error_release(err);
    }
    if (os_get_flags(&o, &flags, err))
        return -1;
    if (pairs_find(&r->xattrs, bytes_of(default_acl)) >= 0)
        *out |= INHERITS_ACL;
    if (flags & ~stuck_flags)
        *out |= INHERITS_FLAGS;
    return 0;
}

int meta_read(const struct os_object *o, struct metadata *out, struct error *err)
{
    struct os_stat s;

    if (os_stat_handle(o->handle, &s, err) || os_list_xattrs(o, &out->xattrs, err) ||
        os_list_ntfs(o, &out->xattrs, err) || os_get_flags(o, &out->flags, err))
        return -1;
    out->known = METADATA_MODE | METADATA_OWNER | METADATA_GROUP | METADATA_MTIME |
                 METADATA_XATTRS | METADATA_ACL | METADATA_FLAGS;
    out->mode = s.mode;
    out->owner = s.owner;
    out->group = s.group;
    out->mtime = s.mtime;
    return 0;
}

/* Tells a loss and goes on, unless the destination as a whole has failed. "No space" is none of
 * that: it is what ext4 says of attributes that do not fit beside the inode. */
static int lose(struct setting *s, const char *reason, struct error *err)
{
    if (os_error_is_broken(err) || err->kind == ERROR_MEMORY)
        return -1;
    watcher_loss(s->hand->watcher, s->goal->path, reason, err);
    error_release(err);
    return 0;
}

static int look_again(const struct os_object *o, struct os_stat *out, struct error *err)
{
    return o->handle != OS_NO_HANDLE ? os_stat_handle(o->handle, out, err)
                                     : os_stat_at(o->folder, o->name, out, err);
}

/* ---- Owner ---- */

/* Takes over what the owner has become: some volumes ignore it in silence. */
static int check_owner(struct setting *s, struct error *err)
{
    struct os_stat after;

    s->owner_changed = true;
    if (!s->run->may_be_ntfs)
        return 0;
    if (look_again(s->object, &after, err))
        return -1;
    if (after.owner != s->owner || after.group != s->group)
        watcher_loss(s->hand->watcher, s->goal->path, "owner not exact", NULL);
    s->owner = after.owner;
    s->group = after.group;
    return 0;
}

static int set_owner(struct setting *s, struct error *err)
{
    const struct metadata *want = s->goal->want;
    bool owner = (s->goal->fields & METADATA_OWNER) && want->owner != s->owner;
    bool group = (s->goal->fields & METADATA_GROUP) && want->group != s->group;

    if (!owner && !group)
        return 0;
    if (!os_set_owner(s->object, owner ? want->owner : UINT64_MAX, group ? want->group : UINT64_MAX,
                      err)) {
        s->owner = owner ? want->owner : s->owner;
        s->group = group ? want->group : s->group;
        return check_owner(s, err);
    }
    /* Who may not give a file away may still give it to a group of their own. */
    if (owner && group && os_error_is_permission(err)) {
        struct error second = {0};
        if (!os_set_owner(s->object, UINT64_MAX, want->group, &second)) {
            s->group = want->group;
            s->owner_changed = true;
        }
        error_release(&second);
    }
    return lose(s, "owner not set", err);
}

/* ---- Attributes and ACLs ---- */

static bool is_acl(const char *name)
{
    return !strcmp(name, default_acl) || !strcmp(name, access_acl);
}

/* True if this attribute's class is to be set. */
static bool is_wanted(const struct setting *s, const char *name)
{
    return (s->goal->fields & (is_acl(name) ? METADATA_ACL : METADATA_XATTRS)) != 0;
}

/* What a security module makes by itself is not ours to take away. */
static bool is_labelled_by_system(const char *name)
{
    static const char *const own[] = {"security.selinux", "security.ima", "security.evm"};

    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        if (!strcmp(name, own[i]))
            return true;
    }
    return !strncmp(name, "security.SMACK64", 16);
}

static int lose_attribute(struct setting *s, const char *name, struct error *err)
{
    (void)snprintf(err->detail, sizeof err->detail, "%s", name);
    return lose(s, is_acl(name) ? "ACL not set" : "extended attribute not set", err);
}

/* Links and reparse points have the mode that the system gives them. */
static bool has_no_mode(enum entry_kind kind)
{
    return kind == ENTRY_SYMLINK || kind >= ENTRY_JUNCTION;
}

/* An owner without the right to write takes it for the time being. */
static int open_mode(struct setting *s, struct error *err)
{
    if (s->run->privileged || has_no_mode(s->goal->kind) || s->mode_opened ||
        (s->goal->now->mode & 0200) || s->owner != os_user())
        return 0;
    s->mode_opened = true;
    return os_set_mode(s->object, s->goal->now->mode | 0200, err);
}

static int set_one(struct setting *s, const char *name, struct bytes value, struct error *err)
{
    if (open_mode(s, err))
        return lose(s, "extended attribute not set", err);
    if (os_set_xattr(s->object, name, value, err))
        return lose_attribute(s, name, err);
    return 0;
}

/* Removes what the object has and should not have. */
static int remove_others(struct setting *s, const struct pairs *now, struct error *err)
{
    const struct pairs *want = &s->goal->want->xattrs;

    for (size_t i = 0; i < now->count; i++) {
        const char *name = (const char *)pairs_name(now, i).data;
        if (!is_wanted(s, name) || pairs_find(want, pairs_name(now, i)) >= 0 ||
            is_labelled_by_system(name))
            continue;
        if (open_mode(s, err) || os_remove_xattr(s->object, name, err)) {
            if (lose_attribute(s, name, err))
                return -1;
        }
    }
    return 0;
}

/* A fresh object is only asked for what it has if its folder hands something down. */
static bool may_have_attributes(const struct setting *s)
{
    return !s->goal->fresh || (s->goal->inherits & INHERITS_ACL);
}

static int set_attributes(struct setting *s, struct error *err)
{
    const struct pairs *want = &s->goal->want->xattrs;
    struct pairs *now = s->hand->xattrs;

    if (!(s->goal->fields & (METADATA_XATTRS | METADATA_ACL)))
        return 0;
    pairs_clear(now);
    if (may_have_attributes(s)) {
        if (os_list_xattrs(s->object, now, err))
            return lose(s, "extended attributes not compared", err);
        if (remove_others(s, now, err))
            return -1;
    }
    for (size_t i = 0; i < want->count; i++) {
        const char *name = (const char *)pairs_name(want, i).data;
        ptrdiff_t at = now->count ? pairs_find(now, pairs_name(want, i)) : -1;
        if (!is_wanted(s, name) || !strcmp(name, capability) ||
            entry_xattr_is_ntfs(pairs_name(want, i)) ||
            (at >= 0 && bytes_equal(pairs_value(now, (size_t)at), pairs_value(want, i))))
            continue;
        if (set_one(s, name, pairs_value(want, i), err))
            return -1;
    }
    return 0;
}

static int set_capability(struct setting *s, struct error *err)
{
    const struct pairs *want = &s->goal->want->xattrs;
    ptrdiff_t at = want->count ? pairs_find(want, bytes_of(capability)) : -1;

    if (at < 0 || !(s->goal->want->known & METADATA_XATTRS) ||
        !(s->goal->fields & (METADATA_XATTRS | METADATA_OWNER | METADATA_GROUP)))
        return 0;
    return set_one(s, capability, pairs_value(want, (size_t)at), err);
}

/* ---- What NTFS alone has ---- */

/* The descriptor behind what may change it, the attributes behind what a read-only file may refuse;
 * times come last. */
static const char *const ntfs_order[] = {
    "system.ntfs_ea", "system.ntfs_object_id", OS_NTFS_SHORT_NAME, OS_NTFS_ACL, OS_NTFS_ATTRIBUTES,
};

/* Sets or removes one. 1 if the file system has no such thing, 0, -1. */
static int set_ntfs(struct setting *s, const char *name, const struct pairs *now, struct error *err)
{
    const struct pairs *want = &s->goal->want->xattrs;
    ptrdiff_t wanted = pairs_find(want, bytes_of(name)), there = pairs_find(now, bytes_of(name));
    int result;

    if (wanted < 0 && (there < 0 || !strcmp(name, OS_NTFS_ACL)))
        return 0;
    if (wanted >= 0 && there >= 0 &&
        bytes_equal(pairs_value(want, (size_t)wanted), pairs_value(now, (size_t)there)))
        return 0;
    result = wanted >= 0 ? os_set_xattr(s->object, name, pairs_value(want, (size_t)wanted), err)
                         : os_remove_xattr(s->object, name, err);
    if (!result)
        return 0;
    if (!os_error_is_unsupported(err))
        return lose_attribute(s, name, err);
    error_release(err);
    return 1;
}

int meta_keep_note(struct meta_hand *h, const struct os_object *o, const struct entry *e,
                   struct error *cause, struct error *err)
{
    struct buffer note = {0};
    int result = -1;

    if (!h->run->privileged) {
        error_set(cause, ERROR_UNSUPPORTED, "set attribute",
                  "only root can keep it beside the file");
        return 1;
    }
    if (!ntfs_note_encode(&note, e, err))
        result = os_set_xattr(o, NTFS_NOTE_NAME, buffer_bytes(&note), cause) ? 1 : 0;
    buffer_release(&note);
    if (result > 0 && os_error_is_broken(cause)) {
        error_move(err, cause);
        return -1;
    }
    return result;
}

static int note_all_ntfs(struct setting *s, struct error *err)
{
    struct entry e = {.meta = *s->goal->want,
                      .reparse = s->goal->reparse,
                      .folder_flavour = s->goal->folder_flavour};
    struct error cause = {0};
    int result = meta_keep_note(s->hand, s->object, &e, &cause, err);

    if (result > 0)
        watcher_loss(s->hand->watcher, s->goal->path,
                     "this file system does not hold NTFS' metadata (attributes, security "
                     "descriptor, time of creation)",
                     &cause);
    error_release(&cause);
    return result < 0 ? -1 : 0;
}

static int set_all_ntfs(struct setting *s, struct error *err)
{
    struct pairs *now = s->hand->xattrs;

    if (!(s->goal->fields & METADATA_XATTRS) || s->goal->noted ||
        pairs_find(&s->goal->want->xattrs, bytes_of(OS_NTFS_ATTRIBUTES)) < 0)
        return 0;
    pairs_clear(now);
    if (!s->goal->fresh && os_list_ntfs(s->object, now, err))
        return lose(s, "NTFS metadata not compared", err);
    for (size_t i = 0; i < sizeof ntfs_order / sizeof *ntfs_order; i++) {
        int lacks;

        if (s->goal->temporary && !strcmp(ntfs_order[i], OS_NTFS_SHORT_NAME))
            continue;
        lacks = set_ntfs(s, ntfs_order[i], now, err);
        if (lacks < 0)
            return -1;
        if (lacks)
            return note_all_ntfs(s, err);
    }
    return 0;
}

int meta_set_short_name(struct run *r, const struct entry *e, struct error *err)
{
    struct os_object o = {OS_NO_HANDLE, position_folder(r), (const char *)r->name.data};
    ptrdiff_t at = pairs_find(&e->meta.xattrs, bytes_of(OS_NTFS_SHORT_NAME));

    if (at < 0 || !(e->meta.known & METADATA_XATTRS & ~r->ignore) ||
        !os_set_xattr(&o, OS_NTFS_SHORT_NAME, pairs_value(&e->meta.xattrs, (size_t)at), err))
        return 0;
    if (!os_error_is_unsupported(err))
        watcher_loss(r->watcher, e->path, "short name not set", err);
    error_release(err);
    return 0;
}

/* ---- Mode ---- */

/* Without the owner that they were given for, setuid and setgid would give rights to somebody else.
 */
static uint32_t safe_mode(struct setting *s, uint32_t mode)
{
    const struct metadata *want = s->goal->want;
    uint32_t drop = 0;

    if (!(want->known & METADATA_OWNER) || want->owner != s->owner)
        drop |= 04000;
    if (!(want->known & METADATA_GROUP) || want->group != s->group)
        drop |= 02000;
    if (mode & drop)
        watcher_loss(s->hand->watcher, s->goal->path,
                     "setuid or setgid dropped: not its owner or group", NULL);
    return mode & ~drop;
}

static int set_mode(struct setting *s, struct error *err)
{
    const struct meta_goal *g = s->goal;
    bool known = (g->want->known & METADATA_MODE & ~s->run->ignore) != 0;
    bool wanted = known && (g->fields & (METADATA_MODE | METADATA_ACL));
    uint32_t mode = known ? g->want->mode : g->now->mode;
    struct os_stat after;

    if (has_no_mode(g->kind))
        return 0;
    if (!known && g->fresh)
        mode = g->kind == ENTRY_DIRECTORY ? 0755 : 0644;
    if (!wanted && !s->owner_changed && !s->mode_opened && (known || !g->fresh))
        return 0;
    if (mode & 06000)
        mode = safe_mode(s, mode);
    if (os_set_mode(s->object, mode, err))
        return lose(s, "mode not set", err);
    /* The system drops setgid in silence where the caller is not in the group; NTFS volumes drop
     * all of it, if they are mounted so. */
    if (s->run->may_be_ntfs || ((mode & 02000) && !s->run->privileged)) {
        if (look_again(s->object, &after, err))
            return -1;
        if (after.mode != mode)
            watcher_loss(s->hand->watcher, g->path, "mode not exact", NULL);
    }
    return 0;
}

/* ---- Flags ---- */

static int set_flags(struct setting *s, struct error *err)
{
    const struct meta_goal *g = s->goal;
    uint32_t want = g->want->flags, now = 0;

    if (!(g->fields & METADATA_FLAGS) || (g->kind != ENTRY_FILE && g->kind != ENTRY_DIRECTORY))
        return 0;
    if (!want && g->fresh && !(g->inherits & INHERITS_FLAGS))
        return 0;
    if (os_get_flags(s->object, &now, err))
        return lose(s, "file flags not set", err);
    if (now != (want & ~stuck_flags) && os_set_flags(s->object, want & ~stuck_flags, err))
        return lose(s, "file flags not set", err);
    if (want & stuck_flags)
        s->hand->stuck = want;
    return 0;
}

/* ---- Times ---- */

/* Far from now some file systems cut times off in silence. */
static bool is_unusual(struct timestamp t)
{
    return t.seconds < 0 || t.seconds > INT32_MAX;
}

static int check_times(struct setting *s, struct error *err)
{
    const struct timestamp *want = &s->goal->want->mtime;
    const struct os_object *o = s->object;
    struct os_stat after;

    if (s->run->time_grain_ns <= 1 && !is_unusual(*want))
        return 0;
    if (look_again(o, &after, err))
        return -1;
    if (timestamp_compare(after.mtime, *want) != 0)
        watcher_loss(s->hand->watcher, s->goal->path, "times not exact on this file system", NULL);
    return 0;
}

/* The time of creation goes with the others; empty if it is not to be set. */
static struct bytes creation_time(const struct setting *s)
{
    const struct pairs *want = &s->goal->want->xattrs;
    ptrdiff_t at =
        s->goal->fields & METADATA_XATTRS ? pairs_find(want, bytes_of(OS_NTFS_CREATION_TIME)) : -1;

    return at < 0 ? bytes_make(NULL, 0) : pairs_value(want, (size_t)at);
}

static int set_times(struct setting *s, struct error *err)
{
    const struct metadata *want = s->goal->want;
    bool mtime = (s->goal->fields & METADATA_MTIME) != 0;
    bool atime = (want->known & METADATA_ATIME) && (mtime || s->goal->fresh);

    bool creation = s->run->may_be_ntfs && creation_time(s).size != 0;

    if (!mtime && !atime && !creation)
        return 0;
    if (os_set_times(s->object, mtime ? &want->mtime : NULL, atime ? &want->atime : NULL, err))
        return lose(s, "times not set", err);
    if (s->run->may_be_ntfs &&
        os_set_ntfs_times(s->object, creation_time(s), mtime ? &want->mtime : NULL,
                          atime ? &want->atime : NULL, err))
        return lose(s, "times not set", err);
    return mtime ? check_times(s, err) : 0;
}

int meta_apply(struct meta_hand *h, const struct os_object *o, const struct meta_goal *g,
               struct error *err)
{
    struct setting s = {.hand = h,
                        .run = h->run,
                        .object = o,
                        .goal = g,
                        .owner = g->now->owner,
                        .group = g->now->group};

    h->stuck = 0;
    if (set_owner(&s, err) || set_attributes(&s, err) || set_mode(&s, err) ||
        set_capability(&s, err) || set_flags(&s, err) || set_all_ntfs(&s, err))
        return -1;
    return set_times(&s, err);
}

int meta_set(struct run *r, const struct os_object *o, const struct meta_goal *g, struct error *err)
{
    struct meta_hand hand = {.run = r, .watcher = r->watcher, .xattrs = &r->xattrs};

    if (meta_apply(&hand, o, g, err))
        return -1;
    return hand.stuck ? late_add_flags(r, g->path, g->now, hand.stuck, err) : 0;
}
