/*
 * ntfs.c: NTFS volumes as ntfs-3g shows them. What it knows beyond POSIX stands in extended
 * attributes system.ntfs_*, which are not listed: each is asked for by its name.
 *
 * <https://github.com/tuxera/ntfs-3g/wiki/Using-Extended-Attributes>
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "os/posix/posix.h"
#include "os/posix/xattr_calls.h"

static const char reparse_data[] = "system.ntfs_reparse_data";

enum {
    VALUE_MOST = 64 * 1024,    /* no longer attributes pass through the kernel */
    FOLDER_COMPRESSED = 0x800, /* of a folder: what is made in it will be compressed */
};

/* True if there is no such attribute here, for whatever reason: another file system, no value, a
 * file with several names (its short name), the volume's own top (which has no short name). */
static bool is_absent(int code)
{
    return code == ENODATA || code == EOPNOTSUPP || code == ENOSYS || code == EMLINK ||
           code == EPERM;
}

static int check_object(const struct os_object *o, struct error *err)
{
    return o->handle == OS_NO_HANDLE ? posix_check_name(o->name, "read attribute", err) : 0;
}

static uint32_t from_le32(const uint8_t b[4])
{
    return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

int os_ntfs_attributes(const struct os_object *o, uint32_t *attributes, struct error *err)
{
    uint8_t value[4];
    ssize_t got;

    *attributes = 0;
    if (check_object(o, err))
        return -1;
    got = xattr_call_get(o, OS_NTFS_ATTRIBUTES, value, sizeof value);
    if (got == sizeof value) {
        *attributes = from_le32(value);
        return 1;
    }
    /* Another length is another file system's attribute of that name. */
    if (got >= 0 || is_absent(errno) || errno == ERANGE || errno == EACCES)
        return 0;
    return posix_error(err, "read attributes");
}

/* ---- Reparse points ---- */

int os_read_reparse(os_handle folder, const char *name, struct buffer *out, struct error *err)
{
    struct os_object o = {OS_NO_HANDLE, folder, name};
    ssize_t got;

    /* To a buffer that is too small ntfs-3g says EIO: never less than the most. */
    if (check_object(&o, err) || buffer_reserve(out, OS_REPARSE_MAX_BYTES, err))
        return -1;
    got = xattr_call_get(&o, reparse_data, out->data + out->size, OS_REPARSE_MAX_BYTES);
    if (got < 0)
        return is_absent(errno) ? 0 : posix_error(err, "read reparse point");
    out->size += (size_t)got;
    return 1;
}

/* Makes the file or folder that is to become a reparse point, open. */
static int make_empty(os_handle folder, const char *name, enum os_flavour flavour, os_handle *out,
                      struct error *err)
{
    struct error ignored = {0};

    if (flavour == OS_FLAVOUR_FILE)
        return os_create_file(folder, name, 0600, out, err);
    if (os_make_dir(folder, name, 0700, err))
        return -1;
    if (!os_open_dir(folder, name, out, err))
        return 0;
    if (os_remove_dir(folder, name, &ignored))
        error_release(&ignored);
    return -1;
}

/* ntfs-3g makes a reparse point of a folder with content, too, and hides it so. */
static int check_empty(os_handle made, enum os_flavour flavour, struct error *err)
{
    struct os_listing names = {0};
    int result = -1;

    if (flavour == OS_FLAVOUR_FILE)
        return 0;
    if (!os_list(made, &names, err))
        result = names.count ? error_set(err, ERROR_CHANGED, "make reparse point",
                                         "somebody put something into the new folder")
                             : 0;
    os_listing_release(&names);
    return result;
}

static int set_reparse(os_handle made, struct bytes raw, struct error *err)
{
    struct os_object o = {.handle = made};

    if (!xattr_call_set(&o, reparse_data, raw, XATTR_CREATE))
        return 0;
    if (errno != EOPNOTSUPP && errno != EINVAL && errno != ERANGE)
        return posix_error(err, "make reparse point");
    posix_error(err, "make reparse point");
    if (err)
        err->kind = ERROR_UNSUPPORTED;
    return -1;
}

static int check_made(os_handle folder, const char *name, struct bytes raw, struct error *err)
{
    struct buffer now = {0};
    struct stat ignored;
    int got;

    /* To the kernel it is still a file or folder; the first look that says otherwise fails. */
    (void)fstatat(posix_fd(folder), name, &ignored, AT_SYMLINK_NOFOLLOW);
    got = os_read_reparse(folder, name, &now, err);
    if (got >= 0 && (got == 0 || !bytes_equal(buffer_bytes(&now), raw)))
        got = error_set(err, ERROR_UNSUPPORTED, "make reparse point",
                        "it is another one when it is read back");
    buffer_release(&now);
    return got < 0 ? -1 : 0;
}

/* What was made is a folder or file as long as it has no buffer, and then what unlink(2) removes.
 */
static void take_back(os_handle folder, const char *name)
{
    struct error ignored = {0};

    if (os_remove(folder, name, &ignored)) {
        error_release(&ignored);
        if (os_remove_dir(folder, name, &ignored))
            error_release(&ignored);
    }
}

int os_make_reparse(os_handle folder, const char *name, enum os_flavour flavour, struct bytes raw,
                    struct error *err)
{
    os_handle made;
    int result;

    if (raw.size > OS_REPARSE_MAX_BYTES)
        return error_set(err, ERROR_UNSUPPORTED, "make reparse point", "more than 16 KiB");
    if (make_empty(folder, name, flavour, &made, err))
        return -1;
    result = check_empty(made, flavour, err) || set_reparse(made, raw, err) ? -1 : 0;
    os_close(made);
    if (!result && !check_made(folder, name, raw, err))
        return 0;
    take_back(folder, name);
    return -1;
}

/* ---- Other metadata ---- */

/* Leaves those attributes that can be set. */
static void mask_attributes(uint8_t value[4])
{
    uint32_t all = from_le32(value);
    uint32_t kept = all & OS_ATTRIBUTES_SETTABLE;

    if ((all & OS_ATTRIBUTE_DIRECTORY) && !(all & OS_ATTRIBUTE_REPARSE_POINT))
        kept |= all & FOLDER_COMPRESSED;
    for (unsigned i = 0; i < 4; i++)
        value[i] = (uint8_t)(kept >> 8 * i);
}

/* Appends one attribute, if it is there. `value` has room for VALUE_MOST. */
static int append_value(const struct os_object *o, const char *name, struct buffer *value,
                        struct pairs *out, struct error *err)
{
    ssize_t got = xattr_call_get(o, name, value->data, VALUE_MOST);

    if (got < 0 && is_absent(errno))
        return 0;
    if (got < 0)
        return error_os(err, "read NTFS metadata", errno);
    if (!strcmp(name, OS_NTFS_ATTRIBUTES) && got == 4)
        mask_attributes(value->data);
    return pairs_append(out, bytes_of(name), bytes_make(value->data, (size_t)got), err);
}

int os_list_ntfs(const struct os_object *o, struct pairs *out, struct error *err)
{
    static const char *const names[] = {
        OS_NTFS_ATTRIBUTES, OS_NTFS_ACL,      OS_NTFS_CREATION_TIME,
        OS_NTFS_SHORT_NAME, "system.ntfs_ea", "system.ntfs_object_id",
    };
    size_t before = out->count;
    struct buffer value = {0};
    struct error problem = {0}, first = {0};

    if (check_object(o, err) || buffer_reserve(&value, VALUE_MOST, err))
        return -1;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (i && out->count == before)
            break; /* no attributes: no NTFS */
        if (!append_value(o, names[i], &value, out, &problem))
            continue;
        if (first.kind == ERROR_NONE)
            error_move(&first, &problem);
        error_release(&problem);
    }
    buffer_release(&value);
    pairs_sort(out);
    if (first.kind == ERROR_NONE)
        return 0;
    error_move(err, &first);
    return -1;
}

int os_ntfs_shows_streams(const struct os_object *o, bool *shown, struct error *err)
{
    uint8_t ignored;

    if (check_object(o, err))
        return -1;
    /* Where streams are no attributes there is no class user.* at all. */
    *shown = xattr_call_get(o, "user.holdfast", &ignored, sizeof ignored) >= 0 ||
             (errno != EOPNOTSUPP && errno != ENOSYS);
    return 0;
}

/* ---- Times ---- */

/* FILETIME: steps of 100 ns since 1601 ([MS-DTYP] 2.3.3). */
static void put_time(uint8_t out[8], const struct timestamp *t)
{
    const int64_t seconds_to_1970 = 11644473600;
    int64_t seconds = t->seconds + seconds_to_1970;
    uint64_t steps = 0;

    if (seconds > 0 && seconds < INT64_MAX / 10000000)
        steps = (uint64_t)seconds * 10000000 + t->nanoseconds / 100;
    for (unsigned i = 0; i < 8; i++)
        out[i] = (uint8_t)(steps >> 8 * i);
}

int os_set_ntfs_times(const struct os_object *o, struct bytes creation,
                      const struct timestamp *mtime, const struct timestamp *atime,
                      struct error *err)
{
    static const char name[] = "system.ntfs_times";
    enum { CREATION = 0, WRITTEN = 8, READ = 16, SET = 24, TOLD = 32 };
    uint8_t value[TOLD];
    ssize_t got;

    if (check_object(o, err))
        return -1;
    got = xattr_call_get(o, name, value, sizeof value);
    if (got < 0 && is_absent(errno))
        return 0;
    if (got != sizeof value)
        return posix_error(err, "set times");
    if (creation.size == 8)
        memcpy(value + CREATION, creation.data, 8);
    if (mtime)
        put_time(value + WRITTEN, mtime);
    if (atime)
        put_time(value + READ, atime);
    /* The fourth, of the record's change, is the driver's. */
    if (xattr_call_set(o, name, bytes_make(value, SET), 0))
        return posix_error(err, "set times");
    return 0;
}
