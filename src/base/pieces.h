/*
 * pieces.h: very many small pieces of memory, packed: a piece takes its bytes rounded up to eight,
 * and nothing beside them. What is given back serves later pieces of its size; the memory goes when
 * all do.
 */
#ifndef HOLDFAST_BASE_PIECES_H
#define HOLDFAST_BASE_PIECES_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { PIECES_GRAIN = 8, PIECES_CLASSES = 16 };

/* A zeroed struct is valid and empty. */
struct pieces {
    void *blocks; /* all that were taken from the system, each pointing to the one before it */
    uint8_t *at;  /* free room in the last one */
    size_t left;
    void *given[PIECES_CLASSES]; /* given back, by size, each pointing to the next */
};

/* Frees all pieces but those of more than PIECES_GRAIN * PIECES_CLASSES bytes, which each have to
 * be given back. */
void pieces_release(struct pieces *p);
/* A piece, aligned for pointers, its content undefined; NULL and ERROR_MEMORY on failure. */
MUST_CHECK void *pieces_take(struct pieces *p, size_t bytes, struct error *err);
/* Gives back what was taken with so many bytes. NULL is accepted. */
void pieces_give(struct pieces *p, void *piece, size_t bytes);

#endif
