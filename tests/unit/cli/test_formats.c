/*
 * Which kind of archive a backup writes.
 */
#include "cli/formats.h"

#include <stdio.h>
#include <string.h>

#include "support/check.h"
#include "support/folder.h"

static struct error err;

static const struct archive_format zip = {.is_export = true, .format = EXPORT_ZIP};
static const struct archive_format cpio = {.is_export = true, .format = EXPORT_CPIO};
static const struct archive_format plain_tar = {.container = CONTAINER_PLAIN};
static const struct archive_format zstd_tar = {.container = CONTAINER_ZSTD};
static const struct archive_format gzip_tar = {.container = CONTAINER_GZIP};

static void check_choice(const char *format, const char *archive, struct archive_format wanted)
{
    struct archive_format got;

    check_done(formats_choose(format, archive, &got, &err));
    assert_int_equal(got.is_export, wanted.is_export);
    if (wanted.is_export)
        assert_int_equal(got.format, wanted.format);
    else
        assert_int_equal(got.container, wanted.container);
}

static void the_suffix_or_the_word_decides(void **state)
{
    static const struct archive_format seven = {.is_export = true, .format = EXPORT_7Z};

    (void)state;
    check_choice(NULL, "a.tar.zst", zstd_tar);
    check_choice(NULL, "b/a.tgz", gzip_tar);
    check_choice(NULL, "a.tar", plain_tar);
    check_choice(NULL, "a.zip", zip);
    check_choice(NULL, "a.tar.7z", seven);
    check_choice(NULL, "a.cpio", cpio);
    check_choice(NULL, "-", zstd_tar);
    check_choice("cpio", "-", cpio);
    check_choice("7z", "name", seven);
    check_choice("tar", "a.zip", plain_tar);
}

static void what_is_not_known_is_refused(void **state)
{
    struct archive_format got;

    (void)state;
    check_kind(formats_choose(NULL, "notes", &got, &err), ERROR_USAGE);
    check_kind(formats_choose(NULL, ".zip", &got, &err), ERROR_USAGE);
    check_kind(formats_choose(NULL, "a.ZIP", &got, &err), ERROR_USAGE);
    check_kind(formats_choose("rar", "a.zip", &got, &err), ERROR_USAGE);
    assert_int_equal(formats_choose(NULL, "notes", &got, &err), -1);
    assert_non_null(strstr(err.detail, "--format"));
    assert_non_null(strstr(err.detail, "'notes'"));
    error_release(&err);
}

static void levels_have_a_range(void **state)
{
    static const struct option_number none = {0}, nine = {true, 9}, ten = {true, 10};
    static const struct option_number zero = {true, 0}, nineteen = {true, 19};
    int level;

    (void)state;
    check_done(formats_level(&cpio, &none, &level, &err));
    assert_int_equal(level, 0);
    check_done(formats_level(&zip, &nine, &level, &err));
    assert_int_equal(level, 9);
    check_done(formats_level(&zstd_tar, &nineteen, &level, &err));
    check_kind(formats_level(&zip, &ten, &level, &err), ERROR_USAGE);
    check_kind(formats_level(&zip, &zero, &level, &err), ERROR_USAGE);
    check_kind(formats_level(&cpio, &nine, &level, &err), ERROR_USAGE);
    check_kind(formats_level(&gzip_tar, &nineteen, &level, &err), ERROR_USAGE);
}

static void only_an_archive_of_the_kind_gives_way(void **state)
{
    const struct folder *f = *state;
    char path[300];

    (void)snprintf(path, sizeof path, "%s/a", f->path);
    check_kind(formats_may_replace(&zip, path, &err), ERROR_OS);
    folder_write(f->handle, "a", 0600, "PK\3\4 and so on");
    assert_int_equal(check_done(formats_may_replace(&zip, path, &err)), 1);
    assert_int_equal(check_done(formats_may_replace(&cpio, path, &err)), 0);
    assert_int_equal(check_done(formats_may_replace(&plain_tar, path, &err)), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_suffix_or_the_word_decides),
        cmocka_unit_test(what_is_not_known_is_refused),
        cmocka_unit_test(levels_have_a_range),
        cmocka_unit_test_setup_teardown(only_an_archive_of_the_kind_gives_way, folder_setup,
                                        folder_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
