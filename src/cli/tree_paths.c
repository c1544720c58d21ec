/*
 * tree_paths.c: what the commands that read one tree and nothing else say of it: a name that is not
 * there, chosen paths that matched nothing, what became of reparse points.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "archive/select.h"
#include "cli/tree.h"
#include "tree/reparse_choice.h"
#include "tree/samefile.h"

int tree_open_first(struct tree *t, const char *what, const struct tree_options *options,
                    struct error *err)
{
    *t = (struct tree){.spool = OS_NO_HANDLE};
    if (strcmp(what, "-") != 0 && tree_is_folder(what, err) < 0) {
        err->kind = ERROR_USAGE;
        return -1;
    }
    if (tree_open(t, what, options, err) != 0)
        return -1;
    if (t->is_archive && !t->is_indexed && samefile_new(t->source, &t->source, err) != 0) {
        tree_close(t);
        return -1;
    }
    return 0;
}

static size_t next_unmatched(const struct tree *t, size_t from)
{
    return t->is_archive && !t->is_indexed ? select_unmatched(t->chosen, from)
                                           : filter_unmatched(t->chosen, from);
}

static bool begins_with_root(const struct source_facts *facts, struct bytes path)
{
    for (size_t i = 0; i < facts->root_count; i++) {
        if (path_is_within(path, bytes_of(facts->roots[i].name)))
            return true;
    }
    return false;
}

int tree_no_such_entry(const struct source_facts *facts, const char *where, struct bytes path,
                       struct error *err)
{
    if (facts->root_count == 0 || begins_with_root(facts, path))
        return error_set(err, ERROR_USAGE, NULL, "no such entry in the %s", where);
    if (facts->root_count == 1)
        return error_set(err, ERROR_USAGE, NULL,
                         "no such entry in the %s; PATHs begin with a root: %s/%.*s?", where,
                         facts->roots[0].name, (int)path.size, (const char *)path.data);
    return error_set(
        err, ERROR_USAGE, NULL, "no such entry in the %s; PATHs begin with a root (%s, %s%s)",
        where, facts->roots[0].name, facts->roots[1].name, facts->root_count > 2 ? ", ..." : "");
}

void tree_tell_unmatched(const struct tree *t, const struct tree_options *options)
{
    if (options->path_count == 0)
        return;
    for (size_t i = next_unmatched(t, 0); i < options->path_count; i = next_unmatched(t, i + 1)) {
        struct error err = {0};

        (void)tree_no_such_entry(source_facts(t->source), t->is_archive ? "archive" : "folder",
                                 options->paths[i], &err);
        watcher_error(options->watcher, options->paths[i], &err);
        error_release(&err);
    }
}

int tree_check_dangling(const char *path, struct error *err)
{
    struct os_stat status;

    if (os_stat_path(path, true, &status, NULL) != 0 &&
        os_stat_path(path, false, &status, NULL) == 0)
        return error_set(err, ERROR_USAGE, NULL,
                         "the destination '%s' is a link that leads nowhere", path);
    return 0;
}

int tree_check_destination(const char *path, struct error *err)
{
    struct os_stat status;

    if (os_stat_path(path, true, &status, err) == 0) {
        if (status.kind == OS_DIRECTORY)
            return 0;
        return error_set(err, ERROR_USAGE, NULL, "the destination '%s' is no folder", path);
    }
    if (!os_error_is_missing(err)) {
        err->kind = ERROR_USAGE; /* nothing was changed yet */
        return error_at(err, path, strlen(path));
    }
    error_release(err);
    return tree_check_dangling(path, err);
}

void tree_tell_reparse(const struct tree *t, enum tree_tags which, struct watcher *watcher)
{
    size_t count = 0;
    const struct reparse_count *counts =
        t->reparse_choice != NULL ? reparse_choice_counts(t->reparse_choice, &count) : NULL;

    for (size_t i = 0; i < count; i++) {
        const struct reparse_count *c = &counts[i];
        const char *name = reparse_tag_name(c->tag);
        bool is_told = which == TREE_TAGS_NO_LINKS && c->policy == REPARSE_RAW &&
                       reparse_tag_class(c->tag) != REPARSE_CLASS_LINK;
        char text[160];

        if (!is_told && c->policy != REPARSE_SKIP)
            continue;
        (void)snprintf(text, sizeof text,
                       "reparse points of the tag %s (0x%08" PRIX32 "): %" PRIu64 "%s",
                       name != NULL ? name : "that is not known", c->tag, c->entries,
                       is_told ? "" : ", left out as asked for");
        watcher_remark(watcher, bytes_make(NULL, 0), text);
    }
}
