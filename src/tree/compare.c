/*
 * compare.c: the metadata of two entries, field by field. Part of diff.h.
 */
#include <string.h>

#include "tree/diff.h"

static const char acl_prefix[] = "system.posix_acl_";
static const char access_acl[] = "system.posix_acl_access";
static const char ntfs_attributes[] = "system.ntfs_attrib";

static bool is_acl(struct bytes name)
{
    size_t prefix = sizeof acl_prefix - 1;
    return name.size >= prefix && memcmp(name.data, acl_prefix, prefix) == 0;
}

static int64_t floor_divide(int64_t value, int64_t by)
{
    return value / by - (value % by < 0 ? 1 : 0);
}

/* Cuts a time to a grain, towards the past, as file systems do. A grain is a part or a multiple of
 * a second. */
static struct timestamp cut(struct timestamp t, uint64_t grain_ns)
{
    const uint64_t second = 1000000000;
    if (grain_ns <= 1)
        return t;
    if (grain_ns < second) {
        t.nanoseconds = (uint32_t)(t.nanoseconds - t.nanoseconds % grain_ns);
        return t;
    }
    t.seconds = floor_divide(t.seconds, (int64_t)(grain_ns / second));
    t.nanoseconds = 0;
    return t;
}

static bool mode_differs(const struct entry *want, const struct entry *have, uint32_t acl_known)
{
    uint32_t bits = want->meta.mode ^ have->meta.mode;
    if ((acl_known & METADATA_ACL) && pairs_find(&want->meta.xattrs, bytes_of(access_acl)) >= 0 &&
        pairs_find(&have->meta.xattrs, bytes_of(access_acl)) >= 0)
        bits &= ~(uint32_t)070;
    /* The mode of a link, and of any reparse point, is the system's, not the user's. */
    return !entry_is_link(want) && want->kind != ENTRY_REPARSE && bits != 0;
}

static uint32_t xattr_fields(const struct entry *want, const struct entry *have)
{
    uint32_t fields = 0;
    struct bytes name;
    size_t place = 0;
    while (diff_xattrs(want, have, &place, &name) > 0)
        fields |= is_acl(name) ? (uint32_t)METADATA_ACL : (uint32_t)METADATA_XATTRS;
    return fields;
}

uint32_t metadata_compare(const struct entry *want, const struct entry *have,
                          const struct diff_options *options)
{
    const struct metadata *a = &want->meta, *b = &have->meta;
    uint32_t known = a->known & b->known & ~options->ignore_fields;
    uint64_t grain = options->time_grain_ns;
    uint32_t fields = 0;
    if ((known & METADATA_MODE) && mode_differs(want, have, a->known & b->known))
        fields |= METADATA_MODE;
    if ((known & METADATA_OWNER) && a->owner != b->owner)
        fields |= METADATA_OWNER;
    if ((known & METADATA_GROUP) && a->group != b->group)
        fields |= METADATA_GROUP;
    if ((known & METADATA_MTIME) &&
        timestamp_compare(cut(a->mtime, grain), cut(b->mtime, grain)) != 0)
        fields |= METADATA_MTIME;
    if ((known & METADATA_FLAGS) && a->flags != b->flags)
        fields |= METADATA_FLAGS;
    if (known & (METADATA_XATTRS | METADATA_ACL))
        fields |= xattr_fields(want, have) & known;
    return fields;
}

bool content_taken_as_equal(const struct entry *want, const struct entry *have, uint32_t fields,
                            const struct diff_options *options)
{
    const uint32_t times = METADATA_MTIME | METADATA_CTIME;
    if (options->has_distrust && timestamp_compare(have->meta.ctime, options->distrust_since) >= 0)
        return false;
    return options->quick && (want->meta.known & have->meta.known & times) == times &&
           !((options->ignore_fields | fields) & METADATA_MTIME) &&
           timestamp_compare(want->meta.ctime, have->meta.ctime) < 0;
}

/* One step through two sorted lists: the next name of either, and whether its values differ. False
 * at the end of both. */
struct both_lists {
    const struct pairs *want, *have;
    size_t i, j;
    struct bytes name;
    bool differs;
};

static bool both_next(struct both_lists *l)
{
    bool left = l->i < l->want->count, right = l->j < l->have->count;
    if (!left && !right)
        return false;
    int order = !left ? 1 : -1;
    if (left && right)
        order = bytes_compare(pairs_name(l->want, l->i), pairs_name(l->have, l->j));
    l->name = order <= 0 ? pairs_name(l->want, l->i) : pairs_name(l->have, l->j);
    l->differs = order != 0 || !bytes_equal(pairs_value(l->want, l->i), pairs_value(l->have, l->j));
    l->i += order <= 0;
    l->j += order >= 0;
    return true;
}

/* True if `want` says nothing of an attribute, being from another file system than NTFS, which
 * alone has it. */
static bool is_not_said(const struct entry *want, struct bytes name)
{
    return entry_xattr_is_ntfs(name) &&
           pairs_find(&want->meta.xattrs, bytes_of(ntfs_attributes)) < 0;
}

int diff_xattrs(const struct entry *want, const struct entry *have, size_t *place,
                struct bytes *name)
{
    struct both_lists lists = {.want = &want->meta.xattrs, .have = &have->meta.xattrs};
    uint32_t known = want->meta.known & have->meta.known;
    size_t found = 0;
    while (both_next(&lists)) {
        uint32_t field = is_acl(lists.name) ? METADATA_ACL : METADATA_XATTRS;
        if (lists.differs && (known & field) && !is_not_said(want, lists.name) &&
            found++ == *place) {
            ++*place;
            *name = lists.name;
            return 1;
        }
    }
    return 0;
}
