/*
 * Further names of an archive: they get what their first name told.
 */
#include "tree/samefile.h"

#include "support/check.h"
#include "support/list_source.h"
#include "support/stream.h"

static struct source *wrapped(struct list_source *l)
{
    struct source *s;
    struct error err = {0};

    list_as_archive(l);
    check_done(samefile_new(list_source(l), &s, &err));
    return s;
}

static void further_names_are_completed(void **state)
{
    struct list_source *l = list_source_new();
    struct entry *file, *last;
    const struct entry *e;
    struct error err = {0};

    (void)state;
    list_add(l, ENTRY_DIRECTORY, "t");
    file = list_file(l, "t/a", "content");
    file->meta.mode = 0640;
    file->meta.owner_name = "somebody";
    check_done(pairs_append(&file->meta.xattrs, bytes_of("user.x"), bytes_of("1"), &err));
    list_link(l, "t/b", "target");
    list_name(l, "t/c", "t/b");
    list_name(l, "t/d", "t/a");
    /* As an archive tells them. */
    struct source *s = wrapped(l);

    last = list_at(l, "t/d");
    last->size = 0;
    last->meta.known = 0;
    last->meta.mode = 0;
    list_at(l, "t/c")->target = bytes_of("");
    e = stream_until(s, "t/c");
    check_text(e->target, "target");
    check_text(e->first_name, "t/b");
    check_text(entry_name(e), "c");
    e = stream_until(s, "t/d");
    check_done(source_load(s, &e, &err));
    check_text(e->path, "t/d");
    check_text(e->first_name, "t/a");
    assert_int_equal(e->size, 7);
    assert_int_equal(e->meta.mode, 0640);
    assert_string_equal(e->meta.owner_name, "somebody");
    assert_int_equal(e->meta.xattrs.count, 1);
    check_text(pairs_name(&e->meta.xattrs, 0), "user.x");
    source_close(s);
}

static void others_pass_as_they_are(void **state)
{
    struct list_source *l = list_source_new();

    (void)state;
    list_add(l, ENTRY_DIRECTORY, "t");
    list_file(l, "t/a", "content");
    list_link(l, "t/b", "a");
    list_problem(l, PROBLEM_ENTRY, "t/c");
    list_problem(l, PROBLEM_CONTENT, "t");
    struct source *s = wrapped(l);

    check_stream(s, "d:t !:t f:t/a l:t/b>a ?:t/c");
    source_close(s);
}

/* A first name that was left out leaves its further names as they are. */
static void a_first_name_that_is_not_there_does_no_harm(void **state)
{
    struct list_source *l = list_source_new();
    const struct entry *e;

    (void)state;
    list_add(l, ENTRY_DIRECTORY, "t");
    list_file(l, "t/b", "content");
    struct source *s = wrapped(l);

    list_at(l, "t/b")->first_name = bytes_of("t/a");
    e = stream_until(s, "t/b");
    check_text(e->first_name, "t/a");
    source_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(further_names_are_completed),
        cmocka_unit_test(others_pass_as_they_are),
        cmocka_unit_test(a_first_name_that_is_not_there_does_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
