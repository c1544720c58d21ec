/*
 * Options that give links other targets: paths and rules as the user gives them.
 */
#include "cli/mapping.h"

#include <stdio.h>
#include <string.h>

#include "support/check.h"
#include "support/folder.h"

static void check_path(const char *path, const char *base, const char *rest)
{
    struct buffer got = {0};
    struct error err = {0};
    char wanted[300];

    (void)snprintf(wanted, sizeof wanted, "%s%s", base, rest);
    check_done(mapping_real_path(path, &got, &err));
    check_text(buffer_bytes(&got), wanted);
    buffer_release(&got);
}

static void paths_that_are_there_and_not(void **state)
{
    struct folder *f = *state;
    struct buffer here = {0};
    struct error err = {0};
    char path[300];

    check_done(os_make_dir(f->handle, "d", 0755, &err));
    check_done(os_make_symlink(f->handle, "l", bytes_of("d"), &err));
    check_done(os_handle_path(f->handle, &here, &err));
    check_done(buffer_terminate(&here, &err));
    const char *base = (const char *)here.data;

    (void)snprintf(path, sizeof path, "%s/l", f->path);
    check_path(path, base, "/d");
    (void)snprintf(path, sizeof path, "%s/l///new//x/", f->path);
    check_path(path, base, "/d/new//x");
    (void)snprintf(path, sizeof path, "%s/none", f->path);
    check_path(path, base, "/none");
    check_path("/", "/", "");
    check_path("/no/such/folder", "/no/such/folder", "");
    buffer_release(&here);
}

static void rebase_makes_rules_for_both_systems(void **state)
{
    struct map_settings settings = {.rebase = true};
    struct report report = {0};
    struct mapping m;
    struct error err = {0};
    struct remap_result result;

    (void)state;
    check_done(drives_add_text(&settings.drives, bytes_of("C:=/mnt/old"), &err));
    check_done(drives_add_text(&settings.drives, bytes_of("D:=/mnt/new"), &err));
    check_done(mapping_begin(&m, &settings, &report, MAPPING_COUNTS, &err));
    check_kind(mapping_add_root(&m, "t", "", "/x", &err), ERROR_USAGE);
    check_done(mapping_add_root(&m, "t", "/mnt/old/t", "/mnt/new/sub/t", &err));
    check_done(
        remap_target(&settings.rules, bytes_of("/mnt/old/t/x"), TARGET_RULES_POSIX, &result, &err));
    check_text(buffer_bytes(&result.target), "/mnt/new/sub/t/x");
    remap_result_release(&result);
    check_done(
        remap_target(&settings.rules, bytes_of("c:\\T\\x"), TARGET_RULES_WINDOWS, &result, &err));
    check_text(buffer_bytes(&result.target), "D:\\sub\\t\\x");
    remap_result_release(&result);
    mapping_release(&m);
    map_settings_release(&settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(paths_that_are_there_and_not, folder_setup,
                                        folder_teardown),
        cmocka_unit_test(rebase_makes_rules_for_both_systems),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
