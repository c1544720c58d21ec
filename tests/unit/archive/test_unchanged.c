/*
 * Which contents an older archive has: what must be equal for a file to be the same, to be in the
 * same state, and to be worth reading; files under other names; devices with other numbers.
 */
#include "archive/unchanged.h"

#include <stdio.h>
#include <string.h>

#include "archive/file_numbers.h"
#include "archive/index.h"
#include "support/archived.h"
#include "support/check.h"
#include "tree/namegroup.h"

static struct error err;

static const struct timestamp changed_at = {200, 7};

/* What the older archive is of. Numbers of files: t 1, t/a 2, t/b 3, t/c 4, t/d 5, t/e 6, t/m 7. */
static struct list_source *tree(void)
{
    static const char *const files[] = {"t/a", "t/b", "t/c"};
    struct list_source *list = list_source_new();

    list_add(list, ENTRY_DIRECTORY, "t");
    for (size_t i = 0; i < 3; i++) {
        struct entry *e = list_file(list, files[i], files[i]);

        e->meta.known |= METADATA_CTIME;
        e->meta.ctime = changed_at;
    }
    list_link(list, "t/d", "abc");
    list_file(list, "t/e", "");
    list_file(list, "t/m", "many");
    list_name(list, "t/n", "t/m");
    return list;
}

static struct source *grouped(struct list_source *list)
{
    struct source *s;

    check_done(namegroup_new(list_source(list), (struct namegroup_options){.count_is_hint = false},
                             &s, &err));
    return s;
}

/* The tree of today, which a test changes, and the archive of before. */
struct older {
    struct list_source *now;
    struct told told;
    struct unchanged *unchanged;
    struct stored_content found;
    char path[300];
};

static void open_named(struct older *o, const struct folder *f, const char *name)
{
    (void)snprintf(o->path, sizeof o->path, "%s/%s", f->path, name);
    check_done(unchanged_open(o->path, &o->unchanged, &err));
}

static void begin(struct older *o, const struct folder *f)
{
    *o = (struct older){.now = tree()};
    told_init(&o->told);
    (void)archived(f, "old", grouped(tree()), &o->told);
    open_named(o, f, "old");
}

static int find(struct older *o, const char *path)
{
    return check_done(unchanged_find(o->unchanged, list_at(o->now, path), &o->found, &err));
}

static void end(struct older *o)
{
    unchanged_close(o->unchanged);
    source_close(list_source(o->now));
    told_release(&o->told);
}

/* ---- Under the same name ---- */

static void a_file_that_nobody_touched_is_in_the_same_state(void **state)
{
    struct older o;

    begin(&o, *state);
    for (const char *path = "t/a"; path; path = strcmp(path, "t/a") == 0 ? "t/c" : NULL) {
        assert_int_equal(find(&o, path), 1);
        assert_true(o.found.is_same_file && o.found.is_same_state);
        assert_int_equal(o.found.size, 3);
        assert_int_equal(o.found.place.base, 1);
        assert_int_equal(o.found.place.extent_count, 1);
        assert_int_equal(o.found.place.extents[0].length, 3);
    }
    end(&o);
}

static void a_newer_time_of_change_is_another_state(void **state)
{
    struct older o;

    begin(&o, *state);
    list_at(o.now, "t/a")->meta.ctime.nanoseconds++;
    list_at(o.now, "t/b")->meta.known &= ~(uint32_t)METADATA_CTIME;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(find(&o, i == 0 ? "t/a" : "t/b"), 1);
        assert_true(o.found.is_same_file && !o.found.is_same_state);
    }
    end(&o);
}

/* An archive that has no times of change cannot say that a file was left alone. */
static void no_time_of_change_in_the_archive_is_another_state(void **state)
{
    struct older o;

    begin(&o, *state);
    list_at(o.now, "t/m")->meta.known |= METADATA_CTIME;
    assert_int_equal(find(&o, "t/m"), 1);
    assert_true(o.found.is_same_file && !o.found.is_same_state);
    end(&o);
}

static void another_time_or_number_is_another_file(void **state)
{
    struct older o;

    begin(&o, *state);
    list_at(o.now, "t/a")->meta.mtime.nanoseconds++;
    list_at(o.now, "t/b")->identity.file[0] = 99;
    list_at(o.now, "t/c")->identity.file[1] = 1;
    for (const char *path = "t/a"; path; path = path[2] == 'a'   ? "t/b"
                                                : path[2] == 'b' ? "t/c"
                                                                 : NULL) {
        assert_int_equal(find(&o, path), 1);
        assert_true(!o.found.is_same_file && !o.found.is_same_state);
    }
    end(&o);
}

static void another_size_or_kind_is_not_looked_at(void **state)
{
    struct older o;

    begin(&o, *state);
    list_at(o.now, "t/a")->size++;
    list_at(o.now, "t/d")->kind = ENTRY_FILE;
    list_at(o.now, "t/d")->size = 3;
    assert_int_equal(find(&o, "t/a"), 0);
    assert_int_equal(find(&o, "t/d"), 0);
    /* An empty file has no content. */
    assert_int_equal(find(&o, "t/e"), 0);
    end(&o);
}

/* What was not stored exactly is stored again. */
static void an_inexact_content_is_not_taken(void **state)
{
    struct list_source *list = tree();
    struct older o = {.now = tree()};
    struct entry *e = list_at(list, "t/a");
    struct error planted = {.kind = ERROR_OS, .detail = "planted"};

    told_init(&o.told);
    e->problem_scope = PROBLEM_METADATA;
    e->problem = &planted;
    (void)archived(*state, "old", grouped(list), &o.told);
    open_named(&o, *state, "old");
    assert_int_equal(find(&o, "t/a"), 0);
    assert_int_equal(find(&o, "t/b"), 1);
    end(&o);
}

/* ---- Under other names ---- */

static void set_name(struct older *o, const char *path, const char *to)
{
    struct entry *e = list_at(o->now, path);

    e->path = bytes_of(to);
}

static void a_renamed_file_is_found_and_is_to_be_read(void **state)
{
    struct older o;

    begin(&o, *state);
    set_name(&o, "t/c", "t/0");
    set_name(&o, "t/a", "u/z");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(find(&o, i == 0 ? "t/0" : "u/z"), 1);
        assert_true(o.found.is_same_file && !o.found.is_same_state);
        struct hash128 hash = o.found.hash;

        /* The content says which it is. */
        struct opened_archive a;
        struct told told;

        told_init(&told);
        check_done(
            index_source_open(archive_handle(*state, "old"), INDEX_CHECKED_FIRST, &a.source, &err));
        const struct entry *e;

        do
            assert_int_equal(check_done(source_next(a.source, &e, &err)), 1);
        while (!bytes_equal(e->path, bytes_of(i == 0 ? "t/c" : "t/a")));
        assert_true(e->data_hash.low == hash.low && e->data_hash.high == hash.high);
        source_close(a.source);
        told_release(&told);
    }
    end(&o);
}

static void a_new_name_before_the_first_one_is_found(void **state)
{
    struct older o;

    begin(&o, *state);
    set_name(&o, "t/m", "t/0");
    assert_int_equal(find(&o, "t/0"), 1);
    assert_true(o.found.is_same_file);
    assert_int_equal(o.found.size, 4);
    end(&o);
}

/* The file of a name was replaced by one that had another name before: that one's content. */
static void the_same_file_goes_before_the_same_name(void **state)
{
    struct older o;

    begin(&o, *state);
    set_name(&o, "t/b", "t/x");
    set_name(&o, "t/a", "t/b");
    assert_int_equal(find(&o, "t/b"), 1);
    assert_true(o.found.is_same_file && !o.found.is_same_state);
    end(&o);
}

static void a_number_alone_is_no_file(void **state)
{
    struct older o;

    begin(&o, *state);
    set_name(&o, "t/a", "t/x");
    set_name(&o, "t/b", "t/y");
    set_name(&o, "t/c", "t/z");
    list_at(o.now, "t/x")->meta.mtime.seconds++;
    list_at(o.now, "t/y")->size++;
    list_at(o.now, "t/z")->identity = (struct identity){0};
    assert_int_equal(find(&o, "t/x"), 0);
    assert_int_equal(find(&o, "t/y"), 0);
    assert_int_equal(find(&o, "t/z"), 0);
    end(&o);
}

/* How many of many files that come in reverse order under other names are found. */
static size_t found_in_reverse(const struct folder *f, uint64_t size)
{
    enum { FILES = 1200 };
    static const struct memory_piece piece = {.bytes = {(const uint8_t *)"x", 1}};
    static char paths[2 * FILES][16];
    struct list_source *list = list_source_new();
    struct older o = {.now = list_source_new()};
    size_t found = 0;

    told_init(&o.told);
    list_add(list, ENTRY_DIRECTORY, "t");
    for (int i = 0; i < FILES; i++) {
        (void)snprintf(paths[i], sizeof paths[i], "t/%04d", i);
        (void)snprintf(paths[FILES + i], sizeof paths[i], "u/%04d", i);
        list_sparse_file(list, paths[i], size, &piece, 1);
        list_sparse_file(o.now, paths[FILES + i], size, &piece, 1)->identity.file[0] =
            (uint64_t)(FILES + 1 - i);
    }
    (void)archived(f, "old", grouped(list), &o.told);
    open_named(&o, f, "old");
    for (int i = 0; i < FILES; i++)
        found += find(&o, paths[FILES + i]) == 1;
    end(&o);
    return found;
}

/* Each costs a block now and a frame at the restore. */
static void not_all_small_files_in_another_order_are_looked_up(void **state)
{
    assert_int_equal(found_in_reverse(*state, 1000), 1 + 1024);
    assert_int_equal(found_in_reverse(*state, 1 << 20), 1200);
}

/* ---- File systems ---- */

/* Devices are numbered anew by a boot. */
static void another_number_of_the_device_is_the_same_file_system(void **state)
{
    struct older o;

    begin(&o, *state);
    for (int i = 0; i < 3; i++) {
        static const char *const paths[] = {"t/a", "t/b", "t/c"};

        list_at(o.now, paths[i])->identity.volume = 77;
        assert_int_equal(find(&o, paths[i]), 1);
        assert_true(o.found.is_same_state);
    }
    end(&o);
}

/* Where one file system was there are two now: what one file said of the device holds for all. */
static void a_file_on_another_device_is_another_file(void **state)
{
    struct older o;

    begin(&o, *state);
    assert_int_equal(find(&o, "t/a"), 1);
    assert_true(o.found.is_same_state);
    list_at(o.now, "t/b")->identity.volume = 78;
    assert_int_equal(find(&o, "t/b"), 1);
    assert_true(!o.found.is_same_file && !o.found.is_same_state);
    set_name(&o, "t/c", "t/x");
    list_at(o.now, "t/x")->identity.volume = 78;
    assert_int_equal(find(&o, "t/x"), 0);
    end(&o);
}

/* And the other way round: two file systems of before cannot be one today. */
static void a_file_that_was_on_another_device_is_another_file(void **state)
{
    struct list_source *list = tree();
    struct older o = {.now = tree()};

    told_init(&o.told);
    list_at(list, "t/b")->identity.volume = 5;
    (void)archived(*state, "old", grouped(list), &o.told);
    open_named(&o, *state, "old");
    assert_int_equal(find(&o, "t/a"), 1);
    assert_true(o.found.is_same_state);
    assert_int_equal(find(&o, "t/b"), 1);
    assert_false(o.found.is_same_file);
    assert_int_equal(find(&o, "t/c"), 1);
    assert_true(o.found.is_same_state);
    end(&o);
}

/* ---- Bases of the base ---- */

static void contents_of_older_bases_are_numbered_behind_it(void **state)
{
    struct list_source *list = tree();
    struct older o = {.now = tree()};

    told_init(&o.told);
    (void)archived(*state, "first", grouped(tree()), &o.told);
    list_at(list, "t/b")->meta.ctime.seconds++;
    list_at(list, "t/b")->size = 0; /* so that it is none of the first */
    list_file(list, "t/bb", "new");
    struct backup_counts counts = archived_on(*state, "second", "first", grouped(list), &o.told);

    assert_int_equal(counts.base_files, 3);
    open_named(&o, *state, "second");
    struct unchanged_bases bases = unchanged_bases(o.unchanged);

    assert_int_equal(bases.count, 2);
    assert_string_equal(bases.items[0].file_name, "second");
    assert_string_equal(bases.items[1].file_name, "first");
    list_file(o.now, "t/bb", "new");
    assert_int_equal(find(&o, "t/a"), 1);
    assert_int_equal(o.found.place.base, 2);
    assert_int_equal(find(&o, "t/bb"), 1);
    assert_int_equal(o.found.place.base, 1);
    set_name(&o, "t/c", "t/x");
    assert_int_equal(find(&o, "t/x"), 1);
    assert_int_equal(o.found.place.base, 2);
    end(&o);
}

/* ---- What may be a base ---- */

static void check_no_base(const struct folder *f, const char *name)
{
    struct unchanged *u;
    char path[300];

    (void)snprintf(path, sizeof path, "%s/%s", f->path, name);
    check_kind(unchanged_open(path, &u, &err), ERROR_USAGE);
}

static void what_is_no_archive_of_ours_is_no_base(void **state)
{
    struct told told;
    struct buffer bytes;

    told_init(&told);
    check_no_base(*state, "nothing");
    archive_put(*state, "text", bytes_of("text"));
    check_no_base(*state, "text");
    (void)archived(*state, "old", grouped(tree()), &told);
    bytes = archive_bytes(*state, "old");
    archive_put(*state, "cut", bytes_make(bytes.data, bytes.size - 100));
    check_no_base(*state, "cut");
    buffer_release(&bytes);
    told_release(&told);
}

/* ---- The same content ---- */

static void a_content_is_compared_with_its_hash_and_its_holes(void **state)
{
    struct extent extents[2] = {{0, 100}, {200, 100}}, others[2] = {{0, 100}, {200, 99}};
    struct stored_content content = {
        .size = 400, .hash = {1, 2}, .place = {.extents = extents, .extent_count = 2}};
    struct data data = {.size = 400, .extents = extents, .extent_count = 2};

    (void)state;
    assert_true(unchanged_is_content(&content, &data, (struct hash128){1, 2}));
    assert_false(unchanged_is_content(&content, &data, (struct hash128){1, 3}));
    assert_false(unchanged_is_content(&content, &data, (struct hash128){2, 2}));
    data.size = 401;
    assert_false(unchanged_is_content(&content, &data, (struct hash128){1, 2}));
    data.size = 400;
    data.extents = others;
    assert_false(unchanged_is_content(&content, &data, (struct hash128){1, 2}));
    others[1] = (struct extent){201, 100};
    assert_false(unchanged_is_content(&content, &data, (struct hash128){1, 2}));
    data.extent_count = 1;
    assert_false(unchanged_is_content(&content, &data, (struct hash128){1, 2}));
}

/* ---- The table of numbers ---- */

static void all_files_of_a_number_are_found_in_their_order(void **state)
{
    enum { FILES = 3000 };
    static char paths[FILES][16];
    struct list_source *list = list_source_new();
    struct file_numbers *n;
    struct source *index;
    struct told told;

    told_init(&told);
    list_add(list, ENTRY_DIRECTORY, "t");
    for (int i = 0; i < FILES; i++) {
        (void)snprintf(paths[i], sizeof paths[i], "t/%04d", i);
        struct entry *e = list_file(list, paths[i], "x");

        e->identity = (struct identity){(uint64_t)(i / 1000), {(uint64_t)(i % 1000) + 1, 0}};
    }
    (void)archived(*state, "old", grouped(list), &told);
    check_done(
        index_source_open(archive_handle(*state, "old"), INDEX_CHECKED_AS_READ, &index, &err));
    check_done(file_numbers_new(index, 2500, &n, &err));
    for (uint64_t i = 0; i < 1000; i++) {
        uint64_t file[2] = {i + 1, 0}, entry = 0, count = 0;
        size_t place = 0;

        while (file_numbers_find(n, file, &place, &entry) == 1) {
            assert_int_equal(entry, 1 + i + 1000 * count);
            count++;
        }
        assert_int_equal(count, i < 500 ? 3 : 2);
    }
    size_t place = 0;
    uint64_t entry;

    assert_int_equal(file_numbers_find(n, (uint64_t[2]){1001, 0}, &place, &entry), 0);
    assert_int_equal(file_numbers_find(n, (uint64_t[2]){1, 1}, &place, &entry), 0);
    file_numbers_free(n);
    source_close(index);
    told_release(&told);
}

#define in_folder(test) cmocka_unit_test_setup_teardown(test, folder_setup, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_folder(a_file_that_nobody_touched_is_in_the_same_state),
        in_folder(a_newer_time_of_change_is_another_state),
        in_folder(no_time_of_change_in_the_archive_is_another_state),
        in_folder(another_time_or_number_is_another_file),
        in_folder(another_size_or_kind_is_not_looked_at),
        in_folder(an_inexact_content_is_not_taken),
        in_folder(a_renamed_file_is_found_and_is_to_be_read),
        in_folder(a_new_name_before_the_first_one_is_found),
        in_folder(the_same_file_goes_before_the_same_name),
        in_folder(a_number_alone_is_no_file),
        in_folder(not_all_small_files_in_another_order_are_looked_up),
        in_folder(another_number_of_the_device_is_the_same_file_system),
        in_folder(a_file_on_another_device_is_another_file),
        in_folder(a_file_that_was_on_another_device_is_another_file),
        in_folder(contents_of_older_bases_are_numbered_behind_it),
        in_folder(what_is_no_archive_of_ours_is_no_base),
        cmocka_unit_test(a_content_is_compared_with_its_hash_and_its_holes),
        in_folder(all_files_of_a_number_are_found_in_their_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
