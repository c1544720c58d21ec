#include "cli/kept_filters.h"

#include <string.h>

static const char exclude[] = "exclude", include[] = "include", if_present[] = "exclude-if-present",
                  caches[] = "exclude-caches", nodump[] = "nodump",
                  one_file_system[] = "one-file-system", reparse[] = "reparse";

static int write_line(struct buffer *out, const char *name, const char *value, struct error *err)
{
    if (strchr(value, '\n') != NULL)
        return 0;
    return buffer_append(out, name, strlen(name), err) != 0 ||
                   buffer_append_byte(out, '=', err) != 0 ||
                   buffer_append(out, value, strlen(value), err) != 0 ||
                   buffer_append_byte(out, '\n', err) != 0
               ? -1
               : 0;
}

int kept_filters_write(const struct filter_settings *filter, struct buffer *out, struct error *err)
{
    static const char *const names[] = {[FILTER_EXCLUDE] = exclude, [FILTER_INCLUDE] = include};
    const struct {
        bool is_set;
        const char *name;
    } flags[] = {{filter->caches, caches},
                 {filter->nodump, nodump},
                 {filter->one_file_system, one_file_system}};
    int result = 0;

    for (size_t i = 0; result == 0 && i < filter->rules.count; i++) {
        const struct filter_rule *rule = &filter->rules.items[i];

        result = write_line(out, names[rule->verdict], rule->pattern, err);
    }
    for (size_t i = 0; result == 0 && i < filter->if_present.count; i++)
        result = write_line(out, if_present, filter->if_present.items[i], err);
    for (size_t i = 0; result == 0 && i < filter->reparse.count; i++)
        result = write_line(out, reparse, filter->reparse.items[i], err);
    for (size_t i = 0; result == 0 && i < sizeof flags / sizeof flags[0]; i++)
        result = flags[i].is_set ? write_line(out, flags[i].name, "1", err) : 0;
    return result;
}

static int take_line(struct filter_settings *filter, const char *name, const char *value,
                     struct error *err)
{
    if (strcmp(name, exclude) == 0)
        return rule_list_append(&filter->rules, (struct filter_rule){FILTER_EXCLUDE, value}, err);
    if (strcmp(name, include) == 0)
        return rule_list_append(&filter->rules, (struct filter_rule){FILTER_INCLUDE, value}, err);
    if (strcmp(name, if_present) == 0)
        return text_list_append(&filter->if_present, value, err);
    if (strcmp(name, reparse) == 0)
        return text_list_append(&filter->reparse, value, err);
    filter->caches = filter->caches || strcmp(name, caches) == 0;
    filter->nodump = filter->nodump || strcmp(name, nodump) == 0;
    filter->one_file_system = filter->one_file_system || strcmp(name, one_file_system) == 0;
    return 0;
}

/* Takes the lines in `memory`, which is cut into texts: 1 if there are some, 0, -1. */
static int take_lines(struct filter_settings *filter, struct buffer *memory, struct error *err)
{
    char *at = (char *)memory->data;
    int found = 0;

    for (char *end; (end = strchr(at, '\n')) != NULL; at = end + 1) {
        char *value = memchr(at, '=', (size_t)(end - at));

        *end = '\0';
        if (value == NULL)
            continue;
        *value = '\0';
        found = 1;
        if (take_line(filter, at, value + 1, err) != 0)
            return -1;
    }
    return found;
}

/* The options stand in the stream's first member, which an index does not have. */
static int read_options(const struct kept_in *in, struct buffer *out, struct error *err)
{
    struct reader_options options = {.watcher = in->watcher};
    struct opened_archive opened;
    os_handle handle;
    int result = 0;

    if (os_open_path(in->archive, &handle, err) != 0 ||
        open_any_archive(handle, &options, &opened, err) != 0)
        return -1;
    if (opened.is_ours) {
        struct bytes lines = reader_archive_options(opened.source);

        result = buffer_append(out, lines.data, lines.size, err);
    }
    source_close(opened.source);
    return result;
}

int kept_filters_recall(const struct kept_in *in, struct filter_settings *filter,
                        struct buffer *memory, struct error *err)
{
    const struct source *reader = in->tree->reader;
    int result;

    buffer_clear(memory);
    if (!in->tree->is_ours)
        return 0;
    if (reader != NULL) {
        struct bytes lines = reader_archive_options(reader);

        result = buffer_append(memory, lines.data, lines.size, err);
    } else {
        result = read_options(in, memory, err);
    }
    if (result != 0 || buffer_terminate(memory, err) != 0)
        return -1;
    return take_lines(filter, memory, err);
}
