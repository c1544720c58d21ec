/*
 * libarchive.c: see libarchive.h. The library is never unloaded: it and those that it needs leave
 * things behind for the end of threads and of the process.
 */
#include "archive/libarchive.h"

#include <stddef.h>
#include <string.h>

#include "os/os.h"
#include "os/thread.h"

struct libarchive la;

static struct os_once loading;

struct function {
    const char *name;
    size_t offset; /* of its pointer in the table */
};

static const struct function functions[] = {
#define FUNCTION(name) {#name, offsetof(struct libarchive, name)},
    LIBARCHIVE_FUNCTIONS(FUNCTION)
#undef FUNCTION
};

static int fill(struct error *err)
{
    struct os_library *library;
    os_function found;

    if (os_library_load(HOLDFAST_LIBARCHIVE_SONAME, &library, err) != 0)
        return -1;
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        if (os_library_find(library, functions[i].name, &found, err) != 0)
            return -1;
        memcpy((char *)&la + functions[i].offset, &found, sizeof found);
    }
    return 0;
}

static int load(struct error *err)
{
    struct error why = {0};
    int result = fill(&why);

    if (result != 0)
        error_set(err, ERROR_UNSUPPORTED, "open archive",
                  "whatever is not tar, gzip or zstd, as holdfast's own archives are, needs "
                  "libarchive (Debian's package: libarchive13): %s",
                  why.detail);
    error_release(&why);
    return result;
}

int libarchive_load(struct error *err)
{
    return os_once(&loading, load, err);
}
