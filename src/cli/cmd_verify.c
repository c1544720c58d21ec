/*
 * cmd_verify.c: `holdfast verify`: an archive by itself, or two trees against each other.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/check.h"
#include "cli/command.h"
#include "cli/findings.h"
#include "cli/kept_filters.h"
#include "cli/mapping.h"
#include "cli/print.h"
#include "cli/tree.h"

struct verify_settings {
    struct common_settings common;
    struct filter_settings filter;
    struct map_settings map;
    const char *root, *windows_names;
    struct text_list bases;
    bool no_data, owner;
};

/* One comparison. */
struct verification {
    struct verify_settings *settings;
    struct buffer kept; /* what filters of an archive point into */
    struct report report;
    struct tree a, b;
    struct diff *diff;
    uint64_t entries, bytes;
    struct findings findings;
    struct mapping mapping;
    const char *const *operands; /* A and B */
    struct bytes root;           /* the path that --root chooses, which the trees borrow */
};

/* ---- Contents ---- */

/* Can the content of this entry be read now? In an archive it stands at the first name. */
static bool can_open(const struct tree *t, const struct entry *e)
{
    return !e->has_data_hash && (!t->is_archive || !entry_is_further_name(e));
}

/* The hash of one side's content: 1, 0 if it is not to be had, -1. */
static int side_hash(struct tree *t, const struct entry *e, struct hash128 *hash, struct error *err)
{
    struct data *data = NULL;
    int result;

    if (e->has_data_hash) {
        *hash = e->data_hash;
        return 1;
    }
    if (!can_open(t, e))
        return 0;
    if (source_open_data(t->source, &data, err) != 0)
        return -1;
    result = data_hash(data, hash, err) == 0 ? 1 : -1;
    data_close(data);
    return result;
}

/* Compares by hashes, where one side has no more than that: 1 equal, 0 not, -1. */
static int compare_hashes(struct verification *v, const struct difference_pair *pair,
                          struct error *err)
{
    struct hash128 a, b;
    int has_a = side_hash(&v->a, pair->want, &a, err);
    int has_b = has_a < 0 ? -1 : side_hash(&v->b, pair->have, &b, err);

    if (has_a < 0 || has_b < 0)
        return -1;
    if (has_a == 0)
        has_a = diff_kept_hash(v->diff, DIFF_WANT, &a);
    if (has_b == 0)
        has_b = diff_kept_hash(v->diff, DIFF_HAVE, &b);
    return has_a == 0 || has_b == 0 || (a.low == b.low && a.high == b.high);
}

static int compare_contents(struct verification *v, const struct difference_pair *pair,
                            struct error *err)
{
    struct data *a = NULL, *b = NULL;
    int failed = 0, result = -1;

    if (!can_open(&v->a, pair->want) || !can_open(&v->b, pair->have))
        return compare_hashes(v, pair, err);
    if (source_open_data(v->a.source, &a, err) == 0 && source_open_data(v->b.source, &b, err) == 0)
        result = data_compare(a, b, &failed, err);
    data_close(a);
    data_close(b);
    return result;
}

static int check_data(struct verification *v, const struct difference_pair *pair, struct error *err)
{
    struct error trouble = {0};
    int equal = compare_contents(v, pair, &trouble);

    v->bytes += pair->want->size;
    v->report.watcher.progress(&v->report.watcher, 0, pair->want->size, pair->want->path);
    if (equal < 0 && trouble.kind == ERROR_FORMAT) {
        error_move(err, &trouble);
        return -1;
    }
    if (equal < 0)
        watcher_error(&v->report.watcher, pair->want->path, &trouble);
    else if (equal == 0)
        findings_tell_data(&v->findings, pair->want->path);
    error_release(&trouble);
    return 0;
}

/* A first name without a partner: its content may be needed when another name of the file has one.
 */
static int keep_hash(struct verification *v, const struct difference_pair *pair, struct error *err)
{
    struct tree *t = pair->want != NULL ? &v->a : &v->b;
    const struct entry *e = pair->want != NULL ? pair->want : pair->have;
    struct hash128 hash;

    if (v->settings->no_data || !t->is_archive || e->kind != ENTRY_FILE || !e->shared ||
        entry_is_further_name(e))
        return 0;
    if (side_hash(t, e, &hash, err) != 1)
        return -1;
    return diff_keep_hash(v->diff, pair->want != NULL ? DIFF_WANT : DIFF_HAVE, hash, err);
}

/* ---- Pairs ---- */

static void tell_problems(struct verification *v, const struct difference_pair *pair)
{
    if (pair->want != NULL && pair->want->problem_scope != PROBLEM_NONE)
        watcher_error(&v->report.watcher, pair->want->path, pair->want->problem);
    if (pair->have != NULL && pair->have->problem_scope != PROBLEM_NONE)
        watcher_error(&v->report.watcher, pair->have->path, pair->have->problem);
}

/* A folder of the root's own name, directly in it and on one side alone: `restore` made it, and the
 * one that holds it was given to verify. */
static void hint_at_root(struct verification *v, const struct difference_pair *pair)
{
    bool extra = (pair->differs & DIFFERS_EXTRA) != 0;
    const struct entry *e = extra ? pair->have : pair->want;
    const char *what = v->operands[extra];
    struct bytes name = entry_name(e);
    char text[300];

    if (e->depth != 1 || e->kind != ENTRY_DIRECTORY || !bytes_equal(path_parent(e->path), name))
        return;
    (void)snprintf(text, sizeof text, "it holds '%.*s': did you mean %s/%.*s?", (int)name.size,
                   (const char *)name.data, what, (int)name.size, (const char *)name.data);
    watcher_remark(&v->report.watcher, bytes_of(what), text);
}

static int check_pair(struct verification *v, const struct difference_pair *pair, struct error *err)
{
    const struct entry *e = pair->want != NULL ? pair->want : pair->have;

    v->entries++;
    v->report.watcher.progress(&v->report.watcher, 1, 0, e->path);
    tell_problems(v, pair);
    if ((pair->differs & DIFFERS_UNREADABLE) != 0)
        return 0;
    findings_tell_pair(&v->findings, pair);
    if ((pair->differs & (DIFFERS_MISSING | DIFFERS_EXTRA)) != 0) {
        hint_at_root(v, pair);
        return keep_hash(v, pair, err);
    }
    if ((pair->differs & DIFFERS_DATA_UNKNOWN) != 0 && !v->settings->no_data)
        return check_data(v, pair, err);
    return 0;
}

/* The coarser grain of both sides' times; if it is not that of all file systems, it is said. */
static uint64_t time_grain(struct verification *v)
{
    uint64_t a = source_facts(v->a.source)->time_grain_ns;
    uint64_t b = source_facts(v->b.source)->time_grain_ns;
    uint64_t grain = a > b ? a : b;

    if (grain > 1)
        watcher_remark(&v->report.watcher, (struct bytes){NULL, 0},
                       grain == 100 ? "times are compared to a ten-millionth of a second: the "
                                      "archive holds no finer ones"
                                    : "times are compared in whole seconds: the archive holds no "
                                      "finer ones");
    return grain;
}

static int compare_trees(struct verification *v, struct error *err)
{
    struct diff_options options = {.time_grain_ns = time_grain(v)};
    const struct difference_pair *pair;
    int more;

    if (!os_is_privileged() && !v->settings->owner) {
        options.ignore_fields = METADATA_OWNER | METADATA_GROUP;
        watcher_remark(&v->report.watcher, (struct bytes){NULL, 0},
                       "owners are not compared for an ordinary user; --owner compares them");
    }
    if (diff_new(v->a.source, v->b.source, &options, &v->diff, err) != 0)
        return -1;
    while ((more = diff_next(v->diff, &pair, err)) == 1) {
        if (os_stop_requested() != 0)
            return error_set(err, ERROR_INTERRUPTED, "verify", "stopped");
        if (check_pair(v, pair, err) != 0)
            return -1;
    }
    return more;
}

/* ---- Opening ---- */

/* The root of an archive that a folder is compared with: the only one, or the one that --root
 * names. */
static int archive_root(const struct verify_settings *s, const struct tree *t, const char **out,
                        struct error *err)
{
    const struct source_facts *facts = source_facts(t->source);

    for (size_t i = 0; s->root != NULL && i < facts->root_count; i++) {
        if (strcmp(facts->roots[i].name, s->root) == 0) {
            *out = facts->roots[i].name;
            return 0;
        }
    }
    if (s->root != NULL)
        return error_set(err, ERROR_USAGE, NULL,
                         "the archive has no root '%s'; `holdfast list` shows its roots", s->root);
    if (facts->root_count != 1)
        return error_set(err, ERROR_USAGE, NULL,
                         "the archive has %zu roots: say with --root NAME which one the folder is",
                         facts->root_count);
    *out = facts->roots[0].name;
    return 0;
}

/* Two archives are compared root by root, by name; with none in common all would be missing and
 * extra. */
static int check_common_root(const struct tree *a, const struct tree *b, struct error *err)
{
    const struct source_facts *x = source_facts(a->source), *y = source_facts(b->source);

    for (size_t i = 0; i < x->root_count; i++) {
        for (size_t k = 0; k < y->root_count; k++) {
            if (strcmp(x->roots[i].name, y->roots[k].name) == 0)
                return 0;
        }
    }
    if (x->root_count == 0 || y->root_count == 0)
        return 0;
    return error_set(err, ERROR_USAGE, NULL,
                     "the two have no root in common: A begins with '%s', B with '%s'",
                     x->roots[0].name, y->roots[0].name);
}

/* What the backup left out is not missed in the archive. */
static int take_kept_filters(struct verification *v, const struct tree *t, const char *archive,
                             struct error *err)
{
    struct kept_in in = {t, archive, &v->report.watcher};
    int found = kept_filters_recall(&in, &v->settings->filter, &v->kept, err);

    if (found == 1)
        watcher_remark(&v->report.watcher, bytes_of(archive),
                       "it was made with filters: what they leave out is not compared");
    return found < 0 ? -1 : 0;
}

/* Opens both sides so that their entries have the same paths. */
static int open_both(struct verification *v, const struct text_list *operands, struct error *err)
{
    const struct verify_settings *s = v->settings;
    struct tree_options options = {.filter = &s->filter,
                                   .contents = !s->no_data,
                                   .plain_files = true,
                                   .watcher = &v->report.watcher};
    struct tree *sides[2] = {&v->a, &v->b};
    struct buffer name = {0};
    int archives[2], first, unescapes = tree_unescapes(s->windows_names, err), result = -1;

    if (unescapes < 0)
        return -1;
    options.unescape_names = unescapes == 1;

    for (int i = 0; i < 2; i++) {
        archives[i] = tree_reads_archive(operands->items[i], &options, err);
        if (archives[i] < 0) {
            err->kind = ERROR_USAGE;
            return -1;
        }
    }
    first = !archives[0] && archives[1]; /* an archive first: it knows the root's name */
    if (s->root != NULL) {
        v->root = bytes_of(s->root);
        options.paths = &v->root;
        options.path_count = 1;
        options.root_name = s->root;
    } else if (!archives[0] && !archives[1]) {
        if (tree_root_name(operands->items[0], &name, err) != 0)
            goto done;
        options.root_name = (const char *)name.data;
    }
    if (tree_open(sides[first], operands->items[first], &options, err) != 0)
        goto done;
    if (archives[0] != archives[1] &&
        (archive_root(s, sides[first], &options.root_name, err) != 0 ||
         take_kept_filters(v, sides[first], operands->items[first], err) != 0))
        goto done;
    result = tree_open(sides[!first], operands->items[!first], &options, err);
    if (result == 0 && archives[0] && archives[1])
        result = check_common_root(&v->a, &v->b, err);
done:
    buffer_release(&name);
    return result;
}

/* Gives the links of A the targets that a restore or mirror with the same rules gave them. */
static int map_reference(struct verification *v, const struct text_list *operands,
                         struct error *err)
{
    const struct source_facts *facts = source_facts(v->a.source);
    struct buffer place = {0};
    int result;

    if (!mapping_is_asked(&v->settings->map))
        return 0;
    if (v->settings->map.rebase && v->b.is_archive)
        return error_set(err, ERROR_USAGE, NULL,
                         "--rebase needs the folder that links were rebased to, last");
    result = mapping_begin(&v->mapping, &v->settings->map, &v->report, MAPPING_REMARKS, err);
    if (result == 0 && !v->b.is_archive)
        result = mapping_real_path(operands->items[1], &place, err);
    for (size_t i = 0; result == 0 && place.size != 0 && i < facts->root_count; i++) {
        if (v->settings->root == NULL || strcmp(v->settings->root, facts->roots[i].name) == 0)
            result = mapping_add_root(&v->mapping, facts->roots[i].name,
                                      facts->roots[i].absolute_path, (const char *)place.data, err);
    }
    buffer_release(&place);
    return result == 0 ? mapping_wrap(&v->mapping, REMAP_ACROSS, &v->a.source, err) : -1;
}

/* ---- The end ---- */

static void print_result(const struct verification *v)
{
    char size[32];

    if (findings_count(&v->findings) == 0 && v->report.errors != 0)
        fputs("no difference in what could be read: ", stdout);
    else
        findings_print_summary(&v->findings);
    print_count(stdout, v->entries, "entry", "entries");
    if (v->settings->no_data)
        printf(", contents not compared\n");
    else
        printf(", %s compared\n", print_size(size, sizeof size, v->bytes));
}

static void json_result(struct verification *v, int status)
{
    report_json_summary(&v->report, status);
    json_number(&v->report.json, "entries", v->entries);
    json_number(&v->report.json, "bytes", v->bytes);
    findings_json_summary(&v->findings);
    json_end(&v->report.json);
}

static int verify_trees(struct verification *v, const struct text_list *operands)
{
    struct error err = {0};
    int result, status;

    v->operands = operands->items;
    result = open_both(v, operands, &err) == 0 && map_reference(v, operands, &err) == 0
                 ? compare_trees(v, &err)
                 : -1;
    status = report_end(&v->report, result == 0 ? NULL : &err,
                        "What was compared until then is told above; the rest is not known.");

    if (status == EXIT_EXACT && findings_count(&v->findings) != 0)
        status = EXIT_INEXACT;
    if (v->settings->common.json)
        json_result(v, status);
    else if (result == 0)
        print_result(v);
    diff_free(v->diff);
    tree_close(&v->a);
    tree_close(&v->b);
    mapping_release(&v->mapping);
    buffer_release(&v->kept);
    error_release(&err);
    return status;
}

/* Opens what is to be checked by itself. Borrows standard input for "-". */
static int open_alone(const char *archive, os_handle *out, struct error *err)
{
    struct os_stat status;

    *out = os_stdin();
    if (strcmp(archive, "-") == 0)
        return 0;
    if (os_stat_path(archive, true, &status, err) != 0)
        return -1;
    if (status.kind == OS_DIRECTORY)
        return error_set(err, ERROR_USAGE, NULL,
                         "is a folder; name a second one, or an archive, to compare it with");
    return os_open_path(archive, out, err);
}

/* What asks for something to be compared would be passed over in silence. */
static int check_alone(const struct verify_settings *s, struct error *err)
{
    const struct filter_settings *f = &s->filter;
    bool filters = f->rules.count + f->if_present.count + f->reparse.count != 0 || f->caches ||
                   f->nodump || f->one_file_system;

    if (!filters && !mapping_is_asked(&s->map) && s->map.drives.here.count == 0 &&
        s->root == NULL && s->windows_names == NULL && !s->no_data && !s->owner)
        return 0;
    return error_set(
        err, ERROR_USAGE, NULL,
        "an archive alone is read whole and proved: of the options that choose what is "
        "compared none goes with it");
}

static int verify_archive(struct verification *v, const char *archive)
{
    const struct text_list *paths = &v->settings->bases;
    struct bases_places places = {archive, paths->items, paths->count};
    struct check_counts counts = {0};
    struct error err = {0};
    os_handle handle;
    char size[32];
    int result, status;

    result = check_alone(v->settings, &err);
    if (result == 0)
        result = open_alone(archive, &handle, &err);
    if (result != 0)
        err.kind = ERROR_USAGE;
    else
        result = check_archive(handle, handle != os_stdin() ? &places : NULL, &v->report.watcher,
                               &counts, &err);
    (void)error_at(&err, archive, strlen(archive));
    status = report_end(&v->report, result == 0 ? NULL : &err, NULL);
    if (result != 0 && err.kind == ERROR_FORMAT)
        status = EXIT_INEXACT; /* damage is what verify looks for */
    if (v->settings->common.json) {
        report_json_summary(&v->report, status);
        json_number(&v->report.json, "entries", counts.entries);
        json_number(&v->report.json, "bytes", counts.bytes);
        json_end(&v->report.json);
    } else if (result == 0) {
        fputs(status == EXIT_EXACT ? "whole: " : "whole in itself: ", stdout);
        print_count(stdout, counts.entries, "entry", "entries");
        printf(", %s of files%s\n", print_size(size, sizeof size, counts.bytes),
               counts.is_ours
                   ? ""
                   : "; not one of ours: only what its own format checks could be checked");
    }
    error_release(&err);
    return status;
}

static int run_verify(void *settings, const struct text_list *operands)
{
    struct verification v = {
        .settings = settings, .a = {.spool = OS_NO_HANDLE}, .b = {.spool = OS_NO_HANDLE}};
    int status;

    report_init(&v.report, "verify",
                (struct report_settings){.json = v.settings->common.json,
                                         .verbose = v.settings->common.verbose});
    v.findings.report = &v.report;
    status =
        operands->count == 1 ? verify_archive(&v, operands->items[0]) : verify_trees(&v, operands);
    report_release(&v.report);
    return status;
}

static void release_settings(void *settings)
{
    struct verify_settings *s = settings;

    filter_settings_release(&s->filter);
    map_settings_release(&s->map);
    text_list_release(&s->bases);
}

static const struct option_spec verify_specs[] = {
    {"no-data", 0, OPTION_FLAG, offsetof(struct verify_settings, no_data), NULL,
     "compare structure and metadata, not contents"},
    {"root", 0, OPTION_TEXT, offsetof(struct verify_settings, root), "NAME",
     "which root of an archive the folder is compared with"},
    BASE_OPTION(struct verify_settings, bases),
    WINDOWS_NAMES_OPTION(struct verify_settings, windows_names),
    {"owner", 0, OPTION_FLAG, offsetof(struct verify_settings, owner), NULL,
     "compare owners as an ordinary user, too"},
};

static const struct option_group verify_groups[] = {
    {.title = "Options",
     .specs = verify_specs,
     .count = sizeof verify_specs / sizeof verify_specs[0]},
    MAP_OPTION_GROUP(struct verify_settings, map, MAP_SPEC_COUNT),
    {.title = "What to leave out",
     .specs = filter_specs,
     .count = FILTER_SPEC_COUNT,
     .offset = offsetof(struct verify_settings, filter)},
    COMMON_OPTION_GROUP,
};

const struct command command_verify = {
    .name = "verify",
    .synopsis = "[OPTION]... A [B]",
    .summary = "compare two trees, links in both directions; or prove an archive",
    .text =
        "Compares B with A, the reference; each is a folder or an archive. Every difference is "
        "named: missing, extra, kind, data, target, joined (one file in B, not in A), "
        "split (one file in A, not in B), metadata by field. With A alone, an archive, it "
        "reads all of it and checks that it is whole. With the --map and --rebase of a restore, "
        "the links of A are taken to lead where that restore let them lead. Exit status 0: equal "
        "or whole; 1: "
        "differences or damage.",
    .examples = "holdfast verify projects.tar.zst ~/projects\n"
                "holdfast verify ~/projects /mnt/new/projects\n"
                "holdfast verify projects.tar.zst",
    .options = {verify_groups, sizeof verify_groups / sizeof verify_groups[0]},
    .settings_bytes = sizeof(struct verify_settings),
    .minimum = 1,
    .maximum = 2,
    .operand_help = "needs an archive to check, or two trees to compare: A [B]",
    .run = run_verify,
    .release = release_settings,
};
