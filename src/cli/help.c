/*
 * help.c: the texts of the command table, laid out for a terminal, as a manual page and as words
 * for bash.
 */
#include "cli/help.h"

#include <string.h>

/* Where lines end, and where the second column begins at most. */
enum { LINE_COLUMNS = 79, HELP_COLUMN = 34 };

static const char purpose[] = "exact backup of folder trees and their links";

static const struct {
    const char *status, *meaning;
} exit_statuses[] = {
    {"0", "all is exact"},
    {"1", "the run came to its end, but something is inexact, different or could not be read; "
          "each is named"},
    {"2",
     "wrong usage, or what is known before the first change, such as a name that is not there"},
    {"3", "the run stopped before its end, and says what remains to do"},
    {"128+N", "ended by signal N, after tidying up"},
};
enum { EXIT_STATUS_COUNT = sizeof exit_statuses / sizeof exit_statuses[0] };

/* ---- Words in lines ---- */

/* Words on their way into lines. */
struct lines {
    FILE *to;
    size_t indent, column;
    bool in_manual; /* for man(7): bytes escaped, each sentence on a line of its own */
    bool after_sentence;
};

/* A byte of text in man(7): a dash that is a dash, no byte that begins a request or an escape
 * (man(7) of mandoc, groff_char(7)). */
static void put_manual_byte(FILE *to, char byte)
{
    static const struct {
        char byte;
        const char *escape;
    } escapes[] = {
        {'-', "\\-"},   {'\\', "\\e"},  {'~', "\\(ti"},
        {'^', "\\(ha"}, {'`', "\\(ga"}, {'\'', "\\(aq"},
    };

    for (size_t i = 0; i < sizeof escapes / sizeof escapes[0]; i++) {
        if (escapes[i].byte == byte) {
            fputs(escapes[i].escape, to);
            return;
        }
    }
    fputc(byte, to);
}

static void put_manual_text(FILE *to, const char *text, size_t count)
{
    if (count != 0 && text[0] == '.')
        fputs("\\&", to);
    for (size_t i = 0; i < count; i++)
        put_manual_byte(to, text[i]);
}

static void end_line(struct lines *l)
{
    fputc('\n', l->to);
    l->column = 0;
}

static void put_word(struct lines *l, const char *word, size_t count)
{
    bool is_first = l->column <= l->indent;

    if (!is_first && (l->column + 1 + count > LINE_COLUMNS || l->after_sentence)) {
        end_line(l);
        is_first = true;
    }
    if (l->column < l->indent) {
        fprintf(l->to, "%*s", (int)(l->indent - l->column), "");
        l->column = l->indent;
    }
    if (!is_first) {
        fputc(' ', l->to);
        l->column++;
    }
    if (l->in_manual)
        put_manual_text(l->to, word, count);
    else
        (void)fwrite(word, 1, count, l->to);
    l->column += count;
    l->after_sentence = l->in_manual && word[count - 1] == '.';
}

/* Ends a paragraph; the next one stands after an empty line. */
static void end_paragraph(struct lines *l)
{
    end_line(l);
    l->after_sentence = false;
    fputs(l->in_manual ? ".PP\n" : "\n", l->to);
}

/* Text as lines, begun where `l` stands. An empty line in it ends a paragraph, a line's end is a
 * space. */
static void put_text(struct lines *l, const char *text)
{
    while (*text != '\0') {
        size_t count = strcspn(text, " \n");

        if (count != 0)
            put_word(l, text, count);
        text += count;
        if (text[0] == '\n' && text[1] == '\n' && text[2] != '\0')
            end_paragraph(l);
        text += strspn(text, " \n");
    }
    end_line(l);
    l->after_sentence = false;
}

/* ---- On a terminal ---- */

/* "  -x, --name ARGUMENT"; its columns. With to = NULL only that is done. */
static size_t put_option_name(FILE *to, const struct option_spec *spec)
{
    size_t columns = strlen("  -x, --") + strlen(spec->name);

    if (spec->argument != NULL)
        columns += 1 + strlen(spec->argument);
    if (to == NULL)
        return columns;
    if (spec->letter != 0)
        fprintf(to, "  -%c, ", spec->letter);
    else
        fputs("      ", to);
    fprintf(to, "--%s", spec->name);
    if (spec->argument != NULL)
        fprintf(to, " %s", spec->argument);
    return columns;
}

/* The column where a group's texts begin. */
static size_t group_column(const struct option_group *group)
{
    size_t column = 0;

    for (size_t i = 0; i < group->count; i++) {
        size_t columns = put_option_name(NULL, &group->specs[i]) + 2;

        if (columns > column && columns <= HELP_COLUMN)
            column = columns;
    }
    return column != 0 ? column : HELP_COLUMN;
}

static void print_group(FILE *to, const struct option_group *group)
{
    struct lines lines = {.to = to, .indent = group_column(group)};

    fprintf(to, "\n%s:\n", group->title);
    for (size_t i = 0; i < group->count; i++) {
        lines.column = put_option_name(to, &group->specs[i]);
        if (lines.column + 2 > lines.indent)
            end_line(&lines);
        put_text(&lines, group->specs[i].help);
    }
}

static void print_exit_statuses(FILE *to)
{
    struct lines lines = {.to = to, .indent = 9};

    fputs("\nExit status:\n", to);
    for (size_t i = 0; i < EXIT_STATUS_COUNT; i++) {
        lines.column = (size_t)fprintf(to, "  %s", exit_statuses[i].status);
        put_text(&lines, exit_statuses[i].meaning);
    }
}

void help_print_program(FILE *to)
{
    struct lines lines = {.to = to, .indent = 12};

    fprintf(to, "holdfast " HOLDFAST_VERSION ": %s\n\n", purpose);
    fputs("Usage: holdfast COMMAND [OPTION]... NAME...\n\nCommands:\n", to);
    for (const struct command *const *c = commands; *c != NULL; c++) {
        lines.column = (size_t)fprintf(to, "  %s", (*c)->name);
        put_text(&lines, (*c)->summary);
    }
    print_exit_statuses(to);
    fputs("\nholdfast COMMAND --help tells more of one command, the manual page holdfast(1)\n"
          "of all. Options may stand anywhere; -- ends them.\n",
          to);
}

/* Each line of the examples, indented. */
static void print_examples(FILE *to, const char *examples)
{
    fputs("\nExamples:\n", to);
    while (*examples != '\0') {
        size_t count = strcspn(examples, "\n");

        fprintf(to, "  %.*s\n", (int)count, examples);
        examples += count;
        examples += strspn(examples, "\n");
    }
}

void help_print_command(FILE *to, const struct command *c)
{
    struct lines lines = {.to = to};

    fprintf(to, "Usage: holdfast %s %s\n\n", c->name, c->synopsis);
    put_text(&lines, c->text);
    for (size_t g = 0; g < c->options.group_count; g++)
        print_group(to, &c->options.groups[g]);
    if (c->examples != NULL)
        print_examples(to, c->examples);
}

/* ---- The manual page ---- */

static void put_manual_string(FILE *to, const char *text)
{
    put_manual_text(to, text, strlen(text));
}

static void manual_option(FILE *to, const struct option_spec *spec)
{
    struct lines lines = {.to = to, .in_manual = true};

    fputs(".TP\n", to);
    if (spec->letter != 0)
        fprintf(to, "\\fB\\-%c\\fR, ", spec->letter);
    fputs("\\fB\\-\\-", to);
    put_manual_string(to, spec->name);
    fputs("\\fR", to);
    if (spec->argument != NULL) {
        fputs(" \\fI", to);
        put_manual_string(to, spec->argument);
        fputs("\\fR", to);
    }
    fputc('\n', to);
    put_text(&lines, spec->help);
}

/* True if another command than `c` has the same options, so that they are told in a place of their
 * own. */
static bool is_shared(const struct option_group *group, const struct command *c)
{
    for (const struct command *const *other = commands; *other != NULL; other++) {
        for (size_t g = 0; *other != c && g < (*other)->options.group_count; g++) {
            if ((*other)->options.groups[g].specs == group->specs)
                return true;
        }
    }
    return false;
}

/* True if no command before `c` has the group. */
static bool is_first_owner(const struct option_group *group, const struct command *c)
{
    for (const struct command *const *other = commands; *other != c; other++) {
        for (size_t g = 0; g < (*other)->options.group_count; g++) {
            if ((*other)->options.groups[g].specs == group->specs)
                return false;
        }
    }
    return true;
}

static void manual_group(FILE *to, const struct option_group *group)
{
    for (size_t i = 0; i < group->count; i++)
        manual_option(to, &group->specs[i]);
}

static void manual_examples(FILE *to, const char *examples)
{
    fputs(".PP\nExamples:\n.PP\n.RS 4\n.nf\n", to);
    while (*examples != '\0') {
        size_t count = strcspn(examples, "\n");

        put_manual_text(to, examples, count);
        fputc('\n', to);
        examples += count;
        examples += strspn(examples, "\n");
    }
    fputs(".fi\n.RE\n", to);
}

/* "Further options: What to leave out, Common options." */
static void manual_further(FILE *to, const struct command *c)
{
    const char *before = ".PP\nFurther options, told below: ";

    for (size_t g = 0; g < c->options.group_count; g++) {
        if (!is_shared(&c->options.groups[g], c))
            continue;
        fputs(before, to);
        put_manual_string(to, c->options.groups[g].title);
        before = ", ";
    }
    if (before[0] != '.')
        fputs(".\n", to);
}

static void manual_command(FILE *to, const struct command *c)
{
    struct lines lines = {.to = to, .in_manual = true};

    fprintf(to, ".SS %s\n\\fBholdfast %s\\fR ", c->name, c->name);
    put_manual_string(to, c->synopsis);
    fputs("\n.PP\n", to);
    put_text(&lines, c->text);
    for (size_t g = 0; g < c->options.group_count; g++) {
        if (!is_shared(&c->options.groups[g], c))
            manual_group(to, &c->options.groups[g]);
    }
    manual_further(to, c);
    if (c->examples != NULL)
        manual_examples(to, c->examples);
}

/* Groups that several commands have, once. */
static void manual_shared(FILE *to)
{
    fputs(".SH SHARED OPTIONS\n", to);
    for (const struct command *const *c = commands; *c != NULL; c++) {
        for (size_t g = 0; g < (*c)->options.group_count; g++) {
            const struct option_group *group = &(*c)->options.groups[g];

            if (!is_shared(group, *c) || !is_first_owner(group, *c))
                continue;
            fputs(".SS ", to);
            put_manual_string(to, group->title);
            fputc('\n', to);
            manual_group(to, group);
        }
    }
}

static void manual_exit_statuses(FILE *to)
{
    struct lines lines = {.to = to, .in_manual = true};

    fputs(".SH EXIT STATUS\n", to);
    for (size_t i = 0; i < EXIT_STATUS_COUNT; i++) {
        fprintf(to, ".TP\n.B %s\n", exit_statuses[i].status);
        put_text(&lines, exit_statuses[i].meaning);
    }
}

static void manual_description(FILE *to)
{
    struct lines lines = {.to = to, .in_manual = true};

    fputs(".SH DESCRIPTION\n", to);
    put_text(&lines,
             "Copies folder trees into archives and back and keeps every link what it is. Symbolic "
             "links and hard links are recorded as links, never as second copies of the data, and "
             "come back as the same link structure. What could not be read, stored or recreated "
             "exactly is named, counted, and in the exit status.\n\n"
             "Archives are plain tar, compressed with zstd or gzip, and other tools read them. "
             "Archives of other tools can be listed, verified and restored, too.\n\n"
             "Results go to standard output, all else to standard error. Names are shown with "
             "odd bytes as escapes; with --json they are exact: one object a line, a path that is "
             "no UTF-8 as base64 under the key with _b64 at its end.");
}

void help_print_manual(FILE *to)
{
    fputs(".TH HOLDFAST 1 \"\" \"holdfast " HOLDFAST_VERSION "\"\n.SH NAME\nholdfast \\- ", to);
    put_manual_string(to, purpose);
    fputs("\n.SH SYNOPSIS\n", to);
    for (const struct command *const *c = commands; *c != NULL; c++) {
        fprintf(to, "%s\\fBholdfast %s\\fR ", c == commands ? "" : ".br\n", (*c)->name);
        put_manual_string(to, (*c)->synopsis);
        fputc('\n', to);
    }
    manual_description(to);
    fputs(".SH COMMANDS\n", to);
    for (const struct command *const *c = commands; *c != NULL; c++)
        manual_command(to, *c);
    manual_shared(to);
    manual_exit_statuses(to);
    fputs(".SH SEE ALSO\n.BR tar (1),\n.BR zstd (1),\n.BR ln (1),\n.BR symlink (7)\n", to);
}

/* ---- Completion ---- */

static void completion_commands(FILE *to)
{
    for (const struct command *const *c = commands; *c != NULL; c++)
        fprintf(to, "%s ", (*c)->name);
}

static void completion_options(FILE *to, const struct command *c)
{
    fprintf(to, "    %s) words='", c->name);
    for (size_t g = 0; g < c->options.group_count; g++) {
        for (size_t i = 0; i < c->options.groups[g].count; i++)
            fprintf(to, "--%s ", c->options.groups[g].specs[i].name);
    }
    fputs("' ;;\n", to);
}

void help_print_completion(FILE *to)
{
    fputs("# Completion for holdfast: commands, then options; names of files otherwise.\n"
          "_holdfast()\n"
          "{\n"
          "    local current=${COMP_WORDS[COMP_CWORD]} words=''\n"
          "    COMPREPLY=()\n"
          "    case $COMP_CWORD,${COMP_WORDS[1]} in\n"
          "    1,*) words='",
          to);
    completion_commands(to);
    fputs("help --help --version' ;;\n    2,help) words='", to);
    completion_commands(to);
    fputs("' ;;\n    esac\n    [[ $COMP_CWORD -gt 1 && $current == -* ]] && case ${COMP_WORDS[1]} "
          "in\n",
          to);
    for (const struct command *const *c = commands; *c != NULL; c++)
        completion_options(to, *c);
    fputs("    esac\n"
          "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
          "}\n"
          "complete -o bashdefault -o default -F _holdfast holdfast\n",
          to);
}
