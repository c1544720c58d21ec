/*
 * Names in 7z archives: any bytes are escaped as Unicode and come back; whatever is unescaped is no
 * longer than it was, and brings no slash and no NUL with it.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "archive/foreign_name.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t count(struct bytes b, uint8_t byte)
{
    size_t found = 0;

    for (size_t i = 0; i < b.size; i++)
        found += b.data[i] == byte;
    return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = bytes_make(data, size);
    struct buffer escaped = {0}, back = {0};

    assert(!foreign_name_escape(&escaped, input, NULL));
    assert(text_is_utf8(buffer_bytes(&escaped)));
    assert(!foreign_name_unescape(&back, buffer_bytes(&escaped), NULL));
    assert(bytes_equal(buffer_bytes(&back), input));
    assert(!foreign_name_unescape(&back, input, NULL));
    assert(back.size <= size);
    assert(count(buffer_bytes(&back), '/') == count(input, '/'));
    assert(count(buffer_bytes(&back), 0) == count(input, 0));
    buffer_release(&escaped);
    buffer_release(&back);
    return 0;
}
