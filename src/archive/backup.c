/*
 * backup.c: from entries to members: order of work for each entry is read (what the intake left
 * open), encode, write, index.
 */
#include "archive/backup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/first_names.h"
#include "archive/intake.h"
#include "archive/losses.h"
#include "archive/member.h"
#include "base/table.h"
#include "tree/data_hash.h"

/* Static texts, so that equal reasons are grouped. */
static const char path_too_long[] = "its path is longer than an archive can hold (1 MiB): left out";
static const char not_by_first_name[] =
    "its file could not be stored under its first name: left out";
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
    struct buffer content; /* of a file that is not read ahead, but whole */
    struct table unstored;
    struct buffer stand_ins;
    struct losses losses;
    bool began; /* the first member, which carries the archive's record, was written */
    struct index_writer *index; /* NULL in a dry run */
    struct data_hasher *hasher;
    struct index_place place; /* of the entry that is being written */
    struct hash128 data_hash; /* of its content, once that was read */
    struct first_names
        elsewhere; /* files whose contents are in a base, until all names were seen */
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

/* 1: written, 0: cannot be stored, which was told, -1: the run cannot go on. */
static int write_header(struct run *r, const struct entry *e, const struct data *data,
                        struct error *err)
{
    const struct archive_record archive = {.version = r->backup->base != NULL ? ARCHIVE_INCREMENTAL
                                                                              : ARCHIVE_FULL,
                                           .program = r->backup->program,
                                           .facts = *source_facts(r->source),
                                           .options = r->backup->options};
    struct tar_member m = member_of(e, data);
    struct error trouble = {0};

    if (member_comment(&r->comment, e, r->began ? NULL : &archive, err) != 0)
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

/* ---- Contents that a base has ---- */

/* Adds a file to the index alone. As write_header. */
static int refer(struct run *r, const struct entry *e, const struct stored_content *content,
                 struct error *err)
{
    struct entry stored = *e;

    if (!r->began && r->output != NULL)
        return error_set(err, ERROR_UNSUPPORTED, "backup",
                         "the first entry, which tells what the archive is, cannot be stored");
    stored.has_data_hash = true;
    stored.data_hash = content->hash;
    r->backup->counts.file_bytes += content->size;
    r->backup->counts.base_bytes += content->size;
    r->backup->counts.base_files++;
    if (e->shared && first_names_add(&r->elsewhere, e, 0, err) != 0)
        return -1;
    if (r->index == NULL)
        return 1;
    r->place.header_offset = output_position(r->output);
    r->place.data_offset = content->place.data_offset;
    r->place.base = content->place.base;
    r->place.extents = content->place.extents;
    r->place.extent_count = content->place.extent_count;
    return index_add(r->index, &stored, &r->place, err) == 0 ? 1 : -1;
}

/* Reads a large file for its hash alone: 1 if the base has its content, 0 if it must be stored, -1.
 * What cannot be read is told when it is. */
static int is_large_in_base(struct run *r, struct data *data, const struct stored_content *content,
                            struct error *err)
{
    struct reading p = {.whole = true};
    int result = -1;

    if (reading_hash(&p, data, r->hasher, r->backup->watcher, err) == 0) {
        r->data_hash = data_hasher_result(r->hasher);
        result = p.whole && !p.failed && unchanged_is_content(content, data, r->data_hash);
    }
    reading_release(&p);
    return result;
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
                        enum reading_way way, struct error *err)
{
    const char *reason = reading_loss(p, way);

    return reason == NULL ? 0 : note_loss(r, path, reason, p->failed ? &p->trouble : NULL, err);
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
    r->data_hash = data_hasher_result(r->hasher);
    reading_finish(&p, data);
    if (result == 1 && (write_padding(r, stored_bytes, err) != 0 ||
                        tell_reading(r, e->path, &p, READING_LARGE, err) != 0))
        result = -1;
    reading_release(&p);
    return result;
}

/* Hashes a content that was read: the extents of `data` one after the other. */
static void hash_content(struct run *r, const struct data *data, struct bytes content)
{
    const uint8_t *at = content.data;

    data_hasher_begin(r->hasher, data->size);
    for (size_t i = 0; i < data->extent_count; i++) {
        size_t length = (size_t)data->extents[i].length;

        data_hasher_add(r->hasher, data->extents[i].offset, bytes_make(at, length));
        at += length;
    }
    r->data_hash = data_hasher_result(r->hasher);
}

/* Writes a file whose content was read. As write_header. */
static int write_small(struct run *r, const struct entry *e, struct data *data,
                       struct bytes content, struct error *err)
{
    struct watcher *watcher = r->backup->watcher;
    int stored = write_header(r, e, data, err);

    if (stored != 1)
        return stored;
    if (output_write(r->output, content.data, content.size, err) != 0 ||
        write_padding(r, content.size, err) != 0)
        return -1;
    watcher->progress(watcher, 0, content.size, (struct bytes){NULL, 0});
    return 1;
}

/* Takes over what the open file says of itself: it may have changed since it was listed. */
static void refresh(struct entry *e, const struct data *data)
{
    e->size = data->size;
    if (data->has_times)
        e->meta.mtime = data->mtime;
}

/* Adds what was written of a file with content. As write_header. */
static int add_written(struct run *r, struct entry *e, const struct data *data, struct error *err)
{
    r->backup->counts.file_bytes += data->size;
    e->has_data_hash = data->size != 0 && r->index != NULL;
    if (e->has_data_hash)
        e->data_hash = r->data_hash;
    return index_entry(r, e, data, err);
}

/* A content that was read: written, if there was anything to be had and the base does not have it.
 * As write_header. */
static int add_small(struct run *r, struct entry *e, const struct intake_item *item,
                     struct error *err)
{
    const struct reading *p = item->reading;
    int result;

    refresh(e, item->data);
    if (p->failed && !p->any)
        return leave_out(r, e, &p->trouble, err);
    hash_content(r, item->data, item->bytes);
    if (item->stored != NULL && p->whole && !p->failed &&
        unchanged_is_content(item->stored, item->data, r->data_hash))
        return refer(r, e, item->stored, err);
    result = write_small(r, e, item->data, item->bytes, err);
    if (result == 1 && tell_reading(r, e->path, p, READING_SMALL, err) != 0)
        return -1;
    return result == 1 ? add_written(r, e, item->data, err) : result;
}

/* A content that is open and not read as a whole. As write_header. */
static int add_large(struct run *r, struct entry *e, const struct intake_item *item,
                     struct error *err)
{
    const struct stored_content *stored = item->stored;
    int result = 0;

    refresh(e, item->data);
    if (stored != NULL && stored->is_same_file && r->output != NULL)
        result = is_large_in_base(r, item->data, stored, err);
    if (result != 0)
        return result == 1 ? refer(r, e, stored, err) : -1;
    result = write_large(r, e, item->data, err);
    return result == 1 ? add_written(r, e, item->data, err) : result;
}

/* A content that is open. As write_header. */
static int add_open(struct run *r, struct entry *e, struct intake_item *item, struct error *err)
{
    struct intake_item read = *item;
    struct reading reading = {.whole = true};
    int result = 1;

    if (item->data->size <= READING_SMALL_BYTES && r->output != NULL)
        result = reading_small(&reading, item->data, &r->content, err);
    read.reading = &reading;
    read.bytes = buffer_bytes(&r->content);
    if (result >= 0 && item->data->extent_count == TAR_MAX_EXTENTS &&
        note_loss(r, e->path, holes_lost, NULL, err) != 0)
        result = -1;
    if (result >= 0)
        result = result == 1 ? add_large(r, e, item, err) : add_small(r, e, &read, err);
    reading_release(&reading);
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

static int add_content(struct run *r, struct entry *e, struct intake_item *item, struct error *err)
{
    switch (item->content) {
    case INTAKE_KNOWN:
        return refer(r, e, item->stored, err);
    case INTAKE_READ:
        return add_small(r, e, item, err);
    case INTAKE_OPEN:
        return add_open(r, e, item, err);
    case INTAKE_FAILED:
        return leave_out(r, e, item->trouble, err);
    case INTAKE_NOTHING:
        break;
    }
    int stored = write_header(r, e, NULL, err);

    return stored == 1 ? index_entry(r, e, NULL, err) : stored;
}

/* A name that holds the content and metadata of its file. As write_header. */
static int add_first_name(struct run *r, struct intake_item *item, struct error *err)
{
    struct entry e = item->entry;
    int stored;

    e.shared = e.shared || item->stands_in || (e.kind != ENTRY_DIRECTORY && e.link_count == 0);
    e.first_name = (struct bytes){NULL, 0};
    r->place = (struct index_place){0};
    if (losses_remark_reparse(r->backup->watcher, &e, err) != 0)
        return -1;
    if (e.problem_scope == PROBLEM_METADATA && note_error(r, e.path, e.problem, err) != 0)
        return -1;
    stored = add_content(r, &e, item, err);
    if (stored == 1)
        count(r, &e);
    return stored;
}

/* The first name is not in the archive: this one takes its place, if it can be read. The first name
 * may have been renamed after it was listed, or stand in a folder that was closed to us. */
static int stand_in(struct run *r, struct intake_item *item, struct error *err)
{
    struct hash128 key = hash_bytes(item->entry.first_name);
    struct bytes path = item->entry.path;
    size_t offset = r->stand_ins.size;
    int stored;

    if (!item->stands_in)
        return note_loss(r, path, not_by_first_name, NULL, err);
    item->entry.link_count = 0; /* the names before this one are among them */
    if (buffer_append(&r->stand_ins, path.data, path.size, err) != 0)
        return -1;
    stored = add_first_name(r, item, err);
    if (stored != 1) {
        r->stand_ins.size = offset;
        return stored;
    }
    struct unstored *record = table_find(&r->unstored, &key);

    record->offset = offset;
    record->bytes = r->stand_ins.size - offset;
    return 0;
}

static int add_further_name(struct run *r, struct intake_item *item, struct error *err)
{
    struct hash128 key = hash_bytes(item->entry.first_name);
    const struct unstored *record = table_find(&r->unstored, &key);
    struct entry own = item->entry;
    uint64_t ignored;
    int stored;

    if (record != NULL && record->bytes == 0)
        return stand_in(r, item, err);
    if (record != NULL)
        own.first_name = bytes_make(r->stand_ins.data + record->offset, (size_t)record->bytes);
    r->place = (struct index_place){0};
    if (first_names_take(&r->elsewhere, &own, &ignored) == 1) {
        r->place.header_offset = r->output != NULL ? output_position(r->output) : 0;
        r->place.data_offset = r->place.header_offset;
        stored = 1;
    } else {
        stored = write_header(r, &own, NULL, err);
    }
    if (stored == 1)
        stored = index_entry(r, &own, NULL, err);
    if (stored == 1)
        count(r, &own);
    return stored < 0 ? -1 : 0;
}

static int add_item(struct run *r, struct intake_item *item, struct error *err)
{
    const struct entry *e = &item->entry;

    if (e->problem_scope == PROBLEM_ENTRY || e->problem_scope == PROBLEM_CONTENT)
        return note_error(r, e->path, e->problem, err);
    if (e->path.size > TAR_MAX_PATH_BYTES) {
        if (note_loss(r, e->path, path_too_long, NULL, err) != 0)
            return -1;
        return mark_unstored(r, e, err);
    }
    if (entry_is_further_name(e))
        return add_further_name(r, item, err);
    return add_first_name(r, item, err) < 0 ? -1 : 0;
}

static int add_all(struct run *r, struct error *err)
{
    struct watcher *watcher = r->backup->watcher;
    struct intake_options options = {.base = r->backup->base, .reads = r->output != NULL};
    struct intake *intake;
    struct intake_item *item;
    int more;

    if (intake_new(r->source, &options, &intake, err) != 0)
        return -1;
    while ((more = intake_next(intake, &item, err)) == 1) {
        if (watcher->stopped(watcher))
            more = error_set(err, ERROR_INTERRUPTED, "backup", "stopped");
        watcher->progress(watcher, 1, 0, item->entry.path);
        if (more < 0 || add_item(r, item, err) != 0)
            break;
    }
    intake_free(intake);
    return more == 0 ? 0 : -1;
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
    first_names_init(&r.elsewhere);
    if (b->archive != OS_NO_HANDLE &&
        (output_new(b->archive, &b->output, &r.output, err) != 0 ||
         index_writer_new(b->spool, &r.index, err) != 0 || data_hasher_new(&r.hasher, err) != 0))
        goto done;
    if (b->base != NULL && r.index != NULL) {
        struct unchanged_bases bases = unchanged_bases(b->base);

        if (index_writer_set_bases(r.index, bases.items, bases.count, err) != 0)
            goto done;
    }
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
    first_names_release(&r.elsewhere);
    buffer_release(&r.stand_ins);
    return result;
}
