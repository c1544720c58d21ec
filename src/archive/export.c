/*
 * export.c: from entries to members of other formats. Order of work for an entry: load, open, read
 * (small files), write, tell what it loses.
 */
#include "archive/export.h"

#include <stdlib.h>
#include <string.h>

#include "archive/export_links.h"
#include "archive/reading.h"

enum { BLOCK_BYTES = 1 << 18 };

struct run {
    struct export *export;
    const struct export_facts *facts;
    struct source *source;
    struct foreign_writer *writer;
    struct buffer content; /* a small file, whole */
    uint8_t *block;
    struct export_links links; /* stays empty where the format has none */
    uint32_t numbers;          /* given to files so far */
};

static bool is_dry(const struct run *r)
{
    return r->export->archive == OS_NO_HANDLE;
}

/* ---- Losses ---- */

static void tell_loss(struct run *r, struct bytes path, const char *reason,
                      const struct error *cause)
{
    watcher_loss(r->export->watcher, path, reason, cause);
    r->export->counts.problems++;
}

static void tell_error(struct run *r, struct bytes path, const struct error *problem)
{
    watcher_error(r->export->watcher, path, problem);
    r->export->counts.problems++;
}

static void tell_copy(struct run *r, const struct entry *e)
{
    struct notice n = {.kind = NOTICE_LOSS,
                       .path = e->path,
                       .reason = "no longer one file with its other names: the format has no hard "
                                 "links, and this name got a copy",
                       .other = e->first_name};

    r->export->watcher->notice(r->export->watcher, &n);
    r->export->counts.problems++;
}

/* What is lost of an entry that is in the archive now. `first_name` is not empty if it is a copy.
 */
static void tell_losses(struct run *r, const struct entry *e, const struct data *data)
{
    bool holes = data != NULL && data->size != 0 &&
                 (data->extent_count != 1 || data->extents[0].length != data->size);

    if (entry_is_further_name(e) && !r->facts->hard_links)
        tell_copy(r, e);
    if (!foreign_writer_keeps_name(r->writer, e))
        tell_loss(r, e->path,
                  "its name is decomposed Unicode: what reads it through libarchive, as holdfast "
                  "does, composes it (NFC)",
                  NULL);
    if (holes)
        tell_loss(r, e->path, "its holes are stored as zeros: the format has none", NULL);
    r->export->counts.problems += export_tell_losses(r->facts, e, r->export->watcher);
}

/* ---- Members ---- */

static void count(struct run *r, const struct entry *e)
{
    struct backup_counts *c = &r->export->counts;

    c->entries++;
    c->kinds[e->kind]++;
    watcher_entry(r->export->watcher, e);
}

/* Begins a member: 1, 0: libarchive refuses it, which was told, -1. */
static int begin_member(struct run *r, const struct foreign_member *m, struct error *err)
{
    struct error trouble = {0};
    int result;

    if (is_dry(r))
        return 1;
    result = foreign_writer_begin(r->writer, m, &trouble, err);
    if (result == 0)
        tell_error(r, m->entry->path, &trouble);
    else if (result == 1 && trouble.kind != ERROR_NONE)
        tell_loss(r, m->entry->path, "stored with a warning", &trouble);
    error_release(&trouble);
    return result;
}

/* Ends a member. 1, or -1. */
static int end_member(struct run *r, const struct entry *e, struct error *err)
{
    struct error trouble = {0};
    int result;

    if (is_dry(r))
        return 1;
    result = foreign_writer_end(r->writer, &trouble, err) == 0 ? 1 : -1;
    if (result == 1 && trouble.kind != ERROR_NONE)
        tell_loss(r, e->path, "stored with a warning", &trouble);
    error_release(&trouble);
    return result;
}

/* Stores what has no content. As begin_member. */
static int add_plain(struct run *r, const struct entry *e, const struct foreign_member *m,
                     struct error *err)
{
    int result = begin_member(r, m, err);

    if (result == 1)
        result = end_member(r, e, err);
    if (result == 1)
        tell_losses(r, e, NULL);
    return result;
}

/* ---- Contents ---- */

/* What a content is written from. */
struct content {
    struct data *data;
    struct reading reading;
    enum reading_way way;
    size_t taken; /* of a small one, which was read into run.content: bytes that were written */
};

/* Appends bytes to the member, or zeros if `bytes` is NULL. */
static int add_bytes(struct run *r, const uint8_t *bytes, uint64_t count, struct error *err)
{
    static const uint8_t zeros[1 << 16];
    struct watcher *watcher = r->export->watcher;

    while (count != 0) {
        size_t most = bytes == NULL ? sizeof zeros : BLOCK_BYTES;
        size_t part = count < most ? (size_t)count : most;

        if (watcher->stopped(watcher))
            return error_set(err, ERROR_INTERRUPTED, "backup", "stopped");
        if (foreign_writer_add(r->writer, bytes_make(bytes == NULL ? zeros : bytes, part), err) !=
            0)
            return -1;
        watcher->progress(watcher, 0, part, (struct bytes){NULL, 0});
        bytes += bytes == NULL ? 0 : part;
        count -= part;
    }
    return 0;
}

/* Appends an extent, which is read now or was read before. */
static int add_extent(struct run *r, struct content *c, struct extent x, struct error *err)
{
    if (c->way == READING_SMALL) {
        const uint8_t *bytes = r->content.data + c->taken;

        c->taken += (size_t)x.length;
        return add_bytes(r, bytes, x.length, err);
    }
    while (x.length != 0) {
        size_t part = x.length < BLOCK_BYTES ? (size_t)x.length : BLOCK_BYTES;

        reading_block(&c->reading, c->data, x.offset, (struct data_span){r->block, part});
        if (add_bytes(r, r->block, part, err) != 0)
            return -1;
        x.offset += part;
        x.length -= part;
    }
    return 0;
}

/* Appends a whole content, the announced size whatever happens to the file meanwhile. */
static int add_content(struct run *r, struct content *c, struct error *err)
{
    const struct data *d = c->data;
    uint64_t position = 0;

    for (size_t i = 0; i < d->extent_count; i++) {
        struct extent x = d->extents[i];

        if (add_bytes(r, NULL, x.offset - position, err) != 0 || add_extent(r, c, x, err) != 0)
            return -1;
        position = x.offset + x.length;
    }
    return add_bytes(r, NULL, d->size - position, err);
}

/* Writes a file that is open, with its content. As begin_member. */
static int write_file(struct run *r, const struct foreign_member *m, struct content *c,
                      struct error *err)
{
    const char *loss;
    int result = begin_member(r, m, err);

    if (result != 1 || is_dry(r))
        return result;
    if (add_content(r, c, err) != 0 || end_member(r, m->entry, err) != 1)
        return -1;
    if (c->way == READING_LARGE)
        reading_finish(&c->reading, c->data);
    loss = reading_loss(&c->reading, c->way);
    if (loss != NULL)
        tell_loss(r, m->entry->path, loss, c->reading.failed ? &c->reading.trouble : NULL);
    return 1;
}

/* Reads a small file: 1, 0: nothing of it can be read, which was told, -1. One that grows under our
 * hands is no small file. */
static int read_small(struct run *r, const struct entry *e, struct content *c, struct error *err)
{
    int large;

    if (is_dry(r) || c->data->size > READING_SMALL_BYTES)
        return 1;
    large = reading_small(&c->reading, c->data, &r->content, err);
    if (large == 1) {
        reading_release(&c->reading);
        c->reading = (struct reading){.whole = true};
        return 1;
    }
    c->way = READING_SMALL;
    if (large == 0 && c->reading.failed && !c->reading.any) {
        tell_error(r, e->path, &c->reading.trouble);
        return 0;
    }
    return large == 0 ? 1 : -1;
}

/* The open file is what counts: it may have changed since it was listed. */
static void refresh(const struct run *r, struct entry *e, struct foreign_member *m,
                    const struct data *data)
{
    e->size = m->size = data->size;
    if (data->has_times)
        e->meta.mtime = data->mtime;
    m->mtime = export_time(r->facts, e->meta.mtime);
}

/* Opens a file whose content is to be stored, and reads it if it is small. As begin_member. */
static int open_content(struct run *r, struct entry *e, struct foreign_member *m, struct content *c,
                        struct error *err)
{
    struct error trouble = {0};
    const char *no_place;
    int result = 0;

    *c = (struct content){.reading = {.whole = true}, .way = READING_LARGE};
    if (source_open_data(r->source, &c->data, &trouble) != 0)
        tell_error(r, e->path, &trouble);
    else
        result = read_small(r, e, c, err);
    error_release(&trouble);
    if (result != 1)
        return result;
    refresh(r, e, m, c->data);
    no_place = export_no_place(r->facts, e);
    if (no_place != NULL)
        tell_loss(r, e->path, no_place, NULL);
    return no_place == NULL;
}

static void close_content(struct content *c)
{
    reading_release(&c->reading);
    data_close(c->data);
}

/* Stores a file with its content. As begin_member. */
static int add_file(struct run *r, struct entry *e, struct foreign_member *m, struct error *err)
{
    struct content c;
    int result = open_content(r, e, m, &c, err);

    if (result == 1)
        result = write_file(r, m, &c, err);
    if (result == 1) {
        tell_losses(r, e, c.data);
        r->export->counts.file_bytes += e->size;
    }
    close_content(&c);
    return result;
}

/* The first of several names of a file with content, which comes with the last: only what can be
 * opened now is begun. As begin_member. */
static int add_first_name(struct run *r, struct entry *e, struct foreign_member *m,
                          struct error *err)
{
    struct data *data = NULL;
    struct error trouble = {0};
    const char *no_place = NULL;
    int result = 0;

    if (source_open_data(r->source, &data, &trouble) != 0) {
        tell_error(r, e->path, &trouble);
        goto done;
    }
    refresh(r, e, m, data);
    no_place = export_no_place(r->facts, e);
    if (no_place != NULL) {
        tell_loss(r, e->path, no_place, NULL);
    } else if (m->size == 0) { /* emptied since it was listed */
        result = add_plain(r, e, m, err);
    } else {
        tell_losses(r, e, data);
        r->export->counts.file_bytes += e->size;
        result = 1;
    }
done:
    data_close(data);
    error_release(&trouble);
    return result;
}

/* ---- Entries ---- */

/* Stores an entry with all that belongs to it. 0, or -1. */
static int add_whole(struct run *r, const struct entry *listed, struct error *err)
{
    const char *no_place = export_no_place(r->facts, listed);
    const struct entry *loaded;
    struct foreign_member m = {.number = ++r->numbers, .names = 1};
    struct entry e;
    int stored;

    if (no_place != NULL) {
        tell_loss(r, listed->path, no_place, NULL);
        return 0;
    }
    if (source_load(r->source, &loaded, err) != 0)
        return -1;
    e = *loaded;
    /* What was known when names were put together decides how many may come. */
    e.link_count = listed->link_count;
    e.shared = listed->shared;
    e.first_name = listed->first_name;
    if (e.problem_scope == PROBLEM_METADATA)
        tell_error(r, e.path, e.problem);
    m.entry = &e;
    m.mtime = export_time(r->facts, e.meta.mtime);
    if (r->facts->hard_links)
        m.names = export_links_names(&e);
    if (e.kind != ENTRY_FILE || e.size == 0)
        stored = add_plain(r, &e, &m, err);
    else
        stored = m.names > 1 ? add_first_name(r, &e, &m, err) : add_file(r, &e, &m, err);
    if (stored != 1)
        return stored;
    count(r, &e);
    return m.names > 1 ? export_links_add(&r->links, &m, err) : 0;
}

/* ---- Further names ---- */

/* The member of one of a file's names; `e` is the name's entry. */
static struct foreign_member member_of_file(const struct linked_file *file, struct entry *e)
{
    e->meta.mode = file->mode;
    e->meta.owner = file->owner;
    e->meta.group = file->group;
    return (struct foreign_member){
        .entry = e, .mtime = file->mtime, .number = file->number, .names = file->names};
}

/* Writes a name without content. 0, or -1. */
static int write_name(struct run *r, struct linked_file *file, struct entry *e, struct error *err)
{
    struct foreign_member m = member_of_file(file, e);
    int stored = begin_member(r, &m, err);

    if (stored == 1)
        stored = end_member(r, e, err);
    file->written += stored == 1;
    return stored < 0 ? -1 : 0;
}

/* Writes the name that was held back, without content. 0, or -1. */
static int write_held(struct run *r, struct linked_file *file, struct error *err)
{
    struct entry e = {.kind = ENTRY_FILE, .path = buffer_bytes(&file->held)};

    return write_name(r, file, &e, err);
}

/* The last name did not get into the archive, and the others are links to it. */
static void tell_empty(struct run *r, const struct linked_file *file, struct bytes path)
{
    if (file->written != 0)
        tell_loss(r, path,
                  "this content is missing from its file's other names, too: they are empty", NULL);
}

/* Writes a file's last name, which is the entry that came last from the source, with the content.
 * 0, or -1. */
static int write_last(struct run *r, const struct linked_file *file, const struct entry *listed,
                      struct error *err)
{
    struct entry e = *listed;
    struct foreign_member m = member_of_file(file, &e);
    struct content c;
    int stored = 0;

    if (is_dry(r))
        return 0;
    stored = open_content(r, &e, &m, &c, err);
    if (stored == 1 && timestamp_compare(m.mtime, file->mtime) != 0)
        c.reading.whole = false;
    m.mtime = file->mtime;
    if (stored == 1)
        stored = write_file(r, &m, &c, err);
    if (stored == 0)
        tell_empty(r, file, e.path);
    close_content(&c);
    return stored < 0 ? -1 : 0;
}

/* Stores one more name of a file that is in the archive. 0, or -1. */
static int add_link(struct run *r, const struct entry *listed, struct linked_file *file,
                    struct error *err)
{
    bool is_last = file->names != EXPORT_NAMES_NOT_KNOWN && --file->missing == 0;
    struct entry e = *listed;
    int result;

    r->export->counts.entries++;
    r->export->counts.further_names++;
    watcher_entry(r->export->watcher, listed);
    if (file->held.size == 0) {
        result = write_name(r, file, &e, err);
    } else {
        result = write_held(r, file, err);
        buffer_clear(&file->held);
        if (result == 0)
            result = is_last ? write_last(r, file, listed, err)
                             : buffer_append(&file->held, e.path.data, e.path.size, err);
    }
    if (is_last)
        export_links_remove(&r->links, file);
    return result;
}

/* Writes the last known name of a file of which not all names came. 0, or -1. */
static int write_rest(struct run *r, const struct linked_file *file, struct error *err)
{
    const struct entry *e;
    struct error trouble = {0};
    int result = 0, found = source_find(r->source, buffer_bytes(&file->held), &e, &trouble);

    if (found == 0 || (found == 1 && !identity_equal(&e->identity, &file->identity)))
        error_set(&trouble, ERROR_CHANGED, "open", "it is gone, or another file now");
    if (trouble.kind == ERROR_NONE) {
        result = write_last(r, file, e, err);
    } else {
        tell_error(r, buffer_bytes(&file->held), &trouble);
        tell_empty(r, file, buffer_bytes(&file->held));
    }
    error_release(&trouble);
    return result;
}

static int write_all_rest(struct run *r, struct error *err)
{
    struct linked_file *files = NULL;
    size_t count = 0;
    int result = export_links_rest(&r->links, &files, &count, err);

    for (size_t i = 0; result == 0 && i < count; i++)
        result = write_rest(r, &files[i], err);
    free(files);
    return result;
}

/* ---- The run ---- */

static int add_entry(struct run *r, const struct entry *e, struct error *err)
{
    struct linked_file *file = export_links_find(&r->links, e);

    if (e->problem_scope == PROBLEM_ENTRY || e->problem_scope == PROBLEM_CONTENT) {
        tell_error(r, e->path, e->problem);
        return 0;
    }
    if (file != NULL && export_no_place(r->facts, e) == NULL)
        return add_link(r, e, file, err);
    return add_whole(r, e, err);
}

static int add_all(struct run *r, struct error *err)
{
    struct watcher *watcher = r->export->watcher;
    const struct entry *e;
    int more;

    while ((more = source_next(r->source, &e, err)) == 1) {
        if (watcher->stopped(watcher))
            return error_set(err, ERROR_INTERRUPTED, "backup", "stopped");
        watcher->progress(watcher, 1, 0, e->path);
        if (add_entry(r, e, err) != 0)
            return -1;
    }
    return more == 0 ? write_all_rest(r, err) : -1;
}

static int finish(struct run *r, struct error *err)
{
    struct backup_counts *c = &r->export->counts;

    watcher_remark(r->export->watcher, (struct bytes){NULL, 0}, r->facts->remark);
    if (is_dry(r))
        return 0;
    if (foreign_writer_finish(r->writer, err) != 0)
        return -1;
    c->stored_bytes = foreign_writer_bytes(r->writer);
    return 0;
}

int export_run(struct export *x, struct source *source, struct error *err)
{
    struct run r = {.export = x, .facts = export_facts(x->output.format), .source = source};
    int result = -1;

    memset(&x->counts, 0, sizeof x->counts);
    export_links_init(&r.links);
    r.block = malloc(BLOCK_BYTES);
    if (r.block == NULL) {
        error_memory(err);
        goto done;
    }
    if (foreign_writer_open(x->archive, &x->output, &r.writer, err) == 0 && add_all(&r, err) == 0 &&
        finish(&r, err) == 0)
        result = 0;
done:
    foreign_writer_free(r.writer);
    buffer_release(&r.content);
    export_links_release(&r.links);
    free(r.block);
    return result;
}
