/*
 * changes.h: what a transfer has done or, in a dry run, would do: one summary for the commands that
 * bring a place to a source's state.
 */
#ifndef HOLDFAST_CLI_CHANGES_H
#define HOLDFAST_CLI_CHANGES_H

#include "cli/report.h"
#include "disk/transfer.h"

/* The words of the summary line. */
struct changes_words {
    const char *done;   /* "restored", or "would restore" */
    const char *lacked; /* "archive": what extra names are not in */
};

/* True if a transfer changed anything. */
bool changes_any(const struct transfer *t);
/* What remains to do after a transfer that stopped by an error: static text, or NULL if it changed
 * nothing. */
const char *changes_what_remains(const struct transfer *t, const struct error *err);
/* Prints the line to standard error. */
void changes_print(const struct transfer *t, const struct changes_words *words,
                   const struct report *report);
/* Begins the summary object of --json; the caller adds fields, if any, and calls json_end. */
void changes_json(const struct transfer *t, struct report *report, int status);

#endif
