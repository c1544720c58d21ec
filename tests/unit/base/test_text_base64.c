/*
 * Base64: the vectors of RFC 4648, every length, and no second spelling.
 */
#include "base/text.h"

#include "support/check.h"

static void the_vectors_of_the_rfc_hold(void **state)
{
    static const char *const pairs[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\xfb\xff\xfe", "+//+"},
    };
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct buffer out = {0};
        check_done(text_base64_encode(&out, bytes_of(pairs[i][0]), &err));
        check_text(buffer_bytes(&out), pairs[i][1]);
        buffer_clear(&out);
        check_done(text_base64_decode(&out, bytes_of(pairs[i][1]), &err));
        check_text(buffer_bytes(&out), pairs[i][0]);
        buffer_release(&out);
    }
}

static void every_length_comes_back(void **state)
{
    uint8_t bytes[300];
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 151 + 7);
    for (size_t size = 0; size <= sizeof bytes; size++) {
        struct buffer text = {0}, back = {0};
        check_done(buffer_append(&text, "x", 1, &err));
        check_done(text_base64_encode(&text, bytes_make(bytes, size), &err));
        check_done(text_base64_decode(&back, bytes_make(text.data + 1, text.size - 1), &err));
        assert_true(bytes_equal(buffer_bytes(&back), bytes_make(bytes, size)));
        buffer_release(&text);
        buffer_release(&back);
    }
}

static void nothing_may_be_no_memory_at_all(void **state)
{
    struct buffer out = {0};
    struct error err = {0};

    (void)state;
    check_done(text_base64_encode(&out, bytes_make(NULL, 0), &err));
    check_done(text_base64_decode(&out, bytes_make(NULL, 0), &err));
    assert_int_equal(out.size, 0);
    buffer_release(&out);
}

static void other_spellings_are_refused(void **state)
{
    static const char *const wrong[] = {
        "Z",     "Zg",     "Zg=",  "Zh==", "Zm9=", "Z===", "====", "Zg==Zg==",
        "Zm 9v", "Zm9v\n", "Zm-v", "Zm_v", "=Zm9", "Zm=v", "Z=g=",
    };
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct buffer out = {0};
        check_done(buffer_append(&out, "kept", 4, &err));
        check_kind(text_base64_decode(&out, bytes_of(wrong[i]), &err), ERROR_FORMAT);
        check_text(buffer_bytes(&out), "kept");
        buffer_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_of_the_rfc_hold),
        cmocka_unit_test(every_length_comes_back),
        cmocka_unit_test(nothing_may_be_no_memory_at_all),
        cmocka_unit_test(other_spellings_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
