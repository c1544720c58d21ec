#include "archive/first_names.h"

/* 24 bytes: an archive has fewer than 2^40 entries, since each takes up 512 bytes at least. */
struct first_name {
    struct hash128 path;
    uint64_t number : 40;
    uint64_t missing : 24; /* names not seen yet; MISSING_UNKNOWN if nobody knows */
};
#define MISSING_UNKNOWN ((UINT32_C(1) << 24) - 1)

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
    bool known = e->link_count != 0 && e->link_count - 1 < MISSING_UNKNOWN;

    name->number = number & ((UINT64_C(1) << 40) - 1);
    name->missing = known ? (e->link_count - 1) & MISSING_UNKNOWN : MISSING_UNKNOWN;
    return 0;
}

int first_names_take(struct first_names *f, const struct entry *e, uint64_t *number)
{
    struct hash128 key = hash_bytes(e->first_name);
    struct first_name *name = table_find(&f->table, &key);

    if (name == NULL)
        return 0;
    *number = name->number;
    if (name->missing != MISSING_UNKNOWN && --name->missing == 0)
        table_remove(&f->table, &key);
    return 1;
}
