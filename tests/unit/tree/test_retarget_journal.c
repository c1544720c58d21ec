/*
 * The journal of links that lead elsewhere: what was written is read, and nothing else.
 */
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "support/check.h"
#include "tree/retarget.h"

/* A list with a target of every kind of byte. */
static void fill(struct retargets *list)
{
    static const uint8_t odd[] = {0, '\n', ' ', 0xff, 'x'};
    struct retarget links[] = {
        {bytes_of("a"), RETARGET_TEXT, bytes_of("/old/x"), bytes_of("/new/x"), 0},
        {bytes_of("d/\xff\n b"), RETARGET_TEXT, bytes_of(" "), bytes_of("\n"), 1},
        {bytes_of("j"), RETARGET_REPARSE, bytes_make(odd, 5), bytes_make(odd, 4), 1},
    };
    struct error err = {0};

    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++)
        check_done(retargets_add(list, &links[i], &err));
}

static void what_was_written_is_read(void **state)
{
    struct retargets list = {0}, got = {0};
    struct buffer text = {0}, folder = {0};
    struct error err = {0};

    (void)state;
    fill(&list);
    check_done(retargets_write(&list, bytes_of("/a b"), &text, &err));
    check_done(retargets_read(buffer_bytes(&text), &got, &folder, &err));
    check_text(buffer_bytes(&folder), "/a b");
    assert_int_equal(got.count, list.count);
    for (size_t i = 0; i < list.count; i++) {
        struct retarget a = retargets_at(&list, i), b = retargets_at(&got, i);

        assert_true(bytes_equal(a.path, b.path) && bytes_equal(a.from, b.from) &&
                    bytes_equal(a.to, b.to));
        assert_true(a.form == b.form && a.group == b.group);
    }
    retargets_release(&list);
    retargets_release(&got);
    buffer_release(&text);
    buffer_release(&folder);
}

static void check_refused(struct bytes journal)
{
    struct retargets got = {0};
    struct buffer folder = {0};
    struct error err = {0};

    check_kind(retargets_read(journal, &got, &folder, &err), ERROR_FORMAT);
    assert_int_equal(got.count, 0);
    buffer_release(&folder);
}

static void a_cut_or_changed_byte_is_found(void **state)
{
    struct retargets list = {0};
    struct buffer text = {0};
    struct error err = {0};

    (void)state;
    fill(&list);
    check_done(retargets_write(&list, bytes_of("/"), &text, &err));
    for (size_t i = 0; i < text.size; i++) {
        check_refused(bytes_make(text.data, i));
        text.data[i] ^= 1;
        check_refused(buffer_bytes(&text));
        text.data[i] ^= 1;
    }
    check_done(buffer_append_byte(&text, '\n', &err));
    check_refused(buffer_bytes(&text));
    retargets_release(&list);
    buffer_release(&text);
}

/* A journal of these lines with the end that they should have. */
static void check_lines_refused(const char *lines, size_t count)
{
    struct buffer text = {0};
    struct hash128 hash = hash_bytes(bytes_of(lines));
    struct error err = {0};
    char end[100];

    (void)snprintf(end, sizeof end, "end %zu %016llx%016llx\n", count,
                   (unsigned long long)hash.high, (unsigned long long)hash.low);
    check_done(buffer_append(&text, lines, strlen(lines), &err));
    check_done(buffer_append(&text, end, strlen(end), &err));
    check_refused(buffer_bytes(&text));
    buffer_release(&text);
}

static void malformed_lines_are_refused(void **state)
{
#define BEGIN "holdfast remap journal 1\nfolder Lw==\n"
    (void)state;
    check_lines_refused("", 0);
    check_lines_refused("holdfast remap journal 2\nfolder Lw==\n", 0);
    check_lines_refused("holdfast remap journal 1\n", 0);
    check_lines_refused("holdfast remap journal 1\nplace Lw==\n", 0);
    check_lines_refused("holdfast remap journal 1\nfolder ?\n", 0);
    check_lines_refused(BEGIN "\n", 1);
    check_lines_refused(BEGIN "link YQ== text YQ== YQ==\n", 1);
    check_lines_refused(BEGIN "link YQ== text YQ== YQ== x\n", 1);
    check_lines_refused(BEGIN "link YQ== text YQ== YQ== 0 0\n", 1);
    check_lines_refused(BEGIN "link YQ== words YQ== YQ== 0\n", 1);
    check_lines_refused(BEGIN "link  text YQ== YQ== 0\n", 1);
    check_lines_refused(BEGIN "link YQ= text YQ== YQ== 0\n", 1);
    check_lines_refused(BEGIN "link YQ== text YQ== YQ== 99999999999999999999999\n", 1);
    check_lines_refused(BEGIN "name YQ== text YQ== YQ== 0\n", 1);
    check_lines_refused(BEGIN "link YQ== text YQ== YQ== 0\n", 2);
#undef BEGIN
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(a_cut_or_changed_byte_is_found),
        cmocka_unit_test(malformed_lines_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
