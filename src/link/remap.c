/*
 * remap.c: what rules do to the text of a target, of remap.h.
 */
#include "link/remap.h"

#include <string.h>

#include "base/upcase.h"
#include "link/remap_parts.h"

void remap_result_release(struct remap_result *result)
{
    buffer_release(&result->target);
    buffer_release(&result->raw);
    *result = (struct remap_result){0};
}

static bool is_posix(const struct target *t)
{
    return t->form == TARGET_POSIX_ABSOLUTE;
}

static bool same_name(const struct target *t, struct bytes a, struct bytes b)
{
    return is_posix(t) ? bytes_equal(a, b) : upcase_equal(a, b);
}

/* The same namespace and root, whatever the components. Names of the object namespace alone have
 * another root if no prefix names it. */
static bool same_root(const struct target *a, const struct target *b)
{
    if (a->form != b->form || !upcase_equal(a->root, b->root))
        return false;
    return a->form != TARGET_NT || (a->prefix == TARGET_PLAIN) == (b->prefix == TARGET_PLAIN);
}

static bool next_but_dots(const struct target *t, struct bytes *rest, struct bytes *name)
{
    while (target_next(t, rest, name)) {
        if (!bytes_equal(*name, bytes_of(".")))
            return true;
    }
    return false;
}

/* True if the words climb out of the folder in which they begin. */
static bool climbs_out(const struct target *t, struct bytes rest)
{
    struct bytes name;
    size_t depth = 0;

    while (next_but_dots(t, &rest, &name)) {
        if (!bytes_equal(name, bytes_of("..")))
            depth++;
        else if (depth-- == 0)
            return true;
    }
    return false;
}

bool remap_rule_meets(const struct remap_rule *rule, const struct target *t, struct bytes *rest)
{
    struct bytes wanted = rule->from.rest, name, other;

    if (!same_root(&rule->from, t))
        return false;
    *rest = t->rest;
    while (target_next(&rule->from, &wanted, &name)) {
        if (!next_but_dots(t, rest, &other) || !same_name(t, name, other))
            return false;
    }
    return !climbs_out(t, *rest);
}

const struct remap_rule *remap_find(const struct remap *m, const struct target *t,
                                    struct bytes *rest)
{
    for (size_t i = 0; i < m->count; i++) {
        if (remap_rule_meets(&m->rules[i], t, rest))
            return &m->rules[i];
    }
    return NULL;
}

static int append_text(struct buffer *out, const char *text, struct error *err)
{
    return buffer_append(out, text, strlen(text), err);
}

static int append_bytes(struct buffer *out, struct bytes b, struct error *err)
{
    return buffer_append(out, b.data, b.size, err);
}

/* Appends what stands in front of a root of Windows. */
static int append_prefix(const struct remap_text *text, struct buffer *out, struct error *err)
{
    static const char *const prefixes[] = {
        [TARGET_PLAIN] = "",
        [TARGET_VERBATIM] = "\\\\?\\",
        [TARGET_DEVICE] = "\\\\.\\",
        [TARGET_OBJECT] = "\\??\\",
    };
    const struct target *to = &text->rule->to;

    if (to->form == TARGET_DRIVE_RELATIVE)
        return 0;
    if (text->prefix != TARGET_PLAIN) {
        if (append_text(out, prefixes[text->prefix], err))
            return -1;
        return to->form == TARGET_UNC ? append_text(out, "UNC\\", err) : 0;
    }
    if (to->form == TARGET_UNC)
        return append_text(out, "\\\\", err);
    if (to->form == TARGET_NT)
        return append_bytes(out, bytes_make(to->text.data, 4), err);
    return to->form == TARGET_VOLUME ? append_text(out, prefixes[TARGET_VERBATIM], err) : 0;
}

/* Appends NEW without a separator at its end; a root alone, such as a drive, is "C:". */
static int append_new(const struct remap_text *text, struct buffer *out, size_t *count,
                      struct error *err)
{
    const struct target *to = &text->rule->to;
    bool joined = to->form != TARGET_UNC && to->form != TARGET_NT;
    struct bytes rest = to->rest, name;

    *count = 0;
    if (!is_posix(to) && (append_prefix(text, out, err) || append_bytes(out, to->root, err)))
        return -1;
    while (target_next(to, &rest, &name)) {
        if ((joined || *count) && buffer_append_byte(out, is_posix(to) ? '/' : '\\', err))
            return -1;
        if (append_bytes(out, name, err))
            return -1;
        ++*count;
    }
    return 0;
}

/* Appends what follows OLD in the target: 1, 0 with *why, -1. */
static int append_rest(const struct remap_text *text, struct buffer *out, const char **why,
                       struct error *err)
{
    const struct target *t = text->target, *to = &text->rule->to;
    size_t start = out->size;
    struct target part = *t;

    part.rest = text->rest;
    if (is_posix(t) != is_posix(to))
        return target_turn(out, &part, is_posix(to) ? TARGET_RULES_POSIX : TARGET_RULES_WINDOWS,
                           why, err);
    if (append_bytes(out, text->rest, err))
        return -1;
    /* Slashes are separators in a plain path, but not behind \\?\ or \??\, which NEW may bring. */
    for (size_t i = start; !is_posix(t) && i < out->size; i++) {
        if (target_is_separator(t, out->data[i]) && to->form != TARGET_DRIVE_ABSOLUTE)
            out->data[i] = '\\';
    }
    return 1;
}

/* True if the new text leads where NEW says. Odd components behind a root can make another root:
 * \x\\s\h by the rule \x=\ would be \\s\h. */
static bool leads_to(struct bytes made, const struct target *to)
{
    struct target t;

    target_parse(made, is_posix(to) ? TARGET_RULES_POSIX : TARGET_RULES_WINDOWS, &t);
    return same_root(&t, to);
}

int remap_write(const struct remap_text *text, struct buffer *out, const char **why,
                struct error *err)
{
    const struct remap_rule *rule = text->rule;
    struct remap_text given = *text;
    struct bytes from_rest = rule->from.rest, rest = text->rest, name;
    size_t start = out->size, count;
    int result;

    if (append_new(text, out, &count, err))
        return -1;
    /* A root's own separator is no part of what follows it. */
    if (count && !target_next(&rule->from, &from_rest, &name) &&
        !target_next(text->target, &rest, &name))
        given.rest.size = 0;
    result = append_rest(&given, out, why, err);
    if (result == 1 && !count && !given.rest.size &&
        buffer_append_byte(out, is_posix(&rule->to) ? '/' : '\\', err))
        result = -1;
    if (result == 1 && !leads_to(bytes_make(out->data + start, out->size - start), &rule->to)) {
        *why = "its words would mean another place";
        result = 0;
    }
    if (result != 1)
        out->size = start;
    return result;
}

int remap_target(const struct remap *m, struct bytes target, enum target_rules rules,
                 struct remap_result *result, struct error *err)
{
    struct target t;
    struct remap_text text = {.target = &t};
    int written;

    *result = (struct remap_result){0};
    target_parse(target, rules, &t);
    text.rule = remap_find(m, &t, &text.rest);
    if (!text.rule)
        return 0;
    text.prefix = t.prefix;
    result->rule = (size_t)(text.rule - m->rules);
    result->rules = is_posix(&text.rule->to) ? TARGET_RULES_POSIX : TARGET_RULES_WINDOWS;
    written = remap_write(&text, &result->target, &result->reason, err);
    if (written < 0)
        return -1;
    if (written == 0) {
        result->outcome = REMAP_IMPOSSIBLE;
    } else if (bytes_equal(buffer_bytes(&result->target), target)) {
        remap_result_release(result);
    } else {
        result->outcome = REMAP_MAPPED;
    }
    return 0;
}
