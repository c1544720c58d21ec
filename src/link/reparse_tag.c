/*
 * reparse_tag.c: see reparse_tag.h.
 */
#include "link/reparse_tag.h"

#include <string.h>

#define MICROSOFT_BIT UINT32_C(0x80000000)
#define SURROGATE_BIT UINT32_C(0x20000000)
#define HIGH_LATENCY_BIT UINT32_C(0x40000000)
#define ALL_BITS UINT32_C(0xFFFFFFFF)
/* The cloud filter numbers its sync engines in these bits. */
#define CLOUD_BITS UINT32_C(0xFFFF0FFF)

/* [MS-FSCC] 2.1.2.1, those that are found on disks. */
static const struct known_tag {
    const char *name;
    uint32_t tag, mask;
    enum reparse_class class;
} known_tags[] = {
    {"junction", REPARSE_TAG_MOUNT_POINT, ALL_BITS, REPARSE_CLASS_LINK},
    {"symlink", REPARSE_TAG_SYMLINK, ALL_BITS, REPARSE_CLASS_LINK},
    {"lx-symlink", REPARSE_TAG_LX_SYMLINK, ALL_BITS, REPARSE_CLASS_LINK},
    {"app-exec-link", 0x8000001B, ALL_BITS, REPARSE_CLASS_KEPT},
    {"af-unix", 0x80000023, ALL_BITS, REPARSE_CLASS_KEPT},
    {"lx-fifo", 0x80000024, ALL_BITS, REPARSE_CLASS_KEPT},
    {"lx-char", 0x80000025, ALL_BITS, REPARSE_CLASS_KEPT},
    {"lx-block", 0x80000026, ALL_BITS, REPARSE_CLASS_KEPT},
    {"nfs", 0x80000014, ALL_BITS, REPARSE_CLASS_KEPT},
    {"dfs", 0x8000000A, ALL_BITS, REPARSE_CLASS_KEPT},
    {"dfsr", 0x80000012, ALL_BITS, REPARSE_CLASS_KEPT},
    {"wci", 0x80000018, ALL_BITS, REPARSE_CLASS_KEPT},
    {"wci", 0x90001018, ALL_BITS, REPARSE_CLASS_KEPT},
    {"wci-link", 0xA0000027, ALL_BITS, REPARSE_CLASS_KEPT},
    {"wci-link", 0xA0001027, ALL_BITS, REPARSE_CLASS_KEPT},
    {"wci-tombstone", 0xA000001F, ALL_BITS, REPARSE_CLASS_KEPT},
    {"global", 0xA0000019, ALL_BITS, REPARSE_CLASS_KEPT},
    {"projfs-tombstone", 0xA0000022, ALL_BITS, REPARSE_CLASS_KEPT},
    {"wof", 0x80000017, ALL_BITS, REPARSE_CLASS_DATA},
    {"dedup", 0x80000013, ALL_BITS, REPARSE_CLASS_DATA},
    {"sis", 0x80000007, ALL_BITS, REPARSE_CLASS_DATA},
    {"cloud", 0x9000001A, CLOUD_BITS, REPARSE_CLASS_NEVER},
    {"onedrive", 0x80000021, ALL_BITS, REPARSE_CLASS_NEVER},
    {"placeholder", 0x80000015, ALL_BITS, REPARSE_CLASS_NEVER},
    {"storage-sync", 0x8000001E, ALL_BITS, REPARSE_CLASS_NEVER},
    {"storage-sync", 0x90000027, ALL_BITS, REPARSE_CLASS_NEVER},
    {"projfs", 0x9000001C, ALL_BITS, REPARSE_CLASS_NEVER},
    {"hsm", 0xC0000004, ALL_BITS, REPARSE_CLASS_NEVER},
    {"hsm", 0x80000006, ALL_BITS, REPARSE_CLASS_NEVER},
};

enum { KNOWN_TAGS = sizeof known_tags / sizeof *known_tags };

static const struct known_tag *find(uint32_t tag)
{
    for (size_t i = 0; i < KNOWN_TAGS; i++) {
        if ((tag & known_tags[i].mask) == known_tags[i].tag)
            return &known_tags[i];
    }
    return NULL;
}

enum reparse_class reparse_tag_class(uint32_t tag)
{
    const struct known_tag *known = find(tag);

    if (known)
        return known->class;
    return tag & HIGH_LATENCY_BIT ? REPARSE_CLASS_NEVER : REPARSE_CLASS_KEPT;
}

const char *reparse_tag_name(uint32_t tag)
{
    const struct known_tag *known = find(tag);

    return known ? known->name : NULL;
}

bool reparse_tag_is_surrogate(uint32_t tag)
{
    return tag & SURROGATE_BIT;
}

bool reparse_tag_is_microsoft(uint32_t tag)
{
    return tag & MICROSOFT_BIT;
}

static int parse_policy(struct bytes text, enum reparse_policy *out)
{
    static const char *const names[] = {
        [REPARSE_RAW] = "raw",
        [REPARSE_DATA] = "data",
        [REPARSE_SKIP] = "skip",
        [REPARSE_REFUSE] = "refuse",
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (bytes_equal(text, bytes_of(names[i]))) {
            *out = (enum reparse_policy)i;
            return 0;
        }
    }
    return -1;
}

static int digit_of(uint8_t byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    if (byte >= 'a' && byte <= 'f')
        return byte - 'a' + 10;
    return byte >= 'A' && byte <= 'F' ? byte - 'A' + 10 : -1;
}

/* "0x" and one to eight digits. */
static int parse_number(struct bytes text, uint32_t *out)
{
    uint32_t value = 0;

    if (text.size < 3 || text.size > 10 || text.data[0] != '0' || (text.data[1] | 0x20) != 'x')
        return -1;
    for (size_t i = 2; i < text.size; i++) {
        int digit = digit_of(text.data[i]);

        if (digit < 0)
            return -1;
        value = value << 4 | (uint32_t)digit;
    }
    *out = value;
    return 0;
}

static int add(struct reparse_policies *p, struct reparse_wish wish, struct error *err)
{
    enum reparse_class class = reparse_tag_class(wish.tag);

    if (wish.policy == REPARSE_DATA && class == REPARSE_CLASS_NEVER)
        return error_set(err, ERROR_USAGE, "read policy",
                         "reading a placeholder would fetch its data");
    if (wish.policy == REPARSE_DATA && reparse_tag_is_surrogate(wish.tag))
        return error_set(err, ERROR_USAGE, NULL, "the data of a link is what it leads to");
    if (p->count == REPARSE_WISHES)
        return error_set(err, ERROR_LIMIT, NULL, "more than %d policies", (int)REPARSE_WISHES);
    p->wishes[p->count++] = wish;
    return 0;
}

/* Adds the policy for every tag of that name; 0 found, 1 not, -1. */
static int add_named(struct reparse_policies *p, struct bytes name, enum reparse_policy policy,
                     struct error *err)
{
    int result = 1;

    for (size_t i = 0; i < KNOWN_TAGS; i++) {
        const struct reparse_wish wish = {known_tags[i].tag, known_tags[i].mask, policy};

        if (!bytes_equal(name, bytes_of(known_tags[i].name)))
            continue;
        if (add(p, wish, err))
            return -1;
        result = 0;
    }
    return result;
}

int reparse_policies_add(struct reparse_policies *p, struct bytes text, struct error *err)
{
    struct reparse_wish wish = {.mask = ALL_BITS};
    const uint8_t *equals = text.size ? memchr(text.data, '=', text.size) : NULL;
    struct bytes name, policy;
    int result;

    if (!equals)
        return error_set(err, ERROR_USAGE, NULL, "expected TAG=raw, data, skip or refuse");
    name = bytes_make(text.data, (size_t)(equals - text.data));
    policy = bytes_make(equals + 1, text.size - name.size - 1);
    if (parse_policy(policy, &wish.policy))
        return error_set(err, ERROR_USAGE, NULL, "a policy is raw, data, skip or refuse");
    if (!parse_number(name, &wish.tag))
        return add(p, wish, err);
    result = add_named(p, name, wish.policy, err);
    if (result > 0)
        return error_set(
            err, ERROR_USAGE, "option",
            "not a tag: a name such as symlink, junction, cloud, wof, dedup, or 0x...");
    return result;
}

enum reparse_policy reparse_policy_of(const struct reparse_policies *p, uint32_t tag)
{
    for (size_t i = p->count; i > 0; i--) {
        if ((tag & p->wishes[i - 1].mask) == p->wishes[i - 1].tag)
            return p->wishes[i - 1].policy;
    }
    return REPARSE_RAW;
}
