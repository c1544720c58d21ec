/*
 * jobs.h: -j, the number of threads that work for a command.
 */
#ifndef HOLDFAST_CLI_JOBS_H
#define HOLDFAST_CLI_JOBS_H

#include "cli/options.h"

/* The number that was given, or that of the processor's cores. ERROR_USAGE if it makes no sense. */
MUST_CHECK int jobs_choose(const struct option_number *given, size_t *out, struct error *err);

#endif
