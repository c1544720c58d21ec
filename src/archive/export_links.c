#include "archive/export_links.h"

#include <stdlib.h>
#include <string.h>

void export_links_init(struct export_links *l)
{
    table_init(&l->files, sizeof(struct linked_file), sizeof(struct hash128));
}

void export_links_release(struct export_links *l)
{
    struct linked_file *file;

    for (size_t place = 0; (file = table_next(&l->files, &place)) != NULL;)
        buffer_release(&file->held);
    table_release(&l->files);
}

uint32_t export_links_names(const struct entry *e)
{
    if (!e->shared && !entry_is_further_name(e))
        return 1;
    return e->link_count > 1 && e->link_count < EXPORT_NAMES_NOT_KNOWN ? (uint32_t)e->link_count
                                                                       : EXPORT_NAMES_NOT_KNOWN;
}

static struct hash128 key_of(const struct entry *e)
{
    return hash_bytes(entry_is_further_name(e) ? e->first_name : e->path);
}

int export_links_add(struct export_links *l, const struct foreign_member *m, struct error *err)
{
    const struct entry *e = m->entry;
    struct hash128 key = key_of(e);
    struct linked_file *file = table_add(&l->files, &key, err);

    if (file == NULL)
        return -1;
    file->identity = e->identity;
    file->number = m->number;
    file->names = m->names;
    file->missing = m->names - 1;
    file->mode = e->meta.mode;
    file->owner = e->meta.owner;
    file->group = e->meta.group;
    file->mtime = m->mtime;
    file->written = m->size == 0;
    return m->size == 0 ? 0 : buffer_append(&file->held, e->path.data, e->path.size, err);
}

struct linked_file *export_links_find(struct export_links *l, const struct entry *e)
{
    struct hash128 key = key_of(e);

    return entry_is_further_name(e) ? table_find(&l->files, &key) : NULL;
}

void export_links_remove(struct export_links *l, struct linked_file *file)
{
    struct hash128 key = file->first_name;

    buffer_release(&file->held);
    table_remove(&l->files, &key);
}

static int by_number(const void *a, const void *b)
{
    const struct linked_file *x = a, *y = b;

    return (x->number > y->number) - (x->number < y->number);
}

int export_links_rest(struct export_links *l, struct linked_file **out, size_t *count,
                      struct error *err)
{
    struct linked_file *file;

    *count = 0;
    *out = calloc(l->files.count + 1, sizeof **out);
    if (*out == NULL)
        return error_memory(err);
    for (size_t place = 0; (file = table_next(&l->files, &place)) != NULL;) {
        if (file->held.size != 0)
            (*out)[(*count)++] = *file;
    }
    qsort(*out, *count, sizeof **out, by_number);
    return 0;
}
