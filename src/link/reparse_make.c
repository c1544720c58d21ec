/*
 * reparse_make.c: new links for a target that a person writes, of reparse.h.
 */
#include "link/reparse.h"

#include <string.h>

#include "base/wtf8.h"
#include "link/reparse_parts.h"

static int refuse(struct error *err, const char *why)
{
    return error_set(err, ERROR_USAGE, "make link", "%s", why);
}

static int append_text(struct buffer *out, const char *text, struct error *err)
{
    return buffer_append(out, text, strlen(text), err);
}

static int append_bytes(struct buffer *out, struct bytes b, struct error *err)
{
    return buffer_append(out, b.data, b.size, err);
}

/* Takes the last component, with its backslash, off a path whose root ends at `root`. */
static bool climb(struct buffer *path, size_t root)
{
    if (path->size == root)
        return false;
    while (path->data[--path->size] != '\\')
        ;
    return true;
}

/* Appends the components of an absolute target, each with a backslash in front. The first `fixed`
 * belong to the root. */
static int append_components(struct buffer *out, const struct target *t, size_t fixed,
                             struct error *err)
{
    struct bytes rest = t->rest, name;
    size_t root = out->size, count = 0;

    while (target_next(t, &rest, &name)) {
        bool dots = bytes_equal(name, bytes_of(".."));

        if (memchr(name.data, '/', name.size))
            return refuse(err, "a slash in a name");
        if (bytes_equal(name, bytes_of(".")))
            continue;
        if (dots && (count < fixed || !climb(out, root)))
            return refuse(err, "it climbs over its root");
        if (dots)
            continue;
        if (buffer_append_byte(out, '\\', err) || append_bytes(out, name, err))
            return -1;
        if (++count == fixed)
            root = out->size;
    }
    if (count < fixed)
        return refuse(err, "a server without a share");
    if (out->size == root && !fixed)
        return buffer_append_byte(out, '\\', err);
    return 0;
}

/* Sets the substitute name to an absolute target's name in the object namespace, and the print name
 * to what Win32 calls that. */
static int name_absolute(struct reparse *r, const struct target *t, struct error *err)
{
    struct target made;
    size_t fixed = t->form == TARGET_UNC ? 2 : 0;

    if (append_text(&r->substitute, "\\??\\", err) ||
        (t->form == TARGET_UNC && append_text(&r->substitute, "UNC", err)) ||
        append_bytes(&r->substitute, t->root, err) ||
        append_components(&r->substitute, t, fixed, err))
        return -1;
    target_parse(buffer_bytes(&r->substitute), TARGET_RULES_NT, &made);
    if (r->tag == REPARSE_TAG_MOUNT_POINT && target_is_volume_root(&made)) {
        r->kind = REPARSE_MOUNTPOINT;
        return 0;
    }
    return target_append_win32(&r->print, &made, err);
}

/* Both names are the text, with backslashes. */
static int name_relative(struct reparse *r, struct bytes text, struct error *err)
{
    r->flags = REPARSE_SYMLINK_RELATIVE;
    if (append_bytes(&r->substitute, text, err))
        return -1;
    for (size_t i = 0; i < r->substitute.size; i++) {
        if (r->substitute.data[i] == '/')
            r->substitute.data[i] = '\\';
    }
    return append_bytes(&r->print, buffer_bytes(&r->substitute), err);
}

static int make_windows(struct reparse *r, struct bytes text, struct error *err)
{
    struct target t;

    if (!wtf8_is_valid(text, NULL))
        return refuse(err, "not valid WTF-8");
    target_parse(text, TARGET_RULES_WINDOWS, &t);
    switch (t.form) {
    case TARGET_RELATIVE:
    case TARGET_DRIVE_RELATIVE:
        if (r->kind == REPARSE_JUNCTION)
            return refuse(err, "a junction needs a path from a drive (C:\\x) or a volume");
        return name_relative(r, text, err);
    case TARGET_UNC:
        if (r->kind == REPARSE_JUNCTION)
            return refuse(err, "a junction cannot lead to a server");
        return name_absolute(r, &t, err);
    case TARGET_DRIVE_ABSOLUTE:
    case TARGET_VOLUME:
        return name_absolute(r, &t, err);
    case TARGET_DRIVE_CURRENT:
        return refuse(err, "it depends on a current folder: write C:\\x for C:x");
    case TARGET_NT:
    case TARGET_POSIX_ABSOLUTE:
        break;
    }
    return refuse(err, "a name of a device");
}

static int make(struct reparse *r, enum reparse_made what, struct bytes text, struct error *err)
{
    struct buffer trial = {0};
    const char *fault;
    int result;

    if (!text.size)
        return refuse(err, "an empty target");
    if (memchr(text.data, 0, text.size))
        return refuse(err, "a NUL in the target");
    switch (what) {
    case REPARSE_MAKE_SYMLINK:
        r->kind = REPARSE_SYMLINK;
        r->tag = REPARSE_TAG_SYMLINK;
        r->layout = reparse_layout_of_symlink();
        result = make_windows(r, text, err);
        break;
    case REPARSE_MAKE_JUNCTION:
        r->kind = REPARSE_JUNCTION;
        r->tag = REPARSE_TAG_MOUNT_POINT;
        r->layout = reparse_layout_plain(r->tag);
        result = make_windows(r, text, err);
        break;
    default:
        r->kind = REPARSE_LX_SYMLINK;
        r->tag = REPARSE_TAG_LX_SYMLINK;
        result = append_bytes(&r->substitute, text, err);
        break;
    }
    fault = result ? NULL : reparse_names_fault(r);
    if (fault)
        result = refuse(err, fault);
    if (!result)
        result = reparse_encode(r, &trial, err);
    buffer_release(&trial);
    return result;
}

int reparse_make(enum reparse_made what, struct bytes target, struct reparse *out,
                 struct error *err)
{
    *out = (struct reparse){0};
    if (make(out, what, target, err)) {
        reparse_release(out);
        return -1;
    }
    return 0;
}
