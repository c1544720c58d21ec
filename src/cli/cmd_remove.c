/*
 * cmd_remove.c: `holdfast remove`: trees taken away, links as links.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/print.h"
#include "disk/remove.h"

struct remove_settings {
    struct common_settings common;
    bool dry_run, clear_flags;
};

/* One run on its way. */
struct removing {
    const struct remove_settings *settings;
    struct report report;
    struct buffer path; /* of what is told */
    size_t parent_bytes;
    uint64_t removed;
};

/* The path of a name as the user would write it. */
static struct bytes told_path(struct removing *m, struct bytes below)
{
    struct error ignored = {0};

    m->path.size = m->parent_bytes;
    if (buffer_append(&m->path, below.data, below.size, &ignored) != 0)
        error_release(&ignored);
    return buffer_bytes(&m->path);
}

static void on_gone(void *context, struct bytes below, enum os_kind kind)
{
    struct removing *m = context;
    struct notice n = {.kind = NOTICE_CHANGE, .reason = "delete"};

    (void)kind;
    n.path = told_path(m, below);
    m->report.watcher.notice(&m->report.watcher, &n);
    m->report.watcher.progress(&m->report.watcher, 1, 0, n.path);
}

static void on_failed(void *context, struct bytes below, struct error *problem)
{
    struct removing *m = context;

    if (problem->kind != ERROR_INTERRUPTED)
        watcher_error(&m->report.watcher, told_path(m, below), problem);
    error_release(problem);
}

static bool on_stopped(void *context)
{
    struct removing *m = context;

    return m->report.watcher.stopped(&m->report.watcher);
}

/* One path that is there. -1: the run cannot go on. */
static int remove_one(struct removing *m, const char *path, const struct remove_place *place,
                      struct error *err)
{
    struct removal task = {.mode = m->settings->dry_run ? REMOVAL_LOOK : REMOVAL_DO,
                           .clear_flags = m->settings->clear_flags,
                           .told = on_gone,
                           .failed = on_failed,
                           .stopped = on_stopped,
                           .context = m};
    struct bytes parent = buffer_bytes(&place->parent);

    buffer_clear(&m->path);
    if (strcmp((const char *)place->parent.data, ".") != 0 &&
        buffer_append(&m->path, parent.data, parent.size, err) != 0)
        return -1;
    m->parent_bytes = m->path.size;
    int result = remove_run(place, &task, err);

    m->removed += task.removed;
    if (on_stopped(m))
        return error_set(err, ERROR_INTERRUPTED, "remove", "stopped");
    if (result != 0 && err->kind != ERROR_NONE) {
        watcher_error(&m->report.watcher, bytes_of(path), err);
        error_release(err);
    }
    return 0;
}

/* All paths are looked at before the first is touched: one that cannot be meant, or the only one if
 * it is not there, stops all. */
static int check_all(const struct text_list *paths, struct error *err)
{
    for (size_t i = 0; i < paths->count; i++) {
        struct remove_place place;
        int found = remove_find(&place, paths->items[i], err);

        remove_release(&place);
        if (found != 0 && (err->kind == ERROR_USAGE || paths->count == 1)) {
            err->kind = ERROR_USAGE;
            return -1;
        }
        error_release(err);
    }
    return 0;
}

static int remove_all(struct removing *m, const struct text_list *paths, struct error *err)
{
    int result = check_all(paths, err);

    for (size_t i = 0; result == 0 && i < paths->count; i++) {
        struct remove_place place;

        if (remove_find(&place, paths->items[i], err) == 0) {
            result = remove_one(m, paths->items[i], &place, err);
        } else {
            watcher_error(&m->report.watcher, bytes_of(paths->items[i]), err);
            error_release(err);
        }
        remove_release(&place);
    }
    return result;
}

static void print_summary(const struct removing *m)
{
    fputs(m->settings->dry_run ? "would remove " : "removed ", stderr);
    print_count(stderr, m->removed, "name", "names");
    report_print_troubles(&m->report);
    fputc('\n', stderr);
}

static int run_remove(void *settings, const struct text_list *operands)
{
    struct removing m = {.settings = settings};
    struct error err = {0};
    int result, status;

    report_init(&m.report, "remove",
                (struct report_settings){.json = m.settings->common.json,
                                         .verbose = m.settings->common.verbose,
                                         .show_changes = m.settings->dry_run});
    result = remove_all(&m, operands, &err);
    status = report_end(&m.report, result == 0 ? NULL : &err,
                        m.removed != 0 && !m.settings->dry_run
                            ? "What was removed until then is gone; the rest stands."
                            : NULL);
    if (m.settings->common.json) {
        report_json_summary(&m.report, status);
        json_number(&m.report.json, "removed", m.removed);
        json_end(&m.report.json);
    } else if (result == 0) {
        print_summary(&m);
    }
    buffer_release(&m.path);
    report_release(&m.report);
    error_release(&err);
    return status;
}

static const struct option_spec remove_specs[] = {
    {"dry-run", 'n', OPTION_FLAG, offsetof(struct remove_settings, dry_run), NULL,
     "print what would be removed, change nothing"},
    {"clear-flags", 0, OPTION_FLAG, offsetof(struct remove_settings, clear_flags), NULL,
     "take immutable and append-only flags off what stands in the way"},
};

static const struct option_group remove_groups[] = {
    {.title = "Options",
     .specs = remove_specs,
     .count = sizeof remove_specs / sizeof remove_specs[0]},
    COMMON_OPTION_GROUP,
};

const struct command command_remove = {
    .name = "remove",
    .synopsis = "[OPTION]... PATH...",
    .summary = "remove trees, links as links: nothing is ever deleted through one",
    .text =
        "Removes each PATH with all that lies below it. Symbolic links, junctions and mount points "
        "of NTFS are removed themselves, whatever they lead to; so is a PATH that is a link, with "
        "a slash behind it or without. Folders that something is mounted on stay, with what is "
        "mounted there. Other names of a file stay as they are.",
    .examples = "holdfast remove --dry-run /mnt/win/Users/ana/AppData/Local/Temp\n"
                "holdfast remove old-project node_modules",
    .options = {remove_groups, sizeof remove_groups / sizeof remove_groups[0]},
    .settings_bytes = sizeof(struct remove_settings),
    .minimum = 1,
    .maximum = SIZE_MAX,
    .operand_help = "needs a PATH to remove",
    .run = run_remove,
};
