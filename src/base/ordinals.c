#include "base/ordinals.h"

#include <stdlib.h>

void ordinals_release(struct ordinals *o)
{
    free(o->values);
    *o = (struct ordinals){0};
}

bool ordinals_find(const struct ordinals *o, uint64_t value, uint32_t *out)
{
    /* The last one first: who walks stays on a volume for long. */
    for (size_t i = o->count; i-- > 0;) {
        if (o->values[i] == value) {
            *out = (uint32_t)i;
            return true;
        }
    }
    return false;
}

int ordinals_add(struct ordinals *o, uint64_t value, uint32_t *out, struct error *err)
{
    if (ordinals_find(o, value, out))
        return 0;
    uint64_t *more = realloc(o->values, (o->count + 1) * sizeof *more);
    if (!more)
        return error_memory(err);
    o->values = more;
    *out = (uint32_t)o->count;
    more[o->count++] = value;
    return 0;
}
