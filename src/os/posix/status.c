/*
 * status.c: what a name or an open file is (statx(2)).
 */
#define _GNU_SOURCE
#include "os/posix/posix.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static struct timestamp to_timestamp(struct statx_timestamp t)
{
    return (struct timestamp){t.tv_sec, t.tv_nsec};
}

static void translate(const struct statx *from, struct os_stat *to)
{
    *to = (struct os_stat){
        .kind = posix_kind(from->stx_mode),
        .mode = from->stx_mode & 07777,
        .owner = from->stx_uid,
        .group = from->stx_gid,
        .size = from->stx_size,
        .allocated = from->stx_blocks * 512,
        .device = makedev(from->stx_dev_major, from->stx_dev_minor),
        .file = {from->stx_ino, 0},
        .link_count = from->stx_nlink,
        .device_major = from->stx_rdev_major,
        .device_minor = from->stx_rdev_minor,
        .mtime = to_timestamp(from->stx_mtime),
        .atime = to_timestamp(from->stx_atime),
        .ctime = to_timestamp(from->stx_ctime),
        .has_btime = (from->stx_mask & STATX_BTIME) != 0,
        .is_mounted = (from->stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0,
    };
    if (to->has_btime)
        to->btime = to_timestamp(from->stx_btime);
}

static int stat_at(int folder, const char *name, int flags, struct os_stat *out, struct error *err)
{
    const unsigned wanted = STATX_BASIC_STATS | STATX_BTIME;
    struct statx status;

    flags |= AT_NO_AUTOMOUNT;
    /* ntfs-3g: the first look at a name that has just become a reparse point says EIO, the second
     * is right. */
    if (statx(folder, name, flags, wanted, &status) &&
        (errno != EIO || statx(folder, name, flags, wanted, &status)))
        return posix_error(err, "stat");
    translate(&status, out);
    return 0;
}

int os_stat_at(os_handle folder, const char *name, struct os_stat *out, struct error *err)
{
    if (posix_check_name(name, "stat", err))
        return -1;
    return stat_at(posix_fd(folder), name, AT_SYMLINK_NOFOLLOW, out, err);
}

int os_stat_handle(os_handle handle, struct os_stat *out, struct error *err)
{
    return stat_at(posix_fd(handle), "", AT_EMPTY_PATH, out, err);
}

int os_stat_path(const char *path, bool follow, struct os_stat *out, struct error *err)
{
    struct posix_path at;
    int result;

    if (posix_path_reach(&at, path, "stat", err))
        return -1;
    result = stat_at(at.folder, at.rest, follow ? 0 : AT_SYMLINK_NOFOLLOW, out, err);
    posix_path_release(&at);
    return result;
}
