/*
 * changing.h: how a folder is changed: the options that the commands which run a transfer share.
 */
#ifndef HOLDFAST_CLI_CHANGING_H
#define HOLDFAST_CLI_CHANGING_H

#include "cli/options.h"
#include "disk/transfer.h"

struct changing_settings {
    struct option_number jobs;
    const char *foreign_links, *windows_names;
    bool checksum, clear_flags, keep_redirects, owner, dry_run, no_sync;
};

/* The group of options: all of them, or those for a folder that is new. `member` is the struct
 * changing_settings in the command's settings. */
enum { CHANGING_NEW_COUNT = 8, CHANGING_SPEC_COUNT };
extern const struct option_spec changing_specs[CHANGING_SPEC_COUNT];
#define CHANGING_OPTION_GROUP(type, member, spec_count)                                            \
    {                                                                                              \
        .title = "How the folder is changed", .specs = changing_specs, .count = (spec_count),      \
        .offset = offsetof(type, member)                                                           \
    }

/* Sets what the options say; for --keep-redirects `redirects`, which is borrowed. ERROR_USAGE for
 * words and numbers that make no sense. */
MUST_CHECK int changing_choose(const struct changing_settings *s,
                               const struct transfer_redirects *redirects,
                               struct transfer_options *out, struct error *err);
/* An ordinary user's run leaves owners unless --owner is given; t->watcher is told. */
void changing_leave_owners(const struct changing_settings *s, struct transfer *t);

#endif
