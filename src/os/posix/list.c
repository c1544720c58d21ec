/*
 * list.c: the names in a folder (getdents64(2)), sorted.
 */
#define _GNU_SOURCE
#include "os/posix/posix.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The layout of getdents64's records, which no header of the C library declares before
 * version 2.30. */
struct record {
    uint64_t inode;
    int64_t next;
    uint16_t bytes;
    uint8_t type;
    char name[];
};

static uint8_t kind_of(uint8_t type)
{
    return type == DT_UNKNOWN ? OS_KIND_UNKNOWN : (uint8_t)posix_kind((mode_t)DTTOIF(type));
}

static int reserve_item(struct os_listing *l, struct error *err)
{
    size_t capacity = l->capacity ? l->capacity * 2 : 16;
    struct os_name *items;

    if (l->count < l->capacity)
        return 0;
    items = realloc(l->items, capacity * sizeof *items);
    if (!items)
        return error_memory(err);
    l->items = items;
    l->capacity = capacity;
    return 0;
}

static int add(struct os_listing *l, const struct record *r, struct error *err)
{
    size_t length = strlen(r->name);
    size_t offset = l->names.size;

    if (!strcmp(r->name, ".") || !strcmp(r->name, ".."))
        return 0;
    if (length > UINT16_MAX || offset > UINT32_MAX - length - 1)
        return error_set(err, ERROR_LIMIT, "list folder", "too many names");
    if (reserve_item(l, err) || buffer_append(&l->names, r->name, length + 1, err))
        return -1;
    l->items[l->count++] = (struct os_name){(uint32_t)offset, (uint16_t)length, kind_of(r->type)};
    return 0;
}

enum { RECORDS_BYTES = 32768 };

/* Reads the next records: their bytes, 0 at the end, -1. */
static long read_records(int fd, char *records, struct error *err)
{
    long got;

    while ((got = syscall(SYS_getdents64, fd, records, RECORDS_BYTES)) < 0) {
        if (!posix_retry(err, "list folder"))
            return -1;
    }
    return got;
}

static int read_all(int fd, struct os_listing *l, struct error *err)
{
    _Alignas(struct record) char records[RECORDS_BYTES];
    long got;

    /* The handle may have been listed before. */
    if (lseek(fd, 0, SEEK_SET) < 0)
        return posix_error(err, "list folder");
    while ((got = read_records(fd, records, err)) > 0) {
        for (long at = 0; at < got;) {
            const struct record *r = (const void *)(records + at);
            if (add(l, r, err))
                return -1;
            at += r->bytes;
        }
    }
    return got < 0 ? -1 : 0;
}

static int compare(const void *a, const void *b, void *names)
{
    const struct os_name *first = a, *second = b;
    const uint8_t *base = names;

    return bytes_compare(bytes_make(base + first->offset, first->bytes),
                         bytes_make(base + second->offset, second->bytes));
}

int os_list(os_handle folder, struct os_listing *out, struct error *err)
{
    int result = read_all(posix_fd(folder), out, err);

    if (out->count > 1)
        qsort_r(out->items, out->count, sizeof *out->items, compare, out->names.data);
    return result;
}

int os_glance_at(os_handle folder, struct os_glance *g, struct error *err)
{
    _Alignas(struct record) char records[RECORDS_BYTES];
    /* Its own place in the folder: the handle may be shared. */
    int fd = openat(posix_fd(folder), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    long got = fd < 0 ? posix_error(err, "list folder") : read_records(fd, records, err);

    for (long at = 0; at < got;) {
        const struct record *r = (const void *)(records + at);
        g->see(g, r->name, r->inode);
        at += r->bytes;
    }
    if (fd >= 0)
        close(fd);
    return got < 0 ? -1 : 0;
}

const char *os_listing_name(const struct os_listing *l, size_t index)
{
    return (const char *)l->names.data + l->items[index].offset;
}

void os_listing_release(struct os_listing *l)
{
    if (!l)
        return;
    buffer_release(&l->names);
    free(l->items);
    *l = (struct os_listing){0};
}
