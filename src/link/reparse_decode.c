/*
 * reparse_decode.c: from bytes to meaning, of reparse.h. First the total, then offset plus length,
 * then the bytes. Its inverse is reparse_encode.c.
 */
#include "link/reparse.h"

#include "base/wtf8.h"
#include "link/reparse_parts.h"

/* A name's place in the path buffer, in bytes. */
struct span {
    size_t at, size;
};

static uint16_t u16_at(struct bytes b, size_t at)
{
    return (uint16_t)(b.data[at] | b.data[at + 1] << 8);
}

static uint32_t u32_at(struct bytes b, size_t at)
{
    return u16_at(b, at) | (uint32_t)u16_at(b, at + 2) << 16;
}

static struct bytes part(struct bytes b, size_t from, size_t to)
{
    return bytes_make(b.data + from, to - from);
}

/* Takes header and GUID off; what is wrong with them, or NULL. */
static const char *decode_header(struct reparse *r)
{
    struct bytes raw = r->raw;
    size_t header = REPARSE_HEADER_BYTES, length;

    if (raw.size < header)
        return "shorter than a header";
    if (raw.size > REPARSE_MAX_BYTES)
        return "longer than 16 KiB";
    r->tag = u32_at(raw, 0);
    length = u16_at(raw, 4);
    r->reserved = u16_at(raw, 6);
    r->data = part(raw, header, raw.size);
    if (r->tag <= 2)
        return "a reserved tag";
    if (!reparse_tag_is_microsoft(r->tag)) {
        header = REPARSE_GUID_HEADER_BYTES;
        if (raw.size < header)
            return "shorter than a header with a GUID";
        r->guid = part(raw, REPARSE_HEADER_BYTES, header);
        r->data = part(raw, header, raw.size);
    }
    if (length > r->data.size)
        return "a data length over the end";
    return length < r->data.size ? "bytes behind the data" : NULL;
}

static struct reparse_layout layout_of(struct bytes path, struct span s, struct span p)
{
    struct reparse_layout layout = {.order = REPARSE_OVERLAPPING};
    struct span first = s, second = p;

    if (s.at + s.size <= p.at) {
        layout.order = REPARSE_SUBSTITUTE_FIRST;
    } else if (p.at + p.size <= s.at) {
        layout.order = REPARSE_PRINT_FIRST;
        first = p;
        second = s;
    } else if (s.at == p.at && s.size == p.size) {
        layout.order = REPARSE_SHARED;
        second = (struct span){s.at + s.size, 0};
    } else {
        return layout;
    }
    layout.before = part(path, 0, first.at);
    layout.between = part(path, first.at + first.size, second.at);
    layout.after = part(path, second.at + second.size, path.size);
    return layout;
}

/* The faults of one name's place, as text. */
struct span_faults {
    const char *odd, *outside;
};

static const char *check_span(struct span s, size_t path_bytes, struct span_faults faults)
{
    if (s.at % 2 || s.size % 2)
        return faults.odd;
    return s.at > path_bytes || s.size > path_bytes - s.at ? faults.outside : NULL;
}

/* Decodes the two names behind `fixed` bytes of offsets, lengths and flags. */
static int decode_names(struct reparse *r, size_t fixed, struct error *err)
{
    static const struct span_faults of_substitute = {"an odd place of the substitute name",
                                                     "a substitute name over the end"},
                                    of_print = {"an odd place of the print name",
                                                "a print name over the end"};
    struct bytes path = part(r->data, fixed, r->data.size);
    struct span s = {u16_at(r->data, 0), u16_at(r->data, 2)};
    struct span p = {u16_at(r->data, 4), u16_at(r->data, 6)};

    r->fault = check_span(s, path.size, of_substitute);
    if (!r->fault)
        r->fault = check_span(p, path.size, of_print);
    if (r->fault)
        return 0;
    if (wtf8_from_utf16(&r->substitute, part(path, s.at, s.at + s.size), err) ||
        wtf8_from_utf16(&r->print, part(path, p.at, p.at + p.size), err))
        return -1;
    r->layout = layout_of(path, s, p);
    r->fault = reparse_names_fault(r);
    return 0;
}

static int decode_symlink(struct reparse *r, struct error *err)
{
    if (r->data.size < REPARSE_SYMLINK_FIXED_BYTES) {
        r->fault = "too short for a symbolic link";
        return 0;
    }
    r->kind = REPARSE_SYMLINK;
    r->flags = u32_at(r->data, 8);
    return decode_names(r, REPARSE_SYMLINK_FIXED_BYTES, err);
}

static int decode_mount_point(struct reparse *r, struct error *err)
{
    struct target t;

    if (r->data.size < REPARSE_MOUNT_POINT_FIXED_BYTES) {
        r->fault = "too short for a junction";
        return 0;
    }
    r->kind = REPARSE_JUNCTION;
    if (decode_names(r, REPARSE_MOUNT_POINT_FIXED_BYTES, err))
        return -1;
    target_parse(buffer_bytes(&r->substitute), TARGET_RULES_NT, &t);
    if (target_is_volume_root(&t))
        r->kind = REPARSE_MOUNTPOINT;
    return 0;
}

static int decode_lx_symlink(struct reparse *r, struct error *err)
{
    if (r->data.size < REPARSE_LX_FIXED_BYTES) {
        r->fault = "too short for an LX symlink";
        return 0;
    }
    r->kind = REPARSE_OTHER;
    if (u32_at(r->data, 0) != REPARSE_LX_VERSION)
        return 0;
    r->kind = REPARSE_LX_SYMLINK;
    if (buffer_append(&r->substitute, r->data.data + REPARSE_LX_FIXED_BYTES,
                      r->data.size - REPARSE_LX_FIXED_BYTES, err))
        return -1;
    r->fault = reparse_names_fault(r);
    return 0;
}

static int decode_data(struct reparse *r, struct error *err)
{
    switch (r->tag) {
    case REPARSE_TAG_SYMLINK:
        return decode_symlink(r, err);
    case REPARSE_TAG_MOUNT_POINT:
        return decode_mount_point(r, err);
    case REPARSE_TAG_LX_SYMLINK:
        return decode_lx_symlink(r, err);
    default:
        r->kind = REPARSE_OTHER;
        return 0;
    }
}

int reparse_decode(struct bytes raw, struct reparse *out, struct error *err)
{
    *out = (struct reparse){.raw = raw};
    out->fault = decode_header(out);
    if (!out->fault && decode_data(out, err)) {
        reparse_release(out);
        return -1;
    }
    if (out->fault) {
        struct reparse malformed = {.tag = out->tag,
                                    .raw = out->raw,
                                    .guid = out->guid,
                                    .data = out->data,
                                    .fault = out->fault};

        reparse_release(out);
        *out = malformed;
    }
    return 0;
}
