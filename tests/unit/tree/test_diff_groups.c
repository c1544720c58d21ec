/* diff.h: names that are one file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/list_source.h"
#include "support/show_diff.h"
#include "tree/diff.h"
#include "tree/namegroup.h"

static const struct diff_options plain = {0};

/* A list of files "t/a", "t/b", ... with the name of its group's file at each place: "aab" is {t/a,
 * t/b}, {t/c}; '-' is no file. */
static struct list_source *grouped(const char *groups)
{
    static const char *const names[] = {"t/a", "t/b", "t/c", "t/d", "t/e", "t/f"};
    struct list_source *l = list_source_new();
    for (size_t i = 0; groups[i] != '\0'; i++) {
        size_t first = (size_t)(strchr(groups, groups[i]) - groups);
        if (groups[i] == '-')
            continue;
        if (first == i)
            list_file(l, names[i], "x");
        else
            list_name(l, names[i], names[first]);
    }
    return l;
}

enum look { AS_DISK, AS_ARCHIVE };

static void expect_one(const char *want, const char *have, enum look look, const char *text)
{
    char out[1000], *word;
    struct list_source *w = grouped(want), *h = grouped(have);
    list_as_archive(w);
    if (look == AS_ARCHIVE)
        list_as_archive(h);
    show_diff(w, h, &plain, out);
    /* Contents are to be compared all over, which is not the matter here. */
    while ((word = strstr(out, " unknown")) != NULL)
        memmove(word, word + 8, strlen(word + 8) + 1);
    char kept[1000] = "";
    for (word = strtok(out, ";"); word != NULL; word = strtok(NULL, ";")) {
        word += *word == ' ';
        if (strchr(word, ' ') != NULL) {
            strcat(kept, *kept != '\0' ? "; " : "");
            strcat(kept, word);
        }
    }
    assert_string_equal(kept, text);
}

static void expect(const char *want, const char *have, const char *text)
{
    expect_one(want, have, AS_DISK, text);
    expect_one(want, have, AS_ARCHIVE, text);
}

static void test_equal_groups(void **state)
{
    (void)state;
    expect("aab", "xxy", "");
    expect("aaaa", "xxxx", "");
    expect("abab", "xyxy", "");
}

static void test_one_name_split(void **state)
{
    (void)state;
    expect("aaaa", "aaba", "t/c split(t/a)");
    expect("aaaa", "aaab", "t/d split(t/a)");
    expect("aaaa", "baaa", "t/b split(t/a)");
    expect("aa", "ab", "t/b split(t/a)");
}

static void test_one_name_joined(void **state)
{
    (void)state;
    expect("ab", "aa", "t/b joined(t/a)");
    expect("aaab", "aaaa", "t/d joined(t/a)");
    expect("baaa", "aaaa", "t/b joined(t/a)");
    expect("aabaa", "aaaaa", "t/c joined(t/a)");
}

static void test_group_in_two_parts_is_one_defect(void **state)
{
    (void)state;
    expect("aaaaaa", "aaabbb", "t/d split(t/a)");
    expect("aaabbb", "aaaaaa", "t/d joined(t/a)");
    expect("aaaa", "abab", "t/b split(t/a)");
}

static void test_moved_name(void **state)
{
    (void)state;
    expect("aabb", "aaab", "t/c joined(t/a); t/d split(t/c)");
    expect("abab", "abba", "t/c joined(t/b) split(t/a); t/d joined(t/a) split(t/b)");
}

static void test_missing_name_blames_nobody(void **state)
{
    (void)state;
    expect("aaaa", "-aaa", "t/a missing");
    expect("aaaa", "a-aa", "t/b missing");
    expect("-aaa", "aaaa", "t/a extra");
    expect("aaa-", "aaaa", "t/d extra");
    expect("aa-", "-aa", "t/a missing; t/c extra");
    expect("aa", "-a", "t/a missing");
}

static void test_contents_once_a_group(void **state)
{
    struct error err = {0};
    struct diff *d = NULL;
    const struct difference_pair *pair = NULL;
    size_t compared = 0;
    (void)state;
    struct list_source *w = grouped("aaabc"), *h = grouped("aaabb");
    list_as_archive(w);
    assert_int_equal(diff_new(list_source(w), list_source(h), &plain, &d, &err), 0);
    while (diff_next(d, &pair, &err) > 0) {
        compared += pair->group_first;
        assert_int_equal(pair->group_first, (pair->differs & DIFFERS_DATA_UNKNOWN) != 0);
    }
    assert_int_equal(compared, 3);
    assert_int_equal(list_loads(w), 3);
    diff_free(d);
    source_close(list_source(w));
    source_close(list_source(h));
}

static void test_difference_of_a_group_is_said_once(void **state)
{
    char out[1000];
    (void)state;
    struct list_source *w = grouped("aaa"), *h = grouped("aaa");
    list_at(h, "t/a")->meta.mode = list_at(h, "t/b")->meta.mode = list_at(h, "t/c")->meta.mode = 0;
    list_at(h, "t/a")->size = list_at(h, "t/b")->size = list_at(h, "t/c")->size = 7;
    list_as_archive(w);
    show_diff(w, h, &plain, out);
    assert_string_equal(out, "t/a data m");
}

static void test_symlinks_have_groups(void **state)
{
    char out[1000];
    (void)state;
    struct list_source *w = list_source_new(), *h = list_source_new();
    list_link(w, "t/a", "x");
    list_name(w, "t/b", "t/a");
    list_link(h, "t/a", "x");
    list_link(h, "t/b", "x");
    list_as_archive(w);
    show_diff(w, h, &plain, out);
    assert_string_equal(out, "t/b split(t/a)");
}

static struct hash128 kept_at(struct diff *d, enum diff_side side, int expected)
{
    struct hash128 hash = {0, 0};
    assert_int_equal(diff_kept_hash(d, side, &hash), expected);
    return hash;
}

static void test_hash_is_kept_for_further_names(void **state)
{
    struct error err = {0};
    struct diff *d = NULL;
    const struct difference_pair *pair = NULL;
    (void)state;
    struct list_source *w = grouped("aa-"), *h = grouped("-bb");
    list_as_archive(w);
    list_as_archive(h);
    list_file(w, "t/z", "x");
    list_file(h, "t/z", "x");
    assert_int_equal(diff_new(list_source(w), list_source(h), &plain, &d, &err), 0);
    assert_int_equal(diff_next(d, &pair, &err), 1);
    assert_int_equal(pair->differs, DIFFERS_MISSING);
    assert_true(pair->group_first);
    kept_at(d, DIFF_WANT, 0);
    assert_int_equal(diff_keep_hash(d, DIFF_WANT, (struct hash128){3, 4}, &err), 0);
    assert_int_equal(diff_next(d, &pair, &err), 1);
    assert_true(pair->group_first);
    assert_int_equal(pair->differs, DIFFERS_DATA_UNKNOWN);
    struct hash128 hash = kept_at(d, DIFF_WANT, 1);
    assert_true(hash.low == 3 && hash.high == 4);
    kept_at(d, DIFF_HAVE, 0);
    assert_int_equal(diff_keep_hash(d, DIFF_HAVE, (struct hash128){5, 6}, &err), 0);
    assert_int_equal(diff_next(d, &pair, &err), 1);
    assert_int_equal(pair->differs, DIFFERS_EXTRA);
    assert_false(pair->group_first);
    assert_int_equal(kept_at(d, DIFF_HAVE, 1).low, 5);
    assert_int_equal(diff_next(d, &pair, &err), 1);
    assert_int_equal(diff_keep_hash(d, DIFF_WANT, (struct hash128){7, 8}, &err), 0);
    kept_at(d, DIFF_WANT, 0);
    diff_free(d);
    source_close(list_source(w));
    source_close(list_source(h));
}

static void test_want_from_disk(void **state)
{
    struct error err = {0};
    struct diff *d = NULL;
    struct source *w = NULL;
    const struct difference_pair *pair = NULL;
    (void)state;
    struct list_source *h = grouped("aba");
    assert_int_equal(
        namegroup_new(list_source(grouped("aaa")), (struct namegroup_options){0}, &w, &err), 0);
    assert_int_equal(diff_new(w, list_source(h), &plain, &d, &err), 0);
    while (diff_next(d, &pair, &err) > 0)
        assert_int_equal((pair->differs & DIFFERS_SPLIT) != 0,
                         bytes_equal(pair->want->path, bytes_of("t/b")));
    diff_free(d);
    source_close(w);
    source_close(list_source(h));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_groups),
        cmocka_unit_test(test_one_name_split),
        cmocka_unit_test(test_one_name_joined),
        cmocka_unit_test(test_group_in_two_parts_is_one_defect),
        cmocka_unit_test(test_moved_name),
        cmocka_unit_test(test_missing_name_blames_nobody),
        cmocka_unit_test(test_contents_once_a_group),
        cmocka_unit_test(test_difference_of_a_group_is_said_once),
        cmocka_unit_test(test_symlinks_have_groups),
        cmocka_unit_test(test_hash_is_kept_for_further_names),
        cmocka_unit_test(test_want_from_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
