/*
 * walk.c: the walk source beside a bare loop of getdents64(2) and statx(2) with a table of hard
 * links, one thread each, turn about: what reading a tree costs at the least, and what it costs us.
 *
 * usage: bench_walk FOLDER [ROUNDS]: prints medians, least times and their ratio
 */
#define _GNU_SOURCE /* getdents64 */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "disk/walk.h"

enum { LIST_BYTES = 32768, PATH_BYTES = 4096, MOST_ROUNDS = 100 };

static int fail(const char *what)
{
    perror(what);
    exit(1);
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- The bare loop ---- */

/* Files of several names, open addressing; grows at half full. */
struct link_table {
    struct link_key {
        uint64_t device, file;
    } * keys;
    size_t capacity, count;
};

static struct link_key *link_place(struct link_key *keys, size_t capacity, struct link_key k)
{
    size_t at = (size_t)((k.file * 0x9E3779B97F4A7C15U) ^ k.device) & (capacity - 1);

    while (keys[at].file && (keys[at].file != k.file || keys[at].device != k.device))
        at = (at + 1) & (capacity - 1);
    return &keys[at];
}

static void link_note(struct link_table *t, struct link_key k)
{
    if (t->count * 2 >= t->capacity) {
        size_t capacity = t->capacity ? t->capacity * 2 : 1024;
        struct link_key *keys = calloc(capacity, sizeof *keys);
        if (!keys)
            fail("calloc");
        for (size_t i = 0; i < t->capacity; i++) {
            if (t->keys[i].file)
                *link_place(keys, capacity, t->keys[i]) = t->keys[i];
        }
        free(t->keys);
        t->keys = keys;
        t->capacity = capacity;
    }
    struct link_key *place = link_place(t->keys, t->capacity, k);
    if (!place->file)
        t->count++;
    *place = k;
}

static uint64_t bare_folder(struct link_table *links, int folder)
{
    _Alignas(struct dirent64) char list[LIST_BYTES];
    uint64_t entries = 0;
    long got;

    while ((got = syscall(SYS_getdents64, folder, list, sizeof list)) > 0) {
        for (long at = 0; at < got;) {
            const struct dirent64 *d = (const void *)(list + at);
            struct statx s;
            at += d->d_reclen;
            if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
                continue;
            if (statx(folder, d->d_name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME, &s))
                fail(d->d_name);
            entries++;
            if (S_ISDIR(s.stx_mode)) {
                int below =
                    openat(folder, d->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (below < 0)
                    fail(d->d_name);
                entries += bare_folder(links, below);
                close(below);
            } else if (s.stx_nlink > 1) {
                link_note(links, (struct link_key){
                                     (uint64_t)s.stx_dev_major << 32 | s.stx_dev_minor, s.stx_ino});
            }
        }
    }
    if (got < 0)
        fail("getdents64");
    return entries;
}

static uint64_t bare(const char *path)
{
    struct link_table links = {0};
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (folder < 0)
        fail(path);
    uint64_t entries = 1 + bare_folder(&links, folder);
    close(folder);
    free(links.keys);
    return entries;
}

/* ---- The walk ---- */

static void check(int result, const struct error *err)
{
    if (result < 0) {
        fprintf(stderr, "bench_walk: %s: %s\n", err->operation ? err->operation : "", err->detail);
        exit(1);
    }
}

static uint64_t walked(const char *path)
{
    const struct disk_root root = {.name = "tree", .place = path};
    const struct disk_layout layout = {.roots = &root, .root_count = 1};
    const struct walk_options options = {0};
    struct error err = {0};
    const struct entry *e;
    struct source *walk;
    uint64_t entries = 0;
    int got;

    check(walk_open(&layout, &options, &walk, &err), &err);
    while ((got = source_next(walk, &e, &err)) > 0)
        entries++;
    check(got, &err);
    source_close(walk);
    return entries;
}

/* ---- Turn about ---- */

static int compare(const void *a, const void *b)
{
    const double *first = a, *second = b;

    return (*first > *second) - (*first < *second);
}

int main(int argc, char **argv)
{
    uint64_t (*const ways[])(const char *) = {bare, walked};
    static const char *const names[] = {"bare loop", "walk"};
    static double times[2][MOST_ROUNDS];
    uint64_t entries[2] = {0};
    int rounds = argc > 2 ? atoi(argv[2]) : 5;

    if (argc < 2 || rounds < 1 || rounds > MOST_ROUNDS) {
        fprintf(stderr, "usage: bench_walk FOLDER [ROUNDS]\n");
        return 2;
    }
    for (int round = -1; round < rounds; round++) {
        for (int way = 0; way < 2; way++) {
            double begin = now();
            entries[way] = ways[way](argv[1]);
            if (round >= 0)
                times[way][round] = now() - begin;
        }
    }
    for (int way = 0; way < 2; way++) {
        qsort(times[way], (size_t)rounds, sizeof times[way][0], compare);
        printf("%-10s %" PRIu64 " entries, median %.3f s, least %.3f s\n", names[way], entries[way],
               times[way][rounds / 2], times[way][0]);
    }
    printf("rate of the walk: %.2f of the bare loop's\n",
           times[0][rounds / 2] / times[1][rounds / 2]);
    return entries[0] == entries[1] ? 0 : 1;
}
