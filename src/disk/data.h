/*
 * data.h: the content of an open file on a disk, for those in disk/ that hold its handle already.
 */
#ifndef HOLDFAST_DISK_DATA_H
#define HOLDFAST_DISK_DATA_H

#include "os/os.h"
#include "tree/source.h"

/* When the file is asked for its holes. */
enum data_holes {
    DATA_HOLES_ALWAYS,
    DATA_HOLES_IF_LARGE, /* not of a small file whose blocks suffice for its bytes; right for files
                            without attributes, which take blocks of their own on some file systems
                            and so hide holes in the count */
};

/* Makes data of an open regular file, which belongs to it on success; `status` is the file's own,
 * just read from the handle. */
MUST_CHECK int disk_data_adopt(os_handle file, const struct os_stat *status, enum data_holes holes,
                               struct data **out, struct error *err);

#endif
