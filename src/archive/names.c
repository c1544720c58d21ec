/*
 * names.c: cleans by components, in one pass.
 */
#include "archive/names.h"

#include <string.h>

#include "archive/tar.h"

/* True if no component is empty or `.`: the usual. */
static bool has_nothing_to_clean(struct bytes name)
{
    const uint8_t *at = name.data, *end = at + name.size;

    while (at < end) {
        const uint8_t *slash = memchr(at, '/', (size_t)(end - at));
        size_t length = (size_t)((slash != NULL ? slash : end) - at);

        if (length == 0 || (length == 1 && *at == '.') || slash == end - 1)
            return false;
        at = slash != NULL ? slash + 1 : end;
    }
    return true;
}

int names_clean(struct buffer *out, struct bytes name, enum names_absolute absolute,
                struct error *err)
{
    const uint8_t *at = name.data, *end = at + name.size;

    buffer_clear(out);
    if (has_nothing_to_clean(name))
        return buffer_append(out, name.data, name.size, err);
    if (name.size != 0 && *at == '/' && absolute == NAMES_KEEP_ABSOLUTE &&
        buffer_append_byte(out, '/', err) != 0)
        return -1;
    while (at < end) {
        const uint8_t *slash = memchr(at, '/', (size_t)(end - at));
        size_t length = (size_t)((slash != NULL ? slash : end) - at);

        if (length != 0 && !(length == 1 && *at == '.')) {
            bool joins = out->size != 0 && out->data[out->size - 1] != '/';

            if ((joins && buffer_append_byte(out, '/', err) != 0) ||
                buffer_append(out, at, length, err) != 0)
                return -1;
        }
        at = slash != NULL ? slash + 1 : end;
    }
    return 0;
}

int names_check_roots(const struct source_facts *facts, struct error *err)
{
    for (size_t i = 0; i < facts->root_count; i++) {
        const char *name = facts->roots[i].name;

        if (name[0] == '\0' || strchr(name, '/') != NULL || strcmp(name, ".") == 0 ||
            strcmp(name, "..") == 0 || (i != 0 && strcmp(facts->roots[i - 1].name, name) >= 0))
            return error_set(err, ERROR_FORMAT, "read archive",
                             "the names of its roots are malformed");
    }
    return 0;
}

bool names_is_clean(struct bytes path)
{
    size_t begin = 0;

    for (size_t i = 0; i <= path.size; i++) {
        if (i < path.size && path.data[i] != '/') {
            if (path.data[i] == 0)
                return false;
            continue;
        }
        size_t length = i - begin;

        if (length == 0 || (length <= 2 && memcmp(path.data + begin, "..", length) == 0))
            return false;
        begin = i + 1;
    }
    return path.size <= TAR_MAX_PATH_BYTES;
}
