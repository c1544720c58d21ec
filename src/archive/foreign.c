/*
 * foreign.c: libarchive's reader as a source. What libarchive would pass over becomes an entry's
 * problem, an error, or a loss: warnings, content that is shorter, longer or other than announced,
 * and bytes behind the end of a cpio archive. It cannot be known where libarchive cuts a name at a
 * NUL, and names that zip and 7-Zip archives hold in Unicode come in composed form (NFC).
 *
 * mtree is left out: its reader opens files of this system that the archive names. So is the reader
 * of zip streams: without the table at the archive's end links look like files.
 */
#define _GNU_SOURCE /* newlocale, uselocale */
#include "archive/foreign.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "archive/foreign_entry.h"
#include "archive/foreign_links.h"
#include "archive/foreign_stream.h"
#include "archive/libarchive.h"

/* So many entries without a header in a row are taken for an archive that makes no sense. */
enum { MAX_RETRIES = 100 };

struct foreign_source {
    struct source base;
    struct input *input;
    struct watcher *watcher;
    struct archive *archive;
    locale_t locale; /* UTF-8: else libarchive cannot give names that an archive holds in Unicode;
                        (locale_t)0 if there is none */
    struct archive_entry *header; /* the last that was read; libarchive's */
    int header_code;              /* and what libarchive said */
    bool has_header;              /* it was not looked at yet */
    unsigned retries;
    struct foreign_entry current;
    struct foreign_links links;
    struct buffer skipped; /* the folder that is not to be descended into */
    struct source_facts facts;
    struct foreign_stream stream;
};

static struct foreign_source *source_of(struct source *s)
{
    return (struct foreign_source *)s;
}

/* libarchive converts names by the calling thread's locale. */
static locale_t enter(const struct foreign_source *f)
{
    return f->locale != (locale_t)0 ? uselocale(f->locale) : uselocale((locale_t)0);
}

static void leave(locale_t before)
{
    uselocale(before);
}

/* What libarchive or its input says. */
static int failed(struct foreign_source *f, struct error *err)
{
    if (f->stream.failure.kind != ERROR_NONE) {
        error_move(err, &f->stream.failure);
        return -1;
    }
    const char *text = la.archive_error_string(f->archive);
    return error_set(err, ERROR_FORMAT, "read archive", "%s", text ? text : "damaged");
}

/* ---- Entries ---- */

static void read_header(struct foreign_source *f)
{
    locale_t before = enter(f);

    f->header_code = la.archive_read_next_header(f->archive, &f->header);
    f->has_header = true;
    leave(before);
}

static bool is_format(const struct foreign_source *f, int format)
{
    return (la.archive_format(f->archive) & ARCHIVE_FORMAT_BASE_MASK) == format;
}

/* A warning of libarchive about the entry. */
static void add_warning(struct foreign_source *f, enum problem_scope scope)
{
    struct error problem = {0};

    failed(f, &problem);
    foreign_entry_problem(&f->current, scope, &problem);
}

/* Makes the current entry of the header: 1, 0 if it is held back for its other names, -1. */
static int make_entry(struct foreign_source *f, struct error *err)
{
    struct foreign_entry *e = &f->current;

    if (foreign_entry_fill(e, f->header, la.archive_format(f->archive), err))
        return -1;
    if (f->header_code == ARCHIVE_WARN)
        add_warning(f, PROBLEM_METADATA);
    else if (f->header_code == ARCHIVE_RETRY)
        add_warning(f, PROBLEM_ENTRY);
    if (!is_format(f, ARCHIVE_FORMAT_CPIO) || e->entry.kind != ENTRY_FILE ||
        e->entry.link_count < 2 || e->entry.problem_scope != PROBLEM_NONE)
        return 1;
    return foreign_links_see(&f->links, e, (uint64_t)la.archive_entry_dev(f->header),
                             (uint64_t)la.archive_entry_ino64(f->header), err);
}

/* The next entry of the archive or of the names that were held back: 1, 0 at the end, -1. */
static int next_entry(struct foreign_source *f, struct error *err)
{
    for (;;) {
        int result = foreign_links_next(&f->links, &f->current, err);
        if (result != 0)
            return result;
        if (!f->has_header)
            read_header(f);
        if (f->header_code == ARCHIVE_EOF) {
            result = foreign_links_end(&f->links, err);
            if (result <= 0)
                return result;
            continue;
        }
        f->has_header = false;
        f->retries = f->header_code == ARCHIVE_RETRY ? f->retries + 1 : 0;
        if (f->header_code < ARCHIVE_WARN || f->retries > MAX_RETRIES)
            return failed(f, err);
        result = make_entry(f, err);
        if (result != 0)
            return result;
    }
}

/* After the last entry: nothing but padding may follow a format that is read in order, and the
 * input's own checks are made. */
static int finish(struct foreign_source *f, struct error *err)
{
    uint64_t trailing;

    if (is_format(f, ARCHIVE_FORMAT_CPIO) || is_format(f, ARCHIVE_FORMAT_AR)) {
        int rest = foreign_stream_rest(&f->stream, f->archive, err);
        if (rest < 0)
            return -1;
        if (rest > 0)
            watcher_loss(f->watcher, bytes_make(NULL, 0),
                         "what stands behind the end of the archive was not read", NULL);
    }
    return f->stream.file == OS_NO_HANDLE ? input_drain(f->input, &trailing, err) : 0;
}

/* The archive's own top, which has no name, and what lies in a folder that is not wanted. */
static bool is_hidden(const struct foreign_source *f)
{
    const struct entry *e = &f->current.entry;

    if (f->skipped.size != 0 && path_is_within(e->path, buffer_bytes(&f->skipped)))
        return true;
    return e->path.size == 0 && e->problem_scope == PROBLEM_NONE;
}

static int foreign_next(struct source *s, const struct entry **out, struct error *err)
{
    struct foreign_source *f = source_of(s);
    int result;

    do {
        result = next_entry(f, err);
    } while (result == 1 && is_hidden(f));
    if (result == 1)
        *out = &f->current.entry;
    return result == 0 ? finish(f, err) : result;
}

static int foreign_load(struct source *s, const struct entry **out, struct error *err)
{
    (void)err;
    *out = &source_of(s)->current.entry;
    return 0;
}

static void foreign_skip(struct source *s)
{
    struct foreign_source *f = source_of(s);
    struct error err = {0};

    buffer_clear(&f->skipped);
    if (buffer_append(&f->skipped, f->current.path.data, f->current.path.size, &err))
        buffer_clear(&f->skipped); /* then its content comes, and is refused one by one */
    error_release(&err);
}

/* ---- Data ---- */

struct foreign_data {
    struct data base;
    struct foreign_source *source;
    struct extent whole;
    uint64_t position;     /* logical bytes given out or passed over */
    struct bytes block;    /* libarchive's, not given out yet */
    uint64_t block_offset; /* where it belongs */
    bool has_ended;
};

/* Gets the next block: 1, 0 at the end of the content, -1. */
static int next_block(struct foreign_data *d, struct error *err)
{
    struct foreign_source *f = d->source;
    const void *bytes = NULL;
    size_t count = 0;
    la_int64_t offset = 0;

    if (d->has_ended)
        return 0;
    locale_t before = enter(f);
    int code = la.archive_read_data_block(f->archive, &bytes, &count, &offset);
    leave(before);
    d->has_ended = code != ARCHIVE_OK;
    if (code == ARCHIVE_EOF)
        return 0;
    if (code != ARCHIVE_OK)
        return failed(f, err);
    d->block = bytes_make(bytes, count);
    d->block_offset = (uint64_t)offset;
    if (offset < 0 || d->block_offset < d->position || d->block_offset > d->base.size ||
        count > d->base.size - d->block_offset)
        return error_set(err, ERROR_FORMAT, "read archive", "content outside of the file's size");
    return 1;
}

/* Gives out up to `count` bytes, or passes over them if `to` is NULL; at least one. */
static int give(struct foreign_data *d, uint8_t *to, size_t count, size_t *given, struct error *err)
{
    while (d->block.size == 0) {
        int more = next_block(d, err);
        if (more < 0)
            return -1;
        if (more == 0)
            return error_set(err, ERROR_FORMAT, "read archive",
                             "content shorter than the file's size");
    }
    if (d->position < d->block_offset) {
        uint64_t hole = d->block_offset - d->position;
        *given = hole < count ? (size_t)hole : count;
        if (to)
            memset(to, 0, *given);
    } else {
        *given = d->block.size < count ? d->block.size : count;
        if (to)
            memcpy(to, d->block.data, *given);
        d->block = bytes_make(d->block.data + *given, d->block.size - *given);
        d->block_offset += *given;
    }
    d->position += *given;
    return 0;
}

/* libarchive checks lengths and checksums when it is asked for more than there is. */
static int check_end(struct foreign_data *d, struct error *err)
{
    int more;

    do {
        more = next_block(d, err);
    } while (more == 1 && d->block.size == 0);
    if (more == 1)
        return error_set(err, ERROR_FORMAT, "read archive", "content longer than the file's size");
    return more;
}

static int foreign_data_read(struct data *base, uint64_t offset, struct data_span span, size_t *got,
                             struct error *err)
{
    struct foreign_data *d = (struct foreign_data *)base;
    uint8_t *to = span.bytes;
    size_t given;

    *got = 0;
    if (offset < d->position)
        return error_set(err, ERROR_USAGE, "read archive", "an archive's content is read forwards");
    while (d->position < offset && d->position < base->size) {
        uint64_t left = offset - d->position;
        if (give(d, NULL, left < SIZE_MAX ? (size_t)left : SIZE_MAX, &given, err))
            return -1;
    }
    while (*got < span.capacity && d->position < base->size) {
        uint64_t left = base->size - d->position;
        size_t wanted = span.capacity - *got;
        if (give(d, to + *got, left < wanted ? (size_t)left : wanted, &given, err))
            return -1;
        *got += given;
    }
    return d->position == base->size ? check_end(d, err) : 0;
}

static void foreign_data_close(struct data *base)
{
    free(base);
}

static const struct data_ops foreign_data_ops = {.read = foreign_data_read,
                                                 .close = foreign_data_close};

static int foreign_open_data(struct source *s, struct data **out, struct error *err)
{
    struct foreign_source *f = source_of(s);
    const struct entry *e = &f->current.entry;
    struct foreign_data *d;

    if (entry_is_further_name(e))
        return error_set(err, ERROR_UNSUPPORTED, "read archive",
                         "the data stands at the first name");
    if (e->size != 0 && la.archive_entry_is_data_encrypted(f->header))
        return error_set(err, ERROR_UNSUPPORTED, "read archive", "the content is encrypted");
    d = calloc(1, sizeof *d);
    if (!d)
        return error_memory(err);
    d->base.ops = &foreign_data_ops;
    d->base.size = d->whole.length = e->size;
    d->base.extents = &d->whole;
    d->base.extent_count = e->size != 0;
    d->base.os_handle = OS_NO_HANDLE;
    d->source = f;
    d->has_ended = e->size == 0; /* a name that was held back has no header any more */
    *out = &d->base;
    return 0;
}

/* ---- The source ---- */

static const struct source_facts *foreign_facts(struct source *s)
{
    return &source_of(s)->facts;
}

static void release(struct foreign_source *f)
{
    locale_t before = enter(f);
    la.archive_read_free(f->archive);
    leave(before);
    if (f->locale != (locale_t)0)
        freelocale(f->locale);
    foreign_stream_close(&f->stream);
    foreign_links_release(&f->links);
    foreign_entry_release(&f->current);
    buffer_release(&f->skipped);
    free(f);
}

static void foreign_close(struct source *s)
{
    struct input *in = source_of(s)->input;

    release(source_of(s));
    input_close(in);
}

static const struct source_ops foreign_ops = {
    .next = foreign_next,
    .load = foreign_load,
    .skip = foreign_skip,
    .open_data = foreign_open_data,
    .facts = foreign_facts,
    .close = foreign_close,
};

static int add_formats(struct archive *a)
{
    int (*const formats[])(struct archive *) = {
        la.archive_read_support_format_7zip,         la.archive_read_support_format_ar,
        la.archive_read_support_format_cab,          la.archive_read_support_format_cpio,
        la.archive_read_support_format_iso9660,      la.archive_read_support_format_lha,
        la.archive_read_support_format_rar,          la.archive_read_support_format_rar5,
        la.archive_read_support_format_warc,         la.archive_read_support_format_xar,
        la.archive_read_support_format_zip_seekable,
    };

    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (formats[i](a) < ARCHIVE_WARN)
            return -1;
    return 0;
}

static int unknown_format(struct foreign_source *f, struct error *err)
{
    if (f->stream.failure.kind != ERROR_NONE)
        return failed(f, err);
    const char *guess = foreign_stream_guess(&f->stream);
    if (guess)
        return error_set(err, ERROR_FORMAT, "read archive",
                         "a %s archive without its table of contents: cut short or damaged", guess);
    return error_set(err, ERROR_FORMAT, "read archive", "not an archive");
}

/* What the formats' times are cut to. Of those that are not here it is not known. */
static uint64_t time_grain(int format)
{
    switch (format & ARCHIVE_FORMAT_BASE_MASK) {
    case ARCHIVE_FORMAT_7ZIP:
        return 100;
    case ARCHIVE_FORMAT_CPIO:
    case ARCHIVE_FORMAT_ZIP:
        return 1000000000;
    default:
        return 0;
    }
}

/* Finds out the format and reads the first header. */
static int begin(struct foreign_source *f, struct error *err)
{
    f->archive = la.archive_read_new();
    if (!f->archive)
        return error_memory(err);
    if (add_formats(f->archive))
        return failed(f, err);
    if (foreign_stream_attach(&f->stream, f->archive) != ARCHIVE_OK)
        return unknown_format(f, err);
    read_header(f);
    f->facts.time_grain_ns = time_grain(la.archive_format(f->archive));
    return f->header_code >= ARCHIVE_WARN ? 0 : failed(f, err);
}

int foreign_open(struct input *in, struct watcher *watcher, struct source **out, struct error *err)
{
    struct foreign_source *f;

    if (libarchive_load(err))
        return -1;
    f = calloc(1, sizeof *f);
    if (!f)
        return error_memory(err);
    f->base.ops = &foreign_ops;
    f->input = in;
    f->watcher = watcher;
    f->facts = (struct source_facts){.host_system = "", .sequential = true};
    f->locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    foreign_links_init(&f->links);
    if (foreign_stream_open(&f->stream, in, err) || begin(f, err)) {
        release(f);
        return -1;
    }
    *out = &f->base;
    return 0;
}
