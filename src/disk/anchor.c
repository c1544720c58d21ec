/*
 * anchor.c: see anchor.h. The marker is known by its content: "holdfast run", a version, and a line
 * `id` for the run and each dead run before it whose leftovers may still be there. Its mtime is the
 * time when the first of them began.
 */
#include "disk/anchor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk/nearest.h"

static const char marker_name[] = ".holdfast-run";
static const char marker_head[] = "holdfast run\nversion 1\n";
static const char id_line[] = "id ";

enum { MARKER_MAX_BYTES = 64 * 1024 };

static char *copy_text(const char *text, size_t bytes, struct error *err)
{
    char *copy = malloc(bytes + 1);

    if (!copy) {
        error_memory(err);
        return NULL;
    }
    memcpy(copy, text, bytes);
    copy[bytes] = '\0';
    return copy;
}

int anchor_init(struct anchor *a, const char *path, const char *root, struct error *err)
{
    *a = (struct anchor){.root = root, .folder = OS_NO_HANDLE};
    a->path = copy_text(path, strlen(path), err);
    return a->path ? 0 : -1;
}

int anchor_set_leaf(struct anchor *a, const char *path, struct error *err)
{
    size_t end = strlen(path), start;

    while (end > 1 && path[end - 1] == '/')
        end--;
    for (start = end; start && path[start - 1] != '/';)
        start--;
    char *folder = start ? copy_text(path, start, err) : copy_text(".", 1, err);
    char *leaf = copy_text(path + start, end - start, err);
    if (!folder || !leaf) {
        free(folder);
        free(leaf);
        return -1;
    }
    free(a->path);
    free(a->leaf);
    a->path = folder;
    a->leaf = leaf;
    return 0;
}

void anchor_release(struct anchor *a)
{
    os_close(a->folder);
    free(a->path);
    free(a->leaf);
    buffer_release(&a->dead);
    *a = (struct anchor){.folder = OS_NO_HANDLE};
}

/* ---- Opening and making ---- */

int anchor_volume(const struct anchor *a, struct os_volume *out, struct error *err)
{
    os_handle folder;
    size_t there;

    if (a->folder != OS_NO_HANDLE)
        return os_volume_facts(a->folder, out, err);
    if (nearest_open(a->path, &there, &folder, err))
        return -1;
    int result = os_volume_facts(folder, out, err);
    os_close(folder);
    return result;
}

static int make_one(os_handle folder, const char *name, os_handle *inner, struct error *err)
{
    if (os_make_dir(folder, name, os_default_folder_mode(), err)) {
        if (!os_error_is_exists(err))
            return -1;
        error_release(err);
    }
    return os_open_dir(folder, name, inner, err);
}

/* Makes the folders of `rest` one below the other, beginning in *folder, which is replaced by the
 * innermost. */
static int make_below(os_handle *folder, char *rest, struct error *err)
{
    for (char *name = strtok(rest, "/"); name; name = strtok(NULL, "/")) {
        os_handle inner;

        if (!strcmp(name, "."))
            continue;
        if (!strcmp(name, "..")) {
            if (os_open_parent(*folder, &inner, err))
                return -1;
        } else if (make_one(*folder, name, &inner, err)) {
            return -1;
        }
        os_close(*folder);
        *folder = inner;
    }
    return 0;
}

static int make_folder(struct anchor *a, struct error *err)
{
    os_handle folder;
    size_t there;
    int result = -1;

    if (nearest_open(a->path, &there, &folder, err))
        return -1;
    char *rest = copy_text(a->path + there, strlen(a->path + there), err);
    if (rest && !make_below(&folder, rest, err)) {
        a->folder = folder;
        a->created = true;
        result = 0;
    } else {
        os_close(folder);
    }
    free(rest);
    return result;
}

static int open_folder(struct anchor *a, enum anchor_use use, struct error *err)
{
    if (!os_open_root(a->path, &a->folder, err))
        return 0;
    a->folder = OS_NO_HANDLE;
    if (!os_error_is_missing(err))
        return error_at(err, a->path, strlen(a->path));
    error_release(err);
    if (use != ANCHOR_MAKE)
        return 0;
    if (make_folder(a, err))
        return error_at(err, a->path, strlen(a->path));
    return 0;
}

/* ---- What a dead run left ---- */

static bool is_id(const char *text)
{
    return strspn(text, "0123456789abcdef") >= ANCHOR_ID_DIGITS;
}

/* Takes the ids from a marker's text: 1, 0 if it is no marker of ours, -1. */
static int parse_marker(struct anchor *a, const char *text, struct error *err)
{
    if (strncmp(text, marker_head, sizeof marker_head - 1) != 0)
        return 0;
    buffer_clear(&a->dead);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, id_line, sizeof id_line - 1) != 0 || !is_id(line + sizeof id_line - 1))
            continue;
        if (buffer_append(&a->dead, line + sizeof id_line - 1, ANCHOR_ID_DIGITS, err))
            return -1;
    }
    return a->dead.size > 0;
}

/* Reads a file that may be a marker: 1 and the ids, 0 if it is none, -1. */
static int read_marker(struct anchor *a, const char *name, struct error *err)
{
    struct os_stat status;
    os_handle file;
    size_t got = 0;
    int result = -1;
    char *text = NULL;

    if (os_stat_at(a->folder, name, &status, err)) {
        if (!os_error_is_missing(err))
            return -1;
        error_release(err);
        return 0;
    }
    a->user_marker = true;
    if (status.kind != OS_FILE || status.size > MARKER_MAX_BYTES)
        return 0;
    if (os_open_file(a->folder, name, &file, err))
        return -1;
    text = malloc(MARKER_MAX_BYTES + 1);
    if (!text) {
        result = error_memory(err);
        goto out;
    }
    if (os_read(file, text, MARKER_MAX_BYTES, &got, err))
        goto out;
    text[got] = '\0';
    result = parse_marker(a, text, err);
    if (result > 0) {
        a->user_marker = false;
        a->dead_since = status.mtime;
        (void)snprintf(a->marker, sizeof a->marker, "%s", name);
    }
out:
    free(text);
    os_close(file);
    return result;
}

/* Where the user has a file of the marker's name, a run's marker carries its id in its own name. */
static int find_other_marker(struct anchor *a, struct error *err)
{
    struct os_listing names = {0};
    int result = os_list(a->folder, &names, err);

    for (size_t i = 0; !result && i < names.count; i++) {
        const char *name = os_listing_name(&names, i);
        size_t prefix = sizeof marker_name - 1;
        if (!strncmp(name, marker_name, prefix) && name[prefix] == '-' && is_id(name + prefix + 1))
            result = read_marker(a, name, err);
    }
    os_listing_release(&names);
    return result < 0 ? -1 : 0;
}

static int lock(struct anchor *a, struct error *err)
{
    int result = os_lock(a->folder, err);

    if (result > 0)
        error_set(err, ERROR_REFUSED, "lock", "another run is writing here");
    if (result)
        return error_at(err, a->path, strlen(a->path));
    a->locked = true;
    return 0;
}

int anchor_open(struct anchor *a, enum anchor_use use, struct error *err)
{
    if (a->folder != OS_NO_HANDLE)
        return 0;
    if (open_folder(a, use, err))
        return -1;
    return a->folder == OS_NO_HANDLE ? 0 : anchor_take_over(a, a->folder, use, err);
}

int anchor_take_over(struct anchor *a, os_handle folder, enum anchor_use use, struct error *err)
{
    struct os_stat status;

    a->folder = folder;
    if (os_stat_handle(a->folder, &status, err))
        return error_at(err, a->path, strlen(a->path));
    a->device = status.device;
    a->file = status.file[0];
    if (use != ANCHOR_LOOK && lock(a, err))
        return -1;
    int found = read_marker(a, marker_name, err);
    if (found < 0 || (!found && a->user_marker && find_other_marker(a, err)))
        return error_at(err, a->path, strlen(a->path));
    return 0;
}

/* ---- The marker ---- */

static int marker_text(const struct anchor *a, const char *id, struct buffer *out,
                       struct error *err)
{
    if (buffer_append(out, marker_head, sizeof marker_head - 1, err))
        return -1;
    for (size_t at = 0; at <= a->dead.size; at += ANCHOR_ID_DIGITS) {
        const char *one = at ? (const char *)a->dead.data + at - ANCHOR_ID_DIGITS : id;
        if (buffer_append(out, id_line, sizeof id_line - 1, err) ||
            buffer_append(out, one, ANCHOR_ID_DIGITS, err) || buffer_append_byte(out, '\n', err))
            return -1;
    }
    return 0;
}

/* Takes back a file that was just made; the reason why is told already. */
static void drop_name(struct anchor *a, const char *name)
{
    struct error ignored = {0};

    if (os_remove(a->folder, name, &ignored))
        error_release(&ignored);
}

/* The text, and the time of the first dead run if there is one. */
static int fill_marker(struct anchor *a, os_handle file, struct bytes text, bool sync,
                       struct error *err)
{
    struct os_object object = {.handle = file};

    if (os_write(file, text.data, text.size, err) ||
        (a->dead.size && os_set_times(&object, &a->dead_since, NULL, err)))
        return -1;
    return sync ? os_sync_file(file, err) : 0;
}

/* A marker where there was none appears whole, without having had another name: nobody would know
 * whose that was. 1 if there are no nameless files here. */
static int place_first(struct anchor *a, const char *final, struct bytes text, bool sync,
                       struct error *err)
{
    os_handle file;

    if (os_create_unnamed(a->folder, 0600, &file, err)) {
        if (!os_error_is_unsupported(err))
            return -1;
        error_release(err);
        return 1;
    }
    int result = fill_marker(a, file, text, sync, err);
    if (!result)
        result = os_name_file(file, a->folder, final, err);
    os_close(file);
    return result;
}

/* A marker that takes the place of a dead run's is made under a name that carries an id out of
 * that. */
static int place_over(struct anchor *a, const char *id, const char *final, struct bytes text,
                      struct error *err)
{
    char name[ANCHOR_NAME_BYTES];
    os_handle file;

    (void)snprintf(name, sizeof name, ".holdfast-%.*s-run", ANCHOR_ID_DIGITS,
                   a->dead.size ? (const char *)a->dead.data : id);
    drop_name(a, name);
    if (os_create_file(a->folder, name, 0600, &file, err))
        return -1;
    int result = fill_marker(a, file, text, true, err);
    os_close(file);
    if (!result)
        result = os_rename(a->folder, name, a->folder, final, err);
    if (result)
        drop_name(a, name);
    return result;
}

/* The times of the anchor's folder, set back: the marker comes and goes without a trace. Who does
 * not own the folder cannot, which changes nothing of worth. */
static void keep_times(const struct anchor *a, const struct os_stat *before)
{
    struct error ignored = {0};
    struct os_object folder = {.handle = a->folder};

    if (os_set_times(&folder, &before->mtime, &before->atime, &ignored))
        error_release(&ignored);
}

/* An immutable folder takes no marker. */
static int unlock(struct anchor *a, bool clear_flags, struct error *err)
{
    const uint32_t stuck = OS_FLAG_IMMUTABLE | OS_FLAG_APPEND;
    struct os_object folder = {.handle = a->folder};
    uint32_t flags;

    if (a->created)
        return 0;
    if (os_get_flags(&folder, &flags, err))
        return -1;
    if (!(flags & stuck))
        return 0;
    if (!clear_flags)
        return error_set(err, ERROR_REFUSED, "mark",
                         "the root is immutable: --clear-flags takes the flag off");
    if (os_set_flags(&folder, flags & ~stuck, err))
        return -1;
    a->had_flags = flags;
    return 0;
}

/* The owner of a folder without the right to write there takes it for as long as the marker comes
 * or goes: 1, 0 it is there, -1. */
static int open_mode(const struct anchor *a, const struct os_stat *before, struct error *err)
{
    const struct os_object folder = {.handle = a->folder};

    if ((before->mode & 0300) == 0300 || os_is_privileged() || before->owner != os_user())
        return 0;
    return os_set_mode(&folder, before->mode | 0700, err) ? -1 : 1;
}

/* Gives the mode back; `result` is that of what was done in between. */
static int close_mode(const struct anchor *a, const struct os_stat *before, int result,
                      struct error *err)
{
    const struct os_object folder = {.handle = a->folder};
    struct error later = {0};

    if (os_set_mode(&folder, before->mode, result ? &later : err))
        result = -1;
    error_release(&later);
    return result;
}

static void choose_name(const struct anchor *a, const char *id, char out[ANCHOR_NAME_BYTES])
{
    if (a->marker[0])
        memcpy(out, a->marker, ANCHOR_NAME_BYTES);
    else if (a->user_marker)
        (void)snprintf(out, ANCHOR_NAME_BYTES, "%s-%s", marker_name, id);
    else
        (void)snprintf(out, ANCHOR_NAME_BYTES, "%s", marker_name);
}

int anchor_mark(struct anchor *a, const struct anchor_marking *how, struct error *err)
{
    struct buffer text = {0};
    struct os_stat before;
    char final[ANCHOR_NAME_BYTES];
    int result = -1, opened;

    if (a->marked)
        return 0;
    choose_name(a, how->id, final);
    if (unlock(a, how->clear_flags, err) || marker_text(a, how->id, &text, err) ||
        os_stat_handle(a->folder, &before, err))
        goto out;
    opened = open_mode(a, &before, err);
    if (opened < 0)
        goto out;
    result = a->marker[0] ? 1 : place_first(a, final, buffer_bytes(&text), how->sync, err);
    if (result > 0)
        result = place_over(a, how->id, final, buffer_bytes(&text), err);
    if (opened)
        result = close_mode(a, &before, result, err);
    if (result)
        goto out;
    memcpy(a->marker, final, sizeof final);
    a->marked = true;
    keep_times(a, &before);
    result = how->sync ? os_sync_file(a->folder, err) : 0;
out:
    buffer_release(&text);
    return result ? error_at(err, a->path, strlen(a->path)) : 0;
}

int anchor_yield(struct anchor *a, struct bytes name, const char *id, struct error *err)
{
    char other[ANCHOR_NAME_BYTES];

    if (!bytes_equal(name, bytes_of(marker_name)))
        return 0;
    a->user_marker = true;
    if (strcmp(a->marker, marker_name) != 0)
        return 0;
    (void)snprintf(other, sizeof other, "%s-%s", marker_name, id);
    if (os_rename(a->folder, a->marker, a->folder, other, err))
        return error_at(err, a->path, strlen(a->path));
    memcpy(a->marker, other, sizeof other);
    return 0;
}

int anchor_unmark(struct anchor *a, bool sync, struct error *err)
{
    struct os_object folder = {.handle = a->folder};
    struct os_stat before;

    if (!a->marker[0] || a->folder == OS_NO_HANDLE)
        return 0;
    if (os_stat_handle(a->folder, &before, err))
        return error_at(err, a->path, strlen(a->path));
    int opened = open_mode(a, &before, err);
    int result = opened < 0 ? -1 : os_remove(a->folder, a->marker, err);
    if (opened > 0)
        result = close_mode(a, &before, result, err);
    if (result)
        return error_at(err, a->path, strlen(a->path));
    a->marker[0] = '\0';
    a->marked = false;
    keep_times(a, &before);
    if ((a->had_flags && os_set_flags(&folder, a->had_flags, err)) ||
        (sync && os_sync_file(a->folder, err)))
        return error_at(err, a->path, strlen(a->path));
    return 0;
}

bool anchor_is_leftover(const struct anchor *a, struct bytes name)
{
    static const char prefix[] = ".holdfast-";
    size_t bytes = sizeof prefix - 1;

    if (name.size <= bytes + ANCHOR_ID_DIGITS || memcmp(name.data, prefix, bytes) != 0 ||
        name.data[bytes + ANCHOR_ID_DIGITS] != '-')
        return false;
    for (size_t at = 0; at < a->dead.size; at += ANCHOR_ID_DIGITS) {
        if (!memcmp(name.data + bytes, a->dead.data + at, ANCHOR_ID_DIGITS))
            return true;
    }
    return false;
}
