/*
 * nodump.c: a wrapper that leaves out what carries the nodump flag (chattr +d).
 */
#include <stdlib.h>

#include "disk/walk.h"

struct nodump {
    struct source source;
    struct source *inner;
};

static struct source *inner_of(struct source *s)
{
    return ((struct nodump *)s)->inner;
}

/* Loads what can have flags; a walk loads an entry once however often it is asked to. */
static int has_flag(struct source *inner, const struct entry *e, struct error *err)
{
    if (e->problem_scope != PROBLEM_NONE || (e->kind != ENTRY_FILE && e->kind != ENTRY_DIRECTORY))
        return 0;
    if (source_load(inner, &e, err))
        return -1;
    return (e->meta.known & METADATA_FLAGS) && (e->meta.flags & FILE_FLAG_NODUMP);
}

static int nodump_next(struct source *s, const struct entry **out, struct error *err)
{
    struct source *inner = inner_of(s);

    for (;;) {
        int got = source_next(inner, out, err);
        int flagged;

        if (got != 1)
            return got;
        flagged = has_flag(inner, *out, err);
        if (flagged <= 0)
            return flagged ? -1 : 1;
        if ((*out)->kind == ENTRY_DIRECTORY)
            source_skip(inner);
    }
}

static int nodump_load(struct source *s, const struct entry **out, struct error *err)
{
    return source_load(inner_of(s), out, err);
}

static void nodump_skip(struct source *s)
{
    source_skip(inner_of(s));
}

static int nodump_find(struct source *s, struct bytes path, const struct entry **out,
                       struct error *err)
{
    return source_find(inner_of(s), path, out, err);
}

static int nodump_open_data(struct source *s, struct data **out, struct error *err)
{
    return source_open_data(inner_of(s), out, err);
}

static const struct source_facts *nodump_facts(struct source *s)
{
    return source_facts(inner_of(s));
}

static void nodump_close(struct source *s)
{
    source_close(inner_of(s));
    free(s);
}

static const struct source_ops nodump_ops = {
    .next = nodump_next,
    .load = nodump_load,
    .skip = nodump_skip,
    .find = nodump_find,
    .open_data = nodump_open_data,
    .facts = nodump_facts,
    .close = nodump_close,
};

int nodump_new(struct source *inner, struct source **out, struct error *err)
{
    struct nodump *n = calloc(1, sizeof *n);

    if (!n)
        return error_memory(err);
    n->source.ops = &nodump_ops;
    n->inner = inner;
    *out = &n->source;
    return 0;
}
