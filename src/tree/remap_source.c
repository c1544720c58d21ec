/*
 * remap_source.c: see remap_source.h. An entry is copied, and what says where it leads is put in
 * its place; loading it copies it once more.
 */
#include "tree/remap_source.h"

#include <stdlib.h>

struct remap_source {
    struct source source;
    struct source *inner;
    struct remap_options options;
    struct entry entry;   /* what passes, if `is_changed` */
    bool is_changed;      /* the link that came last has another target */
    struct buffer raw;    /* its new reparse buffer, or empty */
    struct buffer target; /* its new text */
    bool folder_flavour;
};

static struct remap_source *remap_source_of(struct source *s)
{
    return (struct remap_source *)s;
}

/* Makes the copy of the entry the link that was chosen for it. */
static int put_target(struct remap_source *s, const struct entry *e, struct error *err)
{
    s->entry = *e;
    s->entry.folder_flavour = s->folder_flavour;
    if (s->raw.size)
        return entry_set_reparse(&s->entry, buffer_bytes(&s->raw), s->folder_flavour, &s->target,
                                 err);
    s->entry.kind = ENTRY_SYMLINK;
    s->entry.reparse = bytes_make(NULL, 0);
    s->entry.target = buffer_bytes(&s->target);
    return 0;
}

/* A link of POSIX becomes one of Windows: the buffer that mklink would write. */
static int make_windows(struct remap_source *s, struct bytes old, struct remap_result *result,
                        struct error *err)
{
    struct remap_listener *l = s->options.listener;
    struct reparse made = {0};
    struct error problem = {0};
    int failed = reparse_make(REPARSE_MAKE_SYMLINK, buffer_bytes(&result->target), &made, &problem);

    if (!failed)
        failed = reparse_encode(&made, &result->raw, &problem);
    reparse_release(&made);
    if (failed && problem.kind == ERROR_MEMORY) {
        error_move(err, &problem);
        return -1;
    }
    error_release(&problem);
    if (failed) {
        result->outcome = REMAP_IMPOSSIBLE;
        result->reason = "a target that no link of Windows holds";
        return 0;
    }
    s->folder_flavour =
        l && l->far_end && l->far_end(l, old, buffer_bytes(&result->target)) == REMAP_FAR_FOLDER;
    return 0;
}

/* A link of this system. */
static int map_text(struct remap_source *s, const struct entry *e, struct remap_result *result,
                    struct error *err)
{
    if (remap_target(s->options.rules, e->target, TARGET_RULES_POSIX, result, err))
        return -1;
    if (result->outcome != REMAP_MAPPED || result->rules == TARGET_RULES_POSIX)
        return 0;
    if (s->options.across == REMAP_ACROSS)
        return make_windows(s, e->target, result, err);
    result->outcome = REMAP_IMPOSSIBLE;
    result->reason = "a link of this system holds no path of Windows";
    return 0;
}

/* What a buffer cannot hold, a symbolic link of POSIX may. */
static int map_across(struct remap_source *s, const struct entry *e, struct remap_result *result,
                      struct error *err)
{
    struct remap_result text;

    if (remap_target(s->options.rules, e->target, TARGET_RULES_WINDOWS, &text, err))
        return -1;
    if (text.outcome != REMAP_MAPPED || text.rules != TARGET_RULES_POSIX) {
        remap_result_release(&text);
        return 0;
    }
    remap_result_release(result);
    *result = text;
    s->folder_flavour = false;
    return 0;
}

static int map_buffer(struct remap_source *s, const struct entry *e, struct remap_result *result,
                      struct error *err)
{
    struct reparse r = {0};
    int failed;

    if (reparse_decode(e->reparse, &r, err))
        return -1;
    failed = remap_reparse(s->options.rules, &r, result, err);
    if (!failed && result->outcome == REMAP_IMPOSSIBLE && r.kind != REPARSE_LX_SYMLINK &&
        s->options.across == REMAP_ACROSS)
        failed = map_across(s, e, result, err);
    reparse_release(&r);
    return failed;
}

/* Takes what the rules made of a link over. */
static void take_result(struct remap_source *s, struct remap_result *result)
{
    struct buffer raw = s->raw, target = s->target;

    s->raw = result->raw;
    s->target = result->target;
    result->raw = raw;
    result->target = target;
    s->is_changed = true;
}

static int tell(struct remap_source *s, const struct entry *old, const struct entry *now,
                const struct remap_result *result, struct error *err)
{
    struct remap_listener *l = s->options.listener;

    return l ? l->pass(l, old, now, result, err) : 0;
}

static int map_link(struct remap_source *s, const struct entry **e, struct error *err)
{
    const struct entry *old = *e;
    struct remap_result result = {0};
    int failed;

    s->folder_flavour = old->folder_flavour;
    if (!s->options.rules->count)
        return tell(s, old, old, &result, err);
    failed = old->reparse.size ? map_buffer(s, old, &result, err) : map_text(s, old, &result, err);
    if (!failed && result.outcome == REMAP_MAPPED) {
        take_result(s, &result);
        failed = put_target(s, old, err);
        *e = &s->entry;
    }
    if (!failed)
        failed = tell(s, old, *e, &result, err);
    remap_result_release(&result);
    return failed;
}

static bool is_readable(const struct entry *e)
{
    return e->problem_scope != PROBLEM_ENTRY && e->problem_scope != PROBLEM_CONTENT;
}

static int remap_source_next(struct source *source, const struct entry **out, struct error *err)
{
    struct remap_source *s = remap_source_of(source);
    int more = source_next(s->inner, out, err);

    s->is_changed = false;
    if (more != 1)
        return more;
    if (is_readable(*out) && entry_is_link(*out) && (*out)->target.size)
        return map_link(s, out, err) ? -1 : 1;
    return tell(s, *out, *out, NULL, err) ? -1 : 1;
}

static int remap_source_load(struct source *source, const struct entry **out, struct error *err)
{
    struct remap_source *s = remap_source_of(source);

    if (source_load(s->inner, out, err))
        return -1;
    if (!s->is_changed)
        return 0;
    if (put_target(s, *out, err))
        return -1;
    *out = &s->entry;
    return 0;
}

static void remap_source_skip(struct source *s)
{
    source_skip(remap_source_of(s)->inner);
}

static int remap_source_open_data(struct source *s, struct data **out, struct error *err)
{
    return source_open_data(remap_source_of(s)->inner, out, err);
}

static const struct source_facts *remap_source_facts(struct source *s)
{
    return source_facts(remap_source_of(s)->inner);
}

static void remap_source_close(struct source *source)
{
    struct remap_source *s = remap_source_of(source);

    source_close(s->inner);
    buffer_release(&s->raw);
    buffer_release(&s->target);
    free(s);
}

static const struct source_ops remap_source_ops = {
    .next = remap_source_next,
    .load = remap_source_load,
    .skip = remap_source_skip,
    .open_data = remap_source_open_data,
    .facts = remap_source_facts,
    .close = remap_source_close,
};

int remap_source_new(struct source *inner, const struct remap_options *options, struct source **out,
                     struct error *err)
{
    struct remap_source *s = calloc(1, sizeof *s);

    if (!s)
        return error_memory(err);
    s->source.ops = &remap_source_ops;
    s->inner = inner;
    s->options = *options;
    *out = &s->source;
    return 0;
}
