/*
 * retarget.c: the list and the source of retarget.h. Each link is looked up when its turn comes, so
 * that what changed since the list was made is seen.
 */
#include "tree/retarget.h"

#include <stdlib.h>

#include "base/table.h"

/* By offsets into retargets.bytes, which moves while it grows. */
struct retarget_slot {
    size_t path, path_bytes, from, from_bytes, to, to_bytes, group;
    enum retarget_form form;
};

void retargets_release(struct retargets *list)
{
    free(list->slots);
    buffer_release(&list->bytes);
    *list = (struct retargets){0};
}

static int add_bytes(struct retargets *list, struct bytes b, size_t *offset, struct error *err)
{
    *offset = list->bytes.size;
    return buffer_append(&list->bytes, b.data, b.size, err);
}

int retargets_add(struct retargets *list, const struct retarget *link, struct error *err)
{
    struct retarget_slot slot = {.path_bytes = link->path.size,
                                 .from_bytes = link->from.size,
                                 .to_bytes = link->to.size,
                                 .group = link->group,
                                 .form = link->form};

    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 64;
        struct retarget_slot *grown = realloc(list->slots, capacity * sizeof *grown);

        if (!grown)
            return error_memory(err);
        list->slots = grown;
        list->capacity = capacity;
    }
    if (add_bytes(list, link->path, &slot.path, err) ||
        add_bytes(list, link->from, &slot.from, err) || add_bytes(list, link->to, &slot.to, err))
        return -1;
    list->slots[list->count++] = slot;
    return 0;
}

struct retarget retargets_at(const struct retargets *list, size_t index)
{
    const struct retarget_slot *s = &list->slots[index];
    const uint8_t *bytes = list->bytes.data;

    return (struct retarget){.path = bytes_make(bytes + s->path, s->path_bytes),
                             .form = s->form,
                             .from = bytes_make(bytes + s->from, s->from_bytes),
                             .to = bytes_make(bytes + s->to, s->to_bytes),
                             .group = s->group};
}

void retargets_set_group(struct retargets *list, size_t index, size_t group)
{
    list->slots[index].group = group;
}

/* ---- The source ---- */

/* The name of a group that came first: the others are names of that. */
struct group_begin {
    size_t group;
    size_t index;
};

struct retarget_source {
    struct source source;
    struct source *inner;
    struct retarget_options options;
    struct source_facts facts;
    size_t next;
    struct table folders; /* hashes of the paths of those that were yielded */
    struct table groups;  /* struct group_begin */
    struct entry entry;   /* what passes */
    struct retarget link; /* the list's word on it, in this direction */
    bool is_link;         /* not a folder that holds some */
    struct buffer path, first, target;
    uint64_t done;
};

static struct retarget_source *retarget_source_of(struct source *s)
{
    return (struct retarget_source *)s;
}

/* The list's link as this direction has it. */
static struct retarget link_at(const struct retarget_source *s, size_t index)
{
    struct retarget link = retargets_at(s->options.list, index);
    struct bytes from = link.from;

    if (s->options.direction == RETARGET_BACK) {
        link.from = link.to;
        link.to = from;
    }
    return link;
}

/* The path of a link in the source. */
static int make_path(const struct retarget_source *s, struct bytes below, struct buffer *out,
                     struct error *err)
{
    struct bytes root = bytes_of(s->options.root);

    buffer_clear(out);
    if (buffer_append(out, root.data, root.size, err) || buffer_append_byte(out, '/', err))
        return -1;
    return buffer_append(out, below.data, below.size, err);
}

/* Puts the new target into the entry. */
static int put_target(struct retarget_source *s, const struct entry *e, struct error *err)
{
    s->entry = *e;
    /* What of a file's names is not on the list stays as it is. */
    s->entry.link_count = s->link.group ? 0 : 1;
    s->entry.shared = s->link.group != 0;
    s->entry.first_name = buffer_bytes(&s->first);
    if (s->link.form == RETARGET_REPARSE)
        return entry_set_reparse(&s->entry, s->link.to, e->folder_flavour, &s->target, err);
    s->entry.target = s->link.to;
    return 0;
}

static bool has_target(const struct entry *e, enum retarget_form form, struct bytes raw)
{
    if (form == RETARGET_REPARSE)
        return e->reparse.size && bytes_equal(e->reparse, raw);
    return e->kind == ENTRY_SYMLINK && !e->reparse.size && bytes_equal(e->target, raw);
}

/* Tells why a link is left out, and releases the reason. */
static int leave_out(struct retarget_source *s, struct error *why)
{
    watcher_error(s->options.watcher, buffer_bytes(&s->path), why);
    error_release(why);
    return 0;
}

/* Looks whether the link is to change: 1 and *e, 0 if not, -1. */
static int look(struct retarget_source *s, const struct entry **e, struct error *err)
{
    struct error why = {0};
    int found;

    if (make_path(s, s->link.path, &s->path, err))
        return -1;
    found = source_find(s->inner, buffer_bytes(&s->path), e, err);
    if (found < 0)
        return -1;
    if (found && (*e)->problem_scope == PROBLEM_ENTRY) {
        watcher_error(s->options.watcher, buffer_bytes(&s->path), (*e)->problem);
        return 0;
    }
    if (found && has_target(*e, s->link.form, s->link.from))
        return 1;
    if (found && has_target(*e, s->link.form, s->link.to)) {
        s->done++;
        return s->link.group != 0; /* the other names are to be linked to it */
    }
    (void)error_set(&why, ERROR_CHANGED, NULL,
                    found ? "it has changed since, and is left as it is" : "it is not there now");
    return leave_out(s, &why);
}

/* The folder that holds the link, if it was not yielded yet: 1, 0, -1. */
static int yield_folder(struct retarget_source *s, struct bytes folder, const struct entry **out,
                        struct error *err)
{
    struct hash128 key = hash_bytes(folder);
    int found;

    if (table_find(&s->folders, &key))
        return 0;
    if (!table_add(&s->folders, &key, err))
        return -1;
    found = source_find(s->inner, folder, out, err);
    s->is_link = false;
    return found == 1 && (*out)->kind != ENTRY_DIRECTORY ? 0 : found;
}

/* The folders on the list's way that were not yielded: the root, whose time the run's marker
 * changes, and the one that holds the link. 1, 0, -1. */
static int yield_folders(struct retarget_source *s, const struct entry **out, struct error *err)
{
    int found = yield_folder(s, bytes_of(s->options.root), out, err);

    return found ? found : yield_folder(s, path_parent(buffer_bytes(&s->path)), out, err);
}

/* Which name the link is a further name of. */
static int set_first(struct retarget_source *s, size_t index, struct error *err)
{
    struct group_begin *begin = table_find(&s->groups, &s->link.group);

    buffer_clear(&s->first);
    if (!s->link.group)
        return 0;
    if (begin)
        return make_path(s, link_at(s, begin->index).path, &s->first, err);
    begin = table_add(&s->groups, &s->link.group, err);
    if (!begin)
        return -1;
    begin->index = index;
    return 0;
}

static int retarget_source_next(struct source *source, const struct entry **out, struct error *err)
{
    struct retarget_source *s = retarget_source_of(source);

    for (; s->next < s->options.list->count; s->next++) {
        const struct entry *e;
        int wanted;

        s->link = link_at(s, s->next);
        if (make_path(s, s->link.path, &s->path, err))
            return -1;
        wanted = yield_folders(s, out, err);
        if (wanted)
            return wanted;
        wanted = look(s, &e, err);
        if (wanted < 0)
            return -1;
        if (!wanted)
            continue;
        if (set_first(s, s->next, err) || put_target(s, e, err))
            return -1;
        s->is_link = true;
        s->next++;
        *out = &s->entry;
        return 1;
    }
    return 0;
}

static int retarget_source_load(struct source *source, const struct entry **out, struct error *err)
{
    struct retarget_source *s = retarget_source_of(source);

    if (source_load(s->inner, out, err))
        return -1;
    if (!s->is_link)
        return 0;
    if (put_target(s, *out, err))
        return -1;
    *out = &s->entry;
    return 0;
}

static void retarget_source_skip(struct source *source)
{
    (void)source;
}

static int retarget_source_open_data(struct source *source, struct data **out, struct error *err)
{
    (void)source;
    *out = NULL;
    return error_set(err, ERROR_UNSUPPORTED, "open", "a link has no content");
}

static const struct source_facts *retarget_source_facts(struct source *source)
{
    return &retarget_source_of(source)->facts;
}

static void retarget_source_close(struct source *source)
{
    struct retarget_source *s = retarget_source_of(source);

    source_close(s->inner);
    table_release(&s->folders);
    table_release(&s->groups);
    buffer_release(&s->path);
    buffer_release(&s->first);
    buffer_release(&s->target);
    free(s);
}

static const struct source_ops retarget_source_ops = {
    .next = retarget_source_next,
    .load = retarget_source_load,
    .skip = retarget_source_skip,
    .open_data = retarget_source_open_data,
    .facts = retarget_source_facts,
    .close = retarget_source_close,
};

int retarget_source_new(struct source *inner, const struct retarget_options *options,
                        struct source **out, struct error *err)
{
    struct retarget_source *s = calloc(1, sizeof *s);

    if (!s)
        return error_memory(err);
    s->source.ops = &retarget_source_ops;
    s->inner = inner;
    s->options = *options;
    s->facts = *source_facts(inner);
    s->facts.ordered = false;
    s->facts.names_known = false;
    table_init(&s->folders, sizeof(struct hash128), sizeof(struct hash128));
    table_init(&s->groups, sizeof(struct group_begin), sizeof(size_t));
    *out = &s->source;
    return 0;
}

uint64_t retarget_source_done(const struct source *source)
{
    return ((const struct retarget_source *)source)->done;
}
