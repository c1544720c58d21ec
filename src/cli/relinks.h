/*
 * relinks.h: the option --relink FILE: restore writes the file (tree/relink.h), backup reads it.
 */
#ifndef HOLDFAST_CLI_RELINKS_H
#define HOLDFAST_CLI_RELINKS_H

#include "tree/relink.h"

/* What to do if there is no such file. */
enum relinks_lack { RELINKS_MUST_BE, RELINKS_MAY_LACK };
/* Reads a file into an initialised struct. ERROR_USAGE if it cannot be read or is none. */
MUST_CHECK int relinks_load(const char *path, enum relinks_lack lack, struct relink *out,
                            struct error *err);
/* ERROR_USAGE if the file could not be written: known before anything else is. */
MUST_CHECK int relinks_check(const char *path, struct error *err);
/* Writes the file, whole or not at all, if anything was added to what was read. */
MUST_CHECK int relinks_save(const char *path, const struct relink *r, struct error *err);

#endif
