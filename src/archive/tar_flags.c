/*
 * tar_flags.c: see tar_flags.h.
 */
#include "archive/tar_flags.h"

#include <string.h>

static const struct {
    const char *word;
    uint32_t flag;
} words[] = {
    {"schg", FILE_FLAG_IMMUTABLE},
    {"schange", FILE_FLAG_IMMUTABLE},
    {"simmutable", FILE_FLAG_IMMUTABLE},
    {"uchg", FILE_FLAG_IMMUTABLE},
    {"uchange", FILE_FLAG_IMMUTABLE},
    {"uimmutable", FILE_FLAG_IMMUTABLE},
    {"sappnd", FILE_FLAG_APPEND},
    {"sappend", FILE_FLAG_APPEND},
    {"uappnd", FILE_FLAG_APPEND},
    {"uappend", FILE_FLAG_APPEND},
    {"nodump", FILE_FLAG_NODUMP},
    {"noatime", FILE_FLAG_NOATIME},
    {"sync", FILE_FLAG_SYNC},
    {"dirsync", FILE_FLAG_DIRSYNC},
    {"nocow", FILE_FLAG_NOCOW},
    {"topdir", FILE_FLAG_TOPDIR},
};

static uint32_t flag_of(struct bytes word)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (bytes_equal(word, bytes_of(words[i].word)))
            return words[i].flag;
    }
    return 0;
}

uint32_t tar_flags_parse(struct bytes text, bool *all_known)
{
    uint32_t flags = 0;
    *all_known = true;
    while (text.size) {
        const uint8_t *comma = memchr(text.data, ',', text.size);
        size_t bytes = comma ? (size_t)(comma - text.data) : text.size;
        uint32_t flag = flag_of(bytes_make(text.data, bytes));
        if (flag == 0 && bytes)
            *all_known = false;
        flags |= flag;
        bytes += comma != NULL;
        text = bytes_make(text.data + bytes, text.size - bytes);
    }
    return flags;
}
