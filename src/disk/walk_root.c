/*
 * walk_root.c: where the roots stand, and the facts about them. A root that the user named is the
 * one place where a link's end is looked for: by the system, then held by its folder and its own
 * name.
 */
#include "disk/walk_state.h"

#include <stdlib.h>

/* The text behind a terminated buffer. */
static const char *text_of(const struct buffer *b)
{
    return b->data ? (const char *)b->data : "";
}

static int copy_text(struct buffer *to, struct bytes text, struct error *err)
{
    buffer_clear(to);
    if (buffer_append(to, text.data, text.size, err))
        return -1;
    return buffer_terminate(to, err);
}

void walk_place_close(struct walk_place *p)
{
    os_close(p->handle);
    os_close(p->folder);
    buffer_release(&p->name);
    *p = (struct walk_place){.handle = OS_NO_HANDLE, .folder = OS_NO_HANDLE};
}

/* Opens the folder part of a path and keeps the last component. */
static int open_by_name(struct bytes path, struct walk_place *out, struct error *err)
{
    struct buffer folder = {0};
    size_t start;
    int result = -1;

    while (path.size > 1 && path.data[path.size - 1] == '/')
        path.size--;
    for (start = path.size; start && path.data[start - 1] != '/';)
        start--;
    if (copy_text(&folder, start ? bytes_make(path.data, start) : bytes_of("."), err) ||
        copy_text(&out->name, bytes_make(path.data + start, path.size - start), err))
        goto out;
    result = os_open_root(text_of(&folder), &out->folder, err);
out:
    buffer_release(&folder);
    return result;
}

/* A root that is no folder, or one that cannot be listed: its links are followed to the end, as for
 * a folder. */
static int open_leaf(const struct walk_root *r, struct walk_place *out, struct error *err)
{
    struct buffer real = {0};
    enum os_leads leads = OS_LEADS_NOWHERE;
    struct os_stat status;
    int result;

    if (!os_follow(OS_NO_HANDLE, text_of(&r->place), &leads, &real, err) &&
        leads == OS_LEADS_SOMEWHERE) {
        result = open_by_name(buffer_bytes(&real), out, err);
    } else {
        /* A path too long to be followed in one go; its last component may be none of the links. */
        error_release(err);
        result = open_by_name(buffer_bytes(&r->place), out, err);
        if (!result)
            result = os_stat_at(out->folder, text_of(&out->name), &status, err);
        if (!result && status.kind == OS_SYMLINK)
            result = error_set(err, ERROR_LIMIT, "open", "path too long to follow a link");
    }
    buffer_release(&real);
    return result;
}

static int open_named_place(const struct walk_root *r, struct walk_place *out, struct error *err)
{
    struct error cause = {0};
    struct os_stat status;
    int result;

    if (!os_open_root(text_of(&r->place), &out->handle, &cause))
        return 1;
    if (!os_stat_path(text_of(&r->place), true, &status, err)) {
        error_release(&cause);
        return open_leaf(r, out, err) ? -1 : 1;
    }
    /* A link that leads nowhere is there; a name that is not is missing. */
    result = -1;
    if (os_error_is_missing(err)) {
        if (os_stat_path(text_of(&r->place), false, &status, &cause))
            result = os_error_is_missing(&cause) ? 0 : -1;
    }
    error_release(&cause);
    return result;
}

int walk_place_open(struct walk *w, const struct walk_root *r, struct walk_place *out,
                    struct error *err)
{
    *out = (struct walk_place){.handle = OS_NO_HANDLE, .folder = OS_NO_HANDLE};
    if (r->placed)
        return open_named_place(r, out, err);
    if (w->base == OS_NO_HANDLE && os_open_root(text_of(&w->base_path), &w->base, err))
        return os_error_is_missing(err) ? 0 : -1;
    buffer_clear(&out->name);
    if (walk_append_path(w, buffer_bytes(&r->name), &out->name, err) ||
        buffer_terminate(&out->name, err))
        return -1;
    return 1;
}

void walk_subject_at(struct walk *w, struct walk_place *p, struct walk_subject *out)
{
    *out = (struct walk_subject){.folder = p->folder, .name = text_of(&p->name), .open = p->handle};
    p->handle = OS_NO_HANDLE;
    if (out->open == OS_NO_HANDLE && out->folder == OS_NO_HANDLE)
        out->folder = w->base;
}

/* Appends a component to an absolute path. */
static int append_component(struct buffer *path, struct bytes name, struct error *err)
{
    bool slash = path->size && path->data[path->size - 1] == '/';
    if (!slash && buffer_append_byte(path, '/', err))
        return -1;
    return buffer_append(path, name.data, name.size, err);
}

/* Of a root that was found. What the system does not tell stays empty: facts are for people and for
 * later runs, none is needed here. */
static void find_facts(struct walk *w, struct walk_root *r, struct walk_place *p)
{
    struct error ignored = {0};
    os_handle folder = p->folder == OS_NO_HANDLE ? w->base : p->folder;
    os_handle inner = p->handle;
    os_handle opened = OS_NO_HANDLE;

    if (p->handle != OS_NO_HANDLE) {
        if (os_handle_path(p->handle, &r->absolute_path, &ignored))
            buffer_clear(&r->absolute_path);
    } else if (os_handle_path(folder, &r->absolute_path, &ignored) ||
               append_component(&r->absolute_path, buffer_bytes(&p->name), &ignored)) {
        buffer_clear(&r->absolute_path);
    }
    /* A file's volume is its folder's; a root below the base may be one of its own. */
    if (inner == OS_NO_HANDLE) {
        error_release(&ignored);
        inner = folder;
        if (!os_open_dir(folder, text_of(&p->name), &opened, &ignored))
            inner = opened;
    }
    error_release(&ignored);
    if (os_volume_facts(inner, &r->volume, &ignored))
        r->volume = (struct os_volume){0};
    error_release(&ignored);
    os_close(opened);
}

/* Of a root that is not there (yet): where it would stand. */
static void find_missing_facts(struct walk_root *r)
{
    struct error ignored = {0};
    struct walk_place p = {.handle = OS_NO_HANDLE, .folder = OS_NO_HANDLE};

    if (r->placed && (open_by_name(buffer_bytes(&r->place), &p, &ignored) ||
                      os_handle_path(p.folder, &r->absolute_path, &ignored) ||
                      append_component(&r->absolute_path, buffer_bytes(&p.name), &ignored)))
        buffer_clear(&r->absolute_path);
    walk_place_close(&p);
    error_release(&ignored);
}

static int init_root(struct walk *w, struct walk_root *r, const struct disk_root *from,
                     struct error *err)
{
    struct error ignored = {0};
    struct walk_place p;

    r->placed = from->place != NULL;
    if (copy_text(&r->name, bytes_of(from->name), err) ||
        copy_text(&r->place, bytes_of(r->placed ? from->place : ""), err))
        return -1;
    if (walk_place_open(w, r, &p, &ignored) == 1)
        find_facts(w, r, &p);
    else
        find_missing_facts(r);
    walk_place_close(&p);
    error_release(&ignored);
    return copy_text(&r->told_path,
                     from->told_path ? bytes_of(from->told_path) : buffer_bytes(&r->absolute_path),
                     err);
}

static void set_facts(struct walk *w)
{
    bool hint = false;

    for (size_t i = 0; i < w->root_count; i++) {
        struct walk_root *r = &w->roots[i];
        w->root_facts[i] = (struct root_fact){text_of(&r->name), text_of(&r->told_path),
                                              r->volume.file_system, r->volume.identity};
        hint = hint || r->volume.link_count_is_hint;
    }
    w->facts = (struct source_facts){
        .roots = w->root_facts,
        .root_count = w->root_count,
        .host_system = os_system_name(),
        .ordered = true,
        .names_known = !hint,
        .complete_metadata = true,
    };
}

int walk_roots_init(struct walk *w, const struct disk_layout *layout, struct error *err)
{
    w->roots = calloc(layout->root_count + 1, sizeof *w->roots);
    w->root_facts = calloc(layout->root_count + 1, sizeof *w->root_facts);
    if (!w->roots || !w->root_facts)
        return error_memory(err);
    if (copy_text(&w->base_path, bytes_of(layout->base ? layout->base : ""), err))
        return -1;
    for (size_t i = 0; i < layout->root_count; i++) {
        w->root_count = i + 1;
        if (init_root(w, &w->roots[i], &layout->roots[i], err))
            return -1;
    }
    set_facts(w);
    return 0;
}

void walk_roots_release(struct walk *w)
{
    for (size_t i = 0; i < w->root_count; i++) {
        buffer_release(&w->roots[i].name);
        buffer_release(&w->roots[i].place);
        buffer_release(&w->roots[i].absolute_path);
        buffer_release(&w->roots[i].told_path);
    }
    free(w->roots);
    free(w->root_facts);
    buffer_release(&w->base_path);
    os_close(w->base);
}
