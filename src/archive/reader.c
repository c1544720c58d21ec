/*
 * reader.c: members to entries. The first member is decoded when the archive is opened, so that the
 * facts are known before the first entry.
 */
#include "archive/reader.h"

#include <stdlib.h>
#include <string.h>

#include "archive/names.h"
#include "archive/record.h"
#include "archive/tar.h"
#include "base/table.h"

/* The kind of a member that may get further names and is no regular file; files, the usual, are not
 * kept. */
struct kind_record {
    struct hash128 path;
    uint64_t kind; /* enum entry_kind; 8 bytes so that the record has no padding */
};

/* The content of the member that came last. */
struct member_data {
    struct data data;
    struct tar_decoder *decoder;
    struct extent whole; /* of a file without holes */
    size_t extent;       /* the extent that is being read */
    uint64_t within;     /* bytes of it that were read */
};

struct reader {
    struct source source;
    struct tar_input tar_input;
    struct input *input;
    struct tar_decoder *decoder;
    struct reader_options options;
    struct source_facts facts;
    struct record_memory archive_memory; /* what the facts of our own archive point into */
    struct record_memory member_memory;
    struct bytes archive_options;
    struct buffer path, previous, link;
    struct buffer skipped; /* the folder whose content is not wanted, or empty */
    struct entry entry;
    struct error problem;
    struct table kinds;
    struct member_data member;
    const struct tail *tail;
    bool ours;
    int pending; /* the result of the tar_next that was called ahead; 2: none was */
    const struct tar_member *pending_member;
    struct error pending_error;
};

static struct reader *reader_of(struct source *s)
{
    return (struct reader *)s;
}

static int read_input(struct tar_input *in, void *bytes, size_t capacity, size_t *got,
                      struct error *err)
{
    struct reader *r = (struct reader *)((char *)in - offsetof(struct reader, tar_input));

    return input_read(r->input, bytes, capacity, got, err);
}

/* ---- Contents ---- */

/* Takes `count` stored bytes of the extent that is being read, into `bytes` or to nowhere (NULL).
 */
static int take_stored(struct member_data *m, uint8_t *bytes, uint64_t count, struct error *err)
{
    uint8_t waste[16384];

    while (count != 0) {
        size_t wanted = bytes == NULL && count > sizeof waste ? sizeof waste : (size_t)count,
               got = 0;

        if (tar_read(m->decoder, bytes != NULL ? bytes : waste, wanted, &got, err) != 0)
            return -1;
        if (got == 0)
            return error_set(err, ERROR_FORMAT, "read archive", "cut short inside a file");
        m->within += got;
        count -= got;
        if (bytes != NULL)
            bytes += got;
    }
    return 0;
}

/* Goes on to the extent that holds `offset` or comes next behind it, passing over the data before
 * it. */
static int seek_extent(struct member_data *m, uint64_t offset, struct error *err)
{
    while (m->extent < m->data.extent_count) {
        const struct extent *x = &m->data.extents[m->extent];
        uint64_t at = x->offset + m->within, end = x->offset + x->length;

        if (at >= offset && at < end)
            return 0;
        if (at < end && take_stored(m, NULL, (end < offset ? end : offset) - at, err) != 0)
            return -1;
        if (m->within == x->length) {
            m->extent++;
            m->within = 0;
        }
    }
    return 0;
}

static int member_read(struct data *d, uint64_t offset, struct data_span span, size_t *got,
                       struct error *err)
{
    struct member_data *m = (struct member_data *)d;
    uint8_t *out = span.bytes;
    size_t left = span.capacity;

    if (offset >= d->size)
        left = 0;
    else if (left > d->size - offset)
        left = (size_t)(d->size - offset);
    *got = left;
    while (left != 0) {
        if (seek_extent(m, offset, err) != 0)
            return -1;
        const struct extent *x = m->extent < d->extent_count ? &d->extents[m->extent] : NULL;
        uint64_t data_at = x != NULL ? x->offset + m->within : d->size;
        bool hole = data_at > offset;
        uint64_t run = hole ? data_at - offset : x->length - m->within;
        size_t count = run < left ? (size_t)run : left;

        if (hole)
            memset(out, 0, count);
        else if (take_stored(m, out, count, err) != 0)
            return -1;
        out += count;
        offset += count;
        left -= count;
    }
    return 0;
}

static void member_close(struct data *d)
{
    (void)d; /* part of the reader; what is unread is passed over with the next member */
}

static const struct data_ops member_ops = {.read = member_read, .close = member_close};

static int reader_open_data(struct source *s, struct data **out, struct error *err)
{
    struct reader *r = reader_of(s);

    if (entry_is_further_name(&r->entry))
        return error_set(err, ERROR_UNSUPPORTED, "open",
                         "its data stands at the first name of its file");
    *out = &r->member.data;
    return 0;
}

/* ---- Members to entries ---- */

static enum entry_kind kind_of(enum tar_type type)
{
    switch (type) {
    case TAR_DIRECTORY:
        return ENTRY_DIRECTORY;
    case TAR_SYMLINK:
        return ENTRY_SYMLINK;
    case TAR_CHAR_DEVICE:
        return ENTRY_CHAR_DEVICE;
    case TAR_BLOCK_DEVICE:
        return ENTRY_BLOCK_DEVICE;
    case TAR_FIFO:
        return ENTRY_FIFO;
    case TAR_FILE:
    case TAR_HARD_LINK:
    case TAR_OTHER:
        break;
    }
    return ENTRY_FILE;
}

/* An entry that stands for a member that cannot be had. `r->problem` holds why. */
static void make_problem(struct reader *r)
{
    memset(&r->entry, 0, sizeof r->entry);
    r->entry.path = buffer_bytes(&r->path);
    r->entry.problem_scope = PROBLEM_ENTRY;
    r->entry.problem = &r->problem;
}

static int set_path(struct reader *r, const struct tar_member *m, struct error *err)
{
    enum names_absolute absolute =
        r->options.strip_absolute ? NAMES_STRIP_ABSOLUTE : NAMES_KEEP_ABSOLUTE;
    struct entry *e = &r->entry;

    if (names_clean(&r->path, m->path, absolute, err) != 0)
        return -1;
    e->path = buffer_bytes(&r->path);
    for (size_t i = 0; i < e->path.size; i++) {
        if (e->path.data[i] == '/') {
            e->name_offset = i + 1;
            e->depth++;
        }
    }
    if (m->type != TAR_HARD_LINK)
        return 0;
    if (names_clean(&r->link, m->link, absolute, err) != 0)
        return -1;
    e->first_name = buffer_bytes(&r->link);
    return 0;
}

/* Remembers kinds other than files, or tells the kind of a further name. */
static int follow_kind(struct reader *r, struct error *err)
{
    struct entry *e = &r->entry;

    if (entry_is_further_name(e)) {
        struct hash128 key = hash_bytes(e->first_name);
        const struct kind_record *first = table_find(&r->kinds, &key);

        if (first != NULL)
            e->kind = (enum entry_kind)first->kind;
        return 0;
    }
    if (e->kind == ENTRY_FILE || e->kind == ENTRY_DIRECTORY || e->link_count == 1)
        return 0;
    struct hash128 key = hash_bytes(e->path);
    struct kind_record *record = table_add(&r->kinds, &key, err);

    if (record == NULL)
        return -1;
    record->kind = (uint64_t)e->kind;
    return 0;
}

/* Adds what the comment of our own archives says. */
static int apply_record(struct reader *r, const struct tar_member *m, struct error *err)
{
    struct member_record record = {0};
    struct entry *e = &r->entry;

    if (m->comment.size != 0 && record_is_ours(m->comment) &&
        record_decode(m->comment, &r->member_memory, &record, err) != 0)
        return -1;
    e->link_count = entry_is_further_name(e) ? 0 : 1;
    e->shared = record.shared || entry_is_further_name(e);
    if (record.shared)
        e->link_count = record.link_count;
    if (record.is_socket) {
        e->kind = ENTRY_SOCKET;
        e->meta.mode = record.mode;
    }
    if (entry_is_further_name(e)) { /* its metadata stands at the first name */
        e->meta.known = 0;
        return 0;
    }
    e->meta.known |= METADATA_XATTRS | METADATA_ACL | METADATA_FLAGS;
    e->meta.known &= ~record.unknown;
    e->meta.known |= record.known;
    e->meta.flags = record.flags;
    e->meta.btime = record.btime;
    return 0;
}

static void set_member_data(struct reader *r, const struct tar_member *m)
{
    struct member_data *d = &r->member;
    static const struct data nothing;

    d->data = nothing;
    d->data.ops = &member_ops;
    d->data.os_handle = -1;
    d->data.size = m->size;
    d->whole = (struct extent){0, m->size};
    d->data.extents = m->sparse ? m->extents : &d->whole;
    d->data.extent_count = m->sparse ? m->extent_count : m->size != 0;
    d->decoder = r->decoder;
    d->extent = 0;
    d->within = 0;
}

/* Our own archives promise their order; one that breaks it was not written by us. */
static int check_order(struct reader *r, struct error *err)
{
    if (r->previous.size != 0 && path_compare(buffer_bytes(&r->previous), r->entry.path) >= 0) {
        (void)error_set(err, ERROR_FORMAT, "read archive",
                        "entries are not in the order that this archive promises");
        return error_at(err, (const char *)r->entry.path.data, r->entry.path.size);
    }
    buffer_clear(&r->previous);
    return buffer_append(&r->previous, r->entry.path.data, r->entry.path.size, err);
}

static int make_entry(struct reader *r, const struct tar_member *m, struct error *err)
{
    struct entry *e = &r->entry;

    memset(e, 0, sizeof *e);
    e->kind = kind_of(m->type);
    e->size = m->type == TAR_FILE ? m->size : 0;
    e->meta = m->meta; /* shares the decoder's memory, as all of the entry does */
    e->device_major = m->device_major;
    e->device_minor = m->device_minor;
    if (set_path(r, m, err) != 0)
        return -1;
    if (m->type == TAR_SYMLINK)
        e->target = m->link;
    if (r->ours ? apply_record(r, m, err) != 0 || check_order(r, err) != 0 : false)
        return -1;
    if (!r->ours && entry_is_further_name(e))
        e->meta.known = 0;
    set_member_data(r, m);
    if (m->type == TAR_OTHER) {
        error_release(&r->problem);
        (void)error_set(&r->problem, ERROR_UNSUPPORTED, "read archive",
                        "a member of the unknown type '%c'", m->type_flag);
        make_problem(r);
        return 0;
    }
    if (m->acl_lost && e->problem_scope == PROBLEM_NONE) {
        error_release(&r->problem);
        (void)error_set(&r->problem, ERROR_UNSUPPORTED, "read archive",
                        "an ACL that names users without their numbers");
        e->problem_scope = PROBLEM_METADATA;
        e->problem = &r->problem;
    }
    return follow_kind(r, err);
}

/* ---- The source ---- */

/* After the last member: everything behind it is read, checked and told. */
static int finish(struct reader *r, struct error *err)
{
    uint64_t trailing = 0;
    int found;

    if (input_drain(r->input, &trailing, err) != 0)
        return -1;
    found = input_tail(r->input, &r->tail, err);
    if (found < 0)
        return -1;
    if (trailing != 0)
        return error_set(err, ERROR_FORMAT, "read archive",
                         "%llu bytes that belong to no archive follow its end",
                         (unsigned long long)trailing);
    if (r->ours && found == 0)
        return error_set(err, ERROR_FORMAT, "read archive",
                         "its end record is missing: the archive was cut or damaged at its end");
    return 0;
}

static int next_member(struct reader *r, const struct tar_member **m, struct error *err)
{
    int result = r->pending;

    if (result == 2)
        return tar_next(r->decoder, m, err);
    *m = r->pending_member;
    if (result < 0)
        error_move(err, &r->pending_error);
    r->pending = 2;
    return result;
}

/* "./" is the destination itself; the content of a skipped folder is not wanted. */
static bool is_passed_over(const struct reader *r)
{
    if (r->skipped.size != 0 && path_is_within(r->entry.path, buffer_bytes(&r->skipped)))
        return true;
    return r->entry.path.size == 0 && r->entry.problem_scope == PROBLEM_NONE;
}

static void reader_skip(struct source *s)
{
    struct reader *r = reader_of(s);
    struct error err = {0};

    if (buffer_append(&r->skipped, r->path.data, r->path.size, &err) != 0)
        buffer_clear(&r->skipped); /* out of memory: the content comes, and is refused one by one */
    error_release(&err);
}

static int reader_next(struct source *s, const struct entry **out, struct error *err)
{
    struct reader *r = reader_of(s);
    const struct tar_member *m;
    struct error trouble = {0};
    int more;

    do {
        more = next_member(r, &m, &trouble);
        if (more == 0)
            return finish(r, err);
        if (more < 0 && trouble.kind != ERROR_REFUSED && trouble.kind != ERROR_LIMIT) {
            error_move(err, &trouble);
            return -1;
        }
        if (more == 1 && make_entry(r, m, err) != 0)
            return -1;
    } while (more == 1 && is_passed_over(r));
    buffer_clear(&r->skipped);
    if (more < 0) {
        buffer_clear(&r->path);
        if (trouble.path != NULL &&
            buffer_append(&r->path, trouble.path, trouble.path_bytes, err) != 0)
            return -1;
        error_move(&r->problem, &trouble);
        make_problem(r);
    }
    *out = &r->entry;
    return 1;
}

static int reader_load(struct source *s, const struct entry **out, struct error *err)
{
    (void)err;
    *out = &reader_of(s)->entry;
    return 0;
}

static const struct source_facts *reader_facts(struct source *s)
{
    return &reader_of(s)->facts;
}

static void reader_free(struct reader *r)
{
    tar_decoder_free(r->decoder);
    record_memory_release(&r->archive_memory);
    record_memory_release(&r->member_memory);
    buffer_release(&r->path);
    buffer_release(&r->previous);
    buffer_release(&r->link);
    buffer_release(&r->skipped);
    error_release(&r->problem);
    error_release(&r->pending_error);
    table_release(&r->kinds);
    free(r);
}

static void reader_close(struct source *s)
{
    struct reader *r = reader_of(s);

    input_close(r->input);
    reader_free(r);
}

static const struct source_ops reader_ops = {
    .next = reader_next,
    .load = reader_load,
    .skip = reader_skip,
    .open_data = reader_open_data,
    .facts = reader_facts,
    .close = reader_close,
};

/* Looks at the first member: is this archive one of ours, and what does it say of itself? */
static int recognise(struct reader *r, struct error *err)
{
    struct member_record record = {0};

    r->facts = (struct source_facts){.host_system = "", .sequential = true};
    r->pending = tar_next(r->decoder, &r->pending_member, &r->pending_error);
    if (r->pending != 1 || !record_is_ours(r->pending_member->comment))
        return 0;
    if (record_decode(r->pending_member->comment, &r->archive_memory, &record, err) != 0)
        return -1;
    if (!record.has_archive)
        return 0;
    if (record.archive.version != 1)
        return error_set(
            err, ERROR_UNSUPPORTED, "read archive",
            "it is of format version %u; this program reads version 1: use a newer holdfast",
            record.archive.version);
    r->ours = true;
    r->facts = record.archive.facts;
    r->facts.ordered = true;
    r->facts.sequential = true;
    r->facts.names_known = true;
    r->facts.complete_metadata = true;
    r->archive_options = record.archive.options;
    return 0;
}

int reader_open(struct input *in, const struct reader_options *options, struct source **out,
                struct error *err)
{
    struct reader *r = calloc(1, sizeof *r);

    if (r == NULL)
        return error_memory(err);
    r->source.ops = &reader_ops;
    r->tar_input.read = read_input;
    r->input = in;
    r->options = *options;
    table_init(&r->kinds, sizeof(struct kind_record), sizeof(struct hash128));
    if (tar_decoder_new(&r->tar_input, &r->decoder, err) != 0 || recognise(r, err) != 0) {
        reader_free(r);
        return -1;
    }
    *out = &r->source;
    return 0;
}

bool reader_is_ours(const struct source *s)
{
    return ((const struct reader *)s)->ours;
}

struct bytes reader_archive_options(const struct source *s)
{
    return ((const struct reader *)s)->archive_options;
}

const struct tail *reader_tail(const struct source *s)
{
    return ((const struct reader *)s)->tail;
}
