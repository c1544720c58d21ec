/*
 * reader.c: members to entries. The first member is decoded when the archive is opened, so that the
 * facts are known before the first entry.
 */
#include "archive/reader.h"

#include <stdlib.h>
#include <string.h>

#include "archive/first_names.h"
#include "archive/index_sum.h"
#include "archive/member.h"
#include "archive/member_data.h"
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
    struct pairs xattrs; /* of the entry, if the record has some of them */
    struct member_data member;
    struct index_sum sum; /* over the entries of our own archives, to be held against the index */
    struct first_names first_names;
    uint64_t entry_count;
    const struct tail *tail;
    struct bytes *lost; /* what facts.lost points to */
    bool ours;
    bool broke_off; /* damage was told */
    int pending;    /* the result of the tar_next that was called ahead; 2: none was */
    const struct tar_member *pending_member;
    struct error pending_error;
};

static struct reader *reader_of(struct source *s)
{
    return (struct reader *)s;
}

static int take_input(struct tar_input *in, size_t most, struct bytes *out, struct error *err)
{
    struct reader *r = (struct reader *)((char *)in - offsetof(struct reader, tar_input));

    return input_take(r->input, most, out, err);
}

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

static void place(struct entry *e, struct bytes path)
{
    size_t parent = path_parent(path).size;
    const uint8_t *at = path.data, *end = path.data + path.size;

    e->path = path;
    e->name_offset = parent != 0 ? parent + 1 : 0;
    e->depth = 0;
    while (at < end && (at = memchr(at, '/', (size_t)(end - at))) != NULL) {
        e->depth++;
        at++;
    }
}

/* Makes the entry one that stands for a member that cannot be had. `r->problem` holds why. */
static int make_problem(struct reader *r, struct bytes name, struct error *err)
{
    buffer_clear(&r->path);
    if (buffer_append(&r->path, name.data, name.size, err) != 0)
        return -1;
    r->entry = (struct entry){.problem_scope = PROBLEM_ENTRY, .problem = &r->problem};
    place(&r->entry, buffer_bytes(&r->path));
    return 0;
}

static int set_path(struct reader *r, const struct tar_member *m, struct error *err)
{
    enum names_absolute absolute =
        r->options.strip_absolute ? NAMES_STRIP_ABSOLUTE : NAMES_KEEP_ABSOLUTE;

    if (names_clean(&r->path, m->path, absolute, err) != 0)
        return -1;
    place(&r->entry, buffer_bytes(&r->path));
    if (m->type != TAR_HARD_LINK)
        return 0;
    if (names_clean(&r->link, m->link, absolute, err) != 0)
        return -1;
    r->entry.first_name = buffer_bytes(&r->link);
    return 0;
}

/* Remembers kinds other than files, or tells the kind of a further name. In other tools' archives
 * names come again, and links are made to further names. */
static int follow_kind(struct reader *r, struct error *err)
{
    struct entry *e = &r->entry;
    struct hash128 key;

    if (entry_is_further_name(e)) {
        if (r->kinds.count != 0) {
            key = hash_bytes(e->first_name);
            const struct kind_record *first = table_find(&r->kinds, &key);
            if (first != NULL)
                e->kind = (enum entry_kind)first->kind;
        }
        if (r->ours)
            return 0;
    }
    bool usual = e->kind == ENTRY_FILE || e->kind == ENTRY_DIRECTORY;
    if (usual ? r->kinds.count == 0 : e->link_count == 1)
        return 0;
    key = hash_bytes(e->path);
    if (usual) {
        table_remove(&r->kinds, &key);
        return 0;
    }
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
    if (entry_is_further_name(e))
        return 0;
    if (member_apply_ntfs(e, m, &record, &r->xattrs, err) != 0)
        return -1;
    e->meta.known |= METADATA_XATTRS | METADATA_ACL | METADATA_FLAGS;
    e->meta.known &= ~record.unknown;
    e->meta.known |= record.known;
    e->meta.flags = record.flags;
    e->meta.btime = record.btime;
    return 0;
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

/* Why a member is no entry: 1 and r->problem, or 0. */
static int find_fault(struct reader *r, const struct tar_member *m)
{
    const char *fault = NULL;

    error_release(&r->problem);
    if (m->type == TAR_OTHER)
        (void)error_set(&r->problem, ERROR_UNSUPPORTED, "read archive",
                        "a member of the unknown type '%c'", m->type_flag);
    else if (r->entry.path.size == 0 && m->type != TAR_DIRECTORY)
        fault = "a name without a last component";
    else if (m->type == TAR_HARD_LINK && r->entry.first_name.size == 0)
        fault = "a hard link to no name";
    if (fault != NULL)
        (void)error_set(&r->problem, ERROR_REFUSED, "read archive", "%s", fault);
    return r->problem.kind != ERROR_NONE;
}

/* What of a member's metadata cannot be had. */
static void find_losses(struct reader *r, const struct tar_member *m)
{
    const char *lost = m->acl_lost && m->flags_lost ? "an ACL and file flags of a form that has no "
                                                      "meaning here"
                       : m->acl_lost   ? "an ACL that names users without their numbers"
                       : m->flags_lost ? "file flags that are not known here"
                                       : NULL;

    if (lost == NULL || entry_is_further_name(&r->entry))
        return;
    (void)error_set(&r->problem, ERROR_UNSUPPORTED, "read archive", "%s", lost);
    r->entry.problem_scope = PROBLEM_METADATA;
    r->entry.problem = &r->problem;
}

/* Adds the entry to what is held against the index. */
static int sum_up(struct reader *r, struct error *err)
{
    struct index_item item = {.entry = r->entry,
                              .number = r->entry_count,
                              .is_further = entry_is_further_name(&r->entry),
                              .data_offset = tar_position(r->decoder),
                              .extents = r->member.data.extents,
                              .extent_count = r->member.data.extent_count};

    r->entry_count++;
    if (item.is_further)
        (void)first_names_take(&r->first_names, &r->entry, &item.first);
    else if (r->entry.shared && first_names_add(&r->first_names, &r->entry, item.number, err) != 0)
        return -1;
    return index_sum_add(&r->sum, &item, err);
}

static int make_entry(struct reader *r, const struct tar_member *m, struct error *err)
{
    struct entry *e = &r->entry;

    *e = (struct entry){.kind = kind_of(m->type),
                        .size = m->type == TAR_FILE ? m->size : 0,
                        .meta = m->meta, /* shares the decoder's memory, as all of the entry does */
                        .device_major = m->device_major,
                        .device_minor = m->device_minor};
    if (set_path(r, m, err) != 0)
        return -1;
    if (find_fault(r, m))
        return make_problem(r, m->path, err);
    if (m->type == TAR_SYMLINK)
        e->target = m->link;
    if (r->ours && (apply_record(r, m, err) != 0 || check_order(r, err) != 0))
        return -1;
    if (entry_is_further_name(e))
        e->meta.known = 0; /* its metadata stands at the first name */
    member_data_begin(&r->member, r->decoder, m);
    find_losses(r, m);
    if (follow_kind(r, err) != 0)
        return -1;
    return r->ours ? sum_up(r, err) : 0;
}

/* ---- The source ---- */

/* Lets the facts tell which paths the backup could not read. */
static int tell_lost(struct reader *r, struct error *err)
{
    size_t count = r->tail != NULL ? r->tail->loss_count : 0;

    r->lost = calloc(count + 1, sizeof *r->lost);
    if (r->lost == NULL)
        return error_memory(err);
    for (size_t i = 0; i < count; i++)
        r->lost[i] = r->tail->losses[i].path;
    r->facts.lost = r->lost;
    r->facts.lost_count = count;
    return 0;
}

/* After the last member: everything behind it is read, checked and told. */
static int finish(struct reader *r, struct error *err)
{
    const struct index_sum *index;
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
    index = input_index_sum(r->input);
    if (r->ours && index != NULL && !index_sum_entries_equal(&r->sum, index))
        return error_set(err, ERROR_FORMAT, "read archive",
                         "the archive is damaged: its index does not match its content");
    return tell_lost(r, err);
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

/* Members that are no entries: the archive's own top, a label, the content of a skipped folder. */
static bool is_passed_over(const struct reader *r, const struct tar_member *m)
{
    static const char top[] = "the archive has metadata for its top folder itself ('.'): the "
                              "destination keeps its own";
    struct watcher *watcher = r->options.watcher;

    if (r->skipped.size != 0 && path_is_within(r->entry.path, buffer_bytes(&r->skipped)))
        return true;
    if (m->type_flag == 'V') /* GNU tar: the volume's label */
        return true;
    if (r->entry.path.size != 0)
        return false;
    watcher_remark(watcher, m->path, top);
    return true;
}

static void reader_skip(struct source *s)
{
    struct reader *r = reader_of(s);
    struct error err = {0};

    buffer_clear(&r->skipped);
    if (buffer_append(&r->skipped, r->path.data, r->path.size, &err) != 0)
        buffer_clear(&r->skipped); /* out of memory: the content comes, and is refused one by one */
    error_release(&err);
}

static int next_strict(struct reader *r, const struct entry **out, struct error *err)
{
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
    } while (more == 1 && is_passed_over(r, m));
    buffer_clear(&r->skipped);
    if (more < 0) {
        error_release(&r->problem);
        error_move(&r->problem, &trouble);
        if (make_problem(r, bytes_make(r->problem.path, r->problem.path_bytes), err) != 0)
            return -1;
    }
    *out = &r->entry;
    return 1;
}

/* Tells damage, with all that is lost by it. True if that is how it goes on. */
static bool break_off(struct reader *r, const struct error *damage)
{
    struct error told = {0};
    char why[256];

    if (!r->options.salvage || damage->kind == ERROR_MEMORY || damage->kind == ERROR_INTERRUPTED)
        return false;
    (void)error_set(&told, ERROR_FORMAT, "read archive",
                    "%s: what stood behind that is lost, and not known",
                    error_reason(damage, why, sizeof why));
    watcher_error(r->options.watcher, r->entry.path, &told);
    error_release(&told);
    r->broke_off = true;
    return true;
}

static int reader_next(struct source *s, const struct entry **out, struct error *err)
{
    struct reader *r = reader_of(s);
    struct error damage = {0};
    int more = 0;

    if (!r->broke_off)
        more = next_strict(r, out, &damage);
    if (more < 0 && break_off(r, &damage)) {
        error_release(&damage);
        return 0;
    }
    if (more < 0)
        error_move(err, &damage);
    return more;
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
    pairs_release(&r->xattrs);
    index_sum_release(&r->sum);
    first_names_release(&r->first_names);
    free(r->lost);
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

static int take_facts(struct reader *r, const struct source_facts *facts, struct error *err)
{
    r->ours = true;
    r->facts = *facts;
    r->facts.ordered = true;
    r->facts.sequential = true;
    r->facts.may_break_off = r->options.salvage;
    r->facts.names_known = true;
    r->facts.complete_metadata = true;
    return names_check_roots(facts, err);
}

/* An archive without a member has nothing but its end to tell that it is ours; on a pipe that is
 * too late. */
static int recognise_empty(struct reader *r, struct error *err)
{
    const struct tail *tail;
    int found = input_can_seek(r->input) ? input_tail(r->input, &tail, err) : 0;

    return found == 1 ? take_facts(r, &tail->facts, err) : found;
}

/* Looks at the first member: is this archive one of ours, and what does it say of itself? */
static int recognise(struct reader *r, struct error *err)
{
    struct member_record record = {0};

    r->facts = (struct source_facts){
        .host_system = "", .sequential = true, .may_break_off = r->options.salvage};
    r->pending = tar_next(r->decoder, &r->pending_member, &r->pending_error);
    if (r->pending == 0)
        return recognise_empty(r, err);
    if (r->pending != 1 || !record_is_ours(r->pending_member->comment))
        return 0;
    if (record_decode(r->pending_member->comment, &r->archive_memory, &record, err) != 0)
        return -1;
    if (!record.has_archive)
        return 0;
    if (record.archive.version != ARCHIVE_FULL && record.archive.version != ARCHIVE_INCREMENTAL)
        return error_set(
            err, ERROR_UNSUPPORTED, "read archive",
            "it is of format version %u; this program reads up to version %d: use a newer holdfast",
            record.archive.version, (int)ARCHIVE_INCREMENTAL);
    r->sum.is_partial = record.archive.version == ARCHIVE_INCREMENTAL;
    r->archive_options = record.archive.options;
    return take_facts(r, &record.archive.facts, err);
}

int reader_open(struct input *in, const struct reader_options *options, struct source **out,
                struct error *err)
{
    struct reader *r = calloc(1, sizeof *r);

    if (r == NULL)
        return error_memory(err);
    r->source.ops = &reader_ops;
    r->tar_input.take = take_input;
    r->input = in;
    r->options = *options;
    table_init(&r->kinds, sizeof(struct kind_record), sizeof(struct hash128));
    first_names_init(&r->first_names);
    if (index_sum_init(&r->sum, err) != 0 ||
        tar_decoder_new(&r->tar_input, &r->decoder, err) != 0 || recognise(r, err) != 0) {
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

bool reader_is_incremental(const struct source *s)
{
    return ((const struct reader *)s)->sum.is_partial;
}

struct bytes reader_archive_options(const struct source *s)
{
    return ((const struct reader *)s)->archive_options;
}

const struct tail *reader_tail(const struct source *s)
{
    return ((const struct reader *)s)->tail;
}
