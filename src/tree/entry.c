#include "tree/entry.h"

#include <string.h>

#include "link/reparse.h"

struct bytes entry_name(const struct entry *e)
{
    return bytes_make(e->path.data + e->name_offset, e->path.size - e->name_offset);
}

bool entry_is_further_name(const struct entry *e)
{
    return e->first_name.size > 0;
}

const char *entry_kind_name(enum entry_kind kind)
{
    switch (kind) {
    case ENTRY_DIRECTORY:
        return "directory";
    case ENTRY_FILE:
        return "file";
    case ENTRY_SYMLINK:
        return "symlink";
    case ENTRY_FIFO:
        return "fifo";
    case ENTRY_SOCKET:
        return "socket";
    case ENTRY_CHAR_DEVICE:
        return "chardev";
    case ENTRY_BLOCK_DEVICE:
        return "blockdev";
    case ENTRY_JUNCTION:
        return "junction";
    case ENTRY_MOUNT_POINT:
        return "mount point";
    case ENTRY_REPARSE:
        return "reparse point";
    }
    return "unknown";
}

bool entry_is_link(const struct entry *e)
{
    return e->kind == ENTRY_SYMLINK || e->kind == ENTRY_JUNCTION || e->kind == ENTRY_MOUNT_POINT;
}

uint32_t entry_reparse_tag(const struct entry *e)
{
    const uint8_t *b = e->reparse.data;

    if (e->reparse.size < 4)
        return 0;
    return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static enum entry_kind kind_of(enum reparse_kind kind)
{
    switch (kind) {
    case REPARSE_SYMLINK:
    case REPARSE_LX_SYMLINK:
        return ENTRY_SYMLINK;
    case REPARSE_JUNCTION:
        return ENTRY_JUNCTION;
    case REPARSE_MOUNTPOINT:
        return ENTRY_MOUNT_POINT;
    case REPARSE_MALFORMED:
    case REPARSE_OTHER:
        break;
    }
    return ENTRY_REPARSE;
}

int entry_set_reparse(struct entry *e, struct bytes raw, bool folder_flavour, struct buffer *target,
                      struct error *err)
{
    struct reparse decoded = {0};
    int result = 0;

    buffer_clear(target);
    if (reparse_decode(raw, &decoded, err) != 0)
        return -1;
    e->kind = kind_of(decoded.kind);
    if (e->kind != ENTRY_REPARSE)
        result = reparse_append_target(&decoded, target, err);
    e->target = buffer_bytes(target);
    e->reparse = raw;
    e->folder_flavour = folder_flavour;
    reparse_release(&decoded);
    return result;
}

bool entry_xattr_is_ntfs(struct bytes name)
{
    static const char prefix[] = "system.ntfs_";

    return name.size >= sizeof prefix && memcmp(name.data, prefix, sizeof prefix - 1) == 0;
}

/* The rank of a byte of a path: the end of a component sorts before every byte of a name. */
static int path_rank(uint8_t byte)
{
    return byte == '/' ? 0 : byte + 1;
}

int path_compare(struct bytes a, struct bytes b)
{
    size_t common = a.size < b.size ? a.size : b.size;
    if (common > 0 && memcmp(a.data, b.data, common) != 0) {
        size_t at = 0;
        while (a.data[at] == b.data[at])
            at++;
        return path_rank(a.data[at]) < path_rank(b.data[at]) ? -1 : 1;
    }
    return (a.size > b.size) - (a.size < b.size);
}

bool path_is_within(struct bytes path, struct bytes folder)
{
    if (folder.size == 0)
        return true;
    if (path.size < folder.size || memcmp(path.data, folder.data, folder.size) != 0)
        return false;
    return path.size == folder.size || path.data[folder.size] == '/';
}

struct bytes path_parent(struct bytes path)
{
    size_t end = path.size;
    while (end > 0 && path.data[end - 1] != '/')
        end--;
    return bytes_make(path.data, end > 0 ? end - 1 : 0);
}

bool identity_is_known(const struct identity *id)
{
    return (id->volume | id->file[0] | id->file[1]) != 0;
}

bool identity_equal(const struct identity *a, const struct identity *b)
{
    return a->volume == b->volume && a->file[0] == b->file[0] && a->file[1] == b->file[1];
}
