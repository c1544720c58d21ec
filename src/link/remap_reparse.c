/*
 * remap_reparse.c: what rules do to a reparse buffer, of remap.h.
 */
#include "link/remap_parts.h"

/* A link on its way: `old` stays, `made` borrows from it all but its names. */
struct change {
    const struct reparse *old;
    struct reparse made;
    struct remap_text text; /* of the substitute name */
    struct target target;
    const char *why; /* it cannot be: static text */
};

/* What keeps a link of Windows from leading to NEW, or NULL. */
static const char *form_fault(const struct change *c)
{
    const struct target *to = &c->text.rule->to;
    struct bytes rest = c->text.rest, name;

    if (to->form == TARGET_POSIX_ABSOLUTE)
        return "a link of Windows holds no POSIX path";
    if (c->old->tag == REPARSE_TAG_MOUNT_POINT)
        return to->form == TARGET_DRIVE_ABSOLUTE || to->form == TARGET_VOLUME
                   ? NULL
                   : "a junction leads to drives and volumes alone";
    /* Only a relative name is resolved by words; the object manager takes dots for names. */
    if (c->target.form != TARGET_DRIVE_RELATIVE || to->form == TARGET_DRIVE_RELATIVE)
        return NULL;
    while (target_next(&c->target, &rest, &name)) {
        if (bytes_equal(name, bytes_of(".")) || bytes_equal(name, bytes_of("..")))
            return ". or .. in what becomes an absolute name";
    }
    return NULL;
}

/* Writes the new substitute name: 1, 0 (see `why`), -1. */
static int write_substitute(struct change *c, struct error *err)
{
    bool relative = c->text.rule->to.form == TARGET_DRIVE_RELATIVE;

    c->why = form_fault(c);
    if (c->why)
        return 0;
    if (relative)
        c->made.flags |= REPARSE_SYMLINK_RELATIVE;
    else
        c->made.flags &= ~REPARSE_SYMLINK_RELATIVE;
    c->text.prefix = c->target.prefix == TARGET_PLAIN ? TARGET_OBJECT : c->target.prefix;
    return remap_write(&c->text, &c->made.substitute, &c->why, err);
}

/* Writes the new print name: 1, 0, -1. */
static int write_print(struct change *c, struct error *err)
{
    struct target print;
    struct remap_text text = {.rule = c->text.rule, .target = &print};
    int written = 0;

    if (!c->old->print.size)
        return 1;
    target_parse(buffer_bytes(&c->old->print), TARGET_RULES_WINDOWS, &print);
    text.prefix = print.prefix;
    if (remap_rule_meets(text.rule, &print, &text.rest))
        written = remap_write(&text, &c->made.print, &c->why, err);
    if (written)
        return written;
    target_parse(buffer_bytes(&c->made.substitute), reparse_rules(&c->made), &print);
    return target_append_win32(&c->made.print, &print, err) ? -1 : 1;
}

static int write_names(struct change *c, struct error *err)
{
    int written;

    if (c->old->kind == REPARSE_LX_SYMLINK) {
        if (c->text.rule->to.form == TARGET_POSIX_ABSOLUTE)
            return remap_write(&c->text, &c->made.substitute, &c->why, err);
        c->why = "an LX symlink holds POSIX paths alone";
        return 0;
    }
    written = write_substitute(c, err);
    return written == 1 ? write_print(c, err) : written;
}

/* Makes the new buffer of the new names: 1, 0, -1. */
static int encode(struct change *c, struct remap_result *result, struct error *err)
{
    struct error problem = {0};

    if (!reparse_encode(&c->made, &result->raw, &problem))
        return reparse_append_target(&c->made, &result->target, err) ? -1 : 1;
    if (problem.kind == ERROR_MEMORY) {
        error_move(err, &problem);
        return -1;
    }
    c->why = problem.kind == ERROR_LIMIT ? "the buffer would be over 16 KiB"
                                         : "a name that the link cannot hold";
    error_release(&problem);
    return 0;
}

static bool is_same(const struct buffer *a, const struct buffer *b)
{
    return bytes_equal(buffer_bytes(a), buffer_bytes(b));
}

static int change(struct change *c, struct remap_result *result, struct error *err)
{
    int written = write_names(c, err);

    if (written == 1 && is_same(&c->old->substitute, &c->made.substitute) &&
        is_same(&c->old->print, &c->made.print) && c->old->flags == c->made.flags)
        return 0;
    if (written == 1)
        written = encode(c, result, err);
    if (written < 0)
        return -1;
    result->outcome = written ? REMAP_MAPPED : REMAP_IMPOSSIBLE;
    result->reason = written ? NULL : c->why;
    return 0;
}

int remap_reparse(const struct remap *m, const struct reparse *r, struct remap_result *result,
                  struct error *err)
{
    struct change c = {.old = r, .made = *r};
    int failed;

    *result = (struct remap_result){0};
    if (!reparse_is_link(r))
        return 0;
    c.made.substitute = c.made.print = (struct buffer){0};
    target_parse(buffer_bytes(&r->substitute), reparse_rules(r), &c.target);
    c.text.target = &c.target;
    c.text.rule = remap_find(m, &c.target, &c.text.rest);
    if (!c.text.rule)
        return 0;
    failed = change(&c, result, err);
    result->rule = (size_t)(c.text.rule - m->rules);
    result->rules = r->kind == REPARSE_LX_SYMLINK ? TARGET_RULES_POSIX : TARGET_RULES_WINDOWS;
    buffer_release(&c.made.substitute);
    buffer_release(&c.made.print);
    if (result->outcome == REMAP_UNCHANGED || failed)
        remap_result_release(result);
    return failed;
}
