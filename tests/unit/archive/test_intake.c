/*
 * What a backup takes in: complete entries in order, small contents read, larger ones open, and
 * whatever of it nobody takes is given back.
 */
#include "archive/intake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/tar.h"
#include "support/check.h"
#include "support/list_source.h"
#include "support/memory_data.h"

static struct error err;

/* ---- A source that counts what it holds open ---- */

struct counting {
    struct source base;
    struct source *inner;
    const struct entry *last;
    uint64_t content_bytes; /* of each file */
    int opens;              /* so far */
    int fails;              /* the open of that number, from 1 */
};

static int open_now; /* contents that are not closed yet */

struct counted_data {
    struct data base;
    struct data *inner;
};

static int counted_read(struct data *d, uint64_t offset, struct data_span span, size_t *got,
                        struct error *e)
{
    return data_read(((struct counted_data *)d)->inner, offset, span, got, e);
}

static void counted_close(struct data *d)
{
    data_close(((struct counted_data *)d)->inner);
    free(d);
    __atomic_sub_fetch(&open_now, 1, __ATOMIC_SEQ_CST);
}

static const struct data_ops counted_ops = {.read = counted_read, .close = counted_close};

static struct counting *counting_of(struct source *s)
{
    return (struct counting *)s;
}

static int counting_next(struct source *s, const struct entry **out, struct error *e)
{
    int more = source_next(counting_of(s)->inner, out, e);

    counting_of(s)->last = *out;
    return more;
}

static int counting_load(struct source *s, const struct entry **out, struct error *e)
{
    return source_load(counting_of(s)->inner, out, e);
}

static int counting_open(struct source *s, struct data **out, struct error *e)
{
    struct counting *c = counting_of(s);
    struct memory_options options = {.size = c->content_bytes, .dense = true};
    struct memory_piece piece = {.bytes = bytes_of("x")};
    struct counted_data *d;

    if (++c->opens == c->fails) {
        (void)error_os(e, "open", 13);
        return error_at(e, (const char *)c->last->path.data, c->last->path.size);
    }
    d = calloc(1, sizeof *d);
    assert_non_null(d);
    d->inner = memory_data(&options, &piece, 1);
    d->base = *d->inner;
    d->base.ops = &counted_ops;
    __atomic_add_fetch(&open_now, 1, __ATOMIC_SEQ_CST);
    *out = &d->base;
    return 0;
}

static const struct source_facts *counting_facts(struct source *s)
{
    return source_facts(counting_of(s)->inner);
}

static const struct source_ops ops = {.next = counting_next,
                                      .load = counting_load,
                                      .open_data = counting_open,
                                      .facts = counting_facts};

static struct counting counting(struct list_source *list, uint64_t content_bytes)
{
    open_now = 0;
    return (struct counting){
        .base.ops = &ops, .inner = list_source(list), .content_bytes = content_bytes};
}

static struct intake *intake(struct counting *c)
{
    struct intake_options options = {.reads = true};
    struct intake *in;

    check_done(intake_new(&c->base, &options, &in, &err));
    return in;
}

static void finish(struct intake *in, struct counting *c)
{
    intake_free(in);
    assert_int_equal(open_now, 0);
    source_close(c->inner);
}

static const struct intake_item *next_item(struct intake *in)
{
    struct intake_item *item;

    assert_int_equal(check_done(intake_next(in, &item, &err)), 1);
    return item;
}

static void check_end(struct intake *in)
{
    struct intake_item *item;

    assert_int_equal(check_done(intake_next(in, &item, &err)), 0);
}

/* A folder with `count` files, whose names are kept in `names`. */
enum { NAME_BYTES = 24 };

static struct list_source *files(char (*names)[NAME_BYTES], size_t count)
{
    struct list_source *list = list_source_new();

    list_add(list, ENTRY_DIRECTORY, "t");
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(names[i], NAME_BYTES, "t/%05zu", i);
        list_file(list, names[i], "content");
    }
    return list;
}

/* ---- Tests ---- */

static void entries_come_complete_and_in_order(void **state)
{
    static char names[5000][NAME_BYTES];
    struct list_source *list = files(names, 5000);
    struct counting c = counting(list, 300);
    struct intake *in;

    (void)state;
    list_link(list, "t/link", "target");
    in = intake(&c);
    assert_int_equal(next_item(in)->content, INTAKE_NOTHING);
    for (size_t i = 0; i < 5000; i++) {
        const struct intake_item *item = next_item(in);

        check_text(item->entry.path, names[i]);
        assert_int_equal(item->content, INTAKE_READ);
        assert_int_equal(item->bytes.size, 300);
        assert_int_equal(item->bytes.data[0], 'x');
        assert_int_equal(item->data->size, 300);
        assert_true(item->reading->whole);
    }
    check_text(next_item(in)->entry.target, "target");
    check_end(in);
    assert_int_equal(list_loads(list), 5002);
    finish(in, &c);
}

static void larger_contents_are_open_and_few_at_a_time(void **state)
{
    static char names[200][NAME_BYTES];
    struct counting c = counting(files(names, 200), 1 << 20);
    struct intake *in = intake(&c);
    int most = 0;

    (void)state;
    (void)next_item(in);
    for (size_t i = 0; i < 200; i++) {
        const struct intake_item *item = next_item(in);
        int now = __atomic_load_n(&open_now, __ATOMIC_SEQ_CST);

        assert_int_equal(item->content, INTAKE_OPEN);
        assert_int_equal(item->data->size, 1 << 20);
        most = now > most ? now : most;
    }
    assert_in_range(most, 1, 48);
    check_end(in);
    finish(in, &c);
}

static void what_nobody_takes_is_closed(void **state)
{
    static char names[200][NAME_BYTES];

    (void)state;
    for (size_t taken = 0; taken < 30; taken += 7) {
        struct counting c = counting(files(names, 200), 1 << 20);
        struct intake *in = intake(&c);

        for (size_t i = 0; i < taken; i++)
            (void)next_item(in);
        finish(in, &c);
    }
}

static void an_entry_may_be_larger_than_a_block(void **state)
{
    enum { PATH_BYTES = 900000 };
    char *path = malloc(PATH_BYTES + 1);
    struct list_source *list = list_source_new();
    struct counting c;
    struct intake *in;

    (void)state;
    assert_non_null(path);
    memset(path, 'n', PATH_BYTES);
    path[PATH_BYTES] = '\0';
    memcpy(path, "t/", 2);
    list_add(list, ENTRY_DIRECTORY, "t");
    list_file(list, path, "content");
    list_file(list, "t/z", "content");
    c = counting(list, 10);
    in = intake(&c);
    (void)next_item(in);
    check_text(next_item(in)->entry.path, path);
    check_text(next_item(in)->entry.path, "t/z");
    check_end(in);
    finish(in, &c);
    free(path);
}

/* Names of one file, the first of which cannot be opened: the second stands in, the third does not.
 */
static void a_further_name_stands_in(void **state)
{
    static char names[1][NAME_BYTES];
    struct list_source *list = files(names, 1);
    struct counting c = counting(list, 10);
    struct intake *in;
    const struct intake_item *item;

    (void)state;
    list_name(list, "t/1", names[0]);
    list_name(list, "t/2", names[0]);
    list_as_archive(list);
    c.fails = 1;
    in = intake(&c);
    (void)next_item(in);
    item = next_item(in);
    assert_int_equal(item->content, INTAKE_FAILED);
    assert_int_equal(item->trouble->os_code, 13);
    assert_string_equal(item->trouble->path, names[0]);
    item = next_item(in);
    assert_true(item->stands_in);
    assert_int_equal(item->content, INTAKE_READ);
    check_text(item->entry.first_name, names[0]);
    item = next_item(in);
    assert_false(item->stands_in);
    assert_int_equal(item->content, INTAKE_NOTHING);
    check_end(in);
    finish(in, &c);
}

static void problems_keep_their_place(void **state)
{
    static char names[1][NAME_BYTES];
    struct list_source *list = files(names, 1);
    struct counting c = counting(list, 10);
    struct intake *in;
    const struct intake_item *item;

    (void)state;
    list_problem(list, PROBLEM_ENTRY, "t/1");
    in = intake(&c);
    (void)next_item(in);
    (void)next_item(in);
    item = next_item(in);
    assert_int_equal(item->entry.problem_scope, PROBLEM_ENTRY);
    assert_string_equal(item->entry.problem->detail, "planted");
    check_end(in);
    finish(in, &c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_come_complete_and_in_order),
        cmocka_unit_test(larger_contents_are_open_and_few_at_a_time),
        cmocka_unit_test(what_nobody_takes_is_closed),
        cmocka_unit_test(an_entry_may_be_larger_than_a_block),
        cmocka_unit_test(a_further_name_stands_in),
        cmocka_unit_test(problems_keep_their_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
