/*
 * newfile.c: nameless, synced, named, renamed, folder synced.
 */
#include "disk/newfile.h"

#include <stdio.h>
#include <string.h>

/* Splits a path into an open folder and a name. */
static int open_place(struct newfile *f, const char *path, struct error *err)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    struct buffer folder = {0};
    int result = -1;

    if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return error_set(err, ERROR_USAGE, NULL, "'%s' names a folder, not a file", path);
    if (buffer_append(&f->name, name, strlen(name), err) != 0 ||
        buffer_terminate(&f->name, err) != 0)
        return -1;
    if (slash == NULL)
        result = buffer_append(&folder, ".", 1, err);
    else
        result = buffer_append(&folder, path, (size_t)(slash - path) + 1, err);
    if (result == 0 && buffer_terminate(&folder, err) == 0)
        result = os_open_root((const char *)folder.data, &f->folder, err);
    else
        result = -1;
    buffer_release(&folder);
    return result;
}

static int choose_temporary(struct newfile *f, struct error *err)
{
    uint8_t random[8];
    char text[64];

    if (os_random(random, sizeof random, err) != 0)
        return -1;
    (void)snprintf(text, sizeof text, ".holdfast-%02x%02x%02x%02x%02x%02x%02x%02x.part", random[0],
                   random[1], random[2], random[3], random[4], random[5], random[6], random[7]);
    buffer_clear(&f->temporary);
    if (buffer_append(&f->temporary, text, strlen(text), err) != 0)
        return -1;
    return buffer_terminate(&f->temporary, err);
}

/* What stands there passes its mode on; else it is the user's for new files. */
static uint32_t choose_mode(const struct newfile *f)
{
    struct os_stat status;

    if (os_stat_at(f->folder, (const char *)f->name.data, &status, NULL) == 0 &&
        status.kind == OS_FILE)
        return status.mode & 0777;
    return os_default_mode();
}

/* Where a link at the path leads is where the file goes: the link stays what the user made it. */
static int open_target(struct newfile *f, const char *path, struct error *err)
{
    struct os_stat status;
    struct buffer real = {0};
    enum os_leads leads;
    int result = -1;

    if (os_stat_path(path, false, &status, NULL) != 0 || status.kind != OS_SYMLINK)
        return open_place(f, path, err);
    if (os_follow(OS_NO_HANDLE, path, &leads, &real, err) != 0)
        goto out;
    if (leads != OS_LEADS_SOMEWHERE)
        (void)error_set(err, ERROR_USAGE, NULL, "is a link that leads nowhere");
    else if (buffer_terminate(&real, err) == 0)
        result = open_place(f, (const char *)real.data, err);
out:
    buffer_release(&real);
    return result;
}

int newfile_begin(struct newfile *f, const char *path, struct error *err)
{
    struct error none = {0};
    uint32_t mode;

    *f = (struct newfile){.folder = OS_NO_HANDLE, .file = OS_NO_HANDLE};
    if (open_target(f, path, err) != 0)
        goto fail;
    mode = choose_mode(f);
    if (os_create_unnamed(f->folder, mode, &f->file, &none) == 0)
        return 0;
    error_release(&none);
    if (choose_temporary(f, err) == 0 &&
        os_create_file(f->folder, (const char *)f->temporary.data, mode, &f->file, err) == 0)
        return 0;
    buffer_clear(&f->temporary);
fail:
    newfile_abandon(f);
    return error_at(err, path, strlen(path));
}

/* Gives the nameless file its name if that is free (1), else a temporary one (0). */
static int name_file(struct newfile *f, struct error *err)
{
    struct error taken = {0};

    if (os_name_file(f->file, f->folder, (const char *)f->name.data, &taken) == 0)
        return 1;
    if (f->is_new || !os_error_is_exists(&taken)) {
        error_move(err, &taken);
        return -1;
    }
    error_release(&taken);
    if (choose_temporary(f, err) != 0)
        return -1;
    if (os_name_file(f->file, f->folder, (const char *)f->temporary.data, err) != 0) {
        buffer_clear(&f->temporary);
        return -1;
    }
    return 0;
}

/* Closes the written file. An error that comes this late takes the file away again. */
static int close_file(struct newfile *f, bool is_in_place, struct error *err)
{
    os_handle file = f->file;

    f->file = OS_NO_HANDLE;
    if (os_close_checked(file, err) == 0)
        return 0;
    if (is_in_place)
        (void)!os_remove(f->folder, (const char *)f->name.data, NULL);
    return -1;
}

/* The temporary name becomes the final one. A new one is taken by an empty file first, which works
 * where a file has but one name, too. */
static int rename_file(struct newfile *f, struct error *err)
{
    const char *name = (const char *)f->name.data;
    os_handle place;

    if (f->is_new) {
        if (os_create_file(f->folder, name, 0600, &place, err) != 0)
            return -1;
        os_close(place);
    }
    if (os_rename(f->folder, (const char *)f->temporary.data, f->folder, name, err) == 0)
        return 0;
    if (f->is_new)
        (void)!os_remove(f->folder, name, NULL);
    return -1;
}

static int put_in_place(struct newfile *f, enum newfile_durability durability, struct error *err)
{
    int is_in_place;

    if (durability == NEWFILE_SYNC && os_sync_file(f->file, err) != 0)
        return -1;
    is_in_place = f->temporary.size == 0 ? name_file(f, err) : 0;
    if (is_in_place < 0 || close_file(f, is_in_place, err) != 0)
        return -1;
    if (!is_in_place && rename_file(f, err) != 0)
        return -1;
    buffer_clear(&f->temporary);
    return durability == NEWFILE_SYNC ? os_sync_file(f->folder, err) : 0;
}

int newfile_commit(struct newfile *f, enum newfile_durability durability, struct error *err)
{
    int result = put_in_place(f, durability, err);

    if (result != 0)
        (void)error_at(err, (const char *)f->name.data, f->name.size);
    newfile_abandon(f);
    return result;
}

void newfile_abandon(struct newfile *f)
{
    struct error ignored = {0};

    if (f->temporary.size != 0)
        (void)!os_remove(f->folder, (const char *)f->temporary.data, &ignored);
    error_release(&ignored);
    if (f->file != OS_NO_HANDLE)
        os_close(f->file);
    if (f->folder != OS_NO_HANDLE)
        os_close(f->folder);
    buffer_release(&f->name);
    buffer_release(&f->temporary);
    f->folder = f->file = OS_NO_HANDLE;
}
