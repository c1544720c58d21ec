/*
 * make.c: new files, folders, links and nodes; their data; renaming and removing.
 */
#define _GNU_SOURCE
#include "os/posix/posix.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

int os_create_file(os_handle folder, const char *name, uint32_t mode, os_handle *out,
                   struct error *err)
{
    int fd;

    if (posix_check_name(name, "create", err))
        return -1;
    fd = openat(posix_fd(folder), name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                (mode_t)mode);
    if (fd < 0)
        return posix_error(err, "create");
    *out = fd;
    return 0;
}

int os_create_unnamed(os_handle folder, uint32_t mode, os_handle *out, struct error *err)
{
    int fd = openat(posix_fd(folder), ".", O_TMPFILE | O_RDWR | O_CLOEXEC, (mode_t)mode);

    if (fd < 0) {
        int code = errno;
        error_os(err, "create", code);
        /* EISDIR: a kernel, EINVAL and ENOENT: a file system that knows no O_TMPFILE and sees the
         * flags that it is made of. */
        if (err && (code == EOPNOTSUPP || code == EISDIR || code == EINVAL || code == ENOENT))
            err->kind = ERROR_UNSUPPORTED;
        return -1;
    }
    *out = fd;
    return 0;
}

static int link_error(struct error *err)
{
    int code = errno;

    error_os(err, "link", code);
    if (err && code == EMLINK)
        err->kind = ERROR_LIMIT;
    return -1;
}

int os_name_file(os_handle file, os_handle folder, const char *name, struct error *err)
{
    char path[POSIX_PROC_BYTES];

    if (posix_check_name(name, "link", err))
        return -1;
    /* Needs CAP_DAC_READ_SEARCH and says ENOENT without it; the other way needs /proc. */
    if (!linkat(posix_fd(file), "", posix_fd(folder), name, AT_EMPTY_PATH))
        return 0;
    if (errno != ENOENT)
        return link_error(err);
    if (posix_proc_path(path, posix_fd(file), NULL, err))
        return -1;
    if (linkat(AT_FDCWD, path, posix_fd(folder), name, AT_SYMLINK_FOLLOW))
        return link_error(err);
    return 0;
}

int os_write(os_handle handle, const void *bytes, size_t count, struct error *err)
{
    const char *at = bytes;

    while (count) {
        ssize_t done = write(posix_fd(handle), at, count);
        if (done >= 0) {
            at += done;
            count -= (size_t)done;
        } else if (!posix_retry(err, "write")) {
            return -1;
        }
    }
    return 0;
}

int os_write_at(os_handle handle, uint64_t offset, struct bytes bytes, struct error *err)
{
    while (bytes.size) {
        ssize_t done = pwrite(posix_fd(handle), bytes.data, bytes.size, (off_t)offset);
        if (done >= 0) {
            bytes = bytes_make(bytes.data + done, bytes.size - (size_t)done);
            offset += (uint64_t)done;
        } else if (!posix_retry(err, "write")) {
            return -1;
        }
    }
    return 0;
}

int os_set_size(os_handle handle, uint64_t size, struct error *err)
{
    if (size > INT64_MAX)
        return error_os(err, "set size", EFBIG);
    while (ftruncate(posix_fd(handle), (off_t)size)) {
        if (!posix_retry(err, "set size"))
            return -1;
    }
    return 0;
}

int os_make_dir(os_handle folder, const char *name, uint32_t mode, struct error *err)
{
    if (posix_check_name(name, "make folder", err))
        return -1;
    if (mkdirat(posix_fd(folder), name, (mode_t)mode))
        return posix_error(err, "make folder");
    return 0;
}

int os_make_symlink(os_handle folder, const char *name, struct bytes target, struct error *err)
{
    char text[PATH_MAX];

    if (posix_check_name(name, "make link", err))
        return -1;
    if (target.size >= sizeof text)
        return error_os(err, "make link", ENAMETOOLONG);
    if (target.size && memchr(target.data, 0, target.size))
        return error_set(err, ERROR_UNSUPPORTED, "make link", "the target holds a NUL byte");
    if (target.size)
        memcpy(text, target.data, target.size);
    text[target.size] = '\0';
    if (symlinkat(text, posix_fd(folder), name))
        return posix_error(err, "make link");
    return 0;
}

int os_make_node(os_handle folder, const char *name, const struct os_node *node, struct error *err)
{
    mode_t mode = posix_type_bits(node->kind) | (mode_t)(node->mode & 07777);
    dev_t device = 0;

    if (posix_check_name(name, "make node", err))
        return -1;
    switch (node->kind) {
    case OS_FIFO:
    case OS_SOCKET:
        break;
    case OS_CHAR_DEVICE:
    case OS_BLOCK_DEVICE:
        device = makedev(node->device_major, node->device_minor);
        break;
    default:
        return error_set(err, ERROR_UNSUPPORTED, "make node", "not a FIFO, socket or device");
    }
    if (mknodat(posix_fd(folder), name, mode, device))
        return posix_error(err, "make node");
    return 0;
}

int os_link(os_handle from, const char *from_name, os_handle to, const char *to_name,
            struct error *err)
{
    if (posix_check_name(from_name, "link", err) || posix_check_name(to_name, "link", err))
        return -1;
    if (linkat(posix_fd(from), from_name, posix_fd(to), to_name, 0))
        return link_error(err);
    return 0;
}

int os_rename(os_handle from, const char *from_name, os_handle to, const char *to_name,
              struct error *err)
{
    if (posix_check_name(from_name, "rename", err) || posix_check_name(to_name, "rename", err))
        return -1;
    if (renameat(posix_fd(from), from_name, posix_fd(to), to_name))
        return posix_error(err, "rename");
    return 0;
}

static int remove_name(os_handle folder, const char *name, int flags, struct error *err)
{
    const char *operation = flags ? "remove folder" : "remove";

    if (posix_check_name(name, operation, err))
        return -1;
    if (unlinkat(posix_fd(folder), name, flags))
        return posix_error(err, operation);
    return 0;
}

int os_remove(os_handle folder, const char *name, struct error *err)
{
    return remove_name(folder, name, 0, err);
}

int os_remove_dir(os_handle folder, const char *name, struct error *err)
{
    return remove_name(folder, name, AT_REMOVEDIR, err);
}
