#include "tree/watcher.h"

void watcher_error(struct watcher *w, struct bytes path, const struct error *problem)
{
    struct notice n = {.kind = NOTICE_ERROR, .path = path, .problem = problem};
    w->notice(w, &n);
}

void watcher_loss(struct watcher *w, struct bytes path, const char *reason,
                  const struct error *cause)
{
    struct notice n = {.kind = NOTICE_LOSS, .path = path, .reason = reason, .problem = cause};
    w->notice(w, &n);
}

void watcher_remark(struct watcher *w, struct bytes path, const char *reason)
{
    struct notice n = {.kind = NOTICE_REMARK, .path = path, .reason = reason};
    w->notice(w, &n);
}

void watcher_entry(struct watcher *w, const struct entry *e)
{
    struct notice n = {.kind = NOTICE_ENTRY, .path = e->path, .entry = e};

    w->notice(w, &n);
}
