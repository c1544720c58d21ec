/*
 * reparse_encode.c: from meaning to bytes, of reparse.h: the inverse of reparse_decode.c.
 */
#include "base/wtf8.h"
#include "link/reparse.h"
#include "link/reparse_parts.h"

static void put_u16(uint8_t *at, size_t value)
{
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
}

static int append_u16(struct buffer *out, size_t value, struct error *err)
{
    uint8_t bytes[2];

    put_u16(bytes, value);
    return buffer_append(out, bytes, sizeof bytes, err);
}

static int append_bytes(struct buffer *out, struct bytes b, struct error *err)
{
    return buffer_append(out, b.data, b.size, err);
}

/* A name on its way into the path buffer, and its place there. */
struct placed {
    struct bytes text;
    size_t at, size;
};

/* Appends a name at the end of the path buffer, which begins at `path`. */
static int place(struct buffer *out, size_t path, struct placed *name, struct error *err)
{
    name->at = out->size - path;
    if (wtf8_to_utf16(out, name->text, err))
        return -1;
    name->size = out->size - path - name->at;
    return 0;
}

static struct reparse_layout usable_layout(const struct reparse *r)
{
    struct reparse_layout layout = r->layout;
    bool differ = !bytes_equal(buffer_bytes(&r->substitute), buffer_bytes(&r->print));

    if (layout.order == REPARSE_OVERLAPPING || (layout.order == REPARSE_SHARED && differ))
        return reparse_layout_plain(r->tag);
    return layout;
}

/* Appends the path buffer and fills in the fields in front of it. */
static int encode_path(const struct reparse *r, struct buffer *out, size_t fields,
                       struct error *err)
{
    struct reparse_layout layout = usable_layout(r);
    struct placed substitute = {.text = buffer_bytes(&r->substitute)};
    struct placed print = {.text = buffer_bytes(&r->print)};
    struct placed *first = layout.order == REPARSE_PRINT_FIRST ? &print : &substitute;
    struct placed *second = first == &print ? &substitute : &print;
    size_t path = out->size;

    if (append_bytes(out, layout.before, err) || place(out, path, first, err) ||
        append_bytes(out, layout.between, err))
        return -1;
    if (layout.order == REPARSE_SHARED) {
        second->at = first->at;
        second->size = first->size;
    } else if (place(out, path, second, err)) {
        return -1;
    }
    if (append_bytes(out, layout.after, err))
        return -1;
    /* Numbers that do not fit are too long a buffer, too, which the caller sees. */
    put_u16(out->data + fields, substitute.at);
    put_u16(out->data + fields + 2, substitute.size);
    put_u16(out->data + fields + 4, print.at);
    put_u16(out->data + fields + 6, print.size);
    return 0;
}

static int encode_names(const struct reparse *r, struct buffer *out, struct error *err)
{
    static const uint8_t places[8] = {0};
    size_t fields = out->size;

    if (buffer_append(out, places, sizeof places, err))
        return -1;
    if (r->tag == REPARSE_TAG_SYMLINK && buffer_append_u32(out, r->flags, err))
        return -1;
    return encode_path(r, out, fields, err);
}

static int encode_data(const struct reparse *r, struct buffer *out, struct error *err)
{
    const char *fault;

    if (!reparse_is_link(r))
        return append_bytes(out, r->guid, err) || append_bytes(out, r->data, err) ? -1 : 0;
    fault = reparse_names_fault(r);
    if (fault)
        return error_set(err, ERROR_FORMAT, "encode link", "%s", fault);
    if (r->kind != REPARSE_LX_SYMLINK)
        return encode_names(r, out, err);
    if (buffer_append_u32(out, REPARSE_LX_VERSION, err))
        return -1;
    return append_bytes(out, buffer_bytes(&r->substitute), err);
}

static int encode(const struct reparse *r, struct buffer *out, struct error *err)
{
    size_t start = out->size, length;

    if (r->kind == REPARSE_MALFORMED)
        return append_bytes(out, r->raw, err);
    if (buffer_append_u32(out, r->tag, err) || append_u16(out, 0, err) ||
        append_u16(out, r->reserved, err) || encode_data(r, out, err))
        return -1;
    if (out->size - start > REPARSE_MAX_BYTES)
        return error_set(err, ERROR_LIMIT, "encode link", "the buffer would be over 16 KiB");
    length = out->size - start - REPARSE_HEADER_BYTES - r->guid.size;
    put_u16(out->data + start + 4, length);
    return 0;
}

int reparse_encode(const struct reparse *r, struct buffer *out, struct error *err)
{
    size_t start = out->size;

    if (encode(r, out, err)) {
        out->size = start;
        return -1;
    }
    return 0;
}
