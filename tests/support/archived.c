#include "support/archived.h"

#include <stdio.h>
#include <string.h>

#include "support/check.h"
#include "support/stream.h"

static struct error err;

os_handle archive_handle(const struct folder *f, const char *name)
{
    char path[300];
    os_handle handle;

    (void)snprintf(path, sizeof path, "%s/%s", f->path, name);
    check_done(os_open_path(path, &handle, &err));
    return handle;
}

void archive_put(const struct folder *f, const char *name, struct bytes bytes)
{
    os_handle file;

    (void)!os_remove(f->handle, name, NULL);
    check_done(os_create_file(f->handle, name, 0600, &file, &err));
    check_done(os_write(file, bytes.data, bytes.size, &err));
    os_close(file);
}

static struct backup_counts write_archive(const struct folder *f, const char *name,
                                          struct backup *backup, struct source *source)
{
    backup->program = "holdfast test";
    backup->options = bytes_of("exclude=*.o\n");
    (void)!os_remove(f->handle, name, NULL);
    check_done(os_create_file(f->handle, name, 0600, &backup->archive, &err));
    check_done(backup_run(backup, source, &err));
    os_close(backup->archive);
    source_close(source);
    return backup->counts;
}

struct backup_counts archived_in(const struct folder *f, const char *name, enum container container,
                                 struct source *source, struct told *told)
{
    struct backup backup = {.output = {.container = container}, .watcher = &told->watcher};

    return write_archive(f, name, &backup, source);
}

struct backup_counts archived(const struct folder *f, const char *name, struct source *source,
                              struct told *told)
{
    return archived_in(f, name, CONTAINER_ZSTD, source, told);
}

struct backup_counts archived_on(const struct folder *f, const char *name, const char *base,
                                 struct source *source, struct told *told)
{
    struct backup backup = {.output = {.container = CONTAINER_ZSTD}, .watcher = &told->watcher};
    struct backup_counts counts;
    char path[300];

    (void)snprintf(path, sizeof path, "%s/%s", f->path, base);
    check_done(unchanged_open(path, &backup.base, &err));
    counts = write_archive(f, name, &backup, source);
    unchanged_close(backup.base);
    return counts;
}

struct opened_archive archive_opened(const struct folder *f, const char *name, struct told *told)
{
    struct reader_options options = {.watcher = &told->watcher};
    struct opened_archive opened;

    check_done(open_any_archive(archive_handle(f, name), &options, &opened, &err));
    return opened;
}

struct buffer archive_bytes(const struct folder *f, const char *name)
{
    struct buffer bytes = {0};
    os_handle file = archive_handle(f, name);
    size_t got = 1;

    while (got != 0) {
        check_done(buffer_reserve(&bytes, 65536, &err));
        check_done(os_read(file, bytes.data + bytes.size, 65536, &got, &err));
        bytes.size += got;
    }
    os_close(file);
    return bytes;
}

struct buffer content_of(struct source *s)
{
    struct buffer content = {0};
    struct data *data;
    size_t got = 1;

    check_done(source_open_data(s, &data, &err));
    while (got != 0) {
        check_done(buffer_reserve(&content, 65536, &err));
        struct data_span span = {content.data + content.size, 65536};

        check_done(data_read(data, content.size, span, &got, &err));
        content.size += got;
    }
    assert_int_equal(content.size, data->size);
    data_close(data);
    return content;
}

void check_content(struct source *s, const char *path, const char *content)
{
    struct buffer got;

    (void)stream_until(s, path);
    got = content_of(s);
    check_text(buffer_bytes(&got), content);
    buffer_release(&got);
}
