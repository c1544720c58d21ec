#include "support/list_source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct list_item {
    struct entry entry;
    const char *content;
    const struct memory_piece *pieces; /* of a sparse file, instead of the content */
    size_t piece_count;
};

struct list_source {
    struct source base;
    struct source_facts facts;
    struct root_fact root;
    struct list_item **items;
    size_t count, next;
    struct list_item *last;
    bool started;
    uint64_t inodes;
    size_t loads, skips;
};

static const struct error planted = {.kind = ERROR_OS, .operation = "read", .detail = "planted"};

static struct list_source *list_of(struct source *s)
{
    return (struct list_source *)s;
}

static int order_of_items(const void *a, const void *b)
{
    const struct entry *x = &(*(struct list_item *const *)a)->entry;
    const struct entry *y = &(*(struct list_item *const *)b)->entry;
    int order = path_compare(x->path, y->path);
    /* A problem with a folder's content stands behind the folder. */
    return order != 0
               ? order
               : (x->problem_scope == PROBLEM_CONTENT) - (y->problem_scope == PROBLEM_CONTENT);
}

static int list_next(struct source *s, const struct entry **out, struct error *err)
{
    struct list_source *l = list_of(s);
    (void)err;
    if (!l->started && l->facts.ordered && l->count > 0)
        qsort(l->items, l->count, sizeof(struct list_item *), order_of_items);
    l->started = true;
    if (l->next == l->count)
        return 0;
    l->last = l->items[l->next++];
    *out = &l->last->entry;
    return 1;
}

static int list_load(struct source *s, const struct entry **out, struct error *err)
{
    struct list_source *l = list_of(s);
    (void)err;
    l->loads++;
    *out = &l->last->entry;
    return 0;
}

static void list_skip(struct source *s)
{
    struct list_source *l = list_of(s);
    struct bytes folder = l->last->entry.path;
    assert_int_equal(l->last->entry.kind, ENTRY_DIRECTORY);
    l->skips++;
    while (l->next < l->count && path_is_within(l->items[l->next]->entry.path, folder))
        l->next++;
}

static int list_find(struct source *s, struct bytes path, const struct entry **out,
                     struct error *err)
{
    struct list_source *l = list_of(s);
    (void)err;
    for (size_t i = 0; i < l->count; i++) {
        if (bytes_equal(l->items[i]->entry.path, path)) {
            l->last = l->items[i];
            *out = &l->last->entry;
            return 1;
        }
    }
    return 0;
}

static int list_open_data(struct source *s, struct data **out, struct error *err)
{
    const struct list_item *item = list_of(s)->last;
    struct memory_options options = {.size = item->entry.size};
    (void)err;
    *out = item->pieces ? memory_data(&options, item->pieces, item->piece_count)
                        : memory_data_text(item->content);
    return 0;
}

static const struct source_facts *list_facts_of(struct source *s)
{
    return &list_of(s)->facts;
}

static void list_close(struct source *s)
{
    struct list_source *l = list_of(s);
    for (size_t i = 0; i < l->count; i++) {
        pairs_release(&l->items[i]->entry.meta.xattrs);
        free(l->items[i]);
    }
    free(l->items);
    free(l);
}

static const struct source_ops list_ops = {
    .next = list_next,
    .load = list_load,
    .skip = list_skip,
    .find = list_find,
    .open_data = list_open_data,
    .facts = list_facts_of,
    .close = list_close,
};

struct list_source *list_source_new(void)
{
    struct list_source *l = calloc(1, sizeof *l);
    assert_non_null(l);
    l->base.ops = &list_ops;
    l->root = (struct root_fact){.name = "t", .absolute_path = "", .file_system = "", .volume = ""};
    l->facts = (struct source_facts){.roots = &l->root,
                                     .root_count = 1,
                                     .host_system = "linux",
                                     .ordered = true,
                                     .names_known = true,
                                     .complete_metadata = true};
    return l;
}

struct source *list_source(struct list_source *l)
{
    return &l->base;
}

struct source_facts *list_facts(struct list_source *l)
{
    return &l->facts;
}

static struct list_item *item_add(struct list_source *l)
{
    struct list_item **items = realloc(l->items, (l->count + 1) * sizeof *items);
    assert_non_null(items);
    l->items = items;
    struct list_item *item = calloc(1, sizeof *item);
    assert_non_null(item);
    items[l->count++] = item;
    return item;
}

static void set_path(struct entry *e, const char *path)
{
    e->path = bytes_of(path);
    struct bytes parent = path_parent(e->path);
    e->name_offset = parent.size > 0 ? parent.size + 1 : 0;
    e->depth = 0;
    for (size_t i = 0; i < e->path.size; i++)
        e->depth += e->path.data[i] == '/';
}

struct entry *list_add(struct list_source *l, enum entry_kind kind, const char *path)
{
    struct list_item *item = item_add(l);
    struct entry *e = &item->entry;
    item->content = "";
    set_path(e, path);
    e->kind = kind;
    e->identity = (struct identity){.volume = 1, .file = {++l->inodes, 0}};
    e->link_count = 1;
    e->meta.known = METADATA_MODE | METADATA_OWNER | METADATA_GROUP | METADATA_MTIME |
                    METADATA_FLAGS | METADATA_XATTRS | METADATA_ACL;
    e->meta.mode = kind == ENTRY_DIRECTORY ? 0755 : 0644;
    e->meta.owner = e->meta.group = 1000;
    e->meta.mtime = (struct timestamp){100, 5};
    return e;
}

struct entry *list_file(struct list_source *l, const char *path, const char *content)
{
    struct entry *e = list_add(l, ENTRY_FILE, path);
    l->items[l->count - 1]->content = content;
    e->size = strlen(content);
    return e;
}

struct entry *list_sparse_file(struct list_source *l, const char *path, uint64_t size,
                               const struct memory_piece *pieces, size_t piece_count)
{
    struct entry *e = list_add(l, ENTRY_FILE, path);
    l->items[l->count - 1]->pieces = pieces;
    l->items[l->count - 1]->piece_count = piece_count;
    e->size = size;
    return e;
}

struct entry *list_link(struct list_source *l, const char *path, const char *target)
{
    struct entry *e = list_add(l, ENTRY_SYMLINK, path);
    e->target = bytes_of(target);
    return e;
}

static struct list_item *item_at(struct list_source *l, const char *path)
{
    for (size_t i = l->count; i-- > 0;) {
        if (bytes_equal(l->items[i]->entry.path, bytes_of(path)))
            return l->items[i];
    }
    fail_msg("no entry %s", path);
    return NULL;
}

struct entry *list_name(struct list_source *l, const char *path, const char *of)
{
    const struct list_item *first = item_at(l, of);
    struct list_item *item = item_add(l);
    *item = *first;
    set_path(&item->entry, path);
    item->entry.meta.xattrs = (struct pairs){0};
    uint64_t names = first->entry.link_count + 1;
    for (size_t i = 0; i < l->count; i++) {
        if (identity_equal(&l->items[i]->entry.identity, &item->entry.identity))
            l->items[i]->entry.link_count = names;
    }
    return &item->entry;
}

struct entry *list_problem(struct list_source *l, enum problem_scope scope, const char *path)
{
    struct entry *e = list_add(l, ENTRY_DIRECTORY, path);
    e->problem_scope = scope;
    e->problem = &planted;
    return e;
}

struct entry *list_at(struct list_source *l, const char *path)
{
    return &item_at(l, path)->entry;
}

void list_as_archive(struct list_source *l)
{
    qsort(l->items, l->count, sizeof(struct list_item *), order_of_items);
    for (size_t i = 0; i < l->count; i++) {
        struct entry *e = &l->items[i]->entry;
        e->shared = e->link_count > 1;
        for (size_t k = 0; k < i && e->link_count > 1; k++) {
            if (identity_equal(&l->items[k]->entry.identity, &e->identity)) {
                e->first_name = l->items[k]->entry.path;
                e->shared = false;
                break;
            }
        }
    }
    list_forget_identities(l);
}

void list_forget_identities(struct list_source *l)
{
    for (size_t i = 0; i < l->count; i++) {
        l->items[i]->entry.identity = (struct identity){0};
        l->items[i]->entry.link_count = 0;
    }
}

size_t list_loads(const struct list_source *l)
{
    return l->loads;
}

size_t list_skips(const struct list_source *l)
{
    return l->skips;
}

const char *list_content(struct list_source *l, const char *path)
{
    return item_at(l, path)->content;
}
