/*
 * backup.c: from entries to members: order of work for each entry is load, open, read (small
 * files), encode, write, check.
 */
#include "archive/backup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/losses.h"
#include "archive/reading.h"
#include "archive/record.h"
#include "archive/tar.h"
#include "base/table.h"
#include "tree/data_hash.h"

/* Static texts, so that equal reasons are grouped. */
static const char changed_small[] = "changed while it was read: this is its last state seen";
static const char changed_large[] = "changed while it was read: cut or padded to the size it had";
static const char partly_unreadable[] = "parts of it could not be read: zeros stand there";
static const char path_too_long[] = "its path is longer than an archive can hold (1 MiB): left out";
static const char holes_lost[] = "more holes than an archive can hold: the rest is stored as zeros";

/* A first name that could not be stored, and the name that took its place. */
struct unstored {
    struct hash128 first_name;
    uint64_t offset, bytes; /* of the other name in run.stand_ins; no bytes until there is one */
};

struct run {
    struct backup *backup;
    struct source *source;
    struct output *output; /* NULL in a dry run */
    struct buffer header;  /* encoded headers of one member */
    struct buffer comment;
    struct buffer content; /* a small file, whole */
    struct table unstored;
    struct buffer stand_ins;
    struct losses losses;
    bool began; /* the first member, which carries the archive's record, was written */
    struct index_writer *index; /* NULL in a dry run */
    struct data_hasher *hasher;
    struct index_place place; /* of the entry that is being written */
};

/* ---- Losses ---- */

/* Tells the watcher and remembers for the tail. `cause` may be NULL. */
static int note_loss(struct run *r, struct bytes path, const char *reason,
                     const struct error *cause, struct error *err)
{
    char why[256], text[512];

    watcher_loss(r->backup->watcher, path, reason, cause);
    r->backup->counts.problems++;
    r->place.is_inexact = true;
    if (cause == NULL)
        return losses_add(&r->losses, path, reason, err);
    (void)snprintf(text, sizeof text, "%s: %s", reason, error_reason(cause, why, sizeof why));
    return losses_add(&r->losses, path, text, err);
}

static int note_error(struct run *r, struct bytes path, const struct error *problem,
                      struct error *err)
{
    char text[256];

    watcher_error(r->backup->watcher, path, problem);
    r->backup->counts.problems++;
    r->place.is_inexact = true;
    return losses_add(&r->losses, path, error_reason(problem, text, sizeof text), err);
}

/* Remembers that a first name is not in the archive, so that its further names are not written as
 * links to nothing. */
static int mark_unstored(struct run *r, const struct entry *e, struct error *err)
{
    struct hash128 key = hash_bytes(e->path);

    if (entry_is_further_name(e) || (!e->shared && e->link_count == 1))
        return 0;
    return table_add(&r->unstored, &key, err) != NULL ? 0 : -1;
}

/* An entry that cannot be stored: told, and the run goes on. 0, or -1. */
static int leave_out(struct run *r, const struct entry *e, const struct error *problem,
                     struct error *err)
{
    return note_error(r, e->path, problem, err) != 0 || mark_unstored(r, e, err) != 0 ? -1 : 0;
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

/* The member of an entry, but for its comment. `data` is the open content of a file, or NULL. */
static struct tar_member member_of(const struct entry *e, const struct data *data)
{
    struct tar_member m = {.type = tar_type_of(e),
                           .path = e->path,
                           .link = entry_is_further_name(e) ? e->first_name : e->target,
                           .meta = e->meta,
                           .device_major = e->device_major,
                           .device_minor = e->device_minor};

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
    /* No part of a tree: reading it changes the one, restoring it the other. */
    m.meta.known &= ~(uint32_t)(METADATA_ATIME | METADATA_CTIME);
    if (m.type == TAR_HARD_LINK) {
        /* All else stands at the first name; plain tools take nothing else from a link, either. */
        m.meta.known &= METADATA_MODE | METADATA_OWNER | METADATA_GROUP | METADATA_MTIME;
        m.meta.mtime.nanoseconds = 0;
    }
    return m;
}

/* 1: written, 0: cannot be stored, which was told, -1: the run cannot go on. */
static int write_header(struct run *r, const struct entry *e, const struct data *data,
                        struct error *err)
{
    struct tar_member m = member_of(e, data);
    struct error trouble = {0};

    if (make_comment(r, e, err) != 0)
        return -1;
    m.comment = buffer_bytes(&r->comment);
    buffer_clear(&r->header);
    if (tar_encode(&r->header, &m, &trouble) != 0) {
        int result = -1;

        if (trouble.kind == ERROR_LIMIT || trouble.kind == ERROR_UNSUPPORTED)
            result = leave_out(r, e, &trouble, err);
        else
            error_move(err, &trouble);
        error_release(&trouble);
        return result;
    }
    r->began = true;
    if (r->output == NULL)
        return 1;
    r->place.header_offset = output_position(r->output);
    if (output_begin_entry(r->output, err) != 0 ||
        output_write(r->output, r->header.data, r->header.size, err) != 0)
        return -1;
    r->place.data_offset = output_position(r->output);
    return 1;
}

static int write_padding(struct run *r, uint64_t stored, struct error *err)
{
    static const uint8_t zeros[TAR_BLOCK_BYTES];
    size_t over = (size_t)(stored % TAR_BLOCK_BYTES);

    if (over == 0 || r->output == NULL)
        return 0;
    return output_write(r->output, zeros, TAR_BLOCK_BYTES - over, err);
}

/* Adds what was written to the index. `data` as for write_header. 1, or -1. */
static int index_entry(struct run *r, const struct entry *e, const struct data *data,
                       struct error *err)
{
    struct entry stored = *e;

    if (r->index == NULL)
        return 1;
    /* A header says these always, and the index says what the header does. */
    stored.meta.known |= METADATA_MODE | METADATA_OWNER | METADATA_GROUP | METADATA_MTIME;
    r->place.extents = data != NULL ? data->extents : NULL;
    r->place.extent_count = data != NULL ? data->extent_count : 0;
    return index_add(r->index, &stored, &r->place, err) == 0 ? 1 : -1;
}

/* ---- Contents ---- */

/* Copies one extent to the output, in blocks. */
static int write_extent(struct run *r, struct data *data, struct extent x, struct reading *p,
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
        reading_block(p, data, x.offset, (struct data_span){room, capacity});
        data_hasher_add(r->hasher, x.offset, bytes_make(room, capacity));
        if (output_commit(r->output, capacity, err) != 0)
            return -1;
        watcher->progress(watcher, 0, capacity, (struct bytes){NULL, 0});
        x.offset += capacity;
        x.length -= capacity;
    }
    return 0;
}

/* Tells what a content lacks. */
static int tell_reading(struct run *r, struct bytes path, const struct reading *p,
                        const char *changed, struct error *err)
{
    if (p->failed)
        return note_loss(r, path, partly_unreadable, &p->trouble, err);
    return p->whole ? 0 : note_loss(r, path, changed, NULL, err);
}

/* Writes a large file: header, then its extents, the announced size whatever happens to the file
 * meanwhile. As write_header. */
static int write_large(struct run *r, const struct entry *e, struct data *data, struct error *err)
{
    struct reading p = {.whole = true};
    uint64_t stored_bytes = 0;
    int stored = write_header(r, e, data, err);
    int result = stored;

    if (stored != 1 || r->output == NULL)
        return stored;
    data_hasher_begin(r->hasher, data->size);
    for (size_t i = 0; result == 1 && i < data->extent_count; i++) {
        result = write_extent(r, data, data->extents[i], &p, err) == 0 ? 1 : -1;
        stored_bytes += data->extents[i].length;
    }
    reading_finish(&p, data);
    if (result == 1 && (write_padding(r, stored_bytes, err) != 0 ||
                        tell_reading(r, e->path, &p, changed_large, err) != 0))
        result = -1;
    reading_release(&p);
    return result;
}

/* Hashes r->content, which holds the extents of `data` one after the other. */
static void hash_content(struct run *r, const struct data *data)
{
    const uint8_t *at = r->content.data;

    data_hasher_begin(r->hasher, data->size);
    for (size_t i = 0; i < data->extent_count; i++) {
        size_t length = (size_t)data->extents[i].length;

        data_hasher_add(r->hasher, data->extents[i].offset, bytes_make(at, length));
        at += length;
    }
}

/* Writes a file that was read into r->content. As write_header. */
static int write_small(struct run *r, const struct entry *e, struct data *data, struct error *err)
{
    struct watcher *watcher = r->backup->watcher;
    int stored = write_header(r, e, data, err);

    if (stored != 1)
        return stored;
    hash_content(r, data);
    if (output_write(r->output, r->content.data, r->content.size, err) != 0 ||
        write_padding(r, r->content.size, err) != 0)
        return -1;
    watcher->progress(watcher, 0, r->content.size, (struct bytes){NULL, 0});
    return 1;
}

/* Takes over what the open file says of itself: it may have changed since it was listed. */
static void refresh(struct entry *e, const struct data *data)
{
    e->size = data->size;
    if (data->has_times)
        e->meta.mtime = data->mtime;
}

/* Reads a small file and writes it, if there was anything to be had. As write_header. */
static int add_small(struct run *r, struct entry *e, struct data **data, struct error *err)
{
    struct reading p = {.whole = true};
    int result = -1;

    if (reading_small(&p, r->source, data, &r->content, err) != 0)
        goto done;
    refresh(e, *data);
    if (p.failed && !p.any) {
        result = leave_out(r, e, &p.trouble, err);
        goto done;
    }
    result = write_small(r, e, *data, err);
    if (result == 1 && tell_reading(r, e->path, &p, changed_small, err) != 0)
        result = -1;
done:
    reading_release(&p);
    return result;
}

/* A file with content. As write_header. */
static int add_file(struct run *r, const struct entry *listed, struct error *err)
{
    struct entry e = *listed;
    struct data *data = NULL;
    struct error trouble = {0};
    int result = -1;

    if (source_open_data(r->source, &data, &trouble) != 0) {
        result = leave_out(r, &e, &trouble, err);
        goto done;
    }
    if (data->extent_count == TAR_MAX_EXTENTS && note_loss(r, e.path, holes_lost, NULL, err) != 0)
        goto done;
    if (data->size <= READING_SMALL_BYTES && r->output != NULL) {
        result = add_small(r, &e, &data, err);
    } else {
        refresh(&e, data);
        result = write_large(r, &e, data, err);
    }
    if (result != 1)
        goto done;
    r->backup->counts.file_bytes += data->size;
    e.has_data_hash = data->size != 0 && r->index != NULL;
    if (e.has_data_hash)
        e.data_hash = data_hasher_result(r->hasher);
    result = index_entry(r, &e, data, err);
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

/* A name that holds the content and metadata of its file. As write_header. */
static int add_first_name(struct run *r, const struct entry *listed, struct error *err)
{
    const struct entry *loaded;
    struct entry e;
    int stored;

    if (source_load(r->source, &loaded, err) != 0)
        return -1;
    e = *loaded;
    /* What was known when names were put together decides how many may come. */
    e.link_count = listed->link_count;
    e.shared = e.shared || listed->shared || (e.kind != ENTRY_DIRECTORY && e.link_count == 0);
    e.first_name = (struct bytes){NULL, 0};
    r->place = (struct index_place){0};
    if (e.problem_scope == PROBLEM_METADATA && note_error(r, e.path, e.problem, err) != 0)
        return -1;
    if (e.kind == ENTRY_FILE && e.size != 0) {
        stored = add_file(r, &e, err);
    } else {
        stored = write_header(r, &e, NULL, err);
        if (stored == 1)
            stored = index_entry(r, &e, NULL, err);
    }
    if (stored == 1)
        count(r, &e);
    return stored;
}

/* The first name is not in the archive: this one takes its place, if it can be read. The first name
 * may have been renamed after it was listed, or stand in a folder that was closed to us. */
static int stand_in(struct run *r, const struct entry *e, struct error *err)
{
    struct hash128 key = hash_bytes(e->first_name);
    struct entry promoted = *e;
    size_t offset = r->stand_ins.size;
    int stored;

    promoted.shared = true;
    promoted.link_count = 0; /* the names before this one are among them */
    if (buffer_append(&r->stand_ins, e->path.data, e->path.size, err) != 0)
        return -1;
    stored = add_first_name(r, &promoted, err);
    if (stored != 1) {
        r->stand_ins.size = offset;
        return stored;
    }
    struct unstored *record = table_find(&r->unstored, &key);

    record->offset = offset;
    record->bytes = r->stand_ins.size - offset;
    return 0;
}

static int add_further_name(struct run *r, const struct entry *e, struct error *err)
{
    struct hash128 key = hash_bytes(e->first_name);
    const struct unstored *record = table_find(&r->unstored, &key);
    struct entry own = *e;
    int stored;

    if (record != NULL && record->bytes == 0)
        return stand_in(r, e, err);
    if (record != NULL)
        own.first_name = bytes_make(r->stand_ins.data + record->offset, (size_t)record->bytes);
    r->place = (struct index_place){0};
    stored = write_header(r, &own, NULL, err);
    if (stored == 1)
        stored = index_entry(r, &own, NULL, err);
    if (stored == 1)
        count(r, &own);
    return stored < 0 ? -1 : 0;
}

static int add_entry(struct run *r, const struct entry *e, struct error *err)
{
    if (e->problem_scope == PROBLEM_ENTRY || e->problem_scope == PROBLEM_CONTENT)
        return note_error(r, e->path, e->problem, err);
    if (e->path.size > TAR_MAX_PATH_BYTES) {
        if (note_loss(r, e->path, path_too_long, NULL, err) != 0)
            return -1;
        return mark_unstored(r, e, err);
    }
    if (entry_is_further_name(e))
        return add_further_name(r, e, err);
    return add_first_name(r, e, err) < 0 ? -1 : 0;
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

/* A pipe's reader that knows tar closes it behind the last member, and does not miss the tail. */
static bool reader_has_enough(struct run *r, struct error *err)
{
    if (!output_has_stream(r->output) || !os_error_is_closed_pipe(err))
        return false;
    error_release(err);
    watcher_remark(r->backup->watcher, (struct bytes){NULL, 0},
                   "the reader closed the pipe behind the last entry: the archive's index and "
                   "checksums were not written");
    return true;
}

static int finish(struct run *r, struct error *err)
{
    struct backup_counts *c = &r->backup->counts;
    struct tail tail = {.facts = *source_facts(r->source),
                        .entries = c->entries,
                        .file_bytes = c->file_bytes,
                        .further_names = c->further_names,
                        .losses = r->losses.items,
                        .loss_count = r->losses.count,
                        .new_index = r->index};

    if (r->output == NULL)
        return 0;
    memcpy(tail.kinds, c->kinds, sizeof tail.kinds);
    losses_point(&r->losses);
    buffer_clear(&r->header);
    if (tar_encode_end(&r->header, output_position(r->output), err) != 0 ||
        output_write(r->output, r->header.data, r->header.size, err) != 0)
        return -1;
    c->raw_bytes = output_position(r->output);
    if (index_writer_finish(r->index, err) != 0 ||
        (output_finish(r->output, &tail, err) != 0 && !reader_has_enough(r, err)))
        return -1;
    c->stored_bytes = output_stored_bytes(r->output);
    return 0;
}

int backup_run(struct backup *b, struct source *source, struct error *err)
{
    struct run r = {.backup = b, .source = source};
    int result = -1;

    memset(&b->counts, 0, sizeof b->counts);
    table_init(&r.unstored, sizeof(struct unstored), sizeof(struct hash128));
    if (b->archive != OS_NO_HANDLE &&
        (output_new(b->archive, &b->output, &r.output, err) != 0 ||
         index_writer_new(b->spool, &r.index, err) != 0 || data_hasher_new(&r.hasher, err) != 0))
        goto done;
    if (add_all(&r, err) == 0 && finish(&r, err) == 0)
        result = 0;
done:
    output_free(r.output);
    index_writer_free(r.index);
    data_hasher_free(r.hasher);
    buffer_release(&r.header);
    buffer_release(&r.comment);
    buffer_release(&r.content);
    losses_release(&r.losses);
    table_release(&r.unstored);
    buffer_release(&r.stand_ins);
    return result;
}
