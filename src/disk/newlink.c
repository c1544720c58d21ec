/*
 * newlink.c: see newlink.h.
 */
#include "disk/newlink.h"

#include <string.h>

#include "base/upcase.h"
#include "link/reparse.h"
#include "link/winname.h"
#include "os/os.h"

enum { NTFS_NAMES_MOST = 1024 };

/* A path that the user named, as a held folder and a name in it. */
struct place {
    os_handle folder;
    struct buffer parent, name; /* NUL-terminated */
};

static void place_release(struct place *p)
{
    os_close(p->folder);
    buffer_release(&p->parent);
    buffer_release(&p->name);
}

static int usage(struct error *err, const char *path, const char *why)
{
    error_set(err, ERROR_USAGE, NULL, "%s", why);
    return error_at(err, path, strlen(path));
}

static int place_open(struct place *p, const char *path, struct error *err)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    size_t parent_bytes = slash ? (size_t)(slash - path) + 1 : 0;

    *p = (struct place){.folder = OS_NO_HANDLE};
    if (!*name || !strcmp(name, ".") || !strcmp(name, ".."))
        return usage(err, path, "names a folder, not a new name in one");
    if (buffer_append(&p->parent, slash ? path : "./", slash ? parent_bytes : 2, err) ||
        buffer_terminate(&p->parent, err) || buffer_append(&p->name, name, strlen(name), err) ||
        buffer_terminate(&p->name, err))
        return -1;
    if (!os_open_root((const char *)p->parent.data, &p->folder, err))
        return 0;
    err->kind = ERROR_USAGE; /* nothing was made yet */
    return error_at(err, path, strlen(path));
}

static const char *name_of(const struct place *p)
{
    return (const char *)p->name.data;
}

/* The attributes that NTFS has of a place: 1; 0 on another file system, -1. */
static int attributes_of(const struct place *p, uint32_t *attributes, struct error *err)
{
    struct os_object o = {OS_NO_HANDLE, p->folder, name_of(p)};

    return os_ntfs_attributes(&o, attributes, err);
}

/* ---- What the target is ---- */

/* True if a folder, or a link that stands for one, is at the path: 1; 0 something else; -1 and
 * nothing more if that cannot be seen. */
static int look_at(const char *path)
{
    struct error ignored = {0};
    struct os_stat status;
    struct place place;
    uint32_t attributes;
    int result = -1;

    if (!os_stat_path(path, true, &status, NULL))
        return status.kind == OS_DIRECTORY;
    /* Where a link of Windows leads the system may not know, but what it stands for. */
    if (!place_open(&place, path, &ignored) && attributes_of(&place, &attributes, &ignored) == 1)
        result = (attributes & OS_ATTRIBUTE_DIRECTORY) != 0;
    place_release(&place);
    error_release(&ignored);
    return result;
}

/* The same for the target of a link in that folder: relative ones alone can be looked at from
 * here. -1 and *unseen, or an error. */
static int target_is_folder(const struct place *in, const char *text, bool *unseen,
                            struct error *err)
{
    struct buffer path = {0};
    struct target t;
    const char *why;
    int result = -1;

    *unseen = true;
    target_parse(bytes_of(text), TARGET_RULES_WINDOWS, &t);
    if (t.form != TARGET_RELATIVE)
        return -1;
    if (!buffer_append(&path, in->parent.data, in->parent.size, err)) {
        int turned = target_turn(&path, &t, TARGET_RULES_POSIX, &why, err);

        if (turned == 1 && !buffer_terminate(&path, err))
            result = look_at((const char *)path.data);
        *unseen = turned >= 0;
    } else {
        *unseen = false;
    }
    buffer_release(&path);
    return result;
}

static int choose_flavour(const struct newlink *l, const struct place *p, struct newlink_made *made,
                          struct error *err)
{
    bool unseen;
    int is_folder;

    made->for_folder = l->kind == NEWLINK_JUNCTION || l->flavour == NEWLINK_FOLDER;
    if (l->kind == NEWLINK_JUNCTION || l->flavour != NEWLINK_AS_TARGET)
        return 0;
    is_folder = target_is_folder(p, l->target, &unseen, err);
    if (is_folder < 0 && !unseen)
        return -1;
    made->for_folder = is_folder == 1;
    made->is_guessed = is_folder < 0;
    return 0;
}

/* ---- Making ---- */

static int told(const struct newlink *l, struct error *err)
{
    if (os_error_is_exists(err)) {
        error_release(err);
        return usage(err, l->place, "exists already, and stays");
    }
    return error_at(err, l->place, strlen(l->place));
}

/* A target that mklink would take and Windows could not follow, or that it would take for something
 * else. */
static int check_target(const struct newlink *l, struct error *err)
{
    const char *t = l->target;

    if (t[0] == '/' && t[1] != '/')
        return usage(err, t,
                     "an absolute path of this system, which Windows does not know: write it from "
                     "its drive (C:\\x), from the root of the volume (\\x) or relative to the "
                     "link");
    return 0;
}

static int make_windows(const struct newlink *l, const struct place *p, struct newlink_made *made,
                        struct error *err)
{
    enum reparse_made what =
        l->kind == NEWLINK_JUNCTION ? REPARSE_MAKE_JUNCTION : REPARSE_MAKE_SYMLINK;
    enum winname_fault fault = winname_check(buffer_bytes(&p->name));
    struct reparse reparse = {0};
    struct buffer raw = {0};
    int result = -1;

    made->on_ntfs = true;
    if (fault != WINNAME_FINE)
        return usage(err, l->place, winname_fault_text(fault));
    if (check_target(l, err) || choose_flavour(l, p, made, err))
        return -1;
    if (reparse_make(what, bytes_of(l->target), &reparse, err)) {
        error_at(err, l->target, strlen(l->target));
        return -1;
    }
    if (!reparse_encode(&reparse, &raw, err) &&
        !reparse_append_target(&reparse, &made->target, err))
        result = os_make_reparse(p->folder, name_of(p),
                                 made->for_folder ? OS_FLAVOUR_FOLDER : OS_FLAVOUR_FILE,
                                 buffer_bytes(&raw), err)
                     ? told(l, err)
                     : 0;
    buffer_release(&raw);
    reparse_release(&reparse);
    return result;
}

static int make_text(const struct newlink *l, const struct place *p, bool on_ntfs,
                     struct newlink_made *made, struct error *err)
{
    if (on_ntfs)
        return make_windows(l, p, made, err);
    if (l->kind == NEWLINK_JUNCTION)
        return usage(err, l->place,
                     "a junction needs an NTFS volume, and this is none: --symbolic makes a link "
                     "that this system knows");
    if (buffer_append(&made->target, l->target, strlen(l->target), err))
        return -1;
    return os_make_symlink(p->folder, name_of(p), bytes_of(l->target), err) ? told(l, err) : 0;
}

/* What Windows has no second name of, and what has as many as there can be. */
static int check_file(const struct newlink *l, const struct place *target, struct error *err)
{
    struct os_stat status;
    uint32_t attributes;
    int on_ntfs;

    if (os_stat_at(target->folder, name_of(target), &status, err)) {
        err->kind = ERROR_USAGE;
        return error_at(err, l->target, strlen(l->target));
    }
    on_ntfs = attributes_of(target, &attributes, err);
    if (on_ntfs < 0)
        return -1;
    if (status.kind == OS_DIRECTORY || (on_ntfs && (attributes & OS_ATTRIBUTE_DIRECTORY)))
        return usage(err, l->target,
                     "a folder, or a link to one, has one name: make a link to it by --symbolic or "
                     "--junction");
    if (on_ntfs && status.link_count >= NTFS_NAMES_MOST)
        return usage(err, l->target, "has 1024 names, and NTFS holds no more of a file");
    return 0;
}

static int make_name(const struct newlink *l, const struct place *p, bool on_ntfs,
                     struct newlink_made *made, struct error *err)
{
    enum winname_fault fault = on_ntfs ? winname_check(buffer_bytes(&p->name)) : WINNAME_FINE;
    struct place target;
    int result = -1;

    made->on_ntfs = on_ntfs;
    if (fault != WINNAME_FINE)
        return usage(err, l->place, winname_fault_text(fault));
    if (place_open(&target, l->target, err) || check_file(l, &target, err) ||
        buffer_append(&made->target, l->target, strlen(l->target), err))
        goto out;
    result = os_link(target.folder, name_of(&target), p->folder, name_of(p), err);
    if (result && os_error_is_cross_device(err)) {
        error_release(err);
        usage(err, l->place, "on another file system than its file: --symbolic leads there");
    } else if (result) {
        told(l, err);
    }
out:
    place_release(&target);
    return result;
}

/* The driver takes a name that differs from another one in case alone; Windows opens but one of
 * them. */
static int check_twin(const struct newlink *l, const struct place *p, struct error *err)
{
    struct os_listing names = {0};
    int result = os_list(p->folder, &names, err);

    for (size_t i = 0; !result && i < names.count; i++) {
        if (upcase_equal(bytes_of(os_listing_name(&names, i)), buffer_bytes(&p->name)))
            result = usage(err, l->place,
                           "a name that differs from another one in its folder in case alone: "
                           "Windows opens but one of them");
    }
    os_listing_release(&names);
    return result;
}

int newlink_make(const struct newlink *l, struct newlink_made *made, struct error *err)
{
    struct os_object folder;
    struct os_stat status;
    struct place p;
    uint32_t ignored;
    int on_ntfs, result = -1;

    *made = (struct newlink_made){0};
    if (place_open(&p, l->place, err))
        goto out;
    folder = (struct os_object){.handle = p.folder};
    on_ntfs = os_ntfs_attributes(&folder, &ignored, err);
    if (on_ntfs < 0)
        goto out;
    if (!os_stat_at(p.folder, name_of(&p), &status, NULL)) {
        usage(err, l->place, "exists already, and stays");
        goto out;
    }
    if (on_ntfs && check_twin(l, &p, err))
        goto out;
    result = l->kind == NEWLINK_HARD ? make_name(l, &p, on_ntfs == 1, made, err)
                                     : make_text(l, &p, on_ntfs == 1, made, err);
    if (!result && os_sync_file(p.folder, err))
        result = error_at(err, l->place, strlen(l->place));
out:
    place_release(&p);
    return result;
}
