/*
 * pieces.c: see pieces.h. Large pieces are malloc's.
 */
#include "base/pieces.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 32 * 1024, LARGEST = PIECES_GRAIN * PIECES_CLASSES };

static size_t class_of(size_t bytes)
{
    return bytes ? (bytes - 1) / PIECES_GRAIN : 0;
}

/* What stands at the begin of each block, and of each piece that was given back. */
static void *next_of(const void *piece)
{
    void *next;

    memcpy(&next, piece, sizeof next);
    return next;
}

static void chain(void **head, void *piece)
{
    memcpy(piece, head, sizeof *head);
    *head = piece;
}

void pieces_release(struct pieces *p)
{
    while (p->blocks) {
        void *block = p->blocks;
        p->blocks = next_of(block);
        free(block);
    }
    *p = (struct pieces){0};
}

void *pieces_take(struct pieces *p, size_t bytes, struct error *err)
{
    size_t class = class_of(bytes), whole = (class + 1) * PIECES_GRAIN;
    void *piece;

    if (bytes > LARGEST) {
        piece = malloc(bytes);
        if (!piece)
            error_memory(err);
        return piece;
    }
    if (p->given[class]) {
        piece = p->given[class];
        p->given[class] = next_of(piece);
        return piece;
    }
    if (p->left < whole) {
        uint8_t *block = malloc(BLOCK_BYTES);
        if (!block) {
            error_memory(err);
            return NULL;
        }
        chain(&p->blocks, block);
        p->at = block + sizeof(void *);
        p->left = BLOCK_BYTES - sizeof(void *);
    }
    piece = p->at;
    p->at += whole;
    p->left -= whole;
    return piece;
}

void pieces_give(struct pieces *p, void *piece, size_t bytes)
{
    if (!piece)
        return;
    if (bytes > LARGEST)
        free(piece);
    else
        chain(&p->given[class_of(bytes)], piece);
}
