/*
 * restore.h: what the files of `holdfast restore` share; private to them.
 */
#ifndef HOLDFAST_CLI_RESTORE_H
#define HOLDFAST_CLI_RESTORE_H

#include "archive/open.h"
#include "cli/changing.h"
#include "cli/command.h"
#include "cli/mapping.h"
#include "tree/relink.h"

struct restore_settings {
    struct common_settings common;
    struct text_list roots; /* NAME=PLACE */
    struct text_list bases;
    struct map_settings map;
    struct changing_settings changing;
    const char *relink;
    bool delete_extra, keep_existing, keep_newer, map_owners, strip_absolute, salvage;
};

/* One restore on its way. */
struct restore_job {
    struct restore_settings *settings;
    const char *archive;
    const char *destination; /* or NULL: every root has its place */
    struct report report;
    struct source *source; /* the outermost */
    struct source *chosen; /* the chosen paths' wrapper (select.h; of an index filter.h), or NULL */
    bool can_reopen;       /* the archive can be read once more */
    struct opened_archive opened;
    struct bytes *paths;
    size_t path_count;
    os_handle spool;
    struct disk_root *roots;
    struct buffer places; /* the NUL-terminated names of --root */
    struct transfer transfer;
    struct transfer_redirects redirects; /* of --keep-redirects */
    struct mapping mapping;
    struct relink relink;
};

/* Fills in job->transfer.layout: where each root of the archive goes. */
MUST_CHECK int restore_make_layout(struct restore_job *job, struct error *err);
/* Puts the rules for links round job->source. */
MUST_CHECK int restore_map_links(struct restore_job *job, struct error *err);
/* After the run: the table of a dry run; else what links might still need. */
MUST_CHECK int restore_tell_links(struct restore_job *job, struct error *err);

#endif
