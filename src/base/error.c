/*
 * error.c: see error.h. Nothing here allocates but the copy of a path, and an error without that
 * copy still says what happened.
 */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void error_release(struct error *err)
{
    if (!err)
        return;
    free(err->path);
    *err = (struct error){0};
}

void error_move(struct error *to, struct error *from)
{
    error_release(to);
    if (to)
        *to = *from;
    else
        free(from->path);
    *from = (struct error){0};
}

int error_os(struct error *err, const char *operation, int os_code)
{
    error_release(err);
    if (err) {
        err->kind = ERROR_OS;
        err->operation = operation;
        err->os_code = os_code;
    }
    return -1;
}

int error_set(struct error *err, enum error_kind kind, const char *operation, const char *format,
              ...)
{
    va_list arguments;

    error_release(err);
    if (!err)
        return -1;
    err->kind = kind;
    err->operation = operation;
    va_start(arguments, format);
    if (vsnprintf(err->detail, sizeof err->detail, format, arguments) < 0)
        err->detail[0] = '\0';
    va_end(arguments);
    return -1;
}

int error_memory(struct error *err)
{
    error_release(err);
    if (err)
        err->kind = ERROR_MEMORY;
    return -1;
}

int error_at(struct error *err, const char *path, size_t path_bytes)
{
    if (!err || err->path)
        return -1;
    err->path = malloc(path_bytes + 1);
    if (!err->path)
        return -1;
    if (path_bytes)
        memcpy(err->path, path, path_bytes);
    err->path[path_bytes] = '\0';
    err->path_bytes = path_bytes;
    return -1;
}

static const char *kind_words(enum error_kind kind)
{
    switch (kind) {
    case ERROR_MEMORY:
        return "out of memory";
    case ERROR_FORMAT:
        return "malformed data";
    case ERROR_LIMIT:
        return "over a limit";
    case ERROR_UNSUPPORTED:
        return "not supported here";
    case ERROR_REFUSED:
        return "refused";
    case ERROR_CHANGED:
        return "changed meanwhile";
    case ERROR_USAGE:
        return "wrong usage";
    case ERROR_INTERRUPTED:
        return "interrupted";
    case ERROR_NONE:
    case ERROR_OS:
        break;
    }
    return "unknown error";
}

const char *error_reason(const struct error *err, char *text, size_t text_bytes)
{
    const char *words = err->os_code ? strerror(err->os_code) : NULL;

    if (!err->detail[0])
        return words ? words : kind_words(err->kind);
    if (words)
        (void)snprintf(text, text_bytes, "%s: %s", err->detail, words);
    else
        (void)snprintf(text, text_bytes, "%s", err->detail);
    return text_bytes ? text : kind_words(err->kind);
}
