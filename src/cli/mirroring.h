/*
 * mirroring.h: one folder brought to the state of another: what `mirror` and `snapshot` share, from
 * their options to the run.
 */
#ifndef HOLDFAST_CLI_MIRRORING_H
#define HOLDFAST_CLI_MIRRORING_H

#include "cli/changing.h"
#include "cli/tree.h"

struct mirroring_settings {
    struct filter_settings filter;
    struct changing_settings changing;
    const char *reflink;
};

/* The option --reflink; `member` is the struct mirroring_settings in the command's settings. */
#define REFLINK_OPTION(type, member)                                                               \
    {                                                                                              \
        "reflink", 0, OPTION_TEXT, offsetof(type, member.reflink), "WHEN",                         \
            "share blocks with the source: auto (default: where the file system can), always "     \
            "(else it is an error) or never"                                                       \
    }

enum { MIRRORING_OLDER_MOST = 20 };

/* One run on its way. */
struct mirroring {
    const struct mirroring_settings *settings;
    const char *source, *destination;
    struct report *report;
    struct transfer transfer; /* its options may be set behind mirroring_choose */
    struct transfer_older older[MIRRORING_OLDER_MOST]; /* mirroring_add_older */
    struct transfer_redirects redirects;               /* of --keep-redirects */
    bool is_first;   /* there is nothing in the destination; by mirroring_check_places */
    bool is_sparing; /* what is left out of the source stays in the destination; else it goes */
    struct tree tree;
    struct buffer root_name;
    struct disk_root root;
    struct filter_options spare;
};

/* Sets what the options say; the source has to be a folder. ERROR_USAGE. */
MUST_CHECK int mirroring_choose(struct mirroring *m, struct error *err);
/* ERROR_USAGE unless source and destination have nothing in common, whatever names and mounts lead
 * there; finds out whether it is a first copy. */
MUST_CHECK int mirroring_check_places(struct mirroring *m, struct error *err);
/* Adds an older copy (its place stays the caller's). ERROR_USAGE if it is none that files of the
 * destination can be linked to: not there, on another file system, or having something in common
 * with source or destination. */
MUST_CHECK int mirroring_add_older(struct mirroring *m, const struct transfer_older *older,
                                   struct error *err);
/* True if the folder at a path holds nothing; -1. */
MUST_CHECK int mirroring_is_empty(const char *path, struct error *err);
/* Opens the source: m->tree, whose outermost source may be wrapped once more. */
MUST_CHECK int mirroring_open(struct mirroring *m, struct error *err);
/* Runs to the end. */
MUST_CHECK int mirroring_run(struct mirroring *m, struct error *err);
void mirroring_release(struct mirroring *m);

#endif
