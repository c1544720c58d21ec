/*
 * The engine of backup in other formats than tar: what is written comes back through our own
 * reader, and what does not is told; names of one file; contents that misbehave.
 */
#include "archive/export.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "archive/reading.h"
#include "support/archived.h"
#include "support/check.h"
#include "support/memory_data.h"
#include "support/stream.h"

static struct error err;

static const enum export_format formats[] = {EXPORT_ZIP, EXPORT_7Z, EXPORT_CPIO};
enum { FORMAT_COUNT = sizeof formats / sizeof formats[0], LARGE_BYTES = READING_SMALL_BYTES + 9 };

/* ---- A source of whose files one misbehaves ---- */

struct moody {
    struct source base;
    struct source *inner;
    const char *path;
    int good_opens;              /* of the path; later ones fail */
    bool vanishes;               /* before it is looked up */
    struct memory_options large; /* the content, if it has a size */
    const struct entry *last;
};

static struct moody *moody_of(struct source *s)
{
    return (struct moody *)s;
}

static int moody_next(struct source *s, const struct entry **out, struct error *e)
{
    int more = source_next(moody_of(s)->inner, out, e);

    moody_of(s)->last = *out;
    return more;
}

static int moody_load(struct source *s, const struct entry **out, struct error *e)
{
    return source_load(moody_of(s)->inner, out, e);
}

static int moody_find(struct source *s, struct bytes path, const struct entry **out,
                      struct error *e)
{
    if (moody_of(s)->vanishes)
        return 0;
    int found = source_find(moody_of(s)->inner, path, out, e);

    moody_of(s)->last = *out;
    return found;
}

static int moody_open_data(struct source *s, struct data **out, struct error *e)
{
    static const struct memory_piece pieces[] = {{3, {(const uint8_t *)"begin", 5}},
                                                 {100, {(const uint8_t *)"middle", 6}}};
    struct moody *m = moody_of(s);

    if (!bytes_equal(m->last->path, bytes_of(m->path)))
        return source_open_data(m->inner, out, e);
    if (m->good_opens-- <= 0)
        return error_os(e, "open", 13);
    if (m->large.size == 0)
        return source_open_data(m->inner, out, e);
    *out = memory_data(&m->large, pieces, 2);
    return 0;
}

static const struct source_facts *moody_facts(struct source *s)
{
    return source_facts(moody_of(s)->inner);
}

static void moody_close(struct source *s)
{
    source_close(moody_of(s)->inner);
    free(s);
}

static const struct source_ops moody_ops = {.next = moody_next,
                                            .load = moody_load,
                                            .find = moody_find,
                                            .open_data = moody_open_data,
                                            .facts = moody_facts,
                                            .close = moody_close};

static struct source *moody(struct list_source *list, const struct moody *how)
{
    struct moody *m = calloc(1, sizeof *m);

    assert_non_null(m);
    *m = *how;
    m->base.ops = &moody_ops;
    m->inner = list_source(list);
    return &m->base;
}

/* ---- Writing ---- */

static const struct timestamp whole_second = {1500000000, 0};

/* A folder with three files, of times that every format holds. */
static struct list_source *three_files(void)
{
    struct list_source *list = list_source_new();

    list_add(list, ENTRY_DIRECTORY, "t")->meta.mtime = whole_second;
    list_file(list, "t/a", "first")->meta.mtime = whole_second;
    list_file(list, "t/b", "second")->meta.mtime = whole_second;
    list_file(list, "t/c", "last")->meta.mtime = whole_second;
    return list;
}

/* The same, "t/b" with two more names. */
static struct list_source *a_group(void)
{
    struct list_source *list = three_files();

    list_name(list, "t/d", "t/b");
    list_name(list, "t/e", "t/b");
    list_as_archive(list);
    return list;
}

static struct backup_counts exported(const struct folder *f, enum export_format format,
                                     struct source *source, struct told *told)
{
    struct export x = {.output = {.format = format}, .watcher = &told->watcher};

    if (export_facts(format)->highest_level != 0)
        x.output.level = 1; /* in a moment */
    (void)!os_remove(f->handle, "a", NULL);
    check_done(os_create_file(f->handle, "a", 0600, &x.archive, &err));
    check_done(export_run(&x, source, &err));
    os_close(x.archive);
    source_close(source);
    return x.counts;
}

/* What was told, but for the remark at the end and the owners that 7z does not hold. */
static void check_losses(struct told *told, const char *wanted)
{
    static const char owners[] = ": its owner and group are lost: the format has none; ";
    struct buffer rest = {0};
    char *text, *end, *owner;

    check_done(buffer_append(&rest, told->text.data, told->text.size, &err));
    check_done(buffer_append_byte(&rest, 0, &err));
    text = (char *)rest.data;
    end = strstr(text, "remark ");
    assert_non_null(end);
    *end = '\0';
    while ((owner = strstr(text, owners)) != NULL) {
        char *begin = owner;

        while (begin > text && begin[-1] != ' ')
            begin--;
        begin -= strlen("loss ");
        memmove(begin, owner + strlen(owners), strlen(owner + strlen(owners)) + 1);
    }
    assert_string_equal(text, wanted);
    buffer_clear(&told->text);
    buffer_release(&rest);
}

/* ---- Tests ---- */

static void each_format_gives_back_what_it_holds(void **state)
{
    for (size_t i = 0; i < FORMAT_COUNT; i++) {
        struct list_source *list = three_files();
        struct backup_counts counts;
        struct opened_archive a;
        const struct entry *e;
        struct told told;

        told_init(&told);
        list_link(list, "t/link", "no\\where/ \xff")->meta.mtime = whole_second;
        list_file(list, "t/\xff", "bytes")->meta.mtime = whole_second;
        list_file(list, "t/empty", "")->meta.mtime = whole_second;
        counts = exported(*state, formats[i], list_source(list), &told);
        assert_int_equal(counts.entries, 7);
        assert_int_equal(counts.kinds[ENTRY_FILE], 5);
        assert_int_equal(counts.file_bytes, 20);
        check_losses(&told, "");
        a = archive_opened(*state, "a", &told);
        assert_false(a.is_tar);
        check_content(a.source, "t/a", "first");
        e = stream_until(a.source, formats[i] == EXPORT_7Z ? "t/b" : "t/c");
        assert_int_equal(timestamp_compare(e->meta.mtime, whole_second), 0);
        assert_int_equal(e->meta.mode, 0644);
        assert_int_equal(e->meta.known & METADATA_OWNER,
                         formats[i] == EXPORT_7Z ? 0 : METADATA_OWNER);
        e = stream_until(a.source, "t/link");
        check_text(e->target, "no\\where/ \xff");
        check_content(a.source, "t/\xff", "bytes");
        source_close(a.source);
        check_told(&told, "");
        told_release(&told);
    }
}

static void the_same_source_gives_the_same_bytes(void **state)
{
    for (size_t i = 0; i < FORMAT_COUNT; i++) {
        struct buffer bytes[2];
        struct told told;

        told_init(&told);
        for (int k = 0; k < 2; k++) {
            (void)exported(*state, formats[i], list_source(a_group()), &told);
            bytes[k] = archive_bytes(*state, "a");
        }
        assert_true(bytes_equal(buffer_bytes(&bytes[0]), buffer_bytes(&bytes[1])));
        buffer_release(&bytes[0]);
        buffer_release(&bytes[1]);
        told_release(&told);
    }
}

static void names_of_one_file_become_copies(void **state)
{
    static const char copies[] =
        "loss t/d: no longer one file with its other names: the format has no hard links, and "
        "this name got a copy; "
        "loss t/e: no longer one file with its other names: the format has no hard links, and "
        "this name got a copy; ";

    for (size_t i = 0; i < 2; i++) {
        struct backup_counts counts;
        struct opened_archive a;
        struct told told;

        told_init(&told);
        counts = exported(*state, formats[i], list_source(a_group()), &told);
        assert_int_equal(counts.further_names, 0);
        assert_int_equal(counts.kinds[ENTRY_FILE], 5);
        assert_int_equal(counts.problems, formats[i] == EXPORT_7Z ? 8 : 2);
        check_losses(&told, copies);
        a = archive_opened(*state, "a", &told);
        check_content(a.source, "t/b", "second");
        check_content(a.source, "t/d", "second");
        check_content(a.source, "t/e", "second");
        source_close(a.source);
        told_release(&told);
    }
}

/* Whether the names are counted, and all of them are in the source, or not. */
static void cpio_keeps_names_of_one_file(void **state)
{
    static const uint64_t link_counts[] = {0, 3, 7};

    for (size_t i = 0; i < 3; i++) {
        struct list_source *list = a_group();
        struct backup_counts counts;
        struct opened_archive a;
        struct told told;

        told_init(&told);
        list_at(list, "t/b")->link_count = list_at(list, "t/d")->link_count =
            list_at(list, "t/e")->link_count = link_counts[i];
        counts = exported(*state, EXPORT_CPIO, list_source(list), &told);
        assert_int_equal(counts.entries, 6);
        assert_int_equal(counts.further_names, 2);
        assert_int_equal(counts.file_bytes, 15);
        check_losses(&told, "");
        a = archive_opened(*state, "a", &told);
        /* The name with the content comes first to us. */
        check_content(a.source, "t/e", "second");
        check_text(stream_until(a.source, "t/b")->first_name, "t/e");
        check_text(stream_until(a.source, "t/d")->first_name, "t/e");
        source_close(a.source);
        told_release(&told);
    }
}

static void other_kinds_keep_their_names_in_cpio(void **state)
{
    struct list_source *list = list_source_new();
    struct opened_archive a;
    struct told told;

    told_init(&told);
    list_add(list, ENTRY_DIRECTORY, "t")->meta.mtime = whole_second;
    list_link(list, "t/link", "x")->meta.mtime = whole_second;
    list_name(list, "t/link too", "t/link");
    list_add(list, ENTRY_FIFO, "t/pipe")->meta.mtime = whole_second;
    list_name(list, "t/pipe too", "t/pipe");
    list_file(list, "t/empty", "")->meta.mtime = whole_second;
    list_name(list, "t/empty too", "t/empty");
    list_as_archive(list);
    assert_int_equal(exported(*state, EXPORT_CPIO, list_source(list), &told).further_names, 3);
    check_losses(&told, "");
    a = archive_opened(*state, "a", &told);
    check_text(stream_until(a.source, "t/link too")->first_name, "t/link");
    check_text(stream_until(a.source, "t/pipe too")->first_name, "t/pipe");
    source_close(a.source);
    told_release(&told);
}

/* ---- Contents that misbehave ---- */

static void another_name_stands_in_for_an_unreadable_one(void **state)
{
    const struct moody never = {.path = "t/b"};
    struct opened_archive a;
    struct told told;

    told_init(&told);
    (void)exported(*state, EXPORT_CPIO, moody(a_group(), &never), &told);
    check_losses(&told, "error t/b: Permission denied; ");
    a = archive_opened(*state, "a", &told);
    check_content(a.source, "t/e", "second");
    check_text(stream_until(a.source, "t/d")->first_name, "t/e");
    check_stream(a.source, "");
    source_close(a.source);
    told_release(&told);
}

/* Nothing can be done about the names that were written, so it is said. With names that are not in
 * the source the last one is looked up at the end. */
static void a_content_that_is_gone_at_the_last_name_is_told(void **state)
{
    static const char denied[] = "error t/e: Permission denied; loss t/e: this content is missing "
                                 "from its file's other names, too: they are empty; ";
    static const char gone[] = "error t/e: it is gone, or another file now; loss t/e: this content "
                               "is missing from its file's other names, too: they are empty; ";
    static const struct {
        uint64_t link_count;
        bool vanishes;
        const char *told;
    } cases[] = {{3, false, denied}, {4, false, denied}, {4, true, gone}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct moody never = {.path = "t/e", .vanishes = cases[i].vanishes};
        struct list_source *list = a_group();
        struct told told;

        told_init(&told);
        list_at(list, "t/b")->link_count = cases[i].link_count;
        (void)exported(*state, EXPORT_CPIO, moody(list, &never), &told);
        check_losses(&told, cases[i].told);
        told_release(&told);
    }
}

static void holes_become_zeros(void **state)
{
    char content[203] = {0};

    memcpy(content + 3, "begin", 5);
    memcpy(content + 100, "middle", 6);
    for (size_t i = 0; i < FORMAT_COUNT; i++) {
        const struct moody sparse = {
            .path = "t/b", .good_opens = 9, .large = {.size = sizeof content}};
        struct opened_archive a;
        struct buffer got;
        struct told told;

        told_init(&told);
        (void)exported(*state, formats[i], moody(three_files(), &sparse), &told);
        check_losses(&told, "loss t/b: its holes are stored as zeros: the format has none; ");
        a = archive_opened(*state, "a", &told);
        (void)stream_until(a.source, "t/b");
        got = content_of(a.source);
        assert_int_equal(got.size, sizeof content);
        assert_memory_equal(got.data, content, sizeof content);
        buffer_release(&got);
        check_content(a.source, "t/c", "last");
        source_close(a.source);
        told_release(&told);
    }
}

static void a_large_file_keeps_its_announced_size(void **state)
{
    for (size_t i = 0; i < FORMAT_COUNT; i++) {
        const struct moody cut = {.path = "t/b",
                                  .good_opens = 9,
                                  .large = {.size = LARGE_BYTES, .dense = true, .cut = 5}};
        struct opened_archive a;
        struct buffer got;
        struct told told;

        told_init(&told);
        (void)exported(*state, formats[i], moody(three_files(), &cut), &told);
        check_losses(&told, "loss t/b: changed while it was read: cut or padded to the size it "
                            "had; ");
        a = archive_opened(*state, "a", &told);
        (void)stream_until(a.source, "t/b");
        got = content_of(a.source);
        assert_int_equal(got.size, LARGE_BYTES);
        assert_memory_equal(got.data, "\0\0\0be\0\0\0", 8);
        buffer_release(&got);
        check_content(a.source, "t/c", "last");
        source_close(a.source);
        told_release(&told);
    }
}

static void problems_are_named_and_the_run_goes_on(void **state)
{
    for (size_t i = 0; i < FORMAT_COUNT; i++) {
        const struct moody never = {.path = "t/b"};
        struct list_source *list = three_files();
        struct opened_archive a;
        struct told told;

        told_init(&told);
        list_problem(list, PROBLEM_ENTRY, "t/aa");
        list_problem(list, PROBLEM_CONTENT, "t");
        (void)exported(*state, formats[i], moody(list, &never), &told);
        check_losses(&told,
                     "error t: planted; error t/aa: planted; error t/b: Permission denied; ");
        a = archive_opened(*state, "a", &told);
        check_content(a.source, "t/a", "first");
        check_content(a.source, "t/c", "last");
        source_close(a.source);
        told_release(&told);
    }
}

/* ---- The run ---- */

static void a_dry_run_tells_the_same_and_writes_nothing(void **state)
{
    for (size_t i = 0; i < FORMAT_COUNT; i++) {
        const struct moody sparse = {.path = "t/c", .good_opens = 9, .large = {.size = 203}};
        struct export x = {.archive = OS_NO_HANDLE, .output = {.format = formats[i]}};
        struct source *s = moody(a_group(), &sparse);
        struct backup_counts counts;
        struct told told, wet;

        told_init(&told);
        told_init(&wet);
        counts = exported(*state, formats[i], moody(a_group(), &sparse), &wet);
        x.watcher = &told.watcher;
        check_done(export_run(&x, s, &err));
        assert_true(bytes_equal(buffer_bytes(&told.text), buffer_bytes(&wet.text)));
        assert_int_equal(x.counts.entries, counts.entries);
        assert_int_equal(x.counts.file_bytes, counts.file_bytes);
        assert_int_equal(x.counts.stored_bytes, 0);
        source_close(s);
        told_release(&told);
        told_release(&wet);
    }
}

static void a_disk_that_is_full_ends_the_run(void **state)
{
    (void)state;
    for (size_t i = 0; i < FORMAT_COUNT; i++) {
        struct export x = {.output = {.format = formats[i]}};
        struct source *s = list_source(three_files());
        struct told told;

        told_init(&told);
        x.watcher = &told.watcher;
        x.archive = open("/dev/full", O_WRONLY);
        if (x.archive < 0)
            check_skip("no /dev/full");
        check_code(export_run(&x, s, &err), ENOSPC);
        os_close(x.archive);
        source_close(s);
        told_release(&told);
    }
}

static void a_wish_to_stop_ends_the_run(void **state)
{
    (void)state;
    for (size_t i = 0; i < FORMAT_COUNT; i++) {
        struct export x = {.archive = OS_NO_HANDLE, .output = {.format = formats[i]}};
        struct source *s = list_source(three_files());
        struct told told;

        told_init(&told);
        told.stop = true;
        x.watcher = &told.watcher;
        check_kind(export_run(&x, s, &err), ERROR_INTERRUPTED);
        source_close(s);
        told_release(&told);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_format_gives_back_what_it_holds),
        TEST(the_same_source_gives_the_same_bytes),
        TEST(names_of_one_file_become_copies),
        TEST(cpio_keeps_names_of_one_file),
        TEST(other_kinds_keep_their_names_in_cpio),
        TEST(another_name_stands_in_for_an_unreadable_one),
        TEST(a_content_that_is_gone_at_the_last_name_is_told),
        TEST(holes_become_zeros),
        TEST(a_large_file_keeps_its_announced_size),
        TEST(problems_are_named_and_the_run_goes_on),
        TEST(a_dry_run_tells_the_same_and_writes_nothing),
        TEST(a_disk_that_is_full_ends_the_run),
        TEST(a_wish_to_stop_ends_the_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
