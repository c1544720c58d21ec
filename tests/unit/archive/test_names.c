/*
 * Member names of other tools, brought to the form of entry paths.
 */
#include "archive/names.h"

#include "support/check.h"

static void check_name(const char *name, const char *kept, const char *stripped)
{
    struct buffer out = {0};
    struct error err = {0};

    check_done(names_clean(&out, bytes_of(name), NAMES_KEEP_ABSOLUTE, &err));
    check_text(buffer_bytes(&out), kept);
    check_done(names_clean(&out, bytes_of(name), NAMES_STRIP_ABSOLUTE, &err));
    check_text(buffer_bytes(&out), stripped);
    buffer_release(&out);
}

static void names_are_cleaned(void **state)
{
    (void)state;
    check_name("a/b", "a/b", "a/b");
    check_name("./a//b/./c/", "a/b/c", "a/b/c");
    check_name(".", "", "");
    check_name("./", "", "");
    check_name("././.", "", "");
    check_name("", "", "");
    check_name("a/.", "a", "a");
    check_name(".a/..b/...", ".a/..b/...", ".a/..b/...");
    check_name("a\n\xff", "a\n\xff", "a\n\xff");
}

static void what_leads_out_stays_to_be_refused(void **state)
{
    (void)state;
    check_name("..", "..", "..");
    check_name("a/../b", "a/../b", "a/../b");
    check_name("./../x", "../x", "../x");
    check_name("/etc/passwd", "/etc/passwd", "etc/passwd");
    check_name("//etc/./passwd/", "/etc/passwd", "etc/passwd");
    check_name("/", "/", "");
    check_name("/..", "/..", "..");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_cleaned),
        cmocka_unit_test(what_leads_out_stays_to_be_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
