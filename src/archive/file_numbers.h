/*
 * file_numbers.h: which entries of an archive may be a file of that number (POSIX: inode), for
 * files that have another name now. Eight bytes a file, so that the numbers of millions fit in
 * little memory: what is found is to be compared with the entry itself.
 */
#ifndef HOLDFAST_ARCHIVE_FILE_NUMBERS_H
#define HOLDFAST_ARCHIVE_FILE_NUMBERS_H

#include "archive/index_source.h"

/* As many files as need 32 MiB. */
enum { FILE_NUMBERS_MOST = 4 << 20 };

struct file_numbers;

/* Reads the whole index (index_source_item) for the numbers of its files that have a content. At
 * most `most` are kept: files that come later in the archive are not found. */
MUST_CHECK int file_numbers_new(struct source *index, size_t most, struct file_numbers **out,
                                struct error *err);
/* NULL is accepted. */
void file_numbers_free(struct file_numbers *n);

/* The next entry that may be that file: 1 and its number in the archive, 0 if there is none.
 * *place is 0 at first. Entries come in their order. */
int file_numbers_find(const struct file_numbers *n, const uint64_t file[2], size_t *place,
                      uint64_t *entry);

#endif
