/*
 * kill_at.c: runs a command and kills it at its Nth system call that changes something, of all its
 * threads together, before the kernel carries it out.
 *
 * usage: kill_at N COMMAND [ARGUMENT]...
 *
 * Exit status: 137 if it was killed there, else that of the command, which made fewer such calls.
 * With N = 0 it runs to its end, and the count of its calls is written to standard error as the
 * last line.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/fs.h>
#include <linux/ptrace.h>

enum { KILLED = 128 + SIGKILL, TROUBLE = 125 };

/* Calls that change something whatever their arguments are. */
static const long changing[] = {
    SYS_mkdirat,
    SYS_mknodat,
    SYS_symlinkat,
    SYS_linkat,
    SYS_unlinkat,
    SYS_renameat2,
    SYS_fchmod,
    SYS_fchmodat,
    SYS_fchown,
    SYS_fchownat,
    SYS_utimensat,
    SYS_ftruncate,
    SYS_fallocate,
    SYS_setxattr,
    SYS_lsetxattr,
    SYS_fsetxattr,
    SYS_removexattr,
    SYS_lremovexattr,
    SYS_fremovexattr,
    SYS_pwrite64,
    SYS_pwritev,
    SYS_pwritev2,
    SYS_copy_file_range,
    SYS_syncfs,
    SYS_fsync,
    SYS_fdatasync,
    SYS_sync,
    452 /* fchmodat2 */,
    463 /* setxattrat */,
    466 /* removexattrat */,
#ifdef SYS_rename /* systems that have the older calls, too */
    SYS_mkdir,
    SYS_mknod,
    SYS_symlink,
    SYS_link,
    SYS_unlink,
    SYS_rmdir,
    SYS_rename,
    SYS_renameat,
    SYS_chmod,
    SYS_chown,
    SYS_lchown,
    SYS_utime,
    SYS_utimes,
    SYS_futimesat,
    SYS_truncate,
    SYS_creat,
#endif
};

static bool opens_to_change(uint64_t flags)
{
    return (flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC));
}

static bool changes(const struct ptrace_syscall_info *info)
{
    const __u64 *args = info->entry.args;
    long call = (long)info->entry.nr;

    for (size_t i = 0; i < sizeof changing / sizeof *changing; i++) {
        if (changing[i] == call)
            return true;
    }
    if (call == SYS_openat)
        return opens_to_change(args[2]);
    if (call == SYS_write)
        return args[0] > 2; /* what is told is no change */
    if (call == SYS_ioctl)
        return args[1] == FICLONE || args[1] == FICLONERANGE || args[1] == FS_IOC_SETFLAGS ||
               args[1] == FS_IOC_FSSETXATTR;
#ifdef SYS_open
    if (call == SYS_open)
        return opens_to_change(args[1]);
#endif
    return false;
}

static void must(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "kill_at: %s: %s\n", what, strerror(errno));
    exit(TROUBLE);
}

/* True if the stopped thread is about to make a call that changes something. */
static bool is_at_change(pid_t thread)
{
    struct ptrace_syscall_info info;
    long got = ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof info, &info);

    return got > 0 && info.op == PTRACE_SYSCALL_INFO_ENTRY && changes(&info);
}

/* The signal that a stop is about, which the thread is to get; 0 if it is the tracer's own. */
static int signal_of(int status)
{
    int number = WSTOPSIG(status);

    if (number == (SIGTRAP | 0x80) || number == SIGTRAP || number == SIGSTOP || status >> 16)
        return 0;
    return number;
}

/* Follows all threads until the process is over; the status that it ended with. */
static int follow(pid_t process, uint64_t at, uint64_t *count)
{
    int status, end = TROUBLE << 8;
    pid_t thread;

    while ((thread = waitpid(-1, &status, __WALL)) > 0) {
        if (!WIFSTOPPED(status)) {
            if (thread == process)
                end = status;
            continue;
        }
        if (WSTOPSIG(status) == (SIGTRAP | 0x80) && is_at_change(thread) && ++*count == at)
            kill(process, SIGKILL);
        /* A thread that was killed meanwhile is none any more. */
        (void)ptrace(PTRACE_SYSCALL, thread, NULL, signal_of(status));
    }
    return end;
}

int main(int argc, char **argv)
{
    const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL;
    uint64_t count = 0;
    int status;

    if (argc < 3) {
        fprintf(stderr, "usage: kill_at N COMMAND [ARGUMENT]...\n");
        return TROUBLE;
    }
    uint64_t at = strtoull(argv[1], NULL, 10);
    pid_t process = fork();
    must(process >= 0, "fork");
    if (process == 0) {
        must(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0, "trace");
        raise(SIGSTOP);
        execvp(argv[2], argv + 2);
        must(false, argv[2]);
    }
    must(waitpid(process, &status, 0) == process && WIFSTOPPED(status), "wait");
    must(ptrace(PTRACE_SETOPTIONS, process, NULL, options) == 0, "set options");
    must(ptrace(PTRACE_SYSCALL, process, NULL, 0) == 0, "run");
    status = follow(process, at, &count);
    if (!at)
        fprintf(stderr, "%" PRIu64 "\n", count);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
