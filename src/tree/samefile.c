/*
 * samefile.c: see samefile.h.
 */
#include "tree/samefile.h"

#include <stdlib.h>
#include <string.h>

#include "base/table.h"

/* A first name as it was told. Its texts stand behind it. */
struct told {
    struct entry entry;
    char text[];
};

struct told_place {
    struct hash128 key; /* of the first name's path */
    struct told *told;
};

struct samefile {
    struct source source;
    struct source *inner;
    struct table places;
    struct entry entry;
    bool is_completed; /* `entry` is what came last */
};

static struct samefile *samefile_of(struct source *s)
{
    return (struct samefile *)s;
}

static void told_free(struct told *t)
{
    if (t == NULL)
        return;
    pairs_release(&t->entry.meta.xattrs);
    free(t);
}

static size_t name_bytes(const char *name)
{
    return name != NULL ? strlen(name) + 1 : 0;
}

/* Puts a copy of bytes at *at and goes on behind it. */
static const char *put(char **at, const void *bytes, size_t count)
{
    char *place = *at;

    if (count == 0)
        return NULL;
    memcpy(place, bytes, count);
    *at += count;
    return place;
}

static struct told *told_new(const struct entry *e, struct error *err)
{
    const struct metadata *meta = &e->meta;
    size_t owner_bytes = name_bytes(meta->owner_name), group_bytes = name_bytes(meta->group_name);
    struct told *t =
        malloc(sizeof *t + e->target.size + e->reparse.size + owner_bytes + group_bytes);

    if (t == NULL) {
        (void)error_memory(err);
        return NULL;
    }
    char *at = t->text;

    t->entry = *e;
    t->entry.target = bytes_make(put(&at, e->target.data, e->target.size), e->target.size);
    t->entry.reparse = bytes_make(put(&at, e->reparse.data, e->reparse.size), e->reparse.size);
    t->entry.meta.owner_name = put(&at, meta->owner_name, owner_bytes);
    t->entry.meta.group_name = put(&at, meta->group_name, group_bytes);
    memset(&t->entry.meta.xattrs, 0, sizeof t->entry.meta.xattrs);
    if (meta->xattrs.count != 0 && pairs_copy(&t->entry.meta.xattrs, &meta->xattrs, err) != 0) {
        told_free(t);
        return NULL;
    }
    return t;
}

static int remember(struct samefile *s, const struct entry *e, struct error *err)
{
    struct hash128 key = hash_bytes(e->path);
    struct told *told = told_new(e, err);
    struct told_place *place = told != NULL ? table_add(&s->places, &key, err) : NULL;

    if (place == NULL) {
        told_free(told);
        return -1;
    }
    told_free(place->told);
    place->told = told;
    return 0;
}

/* The further name `e` with what was told of its file. */
static void complete(struct samefile *s, const struct entry *e, const struct entry *first)
{
    s->entry = *first;
    s->entry.path = e->path;
    s->entry.name_offset = e->name_offset;
    s->entry.depth = e->depth;
    s->entry.identity = e->identity;
    s->entry.first_name = e->first_name;
    s->entry.problem_scope = e->problem_scope;
    s->entry.problem = e->problem;
    s->is_completed = true;
}

static int samefile_next(struct source *source, const struct entry **out, struct error *err)
{
    struct samefile *s = samefile_of(source);
    int more = source_next(s->inner, out, err);
    const struct entry *e = *out;

    s->is_completed = false;
    if (more != 1 || e->problem_scope == PROBLEM_ENTRY || e->problem_scope == PROBLEM_CONTENT)
        return more;
    if (entry_is_further_name(e)) {
        struct hash128 key = hash_bytes(e->first_name);
        const struct told_place *place = table_find(&s->places, &key);

        if (place != NULL) {
            complete(s, e, &place->told->entry);
            *out = &s->entry;
        }
        return 1;
    }
    return e->shared && remember(s, e, err) != 0 ? -1 : 1;
}

static int samefile_load(struct source *source, const struct entry **out, struct error *err)
{
    struct samefile *s = samefile_of(source);

    if (!s->is_completed)
        return source_load(s->inner, out, err);
    *out = &s->entry;
    return 0;
}

static void samefile_skip(struct source *s)
{
    source_skip(samefile_of(s)->inner);
}

static int samefile_open_data(struct source *s, struct data **out, struct error *err)
{
    return source_open_data(samefile_of(s)->inner, out, err);
}

static const struct source_facts *samefile_facts(struct source *s)
{
    return source_facts(samefile_of(s)->inner);
}

static void samefile_close(struct source *source)
{
    struct samefile *s = samefile_of(source);
    struct told_place *place;
    size_t at = 0;

    while ((place = table_next(&s->places, &at)) != NULL)
        told_free(place->told);
    table_release(&s->places);
    source_close(s->inner);
    free(s);
}

static const struct source_ops samefile_ops = {
    .next = samefile_next,
    .load = samefile_load,
    .skip = samefile_skip,
    .open_data = samefile_open_data,
    .facts = samefile_facts,
    .close = samefile_close,
};

int samefile_new(struct source *inner, struct source **out, struct error *err)
{
    struct samefile *s = calloc(1, sizeof *s);

    if (s == NULL)
        return error_memory(err);
    s->source.ops = &samefile_ops;
    s->inner = inner;
    table_init(&s->places, sizeof(struct told_place), sizeof(struct hash128));
    *out = &s->source;
    return 0;
}
