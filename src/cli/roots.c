/*
 * roots.c: names by order of absolute paths ("~2" for equal ones), then sorted by name, the order
 * of the archive.
 */
#include "cli/roots.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/tree.h"
#include "os/os.h"

struct named_root {
    const char *source;
    size_t typed;          /* place on the command line */
    uint64_t volume;       /* st_dev */
    const char *told_path; /* or NULL */
    struct buffer name;    /* NUL-terminated */
    struct buffer absolute;
};

static int compare_absolute(const void *a, const void *b)
{
    const struct named_root *x = a, *y = b;

    int by_path = path_compare(buffer_bytes(&x->absolute), buffer_bytes(&y->absolute));

    return by_path != 0 ? by_path : x->typed < y->typed ? -1 : 1;
}

static int compare_names(const void *a, const void *b)
{
    const struct named_root *x = a, *y = b;

    return bytes_compare(buffer_bytes(&x->name), buffer_bytes(&y->name));
}

/* The real path of an open folder, with a name in it or none. */
static int append_real_path(os_handle folder, const char *name, struct buffer *out,
                            struct error *err)
{
    if (os_handle_path(folder, out, err) != 0)
        return -1;
    if (name == NULL)
        return 0;
    if (out->size > 1 && buffer_append_byte(out, '/', err) != 0)
        return -1;
    return buffer_append(out, name, strlen(name), err);
}

/* The real path of a source: of its folder, or of a file by its folder. */
static int absolute_path(const char *source, enum os_kind kind, struct buffer *out,
                         struct error *err)
{
    os_handle handle = OS_NO_HANDLE;
    const char *slash = strrchr(source, '/'), *name = NULL;
    struct buffer folder = {0};
    int result = -1;

    if (kind == OS_DIRECTORY) {
        result = buffer_append(&folder, source, strlen(source), err);
    } else if (slash != NULL) {
        name = slash + 1;
        result = buffer_append(&folder, source, (size_t)(name - source), err);
    } else {
        name = source;
        result = buffer_append(&folder, ".", 1, err);
    }
    if (result == 0)
        result = buffer_terminate(&folder, err);
    if (result == 0)
        result = os_open_root((const char *)folder.data, &handle, err);
    if (result == 0)
        result = append_real_path(handle, name, out, err);
    os_close(handle);
    buffer_release(&folder);
    return result == 0 ? 0 : error_at(err, source, strlen(source));
}

/* Where a source is. */
static int find_root(struct named_root *root, struct error *err)
{
    struct os_stat status;

    if (os_stat_path(root->source, true, &status, err) != 0)
        return error_at(err, root->source, strlen(root->source));
    root->volume = status.device;
    return absolute_path(root->source, status.kind, &root->absolute, err);
}

/* The name that --as gives: its last component, by either system's separator. */
static const char *name_of_as(const char *as)
{
    const char *name = as;

    for (const char *at = as; *at != '\0'; at++) {
        if (*at == '/' || *at == '\\')
            name = at + 1;
    }
    return name;
}

/* Name and told path of one root: by --as, else as typed. */
static int name_root(struct named_root *root, const char *as, struct error *err)
{
    const char *name;

    if (as == NULL)
        return tree_root_name(root->source, &root->name, err);
    name = name_of_as(as);
    if (name != as)
        root->told_path = as;
    if (buffer_append(&root->name, name, strlen(name), err) != 0)
        return -1;
    return buffer_terminate(&root->name, err);
}

/* Takes one source in. */
static int add_root(struct root_list *l, const char *source, const char *as, struct error *err)
{
    struct named_root *root = &l->items[l->count];

    *root = (struct named_root){.source = source, .typed = l->count};
    if (find_root(root, err) != 0 || name_root(root, as, err) != 0) {
        buffer_release(&root->name);
        buffer_release(&root->absolute);
        return -1;
    }
    l->count++;
    return 0;
}

/* Takes all sources in. One of several that is not there is told; of a single one that ends the
 * run. */
static int add_roots(struct root_list *l, const struct root_request *request,
                     struct watcher *watcher, struct error *err)
{
    for (size_t i = 0; i < request->source_count; i++) {
        const char *as = i < request->as->count ? request->as->items[i] : NULL;

        if (add_root(l, request->sources[i], as, err) == 0)
            continue;
        if (request->source_count == 1) {
            err->kind = ERROR_USAGE; /* nothing was changed yet */
            return -1;
        }
        watcher_error(watcher, bytes_of(request->sources[i]), err);
        error_release(err);
    }
    return l->count != 0 ? 0 : error_set(err, ERROR_USAGE, NULL, "none of the sources is there");
}

/* True if the walk of `outer` comes to `inner`. */
static bool is_reached(const struct named_root *outer, const struct named_root *inner,
                       bool one_file_system)
{
    struct bytes path = buffer_bytes(&outer->absolute);

    if (one_file_system && outer->volume != inner->volume)
        return false;
    return bytes_equal(path, bytes_of("/")) || path_is_within(buffer_bytes(&inner->absolute), path);
}

/* Drops roots that lie inside another one, which precedes them. */
static void drop_inner(struct root_list *l, bool one_file_system, struct watcher *watcher)
{
    size_t kept = 0;

    for (size_t i = 0; i < l->count; i++) {
        struct named_root *root = &l->items[i];
        bool reached = false;

        for (size_t k = 0; k < kept && !reached; k++)
            reached = is_reached(&l->items[k], root, one_file_system);
        if (reached) {
            watcher_remark(watcher, bytes_of(root->source),
                           "lies inside another source and is stored there");
            buffer_release(&root->name);
            buffer_release(&root->absolute);
        } else {
            l->items[kept++] = *root;
        }
    }
    l->count = kept;
}

static bool name_is_taken(const struct root_list *l, size_t count, struct bytes name)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes_equal(buffer_bytes(&l->items[i].name), name))
            return true;
    }
    return false;
}

/* Gives equal names "~2", "~3", ... in order of absolute paths. */
static int make_unique(struct root_list *l, struct error *err)
{
    for (size_t i = 1; i < l->count; i++) {
        struct buffer *name = &l->items[i].name;
        size_t plain = name->size;

        for (unsigned n = 2; name_is_taken(l, i, buffer_bytes(name)); n++) {
            char suffix[16];

            (void)snprintf(suffix, sizeof suffix, "~%u", n);
            name->size = plain;
            if (buffer_append(name, suffix, strlen(suffix), err) != 0 ||
                buffer_terminate(name, err) != 0)
                return -1;
        }
    }
    return 0;
}

static int check_request(const struct root_request *request, struct error *err)
{
    if (request->as->count > request->source_count)
        return error_set(err, ERROR_USAGE, NULL, "more --as names than sources");
    for (size_t i = 0; i < request->as->count; i++) {
        const char *name = name_of_as(request->as->items[i]);

        if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            return error_set(err, ERROR_USAGE, NULL, "--as '%s' gives no name",
                             request->as->items[i]);
    }
    return 0;
}

int root_list_make(struct root_list *l, const struct root_request *request, struct watcher *watcher,
                   struct error *err)
{
    *l = (struct root_list){0};
    if (check_request(request, err) != 0)
        return -1;
    l->items = calloc(request->source_count, sizeof *l->items);
    l->roots = calloc(request->source_count, sizeof *l->roots);
    if (l->items == NULL || l->roots == NULL)
        return error_memory(err);
    if (add_roots(l, request, watcher, err) != 0)
        return -1;
    qsort(l->items, l->count, sizeof *l->items, compare_absolute);
    drop_inner(l, request->one_file_system, watcher);
    if (make_unique(l, err) != 0)
        return -1;
    qsort(l->items, l->count, sizeof *l->items, compare_names);
    for (size_t i = 0; i < l->count; i++)
        l->roots[i] = (struct disk_root){.name = (const char *)l->items[i].name.data,
                                         .place = l->items[i].source,
                                         .told_path = l->items[i].told_path};
    return 0;
}

void root_list_release(struct root_list *l)
{
    for (size_t i = 0; i < l->count; i++) {
        buffer_release(&l->items[i].name);
        buffer_release(&l->items[i].absolute);
    }
    free(l->items);
    free(l->roots);
    *l = (struct root_list){0};
}

struct disk_layout root_list_layout(const struct root_list *l)
{
    return (struct disk_layout){.roots = l->roots, .root_count = l->count};
}
