/*
 * JSON lines: what is escaped, what becomes base64, where commas stand.
 */
#include "cli/json.h"

#include "support/check.h"

static void check_line(struct json *j, const char *wanted)
{
    assert_false(j->failed);
    check_text(buffer_bytes(&j->line), wanted);
    json_release(j);
}

static void fields_are_separated(void **state)
{
    struct json j = {0};

    (void)state;
    json_begin(&j, "entry");
    json_number(&j, "most", UINT64_MAX);
    json_signed(&j, "least", INT64_MIN);
    json_bool(&j, "yes", true);
    json_bool(&j, "no", false);
    json_text(&j, "text", "");
    check_line(&j, "{\"type\":\"entry\",\"most\":18446744073709551615,"
                   "\"least\":-9223372036854775808,\"yes\":true,\"no\":false,\"text\":\"\"");
}

static void control_bytes_are_escaped(void **state)
{
    struct json j = {0};

    (void)state;
    json_begin(&j, "t");
    json_bytes(&j, "a", bytes_of("q\"b\\s/\n\x1b\x7f"));
    json_bytes(&j, "b", bytes_make("a\0b", 3));
    json_bytes(&j, "c", bytes_of("\xc3\xa4\xe6\x97\xa5\xf0\x9f\x98\x80"));
    check_line(&j, "{\"type\":\"t\",\"a\":\"q\\\"b\\\\s/\\u000a\\u001b\\u007f\","
                   "\"b\":\"a\\u0000b\",\"c\":\"\xc3\xa4\xe6\x97\xa5\xf0\x9f\x98\x80\"");
}

static void bytes_that_are_no_text_are_base64(void **state)
{
    struct json j = {0};

    (void)state;
    json_begin(&j, "t");
    json_bytes(&j, "path", bytes_of("a\xff"));
    json_bytes(&j, "other", bytes_of("\xed\xa0\x80"));
    check_line(&j, "{\"type\":\"t\",\"path_b64\":\"Yf8=\",\"other_b64\":\"7aCA\"");
}

static void arrays_hold_both(void **state)
{
    struct json j = {0};

    (void)state;
    json_begin(&j, "group");
    json_array_begin(&j, "names");
    json_array_bytes(&j, bytes_of("a"));
    json_array_bytes(&j, bytes_of("\xff"));
    json_array_bytes(&j, bytes_of("b"));
    json_array_end(&j);
    json_array_begin(&j, "none");
    json_array_end(&j);
    json_number(&j, "size", 1);
    check_line(&j, "{\"type\":\"group\",\"names\":[\"a\",{\"b64\":\"/w==\"},\"b\"],\"none\":[],"
                   "\"size\":1");
}

static void a_line_begins_anew(void **state)
{
    struct json j = {0};

    (void)state;
    json_begin(&j, "first");
    json_number(&j, "n", 1);
    json_begin(&j, "second");
    check_line(&j, "{\"type\":\"second\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_separated),
        cmocka_unit_test(control_bytes_are_escaped),
        cmocka_unit_test(bytes_that_are_no_text_are_base64),
        cmocka_unit_test(arrays_hold_both),
        cmocka_unit_test(a_line_begins_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
