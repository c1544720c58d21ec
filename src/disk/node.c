/*
 * node.c: symlinks, FIFOs, sockets and device nodes. They appear whole, so a missing one is made
 * under its own name; each is read back, since file systems lie.
 */
#include "disk/apply.h"

#include <string.h>

static enum os_kind os_kind_of(enum entry_kind kind)
{
    switch (kind) {
    case ENTRY_DIRECTORY:
        return OS_DIRECTORY;
    case ENTRY_FILE:
        return OS_FILE;
    case ENTRY_SYMLINK:
        return OS_SYMLINK;
    case ENTRY_FIFO:
        return OS_FIFO;
    case ENTRY_SOCKET:
        return OS_SOCKET;
    case ENTRY_CHAR_DEVICE:
        return OS_CHAR_DEVICE;
    case ENTRY_BLOCK_DEVICE:
        return OS_BLOCK_DEVICE;
    }
    return OS_KIND_UNKNOWN;
}

static int make(const struct placing *p, const struct entry *e, struct error *err)
{
    struct os_node node = {os_kind_of(e->kind), 0600, e->device_major, e->device_minor};

    if (e->kind == ENTRY_SYMLINK)
        return os_make_symlink(p->folder, placing_name(p), e->target, err);
    return os_make_node(p->folder, placing_name(p), &node, err);
}

/* Static text for what kept an object from being made as it is, if it is a loss rather than an
 * error. */
static const char *loss_of(const struct entry *e, const struct error *err)
{
    bool device = e->kind == ENTRY_CHAR_DEVICE || e->kind == ENTRY_BLOCK_DEVICE;

    if (e->kind == ENTRY_SYMLINK && os_error_is_too_long(err) && entry_name(e).size <= 255)
        return "link target too long for this file system";
    if (device && os_error_is_permission(err))
        return "not permitted to make a device node";
    if (e->kind != ENTRY_SYMLINK && os_error_is_unsupported(err))
        return "this file system has no such kind of entry";
    return NULL;
}

/* True if what was made is what was meant: 1, 0, -1. */
static int read_back(struct run *r, const struct placing *p, const struct entry *e,
                     struct os_stat *made, struct error *err)
{
    const char *name = placing_name(p);

    if (os_stat_at(p->folder, name, made, err))
        return -1;
    if (made->kind != os_kind_of(e->kind))
        return 0;
    if (e->kind == ENTRY_SYMLINK) {
        buffer_clear(&r->text);
        if (os_read_link(p->folder, name, &r->text, err))
            return -1;
        return bytes_equal(buffer_bytes(&r->text), e->target);
    }
    if (e->kind == ENTRY_FIFO || e->kind == ENTRY_SOCKET)
        return 1;
    return made->device_major == e->device_major && made->device_minor == e->device_minor;
}

/* Tells the loss that `reason` names; the entry is not there. Returns 1. */
static int lose(struct run *r, const struct entry *e, const char *reason, struct error *err)
{
    watcher_loss(r->watcher, e->path, reason, err);
    error_release(err);
    return 1;
}

static int set_metadata(struct run *r, const struct placing *p, const struct entry *e,
                        const struct os_stat *made, struct error *err)
{
    struct os_object o = {OS_NO_HANDLE, p->folder, placing_name(p)};
    struct meta_goal goal = {
        .want = &e->meta,
        .fields = e->meta.known & ~r->ignore,
        .kind = e->kind,
        .now = made,
        .fresh = true,
        .inherits = position_level(r)->inherits,
        .path = e->path,
    };

    return meta_set(r, &o, &goal, err);
}

int node_place(struct run *r, const struct difference_pair *pair, struct error *err)
{
    const struct entry *e = pair->want;
    struct placing p;
    struct os_stat made;

    if (placing_begin(r, pair->have, PLACING_WHOLE, &p, err))
        return -1;
    if (make(&p, e, err)) {
        const char *reason = loss_of(e, err);
        return reason ? lose(r, e, reason, err) : -1;
    }
    int same = read_back(r, &p, e, &made, err);
    if (same > 0 && !set_metadata(r, &p, e, &made, err) && !placing_end(r, &p, err))
        return names_note(r, e, made.device, made.file[0], err);
    placing_abort(&p);
    return same == 0 ? lose(r, e, "not what was asked for when read back", err) : -1;
}
