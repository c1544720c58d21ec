/*
 * foreign_write.c: see foreign_write.h. What libarchive's writers do with names depends on the
 * calling thread's locale: in a UTF-8 one zip marks names as Unicode and 7z can convert them, in
 * the "C" locale zip writes bytes without a mark. So each member is written in the one that it
 * needs.
 */
#define _GNU_SOURCE /* newlocale, uselocale */
#include "archive/foreign_write.h"

#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/foreign_name.h"
#include "archive/libarchive.h"

/* libarchive gathers small writes into blocks of this. */
enum { BLOCK_BYTES = 1 << 18 };

struct foreign_writer {
    const struct export_facts *facts;
    enum export_format format;
    os_handle handle;
    uint64_t bytes;
    struct archive *archive; /* NULL without a handle */
    struct archive_entry *entry;
    struct archive_entry *probe; /* for foreign_writer_keeps_name */
    locale_t utf8, plain;
    bool discards; /* no byte more is wanted */
    struct buffer path, target;
    struct error failure; /* of writing; libarchive does not hear of it */
};

/* ---- The library's ways ---- */

/* Never fails: after an error libarchive would leak its buffers. Whoever called libarchive looks at
 * `failure`. */
static la_ssize_t write_callback(struct archive *a, void *context, const void *bytes, size_t count)
{
    struct foreign_writer *w = context;

    (void)a;
    if (!w->discards && os_write(w->handle, bytes, count, &w->failure) != 0)
        w->discards = true;
    if (!w->discards)
        w->bytes += count;
    return (la_ssize_t)count;
}

/* What libarchive says; a system's error in its own words, too. */
static int failed(struct foreign_writer *w, struct error *err)
{
    const char *text = la.archive_error_string(w->archive);
    int code = la.archive_errno(w->archive);

    error_set(err, ERROR_UNSUPPORTED, "write archive", "%s",
              text != NULL ? text : "libarchive does not say why");
    if (code > 0 && code != ERANGE && code != EILSEQ && err != NULL) {
        err->kind = code == ENOMEM ? ERROR_MEMORY : ERROR_OS;
        err->os_code = code;
    }
    return -1;
}

/* After a call of libarchive: -1 if what it wrote did not get out. */
static int check_written(struct foreign_writer *w, struct error *err)
{
    if (w->failure.kind == ERROR_NONE)
        return 0;
    error_move(err, &w->failure);
    return -1;
}

/* ---- Opening ---- */

static int set_level(struct foreign_writer *w, int level)
{
    char text[2] = {(char)('0' + level), '\0'};

    return level == 0
               ? ARCHIVE_OK
               : la.archive_write_set_format_option(w->archive, NULL, "compression-level", text);
}

static int open_archive(struct foreign_writer *w, const struct foreign_write_options *options,
                        struct error *err)
{
    int (*const formats[])(struct archive *) = {
        [EXPORT_ZIP] = la.archive_write_set_format_zip,
        [EXPORT_7Z] = la.archive_write_set_format_7zip,
        [EXPORT_CPIO] = la.archive_write_set_format_cpio_newc,
    };

    w->archive = la.archive_write_new();
    if (w->archive == NULL)
        return error_memory(err);
    if (formats[options->format](w->archive) != ARCHIVE_OK ||
        set_level(w, options->level) != ARCHIVE_OK ||
        la.archive_write_set_bytes_per_block(w->archive, BLOCK_BYTES) != ARCHIVE_OK ||
        la.archive_write_set_bytes_in_last_block(w->archive, 1) != ARCHIVE_OK ||
        la.archive_write_open(w->archive, w, NULL, write_callback, NULL) != ARCHIVE_OK)
        return failed(w, err);
    return 0;
}

static int open_locales(struct foreign_writer *w, struct error *err)
{
    w->plain = newlocale(LC_CTYPE_MASK, "C", (locale_t)0);
    w->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    if (w->plain == (locale_t)0 || (w->facts->unicode_names && w->utf8 == (locale_t)0))
        return error_set(err, ERROR_UNSUPPORTED, "write archive",
                         "the system has no locale C.UTF-8, which %s archives need",
                         w->facts->name);
    return 0;
}

int foreign_writer_open(os_handle handle, const struct foreign_write_options *options,
                        struct foreign_writer **out, struct error *err)
{
    struct foreign_writer *w;

    if (libarchive_load(err) != 0)
        return -1;
    w = calloc(1, sizeof *w);
    if (w == NULL)
        return error_memory(err);
    w->facts = export_facts(options->format);
    w->format = options->format;
    w->handle = handle;
    w->entry = la.archive_entry_new();
    w->probe = la.archive_entry_new();
    if (w->entry == NULL || w->probe == NULL) {
        foreign_writer_free(w);
        return error_memory(err);
    }
    if (open_locales(w, err) != 0 ||
        (handle != OS_NO_HANDLE && open_archive(w, options, err) != 0)) {
        foreign_writer_free(w);
        return -1;
    }
    *out = w;
    return 0;
}

void foreign_writer_free(struct foreign_writer *w)
{
    if (w == NULL)
        return;
    if (w->archive != NULL) {
        w->discards = true;
        (void)la.archive_write_close(w->archive); /* or it leaks what it holds back */
        la.archive_write_free(w->archive);
    }
    la.archive_entry_free(w->entry);
    la.archive_entry_free(w->probe);
    if (w->utf8 != (locale_t)0)
        freelocale(w->utf8);
    if (w->plain != (locale_t)0)
        freelocale(w->plain);
    buffer_release(&w->path);
    buffer_release(&w->target);
    error_release(&w->failure);
    free(w);
}

/* ---- Names ---- */

static bool is_ascii(struct bytes b)
{
    for (size_t i = 0; i < b.size; i++) {
        if (b.data[i] >= 0x80)
            return false;
    }
    return true;
}

/* Asks libarchive itself, by the conversion that its readers use, what becomes of Unicode. */
static bool comes_back(const struct foreign_writer *w, struct bytes text)
{
    struct buffer name = {0};
    struct error err = {0};
    bool same = is_ascii(text);

    if (!same && buffer_append(&name, text.data, text.size, &err) == 0 &&
        buffer_terminate(&name, &err) == 0) {
        locale_t before = uselocale(w->utf8);
        la.archive_entry_clear(w->probe);
        la.archive_entry_set_pathname_utf8(w->probe, (const char *)name.data);
        const char *back = la.archive_entry_pathname(w->probe);
        same = back != NULL && strcmp(back, (const char *)name.data) == 0;
        uselocale(before);
    }
    buffer_release(&name);
    error_release(&err);
    return same;
}

/* Whether the member's name is written as Unicode. zip has one mark for name and target: a target
 * that would not come back with it decides. */
static bool is_unicode(const struct foreign_writer *w, const struct entry *e)
{
    if (w->format != EXPORT_ZIP)
        return w->format == EXPORT_7Z;
    return text_is_utf8(e->path) &&
           (e->kind != ENTRY_SYMLINK || (text_is_utf8(e->target) && comes_back(w, e->target)));
}

bool foreign_writer_keeps_name(const struct foreign_writer *w, const struct entry *e)
{
    struct buffer escaped = {0};
    struct error err = {0};
    bool keeps;

    if (w->format != EXPORT_7Z)
        return !is_unicode(w, e) || comes_back(w, entry_name(e));
    keeps = foreign_name_escape(&escaped, entry_name(e), &err) == 0 &&
            comes_back(w, buffer_bytes(&escaped));
    buffer_release(&escaped);
    error_release(&err);
    return keeps;
}

/* Some top-level names mean something else to readers: the end of a cpio archive, and in zip
 * backslashes where there is no slash are taken for slashes. All of them drop a leading "./". */
static bool needs_dot(const struct foreign_writer *w, const struct entry *e)
{
    static const char trailer[] = "TRAILER!!!";

    if (w->format == EXPORT_CPIO)
        return bytes_equal(e->path, bytes_of(trailer));
    return w->format == EXPORT_ZIP && e->depth == 0 && e->kind != ENTRY_DIRECTORY &&
           memchr(e->path.data, '\\', e->path.size) != NULL;
}

static int fill_path(struct foreign_writer *w, const struct entry *e, struct error *err)
{
    if (w->format == EXPORT_7Z)
        return foreign_name_escape(&w->path, e->path, err);
    buffer_clear(&w->path);
    if (needs_dot(w, e) && buffer_append(&w->path, "./", 2, err) != 0)
        return -1;
    if (buffer_append(&w->path, e->path.data, e->path.size, err) != 0)
        return -1;
    return buffer_terminate(&w->path, err);
}

/* ---- Members ---- */

static int fill_target(struct foreign_writer *w, const struct entry *e, struct error *err)
{
    buffer_clear(&w->target);
    if (buffer_append(&w->target, e->target.data, e->target.size, err) != 0 ||
        buffer_terminate(&w->target, err) != 0)
        return -1;
    la.archive_entry_set_symlink(w->entry, (const char *)w->target.data);
    return 0;
}

static int fill_entry(struct foreign_writer *w, const struct foreign_member *m, struct error *err)
{
    static const unsigned types[] = {
        [ENTRY_DIRECTORY] = AE_IFDIR,    [ENTRY_FILE] = AE_IFREG,    [ENTRY_SYMLINK] = AE_IFLNK,
        [ENTRY_FIFO] = AE_IFIFO,         [ENTRY_SOCKET] = AE_IFSOCK, [ENTRY_CHAR_DEVICE] = AE_IFCHR,
        [ENTRY_BLOCK_DEVICE] = AE_IFBLK,
    };
    const struct entry *e = m->entry;
    struct archive_entry *to = w->entry;

    la.archive_entry_clear(to);
    if (fill_path(w, e, err) != 0)
        return -1;
    la.archive_entry_set_pathname(to, (const char *)w->path.data);
    la.archive_entry_set_mode(to, (mode_t)(types[e->kind] | (e->meta.mode & 07777)));
    la.archive_entry_set_uid(to, (la_int64_t)e->meta.owner);
    la.archive_entry_set_gid(to, (la_int64_t)e->meta.group);
    la.archive_entry_set_mtime(to, m->mtime.seconds, (long)m->mtime.nanoseconds);
    la.archive_entry_set_size(to, e->kind == ENTRY_FILE ? (la_int64_t)m->size : 0);
    la.archive_entry_set_ino64(to, m->number);
    la.archive_entry_set_nlink(to, m->names);
    if (e->kind == ENTRY_CHAR_DEVICE || e->kind == ENTRY_BLOCK_DEVICE) {
        la.archive_entry_set_rdevmajor(to, e->device_major);
        la.archive_entry_set_rdevminor(to, e->device_minor);
    }
    return e->kind == ENTRY_SYMLINK ? fill_target(w, e, err) : 0;
}

int foreign_writer_begin(struct foreign_writer *w, const struct foreign_member *m,
                         struct error *trouble, struct error *err)
{
    if (fill_entry(w, m, err) != 0)
        return -1;
    locale_t before = uselocale(is_unicode(w, m->entry) ? w->utf8 : w->plain);
    int code = la.archive_write_header(w->archive, w->entry);
    uselocale(before);
    if (check_written(w, err) != 0)
        return -1;
    if (code == ARCHIVE_OK)
        return 1;
    if (code != ARCHIVE_WARN && code != ARCHIVE_FAILED)
        return failed(w, err);
    (void)failed(w, trouble);
    return code == ARCHIVE_WARN;
}

int foreign_writer_add(struct foreign_writer *w, struct bytes content, struct error *err)
{
    while (content.size != 0) {
        la_ssize_t written = la.archive_write_data(w->archive, content.data, content.size);

        if (check_written(w, err) != 0)
            return -1;
        if (written < 0)
            return failed(w, err);
        if (written == 0)
            return error_set(err, ERROR_CHANGED, "write archive",
                             "more content than was announced");
        content = bytes_make(content.data + written, content.size - (size_t)written);
    }
    return 0;
}

int foreign_writer_end(struct foreign_writer *w, struct error *trouble, struct error *err)
{
    int code = la.archive_write_finish_entry(w->archive);

    if (check_written(w, err) != 0)
        return -1;
    if (code == ARCHIVE_OK)
        return 0;
    if (code != ARCHIVE_WARN)
        return failed(w, err);
    (void)failed(w, trouble);
    return 0;
}

int foreign_writer_finish(struct foreign_writer *w, struct error *err)
{
    int code = la.archive_write_close(w->archive);

    if (check_written(w, err) != 0)
        return -1;
    return code == ARCHIVE_OK ? 0 : failed(w, err);
}

uint64_t foreign_writer_bytes(const struct foreign_writer *w)
{
    return w->bytes;
}
