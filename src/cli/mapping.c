/*
 * mapping.c: see mapping.h.
 */
#include "cli/mapping.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/mapping_way.h"
#include "cli/print.h"
#include "disk/nearest.h"
#include "os/os.h"

const struct option_spec map_specs[MAP_SPEC_COUNT] = {
    {"map", 0, OPTION_MAP, offsetof(struct map_settings, rules), "OLD=NEW",
     "links that lead to OLD or below it lead to NEW instead; may be given again, the first rule "
     "that meets a link decides"},
    {"map-file", 0, OPTION_MAP_FILE, offsetof(struct map_settings, rules), "FILE",
     "such rules from a file: a line {\"from\": OLD, \"to\": NEW} each"},
    {"drive", 0, OPTION_DRIVE, offsetof(struct map_settings, drives), "C:=FOLDER",
     "FOLDER is where that drive of Windows is mounted here; may be given again"},
    {"rebase", 0, OPTION_FLAG, offsetof(struct map_settings, rebase), NULL,
     "links that lead into a root by its old place lead to its new one"},
};

void map_settings_release(struct map_settings *s)
{
    remap_release(&s->rules);
    drives_release(&s->drives);
}

/* Bytes in mapping.text, which moves while it grows. */
struct stretch {
    size_t offset, size;
};

struct mapping_row {
    struct stretch path, old, now;
    enum entry_kind kind;
    enum mapping_outcome outcome;
    const char *reason; /* of NOT_MAPPABLE */
    enum target_state state;
};

static struct bytes text_at(const struct mapping *m, struct stretch s)
{
    return bytes_make(m->text.data + s.offset, s.size);
}

static int keep_text(struct mapping *m, struct bytes text, struct stretch *out, struct error *err)
{
    *out = (struct stretch){m->text.size, text.size};
    return buffer_append(&m->text, text.data, text.size, err);
}

/* ---- Links that pass ---- */

static struct mapping_row *add_row(struct mapping *m, struct error *err)
{
    if (m->row_count == m->row_capacity) {
        size_t capacity = m->row_capacity != 0 ? m->row_capacity * 2 : 64;
        struct mapping_row *grown = realloc(m->rows, capacity * sizeof *grown);

        if (grown == NULL) {
            (void)error_memory(err);
            return NULL;
        }
        m->rows = grown;
        m->row_capacity = capacity;
    }
    memset(&m->rows[m->row_count], 0, sizeof *m->rows);
    return &m->rows[m->row_count++];
}

static void tell_impossible(struct mapping *m, const struct entry *e, const char *reason)
{
    char text[200];

    (void)snprintf(text, sizeof text, "its target cannot be mapped: %s", reason);
    if (m->use == MAPPING_REMARKS)
        watcher_remark(&m->report->watcher, e->path, text);
    else
        watcher_loss(&m->report->watcher, e->path, text, NULL);
}

static struct mapping_way way_of(const struct mapping *m)
{
    return (struct mapping_way){m->roots, m->root_count, buffer_bytes(&m->base),
                                &m->settings->drives};
}

/* Of the restore itself: that a target inside a root is not there yet says nothing. */
static int count_link(struct mapping *m, const struct entry *now, const struct remap_result *result,
                      struct error *err)
{
    struct mapping_way way = way_of(m);

    m->counts[MAPPED] += result->outcome == REMAP_MAPPED;
    m->counts[NOT_MAPPABLE] += result->outcome == REMAP_IMPOSSIBLE;
    for (size_t i = 0; i < m->root_count; i++) {
        struct mapping_root *root = &m->roots[i];
        int lost;

        if (root->old[0] == '\0' || path_is_within(bytes_of(root->place), bytes_of(root->old)))
            continue;
        lost = mapping_way_is_lost(&way, now, bytes_of(root->old), err);
        if (lost < 0)
            return -1;
        root->dangling += (uint64_t)lost;
    }
    return 0;
}

/* What stands at an absolute path here. */
static enum remap_far_end look_at(struct buffer *path)
{
    struct os_stat status;

    if (buffer_terminate(path, NULL) != 0 ||
        os_stat_path((const char *)path->data, true, &status, NULL) != 0)
        return REMAP_FAR_UNKNOWN;
    return status.kind == OS_DIRECTORY ? REMAP_FAR_FOLDER : REMAP_FAR_FILE;
}

/* Where the drive is said to be, else at the old place. */
static enum remap_far_end far_end(struct remap_listener *l, struct bytes old, struct bytes now)
{
    struct mapping *m = (struct mapping *)l;
    enum remap_far_end end = REMAP_FAR_UNKNOWN;
    struct buffer path = {0};

    if (drives_append_here(&m->settings->drives, now, &path, NULL) == 1)
        end = look_at(&path);
    buffer_clear(&path);
    if (end == REMAP_FAR_UNKNOWN && buffer_append(&path, old.data, old.size, NULL) == 0)
        end = look_at(&path);
    buffer_release(&path);
    m->is_guess = end == REMAP_FAR_UNKNOWN;
    return end;
}

static int on_pass(struct remap_listener *l, const struct entry *old, const struct entry *now,
                   const struct remap_result *result, struct error *err)
{
    struct mapping *m = (struct mapping *)l;
    struct mapping_row *row;

    if (result != NULL && result->outcome == REMAP_IMPOSSIBLE)
        tell_impossible(m, old, result->reason);
    if (m->is_guess)
        watcher_remark(&m->report->watcher, old->path,
                       "what its new target is cannot be seen from here: made as a link to a file; "
                       "--drive C:=FOLDER says where a drive is");
    m->is_guess = false;
    if (m->next != NULL && m->next->pass(m->next, old, now, result, err) != 0)
        return -1;
    if (m->use != MAPPING_TABLE)
        return m->use == MAPPING_COUNTS && result != NULL ? count_link(m, now, result, err) : 0;
    if (inventory_add(m->inventory, now, err) != 0)
        return -1;
    if (result == NULL)
        return 0;
    row = add_row(m, err);
    if (row == NULL || keep_text(m, old->path, &row->path, err) != 0 ||
        keep_text(m, old->target, &row->old, err) != 0 ||
        keep_text(m, now->target, &row->now, err) != 0)
        return -1;
    row->kind = now->kind;
    row->reason = result->reason;
    row->outcome = result->outcome == REMAP_MAPPED       ? MAPPED
                   : result->outcome == REMAP_IMPOSSIBLE ? NOT_MAPPABLE
                                                         : UNKNOWN;
    return 0;
}

/* ---- Roots ---- */

/* The same place as Windows names it, if a drive holds it; else as it is. Appended. */
static int append_name(const struct mapping *m, const char *path, bool *windows, struct buffer *out,
                       struct error *err)
{
    int named = drives_append_windows(&m->settings->drives, bytes_of(path), out, err);

    *windows = named == 1;
    return named != 0 ? (named < 0 ? -1 : 0) : buffer_append(out, path, strlen(path), err);
}

/* A tree that stood in a drive is named by its drive in links of Windows. */
static int add_rebase(struct mapping *m, const char *old, const char *place, struct error *err)
{
    struct buffer from = {0}, to = {0};
    bool was_windows, is_windows;
    int result = -1;

    if (append_name(m, old, &was_windows, &from, err) == 0 &&
        append_name(m, place, &is_windows, &to, err) == 0)
        result = !was_windows
                     ? 0
                     : remap_add(&m->settings->rules, buffer_bytes(&from), buffer_bytes(&to), err);
    if (result == 0)
        result = remap_add(&m->settings->rules, bytes_of(old), bytes_of(place), err);
    buffer_release(&from);
    buffer_release(&to);
    return result;
}

static void release_root(struct mapping_root *root)
{
    free(root->name);
    free(root->place);
    free(root->old);
}

int mapping_add_root(struct mapping *m, const char *name, const char *old, const char *place,
                     struct error *err)
{
    struct mapping_root *grown = realloc(m->roots, (m->root_count + 1) * sizeof *grown);
    struct mapping_root root = {
        .name = strdup(name), .place = strdup(place), .old = strdup(old != NULL ? old : "")};

    if (grown != NULL)
        m->roots = grown;
    if (grown == NULL || root.name == NULL || root.place == NULL || root.old == NULL) {
        release_root(&root);
        return error_memory(err);
    }
    m->roots[m->root_count++] = root;
    if (!m->settings->rebase)
        return 0;
    if (old == NULL || old[0] == '\0')
        return error_set(err, ERROR_USAGE, NULL,
                         "--rebase: the archive does not say where '%s' stood; say it with "
                         "--map OLD=NEW",
                         name);
    return add_rebase(m, old, place, err);
}

int mapping_real_path(const char *path, struct buffer *out, struct error *err)
{
    size_t all = strlen(path), known;
    os_handle folder;
    int result = -1;

    if (nearest_open(path, &known, &folder, err) != 0)
        return -1;
    if (os_handle_path(folder, out, err) != 0)
        goto done;
    while (known < all && path[known] == '/')
        known++;
    while (all > known && path[all - 1] == '/')
        all--;
    if (known < all && ((out->size > 1 && buffer_append_byte(out, '/', err) != 0) ||
                        buffer_append(out, path + known, all - known, err) != 0))
        goto done;
    result = buffer_terminate(out, err);
done:
    os_close(folder);
    return result;
}

/* ---- Life ---- */

bool mapping_is_asked(const struct map_settings *s)
{
    return s->rules.count != 0 || s->rebase;
}

int mapping_begin(struct mapping *m, struct map_settings *settings, struct report *report,
                  enum mapping_use use, struct error *err)
{
    *m = (struct mapping){
        .listener = {on_pass, far_end}, .settings = settings, .report = report, .use = use};
    if (use != MAPPING_TABLE)
        return 0;
    if (inventory_new(NULL, &m->inventory, err) != 0)
        return -1;
    inventory_set_drives(m->inventory, &settings->drives);
    return 0;
}

void mapping_release(struct mapping *m)
{
    for (size_t i = 0; i < m->root_count; i++)
        release_root(&m->roots[i]);
    free(m->roots);
    free(m->rows);
    inventory_free(m->inventory);
    buffer_release(&m->base);
    buffer_release(&m->text);
    *m = (struct mapping){0};
}

int mapping_wrap(struct mapping *m, enum remap_across across, struct source **source,
                 struct error *err)
{
    struct remap_options options = {
        .rules = &m->settings->rules, .across = across, .listener = &m->listener};

    return remap_source_new(*source, &options, source, err);
}

void mapping_hint(const struct mapping *m)
{
    for (size_t i = 0; i < m->root_count; i++) {
        const struct mapping_root *root = &m->roots[i];
        char rule[400] = "", text[600];

        if (root->dangling == 0)
            continue;
        if (strpbrk(root->old, "='") == NULL && strpbrk(root->place, "='") == NULL)
            (void)snprintf(rule, sizeof rule, ", or --map '%s=%s',", root->old, root->place);
        (void)snprintf(text, sizeof text,
                       "%" PRIu64 " %s to its old place, where nothing is now; --rebase%s has %s "
                       "lead here",
                       root->dangling, root->dangling == 1 ? "link leads" : "links lead",
                       strlen(rule) + 1 < sizeof rule ? rule : "",
                       root->dangling == 1 ? "it" : "them");
        watcher_remark(&m->report->watcher, bytes_of(root->name), text);
    }
}

/* ---- The table ---- */

static const char *const outcome_words[MAPPING_OUTCOMES] = {
    [MAPPED] = "mapped",     [NOT_MAPPABLE] = "not mappable", [INSIDE] = "inside",
    [DANGLING] = "dangling", [KEPT_OUTSIDE] = "kept outside", [LOOPING] = "looping",
    [UNKNOWN] = "unknown",
};

static enum mapping_outcome outcome_of(enum target_state state)
{
    switch (state) {
    case TARGET_INSIDE:
        return INSIDE;
    case TARGET_OUTSIDE:
        return KEPT_OUTSIDE;
    case TARGET_DANGLING:
        return DANGLING;
    case TARGET_LOOPING:
        return LOOPING;
    case TARGET_UNKNOWN:
        break;
    }
    return UNKNOWN;
}

static void print_row(const struct mapping *m, const struct mapping_row *row)
{
    const char *exists = row->state == TARGET_UNKNOWN                                  ? "?"
                         : row->state == TARGET_INSIDE || row->state == TARGET_OUTSIDE ? "yes"
                                                                                       : "no";

    printf("%-12s  %-6s  ", outcome_words[row->outcome], exists);
    print_bytes(stdout, text_at(m, row->path));
    fputs(" -> ", stdout);
    print_bytes(stdout, text_at(m, row->old));
    if (row->outcome == MAPPED) {
        fputs(" => ", stdout);
        print_bytes(stdout, text_at(m, row->now));
    }
    if (row->reason != NULL)
        printf(" (%s)", row->reason);
    putchar('\n');
}

static void json_row(struct mapping *m, const struct mapping_row *row)
{
    struct json *j = &m->report->json;

    json_begin(j, "target");
    json_bytes(j, "path", text_at(m, row->path));
    json_text(j, "kind", entry_kind_name(row->kind));
    json_bytes(j, "old", text_at(m, row->old));
    if (row->outcome == MAPPED)
        json_bytes(j, "new", text_at(m, row->now));
    if (row->state != TARGET_UNKNOWN)
        json_bool(j, "exists", row->state == TARGET_INSIDE || row->state == TARGET_OUTSIDE);
    json_text(j, "outcome", outcome_words[row->outcome]);
    if (row->reason != NULL)
        json_text(j, "reason", row->reason);
    json_end(j);
}

/* The state by the tree's own entries, whose links stand in canonical order. */
static const struct inventory_link *find_link(const struct mapping *m, struct bytes path)
{
    size_t low = 0, high = inventory_link_count(m->inventory);

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct inventory_link *link = inventory_link_at(m->inventory, middle);
        int order = path_compare(link->path, path);

        if (order == 0)
            return link;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static int settle_row(struct mapping *m, struct mapping_row *row, struct error *err)
{
    const struct inventory_link *link = find_link(m, text_at(m, row->path));
    struct mapping_way way = way_of(m);

    row->state = link != NULL ? link->state : TARGET_UNKNOWN;
    if (link != NULL && mapping_way_ask(&way, link, &row->state, err) != 0)
        return -1;
    if (row->outcome == UNKNOWN)
        row->outcome = outcome_of(row->state);
    m->counts[row->outcome]++;
    return 0;
}

/* The facts of the source, its roots at their places of now. */
static int finish_inventory(struct mapping *m, struct source *source, struct error *err)
{
    struct source_facts facts = *source_facts(source);
    struct root_fact *roots = calloc(m->root_count + 1, sizeof *roots);
    int result;

    if (roots == NULL)
        return error_memory(err);
    for (size_t i = 0; i < m->root_count; i++)
        roots[i] = (struct root_fact){.name = m->roots[i].name, .absolute_path = m->roots[i].place};
    facts.roots = roots;
    facts.root_count = m->root_count;
    result = inventory_finish(m->inventory, &facts, err);
    free(roots);
    return result;
}

int mapping_tell(struct mapping *m, struct source *source, enum mapping_shown shown,
                 struct error *err)
{
    bool prints = shown == MAPPING_SHOW && !m->report->settings.json && m->row_count != 0;

    if (finish_inventory(m, source, err) != 0)
        return -1;
    report_clear_progress(m->report);
    if (prints)
        printf("%-12s  %-6s  link -> old target => new target\n", "outcome", "exists");
    for (size_t i = 0; i < m->row_count; i++) {
        if (settle_row(m, &m->rows[i], err) != 0)
            return -1;
        if (m->report->settings.json)
            json_row(m, &m->rows[i]);
        else if (prints)
            print_row(m, &m->rows[i]);
    }
    return 0;
}

void mapping_print_summary(const struct mapping *m)
{
    const char *between = "targets: ";

    for (size_t i = 0; i < MAPPING_OUTCOMES; i++) {
        if (m->counts[i] == 0)
            continue;
        fprintf(stderr, "%s%" PRIu64 " %s", between, m->counts[i], outcome_words[i]);
        between = ", ";
    }
    if (between[0] == ',')
        fputc('\n', stderr);
}

void mapping_json_summary(struct mapping *m)
{
    static const char *const keys[MAPPING_OUTCOMES] = {
        [MAPPED] = "mapped",     [NOT_MAPPABLE] = "not_mappable", [INSIDE] = "inside",
        [DANGLING] = "dangling", [KEPT_OUTSIDE] = "kept_outside", [LOOPING] = "looping",
        [UNKNOWN] = "unknown",
    };

    /* Where the others lead is looked up for the table alone. */
    size_t count = m->use == MAPPING_TABLE ? MAPPING_OUTCOMES : NOT_MAPPABLE + 1;

    for (size_t i = 0; i < count; i++)
        json_number(&m->report->json, keys[i], m->counts[i]);
}
