/*
 * check.c: see check.h.
 */
#include "support/check.h"

static void print_reason(struct error *err)
{
    char text[400];

    print_message("%s: %s (kind %d, code %d)\n", err->operation ? err->operation : "?",
                  error_reason(err, text, sizeof text), (int)err->kind, err->os_code);
}

int check_done_at(int result, struct error *err, const char *call, const char *file, int line)
{
    if (result < 0) {
        print_message("%s failed: ", call);
        print_reason(err);
        _fail(file, line);
    }
    if (err->kind != ERROR_NONE) {
        print_message("%s succeeded and set an error: ", call);
        print_reason(err);
        _fail(file, line);
    }
    return result;
}

void check_failed_at(int result, struct error *err, enum error_kind kind, int code,
                     const char *file, int line)
{
    if (result != -1) {
        print_message("succeeded with %d\n", result);
        _fail(file, line);
    }
    if ((kind != ERROR_NONE && err->kind != kind) || (code && err->os_code != code)) {
        print_message("wanted kind %d, code %d: ", (int)kind, code);
        print_reason(err);
        _fail(file, line);
    }
    error_release(err);
}

void check_text_at(struct bytes got, const char *wanted, const char *file, int line)
{
    if (bytes_equal(got, bytes_of(wanted)))
        return;
    print_message("got      %.*s\nexpected %s\n", (int)got.size, (const char *)got.data, wanted);
    _fail(file, line);
}
