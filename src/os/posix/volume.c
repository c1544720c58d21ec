/*
 * volume.c: what holds a file: durability, the lock, facts on the file system.
 */
#define _GNU_SOURCE
#include "os/posix/posix.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/ioctl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

/* FS_IOC_GETFSUUID (Linux 6.9), which older headers lack. */
struct file_system_uuid {
    uint8_t bytes;
    uint8_t uuid[16];
};
#define GET_UUID _IOR(0x15, 0, struct file_system_uuid)

#define FUSE_MAGIC 0x65735546

enum { NTFS_TIME_GRAIN = 100 }; /* nanoseconds */

int os_sync_file(os_handle handle, struct error *err)
{
    while (fsync(posix_fd(handle))) {
        if (!posix_retry(err, "sync"))
            return -1;
    }
    return 0;
}

int os_sync_volume(os_handle handle, struct error *err)
{
    struct statfs facts;

    if (syncfs(posix_fd(handle)))
        return posix_error(err, "sync");
    if (fstatfs(posix_fd(handle), &facts))
        return posix_error(err, "sync");
    return facts.f_type == FUSE_MAGIC ? os_sync_file(handle, err) : 0;
}

int os_lock(os_handle handle, struct error *err)
{
    while (flock(posix_fd(handle), LOCK_EX | LOCK_NB)) {
        if (errno == EWOULDBLOCK)
            return 1;
        if (!posix_retry(err, "lock"))
            return -1;
    }
    return 0;
}

/* The type that one line of mountinfo tells if it is the mount `id`, or else of the device:
 * proc_pid_mountinfo(5). */
static bool type_from_line(const char *line, uint64_t id, const char *device, char type[32])
{
    uint64_t line_id;
    char line_device[32];
    const char *dash = strstr(line, " - ");

    if (!dash || sscanf(line, "%" SCNu64 " %*s %31s", &line_id, line_device) != 2)
        return false;
    if (id ? line_id != id : strcmp(line_device, device) != 0)
        return false;
    return sscanf(dash + 3, "%31s", type) == 1;
}

/* Asks /proc for the name of the file system's type. */
static bool type_from_proc(int fd, char type[32])
{
    struct statx status;
    uint64_t id;
    char device[32];
    char *line = NULL;
    size_t room = 0;
    bool found = false;
    FILE *mounts;

    if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &status))
        return false;
    id = status.stx_mask & STATX_MNT_ID ? status.stx_mnt_id : 0;
    (void)snprintf(device, sizeof device, "%u:%u", status.stx_dev_major, status.stx_dev_minor);
    mounts = fopen("/proc/self/mountinfo", "re");
    if (!mounts)
        return false;
    while (!found && getline(&line, &room, mounts) > 0)
        found = type_from_line(line, id, device, type);
    free(line);
    (void)fclose(mounts);
    return found;
}

/* NULL if it is not known by that alone. */
static const char *type_from_magic(long magic)
{
    static const struct {
        unsigned long magic;
        const char *name;
    } known[] = {
        {XFS_SUPER_MAGIC, "xfs"},           {BTRFS_SUPER_MAGIC, "btrfs"}, {TMPFS_MAGIC, "tmpfs"},
        {OVERLAYFS_SUPER_MAGIC, "overlay"}, {F2FS_SUPER_MAGIC, "f2fs"},
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (known[i].magic == ((unsigned long)magic & 0xffffffff))
            return known[i].name;
    }
    return NULL;
}

/* Steps of stored times, by what each format documents. */
static uint32_t time_grain(const char *type)
{
    static const struct {
        const char *type;
        uint32_t nanoseconds;
    } known[] = {
        {"fuseblk", NTFS_TIME_GRAIN}, {"ntfs", NTFS_TIME_GRAIN}, {"ntfs3", NTFS_TIME_GRAIN},
        {"vfat", 2000000000},         {"msdos", 2000000000},     {"exfat", 10000000},
        {"ext2", 1000000000},         {"ext3", 1000000000},
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (!strcmp(known[i].type, type))
            return known[i].nanoseconds;
    }
    return 1;
}

static void identify(int fd, const struct statfs *facts, char identity[64])
{
    struct file_system_uuid u = {0};
    int fsid[2];
    size_t at = 0;

    identity[0] = '\0';
    if (!ioctl(fd, GET_UUID, &u) && u.bytes == sizeof u.uuid) {
        for (size_t i = 0; i < sizeof u.uuid; i++) {
            const char *dash = i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "";
            at += (size_t)snprintf(identity + at, 64 - at, "%s%02x", dash, u.uuid[i]);
        }
        return;
    }
    memcpy(fsid, &facts->f_fsid, sizeof fsid);
    if (fsid[0] || fsid[1])
        (void)snprintf(identity, 64, "%08x%08x", (unsigned)fsid[1], (unsigned)fsid[0]);
}

/* Others have no limit that can be known: an old btrfs has room for so many bytes of names. */
static bool has_many_names(const struct os_volume *v)
{
    static const char *const types[] = {"ext2", "ext3", "ext4", "xfs", "tmpfs", "f2fs", "zfs"};

    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (!strcmp(v->file_system, types[i]))
            return true;
    }
    return v->reparse_points; /* NTFS: 1024 */
}

/* Those without layers or subvolumes, by which a number in a folder may not be the file's. */
static bool has_listed_numbers(const struct os_volume *v)
{
    static const char *const types[] = {"ext2", "ext3", "ext4", "xfs", "tmpfs", "f2fs"};

    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (!strcmp(v->file_system, types[i]))
            return true;
    }
    return false;
}

/* By what it can do: to mount(8) an NTFS volume is of the type fuse or fuseblk, as many others are.
 */
static int ask_for_ntfs(os_handle handle, struct os_volume *out, struct error *err)
{
    uint32_t attributes;
    int got = os_ntfs_attributes(&(struct os_object){.handle = handle}, &attributes, err);

    if (got < 0)
        return -1;
    out->reparse_points = out->link_count_is_hint = got == 1;
    if (got)
        out->time_grain_ns = NTFS_TIME_GRAIN;
    return 0;
}

int os_volume_facts(os_handle handle, struct os_volume *out, struct error *err)
{
    int fd = posix_fd(handle);
    struct statfs facts;

    *out = (struct os_volume){.file_system = ""};
    if (fstatfs(fd, &facts))
        return posix_error(err, "read facts of the file system");
    const char *type = type_from_magic((long)facts.f_type);
    if (type || !type_from_proc(fd, out->file_system))
        (void)snprintf(out->file_system, sizeof out->file_system, "%s", type ? type : "unknown");
    identify(fd, &facts, out->identity);
    out->block_bytes = (uint64_t)facts.f_frsize;
    out->free_bytes = (uint64_t)facts.f_bavail * (uint64_t)facts.f_frsize;
    out->time_grain_ns = time_grain(out->file_system);
    if (ask_for_ntfs(handle, out, err))
        return -1;
    out->listed_numbers = has_listed_numbers(out);
    out->many_names = has_many_names(out);
    return 0;
}
