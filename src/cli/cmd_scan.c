/*
 * cmd_scan.c: `holdfast scan`: what links a folder or an archive holds, and where they lead.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/mapping.h"
#include "cli/print.h"
#include "cli/tree.h"
#include "tree/inventory.h"

struct scan_settings {
    struct common_settings common;
    struct filter_settings filter;
    struct map_settings map; /* the drives alone */
};

/* One scan on its way. */
struct scan {
    const struct scan_settings *settings;
    const char *what;
    struct report report;
    struct tree tree;
    struct inventory_resolver *resolver; /* of a folder; or NULL */
    struct inventory *inventory;
    bool names_known; /* counts of names include those outside the tree */
};

/* Names that a section shows unless --verbose. */
enum { NAMES_SHOWN = 10 };

/* ---- Reading ---- */

static int add_entries(struct scan *s, struct error *err)
{
    struct watcher *w = &s->report.watcher;
    const struct entry *e;
    int more;

    while ((more = source_next(s->tree.source, &e, err)) == 1) {
        bool is_read = s->tree.is_archive && e->kind == ENTRY_FILE && !entry_is_further_name(e);

        if (os_stop_requested() != 0)
            return error_set(err, ERROR_INTERRUPTED, "scan", "stopped");
        if (e->problem_scope != PROBLEM_NONE)
            watcher_error(w, e->path, e->problem);
        if (inventory_add(s->inventory, e, err) != 0)
            return -1;
        w->progress(w, 1, is_read ? e->size : 0, e->path);
    }
    return more;
}

static int take_inventory(struct scan *s, struct error *err)
{
    struct tree_options options = {.filter = &s->settings->filter, .watcher = &s->report.watcher};

    if (tree_open_first(&s->tree, s->what, &options, err) != 0)
        return -1;
    if (s->tree.walk != NULL &&
        disk_resolver_new(s->tree.walk, &s->settings->map.drives, &s->resolver, err) != 0)
        return -1;
    if (inventory_new(s->resolver, &s->inventory, err) != 0)
        return -1;
    inventory_set_drives(s->inventory, &s->settings->map.drives);
    if (add_entries(s, err) != 0)
        return -1;
    tree_tell_reparse(&s->tree, TREE_TAGS_NO_LINKS, &s->report.watcher);
    s->names_known = source_facts(s->tree.source)->names_known;
    return inventory_finish(s->inventory, source_facts(s->tree.source), err);
}

/* ---- For people ---- */

static void print_row(const char *what, uint64_t count)
{
    if (count != 0)
        printf("    %-24s %10" PRIu64 "\n", what, count);
}

static void print_kinds(const struct scan *s, const struct inventory_counts *c)
{
    char size[32];

    print_bytes(stdout, bytes_of(s->what));
    fputs(": ", stdout);
    print_count(stdout, c->entries, "entry\n", "entries\n");
    print_row("folders", c->directories);
    if (c->files != 0)
        printf("    %-24s %10" PRIu64 "   %s\n", "files", c->files,
               print_size(size, sizeof size, c->file_bytes));
    print_row("symbolic links", c->symlinks);
    print_row("junctions", c->junctions);
    print_row("mount points", c->mount_points);
    print_row("other reparse points", c->reparse_points);
    print_row("FIFOs", c->fifos);
    print_row("sockets", c->sockets);
    print_row("devices", c->devices);
    print_row("could not be read", c->problems);
}

static bool is_partial(const struct scan *s, const struct inventory_group *g)
{
    return s->names_known && g->link_count > g->name_count;
}

/* A name group: "name (10 B, 3 of 5 names are in this tree)", and all its names if wanted. */
static void print_group(const struct scan *s, const struct inventory_group *g)
{
    char size[32];

    fputs("    ", stdout);
    print_bytes(stdout, g->names[0]);
    if (g->kind == ENTRY_FILE)
        printf(" (%s, ", print_size(size, sizeof size, g->size));
    else
        printf(" (%s, ", entry_kind_name(g->kind));
    if (is_partial(s, g))
        printf("%zu of %" PRIu64 " names are in this tree)\n", g->name_count, g->link_count);
    else
        printf("%zu names)\n", g->name_count);
    for (size_t i = 1; s->settings->common.verbose && i < g->name_count; i++) {
        fputs("        ", stdout);
        print_bytes(stdout, g->names[i]);
        putchar('\n');
    }
}

static void print_more(uint64_t count)
{
    if (count != 0)
        printf("    and %" PRIu64 " more; --verbose shows all\n", count);
}

/* Name groups: all with --verbose, else those that reach out of the tree. */
static void print_groups(const struct scan *s)
{
    uint64_t shown = 0, left = 0;

    for (size_t i = 0; i < inventory_group_count(s->inventory); i++) {
        const struct inventory_group *g = inventory_group_at(s->inventory, i);

        if (!s->settings->common.verbose && !is_partial(s, g))
            continue;
        if (s->settings->common.verbose || shown < NAMES_SHOWN) {
            print_group(s, g);
            shown++;
        } else {
            left++;
        }
    }
    print_more(left);
}

/* Of the groups that are listed: those with one name in the tree are not. */
static uint64_t count_partial(const struct scan *s)
{
    uint64_t count = 0;

    for (size_t i = 0; i < inventory_group_count(s->inventory); i++)
        count += is_partial(s, inventory_group_at(s->inventory, i));
    return count;
}

static void print_hard_links(const struct scan *s, const struct inventory_counts *c)
{
    char size[32];

    if (c->groups == 0 && c->partial_groups == 0)
        return;
    fputs("\nhard links: ", stdout);
    print_count(stdout, c->groups, "file", "files");
    printf(" with %" PRIu64 " names", c->group_names);
    printf("; sharing saves %s\n", print_size(size, sizeof size, c->saved_bytes));
    if (c->partial_groups != 0) {
        fputs("    ", stdout);
        print_count(stdout, c->partial_groups, "file has", "files have");
        fputs(" names outside this tree: ", stdout);
        print_count(stdout, c->outside_names, "name", "names");
        printf("; %" PRIu64 " with one name here\n", c->partial_groups - count_partial(s));
    }
    print_groups(s);
}

static bool is_dangling(const struct inventory_link *link)
{
    return link->state == TARGET_DANGLING;
}

static bool is_looping(const struct inventory_link *link)
{
    return link->state == TARGET_LOOPING;
}

static bool is_outside(const struct inventory_link *link)
{
    return link->state == TARGET_OUTSIDE;
}

/* Links that stop to lead where they lead when the tree moves. */
static bool is_absolute_inside(const struct inventory_link *link)
{
    return link->state == TARGET_INSIDE && link->form != TARGET_RELATIVE;
}

static bool is_unknown(const struct inventory_link *link)
{
    return link->state == TARGET_UNKNOWN;
}

static void print_links(const struct scan *s, const char *title,
                        bool (*belongs)(const struct inventory_link *link))
{
    uint64_t count = 0;

    for (size_t i = 0; i < inventory_link_count(s->inventory); i++) {
        const struct inventory_link *link = inventory_link_at(s->inventory, i);

        if (!belongs(link))
            continue;
        if (count == 0)
            printf("\n%s:\n", title);
        count++;
        if (count > NAMES_SHOWN && !s->settings->common.verbose)
            continue;
        fputs("    ", stdout);
        print_bytes(stdout, link->path);
        fputs(" -> ", stdout);
        print_bytes(stdout, link->target);
        putchar('\n');
    }
    if (count > NAMES_SHOWN && !s->settings->common.verbose)
        print_more(count - NAMES_SHOWN);
}

static void print_symbolic_links(const struct scan *s, const struct inventory_counts *c)
{
    uint64_t of_windows = c->junctions + c->mount_points;

    if (c->symlinks + of_windows == 0)
        return;
    if (of_windows == 0)
        printf("\nsymbolic links: %" PRIu64 "\n", c->symlinks);
    else
        printf("\nsymbolic links, junctions and mount points: %" PRIu64 "\n",
               c->symlinks + of_windows);
    print_row("lead inside the tree", c->inside);
    print_row("lead outside", c->outside);
    print_row("dangling", c->dangling);
    print_row("looping", c->looping);
    print_row("not known", c->unknown);
    print_row("written relative", c->relative);
    print_row("written absolute", c->absolute);
    print_links(s, "dangling links", is_dangling);
    print_links(s, "looping links", is_looping);
    print_links(s, "links that lead outside the tree", is_outside);
    print_links(s, "absolute links to places inside the tree", is_absolute_inside);
    print_links(s, "links of which it is not known where they lead", is_unknown);
}

/* ---- For programs ---- */

static void json_links(const struct scan *s, struct json *j)
{
    for (size_t i = 0; i < inventory_link_count(s->inventory); i++) {
        const struct inventory_link *link = inventory_link_at(s->inventory, i);

        json_begin(j, "link");
        json_bytes(j, "path", link->path);
        json_bytes(j, "target", link->target);
        json_text(j, "kind", entry_kind_name(link->kind));
        json_text(j, "state", target_state_name(link->state));
        json_text(j, "form", target_form_name(link->form));
        json_end(j);
    }
}

static void json_groups(const struct scan *s, struct json *j)
{
    for (size_t i = 0; i < inventory_group_count(s->inventory); i++) {
        const struct inventory_group *g = inventory_group_at(s->inventory, i);

        json_begin(j, "group");
        json_array_begin(j, "names");
        for (size_t n = 0; n < g->name_count; n++)
            json_array_bytes(j, g->names[n]);
        json_array_end(j);
        json_text(j, "kind", entry_kind_name(g->kind));
        json_number(j, "size", g->size);
        json_number(j, "names_in_tree", g->name_count);
        if (s->names_known)
            json_number(j, "names_total", is_partial(s, g) ? g->link_count : g->name_count);
        json_end(j);
    }
}

static void json_counts(struct json *j, const struct inventory_counts *c)
{
    const struct {
        const char *key;
        uint64_t value;
    } counts[] = {
        {"entries", c->entries},
        {"directories", c->directories},
        {"files", c->files},
        {"symlinks", c->symlinks},
        {"junctions", c->junctions},
        {"mount_points", c->mount_points},
        {"reparse_points", c->reparse_points},
        {"fifos", c->fifos},
        {"sockets", c->sockets},
        {"devices", c->devices},
        {"problems", c->problems},
        {"bytes", c->file_bytes},
        {"groups", c->groups},
        {"group_names", c->group_names},
        {"saved_bytes", c->saved_bytes},
        {"partial_groups", c->partial_groups},
        {"outside_names", c->outside_names},
        {"inside", c->inside},
        {"outside", c->outside},
        {"dangling", c->dangling},
        {"looping", c->looping},
        {"unknown", c->unknown},
        {"absolute", c->absolute},
        {"relative", c->relative},
    };

    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        json_number(j, counts[i].key, counts[i].value);
}

/* ---- The run ---- */

static void print_result(struct scan *s)
{
    const struct inventory_counts *c = inventory_counts(s->inventory);

    if (s->settings->common.json) {
        json_links(s, &s->report.json);
        json_groups(s, &s->report.json);
        return;
    }
    report_clear_progress(&s->report);
    print_kinds(s, c);
    print_hard_links(s, c);
    print_symbolic_links(s, c);
}

static int run_scan(void *settings, const struct text_list *operands)
{
    struct scan s = {.settings = settings, .what = operands->items[0]};
    struct error err = {0};
    int result, status;

    report_init(&s.report, "scan", (struct report_settings){.json = s.settings->common.json});
    result = take_inventory(&s, &err);
    if (result == 0)
        print_result(&s);
    (void)fflush(stdout);
    status = report_end(&s.report, result == 0 ? NULL : &err,
                        s.inventory != NULL
                            ? "The tree was not read to its end: there is no inventory of it."
                            : NULL);
    if (s.settings->common.json) {
        report_json_summary(&s.report, status);
        if (result == 0)
            json_counts(&s.report.json, inventory_counts(s.inventory));
        json_end(&s.report.json);
    }
    inventory_free(s.inventory);
    disk_resolver_free(s.resolver);
    tree_close(&s.tree);
    report_release(&s.report);
    error_release(&err);
    return status;
}

static void release_settings(void *settings)
{
    struct scan_settings *s = settings;

    filter_settings_release(&s->filter);
    map_settings_release(&s->map);
}

static const struct option_group scan_groups[] = {
    DRIVE_OPTION_GROUP(struct scan_settings, map),
    {.title = "What to leave out",
     .specs = filter_specs,
     .count = FILTER_SPEC_COUNT,
     .offset = offsetof(struct scan_settings, filter)},
    COMMON_OPTION_GROUP,
};

const struct command command_scan = {
    .name = "scan",
    .synopsis = "[OPTION]... FOLDER|ARCHIVE",
    .summary = "take stock of all links: hard-linked names, targets, what dangles",
    .text = "Counts what a folder or an archive (- for standard input) holds and looks at its "
            "links: which files have several names, what sharing saves, and which of their names "
            "lie outside the tree; where symbolic links lead (inside the tree, outside, nowhere, "
            "in a circle) and how they are written. In a folder the system is asked where a link "
            "leads; in an archive its own entries are. Where a link of Windows leads is "
            "known with --drive alone. Dangling links are a finding, not an "
            "error.",
    .examples = "holdfast scan ~/projects\n"
                "holdfast scan --verbose projects.tar.zst\n"
                "holdfast scan --drive C:=/mnt/win /mnt/win/Users\n"
                "holdfast scan --json ~/projects | jq 'select(.state == \"dangling\")'",
    .options = {scan_groups, sizeof scan_groups / sizeof scan_groups[0]},
    .settings_bytes = sizeof(struct scan_settings),
    .minimum = 1,
    .maximum = 1,
    .operand_help = "needs one FOLDER or ARCHIVE to look at",
    .run = run_scan,
    .release = release_settings,
};
