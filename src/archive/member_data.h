/*
 * member_data.h: the content of a tar member as data: read once, in ascending order, as it passes
 * by.
 */
#ifndef HOLDFAST_ARCHIVE_MEMBER_DATA_H
#define HOLDFAST_ARCHIVE_MEMBER_DATA_H

#include "archive/tar.h"
#include "tree/source.h"

struct member_data {
    struct data data;
    struct tar_decoder *decoder; /* borrowed */
    struct extent whole;         /* of a file without holes */
    size_t extent;               /* the extent that is being read */
    uint64_t within;             /* bytes of it that were read */
};

/* Makes it the content of the member that the decoder gave last, until its next one. Closing does
 * nothing: what is unread is passed over with the next member. */
void member_data_begin(struct member_data *d, struct tar_decoder *decoder,
                       const struct tar_member *m);

#endif
