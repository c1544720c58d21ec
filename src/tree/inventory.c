#include "tree/inventory.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/table.h"
#include "link/reparse_tag.h"
#include "tree/inventory_resolve.h"

/* Bytes in inventory.text, which moves while it grows. */
struct stretch {
    size_t offset, size;
};

struct link_note {
    struct stretch path, target;
    enum entry_kind kind;
    bool windows;            /* the target is one of Windows: a reparse point's */
    enum target_state state; /* from the resolver */
};

/* A name of a file that may have others. */
struct name_note {
    size_t group;
    struct stretch path;
    struct bytes bytes; /* the same, once the text stands still */
};

struct group_note {
    uint64_t link_count, size;
    size_t name_count;
    enum entry_kind kind;
};

struct group_place {
    struct hash128 key; /* of the first name's path */
    size_t group;
};

/* An array that grows; `items` is allocated for `capacity` of them. */
struct list {
    void *items;
    size_t count, capacity;
};

struct inventory {
    struct inventory_resolver *resolver; /* borrowed; or NULL */
    const struct drives *drives;         /* borrowed; or NULL */
    struct inventory_counts counts;
    struct inventory_paths paths; /* without a resolver */
    struct buffer text;
    struct list link_notes, name_notes, group_notes;
    struct table places; /* of groups, by first name */
    struct list links, groups,
        names; /* struct inventory_link, inventory_group, bytes: the answer */
};

int inventory_new(struct inventory_resolver *resolver, struct inventory **out, struct error *err)
{
    struct inventory *v = calloc(1, sizeof *v);
    if (v == NULL)
        return error_memory(err);
    v->resolver = resolver;
    inventory_paths_init(&v->paths);
    table_init(&v->places, sizeof(struct group_place), sizeof(struct hash128));
    *out = v;
    return 0;
}

void inventory_free(struct inventory *v)
{
    if (v == NULL)
        return;
    inventory_paths_release(&v->paths);
    table_release(&v->places);
    buffer_release(&v->text);
    struct list *lists[] = {&v->link_notes, &v->name_notes, &v->group_notes,
                            &v->links,      &v->groups,     &v->names};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        free(lists[i]->items);
    free(v);
}

void inventory_set_drives(struct inventory *v, const struct drives *drives)
{
    v->drives = drives->here.count > 0 ? drives : NULL;
}

/* Room for one more item, zeroed; NULL without memory. */
static void *list_add(struct list *l, size_t item_bytes, struct error *err)
{
    if (l->count == l->capacity) {
        size_t capacity = l->capacity > 0 ? l->capacity * 2 : 64;
        void *items = realloc(l->items, capacity * item_bytes);
        if (items == NULL) {
            error_memory(err);
            return NULL;
        }
        l->items = items;
        l->capacity = capacity;
    }
    return memset((uint8_t *)l->items + l->count++ * item_bytes, 0, item_bytes);
}

static int keep_text(struct inventory *v, struct bytes text, struct stretch *out, struct error *err)
{
    *out = (struct stretch){v->text.size, text.size};
    return buffer_append(&v->text, text.data, text.size, err);
}

static struct bytes text_at(const struct inventory *v, struct stretch s)
{
    return bytes_make(v->text.data + s.offset, s.size);
}

static void count_entry(struct inventory_counts *c, const struct entry *e)
{
    c->entries++;
    switch (e->kind) {
    case ENTRY_DIRECTORY:
        c->directories++;
        break;
    case ENTRY_FILE:
        c->files++;
        c->file_bytes += entry_is_further_name(e) ? 0 : e->size;
        break;
    case ENTRY_SYMLINK:
        c->symlinks++;
        break;
    case ENTRY_FIFO:
        c->fifos++;
        break;
    case ENTRY_SOCKET:
        c->sockets++;
        break;
    case ENTRY_CHAR_DEVICE:
    case ENTRY_BLOCK_DEVICE:
        c->devices++;
        break;
    case ENTRY_JUNCTION:
        c->junctions++;
        break;
    case ENTRY_MOUNT_POINT:
        c->mount_points++;
        break;
    case ENTRY_REPARSE:
        c->reparse_points++;
        break;
    }
}

static int add_link(struct inventory *v, const struct entry *e, struct error *err)
{
    struct link_note *link = list_add(&v->link_notes, sizeof *link, err);
    if (link == NULL || keep_text(v, e->path, &link->path, err) != 0 ||
        keep_text(v, e->target, &link->target, err) != 0)
        return -1;
    link->kind = e->kind;
    link->windows = e->reparse.size != 0 && entry_reparse_tag(e) != REPARSE_TAG_LX_SYMLINK;
    link->state = TARGET_UNKNOWN;
    return v->resolver == NULL ? 0 : v->resolver->resolve(v->resolver, e, &link->state, err);
}

/* The group of that first name. A further name makes it if the first was left out of the stream. */
static int find_group(struct inventory *v, struct bytes first_name, const struct entry *e,
                      size_t *group, struct error *err)
{
    struct hash128 key = hash_bytes(first_name);
    size_t known = v->places.count;
    struct group_place *place = table_add(&v->places, &key, err);
    if (place == NULL)
        return -1;
    if (v->places.count > known) {
        place->group = v->group_notes.count;
        struct group_note *note = list_add(&v->group_notes, sizeof *note, err);
        if (note == NULL)
            return -1;
        note->kind = e->kind;
        note->size = e->size;
        note->link_count = e->link_count;
    }
    *group = place->group;
    return 0;
}

static int add_name(struct inventory *v, const struct entry *e, struct error *err)
{
    size_t group;
    struct bytes first = entry_is_further_name(e) ? e->first_name : e->path;
    if (find_group(v, first, e, &group, err) != 0)
        return -1;
    struct name_note *name = list_add(&v->name_notes, sizeof *name, err);
    if (name == NULL || keep_text(v, e->path, &name->path, err) != 0)
        return -1;
    name->group = group;
    ((struct group_note *)v->group_notes.items)[group].name_count++;
    return 0;
}

static bool may_have_names(const struct entry *e)
{
    return e->kind != ENTRY_DIRECTORY &&
           (entry_is_further_name(e) || e->shared || e->link_count != 1);
}

int inventory_add(struct inventory *v, const struct entry *e, struct error *err)
{
    if (e->problem_scope != PROBLEM_NONE)
        v->counts.problems++;
    if (e->problem_scope == PROBLEM_CONTENT)
        return 0;
    if (e->problem_scope == PROBLEM_ENTRY) {
        v->counts.entries++;
        return 0;
    }
    count_entry(&v->counts, e);
    if (v->resolver == NULL && inventory_paths_add(&v->paths, e, v->link_notes.count, err) != 0)
        return -1;
    if (entry_is_link(e) && add_link(v, e, err) != 0)
        return -1;
    return may_have_names(e) ? add_name(v, e, err) : 0;
}

static int order_of_links(const void *a, const void *b)
{
    return path_compare(((const struct inventory_link *)a)->path,
                        ((const struct inventory_link *)b)->path);
}

static int order_of_names(const void *a, const void *b)
{
    const struct name_note *x = a, *y = b;
    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    return path_compare(x->bytes, y->bytes);
}

static int order_of_groups(const void *a, const void *b)
{
    return path_compare(((const struct inventory_group *)a)->names[0],
                        ((const struct inventory_group *)b)->names[0]);
}

static void sort(struct list *l, size_t item_bytes, int (*order)(const void *, const void *))
{
    if (l->count > 0)
        qsort(l->items, l->count, item_bytes, order);
}

static void count_link(struct inventory_counts *c, const struct inventory_link *link)
{
    c->relative += link->form == TARGET_RELATIVE;
    c->absolute += link->form != TARGET_RELATIVE;
    switch (link->state) {
    case TARGET_INSIDE:
        c->inside++;
        break;
    case TARGET_OUTSIDE:
        c->outside++;
        break;
    case TARGET_DANGLING:
        c->dangling++;
        break;
    case TARGET_LOOPING:
        c->looping++;
        break;
    case TARGET_UNKNOWN:
        c->unknown++;
        break;
    }
}

static int finish_links(struct inventory *v, const struct source_facts *facts, struct error *err)
{
    bool windows = facts->host_system != NULL && strcmp(facts->host_system, "windows") == 0;
    const struct link_note *notes = v->link_notes.items;
    for (size_t i = 0; i < v->link_notes.count; i++) {
        struct inventory_link *link = list_add(&v->links, sizeof *link, err);
        if (link == NULL)
            return -1;
        link->path = text_at(v, notes[i].path);
        link->target = text_at(v, notes[i].target);
        link->kind = notes[i].kind;
        link->form = target_form(link->target, windows || notes[i].windows ? TARGET_RULES_WINDOWS
                                                                           : TARGET_RULES_POSIX);
        link->state = notes[i].state;
        link->windows = notes[i].windows;
    }
    struct inventory_link *links = v->links.items;
    struct inventory_maze maze = {
        .paths = &v->paths, .links = links, .facts = facts, .drives = v->drives};
    for (size_t i = 0; i < v->links.count; i++) {
        /* Where a Windows target leads is not to be told by POSIX rules: it stays unknown. */
        if (v->resolver == NULL && !windows && (!notes[i].windows || v->drives != NULL) &&
            inventory_resolve(&maze, &links[i], &links[i].state, err) != 0)
            return -1;
        count_link(&v->counts, &links[i]);
    }
    sort(&v->links, sizeof(struct inventory_link), order_of_links);
    return 0;
}

static void count_group(struct inventory_counts *c, const struct group_note *g, bool names_known)
{
    if (g->name_count > 1) {
        c->groups++;
        c->group_names += g->name_count;
        c->saved_bytes += g->kind == ENTRY_FILE ? g->size * (g->name_count - 1) : 0;
    }
    if (names_known && g->link_count > g->name_count) {
        c->partial_groups++;
        c->outside_names += g->link_count - g->name_count;
    }
}

/* Lists a group whose names are `names` on. A file with one name in the tree is counted, not
 * listed. */
static int list_group(struct inventory *v, const struct group_note *g, const struct bytes *names,
                      struct error *err)
{
    if (g->name_count < 2)
        return 0;
    struct inventory_group *group = list_add(&v->groups, sizeof *group, err);
    if (group == NULL)
        return -1;
    *group = (struct inventory_group){
        .names = names,
        .name_count = g->name_count,
        .link_count = g->link_count,
        .size = g->size,
        .kind = g->kind,
    };
    return 0;
}

static int finish_groups(struct inventory *v, bool names_known, struct error *err)
{
    struct name_note *notes = v->name_notes.items;
    const struct group_note *groups = v->group_notes.items;
    for (size_t i = 0; i < v->name_notes.count; i++)
        notes[i].bytes = text_at(v, notes[i].path);
    sort(&v->name_notes, sizeof *notes, order_of_names);
    for (size_t i = 0; i < v->name_notes.count; i++) {
        struct bytes *name = list_add(&v->names, sizeof *name, err);
        if (name == NULL)
            return -1;
        *name = notes[i].bytes;
    }
    const struct bytes *names = v->names.items;
    for (size_t i = 0; i < v->group_notes.count; i++) {
        count_group(&v->counts, &groups[i], names_known);
        if (list_group(v, &groups[i], names, err) != 0)
            return -1;
        names += groups[i].name_count;
    }
    sort(&v->groups, sizeof(struct inventory_group), order_of_groups);
    return 0;
}

int inventory_finish(struct inventory *v, const struct source_facts *facts, struct error *err)
{
    if (finish_links(v, facts, err) != 0)
        return -1;
    return finish_groups(v, facts->names_known, err);
}

const struct inventory_counts *inventory_counts(const struct inventory *v)
{
    return &v->counts;
}

size_t inventory_link_count(const struct inventory *v)
{
    return v->links.count;
}

const struct inventory_link *inventory_link_at(const struct inventory *v, size_t index)
{
    return (const struct inventory_link *)v->links.items + index;
}

size_t inventory_group_count(const struct inventory *v)
{
    return v->groups.count;
}

const struct inventory_group *inventory_group_at(const struct inventory *v, size_t index)
{
    return (const struct inventory_group *)v->groups.items + index;
}
