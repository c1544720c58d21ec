/*
 * catalogue.c: read, resolve links, sort, yield.
 */
#include "archive/catalogue.h"

#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "tree/diff.h"

/* The file of an item whose first name has not come yet, or that is being looked for. */
#define FILE_OPEN SIZE_MAX
#define FILE_SOUGHT (SIZE_MAX - 1)

/* One entry with all that it owns. */
struct item {
    struct entry entry;
    struct buffer path, target, owner_name, group_name;
    struct buffer first_name; /* of a link whose file is FILE_OPEN */
    struct pairs xattrs;
    struct error problem;
    size_t file; /* index of the item that holds the content and metadata of its file: itself, or
                    of a further name another */
    bool superseded; /* a later member has the same path */
};

struct path_record {
    struct hash128 path;
    uint64_t index;
};

struct catalogue {
    struct source source;
    struct item *items;
    size_t count, capacity;
    struct table paths;
    struct item **order; /* in canonical order */
    size_t order_count, at;
    struct bytes skipped; /* the folder whose content is not wanted, or empty */
    struct root_fact *roots;
    struct source_facts facts;
};

static struct catalogue *catalogue_of(struct source *s)
{
    return (struct catalogue *)s;
}

/* ---- Reading ---- */

static struct item *item_add(struct catalogue *c, struct error *err)
{
    if (c->count == c->capacity) {
        size_t capacity = c->capacity != 0 ? c->capacity * 2 : 256;
        struct item *grown = realloc(c->items, capacity * sizeof *grown);

        if (grown == NULL) {
            (void)error_memory(err);
            return NULL;
        }
        c->items = grown;
        c->capacity = capacity;
    }
    struct item *item = &c->items[c->count];

    memset(item, 0, sizeof *item);
    item->file = c->count++;
    return item;
}

static int copy_text(struct buffer *to, const char *text, struct error *err)
{
    return text == NULL || (buffer_append(to, text, strlen(text) + 1, err) == 0) ? 0 : -1;
}

/* The reason is copied, not the path: that is the entry's own. */
static void copy_problem(struct item *item, const struct entry *e)
{
    if (e->problem_scope == PROBLEM_NONE)
        return;
    item->problem = *e->problem;
    item->problem.path = NULL;
    item->problem.path_bytes = 0;
}

/* Fills an item with a copy of an entry; pointers are set when it is yielded. */
static int item_fill(struct item *item, const struct entry *e, struct error *err)
{
    item->entry = *e;
    item->entry.path = item->entry.target = item->entry.first_name = (struct bytes){NULL, 0};
    item->entry.meta.owner_name = item->entry.meta.group_name = NULL;
    item->entry.problem = NULL;
    memset(&item->entry.meta.xattrs, 0, sizeof item->entry.meta.xattrs);
    if (buffer_append(&item->path, e->path.data, e->path.size, err) != 0 ||
        buffer_terminate(&item->path, err) != 0 ||
        buffer_append(&item->target, e->target.data, e->target.size, err) != 0 ||
        copy_text(&item->owner_name, e->meta.owner_name, err) != 0 ||
        copy_text(&item->group_name, e->meta.group_name, err) != 0 ||
        pairs_copy(&item->xattrs, &e->meta.xattrs, err) != 0)
        return -1;
    copy_problem(item, e);
    return 0;
}

/* What stands in the way of one entry makes that one a problem. */
static void spoil(struct item *item, struct error *problem)
{
    error_release(&item->problem);
    error_move(&item->problem, problem);
    item->entry.problem_scope = PROBLEM_ENTRY;
}

/* A content that cannot be read is its entry's trouble; if the archive cannot be read on, its next
 * entry says so. */
static int hash_content(struct source *inner, struct item *item, struct error *err)
{
    struct data *data = NULL;
    struct error trouble = {0};

    if (source_open_data(inner, &data, &trouble) == 0) {
        item->entry.size = data->size;
        if (data_hash(data, &item->entry.data_hash, &trouble) == 0)
            item->entry.has_data_hash = true;
        data_close(data);
    }
    if (trouble.kind == ERROR_MEMORY) {
        error_move(err, &trouble);
        return -1;
    }
    if (trouble.kind != ERROR_NONE)
        spoil(item, &trouble);
    return 0;
}

/* A further name's file: that of its first name, as it stands now; or it is looked for at the end.
 */
static int find_file(struct catalogue *c, struct item *item, const struct entry *e,
                     struct error *err)
{
    struct hash128 key = hash_bytes(e->first_name);
    const struct path_record *first = table_find(&c->paths, &key);

    item->file = first != NULL ? c->items[first->index].file : FILE_OPEN;
    if (item->file != FILE_OPEN)
        return 0;
    return buffer_append(&item->first_name, e->first_name.data, e->first_name.size, err);
}

/* Finds or reads what an item is a name of. */
static int take_file(struct catalogue *c, struct source *inner, struct item *item,
                     const struct entry *e, struct error *err)
{
    if (entry_is_further_name(e))
        return find_file(c, item, e, err);
    return inner != NULL && e->kind == ENTRY_FILE ? hash_content(inner, item, err) : 0;
}

/* The last member of a name wins. But a link to itself keeps what is there, and a member that could
 * not be had stays, to be told. */
static bool is_set_aside(const struct item *before, const struct entry *e)
{
    if (before->entry.problem_scope == PROBLEM_ENTRY)
        return e->problem_scope != PROBLEM_ENTRY;
    return entry_is_further_name(e) && bytes_equal(e->first_name, e->path);
}

static int take_entry(struct catalogue *c, struct source *inner, const struct entry *e,
                      struct error *err)
{
    struct item *item = item_add(c, err);
    struct hash128 key = hash_bytes(e->path);

    if (item == NULL || item_fill(item, e, err) != 0)
        return -1;
    struct path_record *record = table_find(&c->paths, &key);

    if (record != NULL && is_set_aside(&c->items[record->index], e)) {
        item->superseded = true;
        return 0;
    }
    if (e->problem_scope != PROBLEM_ENTRY && take_file(c, inner, item, e, err) != 0)
        return -1;
    if (record != NULL)
        c->items[record->index].superseded = true;
    else
        record = table_add(&c->paths, &key, err);
    if (record == NULL)
        return -1;
    record->index = (uint64_t)(item - c->items);
    return 0;
}

/* Folders that no member speaks of. */
static int add_parents(struct catalogue *c, struct bytes path, struct error *err)
{
    for (struct bytes parent = path_parent(path); parent.size != 0; parent = path_parent(parent)) {
        struct hash128 key = hash_bytes(parent);
        struct entry folder = {.kind = ENTRY_DIRECTORY, .path = parent, .link_count = 1};

        if (table_find(&c->paths, &key) != NULL)
            return 0;
        if (take_entry(c, NULL, &folder, err) != 0)
            return -1;
    }
    return 0;
}

/* ---- Layout ---- */

/* The item at the first name of an open link, or NULL. */
static struct item *item_behind(struct catalogue *c, const struct item *item)
{
    struct hash128 key = hash_bytes(buffer_bytes(&item->first_name));
    const struct path_record *first = table_find(&c->paths, &key);

    return first != NULL ? &c->items[first->index] : NULL;
}

/* Gives an open link, and those it leads through, the file at the end of the chain. Each link is
 * passed twice: once to find it, once to keep it. */
static void settle_link(struct catalogue *c, struct item *link)
{
    struct item *at = link;

    while (at != NULL && at->file == FILE_OPEN) {
        at->file = FILE_SOUGHT;
        at = item_behind(c, at);
    }
    /* A chain that runs in a circle ends at a link that is sought: there is no file. */
    size_t file = at != NULL && at->file != FILE_SOUGHT ? at->file : FILE_OPEN;

    for (at = link; at != NULL && at->file == FILE_SOUGHT; at = item_behind(c, at)) {
        struct error missing = {0};

        at->file = file;
        if (file != FILE_OPEN)
            continue;
        at->file = (size_t)(at - c->items);
        (void)error_set(&missing, ERROR_FORMAT, NULL,
                        "a hard link to a name that is not in the "
                        "archive");
        spoil(at, &missing);
    }
}

static void settle_links(struct catalogue *c)
{
    for (size_t i = 0; i < c->count; i++) {
        if (c->items[i].file == FILE_OPEN)
            settle_link(c, &c->items[i]);
    }
}

static int compare_items(const void *a, const void *b)
{
    const struct item *x = *(struct item *const *)a, *y = *(struct item *const *)b;
    int by_path = path_compare(buffer_bytes(&x->path), buffer_bytes(&y->path));

    return by_path != 0 ? by_path : x < y ? -1 : x > y;
}

static int sort_items(struct catalogue *c, struct error *err)
{
    c->order = malloc((c->count + 1) * sizeof *c->order);
    if (c->order == NULL)
        return error_memory(err);
    for (size_t i = 0; i < c->count; i++) {
        if (!c->items[i].superseded)
            c->order[c->order_count++] = &c->items[i];
    }
    qsort(c->order, c->order_count, sizeof(struct item *), compare_items);
    return 0;
}

/* Makes an item the first name of `file`: content and metadata are seen here. */
static void make_first(struct item *item, const struct item *file)
{
    struct entry *e = &item->entry;
    struct bytes path = e->path;
    size_t name_offset = e->name_offset, depth = e->depth;

    *e = file->entry;
    e->path = path;
    e->name_offset = name_offset;
    e->depth = depth;
    e->first_name = (struct bytes){NULL, 0};
    e->problem = e->problem_scope != PROBLEM_NONE ? &file->problem : NULL;
    e->target = buffer_bytes(&file->target);
    e->meta.xattrs = file->xattrs; /* borrowed; `file` owns them */
    e->meta.owner_name = file->owner_name.size != 0 ? (const char *)file->owner_name.data : NULL;
    e->meta.group_name = file->group_name.size != 0 ? (const char *)file->group_name.data : NULL;
}

static void place(struct item *item)
{
    struct entry *e = &item->entry;
    size_t parent = path_parent(buffer_bytes(&item->path)).size;

    e->path = buffer_bytes(&item->path);
    e->name_offset = parent != 0 ? parent + 1 : 0;
    e->depth = 0;
    for (size_t i = 0; i < e->path.size; i++)
        e->depth += e->path.data[i] == '/';
    e->problem = e->problem_scope != PROBLEM_NONE ? &item->problem : NULL;
}

/* True if there is no file to have: an own problem, that of the first name, or a first name that is
 * a folder. */
static bool is_broken(struct item *item, const struct item *file)
{
    struct entry *e = &item->entry;
    struct error folder = {0};

    if (e->problem_scope == PROBLEM_ENTRY || item == file)
        return e->problem_scope == PROBLEM_ENTRY;
    if (file->entry.problem_scope != PROBLEM_ENTRY && file->entry.kind != ENTRY_DIRECTORY)
        return false;
    if (file->entry.problem_scope == PROBLEM_ENTRY) {
        e->problem_scope = PROBLEM_ENTRY;
        e->problem = &file->problem;
        return true;
    }
    (void)error_set(&folder, ERROR_FORMAT, NULL, "a hard link to a folder");
    spoil(item, &folder);
    e->problem = &item->problem;
    return true;
}

/* Points the entries to what their items own, and begins each name group at its first name in
 * canonical order. */
static int link_items(struct catalogue *c, struct error *err)
{
    struct item **first = calloc(c->count + 1, sizeof(struct item *)); /* by file */

    if (first == NULL)
        return error_memory(err);
    for (size_t i = 0; i < c->order_count; i++) {
        struct item *item = c->order[i];
        const struct item *file = &c->items[item->file];
        struct item **first_of_file = &first[item->file];

        place(item);
        if (is_broken(item, file))
            continue;
        if (*first_of_file == NULL) {
            *first_of_file = item;
            make_first(item, file);
            continue;
        }
        item->entry.first_name = (*first_of_file)->entry.path;
        item->entry.kind = (*first_of_file)->entry.kind;
        item->entry.meta.known = 0;
        (*first_of_file)->entry.shared = true;
        (*first_of_file)->entry.link_count = 0;
    }
    free(first);
    return 0;
}

static bool is_root(const struct entry *e)
{
    return e->depth == 0 && e->problem_scope != PROBLEM_ENTRY;
}

/* The top-level names are the roots. */
static int make_facts(struct catalogue *c, struct error *err)
{
    size_t roots = 0;

    c->facts = (struct source_facts){.host_system = "", .ordered = true, .names_known = true};
    for (size_t i = 0; i < c->order_count; i++)
        roots += is_root(&c->order[i]->entry);
    c->roots = calloc(roots + 1, sizeof *c->roots);
    if (c->roots == NULL)
        return error_memory(err);
    for (size_t i = 0; i < c->order_count; i++) {
        if (!is_root(&c->order[i]->entry))
            continue;
        c->roots[c->facts.root_count++] =
            (struct root_fact){.name = (const char *)c->order[i]->path.data,
                               .absolute_path = "",
                               .file_system = "",
                               .volume = ""};
    }
    c->facts.roots = c->roots;
    return 0;
}

/* ---- The source ---- */

static int catalogue_next(struct source *s, const struct entry **out, struct error *err)
{
    struct catalogue *c = catalogue_of(s);

    (void)err;
    while (c->at < c->order_count && c->skipped.size != 0 &&
           path_is_within(c->order[c->at]->entry.path, c->skipped))
        c->at++;
    c->skipped = (struct bytes){NULL, 0};
    if (c->at == c->order_count)
        return 0;
    *out = &c->order[c->at++]->entry;
    return 1;
}

static int catalogue_load(struct source *s, const struct entry **out, struct error *err)
{
    struct catalogue *c = catalogue_of(s);

    (void)err;
    *out = &c->order[c->at - 1]->entry;
    return 0;
}

static void catalogue_skip(struct source *s)
{
    struct catalogue *c = catalogue_of(s);

    c->skipped = c->order[c->at - 1]->entry.path;
}

static int catalogue_open_data(struct source *s, struct data **out, struct error *err)
{
    (void)s;
    (void)out;
    return error_set(err, ERROR_UNSUPPORTED, "open", "only the hash of its content is known here");
}

static const struct source_facts *catalogue_facts(struct source *s)
{
    return &catalogue_of(s)->facts;
}

static void catalogue_close(struct source *s)
{
    struct catalogue *c = catalogue_of(s);

    for (size_t i = 0; i < c->count; i++) {
        struct item *item = &c->items[i];

        buffer_release(&item->path);
        buffer_release(&item->target);
        buffer_release(&item->owner_name);
        buffer_release(&item->group_name);
        buffer_release(&item->first_name);
        pairs_release(&item->xattrs);
        error_release(&item->problem);
    }
    free(c->items);
    free(c->order);
    free(c->roots);
    table_release(&c->paths);
    free(c);
}

static const struct source_ops catalogue_ops = {
    .next = catalogue_next,
    .load = catalogue_load,
    .skip = catalogue_skip,
    .open_data = catalogue_open_data,
    .facts = catalogue_facts,
    .close = catalogue_close,
};

static int read_all(struct catalogue *c, struct source *inner, enum catalogue_contents contents,
                    struct error *err)
{
    const struct entry *e;
    int more;

    while ((more = source_next(inner, &e, err)) == 1) {
        if (source_load(inner, &e, err) != 0 ||
            (e->problem_scope != PROBLEM_ENTRY && add_parents(c, e->path, err) != 0) ||
            take_entry(c, contents == CATALOGUE_WITH_HASHES ? inner : NULL, e, err) != 0)
            return -1;
    }
    return more;
}

static int lay_out(struct catalogue *c, struct error *err)
{
    settle_links(c);
    return sort_items(c, err) != 0 || link_items(c, err) != 0 || make_facts(c, err) != 0 ? -1 : 0;
}

int catalogue_new(struct source *inner, enum catalogue_contents contents, struct source **out,
                  struct error *err)
{
    struct catalogue *c = calloc(1, sizeof *c);

    if (c == NULL)
        return error_memory(err);
    c->source.ops = &catalogue_ops;
    table_init(&c->paths, sizeof(struct path_record), sizeof(struct hash128));
    if (read_all(c, inner, contents, err) != 0 || lay_out(c, err) != 0) {
        catalogue_close(&c->source);
        return -1;
    }
    c->facts.time_grain_ns = source_facts(inner)->time_grain_ns;
    source_close(inner);
    *out = &c->source;
    return 0;
}
