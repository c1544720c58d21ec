/*
 * tar_member.c: see tar_member.h. Which of several sayings counts (record, GNU's long name, field)
 * is decided here and nowhere else.
 */
#include "archive/tar_member.h"

#include <string.h>

#include "archive/acl.h"
#include "archive/tar_flags.h"

static const char operation[] = "read tar header";
static const char acl_access[] = "system.posix_acl_access";
static const char acl_default[] = "system.posix_acl_default";

/* A header field of the block with its name, for the number readers. */
#define FIELD(r, field, what) ((struct tar_field){(r)->block.field, sizeof(r)->block.field, what})

void tar_reader_release(struct tar_reader *r)
{
    tar_pax_release(&r->pax);
    tar_map_release(&r->map);
    error_release(&r->trouble);
    pairs_release(&r->member.meta.xattrs);
    for (size_t i = 0; i < PAX_KEY_COUNT; i++)
        buffer_release(&r->globals[i]);
    struct buffer *buffers[] = {
        &r->path,       &r->link,        &r->owner_name,      &r->group_name,
        &r->acl_access, &r->acl_default, &r->long_path.bytes, &r->long_link.bytes};
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
        buffer_release(buffers[i]);
}

void tar_reader_begin(struct tar_reader *r)
{
    struct pairs xattrs = r->member.meta.xattrs;
    if (r->pax.present)
        tar_pax_clear(&r->pax);
    tar_map_clear(&r->map);
    error_release(&r->trouble);
    pairs_clear(&xattrs);
    r->long_path.present = false;
    r->long_link.present = false;
    r->size_is_known = false;
    r->member = (struct tar_member){.meta.xattrs = xattrs};
}

bool tar_reader_expects_member(const struct tar_reader *r)
{
    return r->pax.present || r->long_path.present || r->long_link.present ||
           r->trouble.kind != ERROR_NONE;
}

int tar_reader_trouble(struct tar_reader *r, struct error *err)
{
    if (err->kind != ERROR_REFUSED && err->kind != ERROR_LIMIT)
        return -1;
    if (r->trouble.kind == ERROR_NONE)
        error_move(&r->trouble, err);
    error_release(err);
    return 0;
}

/* --- global records --- */

int tar_reader_set_globals(struct tar_reader *r, const struct tar_pax *records, struct error *err)
{
    for (size_t i = 0; i < PAX_KEY_COUNT; i++) {
        struct bytes value = records->value[i];
        if (!tar_pax_key_is_global((enum tar_pax_key)i) || (!value.data && !records->deleted[i]))
            continue;
        buffer_clear(&r->globals[i]);
        if (buffer_append(&r->globals[i], value.data, value.size, err))
            return -1;
        r->has_globals = true;
    }
    return 0;
}

static void apply_globals(struct tar_reader *r)
{
    struct tar_pax *p = &r->pax;
    if (!r->has_globals)
        return;
    for (size_t i = 0; i < PAX_KEY_COUNT; i++) {
        if (r->globals[i].size && !p->value[i].data && !p->deleted[i])
            p->value[i] = buffer_bytes(&r->globals[i]);
    }
    p->present = true;
}

/* --- names --- */

static int check_name(struct tar_reader *r, const struct buffer *name, const char *what,
                      struct error *err)
{
    if (name->size > TAR_MAX_PATH_BYTES)
        error_set(err, ERROR_LIMIT, operation, "the %s is %zu bytes long", what, name->size);
    else if (name->size == 0)
        error_set(err, ERROR_REFUSED, operation, "the %s is empty", what);
    else if (memchr(name->data, 0, name->size))
        error_set(err, ERROR_REFUSED, operation, "the %s holds a NUL byte", what);
    else
        return 0;
    return tar_reader_trouble(r, err);
}

/* The member's path from the first of these that there is: GNU.sparse.name, path record, L header,
 * ustar's prefix and name. */
static int read_path(struct tar_reader *r, struct error *err)
{
    const struct tar_block *b = &r->block;
    struct bytes record = r->pax.value[PAX_SPARSE_NAME];
    buffer_clear(&r->path);
    if (!record.data)
        record = r->pax.value[PAX_PATH];
    if (!record.data && r->long_path.present)
        record = buffer_bytes(&r->long_path.bytes);
    if (record.data)
        return buffer_append(&r->path, record.data, record.size, err);
    size_t prefix_bytes = r->is_ustar ? tar_text_bytes(b->tail.prefix, sizeof b->tail.prefix) : 0;
    if (prefix_bytes && (buffer_append(&r->path, b->tail.prefix, prefix_bytes, err) ||
                         buffer_append_byte(&r->path, '/', err)))
        return -1;
    return buffer_append(&r->path, b->name, tar_text_bytes(b->name, sizeof b->name), err);
}

static int read_link(struct tar_reader *r, struct error *err)
{
    const struct tar_block *b = &r->block;
    struct bytes text = r->pax.value[PAX_LINK];
    if (r->member.type != TAR_HARD_LINK && r->member.type != TAR_SYMLINK)
        return 0;
    if (!text.data && r->long_link.present)
        text = buffer_bytes(&r->long_link.bytes);
    if (!text.data)
        text = bytes_make(b->link, tar_text_bytes(b->link, sizeof b->link));
    buffer_clear(&r->link);
    if (buffer_append(&r->link, text.data, text.size, err))
        return -1;
    r->member.link = buffer_bytes(&r->link);
    return check_name(r, &r->link, "link target", err);
}

static enum tar_type type_of(const struct tar_reader *r)
{
    bool is_folder_name = r->path.size && r->path.data[r->path.size - 1] == '/';
    switch (r->block.type) {
    case 0: /* v7 */
    case '0':
    case '7': /* contiguous file */
        return is_folder_name ? TAR_DIRECTORY : TAR_FILE;
    case 'S':
        return TAR_FILE;
    case '1':
        return TAR_HARD_LINK;
    case '2':
        return TAR_SYMLINK;
    case '3':
        return TAR_CHAR_DEVICE;
    case '4':
        return TAR_BLOCK_DEVICE;
    case '5':
    case 'D': /* GNU: a folder whose data lists its content */
        return TAR_DIRECTORY;
    case '6':
        return TAR_FIFO;
    default:
        return TAR_OTHER;
    }
}

/* Type, path and target. */
static int read_names(struct tar_reader *r, struct error *err)
{
    struct tar_member *m = &r->member;
    if (read_path(r, err))
        return -1;
    m->type = type_of(r);
    m->type_flag = (char)r->block.type;
    if (m->type == TAR_DIRECTORY) {
        while (r->path.size > 1 && r->path.data[r->path.size - 1] == '/')
            r->path.size--;
    }
    m->path = buffer_bytes(&r->path);
    if (check_name(r, &r->path, "member's name", err))
        return -1;
    if (r->block.type == 'N') {
        error_set(err, ERROR_REFUSED, operation, "GNU's old names records are not followed");
        return tar_reader_trouble(r, err);
    }
    return read_link(r, err);
}

/* --- numbers and times --- */

/* A number that a record, or else the header, says. */
static int read_number(struct tar_reader *r, enum tar_pax_key key, struct tar_field field,
                       uint64_t *value, struct error *err)
{
    if (r->pax.value[key].data)
        return tar_pax_number(&r->pax, key, value, err);
    return tar_number_get_unsigned(field, value, err);
}

/* The stored size of a member, and whether its data may be missing. */
static int read_size(struct tar_reader *r, struct error *err)
{
    if (r->size_is_known)
        r->stored = r->known_size;
    else if (read_number(r, PAX_SIZE, FIELD(r, size, "size"), &r->stored, err))
        return -1;
    if (r->stored > INT64_MAX - TAR_BLOCK_BYTES)
        return error_set(err, ERROR_FORMAT, operation, "a member's size is out of range");
    switch (r->member.type) {
    case TAR_FILE:
    case TAR_OTHER:
        r->may_lack_data = false;
        break;
    case TAR_DIRECTORY:
        r->may_lack_data = r->block.type != 'D';
        break;
    case TAR_HARD_LINK: /* a pax archive says in earnest that a further name has data of its own */
        r->may_lack_data = !r->pax.present;
        break;
    default:
        r->may_lack_data = true;
    }
    return 0;
}

static int read_time(struct tar_reader *r, enum tar_pax_key key, struct timestamp *out,
                     struct error *err)
{
    static const enum metadata_field fields[PAX_KEY_COUNT] = {
        [PAX_MTIME] = METADATA_MTIME,
        [PAX_ATIME] = METADATA_ATIME,
        [PAX_CTIME] = METADATA_CTIME,
        [PAX_BTIME] = METADATA_BTIME,
    };
    if (!r->pax.value[key].data)
        return 0;
    r->member.meta.known |= fields[key];
    return text_parse_time(r->pax.value[key], out, err);
}

static int read_times(struct tar_reader *r, struct error *err)
{
    struct metadata *meta = &r->member.meta;
    if (!r->pax.value[PAX_MTIME].data) {
        meta->known |= METADATA_MTIME;
        if (tar_number_get(FIELD(r, mtime, "mtime"), &meta->mtime.seconds, err))
            return -1;
    }
    if (!r->pax.present)
        return 0;
    if (read_time(r, PAX_MTIME, &meta->mtime, err) || read_time(r, PAX_ATIME, &meta->atime, err))
        return -1;
    if (read_time(r, PAX_CTIME, &meta->ctime, err) || read_time(r, PAX_BTIME, &meta->btime, err))
        return -1;
    return 0;
}

/* A user's or group's name; *out stays NULL where there is none. */
static int read_owner_name(struct buffer *name, struct bytes text, const char **out,
                           struct error *err)
{
    if (text.size == 0 || memchr(text.data, 0, text.size))
        return 0;
    buffer_clear(name);
    if (buffer_append(name, text.data, text.size, err) || buffer_terminate(name, err))
        return -1;
    *out = (const char *)name->data;
    return 0;
}

static struct bytes name_text(const struct tar_reader *r, enum tar_pax_key key,
                              const uint8_t *field)
{
    if (r->pax.value[key].data)
        return r->pax.value[key];
    return bytes_make(field,
                      r->is_ustar || r->is_gnu ? tar_text_bytes(field, TAR_OWNER_NAME_BYTES) : 0);
}

static int read_owners(struct tar_reader *r, struct error *err)
{
    struct metadata *meta = &r->member.meta;
    uint64_t mode = 0;
    if (tar_number_get_unsigned(FIELD(r, mode, "mode"), &mode, err))
        return -1;
    if (read_number(r, PAX_OWNER, FIELD(r, owner, "uid"), &meta->owner, err))
        return -1;
    if (read_number(r, PAX_GROUP, FIELD(r, group, "gid"), &meta->group, err))
        return -1;
    meta->mode = (uint32_t)(mode & 07777);
    meta->known |= METADATA_MODE | METADATA_OWNER | METADATA_GROUP;
    struct bytes owner = name_text(r, PAX_OWNER_NAME, r->block.owner_name);
    struct bytes group = name_text(r, PAX_GROUP_NAME, r->block.group_name);
    if (read_owner_name(&r->owner_name, owner, &meta->owner_name, err))
        return -1;
    return read_owner_name(&r->group_name, group, &meta->group_name, err);
}

static int read_device(struct tar_reader *r, struct error *err)
{
    struct tar_member *m = &r->member;
    uint64_t major = 0;
    uint64_t minor = 0;
    if (m->type != TAR_CHAR_DEVICE && m->type != TAR_BLOCK_DEVICE)
        return 0;
    if (read_number(r, PAX_MAJOR, FIELD(r, major, "devmajor"), &major, err))
        return -1;
    if (read_number(r, PAX_MINOR, FIELD(r, minor, "devminor"), &minor, err))
        return -1;
    if (major > UINT32_MAX || minor > UINT32_MAX)
        return error_set(err, ERROR_FORMAT, operation, "a device number is out of range");
    m->device_major = (uint32_t)major;
    m->device_minor = (uint32_t)minor;
    return 0;
}

/* --- attributes, ACLs, flags --- */

/* An ACL's text becomes the attribute that the kernel knows. One that cannot be used (names without
 * numbers) is lost. */
static int read_acl(struct tar_reader *r, enum tar_pax_key key, struct buffer *binary, bool *lost,
                    struct error *err)
{
    enum { ACL_OF_MODE_BYTES = 4 + 3 * 8 }; /* user, group and other alone: what the mode says */
    bool is_access = key == PAX_ACL_ACCESS;
    if (!r->pax.value[key].data)
        return 0;
    buffer_clear(binary);
    if (acl_from_text(binary, r->pax.value[key], err)) {
        if (err->kind == ERROR_MEMORY)
            return -1;
        error_release(err);
        *lost = true;
        return 0;
    }
    if (is_access && binary->size == ACL_OF_MODE_BYTES)
        return 0;
    struct tar_raw_xattr xattr = {XATTR_ACL, bytes_of(is_access ? acl_access : acl_default),
                                  buffer_bytes(binary)};
    return tar_pax_add_xattr(&r->pax, xattr, err);
}

static bool has_xattr(const struct tar_reader *r, const char *name)
{
    return pairs_find(&r->member.meta.xattrs, bytes_of(name)) >= 0;
}

static int read_xattrs(struct tar_reader *r, struct error *err)
{
    struct metadata *meta = &r->member.meta;
    struct tar_pax *p = &r->pax;
    bool access_lost = false;
    bool default_lost = false;
    if (p->value[PAX_SELINUX].data) {
        struct tar_raw_xattr label = {XATTR_RHT, bytes_of("security.selinux"),
                                      p->value[PAX_SELINUX]};
        if (tar_pax_add_xattr(p, label, err))
            return -1;
    }
    if (p->xattr_count)
        meta->known |= METADATA_XATTRS;
    if (read_acl(r, PAX_ACL_ACCESS, &r->acl_access, &access_lost, err) ||
        read_acl(r, PAX_ACL_DEFAULT, &r->acl_default, &default_lost, err))
        return -1;
    if (tar_pax_xattrs(p, &meta->xattrs, err) && tar_reader_trouble(r, err))
        return -1;
    /* GNU tar may store an ACL as an attribute, too. */
    r->member.acl_lost =
        (access_lost && !has_xattr(r, acl_access)) || (default_lost && !has_xattr(r, acl_default));
    if (!r->member.acl_lost && (p->value[PAX_ACL_ACCESS].data || p->value[PAX_ACL_DEFAULT].data))
        meta->known |= METADATA_ACL;
    return 0;
}

/* What only extended headers hold. */
static int read_extras(struct tar_reader *r, struct error *err)
{
    struct tar_member *m = &r->member;
    const struct tar_pax *p = &r->pax;
    bool all_known = true;
    if (!p->present)
        return 0;
    m->comment = p->value[PAX_COMMENT];
    if (p->value[PAX_FLAGS].data) {
        m->meta.flags = tar_flags_parse(p->value[PAX_FLAGS], &all_known);
        m->meta.known |= METADATA_FLAGS;
        m->flags_lost = !all_known;
    }
    return read_xattrs(r, err);
}

/* --- sparse files --- */

static int use_map(struct tar_reader *r, const struct tar_map *map, uint64_t size,
                   struct error *err)
{
    struct tar_member *m = &r->member;
    if (tar_map_finish(map, size, r->stored, err))
        return -1;
    m->size = size;
    m->sparse = true;
    m->extents = map->extents;
    m->extent_count = map->count;
    if (!map->over_limit)
        return 0;
    error_set(err, ERROR_LIMIT, operation, "the sparse file has more than %d ranges",
              (int)TAR_MAX_EXTENTS);
    return tar_reader_trouble(r, err);
}

static int read_gnu_sparse(struct tar_reader *r, struct tar_stream *s, struct error *err)
{
    uint64_t size = 0;
    if (!r->is_gnu)
        return error_set(err, ERROR_UNSUPPORTED, operation,
                         "a sparse file of a form that is not GNU's");
    if (tar_number_get_unsigned(FIELD(r, tail.gnu.real_size, "real size"), &size, err))
        return -1;
    if (tar_map_read_slots(&r->map, &r->block, s, err))
        return -1;
    return use_map(r, &r->map, size, err);
}

static int read_pax_sparse(struct tar_reader *r, struct tar_stream *s, struct error *err)
{
    const struct tar_pax *p = &r->pax;
    uint64_t size = 0;
    uint64_t major = 0;
    uint64_t minor = 0;
    if (tar_pax_number(p, PAX_SPARSE_SIZE, &size, err))
        return -1;
    if (p->value[PAX_SPARSE_MAJOR].data && tar_pax_number(p, PAX_SPARSE_MAJOR, &major, err))
        return -1;
    if (p->value[PAX_SPARSE_MINOR].data && tar_pax_number(p, PAX_SPARSE_MINOR, &minor, err))
        return -1;
    if (major > 1 || (major == 1 && minor != 0))
        return error_set(err, ERROR_UNSUPPORTED, operation, "a sparse file of a later form");
    if (major == 0 && !p->value[PAX_SPARSE_MAP].data)
        return use_map(r, &p->map, size, err);
    if (major == 0 ? tar_map_parse(&r->map, p->value[PAX_SPARSE_MAP], err)
                   : tar_map_read_lines(&r->map, s, &r->stored, err))
        return -1;
    return use_map(r, &r->map, size, err);
}

static int read_sparse(struct tar_reader *r, struct tar_stream *s, struct error *err)
{
    r->member.size = r->member.type == TAR_FILE || r->member.type == TAR_OTHER ? r->stored : 0;
    if (r->block.type == 'S')
        return read_gnu_sparse(r, s, err);
    if (r->member.type == TAR_FILE && r->pax.value[PAX_SPARSE_SIZE].data)
        return read_pax_sparse(r, s, err);
    return 0;
}

/* Some writers give links, folders and devices a size that no data follows, others let data follow.
 * Where the header does not tell, the next block does. */
static int settle_size(struct tar_reader *r, struct tar_stream *s, struct error *err)
{
    struct tar_block next;
    if (r->stored == 0 || !r->may_lack_data)
        return 0;
    int found = tar_stream_peek(s, &next, err);
    if (found < 0)
        return -1;
    if (!found || tar_block_is_zero(&next) || tar_block_is_sound(&next))
        r->stored = 0;
    return 0;
}

static int read_all(struct tar_reader *r, struct tar_stream *s, struct error *err)
{
    if (read_names(r, err) || read_size(r, err))
        return -1;
    if (read_owners(r, err) || read_times(r, err))
        return -1;
    if (read_device(r, err) || read_extras(r, err))
        return -1;
    return read_sparse(r, s, err) ? -1 : settle_size(r, s, err);
}

int tar_reader_member(struct tar_reader *r, struct tar_stream *s, struct error *err)
{
    r->is_ustar = memcmp(r->block.magic, TAR_MAGIC_USTAR, 6) == 0;
    r->is_gnu = memcmp(r->block.magic, TAR_MAGIC_GNU, sizeof r->block.magic) == 0;
    apply_globals(r);
    if (read_all(r, s, err))
        return error_at(err, (const char *)r->path.data, r->path.size);
    if (r->trouble.kind != ERROR_NONE)
        error_at(&r->trouble, (const char *)r->path.data, r->path.size);
    return 0;
}
