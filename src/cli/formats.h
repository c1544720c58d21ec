/*
 * formats.h: which kind of archive `backup` writes, by --format or the archive's name, and what
 * such an archive may take the place of.
 */
#ifndef HOLDFAST_CLI_FORMATS_H
#define HOLDFAST_CLI_FORMATS_H

#include "archive/container.h"
#include "archive/export_format.h"
#include "cli/options.h"
#include "os/os.h"

struct archive_format {
    bool is_export;            /* not tar: what it loses is told */
    enum container container;  /* of tar */
    enum export_format format; /* else */
};

/* Chooses by the word of --format, or without one (NULL) by the end of the archive's name, "-"
 * being standard output. ERROR_USAGE names what there is. */
MUST_CHECK int formats_choose(const char *format, const char *archive, struct archive_format *out,
                              struct error *err);

/* Checks a compression level; 0 if none is set. ERROR_USAGE names the range. */
MUST_CHECK int formats_level(const struct archive_format *f, const struct option_number *level,
                             int *out, struct error *err);

/* True if the file at `path`, which is not empty, is an archive of the kind, sound or not: it may
 * be replaced by one. -1 if it cannot be opened. */
MUST_CHECK int formats_may_replace(const struct archive_format *f, const char *path,
                                   struct error *err);

#endif
