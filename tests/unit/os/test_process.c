/*
 * The process: clock, chance, signals, what errors mean.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/os.h"
#include "support/check.h"

static void the_clock_runs(void **state)
{
    double before = os_ticks();

    (void)state;
    assert_true(os_ticks() >= before);
}

static void time_goes_by(void **state)
{
    struct timestamp before = os_now();

    (void)state;
    os_pause();
    assert_int_equal(timestamp_compare(before, os_now()), -1);
    assert_true(before.seconds > 1700000000);
}

static void random_bytes_differ(void **state)
{
    struct error err = {0};
    uint8_t a[64] = {0}, b[64] = {0};

    (void)state;
    check_done(os_random(a, sizeof a, &err));
    check_done(os_random(b, sizeof b, &err));
    assert_memory_not_equal(a, b, sizeof a);
}

static void a_pipe_is_no_terminal(void **state)
{
    int ends[2];
    unsigned columns = 7;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_false(os_is_terminal(ends[0], &columns));
    assert_int_equal(columns, 0);
    os_close(ends[0]);
    os_close(ends[1]);
    assert_string_equal(os_system_name(), "linux");
    assert_true(os_stdin() == 0 && os_stdout() == 1);
    assert_int_equal(os_is_privileged(), os_user() == 0);
}

/* In a child: a waiting read returns on the first signal, and the third SIGINT ends the process. */
static int be_interrupted(void)
{
    struct error err = {0};
    int ends[2];
    char byte;
    size_t got;

    os_watch_signals();
    if (os_stop_requested() || pipe(ends))
        return 1;
    (void)alarm(20);
    pid_t self = getpid();
    pid_t child = fork();
    if (child == 0) {
        (void)usleep(100000);
        _exit(kill(self, SIGINT));
    }
    if (os_read(ends[0], &byte, 1, &got, &err) != -1 || err.kind != ERROR_INTERRUPTED)
        return 2;
    if (os_stop_requested() != SIGINT)
        return 3;
    (void)raise(SIGINT);
    (void)raise(SIGINT);
    return 4;
}

static void a_signal_asks_for_a_stop(void **state)
{
    pid_t child = fork();
    int status;

    (void)state;
    if (child == 0)
        _exit(be_interrupted());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGINT);
}

static void what_the_parent_ignores_stays_ignored(void **state)
{
    pid_t child = fork();
    int status;

    (void)state;
    if (child == 0) {
        (void)signal(SIGHUP, SIG_IGN);
        os_watch_signals();
        (void)raise(SIGHUP);
        _exit(os_stop_requested());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void a_closed_pipe_is_an_error_and_no_signal(void **state)
{
    struct error err = {0};
    int ends[2];

    (void)state;
    os_prepare_process();
    assert_int_equal(pipe(ends), 0);
    os_close(ends[0]);
    assert_int_equal(os_write(ends[1], "x", 1, &err), -1);
    assert_true(os_error_is_closed_pipe(&err));
    error_release(&err);
    os_close(ends[1]);
}

static void error_numbers_have_meanings(void **state)
{
    static const struct {
        int code;
        bool (*is)(const struct error *err);
    } cases[] = {
        {ENOENT, os_error_is_missing},      {EEXIST, os_error_is_exists},
        {EPERM, os_error_is_permission},    {EACCES, os_error_is_permission},
        {ENOTSUP, os_error_is_unsupported}, {ENOSYS, os_error_is_unsupported},
        {EXDEV, os_error_is_cross_device},  {ENOSPC, os_error_is_full},
        {EDQUOT, os_error_is_full},         {ELOOP, os_error_is_link},
        {ENOTDIR, os_error_is_link},        {ENOTEMPTY, os_error_is_not_empty},
        {EPIPE, os_error_is_closed_pipe},   {ENAMETOOLONG, os_error_is_too_long},
    };
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        error_os(&err, "test", cases[i].code);
        assert_true(cases[i].is(&err));
        error_os(&err, "test", EIO);
        assert_false(cases[i].is(&err));
    }
    assert_true(os_error_is_broken(&err));
    error_os(&err, "test", ENOSPC);
    assert_false(os_error_is_broken(&err));
    error_set(&err, ERROR_UNSUPPORTED, "test", "x");
    assert_true(os_error_is_unsupported(&err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_clock_runs),
        cmocka_unit_test(time_goes_by),
        cmocka_unit_test(random_bytes_differ),
        cmocka_unit_test(a_pipe_is_no_terminal),
        cmocka_unit_test(a_signal_asks_for_a_stop),
        cmocka_unit_test(what_the_parent_ignores_stays_ignored),
        cmocka_unit_test(a_closed_pipe_is_an_error_and_no_signal),
        cmocka_unit_test(error_numbers_have_meanings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
