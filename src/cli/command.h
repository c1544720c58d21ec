/*
 * command.h: what a command is: its options, its operands, what it does. The table of all stands in
 * commands.c.
 */
#ifndef HOLDFAST_CLI_COMMAND_H
#define HOLDFAST_CLI_COMMAND_H

#include "cli/options.h"
#include "cli/report.h"

/* Options that every command has. */
struct common_settings {
    bool help;
    bool json;
    bool verbose;
};

struct command {
    const char *name;
    const char *synopsis; /* behind the name: "[OPTION...] SOURCE... ARCHIVE" */
    const char *summary;  /* one sentence for the list of commands, no full stop */
    const char *text;     /* paragraphs for --help and the manual page */
    const char *examples; /* lines of example commands */
    struct option_table options;
    size_t settings_bytes;
    size_t minimum, maximum;  /* of operands */
    const char *operand_help; /* what to say if there are too few or too many */
    /* Runs with the settings and operands; returns the exit status. `settings` begins with a struct
     * common_settings. */
    int (*run)(void *settings, const struct text_list *operands);
    void (*release)(void *settings); /* frees lists in the settings; or NULL */
};

extern const struct command *const commands[]; /* ends with NULL */
enum { COMMON_SPEC_COUNT = 3 };
extern const struct option_spec common_specs[COMMON_SPEC_COUNT];

/* The command of that name, or NULL. */
const struct command *command_find(const char *name);
/* The command whose name is nearest to a typo, or NULL. */
const struct command *command_nearest(const char *name);
/* Parses and runs one command; returns the exit status. */
int command_run(const struct command *c, int argc, char **argv);
/* Prints an error of usage with a hint to --help; returns EXIT_USAGE. */
int command_usage_error(const char *command, const struct error *err);

/* The group of struct common_settings, which stands first in each command's settings. */
#define COMMON_OPTION_GROUP                                                                        \
    {                                                                                              \
        .title = "Common options", .specs = common_specs, .count = COMMON_SPEC_COUNT               \
    }

extern const struct command command_backup, command_restore, command_mirror, command_verify,
    command_list, command_scan, command_link, command_remap, command_remove, command_snapshot;

#endif
