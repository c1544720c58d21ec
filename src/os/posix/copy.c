/*
 * copy.c: data from file to file inside the system: ioctl_ficlone(2), copy_file_range(2).
 */
#define _GNU_SOURCE
#include "os/posix/posix.h"

#include <errno.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* True if the file systems, or this kernel, cannot do it with these two files, as far as errno
 * says. */
static bool is_impossible(void)
{
    return errno == EXDEV || errno == EOPNOTSUPP || errno == ENOSYS || errno == ENOTTY ||
           errno == EINVAL || errno == EPERM || errno == EBADF || errno == ETXTBSY;
}

int os_clone(os_handle from, os_handle to, struct error *err)
{
    while (ioctl(posix_fd(to), FICLONE, posix_fd(from))) {
        if (is_impossible())
            return 0;
        if (!posix_retry(err, "clone"))
            return -1;
    }
    return 1;
}

int os_copy_range(os_handle from, os_handle to, struct os_range range, uint64_t *copied,
                  struct error *err)
{
    for (;;) {
        off_t in = (off_t)range.offset, out = in;
        ssize_t done = copy_file_range(posix_fd(from), &in, posix_fd(to), &out, range.bytes, 0);
        if (done >= 0) {
            *copied = (uint64_t)done;
            return done > 0;
        }
        if (is_impossible())
            return 0;
        if (!posix_retry(err, "copy"))
            return -1;
    }
}
