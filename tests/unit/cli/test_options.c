/*
 * Options: GNU manners, typos, order of rules, what is left as operands.
 */
#include "cli/options.h"

#include <stdio.h>
#include <string.h>

#include "os/os.h"
#include "support/check.h"
#include "support/folder.h"

struct inner {
    bool flag, other;
    struct option_number number;
};

struct settings {
    const char *text;
    struct text_list list;
    struct rule_list rules;
    struct inner inner;
};

static const struct option_spec specs[] = {
    {"text", 't', OPTION_TEXT, offsetof(struct settings, text), "TEXT", "a text"},
    {"list", 'l', OPTION_LIST, offsetof(struct settings, list), "ITEM", "an item"},
    {"exclude", 0, OPTION_EXCLUDE, offsetof(struct settings, rules), "PATTERN", "a rule"},
    {"include", 0, OPTION_INCLUDE, offsetof(struct settings, rules), "PATTERN", "a rule"},
    {"exclude-from", 0, OPTION_EXCLUDE_FROM, offsetof(struct settings, rules), "FILE", "rules"},
};
static const struct option_spec inner_specs[] = {
    {"flag", 'f', OPTION_FLAG, offsetof(struct inner, flag), NULL, "a flag"},
    {"other", 'o', OPTION_FLAG, offsetof(struct inner, other), NULL, "another"},
    {"number", 'n', OPTION_NUMBER, offsetof(struct inner, number), "N", "a number"},
};
static const struct option_group groups[] = {
    {"Options", specs, sizeof specs / sizeof specs[0], 0},
    {"More", inner_specs, sizeof inner_specs / sizeof inner_specs[0],
     offsetof(struct settings, inner)},
};
static const struct option_table table = {groups, sizeof groups / sizeof groups[0]};

/* One parse: words in, settings and operands out. */
struct run {
    struct settings settings;
    struct text_list words;
    struct error err;
};

/* Words up to a NULL. */
static int parse(struct run *run, const char *const *words)
{
    memset(run, 0, sizeof *run);
    for (; *words != NULL; words++)
        assert_int_equal(text_list_append(&run->words, *words, NULL), 0);
    return options_parse(&table, &run->settings, &run->words, &run->err);
}

static void release(struct run *run)
{
    text_list_release(&run->words);
    text_list_release(&run->settings.list);
    rule_list_release(&run->settings.rules);
    error_release(&run->err);
}

/* A word list in place. */
#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void check_wrong(const char *const *words, const char *reason)
{
    struct run run;

    assert_int_equal(parse(&run, words), -1);
    assert_int_equal(run.err.kind, ERROR_USAGE);
    assert_string_equal(run.err.detail, reason);
    release(&run);
}

static void values_stand_in_all_places(void **state)
{
    const char *const *const forms[] = {
        WORDS("--text=value"), WORDS("--text", "value"),           WORDS("-t", "value"),
        WORDS("-tvalue"),      WORDS("--text=old", "-t", "value"), WORDS("-fotvalue"),
    };
    struct run run;

    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        assert_int_equal(parse(&run, forms[i]), 0);
        assert_string_equal(run.settings.text, "value");
        assert_int_equal(run.words.count, 0);
        release(&run);
    }
    assert_int_equal(parse(&run, WORDS("--text=", "--list", "--flag")), 0);
    assert_string_equal(run.settings.text, "");
    assert_string_equal(run.settings.list.items[0], "--flag");
    assert_false(run.settings.inner.flag);
    release(&run);
}

static void letters_stand_together(void **state)
{
    struct run run;

    (void)state;
    assert_int_equal(parse(&run, WORDS("-fon", "-7", "x")), 0);
    assert_true(run.settings.inner.flag && run.settings.inner.other);
    assert_true(run.settings.inner.number.is_set);
    assert_int_equal(run.settings.inner.number.value, -7);
    assert_int_equal(run.words.count, 1);
    release(&run);
}

static void operands_keep_their_order(void **state)
{
    struct run run;

    (void)state;
    assert_int_equal(parse(&run, WORDS("a", "-f", "-", "b", "--", "--text", "-x", "--")), 0);
    assert_int_equal(run.words.count, 6);
    assert_string_equal(run.words.items[0], "a");
    assert_string_equal(run.words.items[1], "-");
    assert_string_equal(run.words.items[2], "b");
    assert_string_equal(run.words.items[3], "--text");
    assert_string_equal(run.words.items[4], "-x");
    assert_string_equal(run.words.items[5], "--");
    assert_null(run.settings.text);
    release(&run);
}

static void wrong_words_are_named(void **state)
{
    (void)state;
    check_wrong(WORDS("--txet"), "unknown option --txet; did you mean --text?");
    check_wrong(WORDS("--exlude=x"), "unknown option --exlude; did you mean --exclude?");
    check_wrong(WORDS("--something-else"), "unknown option --something-else");
    check_wrong(WORDS("--zz"), "unknown option --zz");
    check_wrong(WORDS("--teXt"), "unknown option --teXt; did you mean --text?");
    check_wrong(WORDS("-fx"), "unknown option -x");
    check_wrong(WORDS("--text"), "--text needs a TEXT");
    check_wrong(WORDS("-ft"), "--text needs a TEXT");
    check_wrong(WORDS("--flag=yes"), "--flag takes no value");
    check_wrong(WORDS("-n", "x"), "--number takes a whole number, not 'x'");
    check_wrong(WORDS("-n", "3x"), "--number takes a whole number, not '3x'");
    check_wrong(WORDS("--number="), "--number takes a whole number, not ''");
    check_wrong(WORDS("-n99999999999999999999"),
                "--number takes a whole number, not '99999999999999999999'");
}

static void check_rule(const struct settings *s, size_t index, enum filter_verdict verdict,
                       const char *pattern)
{
    assert_true(index < s->rules.count);
    assert_int_equal(s->rules.items[index].verdict, verdict);
    assert_string_equal(s->rules.items[index].pattern, pattern);
}

static void rules_keep_their_order(void **state)
{
    struct folder *folder = *state;
    char from[300];
    struct run run;

    folder_write(folder->handle, "rules", 0600, "# comment\n\n*.o\r\n+ keep\n- - odd\nlast");
    (void)snprintf(from, sizeof from, "%s/rules", folder->path);
    assert_int_equal(
        parse(&run, WORDS("--exclude", "a", "--include=b", "--exclude-from", from, "--exclude=c")),
        0);
    assert_int_equal(run.settings.rules.count, 7);
    check_rule(&run.settings, 0, FILTER_EXCLUDE, "a");
    check_rule(&run.settings, 1, FILTER_INCLUDE, "b");
    check_rule(&run.settings, 2, FILTER_EXCLUDE, "*.o");
    check_rule(&run.settings, 3, FILTER_INCLUDE, "keep");
    check_rule(&run.settings, 4, FILTER_EXCLUDE, "- odd");
    check_rule(&run.settings, 5, FILTER_EXCLUDE, "last");
    check_rule(&run.settings, 6, FILTER_EXCLUDE, "c");
    release(&run);
}

static void a_missing_file_of_rules_is_named(void **state)
{
    struct folder *folder = *state;
    char from[300];
    struct run run;

    (void)snprintf(from, sizeof from, "%s/gone", folder->path);
    assert_int_equal(parse(&run, WORDS("--exclude-from", from)), -1);
    assert_int_equal(run.err.kind, ERROR_OS);
    assert_string_equal(run.err.path, from);
    release(&run);
    assert_int_equal(parse(&run, WORDS("--exclude-from", folder->path)), -1);
    assert_string_equal(run.err.path, folder->path);
    release(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_stand_in_all_places),
        cmocka_unit_test(letters_stand_together),
        cmocka_unit_test(operands_keep_their_order),
        cmocka_unit_test(wrong_words_are_named),
        cmocka_unit_test_setup_teardown(rules_keep_their_order, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(a_missing_file_of_rules_is_named, folder_setup,
                                        folder_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
