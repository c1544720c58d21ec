/*
 * Any bytes as an ACL, as text and in the kernel's form: what is accepted stays the same through
 * the other form.
 */
#include <assert.h>

#include "archive/acl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Text to binary and round: the second binary is the first. */
static void check_text(struct bytes text)
{
    struct buffer binary = {0}, plain = {0}, again = {0};
    struct error err = {0};
    if (acl_from_text(&binary, text, &err) == 0) {
        assert(acl_to_text(&plain, buffer_bytes(&binary), &err) == 0);
        assert(acl_from_text(&again, buffer_bytes(&plain), &err) == 0);
        assert(bytes_equal(buffer_bytes(&binary), buffer_bytes(&again)));
    } else {
        assert(err.kind != ERROR_NONE && binary.size == 0);
    }
    error_release(&err);
    buffer_release(&binary);
    buffer_release(&plain);
    buffer_release(&again);
}

static void check_binary(struct bytes binary)
{
    struct buffer text = {0};
    struct error err = {0};
    if (acl_to_text(&text, binary, &err) == 0)
        check_text(buffer_bytes(&text));
    error_release(&err);
    buffer_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_text(bytes_make(data, size));
    check_binary(bytes_make(data, size));
    return 0;
}
