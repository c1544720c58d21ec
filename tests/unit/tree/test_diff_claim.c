/* Files outside `have` that become names of want's files: each serves one group. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/check.h"
#include "support/list_source.h"
#include "tree/diff.h"

static struct error err;
static const struct identity outside = {77, {7, 0}};

static struct list_source *folder(void)
{
    struct list_source *l = list_source_new();

    list_add(l, ENTRY_DIRECTORY, "t");
    return l;
}

/* The name in `have` is one of the file outside. */
static void stand_on_it(struct list_source *have, const char *path)
{
    struct entry *e = list_file(have, path, "same");

    e->identity = outside;
    e->link_count = 2;
}

/* Goes on to the pair of that path, settling the others as kept. */
static const struct difference_pair *reach(struct diff *d, const char *path)
{
    const struct difference_pair *pair;

    while (check_done(diff_next(d, &pair, &err)) == 1) {
        const struct entry *e = pair->want ? pair->want : pair->have;
        if (bytes_equal(e->path, bytes_of(path)))
            return pair;
        check_done(diff_settle(d, DIFF_KEPT, &err));
    }
    fail_msg("%s does not come", path);
    return NULL;
}

static struct diff *begin(struct list_source *want, struct list_source *have)
{
    const struct diff_options options = {.settle = true, .quick = true};
    struct diff *d;

    check_done(diff_new(list_source(want), list_source(have), &options, &d, &err));
    return d;
}

static void finish(struct diff *d, struct list_source *want, struct list_source *have)
{
    diff_free(d);
    source_close(list_source(want));
    source_close(list_source(have));
}

static void a_second_group_is_told(void **state)
{
    struct list_source *want = folder(), *have = folder();

    (void)state;
    list_file(want, "t/a", "same");
    list_file(want, "t/b", "same");
    struct diff *d = begin(want, have);
    (void)reach(d, "t/a");
    assert_int_equal(diff_claim_of(d, &outside), DIFF_UNCLAIMED);
    check_done(diff_claim(d, &outside, &err));
    assert_int_equal(diff_claim_of(d, &outside), DIFF_UNCLAIMED);
    check_done(diff_settle(d, DIFF_REPLACED, &err));
    (void)reach(d, "t/b");
    assert_int_equal(diff_claim_of(d, &outside), DIFF_CLAIMED);
    finish(d, want, have);
}

/* A name that stands on the file is broken off behind the claim, and claims it itself before. */
static void a_name_that_stands_on_it(void **state)
{
    struct list_source *want = folder(), *have = folder();

    (void)state;
    list_file(want, "t/a", "same");
    list_file(want, "t/b", "same");
    stand_on_it(have, "t/b");
    struct diff *d = begin(want, have);
    (void)reach(d, "t/a");
    check_done(diff_claim(d, &outside, &err));
    check_done(diff_settle(d, DIFF_REPLACED, &err));
    assert_true(reach(d, "t/b")->differs & DIFFERS_JOINED);
    finish(d, want, have);

    want = folder();
    have = folder();
    list_file(want, "t/a", "same");
    list_file(want, "t/b", "same");
    stand_on_it(have, "t/a");
    d = begin(want, have);
    assert_false(reach(d, "t/a")->differs & DIFFERS_JOINED);
    check_done(diff_settle(d, DIFF_KEPT, &err));
    (void)reach(d, "t/b");
    assert_int_equal(diff_claim_of(d, &outside), DIFF_CLAIMED);
    finish(d, want, have);
}

static void a_file_that_lost_a_name_is_told(void **state)
{
    struct list_source *want = folder(), *have = folder();

    (void)state;
    list_file(want, "t/a", "other");
    list_file(want, "t/b", "same");
    stand_on_it(have, "t/a");
    struct diff *d = begin(want, have);
    (void)reach(d, "t/a");
    check_done(diff_settle(d, DIFF_REPLACED, &err));
    (void)reach(d, "t/b");
    assert_int_equal(diff_claim_of(d, &outside), DIFF_TOUCHED);
    finish(d, want, have);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_group_is_told),
        cmocka_unit_test(a_name_that_stands_on_it),
        cmocka_unit_test(a_file_that_lost_a_name_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
