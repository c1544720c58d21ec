/*
 * transferred.c: see transferred.h.
 */
#define _XOPEN_SOURCE 700
#include "support/transferred.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/check.h"

static void tell(struct transferred *t, const char *word, const struct notice *n)
{
    char room[300];
    const char *why = n->problem ? error_reason(n->problem, room, sizeof room) : n->reason;
    struct error err = {0};

    check_done(buffer_append(&t->told, word, strlen(word), &err));
    check_done(buffer_append(&t->told, " ", 1, &err));
    check_done(buffer_append(&t->told, n->path.data, n->path.size, &err));
    if (n->kind != NOTICE_CHANGE) {
        check_done(buffer_append(&t->told, ": ", 2, &err));
        if (n->kind == NOTICE_LOSS)
            why = n->reason;
        check_done(buffer_append(&t->told, why, strlen(why), &err));
    }
    check_done(buffer_append(&t->told, "\n", 1, &err));
    check_done(buffer_terminate(&t->told, &err));
}

static void notice(struct watcher *w, const struct notice *n)
{
    struct transferred *t = (struct transferred *)w;

    switch (n->kind) {
    case NOTICE_ERROR:
        t->errors++;
        tell(t, "error", n);
        break;
    case NOTICE_LOSS:
        t->losses++;
        tell(t, "loss", n);
        break;
    case NOTICE_REMARK:
        tell(t, "remark", n);
        break;
    case NOTICE_CHANGE:
        tell(t, n->reason, n);
        break;
    case NOTICE_ENTRY:
        break;
    }
}

static void progress(struct watcher *w, uint64_t entries, uint64_t bytes, struct bytes path)
{
    (void)w;
    (void)entries;
    (void)bytes;
    (void)path;
}

static bool stopped(struct watcher *w)
{
    struct transferred *t = (struct transferred *)w;

    return t->stop_after >= 0 && t->stop_after-- == 0;
}

void transferred_init(struct transferred *t, const struct folder *f)
{
    *t = (struct transferred){.watcher = {notice, progress, stopped}, .stop_after = -1};
    t->root = (struct disk_root){.name = "t"};
    t->transfer.layout = (struct disk_layout){.base = f->path, .roots = &t->root, .root_count = 1};
    t->transfer.watcher = &t->watcher;
    t->transfer.options.owners = OWNERS_LEAVE;
    t->transfer.options.no_sync = true;
    t->transfer.options.jobs = 3;
}

void transferred_release(struct transferred *t)
{
    buffer_release(&t->told);
}

int transferred_run(struct transferred *t, struct list_source *want, struct error *err)
{
    buffer_clear(&t->told);
    t->errors = t->losses = 0;
    int result = transfer_run(&t->transfer, list_source(want), err);
    source_close(list_source(want));
    return result;
}

void transferred_exactly(struct transferred *t, struct list_source *want)
{
    struct error err = {0};

    check_done(transferred_run(t, want, &err));
    if (t->errors || t->losses)
        fail_msg("not exact:\n%s", (const char *)t->told.data);
}

bool transferred_told(const struct transferred *t, const char *text)
{
    return t->told.size && strstr((const char *)t->told.data, text);
}

static void full_path(const struct folder *f, const char *path, char out[4096])
{
    assert_true(snprintf(out, 4096, "%s/%s", f->path, path) < 4096);
}

struct os_stat standing(const struct folder *f, const char *path)
{
    struct os_stat s = {.kind = OS_KIND_UNKNOWN};
    char full[4096];

    full_path(f, path, full);
    if (os_stat_path(full, false, &s, NULL))
        s.kind = OS_KIND_UNKNOWN;
    return s;
}

void check_standing(const struct folder *f, const char *path, const char *content)
{
    char full[4096], got[4096];
    size_t count;
    FILE *file;

    full_path(f, path, full);
    file = fopen(full, "rb");
    if (!file)
        fail_msg("%s: %s", path, strerror(errno));
    count = fread(got, 1, sizeof got - 1, file);
    (void)fclose(file);
    got[count] = '\0';
    assert_string_equal(got, content);
}

bool same_file(const struct folder *f, const char *a, const char *b)
{
    struct os_stat x = standing(f, a), y = standing(f, b);

    assert_int_not_equal(x.kind, OS_KIND_UNKNOWN);
    assert_int_not_equal(y.kind, OS_KIND_UNKNOWN);
    return x.device == y.device && x.file[0] == y.file[0];
}

static int look_for_leftover(const char *path, const struct stat *s, int type, struct FTW *where)
{
    (void)s;
    (void)type;
    if (!strncmp(path + where->base, ".holdfast", 9))
        fail_msg("left over: %s", path);
    return 0;
}

void check_no_leftovers(const struct folder *f)
{
    assert_int_equal(nftw(f->path, look_for_leftover, 20, FTW_PHYS), 0);
}

void put_dir(const struct folder *f, const char *path)
{
    char full[4096];

    full_path(f, path, full);
    for (char *slash = full + strlen(f->path) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        assert_true(!mkdir(full, 0755) || errno == EEXIST);
        *slash = '/';
    }
    assert_true(!mkdir(full, 0755) || errno == EEXIST);
}

void put_file(const struct folder *f, const char *path, const char *content)
{
    char full[4096];
    char *slash;
    FILE *file;

    full_path(f, path, full);
    slash = strrchr(full, '/');
    if (slash > full + strlen(f->path)) {
        char parent[4096];
        (void)snprintf(parent, sizeof parent, "%.*s", (int)(strrchr(path, '/') - path), path);
        put_dir(f, parent);
    }
    file = fopen(full, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(content, 1, strlen(content), file), strlen(content));
    assert_int_equal(fclose(file), 0);
}
