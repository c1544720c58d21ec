/*
 * walked.c: see walked.h.
 */
#define _GNU_SOURCE
#include "support/walked.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/check.h"

void walked_dir(const struct folder *f, const char *path)
{
    assert_int_equal(mkdirat((int)f->handle, path, 0755), 0);
}

void walked_file(const struct folder *f, const char *path)
{
    int fd = openat((int)f->handle, path, O_CREAT | O_EXCL | O_WRONLY, 0644);
    assert_true(fd >= 0);
    close(fd);
}

void walked_link(const struct folder *f, const char *target, const char *path)
{
    assert_int_equal(symlinkat(target, (int)f->handle, path), 0);
}

struct source *walked_with(const struct folder *f, struct walk_options options)
{
    struct disk_root root = {.name = "t", .place = f->path};
    struct disk_layout layout = {NULL, &root, 1};
    struct error err = {0};
    struct source *s = NULL;

    check_done(walk_open(&layout, &options, &s, &err));
    return s;
}

struct source *walked(const struct folder *f)
{
    return walked_with(f, (struct walk_options){0});
}
