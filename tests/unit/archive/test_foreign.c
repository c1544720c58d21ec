/*
 * Archives of other tools through libarchive: names, kinds and links come right; what libarchive
 * lets pass is found.
 */
#define _GNU_SOURCE /* memmem */
#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "archive/foreign.h"
#include "archive/tar.h"
#include "support/check.h"
#include "support/folder.h"

static struct error err;

/* ---- A watcher that counts ---- */

static unsigned losses;

static void count_notice(struct watcher *w, const struct notice *n)
{
    (void)w;
    losses += n->kind == NOTICE_LOSS;
}

static void no_progress(struct watcher *w, uint64_t entries, uint64_t bytes, struct bytes path)
{
    (void)w;
    (void)entries;
    (void)bytes;
    (void)path;
}

static bool never_stopped(struct watcher *w)
{
    (void)w;
    return false;
}

static struct watcher watcher = {count_notice, no_progress, never_stopped};

/* ---- Making archives ---- */

struct member {
    const char *path;
    mode_t type;
    const char *content; /* of a file; target of a symlink */
};

static const struct member members[] = {
    {"dir", AE_IFDIR, ""},
    {"dir/file", AE_IFREG, "some content"},
    {"dir/empty", AE_IFREG, ""},
    {"dir/link", AE_IFLNK, "../elsewhere/\xc3\xa9"},
    {"\xc3\xa9\xf0\x9f\x98\x80", AE_IFREG, "name in UTF-8"},
};
enum { MEMBER_COUNT = sizeof members / sizeof *members };

static struct archive *new_writer(int (*format)(struct archive *), int (*filter)(struct archive *))
{
    struct archive *a = archive_write_new();

    assert_non_null(a);
    assert_int_equal(format(a), ARCHIVE_OK);
    if (filter)
        assert_int_equal(filter(a), ARCHIVE_OK);
    archive_write_set_bytes_in_last_block(a, 1);
    if (format == archive_write_set_format_zip)
        assert_int_equal(archive_write_set_options(a, "zip:compression=store"), ARCHIVE_OK);
    return a;
}

static void write_member(struct archive *a, const struct member *m)
{
    struct archive_entry *e = archive_entry_new();

    assert_non_null(e);
    archive_entry_set_pathname_utf8(e, m->path);
    archive_entry_set_pathname(e, m->path);
    archive_entry_set_mode(e, m->type | (m->type == AE_IFDIR ? 0755 : 0640));
    archive_entry_set_mtime(e, 1000000000, 0);
    archive_entry_set_uid(e, 1234);
    archive_entry_set_gid(e, 5678);
    archive_entry_set_nlink(e, 1);
    archive_entry_set_size(e, m->type == AE_IFREG ? (la_int64_t)strlen(m->content) : 0);
    if (m->type == AE_IFLNK)
        archive_entry_set_symlink(e, m->content);
    assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
    if (m->type == AE_IFREG)
        assert_int_equal(archive_write_data(a, m->content, strlen(m->content)), strlen(m->content));
    archive_entry_free(e);
}

/* All members as an archive in memory. */
static void make_archive(struct buffer *out, int (*format)(struct archive *),
                         int (*filter)(struct archive *))
{
    struct archive *a = new_writer(format, filter);
    size_t capacity = 4 << 20;
    /* The writers want to know how names are to be read; the adapter is tested in the C locale. */
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0), before = uselocale(utf8);

    buffer_clear(out);
    check_done(buffer_reserve(out, capacity, &err));
    assert_int_equal(archive_write_open_memory(a, out->data, capacity, &out->size), ARCHIVE_OK);
    for (size_t i = 0; i < MEMBER_COUNT; i++)
        write_member(a, &members[i]);
    assert_int_equal(archive_write_close(a), ARCHIVE_OK);
    archive_write_free(a);
    uselocale(before);
    freelocale(utf8);
}

/* ---- Reading ---- */

static os_handle file_of(const struct folder *f, struct bytes content)
{
    os_handle file;

    check_done(os_create_file(f->handle, "archive", 0600, &file, &err));
    check_done(os_remove(f->handle, "archive", &err));
    check_done(os_write(file, content.data, content.size, &err));
    return file;
}

static os_handle pipe_of(struct bytes bytes)
{
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(ends[0]);
        while (bytes.size != 0) {
            ssize_t written = write(ends[1], bytes.data, bytes.size);
            if (written <= 0)
                _exit(0);
            bytes = bytes_make(bytes.data + written, bytes.size - (size_t)written);
        }
        _exit(0);
    }
    close(ends[1]);
    return ends[0];
}

static struct source *open_foreign(os_handle handle)
{
    struct source *s;
    struct input *in;

    check_done(input_open(handle, INPUT_AS_IT_COMES, &in, &err));
    assert_int_equal(input_kind(in), INPUT_FOREIGN);
    check_done(foreign_open(in, &watcher, &s, &err));
    return s;
}

/* Reads a file's content: 0 or -1. */
static int read_content(struct source *s, char *out, size_t capacity, size_t *count)
{
    struct data *d;
    size_t got;
    int result;

    *count = 0;
    if (source_open_data(s, &d, &err))
        return -1;
    do {
        struct data_span span = {out + *count, capacity - *count < 5 ? capacity - *count : 5};
        result = data_read(d, *count, span, &got, &err);
        if (result == 0)
            *count += got;
    } while (result == 0 && got != 0);
    data_close(d);
    return result;
}

static void check_content(struct source *s, const char *wanted)
{
    char content[100];
    size_t count;

    check_done(read_content(s, content, sizeof content, &count));
    check_text(bytes_make(content, count), wanted);
}

static const struct member *find_member(struct bytes path)
{
    for (size_t i = 0; i < MEMBER_COUNT; i++)
        if (bytes_equal(path, bytes_of(members[i].path)))
            return &members[i];
    return NULL;
}

static enum entry_kind kind_of(mode_t type)
{
    return type == AE_IFDIR ? ENTRY_DIRECTORY : type == AE_IFLNK ? ENTRY_SYMLINK : ENTRY_FILE;
}

static void check_members(struct source *s)
{
    const struct entry *e;
    size_t count = 0;

    while (check_done(source_next(s, &e, &err)) == 1) {
        const struct member *m = find_member(e->path);
        assert_non_null(m);
        assert_int_equal(e->problem_scope, PROBLEM_NONE);
        assert_int_equal(e->kind, kind_of(m->type));
        assert_int_equal(e->meta.mtime.seconds, 1000000000);
        assert_true(e->meta.known & METADATA_MTIME);
        check_text(entry_name(e), strrchr(m->path, '/') ? strrchr(m->path, '/') + 1 : m->path);
        if (e->kind == ENTRY_SYMLINK)
            check_text(e->target, m->content);
        if (e->kind == ENTRY_FILE) {
            assert_int_equal(e->meta.mode, 0640);
            assert_int_equal(e->size, strlen(m->content));
            check_content(s, m->content);
        }
        count++;
    }
    assert_int_equal(count, MEMBER_COUNT);
}

struct kind_of_archive {
    int (*format)(struct archive *);
    int (*filter)(struct archive *);
};

static void test_formats(void **state)
{
    static const struct kind_of_archive kinds[] = {
        {archive_write_set_format_zip, NULL},
        {archive_write_set_format_7zip, NULL},
        {archive_write_set_format_xar, NULL},
        {archive_write_set_format_cpio_newc, NULL},
        {archive_write_set_format_cpio_odc, archive_write_add_filter_gzip},
        {archive_write_set_format_cpio_newc, archive_write_add_filter_xz},
        {archive_write_set_format_zip, archive_write_add_filter_bzip2},
        {archive_write_set_format_cpio_newc, archive_write_add_filter_lz4},
        {archive_write_set_format_cpio_newc, archive_write_add_filter_zstd},
    };
    struct buffer archive = {0};

    losses = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        make_archive(&archive, kinds[i].format, kinds[i].filter);
        struct source *s = open_foreign(file_of(*state, buffer_bytes(&archive)));
        check_members(s);
        assert_true(source_facts(s)->sequential);
        assert_false(source_facts(s)->ordered);
        source_close(s);
        s = open_foreign(pipe_of(buffer_bytes(&archive)));
        check_members(s);
        source_close(s);
    }
    while (wait(NULL) > 0)
        continue;
    assert_int_equal(losses, 0);
    buffer_release(&archive);
}

/* A tar archive in other compressions is a tar archive. */
static void test_filters(void **state)
{
    static const struct {
        int (*filter)(struct archive *);
        const char *name;
    } filters[] = {
        {archive_write_add_filter_xz, "xz"},
        {archive_write_add_filter_bzip2, "bzip2"},
        {archive_write_add_filter_lz4, "lz4"},
        {archive_write_add_filter_lzma, "lzma"},
        {archive_write_add_filter_lzip, "lzip"},
        {archive_write_add_filter_compress, "compress (.Z)"},
        {archive_write_add_filter_gzip, "gzip"},
        {archive_write_add_filter_zstd, "zstd"},
        {archive_write_add_filter_none, "plain"},
    };
    struct buffer plain = {0}, archive = {0};
    uint8_t *got = malloc(1 << 16);

    assert_non_null(got);
    make_archive(&plain, archive_write_set_format_ustar, NULL);
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
        struct input *in;
        uint64_t trailing;
        size_t count;

        make_archive(&archive, archive_write_set_format_ustar, filters[i].filter);
        check_done(
            input_open(file_of(*state, buffer_bytes(&archive)), INPUT_AS_IT_COMES, &in, &err));
        assert_int_equal(input_kind(in), INPUT_TAR);
        for (int round = 0; round < 2; round++) {
            assert_string_equal(input_compression(in), filters[i].name);
            check_done(input_read(in, got, 1 << 16, &count, &err));
            assert_int_equal(count, plain.size);
            assert_memory_equal(got, plain.data, count);
            check_done(input_drain(in, &trailing, &err));
            assert_int_equal(trailing, 0);
            check_done(input_rewind(in, &err));
        }
        input_close(in);
    }
    free(got);
    buffer_release(&plain);
    buffer_release(&archive);
}

/* Reads as much as there is: -1 if anything was wrong. */
static int read_through(os_handle handle)
{
    struct input *in = NULL;
    uint64_t trailing;
    uint8_t room[1000];
    size_t got = sizeof room;
    int result = input_open(handle, INPUT_AS_IT_COMES, &in, &err);

    while (result == 0 && got == sizeof room)
        result = input_read(in, room, sizeof room, &got, &err);
    if (result == 0)
        result = input_drain(in, &trailing, &err);
    if (in)
        input_close(in);
    else
        os_close(handle);
    error_release(&err);
    return result;
}

static void test_damaged_filters(void **state)
{
    static int (*const filters[])(struct archive *) = {
        archive_write_add_filter_xz, archive_write_add_filter_bzip2, archive_write_add_filter_lz4};
    struct buffer archive = {0};

    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
        make_archive(&archive, archive_write_set_format_ustar, filters[i]);
        assert_int_equal(read_through(file_of(*state, buffer_bytes(&archive))), 0);
        for (size_t cut = 20; cut < archive.size; cut += 7)
            assert_int_equal(read_through(file_of(*state, bytes_make(archive.data, cut))), -1);
        check_done(buffer_append(&archive, "other bytes", 11, &err));
        assert_int_equal(read_through(file_of(*state, buffer_bytes(&archive))), -1);
    }
    buffer_release(&archive);
}

/* ---- Hard links in cpio ---- */

static void add_cpio(struct buffer *out, const char *path, unsigned inode, unsigned links,
                     const char *content)
{
    char header[111];
    static const uint8_t padding[4];

    (void)snprintf(header, sizeof header,
                   "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", inode,
                   strcmp(path, "TRAILER!!!") ? 0100644u : 0u, 10u, 20u, links, 1000000000u,
                   (unsigned)strlen(content), 8u, 1u, 0u, 0u, (unsigned)strlen(path) + 1, 0u);
    check_done(buffer_append(out, header, 110, &err));
    check_done(buffer_append(out, path, strlen(path) + 1, &err));
    check_done(buffer_append(out, padding, (4 - out->size % 4) % 4, &err));
    check_done(buffer_append(out, content, strlen(content), &err));
    check_done(buffer_append(out, padding, (4 - out->size % 4) % 4, &err));
}

/* One line an entry: "path", "path=content" or "path>first name". */
static void describe(struct source *s, char *out, size_t capacity)
{
    const struct entry *e;

    *out = 0;
    while (check_done(source_next(s, &e, &err)) == 1) {
        size_t length = strlen(out);
        (void)snprintf(out + length, capacity - length, "%.*s", (int)e->path.size,
                       (const char *)e->path.data);
        length = strlen(out);
        assert_int_equal(e->meta.owner, 10);
        if (entry_is_further_name(e)) {
            (void)snprintf(out + length, capacity - length, ">%.*s", (int)e->first_name.size,
                           (const char *)e->first_name.data);
        } else {
            char content[50];
            size_t count;
            check_done(read_content(s, content, sizeof content, &count));
            (void)snprintf(out + length, capacity - length, "=%.*s", (int)count, content);
        }
        length = strlen(out);
        (void)snprintf(out + length, capacity - length, "\n");
    }
}

static void test_cpio_links(void **state)
{
    struct buffer archive = {0};
    char text[1000];

    add_cpio(&archive, "a", 1, 3, "");      /* the data comes with c */
    add_cpio(&archive, "x", 2, 2, "first"); /* the data comes at once */
    add_cpio(&archive, "b", 1, 3, "");
    add_cpio(&archive, "single", 3, 1, "one");
    add_cpio(&archive, "c", 1, 3, "data");
    add_cpio(&archive, "y", 2, 2, "first"); /* and again, as older forms do */
    add_cpio(&archive, "e1", 4, 2, "");     /* an empty file */
    add_cpio(&archive, "e2", 4, 2, "");
    add_cpio(&archive, "half", 5, 9, ""); /* names outside of the archive, no data */
    add_cpio(&archive, "p", 6, 4, "");    /* names outside, data */
    add_cpio(&archive, "q", 6, 4, "pq");
    add_cpio(&archive, "r", 6, 4, "");
    add_cpio(&archive, "TRAILER!!!", 0, 1, "");
    struct source *s = open_foreign(file_of(*state, buffer_bytes(&archive)));
    describe(s, text, sizeof text);
    assert_string_equal(
        text, "x=first\nsingle=one\nc=data\na>c\nb>c\ny>x\ne1=\ne2>e1\nq=pq\np>q\nr>q\nhalf=\n");
    source_close(s);
    buffer_release(&archive);
}

static void test_bytes_behind_cpio(void **state)
{
    struct buffer archive = {0};
    const struct entry *e;

    add_cpio(&archive, "a", 1, 1, "x");
    add_cpio(&archive, "TRAILER!!!", 0, 1, "");
    add_cpio(&archive, "second", 1, 1, "x");
    for (int i = 0; i < 2; i++) {
        struct bytes bytes = buffer_bytes(&archive);
        losses = 0;
        struct source *s = open_foreign(i == 0 ? file_of(*state, bytes) : pipe_of(bytes));
        assert_int_equal(check_done(source_next(s, &e, &err)), 1);
        assert_int_equal(check_done(source_next(s, &e, &err)), 0);
        assert_int_equal(losses, 1);
        source_close(s);
    }
    while (wait(NULL) > 0)
        continue;
    buffer_release(&archive);
}

/* ---- What is no archive, or a damaged one ---- */

static void check_refused(const struct folder *f, struct bytes content)
{
    struct source *s;
    struct input *in;

    check_done(input_open(file_of(f, content), INPUT_AS_IT_COMES, &in, &err));
    check_kind(foreign_open(in, &watcher, &s, &err), ERROR_FORMAT);
    input_close(in);
}

static void test_no_archives(void **state)
{
    struct buffer archive = {0};

    check_refused(*state, bytes_make(NULL, 0));
    check_refused(*state, bytes_of("hello"));
    check_refused(*state, bytes_of("#mtree\n./passwd type=file contents=/etc/passwd\n"));
    make_archive(&archive, archive_write_set_format_zip, NULL);
    check_refused(*state, bytes_make(archive.data, archive.size - 30));
    make_archive(&archive, archive_write_set_format_7zip, NULL);
    check_refused(*state, bytes_make(archive.data, archive.size - 5));
    make_archive(&archive, archive_write_set_format_ustar, NULL);
    check_refused(*state, bytes_make(archive.data, 300));
    buffer_release(&archive);
}

static void test_wrong_checksum(void **state)
{
    struct buffer archive = {0};
    const struct entry *e;
    char content[100];
    size_t count, failures = 0;

    make_archive(&archive, archive_write_set_format_zip, NULL);
    uint8_t *at = memmem(archive.data, archive.size, "some content", 12);
    assert_non_null(at);
    *at ^= 1;
    struct source *s = open_foreign(file_of(*state, buffer_bytes(&archive)));
    while (check_done(source_next(s, &e, &err)) == 1) {
        if (e->kind != ENTRY_FILE || read_content(s, content, sizeof content, &count) == 0)
            continue;
        check_text(e->path, "dir/file");
        assert_int_equal(err.kind, ERROR_FORMAT);
        error_release(&err);
        failures++;
    }
    assert_int_equal(failures, 1);
    source_close(s);
    buffer_release(&archive);
}

static void test_reading_forwards(void **state)
{
    struct buffer archive = {0};
    const struct entry *e;
    struct data *d;
    char content[4];
    size_t got;

    add_cpio(&archive, "f", 1, 1, "0123456789");
    add_cpio(&archive, "TRAILER!!!", 0, 1, "");
    struct source *s = open_foreign(file_of(*state, buffer_bytes(&archive)));
    assert_int_equal(check_done(source_next(s, &e, &err)), 1);
    check_done(source_open_data(s, &d, &err));
    assert_int_equal(d->extent_count, 1);
    check_done(data_read(d, 5, (struct data_span){content, 3}, &got, &err));
    check_text(bytes_make(content, got), "567");
    check_kind(data_read(d, 2, (struct data_span){content, 3}, &got, &err), ERROR_USAGE);
    check_done(data_read(d, 8, (struct data_span){content, 4}, &got, &err));
    check_text(bytes_make(content, got), "89");
    check_done(data_read(d, 10, (struct data_span){content, 4}, &got, &err));
    assert_int_equal(got, 0);
    data_close(d);
    source_close(s);
    buffer_release(&archive);
}

/* Names that lead out are passed on as they are, to be refused by whoever makes them. */
static void test_names(void **state)
{
    struct buffer archive = {0};
    const struct entry *e;
    static const char *const names[][2] = {
        {"./a//b", "a/b"}, {"../c", "../c"}, {"/d", "/d"}, {"e/../f", "e/../f"}};

    add_cpio(&archive, ".", 9, 1, "");
    for (unsigned i = 0; i < 4; i++)
        add_cpio(&archive, names[i][0], i + 1, 1, "");
    add_cpio(&archive, "TRAILER!!!", 0, 1, "");
    struct source *s = open_foreign(file_of(*state, buffer_bytes(&archive)));
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(check_done(source_next(s, &e, &err)), 1);
        check_text(e->path, names[i][1]);
    }
    assert_int_equal(check_done(source_next(s, &e, &err)), 0);
    source_close(s);
    buffer_release(&archive);
}

static void test_disc_image(void **state)
{
    struct buffer archive = {0};
    const struct entry *e;

    make_archive(&archive, archive_write_set_format_iso9660, NULL);
    struct source *s = open_foreign(file_of(*state, buffer_bytes(&archive)));
    size_t links = 0;
    while (check_done(source_next(s, &e, &err)) == 1)
        links += e->kind == ENTRY_SYMLINK && bytes_equal(e->target, bytes_of(members[3].content));
    assert_int_equal(links, 1);
    source_close(s);
    buffer_release(&archive);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_formats, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(test_filters, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(test_damaged_filters, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(test_cpio_links, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(test_bytes_behind_cpio, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(test_no_archives, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(test_wrong_checksum, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(test_reading_forwards, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(test_names, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(test_disc_image, folder_setup, folder_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
