/*
 * older.c: files of older copies (--link-dest): what the destination lacks, and an older copy of
 * the same source has unchanged, becomes one more name of the file there. That file is looked at by
 * held handles and never changed: not its content, not its metadata, not its flags.
 */
#include "disk/transfer/older.h"

#include <stdlib.h>

/* One older copy. */
struct older_copy {
    const struct transfer_older *option;
    struct source *walk;
    struct diff_options trust; /* when its contents are believed by size and time */
};

/* ---- Life ---- */

static int open_copy(struct run *r, struct older_copy *c, const struct transfer_older *option,
                     struct error *err)
{
    const struct walk_options walk = run_walk_options(r);
    const struct disk_root root = {.name = r->transfer->layout.roots[0].name,
                                   .place = option->place};
    const struct disk_layout layout = {.roots = &root, .root_count = 1};
    struct anchor a;
    int result = -1;

    c->option = option;
    c->trust = (struct diff_options){.quick = !r->options->checksum,
                                     .ignore_fields = r->ignore,
                                     .time_grain_ns = r->time_grain_ns};
    if (anchor_init(&a, option->place, NULL, err))
        return -1;
    /* A run that died there may have left a size and a time over other data. */
    if (anchor_open(&a, ANCHOR_LOOK, err))
        goto out;
    c->trust.has_distrust = a.dead.size != 0;
    c->trust.distrust_since = a.dead_since;
    result = walk_open(&layout, &walk, &c->walk, err);
out:
    anchor_release(&a);
    return result;
}

int older_new(struct run *r, struct error *err)
{
    const struct transfer_options *o = r->options;

    if (!o->older_count)
        return 0;
    r->older = calloc(1, sizeof *r->older);
    if (!r->older)
        return error_memory(err);
    older_groups_init(&r->older->groups);
    r->older->copies = calloc(o->older_count, sizeof *r->older->copies);
    if (!r->older->copies)
        return error_memory(err);
    for (size_t i = 0; i < o->older_count; i++) {
        r->older->count = i + 1;
        if (open_copy(r, &r->older->copies[i], &o->older[i], err))
            return -1;
    }
    return 0;
}

void older_free(struct older *o)
{
    if (!o)
        return;
    for (size_t i = 0; i < o->count; i++)
        source_close(o->copies[i].walk);
    older_groups_release(&o->groups);
    free(o->copies);
    free(o);
}

/* ---- Which file ---- */

/* True if all that the source's file is known to have is known of the other, too, and is the same.
 */
static bool same_metadata(const struct older_copy *c, const struct entry *want,
                          const struct entry *old)
{
    const uint32_t matter = METADATA_MODE | METADATA_OWNER | METADATA_GROUP | METADATA_MTIME |
                            METADATA_FLAGS | METADATA_XATTRS | METADATA_ACL;
    uint32_t asked = matter & ~c->trust.ignore_fields;

    return (want->meta.known & asked) == asked && (old->meta.known & asked) == asked &&
           !metadata_compare(want, old, &c->trust);
}

/* True if contents have to be read to be known as equal. */
static bool is_suspect(const struct older_copy *c, const struct entry *want,
                       const struct entry *old, enum diff_claim claim)
{
    const struct transfer_older *o = c->option;

    return claim == DIFF_TOUCHED || !content_taken_as_equal(want, old, 0, &c->trust) ||
           (o->has_taken && timestamp_compare(want->meta.ctime, o->taken) >= 0);
}

static bool same_contents(struct run *r, struct older_copy *c)
{
    struct data *want = NULL, *old = NULL;
    struct error ignored = {0};
    int failed, equal = 0;

    if (!source_open_data(r->want, &want, &ignored) && !source_open_data(c->walk, &old, &ignored))
        equal = data_compare(want, old, &failed, &ignored);
    data_close(old);
    data_close(want);
    error_release(&ignored);
    return equal == 1;
}

/* A short name of NTFS is one file's that has no other name. */
static bool has_short_name(const struct entry *e)
{
    return pairs_find(&e->meta.xattrs, bytes_of(OS_NTFS_SHORT_NAME)) >= 0;
}

/* Cheap questions first. A file that SOURCE has itself, under whatever name, is no copy of it. */
static bool may_be_it(struct run *r, struct older_copy *c, const struct entry *want,
                      const struct entry **old, enum diff_claim *claim)
{
    struct error ignored = {0};
    const struct entry *e = NULL;
    bool is_it = false;

    if (source_find(c->walk, want->path, &e, &ignored) != 1 || e->problem_scope != PROBLEM_NONE ||
        e->kind != ENTRY_FILE || e->size != want->size ||
        identity_equal(&e->identity, &want->identity))
        goto out;
    if (timestamp_compare(e->meta.mtime, want->meta.mtime) && r->time_grain_ns <= 1)
        goto out;
    *claim = diff_claim_of(r->diff, &e->identity);
    if (*claim == DIFF_CLAIMED || source_load(c->walk, &e, &ignored))
        goto out;
    *old = e;
    is_it = e->problem_scope == PROBLEM_NONE;
out:
    error_release(&ignored);
    return is_it;
}

bool older_find(struct run *r, const struct difference_pair *pair)
{
    const struct entry *want = pair->want, *old;
    enum diff_claim claim;

    if (!r->older || !pair->group_first || want->kind != ENTRY_FILE ||
        want->problem_scope != PROBLEM_NONE || has_short_name(want))
        return false;
    for (size_t i = 0; i < r->older->count; i++) {
        struct older_copy *c = &r->older->copies[i];

        if (!may_be_it(r, c, want, &old, &claim) || !same_metadata(c, want, old) ||
            (want->size && is_suspect(c, want, old, claim) && !same_contents(r, c)))
            continue;
        r->older->from = walk_found(c->walk);
        return true;
    }
    return false;
}

/* ---- Its new name ---- */

static struct identity seen_identity(const struct older *o)
{
    return (struct identity){o->from.status.device,
                             {o->from.status.file[0], o->from.status.file[1]}};
}

int older_claim(struct run *r, struct error *err)
{
    const struct older *o = r->older;
    struct identity id = seen_identity(o);

    return o->from.status.link_count == 1 ? 0 : diff_claim(r->diff, &id, err);
}

void older_tell_copy(struct run *r, const struct entry *want, struct error *why)
{
    if (why->kind == ERROR_LIMIT)
        watcher_loss(r->watcher, want->path,
                     "link limit of the file system reached: a copy, and no further name of the "
                     "older file",
                     NULL);
    else
        watcher_remark(r->watcher, want->path,
                       "its older file takes no further name here: a copy is made");
    error_release(why);
}

struct named older_named(const struct run *r)
{
    const struct os_stat *s = &r->older->from.status;

    return (struct named){s->device, s->file[0], false};
}

/* What was linked is what was looked at, and nobody has changed it since. */
static int check_made(const struct older *o, const struct placing *p, struct error *err)
{
    struct os_stat made;

    if (os_stat_at(p->folder, placing_name(p), &made, err))
        return -1;
    if (made.device == o->from.status.device && made.file[0] == o->from.status.file[0] &&
        made.size == o->from.status.size && made.mode == o->from.status.mode &&
        made.owner == o->from.status.owner && made.group == o->from.status.group &&
        !timestamp_compare(made.mtime, o->from.status.mtime))
        return 0;
    return error_set(err, ERROR_CHANGED, "link", "the older file is another one meanwhile");
}

/* True if the file itself, or its file system, stands against the name. */
static bool takes_none(const struct error *err)
{
    return err->kind == ERROR_LIMIT || os_error_is_cross_device(err) ||
           os_error_is_permission(err) || os_error_is_missing(err);
}

/* Links it into the place of what stands there. As older_place. */
static int link_file(struct run *r, const struct difference_pair *pair, struct error *why,
                     struct error *err)
{
    const struct walk_found *from = &r->older->from;
    struct placing p;

    if (placing_begin(r, pair->have, PLACING_WHOLE, &p, err))
        return -1;
    if (names_check_limit(r, from->folder, from->name, why) ||
        os_link(from->folder, from->name, p.folder, placing_name(&p), why)) {
        if (takes_none(why))
            return 1;
        error_move(err, why);
        return -1;
    }
    if (check_made(r->older, &p, why)) {
        placing_abort(&p);
        return 1;
    }
    if (placing_end(r, &p, err)) {
        placing_abort(&p);
        return -1;
    }
    return 0;
}

int older_place(struct run *r, const struct difference_pair *pair, struct error *why,
                struct error *err)
{
    const struct os_stat *s = &r->older->from.status;
    const struct entry *have = pair->have;
    /* To rename one name of a file over another does nothing. */
    bool stands =
        have && have->identity.volume == s->device && have->identity.file[0] == s->file[0];
    int result = stands ? 0 : link_file(r, pair, why, err);

    if (result)
        return result;
    if (older_claim(r, err))
        return -1;
    return names_note(r, pair->want, older_named(r), err);
}
