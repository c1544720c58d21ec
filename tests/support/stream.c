/*
 * stream.c: see stream.h.
 */
#include "support/stream.h"

#include <stdlib.h>
#include <string.h>

#include "support/check.h"

static char letter_of(const struct entry *e)
{
    static const char letters[] = {
        [ENTRY_DIRECTORY] = 'd',   [ENTRY_FILE] = 'f',   [ENTRY_SYMLINK] = 'l',
        [ENTRY_FIFO] = 'p',        [ENTRY_SOCKET] = 's', [ENTRY_CHAR_DEVICE] = 'c',
        [ENTRY_BLOCK_DEVICE] = 'b'};

    if (e->problem_scope == PROBLEM_ENTRY)
        return '?';
    return e->problem_scope == PROBLEM_CONTENT ? '!' : letters[e->kind];
}

static void append_entry(struct buffer *text, const struct entry *e)
{
    struct error err = {0};
    char letter = letter_of(e);

    if (text->size)
        check_done(buffer_append(text, " ", 1, &err));
    check_done(buffer_append(text, &letter, 1, &err));
    check_done(buffer_append(text, ":", 1, &err));
    check_done(buffer_append(text, e->path.data, e->path.size, &err));
    if (letter == 'l') {
        check_done(buffer_append(text, ">", 1, &err));
        check_done(buffer_append(text, e->target.data, e->target.size, &err));
    }
}

char *stream_text(struct source *s)
{
    struct buffer text = {0};
    struct error err = {0};
    const struct entry *e;

    while (check_done(source_next(s, &e, &err)) == 1)
        append_entry(&text, e);
    check_done(buffer_terminate(&text, &err));
    return (char *)text.data;
}

void check_stream_at(struct source *s, const char *wanted, const char *file, int line)
{
    char *text = stream_text(s);

    _assert_string_equal(text, wanted, file, line);
    free(text);
}

const struct entry *stream_until(struct source *s, const char *path)
{
    struct error err = {0};
    const struct entry *e;

    while (check_done(source_next(s, &e, &err)) == 1) {
        if (bytes_equal(e->path, bytes_of(path)))
            return e;
    }
    fail_msg("%s is not in the stream", path);
    return NULL;
}
