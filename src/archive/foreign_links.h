/*
 * foreign_links.h: hard links of cpio archives. Its newer forms give all names of a file but the
 * last a size of 0 and the data to the last. Here names are held back until the one with the data
 * has come, which becomes the first name, and are given out behind it. Private to the adapter.
 */
#ifndef HOLDFAST_ARCHIVE_FOREIGN_LINKS_H
#define HOLDFAST_ARCHIVE_FOREIGN_LINKS_H

#include "archive/foreign_entry.h"
#include "base/table.h"

/* Names that are to be given out, all of one file. */
struct foreign_queue {
    struct buffer names; /* NUL-terminated */
    size_t at;
    struct buffer first_name;
    struct metadata meta;
    uint64_t link_count;
};

struct foreign_links {
    struct table groups;
    size_t place; /* of foreign_links_end in the table */
    struct foreign_queue queue;
};

void foreign_links_init(struct foreign_links *l);
void foreign_links_release(struct foreign_links *l);
/* Sees a file with several names, known by `device` and `inode` in the archive: 1 and `e` can be
 * given out (as first or further name), 0 it is held back, -1. */
MUST_CHECK int foreign_links_see(struct foreign_links *l, struct foreign_entry *e, uint64_t device,
                                 uint64_t inode, struct error *err);
/* Puts the next name that was held back into `e`: 1, 0 there is none now, -1. */
MUST_CHECK int foreign_links_next(struct foreign_links *l, struct foreign_entry *e,
                                  struct error *err);
/* At the archive's end: brings up files whose data never came, one a call (foreign_links_next gives
 * their names): 1, 0 when there are no more, -1. */
MUST_CHECK int foreign_links_end(struct foreign_links *l, struct error *err);

#endif
