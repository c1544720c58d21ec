/*
 * open.c: how folders and files are reached. Below a root no link is ever passed.
 */
#define _GNU_SOURCE
#include "os/posix/posix.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FOLDER_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW };

static int hand_out(int fd, const char *operation, os_handle *out, struct error *err)
{
    if (fd < 0)
        return posix_error(err, operation);
    *out = fd;
    return 0;
}

static int open_named(const char *path, int flags, os_handle *out, struct error *err)
{
    struct posix_path at;
    int result;

    if (posix_path_reach(&at, path, "open", err))
        return -1;
    result = hand_out(posix_open_quietly(at.folder, at.rest, flags), "open", out, err);
    posix_path_release(&at);
    return result;
}

int os_open_root(const char *path, os_handle *out, struct error *err)
{
    return open_named(path, O_RDONLY | O_DIRECTORY, out, err);
}

int os_open_path(const char *path, os_handle *out, struct error *err)
{
    return open_named(path, O_RDONLY, out, err);
}

int os_open_dir(os_handle folder, const char *name, os_handle *out, struct error *err)
{
    if (posix_check_name(name, "open folder", err))
        return -1;
    return hand_out(posix_open_quietly(posix_fd(folder), name, FOLDER_FLAGS), "open folder", out,
                    err);
}

int os_follow_dir(os_handle folder, const char *name, os_handle *out, struct error *err)
{
    if (posix_check_name(name, "open folder", err))
        return -1;
    return hand_out(posix_open_quietly(posix_fd(folder), name, O_RDONLY | O_DIRECTORY),
                    "open folder", out, err);
}

int os_open_parent(os_handle folder, os_handle *out, struct error *err)
{
    return hand_out(posix_open_quietly(posix_fd(folder), "..", FOLDER_FLAGS), "open parent folder",
                    out, err);
}

int os_duplicate(os_handle handle, os_handle *out, struct error *err)
{
    return hand_out(fcntl(posix_fd(handle), F_DUPFD_CLOEXEC, 0), "open", out, err);
}

/* True if the path has no empty component, no `.`, no `..` and no NUL. */
static bool is_plain_path(struct bytes path)
{
    size_t start = 0;

    if (memchr(path.data, 0, path.size))
        return false;
    for (size_t i = 0; i <= path.size; i++) {
        if (i < path.size && path.data[i] != '/')
            continue;
        size_t count = i - start;
        if (!count || (count <= 2 && !memcmp(path.data + start, "..", count)))
            return false;
        start = i + 1;
    }
    return true;
}

/* Opens a plain path by its components. -1 and errno. */
static int open_by_components(int folder, char *path)
{
    int held = -1;

    for (;;) {
        char *slash = strchr(path, '/');
        int fd, saved;

        if (slash) {
            *slash = '\0';
            fd = openat(folder, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        } else {
            fd = posix_open_quietly(folder, path, FOLDER_FLAGS);
        }
        saved = errno;
        if (held >= 0)
            close(held);
        errno = saved;
        if (fd < 0 || !slash)
            return fd;
        held = folder = fd;
        path = slash + 1;
    }
}

/* Opens a plain path that one call takes. -1 and errno. */
static int open_piece(int folder, char *path)
{
    struct open_how how = {
        .flags = FOLDER_FLAGS | O_CLOEXEC | O_NOATIME,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    long fd = syscall(SYS_openat2, folder, path, &how, sizeof how);

    if (fd < 0 && errno == EPERM) {
        how.flags &= ~(uint64_t)O_NOATIME;
        fd = syscall(SYS_openat2, folder, path, &how, sizeof how);
    }
    /* An old kernel, a sandbox that knows no such call, a rename on the way: the slow way gives the
     * true answer. */
    if (fd < 0 && (errno == ENOSYS || errno == EPERM || errno == EAGAIN))
        return open_by_components(folder, path);
    return (int)fd;
}

/* The length of the longest beginning of whole components that one call takes; 0 if there is none.
 */
static size_t piece_bytes(struct bytes path)
{
    size_t cut = PATH_MAX - 1;

    if (path.size <= cut)
        return path.size;
    while (cut && path.data[cut] != '/')
        cut--;
    return cut;
}

int os_open_beneath(os_handle root, struct bytes path, os_handle *out, struct error *err)
{
    static const char operation[] = "open folder";
    char piece[PATH_MAX];
    int held = -1;

    if (!path.size)
        return hand_out(posix_open_quietly(posix_fd(root), ".", FOLDER_FLAGS), operation, out, err);
    if (!is_plain_path(path))
        return error_set(err, ERROR_REFUSED, operation, "not a plain relative path");
    for (;;) {
        size_t count = piece_bytes(path);
        int fd = -1;

        errno = ENAMETOOLONG;
        if (count) {
            memcpy(piece, path.data, count);
            piece[count] = '\0';
            fd = open_piece(held < 0 ? posix_fd(root) : held, piece);
        }
        if (fd < 0)
            posix_error(err, operation);
        if (held >= 0)
            close(held);
        if (fd < 0)
            return -1;
        if (count == path.size) {
            *out = fd;
            return 0;
        }
        held = fd;
        path = bytes_make(path.data + count + 1, path.size - count - 1);
    }
}

/* Opens for reading what is a regular file, or a folder if `or_folder`. */
static int open_content(const struct os_object *o, bool or_folder, os_handle *out,
                        struct os_stat *status, struct error *err)
{
    int fd;

    if (posix_check_name(o->name, "open", err))
        return -1;
    /* Without O_NONBLOCK a FIFO that was swapped in would hold us until somebody writes. */
    fd = posix_open_quietly(posix_fd(o->folder), o->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return posix_error(err, "open");
    if (!os_stat_handle(fd, status, err)) {
        if (status->kind == OS_FILE || (or_folder && status->kind == OS_DIRECTORY)) {
            *out = fd;
            return 0;
        }
        error_set(err, ERROR_REFUSED, "open", "not a regular file%s",
                  or_folder ? " or folder" : "");
    }
    close(fd);
    return -1;
}

int posix_open_content(const struct os_object *o, os_handle *out, struct error *err)
{
    struct os_stat status;

    return open_content(o, true, out, &status, err);
}

int os_open_file_stat(os_handle folder, const char *name, os_handle *out, struct os_stat *status,
                      struct error *err)
{
    return open_content(&(struct os_object){OS_NO_HANDLE, folder, name}, false, out, status, err);
}

int os_open_file(os_handle folder, const char *name, os_handle *out, struct error *err)
{
    struct os_stat status;

    return os_open_file_stat(folder, name, out, &status, err);
}

void os_close(os_handle handle)
{
    if (handle != OS_NO_HANDLE)
        close(posix_fd(handle));
}

int os_close_checked(os_handle handle, struct error *err)
{
    /* Linux frees the descriptor even on EINTR: closing again could hit another thread's file. */
    if (close(posix_fd(handle)) && errno != EINTR)
        return posix_error(err, "close");
    return 0;
}
