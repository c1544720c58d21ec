/*
 * The index: what is added comes back, from memory and from a file; an archive read by its index
 * has the entries and contents that it has as a stream, in any order, with folders skipped; what is
 * damaged, cut or malicious is an error.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/index_source.h"
#include "archive/index_sum.h"
#include "archive/tail.h"
#include "support/archived.h"
#include "support/check.h"
#include "support/ntfs.h"
#include "support/stream.h"
#include "tree/filter.h"
#include "tree/namegroup.h"

static struct error err;

static const enum container containers[] = {CONTAINER_PLAIN, CONTAINER_GZIP, CONTAINER_ZSTD};
enum { CONTAINER_COUNT = 3 };

/* ---- Entries that are added come back ---- */

/* An entry with a value in every field. */
static struct entry full_entry(struct pairs *xattrs)
{
    struct entry e = {.path = bytes_of("t/full"),
                      .kind = ENTRY_FILE,
                      .size = 1 << 20,
                      .identity = {.volume = 0xfd01, .file = {UINT64_MAX, 7}},
                      .link_count = 3,
                      .shared = true,
                      .has_data_hash = true,
                      .data_hash = {1, UINT64_MAX},
                      .meta = {.known = METADATA_MODE | METADATA_OWNER | METADATA_GROUP |
                                        METADATA_MTIME | METADATA_BTIME | METADATA_CTIME |
                                        METADATA_FLAGS | METADATA_XATTRS | METADATA_ACL,
                               .mode = 06755,
                               .owner = UINT32_MAX,
                               .group = 5,
                               .owner_name = "someone",
                               .mtime = {-2, 750000000},
                               .btime = {INT64_MIN, 999999999},
                               .ctime = {INT64_MAX, 1},
                               .flags = FILE_FLAG_NODUMP | FILE_FLAG_TOPDIR}};

    check_done(pairs_append(xattrs, bytes_of("user.a"), bytes_make("\0x", 2), &err));
    check_done(pairs_append(xattrs, bytes_of("user.b"), bytes_of(""), &err));
    e.meta.xattrs = *xattrs;
    return e;
}

static void check_time(struct timestamp got, struct timestamp wanted)
{
    assert_int_equal(got.seconds, wanted.seconds);
    assert_int_equal(got.nanoseconds, wanted.nanoseconds);
}

static void check_full(const struct index_item *got, const struct entry *wanted)
{
    const struct metadata *a = &got->entry.meta, *b = &wanted->meta;

    check_text(got->entry.path, "t/full");
    assert_int_equal(got->entry.size, wanted->size);
    assert_int_equal(got->entry.link_count, 3);
    assert_true(got->entry.shared && got->entry.has_data_hash && got->is_inexact);
    assert_int_equal(got->entry.data_hash.high, UINT64_MAX);
    assert_int_equal(got->entry.identity.file[0], UINT64_MAX);
    assert_int_equal(got->entry.identity.file[1], 7);
    assert_int_equal(got->entry.identity.volume, 0);
    assert_int_equal(a->known, b->known);
    assert_int_equal(a->mode, b->mode);
    assert_int_equal(a->owner, b->owner);
    assert_int_equal(a->flags, b->flags);
    assert_string_equal(a->owner_name, "someone");
    assert_null(a->group_name);
    check_time(a->mtime, b->mtime);
    check_time(a->btime, b->btime);
    check_time(a->ctime, b->ctime);
    assert_true(pairs_equal(&a->xattrs, &b->xattrs));
}

/* The finished index, decoded: its head, and the content of its first block. */
struct decoded {
    struct index_head_memory *head;
    struct buffer stored, memory;
    struct bytes content;
};

static void decode(struct decoded *d, struct index_writer *w)
{
    struct buffer head = {0};

    *d = (struct decoded){.head = NULL};
    check_done(index_writer_finish(w, &err));
    check_done(index_head_encode(&head, index_writer_head(w), &err));
    check_done(index_head_decode(buffer_bytes(&head), 0, &d->head, &err));
    buffer_release(&head);
    const struct index_block *b = &index_head_of(d->head)->blocks[0];
    size_t bytes = (size_t)b->block.stored_bytes;

    check_done(buffer_reserve(&d->stored, bytes, &err));
    check_done(index_writer_read(w, TAIL_BLOCK_HEADER_BYTES, d->stored.data, bytes, &err));
    d->stored.size = bytes;
    check_done(
        tail_block_content(&b->block, buffer_bytes(&d->stored), &d->memory, &d->content, &err));
}

static void decoded_release(struct decoded *d)
{
    index_head_free(d->head);
    buffer_release(&d->stored);
    buffer_release(&d->memory);
}

static void every_field_comes_back(void **state)
{
    static const struct extent extents[] = {{4096, 512}, {8192, 100}};
    struct pairs xattrs = {0};
    struct entry e = full_entry(&xattrs), further = e;
    struct index_place place = {
        .data_offset = 1024, .extents = extents, .extent_count = 2, .is_inexact = true};
    struct index_cursor cursor = {0};
    const struct index_item *item;
    struct index_writer *w;
    struct decoded d;

    (void)state;
    check_done(index_writer_new(NULL, &w, &err));
    check_done(index_add(w, &e, &place, &err));
    further.path = bytes_of("t/further");
    further.first_name = e.path;
    place = (struct index_place){.header_offset = 2048, .data_offset = 2560};
    check_done(index_add(w, &further, &place, &err));
    decode(&d, w);
    index_cursor_begin(&cursor, index_head_of(d.head), index_head_of(d.head)->blocks, d.content);
    assert_int_equal(check_done(index_cursor_next(&cursor, &item, &err)), 1);
    check_full(item, &e);
    assert_int_equal(item->data_offset, 1024);
    assert_int_equal(item->extent_count, 2);
    assert_memory_equal(item->extents, extents, sizeof extents);
    assert_int_equal(index_item_end(item), 2048);
    assert_int_equal(check_done(index_cursor_next(&cursor, &item, &err)), 1);
    check_text(item->entry.path, "t/further");
    assert_true(item->is_further);
    assert_int_equal(item->first, 0);
    assert_int_equal(item->data_offset, 2560);
    assert_int_equal(check_done(index_cursor_next(&cursor, &item, &err)), 0);
    index_cursor_release(&cursor);
    decoded_release(&d);
    index_writer_free(w);
    pairs_release(&xattrs);
}

static void a_further_name_needs_its_first(void **state)
{
    struct entry e = {.path = bytes_of("t/b"), .kind = ENTRY_FILE, .first_name = bytes_of("t/a")};
    struct index_place place = {.data_offset = 512};
    struct index_writer *w;

    (void)state;
    check_done(index_writer_new(NULL, &w, &err));
    check_kind(index_add(w, &e, &place, &err), ERROR_USAGE);
    index_writer_free(w);
}

/* Adds entries that do not compress; the blocks' bytes. */
static struct buffer many_entries(const char *spool)
{
    struct index_writer *w;
    struct buffer out = {0};
    uint64_t random = 1;

    check_done(index_writer_new(spool, &w, &err));
    for (unsigned i = 0; i < 60000; i++) {
        char path[64];
        struct entry e = {.kind = ENTRY_FILE, .size = 1, .has_data_hash = true};
        struct extent whole = {0, 1};
        struct index_place place = {.header_offset = (uint64_t)i * 1024,
                                    .data_offset = (uint64_t)i * 1024 + 512,
                                    .extents = &whole,
                                    .extent_count = 1};

        (void)snprintf(path, sizeof path, "t/%08u", i);
        e.path = bytes_of(path);
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
        e.data_hash = hash_bytes(bytes_make(&random, sizeof random));
        check_done(index_add(w, &e, &place, &err));
    }
    check_done(index_writer_finish(w, &err));
    size_t bytes = (size_t)index_writer_stored(w);

    check_done(buffer_reserve(&out, bytes, &err));
    for (size_t at = 0; at < bytes; at += 100000) {
        size_t part = bytes - at < 100000 ? bytes - at : 100000;

        check_done(index_writer_read(w, at, out.data + at, part, &err));
    }
    out.size = bytes;
    index_writer_free(w);
    return out;
}

static void a_large_index_grows_in_a_file(void **state)
{
    const struct folder *f = *state;
    struct buffer memory = many_entries(NULL), file = many_entries(f->path),
                  nowhere = many_entries("/no such folder");

    assert_int_equal(memory.size, file.size);
    assert_memory_equal(memory.data, file.data, memory.size);
    assert_memory_equal(memory.data, nowhere.data, memory.size);
    buffer_release(&memory);
    buffer_release(&file);
    buffer_release(&nowhere);
}

/* ---- Archives by their index ---- */

/* Enough entries for several blocks: t/a/NNNNN with contents, whose further names are t/b/NNNNN in
 * the other direction, and t/c. The texts stand in `names`. */
enum { MANY = 6000, NAME_BYTES = 80 };

static struct list_source *links(char (*names)[NAME_BYTES])
{
    struct list_source *l = list_source_new();
    size_t n = 0;

    list_add(l, ENTRY_DIRECTORY, "t");
    list_add(l, ENTRY_DIRECTORY, "t/a");
    for (int i = 0; i < MANY; i++) {
        char *first = names[n++];

        (void)snprintf(first, NAME_BYTES, "t/a/%05d with a name that fills the block", i);
        list_file(l, first, i % 2 == 0 ? "even" : "odd");
    }
    list_add(l, ENTRY_DIRECTORY, "t/b");
    for (int i = 0; i < MANY; i += 7) {
        char *further = names[n++];

        (void)snprintf(further, NAME_BYTES, "t/b/%05d", MANY - i);
        list_name(l, further, names[i]);
    }
    list_link(l, "t/c", "a");
    list_as_archive(l);
    return l;
}

static struct source *index_opened(const struct folder *f, const char *name)
{
    struct source *s = NULL;

    assert_int_equal(
        check_done(index_source_open(archive_handle(f, name), INDEX_CHECKED_AS_READ, &s, &err)), 1);
    return s;
}

static struct source *grouped(struct source *inner)
{
    struct source *s;

    check_done(namegroup_new(inner, (struct namegroup_options){.count_is_hint = false}, &s, &err));
    return s;
}

/* What an entry says, but for what only one of index and stream knows. */
static void check_same(const struct entry *a, const struct entry *b)
{
    assert_true(bytes_equal(a->path, b->path));
    assert_true(bytes_equal(a->first_name, b->first_name));
    assert_int_equal(a->kind, b->kind);
    if (entry_is_further_name(a))
        return;
    assert_int_equal(a->size, b->size);
    assert_int_equal(a->link_count, b->link_count);
    assert_int_equal(a->shared, b->shared);
    assert_true(bytes_equal(a->target, b->target));
    assert_true(bytes_equal(a->reparse, b->reparse));
    assert_int_equal(a->folder_flavour, b->folder_flavour);
    assert_int_equal(a->meta.known, b->meta.known);
    assert_int_equal(a->meta.mode, b->meta.mode);
    assert_int_equal(a->meta.owner, b->meta.owner);
    check_time(a->meta.mtime, b->meta.mtime);
    assert_true(pairs_equal(&a->meta.xattrs, &b->meta.xattrs));
}

static void an_index_tells_what_the_stream_tells(void **state)
{
    char(*names)[NAME_BYTES] = calloc(2 * MANY, sizeof *names);

    for (int i = 0; i < CONTAINER_COUNT; i++) {
        struct told told;
        const struct entry *e, *s;
        int more;

        told_init(&told);
        (void)archived_in(*state, "a", containers[i], list_source(links(names)), &told);
        struct opened_archive stream = archive_opened(*state, "a", &told);
        struct source *index = index_opened(*state, "a");

        assert_true(index_source_tail(index)->index->block_count > 1);
        index = grouped(index);
        assert_false(source_facts(index)->sequential);
        while ((more = check_done(source_next(stream.source, &s, &err))) == 1) {
            assert_int_equal(check_done(source_next(index, &e, &err)), 1);
            check_same(e, s);
        }
        assert_int_equal(check_done(source_next(index, &e, &err)), 0);
        source_close(index);
        source_close(stream.source);
        told_release(&told);
    }
    free(names);
}

/* Junctions and their like, from a volume of NTFS. */
static struct list_source *reparse_points(void)
{
    static const uint8_t cloud[] = {0x1a, 0, 0, 0x90, 3, 0, 0, 0, 'a', 0, 'b'};
    static struct buffer junction;
    struct list_source *l = list_source_new();
    struct entry *e;

    buffer_clear(&junction);
    ntfs_junction(&junction, "C:\\x");
    list_add(l, ENTRY_DIRECTORY, "t");
    e = list_link(l, "t/a", "C:\\x");
    e->kind = ENTRY_JUNCTION;
    e->reparse = buffer_bytes(&junction);
    e->folder_flavour = true;
    check_done(pairs_append(&e->meta.xattrs, bytes_of("system.ntfs_acl"), bytes_of("x"), &err));
    check_done(pairs_append(&e->meta.xattrs, bytes_of("user.other"), bytes_of("y"), &err));
    e = list_add(l, ENTRY_REPARSE, "t/b");
    e->meta.mode = 0777;
    e->reparse = bytes_make(cloud, sizeof cloud);
    list_name(l, "t/c", "t/b");
    list_link(l, "t/d", "plain");
    list_as_archive(l);
    return l;
}

static void reparse_points_stand_in_both(void **state)
{
    for (int i = 0; i < CONTAINER_COUNT; i++) {
        struct told told;
        const struct entry *e, *s;
        int more;

        told_init(&told);
        (void)archived_in(*state, "a", containers[i], list_source(reparse_points()), &told);
        struct opened_archive stream = archive_opened(*state, "a", &told);
        struct source *index = grouped(index_opened(*state, "a"));

        while ((more = check_done(source_next(stream.source, &s, &err))) == 1) {
            assert_int_equal(check_done(source_next(index, &e, &err)), 1);
            check_same(e, s);
            if (bytes_equal(e->path, bytes_of("t/a"))) {
                assert_int_equal(e->kind, ENTRY_JUNCTION);
                assert_true(e->folder_flavour);
                assert_int_equal(entry_reparse_tag(e), 0xa0000003);
                assert_int_equal(e->meta.xattrs.count, 2);
            }
            if (bytes_equal(e->path, bytes_of("t/b")) || bytes_equal(e->path, bytes_of("t/c")))
                assert_int_equal(e->kind, ENTRY_REPARSE);
        }
        assert_int_equal(check_done(source_next(index, &e, &err)), 0);
        source_close(index);
        source_close(stream.source);
        told_release(&told);
    }
}

static void every_name_opens_its_content(void **state)
{
    char(*names)[NAME_BYTES] = calloc(2 * MANY, sizeof *names);

    for (int i = 0; i < CONTAINER_COUNT; i++) {
        struct told told;
        struct data *kept;
        char text[8] = "";
        size_t got;

        told_init(&told);
        (void)archived_in(*state, "a", containers[i], list_source(links(names)), &told);
        struct source *index = index_opened(*state, "a");

        (void)stream_until(index, names[0]);
        check_done(source_open_data(index, &kept, &err));
        check_content(index, names[5001], "odd");
        check_content(index, "t/b/00001", "odd"); /* of t/a/05999 */
        check_content(index, "t/b/05993", "odd"); /* of t/a/00007 */
        check_done(data_read(kept, 1, (struct data_span){text, sizeof text}, &got, &err));
        assert_int_equal(got, 3);
        assert_string_equal(text, "ven");
        data_close(kept);
        source_close(index);
        told_release(&told);
    }
    free(names);
}

/* First names in a folder that is left out: one is looked up, for many all blocks are read. */
static void a_further_name_without_the_first_is_the_first(void **state)
{
    static const char *const chosen[] = {"t/b/00001", "t/b"};
    char(*names)[NAME_BYTES] = calloc(2 * MANY, sizeof *names);
    struct told told;

    told_init(&told);
    (void)archived(*state, "a", list_source(links(names)), &told);
    for (int i = 0; i < 2; i++) {
        struct bytes path = bytes_of(chosen[i]);
        struct filter_options options = {.paths = &path, .path_count = 1};
        struct source *s;
        const struct entry *e;

        check_done(filter_new(index_opened(*state, "a"), &options, &s, &err));
        s = grouped(s);
        e = stream_until(s, "t/b/00001");
        assert_false(entry_is_further_name(e));
        assert_true(e->shared);
        assert_int_equal(e->size, 3);
        struct buffer content = content_of(s);

        check_text(buffer_bytes(&content), "odd");
        buffer_release(&content);
        if (i == 1)
            check_content(s, "t/b/06000", "even");
        check_stream(s, "");
        source_close(s);
    }
    told_release(&told);
    free(names);
}

static void chosen_paths_are_found(void **state)
{
    char(*names)[NAME_BYTES] = calloc(2 * MANY, sizeof *names);
    const struct bytes paths[] = {
        bytes_of("t/c"),   bytes_of("t/b/00002"),
        bytes_of("t/0"),   bytes_of("t/a/05998 with a name that fills the block"),
        bytes_of("t/a/3"), bytes_of("t/b/00001/below")};
    struct filter_options options = {.paths = paths, .path_count = sizeof paths / sizeof *paths};
    struct told told;
    struct source *s;

    told_init(&told);
    (void)archived(*state, "a", list_source(links(names)), &told);
    check_done(filter_new(index_opened(*state, "a"), &options, &s, &err));
    check_stream(s, "d:t d:t/a f:t/a/05998 with a name that fills the block d:t/b l:t/c>a");
    assert_int_equal(filter_unmatched(s, 0), 1);
    assert_int_equal(filter_unmatched(s, 2), 2);
    assert_int_equal(filter_unmatched(s, 3), 4);
    source_close(s);
    told_release(&told);
    free(names);
}

static void small_contents_are_read(void **state)
{
    struct told told;

    told_init(&told);
    for (int i = 0; i < CONTAINER_COUNT; i++) {
        struct list_source *l = list_source_new();
        struct source *s;

        list_add(l, ENTRY_DIRECTORY, "t");
        list_file(l, "t/empty", "");
        list_file(l, "t/text", "some text");
        (void)archived_in(*state, "a", containers[i], list_source(l), &told);
        s = index_opened(*state, "a");
        check_content(s, "t/empty", "");
        check_content(s, "t/text", "some text");
        source_close(s);
    }
    told_release(&told);
}

/* ---- Damage ---- */

/* Reads an archive by its index, with all contents; damage is an error of source or data. */
static bool reads_by_index(const struct folder *f)
{
    os_handle handle = archive_handle(f, "a");
    const struct entry *e;
    struct source *s;
    uint8_t bytes[100];
    size_t got;
    bool is_sound = true;

    if (index_source_open(handle, INDEX_CHECKED_AS_READ, &s, &err) != 1) {
        os_close(handle);
        return false;
    }
    while (is_sound && source_next(s, &e, &err) == 1) {
        struct data *d;

        if (e->kind != ENTRY_FILE)
            continue;
        check_done(source_open_data(s, &d, &err));
        is_sound = data_read(d, 0, (struct data_span){bytes, sizeof bytes}, &got, &err) == 0;
        data_close(d);
    }
    source_close(s);
    is_sound = is_sound && err.kind == ERROR_NONE;
    error_release(&err);
    return is_sound;
}

/* Never a crash, and never a content that is wrong without a word. */
static void flips_never_crash(void **state)
{
    for (int i = 0; i < CONTAINER_COUNT; i++) {
        struct list_source *l = list_source_new();
        struct told told;
        struct buffer bytes;
        size_t found = 0, tried = 0;

        told_init(&told);
        list_add(l, ENTRY_DIRECTORY, "t");
        list_file(l, "t/a", "content");
        list_link(l, "t/b", "a");
        (void)archived_in(*state, "a", containers[i], list_source(l), &told);
        bytes = archive_bytes(*state, "a");
        assert_true(reads_by_index(*state));
        for (size_t at = 0; at < bytes.size; at += i == 0 ? 29 : 1) {
            bytes.data[at] ^= 0x10;
            archive_put(*state, "a", buffer_bytes(&bytes));
            found += !reads_by_index(*state);
            tried++;
            bytes.data[at] ^= 0x10;
        }
        /* Of a plain stream no more is read than the contents, and most of this one is padding. */
        assert_true(found > (containers[i] == CONTAINER_PLAIN ? 0 : tried / 2));
        buffer_release(&bytes);
        told_release(&told);
    }
}

static void a_pipe_and_other_archives_have_no_index(void **state)
{
    os_handle handle;
    struct source *s;

    archive_put(*state, "a", bytes_of("no archive at all"));
    handle = archive_handle(*state, "a");
    assert_int_equal(check_done(index_source_open(handle, INDEX_CHECKED_AS_READ, &s, &err)), 0);
    os_close(handle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_comes_back),
        cmocka_unit_test(a_further_name_needs_its_first),
        cmocka_unit_test_setup_teardown(a_large_index_grows_in_a_file, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(an_index_tells_what_the_stream_tells, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(reparse_points_stand_in_both, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(every_name_opens_its_content, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(chosen_paths_are_found, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(a_further_name_without_the_first_is_the_first, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(small_contents_are_read, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(flips_never_crash, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(a_pipe_and_other_archives_have_no_index, folder_setup,
                                        folder_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
