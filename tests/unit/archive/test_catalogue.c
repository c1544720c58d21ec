/*
 * Unordered archives laid out: which member of a name counts, parents, links in every direction.
 */
#include "archive/catalogue.h"

#include <string.h>

#include "support/check.h"
#include "support/list_source.h"
#include "support/stream.h"
#include "tree/diff.h"

static struct error err;

static struct list_source *archive(void)
{
    struct list_source *list = list_source_new();

    list_facts(list)->ordered = false;
    list_facts(list)->names_known = false;
    return list;
}

/* A member that is a hard link. */
static void add_name(struct list_source *list, const char *path, const char *first)
{
    struct entry *e = list_file(list, path, "");

    e->first_name = bytes_of(first);
    e->link_count = 0;
    e->meta.known = 0;
}

static struct source *laid_out(struct list_source *list)
{
    struct source *s;

    list_forget_identities(list);
    check_done(catalogue_new(list_source(list), CATALOGUE_WITH_HASHES, &s, &err));
    assert_true(source_facts(s)->ordered);
    return s;
}

static void check_laid_out(struct list_source *list, const char *wanted)
{
    struct source *s = laid_out(list);

    check_stream(s, wanted);
    source_close(s);
}

static bool has_content(const struct entry *e, const char *content)
{
    struct list_source *list = list_source_new();
    struct source *s = list_source(list);
    struct data *data;
    const struct entry *other;
    struct hash128 hash;

    list_file(list, "x", content);
    assert_int_equal(check_done(source_next(s, &other, &err)), 1);
    check_done(source_open_data(s, &data, &err));
    check_done(data_hash(data, &hash, &err));
    data_close(data);
    source_close(s);
    return e->has_data_hash && memcmp(&e->data_hash, &hash, sizeof hash) == 0 &&
           e->size == strlen(content);
}

static void entries_come_in_order_with_their_parents(void **state)
{
    struct list_source *list = archive();
    struct source *s;

    (void)state;
    list_file(list, "b/c/d/file", "1");
    list_file(list, "b/a", "2");
    list_add(list, ENTRY_DIRECTORY, "b/c")->meta.mode = 0700;
    list_file(list, "a.b", "3");
    list_link(list, "a/b", "x");
    s = laid_out(list);
    assert_int_equal(source_facts(s)->root_count, 3);
    assert_string_equal(source_facts(s)->roots[0].name, "a");
    assert_string_equal(source_facts(s)->roots[1].name, "a.b");
    assert_int_equal(stream_until(s, "b")->meta.known, 0);
    assert_int_equal(stream_until(s, "b/c")->meta.mode, 0700);
    check_stream(s, "d:b/c/d f:b/c/d/file");
    source_close(s);
}

static void the_last_member_of_a_name_wins(void **state)
{
    struct list_source *list = archive();
    struct source *s;
    const struct entry *e;

    (void)state;
    list_file(list, "a", "old");
    add_name(list, "b", "a");
    list_link(list, "c", "old");
    list_file(list, "a", "newer");
    add_name(list, "d", "a");
    list_add(list, ENTRY_DIRECTORY, "c");
    s = laid_out(list);
    e = stream_until(s, "a");
    assert_true(has_content(e, "newer"));
    assert_true(e->shared);
    e = stream_until(s, "b");
    assert_false(entry_is_further_name(e));
    assert_true(has_content(e, "old"));
    assert_false(e->shared);
    assert_int_equal(stream_until(s, "c")->kind, ENTRY_DIRECTORY);
    check_text(stream_until(s, "d")->first_name, "a");
    check_stream(s, "");
    source_close(s);
}

static void a_group_begins_at_its_first_name_in_order(void **state)
{
    struct list_source *list = archive();
    struct entry *file = list_file(list, "m/long/enough/to/move/first", "content");
    struct source *s;
    const struct entry *e;

    (void)state;
    file->meta.mode = 0751;
    file->meta.owner_name = "joe";
    check_done(pairs_append(&file->meta.xattrs, bytes_of("user.x"), bytes_of("1"), &err));
    add_name(list, "z", "m/long/enough/to/move/first");
    add_name(list, "b", "z");
    s = laid_out(list);
    e = stream_until(s, "b");
    assert_false(entry_is_further_name(e));
    assert_true(e->shared);
    assert_true(has_content(e, "content"));
    assert_int_equal(e->meta.mode, 0751);
    assert_string_equal(e->meta.owner_name, "joe");
    assert_int_equal(pairs_find(&e->meta.xattrs, bytes_of("user.x")), 0);
    e = stream_until(s, "m/long/enough/to/move/first");
    check_text(e->first_name, "b");
    assert_int_equal(e->meta.known, 0);
    e = stream_until(s, "z");
    check_text(e->first_name, "b");
    source_close(s);
}

static void links_of_every_kind_have_groups(void **state)
{
    struct list_source *list = archive();
    struct source *s;
    const struct entry *e;

    (void)state;
    list_link(list, "s", "target");
    add_name(list, "r", "s");
    list_add(list, ENTRY_FIFO, "p");
    add_name(list, "q", "p");
    s = laid_out(list);
    assert_int_equal(stream_until(s, "p")->kind, ENTRY_FIFO);
    assert_int_equal(stream_until(s, "q")->kind, ENTRY_FIFO);
    e = stream_until(s, "r");
    assert_int_equal(e->kind, ENTRY_SYMLINK);
    check_text(e->target, "target");
    assert_int_equal(stream_until(s, "s")->kind, ENTRY_SYMLINK);
    source_close(s);
}

static void links_may_come_before_their_file(void **state)
{
    struct list_source *list = archive();
    struct source *s;

    (void)state;
    add_name(list, "c", "b");
    add_name(list, "b", "z");
    add_name(list, "a", "b");
    list_file(list, "z", "late");
    s = laid_out(list);
    assert_true(has_content(stream_until(s, "a"), "late"));
    check_text(stream_until(s, "b")->first_name, "a");
    check_text(stream_until(s, "c")->first_name, "a");
    check_text(stream_until(s, "z")->first_name, "a");
    source_close(s);
}

static void links_without_a_file_are_problems(void **state)
{
    struct list_source *list = archive();

    (void)state;
    add_name(list, "missing", "nowhere");
    add_name(list, "behind", "missing");
    add_name(list, "circle1", "circle2");
    add_name(list, "circle2", "circle1");
    add_name(list, "into", "circle1");
    add_name(list, "self", "self");
    list_file(list, "kept", "content");
    add_name(list, "kept", "kept");
    list_add(list, ENTRY_DIRECTORY, "folder");
    add_name(list, "twin", "folder");
    check_laid_out(list, "?:behind ?:circle1 ?:circle2 d:folder ?:into f:kept ?:missing ?:self "
                         "?:twin");
}

static void problems_stay_and_make_no_parents(void **state)
{
    struct list_source *list = archive();
    struct source *s;
    const struct entry *e;
    struct entry *partly;

    (void)state;
    list_problem(list, PROBLEM_ENTRY, "lost/deep/file");
    list_problem(list, PROBLEM_ENTRY, "a");
    list_file(list, "a", "good");
    add_name(list, "b", "a");
    partly = list_file(list, "m", "content");
    partly->problem_scope = PROBLEM_METADATA;
    partly->problem = list_at(list, "lost/deep/file")->problem;
    add_name(list, "l", "m");
    list_file(list, "m", "other");
    s = laid_out(list);
    assert_int_equal(source_facts(s)->root_count, 2);
    e = stream_until(s, "b");
    assert_int_equal(e->problem_scope, PROBLEM_ENTRY);
    assert_string_equal(e->problem->detail, "planted");
    assert_int_equal(e->first_name.size, 0); /* it was the archive's, which is closed */
    e = stream_until(s, "l");
    assert_int_equal(e->problem_scope, PROBLEM_METADATA);
    assert_string_equal(e->problem->detail, "planted");
    check_stream(s, "?:lost/deep/file f:m");
    source_close(s);
}

static void a_folder_can_be_skipped(void **state)
{
    struct list_source *list = archive();
    struct source *s;

    (void)state;
    list_file(list, "a/b/c", "1");
    list_file(list, "a.b", "2");
    s = laid_out(list);
    (void)stream_until(s, "a");
    source_skip(s);
    check_stream(s, "f:a.b");
    source_close(s);
}

static void nothing_is_a_catalogue_too(void **state)
{
    (void)state;
    check_laid_out(archive(), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_come_in_order_with_their_parents),
        cmocka_unit_test(the_last_member_of_a_name_wins),
        cmocka_unit_test(a_group_begins_at_its_first_name_in_order),
        cmocka_unit_test(links_of_every_kind_have_groups),
        cmocka_unit_test(links_may_come_before_their_file),
        cmocka_unit_test(links_without_a_file_are_problems),
        cmocka_unit_test(problems_stay_and_make_no_parents),
        cmocka_unit_test(a_folder_can_be_skipped),
        cmocka_unit_test(nothing_is_a_catalogue_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
