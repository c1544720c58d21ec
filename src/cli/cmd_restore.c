/*
 * cmd_restore.c: `holdfast restore`: an archive, or some paths of it, into a folder.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/bases.h"
#include "archive/select.h"
#include "cli/changes.h"
#include "cli/relinks.h"
#include "cli/restore.h"
#include "cli/tree.h"
#include "tree/namegroup.h"

/* ---- What is wanted ---- */

static int check_settings(struct restore_job *job, struct error *err)
{
    const struct restore_settings *s = job->settings;

    if (s->keep_existing && s->keep_newer)
        return error_set(err, ERROR_USAGE, NULL,
                         "--keep-existing and --keep-newer exclude each other");
    if (s->delete_extra && s->salvage)
        return error_set(err, ERROR_USAGE, NULL,
                         "--delete and --salvage exclude each other: what a damaged archive lacks "
                         "is not known to be gone");
    if (s->delete_extra && s->keep_existing)
        return error_set(err, ERROR_USAGE, NULL, "--delete and --keep-existing exclude each other");
    if (changing_choose(&s->changing, &job->redirects, &job->transfer.options, err) != 0)
        return -1;
    return job->destination != NULL ? tree_check_destination(job->destination, err) : 0;
}

/* Splits the operands: ARCHIVE [PATH...] DEST; DEST may be left out if --root places all. */
static int split_operands(struct restore_job *job, const struct text_list *operands,
                          struct error *err)
{
    job->archive = operands->items[0];
    if (operands->count == 1) {
        if (job->settings->roots.count == 0)
            return error_set(err, ERROR_USAGE, NULL,
                             "needs the folder to restore to, last: holdfast restore %s DEST",
                             job->archive);
        return 0;
    }
    job->destination = operands->items[operands->count - 1];
    job->path_count = operands->count - 2;
    return tree_paths(operands, 1, job->path_count, &job->paths, err);
}

/* ---- The archive ---- */

static struct reader_options reader_options_of(struct restore_job *job)
{
    return (struct reader_options){.strip_absolute = job->settings->strip_absolute,
                                   .salvage = job->settings->salvage,
                                   .watcher = &job->report.watcher};
}

/* Without an index nothing but the checksums of frames proves contents. */
static void warn_of_salvage(struct restore_job *job)
{
    const struct opened_archive *a = &job->opened;
    struct error unproved = {0};

    if (!job->settings->salvage || a->is_indexed || !a->is_ours)
        return;
    if (strcmp(input_compression(a->input), "plain") == 0)
        (void)error_set(&unproved, ERROR_FORMAT, NULL,
                        "its index is lost or damaged, and a plain tar has no other checksums of "
                        "contents: damage in them cannot be seen");
    else
        (void)error_set(&unproved, ERROR_FORMAT, NULL,
                        "its index is lost or damaged: it is read from its begin up to the first "
                        "damage");
    watcher_error(&job->report.watcher, bytes_of(job->archive), &unproved);
    error_release(&unproved);
}

/* An incremental archive is read by its index, with its bases at hand, whole or some paths. */
static int open_incremental(struct restore_job *job, struct error *err)
{
    const struct text_list *paths = &job->settings->bases;
    struct reader_options options = reader_options_of(job);
    struct bases_places places = {job->archive, paths->items, paths->count};
    struct opened_archive *archive = &job->opened;
    struct bases *bases;

    if (!archive->is_indexed) {
        source_close(archive->source);
        if (tree_open_incremental(job->archive, &options, archive, err) != 0)
            return -1;
    }
    int found = bases_open(opened_tail(archive)->index, &places, &job->report.watcher, &bases, err);

    if (found >= 0)
        index_source_set_bases(archive->source, bases);
    if (found == 1 || (found == 0 && job->settings->salvage))
        return 0;
    source_close(archive->source);
    return found < 0 ? -1
                     : error_set(err, ERROR_USAGE, NULL,
                                 "it is incremental, and not all archives that it needs are at "
                                 "hand");
}

static int open_source(struct restore_job *job, struct error *err)
{
    struct reader_options options = reader_options_of(job);
    struct opened_archive *archive = &job->opened;
    os_handle handle = os_stdin();

    if (strcmp(job->archive, "-") != 0) {
        int folder = tree_is_folder(job->archive, err);

        if (folder == 1)
            (void)error_set(err, ERROR_USAGE, NULL, "'%s' is a folder, not an archive",
                            job->archive);
        if (folder != 0) {
            err->kind = ERROR_USAGE;
            return -1;
        }
        if (os_open_path(job->archive, &handle, err) != 0)
            return error_at(err, job->archive, strlen(job->archive));
    }
    /* All of an archive is read as a stream, which proves it; some paths are found by the index. */
    if (job->path_count == 0 && !job->settings->salvage
            ? open_any_archive(handle, &options, archive, err)
            : open_indexed_archive(handle, &options,
                                   job->settings->salvage ? INDEX_CHECKED_FIRST
                                                          : INDEX_CHECKED_AS_READ,
                                   archive, err))
        return error_at(err, job->archive, strlen(job->archive));
    if (archive->is_incremental && open_incremental(job, err) != 0)
        return error_at(err, job->archive, strlen(job->archive));
    warn_of_salvage(job);
    job->source = archive->source;
    job->can_reopen =
        strcmp(job->archive, "-") != 0 && archive->input != NULL && input_can_seek(archive->input);
    return 0;
}

/* Wraps an index so that only chosen paths come, as from a disk. */
static int choose_indexed(struct restore_job *job, const struct filter_options *filter,
                          struct error *err)
{
    if (filter->path_count != 0) {
        if (filter_new(job->source, filter, &job->chosen, err) != 0)
            return -1;
        job->source = job->chosen;
    }
    return namegroup_new(job->source, (struct namegroup_options){.count_is_hint = false},
                         &job->source, err);
}

/* Wraps the archive so that only chosen paths come; what has to be kept aside goes to the
 * destination's file system. */
static int choose_paths(struct restore_job *job, struct error *err)
{
    struct select_options options = {.filter = {.paths = job->paths, .path_count = job->path_count},
                                     .contents = true,
                                     .archive = job->can_reopen ? job->archive : NULL,
                                     .reader = reader_options_of(job)};
    struct error ignored = {0};

    if (job->opened.is_indexed)
        return choose_indexed(job, &options.filter, err);
    if (job->path_count == 0)
        return 0;
    if (job->destination == NULL || os_open_root(job->destination, &job->spool, &ignored) != 0) {
        error_release(&ignored);
        if (os_open_root(tree_spool_folder(), &job->spool, &ignored) != 0)
            job->spool = OS_NO_HANDLE;
    }
    error_release(&ignored);
    options.spool = job->spool;
    if (select_new(job->source, &options, &job->chosen, err) != 0)
        return -1;
    job->source = job->chosen;
    return 0;
}

/* ---- The run ---- */

static void choose_options(struct restore_job *job)
{
    const struct restore_settings *s = job->settings;
    struct transfer_options *o = &job->transfer.options;

    o->existing = s->keep_existing ? EXISTING_KEEP
                  : s->keep_newer  ? EXISTING_NEWER
                                   : EXISTING_UPDATE;
    o->relink = s->relink != NULL ? &job->relink : NULL;
    o->owners = s->map_owners ? OWNERS_NAMES : OWNERS_NUMBERS;
    o->delete_extra = s->delete_extra;
    o->delete_within = job->paths;
    o->delete_within_count = job->path_count;
    job->transfer.watcher = &job->report.watcher;
    if (!s->map_owners)
        changing_leave_owners(&s->changing, &job->transfer);
}

/* ---- The end ---- */

static size_t next_unmatched(const struct restore_job *job, size_t from)
{
    return job->opened.is_indexed ? filter_unmatched(job->chosen, from)
                                  : select_unmatched(job->chosen, from);
}

/* Paths that nothing in the archive matched. */
static void tell_unmatched(struct restore_job *job)
{
    if (job->chosen == NULL)
        return;
    for (size_t i = next_unmatched(job, 0); i < job->path_count; i = next_unmatched(job, i + 1)) {
        struct error missing = {0};

        (void)tree_no_such_entry(source_facts(job->source), "archive", job->paths[i], &missing);
        watcher_error(&job->report.watcher, job->paths[i], &missing);
        error_release(&missing);
    }
}

/* What was not exact when the archive was made is not exact now. */
static void tell_losses(struct restore_job *job)
{
    const struct tail *tail = job->opened.is_ours ? opened_tail(&job->opened) : NULL;

    for (size_t i = 0; tail != NULL && i < tail->loss_count; i++) {
        const struct tail_loss *loss = &tail->losses[i];
        struct error cause = {0};

        (void)error_set(&cause, ERROR_REFUSED, NULL, "%.*s", (int)loss->reason.size,
                        (const char *)loss->reason.data);
        watcher_loss(&job->report.watcher, loss->path, "the backup could not keep it exactly",
                     &cause);
        error_release(&cause);
    }
}

/* Damage is told with the archive's name; the entry that it came to light in, if any, was lost with
 * it. */
static int name_archive(struct restore_job *job, struct error *err)
{
    struct error named = *err;

    named.path = NULL;
    named.path_bytes = 0;
    (void)error_at(&named, job->archive, strlen(job->archive));
    if (err->path != NULL)
        watcher_error(&job->report.watcher, bytes_make(err->path, err->path_bytes), err);
    error_release(err);
    *err = named;
    return -1;
}

static int load_relinks(struct restore_job *job, struct error *err)
{
    const char *path = job->settings->relink;

    if (path == NULL)
        return 0;
    if (relinks_load(path, RELINKS_MAY_LACK, &job->relink, err) != 0)
        return -1;
    return job->settings->changing.dry_run ? 0 : relinks_check(path, err);
}

/* Also of a run that failed: what it made is there. */
static int save_relinks(struct restore_job *job, int result, struct error *err)
{
    const char *path = job->settings->relink;
    struct error problem = {0};

    if (path == NULL || relinks_save(path, &job->relink, &problem) == 0)
        return result;
    if (result == 0)
        error_move(err, &problem);
    else
        watcher_error(&job->report.watcher, bytes_of(path), &problem);
    error_release(&problem);
    return -1;
}

static int restore(struct restore_job *job, const struct text_list *operands, struct error *err)
{
    if (split_operands(job, operands, err) != 0 || check_settings(job, err) != 0 ||
        open_source(job, err) != 0 || restore_make_layout(job, err) != 0 ||
        choose_paths(job, err) != 0 || restore_map_links(job, err) != 0)
        return -1;
    if (load_relinks(job, err) != 0)
        return -1;
    choose_options(job);
    if (transfer_run(&job->transfer, job->source, err) != 0) {
        if (err->kind == ERROR_REFUSED && !changes_any(&job->transfer))
            err->kind = ERROR_USAGE;
        return err->kind == ERROR_FORMAT ? name_archive(job, err) : -1;
    }
    tell_unmatched(job);
    tell_losses(job);
    return restore_tell_links(job, err);
}

static void json_summary(struct restore_job *job, int status)
{
    changes_json(&job->transfer, &job->report, status);
    if (mapping_is_asked(&job->settings->map))
        mapping_json_summary(&job->mapping);
    json_end(&job->report.json);
}

static void print_summary(const struct restore_job *job)
{
    const struct changes_words words = {
        job->settings->changing.dry_run ? "would restore" : "restored", "archive"};

    changes_print(&job->transfer, &words, &job->report);
    mapping_print_summary(&job->mapping);
}

/* What remains to do after a run that stopped before its end, or NULL. */
static const char *what_now(const struct restore_job *job, const struct error *err)
{
    if (err->kind == ERROR_FORMAT && !job->settings->salvage && job->opened.source != NULL)
        return "If there is no better copy of the archive, restore --salvage brings back what is "
               "readable.";
    return changes_what_remains(&job->transfer, err);
}

static int run_restore(void *settings, const struct text_list *operands)
{
    struct restore_job job = {.settings = settings, .spool = OS_NO_HANDLE};
    struct error err = {0};
    int result, status;

    report_init(&job.report, "restore",
                (struct report_settings){.json = job.settings->common.json,
                                         .verbose = job.settings->common.verbose,
                                         .show_changes = job.settings->changing.dry_run});
    relink_init(&job.relink);
    job.redirects.drives = &job.settings->map.drives;
    result = restore(&job, operands, &err);
    result = save_relinks(&job, result, &err);
    status = report_end(&job.report, result == 0 ? NULL : &err, what_now(&job, &err));
    if (job.settings->common.json)
        json_summary(&job, status);
    else if (result == 0)
        print_summary(&job);
    source_close(job.source);
    if (job.spool != OS_NO_HANDLE)
        os_close(job.spool);
    free(job.paths);
    free(job.roots);
    buffer_release(&job.places);
    mapping_release(&job.mapping);
    relink_release(&job.relink);
    report_release(&job.report);
    error_release(&err);
    return status;
}

static void release_settings(void *settings)
{
    struct restore_settings *s = settings;

    text_list_release(&s->roots);
    text_list_release(&s->bases);
    map_settings_release(&s->map);
}

#define SETTING(member) offsetof(struct restore_settings, member)
static const struct option_spec restore_specs[] = {
    {"root", 0, OPTION_LIST, SETTING(roots), "NAME=PLACE",
     "put the root NAME at PLACE itself, not at DEST/NAME"},
    BASE_OPTION(struct restore_settings, bases),
    {"delete", 0, OPTION_FLAG, SETTING(delete_extra), NULL,
     "remove what the archive lacks, inside the restored roots or PATHs alone; let folders with "
     "content give way to other kinds"},
    {"keep-existing", 0, OPTION_FLAG, SETTING(keep_existing), NULL,
     "leave every file that is there as it is"},
    {"keep-newer", 0, OPTION_FLAG, SETTING(keep_newer), NULL,
     "leave files that are newer than the archive's"},
    {"relink", 0, OPTION_TEXT, SETTING(relink), "FILE",
     "keep in FILE what makes junctions and other reparse points what they are, where it cannot be "
     "kept beside what is made for them; for backup --relink"},
    {"map-owners", 0, OPTION_FLAG, SETTING(map_owners), NULL,
     "set owners by name where the name exists here; else by number"},
    {"strip-absolute", 0, OPTION_FLAG, SETTING(strip_absolute), NULL,
     "take the leading slashes off absolute names of other tools' archives"},
    {"salvage", 0, OPTION_FLAG, SETTING(salvage), NULL,
     "bring back all that is readable of a damaged archive, and name what is lost; exit status 1"},
};

static const struct option_group restore_groups[] = {
    {.title = "Options",
     .specs = restore_specs,
     .count = sizeof restore_specs / sizeof restore_specs[0]},
    CHANGING_OPTION_GROUP(struct restore_settings, changing, CHANGING_SPEC_COUNT),
    MAP_OPTION_GROUP(struct restore_settings, map, MAP_SPEC_COUNT),
    COMMON_OPTION_GROUP,
};

const struct command command_restore = {
    .name = "restore",
    .synopsis = "[OPTION]... ARCHIVE [PATH]... DEST",
    .summary = "bring an archive, or some paths of it, back into a folder",
    .text =
        "Makes DEST/ROOT/... equal to ARCHIVE (- is standard input), links as links; with PATHs "
        "only these and what is below them. What stands there is brought to the same state: "
        "what differs is replaced, never written through; what the archive lacks stays unless "
        "--delete is given. Links keep their targets, byte for byte, unless --map or --rebase says "
        "otherwise. Reads every tar, and whatever libarchive reads (zip, 7z, cpio, ...).",
    .examples = "holdfast restore projects.tar.zst /mnt/new\n"
                "holdfast restore projects.tar.zst projects/site/config /tmp/out\n"
                "holdfast restore --root projects=/home/me/projects projects.tar.zst\n"
                "holdfast restore --map 'C:\\=D:\\' --dry-run users.tar.zst /mnt/new\n"
                "holdfast restore --dry-run --delete projects.tar.zst ~",
    .options = {restore_groups, sizeof restore_groups / sizeof restore_groups[0]},
    .settings_bytes = sizeof(struct restore_settings),
    .minimum = 1,
    .maximum = SIZE_MAX,
    .operand_help = "needs an ARCHIVE and, last, the folder to restore to",
    .run = run_restore,
    .release = release_settings,
};
