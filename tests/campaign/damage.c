/*
 * damage.c: an archive cut at every byte, and with every byte changed, in one process: each time
 * `verify` must find it, and salvage must give every entry whose frames are whole, and nothing that
 * is wrong.
 *
 * usage: damage [--every N] [--seed S]: looks at one place in N, from a place that S decides
 */
#define _GNU_SOURCE /* memfd_create */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "archive/backup.h"
#include "archive/check.h"
#include "support/check.h"
#include "support/list_source.h"
#include "support/told.h"
#include "tree/diff.h"

enum { FILES = 150, MOST_FILE_BYTES = 3000, FRAME_BYTES = 14000, NAMES = 2 * FILES + 20 };
/* So that archives are of about one size: headers are not compressed in a plain one. */
enum { PLAIN_FILES = 48, HEADERS_BYTES = 2048 };

static struct error err;

/* One entry as it is in the whole archive, and the bytes of the archive that it needs. */
struct expected {
    char path[64];
    enum entry_kind kind;
    struct hash128 content; /* of a file, or of a target */
    uint64_t begin, end;    /* of its data in the stream; the same if it has none */
    uint64_t stream_end;    /* all up to here is needed where there is no index */
    bool seen;
};

struct campaign {
    enum container container;
    int file; /* the archive, in memory */
    struct buffer whole;
    struct frame *frames;
    size_t frame_count;
    uint64_t stream_stored; /* bytes of the archive before its tail */
    struct expected entries[NAMES];
    size_t entry_count;
    uint64_t tried, missed, lost, given;
};

static uint32_t next_random(void)
{
    static uint32_t state = 1;

    state = state * 1664525 + 1013904223;
    return state >> 8;
}

/* ---- The archive ---- */

static struct source *make_tree(int files)
{
    static char texts[FILES][MOST_FILE_BYTES + 1], paths[2 * FILES][64], targets[FILES][64];
    struct list_source *list = list_source_new();

    list_add(list, ENTRY_DIRECTORY, "t");
    for (int i = 0; i < files; i++) {
        size_t bytes = next_random() % MOST_FILE_BYTES;

        for (size_t k = 0; k < bytes; k++)
            texts[i][k] = (char)('!' + next_random() % 90);
        texts[i][bytes] = '\0';
        (void)snprintf(paths[i], sizeof paths[i], "t/f%03d", i);
        list_file(list, paths[i], texts[i]);
        (void)snprintf(paths[FILES + i], sizeof paths[i], "t/f%03d.also", i);
        (void)snprintf(targets[i], sizeof targets[i], "target/%d", i);
        if (i % 3 == 0)
            list_name(list, paths[FILES + i], paths[i]);
        else if (i % 3 == 1)
            list_link(list, paths[FILES + i], targets[i]);
    }
    list_as_archive(list);
    return list_source(list);
}

static os_handle open_again(const struct campaign *c)
{
    char path[64];
    os_handle handle;

    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", c->file);
    check_done(os_open_path(path, &handle, &err));
    return handle;
}

static int open_salvage(const struct campaign *c, struct told *told, struct opened_archive *out)
{
    struct reader_options options = {.salvage = true, .watcher = &told->watcher};

    return open_indexed_archive(open_again(c), &options, INDEX_CHECKED_FIRST, out, &err);
}

/* Hashes the content of the file that came last: 0, or -1 if it cannot be read to its end. */
static int hash_content(struct source *s, struct hash128 *out)
{
    struct data *data;
    int result;

    if (source_open_data(s, &data, &err))
        return -1;
    result = data_hash(data, out, &err);
    data_close(data);
    return result;
}

/* What an entry is: 0, or -1 if its content cannot be read. */
static int describe(struct source *s, const struct entry *e, struct expected *out)
{
    (void)snprintf(out->path, sizeof out->path, "%.*s", (int)e->path.size,
                   (const char *)e->path.data);
    out->kind = e->kind;
    out->content = hash_bytes(e->target);
    if (e->kind == ENTRY_FILE && !entry_is_further_name(e))
        return hash_content(s, &out->content);
    if (entry_is_further_name(e))
        out->content = hash_bytes(e->first_name);
    return 0;
}

/* Notes what is in the whole archive, by its index. */
static void note_entries(struct campaign *c)
{
    struct opened_archive a;
    struct told told;
    const struct entry *e;
    uint64_t before = 0;

    told_init(&told);
    check_done(open_salvage(c, &told, &a));
    assert_true(a.is_indexed);
    const struct tail *tail = opened_tail(&a);

    c->frames = calloc(tail->frame_count, sizeof *c->frames);
    assert_non_null(c->frames);
    memcpy(c->frames, tail->frames, tail->frame_count * sizeof *c->frames);
    c->frame_count = tail->frame_count;
    c->stream_stored =
        c->frames[c->frame_count - 1].stored_offset + c->frames[c->frame_count - 1].stored_bytes;
    while (source_next(a.source, &e, &err) == 1) {
        struct expected *x = &c->entries[c->entry_count++];
        struct index_origin origin;

        index_source_origin(a.source, &origin);
        check_done(describe(a.source, e, x));
        x->begin = x->end = origin.place.data_offset;
        for (size_t i = 0; i < origin.place.extent_count; i++)
            x->end += origin.place.extents[i].length;
        /* Of a further name the index tells no place of its own: a header behind what came before.
         */
        x->stream_end = x->end > before ? x->end : before + HEADERS_BYTES;
        before = x->stream_end;
    }
    source_close(a.source);
    told_release(&told);
}

static void begin(struct campaign *c, enum container container)
{
    struct told told;
    struct backup backup = {.output = {.container = container, .frame_bytes = FRAME_BYTES},
                            .program = "holdfast test",
                            .watcher = &told.watcher};
    struct source *tree = make_tree(container == CONTAINER_PLAIN ? PLAIN_FILES : FILES);

    *c = (struct campaign){.container = container, .file = memfd_create("archive", MFD_CLOEXEC)};
    told_init(&told);
    backup.archive = c->file;
    check_done(backup_run(&backup, tree, &err));
    source_close(tree);
    told_release(&told);
    check_done(buffer_reserve(&c->whole, (size_t)backup.counts.stored_bytes, &err));
    c->whole.size = (size_t)backup.counts.stored_bytes;
    assert_int_equal(pread(c->file, c->whole.data, c->whole.size, 0), c->whole.size);
    note_entries(c);
}

static void end(struct campaign *c)
{
    buffer_release(&c->whole);
    free(c->frames);
    close(c->file);
}

/* ---- One damage ---- */

/* The archive's bytes that are not those that were written. */
struct damage {
    uint64_t begin, end;
};

/* True if all frames that hold a part of the stream are whole. */
static bool is_whole(const struct campaign *c, const struct damage *d, uint64_t from, uint64_t to)
{
    for (size_t i = 0; i < c->frame_count; i++) {
        const struct frame *f = &c->frames[i];
        bool needed = f->raw_offset < to && f->raw_offset + f->raw_bytes > from;

        if (needed && f->stored_offset < d->end && f->stored_offset + f->stored_bytes > d->begin)
            return false;
    }
    return true;
}

/* Plain archives have frames, too, but a cut one has no table of them: it is read up to the cut. */
static bool is_due(const struct campaign *c, const struct damage *d, const struct expected *x,
                   bool has_index)
{
    if (has_index)
        return is_whole(c, d, x->begin, x->end);
    if (c->container == CONTAINER_PLAIN)
        return x->stream_end <= d->begin;
    return is_whole(c, d, 0, x->stream_end);
}

static void complain(const struct campaign *c, const struct damage *d, const char *what,
                     const char *path)
{
    static const char *const names[] = {"tar", "tar.gz", "tar.zst"};

    fail_msg("%s, bytes %" PRIu64 " to %" PRIu64 " damaged: %s %s", names[c->container], d->begin,
             d->end, what, path);
}

static struct expected *find(struct campaign *c, const char *path)
{
    for (size_t i = 0; i < c->entry_count; i++)
        if (strcmp(c->entries[i].path, path) == 0)
            return &c->entries[i];
    return NULL;
}

/* Compares what salvage yields with what there was. By the index each name has its content; in the
 * stream further ones name their first. */
static void compare_entry(struct campaign *c, const struct damage *d, struct source *s,
                          const struct entry *e)
{
    struct expected found;

    if (e->problem_scope != PROBLEM_NONE)
        return;
    bool is_lost = describe(s, e, &found) != 0;
    struct expected *x = find(c, found.path);

    error_release(&err);
    if (is_lost)
        return;
    if (!x || x->kind != found.kind)
        complain(c, d, "another entry came:", found.path);
    if (entry_is_further_name(e)) {
        char first[64];

        (void)snprintf(first, sizeof first, "%.*s", (int)e->first_name.size,
                       (const char *)e->first_name.data);
        struct expected *of = find(c, first);

        if (!of || of->content.low != x->content.low || of->content.high != x->content.high)
            complain(c, d, "a name of another file:", found.path);
        x->seen = of->seen;
        return;
    }
    if (x->content.low != found.content.low || x->content.high != found.content.high)
        complain(c, d, "a wrong content was given for", found.path);
    x->seen = true;
}

static void salvage(struct campaign *c, const struct damage *d)
{
    struct opened_archive a;
    struct told told;
    const struct entry *e;
    bool has_index = false;

    told_init(&told);
    for (size_t i = 0; i < c->entry_count; i++)
        c->entries[i].seen = false;
    if (open_salvage(c, &told, &a) == 0) {
        has_index = a.is_indexed;
        while (source_next(a.source, &e, &err) == 1)
            compare_entry(c, d, a.source, e);
        source_close(a.source);
    }
    error_release(&err);
    for (size_t i = 0; i < c->entry_count; i++) {
        struct expected *x = &c->entries[i];

        if (!x->seen && is_due(c, d, x, has_index))
            complain(c, d, has_index ? "lost, with an index," : "lost, without an index,", x->path);
        *(x->seen ? &c->given : &c->lost) += 1;
    }
    told_release(&told);
}

static void verify(struct campaign *c, const struct damage *d)
{
    struct check_counts counts;
    struct told told;

    told_init(&told);
    if (check_archive(open_again(c), NULL, &told.watcher, &counts, &err) == 0)
        complain(c, d, "verify says nothing", "");
    error_release(&err);
    told_release(&told);
}

static void try_damage(struct campaign *c, const struct damage *d)
{
    verify(c, d);
    salvage(c, d);
    c->tried++;
}

/* ---- All of them ---- */

static void run(enum container container, size_t every, size_t from)
{
    static const char *const names[] = {"tar", "tar.gz", "tar.zst"};
    struct campaign c;
    time_t start = time(NULL);

    begin(&c, container);
    for (size_t at = from % every; at < c.whole.size; at += every) {
        uint8_t changed = c.whole.data[at] ^ (uint8_t)(1u << at % 8);

        assert_int_equal(pwrite(c.file, &changed, 1, (off_t)at), 1);
        try_damage(&c, &(struct damage){at, at + 1});
        assert_int_equal(pwrite(c.file, &c.whole.data[at], 1, (off_t)at), 1);
    }
    uint64_t changed = c.tried;

    for (size_t left = c.whole.size - 1 - from % every;; left -= every) {
        assert_int_equal(ftruncate(c.file, (off_t)left), 0);
        try_damage(&c, &(struct damage){left, c.whole.size});
        if (left < every)
            break;
    }
    printf("%s: %zu bytes, %zu frames, %zu entries: %" PRIu64 " bytes changed, %" PRIu64
           " cuts, all found; of the entries %.1f %% were given, none wrong; %ld s\n",
           names[container], c.whole.size, c.frame_count, c.entry_count, changed, c.tried - changed,
           100.0 * (double)c.given / (double)(c.given + c.lost), (long)(time(NULL) - start));
    end(&c);
}

static size_t every = 100, seed;

static void plain(void **state)
{
    (void)state;
    run(CONTAINER_PLAIN, every, seed);
}

static void gzip(void **state)
{
    (void)state;
    run(CONTAINER_GZIP, every, seed);
}

static void zstd(void **state)
{
    (void)state;
    run(CONTAINER_ZSTD, every, seed);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain),
        cmocka_unit_test(gzip),
        cmocka_unit_test(zstd),
    };

    seed = (size_t)time(NULL) % 100000;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--every") == 0)
            every = strtoul(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--seed") == 0)
            seed = strtoul(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--only") == 0)
            cmocka_set_test_filter(argv[i + 1]);
    }
    if (every == 0)
        return 2;
    printf("one place in %zu, seed %zu\n", every, seed);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
