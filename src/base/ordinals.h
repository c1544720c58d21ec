/*
 * ordinals.h: a few values of 64 bits, numbered as they come: devices, volumes. What keeps very
 * many records keeps the number.
 */
#ifndef HOLDFAST_BASE_ORDINALS_H
#define HOLDFAST_BASE_ORDINALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* A zeroed struct is valid and empty. */
struct ordinals {
    uint64_t *values; /* owned; the number is the index */
    size_t count;
};

/* Frees the values; the struct is empty and can be used again. */
void ordinals_release(struct ordinals *o);
/* The number of a value; false if it has none. */
bool ordinals_find(const struct ordinals *o, uint64_t value, uint32_t *out);
/* The number of a value, which gets one if it has none. */
MUST_CHECK int ordinals_add(struct ordinals *o, uint64_t value, uint32_t *out, struct error *err);

#endif
