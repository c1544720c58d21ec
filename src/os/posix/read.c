/*
 * read.c: link targets and the data of files.
 */
#define _GNU_SOURCE
#include "os/posix/posix.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int os_read_link(os_handle folder, const char *name, struct buffer *out, struct error *err)
{
    size_t room = 256;

    if (posix_check_name(name, "read link", err))
        return -1;
    for (;; room *= 4) {
        ssize_t got;

        if (buffer_reserve(out, room, err))
            return -1;
        got = readlinkat(posix_fd(folder), name, (char *)out->data + out->size, room);
        if (got < 0)
            return posix_error(err, "read link");
        /* A full buffer may hold half a target. */
        if ((size_t)got < room) {
            out->size += (size_t)got;
            return 0;
        }
    }
}

int os_read(os_handle handle, void *bytes, size_t capacity, size_t *got, struct error *err)
{
    char *at = bytes;

    *got = 0;
    while (*got < capacity) {
        ssize_t count = read(posix_fd(handle), at + *got, capacity - *got);
        if (count == 0)
            break;
        if (count > 0)
            *got += (size_t)count;
        else if (!posix_retry(err, "read"))
            return -1;
    }
    return 0;
}

int os_read_at(os_handle handle, struct os_range range, void *bytes, size_t *got, struct error *err)
{
    char *at = bytes;

    *got = 0;
    while (*got < range.bytes) {
        ssize_t count =
            pread(posix_fd(handle), at + *got, range.bytes - *got, (off_t)(range.offset + *got));
        if (count == 0)
            break;
        if (count > 0)
            *got += (size_t)count;
        else if (!posix_retry(err, "read"))
            return -1;
    }
    return 0;
}

/* Everything from `from` to the end of the file is data. */
static int all_data(int fd, uint64_t from, uint64_t *start, uint64_t *end, struct error *err)
{
    struct stat status;

    if (fstat(fd, &status))
        return posix_error(err, "stat");
    *start = from;
    *end = (uint64_t)status.st_size;
    return *start < *end;
}

int os_next_data(os_handle handle, uint64_t from, uint64_t *start, uint64_t *end, struct error *err)
{
    int fd = posix_fd(handle);
    off_t data, hole;

    if (from > INT64_MAX)
        return 0;
    data = lseek(fd, (off_t)from, SEEK_DATA);
    if (data < 0 && errno == ENXIO)
        return 0;
    if (data < 0 && (errno == EINVAL || errno == EOPNOTSUPP))
        return all_data(fd, from, start, end, err);
    if (data < 0)
        return posix_error(err, "find data");
    hole = lseek(fd, data, SEEK_HOLE);
    /* The file was cut between the two calls. */
    if (hole < 0 && errno == ENXIO)
        return 0;
    if (hole < 0)
        return posix_error(err, "find data");
    *start = (uint64_t)data;
    *end = (uint64_t)hole;
    return 1;
}
