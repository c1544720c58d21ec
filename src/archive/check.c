/*
 * check.c: one pass over the stream, one over the stored frames.
 */
#include "archive/check.h"

#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "archive/index_sum.h"
#include "tree/data_hash.h"

enum { BLOCK_BYTES = 1 << 18 };

struct check {
    struct opened_archive archive;
    struct watcher *watcher;
    struct check_counts *counts;
    struct tail seen; /* counts as they are in the stream */
    struct data_hasher *hasher;
    struct index_sum sum; /* of the contents alone */
    uint8_t *block;       /* BLOCK_BYTES to read into */
};

static int read_extent(struct check *c, struct data *data, struct extent x, struct error *err)
{
    while (x.length != 0) {
        size_t wanted = x.length < BLOCK_BYTES ? (size_t)x.length : BLOCK_BYTES, got = 0;

        if (data_read(data, x.offset, (struct data_span){c->block, wanted}, &got, err) != 0)
            return -1;
        if (got == 0)
            return error_set(err, ERROR_FORMAT, "read archive", "cut short inside a file");
        data_hasher_add(c->hasher, x.offset, bytes_make(c->block, got));
        c->watcher->progress(c->watcher, 0, got, (struct bytes){NULL, 0});
        x.offset += got;
        x.length -= got;
    }
    return 0;
}

/* Reads a content of a source to its end, for its hash. */
static int read_content(struct check *c, struct source *source, struct error *err)
{
    struct data *data = NULL;
    int result = 0;

    if (source_open_data(source, &data, err) != 0)
        return -1;
    data_hasher_begin(c->hasher, data->size);
    for (size_t i = 0; result == 0 && i < data->extent_count; i++)
        result = read_extent(c, data, data->extents[i], err);
    data_close(data);
    return result;
}

static int read_entry(struct check *c, const struct entry *e, struct error *err)
{
    c->counts->entries++;
    c->seen.entries++;
    c->watcher->progress(c->watcher, 1, 0, e->path);
    if (e->problem_scope != PROBLEM_NONE)
        watcher_error(c->watcher, e->path, e->problem);
    if (e->problem_scope == PROBLEM_ENTRY)
        return 0;
    if (entry_is_further_name(e)) {
        c->seen.further_names++;
        return 0;
    }
    c->seen.kinds[e->kind]++;
    if (e->kind != ENTRY_FILE)
        return 0;
    if (read_content(c, c->archive.source, err) != 0)
        return error_at(err, (const char *)e->path.data, e->path.size);
    if (e->size != 0) /* the empty ones have no hash in the index */
        index_sum_content(&c->sum, data_hasher_result(c->hasher));
    c->counts->bytes += e->size;
    c->seen.file_bytes += e->size;
    return 0;
}

/* A content that stands in a base, which its source holds against the hash: a wrong one is told and
 * the check goes on. -1: without memory. */
static int read_base_content(struct check *c, struct source *index, const struct entry *e,
                             struct error *err)
{
    struct error trouble = {0};
    int result = read_content(c, index, &trouble);

    if (result != 0 && trouble.kind == ERROR_MEMORY) {
        error_move(err, &trouble);
        return -1;
    }
    if (result != 0)
        watcher_error(c->watcher, e->path, &trouble);
    error_release(&trouble);
    return 0;
}

static int read_stream(struct check *c, struct error *err)
{
    const struct entry *e;
    int more;

    while ((more = source_next(c->archive.source, &e, err)) == 1) {
        if (c->watcher->stopped(c->watcher))
            return error_set(err, ERROR_INTERRUPTED, "verify", "stopped");
        if (read_entry(c, e, err) != 0)
            return -1;
    }
    return more;
}

/* Reads a frame's stored bytes and compares their checksum. */
static int check_frame(os_handle handle, const struct frame *frame, uint8_t *block,
                       struct error *err)
{
    XXH3_state_t *state = XXH3_createState();
    uint64_t done = 0;
    int result = state != NULL && XXH3_64bits_reset(state) == XXH_OK ? 0 : error_memory(err);

    while (result == 0 && done < frame->stored_bytes) {
        uint64_t left = frame->stored_bytes - done;
        size_t got = 0;

        result = os_read_at(handle,
                            (struct os_range){frame->stored_offset + done,
                                              left < BLOCK_BYTES ? (size_t)left : BLOCK_BYTES},
                            block, &got, err);
        if (result == 0 && got == 0)
            result = error_set(err, ERROR_FORMAT, "verify", "the archive is cut short");
        if (result == 0)
            (void)XXH3_64bits_update(state, block, got);
        done += got;
    }
    if (result == 0 && XXH3_64bits_digest(state) != frame->checksum)
        result =
            error_set(err, ERROR_FORMAT, "verify", "bytes %llu to %llu of the archive are damaged",
                      (unsigned long long)frame->stored_offset,
                      (unsigned long long)(frame->stored_offset + frame->stored_bytes));
    XXH3_freeState(state);
    return result;
}

/* True if the frames' offsets are places in this file: an archive that was compressed anew, or
 * decompressed, keeps the tail of its former container. */
static bool frames_apply(const struct check *c, const struct tail *tail)
{
    static const char *const names[] = {
        [CONTAINER_PLAIN] = "plain", [CONTAINER_GZIP] = "gzip", [CONTAINER_ZSTD] = "zstd"};

    return input_can_seek(c->archive.input) &&
           strcmp(input_compression(c->archive.input), names[tail->container]) == 0;
}

/* All frames: they follow each other from the first byte on, and each is as it was written. Each
 * damaged one is told; the first is the error. */
static int check_frames(struct check *c, const struct tail *tail, struct error *err)
{
    os_handle handle = input_handle(c->archive.input);
    uint64_t at = 0;
    int result = 0;

    for (size_t i = 0; i < tail->frame_count; i++) {
        struct error damage = {0};

        if (c->watcher->stopped(c->watcher)) {
            result = error_set(err, ERROR_INTERRUPTED, "verify", "stopped");
            break;
        }
        if (tail->frames[i].stored_offset != at) {
            result = error_set(err, ERROR_FORMAT, "verify",
                               "its frame table has gaps: the end record is damaged");
            break;
        }
        at += tail->frames[i].stored_bytes;
        if (check_frame(handle, &tail->frames[i], c->block, &damage) == 0)
            continue;
        watcher_error(c->watcher, (struct bytes){NULL, 0}, &damage);
        if (result == 0)
            error_move(err, &damage);
        error_release(&damage);
        result = -1;
    }
    return result;
}

/* The stream broke off: where the archive can be sought, its frame table tells all that is damaged.
 */
static void find_damage(struct check *c)
{
    const struct tail *tail = NULL;
    struct error ignored = {0};

    if (input_can_seek(c->archive.input) && input_tail(c->archive.input, &tail, &ignored) == 1 &&
        frames_apply(c, tail))
        (void)!check_frames(c, tail, &ignored);
    error_release(&ignored);
}

/* The tail's counts against those of the stream. */
static int compare_counts(const struct check *c, const struct tail *tail, struct error *err)
{
    if (tail->entries != c->seen.entries || tail->further_names != c->seen.further_names ||
        tail->file_bytes != c->seen.file_bytes ||
        memcmp(tail->kinds, c->seen.kinds, sizeof tail->kinds) != 0)
        return error_set(
            err, ERROR_FORMAT, "verify",
            "its end record counts other entries than it holds: the archive is damaged");
    return 0;
}

/* The index's hashes of contents against the contents. The rest of it the reader has compared. */
static int compare_hashes(const struct check *c, struct error *err)
{
    const struct index_sum *index = input_index_sum(c->archive.input);

    if (index == NULL || index_sum_contents_equal(&c->sum, index))
        return 0;
    return error_set(err, ERROR_FORMAT, "verify",
                     "the archive is damaged: its index has other hashes than its files");
}

static void tell_losses(const struct check *c, const struct tail *tail)
{
    for (size_t i = 0; i < tail->loss_count; i++) {
        struct error cause = {0};

        (void)error_set(&cause, ERROR_REFUSED, NULL, "%.*s", (int)tail->losses[i].reason.size,
                        (const char *)tail->losses[i].reason.data);
        watcher_loss(c->watcher, tail->losses[i].path, "not exact since the backup", &cause);
        error_release(&cause);
    }
    c->counts->losses = tail->loss_count;
}

/* Counts what stands in the index alone, and reads the contents whose bases are at hand. */
static int read_elsewhere(struct check *c, struct source *index, const struct bases *bases,
                          struct error *err)
{
    const struct entry *e;
    int more;

    while ((more = source_next(index, &e, err)) == 1) {
        struct index_origin origin;

        index_source_origin(index, &origin);
        if (c->watcher->stopped(c->watcher))
            return error_set(err, ERROR_INTERRUPTED, "verify", "stopped");
        if (origin.in_stream)
            continue;
        c->seen.entries++;
        c->counts->entries++;
        if (origin.is_further_name) {
            c->seen.further_names++;
            continue;
        }
        c->seen.kinds[e->kind]++;
        c->seen.file_bytes += e->size;
        c->counts->bytes += e->size;
        if (bases_frames(bases, origin.place.base - 1) && read_base_content(c, index, e, err) != 0)
            return -1;
    }
    return more;
}

/* The part of an incremental archive that is not in its stream. */
static int check_elsewhere(struct check *c, const struct bases_places *places, struct error *err)
{
    struct source *index = NULL;
    struct bases *bases;
    os_handle handle;
    int result = -1;

    if (places == NULL)
        return error_set(err, ERROR_USAGE, NULL,
                         "an incremental archive cannot be checked from a pipe");
    if (os_open_path(places->archive, &handle, err) != 0)
        return -1;
    int found = index_source_open(handle, INDEX_CHECKED_FIRST, &index, err);

    if (found != 1) {
        os_close(handle);
        return found < 0 ? -1 : error_set(err, ERROR_FORMAT, "verify", "its index is damaged");
    }
    if (bases_open(index_source_tail(index)->index, places, c->watcher, &bases, err) >= 0) {
        index_source_set_bases(index, bases);
        result = read_elsewhere(c, index, bases, err);
    }
    source_close(index);
    return result;
}

int check_archive(os_handle handle, const struct bases_places *places, struct watcher *watcher,
                  struct check_counts *counts, struct error *err)
{
    struct check c = {.watcher = watcher, .counts = counts, .block = malloc(BLOCK_BYTES)};
    struct reader_options options = {.watcher = watcher};
    const struct tail *tail;
    int result = -1;

    *counts = (struct check_counts){0};
    if ((c.block == NULL && error_memory(err) != 0) || index_sum_init(&c.sum, err) != 0 ||
        data_hasher_new(&c.hasher, err) != 0) {
        os_close(handle);
        goto done;
    }
    if (open_any_archive(handle, &options, &c.archive, err) != 0)
        goto done;
    counts->is_ours = c.archive.is_ours;
    if (read_stream(&c, err) != 0) {
        if (err->kind == ERROR_FORMAT)
            find_damage(&c);
        goto done;
    }
    if (c.archive.is_incremental && check_elsewhere(&c, places, err) != 0)
        goto done;
    tail = c.archive.is_tar ? reader_tail(c.archive.source) : NULL;
    if (tail != NULL) {
        if (compare_counts(&c, tail, err) != 0 || compare_hashes(&c, err) != 0 ||
            (frames_apply(&c, tail) && check_frames(&c, tail, err) != 0))
            goto done;
        tell_losses(&c, tail);
    }
    result = 0;
done:
    source_close(c.archive.source);
    data_hasher_free(c.hasher);
    index_sum_release(&c.sum);
    free(c.block);
    return result;
}
