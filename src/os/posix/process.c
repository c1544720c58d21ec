/*
 * process.c: the process, its clock and its terminal.
 */
#define _GNU_SOURCE
#include "os/posix/posix.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* A signal handler can reach nothing but a global: the only one. Any thread looks at it, so that it
 * is atomic; without a lock, as a handler needs it. */
static _Atomic sig_atomic_t stop_signal;

os_handle os_stdin(void)
{
    return STDIN_FILENO;
}

os_handle os_stdout(void)
{
    return STDOUT_FILENO;
}

int os_random(void *bytes, size_t count, struct error *err)
{
    char *at = bytes;

    while (count) {
        ssize_t got = getrandom(at, count, 0);
        if (got > 0) {
            at += got;
            count -= (size_t)got;
        } else if (!posix_retry(err, "get random bytes")) {
            return -1;
        }
    }
    return 0;
}

struct timestamp os_now(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (struct timestamp){now.tv_sec, (uint32_t)now.tv_nsec};
}

void os_pause(void)
{
    const struct timespec moment = {.tv_nsec = 50 * 1000 * 1000};

    (void)nanosleep(&moment, NULL);
}

double os_ticks(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Enough for whoever holds many handles; and the kernel's table of them takes 128 KiB then. */
static const rlim_t most_handles = 16384;

/* As many open handles as the system allows. The table is made as large at once: one that grows
 * later has the process wait for the other cores, ten milliseconds each time it doubles. */
static void raise_handle_limit(void)
{
    struct rlimit limit;
    rlim_t wanted = most_handles;

    if (getrlimit(RLIMIT_NOFILE, &limit))
        return;
    if (limit.rlim_max < wanted)
        wanted = limit.rlim_max;
    if (limit.rlim_cur < wanted) {
        limit.rlim_cur = wanted;
        if (setrlimit(RLIMIT_NOFILE, &limit))
            return;
    }
    int last = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, (int)wanted - 1);
    if (last >= 0)
        close(last);
}

size_t os_handle_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit))
        return 256;
    return limit.rlim_cur < SIZE_MAX ? (size_t)limit.rlim_cur : SIZE_MAX;
}

size_t os_core_count(void)
{
    cpu_set_t cores;
    long online;

    if (sched_getaffinity(0, sizeof cores, &cores) == 0)
        return (size_t)CPU_COUNT(&cores);
    /* A machine of more cores than the set has room for. */
    online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (size_t)online : 1;
}

bool os_is_privileged(void)
{
    return geteuid() == 0;
}

uint64_t os_user(void)
{
    return geteuid();
}

const char *os_system_name(void)
{
    return "linux";
}

/* Until the process is set up: what most systems have. */
static mode_t users_umask = 022;

void os_prepare_process(void)
{
    users_umask = umask(0);
    (void)signal(SIGPIPE, SIG_IGN);
    raise_handle_limit();
}

uint32_t os_default_mode(void)
{
    return 0666 & ~(uint32_t)users_umask;
}

uint32_t os_default_folder_mode(void)
{
    return 0777 & ~(uint32_t)users_umask;
}

static void on_signal(int number)
{
    /* Whoever asks twice shall not have to wait for our tidying up: the next one ends the process.
     */
    if (stop_signal)
        (void)signal(number, SIG_DFL);
    stop_signal = number;
}

void os_watch_signals(void)
{
    static const int watched[] = {SIGINT, SIGTERM, SIGHUP};
    /* Without SA_RESTART: a waiting read returns, so that the stop is seen. */
    struct sigaction action = {.sa_handler = on_signal};
    struct sigaction before;

    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof watched / sizeof *watched; i++) {
        /* What the parent had ignored (nohup) stays ignored. */
        if (!sigaction(watched[i], NULL, &before) && before.sa_handler != SIG_IGN)
            (void)sigaction(watched[i], &action, NULL);
    }
}

int os_stop_requested(void)
{
    return stop_signal;
}

bool os_is_terminal(os_handle handle, unsigned *columns)
{
    struct winsize size;

    *columns = 0;
    if (!isatty(posix_fd(handle)))
        return false;
    if (!ioctl(posix_fd(handle), TIOCGWINSZ, &size))
        *columns = size.ws_col;
    return true;
}
