/*
 * Archives proved by themselves: what is counted, which damage is found and how it is named.
 */
#include "archive/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/tar.h"
#include "support/archived.h"
#include "support/check.h"
#include "support/tarball.h"

static struct error err;

static const enum container containers[] = {CONTAINER_PLAIN, CONTAINER_GZIP, CONTAINER_ZSTD};
enum { CONTAINER_COUNT = 3, LARGE_BYTES = 18 << 20 };

static struct list_source *tree(const char *content)
{
    struct list_source *list = list_source_new();

    list_add(list, ENTRY_DIRECTORY, "t");
    list_file(list, "t/a", content);
    list_name(list, "t/b", "t/a");
    list_file(list, "t/c", "");
    list_link(list, "t/d", "a");
    list_as_archive(list);
    return list;
}

static int check(const struct folder *f, struct told *told, struct check_counts *counts)
{
    return check_archive(archive_handle(f, "a"), NULL, &told->watcher, counts, &err);
}

static void a_whole_archive_is_counted(void **state)
{
    for (int i = 0; i < CONTAINER_COUNT; i++) {
        struct told told;
        struct check_counts counts;

        told_init(&told);
        (void)archived_in(*state, "a", containers[i], list_source(tree("content")), &told);
        check_done(check(*state, &told, &counts));
        assert_true(counts.is_ours);
        assert_int_equal(counts.entries, 5);
        assert_int_equal(counts.bytes, 7);
        assert_int_equal(counts.losses, 0);
        check_told(&told, "");
        told_release(&told);
    }
}

static void losses_of_the_backup_are_told(void **state)
{
    struct list_source *list = tree("content");
    struct told told;
    struct check_counts counts;

    told_init(&told);
    list_problem(list, PROBLEM_ENTRY, "t/secret");
    (void)archived(*state, "a", list_source(list), &told);
    check_told(&told, "error t/secret: planted");
    check_done(check(*state, &told, &counts));
    assert_int_equal(counts.losses, 1);
    check_told(&told, "loss t/secret: not exact since the backup (planted)");
    told_release(&told);
}

/* Any flipped byte and any cut is found. Steps are odd, so that all kinds of places are met. */
static void small_damage_is_found_wherever_it_is(void **state)
{
    for (int i = 0; i < CONTAINER_COUNT; i++) {
        struct told told;
        struct check_counts counts;
        struct buffer bytes;

        told_init(&told);
        (void)archived_in(*state, "a", containers[i], list_source(tree("content")), &told);
        bytes = archive_bytes(*state, "a");
        for (size_t at = 0; at < bytes.size; at += i == 0 ? 37 : 3) {
            bytes.data[at] ^= 0x40;
            archive_put(*state, "a", buffer_bytes(&bytes));
            if (check(*state, &told, &counts) == 0)
                fail_msg("a flipped byte %zu in container %d is not found", at, i);
            error_release(&err);
            bytes.data[at] ^= 0x40;
            archive_put(*state, "a", bytes_make(bytes.data, at));
            if (check(*state, &told, &counts) == 0)
                fail_msg("a cut at %zu in container %d is not found", at, i);
            error_release(&err);
        }
        buffer_release(&bytes);
        told_release(&told);
    }
}

/* A deflate block leaves bits without meaning at its end, and a piece of the tail is an empty one.
 */
static void every_bit_of_the_end_of_a_gzip_archive_is_looked_at(void **state)
{
    enum { END_BYTES = 20 };
    struct told told;
    struct check_counts counts;
    struct buffer bytes;

    told_init(&told);
    (void)archived_in(*state, "a", CONTAINER_GZIP, list_source(tree("content")), &told);
    bytes = archive_bytes(*state, "a");
    for (size_t bit = 0; bit < 8 * END_BYTES; bit++) {
        uint8_t *byte = &bytes.data[bytes.size - 1 - bit / 8];

        *byte ^= (uint8_t)(1u << bit % 8);
        archive_put(*state, "a", buffer_bytes(&bytes));
        if (check(*state, &told, &counts) == 0)
            fail_msg("bit %zu from the end is not looked at", bit);
        error_release(&err);
        *byte ^= (uint8_t)(1u << bit % 8);
    }
    buffer_release(&bytes);
    told_release(&told);
}

/* Text that does not compress away. */
static char *large_text(void)
{
    char *text = malloc(LARGE_BYTES + 1);
    uint32_t random = 1;

    assert_non_null(text);
    for (size_t i = 0; i < LARGE_BYTES; i++) {
        random = random * 1664525 + 1013904223;
        text[i] = (char)('A' + (random >> 26));
    }
    text[LARGE_BYTES] = '\0';
    return text;
}

static void damaged_frames_are_named(void **state)
{
    char *text = large_text();

    for (int i = 0; i < CONTAINER_COUNT; i++) {
        struct told told;
        struct check_counts counts;
        struct opened_archive a;
        const struct tail *tail;
        struct frame frames[2];
        struct buffer bytes;
        char wanted[200];

        told_init(&told);
        (void)archived_in(*state, "a", containers[i], list_source(tree(text)), &told);
        a = archive_opened(*state, "a", &told);
        assert_int_equal(check_done(input_tail(a.input, &tail, &err)), 1);
        assert_true(tail->frame_count >= 3);
        frames[0] = tail->frames[1];
        frames[1] = tail->frames[2];
        source_close(a.source);
        bytes = archive_bytes(*state, "a");
        bytes.data[frames[0].stored_offset + frames[0].stored_bytes / 2] ^= 1;
        bytes.data[frames[1].stored_offset + frames[1].stored_bytes / 2] ^= 1;
        archive_put(*state, "a", buffer_bytes(&bytes));
        check_kind(check(*state, &told, &counts), ERROR_FORMAT);
        (void)snprintf(wanted, sizeof wanted,
                       "error : bytes %llu to %llu of the archive are damaged; "
                       "error : bytes %llu to %llu of the archive are damaged",
                       (unsigned long long)frames[0].stored_offset,
                       (unsigned long long)(frames[0].stored_offset + frames[0].stored_bytes),
                       (unsigned long long)frames[1].stored_offset,
                       (unsigned long long)(frames[1].stored_offset + frames[1].stored_bytes));
        check_told(&told, wanted);
        buffer_release(&bytes);
        told_release(&told);
    }
    free(text);
}

/* A tail of another container comes along when an archive is decompressed with a tool that keeps
 * what stands behind the stream, or is compressed anew. */
static void an_archive_that_was_compressed_anew_is_whole(void **state)
{
    struct told told;
    struct check_counts counts;
    char command[900];
    const char *folder = ((struct folder *)*state)->path;

    told_init(&told);
    (void)archived_in(*state, "a", CONTAINER_PLAIN, list_source(tree("content")), &told);
    (void)snprintf(command, sizeof command, "gzip -c %s/a >%s/b && mv %s/b %s/a", folder, folder,
                   folder, folder);
    if (system(command) != 0)
        check_skip("no gzip");
    check_done(check(*state, &told, &counts));
    assert_true(counts.is_ours);
    check_told(&told, "");
    told_release(&told);
}

static void other_archives_are_read_to_their_end(void **state)
{
    struct told told;
    struct check_counts counts;
    struct tarball tar;

    told_init(&told);
    tarball_init(&tar);
    tarball_member(&tar, "a", '0', bytes_of("content"));
    tarball_member(&tar, "b", 'Q', bytes_of("odd"));
    tarball_zeros(&tar, 2);
    archive_put(*state, "a", buffer_bytes(&tar.bytes));
    check_done(check(*state, &told, &counts));
    assert_false(counts.is_ours);
    assert_int_equal(counts.entries, 2);
    check_told(&told, "error b: a member of the unknown type 'Q'");
    tarball_member(&tar, "hidden", '0', bytes_of("behind the end"));
    archive_put(*state, "a", buffer_bytes(&tar.bytes));
    check_kind(check(*state, &told, &counts), ERROR_FORMAT);
    tarball_release(&tar);
    told_release(&told);
}

static void what_is_no_archive_is_told(void **state)
{
    struct told told;
    struct check_counts counts;

    told_init(&told);
    archive_put(*state, "a", bytes_of("just a text, longer than a header would have to be"));
    check_kind(check(*state, &told, &counts), ERROR_FORMAT);
    told_release(&told);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_whole_archive_is_counted),
        TEST(losses_of_the_backup_are_told),
        TEST(small_damage_is_found_wherever_it_is),
        TEST(every_bit_of_the_end_of_a_gzip_archive_is_looked_at),
        TEST(damaged_frames_are_named),
        TEST(an_archive_that_was_compressed_anew_is_whole),
        TEST(other_archives_are_read_to_their_end),
        TEST(what_is_no_archive_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
