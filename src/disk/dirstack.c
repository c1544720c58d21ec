/*
 * dirstack.c: see dirstack.h. The outermost folder stays open: whatever is moved about meanwhile,
 * the way back ends there. Of the others the outermost are closed first, for they are needed last;
 * so the closed ones always are the levels from 1 on up to some level, and one count of the open
 * ones tells which. Those that are kept are the exception: they are open below that level, too, and
 * not counted there.
 */
#include "disk/dirstack.h"

#include <stdlib.h>

void dirstack_init(struct dirstack *s)
{
    *s = (struct dirstack){.open_limit = DIRSTACK_OPEN_LIMIT};
}

static void close_level(struct dirstack *s, struct dirstack_level *level)
{
    if (level->handle == OS_NO_HANDLE)
        return;
    os_close(level->handle);
    level->handle = OS_NO_HANDLE;
    s->open_count -= level->is_counted;
    level->is_counted = false;
}

void dirstack_release(struct dirstack *s)
{
    while (s->depth)
        close_level(s, &s->levels[--s->depth]);
    free(s->levels);
    *s = (struct dirstack){0};
}

/* The outermost of those that may be closed is, or is not counted any more. */
static void close_outermost(struct dirstack *s)
{
    struct dirstack_level *level = &s->levels[s->depth - s->open_count + 1];

    if (!level->is_kept) {
        close_level(s, level);
        return;
    }
    level->is_counted = false;
    s->open_count--;
}

static int grow(struct dirstack *s, struct error *err)
{
    size_t capacity = s->capacity ? s->capacity * 2 : 16;
    struct dirstack_level *levels;

    if (s->depth < s->capacity)
        return 0;
    levels = realloc(s->levels, capacity * sizeof *levels);
    if (!levels)
        return error_memory(err);
    s->levels = levels;
    s->capacity = capacity;
    return 0;
}

int dirstack_push(struct dirstack *s, os_handle folder, const struct os_stat *status,
                  struct error *err)
{
    if (grow(s, err)) {
        os_close(folder);
        return -1;
    }
    /* Open are level 0 and the open_count - 1 innermost ones. */
    if (s->open_count >= s->open_limit && s->open_count > 1)
        close_outermost(s);
    s->levels[s->depth++] = (struct dirstack_level){
        folder, status->device, {status->file[0], status->file[1]}, .is_counted = true};
    s->open_count++;
    return 0;
}

int dirstack_push_apart(struct dirstack *s, os_handle folder, const struct os_stat *status,
                        struct error *err)
{
    if (s->depth)
        s->levels[s->depth - 1].is_kept = true;
    return dirstack_push(s, folder, status, err);
}

static int reopen(struct dirstack_level *level, os_handle child, struct error *err)
{
    static const char operation[] = "return to parent folder";
    struct os_stat status;
    os_handle folder;

    if (child == OS_NO_HANDLE)
        return error_set(err, ERROR_CHANGED, operation, "the folder was moved meanwhile");
    if (os_open_parent(child, &folder, err))
        return -1;
    if (os_stat_handle(folder, &status, err))
        goto failed;
    if (status.device != level->device || status.file[0] != level->file[0] ||
        status.file[1] != level->file[1]) {
        error_set(err, ERROR_CHANGED, operation, "the folder was moved meanwhile");
        goto failed;
    }
    level->handle = folder;
    return 0;

failed:
    os_close(folder);
    return -1;
}

int dirstack_pop(struct dirstack *s, struct error *err)
{
    struct dirstack_level *left = &s->levels[--s->depth];
    struct dirstack_level *parent = s->depth ? &s->levels[s->depth - 1] : NULL;
    int result = 0;

    if (parent && parent->handle == OS_NO_HANDLE)
        result = reopen(parent, left->handle, err);
    close_level(s, left);
    if (parent && parent->handle != OS_NO_HANDLE) {
        s->open_count += !parent->is_counted;
        parent->is_counted = true;
        parent->is_kept = false;
    }
    return result;
}

os_handle dirstack_top(const struct dirstack *s)
{
    return s->depth ? s->levels[s->depth - 1].handle : OS_NO_HANDLE;
}
