/*
 * nearest.c: see nearest.h.
 */
#include "disk/nearest.h"

#include <string.h>

/* The length of the path without its last component and the slashes round it. */
static size_t shorten(const char *path, size_t bytes)
{
    while (bytes && path[bytes - 1] == '/')
        bytes--;
    while (bytes && path[bytes - 1] != '/')
        bytes--;
    return bytes;
}

int nearest_open(const char *path, size_t *bytes, os_handle *out, struct error *err)
{
    struct buffer part = {0};
    size_t size = strlen(path);
    int result = -1;

    for (;; size = shorten(path, size)) {
        struct error problem = {0};

        buffer_clear(&part);
        if (buffer_append(&part, size ? path : ".", size ? size : 1, err) ||
            buffer_terminate(&part, err))
            break;
        result = os_open_root((const char *)part.data, out, &problem);
        if (!result)
            break;
        if (!size || (path[0] == '/' && !shorten(path, size))) {
            error_move(err, &problem);
            break;
        }
        error_release(&problem);
    }
    *bytes = size;
    buffer_release(&part);
    return result;
}
