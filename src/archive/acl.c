/*
 * acl.c: see acl.h. The encoder is the exact inverse of the decoder; the decoder takes more
 * spellings than that.
 */
#include "archive/acl.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static const char operation[] = "read ACL";

/* linux/posix_acl_xattr.h and linux/posix_acl.h. */
enum { ACL_VERSION = 2, ACL_HEADER_BYTES = 4, ACL_ENTRY_BYTES = 8 };
enum acl_tag {
    TAG_USER_OBJECT = 0x01,
    TAG_USER = 0x02,
    TAG_GROUP_OBJECT = 0x04,
    TAG_GROUP = 0x08,
    TAG_MASK = 0x10,
    TAG_OTHER = 0x20,
};
#define ACL_NO_ID UINT32_MAX

struct acl_entry {
    uint16_t tag, permissions;
    uint32_t id;
};

static bool tag_has_id(unsigned tag)
{
    return tag == TAG_USER || tag == TAG_GROUP;
}

static const char *tag_word(unsigned tag)
{
    switch (tag) {
    case TAG_USER_OBJECT:
    case TAG_USER:
        return "user";
    case TAG_GROUP_OBJECT:
    case TAG_GROUP:
        return "group";
    case TAG_MASK:
        return "mask";
    case TAG_OTHER:
        return "other";
    default:
        return NULL;
    }
}

/* --- binary to text --- */

static struct acl_entry unpack(const uint8_t *at)
{
    return (struct acl_entry){
        .tag = (uint16_t)(at[0] | at[1] << 8),
        .permissions = (uint16_t)(at[2] | at[3] << 8),
        .id =
            (uint32_t)at[4] | (uint32_t)at[5] << 8 | (uint32_t)at[6] << 16 | (uint32_t)at[7] << 24,
    };
}

static int append_entry(struct buffer *out, struct acl_entry e, struct error *err)
{
    char text[48];
    char id[16] = "";
    const char *word = tag_word(e.tag);
    if (!word || e.permissions > 7)
        return error_set(err, ERROR_FORMAT, operation, "an ACL entry is malformed");
    if (tag_has_id(e.tag))
        snprintf(id, sizeof id, "%lu", (unsigned long)e.id);
    int bytes = snprintf(text, sizeof text, "%s:%s:%c%c%c", word, id, e.permissions & 4 ? 'r' : '-',
                         e.permissions & 2 ? 'w' : '-', e.permissions & 1 ? 'x' : '-');
    return buffer_append(out, text, (size_t)bytes, err);
}

int acl_to_text(struct buffer *out, struct bytes binary, struct error *err)
{
    static const uint8_t header[ACL_HEADER_BYTES] = {ACL_VERSION};
    if (binary.size < ACL_HEADER_BYTES || memcmp(binary.data, header, sizeof header) != 0 ||
        (binary.size - ACL_HEADER_BYTES) % ACL_ENTRY_BYTES != 0)
        return error_set(err, ERROR_FORMAT, operation,
                         "the ACL is not in the kernel's form, version 2");
    for (size_t at = ACL_HEADER_BYTES; at < binary.size; at += ACL_ENTRY_BYTES) {
        if (at > ACL_HEADER_BYTES && buffer_append_byte(out, ',', err))
            return -1;
        if (append_entry(out, unpack(binary.data + at), err))
            return -1;
    }
    return 0;
}

/* --- text to binary --- */

enum { FIELDS_MAX = 4 };

/* The text of one entry in its fields. */
struct acl_fields {
    struct bytes field[FIELDS_MAX];
    size_t count;
};

static bool is_space(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r';
}

static struct bytes trim(struct bytes b)
{
    while (b.size && is_space(b.data[0]))
        b = bytes_make(b.data + 1, b.size - 1);
    while (b.size && is_space(b.data[b.size - 1]))
        b.size--;
    return b;
}

/* Cuts the text up to the first byte of `stops` off `rest`; the stop itself is lost. */
static struct bytes cut(struct bytes *rest, const char *stops)
{
    size_t i = 0;
    while (i < rest->size && (rest->data[i] == 0 || !strchr(stops, rest->data[i])))
        i++;
    struct bytes piece = bytes_make(rest->data, i);
    size_t taken = i < rest->size ? i + 1 : i;
    *rest = bytes_make(rest->data + taken, rest->size - taken);
    return piece;
}

static bool is_word(struct bytes b, const char *word)
{
    return bytes_equal(b, bytes_of(word)) || (b.size == 1 && b.data[0] == (uint8_t)word[0]);
}

static int split(struct bytes text, struct acl_fields *out, struct error *err)
{
    *out = (struct acl_fields){0};
    while (text.size) {
        struct bytes field = trim(cut(&text, ":"));
        if (out->count == 0 && is_word(field, "default"))
            continue;
        if (out->count == FIELDS_MAX)
            return error_set(err, ERROR_FORMAT, operation, "an ACL entry has too many fields");
        out->field[out->count++] = field;
    }
    return 0;
}

static int parse_permissions(struct bytes text, uint16_t *permissions, struct error *err)
{
    *permissions = 0;
    for (size_t i = 0; i < text.size; i++) {
        switch (text.data[i]) {
        case 'r':
            *permissions |= 4;
            break;
        case 'w':
            *permissions |= 2;
            break;
        case 'x':
            *permissions |= 1;
            break;
        case '-':
            break;
        default:
            return error_set(err, ERROR_FORMAT, operation,
                             "an ACL entry's permissions are malformed");
        }
    }
    return text.size ? 0
                     : error_set(err, ERROR_FORMAT, operation, "an ACL entry has no permissions");
}

/* True if `text` is a number that can be an id. */
static bool parse_id(struct bytes text, uint32_t *id)
{
    uint64_t number = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        number = number * 10 + (uint64_t)(text.data[i] - '0');
        if (number >= ACL_NO_ID)
            return false;
    }
    *id = (uint32_t)number;
    return text.size > 0;
}

/* The id of a named entry: the number behind the permissions (star, libarchive) or else in the
 * place of the name. */
static int parse_qualifier(const struct acl_fields *f, uint32_t *id, struct error *err)
{
    if (f->count == FIELDS_MAX && parse_id(f->field[3], id))
        return 0;
    if (parse_id(f->field[1], id))
        return 0;
    return error_set(err, ERROR_UNSUPPORTED, operation,
                     "an ACL entry names its owner without a number");
}

static int parse_entry(struct acl_fields *f, struct acl_entry *out, struct error *err)
{
    bool user = is_word(f->field[0], "user");
    bool group = is_word(f->field[0], "group");
    bool mask = is_word(f->field[0], "mask");
    if (!user && !group && !mask && !is_word(f->field[0], "other"))
        return error_set(err, ERROR_FORMAT, operation, "an ACL entry begins with an unknown word");
    *out = (struct acl_entry){.tag = mask ? TAG_MASK : TAG_OTHER, .id = ACL_NO_ID};
    if (!user && !group && f->count == 2)
        return parse_permissions(f->field[1], &out->permissions, err); /* Solaris: "mask:rwx" */
    if (f->count < 3)
        return error_set(err, ERROR_FORMAT, operation, "an ACL entry has too few fields");
    if (user || group) {
        bool named = f->field[1].size > 0;
        out->tag =
            user ? (named ? TAG_USER : TAG_USER_OBJECT) : (named ? TAG_GROUP : TAG_GROUP_OBJECT);
        if (named && parse_qualifier(f, &out->id, err))
            return -1;
    }
    return parse_permissions(f->field[2], &out->permissions, err);
}

static int pack(struct buffer *out, struct acl_entry e, struct error *err)
{
    uint8_t head[4] = {(uint8_t)e.tag, (uint8_t)(e.tag >> 8), (uint8_t)e.permissions,
                       (uint8_t)(e.permissions >> 8)};
    return buffer_append(out, head, sizeof head, err) ? -1 : buffer_append_u32(out, e.id, err);
}

/* Appends the entries of one tag in the order of the text: it is the order that the kernel keeps
 * within a tag. */
static int append_tag(struct buffer *out, struct bytes text, enum acl_tag tag, struct error *err)
{
    size_t found = 0;
    while (text.size) {
        struct acl_fields fields;
        struct acl_entry entry;
        struct bytes line = cut(&text, ",\n");
        line = trim(cut(&line, "#"));
        if (line.size == 0)
            continue;
        if (split(line, &fields, err) || parse_entry(&fields, &entry, err))
            return -1;
        if (entry.tag != tag)
            continue;
        if (found++ && !tag_has_id(tag))
            return error_set(err, ERROR_FORMAT, operation, "the ACL has two entries of one kind");
        if (pack(out, entry, err))
            return -1;
    }
    bool required = tag == TAG_USER_OBJECT || tag == TAG_GROUP_OBJECT || tag == TAG_OTHER;
    if (required && !found)
        return error_set(err, ERROR_FORMAT, operation,
                         "the ACL lacks the entry of user, group or other");
    return 0;
}

int acl_from_text(struct buffer *out, struct bytes text, struct error *err)
{
    static const enum acl_tag order[] = {TAG_USER_OBJECT, TAG_USER, TAG_GROUP_OBJECT,
                                         TAG_GROUP,       TAG_MASK, TAG_OTHER};
    size_t start = out->size;
    if (buffer_append_u32(out, ACL_VERSION, err))
        return -1;
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        if (append_tag(out, text, order[i], err)) {
            out->size = start;
            return -1;
        }
    }
    return 0;
}
