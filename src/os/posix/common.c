/*
 * common.c: see posix.h.
 */
#define _GNU_SOURCE
#include "os/posix/posix.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int posix_error(struct error *err, const char *operation)
{
    return error_os(err, operation, errno);
}

int posix_check_name(const char *name, const char *operation, struct error *err)
{
    if (name[0] && !strchr(name, '/') && strcmp(name, ".") && strcmp(name, ".."))
        return 0;
    return error_set(err, ERROR_REFUSED, operation, "not a plain name");
}

int posix_open_quietly(int folder, const char *name, int flags)
{
    /* O_NOATIME is for owners alone: EPERM for others. */
    int fd = openat(folder, name, flags | O_CLOEXEC | O_NOATIME);

    if (fd < 0 && errno == EPERM)
        fd = openat(folder, name, flags | O_CLOEXEC);
    return fd;
}

int posix_path_reach(struct posix_path *p, const char *path, const char *operation,
                     struct error *err)
{
    char piece[PATH_MAX];

    *p = (struct posix_path){AT_FDCWD, path};
    while (strlen(p->rest) >= sizeof piece) {
        size_t cut = sizeof piece - 1;
        int fd;

        while (cut && p->rest[cut] != '/')
            cut--;
        if (!cut) {
            errno = ENAMETOOLONG;
            goto failed;
        }
        memcpy(piece, p->rest, cut);
        piece[cut] = '\0';
        fd = openat(p->folder, piece, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
            goto failed;
        posix_path_release(p);
        p->folder = fd;
        p->rest += cut;
        while (*p->rest == '/')
            p->rest++;
    }
    if (!*p->rest && *path)
        p->rest = ".";
    return 0;

failed:
    posix_error(err, operation);
    posix_path_release(p);
    return -1;
}

void posix_path_release(struct posix_path *p)
{
    if (p->folder >= 0)
        close(p->folder);
    p->folder = AT_FDCWD;
}

int posix_proc_path(char *text, int fd, const char *name, struct error *err)
{
    int length = snprintf(text, POSIX_PROC_BYTES, "/proc/self/fd/%d%s%s", fd, name ? "/" : "",
                          name ? name : "");

    if (length < 0 || length >= POSIX_PROC_BYTES)
        return error_os(err, "open", ENAMETOOLONG);
    return 0;
}

enum os_kind posix_kind(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFDIR:
        return OS_DIRECTORY;
    case S_IFREG:
        return OS_FILE;
    case S_IFLNK:
        return OS_SYMLINK;
    case S_IFIFO:
        return OS_FIFO;
    case S_IFSOCK:
        return OS_SOCKET;
    case S_IFCHR:
        return OS_CHAR_DEVICE;
    case S_IFBLK:
        return OS_BLOCK_DEVICE;
    default:
        return OS_KIND_UNKNOWN;
    }
}

mode_t posix_type_bits(enum os_kind kind)
{
    switch (kind) {
    case OS_DIRECTORY:
        return S_IFDIR;
    case OS_FILE:
        return S_IFREG;
    case OS_SYMLINK:
        return S_IFLNK;
    case OS_FIFO:
        return S_IFIFO;
    case OS_SOCKET:
        return S_IFSOCK;
    case OS_CHAR_DEVICE:
        return S_IFCHR;
    case OS_BLOCK_DEVICE:
        return S_IFBLK;
    case OS_KIND_UNKNOWN:
        break;
    }
    return 0;
}

bool posix_retry(struct error *err, const char *operation)
{
    if (errno != EINTR) {
        posix_error(err, operation);
        return false;
    }
    if (os_stop_requested()) {
        error_set(err, ERROR_INTERRUPTED, operation, "interrupted");
        return false;
    }
    return true;
}
