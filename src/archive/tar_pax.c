/*
 * tar_pax.c: see tar_pax.h. Knows keys and how records and attribute names are encoded; what a
 * value means is tar_member.c's matter.
 */
#include "archive/tar_pax.h"

#include <stdlib.h>
#include <string.h>

static const char operation[] = "read extended header";
static const char schily_xattr[] = "SCHILY.xattr.";
static const char libarchive_xattr[] = "LIBARCHIVE.xattr.";

static const struct key {
    const char *name;
    size_t name_bytes;
    enum tar_pax_key key;
    bool global;
} keys[] = {
#define KEY(text, key, global)                                                                     \
    {                                                                                              \
        text, sizeof text - 1, key, global                                                         \
    }
    KEY("mtime", PAX_MTIME, true),
    KEY("atime", PAX_ATIME, true),
    KEY("ctime", PAX_CTIME, true),
    KEY("path", PAX_PATH, true),
    KEY("linkpath", PAX_LINK, true),
    KEY("size", PAX_SIZE, true),
    KEY("uid", PAX_OWNER, true),
    KEY("gid", PAX_GROUP, true),
    KEY("uname", PAX_OWNER_NAME, true),
    KEY("gname", PAX_GROUP_NAME, true),
    KEY("comment", PAX_COMMENT, false),
    KEY("LIBARCHIVE.creationtime", PAX_BTIME, false),
    KEY("SCHILY.devmajor", PAX_MAJOR, false),
    KEY("SCHILY.devminor", PAX_MINOR, false),
    KEY("SCHILY.fflags", PAX_FLAGS, false),
    KEY("SCHILY.acl.access", PAX_ACL_ACCESS, false),
    KEY("SCHILY.acl.default", PAX_ACL_DEFAULT, false),
    KEY("RHT.security.selinux", PAX_SELINUX, false),
    KEY("GNU.sparse.name", PAX_SPARSE_NAME, false),
    KEY("GNU.sparse.size", PAX_SPARSE_SIZE, false),
    KEY("GNU.sparse.realsize", PAX_SPARSE_SIZE, false),
    KEY("GNU.sparse.map", PAX_SPARSE_MAP, false),
    KEY("GNU.sparse.major", PAX_SPARSE_MAJOR, false),
    KEY("GNU.sparse.minor", PAX_SPARSE_MINOR, false),
#undef KEY
};

/* True if `b` begins with `prefix`; then the rest of it is left. */
static bool take_prefix(struct bytes *b, const char *prefix)
{
    size_t count = strlen(prefix);
    if (b->size < count || memcmp(b->data, prefix, count) != 0)
        return false;
    *b = bytes_make(b->data + count, b->size - count);
    return true;
}

static bool is_text(struct bytes b, const char *text)
{
    return take_prefix(&b, text) && b.size == 0;
}

void tar_pax_release(struct tar_pax *p)
{
    free(p->xattrs);
    buffer_release(&p->names);
    buffer_release(&p->text);
    tar_map_release(&p->map);
    *p = (struct tar_pax){0};
}

void tar_pax_clear(struct tar_pax *p)
{
    tar_map_clear(&p->map);
    *p = (struct tar_pax){
        .xattrs = p->xattrs,
        .xattr_capacity = p->xattr_capacity,
        .names = p->names,
        .text = p->text,
        .map = p->map,
    };
}

bool tar_pax_key_is_global(enum tar_pax_key key)
{
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (keys[i].key == key)
            return keys[i].global;
    }
    return false;
}

/* --- taking records apart --- */

int tar_pax_add_xattr(struct tar_pax *p, struct tar_raw_xattr xattr, struct error *err)
{
    if (p->xattr_count == p->xattr_capacity) {
        size_t capacity = p->xattr_capacity ? p->xattr_capacity * 2 : 8;
        struct tar_raw_xattr *xattrs = realloc(p->xattrs, capacity * sizeof *xattrs);
        if (!xattrs)
            return error_memory(err);
        p->xattrs = xattrs;
        p->xattr_capacity = capacity;
    }
    p->xattrs[p->xattr_count++] = xattr;
    return 0;
}

/* GNU's form 0.0: offset and numbytes take turns. */
static int take_range(struct tar_pax *p, struct bytes value, bool is_offset, struct error *err)
{
    struct tar_field field = {value.data, value.size, "GNU.sparse range"};
    uint64_t number = 0;
    if (is_offset == p->map_offset_waits)
        return error_set(err, ERROR_FORMAT, operation,
                         "GNU.sparse.offset and numbytes do not take turns");
    if (tar_decimal_get(field, &number, err))
        return -1;
    p->map_offset_waits = is_offset;
    if (is_offset) {
        p->map_offset = number;
        return 0;
    }
    return tar_map_add(&p->map, p->map_offset, number, err);
}

static int take_record(struct tar_pax *p, struct bytes key, struct bytes value, struct error *err)
{
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (key.size != keys[i].name_bytes || memcmp(key.data, keys[i].name, key.size) != 0)
            continue;
        enum tar_pax_key known = keys[i].key;
        p->deleted[known] = value.size == 0;
        p->value[known] = value.size ? value : (struct bytes){0};
        return 0;
    }
    if (take_prefix(&key, schily_xattr))
        return tar_pax_add_xattr(p, (struct tar_raw_xattr){XATTR_SCHILY, key, value}, err);
    if (take_prefix(&key, libarchive_xattr)) {
        p->has_libarchive_xattrs = true;
        return tar_pax_add_xattr(p, (struct tar_raw_xattr){XATTR_LIBARCHIVE, key, value}, err);
    }
    if (is_text(key, "GNU.sparse.offset"))
        return take_range(p, value, true, err);
    if (is_text(key, "GNU.sparse.numbytes"))
        return take_range(p, value, false, err);
    return 0;
}

/* Cuts the first record off `body`: *record is "KEY=VALUE". */
static int next_record(struct bytes *body, struct bytes *record, struct error *err)
{
    size_t digits = 0;
    uint64_t length = 0;
    const uint8_t *space = memchr(body->data, ' ', body->size < 20 ? body->size : 20);
    if (space) {
        digits = (size_t)(space - body->data);
        if (tar_decimal_get((struct tar_field){body->data, digits, "record length"}, &length, err))
            return -1;
    }
    if (!space || length > body->size || length < digits + 2 || body->data[length - 1] != '\n')
        return error_set(err, ERROR_FORMAT, operation,
                         "a record of an extended header is malformed");
    *record = bytes_make(space + 1, (size_t)length - digits - 2);
    *body = bytes_make(body->data + length, body->size - (size_t)length);
    return 0;
}

int tar_pax_parse(struct tar_pax *p, struct bytes body, struct error *err)
{
    p->present = true;
    while (body.size) {
        struct bytes record;
        if (next_record(&body, &record, err))
            return -1;
        const uint8_t *equals = record.size ? memchr(record.data, '=', record.size) : NULL;
        if (!equals || equals == record.data)
            return error_set(err, ERROR_FORMAT, operation,
                             "a record of an extended header has no key");
        struct bytes key = bytes_make(record.data, (size_t)(equals - record.data));
        if (take_record(p, key, bytes_make(equals + 1, record.size - key.size - 1), err))
            return -1;
    }
    if (p->map_offset_waits)
        return error_set(err, ERROR_FORMAT, operation, "GNU.sparse.offset without numbytes");
    return 0;
}

int tar_pax_number(const struct tar_pax *p, enum tar_pax_key key, uint64_t *value,
                   struct error *err)
{
    const char *what = "extended header";
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (keys[i].key == key)
            what = keys[i].name;
    }
    return tar_decimal_get((struct tar_field){p->value[key].data, p->value[key].size, what}, value,
                           err);
}

/* Reads "LENGTH " of a record in a body of which *left bytes are left; *length is then what remains
 * of the record. */
static int scan_length(struct tar_stream *s, uint64_t *left, uint64_t *length, struct error *err)
{
    uint8_t digits[20];
    size_t count = 0;
    for (;; count++) {
        if (count == sizeof digits || *left == 0)
            return error_set(err, ERROR_FORMAT, operation,
                             "a record of an extended header is malformed");
        if (tar_stream_exact(s, &digits[count], 1, err))
            return -1;
        (*left)--;
        if (digits[count] == ' ')
            break;
    }
    if (tar_decimal_get((struct tar_field){digits, count, "record length"}, length, err))
        return -1;
    if (*length < count + 2 || *length - count - 1 > *left)
        return error_set(err, ERROR_FORMAT, operation,
                         "a record of an extended header is malformed");
    *length -= count + 1;
    return 0;
}

int tar_pax_scan_size(struct tar_stream *s, uint64_t body_bytes, uint64_t *size, struct error *err)
{
    int found = 0;
    uint64_t left = body_bytes;
    while (left) {
        uint8_t head[32];
        uint64_t length = 0;
        if (scan_length(s, &left, &length, err))
            return -1;
        size_t part = length < sizeof head ? (size_t)length : sizeof head;
        if (tar_stream_exact(s, head, part, err) || tar_stream_skip(s, length - part, err))
            return -1;
        left -= length;
        struct bytes value = bytes_make(head, part);
        if (!take_prefix(&value, "size="))
            continue;
        if (length != part || head[part - 1] != '\n')
            return error_set(err, ERROR_FORMAT, operation, "the size record is malformed");
        if (tar_decimal_get((struct tar_field){value.data, value.size - 1, "size"}, size, err))
            return -1;
        found = 1;
    }
    return tar_stream_skip(s, tar_padding(body_bytes), err) ? -1 : found;
}

/* --- attributes --- */

static int hex_digit(uint8_t byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    byte |= 0x20;
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* The byte that "%XX" at the beginning of `b` stands for, or -1. `all` decodes any, else what GNU
 * tar encodes alone. */
static int escaped_byte(struct bytes b, bool all)
{
    if (b.size < 3 || b.data[0] != '%')
        return -1;
    int high = hex_digit(b.data[1]);
    int low = hex_digit(b.data[2]);
    if (high < 0 || low < 0)
        return -1;
    int byte = high << 4 | low;
    return all || memcmp(b.data, "%25", 3) == 0 || memcmp(b.data, "%3D", 3) == 0 ? byte : -1;
}

/* Replaces the name by its decoded form, which lives in p->names (that has room for all of them).
 */
static int decode_name(struct tar_pax *p, struct tar_raw_xattr *xattr, struct error *err)
{
    size_t start = p->names.size;
    bool all = p->has_libarchive_xattrs;
    if (xattr->origin != XATTR_SCHILY && xattr->origin != XATTR_LIBARCHIVE)
        return 0;
    for (size_t i = 0; i < xattr->name.size; i++) {
        struct bytes rest = bytes_make(xattr->name.data + i, xattr->name.size - i);
        int byte = escaped_byte(rest, all);
        i += byte < 0 ? 0 : 2;
        if (buffer_append_byte(&p->names, byte < 0 ? rest.data[0] : (uint8_t)byte, err))
            return -1;
    }
    xattr->name = bytes_make(p->names.data + start, p->names.size - start);
    if (xattr->name.size && !memchr(xattr->name.data, 0, xattr->name.size))
        return 0;
    return error_set(err, ERROR_REFUSED, operation,
                     "an extended attribute's name is empty or holds a NUL byte");
}

static int decode_names(struct tar_pax *p, struct error *err)
{
    size_t bytes = 0;
    for (size_t i = 0; i < p->xattr_count; i++)
        bytes += p->xattrs[i].name.size;
    buffer_clear(&p->names);
    if (buffer_reserve(&p->names, bytes + 1,
                       err)) /* never no memory at all: empty names point into it, too */
        return -1;
    for (size_t i = 0; i < p->xattr_count; i++) {
        if (decode_name(p, &p->xattrs[i], err))
            return -1;
    }
    return 0;
}

/* By name, then by what wins, then by place in the header. */
static int compare_xattrs(const void *left, const void *right)
{
    const struct tar_raw_xattr *a = left;
    const struct tar_raw_xattr *b = right;
    int order = bytes_compare(a->name, b->name);
    if (order)
        return order;
    if (a->origin != b->origin)
        return a->origin < b->origin ? -1 : 1;
    return (a->value.data > b->value.data) - (a->value.data < b->value.data);
}

static int append_xattr(struct tar_pax *p, const struct tar_raw_xattr *xattr, struct pairs *out,
                        struct error *err)
{
    struct buffer *text = &p->text;
    size_t base64_end = 0;
    struct bytes value = xattr->value;
    buffer_clear(text);
    if (xattr->origin == XATTR_RHT) {
        if (buffer_append(text, value.data, value.size, err) || buffer_append_byte(text, 0, err))
            return -1;
        value = buffer_bytes(text);
    } else if (xattr->origin == XATTR_LIBARCHIVE) {
        if (buffer_append(text, value.data, value.size, err))
            return -1;
        while (text->size % 4) {
            if (buffer_append_byte(text, '=', err))
                return -1;
        }
        base64_end = text->size;
        /* What is appended must not move what it is made of. */
        if (buffer_reserve(text, base64_end + 1, err))
            return -1;
        if (text_base64_decode(text, bytes_make(text->data, base64_end), err))
            return -1;
        value = bytes_make(text->data + base64_end, text->size - base64_end);
    }
    return pairs_append(out, xattr->name, value, err);
}

int tar_pax_xattrs(struct tar_pax *p, struct pairs *out, struct error *err)
{
    pairs_clear(out);
    if (p->xattr_count == 0)
        return 0;
    if (decode_names(p, err))
        return -1;
    qsort(p->xattrs, p->xattr_count, sizeof *p->xattrs, compare_xattrs);
    for (size_t i = 0; i < p->xattr_count; i++) {
        bool last =
            i + 1 == p->xattr_count || !bytes_equal(p->xattrs[i].name, p->xattrs[i + 1].name);
        if (last && append_xattr(p, &p->xattrs[i], out, err))
            return -1;
    }
    return 0;
}

/* --- writing --- */

int tar_pax_begin(struct buffer *out, const char *key, size_t *start, struct error *err)
{
    *start = out->size;
    if (buffer_append_byte(out, ' ', err) || buffer_append(out, key, strlen(key), err))
        return -1;
    return buffer_append_byte(out, '=', err);
}

int tar_pax_begin_xattr(struct buffer *out, struct bytes name, size_t *start, struct error *err)
{
    *start = out->size;
    if (buffer_append_byte(out, ' ', err) ||
        buffer_append(out, schily_xattr, sizeof schily_xattr - 1, err))
        return -1;
    for (size_t i = 0; i < name.size; i++) {
        uint8_t byte = name.data[i];
        if (byte != '%' && byte != '=') {
            if (buffer_append_byte(out, byte, err))
                return -1;
        } else if (buffer_append(out, byte == '%' ? "%25" : "%3D", 3, err)) {
            return -1;
        }
    }
    return buffer_append_byte(out, '=', err);
}

static size_t digits_of(size_t number)
{
    size_t digits = 1;
    while (number >= 10) {
        number /= 10;
        digits++;
    }
    return digits;
}

int tar_pax_end(struct buffer *out, size_t start, struct error *err)
{
    if (buffer_append_byte(out, '\n', err))
        return -1;
    size_t bytes = out->size - start;
    size_t digits = digits_of(bytes);
    digits = digits_of(bytes + digits); /* the length counts its own digits */
    if (buffer_reserve(out, digits, err))
        return -1;
    memmove(out->data + start + digits, out->data + start, bytes);
    out->size += digits;
    size_t length = bytes + digits;
    for (size_t i = digits; i-- > 0; length /= 10)
        out->data[start + i] = (uint8_t)('0' + length % 10);
    return 0;
}
