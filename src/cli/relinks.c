/*
 * relinks.c: see relinks.h.
 */
#include "cli/relinks.h"

#include <string.h>

#include "disk/newfile.h"

static int read_all(os_handle file, struct buffer *out, struct error *err)
{
    enum { PIECE_BYTES = 1 << 16 };
    size_t got = 1;

    while (got != 0) {
        if (buffer_reserve(out, PIECE_BYTES, err) != 0 ||
            os_read(file, out->data + out->size, PIECE_BYTES, &got, err) != 0)
            return -1;
        out->size += got;
    }
    return 0;
}

int relinks_load(const char *path, enum relinks_lack lack, struct relink *out, struct error *err)
{
    struct buffer text = {0};
    os_handle file;
    int result = -1;

    if (os_open_path(path, &file, err) == 0) {
        if (read_all(file, &text, err) == 0)
            result = relink_read(out, buffer_bytes(&text), err);
        os_close(file);
    } else if (lack == RELINKS_MAY_LACK && os_error_is_missing(err)) {
        error_release(err);
        result = 0;
    }
    buffer_release(&text);
    if (result == 0)
        return 0;
    if (err->kind != ERROR_MEMORY)
        err->kind = ERROR_USAGE; /* nothing was changed yet */
    return error_at(err, path, strlen(path));
}

int relinks_check(const char *path, struct error *err)
{
    struct newfile file;

    if (newfile_begin(&file, path, err) == 0) {
        newfile_abandon(&file);
        return 0;
    }
    if (err->kind != ERROR_MEMORY)
        err->kind = ERROR_USAGE;
    return -1;
}

int relinks_save(const char *path, const struct relink *r, struct error *err)
{
    struct newfile file;

    if (!r->is_changed)
        return 0;
    if (newfile_begin(&file, path, err) != 0)
        return -1;
    if (os_write(file.file, r->text.data, r->text.size, err) == 0)
        return newfile_commit(&file, NEWFILE_SYNC, err);
    newfile_abandon(&file);
    return error_at(err, path, strlen(path));
}
