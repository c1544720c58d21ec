/*
 * Sources as roots: their names, told paths, nesting.
 */
#include "cli/roots.h"

#include <stdio.h>
#include <string.h>

#include "support/check.h"
#include "support/told.h"
#include "support/walked.h"

static struct error err;

enum { MAX_SOURCES = 6 };

/* One request, whose sources are paths below the test's folder, "s/..." in the tests. */
struct asked {
    const struct folder *folder;
    struct told told;
    char paths[MAX_SOURCES][400];
    const char *sources[MAX_SOURCES];
    struct text_list as;
    struct root_list list;
    struct root_request request;
};

static void begin(struct asked *a, void **state)
{
    struct os_stat status;

    memset(a, 0, sizeof *a);
    a->folder = *state;
    told_init(&a->told);
    a->request = (struct root_request){.sources = a->sources, .as = &a->as};
    if (os_stat_at(a->folder->handle, "s", &status, NULL) == 0)
        return;
    walked_dir(a->folder, "s");
    walked_dir(a->folder, "s/docs");
    walked_dir(a->folder, "s/docs/deep");
    walked_dir(a->folder, "s/other");
    walked_dir(a->folder, "s/other/docs");
    walked_file(a->folder, "s/other/file");
    walked_link(a->folder, "docs", "s/link");
}

static void ask(struct asked *a, const char *path)
{
    char *to = a->paths[a->request.source_count];

    (void)snprintf(to, sizeof a->paths[0], "%s/%s", a->folder->path, path);
    a->sources[a->request.source_count++] = to;
}

/* The list as "name=source" with the sources below the test's folder, and what was told. */
static void check_roots(struct asked *a, const char *wanted, const char *told)
{
    struct disk_layout layout;
    char text[1000] = "";
    size_t skip = strlen(a->folder->path) + 1;

    check_done(root_list_make(&a->list, &a->request, &a->told.watcher, &err));
    layout = root_list_layout(&a->list);
    for (size_t i = 0; i < layout.root_count; i++) {
        size_t used = strlen(text);

        (void)snprintf(text + used, sizeof text - used, "%s%s=%s", used != 0 ? " " : "",
                       layout.roots[i].name, layout.roots[i].place + skip);
    }
    assert_string_equal(text, wanted);
    assert_int_equal(a->told.text.size != 0, told != NULL);
    if (told != NULL)
        assert_non_null(strstr((char *)a->told.text.data, told));
}

static void end(struct asked *a)
{
    root_list_release(&a->list);
    text_list_release(&a->as);
    told_release(&a->told);
}

static void names_are_as_typed_and_sorted(void **state)
{
    struct asked a;

    begin(&a, state);
    ask(&a, "s/other/file");
    ask(&a, "s/link/");
    ask(&a, "s/docs//");
    check_roots(&a, "file=s/other/file link=s/link/", "lies inside another source");
    end(&a);
    begin(&a, state);
    ask(&a, "s/docs/.");
    ask(&a, "s/other/docs/..");
    check_roots(&a, "docs=s/docs/. other=s/other/docs/..", NULL);
    end(&a);
}

static void equal_names_are_counted(void **state)
{
    struct asked a;

    begin(&a, state);
    walked_dir(a.folder, "s/third");
    walked_dir(a.folder, "s/third/docs");
    ask(&a, "s/third/docs");
    ask(&a, "s/other/docs");
    ask(&a, "s/docs");
    check_roots(&a, "docs=s/docs docs~2=s/other/docs docs~3=s/third/docs", NULL);
    end(&a);
}

static void inner_sources_go_with_the_outer_one(void **state)
{
    struct asked a;

    begin(&a, state);
    ask(&a, "s/docs/deep");
    ask(&a, "s/other");
    ask(&a, "s/docs");
    ask(&a, "s/docs");
    check_roots(&a, "docs=s/docs other=s/other", "s/docs/deep: lies inside another source");
    end(&a);
    begin(&a, state);
    a.sources[a.request.source_count++] = "/";
    ask(&a, "s/docs");
    check_done(root_list_make(&a.list, &a.request, &a.told.watcher, &err));
    assert_int_equal(a.list.count, 1);
    assert_string_equal(root_list_layout(&a.list).roots[0].name, "root");
    end(&a);
}

/* With --one-file-system the outer one does not get there. */
static void sources_on_other_file_systems_stay(void **state)
{
    struct asked a;
    struct os_stat root, proc;

    begin(&a, state);
    check_done(os_stat_path("/", true, &root, &err));
    if (os_stat_path("/proc", true, &proc, NULL) != 0 || proc.device == root.device)
        check_skip("no /proc");
    a.sources[a.request.source_count++] = "/";
    a.sources[a.request.source_count++] = "/proc";
    a.request.one_file_system = true;
    check_done(root_list_make(&a.list, &a.request, &a.told.watcher, &err));
    assert_int_equal(a.list.count, 2);
    check_told(&a.told, "");
    end(&a);
}

static void as_gives_names_and_places(void **state)
{
    struct asked a;

    begin(&a, state);
    ask(&a, "s/docs");
    ask(&a, "s/other");
    check_done(text_list_append(&a.as, "C:\\Users\\joe", &err));
    check_done(text_list_append(&a.as, "a name", &err));
    check_roots(&a, "a name=s/other joe=s/docs", NULL);
    assert_null(root_list_layout(&a.list).roots[0].told_path);
    assert_string_equal(root_list_layout(&a.list).roots[1].told_path, "C:\\Users\\joe");
    end(&a);
}

static void as_must_give_a_name(void **state)
{
    static const char *const wrong[] = {"", "/", "a/", "..", "/x/.", "C:\\"};

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct asked a;

        begin(&a, state);
        ask(&a, "s/docs");
        check_done(text_list_append(&a.as, wrong[i], &err));
        check_kind(root_list_make(&a.list, &a.request, &a.told.watcher, &err), ERROR_USAGE);
        check_told(&a.told, "");
        end(&a);
    }
}

static void missing_sources_are_told(void **state)
{
    struct asked a;

    begin(&a, state);
    ask(&a, "s/none");
    ask(&a, "s/docs");
    check_roots(&a, "docs=s/docs", "s/none: No such file or directory");
    end(&a);
    begin(&a, state);
    ask(&a, "s/none");
    check_kind(root_list_make(&a.list, &a.request, &a.told.watcher, &err), ERROR_USAGE);
    check_told(&a.told, ""); /* the error itself says so */
    end(&a);
    begin(&a, state);
    ask(&a, "s/docs");
    check_done(text_list_append(&a.as, "one", &err));
    check_done(text_list_append(&a.as, "two", &err));
    check_kind(root_list_make(&a.list, &a.request, &a.told.watcher, &err), ERROR_USAGE);
    end(&a);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(names_are_as_typed_and_sorted),
        TEST(equal_names_are_counted),
        TEST(inner_sources_go_with_the_outer_one),
        TEST(sources_on_other_file_systems_stay),
        TEST(as_gives_names_and_places),
        TEST(as_must_give_a_name),
        TEST(missing_sources_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
