/*
 * restore_places.c: where a restore puts the roots, and where its links lead, of restore.h.
 */
#include "cli/restore.h"

#include <stdlib.h>
#include <string.h>

#include "cli/tree.h"

/* ---- Where to ---- */

/* The place that --root gives a root, or NULL. */
static const char *place_of(const struct restore_job *job, const char *name)
{
    size_t name_bytes = strlen(name);

    for (size_t i = 0; i < job->settings->roots.count; i++) {
        const char *rule = job->settings->roots.items[i];

        if (strncmp(rule, name, name_bytes) == 0 && rule[name_bytes] == '=')
            return rule + name_bytes + 1;
    }
    return NULL;
}

static int check_root_rule(const struct restore_job *job, const struct source_facts *facts,
                           const char *rule, struct error *err)
{
    const char *equals = strchr(rule, '=');

    if (equals == NULL || equals == rule || equals[1] == '\0')
        return error_set(err, ERROR_USAGE, NULL, "--root takes NAME=PLACE, not '%s'", rule);
    if (tree_check_dangling(equals + 1, err) != 0)
        return -1;
    if (!job->opened.is_ours)
        return 0; /* another tool's archive tells its names only as they come */
    for (size_t i = 0; i < facts->root_count; i++) {
        if (strlen(facts->roots[i].name) == (size_t)(equals - rule) &&
            strncmp(rule, facts->roots[i].name, (size_t)(equals - rule)) == 0)
            return 0;
    }
    return error_set(err, ERROR_USAGE, NULL,
                     "the archive has no root '%.*s'; `holdfast list` shows its roots",
                     (int)(equals - rule), rule);
}

static int compare_roots(const void *a, const void *b)
{
    return strcmp(((const struct disk_root *)a)->name, ((const struct disk_root *)b)->name);
}

/* Roots of another tool's archive: those that --root names. */
static int add_named_roots(struct restore_job *job, struct error *err)
{
    struct buffer *names = &job->places;
    size_t count = job->settings->roots.count;

    for (size_t i = 0; i < count; i++) {
        const char *rule = job->settings->roots.items[i];

        if (buffer_append(names, rule, (size_t)(strchr(rule, '=') - rule), err) != 0 ||
            buffer_append_byte(names, 0, err) != 0)
            return -1;
    }
    const char *name = (const char *)names->data;

    for (size_t i = 0; i < count; i++) {
        job->roots[i] = (struct disk_root){.name = name,
                                           .place = strchr(job->settings->roots.items[i], '=') + 1};
        name += strlen(name) + 1;
    }
    qsort(job->roots, count, sizeof *job->roots, compare_roots);
    job->transfer.layout.root_count = count;
    return 0;
}

int restore_make_layout(struct restore_job *job, struct error *err)
{
    const struct source_facts *facts = source_facts(job->source);
    struct disk_layout *layout = &job->transfer.layout;

    for (size_t i = 0; i < job->settings->roots.count; i++) {
        if (check_root_rule(job, facts, job->settings->roots.items[i], err) != 0)
            return -1;
    }
    job->roots = calloc(facts->root_count + job->settings->roots.count + 1, sizeof *job->roots);
    if (job->roots == NULL)
        return error_memory(err);
    layout->base = job->destination;
    layout->roots = job->roots;
    if (!job->opened.is_ours)
        return add_named_roots(job, err);
    layout->root_count = facts->root_count;
    for (size_t i = 0; i < facts->root_count; i++) {
        job->roots[i] = (struct disk_root){.name = facts->roots[i].name,
                                           .place = place_of(job, facts->roots[i].name)};
        if (job->destination == NULL && job->roots[i].place == NULL)
            return error_set(
                err, ERROR_USAGE, NULL,
                "the root '%s' has no place: give it --root %s=PLACE, or a destination folder",
                facts->roots[i].name, facts->roots[i].name);
    }
    return 0;
}

/* ---- Where links lead ---- */

/* Tells the mapping where a root stood and where it goes. */
static int add_root(struct restore_job *job, const char *name, const char *old, const char *place,
                    struct error *err)
{
    struct mapping *m = &job->mapping;
    struct buffer path = {0};
    int result;

    if (place != NULL)
        result = mapping_real_path(place, &path, err);
    else if (buffer_append(&path, m->base.data, m->base.size, err) != 0 ||
             (m->base.size > 1 && buffer_append_byte(&path, '/', err) != 0) ||
             buffer_append(&path, name, strlen(name), err) != 0)
        result = -1;
    else
        result = buffer_terminate(&path, err);
    if (result == 0)
        result = mapping_add_root(m, name, old, (const char *)path.data, err);
    buffer_release(&path);
    return result;
}

/* Where a root stood, by the archive; NULL if it does not say so. */
static const char *old_place(const struct restore_job *job, const char *name)
{
    const struct source_facts *facts = source_facts(job->source);

    for (size_t i = 0; i < facts->root_count; i++) {
        if (strcmp(facts->roots[i].name, name) == 0)
            return facts->roots[i].absolute_path;
    }
    return NULL;
}

int restore_map_links(struct restore_job *job, struct error *err)
{
    const struct disk_layout *layout = &job->transfer.layout;
    struct map_settings *s = &job->settings->map;
    bool table = mapping_is_asked(s) && job->settings->changing.dry_run;
    struct mapping *m = &job->mapping;

    if (s->rebase && !job->opened.is_ours)
        return error_set(err, ERROR_USAGE, NULL,
                         "--rebase: another tool's archive does not say where it stood; say it "
                         "with --map OLD=NEW");
    if (mapping_begin(m, s, &job->report, table ? MAPPING_TABLE : MAPPING_COUNTS, err) != 0)
        return -1;
    if (job->destination != NULL && mapping_real_path(job->destination, &m->base, err) != 0)
        return -1;
    for (size_t i = 0; i < layout->root_count; i++) {
        const struct disk_root *root = &layout->roots[i];

        if (add_root(job, root->name, old_place(job, root->name), root->place, err) != 0)
            return -1;
    }
    return mapping_wrap(m, REMAP_ACROSS, &job->source, err);
}

int restore_tell_links(struct restore_job *job, struct error *err)
{
    struct mapping *m = &job->mapping;

    if (m->use == MAPPING_TABLE)
        return mapping_tell(m, job->source, MAPPING_SHOW, err);
    if (!job->settings->changing.dry_run)
        mapping_hint(m);
    return 0;
}
