/*
 * cmd_backup.c: `holdfast backup`: folders into one archive.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "archive/backup.h"
#include "archive/export.h"
#include "cli/command.h"
#include "cli/formats.h"
#include "cli/jobs.h"
#include "cli/kept_filters.h"
#include "cli/print.h"
#include "cli/relinks.h"
#include "cli/roots.h"
#include "cli/tree.h"
#include "disk/newfile.h"
#include "tree/namegroup.h"

struct backup_settings {
    struct common_settings common;
    struct filter_settings filter;
    const char *format;
    const char *base;
    const char *windows_names, *relink;
    struct option_number level, jobs;
    struct text_list as;
    bool dry_run, no_sync;
};

/* One backup on its way. */
struct job {
    const struct backup_settings *settings;
    const char *archive;
    struct archive_format format;
    struct report report;
    struct root_list roots;
    struct tree tree;
    struct newfile file;
    struct relink relink;
    bool has_file, unescapes;
    struct backup backup;
};

/* ---- The archive's name ---- */

/* An existing file is replaced only if it is an archive, or empty. Its identity is kept so that it
 * is no part of its own source. */
static int check_existing(const struct job *job, struct identity *existing, bool *exists,
                          struct error *err)
{
    struct os_stat status;
    struct error missing = {0};
    int may_replace;

    *exists = os_stat_path(job->archive, true, &status, &missing) == 0;
    error_release(&missing);
    if (!*exists)
        return 0;
    if (status.kind != OS_FILE)
        return error_set(err, ERROR_USAGE, NULL,
                         "'%s' is %s: the last name is the archive to write", job->archive,
                         status.kind == OS_DIRECTORY ? "a folder" : "no regular file");
    *existing = (struct identity){status.device, {status.file[0], status.file[1]}};
    if (status.size == 0)
        return 0;
    may_replace = formats_may_replace(&job->format, job->archive, err);
    if (may_replace == 0)
        return error_set(err, ERROR_USAGE, NULL,
                         "'%s' is there and is no %sarchive: it is not replaced; choose another "
                         "name, or remove it first",
                         job->archive, job->format.is_export ? "such " : "");
    return may_replace < 0 ? -1 : 0;
}

/* ---- The run ---- */

/* Format, level, threads. */
static int choose_output(struct job *job, struct error *err)
{
    const struct backup_settings *s = job->settings;
    struct output_options *output = &job->backup.output;

    if (formats_choose(s->format, job->archive, &job->format, err) != 0 ||
        formats_level(&job->format, &s->level, &output->level, err) != 0 ||
        jobs_choose(&s->jobs, &output->threads, err) != 0)
        return -1;
    output->container = job->format.container;
    output->level_is_set = s->level.is_set;
    if (job->format.is_export && s->base != NULL)
        return error_set(err, ERROR_USAGE, NULL,
                         "--base needs a tar archive (.tar.zst, .tar.gz, .tar): a %s archive "
                         "cannot refer to another one",
                         export_facts(job->format.format)->name);
    return 0;
}

static int open_output(struct job *job, struct error *err)
{
    unsigned columns;

    job->backup.archive = OS_NO_HANDLE;
    if (job->settings->dry_run)
        return 0;
    if (strcmp(job->archive, "-") == 0) {
        if (os_is_terminal(os_stdout(), &columns))
            return error_set(err, ERROR_USAGE, NULL,
                             "standard output is a terminal: send the archive to a file or a pipe");
        if (job->settings->common.json)
            return error_set(err, ERROR_USAGE, NULL,
                             "--json and an archive cannot both go to standard output");
        job->backup.archive = os_stdout();
        return 0;
    }
    if (newfile_begin(&job->file, job->archive, err) != 0) {
        err->kind = ERROR_USAGE; /* nothing was changed yet */
        return -1;
    }
    job->has_file = true;
    job->backup.archive = job->file.file;
    return 0;
}

static int open_source(struct job *job, const struct identity *existing, bool exists,
                       struct error *err)
{
    const struct backup_settings *s = job->settings;
    struct identity leave_out[2];
    struct tree_options options = {.filter = &s->filter,
                                   .owner_names = true,
                                   .unescape_names = job->unescapes,
                                   .relink = s->relink != NULL ? &job->relink : NULL,
                                   .leave_out = leave_out,
                                   .watcher = &job->report.watcher};
    struct disk_layout layout = root_list_layout(&job->roots);

    if (exists)
        leave_out[options.leave_out_count++] = *existing;
    if (job->has_file) {
        struct os_stat status;

        if (os_stat_handle(job->file.file, &status, err) != 0)
            return -1;
        leave_out[options.leave_out_count++] =
            (struct identity){status.device, {status.file[0], status.file[1]}};
    }
    return tree_open_layout(&job->tree, &layout, &options, err);
}

/* Says that putting the archive in place changes the time of a folder that is in it. */
static void remark_inside(struct job *job)
{
    const struct source_facts *facts = source_facts(job->tree.source);
    struct buffer folder = {0};
    struct error err = {0};

    if (job->has_file && os_handle_path(job->file.folder, &folder, &err) == 0) {
        for (size_t i = 0; i < facts->root_count; i++) {
            if (path_is_within(buffer_bytes(&folder), bytes_of(facts->roots[i].absolute_path)))
                watcher_remark(&job->report.watcher, bytes_of(job->archive),
                               "the archive lies inside its source: it is left out, and its "
                               "folder's time changes when it is put in place");
        }
    }
    error_release(&err);
    buffer_release(&folder);
}

/* Names outside the sources are no part of the archive; that they were there is said. */
static void remark_outside_names(struct job *job)
{
    struct namegroup_counts counts = namegroup_counts(job->tree.groups);
    static const char reason[] =
        "hard-linked files have more names outside the sources; the archive does not "
        "hold these (holdfast scan tells which files)";

    if (counts.outside_names != 0)
        watcher_remark(&job->report.watcher, (struct bytes){NULL, 0}, reason);
}

/* Opens the base. The archive to be written must be another file. */
static int open_base(struct job *job, const struct identity *existing, bool exists,
                     struct error *err)
{
    const char *base = job->settings->base;
    struct os_stat status;

    if (base == NULL)
        return 0;
    if (os_stat_path(base, true, &status, err) != 0) {
        err->kind = ERROR_USAGE;
        return error_at(err, base, strlen(base));
    }
    if (exists && existing->volume == status.device && existing->file[0] == status.file[0] &&
        existing->file[1] == status.file[1])
        return error_set(err, ERROR_USAGE, NULL,
                         "'%s' is the base itself: give the new archive another name",
                         job->archive);
    if (unchanged_open(base, &job->backup.base, err) != 0)
        return error_at(err, base, strlen(base));
    return 0;
}

/* Writes another format than tar. */
static int run_export(struct job *job, struct error *err)
{
    struct export export = {.archive = job->backup.archive,
                            .output = {job->format.format, job->backup.output.level},
                            .watcher = &job->report.watcher};
    int result = export_run(&export, job->tree.source, err);

    job->backup.counts = export.counts;
    return result;
}

/* Writes a tar archive. */
static int run_tar(struct job *job, struct error *err)
{
    struct buffer options = {0};
    int result = -1;

    job->backup.program = "holdfast " HOLDFAST_VERSION;
    job->backup.spool = tree_spool_folder();
    job->backup.watcher = &job->report.watcher;
    if (kept_filters_write(&job->settings->filter, &options, err) == 0) {
        job->backup.options = buffer_bytes(&options);
        result = backup_run(&job->backup, job->tree.source, err);
    }
    buffer_release(&options);
    return result;
}

static int make_archive(struct job *job, const struct text_list *operands, struct error *err)
{
    const struct backup_settings *s = job->settings;
    struct root_request request = {operands->items, operands->count - 1, &s->as,
                                   s->filter.one_file_system};
    struct identity existing;
    bool exists = false;
    int result;

    int unescapes = tree_unescapes(s->windows_names, err);

    if (unescapes < 0 || choose_output(job, err) != 0 ||
        (s->relink != NULL && relinks_load(s->relink, RELINKS_MUST_BE, &job->relink, err) != 0))
        return -1;
    job->unescapes = unescapes == 1;
    if (strcmp(job->archive, "-") != 0 && check_existing(job, &existing, &exists, err) != 0)
        return -1;
    if (open_base(job, &existing, exists, err) != 0 ||
        root_list_make(&job->roots, &request, &job->report.watcher, err) != 0 ||
        open_output(job, err) != 0 || open_source(job, &existing, exists, err) != 0)
        return -1;
    remark_inside(job);
    result = job->format.is_export ? run_export(job, err) : run_tar(job, err);
    if (result == 0) {
        remark_outside_names(job);
        tree_tell_reparse(&job->tree, TREE_TAGS_SKIPPED, &job->report.watcher);
    }
    if (result == 0 && job->has_file) {
        job->has_file = false;
        result = newfile_commit(&job->file, s->no_sync ? NEWFILE_NO_SYNC : NEWFILE_SYNC, err);
    }
    return result;
}

/* ---- What is said at the end ---- */

/* Of what NTFS volumes alone have. */
static void print_windows_links(const struct backup_counts *c)
{
    static const struct {
        enum entry_kind kind;
        const char *one, *many;
    } rows[] = {
        {ENTRY_JUNCTION, "junction", "junctions"},
        {ENTRY_MOUNT_POINT, "mount point", "mount points"},
        {ENTRY_REPARSE, "other reparse point", "other reparse points"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (c->kinds[rows[i].kind] == 0)
            continue;
        print_count(stderr, c->kinds[rows[i].kind], rows[i].one, rows[i].many);
        fputs(", ", stderr);
    }
}

static void print_summary(const struct job *job)
{
    const struct backup_counts *c = &job->backup.counts;
    char files[32], stored[32];

    fprintf(stderr, "%s ", job->settings->dry_run ? "would store" : "stored");
    print_count(stderr, c->entries, "entry", "entries");
    fputs(" (", stderr);
    print_count(stderr, c->kinds[ENTRY_DIRECTORY], "folder", "folders");
    fputs(", ", stderr);
    print_count(stderr, c->kinds[ENTRY_FILE], "file", "files");
    fputs(", ", stderr);
    print_count(stderr, c->kinds[ENTRY_SYMLINK], "symbolic link", "symbolic links");
    fputs(", ", stderr);
    print_windows_links(c);
    print_count(stderr, c->further_names, "further name", "further names");
    fprintf(stderr, " of hard-linked files), %s", print_size(files, sizeof files, c->file_bytes));
    if (job->settings->base != NULL) {
        fputs(", ", stderr);
        print_count(stderr, c->base_files, "file", "files");
        fprintf(stderr, " of them (%s) unchanged since %s",
                print_size(stored, sizeof stored, c->base_bytes), job->settings->base);
    }
    if (!job->settings->dry_run)
        fprintf(stderr, " in %s", print_size(stored, sizeof stored, c->stored_bytes));
    report_print_troubles(&job->report);
    fputs(": ", stderr);
    print_bytes(stderr, bytes_of(job->archive));
    fputc('\n', stderr);
}

static void json_summary(struct job *job, int status)
{
    const struct backup_counts *c = &job->backup.counts;
    struct json *j = &job->report.json;

    report_json_summary(&job->report, status);
    json_number(j, "entries", c->entries);
    json_number(j, "directories", c->kinds[ENTRY_DIRECTORY]);
    json_number(j, "files", c->kinds[ENTRY_FILE]);
    json_number(j, "symlinks", c->kinds[ENTRY_SYMLINK]);
    json_number(j, "junctions", c->kinds[ENTRY_JUNCTION]);
    json_number(j, "mount_points", c->kinds[ENTRY_MOUNT_POINT]);
    json_number(j, "reparse_points", c->kinds[ENTRY_REPARSE]);
    json_number(j, "further_names", c->further_names);
    json_number(j, "bytes", c->file_bytes);
    json_number(j, "stored_bytes", c->stored_bytes);
    if (job->settings->base != NULL) {
        json_number(j, "base_files", c->base_files);
        json_number(j, "base_bytes", c->base_bytes);
    }
    json_end(j);
}

static int run_backup(void *settings, const struct text_list *operands)
{
    struct job job = {.settings = settings,
                      .archive = operands->items[operands->count - 1],
                      .tree = {.spool = OS_NO_HANDLE}};
    struct error err = {0};
    int result, status;

    relink_init(&job.relink);
    report_init(
        &job.report, "backup",
        (struct report_settings){.json = job.settings->common.json,
                                 .verbose = job.settings->common.verbose || job.settings->dry_run});
    result = make_archive(&job, operands, &err);
    status =
        report_end(&job.report, result == 0 ? NULL : &err,
                   strcmp(job.archive, "-") == 0
                       ? "The output is no whole archive."
                       : "No archive was written; what stood under its name stands there still.");
    if (job.settings->common.json)
        json_summary(&job, status);
    else if (result == 0)
        print_summary(&job);
    if (job.has_file)
        newfile_abandon(&job.file);
    tree_close(&job.tree);
    unchanged_close(job.backup.base);
    root_list_release(&job.roots);
    relink_release(&job.relink);
    report_release(&job.report);
    error_release(&err);
    return status;
}

static void release_settings(void *settings)
{
    struct backup_settings *s = settings;

    filter_settings_release(&s->filter);
    text_list_release(&s->as);
}

static const struct option_spec backup_specs[] = {
    {"format", 0, OPTION_TEXT, offsetof(struct backup_settings, format), "FORMAT",
     "tar.zst, tar.gz, tar, zip, 7z or cpio; else the archive's suffix decides"},
    {"base", 0, OPTION_TEXT, offsetof(struct backup_settings, base), "OLD",
     "store the contents alone that the archive OLD does not have; restoring needs OLD, too"},
    {"level", 'l', OPTION_NUMBER, offsetof(struct backup_settings, level), "N",
     "compression level (tar.zst 1 to 19, default 1; tar.gz, zip and 7z 1 to 9, default 6)"},
    {"jobs", 'j', OPTION_NUMBER, offsetof(struct backup_settings, jobs), "N",
     "threads that compress tar.zst and tar.gz, default one for each core; the archive is the same "
     "with any number"},
    {"as", 0, OPTION_LIST, offsetof(struct backup_settings, as), "NAME",
     "the name that a source gets in the archive, or the path that it stands for; given once for "
     "each source, in order"},
    WINDOWS_NAMES_OPTION(struct backup_settings, windows_names),
    {"relink", 0, OPTION_TEXT, offsetof(struct backup_settings, relink), "FILE",
     "take junctions and other reparse points from FILE, which restore --relink wrote, for what "
     "stands for them"},
    {"dry-run", 'n', OPTION_FLAG, offsetof(struct backup_settings, dry_run), NULL,
     "say what would be stored, write nothing"},
    {"no-sync", 0, OPTION_FLAG, offsetof(struct backup_settings, no_sync), NULL,
     "do not wait until the archive is on the disk"},
};

static const struct option_group backup_groups[] = {
    {.title = "Options",
     .specs = backup_specs,
     .count = sizeof backup_specs / sizeof backup_specs[0]},
    {.title = "What to leave out",
     .specs = filter_specs,
     .count = FILTER_SPEC_COUNT,
     .offset = offsetof(struct backup_settings, filter)},
    COMMON_OPTION_GROUP,
};

const struct command command_backup = {
    .name = "backup",
    .synopsis = "[OPTION]... SOURCE... ARCHIVE",
    .summary = "store folders in an archive, every link as a link",
    .text = "Stores each SOURCE, a folder or a file, as a root of ARCHIVE: a .tar.zst, .tar.gz or "
            ".tar file that tar reads, too, or - for standard output. No link below "
            "a source is followed; a SOURCE that is a link itself is. The archive appears under "
            "its name when it is whole; an older archive of that name stands until then.\n\n"
            "A .zip, .7z or .cpio archive is for those who need one: it cannot hold all of a tree, "
            "and each thing that it loses is named, exit status 1. Of hard links zip and 7z store "
            "a copy for each name.",
    .examples = "holdfast backup ~/projects projects.tar.zst\n"
                "holdfast backup --exclude node_modules /srv/www /etc server.tar.zst\n"
                "holdfast backup /data - | ssh host 'cat > data.tar.zst'",
    .options = {backup_groups, sizeof backup_groups / sizeof backup_groups[0]},
    .settings_bytes = sizeof(struct backup_settings),
    .minimum = 2,
    .maximum = SIZE_MAX,
    .operand_help = "needs at least one SOURCE and, last, the ARCHIVE to write",
    .run = run_backup,
    .release = release_settings,
};
