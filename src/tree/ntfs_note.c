#include "tree/ntfs_note.h"

#include <string.h>

#include "link/reparse.h"

/* What the names of attributes begin with, without being written. */
static const char prefix[] = "system.ntfs_";
static const size_t prefix_bytes = sizeof prefix - 1;

enum { NOTE_VERSION = 1, NOTE_REPARSE = 1, NOTE_FOLDER = 2, NOTE_FLAGS = 3 };

static int malformed(struct error *err)
{
    return error_set(err, ERROR_FORMAT, "read NTFS metadata", "malformed");
}

int ntfs_xattrs_encode(struct buffer *out, const struct pairs *xattrs, struct error *err)
{
    for (size_t i = 0; i < xattrs->count; i++) {
        struct bytes name = pairs_name(xattrs, i);
        if (!entry_xattr_is_ntfs(name))
            continue;
        if (buffer_append_string(
                out, bytes_make(name.data + prefix_bytes, name.size - prefix_bytes), err) != 0 ||
            buffer_append_string(out, pairs_value(xattrs, i), err) != 0)
            return -1;
    }
    return 0;
}

int ntfs_xattrs_decode(struct cursor *c, struct pairs *out, struct error *err)
{
    struct bytes last = {0};
    struct buffer name = {0};
    int result = 0;
    while (result == 0 && c->left != 0) {
        struct bytes rest = {0}, value = {0};
        buffer_clear(&name);
        if (cursor_string(c, &rest, err) != 0 || cursor_string(c, &value, err) != 0 ||
            buffer_append(&name, prefix, prefix_bytes, err) != 0 ||
            buffer_append(&name, rest.data, rest.size, err) != 0)
            result = -1;
        else if (rest.size == 0 || memchr(rest.data, 0, rest.size) != NULL ||
                 (last.size != 0 && bytes_compare(last, rest) >= 0))
            result = malformed(err);
        else
            result = pairs_append(out, buffer_bytes(&name), value, err);
        last = rest;
    }
    buffer_release(&name);
    return result;
}

int ntfs_note_encode(struct buffer *out, const struct entry *e, struct error *err)
{
    unsigned flags = (e->reparse.size != 0 ? NOTE_REPARSE : 0u) |
                     (e->reparse.size != 0 && e->folder_flavour ? NOTE_FOLDER : 0u);
    if (buffer_append_byte(out, NOTE_VERSION, err) != 0 ||
        buffer_append_byte(out, (uint8_t)flags, err) != 0 ||
        (e->reparse.size != 0 && buffer_append_string(out, e->reparse, err) != 0))
        return -1;
    return ntfs_xattrs_encode(out, &e->meta.xattrs, err);
}

int ntfs_note_decode(struct bytes note, struct ntfs_note *out, struct pairs *xattrs,
                     struct error *err)
{
    struct cursor c = {note.data, note.size};
    struct bytes head = {0};
    *out = (struct ntfs_note){.folder_flavour = false};
    if (cursor_take(&c, 2, &head, err) != 0)
        return -1;
    if (head.data[0] != NOTE_VERSION || (head.data[1] & ~(unsigned)NOTE_FLAGS) != 0)
        return malformed(err);
    if ((head.data[1] & NOTE_REPARSE) != 0) {
        if (cursor_string(&c, &out->reparse, err) != 0)
            return -1;
        if (out->reparse.size == 0 || out->reparse.size > REPARSE_MAX_BYTES)
            return malformed(err);
        out->folder_flavour = (head.data[1] & NOTE_FOLDER) != 0;
    }
    return xattrs != NULL ? ntfs_xattrs_decode(&c, xattrs, err) : 0;
}

int ntfs_note_link_text(const struct entry *e, struct buffer *out, struct error *err)
{
    const char *why;
    struct target t;
    int turned = 0;

    target_parse(e->target, TARGET_RULES_WINDOWS, &t);
    if (entry_reparse_tag(e) != REPARSE_TAG_LX_SYMLINK && t.form == TARGET_RELATIVE)
        turned = target_turn(out, &t, TARGET_RULES_POSIX, &why, err);
    return turned != 0 ? (turned < 0 ? -1 : 0)
                       : buffer_append(out, e->target.data, e->target.size, err);
}
