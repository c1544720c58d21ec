/*
 * flags.c: file flags (ioctl_iflags(2)).
 */
#define _GNU_SOURCE
#include "os/posix/posix.h"

#include <errno.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

static const struct {
    uint32_t ours;
    unsigned system;
} table[] = {
    {OS_FLAG_IMMUTABLE, FS_IMMUTABLE_FL}, {OS_FLAG_APPEND, FS_APPEND_FL},
    {OS_FLAG_NODUMP, FS_NODUMP_FL},       {OS_FLAG_NOATIME, FS_NOATIME_FL},
    {OS_FLAG_SYNC, FS_SYNC_FL},           {OS_FLAG_DIRSYNC, FS_DIRSYNC_FL},
    {OS_FLAG_NOCOW, FS_NOCOW_FL},         {OS_FLAG_TOPDIR, FS_TOPDIR_FL},
};

enum { FLAGS = sizeof table / sizeof *table };

static bool has_none(int code)
{
    return code == ENOTTY || code == EOPNOTSUPP || code == EINVAL || code == ENOSYS;
}

/* The open handle, or one of its own in *opened. */
static int reach(const struct os_object *o, os_handle *opened, int *fd, struct error *err)
{
    *opened = OS_NO_HANDLE;
    if (o->handle == OS_NO_HANDLE && posix_open_content(o, opened, err))
        return -1;
    *fd = posix_fd(o->handle == OS_NO_HANDLE ? *opened : o->handle);
    return 0;
}

int os_get_flags(const struct os_object *o, uint32_t *flags, struct error *err)
{
    os_handle opened;
    unsigned system = 0; /* the ioctl's type says long, the kernel stores an int */
    int result = 0;
    int fd;

    *flags = 0;
    if (reach(o, &opened, &fd, err))
        return -1;
    if (!ioctl(fd, FS_IOC_GETFLAGS, &system)) {
        for (size_t i = 0; i < FLAGS; i++)
            *flags |= system & table[i].system ? table[i].ours : 0;
    } else if (!has_none(errno)) {
        result = posix_error(err, "read flags");
    }
    os_close(opened);
    return result;
}

/* Changes our bits and leaves those that we do not know. */
static int change(int fd, uint32_t flags, struct error *err)
{
    unsigned before = 0;
    unsigned after;

    if (ioctl(fd, FS_IOC_GETFLAGS, &before)) {
        if (!has_none(errno))
            return posix_error(err, "set flags");
        if (!flags)
            return 0;
        return error_set(err, ERROR_UNSUPPORTED, "set flags", "this file system has no flags");
    }
    after = before;
    for (size_t i = 0; i < FLAGS; i++) {
        after &= ~table[i].system;
        after |= flags & table[i].ours ? table[i].system : 0;
    }
    if (after != before && ioctl(fd, FS_IOC_SETFLAGS, &after)) {
        int code = errno;
        error_os(err, "set flags", code);
        if (err && has_none(code))
            err->kind = ERROR_UNSUPPORTED;
        return -1;
    }
    return 0;
}

int os_set_flags(const struct os_object *o, uint32_t flags, struct error *err)
{
    os_handle opened;
    int result;
    int fd;

    if (reach(o, &opened, &fd, err))
        return -1;
    result = change(fd, flags, err);
    os_close(opened);
    return result;
}
