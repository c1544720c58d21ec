/*
 * plan.c: what is to be done about a pair. One decision serves the run and the dry run, so that
 * what is told is what would be done.
 */
#include "disk/transfer/apply.h"
#include "disk/transfer/older.h"

#include <string.h>

const char *plan_bad_name(struct bytes path)
{
    size_t start = 0;

    if (!path.size)
        return "an empty name";
    if (memchr(path.data, 0, path.size))
        return "a name with a NUL byte";
    for (size_t i = 0; i <= path.size; i++) {
        if (i < path.size && path.data[i] != '/')
            continue;
        size_t count = i - start;
        const uint8_t *part = path.data + start;
        if (!count)
            return i ? "an empty name" : "an absolute name";
        if (part[0] == '.' && (count == 1 || (count == 2 && part[1] == '.')))
            return count == 1 ? "`.` as a name" : "`..` as a name";
        start = i + 1;
    }
    return NULL;
}

bool plan_may_delete(const struct run *r, struct bytes path)
{
    const struct transfer_options *o = r->options;

    for (size_t i = 0; i < o->delete_within_count; i++) {
        if (path_is_within(path, o->delete_within[i]))
            return true;
    }
    return !o->delete_within_count;
}

static struct plan refuse(const char *reason)
{
    return (struct plan){PLAN_REFUSE, reason};
}

static struct plan act(enum plan_action action)
{
    return (struct plan){.action = action};
}

/* True if the entry has to be linked: its content stands elsewhere. A disk's further name can be
 * read itself. */
static bool must_link(const struct run *r, const struct difference_pair *pair)
{
    return entry_is_further_name(pair->want) &&
           (pair->other.size || r->facts->sequential || !r->facts->ordered);
}

bool plan_has_content(struct run *r, struct bytes path)
{
    struct os_listing names = {0};
    struct error ignored = {0};
    struct spot spot;
    os_handle parent = OS_NO_HANDLE, folder = OS_NO_HANDLE;
    bool empty = false;

    if (position_spot(r, path, &spot, &ignored) || !spot.name.size ||
        position_open_parent(r, &spot, &parent, &ignored))
        goto out;
    buffer_clear(&r->name);
    if (!buffer_append(&r->name, spot.name.data, spot.name.size, &ignored) &&
        !buffer_terminate(&r->name, &ignored) &&
        !os_open_dir(parent, (const char *)r->name.data, &folder, &ignored) &&
        !os_list(folder, &names, &ignored))
        empty = !names.count;
    os_close(folder);
    os_close(parent);
out:
    os_listing_release(&names);
    error_release(&ignored);
    return !empty;
}

/* Why a folder with content may not be removed, though --delete is given: static text, or NULL.
 * What goes is counted. */
static const char *forbids_removal(struct run *r, const struct entry *folder)
{
    struct error ignored = {0};
    struct trash_view view;

    if (r->faults)
        return "a folder with content stands in the way; nothing is deleted after errors";
    if (!trash_spares(r) && !r->options->limits_deletes)
        return NULL;
    if (trash_look(r, folder->path, &folder->identity, &view, &ignored)) {
        error_release(&ignored);
        return "a folder stands in the way that cannot be looked into";
    }
    if (view.spared)
        return "a folder stands in the way that holds what is left out";
    if (r->options->limits_deletes && r->to_delete + view.names > r->options->max_delete)
        return "a folder with content stands in the way, and --max-delete forbids to remove it";
    r->to_delete += view.names;
    return NULL;
}

/* A folder in the way of something else. */
static struct plan plan_over_folder(struct run *r, const struct difference_pair *pair)
{
    enum plan_action action = must_link(r, pair) ? PLAN_LINK : PLAN_REPLACE;

    if (!plan_has_content(r, pair->have->path))
        return act(action);
    if (!r->options->delete_extra || !plan_may_delete(r, pair->want->path))
        return refuse("a folder with content stands in the way; --delete replaces it");
    const char *reason = forbids_removal(r, pair->have);
    if (reason)
        return refuse(reason);
    return act(action);
}

static struct plan plan_kinds(struct run *r, const struct difference_pair *pair)
{
    if (r->options->existing == EXISTING_KEEP) {
        if (pair->want->kind == ENTRY_DIRECTORY)
            return refuse("what is kept here is no folder, so nothing can be put into it");
        return act(PLAN_KEEP);
    }
    if (pair->have->kind == ENTRY_DIRECTORY)
        return plan_over_folder(r, pair);
    if (pair->want->kind == ENTRY_DIRECTORY) {
        if (r->options->redirects && entry_is_link(pair->have))
            return refuse(r->redirects.why);
        if ((entry_is_link(pair->have) || pair->have->folder_flavour) &&
            (!r->options->delete_extra || !plan_may_delete(r, pair->want->path)))
            return refuse("a link stands where a folder belongs; --delete replaces it, and "
                          "--keep-redirects goes where it leads");
        return act(PLAN_REPLACE);
    }
    return act(must_link(r, pair) ? PLAN_LINK : PLAN_REPLACE);
}

static bool is_newer(const struct difference_pair *pair)
{
    const uint32_t known = pair->want->meta.known & pair->have->meta.known & METADATA_MTIME;

    return known && pair->want->kind == ENTRY_FILE &&
           timestamp_compare(pair->have->meta.mtime, pair->want->meta.mtime) > 0;
}

/* Two of one kind that is no folder. */
static struct plan plan_same_kind(struct run *r, const struct difference_pair *pair)
{
    const uint32_t other_thing =
        DIFFERS_DATA | DIFFERS_TARGET | DIFFERS_DEVICE | DIFFERS_JOINED | DIFFERS_SPLIT;

    if (r->options->existing == EXISTING_KEEP ||
        (r->options->existing == EXISTING_NEWER && is_newer(pair)))
        return act(PLAN_KEEP);
    /* A path that comes again in an archive without order: the last one counts. */
    if (!entry_is_further_name(pair->want) && !pair->group_first)
        return act(PLAN_REPLACE);
    if ((pair->differs & DIFFERS_SPLIT) || (must_link(r, pair) && pair->group_first) ||
        (must_link(r, pair) && (pair->differs & DIFFERS_JOINED)))
        return act(PLAN_LINK);
    if (pair->differs & other_thing)
        return act(PLAN_REPLACE);
    if (pair->differs & DIFFERS_DATA_UNKNOWN)
        return act(PLAN_COMPARE);
    if (pair->fields)
        return act(PLAN_METADATA);
    return act(PLAN_NOTHING);
}

static struct plan decide(struct run *r, const struct difference_pair *pair)
{
    const struct entry *want = pair->want, *have = pair->have;
    const char *bad = plan_bad_name(want->path);

    if (!bad)
        bad = r->windows_names.why;
    if (bad)
        return refuse(bad);
    if (have && have->problem_scope == PROBLEM_ENTRY)
        return refuse("what stands here cannot be looked at");
    if (!have)
        return act(must_link(r, pair) ? PLAN_LINK : PLAN_CREATE);
    if (want->kind != have->kind)
        return plan_kinds(r, pair);
    if (want->kind == ENTRY_DIRECTORY)
        return act(PLAN_ENTER);
    return plan_same_kind(r, pair);
}

struct plan plan_make(struct run *r, const struct difference_pair *pair)
{
    struct plan plan = decide(r, pair);

    if ((plan.action == PLAN_CREATE || plan.action == PLAN_REPLACE) && older_find(r, pair))
        plan.action = PLAN_OLDER;
    return plan;
}

/* ---- The dry run ---- */

/* 1 the contents are equal, 0 they are not, -1 one cannot be read. */
static int compare_contents(struct run *r, struct error *err)
{
    struct data *want = NULL, *have = NULL;
    int failed, result = -1;

    if (!source_open_data(r->want, &want, err) && !source_open_data(r->have, &have, err))
        result = data_compare(want, have, &failed, err);
    data_close(have);
    data_close(want);
    return result;
}

/* What becomes of an entry, told: its outcome. */
static enum diff_outcome tell_change(struct run *r, const struct entry *e, const char *action,
                                     uint64_t *count)
{
    ++*count;
    run_change(r, e, action);
    return DIFF_REPLACED;
}

static enum diff_outcome tell_same(struct run *r, const struct difference_pair *pair)
{
    bool folder = pair->want->kind == ENTRY_DIRECTORY;

    if (!pair->fields) {
        r->counts->unchanged++;
        return DIFF_KEPT;
    }
    (void)tell_change(r, pair->want, "metadata", &r->counts->updated);
    /* A file with several names gets its metadata as a copy. */
    return !folder && pair->have->link_count > 1 ? DIFF_REPLACED : DIFF_KEPT;
}

static int tell_compared(struct run *r, const struct difference_pair *pair,
                         enum diff_outcome *outcome, struct error *err)
{
    int equal = compare_contents(r, err);

    *outcome = DIFF_FAILED;
    if (equal < 0)
        return run_failed(r, pair->want->path, err);
    *outcome =
        equal ? tell_same(r, pair) : tell_change(r, pair->want, "replace", &r->counts->replaced);
    return 0;
}

static int tell_refused(struct run *r, const struct difference_pair *pair, const char *reason,
                        struct error *err)
{
    run_refuse(err, reason);
    r->counts->refused++;
    diff_skip(r->diff);
    return run_failed(r, pair->want->path, err);
}

int plan_tell(struct run *r, const struct difference_pair *pair, struct error *err)
{
    struct plan plan = plan_make(r, pair);
    enum diff_outcome outcome = DIFF_FAILED;
    int result = 0;

    switch (plan.action) {
    case PLAN_NOTHING:
    case PLAN_METADATA:
    case PLAN_ENTER:
        outcome = tell_same(r, pair);
        break;
    case PLAN_KEEP:
        run_change(r, pair->want, "keep");
        break;
    case PLAN_REFUSE:
        result = tell_refused(r, pair, plan.reason, err);
        break;
    case PLAN_CREATE:
        outcome = tell_change(r, pair->want, "create", &r->counts->created);
        break;
    case PLAN_REPLACE:
        outcome = tell_change(r, pair->want, "replace", &r->counts->replaced);
        if (pair->have->kind == ENTRY_DIRECTORY)
            diff_skip(r->diff);
        break;
    case PLAN_LINK:
        outcome = tell_change(r, pair->want, "link", &r->counts->linked);
        break;
    case PLAN_OLDER:
        outcome = tell_change(r, pair->want, "link-old", &r->counts->older);
        if (pair->have && pair->have->kind == ENTRY_DIRECTORY)
            diff_skip(r->diff);
        result = older_claim(r, err);
        break;
    case PLAN_COMPARE:
        result = tell_compared(r, pair, &outcome, err);
        break;
    }
    if (result)
        return -1;
    return diff_settle(r->diff, outcome, err);
}
