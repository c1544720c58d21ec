/*
 * xattr.c: extended attributes of os.h, ACLs among them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "os/posix/posix.h"
#include "os/posix/xattr_calls.h"

enum { NAMES_ROOM = 4096, VALUE_ROOM = 512 };

/* Names and values are first read to the stack, where nearly all fit; `larger` takes what does not.
 */
struct names {
    char room[NAMES_ROOM];
    struct buffer larger;
    const char *text;
    size_t bytes;
};

/* True if the file system knows no attributes at all. */
static bool has_none(int code)
{
    return code == EOPNOTSUPP || code == ENOSYS;
}

static int xattr_error(struct error *err, const char *operation)
{
    int code = errno;

    if (code == ENOENT && access("/proc/self/fd", X_OK))
        return error_set(err, ERROR_UNSUPPORTED, operation, "needs /proc");
    return error_os(err, operation, code);
}

/* Where ntfs-3g hides streams it answers with whatever error came last. */
static bool is_hidden(const struct os_object *o)
{
    uint32_t ignored;
    bool shown = true;

    return os_ntfs_attributes(o, &ignored, NULL) == 1 && !os_ntfs_shows_streams(o, &shown, NULL) &&
           !shown;
}

static int read_names(const struct os_object *o, struct names *n, struct error *err)
{
    ssize_t got = xattr_call_list(o, n->room, sizeof n->room);

    n->text = n->room;
    /* The list may grow between asking for its size and reading it. */
    while (got < 0 && errno == ERANGE) {
        ssize_t wanted = xattr_call_list(o, NULL, 0);
        if (wanted < 0)
            break;
        if (buffer_reserve(&n->larger, (size_t)wanted + 1, err))
            return -1;
        n->text = (const char *)n->larger.data;
        got = xattr_call_list(o, (char *)n->larger.data, n->larger.capacity);
    }
    if (got < 0 && !has_none(errno)) {
        int code = errno;

        if (!is_hidden(o)) {
            errno = code;
            return xattr_error(err, "list attributes");
        }
    }
    n->bytes = got > 0 ? (size_t)got : 0;
    return 0;
}

/* Appends one attribute. One that is gone by now is no attribute. */
static int read_value(const struct os_object *o, const char *name, struct pairs *out,
                      struct error *err)
{
    char room[VALUE_ROOM];
    struct buffer larger = {0};
    const void *value = room;
    ssize_t got = xattr_call_get(o, name, room, sizeof room);
    int result = -1;

    while (got < 0 && errno == ERANGE) {
        ssize_t wanted = xattr_call_get(o, name, NULL, 0);
        if (wanted < 0)
            break;
        if (buffer_reserve(&larger, (size_t)wanted + 1, err))
            goto done;
        value = larger.data;
        got = xattr_call_get(o, name, larger.data, larger.capacity);
    }
    if (got >= 0)
        result = pairs_append(out, bytes_of(name), bytes_make(value, (size_t)got), err);
    else if (errno == ENODATA)
        result = 0;
    else
        result = xattr_error(err, "read attribute");
done:
    buffer_release(&larger);
    return result;
}

/* Tells how many are longer than XATTR_SIZE_MAX, and the first of them. */
static int too_long(struct error *err, const char *first, size_t count)
{
    static const char why[] = "longer than the 64 KiB that the system passes on, and lost";

    if (count == 1)
        return error_set(err, ERROR_LIMIT, "read attribute", "%.100s is %s", first, why);
    return error_set(err, ERROR_LIMIT, "read attribute", "%.80s and %zu more are %s", first,
                     count - 1, why);
}

/* XFS shows root its form of the ACLs, too, besides the one that all file systems have. */
static bool is_acl_twice(const char *name)
{
    return !strcmp(name, "trusted.SGI_ACL_FILE") || !strcmp(name, "trusted.SGI_ACL_DEFAULT");
}

int os_list_xattrs(const struct os_object *o, struct pairs *out, struct error *err)
{
    struct names names = {.bytes = 0};
    struct error problem = {0};
    const char *first_long = NULL;
    size_t long_count = 0;
    int result = -1;

    pairs_clear(out);
    if (o->handle == OS_NO_HANDLE && posix_check_name(o->name, "list attributes", err))
        return -1;
    if (read_names(o, &names, err))
        goto done;
    for (size_t at = 0; at < names.bytes; at += strlen(names.text + at) + 1) {
        if (is_acl_twice(names.text + at) || !read_value(o, names.text + at, out, &problem))
            continue;
        if (problem.os_code != E2BIG) {
            error_move(err, &problem);
            goto done;
        }
        error_release(&problem);
        first_long = long_count++ ? first_long : names.text + at;
    }
    pairs_sort(out);
    result = long_count ? too_long(err, first_long, long_count) : 0;
done:
    buffer_release(&names.larger);
    return result;
}

int os_get_xattr(const struct os_object *o, const char *name, struct buffer *out, struct error *err)
{
    struct pairs found = {0};
    int result = -1;

    if (o->handle == OS_NO_HANDLE && posix_check_name(o->name, "read attribute", err))
        return -1;
    if (!read_value(o, name, &found, err)) {
        struct bytes value = found.count ? pairs_value(&found, 0) : bytes_make(NULL, 0);
        result = buffer_append(out, value.data, value.size, err) ? -1 : (int)found.count;
    } else if (has_none(err->os_code) || os_error_is_permission(err)) {
        error_release(err);
        result = 0;
    }
    pairs_release(&found);
    return result;
}

int os_set_xattr(const struct os_object *o, const char *name, struct bytes value, struct error *err)
{
    if (o->handle == OS_NO_HANDLE && posix_check_name(o->name, "set attribute", err))
        return -1;
    if (value.size > UINT32_MAX)
        return error_os(err, "set attribute", E2BIG);
    if (xattr_call_set(o, name, value, 0))
        return xattr_error(err, "set attribute");
    return 0;
}

int os_remove_xattr(const struct os_object *o, const char *name, struct error *err)
{
    if (o->handle == OS_NO_HANDLE && posix_check_name(o->name, "remove attribute", err))
        return -1;
    if (xattr_call_remove(o, name))
        return xattr_error(err, "remove attribute");
    return 0;
}
