/*
 * follow.c: where a link leads (openat(2) with O_PATH).
 */
#define _GNU_SOURCE
#include "os/posix/posix.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static int open_end(os_handle folder, const char *name, struct error *err)
{
    struct posix_path at;
    int fd;

    if (folder != OS_NO_HANDLE)
        return openat(posix_fd(folder), name, O_PATH | O_CLOEXEC);
    if (posix_path_reach(&at, name, "follow link", err)) {
        errno = err && err->os_code ? err->os_code : ENOENT;
        return -1;
    }
    fd = openat(at.folder, at.rest, O_PATH | O_CLOEXEC);
    int saved = errno;
    posix_path_release(&at);
    errno = saved;
    return fd;
}

int os_follow(os_handle folder, const char *name, enum os_leads *leads, struct buffer *real_path,
              struct error *err)
{
    int fd = open_end(folder, name, err);
    int result;

    if (fd < 0) {
        /* A name too long for the system, or one below a file, cannot be there. */
        bool nowhere = errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG;
        *leads = errno == ELOOP ? OS_LEADS_IN_CIRCLES : OS_LEADS_NOWHERE;
        if (!nowhere && errno != ELOOP)
            return posix_error(err, "follow link");
        error_release(err);
        return 0;
    }
    *leads = OS_LEADS_SOMEWHERE;
    result = os_handle_path(fd, real_path, err);
    close(fd);
    return result;
}
