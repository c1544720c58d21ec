/*
 * drive_way.h: where a target of Windows leads on this system, by the folders that stand for drives
 * (link/drives.h). The way is gone as Windows goes it, a component at a time: names without regard
 * to case, junctions and symbolic links of Windows by their buffers (what the system's own readlink
 * says of them is made up by the driver). Nothing is opened but folders, and nothing is changed.
 */
#ifndef HOLDFAST_DISK_DRIVE_WAY_H
#define HOLDFAST_DISK_DRIVE_WAY_H

#include "link/drives.h"
#include "os/os.h"
#include "tree/entry.h"

/* Where a way begins. */
struct drive_start {
    const struct drives *drives;
    uint64_t device; /* that of the link, for \x, which begins at the root of the drive that it is
                        on; 0 if not known */
};

/* True if where a link leads is to be asked here: its target is one of Windows that says where it
 * begins. Of that the system would tell what the driver makes up, whatever drive it names. */
bool drive_way_decides(const struct entry *e);
/* Follows an absolute target, as Win32 writes it, to its end: 1 and *leads, with
 * OS_LEADS_SOMEWHERE the absolute path appended to `real_path`; 0 if that is not known (no drive
 * holds it, a server, a volume, a link of another system on the way); -1. */
MUST_CHECK int drive_way_follow(const struct drive_start *start, struct bytes target,
                                enum os_leads *leads, struct buffer *real_path, struct error *err);

#endif
