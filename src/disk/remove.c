/*
 * remove.c: see remove.h. The work is removal.c's.
 */
#include "disk/remove.h"

#include <string.h>

static int usage(struct error *err, const char *path, const char *why)
{
    error_set(err, ERROR_USAGE, NULL, "%s", why);
    return error_at(err, path, strlen(path));
}

int remove_find(struct remove_place *p, const char *path, struct error *err)
{
    size_t end = strlen(path), start;
    struct os_stat status;

    *p = (struct remove_place){.folder = OS_NO_HANDLE};
    if (!end)
        return usage(err, "''", "an empty path names nothing");
    while (end && path[end - 1] == '/')
        end--;
    for (start = end; start && path[start - 1] != '/';)
        start--;
    struct bytes name = bytes_make(path + start, end - start);
    if (!name.size)
        return usage(err, path, "the root of all is not removed");
    if (bytes_equal(name, bytes_of(".")) || bytes_equal(name, bytes_of("..")))
        return usage(err, path,
                     "`.` and `..` are not removed: name the folder itself, by its own name");
    struct bytes parent = start ? bytes_make(path, start) : bytes_of(".");
    if (buffer_append(&p->parent, parent.data, parent.size, err) ||
        buffer_terminate(&p->parent, err) || buffer_append(&p->name, name.data, name.size, err) ||
        buffer_terminate(&p->name, err))
        return -1;
    if (!os_open_root((const char *)p->parent.data, &p->folder, err) &&
        !os_stat_at(p->folder, (const char *)p->name.data, &status, err))
        return 0;
    return error_at(err, path, strlen(path));
}

void remove_release(struct remove_place *p)
{
    os_close(p->folder);
    buffer_release(&p->parent);
    buffer_release(&p->name);
    *p = (struct remove_place){.folder = OS_NO_HANDLE};
}

int remove_run(const struct remove_place *p, struct removal *task, struct error *err)
{
    struct os_stat status;

    task->folder = p->folder;
    task->name = (const char *)p->name.data;
    if (os_stat_at(p->folder, task->name, &status, err))
        return -1;
    task->identity = (struct identity){status.device, {status.file[0], status.file[1]}};
    return removal_run(task);
}
