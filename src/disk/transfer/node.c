/*
 * node.c: symlinks, FIFOs, sockets and device nodes. They appear whole, so a missing one is made
 * under its own name; each is read back, since file systems lie.
 */
#include "disk/transfer/writers.h"

#include <string.h>

#include "link/reparse.h"
#include "tree/ntfs_note.h"
#include "tree/relink.h"

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
    case ENTRY_JUNCTION:
    case ENTRY_MOUNT_POINT:
    case ENTRY_REPARSE:
        break;
    }
    return OS_KIND_UNKNOWN;
}

/* What an entry is made as: itself, or what comes nearest where the destination cannot hold it. */
struct form {
    bool is_reparse;     /* `raw` and `flavour` */
    struct bytes raw;    /* a reparse buffer */
    struct bytes target; /* of a symbolic link */
    enum os_flavour flavour;
    bool needs_note;     /* a note beside it has what it stands for */
    bool may_turn;       /* its flavour is to be looked at again once all is there */
    const char *inexact; /* why it is not the same: static text, or NULL */
    const char *lacking; /* why it cannot be made at all: static text, or NULL */
    uint32_t inherits;   /* enum inherits, of its folder */
    struct os_stat made; /* once it was read back */
};

/* What stands for a reparse point that is no link: a file of mode 0 without content. */
static int make_empty(const struct placing *p, struct error *err)
{
    os_handle file;

    if (os_create_file(p->folder, placing_name(p), 0, &file, err))
        return -1;
    return os_close_checked(file, err);
}

static int make(const struct placing *p, const struct entry *e, const struct form *f,
                struct error *err)
{
    struct os_node node = {os_kind_of(e->kind), 0600, e->device_major, e->device_minor};

    if (f->needs_note && !entry_is_link(e))
        return make_empty(p, err);
    if (f->is_reparse)
        return os_make_reparse(p->folder, placing_name(p), f->flavour, f->raw, err);
    if (entry_is_link(e))
        return os_make_symlink(p->folder, placing_name(p), f->target, err);
    return os_make_node(p->folder, placing_name(p), &node, err);
}

/* Static text for what kept an object from being made as it is, if it is a loss rather than an
 * error. */
static const char *loss_of(const struct entry *e, const struct error *err)
{
    bool device = e->kind == ENTRY_CHAR_DEVICE || e->kind == ENTRY_BLOCK_DEVICE;

    if (entry_is_link(e) && os_error_is_too_long(err) && entry_name(e).size <= 255)
        return "link target too long for this file system";
    if (device && os_error_is_permission(err))
        return "not permitted to make a device node";
    if (e->reparse.size && os_error_is_unsupported(err))
        return "this volume takes no such reparse point";
    if (e->kind != ENTRY_SYMLINK && os_error_is_unsupported(err))
        return "this file system has no such kind of entry";
    return NULL;
}

/* True if a reparse point, whose buffer was read back when it was made, is of this flavour: 1, 0,
 * -1. */
static int is_of_flavour(const struct placing *p, enum os_flavour flavour, struct error *err)
{
    struct os_object o = {OS_NO_HANDLE, p->folder, placing_name(p)};
    uint32_t attributes;

    if (os_ntfs_attributes(&o, &attributes, err) < 0)
        return -1;
    return (attributes & OS_ATTRIBUTE_REPARSE_POINT) != 0 &&
           ((attributes & OS_ATTRIBUTE_DIRECTORY) != 0) == (flavour == OS_FLAVOUR_FOLDER);
}

/* True if what was made is what was meant: 1, 0, -1. `text` is scratch. */
static int read_back(struct buffer *text, const struct placing *p, const struct entry *e,
                     struct form *f, struct error *err)
{
    const char *name = placing_name(p);
    struct os_stat *made = &f->made;

    if (os_stat_at(p->folder, name, made, err))
        return -1;
    if (f->is_reparse)
        return is_of_flavour(p, f->flavour, err);
    if (f->needs_note && !entry_is_link(e))
        return made->kind == OS_FILE && !made->size;
    if (made->kind != (entry_is_link(e) ? OS_SYMLINK : os_kind_of(e->kind)))
        return 0;
    if (entry_is_link(e)) {
        buffer_clear(text);
        if (os_read_link(p->folder, name, text, err))
            return -1;
        return bytes_equal(buffer_bytes(text), f->target);
    }
    if (e->kind == ENTRY_FIFO || e->kind == ENTRY_SOCKET)
        return 1;
    return made->device_major == e->device_major && made->device_minor == e->device_minor;
}

/* Tells the loss that `reason` names; the entry is not there. Returns 1. */
static int lose(struct watcher *w, const struct entry *e, const char *reason, struct error *err)
{
    watcher_loss(w, e->path, reason, err);
    error_release(err);
    return 1;
}

/* Keeps the note of a reparse point and tells what is not the same: 0; 1 if it is no use without
 * the note, which could not be kept, and that was told; -1. */
static int tell_form(struct run *r, const struct placing *p, const struct entry *e, struct form *f,
                     struct error *err)
{
    struct os_object o = {OS_NO_HANDLE, p->folder, placing_name(p)};
    struct meta_hand hand = {.run = r, .watcher = r->watcher, .xattrs = &r->xattrs};
    struct error cause = {0};
    int lost = f->needs_note ? meta_keep_note(&hand, &o, e, &cause, err) : 0;

    if (lost > 0 && r->options->relink) {
        error_release(&cause);
        lost = relink_add(r->options->relink, e, err);
    }
    if (lost < 0)
        return -1;
    if (lost && !entry_is_link(e)) {
        watcher_loss(r->watcher, e->path, "this file system has no reparse points", &cause);
        error_release(&cause);
        return 1;
    }
    f->needs_note = !lost && f->needs_note;
    if (f->inexact)
        watcher_loss(r->watcher, e->path, f->inexact, lost ? &cause : NULL);
    error_release(&cause);
    return 0;
}

static int set_metadata(struct meta_hand *h, const struct placing *p, const struct entry *e,
                        const struct form *f, struct error *err)
{
    struct os_object o = {OS_NO_HANDLE, p->folder, placing_name(p)};
    struct meta_goal goal = {
        .want = &e->meta,
        .fields = e->meta.known & ~h->run->ignore,
        .kind = e->kind,
        .now = &f->made,
        .fresh = true,
        .noted = f->needs_note,
        .temporary = p->made[0] != '\0',
        .inherits = f->inherits,
        .path = e->path,
    };

    return meta_apply(h, &o, &goal, err);
}

/* ---- In which form ---- */

/* True if a relative target leads to a folder that is there by now, through no link. */
static bool leads_to_folder(struct run *r, struct bytes target)
{
    struct error ignored = {0};
    os_handle folder = OS_NO_HANDLE;
    bool is_folder = !os_open_beneath(position_folder(r), target, &folder, &ignored);

    os_close(folder);
    error_release(&ignored);
    return is_folder;
}

/* On a file system without reparse points. */
static int form_elsewhere(struct run *r, const struct entry *e, struct form *f, struct error *err)
{
    if (!e->reparse.size)
        return 0;
    f->inexact = e->kind == ENTRY_JUNCTION      ? "a junction, made as a symbolic link"
                 : e->kind == ENTRY_MOUNT_POINT ? "a mount point, made as a symbolic link"
                                                : "a symbolic link of Windows, made as one of this "
                                                  "system";
    if (entry_is_link(e) && r->options->foreign_links == FOREIGN_REFUSE)
        return run_refuse(err, "a link of Windows, and this is no NTFS volume");
    if (entry_is_link(e) && r->options->foreign_links == FOREIGN_SKIP)
        f->lacking = "a link of Windows, left out as asked: this is no NTFS volume";
    f->needs_note = true;
    if (e->kind == ENTRY_REPARSE)
        f->inexact = "a reparse point, made as an empty file of mode 0";
    if (!entry_is_link(e))
        return 0;
    buffer_clear(&r->link);
    if (ntfs_note_link_text(e, &r->link, err))
        return -1;
    f->target = buffer_bytes(&r->link);
    return 0;
}

/* A link of Windows for what a link of another system says. The flavour is that of what stands at
 * the other end by now, or will be: flavours.c. What may get further names is of a file. */
static int form_of_windows(struct run *r, const struct entry *e, struct form *f, struct error *err)
{
    struct reparse made = {0};
    struct buffer text = {0};
    const char *why = NULL;
    struct target t;
    int result;

    target_parse(e->target, TARGET_RULES_POSIX, &t);
    result =
        t.form == TARGET_RELATIVE ? target_turn(&text, &t, TARGET_RULES_WINDOWS, &why, err) : 0;
    if (result < 0)
        return -1;
    f->inexact = result ? "a symbolic link, made as one of Windows"
                        : "a symbolic link to what Windows cannot name, made as one of WSL";
    if (reparse_make(result ? REPARSE_MAKE_SYMLINK : REPARSE_MAKE_LX_SYMLINK,
                     result ? buffer_bytes(&text) : e->target, &made, err)) {
        result = -1;
        if (err->kind != ERROR_MEMORY) {
            f->lacking = "a symbolic link whose target this file system cannot hold";
            error_release(err);
            result = 0;
        }
    } else {
        buffer_clear(&r->link);
        result = reparse_encode(&made, &r->link, err);
        f->raw = buffer_bytes(&r->link);
        f->is_reparse = true;
        f->flavour =
            !e->shared && leads_to_folder(r, e->target) ? OS_FLAVOUR_FOLDER : OS_FLAVOUR_FILE;
        f->may_turn = f->flavour == OS_FLAVOUR_FILE && made.kind == REPARSE_SYMLINK;
    }
    reparse_release(&made);
    buffer_release(&text);
    return result < 0 ? -1 : 0;
}

static int choose_form(struct run *r, const struct entry *e, struct form *f, struct error *err)
{
    int on_ntfs = position_on_ntfs(r, err);

    *f = (struct form){.target = e->target, .inherits = position_level(r)->inherits};
    if (on_ntfs < 0)
        return -1;
    if (!on_ntfs)
        return form_elsewhere(r, e, f, err);
    if (e->kind == ENTRY_SYMLINK && !e->reparse.size)
        return form_of_windows(r, e, f, err);
    f->is_reparse = e->reparse.size != 0;
    f->raw = e->reparse;
    f->flavour = e->folder_flavour ? OS_FLAVOUR_FOLDER : OS_FLAVOUR_FILE;
    return 0;
}

/* ---- Making it ---- */

/* What the system did not make as it is: 1 if it is a loss, which is told, -1 an error. */
static int make_or_lose(struct watcher *w, const struct placing *p, const struct entry *e,
                        const struct form *f, struct error *err)
{
    if (!make(p, e, f, err))
        return 0;
    const char *reason = loss_of(e, err);
    return reason ? lose(w, e, reason, err) : -1;
}

static const char not_the_same[] = "not what was asked for when read back";

int node_make_symlink(struct meta_hand *h, const struct node_symlink *l, struct error *err)
{
    struct placing p = {.folder = l->folder, .name = l->name};
    struct form form = {.target = l->want->target, .inherits = l->inherits};
    int lost = make_or_lose(h->watcher, &p, l->want, &form, err);

    if (lost)
        return lost;
    int same = read_back(l->text, &p, l->want, &form, err);
    if (same > 0 && !set_metadata(h, &p, l->want, &form, err))
        return 0;
    placing_abort(&p);
    return same == 0 ? lose(h->watcher, l->want, not_the_same, err) : -1;
}

/* True if a symbolic link is to be made of a symbolic link of this system. */
static bool is_plain(const struct entry *e, const struct form *f)
{
    return e->kind == ENTRY_SYMLINK && !f->is_reparse && !f->needs_note;
}

int node_place(struct run *r, const struct difference_pair *pair, struct error *err)
{
    struct meta_hand hand = {.run = r, .watcher = r->watcher, .xattrs = &r->xattrs};
    const struct entry *e = pair->want;
    struct placing p;
    struct form form;
    bool renamed;

    if (placing_begin(r, pair->have, PLACING_WHOLE, &p, err) || choose_form(r, e, &form, err))
        return -1;
    if (form.lacking)
        return lose(r->watcher, e, form.lacking, err);
    if (is_plain(e, &form) && writers_want_symlink(r, pair))
        return writers_add_symlink(r, e, err);
    int lost = make_or_lose(r->watcher, &p, e, &form, err);
    if (lost)
        return lost;
    int same = read_back(&r->text, &p, e, &form, err);
    int useless = same > 0 ? tell_form(r, &p, e, &form, err) : 0;
    renamed = p.made[0] != '\0';
    if (same > 0 && !useless && !set_metadata(&hand, &p, e, &form, err) &&
        !placing_end(r, &p, err) && !(renamed && meta_set_short_name(r, e, err))) {
        if (is_plain(e, &form))
            writers_note_symlink(r);
        return (form.may_turn && flavours_add(r, e, &form.made, err)) ||
                       names_note(r, e, (struct named){form.made.device, form.made.file[0], true},
                                  err)
                   ? -1
                   : 0;
    }
    placing_abort(&p);
    if (useless > 0)
        return 1;
    return same == 0 ? lose(r->watcher, e, not_the_same, err) : -1;
}
