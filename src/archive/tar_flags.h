/*
 * tar_flags.h: file flags as the words of star's and libarchive's SCHILY.fflags record. Private to
 * the tar codec, which reads them and never writes them: GNU tar prints a line for each.
 */
#ifndef HOLDFAST_ARCHIVE_TAR_FLAGS_H
#define HOLDFAST_ARCHIVE_TAR_FLAGS_H

#include "tree/entry.h"

/* The enum file_flag bits of words like "schg,nodump". *all_known is false if a word stands for no
 * flag of ours. */
uint32_t tar_flags_parse(struct bytes text, bool *all_known);

#endif
