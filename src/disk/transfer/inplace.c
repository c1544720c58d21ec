/*
 * inplace.c: metadata of what stands and stays. A file with several names is not touched: some may
 * lie outside the destination.
 */
#include "disk/transfer/apply.h"

/* What stands at the entry's name: by handle where it is a file. */
static int open_standing(struct run *r, const struct entry *have, struct os_object *o,
                         struct os_stat *status, struct error *err)
{
    const char *name = (const char *)r->name.data;

    *o = (struct os_object){OS_NO_HANDLE, position_folder(r), name};
    if (have->kind == ENTRY_FILE && os_open_file(o->folder, name, &o->handle, err)) {
        /* Without the right to read it has no handle; its owner may still set its metadata. */
        o->handle = OS_NO_HANDLE;
        if (!os_error_is_permission(err))
            return -1;
        error_release(err);
    }
    if (o->handle != OS_NO_HANDLE ? os_stat_handle(o->handle, status, err)
                                  : os_stat_at(o->folder, name, status, err))
        goto failed;
    if (status->device == have->identity.volume && status->file[0] == have->identity.file[0])
        return 0;
    error_set(err, ERROR_CHANGED, "set metadata", "another object took its place meanwhile");
failed:
    os_close(o->handle);
    return -1;
}

/* Flags that stand against changing it are taken off and come back at the end, unless the want says
 * otherwise. */
static int unlock(struct run *r, const struct difference_pair *pair, const struct os_stat *status,
                  uint32_t *fields, struct error *err)
{
    const struct metadata *have = &pair->have->meta;
    int unlocked = placing_unlock(r, (const char *)r->name.data, err);

    if (unlocked <= 0)
        return unlocked;
    if (pair->want->meta.known & METADATA_FLAGS & ~r->ignore) {
        *fields |= METADATA_FLAGS;
        return 0;
    }
    return late_add_flags(r, pair->want->path, status, have->flags, err);
}

static int set_in_place(struct run *r, const struct difference_pair *pair, struct error *err)
{
    const struct entry *have = pair->have;
    const uint32_t stuck = FILE_FLAG_IMMUTABLE | FILE_FLAG_APPEND;
    struct os_object o;
    struct os_stat status;
    uint32_t fields = pair->fields;
    int result = -1;

    if (position_note(r, err) || open_standing(r, have, &o, &status, err))
        return -1;
    if ((have->meta.known & METADATA_FLAGS) && (have->meta.flags & stuck) &&
        unlock(r, pair, &status, &fields, err))
        goto out;
    struct meta_goal goal = {
        .want = &pair->want->meta,
        .fields = fields,
        .kind = have->kind,
        .now = &status,
        .path = pair->want->path,
        .reparse = pair->want->reparse,
        .folder_flavour = pair->want->folder_flavour,
    };
    result = meta_set(r, &o, &goal, err);
out:
    os_close(o.handle);
    return result;
}

int inplace_metadata(struct run *r, const struct difference_pair *pair, bool *replaced,
                     struct error *err)
{
    const struct entry *want = pair->want, *have = pair->have;

    *replaced = have->link_count > 1;
    if (!*replaced) {
        if (set_in_place(r, pair, err))
            return -1;
        return names_note(
            r, want, (struct named){have->identity.volume, have->identity.file[0], false}, err);
    }
    return want->kind == ENTRY_FILE ? file_refresh(r, pair, err) : node_place(r, pair, err);
}

int inplace_confirm(struct run *r, const struct difference_pair *pair, struct error *err)
{
    const struct metadata *want = &pair->want->meta;
    const uint32_t times = METADATA_MTIME | METADATA_CTIME;
    struct os_object o;
    struct os_stat status;

    if (r->options->checksum || (want->known & times) != times)
        return 0;
    if (position_note(r, err) || open_standing(r, pair->have, &o, &status, err))
        return -1;
    /* Who may not set it reads the file again next time: nothing is lost. */
    if (os_set_times(&o, &want->mtime, NULL, err))
        error_release(err);
    os_close(o.handle);
    return 0;
}
