/*
 * open_file.c: a file and its status in one go.
 */
#define _GNU_SOURCE
#include "os/posix/posix.h"

#include <fcntl.h>

int os_open_file_stat(os_handle folder, const char *name, os_handle *out, struct os_stat *status,
                      struct error *err)
{
    int fd;

    if (posix_check_name(name, "open", err))
        return -1;
    fd = posix_open_quietly(posix_fd(folder), name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return posix_error(err, "open");
    if (!os_stat_handle(fd, status, err)) {
        if (status->kind == OS_FILE) {
            *out = fd;
            return 0;
        }
        error_set(err, ERROR_REFUSED, "open", "not a regular file");
    }
    os_close(fd);
    return -1;
}
