/*
 * xattr_calls.h: the system calls on the extended attributes of an os_object, handle or name alike.
 * 0 or more, or -1 and errno, as listxattr(2), getxattr(2), setxattr(2), removexattr(2).
 */
#ifndef HOLDFAST_OS_POSIX_XATTR_CALLS_H
#define HOLDFAST_OS_POSIX_XATTR_CALLS_H

#include <sys/types.h>

#include "os/os.h"

/* Names, each with its NUL; with no room the bytes they need. */
ssize_t xattr_call_list(const struct os_object *o, char *names, size_t room);
/* A value; with no room the bytes it needs. */
ssize_t xattr_call_get(const struct os_object *o, const char *name, void *value, size_t room);
/* `flags`: 0, XATTR_CREATE or XATTR_REPLACE. */
int xattr_call_set(const struct os_object *o, const char *name, struct bytes value, int flags);
int xattr_call_remove(const struct os_object *o, const char *name);

#endif
