/*
 * sharing.c: contents of a disk source that come to the destination by the system's own means:
 * whole files as shared blocks, or ranges copied from file to file. What can be done depends on the
 * file systems on both sides; it is tried once for each two of them.
 */
#include "disk/transfer/sharing.h"

enum {
    CLONE_LEAST = 4096, /* what is smaller shares nothing worth the call */
    COPY_LEAST = 64 * 1024,
    COPY_PIECE = 16 * 1024 * 1024, /* so that it can be stopped */
};

/* What is known of the devices on both sides; all can be done until it failed. */
static struct run_sharing *look_up(struct run *r, uint64_t from, uint64_t to)
{
    struct run_sharing *s = &r->sharing;

    if (!s->known || s->from != from || s->to != to)
        *s = (struct run_sharing){true, true, true, from, to};
    return s;
}

bool sharing_may_clone(struct run *r, const struct entry *want, const struct data *d)
{
    if (d->os_handle == OS_NO_HANDLE || r->options->reflink == REFLINK_NEVER || !d->size)
        return false;
    if (r->options->reflink == REFLINK_ALWAYS)
        return true;
    return d->size >= CLONE_LEAST &&
           look_up(r, want->identity.volume, position_level(r)->found.device)->clones;
}

int sharing_clone(struct run *r, const struct data *d, os_handle file, struct error *err)
{
    int cloned = os_clone(d->os_handle, file, err);

    if (cloned > 0)
        r->counts->bytes += d->size;
    else if (cloned == 0)
        r->sharing.clones = false;
    if (cloned == 0 && r->options->reflink == REFLINK_ALWAYS)
        return error_set(err, ERROR_UNSUPPORTED, "clone",
                         "its blocks cannot be shared with the source: --reflink=auto copies it");
    return cloned;
}

/* What an error says. Which of the two files broke, the system does not tell: reading and writing
 * will. */
static int judge(struct sharing_way *way, struct error *err)
{
    way->works = false;
    if (!os_error_is_broken(err))
        return -1;
    error_release(err);
    return 0;
}

int sharing_copy(struct sharing_way *way, struct os_range range, struct error *err)
{
    os_handle from = way->from->os_handle;
    uint64_t at = range.offset, end = range.offset + range.bytes, copied;

    /* Where blocks can be shared this call shares them. */
    if (from == OS_NO_HANDLE || range.bytes < COPY_LEAST ||
        way->run->options->reflink == REFLINK_NEVER || !way->works)
        return 0;
    for (; at < end; at += copied) {
        size_t bytes = end - at < COPY_PIECE ? (size_t)(end - at) : COPY_PIECE;
        if (run_check_stop(way->run, err))
            return -1;
        int done = os_copy_range(from, way->to, (struct os_range){at, bytes}, &copied, err);
        if (done < 0)
            return judge(way, err);
        /* A file that ends too early is found out by reading it. */
        if (!done)
            break;
    }
    if (at < end) {
        way->works = at > range.offset;
        return 0;
    }
    return 1;
}
