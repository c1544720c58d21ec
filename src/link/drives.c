/*
 * drives.c: see drives.h.
 */
#include "link/drives.h"

void drives_release(struct drives *d)
{
    remap_release(&d->here);
    remap_release(&d->windows);
}

static bool is_letter(uint8_t byte)
{
    byte |= 0x20;
    return byte >= 'a' && byte <= 'z';
}

/* Appends what rules make of a text: 1, 0 if none meets it, -1. */
static int append_mapped(const struct remap *rules, struct bytes text, enum target_rules read_by,
                         struct buffer *out, struct error *err)
{
    struct remap_result result;
    int done = -1;

    if (!rules->count)
        return 0;
    if (!remap_target(rules, text, read_by, &result, err)) {
        struct bytes mapped = buffer_bytes(&result.target);

        done = result.outcome == REMAP_MAPPED;
        if (done && buffer_append(out, mapped.data, mapped.size, err))
            done = -1;
    }
    remap_result_release(&result);
    return done;
}

int drives_append_here(const struct drives *d, struct bytes target, struct buffer *out,
                       struct error *err)
{
    return append_mapped(&d->here, target, TARGET_RULES_WINDOWS, out, err);
}

int drives_append_windows(const struct drives *d, struct bytes path, struct buffer *out,
                          struct error *err)
{
    return append_mapped(&d->windows, path, TARGET_RULES_POSIX, out, err);
}

int drives_add_text(struct drives *d, struct bytes text, struct error *err)
{
    struct buffer known = {0};
    struct bytes drive, place;
    uint8_t root[3] = {0, ':', '\\'};
    int is_known;

    if (text.size < 4 || !is_letter(text.data[0]) || text.data[1] != ':' || text.data[2] != '=' ||
        text.data[3] != '/')
        return error_set(
            err, ERROR_USAGE, NULL,
            "a drive is a letter and where it is mounted, an absolute path: C:=/mnt/win");
    root[0] = text.data[0];
    drive = bytes_make(root, sizeof root);
    place = bytes_make(text.data + 3, text.size - 3);
    is_known = drives_append_here(d, drive, &known, err);
    buffer_release(&known);
    if (is_known < 0)
        return -1;
    if (is_known)
        return error_set(err, ERROR_USAGE, NULL, "the drive %c: is there already", text.data[0]);
    if (remap_add(&d->here, drive, place, err))
        return -1;
    return remap_add(&d->windows, place, drive, err);
}
