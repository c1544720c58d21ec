/*
 * reparse.c: what can be asked about a decoded buffer, of reparse.h. The codec itself is in
 * reparse_decode.c and reparse_encode.c, new links are in reparse_make.c.
 */
#include "link/reparse.h"

#include <string.h>

#include "link/reparse_parts.h"

void reparse_release(struct reparse *r)
{
    buffer_release(&r->substitute);
    buffer_release(&r->print);
    *r = (struct reparse){0};
}

const char *reparse_kind_name(enum reparse_kind kind)
{
    switch (kind) {
    case REPARSE_MALFORMED:
        return "malformed";
    case REPARSE_SYMLINK:
        return "symlink";
    case REPARSE_JUNCTION:
        return "junction";
    case REPARSE_MOUNTPOINT:
        return "mount point";
    case REPARSE_LX_SYMLINK:
        return "LX symlink";
    case REPARSE_OTHER:
        return "reparse point";
    }
    return "unknown";
}

bool reparse_is_link(const struct reparse *r)
{
    return r->kind != REPARSE_MALFORMED && r->kind != REPARSE_OTHER;
}

bool reparse_is_exact(const struct reparse *r)
{
    return !reparse_is_link(r) || r->layout.order != REPARSE_OVERLAPPING;
}

enum target_rules reparse_rules(const struct reparse *r)
{
    if (r->kind == REPARSE_LX_SYMLINK)
        return TARGET_RULES_POSIX;
    if (r->kind == REPARSE_SYMLINK && (r->flags & REPARSE_SYMLINK_RELATIVE))
        return TARGET_RULES_NT_RELATIVE;
    return TARGET_RULES_NT;
}

int reparse_append_target(const struct reparse *r, struct buffer *out, struct error *err)
{
    struct target t;

    if (!reparse_is_link(r))
        return error_set(err, ERROR_USAGE, "read target", "not a link");
    target_parse(buffer_bytes(&r->substitute), reparse_rules(r), &t);
    return target_append_win32(out, &t, err);
}

struct bytes reparse_nul(void)
{
    static const uint8_t nul[2] = {0, 0};

    return bytes_make(nul, sizeof nul);
}

struct reparse_layout reparse_layout_of_symlink(void)
{
    return (struct reparse_layout){.order = REPARSE_PRINT_FIRST};
}

struct reparse_layout reparse_layout_plain(uint32_t tag)
{
    struct reparse_layout layout = {.order = REPARSE_SUBSTITUTE_FIRST};

    if (tag == REPARSE_TAG_MOUNT_POINT)
        layout.between = layout.after = reparse_nul();
    return layout;
}

static bool has_nul(const struct buffer *name)
{
    return name->size && memchr(name->data, 0, name->size);
}

/* With SYMLINK_FLAG_RELATIVE a name has neither a drive nor a prefix nor a server. */
static bool is_relative(struct bytes name)
{
    struct target t;

    target_parse(name, TARGET_RULES_WINDOWS, &t);
    return t.prefix == TARGET_PLAIN &&
           (t.form == TARGET_RELATIVE || t.form == TARGET_DRIVE_RELATIVE);
}

const char *reparse_names_fault(const struct reparse *r)
{
    struct bytes name = buffer_bytes(&r->substitute);

    if (!name.size)
        return "an empty substitute name";
    if (has_nul(&r->substitute))
        return "a NUL in the substitute name";
    if (has_nul(&r->print))
        return "a NUL in the print name";
    if (r->tag == REPARSE_TAG_LX_SYMLINK)
        return NULL;
    if (r->tag == REPARSE_TAG_SYMLINK && (r->flags & REPARSE_SYMLINK_RELATIVE))
        return is_relative(name) ? NULL : "an absolute name with the relative flag";
    if (name.data[0] == '\\')
        return NULL;
    return r->tag == REPARSE_TAG_SYMLINK ? "a relative name without the relative flag"
                                         : "a junction with a relative name";
}
