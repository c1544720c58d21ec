#include "tree/diff_groups.h"

#include <string.h>

/* A group of want of which a name is there in have, too (settle: was made). */
struct want_group {
    struct hash128 key;
    struct pathnode *name; /* held: that name */
    uint32_t left;         /* names still to come at most; LEFT_UNKNOWN if nobody knows */
};

/* A group of have that was met, and the group of want that it stands for. */
struct have_group {
    struct identity key;
    struct hash128 want;
    struct pathnode *name; /* held: where the two were paired; NULL if it stands for nothing yet, or
                              stands outside `have` */
    uint32_t left;
    bool stands;  /* `want` holds, and `name` if there is one */
    bool touched; /* a name was taken from it in this run */
};

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
    table_init(&g->have, sizeof(struct have_group), sizeof(struct identity));
    table_init(&g->pairs, sizeof(struct known_pair), sizeof(struct known_pair));
    table_init(&g->hashes[DIFF_WANT], sizeof(struct want_hash), sizeof(struct hash128));
    table_init(&g->hashes[DIFF_HAVE], sizeof(struct have_hash), sizeof(struct identity));
}

void groups_release(struct diff_groups *g)
{
    size_t place = 0;
    for (struct want_group *w; (w = table_next(&g->want, &place)) != NULL;)
        pathnode_drop(w->name);
    place = 0;
    for (struct have_group *h; (h = table_next(&g->have, &place)) != NULL;)
        pathnode_drop(h->name);
    table_release(&g->want);
    table_release(&g->have);
    table_release(&g->pairs);
    table_release(&g->hashes[DIFF_WANT]);
    table_release(&g->hashes[DIFF_HAVE]);
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

/* The last name of a file that lost the others in this run looks as if it had always been alone. */
static bool was_met(const struct diff_groups *g, const struct entry *have)
{
    if (!g->settle || have == NULL || g->have.count == 0 || have->kind == ENTRY_DIRECTORY ||
        have->problem_scope == PROBLEM_ENTRY)
        return false;
    struct identity key = identity_key(have);
    return table_find(&g->have, &key) != NULL;
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
    hand->counts[DIFF_WANT] = want != NULL ? want->link_count : 0;
    hand->counts[DIFF_HAVE] = have != NULL ? have->link_count : 0;
}

/* Names to come behind the one in hand, at most. A file that has other names and a count under 2
 * has a count that says nothing. */
static uint32_t names_left(uint64_t link_count)
{
    return link_count < 2 || link_count > LEFT_UNKNOWN ? LEFT_UNKNOWN : (uint32_t)(link_count - 1);
}

/* Counts the name in hand; true if it was the last. */
static bool count_name(uint32_t *left)
{
    return *left != LEFT_UNKNOWN && --*left == 0;
}

static void want_forget(struct diff_groups *g, struct want_group *w)
{
    pathnode_drop(w->name);
    table_remove(&g->want, w);
}

static void have_forget(struct diff_groups *g, struct have_group *h)
{
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
    want_forget(g, w);
    return NULL;
}

/* Notes that the name in hand is the one of want's group that others can be told by. */
static int want_begin(struct diff_groups *g, struct error *err)
{
    if (!g->hand.shared[DIFF_WANT])
        return 0;
    struct pathnode *name = NULL;
    if (pathtree_hold(&g->tree, g->hand.path, &name, err) != 0)
        return -1;
    struct want_group *w = table_add(&g->want, &g->hand.want, err);
    if (w == NULL) {
        pathnode_drop(name);
        return -1;
    }
    w->name = name;
    w->left = names_left(g->hand.counts[DIFF_WANT]);
    return 0;
}

/* have's group in hand, made if it was not met before. */
static struct have_group *have_meet(struct diff_groups *g, struct error *err)
{
    struct have_group *h = table_find(&g->have, &g->hand.have);
    if (h != NULL)
        return h;
    h = table_add(&g->have, &g->hand.have, err);
    if (h != NULL)
        h->left = names_left(g->hand.counts[DIFF_HAVE]);
    return h;
}

/* Notes that have's group in hand stands for want's. */
static int have_begin(struct diff_groups *g, struct error *err)
{
    if (!g->hand.shared[DIFF_HAVE])
        return 0;
    struct pathnode *name = NULL;
    if (pathtree_hold(&g->tree, g->hand.path, &name, err) != 0)
        return -1;
    struct have_group *h = have_meet(g, err);
    if (h == NULL) {
        pathnode_drop(name);
        return -1;
    }
    h->want = g->hand.want;
    h->name = name;
    h->stands = true;
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
    return w == NULL ? 0 : path_into(w->name, &g->other, &pair->other, err);
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
    /* Whoever changes `have` must not take it for a name to link to. */
    if (pair->other.size == 0 && !g->settle)
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
 */
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
        return set_joined(g, h, pair, err);
    return 0;
}

/* Counts the name in hand on both sides, and lets go of groups that are through. */
static void count_names(struct diff_groups *g, struct want_group *w, struct have_group *h)
{
    if (w != NULL && count_name(&w->left)) {
        want_forget(g, w);
        g->hand.last_name[DIFF_WANT] = true;
    }
    if (h != NULL && count_name(&h->left)) {
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
    struct have_group *h = table_find(&g->have, &g->hand.have);
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
        count_names(g, NULL, table_find(&g->have, &g->hand.have));
}

/* Notes that have's file lost the name in hand. */
static int settle_replaced(struct diff_groups *g, struct error *err)
{
    if (!g->hand.shared[DIFF_HAVE] || g->hand.last_name[DIFF_HAVE])
        return 0;
    struct have_group *h = have_meet(g, err);
    if (h == NULL)
        return -1;
    h->touched = true;
    return 0;
}

int groups_settle(struct diff_groups *g, enum diff_outcome outcome, struct error *err)
{
    struct diff_hand *hand = &g->hand;
    if (outcome == DIFF_FAILED)
        return 0;
    if (outcome == DIFF_REPLACED && settle_replaced(g, err) != 0)
        return -1;
    bool first = hand->shared[DIFF_WANT] && !hand->last_name[DIFF_WANT] &&
                 table_find(&g->want, &hand->want) == NULL;
    if (first && want_begin(g, err) != 0)
        return -1;
    if (outcome == DIFF_KEPT && hand->paired && !hand->last_name[DIFF_HAVE]) {
        const struct have_group *h = table_find(&g->have, &hand->have);
        if (h == NULL || !h->stands)
            return have_begin(g, err);
    }
    return 0;
}

enum diff_claim groups_claim_of(const struct diff_groups *g, const struct entry *want,
                                const struct identity *file)
{
    const struct have_group *h = table_find(&g->have, file);
    if (h == NULL)
        return DIFF_UNCLAIMED;
    if (h->stands && !same_hash(h->want, name_key(want)))
        return DIFF_CLAIMED;
    return h->touched ? DIFF_TOUCHED : DIFF_UNCLAIMED;
}

int groups_claim(struct diff_groups *g, const struct entry *want, const struct identity *file,
                 struct error *err)
{
    struct have_group *h = table_find(&g->have, file);
    if (h == NULL) {
        h = table_add(&g->have, file, err);
        if (h == NULL)
            return -1;
        h->left = LEFT_UNKNOWN;
    }
    h->want = name_key(want);
    h->stands = true;
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
