/*
 * tar_encode.c: the encoder of tar.h: one dialect, whose points are written down in docs/format.md
 * ("The tar stream").
 */
#include "archive/tar_pax.h"

#include <string.h>

#include "archive/acl.h"

static const char operation[] = "write tar header";
static const char acl_access[] = "system.posix_acl_access";
static const char acl_default[] = "system.posix_acl_default";

/* A member on its way out. */
struct writer {
    const struct tar_member *m;
    size_t slash;      /* 1 if the path gets a trailing slash */
    bool long_path;    /* the path stands in an L header */
    bool long_link;    /* the target stands in a K header */
    size_t prefix_end; /* how many bytes of the path stand in ustar's prefix (and a slash behind
                          them in neither) */
};

uint64_t tar_stored_bytes(const struct tar_member *m)
{
    uint64_t bytes = 0;
    if (m->type != TAR_FILE)
        return 0;
    if (!m->sparse)
        return m->size;
    for (size_t i = 0; i < m->extent_count; i++)
        bytes += m->extents[i].length;
    return bytes;
}

/* A numeric field holds what fits 56 bits; larger numbers stand in their record alone. */
static void put_number(uint8_t *field, size_t field_bytes, uint64_t value)
{
    tar_number_put(field, field_bytes, value >> 56 ? 0 : (int64_t)value);
}

static uint8_t type_flag(const struct tar_member *m)
{
    static const char flags[] = {
        [TAR_FILE] = '0',        [TAR_HARD_LINK] = '1',    [TAR_SYMLINK] = '2',
        [TAR_CHAR_DEVICE] = '3', [TAR_BLOCK_DEVICE] = '4', [TAR_DIRECTORY] = '5',
        [TAR_FIFO] = '6',
    };
    return m->type == TAR_FILE && m->sparse ? 'S' : (uint8_t)flags[m->type];
}

static int append_block(struct buffer *out, struct tar_block *block, struct error *err)
{
    tar_block_seal(block);
    return buffer_append(out, block, sizeof *block, err);
}

static int append_padding(struct buffer *out, uint64_t bytes, struct error *err)
{
    static const uint8_t zeros[TAR_BLOCK_BYTES];
    return buffer_append(out, zeros, (size_t)tar_padding(bytes), err);
}

/* --- names --- */

/* Finds the slash at which ustar's prefix ends: the first one that leaves at most 100 bytes behind
 * it. 0 if there is none. */
static size_t find_split(struct bytes path, size_t slash)
{
    size_t from = path.size + slash - TAR_NAME_BYTES - 1;
    for (size_t i = from ? from : 1; i < path.size && i <= TAR_PREFIX_BYTES; i++) {
        if (path.data[i] == '/')
            return i;
    }
    return 0;
}

static void plan_names(struct writer *w)
{
    const struct tar_member *m = w->m;
    w->slash = m->type == TAR_DIRECTORY;
    w->long_link = m->link.size > TAR_NAME_BYTES;
    if (m->path.size + w->slash <= TAR_NAME_BYTES)
        return;
    /* GNU's header of a sparse file has its map where ustar has the prefix. */
    if (type_flag(m) != 'S')
        w->prefix_end = find_split(m->path, w->slash);
    w->long_path = w->prefix_end == 0;
}

/* Appends an L or K header with the whole text. */
static int append_long(struct buffer *out, uint8_t type, struct bytes text, const char *end,
                       struct error *err)
{
    struct tar_block block = {.name = "././@LongLink", .magic = TAR_MAGIC_GNU, .type = type};
    uint64_t bytes = text.size + strlen(end) + 1;
    put_number(block.mode, sizeof block.mode, 0644);
    put_number(block.owner, sizeof block.owner, 0);
    put_number(block.group, sizeof block.group, 0);
    put_number(block.size, sizeof block.size, bytes);
    put_number(block.mtime, sizeof block.mtime, 0);
    if (append_block(out, &block, err) || buffer_append(out, text.data, text.size, err))
        return -1;
    if (buffer_append(out, end, strlen(end) + 1, err))
        return -1;
    return append_padding(out, bytes, err);
}

static int append_long_names(const struct writer *w, struct buffer *out, struct error *err)
{
    if (w->long_link && append_long(out, 'K', w->m->link, "", err))
        return -1;
    return w->long_path ? append_long(out, 'L', w->m->path, w->slash ? "/" : "", err) : 0;
}

static void copy_text(uint8_t *field, size_t field_bytes, struct bytes text)
{
    size_t bytes = text.size < field_bytes ? text.size : field_bytes;
    if (bytes)
        memcpy(field, text.data, bytes);
}

static void put_path(const struct writer *w, struct tar_block *block)
{
    struct bytes name = w->m->path;
    if (w->prefix_end) {
        memcpy(block->tail.prefix, name.data, w->prefix_end);
        name = bytes_make(name.data + w->prefix_end + 1, name.size - w->prefix_end - 1);
    }
    copy_text(block->name, sizeof block->name, name);
    if (w->slash && name.size < sizeof block->name)
        block->name[name.size] = '/';
}

/* --- the extended header --- */

static int append_record(struct buffer *out, const char *key, struct bytes value, struct error *err)
{
    size_t start = 0;
    if (tar_pax_begin(out, key, &start, err) || buffer_append(out, value.data, value.size, err))
        return -1;
    return tar_pax_end(out, start, err);
}

/* A number that its header field has no octal for. */
static int append_number(struct buffer *out, const char *key, uint64_t value, struct error *err)
{
    uint8_t digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (uint8_t)('0' + value % 10);
        value /= 10;
    } while (value);
    return append_record(out, key, bytes_make(digits + at, sizeof digits - at), err);
}

static bool needs_number(uint64_t value, size_t field_bytes)
{
    return value > INT64_MAX || !tar_number_is_octal((int64_t)value, field_bytes);
}

static int append_numbers(const struct writer *w, struct buffer *out, struct error *err)
{
    const struct tar_member *m = w->m;
    const struct metadata *meta = &m->meta;
    if (needs_number(meta->owner, TAR_ID_BYTES) && append_number(out, "uid", meta->owner, err))
        return -1;
    if (needs_number(meta->group, TAR_ID_BYTES) && append_number(out, "gid", meta->group, err))
        return -1;
    /* Of a sparse file readers differ in what the record would mean: its header's base 256 says it
     * alone. */
    uint64_t size = m->sparse ? 0 : tar_stored_bytes(m);
    return needs_number(size, TAR_SIZE_BYTES) ? append_number(out, "size", size, err) : 0;
}

static int append_time(struct buffer *out, const char *key, struct timestamp time,
                       struct error *err)
{
    size_t start = 0;
    if (tar_pax_begin(out, key, &start, err) || text_append_time(out, time, err))
        return -1;
    return tar_pax_end(out, start, err);
}

static int append_times(const struct metadata *meta, struct buffer *out, struct error *err)
{
    bool plain =
        meta->mtime.nanoseconds == 0 && tar_number_is_octal(meta->mtime.seconds, TAR_TIME_BYTES);
    if (!plain && append_time(out, "mtime", meta->mtime, err))
        return -1;
    return meta->known & METADATA_ATIME ? append_time(out, "atime", meta->atime, err) : 0;
}

static bool is_ascii(const char *text)
{
    while (*text && !((uint8_t)*text & 0x80))
        text++;
    return *text == 0;
}

/* The field of the header holds 31 bytes. Longer names get a record if every reader can take it,
 * which it cannot unless they are ASCII. */
static bool owner_name_fits(const char *name)
{
    return strlen(name) < TAR_OWNER_NAME_BYTES;
}

static int append_owner_names(const struct metadata *meta, struct buffer *out, struct error *err)
{
    const char *keys[] = {"uname", "gname"};
    const char *names[] = {meta->owner_name, meta->group_name};
    for (size_t i = 0; i < 2; i++) {
        if (!names[i] || owner_name_fits(names[i]) || !is_ascii(names[i]))
            continue;
        if (append_record(out, keys[i], bytes_of(names[i]), err))
            return -1;
    }
    return 0;
}

static int append_acl(struct buffer *out, const char *key, struct bytes binary, struct error *err)
{
    size_t start = 0;
    if (tar_pax_begin(out, key, &start, err) || acl_to_text(out, binary, err))
        return -1;
    return tar_pax_end(out, start, err);
}

static int append_xattr(struct buffer *out, struct bytes name, struct bytes value,
                        struct error *err)
{
    size_t start = 0;
    if (tar_pax_begin_xattr(out, name, &start, err) ||
        buffer_append(out, value.data, value.size, err))
        return -1;
    return tar_pax_end(out, start, err);
}

static int append_xattrs(const struct metadata *meta, struct buffer *out, struct error *err)
{
    const struct pairs *xattrs = &meta->xattrs;
    for (size_t i = 0; i < xattrs->count; i++) {
        struct bytes name = pairs_name(xattrs, i);
        struct bytes value = pairs_value(xattrs, i);
        int result;
        if (entry_xattr_is_ntfs(name))
            continue; /* in the comment: as an attribute it makes other tools fail */
        if (bytes_equal(name, bytes_of(acl_access)))
            result = append_acl(out, "SCHILY.acl.access", value, err);
        else if (bytes_equal(name, bytes_of(acl_default)))
            result = append_acl(out, "SCHILY.acl.default", value, err);
        else
            result = append_xattr(out, name, value, err);
        if (result)
            return -1;
    }
    return 0;
}

static int append_records(const struct writer *w, struct buffer *out, struct error *err)
{
    const struct tar_member *m = w->m;
    if (append_times(&m->meta, out, err) || append_numbers(w, out, err))
        return -1;
    if (append_owner_names(&m->meta, out, err) || append_xattrs(&m->meta, out, err))
        return -1;
    return m->comment.size ? append_record(out, "comment", m->comment, err) : 0;
}

/* Appends the x header, if there is anything to say in one. Its block is filled in when its size is
 * known. */
static int append_extended(const struct writer *w, struct buffer *out, struct error *err)
{
    struct tar_block block = {.name = "PaxHeaders/", .magic = TAR_MAGIC_USTAR, .type = 'x'};
    size_t start = out->size;
    size_t head = strlen("PaxHeaders/");
    if (buffer_append(out, &block, sizeof block, err) || append_records(w, out, err))
        return -1;
    uint64_t bytes = out->size - start - sizeof block;
    if (bytes == 0) {
        out->size = start;
        return 0;
    }
    if (bytes > TAR_MAX_EXTENDED_BYTES)
        return error_set(err, ERROR_LIMIT, operation,
                         "the attributes are too large for a tar header");
    copy_text(block.name + head, sizeof block.name - head, w->m->path);
    put_number(block.mode, sizeof block.mode, 0644);
    put_number(block.owner, sizeof block.owner, 0);
    put_number(block.group, sizeof block.group, 0);
    put_number(block.size, sizeof block.size, bytes);
    put_number(block.mtime, sizeof block.mtime, 0);
    tar_block_seal(&block);
    memcpy(out->data + start, &block, sizeof block);
    return append_padding(out, bytes, err);
}

/* --- the member's own header --- */

static void put_owner_name(uint8_t field[TAR_OWNER_NAME_BYTES], const char *name)
{
    if (name && owner_name_fits(name))
        copy_text(field, TAR_OWNER_NAME_BYTES, bytes_of(name));
}

static void fill_header(const struct writer *w, struct tar_block *block)
{
    const struct tar_member *m = w->m;
    const struct metadata *meta = &m->meta;
    uint64_t mtime = 0;
    block->type = type_flag(m);
    memcpy(block->magic, block->type == 'S' ? TAR_MAGIC_GNU : TAR_MAGIC_USTAR, sizeof block->magic);
    put_path(w, block);
    copy_text(block->link, sizeof block->link, m->link);
    put_number(block->mode, sizeof block->mode, meta->mode & 07777);
    put_number(block->owner, sizeof block->owner, meta->owner);
    put_number(block->group, sizeof block->group, meta->group);
    put_number(block->size, sizeof block->size, tar_stored_bytes(m));
    /* busybox and 7-Zip call an archive damaged that has a negative number here; the record has the
     * time. */
    if (meta->mtime.seconds >= 0)
        mtime = (uint64_t)meta->mtime.seconds;
    put_number(block->mtime, sizeof block->mtime, mtime);
    put_owner_name(block->owner_name, meta->owner_name);
    put_owner_name(block->group_name, meta->group_name);
    put_number(block->major, sizeof block->major, m->device_major);
    put_number(block->minor, sizeof block->minor, m->device_minor);
}

static int append_header(const struct writer *w, struct buffer *out, struct error *err)
{
    struct tar_block block = {0};
    size_t start = out->size;
    fill_header(w, &block);
    if (buffer_append(out, &block, sizeof block, err))
        return -1;
    if (block.type == 'S') {
        put_number(block.tail.gnu.real_size, sizeof block.tail.gnu.real_size, w->m->size);
        if (tar_map_write(out, &block, w->m, err))
            return -1;
    }
    tar_block_seal(&block);
    memcpy(out->data + start, &block, sizeof block);
    return 0;
}

static int check_member(const struct tar_member *m, struct error *err)
{
    if (m->type == TAR_OTHER)
        return error_set(err, ERROR_UNSUPPORTED, operation,
                         "tar has no form for this kind of file");
    if (m->path.size > TAR_MAX_PATH_BYTES || m->link.size > TAR_MAX_PATH_BYTES)
        return error_set(err, ERROR_LIMIT, operation, "the path is too long for an archive");
    if (m->sparse && m->extent_count > TAR_MAX_EXTENTS)
        return error_set(err, ERROR_LIMIT, operation,
                         "the file has too many holes for a tar header");
    if (m->size > INT64_MAX - TAR_BLOCK_BYTES)
        return error_set(err, ERROR_LIMIT, operation, "the file is too large for a tar header");
    return 0;
}

int tar_encode(struct buffer *out, const struct tar_member *m, struct error *err)
{
    struct writer w = {.m = m};
    size_t start = out->size;
    if (check_member(m, err))
        goto failed;
    plan_names(&w);
    if (append_long_names(&w, out, err) || append_extended(&w, out, err))
        goto failed;
    if (append_header(&w, out, err))
        goto failed;
    return 0;
failed:
    out->size = start;
    return error_at(err, (const char *)m->path.data, m->path.size);
}

int tar_encode_end(struct buffer *out, uint64_t archive_bytes, struct error *err)
{
    static const uint8_t zeros[TAR_BLOCK_BYTES];
    enum { RECORD_BYTES = 20 * TAR_BLOCK_BYTES };
    uint64_t bytes = archive_bytes;
    for (size_t i = 0; i < 2 || bytes % RECORD_BYTES != 0; i++) {
        if (buffer_append(out, zeros, sizeof zeros, err))
            return -1;
        bytes += sizeof zeros;
    }
    return 0;
}
