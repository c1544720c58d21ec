/*
 * foreign_entry.c: see foreign_entry.h. ACLs and sparse maps are not looked for: of the formats
 * that libarchive reads, tar alone has them, and tar is not read through it.
 */
#include "archive/foreign_entry.h"

#include <string.h>

#include "archive/foreign_name.h"
#include "archive/libarchive.h"
#include "archive/names.h"
#include "archive/tar_flags.h"

/* What is shown for a name that cannot be had. */
static const char nameless[] = "(a name that cannot be read)";

void foreign_entry_release(struct foreign_entry *e)
{
    buffer_release(&e->path);
    buffer_release(&e->target);
    buffer_release(&e->first_name);
    buffer_release(&e->owner_name);
    buffer_release(&e->group_name);
    buffer_release(&e->unescaped);
    pairs_release(&e->entry.meta.xattrs);
    error_release(&e->problem);
}

void foreign_entry_problem(struct foreign_entry *e, enum problem_scope scope, struct error *problem)
{
    if (e->entry.problem_scope == PROBLEM_ENTRY) {
        error_release(problem);
        return;
    }
    error_move(&e->problem, problem);
    e->entry.problem_scope = scope;
    e->entry.problem = &e->problem;
}

int foreign_entry_path(struct foreign_entry *e, struct bytes path, struct error *err)
{
    if (names_clean(&e->path, path, NAMES_KEEP_ABSOLUTE, err))
        return -1;
    e->entry.path = buffer_bytes(&e->path);
    e->entry.name_offset = 0;
    e->entry.depth = 0;
    for (size_t i = 0; i < e->path.size; i++) {
        if (e->path.data[i] == '/') {
            e->entry.name_offset = i + 1;
            e->entry.depth++;
        }
    }
    return 0;
}

int foreign_entry_further(struct foreign_entry *e, struct bytes first_name, struct error *err)
{
    if (names_clean(&e->first_name, first_name, NAMES_KEEP_ABSOLUTE, err))
        return -1;
    e->entry.first_name = buffer_bytes(&e->first_name);
    return 0;
}

void foreign_entry_clear(struct foreign_entry *e)
{
    struct pairs xattrs = e->entry.meta.xattrs;

    pairs_clear(&xattrs);
    memset(&e->entry, 0, sizeof e->entry);
    e->entry.meta.xattrs = xattrs;
    error_release(&e->problem);
}

void foreign_entry_metadata(struct foreign_entry *e, const struct metadata *from)
{
    struct pairs xattrs = e->entry.meta.xattrs;

    e->entry.meta = *from;
    e->entry.meta.xattrs = xattrs;
}

static bool fill_kind(struct entry *e, mode_t type)
{
    switch (type) {
    case AE_IFDIR:
        e->kind = ENTRY_DIRECTORY;
        return true;
    case AE_IFLNK:
        e->kind = ENTRY_SYMLINK;
        return true;
    case AE_IFIFO:
        e->kind = ENTRY_FIFO;
        return true;
    case AE_IFSOCK:
        e->kind = ENTRY_SOCKET;
        return true;
    case AE_IFCHR:
        e->kind = ENTRY_CHAR_DEVICE;
        return true;
    case AE_IFBLK:
        e->kind = ENTRY_BLOCK_DEVICE;
        return true;
    case AE_IFREG:
    case 0: /* formats that know files alone say nothing */
        e->kind = ENTRY_FILE;
        return true;
    default:
        return false;
    }
}

static void refuse(struct foreign_entry *e, enum error_kind kind, const char *why)
{
    struct error problem = {0};

    error_set(&problem, kind, "read archive", "%s", why);
    foreign_entry_problem(e, PROBLEM_ENTRY, &problem);
}

/* What the kind brings with it: size, target, device numbers. */
static int fill_kind_facts(struct foreign_entry *e, struct archive_entry *from, struct error *err)
{
    const char *target = la.archive_entry_symlink(from);

    switch (e->entry.kind) {
    case ENTRY_FILE:
        if (la.archive_entry_size(from) > 0)
            e->entry.size = (uint64_t)la.archive_entry_size(from);
        else if (!la.archive_entry_size_is_set(from) && !la.archive_entry_hardlink(from))
            refuse(e, ERROR_UNSUPPORTED, "the archive does not tell the size of this file ahead");
        return 0;
    case ENTRY_SYMLINK:
        if (!target || !*target) {
            refuse(e, ERROR_FORMAT, "a symbolic link without a target");
            return 0;
        }
        buffer_clear(&e->target);
        if (buffer_append(&e->target, target, strlen(target), err))
            return -1;
        e->entry.target = buffer_bytes(&e->target);
        return 0;
    case ENTRY_CHAR_DEVICE:
    case ENTRY_BLOCK_DEVICE:
        e->entry.device_major = (uint32_t)la.archive_entry_rdevmajor(from);
        e->entry.device_minor = (uint32_t)la.archive_entry_rdevminor(from);
        return 0;
    default:
        return 0;
    }
}

static bool has_owners(int format)
{
    switch (format & ARCHIVE_FORMAT_BASE_MASK) {
    case ARCHIVE_FORMAT_CPIO:
    case ARCHIVE_FORMAT_AR:
    case ARCHIVE_FORMAT_XAR:
        return true;
    case ARCHIVE_FORMAT_ISO9660:
        return format == ARCHIVE_FORMAT_ISO9660_ROCKRIDGE;
    default:
        return false;
    }
}

static int fill_name(struct buffer *memory, const char *name, const char **out, struct error *err)
{
    buffer_clear(memory);
    if (!name || !*name)
        return 0;
    if (buffer_append(memory, name, strlen(name), err) || buffer_terminate(memory, err))
        return -1;
    *out = (const char *)memory->data;
    return 0;
}

/* libarchive says 0 where a format has no owners: then they are known only if they are something
 * else. */
static int fill_owners(struct foreign_entry *e, struct archive_entry *from, int format,
                       struct error *err)
{
    struct metadata *meta = &e->entry.meta;
    int64_t owner = la.archive_entry_uid(from), group = la.archive_entry_gid(from);

    if (owner < 0 || group < 0 || !(has_owners(format) || owner != 0 || group != 0))
        return 0;
    meta->known |= METADATA_OWNER | METADATA_GROUP;
    meta->owner = (uint64_t)owner;
    meta->group = (uint64_t)group;
    if (fill_name(&e->owner_name, la.archive_entry_uname(from), &meta->owner_name, err))
        return -1;
    return fill_name(&e->group_name, la.archive_entry_gname(from), &meta->group_name, err);
}

static void fill_time(struct metadata *meta, enum metadata_field field, struct timestamp *to,
                      struct timestamp from)
{
    *to = from;
    meta->known |= field;
}

static void fill_times(struct metadata *meta, struct archive_entry *from)
{
    if (la.archive_entry_mtime_is_set(from))
        fill_time(meta, METADATA_MTIME, &meta->mtime,
                  (struct timestamp){la.archive_entry_mtime(from),
                                     (uint32_t)la.archive_entry_mtime_nsec(from)});
    if (la.archive_entry_atime_is_set(from))
        fill_time(meta, METADATA_ATIME, &meta->atime,
                  (struct timestamp){la.archive_entry_atime(from),
                                     (uint32_t)la.archive_entry_atime_nsec(from)});
    if (la.archive_entry_ctime_is_set(from))
        fill_time(meta, METADATA_CTIME, &meta->ctime,
                  (struct timestamp){la.archive_entry_ctime(from),
                                     (uint32_t)la.archive_entry_ctime_nsec(from)});
    if (la.archive_entry_birthtime_is_set(from))
        fill_time(meta, METADATA_BTIME, &meta->btime,
                  (struct timestamp){la.archive_entry_birthtime(from),
                                     (uint32_t)la.archive_entry_birthtime_nsec(from)});
}

static void fill_flags(struct foreign_entry *e, struct archive_entry *from)
{
    const char *text = la.archive_entry_fflags_text(from);
    struct error problem = {0};
    bool all_known = true;

    if (!text || !*text)
        return;
    e->entry.meta.known |= METADATA_FLAGS;
    e->entry.meta.flags = tar_flags_parse(bytes_of(text), &all_known);
    if (all_known)
        return;
    error_set(&problem, ERROR_UNSUPPORTED, "read archive", "unknown file flags among \"%s\"", text);
    foreign_entry_problem(e, PROBLEM_METADATA, &problem);
}

static int fill_xattrs(struct metadata *meta, struct archive_entry *from, struct error *err)
{
    const char *name;
    const void *value;
    size_t size;

    if (la.archive_entry_xattr_reset(from) == 0)
        return 0;
    meta->known |= METADATA_XATTRS;
    while (la.archive_entry_xattr_next(from, &name, &value, &size) == ARCHIVE_OK)
        if (pairs_append(&meta->xattrs, bytes_of(name), bytes_make(value, size), err))
            return -1;
    pairs_sort(&meta->xattrs);
    return 0;
}

static int fill_metadata(struct foreign_entry *e, struct archive_entry *from, int format,
                         struct error *err)
{
    e->entry.meta.known = METADATA_MODE;
    e->entry.meta.mode = (uint32_t)la.archive_entry_perm(from) & 07777;
    fill_times(&e->entry.meta, from);
    fill_flags(e, from);
    if (fill_owners(e, from, format, err))
        return -1;
    return fill_xattrs(&e->entry.meta, from, err);
}

/* The member's name as bytes. */
static int fill_path(struct foreign_entry *e, const char *path, int format, struct error *err)
{
    struct bytes name = bytes_of(path ? path : nameless);

    if ((format & ARCHIVE_FORMAT_BASE_MASK) == ARCHIVE_FORMAT_7ZIP) {
        if (foreign_name_unescape(&e->unescaped, name, err))
            return -1;
        name = buffer_bytes(&e->unescaped);
    }
    return foreign_entry_path(e, name, err);
}

int foreign_entry_fill(struct foreign_entry *e, struct archive_entry *from, int format,
                       struct error *err)
{
    const char *path = la.archive_entry_pathname(from), *first = la.archive_entry_hardlink(from);

    foreign_entry_clear(e);
    if (fill_path(e, path, format, err))
        return -1;
    if (!path || !*path)
        refuse(e, ERROR_FORMAT, "a name that cannot be read");
    if (!fill_kind(&e->entry, la.archive_entry_filetype(from)))
        refuse(e, ERROR_UNSUPPORTED, "a kind that is not known");
    e->entry.link_count = la.archive_entry_nlink(from);
    if (fill_kind_facts(e, from, err) || fill_metadata(e, from, format, err))
        return -1;
    return first ? foreign_entry_further(e, bytes_of(first), err) : 0;
}
