/*
 * diff.c: the merge, and what makes two entries of one path differ. Names that are one file:
 * diff_groups.c. Metadata: compare.c. Contents: data.c.
 */
#include "tree/diff.h"

#include <stdlib.h>
#include <string.h>

#include "tree/diff_groups.h"

/* One source on its way through the merge. */
struct side {
    struct source *source;     /* borrowed */
    const struct entry *entry; /* the entry that came last and is not paired yet, or NULL */
    bool ended;
    bool in_pair;             /* the pair that came last has this side */
    struct buffer path;       /* of the entry that came last */
    struct buffer unreadable; /* a folder whose content is not known for certain; empty if none */
};

struct diff {
    struct diff_options options;
    struct side sides[2]; /* by enum diff_side */
    bool by_find;
    struct diff_groups groups;
    struct difference_pair pair;
};

int diff_new(struct source *want, struct source *have, const struct diff_options *options,
             struct diff **out, struct error *err)
{
    const struct source_facts *facts = source_facts(want);
    bool by_find = !facts->ordered;
    if (!by_find && !source_facts(have)->ordered)
        return error_set(err, ERROR_UNSUPPORTED, "compare",
                         "the entries of this source come in no order");
    struct diff *d = calloc(1, sizeof *d);
    if (d == NULL)
        return error_memory(err);
    d->options = *options;
    d->by_find = by_find;
    d->sides[DIFF_WANT].source = want;
    d->sides[DIFF_HAVE].source = have;
    groups_init(&d->groups, options->settle, facts, source_facts(have));
    *out = d;
    return 0;
}

void diff_widen(struct diff *d, uint64_t time_grain_ns, const struct timestamp *distrust_since)
{
    struct diff_options *o = &d->options;

    if (time_grain_ns > o->time_grain_ns)
        o->time_grain_ns = time_grain_ns;
    if (distrust_since &&
        (!o->has_distrust || timestamp_compare(*distrust_since, o->distrust_since) < 0)) {
        o->has_distrust = true;
        o->distrust_since = *distrust_since;
    }
}

void diff_free(struct diff *d)
{
    if (d == NULL)
        return;
    for (int i = 0; i < 2; i++) {
        buffer_release(&d->sides[i].path);
        buffer_release(&d->sides[i].unreadable);
    }
    groups_release(&d->groups);
    free(d);
}

static int replace_bytes(struct buffer *b, struct bytes with, struct error *err)
{
    buffer_clear(b);
    return buffer_append(b, with.data, with.size, err);
}

/* Notes that what lies in a folder is not known. Of nested ones the outer one counts. */
static int note_unreadable(struct side *s, struct bytes folder, struct error *err)
{
    if (s->unreadable.size > 0 && path_is_within(folder, buffer_bytes(&s->unreadable)))
        return 0;
    return replace_bytes(&s->unreadable, folder, err);
}

static bool hides(const struct side *s, struct bytes path)
{
    return s->unreadable.size > 0 && path_is_within(path, buffer_bytes(&s->unreadable));
}

/* The merge stands and falls with the order, so a source is not believed: an archive may be made to
 * break it. */
static int check_order(struct side *s, bool ordered, struct error *err)
{
    const struct entry *e = s->entry;
    if (e->problem_scope == PROBLEM_CONTENT)
        return 0;
    if (ordered && s->path.size > 0 && path_compare(buffer_bytes(&s->path), e->path) >= 0) {
        error_set(err, ERROR_FORMAT, "compare", "the entries do not come in canonical order");
        return error_at(err, (const char *)e->path.data, e->path.size);
    }
    return replace_bytes(&s->path, e->path, err);
}

/* Makes sure that the side's next entry is there, if there is one. */
static int fill(struct side *s, bool ordered, struct error *err)
{
    s->in_pair = false;
    if (s->entry != NULL || s->ended)
        return 0;
    int got = source_next(s->source, &s->entry, err);
    if (got < 0)
        return -1;
    if (got == 0) {
        s->entry = NULL;
        s->ended = true;
        return 0;
    }
    return check_order(s, ordered, err);
}

/* Completes the entry of a side of the pair. */
static int load(struct diff *d, enum diff_side side, struct error *err)
{
    const struct entry **entry = side == DIFF_WANT ? &d->pair.want : &d->pair.have;
    if (*entry == NULL)
        return 0;
    if (source_load(d->sides[side].source, entry, err) != 0)
        return -1;
    if ((*entry)->problem_scope != PROBLEM_NONE)
        d->pair.differs |= DIFFERS_UNREADABLE;
    return 0;
}

/* A further name in an archive is no more than a name: what it is a name of stands at the first. */
static bool is_mere_name(const struct entry *e)
{
    return entry_is_further_name(e) && !identity_is_known(&e->identity);
}

static uint32_t compare_data(const struct diff *d)
{
    const struct entry *want = d->pair.want, *have = d->pair.have;
    bool mere = is_mere_name(want) || is_mere_name(have);
    if (mere && (want->size == 0 || have->size == 0))
        return DIFFERS_DATA_UNKNOWN;
    if (want->size != have->size)
        return DIFFERS_DATA;
    bool same =
        want->size == 0 || (!d->groups.hand.touched &&
                            content_taken_as_equal(want, have, d->pair.fields, &d->options));
    return same ? 0 : DIFFERS_DATA_UNKNOWN;
}

/* True if a symbolic link of Windows says the same as one that comes from elsewhere, where slashes
 * separate. */
static bool is_turned(const struct entry *want, const struct entry *have)
{
    if (want->reparse.size != 0 || have->reparse.size == 0 ||
        want->target.size != have->target.size)
        return false;
    for (size_t i = 0; i < want->target.size; i++) {
        uint8_t byte = want->target.data[i];
        if (have->target.data[i] != (byte == '/' ? '\\' : byte))
            return false;
    }
    return true;
}

/* What a link says and is. Reparse points are compared by their buffers, which say all; a link that
 * should have one and has none is another one. */
static uint32_t compare_links(const struct entry *want, const struct entry *have, bool mere)
{
    if (mere && (want->target.size == 0 || have->target.size == 0) &&
        (want->reparse.size == 0 || have->reparse.size == 0))
        return 0;
    if (is_turned(want, have))
        return 0;
    return bytes_equal(want->target, have->target) && bytes_equal(want->reparse, have->reparse) &&
                   want->folder_flavour == have->folder_flavour
               ? 0
               : DIFFERS_TARGET;
}

static uint32_t compare_content(const struct diff *d)
{
    const struct entry *want = d->pair.want, *have = d->pair.have;
    bool mere = is_mere_name(want) || is_mere_name(have);
    switch (want->kind) {
    case ENTRY_FILE:
        return compare_data(d);
    case ENTRY_SYMLINK:
    case ENTRY_JUNCTION:
    case ENTRY_MOUNT_POINT:
    case ENTRY_REPARSE:
        return compare_links(want, have, mere);
    case ENTRY_CHAR_DEVICE:
    case ENTRY_BLOCK_DEVICE:
        if (mere ||
            (want->device_major == have->device_major && want->device_minor == have->device_minor))
            return 0;
        return DIFFERS_DEVICE;
    default:
        return 0;
    }
}

/* Two entries of one kind. */
static int judge_same_kind(struct diff *d, struct error *err)
{
    struct difference_pair *pair = &d->pair;
    if (groups_match(&d->groups, pair, err) != 0)
        return -1;
    if (!pair->group_first)
        return 0;
    if (load(d, DIFF_WANT, err) != 0)
        return -1;
    /* have's file is another's: it will be broken off, whatever it holds. */
    if (d->options.settle && (pair->differs & DIFFERS_JOINED))
        return 0;
    if (load(d, DIFF_HAVE, err) != 0)
        return -1;
    if (pair->want->problem_scope == PROBLEM_ENTRY || pair->have->problem_scope == PROBLEM_ENTRY)
        return 0;
    pair->fields = metadata_compare(pair->want, pair->have, &d->options);
    if (pair->fields != 0)
        pair->differs |= DIFFERS_METADATA;
    pair->differs |= compare_content(d);
    return 0;
}

static bool is_unknown(const struct entry *e)
{
    return e != NULL && e->problem_scope == PROBLEM_ENTRY;
}

/* An entry of want that has no partner of its kind. */
static int judge_alone(struct diff *d, struct error *err)
{
    if (is_unknown(d->pair.want)) {
        d->pair.group_first = true;
        return 0;
    }
    if (groups_alone(&d->groups, &d->pair, err) != 0)
        return -1;
    return d->options.settle && d->pair.group_first ? load(d, DIFF_WANT, err) : 0;
}

/* What the entries' problems say, and notes folders that they hide. */
static int judge_problems(struct diff *d, struct bytes path, struct error *err)
{
    const struct entry *entries[2] = {d->pair.want, d->pair.have};
    for (int i = 0; i < 2; i++) {
        const struct entry *e = entries[i];
        if (e != NULL && e->problem_scope != PROBLEM_NONE)
            d->pair.differs |= DIFFERS_UNREADABLE;
        if (e == NULL && hides(&d->sides[i], path))
            d->pair.differs |= DIFFERS_UNREADABLE;
        if (is_unknown(e) && note_unreadable(&d->sides[i], path, err) != 0)
            return -1;
    }
    return 0;
}

/* Says what the entries in d->pair differ in. `path` is theirs. */
static int judge(struct diff *d, struct bytes path, struct error *err)
{
    struct difference_pair *pair = &d->pair;
    groups_take(&d->groups, pair->want, pair->have, path);
    if (judge_problems(d, path, err) != 0)
        return -1;
    if (pair->want == NULL) {
        pair->differs |= DIFFERS_EXTRA;
        pair->group_first = !entry_is_further_name(pair->have);
        groups_extra(&d->groups);
        return 0;
    }
    if (pair->have == NULL) {
        pair->differs |= DIFFERS_MISSING;
        return judge_alone(d, err);
    }
    if (is_unknown(pair->want) || is_unknown(pair->have))
        return judge_alone(d, err);
    if (pair->want->kind != pair->have->kind) {
        pair->differs |= DIFFERS_KIND;
        return judge_alone(d, err);
    }
    return judge_same_kind(d, err);
}

/* Takes what comes next on a side into the pair. */
static const struct entry *take(struct side *s)
{
    const struct entry *e = s->entry;
    s->entry = NULL;
    s->in_pair = true;
    return e;
}

/* An item about a folder's content has no partner: it is about what its side does not know. */
static int take_content_item(struct diff *d, enum diff_side side, struct error *err)
{
    const struct entry *e = take(&d->sides[side]);
    d->pair = (struct difference_pair){.differs = DIFFERS_UNREADABLE, .group_first = true};
    d->groups.hand = (struct diff_hand){0};
    if (side == DIFF_WANT)
        d->pair.want = e;
    else
        d->pair.have = e;
    return note_unreadable(&d->sides[side], e->path, err) == 0 ? 1 : -1;
}

static bool is_content_item(const struct side *s)
{
    return s->entry != NULL && s->entry->problem_scope == PROBLEM_CONTENT;
}

/* A link that stands where a folder belongs may be used as one. */
static int adapt(struct diff *d, struct error *err)
{
    const struct entry *want = d->pair.want, *have = d->pair.have;

    if (!d->options.adapter || !want || !have || want->kind != ENTRY_DIRECTORY ||
        is_unknown(want) || is_unknown(have) || !entry_is_link(have))
        return 0;
    return d->options.adapter->adapt(d->options.adapter, &d->pair.have, err);
}

/* The next step of the merge. */
static int next_merged(struct diff *d, struct error *err)
{
    struct side *want = &d->sides[DIFF_WANT], *have = &d->sides[DIFF_HAVE];
    if (fill(want, true, err) != 0 || fill(have, true, err) != 0)
        return -1;
    if (is_content_item(want))
        return take_content_item(d, DIFF_WANT, err);
    if (is_content_item(have))
        return take_content_item(d, DIFF_HAVE, err);
    if (want->entry == NULL && have->entry == NULL)
        return 0;
    int order = want->entry == NULL ? 1 : -1;
    if (want->entry != NULL && have->entry != NULL)
        order = path_compare(want->entry->path, have->entry->path);
    if (order <= 0)
        d->pair.want = take(want);
    if (order >= 0)
        d->pair.have = take(have);
    if (adapt(d, err) != 0)
        return -1;
    return judge(d, buffer_bytes(order <= 0 ? &want->path : &have->path), err) == 0 ? 1 : -1;
}

/* The next entry of an unordered want, with its partner looked up. */
static int next_found(struct diff *d, struct error *err)
{
    struct side *want = &d->sides[DIFF_WANT];
    if (fill(want, false, err) != 0)
        return -1;
    if (is_content_item(want))
        return take_content_item(d, DIFF_WANT, err);
    if (want->entry == NULL)
        return 0;
    d->pair.want = take(want);
    struct bytes path = buffer_bytes(&want->path);
    int found = source_find(d->sides[DIFF_HAVE].source, path, &d->pair.have, err);
    if (found < 0)
        return -1;
    if (found == 0)
        d->pair.have = NULL;
    return judge(d, path, err) == 0 ? 1 : -1;
}

int diff_next(struct diff *d, const struct difference_pair **out, struct error *err)
{
    d->pair = (struct difference_pair){0};
    int got = d->by_find ? next_found(d, err) : next_merged(d, err);
    if (got > 0)
        *out = &d->pair;
    return got;
}

static bool is_folder(const struct entry *e)
{
    return e->kind == ENTRY_DIRECTORY && e->problem_scope != PROBLEM_ENTRY &&
           e->problem_scope != PROBLEM_CONTENT;
}

void diff_skip(struct diff *d)
{
    if (d->sides[DIFF_WANT].in_pair && is_folder(d->pair.want))
        source_skip(d->sides[DIFF_WANT].source);
    if (d->sides[DIFF_HAVE].in_pair && is_folder(d->pair.have))
        source_skip(d->sides[DIFF_HAVE].source);
}

int diff_settle(struct diff *d, enum diff_outcome outcome, struct error *err)
{
    return groups_settle(&d->groups, outcome, err);
}

bool diff_note(const struct diff *d, const struct hash128 *group, struct diff_note *out)
{
    return groups_note(&d->groups, group, out);
}

int diff_set_note(struct diff *d, const struct hash128 *group, struct diff_note note,
                  struct error *err)
{
    return groups_set_note(&d->groups, group, note, err);
}

enum diff_claim diff_claim_of(const struct diff *d, const struct identity *file)
{
    return groups_claim_of(&d->groups, d->pair.want, file);
}

int diff_claim(struct diff *d, const struct identity *file, struct error *err)
{
    return groups_claim(&d->groups, d->pair.want, file, err);
}

int diff_keep_hash(struct diff *d, enum diff_side side, struct hash128 hash, struct error *err)
{
    return groups_keep_hash(&d->groups, side, hash, err);
}

int diff_kept_hash(const struct diff *d, enum diff_side side, struct hash128 *hash)
{
    return groups_kept_hash(&d->groups, side, hash);
}
