/*
 * cmd_mirror.c: `holdfast mirror`: one folder made equal to another.
 */
#include <stdio.h>
#include <string.h>

#include "cli/changes.h"
#include "cli/changing.h"
#include "cli/command.h"
#include "cli/mapping.h"
#include "cli/tree.h"
#include "disk/nearest.h"
#include "disk/transfer.h"

struct mirror_settings {
    struct common_settings common;
    struct filter_settings filter;
    struct changing_settings changing;
    struct map_settings map;
    struct option_number max_delete;
    const char *reflink;
    bool delete_extra, allow_empty;
};

/* One mirror on its way. */
struct mirror {
    struct mirror_settings *settings;
    const char *source, *destination;
    struct report report;
    struct tree tree;
    struct buffer root_name;
    struct disk_root root;
    struct filter_options spare;
    struct transfer transfer;
    struct transfer_redirects redirects; /* of --keep-redirects */
    struct mapping mapping;
    bool is_first; /* there is nothing in the destination */
};

static const char *const reflink_words[] = {
    [REFLINK_AUTO] = "auto", [REFLINK_ALWAYS] = "always", [REFLINK_NEVER] = "never"};

/* ---- What may not be ---- */

static int check_settings(struct mirror *m, struct error *err)
{
    const struct mirror_settings *s = m->settings;

    if (changing_choose(&s->changing, &m->redirects, &m->transfer.options, err) != 0 ||
        option_word_check("reflink", s->reflink, reflink_words, 3, err) != 0)
        return -1;
    if (s->max_delete.is_set && s->max_delete.value < 0)
        return error_set(err, ERROR_USAGE, NULL, "--max-delete takes a number, 0 or more");
    if (s->max_delete.is_set && !s->delete_extra)
        return error_set(err, ERROR_USAGE, NULL, "--max-delete goes with --delete");
    return 0;
}

static int is_empty(os_handle folder, struct error *err)
{
    struct os_listing names = {0};
    int result = os_list(folder, &names, err);
    size_t count = names.count;

    os_listing_release(&names);
    return result != 0 ? -1 : count == 0;
}

/* A source that lost its content, or a disk that is not mounted, must not empty a copy (SAFETY
 * R10). */
static int check_emptied(const struct mirror *m, os_handle source, struct error *err)
{
    int empty;

    if (!m->settings->delete_extra || m->settings->allow_empty || m->is_first)
        return 0;
    empty = is_empty(source, err);
    if (empty != 1)
        return empty;
    return error_set(err, ERROR_USAGE, NULL,
                     "'%s' is empty, and --delete would empty '%s': is its disk mounted? "
                     "--allow-empty does it",
                     m->source, m->destination);
}

/* What is written must not be what is read, whatever names and mounts lead there. */
static int check_apart(const struct mirror *m, os_handle source, os_handle destination,
                       bool is_there, struct error *err)
{
    int common = is_there ? os_folders_overlap(source, destination, err)
                          : os_folder_is_below(destination, source, err);

    if (common <= 0)
        return common;
    return error_set(err, ERROR_USAGE, NULL,
                     "'%s' and '%s' are the same folder, or one lies in the other", m->source,
                     m->destination);
}

static int check_places(struct mirror *m, struct error *err)
{
    os_handle source = OS_NO_HANDLE, destination = OS_NO_HANDLE;
    int result = -1, empty;
    size_t there;

    if (os_open_root(m->source, &source, err) != 0) {
        (void)error_at(err, m->source, strlen(m->source));
        goto out;
    }
    if (nearest_open(m->destination, &there, &destination, err) != 0) {
        (void)error_at(err, m->destination, strlen(m->destination));
        goto out;
    }
    bool is_there = m->destination[there] == '\0';
    empty = is_there ? is_empty(destination, err) : 1;
    m->is_first = empty == 1;
    if (empty >= 0 && check_apart(m, source, destination, is_there, err) == 0)
        result = check_emptied(m, source, err);
out:
    if (result != 0)
        err->kind = ERROR_USAGE; /* nothing was changed yet */
    os_close(source);
    os_close(destination);
    return result;
}

/* ---- The run ---- */

static int open_source(struct mirror *m, struct error *err)
{
    const struct tree_options options = {.filter = &m->settings->filter,
                                         .watcher = &m->report.watcher};
    const struct disk_root root = {.name = (const char *)m->root_name.data, .place = m->source};
    const struct disk_layout source = {.roots = &root, .root_count = 1};

    m->root = (struct disk_root){.name = root.name, .place = m->destination};
    m->transfer.layout = (struct disk_layout){.roots = &m->root, .root_count = 1};
    if (tree_open_layout(&m->tree, &source, &options, err) != 0)
        return error_at(err, m->source, strlen(m->source));
    /* A first copy has more to make than to look at, and the writers take the cores. */
    if (!m->is_first && m->transfer.options.jobs != 1)
        return tree_read_ahead(&m->tree, &source, &options, err);
    return 0;
}

/* Puts the rules for links round the source. */
static int map_links(struct mirror *m, struct error *err)
{
    struct map_settings *s = &m->settings->map;
    enum mapping_use use = m->settings->changing.dry_run ? MAPPING_TABLE : MAPPING_COUNTS;
    struct buffer place = {0};
    int result = -1;

    if (!mapping_is_asked(s))
        return 0;
    /* Links to the source itself are told to have lost nothing: it is there. */
    const char *old = s->rebase ? source_facts(m->tree.source)->roots[0].absolute_path : NULL;
    if (mapping_begin(&m->mapping, s, &m->report, use, err) == 0 &&
        mapping_real_path(m->destination, &place, err) == 0 &&
        mapping_add_root(&m->mapping, m->root.name, old, (const char *)place.data, err) == 0)
        result = mapping_wrap(&m->mapping, REMAP_ACROSS, &m->tree.source, err);
    buffer_release(&place);
    return result;
}

static void choose_options(struct mirror *m)
{
    const struct mirror_settings *s = m->settings;
    struct transfer_options *o = &m->transfer.options;

    o->reflink = (enum transfer_reflink)option_word(s->reflink, reflink_words, 3);
    o->delete_extra = s->delete_extra;
    o->limits_deletes = s->max_delete.is_set;
    o->max_delete = (uint64_t)s->max_delete.value;
    if (s->filter.rules.count != 0) {
        m->spare.rules = s->filter.rules.items;
        m->spare.rule_count = s->filter.rules.count;
        o->spare = &m->spare;
    }
    if (m->tree.reparse.count != 0)
        o->spare_reparse = &m->tree.reparse;
    m->transfer.watcher = &m->report.watcher;
    changing_leave_owners(&s->changing, &m->transfer);
}

static int check_source(const struct mirror *m, struct error *err)
{
    int folder = tree_is_folder(m->source, err);

    if (folder == 0)
        return error_set(err, ERROR_USAGE, NULL, "'%s' is no folder", m->source);
    if (folder < 0)
        err->kind = ERROR_USAGE;
    return folder < 0 ? -1 : 0;
}

static int mirror(struct mirror *m, struct error *err)
{
    if (check_settings(m, err) != 0 || check_source(m, err) != 0 ||
        tree_check_destination(m->destination, err) != 0 || check_places(m, err) != 0 ||
        tree_root_name(m->source, &m->root_name, err) != 0 || open_source(m, err) != 0 ||
        map_links(m, err) != 0)
        return -1;
    choose_options(m);
    if (transfer_run(&m->transfer, m->tree.source, err) != 0) {
        if (err->kind == ERROR_REFUSED && !changes_any(&m->transfer))
            err->kind = ERROR_USAGE;
        return -1;
    }
    tree_tell_reparse(&m->tree, TREE_TAGS_SKIPPED, &m->report.watcher);
    return m->mapping.use == MAPPING_TABLE
               ? mapping_tell(&m->mapping, m->tree.source, MAPPING_SHOW, err)
               : 0;
}

static void tell_summary(struct mirror *m, int result, int status)
{
    const struct changes_words words = {m->settings->changing.dry_run ? "would mirror" : "mirrored",
                                        "source"};

    if (m->settings->common.json) {
        changes_json(&m->transfer, &m->report, status);
        if (mapping_is_asked(&m->settings->map))
            mapping_json_summary(&m->mapping);
        json_end(&m->report.json);
    } else if (result == 0) {
        changes_print(&m->transfer, &words, &m->report);
        mapping_print_summary(&m->mapping);
    }
}

static int run_mirror(void *settings, const struct text_list *operands)
{
    struct mirror m = {.settings = settings,
                       .source = operands->items[0],
                       .destination = operands->items[1],
                       .redirects = {.apart_from = operands->items[0]},
                       .tree = {.spool = OS_NO_HANDLE}};
    struct error err = {0};
    int result, status;

    m.redirects.drives = &m.settings->map.drives;
    report_init(&m.report, "mirror",
                (struct report_settings){.json = m.settings->common.json,
                                         .verbose = m.settings->common.verbose,
                                         .show_changes = m.settings->changing.dry_run});
    result = mirror(&m, &err);
    status = report_end(&m.report, result == 0 ? NULL : &err,
                        changes_any(&m.transfer)
                            ? "What was mirrored until then stays. Run the same command again: it "
                              "goes on where this run stopped."
                            : NULL);
    tell_summary(&m, result, status);
    tree_close(&m.tree);
    mapping_release(&m.mapping);
    buffer_release(&m.root_name);
    report_release(&m.report);
    error_release(&err);
    return status;
}

static void release_settings(void *settings)
{
    struct mirror_settings *s = settings;

    filter_settings_release(&s->filter);
    map_settings_release(&s->map);
}

#define SETTING(member) offsetof(struct mirror_settings, member)
static const struct option_spec mirror_specs[] = {
    {"delete", 0, OPTION_FLAG, SETTING(delete_extra), NULL,
     "remove what the source lacks; let folders with content give way to other kinds"},
    {"max-delete", 0, OPTION_NUMBER, SETTING(max_delete), "N",
     "delete nothing if more than N names would go"},
    {"allow-empty", 0, OPTION_FLAG, SETTING(allow_empty), NULL,
     "let --delete empty DEST if SOURCE is empty"},
    {"reflink", 0, OPTION_TEXT, SETTING(reflink), "WHEN",
     "share blocks with the source: auto (default: where the file system can), always (else it is "
     "an error) or never"},
};

static const struct option_group mirror_groups[] = {
    {.title = "Options",
     .specs = mirror_specs,
     .count = sizeof mirror_specs / sizeof mirror_specs[0]},
    CHANGING_OPTION_GROUP(struct mirror_settings, changing),
    {.title = "What is left out, and stays as it is in DEST",
     .specs = filter_specs,
     .count = FILTER_SPARING_COUNT,
     .offset = SETTING(filter)},
    MAP_OPTION_GROUP(struct mirror_settings, map, MAP_SPEC_COUNT),
    COMMON_OPTION_GROUP,
};

const struct command command_mirror = {
    .name = "mirror",
    .synopsis = "[OPTION]... SOURCE DEST",
    .summary = "make a folder equal to another one, links as links, from whatever state",
    .text =
        "Makes the folder DEST equal to the folder SOURCE: what is in SOURCE comes to stand "
        "directly in DEST. Names that are one file in SOURCE are one file in DEST and no others; "
        "links are copied as links, byte for byte. What differs is replaced, never written "
        "through; what SOURCE lacks stays unless --delete is given. A second run does nothing. "
        "A file is taken for unchanged if size and time agree and it has not been touched in "
        "SOURCE since it was copied; --checksum reads all. Links keep their targets unless --map "
        "or "
        "--rebase says otherwise. SOURCE and DEST may be links to folders; they must not be the "
        "same folder or lie in each other.",
    .examples = "holdfast mirror /home/me/projects /mnt/usb/projects\n"
                "holdfast mirror --delete --dry-run /home/me/projects /mnt/usb/projects\n"
                "holdfast mirror --rebase --dry-run /data /mnt/new/data\n"
                "holdfast mirror --delete --exclude '*.o' --max-delete 1000 work /mnt/usb/work",
    .options = {mirror_groups, sizeof mirror_groups / sizeof mirror_groups[0]},
    .settings_bytes = sizeof(struct mirror_settings),
    .minimum = 2,
    .maximum = 2,
    .operand_help = "needs a SOURCE and, last, the folder to make equal to it",
    .run = run_mirror,
    .release = release_settings,
};
