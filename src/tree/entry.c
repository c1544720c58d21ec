#include "tree/entry.h"

#include <string.h>

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
    }
    return "unknown";
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
