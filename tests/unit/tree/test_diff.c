/* diff.h: the merge, and what two entries of one path differ in. Names that are one file:
 * test_diff_groups.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/list_source.h"
#include "support/show_diff.h"
#include "tree/diff.h"

static const struct diff_options plain = {0};

/* Two equal trees to plant a difference in. */
struct two {
    struct list_source *want, *have;
};

static struct list_source *sample(void)
{
    struct list_source *l = list_source_new();
    list_add(l, ENTRY_DIRECTORY, "t");
    list_add(l, ENTRY_DIRECTORY, "t/d");
    list_file(l, "t/d/x", "");
    list_file(l, "t/d.x", "");
    list_file(l, "t/f", "");
    list_link(l, "t/l", "f");
    list_add(l, ENTRY_CHAR_DEVICE, "t/v");
    return l;
}

static struct two samples(void)
{
    return (struct two){sample(), sample()};
}

static void expect(struct two t, const struct diff_options *options, const char *text)
{
    char out[2000];
    show_diff(t.want, t.have, options, out);
    assert_string_equal(out, text);
}

static void test_equal(void **state)
{
    (void)state;
    expect(samples(), &plain, "");
}

static void test_missing_and_extra(void **state)
{
    (void)state;
    struct two t = samples();
    list_file(t.want, "t/a", "");
    list_add(t.want, ENTRY_DIRECTORY, "t/z");
    list_file(t.want, "t/z/1", "");
    list_add(t.have, ENTRY_DIRECTORY, "t/d/e");
    list_file(t.have, "t/d/e/1", "");
    expect(t, &plain, "t/a missing; t/d/e extra; t/d/e/1 extra; t/z missing; t/z/1 missing");
}

static void test_kinds(void **state)
{
    (void)state;
    struct two t = samples();
    list_at(t.want, "t/f")->kind = ENTRY_DIRECTORY;
    list_file(t.want, "t/f/1", "");
    list_at(t.have, "t/l")->kind = ENTRY_FIFO;
    expect(t, &plain, "t/f kind; t/f/1 missing; t/l kind");
}

static void test_contents(void **state)
{
    (void)state;
    struct two t = samples();
    list_file(t.want, "t/1", "abc");
    list_file(t.have, "t/1", "abcd");
    list_file(t.want, "t/2", "abc");
    list_file(t.have, "t/2", "xyz");
    list_at(t.have, "t/l")->target = bytes_of("g");
    list_at(t.have, "t/v")->device_minor = 1;
    expect(t, &plain, "t/1 data; t/2 unknown; t/l target; t/v device");
}

/* Reparse points: the buffer says all, the text may be the same. */
static void test_reparse_points(void **state)
{
    struct two t = samples();
    struct entry *want = list_link(t.want, "t/1", "a/b"), *have = list_link(t.have, "t/1", "a/b");

    (void)state;
    have->kind = want->kind = ENTRY_JUNCTION;
    want->reparse = bytes_of("one");
    have->reparse = bytes_of("two");
    want = list_link(t.want, "t/2", "a\\b");
    have = list_link(t.have, "t/2", "a\\b");
    want->reparse = have->reparse = bytes_of("one");
    have->folder_flavour = true;
    list_link(t.want, "t/3", "a/b"); /* of this system, made as one of Windows */
    list_link(t.have, "t/3", "a\\b")->reparse = bytes_of("one");
    list_link(t.have, "t/4", "a/b"); /* of Windows, made as one of this system */
    list_link(t.want, "t/4", "a\\b")->reparse = bytes_of("one");
    want = list_add(t.want, ENTRY_REPARSE, "t/5");
    have = list_add(t.have, ENTRY_REPARSE, "t/5");
    want->reparse = have->reparse = bytes_of("one");
    want->meta.mode = 0;
    expect(t, &plain, "t/1 target; t/2 target; t/4 target");
}

static void test_metadata(void **state)
{
    struct error err = {0};
    (void)state;
    struct two t = samples();
    list_at(t.have, "t")->meta.mode = 0700;
    list_at(t.have, "t/d")->meta.owner = 1;
    list_at(t.have, "t/d/x")->meta.group = 1;
    list_at(t.have, "t/d.x")->meta.mtime.nanoseconds++;
    list_at(t.have, "t/f")->meta.flags = FILE_FLAG_NODUMP;
    list_at(t.have, "t/l")->meta.mode = 0777;
    struct pairs *xattrs = &list_at(t.have, "t/v")->meta.xattrs;
    assert_int_equal(pairs_append(xattrs, bytes_of("user.x"), bytes_of("1"), &err), 0);
    expect(t, &plain, "t m; t/d o; t/d/x g; t/d.x t; t/f f; t/v x");
    t = samples();
    list_at(t.have, "t")->meta.owner = 1;
    list_at(t.have, "t/d")->meta.mode = 0700;
    struct diff_options options = {.ignore_fields = METADATA_OWNER | METADATA_GROUP};
    expect(t, &options, "t/d m");
}

static void test_unknown_fields_are_not_compared(void **state)
{
    struct error err = {0};
    (void)state;
    struct two t = samples();
    struct metadata *m = &list_at(t.have, "t/f")->meta;
    m->mode = 0;
    m->mtime.seconds = 7;
    m->known = METADATA_OWNER | METADATA_ACL;
    assert_int_equal(pairs_append(&m->xattrs, bytes_of("user.x"), bytes_of("1"), &err), 0);
    expect(t, &plain, "");
}

static void add_xattr(struct entry *e, const char *name, const char *value)
{
    struct error err = {0};
    assert_int_equal(pairs_append(&e->meta.xattrs, bytes_of(name), bytes_of(value), &err), 0);
}

/* What NTFS alone has is no matter of what comes from elsewhere. */
static void test_ntfs_metadata(void **state)
{
    struct two t = samples();

    (void)state;
    add_xattr(list_at(t.have, "t/f"), "system.ntfs_acl", "a");
    add_xattr(list_at(t.have, "t/f"), "system.ntfs_attrib", "b");
    add_xattr(list_at(t.want, "t/l"), "system.ntfs_attrib", "b");
    expect(t, &plain, "t/l x");
}

static void test_xattrs_by_name(void **state)
{
    struct bytes name;
    size_t place = 0;
    (void)state;
    struct two t = samples();
    struct entry *want = list_at(t.want, "t/f"), *have = list_at(t.have, "t/f");
    add_xattr(want, "system.posix_acl_access", "1");
    add_xattr(want, "user.a", "1");
    add_xattr(want, "user.b", "1");
    add_xattr(have, "user.a", "2");
    add_xattr(have, "user.b", "1");
    add_xattr(have, "user.c", "1");
    const char *names[] = {"system.posix_acl_access", "user.a", "user.c"};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(diff_xattrs(want, have, &place, &name), 1);
        assert_true(bytes_equal(name, bytes_of(names[i])));
    }
    assert_int_equal(diff_xattrs(want, have, &place, &name), 0);
    expect(t, &plain, "t/f xA");
}

static void test_mask_of_an_acl_is_not_the_group_mode(void **state)
{
    (void)state;
    struct two t = samples();
    add_xattr(list_at(t.want, "t/f"), "system.posix_acl_access", "1");
    add_xattr(list_at(t.have, "t/f"), "system.posix_acl_access", "1");
    list_at(t.have, "t/f")->meta.mode = 0674;
    expect(t, &plain, "");
    t = samples();
    list_at(t.have, "t/f")->meta.mode = 0674;
    expect(t, &plain, "t/f m");
}

static uint32_t time_fields(int64_t s1, uint32_t n1, int64_t s2, uint32_t n2, uint64_t grain)
{
    struct diff_options options = {.time_grain_ns = grain};
    struct entry a = {.meta = {.known = METADATA_MTIME, .mtime = {s1, n1}}};
    struct entry b = {.meta = {.known = METADATA_MTIME, .mtime = {s2, n2}}};
    return metadata_compare(&a, &b, &options);
}

static void test_time_grain(void **state)
{
    (void)state;
    assert_int_equal(time_fields(5, 199, 5, 100, 100), 0);
    assert_int_equal(time_fields(5, 200, 5, 199, 100), METADATA_MTIME);
    assert_int_equal(time_fields(5, 999, 5, 0, 1000000000), 0);
    assert_int_equal(time_fields(-2, 5, -1, 0, 2000000000), 0);
    assert_int_equal(time_fields(-1, 0, 0, 0, 2000000000), METADATA_MTIME);
    assert_int_equal(time_fields(5, 1, 5, 0, 1), METADATA_MTIME);
}

static void give_ctime(struct list_source *l, const char *path, int64_t seconds)
{
    struct metadata *m = &list_at(l, path)->meta;
    m->known |= METADATA_CTIME;
    m->ctime.seconds = seconds;
}

static void test_quick(void **state)
{
    (void)state;
    const char *names[] = {"t/1", "t/2", "t/3", "t/4"};
    struct diff_options options = {.quick = true};
    struct two t = samples();
    for (int i = 0; i < 4; i++) {
        list_file(t.want, names[i], "abc");
        list_file(t.have, names[i], "abc");
    }
    give_ctime(t.want, "t/1", 100);
    give_ctime(t.have, "t/1", 101);
    give_ctime(t.want, "t/2", 100);
    give_ctime(t.have, "t/2", 100);
    give_ctime(t.want, "t/3", 100);
    give_ctime(t.want, "t/4", 100);
    give_ctime(t.have, "t/4", 101);
    list_at(t.have, "t/4")->meta.mtime.seconds++;
    expect(t, &options, "t/2 unknown; t/3 unknown; t/4 unknown t");
}

static void test_skip(void **state)
{
    struct error err = {0};
    struct diff *d = NULL;
    const struct difference_pair *pair = NULL;
    size_t pairs = 0;
    (void)state;
    struct two t = samples();
    list_add(t.have, ENTRY_DIRECTORY, "t/d/e");
    list_file(t.have, "t/d/e/1", "");
    assert_int_equal(diff_new(list_source(t.want), list_source(t.have), &plain, &d, &err), 0);
    while (diff_next(d, &pair, &err) > 0) {
        pairs++;
        const struct entry *e = pair->want != NULL ? pair->want : pair->have;
        assert_false(path_is_within(e->path, bytes_of("t/d/")));
        if (bytes_equal(e->path, bytes_of("t/d")))
            diff_skip(d);
    }
    assert_int_equal(pairs, 6);
    assert_int_equal(list_skips(t.want), 1);
    assert_int_equal(list_skips(t.have), 1);
    diff_free(d);
    source_close(list_source(t.want));
    source_close(list_source(t.have));
}

static void test_skip_of_one_side(void **state)
{
    struct error err = {0};
    struct diff *d = NULL;
    const struct difference_pair *pair = NULL;
    (void)state;
    struct two t = samples();
    list_add(t.have, ENTRY_DIRECTORY, "t/a");
    list_file(t.have, "t/a/1", "");
    assert_int_equal(diff_new(list_source(t.want), list_source(t.have), &plain, &d, &err), 0);
    while (diff_next(d, &pair, &err) > 0) {
        if (pair->differs == DIFFERS_EXTRA)
            diff_skip(d);
        else
            assert_int_equal(pair->differs, 0);
    }
    assert_int_equal(list_skips(t.want), 0);
    assert_int_equal(list_skips(t.have), 1);
    diff_free(d);
    source_close(list_source(t.want));
    source_close(list_source(t.have));
}

static void test_unreadable_folder_hides(void **state)
{
    (void)state;
    struct two t = samples();
    list_problem(t.want, PROBLEM_CONTENT, "t/d");
    list_file(t.have, "t/d/y", "");
    list_file(t.have, "t/e", "");
    expect(t, &plain, "t/d unreadable; t/d/y extra unreadable; t/e extra");
    t = samples();
    list_problem(t.have, PROBLEM_CONTENT, "t/d");
    list_file(t.want, "t/d/y", "");
    expect(t, &plain, "t/d unreadable; t/d/y missing unreadable");
}

static void test_unreadable_entry(void **state)
{
    (void)state;
    struct two t = samples();
    list_problem(t.want, PROBLEM_ENTRY, "t/z");
    list_add(t.have, ENTRY_DIRECTORY, "t/z");
    list_file(t.have, "t/z/1", "");
    list_problem(t.want, PROBLEM_ENTRY, "t/y");
    expect(t, &plain, "t/y missing unreadable; t/z unreadable; t/z/1 extra unreadable");
}

static void test_unreadable_metadata(void **state)
{
    (void)state;
    struct two t = samples();
    list_at(t.have, "t/f")->problem_scope = PROBLEM_METADATA;
    list_at(t.have, "t/f")->meta.known = METADATA_MODE;
    list_at(t.have, "t/f")->meta.mode = 0;
    expect(t, &plain, "t/f unreadable m");
}

static void test_order_is_checked(void **state)
{
    struct error err = {0};
    struct diff *d = NULL;
    const struct difference_pair *pair = NULL;
    (void)state;
    struct two t = samples();
    list_file(t.want, "t/f", "");
    assert_int_equal(diff_new(list_source(t.want), list_source(t.have), &plain, &d, &err), 0);
    int got;
    while ((got = diff_next(d, &pair, &err)) > 0)
        continue;
    assert_int_equal(got, -1);
    assert_int_equal(err.kind, ERROR_FORMAT);
    assert_string_equal(err.path, "t/f");
    error_release(&err);
    diff_free(d);
    source_close(list_source(t.want));
    source_close(list_source(t.have));
}

static void test_unordered_want_is_looked_up(void **state)
{
    (void)state;
    struct two t = {list_source_new(), sample()};
    list_facts(t.want)->ordered = false;
    list_file(t.want, "t/z", "");
    list_file(t.want, "t/d/x", "longer");
    list_add(t.want, ENTRY_DIRECTORY, "t");
    expect(t, &plain, "t/z missing; t/d/x data");
}

static void test_unordered_have_is_refused(void **state)
{
    struct error err = {0};
    struct diff *d = NULL;
    (void)state;
    struct two t = samples();
    list_facts(t.have)->ordered = false;
    assert_int_equal(diff_new(list_source(t.want), list_source(t.have), &plain, &d, &err), -1);
    assert_int_equal(err.kind, ERROR_UNSUPPORTED);
    error_release(&err);
    source_close(list_source(t.want));
    source_close(list_source(t.have));
}

/* Takes the link for the folder that stands ready. */
struct taker {
    struct diff_adapter adapter;
    const struct entry *folder; /* or NULL */
    int asked;
};

static int take_folder(struct diff_adapter *a, const struct entry **have, struct error *err)
{
    struct taker *t = (struct taker *)a;

    (void)err;
    t->asked++;
    assert_int_equal((*have)->kind, ENTRY_SYMLINK);
    if (t->folder)
        *have = t->folder;
    return 0;
}

static void test_a_link_in_place_of_a_folder_is_asked_about(void **state)
{
    struct taker taker = {.adapter = {take_folder}};
    struct diff_options options = {.adapter = &taker.adapter};
    struct two t = samples();
    struct entry folder;

    (void)state;
    list_add(t.want, ENTRY_DIRECTORY, "t/1");
    list_file(t.want, "t/1/a", "");
    list_link(t.have, "t/1", "x");
    list_file(t.have, "t/1/a", "");
    list_file(t.have, "t/1/b", "");
    list_link(t.want, "t/2", "x"); /* none of these is: the source has no folder there, */
    list_add(t.have, ENTRY_DIRECTORY, "t/2");
    list_link(t.have, "t/3", "x");
    list_add(t.want, ENTRY_DIRECTORY, "t/4"); /* or there is no link */
    list_add(t.have, ENTRY_FIFO, "t/4");
    folder = *list_at(t.want, "t/1");
    folder.meta.mode = 0700;
    taker.folder = &folder;
    expect(t, &options, "t/1 m; t/1/b extra; t/2 kind; t/3 extra; t/4 kind");
    assert_int_equal(taker.asked, 1);
}

static void test_a_link_that_nobody_adapts_is_another_kind(void **state)
{
    struct taker taker = {.adapter = {take_folder}};
    struct diff_options options = {.adapter = &taker.adapter};
    struct two t = samples();

    (void)state;
    list_add(t.want, ENTRY_DIRECTORY, "t/1");
    list_link(t.have, "t/1", "x");
    expect(t, &options, "t/1 kind");
    assert_int_equal(taker.asked, 1);
}

static void test_a_coarser_grain_holds_from_then_on(void **state)
{
    struct two t = samples();
    struct error err = {0};
    struct diff *d = NULL;
    const struct difference_pair *pair = NULL;
    size_t differ = 0, wide = 0;

    (void)state;
    for (const char *const *path = (const char *const[]){"t", "t/d", NULL}; *path; path++) {
        list_at(t.want, *path)->meta.mtime.nanoseconds = 100;
        list_at(t.have, *path)->meta.mtime.nanoseconds = 101;
    }
    assert_int_equal(diff_new(list_source(t.want), list_source(t.have), &plain, &d, &err), 0);
    while (diff_next(d, &pair, &err) > 0) {
        differ += pair->fields != 0;
        diff_widen(d, wide++ ? 1 : 100, NULL); /* a finer one changes nothing */
    }
    assert_int_equal(differ, 1);
    diff_free(d);
    source_close(list_source(t.want));
    source_close(list_source(t.have));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal),
        cmocka_unit_test(test_missing_and_extra),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_contents),
        cmocka_unit_test(test_reparse_points),
        cmocka_unit_test(test_metadata),
        cmocka_unit_test(test_unknown_fields_are_not_compared),
        cmocka_unit_test(test_ntfs_metadata),
        cmocka_unit_test(test_xattrs_by_name),
        cmocka_unit_test(test_mask_of_an_acl_is_not_the_group_mode),
        cmocka_unit_test(test_time_grain),
        cmocka_unit_test(test_quick),
        cmocka_unit_test(test_skip),
        cmocka_unit_test(test_skip_of_one_side),
        cmocka_unit_test(test_unreadable_folder_hides),
        cmocka_unit_test(test_unreadable_entry),
        cmocka_unit_test(test_unreadable_metadata),
        cmocka_unit_test(test_order_is_checked),
        cmocka_unit_test(test_a_link_in_place_of_a_folder_is_asked_about),
        cmocka_unit_test(test_a_link_that_nobody_adapts_is_another_kind),
        cmocka_unit_test(test_a_coarser_grain_holds_from_then_on),
        cmocka_unit_test(test_unordered_want_is_looked_up),
        cmocka_unit_test(test_unordered_have_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
