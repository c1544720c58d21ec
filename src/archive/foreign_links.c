/*
 * foreign_links.c: see foreign_links.h. Memory: an open group and the names that are held back; a
 * group is forgotten when as many names were seen as its link count says.
 */
#include "archive/foreign_links.h"

#include <stdlib.h>
#include <string.h>

/* A file some of whose names are still to come. */
struct link_group {
    uint64_t seen, link_count; /* names */
    struct metadata meta; /* of the first name that came; without names of owners and xattrs, which
                             cpio has not */
    struct buffer first_name; /* of the name with the data; empty until it came */
    struct buffer held;       /* names that are held back, NUL-terminated */
};

struct link_record {
    uint64_t key[2]; /* device, inode */
    struct link_group *group;
};

void foreign_links_init(struct foreign_links *l)
{
    memset(l, 0, sizeof *l);
    table_init(&l->groups, sizeof(struct link_record), sizeof((struct link_record *)0)->key);
}

static void free_group(struct link_group *g)
{
    if (!g)
        return;
    buffer_release(&g->first_name);
    buffer_release(&g->held);
    free(g);
}

void foreign_links_release(struct foreign_links *l)
{
    struct link_record *r;

    for (size_t place = 0; (r = table_next(&l->groups, &place)) != NULL;)
        free_group(r->group);
    table_release(&l->groups);
    buffer_release(&l->queue.names);
    buffer_release(&l->queue.first_name);
}

static struct metadata plain_metadata(const struct metadata *from)
{
    struct metadata meta = *from;

    meta.owner_name = meta.group_name = NULL;
    memset(&meta.xattrs, 0, sizeof meta.xattrs);
    return meta;
}

static struct link_group *group_of(struct foreign_links *l, const uint64_t key[2],
                                   const struct foreign_entry *e, struct error *err)
{
    struct link_record *r = table_add(&l->groups, key, err);

    if (!r || r->group)
        return r ? r->group : NULL;
    r->group = calloc(1, sizeof *r->group);
    if (!r->group) {
        table_remove(&l->groups, key);
        error_memory(err);
        return NULL;
    }
    r->group->link_count = e->entry.link_count;
    r->group->meta = plain_metadata(&e->entry.meta);
    return r->group;
}

/* Old cpio forms have 16 or 18 bits for an inode: two files can share one number. */
static bool is_same_file(const struct link_group *g, const struct entry *e)
{
    return g->link_count == e->link_count && g->meta.mode == e->meta.mode &&
           g->meta.owner == e->meta.owner && g->meta.group == e->meta.group &&
           timestamp_compare(g->meta.mtime, e->meta.mtime) == 0;
}

/* Hands the held names to the queue, behind a first name that was given out or, if `first_name` is
 * empty, with the first of them as such. */
static int queue_held(struct foreign_links *l, struct link_group *g, struct bytes first_name,
                      struct error *err)
{
    struct foreign_queue *q = &l->queue;

    buffer_clear(&q->names);
    buffer_clear(&q->first_name);
    q->at = 0;
    q->meta = g->meta;
    q->link_count = g->link_count;
    if (buffer_append(&q->names, g->held.data, g->held.size, err))
        return -1;
    buffer_release(&g->held);
    return buffer_append(&q->first_name, first_name.data, first_name.size, err);
}

static int hold(struct link_group *g, struct bytes path, struct error *err)
{
    if (buffer_append(&g->held, path.data, path.size, err))
        return -1;
    return buffer_append_byte(&g->held, 0, err);
}

/* What becomes of a name of the group: as foreign_links_see. */
static int place_name(struct foreign_links *l, struct link_group *g, struct foreign_entry *e,
                      struct error *err)
{
    struct bytes path = e->entry.path;

    g->seen++;
    e->entry.first_name = bytes_make(NULL, 0);
    if (g->first_name.size != 0) {
        return foreign_entry_further(e, buffer_bytes(&g->first_name), err) ? -1 : 1;
    }
    if (e->entry.size == 0) {
        if (hold(g, path, err))
            return -1;
        return g->seen >= g->link_count ? queue_held(l, g, bytes_make(NULL, 0), err) : 0;
    }
    e->entry.shared = true;
    if (buffer_append(&g->first_name, path.data, path.size, err))
        return -1;
    return queue_held(l, g, path, err) ? -1 : 1;
}

int foreign_links_see(struct foreign_links *l, struct foreign_entry *e, uint64_t device,
                      uint64_t inode, struct error *err)
{
    const uint64_t key[2] = {device, inode};
    struct link_group *g = group_of(l, key, e, err);

    if (!g)
        return -1;
    if (!is_same_file(g, &e->entry)) {
        e->entry.first_name = bytes_make(NULL, 0);
        return 1;
    }
    int result = place_name(l, g, e, err);
    if (g->seen >= g->link_count) {
        table_remove(&l->groups, key);
        free_group(g);
    }
    return result;
}

int foreign_links_next(struct foreign_links *l, struct foreign_entry *e, struct error *err)
{
    struct foreign_queue *q = &l->queue;

    if (q->at >= q->names.size)
        return 0;
    const char *name = (const char *)q->names.data + q->at;
    struct bytes path = bytes_of(name);
    q->at += path.size + 1;
    foreign_entry_clear(e);
    if (foreign_entry_path(e, path, err))
        return -1;
    e->entry.kind = ENTRY_FILE;
    e->entry.link_count = q->link_count;
    foreign_entry_metadata(e, &q->meta);
    if (q->first_name.size != 0)
        return foreign_entry_further(e, buffer_bytes(&q->first_name), err) ? -1 : 1;
    e->entry.shared = true;
    return buffer_append(&q->first_name, path.data, path.size, err) ? -1 : 1;
}

int foreign_links_end(struct foreign_links *l, struct error *err)
{
    struct link_record *r;

    while ((r = table_next(&l->groups, &l->place)) != NULL)
        if (r->group->held.size != 0)
            return queue_held(l, r->group, bytes_make(NULL, 0), err) ? -1 : 1;
    return 0;
}
