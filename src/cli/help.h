/*
 * help.h: help, manual page and completion, all from the tables of command.h.
 */
#ifndef HOLDFAST_CLI_HELP_H
#define HOLDFAST_CLI_HELP_H

#include <stdio.h>

#include "cli/command.h"

/* The list of commands and where to read on. */
void help_print_program(FILE *to);
/* One command: synopsis, text, options, examples. */
void help_print_command(FILE *to, const struct command *c);
/* The manual page holdfast(1) in man(7) macros. */
void help_print_manual(FILE *to);
/* Completion of commands and options for bash. */
void help_print_completion(FILE *to);

#endif
