/*
 * cmd_snapshot.c: `holdfast snapshot`: a dated copy of a folder that shares what is unchanged with
 * the one before it; and the old ones that go.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/changes.h"
#include "cli/command.h"
#include "cli/mirroring.h"
#include "cli/print.h"
#include "disk/store.h"

struct snapshot_settings {
    struct common_settings common;
    struct mirroring_settings mirroring;
    const char *keep;
    bool allow_empty;
};

/* One snapshot on its way. */
struct snapshotting {
    const struct snapshot_settings *settings;
    const char *store_path;
    bool dry_run;
    struct report report;
    struct store store;
    struct snapshot_rules rules;
    struct mirroring run;
    struct os_stat source;   /* as it was at the beginning */
    bool source_empty;       /* the same */
    struct store_item item;  /* the new snapshot: its time, and its state so far */
    bool resumes;            /* it goes on where a run was cut off */
    bool is_whole;           /* made, or in a dry run nothing speaks against it */
    struct buffer work_path; /* the folder that it grows in */
    struct buffer older_path;
    uint64_t pruned;       /* snapshots that went, or would go */
    uint64_t pruned_names; /* the names in them */
};

/* ---- What may not be ---- */

static int look_at_source(struct snapshotting *m, struct os_stat *status, bool *empty,
                          struct error *err)
{
    const char *path = m->run.source;
    int result;

    if (os_stat_path(path, true, status, err) != 0)
        return error_at(err, path, strlen(path));
    result = mirroring_is_empty(path, err);
    *empty = result == 1;
    return result < 0 ? -1 : 0;
}

/* A source that lost its content, or a disk that is not mounted, makes no snapshot (SAFETY R10). */
static int check_emptied(struct snapshotting *m, const struct store_item *newest, struct error *err)
{
    int empty;

    if (!m->source_empty || m->settings->allow_empty || newest == NULL)
        return 0;
    empty = mirroring_is_empty((const char *)m->older_path.data, err);
    if (empty != 0)
        return empty < 0 ? -1 : 0;
    return error_set(err, ERROR_USAGE, NULL,
                     "'%s' is empty, and the newest snapshot is not: is its disk mounted? "
                     "--allow-empty makes an empty one",
                     m->run.source);
}

/* Names tell when snapshots were begun, and two never have the same; so the clock has to go on. A
 * moment is waited for. */
static int choose_time(struct snapshotting *m, const struct store_item *newest, struct error *err)
{
    char name[SNAPSHOT_NAME_BYTES];

    m->item.seconds = os_now().seconds;
    if (newest == NULL || m->item.seconds > newest->seconds)
        return 0;
    while (newest->seconds - os_now().seconds <= 1 && os_now().seconds <= newest->seconds) {
        if (m->report.watcher.stopped(&m->report.watcher))
            return error_set(err, ERROR_INTERRUPTED, "wait", "stopped");
        os_pause();
    }
    m->item.seconds = os_now().seconds;
    if (m->item.seconds > newest->seconds)
        return 0;
    snapshot_name(name, newest->seconds, newest->state);
    return error_set(err, ERROR_USAGE, NULL,
                     "the newest snapshot is '%s', which the clock has not reached yet: set the "
                     "clock, or give that snapshot another name",
                     name);
}

/* ---- Where it grows ---- */

/* The newest snapshot, to share what is unchanged with. What the source changed from its beginning
 * on it may lack (by its name, which may be a second early). */
static int add_older(struct snapshotting *m, const struct store_item *newest, struct error *err)
{
    struct transfer_older older = {.has_taken = true};

    if (newest == NULL)
        return 0;
    older.place = (const char *)m->older_path.data;
    older.taken.seconds = newest->seconds - 1;
    return mirroring_add_older(&m->run, &older, err);
}

/* A run that was cut off left its folder: this one goes on in it, under the name of its own time.
 */
static int resume(struct snapshotting *m, const struct store_item *left, struct error *err)
{
    char name[SNAPSHOT_NAME_BYTES];

    snapshot_name(name, left->seconds, left->state);
    watcher_remark(&m->report.watcher, bytes_of(name),
                   "a run was cut off here: this one goes on with it");
    m->resumes = true;
    /* Without a marker nothing tells from when on its files are to be distrusted. */
    if (!store_has_marker(&m->store, left))
        m->run.transfer.options.checksum = true;
    if (m->dry_run)
        return store_append_path(&m->store, left, &m->work_path, err);
    if (store_rename(&m->store, left, &m->item, err) != 0)
        return -1;
    return store_append_path(&m->store, &m->item, &m->work_path, err);
}

static int choose_place(struct snapshotting *m, struct error *err)
{
    const struct store_item *left = store_newest(&m->store, SNAPSHOT_UNFINISHED);

    m->item.state = SNAPSHOT_UNFINISHED;
    if (left != NULL)
        return resume(m, left, err);
    if (!m->dry_run)
        store_add(&m->store, &m->item);
    return store_append_path(&m->store, &m->item, &m->work_path, err);
}

static int open_store(struct snapshotting *m, struct error *err)
{
    const char *path = m->store_path;

    if (store_open(&m->store, path, m->dry_run ? STORE_LOOK : STORE_WRITE, err) == 0)
        return 0;
    if (err->kind == ERROR_REFUSED)
        err->kind = ERROR_USAGE;
    return error_at(err, path, strlen(path));
}

/* All that can be known before the first change. */
static int prepare(struct snapshotting *m, struct error *err)
{
    const struct store_item *newest;

    m->dry_run = m->settings->mirroring.changing.dry_run;
    if (mirroring_choose(&m->run, err) != 0 ||
        (m->settings->keep != NULL &&
         snapshot_rules_parse(m->settings->keep, &m->rules, err) != 0) ||
        tree_check_destination(m->store_path, err) != 0)
        return -1;
    /* What goes must not be the last that is surely on the disk. */
    if (m->settings->keep != NULL)
        m->run.transfer.options.no_sync = false;
    m->run.destination = m->store_path;
    if (mirroring_check_places(&m->run, err) != 0)
        return -1;
    if (look_at_source(m, &m->source, &m->source_empty, err) != 0) {
        err->kind = ERROR_USAGE;
        return -1;
    }
    if (open_store(m, err) != 0)
        return -1;
    newest = store_newest(&m->store, SNAPSHOT_WHOLE);
    if ((newest != NULL && store_append_path(&m->store, newest, &m->older_path, err) != 0) ||
        check_emptied(m, newest, err) != 0 || choose_time(m, newest, err) != 0 ||
        choose_place(m, err) != 0)
        return -1;
    m->run.destination = (const char *)m->work_path.data;
    m->run.transfer.options.delete_extra = true;
    return mirroring_check_places(&m->run, err) != 0 ||
                   add_older(m, store_newest(&m->store, SNAPSHOT_WHOLE), err) != 0
               ? -1
               : 0;
}

/* ---- When it is whole ---- */

/* What was read must have been the source to the end: a disk that was taken away leaves another
 * folder, an empty one, or none. */
static int check_source_stayed(struct snapshotting *m, struct error *err)
{
    struct error why = {0};
    struct os_stat now;
    bool empty, same;

    same = look_at_source(m, &now, &empty, &why) == 0 && now.device == m->source.device &&
           now.file[0] == m->source.file[0] && (!empty || m->source_empty);
    error_release(&why);
    if (same)
        return 0;
    return error_set(err, ERROR_CHANGED, NULL,
                     "'%s' went away while it was read: the snapshot stays unfinished",
                     m->run.source);
}

static int lead_to_latest(struct snapshotting *m, struct error *err)
{
    enum store_latest what;

    if (store_set_latest(&m->store, &m->item, &what, err) != 0)
        return -1;
    if (what == STORE_LATEST_IMPOSSIBLE)
        watcher_remark(&m->report.watcher, bytes_of("latest"),
                       "this file system has no symbolic links: no link leads to the newest "
                       "snapshot");
    if (what == STORE_LATEST_IN_THE_WAY)
        watcher_loss(&m->report.watcher, bytes_of("latest"),
                     "what has this name is no symbolic link, and stays", NULL);
    return 0;
}

/* The name that says whole comes when all is on the disk, the link after it. */
static int finish(struct snapshotting *m, struct error *err)
{
    struct store_item whole = {.seconds = m->item.seconds, .state = SNAPSHOT_WHOLE};
    bool sync = !m->run.transfer.options.no_sync;

    if (check_source_stayed(m, err) != 0)
        return -1;
    if (m->dry_run) {
        m->item = whole;
        m->is_whole = true;
        return 0;
    }
    if (store_rename(&m->store, &m->item, &whole, err) != 0)
        return -1;
    m->item = whole;
    m->is_whole = true;
    if ((sync && store_sync(&m->store, err) != 0) || lead_to_latest(m, err) != 0)
        return -1;
    return sync ? store_sync(&m->store, err) : 0;
}

/* ---- Those that go ---- */

static void on_failed(void *context, struct bytes below, struct error *problem)
{
    struct snapshotting *m = context;

    if (problem->kind != ERROR_INTERRUPTED)
        watcher_error(&m->report.watcher, below, problem);
    error_release(problem);
}

static bool on_stopped(void *context)
{
    struct snapshotting *m = context;

    return m->report.watcher.stopped(&m->report.watcher);
}

/* One that goes. What cannot be removed is told, and the rest goes on. */
static int prune(struct snapshotting *m, const struct store_item *item, struct error *err)
{
    struct removal task = {.mode = m->dry_run ? REMOVAL_LOOK : REMOVAL_DO,
                           .clear_flags = m->settings->mirroring.changing.clear_flags,
                           .failed = on_failed,
                           .stopped = on_stopped,
                           .context = m};
    struct notice n = {.kind = NOTICE_CHANGE, .reason = "prune"};
    char name[SNAPSHOT_NAME_BYTES];
    int result;

    snapshot_name(name, item->seconds, item->state);
    n.path = bytes_of(name);
    result = store_remove(&m->store, item, &task, err);
    m->pruned_names += task.removed;
    if (on_stopped(m))
        return error_set(err, ERROR_INTERRUPTED, "prune", "stopped");
    if (result == 0) {
        m->pruned++;
        m->report.watcher.notice(&m->report.watcher, &n);
    } else if (err->kind != ERROR_NONE) {
        watcher_error(&m->report.watcher, n.path, err);
        error_release(err);
    }
    return 0;
}

/* The items that go: what is left of runs that were cut off, and what no rule keeps. The list is
 * the caller's. */
static int choose_pruned(struct snapshotting *m, struct store_item **out, size_t *count,
                         struct error *err)
{
    const struct store *s = &m->store;
    struct store_item *going = calloc(s->count + 1, sizeof *going);
    int64_t *times = calloc(s->count + 1, sizeof *times);
    bool *kept = calloc(s->count + 1, sizeof *kept);
    size_t whole = 0, at = 0;
    int result = -1;

    *count = 0;
    if (going == NULL || times == NULL || kept == NULL) {
        error_memory(err);
        goto out;
    }
    for (size_t i = 0; i < s->count; i++) {
        if (s->items[i].state == SNAPSHOT_WHOLE)
            times[whole++] = s->items[i].seconds;
    }
    if (m->dry_run)
        times[whole++] = m->item.seconds;
    if (m->settings->keep != NULL)
        snapshot_rules_apply(&m->rules, times, whole, kept);
    for (size_t i = 0; i < s->count; i++) {
        const struct store_item *item = &s->items[i];
        bool goes = item->state == SNAPSHOT_WHOLE ? !kept[at++] && m->settings->keep != NULL
                                                  : !m->dry_run || item->state == SNAPSHOT_PRUNED;
        if (goes)
            going[(*count)++] = *item;
    }
    *out = going;
    going = NULL;
    result = 0;
out:
    free(going);
    free(times);
    free(kept);
    return result;
}

static int prune_all(struct snapshotting *m, struct error *err)
{
    struct store_item *going = NULL;
    size_t count;
    int result = 0;

    if (choose_pruned(m, &going, &count, err) != 0)
        return -1;
    if (count != 0 && m->report.errors != 0) {
        watcher_remark(&m->report.watcher, (struct bytes){NULL, 0},
                       "nothing is pruned after errors");
        count = 0;
    }
    for (size_t i = 0; result == 0 && i < count; i++)
        result = prune(m, &going[i], err);
    free(going);
    return result;
}

/* ---- The run ---- */

static int snapshot(struct snapshotting *m, struct error *err)
{
    if (prepare(m, err) != 0 || mirroring_open(&m->run, err) != 0 ||
        mirroring_run(&m->run, err) != 0 || finish(m, err) != 0)
        return -1;
    return prune_all(m, err);
}

static const char *what_remains(const struct snapshotting *m)
{
    if (m->dry_run || m->item.state == SNAPSHOT_WHOLE)
        return m->is_whole && !m->dry_run ? "The snapshot is whole." : NULL;
    return changes_any(&m->run.transfer) || m->resumes
               ? "The snapshot stays unfinished. Run the same command again: it goes on where this "
                 "run stopped. If the disk is full, `holdfast remove` old snapshots before."
               : NULL;
}

static void print_summary(const struct snapshotting *m, const char *name)
{
    const char *done = m->dry_run ? "would make" : "made";
    char words[64];

    (void)snprintf(words, sizeof words, "%s %s:", done, name);
    changes_print(&m->run.transfer, &(struct changes_words){words, "source"}, &m->report);
    if (m->pruned == 0)
        return;
    fputs(m->dry_run ? "would prune " : "pruned ", stderr);
    print_count(stderr, m->pruned, "snapshot", "snapshots");
    fputs(" of ", stderr);
    print_count(stderr, m->pruned_names, "name", "names");
    fputc('\n', stderr);
}

static void tell(struct snapshotting *m, int result, int status)
{
    struct json *j = &m->report.json;
    char name[SNAPSHOT_NAME_BYTES];

    snapshot_name(name, m->item.seconds, SNAPSHOT_WHOLE);
    if (!m->settings->common.json) {
        if (result == 0)
            print_summary(m, name);
        return;
    }
    changes_json(&m->run.transfer, &m->report, status);
    if (m->is_whole)
        json_text(j, "snapshot", name);
    json_bool(j, "resumed", m->resumes);
    json_number(j, "pruned", m->pruned);
    json_number(j, "pruned_names", m->pruned_names);
    json_end(j);
}

static int run_snapshot(void *settings, const struct text_list *operands)
{
    struct snapshotting m = {
        .settings = settings,
        .store_path = operands->items[1],
        .run = {.source = operands->items[0], .tree = {.spool = OS_NO_HANDLE}}};
    struct error err = {0};
    int result, status;

    m.run.settings = &m.settings->mirroring;
    m.run.report = &m.report;
    report_init(&m.report, "snapshot",
                (struct report_settings){.json = m.settings->common.json,
                                         .verbose = m.settings->common.verbose,
                                         .show_changes = m.settings->mirroring.changing.dry_run});
    result = snapshot(&m, &err);
    status = report_end(&m.report, result == 0 ? NULL : &err, what_remains(&m));
    tell(&m, result, status);
    mirroring_release(&m.run);
    store_close(&m.store);
    buffer_release(&m.work_path);
    buffer_release(&m.older_path);
    report_release(&m.report);
    error_release(&err);
    return status;
}

static void release_settings(void *settings)
{
    filter_settings_release(&((struct snapshot_settings *)settings)->mirroring.filter);
}

#define SETTING(member) offsetof(struct snapshot_settings, member)
static const struct option_spec snapshot_specs[] = {
    {"keep", 0, OPTION_TEXT, SETTING(keep), "RULES",
     "afterwards remove the snapshots that no rule keeps: last=N, hourly=N, daily=N, weekly=N, "
     "monthly=N, yearly=N, with commas between"},
    {"allow-empty", 0, OPTION_FLAG, SETTING(allow_empty), NULL,
     "make a snapshot of an empty SOURCE though the one before it is not empty"},
    REFLINK_OPTION(struct snapshot_settings, mirroring),
};

static const struct option_group snapshot_groups[] = {
    {.title = "Options",
     .specs = snapshot_specs,
     .count = sizeof snapshot_specs / sizeof snapshot_specs[0]},
    CHANGING_OPTION_GROUP(struct snapshot_settings, mirroring.changing, CHANGING_NEW_COUNT),
    {.title = "What is left out of the snapshot",
     .specs = filter_specs,
     .count = FILTER_SPEC_COUNT,
     .offset = SETTING(mirroring.filter)},
    COMMON_OPTION_GROUP,
};

const struct command command_snapshot = {
    .name = "snapshot",
    .synopsis = "[OPTION]... SOURCE STORE",
    .summary = "add a dated copy of a folder to others; what is unchanged takes no room",
    .text =
        "Makes STORE/2026-11-25T130501Z (the time in UTC), a whole copy of the folder SOURCE, as "
        "mirror makes one. Files that are unchanged since the newest snapshot become further names "
        "of its files, so that they take no room; each snapshot is a plain folder all the same, "
        "and any may be removed. Each SOURCE needs a STORE of its own. It grows under a name that "
        "ends in .unfinished and gets its own "
        "when it is whole and on the disk; then the symbolic link STORE/latest leads to it. What a "
        "run that was cut off left behind is finished by the next one.\n\n"
        "With --keep the newest snapshot of each of the last N hours, days, weeks (from Monday "
        "on), months or years (of UTC) that have one stays, and the N last ones; the others are "
        "removed once the new one is whole and, whatever --no-sync says, on the disk, links as "
        "links. Nothing is removed after errors, and "
        "nothing that has no snapshot's name.",
    .examples = "holdfast snapshot /home/me /mnt/disk/home\n"
                "holdfast snapshot --keep daily=7,weekly=4,monthly=12 /home/me /mnt/disk/home\n"
                "holdfast snapshot --dry-run --keep last=10 /home/me /mnt/disk/home",
    .options = {snapshot_groups, sizeof snapshot_groups / sizeof snapshot_groups[0]},
    .settings_bytes = sizeof(struct snapshot_settings),
    .minimum = 2,
    .maximum = 2,
    .operand_help = "needs a SOURCE and, last, the folder that holds its snapshots",
    .run = run_snapshot,
    .release = release_settings,
};
