/*
 * library.c: shared libraries that are loaded while the program runs.
 */
#include <dlfcn.h>
#include <string.h>

#include "os/os.h"

/* What dlopen(3) or dlsym(3) said last. */
static int failed(struct error *err, const char *operation)
{
    const char *text = dlerror();

    return error_set(err, ERROR_UNSUPPORTED, operation, "%s", text ? text : "");
}

int os_library_load(const char *name, struct os_library **out, struct error *err)
{
    /* NOW: what a library lacks is to be known here, not in the middle of a run. */
    void *handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);

    if (!handle)
        return failed(err, "load library");
    *out = handle;
    return 0;
}

int os_library_find(struct os_library *library, const char *name, os_function *out,
                    struct error *err)
{
    void *found = dlsym(library, name);

    if (!found)
        return failed(err, "load library");
    /* ISO C has no conversion from one to the other; POSIX promises that dlsym's result is one. */
    memcpy(out, &found, sizeof *out);
    return 0;
}
