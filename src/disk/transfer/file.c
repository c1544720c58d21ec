/*
 * file.c: regular files. New ones grow under mode 0600 and get their metadata, times last, when
 * they are whole; what stands is compared by reading and replaced, never written to.
 */
#include "disk/transfer/sharing.h"
#include "disk/transfer/writers.h"
#include "disk/walk.h"

#include <string.h>

/* A file on its way: where it goes, and its handle. */
struct making {
    struct placing placing;
    struct os_object object; /* handle alone */
    struct os_stat made;     /* as it was created */
};

static int making_begin(struct run *r, const struct difference_pair *pair, struct making *m,
                        struct error *err)
{
    const struct metadata *want = &pair->want->meta;

    *m = (struct making){.object = {.handle = OS_NO_HANDLE}};
    if (placing_begin(r, pair->have, PLACING_GROWS, &m->placing, err) ||
        os_create_file(m->placing.folder, placing_name(&m->placing), 0600, &m->object.handle, err))
        return -1;
    if (os_stat_handle(m->object.handle, &m->made, err))
        goto failed;
    /* This flag takes effect on empty files alone. Whether it could be set is looked at with the
     * other flags. */
    if ((want->known & METADATA_FLAGS) && (want->flags & FILE_FLAG_NOCOW)) {
        struct error ignored = {0};
        if (os_set_flags(&m->object, FILE_FLAG_NOCOW, &ignored))
            error_release(&ignored);
    }
    return 0;

failed:
    os_close(m->object.handle);
    placing_abort(&m->placing);
    return -1;
}

static void making_abort(struct making *m)
{
    os_close(m->object.handle);
    placing_abort(&m->placing);
}

/* Metadata, then the name. What the want does not know is taken from `former`, if there is one: the
 * file that this one is a copy of. The making is over, also on failure. */
static int making_end(struct run *r, const struct difference_pair *pair,
                      const struct metadata *former, struct making *m, struct error *err)
{
    struct meta_goal goal = {
        .want = &pair->want->meta,
        .fields = pair->want->meta.known & ~r->ignore,
        .kind = ENTRY_FILE,
        .now = &m->made,
        .fresh = true,
        .temporary = m->placing.made[0] != '\0',
        .inherits = position_level(r)->inherits,
        .path = pair->want->path,
    };
    struct meta_goal rest = goal;
    struct os_stat now = m->made;

    if (former) {
        rest.want = former;
        rest.fields = former->known & ~goal.fields;
        if (meta_set(r, &m->object, &rest, err) || os_stat_handle(m->object.handle, &now, err))
            goto failed;
        goal.now = &now;
        goal.fresh = rest.fields == 0;
    }
    if (meta_set(r, &m->object, &goal, err))
        goto failed;
    os_handle file = m->object.handle;
    m->object.handle = OS_NO_HANDLE;
    if (os_close_checked(file, err) || placing_end(r, &m->placing, err) ||
        (goal.temporary && meta_set_short_name(r, pair->want, err)))
        goto failed;
    return names_note(r, pair->want, (struct named){m->made.device, m->made.file[0], true}, err);

failed:
    making_abort(m);
    return -1;
}

/* ---- Contents ---- */

static int read_want(struct run *r, struct data *d, uint64_t offset, struct data_span span,
                     struct error *err)
{
    if (!data_read_full(d, offset, span, err))
        return 0;
    r->reading_failed = true;
    return -1;
}

static size_t block_bytes(uint64_t left)
{
    return left < APPLY_BLOCK_BYTES ? (size_t)left : APPLY_BLOCK_BYTES;
}

/* A range of content to be written to a file. */
struct range {
    uint64_t from, to;
};

/* Writes the beginning of the range, which grows smaller: from where it stands, which somebody else
 * fills meanwhile, or through a block of its own, of two in turn, so that the next one is read
 * while it is written. */
static int copy_some(struct run *r, struct data *d, os_handle file, struct range *range,
                     struct error *err)
{
    uint64_t at = range->from, left = range->to - range->from;
    struct bytes bytes;

    if (data_can_view(d)) {
        if (data_view(d, at, left < SIZE_MAX ? (size_t)left : SIZE_MAX, &bytes, err)) {
            r->reading_failed = true;
            return -1;
        }
        range->from += bytes.size;
        return os_write_at(file, at, bytes, err);
    }
    uint8_t *block = r->block;
    r->block = r->other_block;
    r->other_block = block;
    bytes = bytes_make(block, block_bytes(left));
    range->from += bytes.size;
    if (read_want(r, d, at, (struct data_span){block, bytes.size}, err))
        return -1;
    return writers_write(r, file, at, bytes, err);
}

static int copy_blocks(struct run *r, struct data *d, os_handle file, struct range range,
                       struct error *err)
{
    struct sharing_way way = {r, d, file, r->sharing.copies};

    for (size_t i = 0; i < d->extent_count; i++) {
        const struct extent *e = &d->extents[i];
        uint64_t at = e->offset > range.from ? e->offset : range.from;
        uint64_t end = e->offset + e->length < range.to ? e->offset + e->length : range.to;
        struct range rest = {at, end};
        int shared =
            at < end ? sharing_copy(&way, (struct os_range){at, (size_t)(end - at)}, err) : 0;
        r->sharing.copies = way.works;
        if (shared < 0)
            return -1;
        if (shared) {
            r->counts->bytes += end - at;
            continue;
        }
        for (; rest.from < rest.to; at = rest.from) {
            if (run_check_stop(r, err) || copy_some(r, d, file, &rest, err))
                return -1;
            r->counts->bytes += rest.from - at;
        }
    }
    return 0;
}

/* Writes what a content holds in the range; its holes stay holes. */
static int copy_range(struct run *r, struct data *d, os_handle file, struct range range,
                      struct error *err)
{
    struct error later = {0};
    int result = copy_blocks(r, d, file, range, err);

    if (writers_flush(r, result ? &later : err))
        result = -1;
    error_release(&later);
    return result;
}

int file_end_content(const struct data *d, os_handle file, struct error *err)
{
    const struct extent *last = d->extent_count ? &d->extents[d->extent_count - 1] : NULL;

    if (!d->size || (last && last->offset + last->length == d->size))
        return 0;
    return os_set_size(file, d->size, err);
}

/* A source that was written to while it was read gave a mixture. */
static int check_changed(struct run *r, struct data *d, struct bytes path, struct error *err)
{
    int changed = data_changed(d, err);

    if (changed < 0) {
        r->reading_failed = true;
        return -1;
    }
    if (changed)
        watcher_loss(r->watcher, path, "changed while it was read", NULL);
    return 0;
}

/* Leaves a new file to the writers, with its content or with the reading of it, too. */
static int hand_over(struct run *r, const struct difference_pair *pair, struct data **d,
                     struct error *err)
{
    struct writers_file f = {.want = pair->want, .room = block_bytes((*d)->size)};
    uint8_t *room;

    for (size_t i = 0; i < (*d)->extent_count; i++)
        f.bytes += (*d)->extents[i].length;
    if (writers_room(r, f.room, &room, err))
        return -1;
    if (writers_read(r, *d))
        f.content = *d;
    else if (read_want(r, *d, 0, (struct data_span){room, f.room}, err) ||
             check_changed(r, *d, f.want->path, err))
        return -1;
    if (position_touch(r, err) || writers_add(r, &f, err))
        return -1;
    if (f.content)
        *d = NULL;
    r->counts->bytes += f.bytes;
    return 0;
}

/* Gives a new file its content. */
static int fill(struct run *r, struct data *d, bool clone, os_handle file, struct error *err)
{
    int cloned = clone ? sharing_clone(r, d, file, err) : 0;

    if (cloned)
        return cloned < 0 ? -1 : 0;
    return copy_range(r, d, file, (struct range){0, d->size}, err) || file_end_content(d, file, err)
               ? -1
               : 0;
}

int file_place(struct run *r, const struct difference_pair *pair, struct error *err)
{
    struct data *d = NULL;
    struct making m;
    int result = -1;

    if (source_open_data(r->want, &d, err)) {
        r->reading_failed = true;
        return -1;
    }
    bool clone = sharing_may_clone(r, pair->want, d);
    if (!clone && writers_want(r, pair, d)) {
        result = hand_over(r, pair, &d, err);
        goto out;
    }
    if (making_begin(r, pair, &m, err))
        goto out;
    if (fill(r, d, clone, m.object.handle, err) || check_changed(r, d, pair->want->path, err)) {
        making_abort(&m);
        goto out;
    }
    result = making_end(r, pair, NULL, &m, err);
out:
    data_close(d);
    return result;
}

/* ---- Copies of what is there ---- */

/* Opens what stands at the entry's name, if it still is what the walk saw. */
static int open_standing(struct run *r, const struct entry *have, struct data **out,
                         struct error *err)
{
    struct os_stat status;

    if (disk_data_open(position_folder(r), (const char *)r->name.data, out, err))
        return -1;
    if (os_stat_handle((*out)->os_handle, &status, err))
        goto failed;
    if (status.device != have->identity.volume || status.file[0] != have->identity.file[0]) {
        error_set(err, ERROR_CHANGED, "open", "another file took its place meanwhile");
        goto failed;
    }
    return 0;

failed:
    data_close(*out);
    *out = NULL;
    return -1;
}

static int copy_of(struct run *r, const struct difference_pair *pair, struct data *d,
                   const struct metadata *former, struct error *err)
{
    struct making m;

    if (making_begin(r, pair, &m, err))
        return -1;
    if (copy_range(r, d, m.object.handle, (struct range){0, d->size}, err) ||
        file_end_content(d, m.object.handle, err)) {
        making_abort(&m);
        return -1;
    }
    return making_end(r, pair, former, &m, err);
}

int file_refresh(struct run *r, const struct difference_pair *pair, struct error *err)
{
    struct data *d = NULL;

    if (open_standing(r, pair->have, &d, err))
        return -1;
    int result = copy_of(r, pair, d, &pair->have->meta, err);
    data_close(d);
    return result;
}

int file_copy(struct run *r, os_handle folder, const char *name, const struct difference_pair *pair,
              struct error *err)
{
    struct data *d = NULL;
    struct metadata former = {0};
    struct entry as_copied = *pair->want;
    struct difference_pair copied = *pair;
    int result = -1;

    if (disk_data_open(folder, name, &d, err))
        return -1;
    struct os_object o = {.handle = d->os_handle};
    if (meta_read(&o, &former, err))
        goto out;
    /* The group's file says it all: a further name in an archive may know less. */
    as_copied.meta = former;
    copied.want = &as_copied;
    result = copy_of(r, &copied, d, NULL, err);
out:
    pairs_release(&former.xattrs);
    data_close(d);
    return result;
}

/* ---- Compare, then replace ---- */

/* The two contents of one size, and how far they are equal. */
struct comparing {
    struct data *want, *have;
    size_t want_extent, have_extent; /* the first that may still hold data */
    uint64_t at;                     /* all before it is equal */
    size_t bytes;                    /* of the block in hand, which differs */
};

/* Where the content has its next data at or after `at`. */
static uint64_t next_data(const struct data *d, size_t *index, uint64_t at)
{
    while (*index < d->extent_count && d->extents[*index].offset + d->extents[*index].length <= at)
        (*index)++;
    if (*index == d->extent_count)
        return d->size;
    return d->extents[*index].offset > at ? d->extents[*index].offset : at;
}

/* Compares on to the first difference: 1 equal to the end, 0 a difference in the block at c->at,
 * which is in r->block. */
static int compare_on(struct run *r, struct comparing *c, struct error *err)
{
    for (;;) {
        uint64_t want = next_data(c->want, &c->want_extent, c->at);
        uint64_t have = next_data(c->have, &c->have_extent, c->at);
        c->at = want < have ? want : have;
        if (c->at >= c->want->size)
            return 1;
        c->bytes = block_bytes(c->want->size - c->at);
        if (run_check_stop(r, err))
            return -1;
        if (read_want(r, c->want, c->at, (struct data_span){r->block, c->bytes}, err) ||
            data_read_full(c->have, c->at, (struct data_span){r->other_block, c->bytes}, err))
            return -1;
        if (memcmp(r->block, r->other_block, c->bytes) != 0)
            return 0;
        c->at += c->bytes;
    }
}

/* Writes the block in hand but for the holes of its content. */
static int write_block(struct run *r, const struct comparing *c, os_handle file, struct error *err)
{
    for (size_t i = 0; i < c->want->extent_count; i++) {
        const struct extent *e = &c->want->extents[i];
        uint64_t from = e->offset > c->at ? e->offset : c->at;
        uint64_t end = e->offset + e->length;
        if (end > c->at + c->bytes)
            end = c->at + c->bytes;
        if (from >= end)
            continue;
        struct bytes part = bytes_make(r->block + (from - c->at), (size_t)(end - from));
        if (os_write_at(file, from, part, err))
            return -1;
        r->counts->bytes += part.size;
    }
    return 0;
}

/* The new file: the equal beginning from what stands, the rest from the source, which has been read
 * up to there. */
static int replace_from(struct run *r, const struct difference_pair *pair, struct comparing *c,
                        struct error *err)
{
    struct making m;

    if (making_begin(r, pair, &m, err))
        return -1;
    os_handle file = m.object.handle;
    struct range rest = {c->at + c->bytes, c->want->size};
    if (write_block(r, c, file, err) ||
        copy_range(r, c->have, file, (struct range){0, c->at}, err) ||
        copy_range(r, c->want, file, rest, err) || file_end_content(c->want, file, err) ||
        check_changed(r, c->want, pair->want->path, err)) {
        making_abort(&m);
        return -1;
    }
    return making_end(r, pair, NULL, &m, err);
}

int file_compare(struct run *r, const struct difference_pair *pair, bool *replaced,
                 struct error *err)
{
    struct comparing c = {0};
    int result = -1;

    *replaced = false;
    if (source_open_data(r->want, &c.want, err)) {
        r->reading_failed = true;
        return -1;
    }
    if (open_standing(r, pair->have, &c.have, err))
        goto out;
    int equal = c.have->size == c.want->size ? compare_on(r, &c, err) : 0;
    if (equal < 0)
        goto out;
    if (!equal) {
        *replaced = true;
        result = replace_from(r, pair, &c, err);
    } else {
        result = 0;
    }
out:
    data_close(c.have);
    data_close(c.want);
    return result;
}
