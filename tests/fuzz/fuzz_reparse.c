/*
 * Any bytes as a reparse buffer: decoding and encoding are inverse, a link with another target
 * keeps its layout. Any text as the target of a new link, and as a policy.
 */
#include <assert.h>
#include <string.h>

#include "link/reparse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same_name(const struct buffer *a, const struct buffer *b)
{
    return bytes_equal(buffer_bytes(a), buffer_bytes(b));
}

/* Equal but for where the names stand. */
static void check_same(const struct reparse *a, const struct reparse *b)
{
    assert(a->tag == b->tag && a->reserved == b->reserved && a->flags == b->flags);
    assert(same_name(&a->substitute, &b->substitute) && same_name(&a->print, &b->print));
    assert(a->fault == b->fault);
}

static void check_encode(const struct reparse *r)
{
    struct buffer bytes = {0};
    struct reparse again = {0};

    assert(!reparse_encode(r, &bytes, NULL));
    if (reparse_is_exact(r))
        assert(bytes_equal(buffer_bytes(&bytes), r->raw));
    assert(!reparse_decode(buffer_bytes(&bytes), &again, NULL));
    check_same(r, &again);
    assert(r->kind == again.kind);
    reparse_release(&again);
    buffer_release(&bytes);
}

/* Gives a link another target; order, flags and what stands round the names stay. */
static void check_renamed(struct reparse *r)
{
    static const char absolute[] = "\\??\\Q:\\other place", relative[] = "..\\other place";
    const char *name = reparse_rules(r) == TARGET_RULES_NT ? absolute : relative;
    struct buffer bytes = {0};
    struct reparse again = {0};
    struct error err = {0};

    r->substitute.size = 0;
    assert(!buffer_append(&r->substitute, name, strlen(name), &err));
    if (reparse_encode(r, &bytes, &err)) {
        assert(err.kind == ERROR_LIMIT && r->raw.size > REPARSE_MAX_BYTES / 2);
        error_release(&err);
        return;
    }
    assert(!reparse_decode(buffer_bytes(&bytes), &again, NULL));
    check_same(r, &again);
    if (r->kind != REPARSE_LX_SYMLINK && r->layout.order < REPARSE_SHARED) {
        /* An empty name has no place of its own: both orders describe it. */
        assert(again.layout.order == r->layout.order || !r->print.size);
        assert(bytes_equal(again.layout.before, r->layout.before) || !r->print.size);
        assert(bytes_equal(again.layout.between, r->layout.between) || !r->print.size);
        assert(bytes_equal(again.layout.after, r->layout.after) || !r->print.size);
    }
    reparse_release(&again);
    buffer_release(&bytes);
}

static void check_target(const struct reparse *r)
{
    struct buffer text = {0};
    struct target t;

    assert(!reparse_append_target(r, &text, NULL));
    assert(text.size);
    target_parse(buffer_bytes(&text), TARGET_RULES_WINDOWS, &t);
    buffer_release(&text);
}

static void check_buffer(struct bytes raw)
{
    struct reparse r = {0};

    assert(!reparse_decode(raw, &r, NULL));
    assert((r.kind == REPARSE_MALFORMED) == (r.fault != NULL));
    check_encode(&r);
    if (reparse_is_link(&r)) {
        check_target(&r);
        check_renamed(&r);
    }
    reparse_release(&r);
}

static void check_made(enum reparse_made what, struct bytes target)
{
    struct reparse made = {0}, again = {0};
    struct buffer bytes = {0};
    struct error err = {0};

    if (reparse_make(what, target, &made, &err)) {
        assert(err.kind == ERROR_USAGE || err.kind == ERROR_LIMIT);
        error_release(&err);
        return;
    }
    assert(!reparse_encode(&made, &bytes, NULL));
    assert(!reparse_decode(buffer_bytes(&bytes), &again, NULL));
    check_same(&made, &again);
    assert(made.kind == again.kind && reparse_is_exact(&again));
    reparse_release(&made);
    reparse_release(&again);
    buffer_release(&bytes);
}

static void check_policy(struct bytes text)
{
    struct reparse_policies p = {0};
    struct error err = {0};

    if (reparse_policies_add(&p, text, &err))
        assert(err.kind == ERROR_USAGE && !p.count);
    else
        assert(p.count && reparse_policy_of(&p, p.wishes[0].tag) == p.wishes[0].policy);
    error_release(&err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = bytes_make(data, size);

    check_buffer(input);
    check_made(REPARSE_MAKE_SYMLINK, input);
    check_made(REPARSE_MAKE_JUNCTION, input);
    check_made(REPARSE_MAKE_LX_SYMLINK, input);
    check_policy(input);
    return 0;
}
