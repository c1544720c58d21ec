/*
 * target.c: target.h but for what leads from one text to another (target_text.c).
 */
#include "link/target.h"

#include <string.h>

enum { PREFIX_BYTES = 4, GUID_BYTES = 36 };

static bool is_letter(uint8_t byte)
{
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
}

static bool is_hex(uint8_t byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'F') ||
           (byte >= 'a' && byte <= 'f');
}

/* A slash is as good as a backslash, capitals are as good as small letters. */
static uint8_t fold(uint8_t byte)
{
    if (byte == '/')
        return '\\';
    return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte - 'A' + 'a') : byte;
}

/* `prefix` is folded. */
static bool begins_with(struct bytes text, const char *prefix)
{
    size_t count = strlen(prefix);

    if (text.size < count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (fold(text.data[i]) != (uint8_t)prefix[i])
            return false;
    }
    return true;
}

static struct bytes cut(struct bytes text, size_t count)
{
    return bytes_make(text.data + count, text.size - count);
}

bool target_is_separator(const struct target *t, uint8_t byte)
{
    return (byte == '/' && t->by_slash) || (byte == '\\' && t->by_backslash);
}

/* Does the text end here, or a component? */
static bool ends_at(const struct target *t, struct bytes text, size_t at)
{
    return text.size == at || (text.size > at && target_is_separator(t, text.data[at]));
}

/* The bytes of "Volume{GUID}" at the start of the text, or 0. */
static size_t volume_bytes(struct bytes text)
{
    static const char name[] = "volume{";
    const size_t start = sizeof name - 1, end = start + GUID_BYTES;

    if (text.size <= end || !begins_with(text, name) || text.data[end] != '}')
        return 0;
    for (size_t i = 0; i < GUID_BYTES; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (dash ? text.data[start + i] != '-' : !is_hex(text.data[start + i]))
            return 0;
    }
    return end + 1;
}

static void take_root(struct target *t, enum target_form form, size_t bytes)
{
    t->form = form;
    t->root = bytes_make(t->rest.data, bytes);
    t->rest = cut(t->rest, bytes);
}

static bool has_drive(struct bytes text)
{
    return text.size >= 2 && is_letter(text.data[0]) && text.data[1] == ':';
}

/* What stands behind a prefix. "Naming Files, Paths, and Namespaces". */
static void parse_prefixed(struct target *t)
{
    size_t volume = volume_bytes(t->rest);

    t->form = TARGET_NT;
    if (volume && ends_at(t, t->rest, volume)) {
        take_root(t, TARGET_VOLUME, volume);
    } else if (begins_with(t->rest, "unc") && t->rest.size > 3 && ends_at(t, t->rest, 3)) {
        t->form = TARGET_UNC;
        t->rest = cut(t->rest, 4);
    } else if (has_drive(t->rest) && t->rest.size > 2 && ends_at(t, t->rest, 2)) {
        take_root(t, TARGET_DRIVE_ABSOLUTE, 2);
    }
}

/* Takes a prefix off the text; false if there is none. Only spelt with backslashes do \\?\ and \??\
 * reach the object manager as they are, where a slash separates nothing. */
static bool take_prefix(struct target *t)
{
    if (t->text.size < PREFIX_BYTES)
        return false;
    if (!memcmp(t->text.data, "\\??\\", PREFIX_BYTES))
        t->prefix = TARGET_OBJECT;
    else if (!memcmp(t->text.data, "\\\\?\\", PREFIX_BYTES))
        t->prefix = TARGET_VERBATIM;
    else if (t->by_slash && (begins_with(t->text, "\\\\.\\") || begins_with(t->text, "\\\\?\\")))
        t->prefix = TARGET_DEVICE;
    else
        return false;
    if (t->prefix != TARGET_DEVICE)
        t->by_slash = false;
    t->rest = cut(t->text, PREFIX_BYTES);
    return true;
}

static void parse_plain(struct target *t, enum target_rules rules)
{
    if (rules == TARGET_RULES_WINDOWS && begins_with(t->text, "\\\\")) {
        t->form = TARGET_UNC;
        t->rest = cut(t->text, 2);
    } else if (t->text.size && target_is_separator(t, t->text.data[0])) {
        t->form = rules == TARGET_RULES_NT ? TARGET_NT : TARGET_DRIVE_RELATIVE;
    } else if (rules == TARGET_RULES_WINDOWS && has_drive(t->text)) {
        bool rooted = t->text.size > 2 && ends_at(t, t->text, 2);
        take_root(t, rooted ? TARGET_DRIVE_ABSOLUTE : TARGET_DRIVE_CURRENT, 2);
    }
}

void target_parse(struct bytes text, enum target_rules rules, struct target *out)
{
    *out = (struct target){.text = text, .form = TARGET_RELATIVE, .rest = text};
    if (rules == TARGET_RULES_POSIX) {
        out->by_slash = true;
        if (text.size && text.data[0] == '/')
            out->form = TARGET_POSIX_ABSOLUTE;
        return;
    }
    out->by_backslash = true;
    out->by_slash = rules == TARGET_RULES_WINDOWS;
    if (rules != TARGET_RULES_NT_RELATIVE && take_prefix(out))
        parse_prefixed(out);
    else
        parse_plain(out, rules);
}

bool target_next(const struct target *t, struct bytes *rest, struct bytes *component)
{
    size_t count = 0;

    while (rest->size && target_is_separator(t, rest->data[0]))
        *rest = cut(*rest, 1);
    if (!rest->size)
        return false;
    while (count < rest->size && !target_is_separator(t, rest->data[count]))
        count++;
    *component = bytes_make(rest->data, count);
    *rest = cut(*rest, count);
    return true;
}

bool target_is_volume_root(const struct target *t)
{
    struct bytes rest = t->rest, component;

    return t->form == TARGET_VOLUME && !target_next(t, &rest, &component);
}

enum target_form target_form(struct bytes target, enum target_rules rules)
{
    struct target t;

    target_parse(target, rules, &t);
    return t.form;
}

const char *target_form_name(enum target_form form)
{
    switch (form) {
    case TARGET_RELATIVE:
        return "relative";
    case TARGET_POSIX_ABSOLUTE:
        return "absolute";
    case TARGET_DRIVE_ABSOLUTE:
        return "drive-absolute";
    case TARGET_DRIVE_RELATIVE:
        return "drive-relative";
    case TARGET_DRIVE_CURRENT:
        return "drive-current";
    case TARGET_UNC:
        return "unc";
    case TARGET_VOLUME:
        return "volume";
    case TARGET_NT:
        return "nt";
    }
    return "unknown";
}

const char *target_state_name(enum target_state state)
{
    switch (state) {
    case TARGET_INSIDE:
        return "inside";
    case TARGET_OUTSIDE:
        return "outside";
    case TARGET_DANGLING:
        return "dangling";
    case TARGET_LOOPING:
        return "looping";
    case TARGET_UNKNOWN:
        break;
    }
    return "unknown";
}
