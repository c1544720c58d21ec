/*
 * target.c: see target.h.
 */
#include "link/target.h"

#include <string.h>

static bool is_letter(uint8_t byte)
{
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
}

/* Bytes of a Windows path: a slash is as good as a backslash, capitals are as good as small
 * letters. */
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

/* The order matters: each prefix before those that begin it. [MS-FSCC] 2.1.2, "Naming Files, Paths,
 * and Namespaces". */
static enum target_form windows_form(struct bytes target)
{
    if (begins_with(target, "\\??\\"))
        return TARGET_NT;
    if (begins_with(target, "\\\\?\\volume{"))
        return TARGET_VOLUME;
    if (begins_with(target, "\\\\?\\") || begins_with(target, "\\\\.\\"))
        return TARGET_NT;
    if (begins_with(target, "\\\\"))
        return TARGET_UNC;
    if (begins_with(target, "\\"))
        return TARGET_DRIVE_RELATIVE;
    if (target.size >= 2 && is_letter(target.data[0]) && target.data[1] == ':') {
        bool rooted = target.size > 2 && fold(target.data[2]) == '\\';
        return rooted ? TARGET_DRIVE_ABSOLUTE : TARGET_DRIVE_RELATIVE;
    }
    return TARGET_RELATIVE;
}

enum target_form target_form(struct bytes target, enum target_rules rules)
{
    if (rules == TARGET_RULES_WINDOWS)
        return windows_form(target);
    return target.size && target.data[0] == '/' ? TARGET_POSIX_ABSOLUTE : TARGET_RELATIVE;
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

/* Takes the last component of the path that begins at `start`; false if there is none. */
static bool climb(struct buffer *path, size_t start)
{
    if (path->size == start)
        return false;
    while (path->size > start && path->data[path->size - 1] != '/')
        path->size--;
    if (path->size > start)
        path->size--;
    return true;
}

/* Appends a component; false if it climbs out. */
static int step(struct buffer *path, size_t start, struct bytes name, struct error *err)
{
    if (!name.size || (name.size == 1 && name.data[0] == '.'))
        return 1;
    if (name.size == 2 && name.data[0] == '.' && name.data[1] == '.')
        return climb(path, start);
    if (path->size > start && buffer_append_byte(path, '/', err))
        return -1;
    return buffer_append(path, name.data, name.size, err) ? -1 : 1;
}

int target_resolve(struct bytes folder, struct bytes target, struct buffer *out, struct error *err)
{
    size_t start = out->size;
    size_t from = 0;
    int result = 1;

    if (target.size && target.data[0] == '/')
        return 0;
    if (buffer_append(out, folder.data, folder.size, err))
        return -1;
    for (size_t i = 0; result == 1 && i <= target.size; i++) {
        if (i < target.size && target.data[i] != '/')
            continue;
        result = step(out, start, bytes_make(target.data + from, i - from), err);
        from = i + 1;
    }
    if (result != 1)
        out->size = start;
    return result;
}
