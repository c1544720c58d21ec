/*
 * drive_way.c: see drive_way.h.
 */
#include "disk/drive_way.h"

#include "base/upcase.h"
#include "link/reparse.h"
#include "link/reparse_tag.h"

enum { HOPS = 63 }; /* as many reparse points as Windows passes on one way */

/* What the way has come to. */
enum arrival { ON_THE_WAY, ARRIVED, NOWHERE, IN_CIRCLES, NOT_KNOWN };

struct way {
    struct drive_start start;
    os_handle drive;    /* the folder that stands for the drive, or OS_NO_HANDLE */
    struct buffer at;   /* the path from there, without links */
    struct buffer rest; /* components that are still to be gone, each behind a backslash */
    struct buffer name; /* the component in hand, NUL-terminated */
    struct buffer spare;
    unsigned hops;
    enum arrival arrival;
};

static int arrive(struct way *w, enum arrival arrival)
{
    w->arrival = arrival;
    return 0;
}

/* An error that says nothing of where the target leads, for whoever may not look. */
static int not_known(struct way *w, struct error *problem, struct error *err)
{
    if (problem->kind == ERROR_MEMORY || problem->kind == ERROR_INTERRUPTED) {
        error_move(err, problem);
        return -1;
    }
    error_release(problem);
    return arrive(w, NOT_KNOWN);
}

/* ---- Where it begins ---- */

/* The folder of the drive whose root the text names, in w->spare: 1, 0, -1. */
static int place_of(struct way *w, const uint8_t root[3], struct error *err)
{
    int found;

    buffer_clear(&w->spare);
    found = drives_append_here(w->start.drives, bytes_make(root, 3), &w->spare, err);
    return found == 1 && buffer_terminate(&w->spare, err) ? -1 : found;
}

/* The same of the drive that a device is: 1, 0, -1. */
static int place_of_device(struct way *w, struct error *err)
{
    for (uint8_t letter = 'A'; w->start.device && letter <= 'Z'; letter++) {
        const uint8_t root[3] = {letter, ':', '\\'};
        struct os_stat status;
        int found = place_of(w, root, err);

        if (found < 0)
            return -1;
        if (found && !os_stat_path((const char *)w->spare.data, true, &status, NULL) &&
            status.device == w->start.device)
            return 1;
    }
    return 0;
}

static int open_drive(struct way *w, const struct target *t, struct error *err)
{
    const uint8_t root[3] = {t->root.size ? t->root.data[0] : 0, ':', '\\'};
    struct error problem = {0};
    int found = t->form == TARGET_DRIVE_ABSOLUTE ? place_of(w, root, err) : place_of_device(w, err);

    if (found != 1)
        return found < 0 ? -1 : arrive(w, NOT_KNOWN);
    os_close(w->drive);
    w->drive = OS_NO_HANDLE;
    if (os_open_root((const char *)w->spare.data, &w->drive, &problem))
        return not_known(w, &problem, err);
    return 0;
}

/* Puts a target's components before those that are still to be gone. */
static int prepend(struct way *w, const struct target *t, struct error *err)
{
    struct bytes rest = t->rest, name;
    struct buffer old;

    buffer_clear(&w->spare);
    while (target_next(t, &rest, &name)) {
        if (buffer_append_byte(&w->spare, '\\', err) ||
            buffer_append(&w->spare, name.data, name.size, err))
            return -1;
    }
    if (buffer_append(&w->spare, w->rest.data, w->rest.size, err))
        return -1;
    old = w->rest;
    w->rest = w->spare;
    w->spare = old;
    return 0;
}

/* Turns to a target, from the folder that the way has come to. */
static int turn_to(struct way *w, struct bytes text, struct error *err)
{
    struct target t;

    target_parse(text, TARGET_RULES_WINDOWS, &t);
    if (t.form != TARGET_RELATIVE && t.form != TARGET_DRIVE_ABSOLUTE &&
        t.form != TARGET_DRIVE_RELATIVE)
        return arrive(w, NOT_KNOWN);
    if (t.form == TARGET_DRIVE_ABSOLUTE || (t.form != TARGET_RELATIVE && !w->hops)) {
        if (open_drive(w, &t, err))
            return -1;
    }
    if (t.form != TARGET_RELATIVE)
        buffer_clear(&w->at);
    return prepend(w, &t, err);
}

/* ---- One component ---- */

/* Takes the next component into w->name: 1, 0 if there is none, -1. */
static int next_name(struct way *w, struct error *err)
{
    size_t end = 1, left;

    if (!w->rest.size)
        return 0;
    while (end < w->rest.size && w->rest.data[end] != '\\')
        end++;
    left = w->rest.size - end;
    buffer_clear(&w->name);
    if (buffer_append(&w->name, w->rest.data + 1, end - 1, err) || buffer_terminate(&w->name, err))
        return -1;
    for (size_t i = 0; i < left; i++)
        w->rest.data[i] = w->rest.data[end + i];
    w->rest.size = left;
    return 1;
}

/* Finds the name as it is spelt in the folder, if case alone is other: 1, 0, -1. */
static int find_spelling(struct way *w, os_handle folder, struct error *err)
{
    struct os_listing names = {0};
    int found = 0;

    if (os_list(folder, &names, err))
        found = -1;
    for (size_t i = 0; !found && i < names.count; i++) {
        struct bytes name = bytes_of(os_listing_name(&names, i));

        if (!upcase_equal(name, buffer_bytes(&w->name)))
            continue;
        buffer_clear(&w->name);
        found =
            buffer_append(&w->name, name.data, name.size, err) || buffer_terminate(&w->name, err)
                ? -1
                : 1;
    }
    os_listing_release(&names);
    return found;
}

/* The status of the component in hand: 1, 0 if nothing of that name is there, -1. */
static int look(struct way *w, os_handle folder, struct os_stat *status, struct error *err)
{
    struct error problem = {0};
    int found;

    if (!os_stat_at(folder, (const char *)w->name.data, status, &problem))
        return 1;
    if (!os_error_is_missing(&problem) && problem.kind != ERROR_REFUSED) {
        error_move(err, &problem);
        return -1;
    }
    error_release(&problem);
    found = find_spelling(w, folder, err);
    return found == 1 && os_stat_at(folder, (const char *)w->name.data, status, err) ? -1 : found;
}

/* The component in hand is on the way. */
static int append_name(struct way *w, struct error *err)
{
    if (w->at.size && buffer_append_byte(&w->at, '/', err))
        return -1;
    return buffer_append(&w->at, w->name.data, w->name.size, err);
}

/* What is no link of Windows holds nothing that could be looked for. */
static int stop_at(struct way *w, struct error *err)
{
    if (w->rest.size)
        return arrive(w, NOT_KNOWN);
    return append_name(w, err) ? -1 : arrive(w, ARRIVED);
}

/* Goes on behind a reparse point. */
static int pass_reparse(struct way *w, os_handle folder, struct error *err)
{
    struct buffer raw = {0}, text = {0};
    struct reparse r = {0};
    int result = os_read_reparse(folder, (const char *)w->name.data, &raw, err);

    if (result >= 0 && !reparse_decode(buffer_bytes(&raw), &r, err)) {
        if (!reparse_is_link(&r) || r.kind == REPARSE_LX_SYMLINK)
            result = stop_at(w, err);
        else if (++w->hops > HOPS)
            result = arrive(w, IN_CIRCLES);
        else
            result = reparse_append_target(&r, &text, err) || turn_to(w, buffer_bytes(&text), err)
                         ? -1
                         : 0;
    } else {
        result = -1;
    }
    reparse_release(&r);
    buffer_release(&raw);
    buffer_release(&text);
    return result;
}

static int go_into(struct way *w, os_handle folder, struct error *err)
{
    struct os_object o = {OS_NO_HANDLE, folder, (const char *)w->name.data};
    uint32_t attributes = 0;
    struct os_stat status;
    int found = look(w, folder, &status, err);

    if (found != 1)
        return found < 0 ? -1 : arrive(w, NOWHERE);
    o.name = (const char *)w->name.data;
    if (os_ntfs_attributes(&o, &attributes, err) < 0)
        return -1;
    if (attributes & OS_ATTRIBUTE_REPARSE_POINT)
        return pass_reparse(w, folder, err);
    if (status.kind == OS_SYMLINK)
        return arrive(w, NOT_KNOWN);
    if (status.kind != OS_DIRECTORY && w->rest.size)
        return arrive(w, NOWHERE);
    return append_name(w, err);
}

static void go_up(struct way *w)
{
    while (w->at.size && w->at.data[w->at.size - 1] != '/')
        w->at.size--;
    w->at.size -= w->at.size ? 1 : 0;
}

static int step(struct way *w, struct error *err)
{
    struct error problem = {0};
    os_handle folder;
    int more = next_name(w, err);

    if (more < 1)
        return more < 0 ? -1 : arrive(w, ARRIVED);
    if (bytes_equal(buffer_bytes(&w->name), bytes_of(".")))
        return 0;
    if (bytes_equal(buffer_bytes(&w->name), bytes_of(".."))) {
        go_up(w);
        return 0;
    }
    if (os_open_beneath(w->drive, buffer_bytes(&w->at), &folder, &problem))
        return not_known(w, &problem, err);
    if (go_into(w, folder, &problem)) {
        os_close(folder);
        return not_known(w, &problem, err);
    }
    os_close(folder);
    return 0;
}

/* ---- The answer ---- */

static int append_path(struct way *w, struct buffer *out, struct error *err)
{
    if (os_handle_path(w->drive, out, err))
        return -1;
    if (!w->at.size)
        return 0;
    if (out->size && out->data[out->size - 1] != '/' && buffer_append_byte(out, '/', err))
        return -1;
    return buffer_append(out, w->at.data, w->at.size, err);
}

bool drive_way_decides(const struct entry *e)
{
    return e->reparse.size && entry_reparse_tag(e) != REPARSE_TAG_LX_SYMLINK &&
           target_form(e->target, TARGET_RULES_WINDOWS) != TARGET_RELATIVE;
}

int drive_way_follow(const struct drive_start *start, struct bytes target, enum os_leads *leads,
                     struct buffer *real_path, struct error *err)
{
    struct way w = {.start = *start, .drive = OS_NO_HANDLE};
    struct target t;
    int result;

    target_parse(target, TARGET_RULES_WINDOWS, &t);
    if (t.form == TARGET_RELATIVE)
        return 0;
    result = turn_to(&w, target, err);
    while (!result && w.arrival == ON_THE_WAY)
        result = step(&w, err);
    if (!result) {
        *leads = w.arrival == ARRIVED      ? OS_LEADS_SOMEWHERE
                 : w.arrival == IN_CIRCLES ? OS_LEADS_IN_CIRCLES
                                           : OS_LEADS_NOWHERE;
        result = w.arrival != NOT_KNOWN;
        if (w.arrival == ARRIVED && append_path(&w, real_path, err))
            result = -1;
    }
    os_close(w.drive);
    buffer_release(&w.at);
    buffer_release(&w.rest);
    buffer_release(&w.name);
    buffer_release(&w.spare);
    return result;
}
