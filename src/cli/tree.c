/*
 * tree.c: stacks the wrappers: a folder is walk, filter, nodump, reparse choice, name groups; an
 * archive whose contents are not asked for is index, filter, name groups; any other is reader,
 * catalogue (of other tools' archives), select; with --reparse a reparse choice, too.
 */
#include "cli/tree.h"

#include <stdlib.h>
#include <string.h>

#include "archive/select.h"
#include "disk/ahead.h"
#include "tree/namegroup.h"
#include "tree/reparse_choice.h"

const struct option_spec filter_specs[FILTER_SPEC_COUNT] = {
    {"exclude", 0, OPTION_EXCLUDE, offsetof(struct filter_settings, rules), "PATTERN",
     "leave out what matches; the first pattern that matches decides"},
    {"include", 0, OPTION_INCLUDE, offsetof(struct filter_settings, rules), "PATTERN",
     "keep what matches, against patterns behind it"},
    {"exclude-from", 0, OPTION_EXCLUDE_FROM, offsetof(struct filter_settings, rules), "FILE",
     "patterns from a file, one a line; '+ ' before a pattern includes, '#' begins a comment"},
    {"exclude-caches", 0, OPTION_FLAG, offsetof(struct filter_settings, caches), NULL,
     "leave out the content of folders that hold a CACHEDIR.TAG"},
    {"exclude-if-present", 0, OPTION_LIST, offsetof(struct filter_settings, if_present), "NAME",
     "leave out the content of folders that hold a file NAME"},
    {"reparse", 0, OPTION_LIST, offsetof(struct filter_settings, reparse), "TAG=WAY",
     "what to do with NTFS' reparse points of a TAG (symlink, junction, cloud, wof, dedup, ..., or "
     "0x...): raw (default: keep them as they are), data (keep what can be read behind them as a "
     "file), skip or refuse; may be given again"},
    {"one-file-system", 'x', OPTION_FLAG, offsetof(struct filter_settings, one_file_system), NULL,
     "do not go into folders on other file systems"},
    {"nodump", 0, OPTION_FLAG, offsetof(struct filter_settings, nodump), NULL,
     "leave out what carries the no-dump flag (chattr +d)"},
};

void filter_settings_release(struct filter_settings *f)
{
    rule_list_release(&f->rules);
    text_list_release(&f->if_present);
    text_list_release(&f->reparse);
}

/* ---- Names ---- */

int tree_is_folder(const char *what, struct error *err)
{
    struct os_stat status;

    if (os_stat_path(what, true, &status, err) != 0)
        return error_at(err, what, strlen(what));
    return status.kind == OS_DIRECTORY;
}

/* The last component of a path without trailing slashes; empty for "/". */
static struct bytes last_component(struct bytes path)
{
    while (path.size != 0 && path.data[path.size - 1] == '/')
        path.size--;
    size_t from = path.size;

    while (from != 0 && path.data[from - 1] != '/')
        from--;
    return bytes_make(path.data + from, path.size - from);
}

/* The folder's name as the system knows it. */
static int resolved_name(const char *path, struct buffer *out, struct error *err)
{
    struct buffer absolute = {0};
    os_handle folder = OS_NO_HANDLE;
    int result = -1;

    if (os_open_root(path, &folder, err) != 0)
        return error_at(err, path, strlen(path));
    if (os_handle_path(folder, &absolute, err) == 0) {
        struct bytes name = last_component(buffer_bytes(&absolute));

        if (name.size == 0)
            name = bytes_of("root");
        result = buffer_append(out, name.data, name.size, err);
    }
    os_close(folder);
    buffer_release(&absolute);
    return result;
}

int tree_root_name(const char *path, struct buffer *out, struct error *err)
{
    struct bytes name = last_component(bytes_of(path));
    bool dots = bytes_equal(name, bytes_of(".")) || bytes_equal(name, bytes_of(".."));
    int result = name.size == 0 || dots ? resolved_name(path, out, err)
                                        : buffer_append(out, name.data, name.size, err);

    return result == 0 ? buffer_terminate(out, err) : -1;
}

int tree_paths(const struct text_list *texts, size_t from, size_t count, struct bytes **out,
               struct error *err)
{
    struct bytes *paths = calloc(count + 1, sizeof *paths);

    if (paths == NULL)
        return error_memory(err);
    for (size_t i = 0; i < count; i++) {
        struct bytes path = bytes_of(texts->items[from + i]);

        while (path.size >= 2 && path.data[0] == '.' && path.data[1] == '/')
            path = bytes_make(path.data + 2, path.size - 2);
        while (path.size != 0 && path.data[path.size - 1] == '/')
            path.size--;
        if (bytes_equal(path, bytes_of(".")))
            path.size = 0; /* all of it */
        paths[i] = path;
    }
    *out = paths;
    return 0;
}

int tree_unescapes(const char *windows_names, struct error *err)
{
    static const char *const words[] = {"any", "escape"};

    return option_word_check("windows-names", windows_names, words, 2, err) != 0
               ? -1
               : option_word(windows_names, words, 2);
}

/* ---- Stacking ---- */

/* Reads what --reparse says. */
static int choose_reparse(struct tree *t, const struct tree_options *o, struct error *err)
{
    for (size_t i = 0; o->filter != NULL && i < o->filter->reparse.count; i++) {
        const char *text = o->filter->reparse.items[i];
        struct error why = {0};

        if (reparse_policies_add(&t->reparse, bytes_of(text), &why) != 0)
            return error_set(err, ERROR_USAGE, NULL, "--reparse %s: %s", text, why.detail);
    }
    return 0;
}

/* Of an archive reparse points pass by the user's word alone. */
static int add_reparse_choice(struct tree *t, struct error *err)
{
    if (t->reparse.count == 0)
        return 0;
    if (reparse_choice_new(t->source, &t->reparse, &t->reparse_choice, err) != 0)
        return -1;
    t->source = t->reparse_choice;
    return 0;
}

static struct filter_options filter_options_of(struct tree *t, const struct tree_options *o)
{
    struct filter_options filter = {.paths = o->paths, .path_count = o->path_count};

    if (o->filter == NULL)
        return filter;
    filter.rules = o->filter->rules.items;
    filter.rule_count = o->filter->rules.count;
    if (!t->is_archive && (o->filter->caches || o->filter->if_present.count != 0)) {
        folder_marks_init(&t->marks);
        t->marks.caches = o->filter->caches;
        t->marks.names = o->filter->if_present.items;
        t->marks.name_count = o->filter->if_present.count;
        filter.probe = &t->marks.probe;
    }
    return filter;
}

static bool filters_anything(const struct filter_options *f)
{
    return f->rule_count != 0 || f->path_count != 0 || f->probe != NULL;
}

static struct walk_options walk_options_of(const struct tree *t, const struct tree_options *o)
{
    return (struct walk_options){
        .one_file_system = o->filter != NULL && o->filter->one_file_system,
        .names = o->unescape_names ? WALK_NAMES_UNESCAPED : WALK_NAMES_LISTED,
        .reparse = &t->reparse,
        .relink = o->relink,
        .owner_names = o->owner_names,
        .looks_first = o->path_count != 0 || (o->filter != NULL && o->filter->rules.count != 0),
        .leave_out = o->leave_out,
        .leave_out_count = o->leave_out_count,
    };
}

int tree_read_ahead(struct tree *t, const struct disk_layout *layout, const struct tree_options *o,
                    struct error *err)
{
    const struct walk_options walk = walk_options_of(t, o);
    struct source *finder;

    if (walk_open(layout, &walk, &finder, err) != 0)
        return -1;
    if (ahead_new(t->source, finder, &t->source, err) == 0)
        return 0;
    source_close(finder);
    return -1;
}

int tree_open_layout(struct tree *t, const struct disk_layout *layout, const struct tree_options *o,
                     struct error *err)
{
    struct walk_options walk;
    struct filter_options filter;

    t->spool = OS_NO_HANDLE;
    if (choose_reparse(t, o, err) != 0)
        return -1;
    walk = walk_options_of(t, o);
    if (walk_open(layout, &walk, &t->walk, err) != 0)
        return -1;
    t->source = t->walk;
    filter = filter_options_of(t, o);
    if (filters_anything(&filter)) {
        if (filter_new(t->source, &filter, &t->chosen, err) != 0)
            return -1;
        t->source = t->chosen;
    }
    if (o->filter != NULL && o->filter->nodump && nodump_new(t->source, &t->source, err) != 0)
        return -1;
    if (reparse_choice_new(t->source, &t->reparse, &t->reparse_choice, err) != 0)
        return -1;
    t->source = t->reparse_choice;
    if (namegroup_new(t->source,
                      (struct namegroup_options){.count_is_hint = walk_link_count_is_hint(t->walk)},
                      &t->groups, err) != 0)
        return -1;
    t->source = t->groups;
    return 0;
}

static int open_folder(struct tree *t, const char *what, const struct tree_options *o,
                       struct error *err)
{
    struct disk_root root = {.name = o->root_name, .place = what};
    struct disk_layout layout = {.roots = &root, .root_count = 1};

    if (root.name == NULL) {
        if (tree_root_name(what, &t->root_name, err) != 0)
            return -1;
        root.name = (const char *)t->root_name.data;
    }
    return tree_open_layout(t, &layout, o, err);
}

static struct reader_options reader_options_of(const struct tree_options *o)
{
    return (struct reader_options){.strip_absolute = o->strip_absolute, .watcher = o->watcher};
}

const char *tree_spool_folder(void)
{
    const char *folder = getenv("TMPDIR");

    return folder != NULL && folder[0] != '\0' ? folder : "/tmp";
}

/* Chosen names of an archive, with a folder for what has to be kept aside. */
static int add_select(struct tree *t, const struct filter_options *filter,
                      const struct tree_options *o, struct error *err)
{
    struct select_options select = {.filter = *filter,
                                    .contents = o->contents,
                                    .archive = t->reopen,
                                    .reader = reader_options_of(o)};
    struct error ignored = {0};

    if (o->contents && os_open_root(tree_spool_folder(), &t->spool, &ignored) != 0)
        t->spool = OS_NO_HANDLE; /* then in memory */
    error_release(&ignored);
    select.spool = t->spool;
    if (select_new(t->source, &select, &t->chosen, err) != 0)
        return -1;
    t->source = t->chosen;
    return 0;
}

/* An index is read as a disk is. */
static int stack_index(struct tree *t, const struct tree_options *o, struct error *err)
{
    struct filter_options filter = filter_options_of(t, o);

    if (filters_anything(&filter)) {
        if (filter_new(t->source, &filter, &t->chosen, err) != 0)
            return -1;
        t->source = t->chosen;
    }
    if (add_reparse_choice(t, err) != 0)
        return -1;
    if (namegroup_new(t->source, (struct namegroup_options){.count_is_hint = false}, &t->groups,
                      err) != 0)
        return -1;
    t->source = t->groups;
    return 0;
}

int tree_open_incremental(const char *path, const struct reader_options *options,
                          struct opened_archive *out, struct error *err)
{
    os_handle handle;

    if (strcmp(path, "-") == 0)
        return error_set(err, ERROR_FORMAT, NULL,
                         "an incremental archive cannot be read from a pipe: it is not all of its "
                         "tree, and its index stands at its end");
    if (os_open_path(path, &handle, err) != 0 ||
        open_indexed_archive(handle, options, INDEX_CHECKED_FIRST, out, err) != 0)
        return -1;
    if (out->is_indexed)
        return 0;
    source_close(out->source);
    return error_set(err, ERROR_FORMAT, NULL,
                     "the index of this incremental archive is damaged: what is unchanged since "
                     "its base cannot be found without it");
}

static int open_archive(struct tree *t, const char *what, const struct tree_options *o,
                        struct error *err)
{
    struct reader_options reader = reader_options_of(o);
    struct opened_archive archive;
    os_handle handle = os_stdin();
    struct filter_options filter;

    t->is_archive = true;
    if (choose_reparse(t, o, err) != 0)
        return -1;
    if (strcmp(what, "-") != 0 && os_open_path(what, &handle, err) != 0)
        return -1;
    if (o->contents ? open_any_archive(handle, &reader, &archive, err)
                    : open_indexed_archive(handle, &reader, INDEX_CHECKED_FIRST, &archive, err))
        return -1;
    if (archive.is_incremental && !archive.is_indexed) {
        source_close(archive.source);
        if (tree_open_incremental(what, &reader, &archive, err) != 0)
            return -1;
        if (o->contents)
            watcher_remark(o->watcher, bytes_of(what),
                           "an incremental archive: contents are compared by the hashes in its "
                           "index; `holdfast verify` of it alone reads them");
    }
    t->source = archive.source;
    t->is_ours = archive.is_ours;
    t->is_indexed = archive.is_indexed;
    if (t->is_indexed)
        return stack_index(t, o, err);
    t->reopen = strcmp(what, "-") != 0 && input_can_seek(archive.input) ? what : NULL;
    t->input = archive.input;
    if (archive.is_ours) {
        t->reader = archive.source;
    } else {
        t->input = NULL; /* goes with the archive, which the catalogue closes */
        if (catalogue_new(t->source, o->contents ? CATALOGUE_WITH_HASHES : CATALOGUE_WITHOUT_HASHES,
                          &t->source, err) != 0)
            return -1;
    }
    filter = filter_options_of(t, o);
    if (filters_anything(&filter) && add_select(t, &filter, o, err) != 0)
        return -1;
    return add_reparse_choice(t, err);
}

int tree_reads_archive(const char *what, const struct tree_options *options, struct error *err)
{
    int folder;

    if (strcmp(what, "-") == 0)
        return 1;
    folder = tree_is_folder(what, err);
    if (folder < 0)
        return -1;
    return !folder && (!options->plain_files || may_be_archive(what));
}

int tree_open(struct tree *t, const char *what, const struct tree_options *options,
              struct error *err)
{
    int archive, result = -1;

    *t = (struct tree){.spool = OS_NO_HANDLE};
    archive = tree_reads_archive(what, options, err);
    if (archive >= 0)
        result = archive ? open_archive(t, what, options, err) : open_folder(t, what, options, err);
    if (result != 0) {
        tree_close(t);
        return error_at(err, what, strlen(what));
    }
    return 0;
}

void tree_close(struct tree *t)
{
    source_close(t->source);
    if (t->spool != OS_NO_HANDLE)
        os_close(t->spool);
    buffer_release(&t->root_name);
    *t = (struct tree){.spool = OS_NO_HANDLE};
}
