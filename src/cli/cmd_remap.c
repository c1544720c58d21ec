/*
 * cmd_remap.c: `holdfast remap`: links of a folder get other targets in place, by rules, and get
 * their old ones back by the journal of that.
 *
 * The links are looked through first. What is to change stands in the journal, on the disk, before
 * the first link changes; then the transfer makes the changes, as it makes the links of a restore.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "cli/command.h"
#include "cli/mapping.h"
#include "cli/print.h"
#include "cli/tree.h"
#include "disk/newfile.h"
#include "disk/transfer.h"
#include "tree/retarget.h"

struct remap_settings {
    struct common_settings common;
    struct map_settings map;
    struct filter_settings filter;
    const char *journal, *undo;
    bool dry_run, clear_flags, no_sync;
};

/* A link that is to change, by the hash of its first name's path. */
struct remapped {
    struct hash128 key;
    size_t index; /* in the list, of its first name */
    uint64_t names, link_count;
};

/* One run. */
struct job {
    struct remap_listener listener; /* takes down what is to change */
    struct remap_settings *settings;
    const char *folder;
    struct report report;
    struct mapping mapping;
    struct retargets list;
    struct table links;    /* struct remapped: those that may have several names */
    struct buffer name;    /* the folder's, in paths; NUL-terminated */
    struct buffer real;    /* the folder's absolute path; NUL-terminated */
    struct buffer journal; /* the journal's path; NUL-terminated */
    struct transfer transfer;
    uint64_t done; /* names that had their target already */
};

/* ---- What is to change ---- */

/* The path from the folder on. */
static struct bytes below(const struct job *job, struct bytes path)
{
    size_t root = job->name.size + 1;

    return bytes_make(path.data + root, path.size - root);
}

static struct bytes raw_of(const struct entry *e)
{
    return e->reparse.size != 0 ? e->reparse : e->target;
}

/* Counts the name of a link that may have others. */
static int take_name(struct job *job, const struct entry *e, size_t index, struct error *err)
{
    struct hash128 key = hash_bytes(entry_is_further_name(e) ? e->first_name : e->path);
    struct remapped *link = table_find(&job->links, &key);

    if (link == NULL) {
        link = table_add(&job->links, &key, err);
        if (link == NULL)
            return -1;
        link->index = index;
        link->link_count = e->link_count;
    } else {
        retargets_set_group(&job->list, link->index, link->index + 1);
        retargets_set_group(&job->list, index, link->index + 1);
    }
    link->names++;
    return 0;
}

static int take_link(struct remap_listener *l, const struct entry *old, const struct entry *now,
                     const struct remap_result *result, struct error *err)
{
    struct job *job = (struct job *)l;
    struct retarget link = {.form = old->reparse.size != 0 ? RETARGET_REPARSE : RETARGET_TEXT,
                            .from = raw_of(old),
                            .to = raw_of(now)};

    if (result == NULL || result->outcome != REMAP_MAPPED || old->path.size <= job->name.size)
        return 0;
    link.path = below(job, old->path);
    if (retargets_add(&job->list, &link, err) != 0)
        return -1;
    return old->link_count == 1 ? 0 : take_name(job, old, job->list.count - 1, err);
}

/* Names that a link has elsewhere stay what they are. */
static void tell_outside_names(struct job *job, bool names_known)
{
    size_t place = 0;
    const struct remapped *link;
    uint64_t count = 0;

    while (names_known && (link = table_next(&job->links, &place)) != NULL)
        count += link->link_count > link->names;
    if (count == 0)
        return;
    char text[200];

    (void)snprintf(text, sizeof text,
                   "%" PRIu64 " %s names outside this folder, which keep the old target", count,
                   count == 1 ? "link has" : "links have");
    watcher_loss(&job->report.watcher, bytes_of(job->folder), text, NULL);
}

static int read_all(struct job *job, struct source *source, struct error *err)
{
    struct watcher *w = &job->report.watcher;
    const struct entry *e;
    int more;

    while ((more = source_next(source, &e, err)) == 1) {
        if (os_stop_requested() != 0)
            return error_set(err, ERROR_INTERRUPTED, "remap", "stopped");
        if (e->problem_scope != PROBLEM_NONE)
            watcher_error(w, e->path, e->problem);
        w->progress(w, 1, 0, e->path);
    }
    return more;
}

/* Looks all links through. */
static int make_list(struct job *job, struct error *err)
{
    const struct remap_settings *s = job->settings;
    struct tree_options options = {.filter = &s->filter,
                                   .root_name = (const char *)job->name.data,
                                   .watcher = &job->report.watcher};
    struct mapping *m = &job->mapping;
    enum mapping_shown shown = s->dry_run ? MAPPING_SHOW : MAPPING_HIDE;
    struct tree tree;
    int result = -1;

    if (tree_open_first(&tree, job->folder, &options, err) != 0)
        return -1;
    m->next = &job->listener;
    if (mapping_add_root(m, options.root_name, NULL, (const char *)job->real.data, err) == 0 &&
        mapping_wrap(m, REMAP_WITHIN, &tree.source, err) == 0 &&
        read_all(job, tree.source, err) == 0) {
        tell_outside_names(job, source_facts(tree.source)->names_known);
        result = m->use == MAPPING_TABLE ? mapping_tell(m, tree.source, shown, err) : 0;
    }
    tree_close(&tree);
    return result;
}

/* ---- The journal ---- */

static bool is_there(const char *path)
{
    struct os_stat status;

    return os_stat_path(path, false, &status, NULL) == 0;
}

/* The journal's name: as asked for, or one in the current folder that is free. */
static int name_journal(struct job *job, struct error *err)
{
    const char *asked = job->settings->journal;
    char name[64] = "holdfast-remap.journal";

    if (asked != NULL && is_there(asked))
        return error_set(err, ERROR_USAGE, NULL,
                         "the journal '%s' is there already, and may be needed", asked);
    for (unsigned n = 2; asked == NULL && is_there(name); n++)
        (void)snprintf(name, sizeof name, "holdfast-remap-%u.journal", n);
    if (asked == NULL)
        asked = name;
    buffer_clear(&job->journal);
    return buffer_append(&job->journal, asked, strlen(asked), err) != 0
               ? -1
               : buffer_terminate(&job->journal, err);
}

/* Puts it under its name, which nobody else may have taken since. */
static int put_journal(struct job *job, struct bytes text, struct error *err)
{
    struct newfile file;

    if (newfile_begin(&file, (const char *)job->journal.data, err) != 0)
        return -1;
    file.is_new = true;
    if (os_write(file.file, text.data, text.size, err) == 0)
        return newfile_commit(&file, job->settings->no_sync ? NEWFILE_NO_SYNC : NEWFILE_SYNC, err);
    newfile_abandon(&file);
    return -1;
}

/* Puts the journal on the disk. What keeps it from that is known before anything is changed. */
static int write_journal(struct job *job, struct error *err)
{
    struct buffer text = {0};
    int result = retargets_write(&job->list, buffer_bytes(&job->real), &text, err);
    bool is_taken = result == 0;

    while (is_taken) {
        result = name_journal(job, err);
        if (result != 0)
            break;
        result = put_journal(job, buffer_bytes(&text), err);
        is_taken = result != 0 && os_error_is_exists(err) && job->settings->journal == NULL;
        if (is_taken)
            error_release(err);
    }
    buffer_release(&text);
    if (result == 0)
        return 0;
    if (job->journal.size != 0)
        (void)error_at(err, (const char *)job->journal.data, job->journal.size);
    buffer_release(&job->journal);
    if (err->kind == ERROR_OS)
        err->kind = ERROR_USAGE;
    return -1;
}

static int read_journal(struct job *job, struct buffer *folder, struct error *err)
{
    const char *path = job->settings->undo;
    struct buffer text = {0};
    int result = options_read_file(path, &text, err);

    if (result != 0 && err->kind == ERROR_OS)
        err->kind = ERROR_USAGE;
    if (result == 0)
        result = retargets_read(buffer_bytes(&text), &job->list, folder, err);
    if (result == 0)
        result = buffer_terminate(folder, err);
    buffer_release(&text);
    return result == 0 ? 0 : error_at(err, path, strlen(path));
}

/* ---- The change ---- */

static uint64_t changed(const struct job *job)
{
    return job->transfer.counts.replaced + job->transfer.counts.linked;
}

static int change(struct job *job, enum retarget_direction direction, struct error *err)
{
    struct disk_root root = {.name = (const char *)job->name.data, .place = job->folder};
    struct transfer *t = &job->transfer;
    struct walk_options walk = {0};
    struct retarget_options options = {&job->list, direction, root.name, &job->report.watcher};
    struct source *source = NULL, *links = NULL;
    int result = -1;

    t->layout = (struct disk_layout){.roots = &root, .root_count = 1};
    t->options = (struct transfer_options){
        .mode = job->settings->dry_run ? TRANSFER_DRY_RUN : TRANSFER_APPLY,
        .owners = OWNERS_NUMBERS, /* an ordinary user's own links keep theirs; others are told */
        .clear_flags = job->settings->clear_flags,
        .no_sync = job->settings->no_sync};
    t->watcher = &job->report.watcher;
    if (walk_open(&t->layout, &walk, &source, err) != 0)
        return -1;
    if (retarget_source_new(source, &options, &links, err) != 0) {
        source_close(source);
        return -1;
    }
    result = transfer_run(t, links, err);
    if (result != 0 && err->kind == ERROR_REFUSED && changed(job) == 0)
        err->kind = ERROR_USAGE; /* as while another run is writing: nothing was begun */
    job->done = retarget_source_done(links);
    source_close(links);
    return result;
}

/* A folder it must be: what changes are links in it. */
static int open_folder(struct job *job, const char *folder, struct error *err)
{
    int is_folder = tree_is_folder(folder, err);

    job->folder = folder;
    if (is_folder != 1) {
        err->kind = ERROR_USAGE;
        return is_folder < 0 ? -1 : error_set(err, ERROR_USAGE, NULL, "'%s' is no folder", folder);
    }
    if (tree_root_name(folder, &job->name, err) != 0)
        return -1;
    return mapping_real_path(folder, &job->real, err);
}

/* There is nothing to be undone. */
static void drop_journal(struct job *job)
{
    if (remove((const char *)job->journal.data) == 0)
        buffer_release(&job->journal);
}

static int remap(struct job *job, const struct text_list *operands, struct error *err)
{
    const struct remap_settings *s = job->settings;

    if (operands->count != 1)
        return error_set(err, ERROR_USAGE, NULL, "needs the FOLDER whose links are to change");
    if (!mapping_is_asked(&s->map))
        return error_set(err, ERROR_USAGE, NULL, "needs a rule: --map OLD=NEW");
    if (open_folder(job, operands->items[0], err) != 0 ||
        mapping_begin(&job->mapping, &job->settings->map, &job->report,
                      s->dry_run ? MAPPING_TABLE : MAPPING_COUNTS, err) != 0 ||
        make_list(job, err) != 0)
        return -1;
    if (s->dry_run || job->list.count == 0)
        return 0;
    if (write_journal(job, err) != 0)
        return -1;
    if (change(job, RETARGET_FORTH, err) == 0)
        return 0;
    if (err->kind == ERROR_USAGE)
        drop_journal(job);
    return -1;
}

/* All that undo does is in the journal. */
static int check_undo(const struct remap_settings *s, struct error *err)
{
    const struct filter_settings *f = &s->filter;

    if (mapping_is_asked(&s->map) || s->map.drives.here.count != 0)
        return error_set(err, ERROR_USAGE, NULL, "--undo takes its targets from the journal alone");
    if (f->rules.count + f->if_present.count + f->reparse.count != 0 || f->caches || f->nodump ||
        f->one_file_system)
        return error_set(err, ERROR_USAGE, NULL,
                         "--undo puts all back that is in the journal: nothing can be left out");
    if (s->journal != NULL)
        return error_set(err, ERROR_USAGE, NULL, "--undo and --journal exclude each other");
    return 0;
}

static int undo(struct job *job, const struct text_list *operands, struct error *err)
{
    struct buffer folder = {0};
    int result = -1;

    if (check_undo(job->settings, err) != 0)
        return -1;
    if (read_journal(job, &folder, err) == 0 &&
        open_folder(job, operands->count != 0 ? operands->items[0] : (const char *)folder.data,
                    err) == 0)
        result = change(job, RETARGET_BACK, err);
    job->folder = NULL; /* may have been the journal's */
    buffer_release(&folder);
    return result;
}

/* ---- The end ---- */

static void print_summary(const struct job *job)
{
    const struct remap_settings *s = job->settings;

    if (s->undo == NULL)
        mapping_print_summary(&job->mapping);
    if (s->undo != NULL || !s->dry_run) {
        fputs(s->dry_run ? "would change " : "changed ", stderr);
        print_count(stderr, changed(job), "link", "links");
        if (job->done != 0)
            fprintf(stderr, ", %" PRIu64 " had that target already", job->done);
        report_print_troubles(&job->report);
        fputc('\n', stderr);
    }
    if (job->journal.size != 0) {
        fputs("the old targets are in ", stderr);
        print_bytes(stderr, buffer_bytes(&job->journal));
        fputs("; holdfast remap --undo puts them back\n", stderr);
    }
}

static void json_summary(struct job *job, int status)
{
    struct json *j = &job->report.json;

    report_json_summary(&job->report, status);
    if (job->settings->undo == NULL)
        mapping_json_summary(&job->mapping);
    json_number(j, "changed", changed(job));
    json_number(j, "already", job->done);
    if (job->journal.size != 0)
        json_bytes(j, "journal", buffer_bytes(&job->journal));
    json_end(j);
}

static int run_remap(void *settings, const struct text_list *operands)
{
    struct job job = {.listener.pass = take_link, .settings = settings};
    struct error err = {0};
    int result, status;

    report_init(&job.report, "remap",
                (struct report_settings){.json = job.settings->common.json,
                                         .verbose = job.settings->common.verbose,
                                         .show_changes = job.settings->dry_run});
    table_init(&job.links, sizeof(struct remapped), sizeof(struct hash128));
    result = job.settings->undo != NULL ? undo(&job, operands, &err) : remap(&job, operands, &err);
    (void)fflush(stdout);
    status = report_end(&job.report, result == 0 ? NULL : &err,
                        changed(&job) == 0 ? NULL
                        : job.settings->undo != NULL
                            ? "Run the same command again: it goes on where this run stopped."
                            : "What was changed until then stays; --undo with the journal takes it "
                              "back.");
    if (job.settings->common.json)
        json_summary(&job, status);
    else if (result == 0 || job.journal.size != 0)
        print_summary(&job);
    mapping_release(&job.mapping);
    retargets_release(&job.list);
    table_release(&job.links);
    buffer_release(&job.name);
    buffer_release(&job.real);
    buffer_release(&job.journal);
    report_release(&job.report);
    error_release(&err);
    return status;
}

static void release_settings(void *settings)
{
    struct remap_settings *s = settings;

    map_settings_release(&s->map);
    filter_settings_release(&s->filter);
}

#define SETTING(member) offsetof(struct remap_settings, member)
static const struct option_spec remap_specs[] = {
    {"undo", 0, OPTION_TEXT, SETTING(undo), "JOURNAL",
     "put the old targets back, byte for byte; what has changed since is named and left as it is"},
    {"journal", 0, OPTION_TEXT, SETTING(journal), "FILE",
     "where to write the old targets, default holdfast-remap.journal in the current folder"},
    {"dry-run", 'n', OPTION_FLAG, SETTING(dry_run), NULL,
     "print a table of all links: old target, new target, whether it is there; change nothing"},
    {"clear-flags", 0, OPTION_FLAG, SETTING(clear_flags), NULL,
     "take immutable and append-only flags off folders for the time of the run"},
    {"no-sync", 0, OPTION_FLAG, SETTING(no_sync), NULL,
     "do not wait until everything is on the disk"},
};

static const struct option_group remap_groups[] = {
    MAP_OPTION_GROUP(struct remap_settings, map, MAP_SPECS_IN_PLACE),
    {.title = "Options", .specs = remap_specs, .count = sizeof remap_specs / sizeof remap_specs[0]},
    {.title = "What to leave out",
     .specs = filter_specs,
     .count = FILTER_SPEC_COUNT,
     .offset = SETTING(filter)},
    COMMON_OPTION_GROUP,
};

const struct command command_remap = {
    .name = "remap",
    .synopsis = "[OPTION]... FOLDER | --undo JOURNAL [FOLDER]",
    .summary = "give links other targets, in place, and take that back",
    .text =
        "Changes the targets of all links below FOLDER that lead to OLD, or below it, so that they "
        "lead to NEW: symbolic links, and on NTFS volumes junctions, mount points and Windows' "
        "symbolic links with both of their names. Whole names are compared: C:\\foo has nothing to "
        "do with C:\\foobar. Relative links are left alone. Each link is made anew beside the old "
        "one and put in its place, with its times, owner and attributes; names of one link stay "
        "one.\n\n"
        "The old targets are written to a journal before the first link changes. --undo plays it "
        "back, also after a run that was cut short; FOLDER says where the tree is if it has moved.",
    .examples = "holdfast remap --map /mnt/old=/mnt/new --dry-run ~/projects\n"
                "holdfast remap --map 'C:\\=D:\\' /mnt/win\n"
                "holdfast remap --undo holdfast-remap.journal",
    .options = {remap_groups, sizeof remap_groups / sizeof remap_groups[0]},
    .settings_bytes = sizeof(struct remap_settings),
    .minimum = 0,
    .maximum = 1,
    .operand_help = "needs one FOLDER whose links are to change",
    .run = run_remap,
    .release = release_settings,
};
