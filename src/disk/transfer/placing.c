/*
 * placing.c: how a new object gets its name. In a folder that this run made, it may grow under its
 * own name; elsewhere it is made under a temporary one and renamed over what stands there, which is
 * never opened for writing (SAFETY R5). A folder with content is set aside and removed in the
 * delete phase.
 */
#include "disk/transfer/apply.h"

#include <stdio.h>

const char *placing_name(const struct placing *p)
{
    return p->made[0] ? p->made : p->name;
}

int placing_begin(struct run *r, const struct entry *have, enum placing_way way,
                  struct placing *out, struct error *err)
{
    *out = (struct placing){
        .folder = position_folder(r),
        .name = (const char *)r->name.data,
        .have = have,
    };
    if (position_touch(r, err))
        return -1;
    if (have || (way == PLACING_GROWS && !position_level(r)->created))
        run_temporary_name(r, out->made);
    return 0;
}

void placing_abort(struct placing *p)
{
    struct error ignored = {0};

    if (os_remove(p->folder, placing_name(p), &ignored))
        error_release(&ignored);
    if (p->aside[0] && os_rename(p->folder, p->aside, p->folder, p->name, &ignored))
        error_release(&ignored);
}

int placing_unlock(struct run *r, const char *name, struct error *err)
{
    const uint32_t stuck = OS_FLAG_IMMUTABLE | OS_FLAG_APPEND;
    struct os_object o = {.handle = OS_NO_HANDLE, .folder = position_folder(r), .name = name};
    struct error ignored = {0};
    uint32_t flags = 0;

    if (os_get_flags(&o, &flags, &ignored)) {
        error_release(&ignored);
        return 0;
    }
    if (!(flags & stuck))
        return 0;
    if (!r->options->clear_flags)
        return run_refuse(err, "immutable: --clear-flags takes the flag off");
    return os_set_flags(&o, flags & ~stuck, err) ? -1 : 1;
}

/* A rename that an immutable or append-only flag may stand against. */
static int rename_unlocked(struct run *r, const struct placing *p, const char *from, const char *to,
                           struct error *err)
{
    const char *standing = from == p->name ? from : to;

    if (!os_rename(p->folder, from, p->folder, to, err))
        return 0;
    if (!os_error_is_permission(err))
        return -1;
    struct error stuck = {0};
    int unlocked = placing_unlock(r, standing, &stuck);
    if (unlocked < 0)
        error_move(err, &stuck);
    if (unlocked <= 0)
        return -1;
    error_release(err);
    return os_rename(p->folder, from, p->folder, to, err);
}

/* A folder gives way to what is no folder: an empty one is removed, one with content set aside. */
static int clear_folder(struct run *r, struct placing *p, struct error *err)
{
    if (!os_remove_dir(p->folder, p->name, err))
        return 0;
    if (!os_error_is_not_empty(err))
        return -1;
    error_release(err);
    if (!r->options->delete_extra)
        return run_refuse(err, "a folder with content stands in the way; --delete replaces it");
    char aside[ANCHOR_NAME_BYTES];
    run_temporary_name(r, aside);
    if (rename_unlocked(r, p, p->name, aside, err))
        return -1;
    (void)snprintf(p->aside, sizeof p->aside, "%s", aside);
    return 0;
}

/* The path of a name in the innermost folder, in r->text. */
static int path_here(struct run *r, const char *name, struct bytes *out, struct error *err)
{
    buffer_clear(&r->text);
    if (buffer_append(&r->text, r->here.data, r->here.size, err) ||
        (r->here.size && buffer_append_byte(&r->text, '/', err)) ||
        buffer_append(&r->text, name, bytes_of(name).size, err))
        return -1;
    *out = buffer_bytes(&r->text);
    return 0;
}

int placing_end(struct run *r, struct placing *p, struct error *err)
{
    bool folder = p->have && p->have->kind == ENTRY_DIRECTORY;
    struct bytes path;

    if (!p->made[0])
        return 0;
    if (folder && clear_folder(r, p, err))
        return -1;
    if (rename_unlocked(r, p, p->made, p->name, err))
        return -1;
    p->made[0] = '\0';
    if (!p->aside[0])
        return 0;
    if (path_here(r, p->aside, &path, err))
        return -1;
    p->aside[0] = '\0';
    return trash_add(r, TRASH_ASIDE, path, &p->have->identity, err);
}
