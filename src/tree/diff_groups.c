#include "tree/diff_groups.h"

#include <string.h>

/* There may be very many groups on both sides: records are kept small. */

enum { DEVICE_BITS = 20, NAMES_BITS = 9 };

/* A group of want of which a name is there in have, too (settle: was made). */
struct want_group {
    struct hash128 key;
    uint64_t file; /* the caller's note, as all up to has_note */
    uint32_t device : DEVICE_BITS;
    uint32_t names : NAMES_BITS;
    uint32_t is_made : 1;
    uint32_t has_note : 1;
    uint32_t has_name : 1; /* that name is not the group's first, and stands in `named` */
    uint32_t left;         /* names still to come at most; LEFT_UNKNOWN if nobody knows */
};
_Static_assert(sizeof(struct want_group) <= 32, "a group of want has to stay small");

/* The name of a group that is not known by its first. */
struct named_group {
    struct hash128 key;
    struct pathnode *name; /* held */
};

/* A group of have that was met, and the group of want that it stands for. */
struct have_group {
    uint64_t file[2]; /* its identity, as `volume`, which is the volume's number */
    uint32_t volume;
    uint32_t left : 30;   /* up to HAVE_UNKNOWN */
    uint32_t stands : 1;  /* `want` and `name` hold */
    uint32_t touched : 1; /* a name was taken from it in this run */
    struct hash128 want;
    struct pathnode *name; /* held: where the two were paired; NULL if it stands for nothing yet.
                              Where names are not told (settle) a record ends before it */
};
#define HAVE_KEY_BYTES (offsetof(struct have_group, volume) + sizeof(uint32_t))
#define HAVE_SETTLE_BYTES (offsetof(struct have_group, name))
#define HAVE_UNKNOWN 0x3fffffffu
_Static_assert(HAVE_SETTLE_BYTES <= 40, "a group of have has to stay small");

/* A further group of want that was paired with a group of have. */
struct known_pair {
    struct hash128 want;
    struct identity have;
};

struct want_hash {
    struct hash128 key, hash;
};
struct have_hash {
    struct identity key;
    struct hash128 hash;
};

#define LEFT_UNKNOWN UINT32_MAX

void groups_init(struct diff_groups *g, bool settle, const struct source_facts *want,
                 const struct source_facts *have)
{
    *g = (struct diff_groups){.settle = settle};
    g->names_known[DIFF_WANT] = want->names_known;
    g->names_known[DIFF_HAVE] = have->names_known;
    table_init(&g->want, sizeof(struct want_group), sizeof(struct hash128));
    table_init(&g->named, sizeof(struct named_group), sizeof(struct hash128));
    table_init(&g->have, settle ? HAVE_SETTLE_BYTES : sizeof(struct have_group), HAVE_KEY_BYTES);
    table_init(&g->pairs, sizeof(struct known_pair), sizeof(struct known_pair));
    table_init(&g->hashes[DIFF_WANT], sizeof(struct want_hash), sizeof(struct hash128));
    table_init(&g->hashes[DIFF_HAVE], sizeof(struct have_hash), sizeof(struct identity));
}

void groups_release(struct diff_groups *g)
{
    size_t place = 0;
    for (struct named_group *n; (n = table_next(&g->named, &place)) != NULL;)
        pathnode_drop(n->name);
    place = 0;
    for (struct have_group *h; !g->settle && (h = table_next(&g->have, &place)) != NULL;)
        pathnode_drop(h->name);
    table_release(&g->want);
    table_release(&g->named);
    table_release(&g->have);
    table_release(&g->pairs);
    table_release(&g->hashes[DIFF_WANT]);
    table_release(&g->hashes[DIFF_HAVE]);
    ordinals_release(&g->volumes);
    pathtree_release(&g->tree);
    buffer_release(&g->other);
    buffer_release(&g->joined);
}

static bool may_share(const struct entry *e, bool names_known)
{
    if (e == NULL || e->kind == ENTRY_DIRECTORY || e->problem_scope == PROBLEM_ENTRY)
        return false;
    if (entry_is_further_name(e) || e->shared || e->link_count > 1)
        return true;
    return e->link_count == 0 && !names_known;
}

static struct hash128 name_key(const struct entry *e)
{
    return hash_bytes(entry_is_further_name(e) ? e->first_name : e->path);
}

static struct identity identity_key(const struct entry *e)
{
    if (identity_is_known(&e->identity))
        return e->identity;
    struct hash128 key = name_key(e);
    return (struct identity){.volume = UINT64_MAX, .file = {key.low, key.high}};
}

/* The key of have's group; false if nothing of its volume was met. */
static bool have_key(const struct diff_groups *g, const struct identity *id, struct have_group *out)
{
    *out = (struct have_group){.file = {id->file[0], id->file[1]}};
    return ordinals_find(&g->volumes, id->volume, &out->volume);
}

static struct have_group *have_find(const struct diff_groups *g, const struct identity *id)
{
    struct have_group key;

    return have_key(g, id, &key) ? table_find(&g->have, &key) : NULL;
}

/* The last name of a file that lost the others in this run looks as if it had always been alone. */
static bool was_met(const struct diff_groups *g, const struct entry *have)
{
    if (!g->settle || have == NULL || g->have.count == 0 || have->kind == ENTRY_DIRECTORY ||
        have->problem_scope == PROBLEM_ENTRY)
        return false;
    struct identity key = identity_key(have);
    return have_find(g, &key) != NULL;
}

void groups_take(struct diff_groups *g, const struct entry *want, const struct entry *have,
                 struct bytes path)
{
    struct diff_hand *hand = &g->hand;
    *hand = (struct diff_hand){.path = path};
    hand->shared[DIFF_WANT] = may_share(want, g->names_known[DIFF_WANT]);
    hand->shared[DIFF_HAVE] = may_share(have, g->names_known[DIFF_HAVE]) || was_met(g, have);
    if (hand->shared[DIFF_WANT] || (want != NULL && hand->shared[DIFF_HAVE]))
        hand->want = name_key(want);
    if (hand->shared[DIFF_HAVE] || (have != NULL && hand->shared[DIFF_WANT]))
        hand->have = identity_key(have);
    hand->further = want != NULL && entry_is_further_name(want);
    if (hand->further)
        hand->first_name = want->first_name;
    hand->counts[DIFF_WANT] = want != NULL ? want->link_count : 0;
    hand->counts[DIFF_HAVE] = have != NULL ? have->link_count : 0;
}

/* Names to come behind the one in hand, at most. A file that has other names and a count under 2
 * has a count that says nothing. */
static uint32_t names_left(uint64_t link_count)
{
    return link_count < 2 || link_count > LEFT_UNKNOWN ? LEFT_UNKNOWN : (uint32_t)(link_count - 1);
}

static void want_forget(struct diff_groups *g, const struct hash128 *key)
{
    const struct want_group *w = table_find(&g->want, key);

    if (w != NULL && w->has_name) {
        struct named_group *n = table_find(&g->named, key);
        pathnode_drop(n->name);
        table_remove(&g->named, key);
    }
    table_remove(&g->want, key);
}

static void have_forget(struct diff_groups *g, struct have_group *h)
{
    if (!g->settle)
        pathnode_drop(h->name);
    table_remove(&g->have, h);
}

/* want's group in hand, if it was met. A first name that comes again (an archive may hold it twice,
 * and the later one counts) is a new file. */
static struct want_group *want_met(struct diff_groups *g)
{
    struct want_group *w = table_find(&g->want, &g->hand.want);
    if (w == NULL || g->hand.further)
        return w;
    want_forget(g, &g->hand.want);
    return NULL;
}

/* Notes by which name want's group is known. */
static int want_name(struct diff_groups *g, struct error *err)
{
    struct pathnode *name = NULL;
    if (pathtree_hold(&g->tree, g->hand.path, &name, err) != 0)
        return -1;
    struct named_group *n = table_add(&g->named, &g->hand.want, err);
    if (n == NULL) {
        pathnode_drop(name);
        return -1;
    }
    pathnode_drop(n->name);
    n->name = name;
    return 0;
}

/* Notes that the name in hand is the one of want's group that others can be told by. */
static int want_begin(struct diff_groups *g, struct error *err)
{
    if (!g->hand.shared[DIFF_WANT])
        return 0;
    if (g->hand.further && want_name(g, err) != 0)
        return -1;
    struct want_group *w = table_add(&g->want, &g->hand.want, err);
    if (w == NULL)
        return -1;
    w->has_name = g->hand.further;
    w->left = names_left(g->hand.counts[DIFF_WANT]);
    return 0;
}

/* Adds a group of have that was not met before. */
static struct have_group *have_add(struct diff_groups *g, const struct identity *id, uint32_t left,
                                   struct error *err)
{
    struct have_group key, *h;
    if (!have_key(g, id, &key) && ordinals_add(&g->volumes, id->volume, &key.volume, err) != 0)
        return NULL;
    h = table_add(&g->have, &key, err);
    if (h != NULL)
        h->left = left < HAVE_UNKNOWN ? left & HAVE_UNKNOWN : HAVE_UNKNOWN;
    return h;
}

/* have's group in hand, made if it was not met before. */
static struct have_group *have_meet(struct diff_groups *g, struct error *err)
{
    struct have_group *h = have_find(g, &g->hand.have);
    if (h != NULL)
        return h;
    return have_add(g, &g->hand.have, names_left(g->hand.counts[DIFF_HAVE]), err);
}

/* Notes that have's group in hand stands for want's. */
static int have_begin(struct diff_groups *g, struct error *err)
{
    if (!g->hand.shared[DIFF_HAVE])
        return 0;
    struct pathnode *name = NULL;
    if (!g->settle && pathtree_hold(&g->tree, g->hand.path, &name, err) != 0)
        return -1;
    struct have_group *h = have_meet(g, err);
    if (h == NULL) {
        pathnode_drop(name);
        return -1;
    }
    h->want = g->hand.want;
    h->stands = 1;
    if (!g->settle)
        h->name = name;
    return 0;
}

static bool same_hash(struct hash128 a, struct hash128 b)
{
    return a.low == b.low && a.high == b.high;
}

static int path_into(const struct pathnode *name, struct buffer *buffer, struct bytes *out,
                     struct error *err)
{
    buffer_clear(buffer);
    if (pathnode_append(name, buffer, err) != 0)
        return -1;
    *out = buffer_bytes(buffer);
    return 0;
}

/* True if have's group is known to stand for want's, at its first pair or a further one. */
static bool is_known_pair(const struct diff_groups *g, const struct have_group *h)
{
    if (h != NULL && h->stands && same_hash(h->want, g->hand.want))
        return true;
    struct known_pair pair = {g->hand.want, g->hand.have};
    return table_find(&g->pairs, &pair) != NULL;
}

static int set_other(struct diff_groups *g, const struct want_group *w,
                     struct difference_pair *pair, struct error *err)
{
    if (w == NULL)
        return 0;
    if (w->has_name) {
        const struct named_group *n = table_find(&g->named, &g->hand.want);
        return path_into(n->name, &g->other, &pair->other, err);
    }
    buffer_clear(&g->other);
    if (buffer_append(&g->other, g->hand.first_name.data, g->hand.first_name.size, err) != 0)
        return -1;
    pair->other = buffer_bytes(&g->other);
    return 0;
}

/* have's group stands for another group of want already. */
static int set_joined(struct diff_groups *g, const struct have_group *h,
                      struct difference_pair *pair, struct error *err)
{
    pair->differs |= DIFFERS_JOINED;
    if (h->name == NULL)
        return 0;
    if (path_into(h->name, &g->joined, &pair->joined, err) != 0)
        return -1;
    if (pair->other.size == 0)
        pair->other = pair->joined;
    return 0;
}

/* Comparing: each pair of groups is met once; behind the first, each is one defect, whatever names
 * it has. */
static int match_groups(struct diff_groups *g, struct want_group *w, struct have_group *h,
                        struct difference_pair *pair, struct error *err)
{
    if (set_other(g, w, pair, err) != 0)
        return -1;
    pair->group_first = !is_known_pair(g, h);
    if (!pair->group_first)
        return 0;
    if (w != NULL)
        pair->differs |= DIFFERS_SPLIT;
    else if (want_begin(g, err) != 0)
        return -1;
    if (h == NULL || !h->stands)
        return have_begin(g, err);
    struct known_pair known = {g->hand.want, g->hand.have};
    if (table_add(&g->pairs, &known, err) == NULL)
        return -1;
    return set_joined(g, h, pair, err);
}

/* Changing: all names of want's group have to end on the file that was kept or made for its first.
 * A name of the other group that have's file stands for is no place to find the file in. */
static int match_settled(struct diff_groups *g, struct want_group *w, struct have_group *h,
                         struct difference_pair *pair, struct error *err)
{
    bool stands_for_it = h != NULL && h->stands && same_hash(h->want, g->hand.want);
    if (set_other(g, w, pair, err) != 0)
        return -1;
    pair->group_first = w == NULL;
    if (w != NULL && !stands_for_it)
        pair->differs |= DIFFERS_SPLIT;
    if (h != NULL && h->stands && !stands_for_it)
        pair->differs |= DIFFERS_JOINED;
    return 0;
}

/* Counts the name in hand on both sides, and lets go of groups that are through; want's with settle
 * when the caller is done with the name. */
static void count_names(struct diff_groups *g, struct want_group *w, struct have_group *h)
{
    if (w != NULL && w->left != LEFT_UNKNOWN && --w->left == 0) {
        g->hand.last_name[DIFF_WANT] = true;
        if (!g->settle)
            want_forget(g, &g->hand.want);
    }
    if (h != NULL && h->left != HAVE_UNKNOWN && --h->left == 0) {
        have_forget(g, h);
        g->hand.last_name[DIFF_HAVE] = true;
    }
}

int groups_match(struct diff_groups *g, struct difference_pair *pair, struct error *err)
{
    pair->group_first = true;
    if (!g->hand.shared[DIFF_WANT] && !g->hand.shared[DIFF_HAVE])
        return 0;
    g->hand.paired = true;
    struct want_group *w = want_met(g);
    struct have_group *h = have_find(g, &g->hand.have);
    g->hand.touched = h != NULL && h->touched;
    int result = g->settle ? match_settled(g, w, h, pair, err) : match_groups(g, w, h, pair, err);
    if (result == 0)
        count_names(g, w, h);
    return result;
}

int groups_alone(struct diff_groups *g, struct difference_pair *pair, struct error *err)
{
    pair->group_first = true;
    groups_extra(g);
    if (!g->hand.shared[DIFF_WANT])
        return 0;
    struct want_group *w = want_met(g);
    if (set_other(g, w, pair, err) != 0)
        return -1;
    pair->group_first = w == NULL;
    count_names(g, w, NULL);
    return 0;
}

void groups_extra(struct diff_groups *g)
{
    if (g->hand.shared[DIFF_HAVE])
        count_names(g, NULL, have_find(g, &g->hand.have));
}

/* Notes that have's file lost the name in hand. */
static int settle_replaced(struct diff_groups *g, struct error *err)
{
    if (!g->hand.shared[DIFF_HAVE] || g->hand.last_name[DIFF_HAVE])
        return 0;
    struct have_group *h = have_meet(g, err);
    if (h == NULL)
        return -1;
    h->touched = 1;
    return 0;
}

int groups_settle(struct diff_groups *g, enum diff_outcome outcome, struct error *err)
{
    struct diff_hand *hand = &g->hand;
    if (hand->last_name[DIFF_WANT])
        want_forget(g, &hand->want);
    if (outcome == DIFF_FAILED)
        return 0;
    if (outcome == DIFF_REPLACED && settle_replaced(g, err) != 0)
        return -1;
    bool first = hand->shared[DIFF_WANT] && !hand->last_name[DIFF_WANT] &&
                 table_find(&g->want, &hand->want) == NULL;
    if (first && want_begin(g, err) != 0)
        return -1;
    if (outcome == DIFF_KEPT && hand->paired && !hand->last_name[DIFF_HAVE]) {
        const struct have_group *h = have_find(g, &hand->have);
        if (h == NULL || !h->stands)
            return have_begin(g, err);
    }
    return 0;
}

bool groups_note(const struct diff_groups *g, const struct hash128 *group, struct diff_note *out)
{
    const struct want_group *w = table_find(&g->want, group);
    if (w == NULL || !w->has_note)
        return false;
    *out = (struct diff_note){g->volumes.values[w->device], w->file, w->names, w->is_made};
    return true;
}

int groups_set_note(struct diff_groups *g, const struct hash128 *group, struct diff_note note,
                    struct error *err)
{
    struct want_group *w = table_find(&g->want, group);
    uint32_t device;
    if (w == NULL || note.names >= 1u << NAMES_BITS)
        return 0;
    if (ordinals_add(&g->volumes, note.device, &device, err) != 0)
        return -1;
    if (device >= 1u << DEVICE_BITS)
        return 0;
    w->file = note.file;
    w->device = device & ((1u << DEVICE_BITS) - 1);
    w->names = note.names & ((1u << NAMES_BITS) - 1);
    w->is_made = note.is_made;
    w->has_note = 1;
    return 1;
}

enum diff_claim groups_claim_of(const struct diff_groups *g, const struct entry *want,
                                const struct identity *file)
{
    const struct have_group *h = have_find(g, file);
    if (h == NULL)
        return DIFF_UNCLAIMED;
    if (h->stands && !same_hash(h->want, name_key(want)))
        return DIFF_CLAIMED;
    return h->touched ? DIFF_TOUCHED : DIFF_UNCLAIMED;
}

int groups_claim(struct diff_groups *g, const struct entry *want, const struct identity *file,
                 struct error *err)
{
    struct have_group *h = have_find(g, file);
    if (h == NULL && (h = have_add(g, file, HAVE_UNKNOWN, err)) == NULL)
        return -1;
    h->want = name_key(want);
    h->stands = 1;
    return 0;
}

int groups_keep_hash(struct diff_groups *g, enum diff_side side, struct hash128 hash,
                     struct error *err)
{
    if (!g->hand.shared[side])
        return 0;
    if (side == DIFF_WANT) {
        struct want_hash *kept = table_add(&g->hashes[side], &g->hand.want, err);
        if (kept == NULL)
            return -1;
        kept->hash = hash;
    } else {
        struct have_hash *kept = table_add(&g->hashes[side], &g->hand.have, err);
        if (kept == NULL)
            return -1;
        kept->hash = hash;
    }
    return 0;
}

int groups_kept_hash(const struct diff_groups *g, enum diff_side side, struct hash128 *hash)
{
    if (!g->hand.shared[side])
        return 0;
    if (side == DIFF_WANT) {
        const struct want_hash *kept = table_find(&g->hashes[side], &g->hand.want);
        if (kept != NULL)
            *hash = kept->hash;
        return kept != NULL;
    }
    const struct have_hash *kept = table_find(&g->hashes[side], &g->hand.have);
    if (kept != NULL)
        *hash = kept->hash;
    return kept != NULL;
}
