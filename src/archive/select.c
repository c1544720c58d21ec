/*
 * select.c: a tap stands between the archive and the filter. When the filter asks it for the next
 * entry without having let the last one pass, that one was left out; if it is the first name of
 * several, the tap keeps it aside before it goes on.
 */
#include "archive/select.h"

#include <stdlib.h>
#include <string.h>

#include "archive/aside.h"
#include "base/table.h"

/* A first name that was left out, with all that its further names may need. */
struct kept {
    struct entry entry; /* its pointers are of no use, but for those to what is owned here */
    struct buffer target, reparse, owner_name, group_name;
    struct pairs xattrs;
    struct error problem;
    struct aside_content content;
    struct buffer new_first; /* path of the name that took its place; empty until one did */
};

/* Which first names will be needed: found by reading the headers of an archive that can be sought
 * once more, as late as possible and often never. */
struct survey {
    bool done;
    bool known;          /* `needed` holds; else all may be */
    struct table needed; /* hashes of paths */
    struct table links;  /* of an archive that is being surveyed: hashes of the paths of links */
    bool chained;        /* links to links: only the main pass knows what they come to */
};

struct kept_record {
    struct hash128 path;
    uint64_t index; /* of `kept` */
};

struct select {
    struct source source;
    struct source tap;        /* what the filter reads */
    struct source *inner;     /* the archive, owned by the tap's side */
    struct source *filter;    /* owns nothing but itself: closing it closes the tap */
    const struct entry *last; /* what the tap gave last; NULL if it passed or was kept */
    struct table index;
    struct kept **kept;
    size_t kept_count, kept_capacity;
    struct select_options options;
    struct aside aside;
    struct survey survey;
    bool is_survey; /* looks for what is needed, keeps nothing */
    struct source_facts tap_facts;
    struct bytes here;          /* the path that was given last */
    struct buffer skipped;      /* the folder whose content is not wanted, or empty */
    struct entry entry;         /* a further name that became another's, or a first one */
    bool is_own;                /* `entry` is what was given last */
    const struct kept *current; /* what `entry` stands for as a first name, or NULL */
};

static struct select *select_of(struct source *s)
{
    return (struct select *)s;
}

static struct select *select_of_tap(struct source *s)
{
    return (struct select *)((char *)s - offsetof(struct select, tap));
}

static bool is_in(const struct table *set, struct bytes path)
{
    struct hash128 key = hash_bytes(path);

    return table_find(set, &key) != NULL;
}

static int put_in(struct table *set, struct bytes path, struct error *err)
{
    struct hash128 key = hash_bytes(path);

    return table_add(set, &key, err) != NULL ? 0 : -1;
}

/* ---- Keeping ---- */

static void survey_run(struct survey *survey, const struct select_options *options);

static void kept_free(struct kept *k)
{
    aside_content_release(&k->content);
    buffer_release(&k->target);
    buffer_release(&k->reparse);
    buffer_release(&k->owner_name);
    buffer_release(&k->group_name);
    buffer_release(&k->new_first);
    pairs_release(&k->xattrs);
    error_release(&k->problem);
    free(k);
}

/* A new one, which stands for that path from now on. */
static struct kept *kept_add(struct select *s, struct bytes path, struct error *err)
{
    struct hash128 key = hash_bytes(path);
    struct kept *k = calloc(1, sizeof *k);
    struct kept_record *record;

    if (s->kept_count == s->kept_capacity) {
        size_t capacity = s->kept_capacity != 0 ? s->kept_capacity * 2 : 16;
        struct kept **grown = realloc(s->kept, capacity * sizeof *grown);

        if (grown == NULL)
            goto fail;
        s->kept = grown;
        s->kept_capacity = capacity;
    }
    record = k != NULL ? table_add(&s->index, &key, err) : NULL;
    if (record == NULL)
        goto fail;
    record->index = s->kept_count;
    s->kept[s->kept_count++] = k;
    return k;
fail:
    free(k);
    (void)error_memory(err);
    return NULL;
}

static struct kept *kept_find(const struct select *s, struct bytes path)
{
    struct hash128 key = hash_bytes(path);
    const struct kept_record *record = table_find(&s->index, &key);

    return record != NULL ? s->kept[record->index] : NULL;
}

static int keep_text(struct buffer *to, const char *text, const char **out, struct error *err)
{
    if (text == NULL)
        return 0;
    if (buffer_append(to, text, strlen(text) + 1, err) != 0)
        return -1;
    *out = (const char *)to->data;
    return 0;
}

/* Copies all of an entry that another name of the file can have. */
static int keep_entry(struct kept *k, const struct entry *e, struct error *err)
{
    struct metadata *meta = &k->entry.meta;

    k->entry = *e;
    k->entry.first_name = (struct bytes){NULL, 0};
    k->entry.shared = true;
    memset(&meta->xattrs, 0, sizeof meta->xattrs);
    meta->owner_name = meta->group_name = NULL;
    if (e->problem_scope != PROBLEM_NONE) { /* its reason, not its path */
        k->problem = *e->problem;
        k->problem.path = NULL;
        k->problem.path_bytes = 0;
        k->entry.problem = &k->problem;
    }
    if (pairs_copy(&k->xattrs, &e->meta.xattrs, err) != 0 ||
        buffer_append(&k->target, e->target.data, e->target.size, err) != 0 ||
        buffer_append(&k->reparse, e->reparse.data, e->reparse.size, err) != 0 ||
        keep_text(&k->owner_name, e->meta.owner_name, &meta->owner_name, err) != 0 ||
        keep_text(&k->group_name, e->meta.group_name, &meta->group_name, err) != 0)
        return -1;
    k->entry.target = buffer_bytes(&k->target);
    k->entry.reparse = buffer_bytes(&k->reparse);
    meta->xattrs = k->xattrs; /* borrowed */
    return 0;
}

static bool has_content(const struct select *s, const struct entry *e)
{
    return e->kind == ENTRY_FILE && e->size != 0 && !e->has_data_hash && s->options.contents;
}

static int keep(struct select *s, const struct entry *e, struct error *err)
{
    struct kept *k;
    struct data *data = NULL;
    int result;

    if (has_content(s, e) && !s->survey.done)
        survey_run(&s->survey, &s->options);
    if (s->survey.known && !is_in(&s->survey.needed, e->path))
        return 0;
    k = kept_add(s, e->path, err);
    if (k == NULL || keep_entry(k, e, err) != 0)
        return -1;
    if (!has_content(s, e))
        return 0;
    if (source_open_data(s->inner, &data, err) != 0)
        return -1;
    result = aside_keep(&s->aside, data, &k->content, err);
    data_close(data);
    return result;
}

/* A further name that was left out: links to it are links to its first name. Only other tools'
 * archives have such. */
static int keep_alias(struct select *s, const struct entry *e, struct error *err)
{
    struct hash128 key = hash_bytes(e->path);
    const struct kept *first = kept_find(s, e->first_name);
    struct kept_record *record;
    struct kept *k;

    if (source_facts(s->inner)->ordered)
        return 0;
    if (first == NULL) { /* it passed, or is another such */
        k = kept_add(s, e->path, err);
        return k != NULL ? buffer_append(&k->new_first, e->first_name.data, e->first_name.size, err)
                         : -1;
    }
    struct hash128 first_key = hash_bytes(e->first_name);
    uint64_t index = ((const struct kept_record *)table_find(&s->index, &first_key))->index;

    record = table_add(&s->index, &key, err);
    if (record == NULL)
        return -1;
    record->index = index;
    return 0;
}

/* The entry that came last did not pass. */
static int left_out(struct select *s, const struct entry *e, struct error *err)
{
    struct hash128 key = hash_bytes(e->path);

    if (e->problem_scope == PROBLEM_ENTRY || s->is_survey)
        return 0;
    if (entry_is_further_name(e))
        return keep_alias(s, e, err);
    table_remove(&s->index, &key); /* of an earlier member of that name */
    return e->kind != ENTRY_DIRECTORY && e->link_count != 1 ? keep(s, e, err) : 0;
}

/* ---- The tap ---- */

/* A member of an archive that is being surveyed. */
static int survey_see(struct select *s, const struct entry *e, struct error *err)
{
    struct survey *survey = &s->survey;

    if (!entry_is_further_name(e) || source_facts(s->inner)->ordered)
        return 0;
    survey->chained = survey->chained || is_in(&survey->links, e->first_name);
    return put_in(&survey->links, e->path, err);
}

static int tap_next(struct source *tap, const struct entry **out, struct error *err)
{
    struct select *s = select_of_tap(tap);
    int more;

    if (s->last != NULL && left_out(s, s->last, err) != 0)
        return -1;
    s->last = NULL;
    more = source_next(s->inner, out, err);
    if (more == 1)
        s->last = *out;
    if (more == 1 && s->is_survey && survey_see(s, *out, err) != 0)
        return -1;
    return more;
}

/* Folders that are left out are read all the same: first names may stand below them. The filter
 * leaves their content out by its parents, since it is told that the order cannot be relied on. */
static void tap_skip(struct source *tap)
{
    (void)tap;
}

static int tap_load(struct source *tap, const struct entry **out, struct error *err)
{
    return source_load(select_of_tap(tap)->inner, out, err);
}

static int tap_open_data(struct source *tap, struct data **out, struct error *err)
{
    return source_open_data(select_of_tap(tap)->inner, out, err);
}

static const struct source_facts *tap_facts(struct source *tap)
{
    struct select *s = select_of_tap(tap);

    s->tap_facts = *source_facts(s->inner);
    s->tap_facts.ordered = false;
    return &s->tap_facts;
}

static void tap_close(struct source *tap)
{
    source_close(select_of_tap(tap)->inner);
}

static const struct source_ops tap_ops = {
    .next = tap_next,
    .load = tap_load,
    .skip = tap_skip,
    .open_data = tap_open_data,
    .facts = tap_facts,
    .close = tap_close,
};

/* ---- The wrapper ---- */

/* A further name whose first name was left out: the first such one takes its place, the others
 * become its further names. */
static int stand_in(struct select *s, const struct entry *e, struct kept *k, struct error *err)
{
    if (k->new_first.size != 0) {
        s->entry = *e;
        s->entry.first_name = buffer_bytes(&k->new_first);
        return 0;
    }
    if (buffer_append(&k->new_first, e->path.data, e->path.size, err) != 0)
        return -1;
    s->entry = k->entry;
    s->entry.path = e->path;
    s->entry.name_offset = e->name_offset;
    s->entry.depth = e->depth;
    s->current = k;
    return 0;
}

static int select_next(struct source *source, const struct entry **out, struct error *err)
{
    struct select *s = select_of(source);
    int more;

    s->current = NULL;
    s->is_own = false;
    do {
        more = source_next(s->filter, out, err);
    } while (more == 1 && s->skipped.size != 0 &&
             path_is_within((*out)->path, buffer_bytes(&s->skipped)));
    if (more != 1)
        return more;
    s->last = NULL;
    s->here = (*out)->path;
    buffer_clear(&s->skipped);
    if (!entry_is_further_name(*out))
        return 1;
    struct kept *k = kept_find(s, (*out)->first_name);

    if (k == NULL)
        return 1;
    if (stand_in(s, *out, k, err) != 0)
        return -1;
    s->is_own = true;
    *out = &s->entry;
    return 1;
}

static int select_load(struct source *source, const struct entry **out, struct error *err)
{
    struct select *s = select_of(source);

    if (!s->is_own)
        return source_load(s->filter, out, err);
    *out = &s->entry;
    return 0;
}

static int select_open_data(struct source *source, struct data **out, struct error *err)
{
    struct select *s = select_of(source);

    if (s->current == NULL)
        return source_open_data(s->filter, out, err);
    if (s->current->content.size != s->current->entry.size)
        return error_set(err, ERROR_UNSUPPORTED, "open", "its content was not kept");
    return aside_open(&s->aside, &s->current->content, out, err);
}

static void select_skip(struct source *source)
{
    struct select *s = select_of(source);
    struct error err = {0};

    buffer_clear(&s->skipped);
    if (buffer_append(&s->skipped, s->here.data, s->here.size, &err) != 0)
        buffer_clear(&s->skipped); /* out of memory: the content comes, and is refused one by one */
    error_release(&err);
}

static const struct source_facts *select_facts(struct source *source)
{
    return source_facts(select_of(source)->inner);
}

static void select_free(struct select *s)
{
    for (size_t i = 0; i < s->kept_count; i++)
        kept_free(s->kept[i]);
    free(s->kept);
    table_release(&s->index);
    aside_release(&s->aside);
    table_release(&s->survey.needed);
    table_release(&s->survey.links);
    buffer_release(&s->skipped);
    free(s);
}

static void select_close(struct source *source)
{
    struct select *s = select_of(source);

    source_close(s->filter); /* closes the tap, and that the archive */
    select_free(s);
}

static const struct source_ops select_ops = {
    .next = select_next,
    .load = select_load,
    .skip = select_skip,
    .open_data = select_open_data,
    .facts = select_facts,
    .close = select_close,
};

int select_new(struct source *inner, const struct select_options *options, struct source **out,
               struct error *err)
{
    struct select *s = calloc(1, sizeof *s);

    if (s == NULL)
        return error_memory(err);
    s->source.ops = &select_ops;
    s->tap.ops = &tap_ops;
    s->inner = inner;
    s->options = *options;
    aside_init(&s->aside, options->spool);
    table_init(&s->survey.needed, sizeof(struct hash128), sizeof(struct hash128));
    table_init(&s->survey.links, sizeof(struct hash128), sizeof(struct hash128));
    table_init(&s->index, sizeof(struct kept_record), sizeof(struct hash128));
    if (filter_new(&s->tap, &options->filter, &s->filter, err) != 0) {
        select_free(s);
        return -1;
    }
    *out = &s->source;
    return 0;
}

/* ---- The survey ---- */

/* What the main pass tells is not told twice. */
struct quiet {
    struct watcher watcher;
    struct watcher *user;
};

static void quiet_notice(struct watcher *w, const struct notice *n)
{
    (void)w;
    (void)n;
}

static void quiet_progress(struct watcher *w, uint64_t entries, uint64_t bytes, struct bytes path)
{
    (void)w;
    (void)entries;
    (void)bytes;
    (void)path;
}

static bool quiet_stopped(struct watcher *w)
{
    struct watcher *user = ((struct quiet *)w)->user;

    return user->stopped(user);
}

/* Collects the first names of all links that pass. */
static int survey_links(struct select *s, struct watcher *watcher, struct error *err)
{
    const struct entry *e;
    int more;

    while ((more = source_next(&s->source, &e, err)) == 1) {
        if (watcher->stopped(watcher))
            return error_set(err, ERROR_INTERRUPTED, "read archive", "stopped");
        if (entry_is_further_name(e) && put_in(&s->survey.needed, e->first_name, err) != 0)
            return -1;
    }
    return more;
}

/* Trouble leaves the survey unknown: the main pass meets it again and tells it. */
static void survey_run(struct survey *survey, const struct select_options *options)
{
    struct quiet quiet = {{quiet_notice, quiet_progress, quiet_stopped}, options->reader.watcher};
    struct select_options again = *options;
    struct opened_archive archive;
    struct source *source = NULL;
    struct error ignored = {0};
    os_handle handle;

    survey->done = true;
    again.reader.watcher = &quiet.watcher;
    if (options->archive == NULL || os_open_path(options->archive, &handle, &ignored) != 0 ||
        open_any_archive(handle, &again.reader, &archive, &ignored) != 0)
        goto done;
    if (select_new(archive.source, &again, &source, &ignored) != 0) {
        source_close(archive.source);
        goto done;
    }
    struct select *s = select_of(source);

    s->is_survey = true;
    if (survey_links(s, &quiet.watcher, &ignored) == 0 && !s->survey.chained) {
        struct table needed = survey->needed;

        survey->needed = s->survey.needed;
        s->survey.needed = needed;
        survey->known = true;
    }
    source_close(source);
done:
    error_release(&ignored);
}

/* ---- Paths ---- */

size_t select_unmatched(const struct source *s, size_t from)
{
    return filter_unmatched(((const struct select *)s)->filter, from);
}
