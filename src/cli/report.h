/*
 * report.h: what a run has to say: gathers losses and errors in groups of equal reasons, prints
 * changes and progress, and decides the exit status (DESIGN 9).
 */
#ifndef HOLDFAST_CLI_REPORT_H
#define HOLDFAST_CLI_REPORT_H

#include "cli/json.h"
#include "tree/watcher.h"

/* Exit statuses; 128 + signal number on a signal. */
enum exit_status {
    EXIT_EXACT = 0,
    EXIT_INEXACT = 1,
    EXIT_USAGE = 2,
    EXIT_STOPPED = 3,
};

/* Names that are shown of each group; --json tells all. Reasons beyond the most groups are counted
 * together. */
enum { REPORT_NAMES_SHOWN = 10, REPORT_GROUPS_MOST = 200 };

struct report_group {
    enum notice_kind kind;
    char *reason;
    uint64_t count;
    struct buffer names[REPORT_NAMES_SHOWN];
};

struct report_settings {
    bool json;
    bool verbose;      /* a line an entry or change */
    bool show_changes; /* a line a change: dry runs */
};

/* The state of the progress line. */
struct report_progress {
    bool shown_at_all; /* standard error is a terminal */
    bool on_screen;
    unsigned columns;
    uint64_t entries, bytes;
    double started, shown;
    struct buffer path; /* where the run is */
};

struct report {
    struct watcher watcher;
    struct report_settings settings;
    const char *command;
    struct json json;
    struct report_group *groups;
    size_t group_count;
    uint64_t losses, errors;
    struct report_progress progress;
};

/* Begins; with --json the header line is written. */
void report_init(struct report *r, const char *command, struct report_settings settings);
void report_release(struct report *r);
/* Takes the progress line off the screen; before anything else is printed. */
void report_clear_progress(struct report *r);
/* Prints the groups to standard error: "NAME: open: Permission denied", or the reason, how often it
 * came, and names. */
void report_print_groups(struct report *r);
/* Ends a run: prints the groups, then, if `stopped` is set, why the run stopped and `remains`, what
 * there is to do; with --json an error object that is "fatal", too. Returns the exit status: that
 * of a signal, EXIT_STOPPED (or EXIT_USAGE for ERROR_USAGE), or by what was told. */
int report_end(struct report *r, const struct error *stopped, const char *remains);
/* Appends to a summary line on standard error how many entries failed or are not exact, if any. */
void report_print_troubles(const struct report *r);
/* Begins the summary object of --json, with counts of losses and errors; the caller adds fields and
 * calls json_end. */
void report_json_summary(struct report *r, int status);

#endif
