/*
 * losses.c: see losses.h. The bytes of all texts stand one after the other.
 */
#include "archive/losses.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "link/reparse.h"

int losses_add(struct losses *l, struct bytes path, const char *reason, struct error *err)
{
    if (l->count == l->capacity) {
        size_t capacity = l->capacity != 0 ? l->capacity * 2 : 16;
        struct tail_loss *grown = realloc(l->items, capacity * sizeof *grown);

        if (grown == NULL)
            return error_memory(err);
        l->items = grown;
        l->capacity = capacity;
    }
    struct bytes text = bytes_of(reason);

    if (buffer_append(&l->bytes, path.data, path.size, err) != 0 ||
        buffer_append(&l->bytes, text.data, text.size, err) != 0)
        return -1;
    l->items[l->count++] =
        (struct tail_loss){.path = {NULL, path.size}, .reason = {NULL, text.size}};
    return 0;
}

void losses_point(struct losses *l)
{
    const uint8_t *at = l->bytes.data;

    for (size_t i = 0; i < l->count; i++) {
        l->items[i].path.data = at;
        at += l->items[i].path.size;
        l->items[i].reason.data = at;
        at += l->items[i].reason.size;
    }
}

void losses_release(struct losses *l)
{
    buffer_release(&l->bytes);
    free(l->items);
    memset(l, 0, sizeof *l);
}

int losses_remark_reparse(struct watcher *w, const struct entry *e, struct error *err)
{
    uint32_t tag = entry_reparse_tag(e);
    const char *name = reparse_tag_name(tag);
    struct reparse decoded = {0};
    char text[200];

    if (e->kind != ENTRY_REPARSE)
        return 0;
    if (reparse_decode(e->reparse, &decoded, err) != 0)
        return -1;
    if (decoded.kind == REPARSE_MALFORMED)
        (void)snprintf(text, sizeof text, "a malformed reparse point, kept as it is: %s",
                       decoded.fault);
    else
        (void)snprintf(text, sizeof text, "reparse point, kept as it is: %s (0x%08" PRIX32 ")",
                       name != NULL ? name : "a tag that is not known", tag);
    watcher_remark(w, e->path, text);
    reparse_release(&decoded);
    return 0;
}
