/*
 * accounts.c: names and numbers of users and groups. The answers come from services that may be far
 * away (LDAP), and a tree asks for the same few again and again: the last ones are kept, those that
 * there is no answer to included.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "os/os.h"

enum { KEPT = 16, TEXT_LIMIT = 1 << 24 };

/* One answer: name and number belong together, or (`known` false) one of them has no partner. */
struct answer {
    bool used, known;
    uint64_t number;
    char *name; /* owned */
};

struct os_accounts {
    struct answer user_by_number[KEPT], group_by_number[KEPT];
    struct answer user_by_name[KEPT], group_by_name[KEPT];
    struct buffer text; /* what the services write to */
};

int os_accounts_new(struct os_accounts **out, struct error *err)
{
    *out = calloc(1, sizeof **out);
    return *out ? 0 : error_memory(err);
}

static void forget(struct answer *a)
{
    free(a->name);
    *a = (struct answer){0};
}

void os_accounts_free(struct os_accounts *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < KEPT; i++) {
        forget(&a->user_by_number[i]);
        forget(&a->group_by_number[i]);
        forget(&a->user_by_name[i]);
        forget(&a->group_by_name[i]);
    }
    buffer_release(&a->text);
    free(a);
}

/* Asks the system by name, or by number if `name` is NULL. Returns 0 or an error number as
 * getpwnam_r(3); *found is in `text`. */
typedef int lookup(struct buffer *text, const char *name, uint64_t number, struct answer *found);

static int lookup_user(struct buffer *text, const char *name, uint64_t number, struct answer *found)
{
    struct passwd entry, *result = NULL;
    char *room = (char *)text->data;
    int code = name ? getpwnam_r(name, &entry, room, text->capacity, &result)
                    : getpwuid_r((uid_t)number, &entry, room, text->capacity, &result);

    if (result)
        *found = (struct answer){true, true, entry.pw_uid, entry.pw_name};
    return code;
}

static int lookup_group(struct buffer *text, const char *name, uint64_t number,
                        struct answer *found)
{
    struct group entry, *result = NULL;
    char *room = (char *)text->data;
    int code = name ? getgrnam_r(name, &entry, room, text->capacity, &result)
                    : getgrgid_r((gid_t)number, &entry, room, text->capacity, &result);

    if (result)
        *found = (struct answer){true, true, entry.gr_gid, entry.gr_name};
    return code;
}

/* Asks with as much room as the answer needs: a group may have thousands of members. */
static struct answer ask(lookup *look, struct buffer *text, const char *name, uint64_t number)
{
    struct answer found = {0};
    size_t room = 1024;

    while (room <= TEXT_LIMIT && !buffer_reserve(text, room, NULL)) {
        int code = look(text, name, number, &found);
        if (code == ERANGE)
            room *= 4;
        else if (code != EINTR)
            break;
    }
    return found;
}

static const char *name_of(struct os_accounts *a, struct answer *kept, lookup *look,
                           uint64_t number)
{
    struct answer *slot = &kept[number % KEPT];
    struct answer found = {0};

    if (slot->used && slot->number == number)
        return slot->name;
    forget(slot);
    if (number < (uid_t)-1)
        found = ask(look, &a->text, NULL, number);
    slot->name = found.known ? strdup(found.name) : NULL;
    slot->number = number;
    /* Without memory the answer is "none" for once, and is not kept. */
    slot->used = !found.known || slot->name;
    return slot->name;
}

static int number_of(struct os_accounts *a, struct answer *kept, lookup *look, const char *name,
                     uint64_t *number)
{
    struct answer *slot = &kept[hash_key(name, strlen(name)) % KEPT];

    if (!slot->used || strcmp(slot->name, name) != 0) {
        struct answer found = ask(look, &a->text, name, 0);
        forget(slot);
        *slot = (struct answer){true, found.known, found.number, strdup(name)};
        slot->used = slot->name != NULL;
    }
    *number = slot->number;
    return slot->known ? 0 : -1;
}

const char *os_user_name(struct os_accounts *a, uint64_t uid)
{
    return name_of(a, a->user_by_number, lookup_user, uid);
}

const char *os_group_name(struct os_accounts *a, uint64_t gid)
{
    return name_of(a, a->group_by_number, lookup_group, gid);
}

int os_user_number(struct os_accounts *a, const char *name, uint64_t *uid)
{
    return number_of(a, a->user_by_name, lookup_user, name, uid);
}

int os_group_number(struct os_accounts *a, const char *name, uint64_t *gid)
{
    return number_of(a, a->group_by_name, lookup_group, name, gid);
}
