/*
 * owners.h: a wrapper that maps owners by name (--map-owners): where an entry's owner or group has
 * a name that exists on this system, its number here takes the place of the number that it carries.
 */
#ifndef HOLDFAST_DISK_OWNERS_H
#define HOLDFAST_DISK_OWNERS_H

#include "tree/source.h"

/* Wraps `inner`, which stays the caller's: closing the wrapper leaves it open. */
MUST_CHECK int owners_new(struct source *inner, struct source **out, struct error *err);

#endif
