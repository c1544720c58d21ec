/*
 * Rules and the texts of targets: which rule meets which target, and what becomes of it.
 */
#include "link/remap.h"

#include <string.h>

#include "support/check.h"

#define A "Volume{aaaaaaaa-1111-2222-3333-444444444444}"
#define P TARGET_RULES_POSIX
#define W TARGET_RULES_WINDOWS
#define B "Volume{bbbbbbbb-5555-6666-7777-888888888888}"

/* Reads `rules`, one a line. */
static void add_rules(struct remap *m, const char *rules)
{
    struct error err = {0};

    while (*rules) {
        size_t count = strcspn(rules, "\n");

        check_done(remap_add_text(m, bytes_make(rules, count), &err));
        rules += count + (rules[count] == '\n');
    }
}

static void targets_are_mapped(void **state)
{
    static const struct {
        const char *rules;
        enum target_rules from;
        const char *target, *mapped; /* NULL: unchanged */
        enum target_rules to;
    } cases[] = {
        /* POSIX. */
        {"/data=/srv/data", P, "/data/x/", "/srv/data/x/", P},
        {"/data=/srv/data", P, "/data", "/srv/data", P},
        {"/data/=/srv/data/", P, "/data", "/srv/data", P},
        {"/data=/srv/data", P, "/database", NULL, P},
        {"/data=/srv/data", P, "/Data/x", NULL, P},
        {"/data=/srv/data", P, "//data/./x", "/srv/data/./x", P},
        {"/data=/srv/data", P, "/./data//x", "/srv/data//x", P},
        {"/data=/srv/data", P, "data/x", NULL, P},
        {"/data=/srv/data", P, "/x/../data", NULL, P},
        {"/data=/srv/data", P, "/data/a/../b", "/srv/data/a/../b", P},
        {"/data=/srv/data", P, "/data/a/../../b", NULL, P},
        {"/data=/srv/data", P, "/data/..", NULL, P},
        {"/=/mnt", P, "/", "/mnt", P},
        {"/=/mnt", P, "/a", "/mnt/a", P},
        {"/=/mnt", P, "///", "/mnt", P},
        {"/mnt=/", P, "/mnt", "/", P},
        {"/mnt=/", P, "/mnt/a", "/a", P},
        {"/a\\b=/c", P, "/a\\b/x", "/c/x", P},
        {"/\xff=/c", P, "/\xff/\xfe", "/c/\xfe", P},
        {"C:\\=/mnt/c", P, "C:\\x", NULL, P},
        /* From Windows. */
        {"C:\\=/mnt/c", W, "C:\\a\\b", "/mnt/c/a/b", P},
        {"C:\\=/mnt/c", W, "C:\\", "/mnt/c", P},
        {"C:=/mnt/c", W, "c:/a", "/mnt/c/a", P},
        {"C:\\=/", W, "C:\\", "/", P},
        {"C:\\=/", W, "C:\\a\\", "/a/", P},
        {"C:\\=/mnt/c", W, "\\\\?\\C:\\a", "/mnt/c/a", P},
        {"C:\\=/mnt/c", W, "\\a", NULL, P},
        {"C:\\=/mnt/c", W, "a", NULL, P},
        {"C:\\=/mnt/c", W, "C:a", NULL, P},
        {"\\\\s\\h=/net/h", W, "\\\\S\\H\\a\\b", "/net/h/a/b", P},
        {"\\\\?\\" A "\\=/mnt/a", W, "\\\\?\\" A "\\x", "/mnt/a/x", P},
        {"\\=/mnt/c", W, "\\a\\b", "/mnt/c/a/b", P},
        /* To Windows. */
        {"/mnt/c=C:\\", P, "/mnt/c/a/b", "C:\\a\\b", W},
        {"/mnt/c=C:", P, "/mnt/c", "C:\\", W},
        {"/mnt/c=C:\\", P, "/mnt/cd", NULL, W},
        {"/mnt/c=C:\\x", P, "/mnt/c/a/../b", "C:\\x\\a\\..\\b", W},
        {"/net/h=\\\\s\\h", P, "/net/h/a", "\\\\s\\h\\a", W},
        {"/mnt/a=\\\\?\\" A "\\", P, "/mnt/a/x", "\\\\?\\" A "\\x", W},
        {"/=C:\\", P, "/a", "C:\\a", W},
        {"/=C:\\", P, "/", "C:\\", W},
        {"/=\\", P, "/a", "\\a", W},
        /* Within Windows: the spelling stays. */
        {"C:\\Users=D:\\People", W, "c:\\users", "D:\\People", W},
        {"C:\\Users=D:\\People", W, "C:\\USERS\\x", "D:\\People\\x", W},
        {"C:\\Users=D:\\People", W, "C:/Users/x/y", "D:\\People/x/y", W},
        {"C:\\Users=D:\\People", W, "\\\\?\\C:\\Users\\x", "\\\\?\\D:\\People\\x", W},
        {"C:\\Users=D:\\People", W, "\\??\\C:\\Users\\x", "\\??\\D:\\People\\x", W},
        {"C:\\Users=D:\\People", W, "\\\\.\\C:\\Users\\x", "\\\\.\\D:\\People\\x", W},
        {"C:\\Users=D:\\People", W, "\\\\?\\C:\\Users/x", NULL, W},
        {"\\??\\C:\\Users=D:\\People", W, "C:\\Users\\x", "D:\\People\\x", W},
        {"C:\\=\\\\s\\h", W, "C:/a/b", "\\\\s\\h\\a\\b", W},
        {"C:\\=\\\\s\\h", W, "\\\\?\\C:\\a", "\\\\?\\UNC\\s\\h\\a", W},
        {"\\\\?\\UNC\\s\\h=C:\\", W, "\\\\s\\h\\a", "C:\\a", W},
        {"C:\\=\\\\?\\" A "\\", W, "C:\\a", "\\\\?\\" A "\\a", W},
        {"C:\\=\\\\?\\" A "\\", W, "C:/a/b", "\\\\?\\" A "\\a\\b", W},
        {"\\\\?\\" A "=\\\\?\\" B, W, "\\\\?\\" A "\\", "\\\\?\\" B "\\", W},
        {"\\\\?\\" A "=\\\\?\\" B, W, "\\\\?\\" A, "\\\\?\\" B "\\", W},
        {"\\\\.\\pipe\\a=\\\\.\\pipe\\b", W, "\\\\.\\pipe\\a\\x", "\\\\.\\pipe\\b\\x", W},
        {"C:\\=\\\\.\\pipe\\b", W, "C:\\x", "\\\\.\\pipe\\b\\x", W},
        {"C:\\=\\", W, "C:\\a", "\\a", W},
        {"C:\\=\\", W, "C:\\", "\\", W},
        {"\\a=\\b", W, "\\A\\x", "\\b\\x", W},
        {"C:\\x=\\\\s", W, "C:\\x", "\\\\s", W},
        /* Order. */
        {"/a/b=/1\n/a=/2", P, "/a/b/c", "/1/c", P},
        {"/a/b=/1\n/a=/2", P, "/a/c", "/2/c", P},
        {"/a=/2\n/a/b=/1", P, "/a/b/c", "/2/b/c", P},
        {"/a=/b\n/b=/c", P, "/a", "/b", P},
        {"/a=/a", P, "/a/x", NULL, P},
    };
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct remap m = {0};
        struct remap_result r;

        add_rules(&m, cases[i].rules);
        check_done(remap_target(&m, bytes_of(cases[i].target), cases[i].from, &r, &err));
        if (r.outcome != (cases[i].mapped ? REMAP_MAPPED : REMAP_UNCHANGED))
            fail_msg("%s: %s: outcome %d", cases[i].rules, cases[i].target, (int)r.outcome);
        check_text(buffer_bytes(&r.target), cases[i].mapped ? cases[i].mapped : "");
        if (cases[i].mapped)
            assert_int_equal(r.rules, cases[i].to);
        assert_null(r.raw.data);
        remap_result_release(&r);
        remap_release(&m);
    }
}

static void what_cannot_be_mapped_is_told(void **state)
{
    static const struct {
        const char *rules;
        enum target_rules from;
        const char *target, *reason;
    } cases[] = {
        {"/c=C:\\", P, "/c/a:b", "a character that Windows does not take"},
        {"/c=C:\\", P, "/c/a\\b", "a character that Windows does not take"},
        {"/c=C:\\", P, "/c/nul", "a device of Windows"},
        {"/c=C:\\", P, "/c/x ", "a dot or space at the end"},
        {"/c=C:\\", P, "/c/\xff", "not valid WTF-8"},
        {"/c=C:\\", P, "/c/...", "a dot or space at the end"},
        {"C:\\=/c", W, "\\\\?\\C:\\a/b\\c", "a slash in a name"},
        {"\\x=\\", W, "\\x\\\\s\\h", "its words would mean another place"},
        {"\\x=\\", W, "\\x\\?\?\\C:\\a", "its words would mean another place"},
        {"/x=\\", P, "/x//s/h", "its words would mean another place"},
    };
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct remap m = {0};
        struct remap_result r;

        add_rules(&m, "/unused=/elsewhere");
        add_rules(&m, cases[i].rules);
        check_done(remap_target(&m, bytes_of(cases[i].target), cases[i].from, &r, &err));
        assert_int_equal(r.outcome, REMAP_IMPOSSIBLE);
        assert_string_equal(r.reason, cases[i].reason);
        assert_int_equal(r.rule, 1);
        assert_int_equal(r.target.size, 0);
        remap_result_release(&r);
        remap_release(&m);
    }
}

static void wrong_rules_are_refused(void **state)
{
    static const struct {
        const char *rule, *why;
    } cases[] = {
        {"", "no '=' in it: a rule is OLD=NEW"},
        {"/a", "no '=' in it: a rule is OLD=NEW"},
        {"/a=/b=/c", "more than one '=' in it: paths with '=' go into a --map-file"},
        {"=/b", "OLD: empty"},
        {"/a=", "NEW: empty"},
        {"a=/b", "OLD: a relative path: a rule needs absolute ones"},
        {"/a=../b", "NEW: a relative path: a rule needs absolute ones"},
        {"C:a=/b", "OLD: it depends on a current folder: write C:\\x for C:x"},
        {"/a/../b=/c", "OLD: . or .. in it"},
        {"/a=C:\\.\\x", "NEW: . or .. in it"},
        {"C:\\\xff=/b", "OLD: not valid WTF-8"},
        {"/a=C:\\\xff", "NEW: not valid WTF-8"},
        {"\\\\=/b", "OLD: it names nothing"},
        {"\\\\.\\=/b", "OLD: it names nothing"},
        {"/a=C:\\a:b", "NEW: a character that Windows does not take"},
        {"/a=C:\\con", "NEW: a device of Windows"},
        {"/a=\\\\s\\h\\x.", "NEW: a dot or space at the end"},
        {"/a=\\\\?\\C:\\a/b", "NEW: no name"},
    };
    struct error err = {0};
    struct remap m = {0};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(remap_add_text(&m, bytes_of(cases[i].rule), &err), -1);
        assert_string_equal(err.detail, cases[i].why);
        check_kind(-1, ERROR_USAGE);
    }
    check_kind(remap_add(&m, bytes_make("/a\0b", 4), bytes_of("/c"), &err), ERROR_USAGE);
    assert_int_equal(m.count, 0);
    remap_release(&m);
}

static void a_file_holds_rules(void **state)
{
    static const char file[] = "\xef\xbb\xbf"
                               "{\"from\": \"/a=1\", \"to\":\"/b\"}\r\n"
                               "\n \t\n"
                               "{ \"to\" : \"D:\\\\\\u00e4\\ud83d\\ude00\\ud800\" , "
                               "\"from\":\"C:\\/x\" }";
    struct remap m = {0};
    struct remap_result r;
    struct error err = {0};

    (void)state;
    check_done(remap_add_file(&m, bytes_of(file), &err));
    assert_int_equal(m.count, 2);
    check_done(remap_target(&m, bytes_of("/a=1/x"), TARGET_RULES_POSIX, &r, &err));
    check_text(buffer_bytes(&r.target), "/b/x");
    assert_int_equal(r.rule, 0);
    remap_result_release(&r);
    check_done(remap_target(&m, bytes_of("C:\\x\\y"), TARGET_RULES_WINDOWS, &r, &err));
    check_text(buffer_bytes(&r.target), "D:\\\u00e4\U0001f600\xed\xa0\x80\\y");
    assert_int_equal(r.rule, 1);
    remap_result_release(&r);
    check_done(remap_add_file(&m, bytes_of(""), &err));
    assert_int_equal(m.count, 2);
    remap_release(&m);
}

static void wrong_files_are_refused_by_line(void **state)
{
    static const struct {
        const char *file, *why;
    } cases[] = {
        {"x", "line 1: not an object: {\"from\": OLD, \"to\": NEW}"},
        {"\n\n[]", "line 3: not an object: {\"from\": OLD, \"to\": NEW}"},
        {"{}", "line 1: a string is missing"},
        {"{\"from\":\"/a\"}", "line 1: not one \"from\" and one \"to\""},
        {"{\"from\":\"/a\",\"from\":\"/b\"}", "line 1: not one \"from\" and one \"to\""},
        {"{\"from\":\"/a\",\"to\":\"/b\",\"x\":1}",
         "line 1: the object does not end behind its second member"},
        {"{\"from\":\"/a\",\"To\":\"/b\"}", "line 1: not one \"from\" and one \"to\""},
        {"{\"from\":\"/a\",\"to\":1}", "line 1: a string is missing"},
        {"{\"from\" \"/a\",\"to\":\"/b\"}", "line 1: a colon is missing"},
        {"{\"from\":\"/a\",\"to\":\"/b\"} x", "line 1: something behind the object"},
        {"{\"from\":\"/a\",\"to\":\"/b\"},", "line 1: something behind the object"},
        {"{\"from\":\"/a\",\"to\":\"/b", "line 1: a string does not end"},
        {"{\"from\":\"/a\",\"to\":\"/b\\", "line 1: a string does not end"},
        {"{\"from\":\"/a\",\"to\":\"/b\\\"", "line 1: a string does not end"},
        {"{\"from\":\"C:\\Users\"",
         "line 1: an unknown escape (a backslash in a path is written \\\\)"},
        {"{\"from\":\"\\u12g4\"", "line 1: \\u needs four hexadecimal digits"},
        {"{\"from\":\"\\u12", "line 1: \\u needs four hexadecimal digits"},
        {"{\"from\":\"/a\t\"", "line 1: a control character in a string"},
        {"{\"from\":\"/\xff\",\"to\":\"/b\"}", "line 1: not valid UTF-8"},
        {"{\"from\":\"a\",\"to\":\"/b\"}",
         "line 1: OLD: a relative path: a rule needs absolute ones"},
        {"{\"from\":\"/a\",\"to\":\"/b\"}\n{\"from\":\"/a\\u0000\",\"to\":\"/b\"}",
         "line 2: OLD: a NUL in it"},
    };
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct remap m = {0};

        assert_int_equal(remap_add_file(&m, bytes_of(cases[i].file), &err), -1);
        assert_string_equal(err.detail, cases[i].why);
        check_kind(-1, ERROR_USAGE);
        remap_release(&m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets_are_mapped),
        cmocka_unit_test(what_cannot_be_mapped_is_told),
        cmocka_unit_test(wrong_rules_are_refused),
        cmocka_unit_test(a_file_holds_rules),
        cmocka_unit_test(wrong_files_are_refused_by_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
