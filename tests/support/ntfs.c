/*
 * ntfs.c: see ntfs.h.
 */
#define _GNU_SOURCE
#include "support/ntfs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/check.h"

/* Runs a shell command in a folder, in silence: true if it ended with 0. */
static bool runs(const char *folder, const char *command)
{
    char line[1000];

    (void)snprintf(line, sizeof line,
                   "PATH=$PATH:/usr/sbin:/sbin; { cd %s && %s; } >/dev/null 2>&1", folder, command);
    return system(line) == 0;
}

static const char *mount_one(const char *folder)
{
    if (geteuid())
        return "mounting needs root";
    if (access("/dev/fuse", R_OK | W_OK))
        return "needs /dev/fuse";
    if (!runs(folder, "truncate -s 16M image && mkdir volume && mkntfs -F -q image"))
        return "mkntfs is not installed, or fails";
    if (!runs(folder, "ntfs-3g image volume"))
        return "ntfs-3g is not installed, or cannot mount";
    return NULL;
}

int ntfs_setup(void **state)
{
    struct ntfs *n = calloc(1, sizeof *n);
    const char *parent = getenv("TMPDIR");
    char folder[150];

    if (!n)
        return -1;
    *state = n;
    os_prepare_process();
    n->handle = OS_NO_HANDLE;
    (void)snprintf(folder, sizeof folder, "%s/holdfast-ntfs-XXXXXX", parent ? parent : "/tmp");
    if (!mkdtemp(folder))
        return -1;
    (void)snprintf(n->path, sizeof n->path, "%s/volume", folder);
    n->lacks = mount_one(folder);
    return n->lacks ? 0 : os_open_root(n->path, &n->handle, NULL);
}

int ntfs_teardown(void **state)
{
    struct ntfs *n = *state;
    bool clean = true;

    os_close(n->handle);
    n->path[strlen(n->path) - strlen("/volume")] = '\0';
    if (!n->lacks)
        clean = runs(n->path, "umount volume");
    /* The driver may still hold the image: removing it does no harm. */
    clean = runs(n->path, "rm -rf --one-file-system ../${PWD##*/}") && clean;
    free(n);
    return clean ? 0 : -1;
}

static void put(struct buffer *out, unsigned value)
{
    assert_false(buffer_append_byte(out, (uint8_t)value, NULL));
    assert_false(buffer_append_byte(out, (uint8_t)(value >> 8), NULL));
}

/* A name as UTF-16, with a NUL behind it. */
static void put_name(struct buffer *out, const char *prefix, const char *name)
{
    for (const char *c = prefix; *c; c++)
        put(out, (unsigned char)*c);
    for (const char *c = name; *c; c++)
        put(out, (unsigned char)*c);
    put(out, 0);
}

void ntfs_junction(struct buffer *out, const char *target)
{
    unsigned name = (unsigned)strlen(target) * 2, substitute = name + 8;

    put(out, 0x0003);
    put(out, 0xa000);
    put(out, 8 + substitute + 2 + name + 2);
    put(out, 0);
    put(out, 0);
    put(out, substitute);
    put(out, substitute + 2);
    put(out, name);
    put_name(out, "\\??\\", target);
    put_name(out, "", target);
}
