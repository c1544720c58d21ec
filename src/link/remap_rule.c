/*
 * remap_rule.c: rules from the outside, of remap.h.
 */
#include <stdlib.h>
#include <string.h>

#include "base/wtf8.h"
#include "link/remap_parts.h"
#include "link/winname.h"

static int refuse(struct error *err, const char *side, const char *why)
{
    return error_set(err, ERROR_USAGE, NULL, "%s: %s", side, why);
}

static void rule_release(struct remap_rule *rule)
{
    buffer_release(&rule->old_text);
    buffer_release(&rule->new_text);
}

void remap_release(struct remap *m)
{
    for (size_t i = 0; i < m->count; i++)
        rule_release(&m->rules[i]);
    free(m->rules);
    *m = (struct remap){0};
}

/* Copies one side of a rule and takes the copy apart. */
static int read_side(struct buffer *copy, struct target *t, struct bytes text, struct error *err)
{
    enum target_rules rules = text.data[0] == '/' ? TARGET_RULES_POSIX : TARGET_RULES_WINDOWS;

    if (buffer_append(copy, text.data, text.size, err))
        return -1;
    target_parse(buffer_bytes(copy), rules, t);
    if (t->form == TARGET_DRIVE_CURRENT && !t->rest.size) {
        if (buffer_append_byte(copy, '\\', err))
            return -1;
        target_parse(buffer_bytes(copy), rules, t);
    }
    return 0;
}

/* What keeps a path from being a side of a rule, or NULL. */
static const char *side_fault(const struct target *t)
{
    struct bytes rest = t->rest, name;
    size_t count = 0;

    if (t->form == TARGET_RELATIVE)
        return "a relative path: a rule needs absolute ones";
    if (t->form == TARGET_DRIVE_CURRENT)
        return "it depends on a current folder: write C:\\x for C:x";
    if (memchr(t->text.data, 0, t->text.size))
        return "a NUL in it";
    if (t->form != TARGET_POSIX_ABSOLUTE && !wtf8_is_valid(t->text, NULL))
        return "not valid WTF-8";
    while (target_next(t, &rest, &name)) {
        count++;
        if (bytes_equal(name, bytes_of(".")) || bytes_equal(name, bytes_of("..")))
            return ". or .. in it";
    }
    if (!count && (t->form == TARGET_UNC || t->form == TARGET_NT))
        return "it names nothing";
    return NULL;
}

/* What keeps Windows from holding the new path, or NULL. Names of devices are their own matter. */
static const char *new_fault(const struct target *t)
{
    struct bytes rest = t->rest, name;

    if (t->form == TARGET_POSIX_ABSOLUTE || t->form == TARGET_NT)
        return NULL;
    while (target_next(t, &rest, &name)) {
        enum winname_fault fault = winname_check(name);

        if (fault)
            return winname_fault_text(fault);
    }
    return NULL;
}

static int read_rule(struct remap_rule *rule, struct bytes old, struct bytes new, struct error *err)
{
    const char *fault;

    if (!old.size)
        return refuse(err, "OLD", "empty");
    if (!new.size)
        return refuse(err, "NEW", "empty");
    if (read_side(&rule->old_text, &rule->from, old, err) ||
        read_side(&rule->new_text, &rule->to, new, err))
        return -1;
    fault = side_fault(&rule->from);
    if (fault)
        return refuse(err, "OLD", fault);
    fault = side_fault(&rule->to);
    if (!fault)
        fault = new_fault(&rule->to);
    return fault ? refuse(err, "NEW", fault) : 0;
}

static int reserve(struct remap *m, struct error *err)
{
    size_t capacity = m->capacity ? m->capacity * 2 : 8;
    struct remap_rule *rules;

    if (m->count < m->capacity)
        return 0;
    if (capacity > SIZE_MAX / sizeof *rules)
        return error_memory(err);
    rules = realloc(m->rules, capacity * sizeof *rules);
    if (!rules)
        return error_memory(err);
    m->rules = rules;
    m->capacity = capacity;
    return 0;
}

int remap_add(struct remap *m, struct bytes old, struct bytes new, struct error *err)
{
    struct remap_rule rule = {0};

    if (read_rule(&rule, old, new, err) || reserve(m, err)) {
        rule_release(&rule);
        return -1;
    }
    m->rules[m->count++] = rule;
    return 0;
}

int remap_add_text(struct remap *m, struct bytes text, struct error *err)
{
    const uint8_t *equals = text.size ? memchr(text.data, '=', text.size) : NULL;
    size_t before;

    if (!equals)
        return error_set(err, ERROR_USAGE, NULL, "no '=' in it: a rule is OLD=NEW");
    before = (size_t)(equals - text.data);
    if (memchr(equals + 1, '=', text.size - before - 1))
        return error_set(err, ERROR_USAGE, NULL,
                         "more than one '=' in it: paths with '=' go into a --map-file");
    return remap_add(m, bytes_make(text.data, before),
                     bytes_make(equals + 1, text.size - before - 1), err);
}
