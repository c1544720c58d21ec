/*
 * backup.c: from entries to members: order of work for each entry is load, open, read (small
 * files), encode, write, check.
 */
#include "archive/backup.h"

#include <stdlib.h>
#include <string.h>

#include "archive/record.h"
#include "archive/tar.h"
#include "base/table.h"
#include "tree/diff.h"

/* How often a small file that changes under our hands is read again. */
enum { READ_TRIES = 3 };

/* Static texts, so that equal reasons are grouped. */
static const char changed_small[] = "changed while it was read: this is its last state seen";
static const char changed_large[] = "changed while it was read: cut or padded to the size it had";
static const char holes_lost[] = "more holes than an archive can hold: the rest is stored as zeros";

struct loss_list {
    struct tail_loss *items; /* offsets are turned into pointers at the end: bytes may move */
    size_t count, capacity;
    struct buffer bytes;
};

struct run {
    struct backup *backup;
    struct source *source;
    struct output *output; /* NULL in a dry run */
    struct buffer header;  /* encoded headers of one member */
    struct buffer comment;
    struct buffer content; /* a small file, whole */
    struct table unstored; /* hashes of first names that could not be stored */
    struct loss_list losses;
    bool began; /* the first member, which carries the archive's record, was written */
};

/* ---- Losses ---- */

static int loss_keep(struct loss_list *l, struct bytes path, const char *reason, struct error *err)
{
    if (l->count == l->capacity) {
        size_t capacity = l->capacity != 0 ? l->capacity * 2 : 16;
        struct tail_loss *grown = realloc(l->items, capacity * sizeof *grown);

        if (grown == NULL)
            return error_memory(err);
        l->items = grown;
        l->capacity = capacity;
    }
    struct bytes text = bytes_of(reason);

    if (buffer_append(&l->bytes, path.data, path.size, err) != 0 ||
        buffer_append(&l->bytes, text.data, text.size, err) != 0)
        return -1;
    l->items[l->count++] =
        (struct tail_loss){.path = {NULL, path.size}, .reason = {NULL, text.size}};
    return 0;
}

static void losses_point(struct loss_list *l)
{
    const uint8_t *at = l->bytes.data;

    for (size_t i = 0; i < l->count; i++) {
        l->items[i].path.data = at;
        at += l->items[i].path.size;
        l->items[i].reason.data = at;
        at += l->items[i].reason.size;
    }
}

/* Tells the watcher and remembers for the tail. */
static int note_loss(struct run *r, struct bytes path, const char *reason, struct error *err)
{
    watcher_loss(r->backup->watcher, path, reason, NULL);
    r->backup->counts.problems++;
    return loss_keep(&r->losses, path, reason, err);
}

static int note_error(struct run *r, struct bytes path, const struct error *problem,
                      struct error *err)
{
    char text[256];

    watcher_error(r->backup->watcher, path, problem);
    r->backup->counts.problems++;
    return loss_keep(&r->losses, path, error_reason(problem, text, sizeof text), err);
}

/* Remembers that a first name is not in the archive, so that its further names are not written as
 * links to nothing. */
static int mark_unstored(struct run *r, const struct entry *e, struct error *err)
{
    struct hash128 key = hash_bytes(e->path);

    if (!e->shared && e->link_count == 1)
        return 0;
    return table_add(&r->unstored, &key, err) != NULL ? 0 : -1;
}

/* ---- One member ---- */

static enum tar_type tar_type_of(const struct entry *e)
{
    static const enum tar_type types[] = {
        [ENTRY_DIRECTORY] = TAR_DIRECTORY,
        [ENTRY_FILE] = TAR_FILE,
        [ENTRY_SYMLINK] = TAR_SYMLINK,
        [ENTRY_FIFO] = TAR_FIFO,
        [ENTRY_SOCKET] = TAR_FILE,
        [ENTRY_CHAR_DEVICE] = TAR_CHAR_DEVICE,
        [ENTRY_BLOCK_DEVICE] = TAR_BLOCK_DEVICE,
    };

    return entry_is_further_name(e) ? TAR_HARD_LINK : types[e->kind];
}

/* The comment of a member, empty if there is nothing that tar itself does not say. */
static int make_comment(struct run *r, const struct entry *e, struct error *err)
{
    const uint32_t loadable = METADATA_XATTRS | METADATA_ACL | METADATA_FLAGS;
    struct member_record record = {0};

    buffer_clear(&r->comment);
    if (!r->began) {
        record.has_archive = true;
        record.archive = (struct archive_record){.version = 1,
                                                 .program = r->backup->program,
                                                 .facts = *source_facts(r->source),
                                                 .options = r->backup->options};
    }
    if (!entry_is_further_name(e)) {
        record.is_socket = e->kind == ENTRY_SOCKET;
        record.mode = e->meta.mode;
        record.shared = e->shared;
        record.link_count = e->shared ? e->link_count : 0;
        record.unknown = loadable & ~e->meta.known;
        record.known = e->meta.known & METADATA_BTIME;
        record.btime = e->meta.btime;
        if ((e->meta.known & METADATA_FLAGS) != 0 && e->meta.flags != 0) {
            record.known |= METADATA_FLAGS;
            record.flags = e->meta.flags;
        }
        if (e->kind != ENTRY_FILE && e->kind != ENTRY_DIRECTORY)
            record.unknown &= ~(uint32_t)METADATA_FLAGS; /* other kinds have none */
    }
    if (!record.has_archive && !record.is_socket && !record.shared && record.unknown == 0 &&
        record.known == 0)
        return 0;
    return record_encode(&r->comment, &record, err);
}

static int write_header(struct run *r, const struct entry *e, const struct data *data,
                        struct error *err)
{
    struct tar_member m = {.type = tar_type_of(e),
                           .path = e->path,
                           .link = entry_is_further_name(e) ? e->first_name : e->target,
                           .meta = e->meta,
                           .device_major = e->device_major,
                           .device_minor = e->device_minor};

    if (make_comment(r, e, err) != 0)
        return -1;
    m.comment = buffer_bytes(&r->comment);
    if (data != NULL) {
        bool whole = data->extent_count == 1 && data->extents[0].offset == 0 &&
                     data->extents[0].length == data->size;

        m.size = data->size;
        m.sparse = !whole && data->size != 0;
        m.extents = data->extents;
        m.extent_count = data->extent_count;
    }
    if (e->kind == ENTRY_SOCKET)
        m.meta.mode = 0;
    m.meta.known &=
        ~(uint32_t)(METADATA_ATIME | METADATA_CTIME); /* no part of a tree: reading it changes the
                                                         one, restoring the other */
    if (m.type == TAR_HARD_LINK) { /* all else stands at the first name; plain tools take nothing
                                      else from a link, either */
        m.meta.known &= METADATA_MODE | METADATA_OWNER | METADATA_GROUP | METADATA_MTIME;
        m.meta.mtime.nanoseconds = 0;
    }
    buffer_clear(&r->header);
    if (tar_encode(&r->header, &m, err) != 0)
        return error_at(err, (const char *)e->path.data, e->path.size);
    r->began = true;
    if (r->output == NULL)
        return 0;
    if (output_begin_entry(r->output, err) != 0)
        return -1;
    return output_write(r->output, r->header.data, r->header.size, err);
}

static int write_padding(struct run *r, uint64_t stored, struct error *err)
{
    static const uint8_t zeros[TAR_BLOCK_BYTES];
    size_t over = (size_t)(stored % TAR_BLOCK_BYTES);

    if (over == 0 || r->output == NULL)
        return 0;
    return output_write(r->output, zeros, TAR_BLOCK_BYTES - over, err);
}

/* ---- Contents ---- */

/* Reads all extents of a small file into r->content; *whole is false if it ended early. */
static int read_small(struct run *r, struct data *data, bool *whole, struct error *err)
{
    *whole = true;
    buffer_clear(&r->content);
    for (size_t i = 0; i < data->extent_count; i++) {
        size_t length = (size_t)data->extents[i].length, got = 0;

        if (buffer_reserve(&r->content, length, err) != 0 ||
            data_read(data, data->extents[i].offset,
                      (struct data_span){r->content.data + r->content.size, length}, &got,
                      err) != 0)
            return -1;
        if (got < length) {
            memset(r->content.data + r->content.size + got, 0, length - got);
            *whole = false;
        }
        r->content.size += length;
    }
    return 0;
}

/* Opens and reads a small file until it holds still. *data is open on success; *steady is false if
 * it never did. */
static int read_steady(struct run *r, struct data **data, bool *steady, struct error *err)
{
    for (int tries = 1;; tries++) {
        bool whole;
        int changed;

        if (read_small(r, *data, &whole, err) != 0)
            return -1;
        changed = data_changed(*data, err);
        if (changed < 0)
            return -1;
        *steady = whole && changed == 0;
        if (*steady || tries == READ_TRIES)
            return 0;
        struct data *again = NULL;

        if (source_open_data(r->source, &again, err) != 0)
            return -1;
        if (again->size >
            FRAME_HARD_BYTES) { /* it grew out of this way of reading: what was read stands */
            data_close(again);
            return 0;
        }
        data_close(*data);
        *data = again;
    }
}

/* How the contents of a large file came over. */
struct passage {
    bool whole;  /* nothing was missing */
    bool failed; /* something could not be read: the first reason is in `trouble` */
    struct error trouble;
};

/* Reads a block; what cannot be read becomes zeros, and the blocks behind it are tried: a dying
 * disk gives what it still has. */
static void read_block(struct data *data, uint64_t offset, struct data_span span, struct passage *p)
{
    struct error trouble = {0};
    size_t got = 0;

    if (data_read(data, offset, span, &got, &trouble) != 0) {
        got = 0;
        if (!p->failed)
            error_move(&p->trouble, &trouble);
        p->failed = true;
    }
    error_release(&trouble);
    if (got < span.capacity) {
        memset((uint8_t *)span.bytes + got, 0, span.capacity - got);
        p->whole = false;
    }
}

/* Copies one extent to the output, in blocks. */
static int write_extent(struct run *r, struct data *data, struct extent x, struct passage *p,
                        struct error *err)
{
    struct watcher *watcher = r->backup->watcher;

    while (x.length != 0) {
        uint8_t *room;
        size_t capacity;

        if (watcher->stopped(watcher))
            return error_set(err, ERROR_INTERRUPTED, "backup", "stopped");
        if (output_reserve(r->output, &room, &capacity, err) != 0)
            return -1;
        if (capacity > x.length)
            capacity = (size_t)x.length;
        read_block(data, x.offset, (struct data_span){room, capacity}, p);
        if (output_commit(r->output, capacity, err) != 0)
            return -1;
        watcher->progress(watcher, 0, capacity, (struct bytes){NULL, 0});
        x.offset += capacity;
        x.length -= capacity;
    }
    return 0;
}

/* Writes a large file: header, then its extents, the announced size whatever happens to the file
 * meanwhile. */
static int write_large(struct run *r, const struct entry *e, struct data *data, struct error *err)
{
    struct passage p = {.whole = true};
    uint64_t stored = 0;
    int result = write_header(r, e, data, err);

    for (size_t i = 0; result == 0 && i < data->extent_count && r->output != NULL; i++) {
        result = write_extent(r, data, data->extents[i], &p, err);
        stored += data->extents[i].length;
    }
    if (result == 0 && !p.failed) {
        int changed = data_changed(data, &p.trouble);

        p.failed = changed < 0;
        p.whole = p.whole && changed == 0;
    }
    if (result == 0 && p.failed)
        result = note_error(r, e->path, &p.trouble, err);
    else if (result == 0 && !p.whole)
        result = note_loss(r, e->path, changed_large, err);
    error_release(&p.trouble);
    return result != 0 ? -1 : write_padding(r, stored, err);
}

/* Writes a file that was read into r->content. */
static int write_small(struct run *r, const struct entry *e, struct data *data, struct error *err)
{
    if (write_header(r, e, data, err) != 0)
        return -1;
    if (r->output == NULL)
        return 0;
    if (output_write(r->output, r->content.data, r->content.size, err) != 0)
        return -1;
    r->backup->watcher->progress(r->backup->watcher, 0, r->content.size, (struct bytes){NULL, 0});
    return write_padding(r, r->content.size, err);
}

/* Takes over what the open file says of itself: it may have changed since it was listed. */
static void refresh(struct entry *e, const struct data *data)
{
    e->size = data->size;
    if (data->has_times)
        e->meta.mtime = data->mtime;
}

/* A file with content. 1: stored, 0: could not be read, -1: the run cannot go on. */
static int add_file(struct run *r, const struct entry *listed, struct error *err)
{
    struct entry e = *listed;
    struct data *data = NULL;
    struct error trouble = {0};
    bool steady = true;
    int result = -1;

    if (source_open_data(r->source, &data, &trouble) != 0)
        goto unreadable;
    if (data->extent_count == TAR_MAX_EXTENTS && note_loss(r, e.path, holes_lost, err) != 0)
        goto done;
    if (data->size <= FRAME_HARD_BYTES && r->output != NULL) {
        if (read_steady(r, &data, &steady, &trouble) != 0)
            goto unreadable;
        refresh(&e, data);
        result = write_small(r, &e, data, err);
        if (result == 0 && !steady)
            result = note_loss(r, e.path, changed_small, err);
    } else {
        refresh(&e, data);
        result = write_large(r, &e, data, err);
    }
    if (result == 0) {
        r->backup->counts.file_bytes += data->size;
        result = 1;
    }
    goto done;

unreadable:
    result = note_error(r, e.path, &trouble, err) != 0 || mark_unstored(r, &e, err) != 0 ? -1 : 0;
done:
    data_close(data);
    error_release(&trouble);
    return result;
}

/* ---- The run ---- */

static void count(struct run *r, const struct entry *e)
{
    struct backup_counts *c = &r->backup->counts;

    c->entries++;
    if (entry_is_further_name(e))
        c->further_names++;
    else
        c->kinds[e->kind]++;
    watcher_entry(r->backup->watcher, e);
}

/* A further name: only if its first name is in the archive. */
static int add_further_name(struct run *r, const struct entry *e, struct error *err)
{
    struct hash128 key = hash_bytes(e->first_name);

    if (table_find(&r->unstored, &key) != NULL) {
        struct error trouble = {0};
        int result;

        (void)error_set(&trouble, ERROR_REFUSED, NULL,
                        "another name of the same file could not be read");
        result = note_error(r, e->path, &trouble, err);
        error_release(&trouble);
        return result;
    }
    if (write_header(r, e, NULL, err) != 0)
        return -1;
    count(r, e);
    return 0;
}

static int add_entry(struct run *r, const struct entry *e, struct error *err)
{
    int stored = 1;

    if (e->problem_scope == PROBLEM_ENTRY || e->problem_scope == PROBLEM_CONTENT)
        return note_error(r, e->path, e->problem, err);
    if (e->path.size > TAR_MAX_PATH_BYTES)
        return note_loss(r, e->path,
                         "its path is longer than an archive can hold (1 MiB): left out", err);
    if (entry_is_further_name(e))
        return add_further_name(r, e, err);
    if (source_load(r->source, &e, err) != 0)
        return -1;
    if (e->problem_scope == PROBLEM_METADATA && note_error(r, e->path, e->problem, err) != 0)
        return -1;
    if (e->kind == ENTRY_FILE && e->size != 0) {
        stored = add_file(r, e, err);
        if (stored < 0)
            return -1;
    } else if (write_header(r, e, NULL, err) != 0) {
        return -1;
    }
    if (stored == 1)
        count(r, e);
    return 0;
}

static int add_all(struct run *r, struct error *err)
{
    struct watcher *watcher = r->backup->watcher;
    const struct entry *e;
    int more;

    while ((more = source_next(r->source, &e, err)) == 1) {
        if (watcher->stopped(watcher))
            return error_set(err, ERROR_INTERRUPTED, "backup", "stopped");
        watcher->progress(watcher, 1, 0, e->path);
        if (add_entry(r, e, err) != 0)
            return -1;
    }
    return more;
}

static int finish(struct run *r, struct error *err)
{
    struct backup_counts *c = &r->backup->counts;
    struct tail tail = {.facts = *source_facts(r->source),
                        .entries = c->entries,
                        .file_bytes = c->file_bytes,
                        .further_names = c->further_names,
                        .losses = r->losses.items,
                        .loss_count = r->losses.count};

    if (r->output == NULL)
        return 0;
    memcpy(tail.kinds, c->kinds, sizeof tail.kinds);
    losses_point(&r->losses);
    buffer_clear(&r->header);
    if (tar_encode_end(&r->header, output_position(r->output), err) != 0 ||
        output_write(r->output, r->header.data, r->header.size, err) != 0)
        return -1;
    c->raw_bytes = output_position(r->output);
    if (output_finish(r->output, &tail, err) != 0)
        return -1;
    c->stored_bytes = output_stored_bytes(r->output);
    return 0;
}

int backup_run(struct backup *b, struct source *source, struct error *err)
{
    struct run r = {.backup = b, .source = source};
    int result = -1;

    memset(&b->counts, 0, sizeof b->counts);
    table_init(&r.unstored, sizeof(struct hash128), sizeof(struct hash128));
    if (b->archive != OS_NO_HANDLE && output_new(b->archive, &b->output, &r.output, err) != 0)
        goto done;
    if (add_all(&r, err) == 0 && finish(&r, err) == 0)
        result = 0;
done:
    output_free(r.output);
    buffer_release(&r.header);
    buffer_release(&r.comment);
    buffer_release(&r.content);
    buffer_release(&r.losses.bytes);
    free(r.losses.items);
    table_release(&r.unstored);
    return result;
}
