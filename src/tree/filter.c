#include "tree/filter.h"

#include <stdlib.h>
#include <string.h>

#include "tree/pattern.h"

struct filter {
    struct source base;
    struct source *inner; /* owned */
    const struct filter_rule *rules;
    size_t rule_count;
    struct filter_probe *probe;
    const struct bytes *paths;
    size_t path_count;
    bool *matched;        /* one for each chosen path */
    bool seeks;           /* goes from one chosen path to the next */
    bool is_within;       /* the entry that came last is, or lies below, a chosen path */
    struct buffer last;   /* where the source was when it left the last one, if it seeks */
    struct entry changed; /* a copy of the entry that came last, if it needs a mark: */
    bool is_passage;      /* it only leads to chosen paths */
    bool is_marked;       /* its content is left out */
};

static struct filter *filter_of(struct source *s)
{
    return (struct filter *)s;
}

/* The path below its root; empty for the root itself. */
static struct bytes below_root(struct bytes path)
{
    const uint8_t *slash = path.size > 0 ? memchr(path.data, '/', path.size) : NULL;
    if (slash == NULL)
        return (struct bytes){0};
    size_t taken = (size_t)(slash - path.data) + 1;
    return bytes_make(path.data + taken, path.size - taken);
}

static struct bytes last_component(struct bytes path)
{
    struct bytes parent = path_parent(path);
    size_t taken = parent.size > 0 ? parent.size + 1 : 0;
    return bytes_make(path.data + taken, path.size - taken);
}

bool filter_match(const char *pattern, struct bytes path, bool is_folder)
{
    struct bytes p = bytes_of(pattern), text = below_root(path);
    if (p.size == 0 || text.size == 0)
        return false;
    if (p.data[p.size - 1] == '/') {
        if (!is_folder)
            return false;
        p.size--;
    }
    bool anchored = p.size > 0 && memchr(p.data, '/', p.size) != NULL;
    if (!anchored)
        return pattern_match(p, last_component(text));
    if (p.data[0] == '/')
        p = bytes_make(p.data + 1, p.size - 1);
    return pattern_match(p, text);
}

bool filter_excludes(const struct filter_options *options, struct bytes path, bool is_folder)
{
    for (size_t i = 0; i < options->rule_count; i++) {
        if (filter_match(options->rules[i].pattern, path, is_folder))
            return options->rules[i].verdict == FILTER_EXCLUDE;
    }
    return false;
}

static bool rules_exclude(const struct filter *f, struct bytes path, bool is_folder)
{
    struct filter_options o = {.rules = f->rules, .rule_count = f->rule_count};

    return filter_excludes(&o, path, is_folder);
}

/* Without canonical order a folder's content may come when the folder is long gone, and cannot be
 * skipped with it. */
static bool folder_excluded(struct filter *f, struct bytes path)
{
    if (f->rule_count == 0 || source_facts(f->inner)->ordered)
        return false;
    for (struct bytes at = path_parent(path); at.size > 0; at = path_parent(at)) {
        if (rules_exclude(f, at, true))
            return true;
    }
    return false;
}

enum choice { CHOICE_NONE, CHOICE_LEADS, CHOICE_IS };

/* Whether the entry is, or lies below, a chosen path, or leads to one. */
static enum choice choose(struct filter *f, const struct entry *e)
{
    /* Where a folder was expected on the way, trouble has to be known. */
    bool may_lead = e->kind == ENTRY_DIRECTORY || e->problem_scope == PROBLEM_ENTRY;
    enum choice choice = f->path_count == 0 ? CHOICE_IS : CHOICE_NONE;
    for (size_t i = 0; i < f->path_count; i++) {
        if (path_is_within(e->path, f->paths[i])) {
            f->matched[i] = true;
            choice = CHOICE_IS;
        } else if (may_lead && choice == CHOICE_NONE && path_is_within(f->paths[i], e->path)) {
            choice = CHOICE_LEADS;
        }
    }
    return choice;
}

static bool is_folder(const struct entry *e)
{
    return e->kind == ENTRY_DIRECTORY && e->problem_scope != PROBLEM_ENTRY;
}

/* The first entry behind the last one that is, or leads to, the chosen path; empty if there is
 * none.
 */
static struct bytes way_to(const struct filter *f, struct bytes chosen)
{
    struct bytes way = chosen;

    if (f->last.size > 0 && path_compare(chosen, buffer_bytes(&f->last)) <= 0)
        return (struct bytes){0};
    for (struct bytes at = path_parent(chosen); at.size > 0; at = path_parent(at)) {
        if (f->last.size > 0 && path_compare(at, buffer_bytes(&f->last)) <= 0)
            break;
        way = at;
    }
    return way;
}

/* Passes over what lies before the next chosen path: 1, 0 if there is no such path any more. */
static int seek_next(struct filter *f)
{
    struct bytes next = {0};

    for (size_t i = 0; i < f->path_count; i++) {
        struct bytes way = way_to(f, f->paths[i]);
        if (way.size > 0 && (next.size == 0 || path_compare(way, next) < 0))
            next = way;
    }
    if (next.size > 0)
        source_seek(f->inner, next);
    return next.size > 0;
}

/* Remembers where the source is, unless it goes on from here entry by entry. */
static int note_place(struct filter *f, const struct entry *e, enum choice choice,
                      struct error *err)
{
    f->is_within = choice == CHOICE_IS;
    if (!f->seeks || f->is_within)
        return 0;
    buffer_clear(&f->last);
    return buffer_append(&f->last, e->path.data, e->path.size, err);
}

/* Decides about one entry: 1 pass, 0 leave out, -1. Has folders skipped that are left out or
 * marked. */
static int filter_see(struct filter *f, const struct entry *e, struct error *err)
{
    bool content_item = e->problem_scope == PROBLEM_CONTENT;
    enum choice choice = choose(f, e);
    f->is_passage = choice == CHOICE_LEADS && !content_item && is_folder(e);
    f->is_marked = false;
    if (note_place(f, e, choice, err) != 0)
        return -1;
    if (choice == CHOICE_NONE || rules_exclude(f, e->path, is_folder(e)) ||
        folder_excluded(f, e->path)) {
        if (is_folder(e) && !content_item)
            source_skip(f->inner);
        return 0;
    }
    if (f->probe == NULL || content_item || !is_folder(e))
        return 1;
    int marked = f->probe->probe(f->probe, f->inner, e, err);
    if (marked > 0)
        source_skip(f->inner);
    f->is_marked = marked > 0;
    return marked < 0 ? -1 : 1;
}

/* The entry that came last, with its marks. */
static const struct entry *yield(struct filter *f, const struct entry *e)
{
    if (!f->is_passage && !f->is_marked)
        return e;
    f->changed = *e;
    f->changed.passage = f->is_passage;
    f->changed.content_left_out = f->is_marked || e->content_left_out;
    return &f->changed;
}

static int filter_next(struct source *s, const struct entry **out, struct error *err)
{
    struct filter *f = filter_of(s);
    for (;;) {
        const struct entry *e = NULL;
        if (f->seeks && !f->is_within && !seek_next(f))
            return 0;
        int got = source_next(f->inner, &e, err);
        if (got <= 0)
            return got;
        got = filter_see(f, e, err);
        if (got < 0)
            return -1;
        if (got > 0) {
            *out = yield(f, e);
            return 1;
        }
    }
}

static int filter_load(struct source *s, const struct entry **out, struct error *err)
{
    struct filter *f = filter_of(s);
    const struct entry *e = NULL;
    if (source_load(f->inner, &e, err) != 0)
        return -1;
    *out = yield(f, e);
    return 0;
}

static void filter_skip(struct source *s)
{
    source_skip(filter_of(s)->inner);
}

static int filter_find(struct source *s, struct bytes path, const struct entry **out,
                       struct error *err)
{
    struct filter *f = filter_of(s);
    int got = source_find(f->inner, path, out, err);
    if (got <= 0)
        return got;
    const struct entry *e = *out;
    if (choose(f, e) == CHOICE_NONE || rules_exclude(f, e->path, is_folder(e)))
        return 0;
    for (struct bytes at = path_parent(path); at.size > 0; at = path_parent(at)) {
        if (rules_exclude(f, at, true))
            return 0;
    }
    return 1;
}

static int filter_open_data(struct source *s, struct data **out, struct error *err)
{
    return source_open_data(filter_of(s)->inner, out, err);
}

static const struct source_facts *filter_facts(struct source *s)
{
    return source_facts(filter_of(s)->inner);
}

static void filter_close(struct source *s)
{
    struct filter *f = filter_of(s);
    source_close(f->inner);
    buffer_release(&f->last);
    free(f->matched);
    free(f);
}

static const struct source_ops filter_ops = {
    .next = filter_next,
    .load = filter_load,
    .skip = filter_skip,
    .find = filter_find,
    .open_data = filter_open_data,
    .facts = filter_facts,
    .close = filter_close,
};

int filter_new(struct source *inner, const struct filter_options *options, struct source **out,
               struct error *err)
{
    struct filter *f = calloc(1, sizeof *f);
    bool *matched = calloc(options->path_count + 1, sizeof *matched);
    if (f == NULL || matched == NULL) {
        free(f);
        free(matched);
        return error_memory(err);
    }
    *f = (struct filter){
        .base.ops = &filter_ops,
        .inner = inner,
        .rules = options->rules,
        .rule_count = options->rule_count,
        .probe = options->probe,
        .paths = options->paths,
        .path_count = options->path_count,
        .matched = matched,
        .seeks = options->path_count != 0 && source_can_seek(inner),
    };
    *out = &f->base;
    return 0;
}

size_t filter_unmatched(const struct source *s, size_t from)
{
    const struct filter *f = (const struct filter *)s;
    while (from < f->path_count && f->matched[from])
        from++;
    return from;
}
