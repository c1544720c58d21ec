/*
 * options.c: the parser. GNU manners: --name=VALUE, --name VALUE, -x VALUE, -xVALUE, -xy for flags,
 * "--" ends options, "-" is an operand.
 */
#include "cli/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* One command line on its way through the parser. */
struct parser {
    const struct option_table *table;
    char *settings;
    struct text_list *arguments;
    size_t at;
    struct error *err;
};

int text_list_append(struct text_list *l, const char *text, struct error *err)
{
    if (l->count == l->capacity) {
        size_t capacity = l->capacity != 0 ? l->capacity * 2 : 8;
        const char **grown = realloc(l->items, capacity * sizeof *grown);

        if (grown == NULL)
            return error_memory(err);
        l->items = grown;
        l->capacity = capacity;
    }
    l->items[l->count++] = text;
    return 0;
}

void text_list_release(struct text_list *l)
{
    free(l->items);
    memset(l, 0, sizeof *l);
}

void rule_list_release(struct rule_list *l)
{
    for (size_t i = 0; i < l->owned_count; i++)
        free(l->owned[i]);
    free(l->owned);
    free(l->items);
    memset(l, 0, sizeof *l);
}

int rule_list_append(struct rule_list *l, struct filter_rule rule, struct error *err)
{
    if (l->count == l->capacity) {
        size_t capacity = l->capacity != 0 ? l->capacity * 2 : 8;
        struct filter_rule *grown = realloc(l->items, capacity * sizeof *grown);

        if (grown == NULL)
            return error_memory(err);
        l->items = grown;
        l->capacity = capacity;
    }
    l->items[l->count++] = rule;
    return 0;
}

/* Appends a copy of a line as an exclude rule; "+ " before a pattern includes, "- " excludes, "#"
 * and empty lines say nothing. */
static int rule_list_append_line(struct rule_list *l, const char *line, struct error *err)
{
    struct filter_rule rule = {.verdict = FILTER_EXCLUDE};

    if (line[0] == '\0' || line[0] == '#')
        return 0;
    if (strncmp(line, "+ ", 2) == 0)
        rule.verdict = FILTER_INCLUDE;
    if (strncmp(line, "+ ", 2) == 0 || strncmp(line, "- ", 2) == 0)
        line += 2;
    char **owned = realloc(l->owned, (l->owned_count + 1) * sizeof *owned);

    if (owned == NULL)
        return error_memory(err);
    l->owned = owned;
    owned[l->owned_count] = strdup(line);
    if (owned[l->owned_count] == NULL)
        return error_memory(err);
    rule.pattern = owned[l->owned_count++];
    return rule_list_append(l, rule, err);
}

static int rule_list_load(struct rule_list *l, const char *path, struct error *err)
{
    FILE *file = fopen(path, "rb");
    char *line = NULL;
    size_t capacity = 0;
    ssize_t length;
    int result = 0;

    if (file == NULL) {
        (void)error_os(err, "read patterns from", errno);
        return error_at(err, path, strlen(path));
    }
    while (result == 0 && (length = getline(&line, &capacity, file)) >= 0) {
        while (length > 0 && (line[length - 1] == '\n' || line[length - 1] == '\r'))
            line[--length] = '\0';
        result = rule_list_append_line(l, line, err);
    }
    if (result == 0 && ferror(file)) { /* a folder can be opened, but not read */
        (void)error_os(err, "read patterns from", errno);
        result = error_at(err, path, strlen(path));
    }
    free(line);
    fclose(file);
    return result;
}

/* What is wrong with a rule is said with the option that gave it. */
static int in_option(const char *name, const char *value, struct error *err)
{
    char detail[sizeof err->detail];

    if (err->kind != ERROR_USAGE)
        return -1;
    memcpy(detail, err->detail, sizeof detail);
    return error_set(err, ERROR_USAGE, NULL, "--%s %s: %s", name, value, detail);
}

static int map_load(struct remap *rules, const char *path, struct error *err)
{
    struct buffer content = {0};
    int result = options_read_file(path, &content, err);

    if (result == 0 && remap_add_file(rules, buffer_bytes(&content), err) != 0)
        result = in_option("map-file", path, err);
    buffer_release(&content);
    return result;
}

int options_read_file(const char *path, struct buffer *out, struct error *err)
{
    FILE *file = fopen(path, "rb");
    int result = 0;
    size_t got;

    if (file == NULL) {
        (void)error_os(err, "read", errno);
        return error_at(err, path, strlen(path));
    }
    do {
        result = buffer_reserve(out, 64 * 1024, err);
        got = result == 0 ? fread(out->data + out->size, 1, 64 * 1024, file) : 0;
        out->size += got;
    } while (got != 0);
    if (result == 0 && ferror(file)) {
        (void)error_os(err, "read", errno);
        result = error_at(err, path, strlen(path));
    }
    fclose(file);
    return result;
}

static int set_number(struct option_number *number, const char *name, const char *value,
                      struct error *err)
{
    char *end;

    errno = 0;
    number->value = strtol(value, &end, 10);
    if (errno != 0 || end == value || *end != '\0')
        return error_set(err, ERROR_USAGE, NULL, "--%s takes a whole number, not '%s'", name,
                         value);
    number->is_set = true;
    return 0;
}

static int set_option(struct parser *p, const struct option_group *group,
                      const struct option_spec *spec, const char *value)
{
    void *place = p->settings + group->offset + spec->offset;

    switch (spec->type) {
    case OPTION_FLAG:
        *(bool *)place = true;
        return 0;
    case OPTION_TEXT:
        *(const char **)place = value;
        return 0;
    case OPTION_NUMBER:
        return set_number(place, spec->name, value, p->err);
    case OPTION_LIST:
        return text_list_append(place, value, p->err);
    case OPTION_EXCLUDE:
        return rule_list_append(place, (struct filter_rule){FILTER_EXCLUDE, value}, p->err);
    case OPTION_INCLUDE:
        return rule_list_append(place, (struct filter_rule){FILTER_INCLUDE, value}, p->err);
    case OPTION_EXCLUDE_FROM:
        return rule_list_load(place, value, p->err);
    case OPTION_MAP:
        return remap_add_text(place, bytes_of(value), p->err) == 0
                   ? 0
                   : in_option(spec->name, value, p->err);
    case OPTION_MAP_FILE:
        return map_load(place, value, p->err);
    case OPTION_DRIVE:
        return drives_add_text(place, bytes_of(value), p->err) == 0
                   ? 0
                   : in_option(spec->name, value, p->err);
    }
    return 0;
}

/* The option of that long name (name_bytes of it) or letter, with its group. */
static const struct option_spec *find_option(const struct option_table *table, struct bytes name,
                                             char letter, const struct option_group **group)
{
    for (size_t g = 0; g < table->group_count; g++) {
        *group = &table->groups[g];
        for (size_t i = 0; i < (*group)->count; i++) {
            const struct option_spec *spec = &(*group)->specs[i];

            if (letter != 0 ? spec->letter == letter : bytes_equal(bytes_of(spec->name), name))
                return spec;
        }
    }
    return NULL;
}

static int unknown_option(struct parser *p, const char *text, size_t name_bytes)
{
    char name[64];
    const char *nearest = NULL;
    size_t best = name_bytes / 2 + 1 < 4 ? name_bytes / 2 + 1 : 4; /* not just any short name */

    (void)snprintf(name, sizeof name, "%.*s", (int)name_bytes, text);
    for (size_t g = 0; g < p->table->group_count; g++) {
        for (size_t i = 0; i < p->table->groups[g].count; i++) {
            size_t distance = text_distance(name, p->table->groups[g].specs[i].name);

            if (distance < best) {
                best = distance;
                nearest = p->table->groups[g].specs[i].name;
            }
        }
    }
    if (nearest != NULL)
        return error_set(p->err, ERROR_USAGE, NULL, "unknown option --%s; did you mean --%s?", name,
                         nearest);
    return error_set(p->err, ERROR_USAGE, NULL, "unknown option --%s", name);
}

/* The argument of an option: what stands behind '=' or the letter, else the next word. */
static int take_value(struct parser *p, const struct option_spec *spec, const char **value)
{
    if (*value != NULL)
        return 0;
    if (p->at == p->arguments->count)
        return error_set(p->err, ERROR_USAGE, NULL, "--%s needs a %s", spec->name, spec->argument);
    *value = p->arguments->items[p->at++];
    return 0;
}

static int parse_long(struct parser *p, const char *text)
{
    const char *equals = strchr(text, '=');
    size_t name_bytes = equals != NULL ? (size_t)(equals - text) : strlen(text);
    const char *value = equals != NULL ? equals + 1 : NULL;
    const struct option_group *group;
    const struct option_spec *spec = find_option(p->table, bytes_make(text, name_bytes), 0, &group);

    if (spec == NULL)
        return unknown_option(p, text, name_bytes);
    if (spec->type == OPTION_FLAG && value != NULL)
        return error_set(p->err, ERROR_USAGE, NULL, "--%s takes no value", spec->name);
    if (spec->type != OPTION_FLAG && take_value(p, spec, &value) != 0)
        return -1;
    return set_option(p, group, spec, value);
}

static int parse_letters(struct parser *p, const char *letters)
{
    for (const char *at = letters; *at != '\0'; at++) {
        const struct option_group *group;
        const struct option_spec *spec =
            find_option(p->table, (struct bytes){NULL, 0}, *at, &group);
        const char *value = NULL;

        if (spec == NULL)
            return error_set(p->err, ERROR_USAGE, NULL, "unknown option -%c", *at);
        if (spec->type != OPTION_FLAG) {
            value = at[1] != '\0' ? at + 1 : NULL;
            if (take_value(p, spec, &value) != 0)
                return -1;
            return set_option(p, group, spec, value);
        }
        if (set_option(p, group, spec, NULL) != 0)
            return -1;
    }
    return 0;
}

int options_parse(const struct option_table *table, void *settings, struct text_list *arguments,
                  struct error *err)
{
    struct parser p = {.table = table, .settings = settings, .arguments = arguments, .err = err};
    size_t operands = 0;
    bool ended = false;

    while (p.at < arguments->count) {
        const char *text = arguments->items[p.at++];
        int result = 0;

        if (ended || text[0] != '-' || text[1] == '\0')
            arguments->items[operands++] = text;
        else if (strcmp(text, "--") == 0)
            ended = true;
        else
            result = text[1] == '-' ? parse_long(&p, text + 2) : parse_letters(&p, text + 1);
        if (result != 0)
            return -1;
    }
    arguments->count = operands;
    return 0;
}

int option_word(const char *setting, const char *const *words, size_t count)
{
    for (size_t i = 0; setting != NULL && i < count; i++)
        if (strcmp(words[i], setting) == 0)
            return (int)i;
    return setting == NULL ? 0 : -1;
}

int option_word_check(const char *name, const char *setting, const char *const *words, size_t count,
                      struct error *err)
{
    char all[100] = "";
    size_t at = 0;

    if (option_word(setting, words, count) >= 0)
        return 0;
    for (size_t i = 0; i < count && at < sizeof all; i++)
        at += (size_t)snprintf(all + at, sizeof all - at, "%s%s",
                               i == 0           ? ""
                               : i + 1 == count ? " or "
                                                : ", ",
                               words[i]);
    return error_set(err, ERROR_USAGE, NULL, "--%s is %s, not %s", name, all, setting);
}
