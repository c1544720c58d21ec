/*
 * mapping_way.c: see mapping_way.h.
 */
#include "cli/mapping_way.h"

#include <string.h>

#include "disk/drive_way.h"
#include "link/reparse_tag.h"

static struct bytes cut(struct bytes text, size_t count)
{
    return bytes_make(text.data + count, text.size - count);
}

/* Appends the place of the folder that holds the link: 1, 0 if it is not known, -1. */
static int append_folder(const struct mapping_way *way, struct bytes path, struct buffer *out,
                         struct error *err)
{
    struct bytes below = path_parent(path);
    struct bytes place = way->base;

    for (size_t i = 0; i < way->root_count; i++) {
        struct bytes name = bytes_of(way->roots[i].name);

        if (!path_is_within(path, name))
            continue;
        place = bytes_of(way->roots[i].place);
        if (path.size == name.size) /* the root is the link */
            return buffer_append(out, place.data, path_parent(place).size, err) ? -1 : 1;
        below = cut(below, below.size > name.size ? name.size + 1 : name.size);
    }
    if (place.size == 0)
        return 0;
    if (buffer_append(out, place.data, place.size, err) != 0 ||
        (below.size != 0 && buffer_append_byte(out, '/', err) != 0) ||
        buffer_append(out, below.data, below.size, err) != 0)
        return -1;
    return 1;
}

/* Goes up for each `..` that a relative target begins with: the folders above need not be there
 * yet. */
static struct bytes go_up(struct buffer *folder, struct bytes target)
{
    for (;;) {
        while (target.size != 0 && target.data[0] == '/')
            target = cut(target, 1);
        bool one = target.size >= 1 && target.data[0] == '.' &&
                   (target.size == 1 || target.data[1] == '/');
        bool two = target.size >= 2 && target.data[0] == '.' && target.data[1] == '.' &&
                   (target.size == 2 || target.data[2] == '/');

        if (two)
            folder->size = path_parent(buffer_bytes(folder)).size;
        if (!one && !two)
            return target;
        target = cut(target, one ? 1 : 2);
    }
}

/* Appends the absolute path that a target of POSIX means: 1, 0, -1. */
static int append_posix(const struct mapping_way *way, struct bytes path, struct bytes target,
                        struct buffer *out, struct error *err)
{
    if (target.size == 0)
        return 0;
    if (target.data[0] != '/') {
        int known = append_folder(way, path, out, err);

        if (known != 1)
            return known;
        target = go_up(out, target);
        if (buffer_append_byte(out, '/', err) != 0)
            return -1;
    }
    return buffer_append(out, target.data, target.size, err) != 0 ? -1 : 1;
}

static int follow_posix(const struct mapping_way *way, const struct inventory_link *link,
                        enum os_leads *leads, struct buffer *real, struct error *err)
{
    struct buffer path = {0};
    struct error problem = {0};
    int known = append_posix(way, link->path, link->target, &path, err);

    if (known == 1 && buffer_terminate(&path, err) != 0)
        known = -1;
    if (known == 1 && memchr(path.data, 0, path.size) == NULL &&
        os_follow(OS_NO_HANDLE, (const char *)path.data, leads, real, &problem) != 0)
        known = 0; /* whoever may not look knows nothing */
    error_release(&problem);
    buffer_release(&path);
    return known;
}

/* A relative target of Windows begins at the link's own folder, in the drive that holds it. */
static int follow_windows(const struct mapping_way *way, const struct inventory_link *link,
                          enum os_leads *leads, struct buffer *real, struct error *err)
{
    const struct drive_start start = {.drives = way->drives};
    struct buffer folder = {0}, text = {0};
    int known;

    if (link->form != TARGET_RELATIVE)
        return drive_way_follow(&start, link->target, leads, real, err);
    known = append_folder(way, link->path, &folder, err);
    if (known == 1)
        known = drives_append_windows(way->drives, buffer_bytes(&folder), &text, err);
    if (known == 1)
        known = buffer_append_byte(&text, '\\', err) != 0 ||
                        buffer_append(&text, link->target.data, link->target.size, err) != 0
                    ? -1
                    : drive_way_follow(&start, buffer_bytes(&text), leads, real, err);
    buffer_release(&folder);
    buffer_release(&text);
    return known;
}

/* Appends the absolute path here that an absolute target means: 1, 0, -1. */
static int append_absolute(const struct mapping_way *way, const struct entry *e, struct buffer *out,
                           struct error *err)
{
    if (e->reparse.size != 0 && entry_reparse_tag(e) != REPARSE_TAG_LX_SYMLINK)
        return drives_append_here(way->drives, e->target, out, err);
    if (e->target.size == 0 || e->target.data[0] != '/')
        return 0;
    return buffer_append(out, e->target.data, e->target.size, err) != 0 ? -1 : 1;
}

int mapping_way_is_lost(const struct mapping_way *way, const struct entry *e, struct bytes folder,
                        struct error *err)
{
    struct buffer path = {0}, real = {0};
    struct error ignored = {0};
    enum os_leads leads = OS_LEADS_SOMEWHERE;
    int known = append_absolute(way, e, &path, err);

    if (known == 1)
        known =
            path_is_within(buffer_bytes(&path), folder) && memchr(path.data, 0, path.size) == NULL;
    if (known == 1 && buffer_terminate(&path, err) != 0)
        known = -1;
    if (known == 1)
        known = os_follow(OS_NO_HANDLE, (const char *)path.data, &leads, &real, &ignored) == 0 &&
                leads == OS_LEADS_NOWHERE;
    error_release(&ignored);
    buffer_release(&path);
    buffer_release(&real);
    return known;
}

static bool is_inside(const struct mapping_way *way, struct bytes real)
{
    for (size_t i = 0; i < way->root_count; i++) {
        struct bytes place = bytes_of(way->roots[i].place);

        if (path_is_within(real, place.size == 1 ? bytes_make(NULL, 0) : place))
            return true;
    }
    return way->base.size != 0 && path_is_within(real, way->base);
}

int mapping_way_ask(const struct mapping_way *way, const struct inventory_link *link,
                    enum target_state *state, struct error *err)
{
    enum os_leads leads = OS_LEADS_NOWHERE;
    struct buffer real = {0};
    int known;

    if (*state == TARGET_INSIDE || *state == TARGET_LOOPING)
        return 0;
    known = link->windows ? follow_windows(way, link, &leads, &real, err)
                          : follow_posix(way, link, &leads, &real, err);
    if (known == 1 && leads == OS_LEADS_SOMEWHERE)
        *state = is_inside(way, buffer_bytes(&real)) ? TARGET_INSIDE : TARGET_OUTSIDE;
    else if (known == 1)
        *state = leads == OS_LEADS_NOWHERE ? TARGET_DANGLING : TARGET_LOOPING;
    else if (known == 0)
        *state = TARGET_UNKNOWN;
    buffer_release(&real);
    return known < 0 ? -1 : 0;
}
