#include "tree/pathnode.h"

#include <stdlib.h>
#include <string.h>

struct pathnode {
    struct pathnode *parent; /* held; NULL for a top-level name */
    uint32_t holders;
    uint32_t name_bytes;
    uint8_t name[];
};

struct pathnode *pathnode_share(struct pathnode *n)
{
    if (n != NULL)
        n->holders++;
    return n;
}

void pathnode_drop(struct pathnode *n)
{
    /* A loop, because a tree may be deeper than the stack. */
    while (n != NULL && --n->holders == 0) {
        struct pathnode *parent = n->parent;
        free(n);
        n = parent;
    }
}

static struct pathnode *pathnode_new(struct pathnode *parent, struct bytes name)
{
    if (name.size > UINT32_MAX)
        return NULL;
    /* Not sizeof(struct pathnode): trailing padding would be paid for every node. */
    struct pathnode *n = malloc(offsetof(struct pathnode, name) + name.size);
    if (n == NULL)
        return NULL;
    n->parent = pathnode_share(parent);
    n->holders = 1;
    n->name_bytes = (uint32_t)name.size;
    memcpy(n->name, name.data, name.size);
    return n;
}

int pathnode_append(const struct pathnode *n, struct buffer *out, struct error *err)
{
    size_t size = 0;
    for (const struct pathnode *at = n; at != NULL; at = at->parent)
        size += at->name_bytes + (at->parent != NULL ? 1u : 0u);
    if (buffer_reserve(out, size, err) != 0)
        return -1;
    out->size += size;
    size_t end = out->size;
    for (const struct pathnode *at = n; at != NULL; at = at->parent) {
        end -= at->name_bytes;
        memcpy(out->data + end, at->name, at->name_bytes);
        if (at->parent != NULL)
            out->data[--end] = '/';
    }
    return 0;
}

static void pathtree_cut(struct pathtree *t, size_t depth)
{
    while (t->depth > depth)
        pathnode_drop(t->levels[--t->depth]);
}

void pathtree_release(struct pathtree *t)
{
    pathtree_cut(t, 0);
    free(t->levels);
    *t = (struct pathtree){0};
}

static int pathtree_push(struct pathtree *t, struct bytes name, struct error *err)
{
    if (t->depth == t->capacity) {
        size_t capacity = t->capacity > 0 ? t->capacity * 2 : 16;
        struct pathnode **levels = realloc(t->levels, capacity * sizeof(struct pathnode *));
        if (levels == NULL)
            return error_memory(err);
        t->levels = levels;
        t->capacity = capacity;
    }
    struct pathnode *n = pathnode_new(t->depth > 0 ? t->levels[t->depth - 1] : NULL, name);
    if (n == NULL)
        return error_memory(err);
    t->levels[t->depth++] = n;
    return 0;
}

/* Takes the first component off `path`. */
static struct bytes take_component(struct bytes *path)
{
    const uint8_t *slash = memchr(path->data, '/', path->size);
    size_t size = slash != NULL ? (size_t)(slash - path->data) : path->size;
    struct bytes name = bytes_make(path->data, size);
    size_t taken = slash != NULL ? size + 1 : size;
    *path = bytes_make(path->data + taken, path->size - taken);
    return name;
}

int pathtree_hold(struct pathtree *t, struct bytes path, struct pathnode **out, struct error *err)
{
    size_t depth = 0;
    bool same = true;
    while (path.size > 0) {
        struct bytes name = take_component(&path);
        same = same && depth < t->depth &&
               bytes_equal(name, bytes_make(t->levels[depth]->name, t->levels[depth]->name_bytes));
        if (!same) {
            pathtree_cut(t, depth);
            if (pathtree_push(t, name, err) != 0)
                return -1;
        }
        depth++;
    }
    *out = depth > 0 ? pathnode_share(t->levels[depth - 1]) : NULL;
    return 0;
}
