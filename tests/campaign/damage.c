/*
 * damage.c: an archive cut at every byte, and with a bit of every byte changed, in one process:
 * each time `verify` must find it, and salvage must give every entry whose frames are whole, and
 * nothing that is wrong: kind, content, target, attributes, which names are one file.
 *
 * usage: damage [--every N] [--seed S] [--only NAME]: looks at one place in N, from a place that S
 * decides; which bit of a byte is changed depends on the place and on S
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

enum { FILES = 24, MOST_FILE_BYTES = 14600, FRAME_BYTES = 14000, NAMES = 2 * FILES + 40 };
/* So that archives are of about one size: headers are not compressed in a plain one. */
enum { PLAIN_FILES = 16, HEADERS_BYTES = 2048 };
enum { SPARSE_FILES = 4, PIECES = 3, MOST_PIECE_BYTES = 1500, SPARSE_BYTES = 300000 };

static const char *const names[] = {"tar", "tar.gz", "tar.zst"};
static struct error err;

/* One entry as it is in the whole archive, and the bytes of the archive that it needs. */
struct expected {
    char path[64];
    enum entry_kind kind;
    struct hash128 content; /* of a file with its holes, or of a target */
    struct hash128 meta;
    uint64_t begin, end; /* of its data in the stream; the same if it has none */
    uint64_t stream_end; /* all up to here is needed where there is no index */
    bool seen;
};

struct campaign {
    enum container container;
    int file; /* the archive, in memory */
    struct buffer whole;
    struct frame *frames;
    size_t frame_count;
    struct hasher *hasher;
    struct expected entries[NAMES];
    size_t entry_count;
    size_t next; /* the entry that is looked for first: they come in this order */
    uint64_t tried, lost, given;
};

static uint32_t random_state;

static uint32_t next_random(void)
{
    random_state = random_state * 1664525 + 1013904223;
    return random_state >> 8;
}

/* ---- The archive ---- */

/* Letters, or what cannot be compressed. */
static void make_text(char *out, size_t most)
{
    size_t bytes = next_random() % most;
    unsigned first = bytes % 3 != 0 ? 1 : '!', many = bytes % 3 != 0 ? 255 : 90;

    for (size_t i = 0; i < bytes; i++)
        out[i] = (char)(first + next_random() % many);
    out[bytes] = '\0';
}

static void add_attribute(struct entry *e, const char *name, const char *value)
{
    check_done(pairs_append(&e->meta.xattrs, bytes_of(name), bytes_of(value), &err));
}

/* Attributes, some of them long, odd times, flags and owners. */
static void vary(struct entry *e, int i)
{
    static char value[2000];

    e->meta.mode = 0600 + (uint32_t)i % 0200;
    e->meta.mtime = (struct timestamp){i * 1000003 - 50000, (uint32_t)i * 999};
    if (i % 4 == 0) {
        e->meta.owner = 4000000000;
        e->meta.flags = FILE_FLAG_NODUMP;
    }
    if (i % 5 != 0)
        return;
    make_text(value, i % 10 == 0 ? sizeof value - 1 : 40);
    add_attribute(e, "user.a", value);
    add_attribute(e, "user.note", "");
}

static void add_sparse(struct list_source *list)
{
    static char paths[SPARSE_FILES][64], texts[SPARSE_FILES][PIECES][MOST_PIECE_BYTES + 1];
    static struct memory_piece pieces[SPARSE_FILES][PIECES];

    for (int i = 0; i < SPARSE_FILES; i++) {
        size_t count = PIECES - (size_t)i % 2;

        for (size_t k = 0; k < count; k++) {
            make_text(texts[i][k], MOST_PIECE_BYTES);
            pieces[i][k] = (struct memory_piece){k * SPARSE_BYTES / PIECES + 4096 * (size_t)(i % 3),
                                                 bytes_of(texts[i][k])};
        }
        (void)snprintf(paths[i], sizeof paths[i], "t/f%03d.sparse", i * FILES / SPARSE_FILES);
        vary(list_sparse_file(list, paths[i], SPARSE_BYTES, pieces[i], count), i);
    }
}

static struct source *make_tree(int files)
{
    static char texts[FILES][MOST_FILE_BYTES + 1], paths[2 * FILES][64], targets[FILES][64];
    struct list_source *list = list_source_new();

    random_state = 1;
    list_add(list, ENTRY_DIRECTORY, "t");
    for (int i = 0; i < files; i++) {
        make_text(texts[i], MOST_FILE_BYTES);
        (void)snprintf(paths[i], sizeof paths[i], "t/f%03d", i);
        vary(list_file(list, paths[i], texts[i]), i);
        (void)snprintf(paths[FILES + i], sizeof paths[i], "t/f%03d.also", i);
        (void)snprintf(targets[i], sizeof targets[i], "target/%d", i);
        if (i % 3 == 0)
            list_name(list, paths[FILES + i], paths[i]);
        else if (i % 3 == 1)
            list_link(list, paths[FILES + i], targets[i]);
    }
    add_sparse(list);
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

/* ---- What an entry is ---- */

static void add_number(struct campaign *c, uint64_t number)
{
    hasher_add(c->hasher, &number, sizeof number);
}

static void add_bytes(struct campaign *c, struct bytes b)
{
    add_number(c, b.size);
    hasher_add(c->hasher, b.data, b.size);
}

static struct hash128 hash_meta(struct campaign *c, const struct metadata *m)
{
    hasher_reset(c->hasher);
    add_number(c, m->known & (METADATA_MODE | METADATA_OWNER | METADATA_GROUP | METADATA_MTIME |
                              METADATA_FLAGS | METADATA_XATTRS));
    add_number(c, m->mode);
    add_number(c, m->owner);
    add_number(c, m->group);
    add_number(c, (uint64_t)m->mtime.seconds);
    add_number(c, m->mtime.nanoseconds);
    add_number(c, m->flags);
    for (size_t i = 0; i < m->xattrs.count; i++) {
        add_bytes(c, pairs_name(&m->xattrs, i));
        add_bytes(c, pairs_value(&m->xattrs, i));
    }
    return hasher_result(c->hasher);
}

/* Hashes the size, the places of data and the data itself: 0, or -1 if they cannot be read. */
static int hash_data(struct campaign *c, struct data *data)
{
    static uint8_t room[MOST_FILE_BYTES];

    add_number(c, data->size);
    for (size_t i = 0; i < data->extent_count; i++) {
        struct extent x = data->extents[i];
        size_t got = 1;

        add_number(c, x.offset);
        add_number(c, x.length);
        for (; x.length != 0 && got != 0; x.offset += got, x.length -= got) {
            size_t most = x.length < sizeof room ? (size_t)x.length : sizeof room;

            if (data_read(data, x.offset, (struct data_span){room, most}, &got, &err))
                return -1;
            hasher_add(c->hasher, room, got);
        }
    }
    return 0;
}

/* The content of the file that came last: 0, or -1 if it cannot be read to its end. */
static int hash_content(struct campaign *c, struct source *s, struct hash128 *out)
{
    struct data *data;

    if (source_open_data(s, &data, &err))
        return -1;
    hasher_reset(c->hasher);
    int result = hash_data(c, data);

    data_close(data);
    *out = hasher_result(c->hasher);
    return result;
}

/* What an entry is: 0, or -1 if its content cannot be read. */
static int describe(struct campaign *c, struct source *s, const struct entry *e,
                    struct expected *out)
{
    (void)snprintf(out->path, sizeof out->path, "%.*s", (int)e->path.size,
                   (const char *)e->path.data);
    out->kind = e->kind;
    out->content = hash_bytes(entry_is_further_name(e) ? e->first_name : e->target);
    out->meta = hash_meta(c, &e->meta);
    if (e->kind == ENTRY_FILE && !entry_is_further_name(e))
        return hash_content(c, s, &out->content);
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
    while (source_next(a.source, &e, &err) == 1) {
        assert_true(c->entry_count < NAMES);
        struct expected *x = &c->entries[c->entry_count++];
        struct index_origin origin;

        index_source_origin(a.source, &origin);
        check_done(describe(c, a.source, e, x));
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
    check_done(hasher_new(&c->hasher, &err));
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
    hasher_free(c->hasher);
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
    fail_msg("%s, bytes %" PRIu64 " to %" PRIu64 " damaged: %s %s", names[c->container], d->begin,
             d->end, what, path);
}

static struct expected *find(struct campaign *c, const char *path)
{
    for (size_t i = 0; i < c->entry_count; i++) {
        size_t at = (c->next + i) % c->entry_count;

        if (strcmp(c->entries[at].path, path) == 0) {
            c->next = at + 1;
            return &c->entries[at];
        }
    }
    return NULL;
}

static bool hash_equal(struct hash128 a, struct hash128 b)
{
    return a.low == b.low && a.high == b.high;
}

/* Compares what salvage yields with what there was. By the index each name has its content; in the
 * stream further ones name their first. */
static void compare_entry(struct campaign *c, const struct damage *d, struct source *s,
                          const struct entry *e)
{
    struct expected found;

    if (e->problem_scope != PROBLEM_NONE)
        return;
    bool is_lost = describe(c, s, e, &found) != 0;
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

        if (!of || !hash_equal(of->content, x->content) || !hash_equal(of->meta, x->meta))
            complain(c, d, "a name of another file:", found.path);
        x->seen = of->seen;
        return;
    }
    if (!hash_equal(x->content, found.content))
        complain(c, d, "a wrong content was given for", found.path);
    if (!hash_equal(x->meta, found.meta))
        complain(c, d, "wrong attributes were given for", found.path);
    x->seen = true;
}

static void salvage(struct campaign *c, const struct damage *d)
{
    struct opened_archive a;
    struct told told;
    const struct entry *e;
    bool has_index = false;

    told_init(&told);
    c->next = 0;
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
}

/* ---- All of them ---- */

/* Which bit of a byte is changed: all of them in turn, but in no step with fields of 8 bytes. */
static uint8_t bit_of(size_t at, size_t from)
{
    return (uint8_t)(1u << ((at * UINT32_C(2654435761) + from) >> 16) % 8);
}

static void change(struct campaign *c, size_t at, size_t from)
{
    uint8_t changed = c->whole.data[at] ^ bit_of(at, from);

    assert_int_equal(pwrite(c->file, &changed, 1, (off_t)at), 1);
    try_damage(c, &(struct damage){at, at + 1});
    assert_int_equal(pwrite(c->file, &c->whole.data[at], 1, (off_t)at), 1);
}

static void cut(struct campaign *c, size_t left)
{
    size_t rest = c->whole.size - left;

    assert_int_equal(ftruncate(c->file, (off_t)left), 0);
    try_damage(c, &(struct damage){left, c->whole.size});
    assert_int_equal(pwrite(c->file, c->whole.data + left, rest, (off_t)left), rest);
}

/* In rounds, so that a run that is ended early has looked everywhere. */
static void run(enum container container, size_t every, size_t from)
{
    enum { ROUNDS = 16 };
    struct campaign c;
    clock_t start = clock();

    begin(&c, container);
    for (size_t round = 0; round < ROUNDS; round++) {
        for (size_t at = from % every + round * every; at < c.whole.size; at += ROUNDS * every) {
            change(&c, at, from);
            cut(&c, at);
            c.tried++;
        }
        if (every < ROUNDS)
            (void)fprintf(stderr, "%s: %" PRIu64 " places after %zu of %d rounds\n",
                          names[container], c.tried, round + 1, ROUNDS);
    }
    printf("%s: %zu bytes, %zu frames, %zu entries: %" PRIu64
           " places, each changed and cut, all found; of the entries %.1f %% were given, none "
           "wrong; %.1f s of CPU\n",
           names[container], c.whole.size, c.frame_count, c.entry_count, c.tried,
           100.0 * (double)c.given / (double)(c.given + c.lost),
           (double)(clock() - start) / CLOCKS_PER_SEC);
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
