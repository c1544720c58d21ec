/*
 * report.c: the watcher that talks to people and programs.
 */
#include "cli/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/print.h"
#include "os/os.h"

/* Seconds between two progress lines. */
static const double progress_pause = 0.2;

static struct report *report_of(struct watcher *w)
{
    return (struct report *)w;
}

/* ---- Groups ---- */

static struct report_group *find_group(const struct report *r, enum notice_kind kind,
                                       const char *reason)
{
    for (size_t i = 0; i < r->group_count; i++) {
        if (r->groups[i].kind == kind && strcmp(r->groups[i].reason, reason) == 0)
            return &r->groups[i];
    }
    return NULL;
}

static struct report_group *new_group(struct report *r, enum notice_kind kind, const char *reason)
{
    struct report_group *grown = realloc(r->groups, (r->group_count + 1) * sizeof *grown);

    if (grown == NULL)
        return NULL;
    r->groups = grown;
    memset(&grown[r->group_count], 0, sizeof *grown);
    grown[r->group_count].kind = kind;
    grown[r->group_count].reason = strdup(reason);
    if (grown[r->group_count].reason == NULL)
        return NULL;
    return &grown[r->group_count++];
}

static struct report_group *group_of(struct report *r, enum notice_kind kind, const char *reason)
{
    /* One place is left for the others of each kind that is grouped. */
    enum { OTHERS = 3 };
    struct report_group *group = find_group(r, kind, reason);

    if (group == NULL && r->group_count >= REPORT_GROUPS_MOST - OTHERS) {
        reason = "other reasons";
        group = find_group(r, kind, reason);
    }
    return group != NULL ? group : new_group(r, kind, reason);
}

static void group_add(struct report *r, enum notice_kind kind, const char *reason,
                      struct bytes path)
{
    struct report_group *group = group_of(r, kind, reason);
    struct error err = {0};

    if (group == NULL)
        return; /* out of memory: the counts and the exit status still say so */
    if (group->count < REPORT_NAMES_SHOWN && path.size != 0)
        (void)!buffer_append(&group->names[group->count], path.data, path.size, &err);
    group->count++;
    error_release(&err);
}

/* The text that groups equal notices: operation and reason. */
static const char *reason_text(const struct notice *n, char *text, size_t text_bytes)
{
    char words[256];

    if (n->problem == NULL)
        return n->reason != NULL ? n->reason : "";
    const char *why = error_reason(n->problem, words, sizeof words);

    if (n->reason != NULL)
        (void)snprintf(text, text_bytes, "%s: %s", n->reason, why);
    else if (n->problem->operation != NULL)
        (void)snprintf(text, text_bytes, "%s: %s", n->problem->operation, why);
    else
        (void)snprintf(text, text_bytes, "%s", why);
    return text;
}

/* ---- Notices ---- */

static void notice_json(struct report *r, const struct notice *n, const char *reason)
{
    char words[256];
    static const char *const types[] = {
        [NOTICE_ERROR] = "error", [NOTICE_LOSS] = "loss",     [NOTICE_REMARK] = "remark",
        [NOTICE_ENTRY] = "entry", [NOTICE_CHANGE] = "change",
    };

    json_begin(&r->json, types[n->kind]);
    if (n->path.size != 0)
        json_bytes(&r->json, "path", n->path);
    if (n->kind == NOTICE_CHANGE)
        json_text(&r->json, "action", n->reason);
    else if (n->kind == NOTICE_ERROR && n->problem != NULL) /* the operation is a field itself */
        json_bytes(&r->json, "reason", bytes_of(error_reason(n->problem, words, sizeof words)));
    else if (n->kind != NOTICE_ENTRY)
        json_bytes(&r->json, "reason", bytes_of(reason));
    if (n->problem != NULL && n->problem->operation != NULL)
        json_text(&r->json, "operation", n->problem->operation);
    if (n->other.size != 0)
        json_bytes(&r->json, "other", n->other);
    if (n->entry != NULL && n->entry->problem_scope != PROBLEM_ENTRY)
        json_text(&r->json, "kind", entry_kind_name(n->entry->kind));
    if (n->kind == NOTICE_ENTRY && entry_is_further_name(n->entry))
        json_bytes(&r->json, "same_as", n->entry->first_name);
    json_end(&r->json);
}

/* A line for -v and --dry-run. */
static void notice_line(struct report *r, const struct notice *n)
{
    FILE *to = n->kind == NOTICE_ENTRY ? stderr : stdout;

    report_clear_progress(r);
    if (n->kind == NOTICE_CHANGE)
        fprintf(to, "%-8s  ", n->reason);
    print_bytes(to, n->path);
    if (n->entry != NULL && entry_is_link(n->entry) && n->entry->target.size != 0) {
        fputs(" -> ", to);
        print_bytes(to, n->entry->target);
    }
    if (n->other.size != 0) {
        fputs(" = ", to);
        print_bytes(to, n->other);
    }
    fputc('\n', to);
}

static void on_notice(struct watcher *w, const struct notice *n)
{
    struct report *r = report_of(w);
    char text[512];
    const char *reason = reason_text(n, text, sizeof text);

    r->losses += n->kind == NOTICE_LOSS;
    r->errors += n->kind == NOTICE_ERROR;
    if (r->settings.json) {
        if (n->kind != NOTICE_ENTRY || r->settings.verbose)
            notice_json(r, n, reason);
    } else if (n->kind == NOTICE_CHANGE || n->kind == NOTICE_ENTRY) {
        if (r->settings.verbose || (n->kind == NOTICE_CHANGE && r->settings.show_changes))
            notice_line(r, n);
    }
    if (n->kind != NOTICE_CHANGE && n->kind != NOTICE_ENTRY)
        group_add(r, n->kind, reason, n->path);
}

/* ---- Progress ---- */

/* Cuts a path to its last part so that the line fits; UTF-8 continuation bytes are not split off
 * alone. */
static struct bytes path_end(struct bytes path, size_t room)
{
    if (path.size <= room)
        return path;
    path.data += path.size - room;
    path.size = room;
    while (path.size != 0 && (path.data[0] & 0xc0) == 0x80) {
        path.data++;
        path.size--;
    }
    return path;
}

static void progress_show(struct report *r, struct bytes path)
{
    struct report_progress *p = &r->progress;
    double elapsed = p->shown - p->started;
    char done[32], rate[32], head[128];
    int length;

    print_size(done, sizeof done, p->bytes);
    print_size(rate, sizeof rate, elapsed > 0 ? (uint64_t)((double)p->bytes / elapsed) : 0);
    length = snprintf(head, sizeof head, "%" PRIu64 " entries, %s, %s/s  ", p->entries, done, rate);
    fprintf(stderr, "\r\033[K%s", head);
    if (length > 0 && (unsigned)length + 1 < p->columns)
        print_bytes(stderr, path_end(path, p->columns - (unsigned)length - 1));
    fflush(stderr);
    p->on_screen = true;
}

/* What comes without a path belongs to the last one. */
static void keep_path(struct report_progress *p, struct bytes path)
{
    struct error err = {0};

    buffer_clear(&p->path);
    (void)!buffer_append(&p->path, path.data, path.size, &err);
    error_release(&err);
}

static void on_progress(struct watcher *w, uint64_t entries, uint64_t bytes, struct bytes path)
{
    struct report_progress *p = &report_of(w)->progress;

    p->entries += entries;
    p->bytes += bytes;
    if (!p->shown_at_all)
        return;
    if (path.size != 0)
        keep_path(p, path);
    if ((entries != 0 && p->entries % 64 != 0 && bytes == 0))
        return;
    double now = os_ticks();

    if (now - p->shown < progress_pause)
        return;
    p->shown = now;
    progress_show(report_of(w), buffer_bytes(&p->path));
}

static bool on_stopped(struct watcher *w)
{
    (void)w;
    return os_stop_requested() != 0;
}

void report_clear_progress(struct report *r)
{
    if (!r->progress.on_screen)
        return;
    fputs("\r\033[K", stderr);
    r->progress.on_screen = false;
}

/* ---- Life ---- */

void report_init(struct report *r, const char *command, struct report_settings settings)
{
    memset(r, 0, sizeof *r);
    r->watcher =
        (struct watcher){.notice = on_notice, .progress = on_progress, .stopped = on_stopped};
    r->settings = settings;
    r->command = command;
    r->progress.shown_at_all = os_is_terminal(2, &r->progress.columns) && !settings.json;
    if (r->progress.columns == 0)
        r->progress.columns = 80;
    r->progress.started = r->progress.shown = os_ticks();
    if (!settings.json)
        return;
    json_begin(&r->json, "header");
    json_number(&r->json, "schema", 1);
    json_text(&r->json, "program", "holdfast");
    json_text(&r->json, "version", HOLDFAST_VERSION);
    json_text(&r->json, "command", command);
    json_end(&r->json);
}

void report_release(struct report *r)
{
    for (size_t i = 0; i < r->group_count; i++) {
        free(r->groups[i].reason);
        for (size_t n = 0; n < REPORT_NAMES_SHOWN; n++)
            buffer_release(&r->groups[i].names[n]);
    }
    free(r->groups);
    buffer_release(&r->progress.path);
    json_release(&r->json);
    memset(r, 0, sizeof *r);
}

/* One fact is one line. */
static void print_one(const struct report_group *group)
{
    if (group->names[0].size != 0) {
        print_bytes(stderr, buffer_bytes(&group->names[0]));
        fputs(": ", stderr);
    }
    print_bytes(stderr, bytes_of(group->reason));
    fputc('\n', stderr);
}

static void print_many(const struct report_group *group)
{
    print_bytes(stderr, bytes_of(group->reason));
    fprintf(stderr, " (%" PRIu64 " times)\n", group->count);
    for (size_t n = 0; n < REPORT_NAMES_SHOWN && n < group->count; n++) {
        if (group->names[n].size == 0)
            continue;
        fputs("    ", stderr);
        print_bytes(stderr, buffer_bytes(&group->names[n]));
        fputc('\n', stderr);
    }
    if (group->count > REPORT_NAMES_SHOWN)
        fprintf(stderr, "    and %" PRIu64 " more; --json names all\n",
                group->count - REPORT_NAMES_SHOWN);
}

void report_print_groups(struct report *r)
{
    report_clear_progress(r);
    for (size_t i = 0; i < r->group_count; i++) {
        const struct report_group *group = &r->groups[i];

        fputs(group->kind == NOTICE_REMARK ? "holdfast: note: " : "holdfast: ", stderr);
        if (group->count == 1)
            print_one(group);
        else
            print_many(group);
    }
}

static int status_of(const struct report *r, const struct error *stopped)
{
    if (os_stop_requested() != 0)
        return 128 + os_stop_requested();
    if (stopped != NULL)
        return stopped->kind == ERROR_USAGE ? EXIT_USAGE : EXIT_STOPPED;
    return r->losses + r->errors != 0 || r->json.failed ? EXIT_INEXACT : EXIT_EXACT;
}

/* Why the run stopped, for programs. */
static void stopped_json(struct report *r, const struct error *stopped)
{
    char words[256];

    json_begin(&r->json, "error");
    if (stopped->path != NULL)
        json_bytes(&r->json, "path", bytes_make(stopped->path, stopped->path_bytes));
    if (stopped->operation != NULL)
        json_text(&r->json, "operation", stopped->operation);
    json_bytes(&r->json, "reason", bytes_of(error_reason(stopped, words, sizeof words)));
    json_bool(&r->json, "fatal", true);
    json_end(&r->json);
}

static void tell_stopped(struct report *r, const struct error *stopped, const char *remains)
{
    r->errors++;
    if (r->settings.json)
        stopped_json(r, stopped);
    fprintf(stderr, "holdfast %s: ", r->command);
    if (stopped->kind == ERROR_INTERRUPTED) /* where that was is of no use */
        fputs("stopped", stderr);
    else
        print_problem(stderr, stopped);
    fputc('\n', stderr);
    if (remains != NULL && stopped->kind != ERROR_USAGE)
        fprintf(stderr, "%s\n", remains);
}

int report_end(struct report *r, const struct error *stopped, const char *remains)
{
    report_print_groups(r);
    if (stopped != NULL)
        tell_stopped(r, stopped, remains);
    return status_of(r, stopped);
}

void report_print_troubles(const struct report *r)
{
    if (r->errors != 0)
        fprintf(stderr, "; %" PRIu64 " with errors", r->errors);
    if (r->losses != 0)
        fprintf(stderr, "%s %" PRIu64 " not exact", r->errors != 0 ? "," : ";", r->losses);
}

void report_json_summary(struct report *r, int status)
{
    json_begin(&r->json, "summary");
    json_signed(&r->json, "status", status);
    json_number(&r->json, "losses", r->losses);
    json_number(&r->json, "errors", r->errors);
}
