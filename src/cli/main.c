/*
 * main.c: finds the command and runs it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/help.h"
#include "cli/print.h"
#include "os/os.h"

static int unknown_command(const char *name)
{
    const struct command *nearest = command_nearest(name);

    fputs("holdfast: unknown command ", stderr);
    print_quoted(stderr, bytes_of(name));
    if (nearest != NULL)
        fprintf(stderr, "; did you mean '%s'?", nearest->name);
    fputs("\nTry: holdfast --help\n", stderr);
    return EXIT_USAGE;
}

/* Words that stand where a command would: help, version, and what the build asks for. */
static bool run_word(const char *word, int *status)
{
    *status = EXIT_EXACT;
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0)
        help_print_program(stdout);
    else if (strcmp(word, "--version") == 0)
        puts("holdfast " HOLDFAST_VERSION);
    else if (strcmp(word, "--manual-page") == 0)
        help_print_manual(stdout);
    else if (strcmp(word, "--bash-completion") == 0)
        help_print_completion(stdout);
    else
        return false;
    return true;
}

static int run(int argc, char **argv)
{
    const struct command *c;
    int status;

    if (argc < 2) {
        help_print_program(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "help") == 0 && argc > 2) {
        c = command_find(argv[2]);
        if (c == NULL)
            return unknown_command(argv[2]);
        help_print_command(stdout, c);
        return EXIT_EXACT;
    }
    if (run_word(argv[1], &status))
        return status;
    c = command_find(argv[1]);
    return c != NULL ? command_run(c, argc - 2, argv + 2) : unknown_command(argv[1]);
}

int main(int argc, char **argv)
{
    int status;

    os_prepare_process();
    os_watch_signals();
    status = run(argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        if (errno ==
            EPIPE) /* whoever read has seen enough: end as other tools do, by SIGPIPE's number */
            return 128 + 13;
        fputs("holdfast: standard output could not be written\n", stderr);
        if (status == EXIT_EXACT)
            status = EXIT_STOPPED;
    }
    return status;
}
