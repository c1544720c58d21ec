/*
 * What a run says: equal reasons in groups, ten names of each, the exit status; what programs get.
 */
#define _POSIX_C_SOURCE 200809L
#include "cli/report.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/check.h"
#include "support/folder.h"

/* Catches what a stream writes in a file of the test's folder. */
struct caught {
    FILE *stream;
    int before;
    char path[300];
    char text[20000];
};

static void catch_begin(struct caught *c, const struct folder *f, FILE *stream)
{
    int to;

    (void)snprintf(c->path, sizeof c->path, "%s/caught %d", f->path, fileno(stream));
    c->stream = stream;
    fflush(stream);
    c->before = dup(fileno(stream));
    to = fileno(fopen(c->path, "w"));
    assert_true(to >= 0 && dup2(to, fileno(stream)) >= 0);
    close(to);
}

static const char *catch_end(struct caught *c)
{
    FILE *file;
    size_t got;

    fflush(c->stream);
    assert_true(dup2(c->before, fileno(c->stream)) >= 0);
    close(c->before);
    file = fopen(c->path, "r");
    assert_non_null(file);
    got = fread(c->text, 1, sizeof c->text - 1, file);
    c->text[got] = '\0';
    fclose(file);
    return c->text;
}

static void tell_error(struct report *r, const char *path, int code)
{
    struct error problem = {0};

    (void)error_os(&problem, "open", code);
    watcher_error(&r->watcher, bytes_of(path), &problem);
    error_release(&problem);
}

static void equal_reasons_are_one_group(void **state)
{
    struct report r;
    struct caught c;

    report_init(&r, "test", (struct report_settings){0});
    tell_error(&r, "a", 13);
    tell_error(&r, "b", 2);
    tell_error(&r, "c\n\x1b[31m", 13);
    watcher_loss(&r.watcher, bytes_of("d"), "lost", NULL);
    watcher_remark(&r.watcher, (struct bytes){NULL, 0}, "by the way");
    catch_begin(&c, *state, stderr);
    assert_int_equal(report_end(&r, NULL, NULL), EXIT_INEXACT);
    assert_string_equal(catch_end(&c), "holdfast: open: Permission denied (2 times)\n"
                                       "    a\n"
                                       "    c\\x0A\\x1B[31m\n"
                                       "holdfast: b: open: No such file or directory\n"
                                       "holdfast: d: lost\n"
                                       "holdfast: note: by the way\n");
    assert_int_equal(r.errors, 3);
    assert_int_equal(r.losses, 1);
    report_release(&r);
}

static void ten_names_of_a_group_are_shown(void **state)
{
    struct report r;
    struct caught c;
    const char *text;

    report_init(&r, "test", (struct report_settings){0});
    for (int i = 0; i < 13; i++) {
        char name[16];

        (void)snprintf(name, sizeof name, "n%d", i);
        tell_error(&r, name, 13);
    }
    catch_begin(&c, *state, stderr);
    report_print_groups(&r);
    text = catch_end(&c);
    assert_non_null(strstr(text, "(13 times)"));
    assert_non_null(strstr(text, "    n9\n    and 3 more; --json names all\n"));
    assert_null(strstr(text, "n10"));
    report_release(&r);
}

/* An archive that gives a new reason for every entry does not make the report grow. */
static void reasons_without_end_are_bounded(void **state)
{
    struct report r;
    struct caught c;

    report_init(&r, "test", (struct report_settings){0});
    for (int i = 0; i < 5000; i++) {
        struct error problem = {0};

        (void)error_set(&problem, ERROR_FORMAT, NULL, "reason %d", i);
        watcher_error(&r.watcher, bytes_of("x"), &problem);
        error_release(&problem);
    }
    assert_true(r.group_count <= REPORT_GROUPS_MOST);
    assert_int_equal(r.errors, 5000);
    catch_begin(&c, *state, stderr);
    report_print_groups(&r);
    assert_non_null(strstr(catch_end(&c), "holdfast: other reasons (4"));
    report_release(&r);
}

static void the_status_says_how_it_ended(void **state)
{
    struct report r;
    struct caught c;
    struct error err = {0};

    report_init(&r, "test", (struct report_settings){0});
    watcher_remark(&r.watcher, bytes_of("a"), "only a remark");
    catch_begin(&c, *state, stderr);
    assert_int_equal(report_end(&r, NULL, NULL), EXIT_EXACT);
    (void)error_set(&err, ERROR_USAGE, NULL, "wrong");
    assert_int_equal(report_end(&r, &err, "more to do"), EXIT_USAGE);
    (void)error_set(&err, ERROR_FORMAT, "read archive", "damaged");
    assert_int_equal(report_end(&r, &err, "more to do"), EXIT_STOPPED);
    assert_non_null(strstr(catch_end(&c), "holdfast test: wrong\n"));
    assert_non_null(strstr(c.text, "holdfast test: read archive: damaged\nmore to do\n"));
    assert_null(strstr(c.text, "wrong\nmore to do"));
    report_release(&r);
    report_init(&r, "test", (struct report_settings){0});
    tell_error(&r, "a", 5);
    catch_begin(&c, *state, stderr);
    assert_int_equal(report_end(&r, NULL, NULL), EXIT_INEXACT);
    (void)catch_end(&c);
    report_release(&r);
    error_release(&err);
}

static void programs_get_a_line_for_each(void **state)
{
    struct report r;
    struct caught c;

    catch_begin(&c, *state, stdout);
    report_init(&r, "test", (struct report_settings){.json = true});
    tell_error(&r, "a\xff", 13);
    watcher_loss(&r.watcher, bytes_of("b"), "lost", NULL);
    report_json_summary(&r, 1);
    json_end(&r.json);
    (void)catch_end(&c);
    assert_ptr_equal(strstr(c.text, "{\"type\":\"header\",\"schema\":1,\"program\":\"holdfast\","),
                     c.text);
    assert_string_equal(
        strchr(c.text, '\n') + 1,
        "{\"type\":\"error\",\"path_b64\":\"Yf8=\",\"reason\":\"Permission denied\","
        "\"operation\":\"open\"}\n"
        "{\"type\":\"loss\",\"path\":\"b\",\"reason\":\"lost\"}\n"
        "{\"type\":\"summary\",\"status\":1,\"losses\":1,\"errors\":1}\n");
    report_release(&r);
}

/* Why a run stopped is told to programs, too, and counts. */
static void programs_are_told_why_it_stopped(void **state)
{
    struct report r;
    struct caught out, err_text;
    struct error err = {0};

    catch_begin(&out, *state, stdout);
    report_init(&r, "test", (struct report_settings){.json = true});
    (void)error_os(&err, "write", 28);
    (void)error_at(&err, "x", 1);
    catch_begin(&err_text, *state, stderr);
    assert_int_equal(report_end(&r, &err, NULL), EXIT_STOPPED);
    report_json_summary(&r, EXIT_STOPPED);
    json_end(&r.json);
    (void)catch_end(&err_text);
    (void)catch_end(&out);
    assert_non_null(strstr(out.text,
                           "{\"type\":\"error\",\"path\":\"x\",\"operation\":\"write\",\"reason\":"
                           "\"No space left on device\",\"fatal\":true}\n"
                           "{\"type\":\"summary\",\"status\":3,\"losses\":0,\"errors\":1}\n"));
    report_release(&r);
    error_release(&err);
}

static void a_stop_is_told_once(void **state)
{
    struct report r;
    struct caught c;
    struct error err = {0};

    report_init(&r, "test", (struct report_settings){0});
    (void)error_set(&err, ERROR_INTERRUPTED, "test", "stopped");
    catch_begin(&c, *state, stderr);
    (void)report_end(&r, &err, NULL);
    assert_string_equal(catch_end(&c), "holdfast test: stopped\n");
    report_release(&r);
    error_release(&err);
}

static void a_summary_counts_troubles(void **state)
{
    struct report r;
    struct caught c;

    report_init(&r, "test", (struct report_settings){0});
    catch_begin(&c, *state, stderr);
    report_print_troubles(&r);
    tell_error(&r, "a", 5);
    report_print_troubles(&r);
    watcher_loss(&r.watcher, bytes_of("b"), "lost", NULL);
    report_print_troubles(&r);
    assert_string_equal(catch_end(&c), "; 1 with errors; 1 with errors, 1 not exact");
    report_release(&r);
}

/* What is done inside an entry comes without a path: the line keeps the entry's. */
static void progress_keeps_the_last_path(void **state)
{
    struct report r;
    struct caught c;

    report_init(&r, "test", (struct report_settings){0});
    r.progress.shown_at_all = true;
    catch_begin(&c, *state, stderr);
    r.watcher.progress(&r.watcher, 1, 0, bytes_of("docs/a"));
    r.progress.shown = -1;
    r.watcher.progress(&r.watcher, 0, 5, (struct bytes){NULL, 0});
    assert_non_null(strstr(catch_end(&c), "docs/a"));
    report_release(&r);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(equal_reasons_are_one_group),
        TEST(ten_names_of_a_group_are_shown),
        TEST(reasons_without_end_are_bounded),
        TEST(the_status_says_how_it_ended),
        TEST(programs_get_a_line_for_each),
        TEST(programs_are_told_why_it_stopped),
        TEST(a_stop_is_told_once),
        TEST(a_summary_counts_troubles),
        TEST(progress_keeps_the_last_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
