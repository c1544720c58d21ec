/*
 * cmd_list.c: `holdfast list`: the entries of a folder or an archive, for people as ls -l shows
 * them, for programs as JSON or as names alone.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/command.h"
#include "cli/mapping.h"
#include "cli/print.h"
#include "cli/tree.h"
#include "link/reparse_tag.h"

struct list_settings {
    struct common_settings common;
    struct filter_settings filter;
    struct map_settings map; /* the drives alone */
    bool names_alone;        /* --null */
};

/* One listing on its way. */
struct listing {
    const struct list_settings *settings;
    struct report report;
    struct tree tree;
    uint64_t entries;
};

/* ---- Lines for people ---- */

/* Text in a column: negative widths are flushed left. Names of owners are as little trusted as
 * names of files. */
static void print_column(const char *text, int width)
{
    struct buffer masked = {0};
    struct error err = {0};

    if (text_mask(&masked, bytes_of(text), &err) == 0 && buffer_terminate(&masked, &err) == 0)
        printf("%*s", width, (const char *)masked.data);
    error_release(&err);
    buffer_release(&masked);
}

/* A triple of rwx whose last letter may be a special bit's. */
static void put_triple(char *out, uint32_t bits, char special)
{
    out[0] = (bits & 4) != 0 ? 'r' : '-';
    out[1] = (bits & 2) != 0 ? 'w' : '-';
    out[2] = (bits & 1) != 0 ? 'x' : '-';
    if (special != 0)
        out[2] = (char)((bits & 1) != 0 ? special : special - 'a' + 'A');
}

/* "drwxr-xr-x", and '+' if there is more than a mode can say. */
static void print_mode(const struct entry *e, const struct metadata *meta)
{
    static const char kinds[] = {
        [ENTRY_DIRECTORY] = 'd',    [ENTRY_FILE] = '-',     [ENTRY_SYMLINK] = 'l',
        [ENTRY_FIFO] = 'p',         [ENTRY_SOCKET] = 's',   [ENTRY_CHAR_DEVICE] = 'c',
        [ENTRY_BLOCK_DEVICE] = 'b', [ENTRY_JUNCTION] = 'j', [ENTRY_MOUNT_POINT] = 'm',
        [ENTRY_REPARSE] = 'r',
    };
    uint32_t mode = meta->mode;
    char text[] = "??????????";

    if (e->problem_scope != PROBLEM_ENTRY)
        text[0] = kinds[e->kind];
    if ((meta->known & METADATA_MODE) != 0) {
        put_triple(text + 1, mode >> 6, (mode & 04000) != 0 ? 's' : 0);
        put_triple(text + 4, mode >> 3, (mode & 02000) != 0 ? 's' : 0);
        put_triple(text + 7, mode, (mode & 01000) != 0 ? 't' : 0);
    }
    printf("%s%c ", text, meta->xattrs.count != 0 ? '+' : ' ');
}

static void print_owner(bool known, const char *name, uint64_t number)
{
    char digits[32] = "?";

    if (known && name == NULL)
        (void)snprintf(digits, sizeof digits, "%" PRIu64, number);
    print_column(known && name != NULL ? name : digits, -8);
    putchar(' ');
}

static void print_entry_size(const struct entry *e)
{
    char text[48] = "-";

    if (e->problem_scope == PROBLEM_ENTRY)
        (void)snprintf(text, sizeof text, "?");
    else if (e->kind == ENTRY_FILE)
        (void)snprintf(text, sizeof text, "%" PRIu64, e->size);
    else if (entry_is_link(e))
        (void)snprintf(text, sizeof text, "%zu", e->target.size);
    else if (e->kind == ENTRY_CHAR_DEVICE || e->kind == ENTRY_BLOCK_DEVICE)
        (void)snprintf(text, sizeof text, "%" PRIu32 ",%" PRIu32, e->device_major, e->device_minor);
    printf("%12s  ", text);
}

/* Local time; as seconds where no calendar of four-digit years holds it. */
static void print_time(const struct metadata *meta)
{
    char text[48] = "?";
    time_t seconds = (time_t)meta->mtime.seconds;
    struct tm parts;

    if ((meta->known & METADATA_MTIME) != 0) {
        if (localtime_r(&seconds, &parts) == NULL || parts.tm_year < -1900 ||
            parts.tm_year > 8099 || strftime(text, sizeof text, "%Y-%m-%d %H:%M", &parts) == 0)
            (void)snprintf(text, sizeof text, "%" PRId64, meta->mtime.seconds);
    }
    printf("%16s  ", text);
}

/* What the '+' of a mode stands for. */
static void print_attributes(const struct pairs *xattrs)
{
    for (size_t i = 0; i < xattrs->count; i++) {
        fputs("    ", stdout);
        print_bytes(stdout, pairs_name(xattrs, i));
        fputs(", ", stdout);
        print_count(stdout, pairs_value(xattrs, i).size, "byte\n", "bytes\n");
    }
}

/* What is not to be seen from kind and target. */
static void print_reparse(const struct entry *e)
{
    uint32_t tag = entry_reparse_tag(e);
    const char *name = reparse_tag_name(tag);

    if (e->kind == ENTRY_SYMLINK)
        fputs(e->folder_flavour ? " (folder link)" : " (file link)", stdout);
    if (e->kind == ENTRY_REPARSE)
        printf(" (reparse point 0x%08" PRIX32 "%s%s, %s)", tag, name != NULL ? ", " : "",
               name != NULL ? name : "", e->folder_flavour ? "folder" : "file");
}

/* Where an absolute target of Windows is here, by the drives: appended; nothing if that is not
 * known.
 */
static void append_here(const struct listing *l, const struct entry *e, struct buffer *out)
{
    struct error ignored = {0};

    if (e->reparse.size != 0 && entry_reparse_tag(e) != REPARSE_TAG_LX_SYMLINK &&
        drives_append_here(&l->settings->map.drives, e->target, out, &ignored) < 0)
        error_release(&ignored);
}

static void print_target(const struct listing *l, const struct entry *e)
{
    struct buffer here = {0};

    fputs(" -> ", stdout);
    print_bytes(stdout, e->target);
    append_here(l, e, &here);
    if (here.size != 0) {
        fputs(" = ", stdout);
        print_bytes(stdout, buffer_bytes(&here));
    }
    buffer_release(&here);
}

static void print_line(const struct listing *l, const struct entry *e)
{
    static const struct metadata nothing = {0};
    bool is_known = e->problem_scope != PROBLEM_ENTRY;
    const struct metadata *meta = is_known ? &e->meta : &nothing;

    print_mode(e, meta);
    print_owner((meta->known & METADATA_OWNER) != 0, meta->owner_name, meta->owner);
    print_owner((meta->known & METADATA_GROUP) != 0, meta->group_name, meta->group);
    print_entry_size(e);
    print_time(meta);
    print_bytes(stdout, e->path);
    if (is_known && entry_is_link(e))
        print_target(l, e);
    if (is_known && e->reparse.size != 0)
        print_reparse(e);
    if (entry_is_further_name(e)) {
        fputs(" = ", stdout);
        print_bytes(stdout, e->first_name);
        fputs(" (same file)", stdout);
    }
    putchar('\n');
    if (l->settings->common.verbose)
        print_attributes(&meta->xattrs);
}

/* ---- Lines for programs ---- */

/* A decimal number with all nine digits: the part of a second counts away from zero before 1970. */
static void json_time(struct json *j, const char *key, struct timestamp t)
{
    char text[48];
    uint64_t seconds = t.seconds < 0 ? 0 - (uint64_t)t.seconds : (uint64_t)t.seconds;
    uint32_t nanoseconds = t.nanoseconds;

    if (t.seconds < 0 && nanoseconds != 0) {
        seconds--;
        nanoseconds = 1000000000 - nanoseconds;
    }
    (void)snprintf(text, sizeof text, "%s%" PRIu64 ".%09" PRIu32, t.seconds < 0 ? "-" : "", seconds,
                   nanoseconds);
    json_text(j, key, text);
}

static void json_metadata(struct json *j, const struct metadata *meta)
{
    char mode[16];

    (void)snprintf(mode, sizeof mode, "%04" PRIo32, meta->mode);
    if ((meta->known & METADATA_MODE) != 0)
        json_text(j, "mode", mode);
    if ((meta->known & METADATA_OWNER) != 0)
        json_number(j, "uid", meta->owner);
    if ((meta->known & METADATA_GROUP) != 0)
        json_number(j, "gid", meta->group);
    if (meta->owner_name != NULL)
        json_text(j, "user", meta->owner_name);
    if (meta->group_name != NULL)
        json_text(j, "group_name", meta->group_name);
    if ((meta->known & METADATA_MTIME) != 0)
        json_time(j, "mtime", meta->mtime);
    if (meta->xattrs.count == 0)
        return;
    json_array_begin(j, "xattrs");
    for (size_t i = 0; i < meta->xattrs.count; i++)
        json_array_bytes(j, pairs_name(&meta->xattrs, i));
    json_array_end(j);
}

static void json_reparse(struct json *j, const struct entry *e)
{
    char tag[16];

    (void)snprintf(tag, sizeof tag, "0x%08" PRIX32, entry_reparse_tag(e));
    json_text(j, "tag", tag);
    json_text(j, "flavour", e->folder_flavour ? "folder" : "file");
    json_number(j, "reparse_bytes", e->reparse.size);
}

static void json_target(const struct listing *l, struct json *j, const struct entry *e)
{
    struct buffer here = {0};

    json_bytes(j, "target", e->target);
    append_here(l, e, &here);
    if (here.size != 0)
        json_bytes(j, "target_here", buffer_bytes(&here));
    buffer_release(&here);
}

static void json_entry(struct listing *l, const struct entry *e)
{
    struct json *j = &l->report.json;

    json_begin(j, "entry");
    json_bytes(j, "path", e->path);
    json_text(j, "kind", entry_kind_name(e->kind));
    json_number(j, "size", entry_is_link(e) ? e->target.size : e->size);
    json_metadata(j, &e->meta);
    if (e->kind == ENTRY_CHAR_DEVICE || e->kind == ENTRY_BLOCK_DEVICE) {
        json_number(j, "major", e->device_major);
        json_number(j, "minor", e->device_minor);
    }
    if (entry_is_link(e))
        json_target(l, j, e);
    if (e->reparse.size != 0)
        json_reparse(j, e);
    if (entry_is_further_name(e))
        json_bytes(j, "same_as", e->first_name);
    json_end(j);
}

/* ---- The run ---- */

/* What costs a folder's listing extra calls is asked for only where it is shown; an archive has it
 * at hand. */
static bool wants_load(const struct listing *l, const struct entry *e)
{
    const struct common_settings *common = &l->settings->common;

    return e->problem_scope == PROBLEM_NONE && !l->settings->names_alone &&
           (l->tree.is_archive || common->json || common->verbose);
}

static int show(struct listing *l, const struct entry *e, struct error *err)
{
    if (e->passage)
        return 0; /* nobody asked for it */
    if (wants_load(l, e) && source_load(l->tree.source, &e, err) != 0)
        return -1;
    if (e->problem_scope != PROBLEM_NONE)
        watcher_error(&l->report.watcher, e->path, e->problem);
    if (e->problem_scope == PROBLEM_CONTENT)
        return 0; /* the folder itself came before */
    l->entries++;
    if (l->settings->common.json) {
        if (e->problem_scope != PROBLEM_ENTRY) /* else the error has told all that is known */
            json_entry(l, e);
    } else if (l->settings->names_alone) {
        (void)fwrite(e->path.data, 1, e->path.size, stdout);
        putchar('\0');
    } else {
        print_line(l, e);
    }
    return 0;
}

/* Shows all entries. Ends early without an error of its own when nobody can read them any more:
 * main tells that. */
static int show_all(struct listing *l, const struct tree_options *options, struct error *err)
{
    const struct entry *e;
    int more;

    while ((more = source_next(l->tree.source, &e, err)) == 1) {
        if (os_stop_requested() != 0)
            return error_set(err, ERROR_INTERRUPTED, "list", "stopped");
        if (ferror(stdout))
            return 0;
        if (show(l, e, err) != 0)
            return -1;
    }
    if (more == 0)
        tree_tell_unmatched(&l->tree, options);
    return more;
}

static int list_tree(struct listing *l, const struct text_list *operands, struct error *err)
{
    struct bytes *paths = NULL;
    int result = -1;

    if (l->settings->names_alone && l->settings->common.json)
        return error_set(err, ERROR_USAGE, NULL, "--null and --json exclude each other");
    if (tree_paths(operands, 1, operands->count - 1, &paths, err) != 0)
        return -1;
    struct tree_options options = {.filter = &l->settings->filter,
                                   .paths = paths,
                                   .path_count = operands->count - 1,
                                   .owner_names = true,
                                   .watcher = &l->report.watcher};

    if (tree_open_first(&l->tree, operands->items[0], &options, err) == 0)
        result = show_all(l, &options, err);
    tree_close(&l->tree);
    free(paths);
    return result;
}

static int run_list(void *settings, const struct text_list *operands)
{
    struct listing l = {.settings = settings, .tree = {.spool = OS_NO_HANDLE}};
    struct error err = {0};
    int result, status;

    report_init(&l.report, "list", (struct report_settings){.json = l.settings->common.json});
    result = list_tree(&l, operands, &err);
    (void)fflush(stdout);
    status = report_end(&l.report, result == 0 ? NULL : &err,
                        l.entries != 0 ? "What comes behind these entries is not listed." : NULL);
    if (l.settings->common.json) {
        report_json_summary(&l.report, status);
        json_number(&l.report.json, "entries", l.entries);
        json_end(&l.report.json);
    }
    report_release(&l.report);
    error_release(&err);
    return status;
}

static void release_settings(void *settings)
{
    struct list_settings *s = settings;

    filter_settings_release(&s->filter);
    map_settings_release(&s->map);
}

static const struct option_spec list_specs[] = {
    {"null", '0', OPTION_FLAG, offsetof(struct list_settings, names_alone), NULL,
     "paths alone, byte for byte, each ended by a NUL"},
};

static const struct option_group list_groups[] = {
    {.title = "Options", .specs = list_specs, .count = sizeof list_specs / sizeof list_specs[0]},
    DRIVE_OPTION_GROUP(struct list_settings, map),
    {.title = "What to leave out",
     .specs = filter_specs,
     .count = FILTER_SPEC_COUNT,
     .offset = offsetof(struct list_settings, filter)},
    COMMON_OPTION_GROUP,
};

const struct command command_list = {
    .name = "list",
    .synopsis = "[OPTION]... ARCHIVE|FOLDER [PATH...]",
    .summary = "list an archive or a folder with its links",
    .text =
        "Lists the entries of an archive (- for standard input) or of a folder, or only those "
        "that a PATH names and what lies below them. A PATH begins with the root's name, as "
        "the listing does. Each line has mode, owner, group, size (of a device its numbers), "
        "time of the last change and path. A symbolic link shows its target behind an arrow, "
        "a further name of a hard-linked file the first one behind an equals sign. With --drive an "
        "absolute target of Windows shows behind an equals sign where it is here.\n\n"
        "A + behind the mode stands for extended attributes or ACLs. They are looked for in "
        "archives always, in folders with --verbose, which names them, too. Odd bytes in "
        "names are shown as escapes; --null and --json are exact.",
    .examples = "holdfast list projects.tar.zst\n"
                "holdfast list projects.tar.zst projects/holdfast\n"
                "holdfast list -0 projects.tar.zst | xargs -0 -n 1 echo",
    .options = {list_groups, sizeof list_groups / sizeof list_groups[0]},
    .settings_bytes = sizeof(struct list_settings),
    .minimum = 1,
    .maximum = SIZE_MAX,
    .operand_help = "needs an ARCHIVE or a FOLDER to list",
    .run = run_list,
    .release = release_settings,
};
