/*
 * overlap.c: whether two folders have something in common, by whatever names and mounts they were
 * reached. Climbing from one to the other finds what is nested by names; the table of mounts
 * (proc_pid_mountinfo(5)) finds what a bind mount shows in two places. Where there is no /proc the
 * climb alone decides.
 */
#define _GNU_SOURCE
#include "os/posix/posix.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A part of a file system that can be reached at or below a folder. */
struct area {
    char device[32]; /* "major:minor" of the file system */
    char *path;      /* from the file system's own root */
};
struct areas {
    struct area *items; /* the folder's own first */
    size_t count;
};

/* One line of the table. */
struct mount_line {
    uint64_t id;
    char device[32];
    char *root, *point; /* in the line, unescaped */
};

static void areas_release(struct areas *a)
{
    for (size_t i = 0; i < a->count; i++)
        free(a->items[i].path);
    free(a->items);
    *a = (struct areas){0};
}

/* Space, tab, newline and backslash stand as three octal digits. */
static void unescape(char *text)
{
    char *to = text;

    for (const char *at = text; *at; to++) {
        unsigned code;
        if (at[0] == '\\' && sscanf(at + 1, "%3o", &code) == 1) {
            *to = (char)code;
            at += 4;
        } else {
            *to = *at++;
        }
    }
    *to = '\0';
}

static bool parse_line(char *line, struct mount_line *out)
{
    char *rest = NULL, *field;

    if (sscanf(line, "%" SCNu64 " %*s %31s", &out->id, out->device) != 2)
        return false;
    field = strtok_r(line, " ", &rest);
    for (int i = 0; field && i < 3; i++)
        field = strtok_r(NULL, " ", &rest);
    out->root = field;
    out->point = strtok_r(NULL, " ", &rest);
    if (!out->root || !out->point)
        return false;
    unescape(out->root);
    unescape(out->point);
    return true;
}

/* What of `path` lies below `folder`, with its slash; NULL if it does not. */
static const char *below(const char *path, const char *folder)
{
    size_t bytes = strcmp(folder, "/") == 0 ? 0 : strlen(folder);

    if (strncmp(path, folder, bytes) != 0 || (path[bytes] && path[bytes] != '/'))
        return NULL;
    return strcmp(path + bytes, "/") == 0 ? "" : path + bytes;
}

static int add_area(struct areas *a, const struct mount_line *m, const char *inner,
                    struct error *err)
{
    const char *root = strcmp(m->root, "/") == 0 ? "" : m->root;
    size_t bytes = strlen(root) + strlen(inner) + 1;
    struct area *grown = realloc(a->items, (a->count + 1) * sizeof *grown);

    if (!grown)
        return error_memory(err);
    a->items = grown;
    struct area *item = &a->items[a->count];
    memcpy(item->device, m->device, sizeof item->device);
    item->path = malloc(bytes);
    if (!item->path)
        return error_memory(err);
    (void)snprintf(item->path, bytes, "%s%s", root, inner);
    a->count++;
    return 0;
}

/* Goes through the table for a folder that stands at `path` on the mount `id`. */
static int read_table(FILE *table, uint64_t id, const char *path, struct areas *out,
                      struct error *err)
{
    struct mount_line m;
    char *line = NULL;
    size_t room = 0;
    int result = 0;

    while (!result && getline(&line, &room, table) > 0) {
        if (!parse_line(line, &m))
            continue;
        const char *inner = below(path, m.point);
        const char *outer = below(m.point, path);
        if (m.id == id && inner)
            result = add_area(out, &m, inner, err);
        else if (outer && *outer)
            result = add_area(out, &m, "", err);
    }
    free(line);
    return result;
}

/* The areas of a folder; none where the system does not tell. */
static int find_areas(os_handle folder, struct areas *out, struct error *err)
{
    struct statx status;
    struct buffer path = {0};
    struct error ignored = {0};
    int result = 0;
    FILE *table;

    if (statx(posix_fd(folder), "", AT_EMPTY_PATH, STATX_MNT_ID, &status) ||
        !(status.stx_mask & STATX_MNT_ID) || os_handle_path(folder, &path, &ignored) ||
        buffer_terminate(&path, &ignored))
        goto out;
    table = fopen("/proc/self/mountinfo", "re");
    if (!table)
        goto out;
    result = read_table(table, status.stx_mnt_id, (const char *)path.data, out, err);
    (void)fclose(table);
out:
    error_release(&ignored);
    buffer_release(&path);
    return result;
}

static bool is_within(const struct area *inner, const struct area *outer)
{
    return strcmp(inner->device, outer->device) == 0 && below(inner->path, outer->path);
}

/* 1 if climbing from `inner` comes to `outer`, 0, -1. */
static int climbs_to(os_handle inner, os_handle outer, struct error *err)
{
    struct os_stat goal, here, before = {0};
    os_handle at = OS_NO_HANDLE, parent;
    int result = -1;

    if (os_stat_handle(outer, &goal, err) || os_duplicate(inner, &at, err))
        return -1;
    for (;;) {
        if (os_stat_handle(at, &here, err))
            break;
        if (here.device == goal.device && here.file[0] == goal.file[0]) {
            result = 1;
            break;
        }
        result = 0;
        if (here.device == before.device && here.file[0] == before.file[0])
            break;
        before = here;
        /* Above a folder that may not be passed nobody can look: the table tells. */
        if (os_open_parent(at, &parent, err)) {
            error_release(err);
            break;
        }
        os_close(at);
        at = parent;
        result = -1;
    }
    os_close(at);
    return result;
}

int os_folder_is_below(os_handle inner, os_handle outer, struct error *err)
{
    struct areas in = {0}, around = {0};
    int result = climbs_to(inner, outer, err);

    if (result || find_areas(inner, &in, err) || find_areas(outer, &around, err)) {
        result = result == 1 ? 1 : -1;
        goto out;
    }
    for (size_t i = 0; in.count && i < around.count; i++)
        result |= is_within(&in.items[0], &around.items[i]);
out:
    areas_release(&in);
    areas_release(&around);
    return result;
}

int os_folders_overlap(os_handle a, os_handle b, struct error *err)
{
    struct areas of_a = {0}, of_b = {0};
    int result = climbs_to(a, b, err);

    if (!result)
        result = climbs_to(b, a, err);
    if (result || find_areas(a, &of_a, err) || find_areas(b, &of_b, err)) {
        result = result == 1 ? 1 : -1;
        goto out;
    }
    for (size_t i = 0; i < of_a.count; i++) {
        for (size_t j = 0; j < of_b.count; j++)
            result |= is_within(&of_a.items[i], &of_b.items[j]) ||
                      is_within(&of_b.items[j], &of_a.items[i]);
    }
out:
    areas_release(&of_a);
    areas_release(&of_b);
    return result;
}
