/*
 * A walk that is read ahead gives what it gives by itself.
 */
#define _GNU_SOURCE
#include "disk/ahead.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/check.h"
#include "support/stream.h"
#include "support/walked.h"
#include "tree/namegroup.h"

static struct source *grouped(const struct folder *f)
{
    const struct namegroup_options options = {.count_is_hint = false};
    struct error err = {0};
    struct source *s;

    check_done(namegroup_new(walked(f), options, &s, &err));
    return s;
}

static struct source *ahead(const struct folder *f)
{
    struct error err = {0};
    struct source *s;

    check_done(ahead_new(grouped(f), walked(f), &s, &err));
    return s;
}

static void write_text(const struct folder *f, const char *path, const char *text)
{
    int fd = openat((int)f->handle, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static void make_tree(const struct folder *f)
{
    walked_dir(f, "d");
    write_text(f, "d/a", "first");
    assert_int_equal(linkat((int)f->handle, "d/a", (int)f->handle, "d/z", 0), 0);
    walked_dir(f, "d/e");
    walked_file(f, "d/e/inside");
    walked_link(f, "a", "d/l");
    write_text(f, "x", "last");
}

static void entries_come_complete_and_in_order(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    struct source *plain, *s;
    char *wanted;

    make_tree(f);
    plain = grouped(f);
    wanted = stream_text(plain);
    source_close(plain);
    s = ahead(f);
    assert_true(source_facts(s)->ordered);
    check_stream(s, wanted);
    source_close(s);
    free(wanted);

    s = ahead(f);
    const struct entry *e = stream_until(s, "t/d/a");
    check_done(source_load(s, &e, &err));
    assert_true(e->meta.known & METADATA_XATTRS);
    e = stream_until(s, "t/d/z");
    check_text(e->first_name, "t/d/a");
    assert_false(e->meta.known & METADATA_XATTRS);
    check_done(source_load(s, &e, &err));
    assert_true(e->meta.known & METADATA_XATTRS);
    check_text(e->first_name, "t/d/a");
    check_text(e->path, "t/d/z");
    source_close(s);
}

static void contents_can_be_opened(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    struct source *s;
    struct data *data;
    char bytes[10];
    size_t got;

    make_tree(f);
    s = ahead(f);
    stream_until(s, "t/d/a");
    check_done(source_open_data(s, &data, &err));
    check_done(data_read(data, 0, (struct data_span){bytes, sizeof bytes}, &got, &err));
    assert_int_equal(got, 5);
    assert_memory_equal(bytes, "first", 5);
    data_close(data);

    stream_until(s, "t/x");
    write_text(f, "x", "longer than it was");
    check_done(source_open_data(s, &data, &err));
    assert_int_equal(data->size, strlen("longer than it was"));
    data_close(data);
    write_text(f, "other", "another file");
    check_done(os_rename(f->handle, "other", f->handle, "x", &err));
    check_kind(source_open_data(s, &data, &err), ERROR_CHANGED);
    source_close(s);
}

static void what_is_in_a_skipped_folder_does_not_come(void **state)
{
    struct folder *f = *state;
    struct source *s;

    make_tree(f);
    s = ahead(f);
    stream_until(s, "t/d/e");
    source_skip(s);
    check_stream(s, "l:t/d/l>a f:t/d/z f:t/x");
    source_close(s);
}

static void it_can_be_closed_at_any_time(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    const struct entry *e;

    make_tree(f);
    source_close(ahead(f));
    struct source *s = ahead(f);
    check_done(source_next(s, &e, &err));
    source_close(s);
}

#define folder_test(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        folder_test(entries_come_complete_and_in_order),
        folder_test(contents_can_be_opened),
        folder_test(what_is_in_a_skipped_folder_does_not_come),
        folder_test(it_can_be_closed_at_any_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
