/*
 * marks.c: folders that carry a mark to be left out of backups.
 */
#include <string.h>

#include "disk/walk_state.h"

/* <https://bford.info/cachedir/>: the first bytes of CACHEDIR.TAG, a regular file. */
static const char cache_signature[] = "Signature: 8a477f597d28d172789f06886806bc55";

enum { SIGNATURE_BYTES = sizeof cache_signature - 1 };

static bool has_cache_tag(os_handle folder)
{
    struct error ignored = {0};
    char head[SIGNATURE_BYTES];
    size_t got = 0;
    os_handle file;
    bool found = false;

    if (!os_open_file(folder, "CACHEDIR.TAG", &file, &ignored)) {
        found = !os_read_at(file, (struct os_range){0, sizeof head}, head, &got, &ignored) &&
                got == sizeof head && !memcmp(head, cache_signature, sizeof head);
        os_close(file);
    }
    error_release(&ignored);
    return found;
}

static bool has_name(os_handle folder, const char *name)
{
    struct error ignored = {0};
    struct os_stat status;
    bool found = !os_stat_at(folder, name, &status, &ignored);

    error_release(&ignored);
    return found;
}

/* A mark that cannot be looked for is none: the folder is kept, and the walk tells what is wrong
 * with it. */
static int probe(struct filter_probe *p, struct source *inner, const struct entry *e,
                 struct error *err)
{
    const struct folder_marks *m = (const struct folder_marks *)p;
    struct walk *w = walk_of(inner);
    struct error problem = {0};

    if (!w)
        return error_set(err, ERROR_USAGE, "look for marks", "the filter does not stand on a walk");
    if (e->kind != ENTRY_DIRECTORY || w->last->status.kind != OS_DIRECTORY)
        return 0;
    if (walk_subject_open(w->last, OS_DIRECTORY, &problem)) {
        error_release(&problem);
        return 0;
    }
    if (m->caches && has_cache_tag(w->last->open))
        return 1;
    for (size_t i = 0; i < m->name_count; i++) {
        if (has_name(w->last->open, m->names[i]))
            return 1;
    }
    return 0;
}

void folder_marks_init(struct folder_marks *m)
{
    *m = (struct folder_marks){.probe = {.probe = probe}};
}
