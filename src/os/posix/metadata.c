/*
 * metadata.c: owner, mode and times, on the open handle or on the name itself.
 */
#define _GNU_SOURCE
#include "os/posix/posix.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* The last value of uid_t and gid_t means "leave" to the system. */
static int to_number(uint64_t number, uid_t *out, struct error *err)
{
    if (number != UINT64_MAX && number >= (uid_t)-1)
        return error_set(err, ERROR_LIMIT, "set owner", "no such user or group number here: %llu",
                         (unsigned long long)number);
    *out = (uid_t)number;
    return 0;
}

int os_set_owner(const struct os_object *o, uint64_t owner, uint64_t group, struct error *err)
{
    uid_t uid = 0, gid = 0;
    int result;

    if (to_number(owner, &uid, err) || to_number(group, &gid, err))
        return -1;
    if (o->handle != OS_NO_HANDLE) {
        result = fchown(posix_fd(o->handle), uid, gid);
    } else {
        if (posix_check_name(o->name, "set owner", err))
            return -1;
        result = fchownat(posix_fd(o->folder), o->name, uid, gid, AT_SYMLINK_NOFOLLOW);
    }
    return result ? posix_error(err, "set owner") : 0;
}

/* Through a descriptor that is only a reference to the name: nothing is opened, and what it is
 * cannot change any more. */
static int set_mode_of_name(const struct os_object *o, mode_t mode, struct error *err)
{
    char path[POSIX_PROC_BYTES];
    struct stat status;
    int result = -1;
    int fd;

    if (posix_check_name(o->name, "set mode", err))
        return -1;
    fd = openat(posix_fd(o->folder), o->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return posix_error(err, "set mode");
    if (fstat(fd, &status))
        posix_error(err, "set mode");
    else if (S_ISLNK(status.st_mode))
        error_set(err, ERROR_UNSUPPORTED, "set mode", "a symbolic link has no mode");
    else if (posix_proc_path(path, fd, NULL, err))
        result = -1;
    else if (!chmod(path, mode))
        result = 0;
    else if (errno == ENOENT)
        error_set(err, ERROR_UNSUPPORTED, "set mode", "needs /proc");
    else
        posix_error(err, "set mode");
    close(fd);
    return result;
}

int os_set_mode(const struct os_object *o, uint32_t mode, struct error *err)
{
    if (o->handle == OS_NO_HANDLE)
        return set_mode_of_name(o, (mode_t)(mode & 07777), err);
    if (fchmod(posix_fd(o->handle), (mode_t)(mode & 07777)))
        return posix_error(err, "set mode");
    return 0;
}

static struct timespec to_timespec(const struct timestamp *t)
{
    if (!t)
        return (struct timespec){0, UTIME_OMIT};
    return (struct timespec){(time_t)t->seconds, (long)t->nanoseconds};
}

int os_set_times(const struct os_object *o, const struct timestamp *mtime,
                 const struct timestamp *atime, struct error *err)
{
    struct timespec times[2] = {to_timespec(atime), to_timespec(mtime)};
    int result;

    if (o->handle != OS_NO_HANDLE) {
        result = futimens(posix_fd(o->handle), times);
    } else {
        if (posix_check_name(o->name, "set times", err))
            return -1;
        result = utimensat(posix_fd(o->folder), o->name, times, AT_SYMLINK_NOFOLLOW);
    }
    return result ? posix_error(err, "set times") : 0;
}
