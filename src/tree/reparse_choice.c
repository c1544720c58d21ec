/*
 * reparse_choice.c: see reparse_choice.h.
 */
#include "tree/reparse_choice.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A volume with more tags than that is no ordinary one: those to come are not counted. */
enum { TAGS_MOST = 256 };

struct choice {
    struct source source;
    struct source *inner;
    const struct reparse_policies *policies;
    struct reparse_count counts[TAGS_MOST];
    size_t tag_count;
    struct entry refused; /* what stands in for the entry that came last */
    struct error problem;
    bool is_refused; /* it does */
};

static struct choice *choice_of(struct source *s)
{
    return (struct choice *)s;
}

static void count(struct choice *c, uint32_t tag, enum reparse_policy policy)
{
    size_t at = 0;

    while (at < c->tag_count && c->counts[at].tag < tag)
        at++;
    if (at == c->tag_count || c->counts[at].tag != tag) {
        if (c->tag_count == TAGS_MOST)
            return;
        memmove(c->counts + at + 1, c->counts + at, (c->tag_count - at) * sizeof *c->counts);
        c->counts[at] = (struct reparse_count){.tag = tag, .policy = policy};
        c->tag_count++;
    }
    c->counts[at].entries++;
}

static void refuse(struct choice *c, const struct entry *e)
{
    const char *name = reparse_tag_name(entry_reparse_tag(e));

    error_release(&c->problem);
    error_set(&c->problem, ERROR_REFUSED, NULL,
              "a reparse point of the tag %s (0x%08" PRIX32 "), refused as asked for",
              name ? name : "that is not known", entry_reparse_tag(e));
    error_at(&c->problem, (const char *)e->path.data, e->path.size);
    c->refused = (struct entry){.path = e->path,
                                .name_offset = e->name_offset,
                                .depth = e->depth,
                                .problem_scope = PROBLEM_ENTRY,
                                .problem = &c->problem};
    c->is_refused = true;
}

/* Looks at an entry: true if it is to be told, as *out says. */
static bool passes(struct choice *c, const struct entry **out)
{
    const struct entry *e = *out;
    enum reparse_policy policy;

    c->is_refused = false;
    if (!e->reparse.size || e->problem_scope == PROBLEM_ENTRY)
        return true;
    policy = reparse_policy_of(c->policies, entry_reparse_tag(e));
    count(c, entry_reparse_tag(e), policy);
    if (policy == REPARSE_REFUSE) {
        refuse(c, e);
        *out = &c->refused;
    }
    return policy != REPARSE_SKIP;
}

static int choice_next(struct source *s, const struct entry **out, struct error *err)
{
    struct choice *c = choice_of(s);
    int got;

    do
        got = source_next(c->inner, out, err);
    while (got == 1 && !passes(c, out));
    return got;
}

static int choice_load(struct source *s, const struct entry **out, struct error *err)
{
    struct choice *c = choice_of(s);

    if (!c->is_refused)
        return source_load(c->inner, out, err);
    *out = &c->refused;
    return 0;
}

static void choice_skip(struct source *s)
{
    source_skip(choice_of(s)->inner);
}

static int choice_find(struct source *s, struct bytes path, const struct entry **out,
                       struct error *err)
{
    struct choice *c = choice_of(s);
    int got = source_find(c->inner, path, out, err);

    c->is_refused = false;
    if (got != 1 || !(*out)->reparse.size)
        return got;
    return reparse_policy_of(c->policies, entry_reparse_tag(*out)) <= REPARSE_DATA;
}

static int choice_open_data(struct source *s, struct data **out, struct error *err)
{
    return source_open_data(choice_of(s)->inner, out, err);
}

static const struct source_facts *choice_facts(struct source *s)
{
    return source_facts(choice_of(s)->inner);
}

static void choice_close(struct source *s)
{
    struct choice *c = choice_of(s);

    source_close(c->inner);
    error_release(&c->problem);
    free(c);
}

static const struct source_ops choice_ops = {
    .next = choice_next,
    .load = choice_load,
    .skip = choice_skip,
    .find = choice_find,
    .open_data = choice_open_data,
    .facts = choice_facts,
    .close = choice_close,
};

int reparse_choice_new(struct source *inner, const struct reparse_policies *policies,
                       struct source **out, struct error *err)
{
    struct choice *c = calloc(1, sizeof *c);

    if (!c)
        return error_memory(err);
    c->source.ops = &choice_ops;
    c->inner = inner;
    c->policies = policies;
    *out = &c->source;
    return 0;
}

const struct reparse_count *reparse_choice_counts(struct source *s, size_t *count)
{
    *count = choice_of(s)->tag_count;
    return choice_of(s)->counts;
}
