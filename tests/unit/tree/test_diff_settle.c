/* diff.h with options.settle: an apply engine in memory does what the diff says, and the trees must
 * be equal then, whatever they were. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/list_source.h"
#include "tree/diff.h"
#include "tree/namegroup.h"

enum { NAMES = 12 };

static const char *const names[NAMES] = {"t/a", "t/b", "t/c", "t/d", "t/e", "t/f",
                                         "t/g", "t/h", "t/i", "t/j", "t/k", "t/l"};
static const char *const contents[] = {"1", "2", "long"};

/* A file of a tree: which file each name is, and what the files hold; -1 where there is no name. */
struct tree {
    int file[NAMES];
    const char *content[4 * NAMES]; /* by file */
    int files;
};

static size_t index_of(struct bytes path)
{
    for (size_t i = 0; i < NAMES; i++) {
        if (bytes_equal(path, bytes_of(names[i])))
            return i;
    }
    fail_msg("no such name");
    return 0;
}

static struct tree random_tree(void)
{
    struct tree t = {.files = 1 + rand() % NAMES};
    for (int i = 0; i < t.files; i++)
        t.content[i] = contents[rand() % 3];
    for (int i = 0; i < NAMES; i++)
        t.file[i] = rand() % 5 == 0 ? -1 : rand() % t.files;
    return t;
}

static struct list_source *list_of_tree(const struct tree *t)
{
    struct list_source *l = list_source_new();
    for (int i = 0; i < NAMES; i++) {
        int first = 0;
        while (t->file[first] != t->file[i])
            first++;
        if (t->file[i] < 0)
            continue;
        if (first == i)
            list_file(l, names[i], t->content[t->file[i]]);
        else
            list_name(l, names[i], names[first]);
    }
    return l;
}

/* The apply engine: the destination, and the list that the diff walks, whose counts change with it.
 */
struct engine {
    struct tree *tree;
    struct list_source *list;
    struct tree before; /* which entries of the list were one file */
    size_t fails;       /* one of so many changes fails; 0 = none */
    size_t changes;
    bool failed[NAMES];
};

static void count_names(struct engine *e)
{
    for (int i = 0; i < NAMES; i++) {
        uint64_t count = 0;
        for (int k = 0; k < NAMES; k++)
            count += e->tree->file[k] == e->before.file[i];
        if (e->before.file[i] >= 0 && e->tree->file[i] == e->before.file[i])
            list_at(e->list, names[i])->link_count = count;
    }
}

static enum diff_outcome change(struct engine *e, const struct difference_pair *pair, size_t i,
                                const char *content)
{
    struct tree *t = e->tree;
    if (e->fails > 0 && e->changes++ % e->fails == 0) {
        e->failed[i] = true;
        return DIFF_FAILED;
    }
    if (!pair->group_first) {
        t->file[i] = t->file[index_of(pair->other)];
        assert_true(t->file[i] >= 0);
    } else {
        t->content[t->files] = content;
        t->file[i] = t->files++;
    }
    count_names(e);
    return DIFF_REPLACED;
}

static enum diff_outcome apply(struct engine *e, const struct difference_pair *pair,
                               const char *content)
{
    struct tree *t = e->tree;
    if (pair->want == NULL) {
        t->file[index_of(pair->have->path)] = -1;
        count_names(e);
        return DIFF_KEPT;
    }
    size_t i = index_of(pair->want->path);
    uint32_t names_differ = DIFFERS_MISSING | DIFFERS_SPLIT | DIFFERS_JOINED | DIFFERS_DATA;
    if (pair->differs & names_differ)
        return change(e, pair, i, content);
    if ((pair->differs & DIFFERS_DATA_UNKNOWN) && strcmp(t->content[t->file[i]], content) != 0)
        return change(e, pair, i, content);
    return DIFF_KEPT;
}

enum look { AS_DISK, AS_ARCHIVE };

/* Makes `have` equal `want`; returns how many changes that took. Names that were made to fail are
 * marked. */
static size_t make_equal(const struct tree *want, struct tree *have, enum look look, size_t fails,
                         bool failed[NAMES])
{
    struct error err = {0};
    struct diff *d = NULL;
    struct source *w = NULL;
    const struct difference_pair *pair = NULL;
    struct diff_options options = {.settle = true};
    struct list_source *wanted = list_of_tree(want);
    struct engine e = {have, list_of_tree(have), *have, fails, 0, {false}};
    size_t changes = 0;
    if (look == AS_ARCHIVE)
        list_as_archive(wanted);
    assert_int_equal(namegroup_new(list_source(wanted), (struct namegroup_options){0}, &w, &err),
                     0);
    assert_int_equal(diff_new(w, list_source(e.list), &options, &d, &err), 0);
    while (diff_next(d, &pair, &err) > 0) {
        const char *content = NULL;
        if (pair->want != NULL)
            content = want->content[want->file[index_of(pair->want->path)]];
        enum diff_outcome outcome = apply(&e, pair, content);
        changes += outcome != DIFF_KEPT || pair->want == NULL;
        assert_int_equal(diff_settle(d, outcome, &err), 0);
    }
    memcpy(failed, e.failed, sizeof e.failed);
    diff_free(d);
    source_close(w);
    source_close(list_source(e.list));
    return changes;
}

/* Names that did not fail hold the right thing, and are one file where they should be. */
static void expect_equal(const struct tree *want, const struct tree *have, const bool failed[NAMES])
{
    for (int i = 0; i < NAMES; i++) {
        if (failed[i])
            continue;
        assert_int_equal(want->file[i] < 0, have->file[i] < 0);
        if (want->file[i] < 0)
            continue;
        assert_string_equal(want->content[want->file[i]], have->content[have->file[i]]);
        for (int k = 0; k < i; k++) {
            if (!failed[k])
                assert_int_equal(want->file[i] == want->file[k], have->file[i] == have->file[k]);
        }
    }
}

/* How many names differ when the trees are compared, not changed. */
static size_t differences(const struct tree *want, const struct tree *have, enum look look)
{
    struct error err = {0};
    struct diff *d = NULL;
    const struct difference_pair *pair = NULL;
    const struct diff_options options = {0};
    struct list_source *w = list_of_tree(want), *h = list_of_tree(have);
    size_t found = 0;
    list_as_archive(w);
    if (look == AS_ARCHIVE)
        list_as_archive(h);
    assert_int_equal(diff_new(list_source(w), list_source(h), &options, &d, &err), 0);
    while (diff_next(d, &pair, &err) > 0) {
        bool differs = (pair->differs & ~(uint32_t)DIFFERS_DATA_UNKNOWN) != 0;
        if (!differs && pair->differs != 0) {
            size_t i = index_of(pair->want->path);
            differs = strcmp(want->content[want->file[i]], have->content[have->file[i]]) != 0;
        }
        found += differs;
    }
    diff_free(d);
    source_close(list_source(w));
    source_close(list_source(h));
    return found;
}

static bool same_tree(const struct tree *a, const struct tree *b)
{
    for (int i = 0; i < NAMES; i++) {
        if ((a->file[i] < 0) != (b->file[i] < 0))
            return false;
        if (a->file[i] >= 0 && strcmp(a->content[a->file[i]], b->content[b->file[i]]) != 0)
            return false;
        for (int k = 0; k < i; k++) {
            if (a->file[i] >= 0 && (a->file[i] == a->file[k]) != (b->file[i] == b->file[k]))
                return false;
        }
    }
    return true;
}

static void test_comparing_finds_whatever_differs(void **state)
{
    bool failed[NAMES];
    (void)state;
    srand(14);
    for (int round = 0; round < 2000; round++) {
        enum look look = round % 2 == 0 ? AS_DISK : AS_ARCHIVE;
        struct tree want = random_tree(), have = random_tree();
        assert_int_equal(differences(&want, &have, look) == 0, same_tree(&want, &have));
        make_equal(&want, &have, look, 0, failed);
        assert_int_equal(differences(&want, &have, look), 0);
        /* One name that becomes a file of its own is one difference, unless it had no other. */
        int i = rand() % NAMES;
        if (have.file[i] < 0)
            continue;
        have.content[have.files] = have.content[have.file[i]];
        have.file[i] = have.files++;
        assert_int_equal(differences(&want, &have, look), !same_tree(&want, &have));
    }
}

static void test_random_trees_become_equal(void **state)
{
    bool failed[NAMES];
    (void)state;
    srand(11);
    for (int round = 0; round < 3000; round++) {
        enum look look = round % 2 == 0 ? AS_DISK : AS_ARCHIVE;
        struct tree want = random_tree(), have = random_tree();
        make_equal(&want, &have, look, 0, failed);
        expect_equal(&want, &have, failed);
    }
}

static void test_second_run_changes_nothing(void **state)
{
    bool failed[NAMES];
    (void)state;
    srand(12);
    for (int round = 0; round < 1000; round++) {
        struct tree want = random_tree(), have = random_tree();
        make_equal(&want, &have, AS_DISK, 0, failed);
        assert_int_equal(make_equal(&want, &have, AS_DISK, 0, failed), 0);
    }
}

static void test_failures_stay_where_they_are(void **state)
{
    bool failed[NAMES];
    (void)state;
    srand(13);
    for (int round = 0; round < 2000; round++) {
        struct tree want = random_tree(), have = random_tree();
        make_equal(&want, &have, AS_DISK, 2 + (size_t)round % 4, failed);
        expect_equal(&want, &have, failed);
    }
}

static void test_exchanged_groups_keep_their_data(void **state)
{
    bool failed[NAMES];
    (void)state;
    /* DESIGN 7: {a,c}=A {b}=B becomes {a,b}=B {c}=A. */
    struct tree want = {.files = 2, .content = {"A", "B"}};
    struct tree have = {.files = 2, .content = {"A", "B"}};
    for (int i = 0; i < NAMES; i++)
        want.file[i] = have.file[i] = -1;
    have.file[0] = have.file[2] = 0;
    have.file[1] = 1;
    want.file[0] = want.file[1] = 1;
    want.file[2] = 0;
    assert_int_equal(make_equal(&want, &have, AS_DISK, 0, failed), 2);
    expect_equal(&want, &have, failed);
}

/* Two lists of one file with two names each, whose ctimes say that the data was not touched since.
 */
static struct list_source *two_names(int64_t ctime)
{
    struct list_source *l = list_source_new();
    list_file(l, "t/a", "x");
    list_name(l, "t/c", "t/a");
    for (int i = 0; i < 2; i++) {
        struct metadata *m = &list_at(l, i == 0 ? "t/a" : "t/c")->meta;
        m->known |= METADATA_CTIME;
        m->ctime.seconds = ctime;
    }
    return l;
}

static void test_our_own_change_is_no_proof(void **state)
{
    struct error err = {0};
    struct diff *d = NULL;
    const struct difference_pair *pair = NULL;
    struct diff_options options = {.settle = true, .quick = true};
    (void)state;
    struct list_source *w = two_names(100), *h = two_names(200);
    list_at(w, "t/a")->identity.file[0] = 9;
    list_at(w, "t/a")->link_count = list_at(w, "t/c")->link_count = 1;
    list_at(w, "t/a")->size = 5;
    assert_int_equal(diff_new(list_source(w), list_source(h), &options, &d, &err), 0);
    assert_int_equal(diff_next(d, &pair, &err), 1);
    assert_int_equal(pair->differs, DIFFERS_DATA);
    assert_int_equal(diff_settle(d, DIFF_REPLACED, &err), 0);
    /* The inode lost its other name, which sets its ctime. */
    list_at(h, "t/c")->link_count = 1;
    assert_int_equal(diff_next(d, &pair, &err), 1);
    assert_int_equal(pair->differs, DIFFERS_DATA_UNKNOWN);
    diff_free(d);
    source_close(list_source(w));
    source_close(list_source(h));
}

static void test_kind_gives_way(void **state)
{
    struct error err = {0};
    struct diff *d = NULL;
    const struct difference_pair *pair = NULL;
    struct diff_options options = {.settle = true};
    (void)state;
    struct list_source *w = list_source_new(), *h = list_source_new();
    list_file(w, "t/a", "x");
    list_name(w, "t/b", "t/a");
    list_as_archive(w);
    list_link(h, "t/a", "x");
    list_add(h, ENTRY_FIFO, "t/b");
    assert_int_equal(diff_new(list_source(w), list_source(h), &options, &d, &err), 0);
    assert_int_equal(diff_next(d, &pair, &err), 1);
    assert_int_equal(pair->differs, DIFFERS_KIND);
    assert_true(pair->group_first);
    assert_int_equal(diff_settle(d, DIFF_REPLACED, &err), 0);
    assert_int_equal(diff_next(d, &pair, &err), 1);
    assert_int_equal(pair->differs, DIFFERS_KIND);
    assert_false(pair->group_first);
    assert_true(bytes_equal(pair->other, bytes_of("t/a")));
    diff_free(d);
    source_close(list_source(w));
    source_close(list_source(h));
}

static void test_first_name_that_comes_again_is_a_new_file(void **state)
{
    struct error err = {0};
    struct diff *d = NULL;
    const struct difference_pair *pair = NULL;
    struct diff_options options = {.settle = true};
    static const bool first[] = {true, false, true, false};
    (void)state;
    struct list_source *w = list_source_new(), *h = list_source_new();
    list_facts(w)->ordered = list_facts(w)->names_known = false;
    list_file(w, "t/a", "1");
    list_file(w, "t/b", "")->first_name = bytes_of("t/a");
    list_file(w, "t/a", "2");
    list_file(w, "t/c", "")->first_name = bytes_of("t/a");
    list_forget_identities(w);
    assert_int_equal(diff_new(list_source(w), list_source(h), &options, &d, &err), 0);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(diff_next(d, &pair, &err), 1);
        assert_int_equal(pair->differs, DIFFERS_MISSING);
        assert_int_equal(pair->group_first, first[i]);
        assert_true(bytes_equal(pair->other, bytes_of(first[i] ? "" : "t/a")));
        assert_int_equal(diff_settle(d, DIFF_REPLACED, &err), 0);
    }
    diff_free(d);
    source_close(list_source(w));
    source_close(list_source(h));
}

static void test_a_note_lasts_until_the_last_name_is_settled(void **state)
{
    static const char *const paths[] = {"t/a", "t/b", "t/c"};
    const struct diff_note note = {.device = 5, .file = 77, .names = 500, .is_made = true};
    struct hash128 key = hash_bytes(bytes_of("t/a"));
    struct error err = {0};
    struct diff *d = NULL;
    const struct difference_pair *pair = NULL;
    struct diff_options options = {.settle = true};
    struct diff_note got;
    (void)state;
    struct list_source *w = list_source_new(), *h = list_source_new();
    for (int i = 0; i < 3; i++) {
        if (i)
            list_name(w, paths[i], "t/a");
        else
            list_file(w, paths[i], "x");
    }
    list_as_archive(w);
    for (int i = 0; i < 3; i++)
        list_at(w, paths[i])->link_count = 3;
    assert_int_equal(diff_new(list_source(w), list_source(h), &options, &d, &err), 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(diff_next(d, &pair, &err), 1);
        assert_int_equal(diff_note(d, &key, &got), i > 0);
        assert_int_equal(diff_set_note(d, &key, note, &err), i > 0);
        assert_int_equal(diff_settle(d, DIFF_REPLACED, &err), 0);
        assert_int_equal(diff_set_note(d, &key, note, &err), i < 2);
        if (i < 2) {
            assert_true(diff_note(d, &key, &got));
            assert_true(got.device == 5 && got.file == 77 && got.names == 500 && got.is_made);
        }
    }
    assert_false(diff_note(d, &key, &got));
    diff_free(d);
    source_close(list_source(w));
    source_close(list_source(h));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_comparing_finds_whatever_differs),
        cmocka_unit_test(test_random_trees_become_equal),
        cmocka_unit_test(test_second_run_changes_nothing),
        cmocka_unit_test(test_failures_stay_where_they_are),
        cmocka_unit_test(test_exchanged_groups_keep_their_data),
        cmocka_unit_test(test_our_own_change_is_no_proof),
        cmocka_unit_test(test_kind_gives_way),
        cmocka_unit_test(test_first_name_that_comes_again_is_a_new_file),
        cmocka_unit_test(test_a_note_lasts_until_the_last_name_is_settled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
