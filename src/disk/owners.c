/*
 * owners.c: see owners.h. Entries pass as copies whose numbers are changed.
 */
#include "disk/owners.h"

#include <stdlib.h>

#include "os/os.h"

struct owners {
    struct source source;
    struct source *inner;
    struct os_accounts *accounts;
    struct entry entry;
};

static const struct entry *map(struct owners *o, const struct entry *e)
{
    struct metadata *m = &o->entry.meta;
    uint64_t number;

    o->entry = *e;
    if (m->owner_name && !os_user_number(o->accounts, m->owner_name, &number)) {
        m->owner = number;
        m->known |= METADATA_OWNER;
    }
    if (m->group_name && !os_group_number(o->accounts, m->group_name, &number)) {
        m->group = number;
        m->known |= METADATA_GROUP;
    }
    return &o->entry;
}

static int owners_next(struct source *s, const struct entry **out, struct error *err)
{
    struct owners *o = (struct owners *)s;
    int got = source_next(o->inner, out, err);

    if (got > 0)
        *out = map(o, *out);
    return got;
}

static int owners_load(struct source *s, const struct entry **out, struct error *err)
{
    struct owners *o = (struct owners *)s;

    if (source_load(o->inner, out, err))
        return -1;
    *out = map(o, *out);
    return 0;
}

static void owners_skip(struct source *s)
{
    source_skip(((struct owners *)s)->inner);
}

static int owners_open_data(struct source *s, struct data **out, struct error *err)
{
    return source_open_data(((struct owners *)s)->inner, out, err);
}

static const struct source_facts *owners_facts(struct source *s)
{
    return source_facts(((struct owners *)s)->inner);
}

static void owners_close(struct source *s)
{
    struct owners *o = (struct owners *)s;

    os_accounts_free(o->accounts);
    free(o);
}

static const struct source_ops owners_ops = {
    .next = owners_next,
    .load = owners_load,
    .skip = owners_skip,
    .open_data = owners_open_data,
    .facts = owners_facts,
    .close = owners_close,
};

int owners_new(struct source *inner, struct source **out, struct error *err)
{
    struct owners *o = calloc(1, sizeof *o);

    if (!o)
        return error_memory(err);
    if (os_accounts_new(&o->accounts, err)) {
        free(o);
        return -1;
    }
    o->source.ops = &owners_ops;
    o->inner = inner;
    *out = &o->source;
    return 0;
}
