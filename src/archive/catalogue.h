/*
 * catalogue.h: an unordered archive (another tool's) read once and laid out in canonical order: the
 * last member of a name wins, missing parents are made up, name groups begin at their first name.
 * For list, scan and verify. Contents are hashed as they pass, not kept. Memory: all entries.
 */
#ifndef HOLDFAST_ARCHIVE_CATALOGUE_H
#define HOLDFAST_ARCHIVE_CATALOGUE_H

#include "tree/source.h"

enum catalogue_contents { CATALOGUE_WITHOUT_HASHES, CATALOGUE_WITH_HASHES };

/* Reads `inner` to its end and closes it on success. The new source's entries carry data_hash
 * instead of contents, if asked for. */
MUST_CHECK int catalogue_new(struct source *inner, enum catalogue_contents contents,
                             struct source **out, struct error *err);

#endif
