/*
 * cmd_link.c: `holdfast link`: one new link, of this system or of Windows.
 */
#include <stdio.h>

#include "cli/command.h"
#include "cli/print.h"
#include "disk/newlink.h"
#include "os/os.h"

struct link_settings {
    struct common_settings common;
    bool symbolic, junction, hard;
    bool dir, file;
};

static int choose(const struct link_settings *s, struct newlink *l, struct error *err)
{
    if (s->symbolic + s->junction + s->hard != 1)
        return error_set(err, ERROR_USAGE, NULL, "needs one of --symbolic, --junction and --hard");
    if (s->dir && s->file)
        return error_set(err, ERROR_USAGE, NULL, "--dir and --file exclude each other");
    if ((s->dir || s->file) && !s->symbolic)
        return error_set(err, ERROR_USAGE, NULL,
                         "--dir and --file go with --symbolic: a junction leads to a folder, and a "
                         "further name is of a file");
    l->kind = s->symbolic ? NEWLINK_SYMBOLIC : s->junction ? NEWLINK_JUNCTION : NEWLINK_HARD;
    l->flavour = s->dir ? NEWLINK_FOLDER : s->file ? NEWLINK_FILE : NEWLINK_AS_TARGET;
    return 0;
}

static const char *kind_of(const struct newlink *l, const struct newlink_made *made)
{
    if (l->kind == NEWLINK_HARD)
        return "same file";
    if (l->kind == NEWLINK_JUNCTION)
        return "junction";
    if (!made->on_ntfs)
        return "symbolic link";
    return made->for_folder ? "symbolic link to a folder" : "symbolic link to a file";
}

static void print_made(const struct newlink *l, const struct newlink_made *made)
{
    print_bytes(stdout, bytes_of(l->place));
    fputs(l->kind == NEWLINK_HARD ? " = " : " -> ", stdout);
    print_bytes(stdout, buffer_bytes(&made->target));
    printf(" (%s)\n", kind_of(l, made));
}

static void json_made(struct json *j, const struct newlink *l, const struct newlink_made *made)
{
    json_begin(j, "link");
    json_bytes(j, "path", bytes_of(l->place));
    json_bytes(j, "target", buffer_bytes(&made->target));
    json_text(j, "made", kind_of(l, made));
    json_end(j);
}

static int run_link(void *settings, const struct text_list *operands)
{
    const struct link_settings *s = settings;
    struct newlink l = {.target = operands->items[0], .place = operands->items[1]};
    struct newlink_made made = {0};
    struct report report;
    struct error err = {0};
    int result, status;

    report_init(&report, "link", (struct report_settings){.json = s->common.json});
    result = choose(s, &l, &err);
    if (result == 0)
        result = newlink_make(&l, &made, &err);
    if (result == 0 && made.is_guessed)
        watcher_remark(&report.watcher, bytes_of(l.place),
                       "what its target is cannot be seen from here: made as a link to a file; "
                       "--dir makes one to a folder");
    if (result == 0 && s->common.json)
        json_made(&report.json, &l, &made);
    else if (result == 0)
        print_made(&l, &made);
    (void)fflush(stdout);
    status = report_end(&report, result == 0 ? NULL : &err, NULL);
    if (s->common.json) {
        report_json_summary(&report, status);
        json_end(&report.json);
    }
    buffer_release(&made.target);
    report_release(&report);
    error_release(&err);
    return status;
}

static const struct option_spec link_specs[] = {
    {"symbolic", 0, OPTION_FLAG, offsetof(struct link_settings, symbolic), NULL,
     "a symbolic link, whose target is the text TARGET"},
    {"junction", 0, OPTION_FLAG, offsetof(struct link_settings, junction), NULL,
     "a junction to a folder, by its drive (C:\\x) or volume; on an NTFS volume"},
    {"hard", 0, OPTION_FLAG, offsetof(struct link_settings, hard), NULL,
     "one more name of the file TARGET"},
    {"dir", 0, OPTION_FLAG, offsetof(struct link_settings, dir), NULL,
     "a symbolic link to a folder, whatever is there; on an NTFS volume"},
    {"file", 0, OPTION_FLAG, offsetof(struct link_settings, file), NULL,
     "a symbolic link to a file, whatever is there; on an NTFS volume"},
};

static const struct option_group link_groups[] = {
    {.title = "Options", .specs = link_specs, .count = sizeof link_specs / sizeof link_specs[0]},
    COMMON_OPTION_GROUP,
};

const struct command command_link = {
    .name = "link",
    .synopsis = "--symbolic|--junction|--hard [OPTION]... TARGET LINK",
    .summary = "make a link, as mklink on Windows and ln do, on NTFS volumes, too",
    .text =
        "Makes LINK, which must not be there. On an NTFS volume symbolic links and junctions are "
        "those of Windows: / in TARGET becomes \\, and a symbolic link stands for a folder or a "
        "file, by what a relative TARGET is; of others it is not known here, and they stand for "
        "a file unless --dir is given. A further name is of the file itself: links are not "
        "followed.",
    .examples = "holdfast link --junction 'D:\\Data' '/mnt/win/Users/ana/Data'\n"
                "holdfast link --symbolic ../shared/notes.txt /mnt/win/Users/ana/notes.txt\n"
                "holdfast link --symbolic --dir 'E:\\Music' /mnt/win/Users/ana/Music\n"
                "holdfast link --hard photo.raw favourite.raw",
    .options = {link_groups, sizeof link_groups / sizeof link_groups[0]},
    .settings_bytes = sizeof(struct link_settings),
    .minimum = 2,
    .maximum = 2,
    .operand_help = "needs a TARGET and the LINK to make",
    .run = run_link,
};
