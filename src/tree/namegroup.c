#include "tree/namegroup.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/pieces.h"
#include "base/table.h"
#include "tree/pathnode.h"

/* The first name of an open group, and what a further name must agree with. */
struct first_name {
    struct pathnode *folder; /* held */
    uint32_t likeness;       /* see likeness_of */
    uint32_t grouped : 1;    /* a further name was seen */
    uint32_t name_bytes : 31;
    uint8_t name[];
};

/* Where files are told apart by 64 bits: a volume, and the upper half of their number, which is
 * nearly everywhere zero. */
struct space {
    uint64_t volume, file_high;
};

/* An open group; its key is the file and its space. Spaces are few, so they are numbered: a record
 * takes 24 bytes. */
struct open_group {
    uint64_t file;
    uint32_t space;
    uint32_t missing;         /* names not seen yet; MISSING_UNKNOWN if nobody knows */
    struct first_name *first; /* one of `names` */
};
_Static_assert(sizeof(struct open_group) <= 24, "a group has to fit 64 bytes with its first name");
#define GROUP_KEY_BYTES (offsetof(struct open_group, missing))
#define MISSING_UNKNOWN UINT32_MAX

struct known_space {
    struct space key;
    uint64_t number;
};

struct namegroup {
    struct source base;
    struct source *inner; /* owned */
    struct namegroup_options options;
    struct namegroup_counts counts;
    struct table groups;
    struct pathtree folders;
    struct pieces names; /* struct first_name */
    struct table spaces; /* struct known_space */
    struct entry own;    /* the copy that is yielded */
    struct buffer path;  /* first name of the entry that came last */
    bool further;        /* the entry that came last is a further name by our table */
    bool shared;
};

static struct namegroup *namegroup_of(struct source *s)
{
    return (struct namegroup *)s;
}

/* The same file has the same kind, size and times at each of its names. Inodes are reused while a
 * tree is walked, and this tells them apart. */
static uint32_t likeness_of(const struct entry *e)
{
    uint32_t times = e->meta.known & (METADATA_MTIME | METADATA_BTIME);
    uint64_t facts[8] = {(uint64_t)e->kind, e->kind == ENTRY_FILE ? e->size : 0, times};
    if (times & METADATA_MTIME) {
        facts[3] = (uint64_t)e->meta.mtime.seconds;
        facts[4] = e->meta.mtime.nanoseconds;
    }
    if (times & METADATA_BTIME) {
        facts[5] = (uint64_t)e->meta.btime.seconds;
        facts[6] = e->meta.btime.nanoseconds;
    }
    return (uint32_t)hash_bytes(bytes_make(facts, sizeof facts)).low;
}

/* The number of the file's space. */
static int space_of(struct namegroup *g, const struct identity *id, uint32_t *out,
                    struct error *err)
{
    struct space key = {id->volume, id->file[1]};
    struct known_space *known = table_find(&g->spaces, &key);
    if (known == NULL) {
        known = table_add(&g->spaces, &key, err);
        if (known == NULL)
            return -1;
        known->number = g->spaces.count - 1;
    }
    *out = (uint32_t)known->number;
    return 0;
}

static size_t first_name_bytes(size_t name_bytes)
{
    return offsetof(struct first_name, name) + name_bytes;
}

static void first_name_free(struct namegroup *g, struct first_name *f)
{
    if (f == NULL)
        return;
    pathnode_drop(f->folder);
    pieces_give(&g->names, f, first_name_bytes(f->name_bytes));
}

static int first_name_new(struct namegroup *g, const struct entry *e, struct first_name **out,
                          struct error *err)
{
    struct bytes name = entry_name(e);
    struct first_name *f = pieces_take(&g->names, first_name_bytes(name.size), err);
    if (f == NULL)
        return -1;
    f->folder = NULL;
    f->likeness = likeness_of(e);
    f->grouped = 0;
    f->name_bytes = (uint32_t)name.size & 0x7fffffffu;
    memcpy(f->name, name.data, name.size);
    if (pathtree_hold(&g->folders, path_parent(e->path), &f->folder, err) != 0) {
        first_name_free(g, f);
        return -1;
    }
    *out = f;
    return 0;
}

static void group_clear(struct namegroup *g, struct open_group *group)
{
    first_name_free(g, group->first);
    group->first = NULL;
}

/* Another file has got the number, so the one of the record is gone, with the names that were not
 * seen. */
static void group_give_up(struct namegroup *g, struct open_group *group)
{
    if (group->first != NULL && group->missing != MISSING_UNKNOWN) {
        g->counts.partial_groups--;
        g->counts.outside_names -= group->missing;
    }
    group_clear(g, group);
}

static int group_begin(struct namegroup *g, struct open_group *group, const struct entry *e,
                       struct error *err)
{
    if (first_name_new(g, e, &group->first, err) != 0) {
        table_remove(&g->groups, group);
        return -1;
    }
    group->missing = MISSING_UNKNOWN;
    if (e->link_count > 1 && !g->options.count_is_hint) {
        uint64_t missing = e->link_count - 1;
        group->missing = missing < MISSING_UNKNOWN ? (uint32_t)missing : MISSING_UNKNOWN - 1;
        g->counts.partial_groups++;
        g->counts.outside_names += group->missing;
    }
    return 0;
}

static int group_join(struct namegroup *g, struct open_group *group, const struct entry *e,
                      struct error *err)
{
    struct first_name *f = group->first;
    buffer_clear(&g->path);
    if (pathnode_append(f->folder, &g->path, err) != 0)
        return -1;
    if (g->path.size > 0 && buffer_append_byte(&g->path, '/', err) != 0)
        return -1;
    if (buffer_append(&g->path, f->name, f->name_bytes, err) != 0)
        return -1;
    g->further = true;
    g->counts.groups += f->grouped ? 0 : 1;
    g->counts.names += f->grouped ? 1 : 2;
    g->counts.saved_bytes += e->kind == ENTRY_FILE ? e->size : 0;
    f->grouped = 1;
    if (group->missing == MISSING_UNKNOWN)
        return 0;
    g->counts.outside_names--;
    if (--group->missing == 0) {
        g->counts.partial_groups--;
        group_clear(g, group);
        table_remove(&g->groups, group);
    }
    return 0;
}

static bool may_have_names(const struct entry *e)
{
    return (e->problem_scope == PROBLEM_NONE || e->problem_scope == PROBLEM_METADATA) &&
           e->kind != ENTRY_DIRECTORY && e->link_count != 1 && !entry_is_further_name(e) &&
           identity_is_known(&e->identity);
}

static int namegroup_see(struct namegroup *g, const struct entry *e, struct error *err)
{
    struct open_group key = {.file = e->identity.file[0]};
    if (space_of(g, &e->identity, &key.space, err) != 0)
        return -1;
    struct open_group *group = table_add(&g->groups, &key, err);
    if (group == NULL)
        return -1;
    if (group->first != NULL && group->first->likeness == likeness_of(e))
        return group_join(g, group, e, err);
    group_give_up(g, group);
    g->shared = g->shared || e->link_count > 1;
    return group_begin(g, group, e, err);
}

static const struct entry *namegroup_yield(struct namegroup *g, const struct entry *e)
{
    g->own = *e;
    if (g->further)
        g->own.first_name = buffer_bytes(&g->path);
    g->own.shared = g->shared && !g->further;
    return &g->own;
}

static int namegroup_next(struct source *s, const struct entry **out, struct error *err)
{
    struct namegroup *g = namegroup_of(s);
    const struct entry *e = NULL;
    int got = source_next(g->inner, &e, err);
    if (got <= 0)
        return got;
    g->further = false;
    g->shared = e->shared;
    if (may_have_names(e) && namegroup_see(g, e, err) != 0)
        return -1;
    *out = namegroup_yield(g, e);
    return 1;
}

static int namegroup_load(struct source *s, const struct entry **out, struct error *err)
{
    struct namegroup *g = namegroup_of(s);
    const struct entry *e = NULL;
    if (source_load(g->inner, &e, err) != 0)
        return -1;
    *out = namegroup_yield(g, e);
    return 0;
}

static void namegroup_skip(struct source *s)
{
    source_skip(namegroup_of(s)->inner);
}

static int namegroup_find(struct source *s, struct bytes path, const struct entry **out,
                          struct error *err)
{
    struct namegroup *g = namegroup_of(s);
    const struct entry *e = NULL;
    int got = source_find(g->inner, path, &e, err);
    if (got <= 0)
        return got;
    /* A look-up is no part of the stream: it neither opens nor joins a group. */
    g->further = false;
    g->shared = e->shared;
    *out = namegroup_yield(g, e);
    return 1;
}

static int namegroup_open_data(struct source *s, struct data **out, struct error *err)
{
    return source_open_data(namegroup_of(s)->inner, out, err);
}

static const struct source_facts *namegroup_facts(struct source *s)
{
    return source_facts(namegroup_of(s)->inner);
}

static void namegroup_close(struct source *s)
{
    struct namegroup *g = namegroup_of(s);
    size_t place = 0;
    for (struct open_group *group; (group = table_next(&g->groups, &place)) != NULL;)
        group_clear(g, group);
    table_release(&g->groups);
    table_release(&g->spaces);
    pathtree_release(&g->folders);
    pieces_release(&g->names);
    buffer_release(&g->path);
    source_close(g->inner);
    free(g);
}

static const struct source_ops namegroup_ops = {
    .next = namegroup_next,
    .load = namegroup_load,
    .skip = namegroup_skip,
    .find = namegroup_find,
    .open_data = namegroup_open_data,
    .facts = namegroup_facts,
    .close = namegroup_close,
};

int namegroup_new(struct source *inner, struct namegroup_options options, struct source **out,
                  struct error *err)
{
    struct namegroup *g = calloc(1, sizeof *g);
    if (g == NULL)
        return error_memory(err);
    g->base.ops = &namegroup_ops;
    g->inner = inner;
    g->options = options;
    table_init(&g->groups, sizeof(struct open_group), GROUP_KEY_BYTES);
    table_init(&g->spaces, sizeof(struct known_space), sizeof(struct space));
    *out = &g->base;
    return 0;
}

struct namegroup_counts namegroup_counts(const struct source *s)
{
    return ((const struct namegroup *)s)->counts;
}
