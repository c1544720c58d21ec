/*
 * path.c: where an open folder or file is.
 */
#define _GNU_SOURCE
#include "os/posix/posix.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* The path that /proc tells. 0, or -1 and errno: ENAMETOOLONG if it is longer than a page. */
static int ask_proc(int fd, struct bytes *path, char room[POSIX_PROC_BYTES])
{
    char link[POSIX_PROC_BYTES];
    ssize_t got;

    if (posix_proc_path(link, fd, NULL, NULL))
        return -1;
    got = readlink(link, room, POSIX_PROC_BYTES);
    if (got < 0)
        return -1;
    *path = bytes_make(room, (size_t)got);
    return 0;
}

static int put_in_front(struct buffer *path, const char *name, size_t name_bytes, struct error *err)
{
    struct buffer longer = {0};

    if (buffer_append_byte(&longer, '/', err) || buffer_append(&longer, name, name_bytes, err) ||
        buffer_append(&longer, path->data, path->size, err)) {
        buffer_release(&longer);
        return -1;
    }
    buffer_release(path);
    *path = longer;
    return 0;
}

/* Puts the name of a folder in its parent in front of `path`: the name that leads to the same
 * folder. */
static int find_name(os_handle parent, const struct os_stat *folder, struct buffer *path,
                     struct error *err)
{
    struct os_listing listing = {0};
    struct os_stat s;
    int result = -1;

    if (os_list(parent, &listing, err))
        goto done;
    for (size_t i = 0; i < listing.count; i++) {
        const char *name = os_listing_name(&listing, i);
        if (os_stat_at(parent, name, &s, NULL) || s.device != folder->device ||
            s.file[0] != folder->file[0])
            continue;
        result = put_in_front(path, name, listing.items[i].bytes, err);
        goto done;
    }
    error_os(err, "find path", ENOENT);
done:
    os_listing_release(&listing);
    return result;
}

/* One step up: names *at in its parent, which takes its place. 1, or 0 at the top of all, or -1. */
static int climb(os_handle *at, struct buffer *path, struct error *err)
{
    struct os_stat here, above;
    os_handle parent;

    if (os_stat_handle(*at, &here, err) || os_open_parent(*at, &parent, err))
        return -1;
    if (os_stat_handle(parent, &above, err))
        goto failed;
    if (here.device == above.device && here.file[0] == above.file[0]) {
        os_close(parent);
        return 0;
    }
    if (find_name(parent, &here, path, err))
        goto failed;
    os_close(*at);
    *at = parent;
    return 1;

failed:
    os_close(parent);
    return -1;
}

int os_handle_path(os_handle handle, struct buffer *out, struct error *err)
{
    char room[POSIX_PROC_BYTES];
    struct bytes start = {0};
    struct buffer rest = {0};
    os_handle at = fcntl(posix_fd(handle), F_DUPFD_CLOEXEC, 0);
    int result = -1;
    int step = 1;

    if (at < 0)
        return posix_error(err, "find path");
    while (step == 1 && ask_proc(posix_fd(at), &start, room)) {
        /* Too deep to be told, or no /proc: by our own steps, until it can be told or there is
         * nothing above. */
        if (errno != ENAMETOOLONG && errno != ENOENT)
            step = posix_error(err, "find path");
        else
            step = climb(&at, &rest, err);
    }
    if (step < 0)
        goto done;
    if (rest.size && start.size == 1)
        start.size = 0;
    if (step == 0 && !rest.size)
        start = bytes_of("/");
    if (!buffer_append(out, start.data, start.size, err) &&
        !buffer_append(out, rest.data, rest.size, err))
        result = 0;
done:
    buffer_release(&rest);
    os_close(at);
    return result;
}
