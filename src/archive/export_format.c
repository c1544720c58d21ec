#include "archive/export_format.h"

#include <string.h>

enum {
    KIND_PLAIN = 1 << ENTRY_DIRECTORY | 1 << ENTRY_FILE | 1 << ENTRY_SYMLINK,
    KIND_NODES =
        1 << ENTRY_FIFO | 1 << ENTRY_SOCKET | 1 << ENTRY_CHAR_DEVICE | 1 << ENTRY_BLOCK_DEVICE,
};

/* zip: a time has 32 bits, which some read with a sign and some without. cpio: numbers have eight
 * hexadecimal digits. 7z: times count from 1601, but libarchive reads those before 1970 as 1970. */
static const struct export_facts formats[] = {
    [EXPORT_ZIP] = {.name = "zip",
                    .kinds = KIND_PLAIN,
                    .owners = true,
                    .unicode_names = true,
                    .highest_level = 9,
                    .latest = INT32_MAX,
                    .time_grain_ns = 1000000000,
                    .largest_file = INT64_MAX,
                    .longest_path = UINT16_MAX,
                    .remark = "zip has no place for names of owners and for birth times"},
    [EXPORT_7Z] = {.name = "7z",
                   .kinds = KIND_PLAIN,
                   .unicode_names = true,
                   .highest_level = 9,
                   .latest = INT64_C(253402300799), /* 9999-12-31 */
                   .time_grain_ns = 100,
                   .largest_file = INT64_MAX,
                   .longest_path = 1 << 20,
                   .remark = "7z has no place for owners and for birth times"},
    [EXPORT_CPIO] = {.name = "cpio",
                     .kinds = KIND_PLAIN | KIND_NODES,
                     .owners = true,
                     .hard_links = true,
                     .set_id_bits = true,
                     .latest = UINT32_MAX,
                     .time_grain_ns = 1000000000,
                     .largest_file = UINT32_MAX,
                     .longest_path = 1 << 20,
                     .remark = "cpio has no place for names of owners and for birth times, and no "
                               "checksums: damage of a content cannot be found"},
};

const struct export_facts *export_facts(enum export_format format)
{
    return &formats[format];
}

bool export_recognises(enum export_format format, struct bytes head)
{
    static const struct {
        enum export_format format;
        const char *bytes;
    } magics[] = {
        {EXPORT_ZIP, "PK\3\4"},
        {EXPORT_ZIP, "PK\5\6"}, /* an empty one */
        {EXPORT_7Z, "7z\xbc\xaf\x27\x1c"},
        {EXPORT_CPIO, "070701"},
        {EXPORT_CPIO, "070702"},
        {EXPORT_CPIO, "070707"},
    };

    for (size_t i = 0; i < sizeof magics / sizeof magics[0]; i++) {
        size_t size = strlen(magics[i].bytes);

        if (magics[i].format == format && head.size >= size &&
            memcmp(head.data, magics[i].bytes, size) == 0)
            return true;
    }
    return false;
}

const char *export_no_place(const struct export_facts *f, const struct entry *e)
{
    static const char *const without_kind[] = {
        [ENTRY_FIFO] = "left out: the format has no FIFOs",
        [ENTRY_SOCKET] = "left out: the format has no sockets",
        [ENTRY_CHAR_DEVICE] = "left out: the format has no devices",
        [ENTRY_BLOCK_DEVICE] = "left out: the format has no devices",
        [ENTRY_JUNCTION] = "left out: the format has no junctions",
        [ENTRY_MOUNT_POINT] = "left out: the format has no mount points",
        [ENTRY_REPARSE] = "left out: the format has no reparse points",
    };

    if ((f->kinds & 1U << e->kind) == 0)
        return without_kind[e->kind];
    if (e->path.size + (e->kind == ENTRY_DIRECTORY) > f->longest_path)
        return "left out: its path is longer than the format can hold";
    if (e->kind == ENTRY_FILE && e->size > f->largest_file)
        return "left out: it is larger than the format can hold";
    return NULL;
}

struct timestamp export_time(const struct export_facts *f, struct timestamp time)
{
    if (time.seconds < f->earliest)
        return (struct timestamp){f->earliest, 0};
    if (time.seconds > f->latest)
        return (struct timestamp){f->latest, 0};
    time.nanoseconds -= time.nanoseconds % f->time_grain_ns;
    return time;
}

/* ---- Losses ---- */

static const char *time_loss(const struct export_facts *f, struct timestamp time)
{
    if (time.seconds < f->earliest || time.seconds > f->latest)
        return "its time is outside of what the format can hold: the nearest one is stored";
    if (time.nanoseconds % f->time_grain_ns == 0)
        return NULL;
    return f->time_grain_ns == 100 ? "its time is cut to a ten-millionth of a second"
                                   : "its time is cut to a whole second";
}

enum attribute {
    ATTRIBUTE_OTHER,
    ATTRIBUTE_ACL,
    ATTRIBUTE_CAPABILITY,
    ATTRIBUTE_NTFS,
    ATTRIBUTE_KINDS
};

static enum attribute attribute_kind(struct bytes name)
{
    static const char acl[] = "system.posix_acl_", capability[] = "security.capability";

    if (name.size > strlen(acl) && memcmp(name.data, acl, strlen(acl)) == 0)
        return ATTRIBUTE_ACL;
    if (entry_xattr_is_ntfs(name))
        return ATTRIBUTE_NTFS;
    return bytes_equal(name, bytes_of(capability)) ? ATTRIBUTE_CAPABILITY : ATTRIBUTE_OTHER;
}

static unsigned tell_attributes(const struct entry *e, struct watcher *watcher)
{
    static const char *const reasons[] = {
        [ATTRIBUTE_OTHER] = "extended attributes are lost: the format has none",
        [ATTRIBUTE_ACL] = "its ACL is lost: the format has none",
        [ATTRIBUTE_CAPABILITY] = "its capabilities are lost: the format has none",
        [ATTRIBUTE_NTFS] = "what NTFS alone has of it is lost: the format has no place for it",
    };
    bool has[ATTRIBUTE_KINDS] = {false};
    unsigned told = 0;

    if ((e->meta.known & (METADATA_XATTRS | METADATA_ACL)) == 0)
        return 0;
    for (size_t i = 0; i < e->meta.xattrs.count; i++)
        has[attribute_kind(pairs_name(&e->meta.xattrs, i))] = true;
    for (size_t i = 0; i < ATTRIBUTE_KINDS; i++) {
        if (has[i])
            watcher_loss(watcher, e->path, reasons[i], NULL);
        told += has[i];
    }
    return told;
}

unsigned export_tell_losses(const struct export_facts *f, const struct entry *e,
                            struct watcher *watcher)
{
    const struct metadata *meta = &e->meta;
    const char *time = (meta->known & METADATA_MTIME) != 0 ? time_loss(f, meta->mtime) : NULL;
    bool owners = !f->owners && (meta->known & (METADATA_OWNER | METADATA_GROUP)) != 0;
    bool flags = (meta->known & METADATA_FLAGS) != 0 && meta->flags != 0;
    bool set_id = !f->set_id_bits && e->kind != ENTRY_SYMLINK && (meta->mode & 06000) != 0;

    if (time != NULL)
        watcher_loss(watcher, e->path, time, NULL);
    if (owners)
        watcher_loss(watcher, e->path, "its owner and group are lost: the format has none", NULL);
    if (flags)
        watcher_loss(watcher, e->path, "its file flags are lost: the format has none", NULL);
    if (e->reparse.size != 0)
        watcher_loss(watcher, e->path,
                     "its reparse buffer is lost, its target alone is stored: the format has none",
                     NULL);
    if (set_id)
        watcher_loss(watcher, e->path,
                     "its setuid or setgid bit is stored, but readers of the format drop it", NULL);
    return (time != NULL) + owners + flags + set_id + (e->reparse.size != 0) +
           tell_attributes(e, watcher);
}
