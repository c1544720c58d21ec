/*
 * commands.c: the table of commands, and what is done alike for each: parse, help, run.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/help.h"
#include "cli/print.h"

const struct command *const commands[] = {
    &command_backup,
    &command_restore,
    &command_mirror,
    &command_snapshot,
    &command_verify,
    &command_list,
    &command_scan,
    &command_link,
    &command_remap,
    &command_remove,
    NULL,
};

const struct option_spec common_specs[COMMON_SPEC_COUNT] = {
    {"verbose", 'v', OPTION_FLAG, offsetof(struct common_settings, verbose), NULL,
     "a line for each entry or change"},
    {"json", 0, OPTION_FLAG, offsetof(struct common_settings, json), NULL,
     "results as JSON, one object a line"},
    {"help", 'h', OPTION_FLAG, offsetof(struct common_settings, help), NULL, "this text"},
};

const struct command *command_find(const char *name)
{
    for (const struct command *const *c = commands; *c != NULL; c++) {
        if (strcmp((*c)->name, name) == 0)
            return *c;
    }
    return NULL;
}

const struct command *command_nearest(const char *name)
{
    const struct command *nearest = NULL;
    size_t best = 4;

    for (const struct command *const *c = commands; *c != NULL; c++) {
        size_t distance = text_distance((*c)->name, name);

        if (distance < best) {
            best = distance;
            nearest = *c;
        }
    }
    return nearest;
}

int command_usage_error(const char *command, const struct error *err)
{
    fprintf(stderr, "holdfast %s: ", command);
    print_problem(stderr, err);
    fprintf(stderr, "\nTry: holdfast %s --help\n", command);
    return EXIT_USAGE;
}

/* The settings behind the parsed operands: help, a wrong count, or the run itself. */
static int run_parsed(const struct command *c, void *settings, const struct text_list *operands)
{
    const struct common_settings *common = settings;
    struct error err = {0};
    int status;

    if (common->help) {
        help_print_command(stdout, c);
        return EXIT_EXACT;
    }
    if (operands->count < c->minimum || operands->count > c->maximum) {
        (void)error_set(&err, ERROR_USAGE, NULL, "%s", c->operand_help);
        status = command_usage_error(c->name, &err);
        error_release(&err);
        return status;
    }
    return c->run(settings, operands);
}

int command_run(const struct command *c, int argc, char **argv)
{
    struct text_list arguments = {0};
    struct error err = {0};
    void *settings = calloc(1, c->settings_bytes);
    int status = EXIT_STOPPED, result = settings != NULL ? 0 : error_memory(&err);

    for (int i = 0; result == 0 && i < argc; i++)
        result = text_list_append(&arguments, argv[i], &err);
    if (result == 0)
        result = options_parse(&c->options, settings, &arguments, &err);
    status = result == 0 ? run_parsed(c, settings, &arguments) : command_usage_error(c->name, &err);
    if (settings != NULL && c->release != NULL)
        c->release(settings);
    free(settings);
    text_list_release(&arguments);
    error_release(&err);
    return status;
}
