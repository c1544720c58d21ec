/*
 * posix.h: what the files of this folder share. A handle is a file descriptor.
 */
#ifndef HOLDFAST_OS_POSIX_POSIX_H
#define HOLDFAST_OS_POSIX_POSIX_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "os/os.h"

/* The descriptor of a handle. */
static inline int posix_fd(os_handle handle)
{
    return (int)handle;
}

/* Sets the error of the system call that has just failed, and returns -1. */
int posix_error(struct error *err, const char *operation);

/* Refuses what is not one component (empty, `.`, `..`, or with a slash): the last guard of SAFETY
 * R2, behind the callers' own checks. */
MUST_CHECK int posix_check_name(const char *name, const char *operation, struct error *err);

/* Opens like openat(2), close-on-exec, and without changing atime where that is allowed. -1 and
 * errno. */
int posix_open_quietly(int folder, const char *name, int flags);

/* Opens a regular file or a folder for reading, no-follow and never blocking; what is neither is
 * ERROR_REFUSED. */
MUST_CHECK int posix_open_content(const struct os_object *o, os_handle *out, struct error *err);

/* A path of any length as a folder near its end and a rest that one system call takes. */
struct posix_path {
    int folder;       /* AT_FDCWD or a descriptor of its own */
    const char *rest; /* points into the path */
};
MUST_CHECK int posix_path_reach(struct posix_path *p, const char *path, const char *operation,
                                struct error *err);
void posix_path_release(struct posix_path *p);

/* "/proc/self/fd/N" for a descriptor, "/proc/self/fd/N/name" with a name. */
enum { POSIX_PROC_BYTES = 4096 };
MUST_CHECK int posix_proc_path(char *text, int fd, const char *name, struct error *err);

/* Translates st_mode and permission bits. */
enum os_kind posix_kind(mode_t mode);
mode_t posix_type_bits(enum os_kind kind);

/* True after EINTR if the call is to be made again; false with ERROR_INTERRUPTED set if the user
 * wants to stop, or with the error of any other errno. */
bool posix_retry(struct error *err, const char *operation);

#endif
