/*
 * apply.c: one pair of the diff, from decision to settlement.
 */
#include "disk/transfer/apply.h"
#include "disk/transfer/older.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- Telling ---- */

void run_error(struct run *r, struct bytes path, const struct error *problem)
{
    r->faults++;
    watcher_error(r->watcher, path, problem);
}

int run_refuse(struct error *err, const char *reason)
{
    return error_set(err, ERROR_REFUSED, "apply", "%s", reason);
}

void run_change(struct run *r, const struct entry *e, const char *action)
{
    struct notice n = {.kind = NOTICE_CHANGE,
                       .path = e->path,
                       .reason = action,
                       .other = e->first_name,
                       .entry = e};

    r->watcher->notice(r->watcher, &n);
}

int run_check_stop(const struct run *r, struct error *err)
{
    if (!r->watcher->stopped(r->watcher))
        return 0;
    return error_set(err, ERROR_INTERRUPTED, "apply", "stopped");
}

int run_look_at_place(struct run *r, struct anchor *a, struct error *err)
{
    struct os_volume facts;

    if (anchor_volume(a, &facts, err))
        return -1;
    a->on_ntfs = facts.reparse_points;
    r->may_be_ntfs = r->may_be_ntfs || facts.reparse_points;
    if (facts.time_grain_ns > r->time_grain_ns)
        r->time_grain_ns = facts.time_grain_ns;
    diff_widen(r->diff, r->time_grain_ns, a->dead.size ? &a->dead_since : NULL);
    return 0;
}

struct walk_options run_walk_options(const struct run *r)
{
    return (struct walk_options){
        .missing_roots = true,
        .names = r->options->windows_names == NAMES_ESCAPE ? WALK_NAMES_MADE : WALK_NAMES_LISTED,
        .looks_first = r->options->spare != NULL,
    };
}

void run_temporary_name(struct run *r, char name[ANCHOR_NAME_BYTES])
{
    (void)snprintf(name, ANCHOR_NAME_BYTES, ".holdfast-%s-%" PRIx64, r->id, r->temporary_count++);
}

/* What one entry's failure says about the whole run. A source that cannot be read here may be
 * readable elsewhere; a destination that is full or broken takes nothing any more. */
static bool is_end(const struct run *r, const struct error *err)
{
    if (r->broken || err->kind == ERROR_MEMORY || err->kind == ERROR_INTERRUPTED)
        return true;
    /* A damaged stream: nothing behind the damage can be relied on. */
    if (r->reading_failed && err->kind == ERROR_FORMAT) {
        const struct source_facts *facts = source_facts(r->want);

        return facts->sequential && !facts->may_break_off;
    }
    return !r->reading_failed && (os_error_is_full(err) || os_error_is_broken(err));
}

int run_failed(struct run *r, struct bytes path, struct error *err)
{
    bool end = is_end(r, err);

    r->reading_failed = false;
    if (end)
        return error_at(err, (const char *)path.data, path.size);
    run_error(r, path, err);
    error_release(err);
    return 0;
}

/* ---- Doing ---- */

static int place(struct run *r, const struct difference_pair *pair, enum diff_outcome *outcome,
                 struct error *err)
{
    const struct entry *want = pair->want;
    uint64_t *count = pair->have ? &r->counts->replaced : &r->counts->created;

    *outcome = DIFF_REPLACED;
    if (want->kind == ENTRY_DIRECTORY)
        return folder_apply(r, pair, err);
    if (position_enter(r, want->path, err))
        return -1;
    int result = want->kind == ENTRY_FILE ? file_place(r, pair, err) : node_place(r, pair, err);
    if (result > 0)
        *outcome = DIFF_FAILED;
    if (result)
        return result < 0 ? -1 : 0;
    ++*count;
    run_change(r, want, pair->have ? "replace" : "create");
    return 0;
}

/* A further name of an older copy's file; where it can have none, a copy. */
static int place_older(struct run *r, const struct difference_pair *pair,
                       enum diff_outcome *outcome, struct error *err)
{
    struct error why = {0};

    if (position_enter(r, pair->want->path, err))
        return -1;
    int result = older_place(r, pair, &why, err);
    if (result > 0) {
        older_tell_copy(r, pair->want, &why);
        return place(r, pair, outcome, err);
    }
    if (result)
        return -1;
    *outcome = DIFF_REPLACED;
    r->counts->older++;
    run_change(r, pair->want, "link-old");
    return 0;
}

static int set_metadata(struct run *r, const struct difference_pair *pair,
                        enum diff_outcome *outcome, struct error *err)
{
    bool replaced;

    if (position_enter(r, pair->want->path, err))
        return -1;
    int result = inplace_metadata(r, pair, &replaced, err);
    *outcome = result > 0 ? DIFF_FAILED : replaced ? DIFF_REPLACED : DIFF_KEPT;
    if (result)
        return result < 0 ? -1 : 0;
    r->counts->updated++;
    run_change(r, pair->want, "metadata");
    return 0;
}

static int keep_equal(struct run *r, const struct difference_pair *pair, enum diff_outcome *outcome,
                      struct error *err)
{
    const struct identity *id = &pair->have->identity;

    *outcome = DIFF_KEPT;
    r->counts->unchanged++;
    return names_note(r, pair->want, (struct named){id->volume, id->file[0], false}, err);
}

static int compare(struct run *r, const struct difference_pair *pair, enum diff_outcome *outcome,
                   struct error *err)
{
    bool replaced;

    if (position_enter(r, pair->want->path, err) || file_compare(r, pair, &replaced, err))
        return -1;
    if (replaced) {
        *outcome = DIFF_REPLACED;
        r->counts->replaced++;
        run_change(r, pair->want, "replace");
        return 0;
    }
    if (pair->fields)
        return set_metadata(r, pair, outcome, err);
    if (inplace_confirm(r, pair, err))
        return -1;
    return keep_equal(r, pair, outcome, err);
}

/* The entry itself is not made; but its file may be what further names are to be names of. */
static int keep_for_names(struct run *r, const struct difference_pair *pair, struct error *err)
{
    if (!names_need_stand_in(r, pair->want) || plan_bad_name(pair->want->path) ||
        (r->windows_names.why && !r->facts->ordered))
        return 0;
    return names_stand_in(r, pair, err);
}

static int refuse(struct run *r, const struct difference_pair *pair, const char *reason,
                  struct error *err)
{
    r->counts->refused++;
    diff_skip(r->diff);
    if (keep_for_names(r, pair, err))
        return -1;
    return run_refuse(err, reason);
}

static int keep(struct run *r, const struct difference_pair *pair, struct error *err)
{
    if (pair->differs)
        run_change(r, pair->want, "keep");
    return keep_for_names(r, pair, err);
}

static int carry_out(struct run *r, const struct difference_pair *pair, enum diff_outcome *outcome,
                     struct error *err)
{
    struct plan plan = plan_make(r, pair);

    switch (plan.action) {
    case PLAN_NOTHING:
        return keep_equal(r, pair, outcome, err);
    case PLAN_KEEP:
        return keep(r, pair, err);
    case PLAN_REFUSE:
        return refuse(r, pair, plan.reason, err);
    case PLAN_ENTER:
        *outcome = DIFF_KEPT;
        return folder_apply(r, pair, err);
    case PLAN_CREATE:
    case PLAN_REPLACE:
        return place(r, pair, outcome, err);
    case PLAN_COMPARE:
        return compare(r, pair, outcome, err);
    case PLAN_LINK:
        return names_link(r, pair, outcome, err);
    case PLAN_OLDER:
        return place_older(r, pair, outcome, err);
    case PLAN_METADATA:
        return set_metadata(r, pair, outcome, err);
    }
    return 0;
}

static int apply_want(struct run *r, const struct difference_pair *pair, struct error *err)
{
    struct difference_pair completed = *pair;
    enum diff_outcome outcome = DIFF_FAILED;
    bool folder = pair->want->kind == ENTRY_DIRECTORY;

    /* Where only names are compared nothing more than the name is needed. */
    if (pair->group_first && source_load(r->want, &completed.want, err))
        return -1;
    if (completed.want->problem_scope == PROBLEM_METADATA)
        run_error(r, completed.want->path, completed.want->problem);
    if (carry_out(r, &completed, &outcome, err)) {
        outcome = DIFF_FAILED;
        if (folder)
            diff_skip(r->diff);
        if (run_failed(r, completed.want->path, err))
            return -1;
    }
    /* A folder that gave way, or that stands in the way, is no place to look for extra names in. */
    if (pair->have && pair->have->kind != pair->want->kind && pair->have->kind == ENTRY_DIRECTORY)
        diff_skip(r->diff);
    return diff_settle(r->diff, outcome, err) || names_settle(r, pair->want, err) ? -1 : 0;
}

/* ---- What the source lacks ---- */

/* True if run_temporary_name made the name. */
static bool is_temporary(const struct run *r, struct bytes name)
{
    char prefix[ANCHOR_NAME_BYTES];
    int bytes = snprintf(prefix, sizeof prefix, ".holdfast-%s-", r->id);

    return name.size > (size_t)bytes && memcmp(name.data, prefix, (size_t)bytes) == 0;
}

/* True if the name is this run's or a dead run's own. */
static bool is_our_own(struct run *r, const struct entry *have)
{
    struct spot spot;
    struct error ignored = {0};

    if (position_spot(r, have->path, &spot, &ignored)) {
        error_release(&ignored);
        return false;
    }
    if (anchor_is_leftover(spot.anchor, entry_name(have)) || is_temporary(r, entry_name(have)))
        return true;
    return !spot.parent.size && spot.anchor->marker[0] &&
           bytes_equal(spot.name, bytes_of(spot.anchor->marker));
}

/* A dry run's part of it. */
static int tell_deleted(struct run *r, const struct entry *have, struct error *err)
{
    struct trash_view view = {.names = 1};

    if ((r->options->limits_deletes || trash_spares(r)) &&
        trash_look(r, have->path, &have->identity, &view, err))
        return run_failed(r, have->path, err);
    r->to_delete += view.names;
    r->counts->extras += view.spared != 0;
    if (!view.names)
        return 0;
    r->counts->deleted++;
    run_change(r, have, "delete");
    return 0;
}

int apply_extra(struct run *r, const struct difference_pair *pair, struct error *err)
{
    const struct entry *have = pair->have;

    if (is_our_own(r, have) || !plan_may_delete(r, have->path))
        return 0;
    if (r->options->delete_extra && have->problem_scope != PROBLEM_NONE)
        run_error(r, have->path, have->problem);
    if (!r->options->delete_extra || !have->depth || (pair->differs & DIFFERS_UNREADABLE) ||
        trash_leaves_out(r, have)) {
        r->counts->extras++;
        return 0;
    }
    if (r->options->mode == TRANSFER_APPLY)
        return trash_add(r, TRASH_EXTRA, have->path, &have->identity, err);
    return tell_deleted(r, have, err);
}

int apply_pair(struct run *r, const struct difference_pair *pair, struct error *err)
{
    const struct entry *want = pair->want, *have = pair->have;

    if (want && (want->problem_scope == PROBLEM_ENTRY || want->problem_scope == PROBLEM_CONTENT)) {
        run_error(r, want->path, want->problem);
        return diff_settle(r->diff, DIFF_FAILED, err);
    }
    if (!want) {
        if (have->problem_scope == PROBLEM_CONTENT) {
            run_error(r, have->path, have->problem);
        } else {
            diff_skip(r->diff);
            if (apply_extra(r, pair, err))
                return -1;
        }
        return diff_settle(r->diff, DIFF_KEPT, err);
    }
    if (windows_names_check(r, want, err))
        return -1;
    if (want->content_left_out)
        diff_skip(r->diff);
    int taken = r->windows_names.why ? 0
                : want->passage      ? passage_take(r, pair, err)
                                     : passage_open(r, want->path, err);
    if (taken)
        return taken < 0 ? -1 : 0;
    return r->options->mode == TRANSFER_DRY_RUN ? plan_tell(r, pair, err)
                                                : apply_want(r, pair, err);
}
