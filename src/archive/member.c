#include "archive/member.h"

static enum tar_type tar_type_of(const struct entry *e)
{
    static const enum tar_type types[] = {
        [ENTRY_DIRECTORY] = TAR_DIRECTORY,
        [ENTRY_FILE] = TAR_FILE,
        [ENTRY_SYMLINK] = TAR_SYMLINK,
        [ENTRY_FIFO] = TAR_FIFO,
        [ENTRY_SOCKET] = TAR_FILE,
        [ENTRY_CHAR_DEVICE] = TAR_CHAR_DEVICE,
        [ENTRY_BLOCK_DEVICE] = TAR_BLOCK_DEVICE,
        [ENTRY_JUNCTION] = TAR_SYMLINK,
        [ENTRY_MOUNT_POINT] = TAR_SYMLINK,
        [ENTRY_REPARSE] = TAR_FILE,
    };

    return entry_is_further_name(e) ? TAR_HARD_LINK : types[e->kind];
}

static bool has_ntfs(const struct pairs *xattrs)
{
    for (size_t i = 0; i < xattrs->count; i++)
        if (entry_xattr_is_ntfs(pairs_name(xattrs, i)))
            return true;
    return false;
}

/* What NTFS has besides, and tar has no field for. */
static void add_ntfs(struct member_record *record, const struct entry *e)
{
    if (e->reparse.size != 0) {
        record->is_reparse = true;
        record->kind = e->kind;
        record->reparse = e->reparse;
        record->folder_flavour = e->folder_flavour;
    }
    if (has_ntfs(&e->meta.xattrs))
        record->xattrs = &e->meta.xattrs;
}

int member_comment(struct buffer *out, const struct entry *e, const struct archive_record *archive,
                   struct error *err)
{
    const uint32_t loadable = METADATA_XATTRS | METADATA_ACL | METADATA_FLAGS;
    struct member_record record = {0};

    buffer_clear(out);
    if (archive != NULL) {
        record.has_archive = true;
        record.archive = *archive;
    }
    if (!entry_is_further_name(e)) {
        record.is_socket = e->kind == ENTRY_SOCKET;
        record.mode = e->meta.mode;
        record.shared = e->shared;
        record.link_count = e->shared ? e->link_count : 0;
        record.unknown = loadable & ~e->meta.known;
        record.known = e->meta.known & METADATA_BTIME;
        record.btime = e->meta.btime;
        if ((e->meta.known & METADATA_FLAGS) != 0 && e->meta.flags != 0) {
            record.known |= METADATA_FLAGS;
            record.flags = e->meta.flags;
        }
        if (e->kind != ENTRY_FILE && e->kind != ENTRY_DIRECTORY)
            record.unknown &= ~(uint32_t)METADATA_FLAGS; /* other kinds have none */
        add_ntfs(&record, e);
    }
    if (!record.has_archive && !record.is_socket && !record.shared && record.unknown == 0 &&
        record.known == 0 && !record.is_reparse && record.xattrs == NULL)
        return 0;
    return record_encode(out, &record, err);
}

static int apply_reparse(struct entry *e, const struct tar_member *m,
                         const struct member_record *record, struct error *err)
{
    enum tar_type stored = record->kind == ENTRY_REPARSE ? TAR_FILE : TAR_SYMLINK;

    if (m->type != stored || m->size != 0)
        return error_set(err, ERROR_FORMAT, "read archive",
                         "a reparse point that is stored as something else");
    e->kind = record->kind;
    e->reparse = record->reparse;
    e->folder_flavour = record->folder_flavour;
    if (record->kind == ENTRY_REPARSE)
        e->meta.mode = record->mode;
    return 0;
}

int member_apply_ntfs(struct entry *e, const struct tar_member *m,
                      const struct member_record *record, struct pairs *xattrs, struct error *err)
{
    const struct pairs *more = record->xattrs;

    if (record->is_reparse && apply_reparse(e, m, record, err) != 0)
        return -1;
    if (more == NULL)
        return 0;
    if (pairs_copy(xattrs, &e->meta.xattrs, err) != 0)
        return -1;
    for (size_t i = 0; i < more->count; i++)
        if (pairs_append(xattrs, pairs_name(more, i), pairs_value(more, i), err) != 0)
            return -1;
    pairs_sort(xattrs);
    e->meta.xattrs = *xattrs; /* borrowed */
    return 0;
}

struct tar_member member_of(const struct entry *e, const struct data *data)
{
    struct tar_member m = {.type = tar_type_of(e),
                           .path = e->path,
                           .link = entry_is_further_name(e) ? e->first_name : e->target,
                           .meta = e->meta,
                           .device_major = e->device_major,
                           .device_minor = e->device_minor};

    if (data != NULL) {
        bool whole = data->extent_count == 1 && data->extents[0].offset == 0 &&
                     data->extents[0].length == data->size;

        m.size = data->size;
        m.sparse = !whole && data->size != 0;
        m.extents = data->extents;
        m.extent_count = data->extent_count;
    }
    if (e->kind == ENTRY_SOCKET || e->kind == ENTRY_REPARSE)
        m.meta.mode = 0;
    /* No part of a tree: reading it changes the one, restoring it the other. */
    m.meta.known &= ~(uint32_t)(METADATA_ATIME | METADATA_CTIME);
    if (m.type == TAR_HARD_LINK) {
        /* All else stands at the first name; plain tools take nothing else from a link, either. */
        m.meta.known &= METADATA_MODE | METADATA_OWNER | METADATA_GROUP | METADATA_MTIME;
        m.meta.mtime.nanoseconds = 0;
    }
    return m;
}
