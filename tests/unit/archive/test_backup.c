/*
 * The engine of backup: what a source holds comes back from the archive; contents that change,
 * cannot be read or are gone; names of files whose first name could not be stored.
 */
#include "archive/backup.h"

#include <stdlib.h>
#include <string.h>

#include "archive/reading.h"
#include "support/archived.h"
#include "support/check.h"
#include "support/memory_data.h"
#include "support/stream.h"

static struct error err;

enum { LARGE_BYTES = READING_SMALL_BYTES + 100000 };

/* ---- A source whose contents misbehave ---- */

/* What happens to the content of one path. */
struct mischief {
    const char *path;
    const char *const
        *contents; /* of each opening, the last one for all further; NULL: not there */
    int changes;   /* how many openings end with "changed" */
    struct memory_options large; /* if it has a size: a large content instead */
};

struct fickle {
    struct source base;
    struct source *inner;
    const struct mischief *mischief;
    int opened;
    const struct entry *last;
};

/* A content that may say that it changed. */
struct fickle_data {
    struct data base;
    struct data *inner;
    bool changed;
};

static int fickle_read(struct data *d, uint64_t offset, struct data_span span, size_t *got,
                       struct error *e)
{
    return data_read(((struct fickle_data *)d)->inner, offset, span, got, e);
}

static int fickle_changed(struct data *d, struct error *e)
{
    (void)e;
    return ((struct fickle_data *)d)->changed;
}

static void fickle_close_data(struct data *d)
{
    data_close(((struct fickle_data *)d)->inner);
    free(d);
}

static const struct data_ops fickle_data_ops = {
    .read = fickle_read, .changed = fickle_changed, .close = fickle_close_data};

static struct data *fickle_data(struct data *inner, bool changed)
{
    struct fickle_data *d = calloc(1, sizeof *d);

    assert_non_null(d);
    d->base = *inner;
    d->base.ops = &fickle_data_ops;
    d->inner = inner;
    d->changed = changed;
    return &d->base;
}

static struct fickle *fickle_of(struct source *s)
{
    return (struct fickle *)s;
}

static int fickle_next(struct source *s, const struct entry **out, struct error *e)
{
    int more = source_next(fickle_of(s)->inner, out, e);

    fickle_of(s)->last = *out;
    return more;
}

static int fickle_load(struct source *s, const struct entry **out, struct error *e)
{
    return source_load(fickle_of(s)->inner, out, e);
}

static int fickle_open_data(struct source *s, struct data **out, struct error *e)
{
    struct fickle *f = fickle_of(s);
    const struct mischief *m = f->mischief;
    struct memory_piece piece = {.bytes = bytes_of("begin")};
    const char *content;

    if (!bytes_equal(f->last->path, bytes_of(m->path)))
        return source_open_data(f->inner, out, e);
    if (m->large.size != 0) {
        *out = fickle_data(memory_data(&m->large, &piece, 1), m->changes > 0);
        return 0;
    }
    content = m->contents[0];
    for (int i = 0; i < f->opened && m->contents[i] != NULL; i++)
        content = m->contents[i + 1];
    if (content == NULL)
        return error_os(e, "open", 2);
    *out = fickle_data(memory_data_text(content), f->opened++ < m->changes);
    return 0;
}

static const struct source_facts *fickle_facts(struct source *s)
{
    return source_facts(fickle_of(s)->inner);
}

static void fickle_close(struct source *s)
{
    source_close(fickle_of(s)->inner);
    free(s);
}

static const struct source_ops fickle_ops = {.next = fickle_next,
                                             .load = fickle_load,
                                             .open_data = fickle_open_data,
                                             .facts = fickle_facts,
                                             .close = fickle_close};

static struct source *fickle(struct list_source *list, const struct mischief *mischief)
{
    struct fickle *f = calloc(1, sizeof *f);

    assert_non_null(f);
    f->base.ops = &fickle_ops;
    f->inner = list_source(list);
    f->mischief = mischief;
    return &f->base;
}

/* A folder with a file "t/b" between two others. */
static struct list_source *three_files(const char *content)
{
    struct list_source *list = list_source_new();

    list_add(list, ENTRY_DIRECTORY, "t");
    list_file(list, "t/a", "first");
    list_file(list, "t/b", content);
    list_file(list, "t/c", "last");
    return list;
}

/* ---- Tests ---- */

static void everything_comes_back(void **state)
{
    static const enum container containers[] = {CONTAINER_PLAIN, CONTAINER_GZIP, CONTAINER_ZSTD};
    struct told told;

    told_init(&told);
    for (size_t i = 0; i < 3; i++) {
        struct list_source *list = three_files("second");
        struct opened_archive a;
        struct backup_counts counts;

        list_link(list, "t/link", "no\\where/ \xff");
        list_add(list, ENTRY_FIFO, "t/pipe");
        list_add(list, ENTRY_SOCKET, "t/socket")->meta.mode = 01644;
        list_add(list, ENTRY_CHAR_DEVICE, "t/tty");
        list_name(list, "t/z", "t/b");
        list_as_archive(list);
        counts = archived_in(*state, "a", containers[i], list_source(list), &told);
        assert_int_equal(counts.entries, 9);
        assert_int_equal(counts.further_names, 1);
        assert_int_equal(counts.kinds[ENTRY_FILE], 3);
        assert_int_equal(counts.kinds[ENTRY_SOCKET], 1);
        assert_int_equal(counts.file_bytes, 15);
        a = archive_opened(*state, "a", &told);
        assert_true(a.is_ours);
        check_text(reader_archive_options(a.source), "exclude=*.o\n");
        assert_string_equal(source_facts(a.source)->roots[0].name, "t");
        check_content(a.source, "t/b", "second");
        assert_int_equal(stream_until(a.source, "t/socket")->meta.mode, 01644);
        check_stream(a.source, "c:t/tty f:t/z");
        assert_int_equal(reader_tail(a.source)->entries, 9);
        assert_int_equal(reader_tail(a.source)->loss_count, 0);
        source_close(a.source);
    }
    check_told(&told, "");
    told_release(&told);
}

static void the_same_source_gives_the_same_bytes(void **state)
{
    struct told told;
    struct buffer bytes[2];

    told_init(&told);
    for (int i = 0; i < 2; i++) {
        (void)archived(*state, "a", list_source(three_files("second")), &told);
        bytes[i] = archive_bytes(*state, "a");
    }
    assert_true(bytes_equal(buffer_bytes(&bytes[0]), buffer_bytes(&bytes[1])));
    buffer_release(&bytes[0]);
    buffer_release(&bytes[1]);
    told_release(&told);
}

/* Backs three files up with mischief to "t/b"; the archive's content of it, and what is told. */
static void check_mischief(void **state, const struct mischief *m, const char *content,
                           const char *told_text)
{
    struct told told;
    struct opened_archive a;

    told_init(&told);
    (void)archived(*state, "a", fickle(three_files("listed"), m), &told);
    check_told(&told, told_text);
    a = archive_opened(*state, "a", &told);
    if (content != NULL)
        check_content(a.source, "t/b", content);
    check_content(a.source, "t/c", "last");
    check_stream(a.source, "");
    assert_int_equal(reader_tail(a.source)->loss_count, told_text[0] != '\0');
    source_close(a.source);
    told_release(&told);
}

#define CONTENTS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void a_small_file_is_read_until_it_holds_still(void **state)
{
    static const char changed[] =
        "loss t/b: changed while it was read: this is its last state seen";

    check_mischief(state, &(struct mischief){"t/b", CONTENTS("old", "newer"), 1, {0}}, "newer", "");
    check_mischief(state, &(struct mischief){"t/b", CONTENTS("1", "22", "333", "4444"), 3, {0}},
                   "333", changed);
    check_mischief(state, &(struct mischief){"t/b", CONTENTS("", "grown"), 1, {0}}, "grown", "");
    check_mischief(state, &(struct mischief){"t/b", CONTENTS("gone then"), 1, {0}}, "gone then",
                   changed);
}

static void a_file_that_is_gone_is_named(void **state)
{
    check_mischief(state, &(struct mischief){"t/b", CONTENTS(NULL), 0, {0}}, NULL,
                   "error t/b: No such file or directory");
}

/* ---- Large files ---- */

static struct buffer large_content(void **state, const struct mischief *m, const char *told_text)
{
    struct told told;
    struct opened_archive a;
    struct buffer content;

    told_init(&told);
    (void)archived(*state, "a", fickle(three_files("listed"), m), &told);
    check_told(&told, told_text);
    a = archive_opened(*state, "a", &told);
    (void)stream_until(a.source, "t/b");
    content = content_of(a.source);
    check_content(a.source, "t/c", "last");
    check_stream(a.source, "");
    source_close(a.source);
    told_release(&told);
    return content;
}

static void a_large_file_keeps_its_announced_size(void **state)
{
    static const char changed[] =
        "loss t/b: changed while it was read: cut or padded to the size it had";
    struct mischief cut = {.path = "t/b", .large = {.size = LARGE_BYTES, .dense = true, .cut = 3}};
    struct mischief grown = {
        .path = "t/b", .changes = 1, .large = {.size = LARGE_BYTES, .dense = true}};
    struct mischief slow = {.path = "t/b",
                            .large = {.size = LARGE_BYTES, .dense = true, .most = 1000}};
    struct buffer content = large_content(state, &cut, changed);

    assert_int_equal(content.size, LARGE_BYTES);
    assert_memory_equal(content.data, "beg\0\0\0", 6);
    buffer_release(&content);
    content = large_content(state, &grown, changed);
    buffer_release(&content);
    content = large_content(state, &slow, "");
    assert_memory_equal(content.data, "begin\0", 6);
    buffer_release(&content);
}

/* A content of which one byte cannot be read. */
enum { BROKEN_AT = 20000 };

struct broken_data {
    struct data base;
    struct extent whole;
};

static int broken_read(struct data *d, uint64_t offset, struct data_span span, size_t *got,
                       struct error *e)
{
    size_t count = span.capacity < d->size - offset ? span.capacity : (size_t)(d->size - offset);

    if (offset <= BROKEN_AT && offset + count > BROKEN_AT)
        return error_os(e, "read", 5);
    memset(span.bytes, 'x', count);
    *got = count;
    return 0;
}

static void broken_close_data(struct data *d)
{
    free(d);
}

static const struct data_ops broken_data_ops = {.read = broken_read, .close = broken_close_data};

static int broken_open_data(struct source *s, struct data **out, struct error *e)
{
    struct broken_data *d;

    if (!bytes_equal(fickle_of(s)->last->path, bytes_of("t/b")))
        return source_open_data(fickle_of(s)->inner, out, e);
    d = calloc(1, sizeof *d);
    assert_non_null(d);
    d->whole = (struct extent){0, (uint64_t)fickle_of(s)->opened};
    d->base = (struct data){.ops = &broken_data_ops,
                            .size = d->whole.length,
                            .extents = &d->whole,
                            .extent_count = 1,
                            .os_handle = -1};
    *out = &d->base;
    return 0;
}

static void what_cannot_be_read_costs_a_sector(void **state)
{
    static const int sizes[] = {100000, LARGE_BYTES};
    struct source_ops ops = fickle_ops;
    struct told told;

    ops.open_data = broken_open_data;
    told_init(&told);
    for (size_t i = 0; i < 2; i++) {
        struct fickle *f = fickle_of(fickle(three_files("listed"), NULL));
        struct opened_archive a;
        struct buffer content;
        size_t lost = 0;

        f->base.ops = &ops;
        f->opened = sizes[i];
        (void)archived(*state, "a", &f->base, &told);
        check_told(&told,
                   "loss t/b: parts of it could not be read: zeros stand there (Input/output "
                   "error)");
        a = archive_opened(*state, "a", &told);
        (void)stream_until(a.source, "t/b");
        content = content_of(a.source);
        assert_int_equal(content.size, sizes[i]);
        for (size_t at = 0; at < content.size; at++)
            lost += content.data[at] != 'x';
        assert_int_equal(lost, 4096);
        assert_int_equal(content.data[BROKEN_AT], 0);
        check_stream(a.source, "f:t/c");
        check_text(reader_tail(a.source)->losses[0].reason,
                   "parts of it could not be read: zeros stand there: Input/output error");
        source_close(a.source);
        buffer_release(&content);
    }
    told_release(&told);
}

/* ---- Groups ---- */

static struct list_source *a_group(void)
{
    struct list_source *list = three_files("shared");

    list_name(list, "t/d", "t/b");
    list_name(list, "t/e", "t/b");
    list_as_archive(list);
    return list;
}

static void another_name_stands_in_for_a_lost_first_one(void **state)
{
    struct mischief gone = {"t/b", CONTENTS(NULL), 0, {0}};
    struct told told;
    struct opened_archive a;
    const struct entry *e;

    told_init(&told);
    assert_int_equal(archived(*state, "a", fickle(a_group(), &gone), &told).entries, 5);
    check_told(&told, "error t/b: No such file or directory");
    a = archive_opened(*state, "a", &told);
    e = stream_until(a.source, "t/d");
    assert_true(e->shared);
    assert_false(entry_is_further_name(e));
    e = stream_until(a.source, "t/e");
    check_text(e->first_name, "t/d");
    check_stream(a.source, "");
    assert_int_equal(reader_tail(a.source)->further_names, 1);
    source_close(a.source);
    told_release(&told);
}

static int open_nothing(struct source *s, struct data **out, struct error *e)
{
    (void)s;
    (void)out;
    return error_os(e, "open", 13);
}

static void each_name_of_an_unreadable_file_is_named(void **state)
{
    struct source_ops ops = fickle_ops;
    struct fickle *f = fickle_of(fickle(a_group(), NULL));
    struct told told;
    struct opened_archive a;

    ops.open_data = open_nothing;
    f->base.ops = &ops;
    told_init(&told);
    (void)archived(*state, "a", &f->base, &told);
    check_told(&told, "error t/a: Permission denied; error t/b: Permission denied; "
                      "error t/c: Permission denied; error t/d: Permission denied; "
                      "error t/e: Permission denied");
    a = archive_opened(*state, "a", &told);
    check_stream(a.source, "d:t");
    assert_int_equal(reader_tail(a.source)->loss_count, 5);
    check_text(reader_tail(a.source)->losses[4].path, "t/e");
    check_text(reader_tail(a.source)->losses[4].reason, "Permission denied");
    source_close(a.source);
    told_release(&told);
}

/* ---- What cannot be stored ---- */

static void problems_are_named_and_the_run_goes_on(void **state)
{
    struct list_source *list = three_files("second");
    struct told told;
    struct opened_archive a;
    const struct entry *e;

    told_init(&told);
    list_add(list, ENTRY_DIRECTORY, "t/d");
    list_problem(list, PROBLEM_CONTENT, "t/d");
    list_problem(list, PROBLEM_ENTRY, "t/e");
    list_problem(list, PROBLEM_METADATA, "t/f")->meta.known = METADATA_MODE;
    (void)archived(*state, "a", list_source(list), &told);
    check_told(&told, "error t/d: planted; error t/e: planted; error t/f: planted");
    a = archive_opened(*state, "a", &told);
    e = stream_until(a.source, "t/d");
    assert_int_equal(e->problem_scope, PROBLEM_NONE);
    e = stream_until(a.source, "t/f");
    assert_int_equal(e->meta.known & (METADATA_MODE | METADATA_XATTRS | METADATA_FLAGS),
                     METADATA_MODE);
    check_stream(a.source, "");
    assert_int_equal(reader_tail(a.source)->loss_count, 3);
    source_close(a.source);
    told_release(&told);
}

static void what_a_header_cannot_hold_is_an_entry_less(void **state)
{
    struct list_source *list = three_files("second");
    struct entry *e = list_at(list, "t/a");
    size_t path_bytes = (1 << 20) + 2, value_bytes = 12 << 20;
    char *path = malloc(path_bytes + 1);
    uint8_t *value = calloc(1, value_bytes);
    struct told told;
    struct opened_archive a;

    assert_non_null(path);
    assert_non_null(value);
    memset(path, 'n', path_bytes);
    memcpy(path, "t/", 2);
    path[path_bytes] = '\0';
    list_file(list, path, "too long");
    list_name(list, "t/z", path);
    list_as_archive(list);
    check_done(
        pairs_append(&e->meta.xattrs, bytes_of("user.a"), bytes_make(value, value_bytes), &err));
    check_done(
        pairs_append(&e->meta.xattrs, bytes_of("user.b"), bytes_make(value, value_bytes), &err));
    told_init(&told);
    (void)archived(*state, "a", list_source(list), &told);
    assert_non_null(strstr((char *)told.text.data, "error t/a: the attributes are too large"));
    assert_non_null(strstr((char *)told.text.data, "(1 MiB): left out"));
    a = archive_opened(*state, "a", &told);
    check_stream(a.source, "d:t f:t/b f:t/c f:t/z");
    assert_int_equal(reader_tail(a.source)->loss_count, 2);
    source_close(a.source);
    told_release(&told);
    free(value);
    free(path);
}

/* ---- The run ---- */

static void a_dry_run_counts_and_writes_nothing(void **state)
{
    struct mischief gone = {"t/b", CONTENTS(NULL), 0, {0}};
    struct told told;
    struct backup backup = {.archive = OS_NO_HANDLE, .program = "test"};
    struct source *s = fickle(three_files("listed"), &gone);

    (void)state;
    told_init(&told);
    backup.watcher = &told.watcher;
    check_done(backup_run(&backup, s, &err));
    check_told(&told, "error t/b: No such file or directory");
    assert_int_equal(backup.counts.entries, 3);
    assert_int_equal(backup.counts.file_bytes, 9);
    assert_int_equal(backup.counts.stored_bytes, 0);
    assert_int_equal(backup.counts.problems, 1);
    source_close(s);
    told_release(&told);
}

static void an_archive_may_hold_nothing(void **state)
{
    struct list_source *list = list_source_new();
    struct told told;
    struct opened_archive a;

    told_init(&told);
    list_problem(list, PROBLEM_ENTRY, "t");
    assert_int_equal(archived(*state, "a", list_source(list), &told).entries, 0);
    check_told(&told, "error t: planted");
    a = archive_opened(*state, "a", &told);
    assert_true(a.is_ours);
    assert_int_equal(source_facts(a.source)->root_count, 1);
    check_stream(a.source, "");
    assert_int_equal(reader_tail(a.source)->loss_count, 1);
    source_close(a.source);
    told_release(&told);
}

static void a_wish_to_stop_ends_the_run(void **state)
{
    struct told told;
    struct backup backup = {.archive = OS_NO_HANDLE, .program = "test"};
    struct source *s = list_source(three_files("x"));

    (void)state;
    told_init(&told);
    told.stop = true;
    backup.watcher = &told.watcher;
    check_kind(backup_run(&backup, s, &err), ERROR_INTERRUPTED);
    source_close(s);
    told_release(&told);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(everything_comes_back),
        TEST(the_same_source_gives_the_same_bytes),
        TEST(a_small_file_is_read_until_it_holds_still),
        TEST(a_file_that_is_gone_is_named),
        TEST(a_large_file_keeps_its_announced_size),
        TEST(what_cannot_be_read_costs_a_sector),
        TEST(another_name_stands_in_for_a_lost_first_one),
        TEST(each_name_of_an_unreadable_file_is_named),
        TEST(problems_are_named_and_the_run_goes_on),
        TEST(what_a_header_cannot_hold_is_an_entry_less),
        TEST(a_dry_run_counts_and_writes_nothing),
        TEST(an_archive_may_hold_nothing),
        TEST(a_wish_to_stop_ends_the_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
