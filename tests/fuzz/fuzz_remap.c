/*
 * Rules, and a link under them: rules as text lines or as a file, a NUL, then any bytes as a target
 * and as a reparse buffer. What is mapped is a link of the same kind of buffer and leads where the
 * mapped text says.
 */
#include <assert.h>
#include <string.h>

#include "link/remap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_result(const struct remap *m, const struct remap_result *r)
{
    switch (r->outcome) {
    case REMAP_UNCHANGED:
        assert(!r->target.size && !r->raw.size);
        return;
    case REMAP_IMPOSSIBLE:
        assert(r->rule < m->count && r->reason && *r->reason);
        assert(!r->target.size && !r->raw.size);
        return;
    case REMAP_MAPPED:
        assert(r->rule < m->count && r->target.size);
        return;
    }
    assert(false);
}

static void check_text(const struct remap *m, struct bytes target, enum target_rules rules)
{
    struct remap_result r;
    enum target_form form;

    assert(!remap_target(m, target, rules, &r, NULL));
    check_result(m, &r);
    if (r.outcome == REMAP_MAPPED) {
        assert(!bytes_equal(buffer_bytes(&r.target), target));
        form = target_form(buffer_bytes(&r.target), r.rules);
        assert(form != TARGET_RELATIVE && form != TARGET_DRIVE_CURRENT);
        assert((form == TARGET_POSIX_ABSOLUTE) == (r.rules == TARGET_RULES_POSIX));
    }
    remap_result_release(&r);
}

/* The same place, however it is spelt. */
static bool same_place(const struct buffer *a, const struct buffer *b)
{
    struct target s, t;

    target_parse(buffer_bytes(a), TARGET_RULES_WINDOWS, &s);
    target_parse(buffer_bytes(b), TARGET_RULES_WINDOWS, &t);
    return s.form == t.form && bytes_equal(s.root, t.root) && bytes_equal(s.rest, t.rest);
}

/* The text of a link is mapped as the link is. */
static void check_agreement(const struct remap *m, const struct reparse *link,
                            const struct remap_result *mapped)
{
    struct buffer text = {0};
    struct remap_result r;
    struct target t;

    target_parse(buffer_bytes(&link->substitute), reparse_rules(link), &t);
    if (t.prefix != TARGET_OBJECT || mapped->outcome == REMAP_IMPOSSIBLE)
        return;
    assert(!reparse_append_target(link, &text, NULL));
    assert(!remap_target(m, buffer_bytes(&text), TARGET_RULES_WINDOWS, &r, NULL));
    if (mapped->outcome == REMAP_UNCHANGED)
        assert(r.outcome == REMAP_UNCHANGED);
    else if (r.outcome == REMAP_UNCHANGED)
        assert(same_place(&text, &mapped->target)); /* its print name alone was changed */
    else
        assert(r.outcome == REMAP_MAPPED && same_place(&r.target, &mapped->target));
    remap_result_release(&r);
    buffer_release(&text);
}

static void check_mapped(const struct reparse *old, const struct remap_result *r)
{
    struct reparse new = {0};
    struct buffer target = {0};

    assert(!reparse_decode(buffer_bytes(&r->raw), &new, NULL));
    assert(!new.fault &&reparse_is_link(&new) && new.tag == old->tag);
    assert(new.reserved == old->reserved);
    assert((new.flags | REPARSE_SYMLINK_RELATIVE) == (old->flags | REPARSE_SYMLINK_RELATIVE));
    assert(!old->print.size == !new.print.size);
    if (old->layout.order < REPARSE_SHARED && old->print.size)
        assert(new.layout.order ==
                   old->layout.order &&bytes_equal(new.layout.before, old->layout.before) &&
               bytes_equal(new.layout.between, old->layout.between) &&
               bytes_equal(new.layout.after, old->layout.after));
    assert(!reparse_append_target(&new, &target, NULL));
    assert(bytes_equal(buffer_bytes(&target), buffer_bytes(&r->target)));
    buffer_release(&target);
    reparse_release(&new);
}

static void check_buffer(const struct remap *m, struct bytes raw)
{
    struct reparse link = {0};
    struct remap_result r;

    assert(!reparse_decode(raw, &link, NULL));
    assert(!remap_reparse(m, &link, &r, NULL));
    check_result(m, &r);
    if (r.outcome == REMAP_MAPPED)
        check_mapped(&link, &r);
    if (reparse_is_link(&link) && link.kind != REPARSE_LX_SYMLINK)
        check_agreement(m, &link, &r);
    remap_result_release(&r);
    reparse_release(&link);
}

static void add_lines(struct remap *m, struct bytes text)
{
    while (text.size && m->count < 16) {
        const uint8_t *end = memchr(text.data, '\n', text.size);
        size_t count = end ? (size_t)(end - text.data) : text.size;
        struct error err = {0};

        if (remap_add_text(m, bytes_make(text.data, count), &err))
            assert(err.kind == ERROR_USAGE && err.detail[0]);
        error_release(&err);
        count += end ? 1 : 0;
        text = bytes_make(text.data + count, text.size - count);
    }
}

static void check_all(const struct remap *m, struct bytes link)
{
    check_text(m, link, TARGET_RULES_POSIX);
    check_text(m, link, TARGET_RULES_WINDOWS);
    check_text(m, link, TARGET_RULES_NT);
    check_text(m, link, TARGET_RULES_NT_RELATIVE);
    check_buffer(m, link);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size ? memchr(data, 0, size) : NULL;
    struct bytes rules = bytes_make(data, end ? (size_t)(end - data) : size);
    struct bytes link = {0};
    struct remap lines = {0}, file = {0};

    if (end)
        link = bytes_make(end + 1, size - rules.size - 1);
    add_lines(&lines, rules);
    check_all(&lines, link);
    if (!remap_add_file(&file, rules, NULL))
        check_all(&file, link);
    remap_release(&lines);
    remap_release(&file);
    return 0;
}
