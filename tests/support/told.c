#include "support/told.h"

#include <string.h>

#include "support/check.h"

static void add(struct buffer *to, const char *text)
{
    struct error err = {0};

    check_done(buffer_append(to, text, strlen(text), &err));
}

static void notice(struct watcher *w, const struct notice *n)
{
    static const char *const kinds[] = {
        [NOTICE_ERROR] = "error ", [NOTICE_LOSS] = "loss ", [NOTICE_REMARK] = "remark "};
    struct told *t = (struct told *)w;
    struct error err = {0};
    char words[256];

    if (n->kind == NOTICE_ENTRY || n->kind == NOTICE_CHANGE)
        return;
    if (t->text.size != 0)
        add(&t->text, "; ");
    add(&t->text, kinds[n->kind]);
    check_done(buffer_append(&t->text, n->path.data, n->path.size, &err));
    add(&t->text, ": ");
    if (n->reason != NULL)
        add(&t->text, n->reason);
    if (n->problem == NULL)
        return;
    add(&t->text, n->reason != NULL ? " (" : "");
    add(&t->text, error_reason(n->problem, words, sizeof words));
    add(&t->text, n->reason != NULL ? ")" : "");
}

static void progress(struct watcher *w, uint64_t entries, uint64_t bytes, struct bytes path)
{
    struct told *t = (struct told *)w;

    (void)path;
    t->entries += entries;
    t->bytes += bytes;
}

static bool stopped(struct watcher *w)
{
    return ((struct told *)w)->stop;
}

void told_init(struct told *t)
{
    *t = (struct told){.watcher = {notice, progress, stopped}};
}

void told_release(struct told *t)
{
    buffer_release(&t->text);
}

void check_told_at(struct told *t, const char *wanted, const char *file, int line)
{
    check_text_at(buffer_bytes(&t->text), wanted, file, line);
    buffer_clear(&t->text);
}
