/*
 * xattr_calls.c: see xattr_calls.h.
 *
 * A name without a handle has two ways: listxattrat(2) and its sisters (Linux 6.13), and on older
 * kernels the calls that do not follow the last component, on /proc/self/fd/FOLDER/NAME. A sandbox
 * may answer EPERM to a call that it does not know, so EPERM tries the other way, too.
 */
#define _GNU_SOURCE
#include "os/posix/xattr_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "os/posix/posix.h"

/* One number on all architectures but alpha, which counts from 110. */
#ifdef __alpha__
enum { CALL_SET = 573, CALL_GET, CALL_LIST, CALL_REMOVE };
#else
enum { CALL_SET = 463, CALL_GET, CALL_LIST, CALL_REMOVE };
#endif

/* struct xattr_args of linux/xattr.h, which older headers lack. */
struct value_argument {
    uint64_t value; /* an address */
    uint32_t size;
    uint32_t flags;
};

static bool try_other_way(long result)
{
    return result < 0 && (errno == ENOSYS || errno == EPERM);
}

/* The path by /proc; false and errno ENAMETOOLONG if there is none. */
static bool proc_path(const struct os_object *o, char *path)
{
    if (!posix_proc_path(path, posix_fd(o->folder), o->name, NULL))
        return true;
    errno = ENAMETOOLONG;
    return false;
}

ssize_t xattr_call_list(const struct os_object *o, char *names, size_t room)
{
    char path[POSIX_PROC_BYTES];
    long result;

    if (o->handle != OS_NO_HANDLE)
        return flistxattr(posix_fd(o->handle), names, room);
    result = syscall(CALL_LIST, posix_fd(o->folder), o->name, AT_SYMLINK_NOFOLLOW, names, room);
    if (!try_other_way(result))
        return result;
    return proc_path(o, path) ? llistxattr(path, names, room) : -1;
}

ssize_t xattr_call_get(const struct os_object *o, const char *name, void *value, size_t room)
{
    struct value_argument argument = {(uintptr_t)value, (uint32_t)room, 0};
    char path[POSIX_PROC_BYTES];
    long result;

    if (o->handle != OS_NO_HANDLE)
        return fgetxattr(posix_fd(o->handle), name, value, room);
    result = syscall(CALL_GET, posix_fd(o->folder), o->name, AT_SYMLINK_NOFOLLOW, name, &argument,
                     sizeof argument);
    if (!try_other_way(result))
        return result;
    return proc_path(o, path) ? lgetxattr(path, name, value, room) : -1;
}

int xattr_call_set(const struct os_object *o, const char *name, struct bytes value, int flags)
{
    struct value_argument argument = {(uintptr_t)value.data, (uint32_t)value.size, (uint32_t)flags};
    char path[POSIX_PROC_BYTES];
    long result;

    if (o->handle != OS_NO_HANDLE)
        return fsetxattr(posix_fd(o->handle), name, value.data, value.size, flags);
    result = syscall(CALL_SET, posix_fd(o->folder), o->name, AT_SYMLINK_NOFOLLOW, name, &argument,
                     sizeof argument);
    if (!try_other_way(result))
        return (int)result;
    return proc_path(o, path) ? lsetxattr(path, name, value.data, value.size, flags) : -1;
}

int xattr_call_remove(const struct os_object *o, const char *name)
{
    char path[POSIX_PROC_BYTES];
    long result;

    if (o->handle != OS_NO_HANDLE)
        return fremovexattr(posix_fd(o->handle), name);
    result = syscall(CALL_REMOVE, posix_fd(o->folder), o->name, AT_SYMLINK_NOFOLLOW, name);
    if (!try_other_way(result))
        return (int)result;
    return proc_path(o, path) ? lremovexattr(path, name) : -1;
}
