/*
 * cmd_mirror.c: `holdfast mirror`: one folder made equal to another.
 */
#include <stdio.h>
#include <string.h>

#include "cli/changes.h"
#include "cli/command.h"
#include "cli/mapping.h"
#include "cli/mirroring.h"

struct mirror_settings {
    struct common_settings common;
    struct mirroring_settings mirroring;
    struct map_settings map;
    struct option_number max_delete;
    struct text_list link_dest;
    bool delete_extra, allow_empty;
};

/* One mirror on its way. */
struct mirror {
    struct mirror_settings *settings;
    struct report report;
    struct mirroring run;
    struct mapping mapping;
};

/* ---- What may not be ---- */

static int check_settings(const struct mirror_settings *s, struct error *err)
{
    if (s->max_delete.is_set && s->max_delete.value < 0)
        return error_set(err, ERROR_USAGE, NULL, "--max-delete takes a number, 0 or more");
    if (s->max_delete.is_set && !s->delete_extra)
        return error_set(err, ERROR_USAGE, NULL, "--max-delete goes with --delete");
    return 0;
}

/* A source that lost its content, or a disk that is not mounted, must not empty a copy (SAFETY
 * R10). */
static int check_emptied(const struct mirror *m, struct error *err)
{
    int empty;

    if (!m->settings->delete_extra || m->settings->allow_empty || m->run.is_first)
        return 0;
    empty = mirroring_is_empty(m->run.source, err);
    if (empty != 1)
        return empty;
    return error_set(err, ERROR_USAGE, NULL,
                     "'%s' is empty, and --delete would empty '%s': is its disk mounted? "
                     "--allow-empty does it",
                     m->run.source, m->run.destination);
}

/* ---- The run ---- */

static int add_older(struct mirror *m, struct error *err)
{
    const struct text_list *places = &m->settings->link_dest;

    for (size_t i = 0; i < places->count; i++) {
        const struct transfer_older older = {.place = places->items[i]};
        if (mirroring_add_older(&m->run, &older, err) != 0)
            return -1;
    }
    return 0;
}

/* Puts the rules for links round the source. */
static int map_links(struct mirror *m, struct error *err)
{
    struct map_settings *s = &m->settings->map;
    struct source **source = &m->run.tree.source;
    enum mapping_use use = m->settings->mirroring.changing.dry_run ? MAPPING_TABLE : MAPPING_COUNTS;
    struct buffer place = {0};
    int result = -1;

    if (!mapping_is_asked(s))
        return 0;
    /* Links to the source itself are told to have lost nothing: it is there. */
    const char *old = s->rebase ? source_facts(*source)->roots[0].absolute_path : NULL;
    if (mapping_begin(&m->mapping, s, &m->report, use, err) == 0 &&
        mapping_real_path(m->run.destination, &place, err) == 0 &&
        mapping_add_root(&m->mapping, m->run.root.name, old, (const char *)place.data, err) == 0)
        result = mapping_wrap(&m->mapping, REMAP_ACROSS, source, err);
    buffer_release(&place);
    return result;
}

static int mirror(struct mirror *m, struct error *err)
{
    const struct mirror_settings *s = m->settings;
    struct transfer_options *o = &m->run.transfer.options;

    o->delete_extra = s->delete_extra;
    o->limits_deletes = s->max_delete.is_set;
    o->max_delete = (uint64_t)s->max_delete.value;
    if (mirroring_choose(&m->run, err) != 0 || check_settings(s, err) != 0 ||
        tree_check_destination(m->run.destination, err) != 0 ||
        mirroring_check_places(&m->run, err) != 0 || check_emptied(m, err) != 0 ||
        add_older(m, err) != 0 || mirroring_open(&m->run, err) != 0 || map_links(m, err) != 0 ||
        mirroring_run(&m->run, err) != 0)
        return -1;
    return m->mapping.use == MAPPING_TABLE
               ? mapping_tell(&m->mapping, m->run.tree.source, MAPPING_SHOW, err)
               : 0;
}

static void tell_summary(struct mirror *m, int result, int status)
{
    bool dry_run = m->settings->mirroring.changing.dry_run;
    const struct changes_words words = {dry_run ? "would mirror" : "mirrored", "source"};

    if (m->settings->common.json) {
        changes_json(&m->run.transfer, &m->report, status);
        if (mapping_is_asked(&m->settings->map))
            mapping_json_summary(&m->mapping);
        json_end(&m->report.json);
    } else if (result == 0) {
        changes_print(&m->run.transfer, &words, &m->report);
        mapping_print_summary(&m->mapping);
    }
}

static int run_mirror(void *settings, const struct text_list *operands)
{
    struct mirror m = {.settings = settings,
                       .run = {.source = operands->items[0],
                               .destination = operands->items[1],
                               .is_sparing = true,
                               .redirects = {.apart_from = operands->items[0]},
                               .tree = {.spool = OS_NO_HANDLE}}};
    const struct mirroring_settings *how = &m.settings->mirroring;
    struct error err = {0};
    int result, status;

    m.run.settings = how;
    m.run.redirects.drives = &m.settings->map.drives;
    m.run.report = &m.report;
    report_init(&m.report, "mirror",
                (struct report_settings){.json = m.settings->common.json,
                                         .verbose = m.settings->common.verbose,
                                         .show_changes = how->changing.dry_run});
    result = mirror(&m, &err);
    status = report_end(&m.report, result == 0 ? NULL : &err,
                        changes_what_remains(&m.run.transfer, &err));
    tell_summary(&m, result, status);
    mirroring_release(&m.run);
    mapping_release(&m.mapping);
    report_release(&m.report);
    error_release(&err);
    return status;
}

static void release_settings(void *settings)
{
    struct mirror_settings *s = settings;

    filter_settings_release(&s->mirroring.filter);
    map_settings_release(&s->map);
    text_list_release(&s->link_dest);
}

#define SETTING(member) offsetof(struct mirror_settings, member)
static const struct option_spec mirror_specs[] = {
    {"delete", 0, OPTION_FLAG, SETTING(delete_extra), NULL,
     "remove what the source lacks; let folders with content give way to other kinds"},
    {"max-delete", 0, OPTION_NUMBER, SETTING(max_delete), "N",
     "delete nothing if more than N names would go"},
    {"allow-empty", 0, OPTION_FLAG, SETTING(allow_empty), NULL,
     "let --delete empty DEST if SOURCE is empty"},
    {"link-dest", 0, OPTION_LIST, SETTING(link_dest), "OLD",
     "an older copy of SOURCE on DEST's file system: files that it has unchanged, and DEST lacks, "
     "become further names of its files; may be given again"},
    REFLINK_OPTION(struct mirror_settings, mirroring),
};

static const struct option_group mirror_groups[] = {
    {.title = "Options",
     .specs = mirror_specs,
     .count = sizeof mirror_specs / sizeof mirror_specs[0]},
    CHANGING_OPTION_GROUP(struct mirror_settings, mirroring.changing, CHANGING_SPEC_COUNT),
    {.title = "What is left out, and stays as it is in DEST",
     .specs = filter_specs,
     .count = FILTER_SPARING_COUNT,
     .offset = SETTING(mirroring.filter)},
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
        "same folder or lie in each other.\n\n"
        "With --link-dest OLD, a regular file that OLD has at the same path with the same content "
        "and the same metadata is not copied: its name in DEST is one more of the file in OLD, "
        "which is not changed. OLD is a folder as this command makes them; a relative one is "
        "relative to the current folder.",
    .examples = "holdfast mirror /home/me/projects /mnt/usb/projects\n"
                "holdfast mirror --delete --dry-run /home/me/projects /mnt/usb/projects\n"
                "holdfast mirror --rebase --dry-run /data /mnt/new/data\n"
                "holdfast mirror --delete --exclude '*.o' --max-delete 1000 work /mnt/usb/work\n"
                "holdfast mirror --link-dest /mnt/usb/monday work /mnt/usb/tuesday",
    .options = {mirror_groups, sizeof mirror_groups / sizeof mirror_groups[0]},
    .settings_bytes = sizeof(struct mirror_settings),
    .minimum = 2,
    .maximum = 2,
    .operand_help = "needs a SOURCE and, last, the folder to make equal to it",
    .run = run_mirror,
    .release = release_settings,
};
