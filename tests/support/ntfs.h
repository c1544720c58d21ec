/*
 * ntfs.h: a fresh NTFS volume for tests: an image, mounted by ntfs-3g, as a setup and a teardown of
 * cmocka.
 */
#ifndef SUPPORT_NTFS_H
#define SUPPORT_NTFS_H

#include "os/os.h"

struct ntfs {
    char path[200];    /* of the mounted volume */
    os_handle handle;  /* its top */
    const char *lacks; /* why there is none, or NULL */
};

/* Makes one and puts a struct ntfs in *state; where that cannot be done, `lacks` says why. */
int ntfs_setup(void **state);
/* Waits until the driver has written all, and removes the image. */
int ntfs_teardown(void **state);
/* Skips the running test if there is no volume. */
#define ntfs_need(n)                                                                               \
    do {                                                                                           \
        if ((n)->lacks)                                                                            \
            check_skip((n)->lacks);                                                                \
    } while (0)

/* The buffer of a junction to a folder of Windows, such as C:\x, as mklink makes it. */
void ntfs_junction(struct buffer *out, const char *target);

#endif
