/*
 * removal.c: removes a name and all that lies below, by held folders, links as links, never onto
 * another device (SAFETY R11). No recursion: the depth of a tree is not ours to choose. Of each
 * folder on the way the names of its own folders are kept, all else is removed as it is listed.
 */
#include "disk/removal.h"

#include <stdlib.h>
#include <string.h>

#include "disk/dirstack.h"

/* One removal on its way down. */
struct removing {
    struct removal *task;
    struct dirstack stack;
    struct buffer path;    /* of the innermost folder, below the task's */
    struct buffer pending; /* NUL-terminated names of folders still to be removed, each level's
                              behind its parent's */
    struct removal_level {
        size_t start;    /* where its names begin in `pending` */
        size_t path_end; /* how long `path` was before it */
        uint64_t spared; /* how many names had been spared before it */
    } * levels;
    size_t capacity;
    bool failed;
};

/* Appends a name to the path; the caller sets its size back to what is returned. */
static size_t extend_path(struct removing *m, const char *name)
{
    size_t before = m->path.size;
    struct error ignored = {0};

    if ((before && buffer_append_byte(&m->path, '/', &ignored)) ||
        buffer_append(&m->path, name, strlen(name), &ignored))
        error_release(&ignored);
    return before;
}

static void tell(struct removing *m, const char *name, struct error *problem)
{
    size_t before = extend_path(m, name);

    m->failed = true;
    m->task->failed(m->task->context, buffer_bytes(&m->path), problem);
    m->path.size = before;
}

/* Counts a name that is gone, or would be. */
static void count(struct removing *m, const char *name, enum os_kind kind)
{
    m->task->removed++;
    if (!m->task->told)
        return;
    size_t before = extend_path(m, name);
    m->task->told(m->task->context, buffer_bytes(&m->path), kind);
    m->path.size = before;
}

/* True if the name is to stay, with all below it. */
static bool is_spared(struct removing *m, os_handle folder, const char *name, enum os_kind kind)
{
    if (!m->task->spares)
        return false;
    size_t before = extend_path(m, name);
    const struct removal_name n = {buffer_bytes(&m->path), folder, name, kind == OS_DIRECTORY};
    bool spared = m->task->spares(m->task->context, &n);
    m->path.size = before;
    m->task->spared += spared;
    return spared;
}

/* Takes flags off that stand against removing `name`, from itself or its folder. True if there is
 * reason to try again. */
static bool unlock(const struct removing *m, os_handle folder, const char *name)
{
    const uint32_t stuck = OS_FLAG_IMMUTABLE | OS_FLAG_APPEND;
    struct os_object both[2] = {{.handle = OS_NO_HANDLE, .folder = folder, .name = name},
                                {.handle = folder}};
    struct error ignored = {0};
    bool changed = false;

    for (int i = 0; m->task->clear_flags && i < 2; i++) {
        uint32_t flags = 0;
        if (!os_get_flags(&both[i], &flags, &ignored) && (flags & stuck) &&
            !os_set_flags(&both[i], flags & ~stuck, &ignored))
            changed = true;
        error_release(&ignored);
    }
    return changed;
}

static int remove_as(os_handle folder, const char *name, enum os_kind kind, struct error *err)
{
    return kind == OS_DIRECTORY ? os_remove_dir(folder, name, err) : os_remove(folder, name, err);
}

/* Removes one name; a failure is told. */
static void remove_one(struct removing *m, os_handle folder, const char *name, enum os_kind kind)
{
    struct error problem = {0};

    if (m->task->mode == REMOVAL_DO && remove_as(folder, name, kind, &problem)) {
        if (!os_error_is_permission(&problem) || !unlock(m, folder, name)) {
            tell(m, name, &problem);
            return;
        }
        error_release(&problem);
        if (remove_as(folder, name, kind, &problem)) {
            tell(m, name, &problem);
            return;
        }
    }
    count(m, name, kind);
}

static int grow(struct removing *m, struct error *err)
{
    size_t capacity = m->capacity ? m->capacity * 2 : 16;

    if (m->stack.depth < m->capacity)
        return 0;
    struct removal_level *levels = realloc(m->levels, capacity * sizeof *levels);
    if (!levels)
        return error_memory(err);
    m->levels = levels;
    m->capacity = capacity;
    return 0;
}

/* Opens a folder that is to be removed, if it is the one meant and on the same device. */
static int open_for_removal(struct removing *m, os_handle folder, const char *name, os_handle *out,
                            struct error *err)
{
    struct os_stat status;

    if (os_open_dir(folder, name, out, err))
        return -1;
    if (os_stat_handle(*out, &status, err))
        goto failed;
    if (status.device != m->task->identity.volume || status.is_mounted) {
        error_set(err, ERROR_REFUSED, "remove folder", "something is mounted here");
        goto failed;
    }
    if (!m->stack.depth && status.file[0] != m->task->identity.file[0]) {
        error_set(err, ERROR_CHANGED, "remove folder", "another folder took its place meanwhile");
        goto failed;
    }
    /* An owner without the right to write takes it: the folder goes anyway. */
    struct os_object o = {.handle = *out};
    struct error ignored = {0};
    if (m->task->mode == REMOVAL_DO && (status.mode & 0700) != 0700 && status.owner == os_user() &&
        os_set_mode(&o, status.mode | 0700, &ignored))
        error_release(&ignored);
    if (grow(m, err))
        goto failed;
    m->levels[m->stack.depth] =
        (struct removal_level){m->pending.size, m->path.size, m->task->spared};
    return dirstack_push(&m->stack, *out, &status, err);

failed:
    os_close(*out);
    return -1;
}

/* Removes what is no folder and keeps the names of those that are. */
static int sort_out(struct removing *m, struct error *err)
{
    os_handle folder = dirstack_top(&m->stack);
    struct os_listing names = {0};
    struct os_stat status;
    int result = os_list(folder, &names, err);

    for (size_t i = 0; i < names.count; i++) {
        const char *name = os_listing_name(&names, i);
        enum os_kind kind = (enum os_kind)names.items[i].kind_hint;
        if (kind == OS_KIND_UNKNOWN && !os_stat_at(folder, name, &status, NULL))
            kind = status.kind;
        if (is_spared(m, folder, name, kind))
            continue;
        if (kind != OS_DIRECTORY)
            remove_one(m, folder, name, kind);
        else if (!result)
            result = buffer_append(&m->pending, name, strlen(name) + 1, err);
    }
    os_listing_release(&names);
    return result;
}

/* The last name of the innermost level that is still to be done, or NULL. */
static const char *last_pending(const struct removing *m)
{
    size_t start = m->levels[m->stack.depth - 1].start, at = m->pending.size;

    if (at == start)
        return NULL;
    for (at--; at > start && m->pending.data[at - 1];)
        at--;
    return (const char *)m->pending.data + at;
}

static int go_down(struct removing *m, os_handle folder, const char *name, struct error *err)
{
    os_handle opened;

    if (open_for_removal(m, folder, name, &opened, err))
        return -1;
    if ((m->path.size && buffer_append_byte(&m->path, '/', err)) ||
        buffer_append(&m->path, name, strlen(name), err))
        return -1;
    return sort_out(m, err);
}

/* Leaves the innermost folder, which is empty now, or as empty as it gets, and removes it. */
static int go_up(struct removing *m, struct error *err)
{
    size_t level = m->stack.depth - 1;

    bool keeps = m->levels[level].spared != m->task->spared;

    m->path.size = m->levels[level].path_end;
    if (dirstack_pop(&m->stack, err))
        return -1;
    os_handle folder = level ? dirstack_top(&m->stack) : m->task->folder;
    const char *name = level ? last_pending(m) : m->task->name;
    struct error problem = {0};
    if (keeps) {
        /* It holds what is to stay. */
    } else if (m->task->mode == REMOVAL_LOOK || !m->failed ||
               os_remove_dir(folder, name, &problem)) {
        /* What stays below was told. */
        if (!m->failed || !os_error_is_not_empty(&problem))
            remove_one(m, folder, name, OS_DIRECTORY);
        error_release(&problem);
    } else {
        count(m, name, OS_DIRECTORY);
    }
    if (level)
        m->pending.size -= strlen(name) + 1;
    return 0;
}

static int remove_tree(struct removing *m, struct error *err)
{
    if (go_down(m, m->task->folder, m->task->name, err))
        return -1;
    while (m->stack.depth) {
        const char *name = last_pending(m);
        if (m->task->stopped && m->task->stopped(m->task->context))
            return error_set(err, ERROR_INTERRUPTED, "remove", "stopped");
        if (!name) {
            if (go_up(m, err))
                return -1;
            continue;
        }
        struct error problem = {0};
        size_t depth = m->stack.depth;
        if (!go_down(m, dirstack_top(&m->stack), name, &problem))
            continue;
        /* A folder that cannot be opened stays, and so do those above it; one that cannot be listed
         * is left again above. */
        name = NULL;
        if (m->stack.depth == depth) {
            name = last_pending(m);
            tell(m, name, &problem);
            m->pending.size -= strlen(name) + 1;
        } else {
            tell(m, ".", &problem);
        }
    }
    return 0;
}

int removal_run(struct removal *task)
{
    struct removing m = {.task = task};
    struct error problem = {0};
    struct os_stat status;

    dirstack_init(&m.stack);
    if (os_stat_at(task->folder, task->name, &status, &problem)) {
        tell(&m, task->name, &problem);
    } else if (status.device != task->identity.volume || status.file[0] != task->identity.file[0]) {
        error_set(&problem, ERROR_CHANGED, "remove", "another object took its place meanwhile");
        tell(&m, task->name, &problem);
    } else if (is_spared(&m, task->folder, task->name, status.kind)) {
        /* It stays. */
    } else if (status.kind != OS_DIRECTORY) {
        remove_one(&m, task->folder, task->name, status.kind);
    } else if (remove_tree(&m, &problem)) {
        m.path.size = 0;
        tell(&m, task->name, &problem);
    }
    dirstack_release(&m.stack);
    buffer_release(&m.path);
    buffer_release(&m.pending);
    free(m.levels);
    return m.failed ? -1 : 0;
}
