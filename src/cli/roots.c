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
    const char *told_path; /* or NULL */
    struct buffer name;    /* NUL-terminated */
    struct buffer absolute;
};

static int compare_absolute(const void *a, const void *b)
{
    const struct named_root *x = a, *y = b;

    return path_compare(buffer_bytes(&x->absolute), buffer_bytes(&y->absolute));
}

static int compare_names(const void *a, const void *b)
{
    const struct named_root *x = a, *y = b;

    return bytes_compare(buffer_bytes(&x->name), buffer_bytes(&y->name));
}

/* The real path of a source: of its folder, or of a file by its folder. */
static int absolute_path(const char *source, struct buffer *out, struct error *err)
{
    os_handle handle = OS_NO_HANDLE;
    const char *slash = strrchr(source, '/');
    struct buffer folder = {0};
    int result = tree_is_folder(source, err);

    if (result < 0)
        return -1;
    if (result == 1) {
        if (os_open_root(source, &handle, err) != 0)
            return error_at(err, source, strlen(source));
        result = os_handle_path(handle, out, err);
        os_close(handle);
        return result;
    }
    result = slash == NULL ? buffer_append(&folder, ".", 1, err)
                           : buffer_append(&folder, source, (size_t)(slash - source) + 1, err);
    if (result == 0 && buffer_terminate(&folder, err) == 0 &&
        os_open_root((const char *)folder.data, &handle, err) == 0) {
        const char *name = slash != NULL ? slash + 1 : source;

        result = os_handle_path(handle, out, err);
        os_close(handle);
        if (result == 0 && out->size > 1)
            result = buffer_append_byte(out, '/', err);
        if (result == 0)
            result = buffer_append(out, name, strlen(name), err);
    } else {
        result = -1;
    }
    buffer_release(&folder);
    return result;
}

/* Name and told path of one root: by --as, else as typed. */
static int name_root(struct named_root *root, const char *as, struct error *err)
{
    const char *name = as;

    if (as == NULL)
        return tree_root_name(root->source, &root->name, err);
    for (const char *at = as; *at != '\0'; at++) {
        if (*at == '/' || *at == '\\')
            name = at + 1;
    }
    if (name != as)
        root->told_path = as;
    if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return error_set(err, ERROR_USAGE, NULL, "--as '%s' gives no name", as);
    if (buffer_append(&root->name, name, strlen(name), err) != 0)
        return -1;
    return buffer_terminate(&root->name, err);
}

/* Takes one source in; what is not there is told. */
static int add_root(struct root_list *l, const char *source, const char *as,
                    struct watcher *watcher)
{
    struct named_root *root = &l->items[l->count];
    struct error err = {0};
    int result;

    *root = (struct named_root){.source = source};
    result = absolute_path(source, &root->absolute, &err) == 0 && name_root(root, as, &err) == 0
                 ? 0
                 : -1;
    if (result == 0) {
        l->count++;
    } else {
        watcher_error(watcher, bytes_of(source), &err);
        buffer_release(&root->name);
        buffer_release(&root->absolute);
    }
    error_release(&err);
    return result;
}

/* Drops roots that lie inside another one, which precedes them. */
static void drop_inner(struct root_list *l, struct watcher *watcher)
{
    size_t kept = 0;

    for (size_t i = 0; i < l->count; i++) {
        struct named_root *root = &l->items[i];
        struct bytes outer =
            kept != 0 ? buffer_bytes(&l->items[kept - 1].absolute) : (struct bytes){NULL, 0};

        if (kept != 0 && (path_is_within(buffer_bytes(&root->absolute), outer) ||
                          bytes_equal(outer, bytes_of("/")))) {
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
    for (size_t i = 0; i < request->source_count; i++)
        (void)add_root(l, request->sources[i],
                       i < request->as->count ? request->as->items[i] : NULL, watcher);
    if (l->count == 0)
        return error_set(err, ERROR_USAGE, NULL,
                         request->source_count == 1 ? "the source is not there"
                                                    : "none of the sources is there");
    qsort(l->items, l->count, sizeof *l->items, compare_absolute);
    drop_inner(l, watcher);
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
