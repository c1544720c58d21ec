/*
 * Any bytes as a name for Windows, as its escaped form, as WTF-8 and as UTF-16: what goes there
 * comes back.
 */
#include <assert.h>

#include "base/upcase.h"
#include "base/wtf8.h"
#include "link/winname.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_escape(struct bytes name)
{
    struct buffer escaped = {0}, again = {0};
    struct error err = {0};

    if (winname_escape(&escaped, name, &err)) {
        bool none = winname_check(name) == WINNAME_NO_NAME;

        assert(none ? err.kind == ERROR_FORMAT : err.kind == ERROR_LIMIT && name.size > 85);
        assert(!escaped.size);
        error_release(&err);
    } else {
        assert(winname_check(buffer_bytes(&escaped)) == WINNAME_FINE);
        assert(!winname_unescape(&again, buffer_bytes(&escaped), NULL));
        assert(bytes_equal(buffer_bytes(&again), name));
    }
    buffer_release(&escaped);
    buffer_release(&again);
}

/* Each name is the escaped form of one name at most. */
static void check_unescape(struct bytes name)
{
    struct buffer plain = {0}, again = {0};
    struct error err = {0};

    if (winname_unescape(&plain, name, &err)) {
        assert(err.kind == ERROR_FORMAT && !plain.size);
        error_release(&err);
    } else if (!winname_escape(&again, buffer_bytes(&plain), &err)) {
        assert(bytes_equal(buffer_bytes(&again), name));
    } else {
        assert(err.kind == ERROR_LIMIT);
        error_release(&err);
    }
    buffer_release(&plain);
    buffer_release(&again);
}

static void check_wtf8(struct bytes text)
{
    struct buffer utf16 = {0}, again = {0};
    size_t units = 0;
    bool valid = wtf8_is_valid(text, &units);

    assert(valid == !wtf8_to_utf16(&utf16, text, NULL));
    if (valid) {
        assert(utf16.size == units * 2);
        assert(!wtf8_from_utf16(&again, buffer_bytes(&utf16), NULL));
        assert(bytes_equal(buffer_bytes(&again), text));
    }
    assert(upcase_equal(text, text));
    buffer_release(&utf16);
    buffer_release(&again);
}

static void check_utf16(struct bytes utf16)
{
    struct buffer text = {0}, again = {0};

    if (wtf8_from_utf16(&text, utf16, NULL)) {
        assert(utf16.size % 2 && !text.size);
    } else {
        assert(wtf8_is_valid(buffer_bytes(&text), NULL));
        assert(!wtf8_to_utf16(&again, buffer_bytes(&text), NULL));
        assert(bytes_equal(buffer_bytes(&again), utf16));
    }
    buffer_release(&text);
    buffer_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = bytes_make(data, size);

    check_escape(input);
    check_unescape(input);
    check_wtf8(input);
    check_utf16(input);
    return 0;
}
