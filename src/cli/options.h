/*
 * options.h: one table of options a command; it feeds the parser, --help, the manual page and
 * completion.
 */
#ifndef HOLDFAST_CLI_OPTIONS_H
#define HOLDFAST_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "link/drives.h"
#include "tree/filter.h"

/* Texts in the order they were given; the texts are the command line's. */
struct text_list {
    const char **items;
    size_t count, capacity;
};

/* Filter rules in the order they were given. Patterns from files are owned. */
struct rule_list {
    struct filter_rule *items;
    size_t count, capacity;
    char **owned;
    size_t owned_count;
};

/* What an option does with the struct at its offset. */
enum option_type {
    OPTION_FLAG,         /* bool: set to true */
    OPTION_TEXT,         /* const char *: the last one given */
    OPTION_NUMBER,       /* struct option_number */
    OPTION_LIST,         /* struct text_list: appended */
    OPTION_EXCLUDE,      /* struct rule_list: appended */
    OPTION_INCLUDE,      /* struct rule_list: appended */
    OPTION_EXCLUDE_FROM, /* struct rule_list: the lines of a file appended */
    OPTION_MAP,          /* struct remap: a rule appended */
    OPTION_MAP_FILE,     /* struct remap: the rules of a file appended */
    OPTION_DRIVE,        /* struct drives: a drive added */
};

struct option_number {
    bool is_set;
    long value;
};

struct option_spec {
    const char *name; /* without the dashes */
    char letter;      /* short form, or 0 */
    enum option_type type;
    size_t offset;        /* into the struct that the group is about */
    const char *argument; /* its name in help, "PATTERN"; NULL for flags */
    const char *help;     /* one sentence, no full stop */
};

/* Options that go together; several commands share a group. */
struct option_group {
    const char *title;
    const struct option_spec *specs;
    size_t count;
    size_t offset; /* of the group's struct in the command's */
};

/* What a command line is parsed by. */
struct option_table {
    const struct option_group *groups;
    size_t group_count;
};

/* Takes the options out of `arguments` and sets them in `settings`; what is left, in order, are the
 * operands. Options may stand anywhere before "--". A typo is ERROR_USAGE with the nearest option.
 */
MUST_CHECK int options_parse(const struct option_table *table, void *settings,
                             struct text_list *arguments, struct error *err);

/* Which of `count` words a setting is, -1 if it is none of them; 0 without a setting (NULL). */
int option_word(const char *setting, const char *const *words, size_t count);

/* ERROR_USAGE if the setting of the option of that name is none of the (two or more) words. */
MUST_CHECK int option_word_check(const char *name, const char *setting, const char *const *words,
                                 size_t count, struct error *err);

/* Appends the content of a file that the user named; the error names it. */
MUST_CHECK int options_read_file(const char *path, struct buffer *out, struct error *err);

MUST_CHECK int text_list_append(struct text_list *l, const char *text, struct error *err);
void text_list_release(struct text_list *l);
/* The pattern is the caller's, and must stay. */
MUST_CHECK int rule_list_append(struct rule_list *l, struct filter_rule rule, struct error *err);
void rule_list_release(struct rule_list *l);

#endif
