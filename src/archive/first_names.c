#include "archive/first_names.h"

struct first_name {
    struct hash128 path;
    uint64_t number;
    uint64_t missing; /* names not seen yet; UINT64_MAX if nobody knows */
};

void first_names_init(struct first_names *f)
{
    table_init(&f->table, sizeof(struct first_name), sizeof(struct hash128));
}

void first_names_release(struct first_names *f)
{
    table_release(&f->table);
}

int first_names_add(struct first_names *f, const struct entry *e, uint64_t number,
                    struct error *err)
{
    struct hash128 key = hash_bytes(e->path);
    struct first_name *name;

    if (e->link_count == 1)
        return 0;
    name = table_add(&f->table, &key, err);
    if (name == NULL)
        return -1;
    name->number = number;
    name->missing = e->link_count != 0 ? e->link_count - 1 : UINT64_MAX;
    return 0;
}

int first_names_take(struct first_names *f, const struct entry *e, uint64_t *number)
{
    struct hash128 key = hash_bytes(e->first_name);
    struct first_name *name = table_find(&f->table, &key);

    if (name == NULL)
        return 0;
    *number = name->number;
    if (name->missing != UINT64_MAX && --name->missing == 0)
        table_remove(&f->table, &key);
    return 1;
}
