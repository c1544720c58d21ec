/*
 * record.c: see record.h; the fields' numbers and layout are in docs/format.md. Encoder and decoder
 * stand side by side.
 */
#include "archive/record.h"

#include <stdlib.h>
#include <string.h>

#include "link/reparse.h"
#include "tree/ntfs_note.h"

static const char operation[] = "read archive record";
static const char prefix[] = "holdfast:";
static const char prefix_1[] = "holdfast:1:";

enum {
    RECORD_MAX_BYTES = 900000, /* of text: 7-Zip and others read no larger header */
    NANOSECONDS = 1000000000,
};

/* What a field is. Numbers once given are never used for something else. */
enum field_tag {
    FIELD_VERSION = 1, /* of the archive format; makes it the record of a whole archive */
    FIELD_PROGRAM = 2,
    FIELD_HOST = 3,
    FIELD_ROOT = 4, /* one for each root, in order */
    FIELD_OPTIONS = 5,
    FIELD_FACTS = 6,
    FIELD_SOCKET = 16,
    FIELD_SHARED = 17,
    FIELD_LINK_COUNT = 18,
    FIELD_FLAGS = 19,
    FIELD_BTIME = 20,
    FIELD_CTIME = 21,
    FIELD_XATTRS = 22,
    FIELD_UNKNOWN = 23,
    FIELD_REPARSE = 24,
    FIELD_NTFS = 25,
};

enum { REPARSE_FOLDER = 1 }; /* flags of FIELD_REPARSE */

/* Bits of FIELD_UNKNOWN. */
enum { UNKNOWN_XATTRS = 1, UNKNOWN_ACL = 2, UNKNOWN_FLAGS = 4, UNKNOWN_ALL = 7 };

/* Bits of FIELD_FACTS. */
enum { FACT_ORDERED = 1, FACT_NAMES_KNOWN = 2, FACT_COMPLETE_METADATA = 4 };

/* --- encoding --- */

/* Appends tag, length and what `value` holds, and empties it for the next field. */
static int append_field(struct buffer *fields, enum field_tag tag, struct buffer *value,
                        struct error *err)
{
    if (buffer_append_varint(fields, tag, err))
        return -1;
    if (buffer_append_string(fields, buffer_bytes(value), err))
        return -1;
    buffer_clear(value);
    return 0;
}

static size_t varint_bytes(uint64_t number)
{
    size_t bytes = 1;
    while (number >>= 7)
        bytes++;
    return bytes;
}

static int append_number(struct buffer *fields, enum field_tag tag, uint64_t number,
                         struct error *err)
{
    if (buffer_append_varint(fields, tag, err) ||
        buffer_append_varint(fields, varint_bytes(number), err))
        return -1;
    return buffer_append_varint(fields, number, err);
}

/* Texts end in a NUL, so that a reader can use them where they stand. */
static int append_text(struct buffer *value, const char *text, struct error *err)
{
    return buffer_append(value, text, strlen(text) + 1, err);
}

static int append_time(struct buffer *fields, enum field_tag tag, struct timestamp time,
                       struct error *err)
{
    /* Zigzag: small numbers of either sign stay short. */
    uint64_t seconds = (uint64_t)time.seconds << 1 ^ (time.seconds < 0 ? UINT64_MAX : 0);
    size_t bytes = varint_bytes(seconds) + varint_bytes(time.nanoseconds);
    if (buffer_append_varint(fields, tag, err) || buffer_append_varint(fields, bytes, err))
        return -1;
    if (buffer_append_varint(fields, seconds, err))
        return -1;
    return buffer_append_varint(fields, time.nanoseconds, err);
}

static int append_root(struct buffer *fields, const struct root_fact *root, struct buffer *value,
                       struct error *err)
{
    if (append_text(value, root->name, err) || append_text(value, root->absolute_path, err))
        return -1;
    if (append_text(value, root->file_system, err) || append_text(value, root->volume, err))
        return -1;
    return append_field(fields, FIELD_ROOT, value, err);
}

static uint64_t fact_bits(const struct source_facts *facts)
{
    return (facts->ordered ? FACT_ORDERED : 0u) | (facts->names_known ? FACT_NAMES_KNOWN : 0u) |
           (facts->complete_metadata ? FACT_COMPLETE_METADATA : 0u);
}

static int append_archive(struct buffer *fields, const struct archive_record *a, struct error *err)
{
    struct buffer value = {0};
    int result = -1;
    if (append_number(fields, FIELD_VERSION, a->version, err))
        goto done;
    if (append_text(&value, a->program, err) || append_field(fields, FIELD_PROGRAM, &value, err))
        goto done;
    if (append_text(&value, a->facts.host_system, err) ||
        append_field(fields, FIELD_HOST, &value, err))
        goto done;
    for (size_t i = 0; i < a->facts.root_count; i++) {
        if (append_root(fields, &a->facts.roots[i], &value, err))
            goto done;
    }
    if (buffer_append(&value, a->options.data, a->options.size, err) ||
        append_field(fields, FIELD_OPTIONS, &value, err))
        goto done;
    result = append_number(fields, FIELD_FACTS, fact_bits(&a->facts), err);
done:
    buffer_release(&value);
    return result;
}

static uint64_t unknown_bits(uint32_t fields)
{
    return (fields & METADATA_XATTRS ? UNKNOWN_XATTRS : 0u) |
           (fields & METADATA_ACL ? UNKNOWN_ACL : 0u) |
           (fields & METADATA_FLAGS ? UNKNOWN_FLAGS : 0u);
}

static int append_reparse(struct buffer *fields, const struct member_record *r, struct error *err)
{
    struct buffer value = {0};
    int result = -1;
    if (buffer_append_varint(&value, (uint64_t)r->kind, err) == 0 &&
        buffer_append_varint(&value, r->folder_flavour ? REPARSE_FOLDER : 0, err) == 0 &&
        buffer_append_varint(&value, r->mode & 07777, err) == 0 &&
        buffer_append(&value, r->reparse.data, r->reparse.size, err) == 0)
        result = append_field(fields, FIELD_REPARSE, &value, err);
    buffer_release(&value);
    return result;
}

static int append_ntfs(struct buffer *fields, const struct pairs *xattrs, struct error *err)
{
    struct buffer value = {0};
    int result = ntfs_xattrs_encode(&value, xattrs, err);
    if (result == 0 && value.size != 0)
        result = append_field(fields, FIELD_NTFS, &value, err);
    buffer_release(&value);
    return result;
}

static int append_member(struct buffer *fields, const struct member_record *r, struct error *err)
{
    struct buffer nothing = {0};
    if (r->is_socket && append_number(fields, FIELD_SOCKET, r->mode & 07777, err))
        return -1;
    if (r->shared && append_field(fields, FIELD_SHARED, &nothing, err))
        return -1;
    if (r->link_count && append_number(fields, FIELD_LINK_COUNT, r->link_count, err))
        return -1;
    if (r->known & METADATA_FLAGS && append_number(fields, FIELD_FLAGS, r->flags, err))
        return -1;
    if (r->known & METADATA_BTIME && append_time(fields, FIELD_BTIME, r->btime, err))
        return -1;
    if (r->known & METADATA_CTIME && append_time(fields, FIELD_CTIME, r->ctime, err))
        return -1;
    if (r->known & METADATA_XATTRS && append_field(fields, FIELD_XATTRS, &nothing, err))
        return -1;
    uint64_t unknown = unknown_bits(r->unknown);
    if (unknown && append_number(fields, FIELD_UNKNOWN, unknown, err))
        return -1;
    if (r->is_reparse && append_reparse(fields, r, err))
        return -1;
    return r->xattrs ? append_ntfs(fields, r->xattrs, err) : 0;
}

int record_encode(struct buffer *out, const struct member_record *r, struct error *err)
{
    struct buffer fields = {0};
    size_t start = out->size;
    int result = -1;
    if (r->has_archive && append_archive(&fields, &r->archive, err))
        goto done;
    if (append_member(&fields, r, err))
        goto done;
    if (fields.size > (RECORD_MAX_BYTES - sizeof prefix_1) / 4 * 3) {
        error_set(err, ERROR_LIMIT, "write archive record",
                  "roots and options need more than %d bytes", (int)RECORD_MAX_BYTES);
        goto done;
    }
    if (buffer_append(out, prefix_1, sizeof prefix_1 - 1, err))
        goto done;
    result = text_base64_encode(out, buffer_bytes(&fields), err);
done:
    if (result)
        out->size = start;
    buffer_release(&fields);
    return result;
}

/* --- decoding --- */

static bool begins_with(struct bytes b, const char *text)
{
    size_t bytes = strlen(text);
    return b.size >= bytes && memcmp(b.data, text, bytes) == 0;
}

bool record_is_ours(struct bytes comment)
{
    return begins_with(comment, prefix);
}

static int malformed(struct error *err)
{
    return error_set(err, ERROR_FORMAT, operation, "the archive's own record is malformed");
}

/* A field's value, which must be used up. */
static int finish(const struct cursor *c, struct error *err)
{
    return c->left ? malformed(err) : 0;
}

static int take_number(struct cursor *c, uint64_t max, uint64_t *number, struct error *err)
{
    if (cursor_varint(c, number, err))
        return -1;
    return *number > max ? malformed(err) : 0;
}

static int take_u32(struct cursor *c, uint32_t max, uint32_t *out, struct error *err)
{
    uint64_t number = 0;
    if (take_number(c, max, &number, err))
        return -1;
    *out = (uint32_t)number;
    return finish(c, err);
}

static int take_text(struct cursor *c, const char **out, struct error *err)
{
    struct bytes text = {0};
    const uint8_t *end = c->left ? memchr(c->at, 0, c->left) : NULL;
    if (!end)
        return malformed(err);
    if (cursor_take(c, (size_t)(end - c->at) + 1, &text, err))
        return -1;
    *out = (const char *)text.data;
    return 0;
}

static int take_only_text(struct cursor *c, const char **out, struct error *err)
{
    return take_text(c, out, err) ? -1 : finish(c, err);
}

static int take_time(struct cursor *c, struct timestamp *out, struct error *err)
{
    uint64_t seconds = 0;
    if (cursor_varint(c, &seconds, err) || take_u32(c, NANOSECONDS - 1, &out->nanoseconds, err))
        return -1;
    out->seconds = (int64_t)(seconds >> 1 ^ (seconds & 1 ? UINT64_MAX : 0));
    return 0;
}

static int take_root(struct cursor *c, struct record_memory *memory, struct source_facts *facts,
                     struct error *err)
{
    struct root_fact *root;
    size_t count = facts->root_count;
    if ((count & (count - 1)) == 0) {
        struct root_fact *roots = realloc(memory->roots, (count ? count * 2 : 1) * sizeof *roots);
        if (!roots)
            return error_memory(err);
        memory->roots = roots;
    }
    root = &memory->roots[count];
    if (take_text(c, &root->name, err) || take_text(c, &root->absolute_path, err))
        return -1;
    if (take_text(c, &root->file_system, err) || take_only_text(c, &root->volume, err))
        return -1;
    facts->roots = memory->roots;
    facts->root_count = count + 1;
    return 0;
}

static int take_facts(struct cursor *c, struct source_facts *facts, struct error *err)
{
    uint64_t bits = 0;
    if (cursor_varint(c, &bits, err))
        return -1;
    facts->ordered = bits & FACT_ORDERED;
    facts->names_known = bits & FACT_NAMES_KNOWN;
    facts->complete_metadata = bits & FACT_COMPLETE_METADATA;
    return finish(c, err);
}

/* A field of a whole archive's record. */
static int take_archive_field(uint64_t tag, struct cursor *c, struct record_memory *memory,
                              struct member_record *out, struct error *err)
{
    struct archive_record *a = &out->archive;
    switch (tag) {
    case FIELD_VERSION:
        out->has_archive = true;
        return take_u32(c, UINT32_MAX, &a->version, err);
    case FIELD_PROGRAM:
        return take_only_text(c, &a->program, err);
    case FIELD_HOST:
        return take_only_text(c, &a->facts.host_system, err);
    case FIELD_ROOT:
        return take_root(c, memory, &a->facts, err);
    case FIELD_OPTIONS:
        return cursor_take(c, c->left, &a->options, err);
    case FIELD_FACTS:
        return take_facts(c, &a->facts, err);
    default:
        return 0; /* of a later version */
    }
}

static int take_unknown(struct cursor *c, uint32_t *out, struct error *err)
{
    uint32_t bits = 0;
    if (take_u32(c, UNKNOWN_ALL, &bits, err))
        return -1;
    *out = (bits & UNKNOWN_XATTRS ? (uint32_t)METADATA_XATTRS : 0) |
           (bits & UNKNOWN_ACL ? (uint32_t)METADATA_ACL : 0) |
           (bits & UNKNOWN_FLAGS ? (uint32_t)METADATA_FLAGS : 0);
    return 0;
}

static bool has_reparse(uint64_t kind)
{
    return kind == ENTRY_SYMLINK || kind == ENTRY_JUNCTION || kind == ENTRY_MOUNT_POINT ||
           kind == ENTRY_REPARSE;
}

static int take_reparse(struct cursor *c, struct member_record *out, struct error *err)
{
    uint64_t kind = 0, flags = 0, mode = 0;
    if (cursor_varint(c, &kind, err) || take_number(c, REPARSE_FOLDER, &flags, err) ||
        take_number(c, 07777, &mode, err))
        return -1;
    if (!has_reparse(kind) || c->left == 0 || c->left > REPARSE_MAX_BYTES)
        return malformed(err);
    out->is_reparse = true;
    out->kind = (enum entry_kind)kind;
    out->folder_flavour = flags & REPARSE_FOLDER;
    out->mode = (uint32_t)mode;
    return cursor_take(c, c->left, &out->reparse, err);
}

/* A field of a member's record. */
static int take_member_field(uint64_t tag, struct cursor *c, struct record_memory *memory,
                             struct member_record *out, struct error *err)
{
    uint64_t links = 0;
    switch (tag) {
    case FIELD_SOCKET:
        out->is_socket = true;
        return take_u32(c, 07777, &out->mode, err);
    case FIELD_SHARED:
        out->shared = true;
        return finish(c, err);
    case FIELD_LINK_COUNT:
        if (take_number(c, UINT64_MAX, &links, err))
            return -1;
        out->link_count = links;
        return finish(c, err);
    case FIELD_FLAGS:
        out->known |= METADATA_FLAGS;
        return take_u32(c, UINT32_MAX, &out->flags, err);
    case FIELD_BTIME:
        out->known |= METADATA_BTIME;
        return take_time(c, &out->btime, err);
    case FIELD_CTIME:
        out->known |= METADATA_CTIME;
        return take_time(c, &out->ctime, err);
    case FIELD_XATTRS:
        out->known |= METADATA_XATTRS;
        return finish(c, err);
    case FIELD_UNKNOWN:
        return take_unknown(c, &out->unknown, err);
    case FIELD_REPARSE:
        return take_reparse(c, out, err);
    case FIELD_NTFS:
        out->xattrs = &memory->xattrs;
        return ntfs_xattrs_decode(c, &memory->xattrs, err);
    default:
        return 0; /* of a later version */
    }
}

static int take_fields(struct cursor *c, struct record_memory *memory, struct member_record *out,
                       struct error *err)
{
    uint64_t seen = 0; /* bit t: a field of tag t was there */
    while (c->left) {
        uint64_t tag = 0;
        struct bytes value = {0};
        if (cursor_varint(c, &tag, err) || cursor_string(c, &value, err))
            return -1;
        uint64_t bit = tag < 64 && tag != FIELD_ROOT ? (uint64_t)1 << tag : 0;
        if (seen & bit)
            return malformed(err);
        seen |= bit;
        struct cursor field = {value.data, value.size};
        int result = tag < FIELD_SOCKET ? take_archive_field(tag, &field, memory, out, err)
                                        : take_member_field(tag, &field, memory, out, err);
        if (result)
            return -1;
    }
    return 0;
}

int record_decode(struct bytes comment, struct record_memory *memory, struct member_record *out,
                  struct error *err)
{
    *out = (struct member_record){.archive = {.program = "", .facts = {.host_system = ""}}};
    buffer_clear(&memory->bytes);
    pairs_clear(&memory->xattrs);
    if (!record_is_ours(comment))
        return malformed(err);
    if (!begins_with(comment, prefix_1))
        return error_set(err, ERROR_UNSUPPORTED, operation,
                         "the archive was written by a later version");
    size_t head = sizeof prefix_1 - 1;
    if (text_base64_decode(&memory->bytes, bytes_make(comment.data + head, comment.size - head),
                           err))
        return -1;
    struct cursor c = {memory->bytes.data, memory->bytes.size};
    return take_fields(&c, memory, out, err);
}

void record_memory_release(struct record_memory *m)
{
    if (!m)
        return;
    buffer_release(&m->bytes);
    free(m->roots);
    pairs_release(&m->xattrs);
    *m = (struct record_memory){0};
}
