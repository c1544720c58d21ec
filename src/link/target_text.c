/*
 * target_text.c: from a target to another text, of target.h: where it leads, how the other system
 * writes it.
 */
#include <string.h>

#include "link/target.h"
#include "link/winname.h"

static struct bytes cut(struct bytes text, size_t count)
{
    return bytes_make(text.data + count, text.size - count);
}

static int append_two(struct buffer *out, const char *first, struct bytes second, struct error *err)
{
    if (buffer_append(out, first, strlen(first), err))
        return -1;
    return buffer_append(out, second.data, second.size, err);
}

/* True if Win32 would make other names of these than they are: slashes, dots and trailing spaces
 * mean something to it, and devices come first. Only behind \\?\ it takes them as they are. */
static bool needs_verbatim(const struct target *t)
{
    struct bytes rest = t->rest, name;

    while (target_next(t, &rest, &name)) {
        enum winname_fault fault = winname_check(name);

        if (fault != WINNAME_FINE && fault != WINNAME_LONG)
            return true;
    }
    return false;
}

int target_append_win32(struct buffer *out, const struct target *t, struct error *err)
{
    if (t->prefix == TARGET_PLAIN && t->form == TARGET_NT)
        return append_two(out, "\\\\?\\GLOBALROOT", t->text, err);
    if (t->prefix != TARGET_OBJECT)
        return buffer_append(out, t->text.data, t->text.size, err);
    if (t->form == TARGET_DRIVE_ABSOLUTE && !needs_verbatim(t))
        return append_two(out, "", cut(t->text, 4), err);
    if (t->form == TARGET_UNC && !needs_verbatim(t))
        return append_two(out, "\\\\", t->rest, err);
    return append_two(out, "\\\\?\\", cut(t->text, 4), err);
}

static bool is_dot(struct bytes name)
{
    return name.size == 1 && name.data[0] == '.';
}

static bool is_dot_dot(struct bytes name)
{
    return name.size == 2 && name.data[0] == '.' && name.data[1] == '.';
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

/* Appends a component; 0 if that leads out of the tree. */
static int step(struct buffer *path, size_t start, struct bytes name, struct error *err)
{
    if (is_dot(name))
        return 1;
    if (is_dot_dot(name))
        return climb(path, start);
    if (memchr(name.data, '/', name.size))
        return 0;
    if (path->size > start && buffer_append_byte(path, '/', err))
        return -1;
    return buffer_append(path, name.data, name.size, err) ? -1 : 1;
}

int target_resolve(struct bytes folder, const struct target *t, struct buffer *out,
                   struct error *err)
{
    size_t start = out->size;
    struct bytes rest = t->rest, name;
    int result = 1;

    if (t->form != TARGET_RELATIVE)
        return 0;
    if (buffer_append(out, folder.data, folder.size, err))
        return -1;
    while (result == 1 && target_next(t, &rest, &name))
        result = step(out, start, name, err);
    if (result != 1)
        out->size = start;
    return result;
}

/* What keeps a component from being one of the other system, or NULL. */
static const char *turn_fault(struct bytes name, enum target_rules to)
{
    enum winname_fault fault;

    if (is_dot(name) || is_dot_dot(name))
        return NULL;
    if (to == TARGET_RULES_POSIX)
        return memchr(name.data, '/', name.size) ? "a slash in a name" : NULL;
    fault = winname_check(name);
    return fault ? winname_fault_text(fault) : NULL;
}

int target_turn(struct buffer *out, const struct target *t, enum target_rules to, const char **why,
                struct error *err)
{
    size_t start = out->size;
    struct bytes rest = t->rest, name;
    uint8_t separator = to == TARGET_RULES_POSIX ? '/' : '\\';

    while (target_next(t, &rest, &name)) {
        *why = turn_fault(name, to);
        if (*why)
            return 0;
    }
    if (buffer_append(out, t->rest.data, t->rest.size, err))
        return -1;
    for (size_t i = start; i < out->size; i++) {
        if (target_is_separator(t, out->data[i]))
            out->data[i] = separator;
    }
    return 1;
}
