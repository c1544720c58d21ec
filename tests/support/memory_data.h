/*
 * memory_data.h: a file's content in memory, of any apparent size, that says how much of it was
 * read.
 */
#ifndef HOLDFAST_TESTS_MEMORY_DATA_H
#define HOLDFAST_TESTS_MEMORY_DATA_H

#include "tree/source.h"

/* A piece of data; the rest are zeros. */
struct memory_piece {
    uint64_t offset;
    struct bytes bytes; /* borrowed */
};

struct memory_options {
    uint64_t size;
    size_t most;      /* bytes a read gives at most; 0 = all that was asked for */
    bool dense;       /* one extent over everything, holes are read as zeros */
    bool sequential;  /* an offset that goes back fails the test */
    uint64_t cut;     /* reads end here, as if the file had been cut; 0 = not */
    uint64_t fail_at; /* reading the byte here is an error; 0 = not */
};

/* Content from pieces in ascending order, which do not touch. Closed with data_close. */
struct data *memory_data(const struct memory_options *options, const struct memory_piece *pieces,
                         size_t piece_count);
/* Content from a text. */
struct data *memory_data_text(const char *text);

/* Bytes read so far. */
uint64_t memory_data_read(const struct data *d);

#endif
