/*
 * read_some.c: reading from what may keep silent for ever.
 */
#define _GNU_SOURCE
#include "os/posix/posix.h"

#include <poll.h>
#include <unistd.h>

enum { WAIT_MILLISECONDS = 100 };

int os_read_some(os_handle handle, void *bytes, size_t capacity, size_t *got, struct error *err)
{
    struct pollfd wanted = {.fd = posix_fd(handle), .events = POLLIN};

    *got = 0;
    int ready = poll(&wanted, 1, WAIT_MILLISECONDS);
    if (ready < 0)
        return posix_retry(err, "wait for bytes") ? 0 : -1;
    if (ready == 0)
        return 0;
    ssize_t count = read(posix_fd(handle), bytes, capacity);
    if (count < 0)
        return posix_retry(err, "read") ? 0 : -1;
    *got = (size_t)count;
    return 1;
}
