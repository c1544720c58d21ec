/*
 * What is left out of a backup by a mark of its own: caches, folders with a file of a given name,
 * the nodump flag.
 */
#include "support/check.h"
#include "support/stream.h"
#include "support/walked.h"
#include "tree/filter.h"

#define SIGNATURE "Signature: 8a477f597d28d172789f06886806bc55"

static void write_at(const struct folder *f, const char *dir, const char *name, const char *content)
{
    struct error err = {0};
    os_handle folder;

    check_done(os_open_dir(f->handle, dir, &folder, &err));
    folder_write(folder, name, 0644, content);
    os_close(folder);
}

/* Asks the probe about each folder of the walk; the marked ones are told by name in one text, and
 * not entered. */
static void check_marked(const struct folder *f, struct folder_marks *m, const char *wanted)
{
    struct source *s = walked(f);
    struct error err = {0};
    struct buffer text = {0};
    const struct entry *e;

    while (check_done(source_next(s, &e, &err)) == 1) {
        if (!check_done(m->probe.probe(&m->probe, s, e, &err)))
            continue;
        check_done(buffer_append(&text, entry_name(e).data, entry_name(e).size, &err));
        check_done(buffer_append(&text, " ", 1, &err));
        source_skip(s);
    }
    check_text(buffer_bytes(&text), wanted);
    buffer_release(&text);
    source_close(s);
}

static void make_caches(const struct folder *f)
{
    walked_dir(f, "cache");
    walked_dir(f, "cache/inner");
    walked_dir(f, "empty");
    walked_dir(f, "link");
    walked_dir(f, "no");
    walked_dir(f, "short");
    write_at(f, "cache", "CACHEDIR.TAG", SIGNATURE "\n# made by a test\n");
    write_at(f, "empty", "CACHEDIR.TAG", "");
    walked_link(f, "../cache/CACHEDIR.TAG", "link/CACHEDIR.TAG");
    write_at(f, "no", "CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc56\n");
    write_at(f, "short", "CACHEDIR.TAG", "Signature: 8a477f");
}

static void caches_are_known_by_their_tag(void **state)
{
    struct folder *f = *state;
    struct folder_marks m;

    make_caches(f);
    folder_marks_init(&m);
    check_marked(f, &m, "");
    m.caches = true;
    check_marked(f, &m, "cache ");
}

static void folders_are_known_by_a_name_in_them(void **state)
{
    struct folder *f = *state;
    static const char *const names[] = {".nobackup", "skip me"};
    struct folder_marks m;

    walked_dir(f, "a");
    walked_dir(f, "b");
    walked_dir(f, "c");
    walked_dir(f, "c/d");
    walked_file(f, "b/.nobackup");
    walked_link(f, "dangling", "c/d/skip me");
    folder_marks_init(&m);
    m.names = names;
    m.name_count = 2;
    check_marked(f, &m, "b d ");
}

static void a_filter_leaves_marked_folders_out(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    struct folder_marks m;
    struct source *s = NULL;

    walked_file(f, "z");
    make_caches(f);
    folder_marks_init(&m);
    m.caches = true;
    struct source *walk = walked(f);
    check_done(filter_new(walk, &(struct filter_options){.probe = &m.probe}, &s, &err));
    check_stream(s, "d:t d:t/cache d:t/empty f:t/empty/CACHEDIR.TAG d:t/link "
                    "l:t/link/CACHEDIR.TAG>../cache/CACHEDIR.TAG d:t/no f:t/no/CACHEDIR.TAG "
                    "d:t/short f:t/short/CACHEDIR.TAG f:t/z");
    source_close(s);
}

static void marks_are_looked_for_on_a_walk_alone(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    struct folder_marks m;
    const struct entry *e;
    struct source *s = NULL;

    folder_marks_init(&m);
    check_done(nodump_new(walked(f), &s, &err));
    check_done(source_next(s, &e, &err));
    check_kind(m.probe.probe(&m.probe, s, e, &err), ERROR_USAGE);
    source_close(s);
}

static void what_is_flagged_nodump_is_left_out(void **state)
{
    struct folder *f = *state;
    struct error err = {0};
    struct source *s = NULL;
    static const char *const flagged[] = {"a", "dir"};

    walked_file(f, "a");
    walked_file(f, "b");
    walked_dir(f, "dir");
    walked_file(f, "dir/below");
    walked_dir(f, "kept");
    walked_file(f, "kept/below");
    walked_link(f, "a", "link");
    for (size_t i = 0; i < 2; i++) {
        struct os_object o = folder_object(f->handle, flagged[i]);
        if (os_set_flags(&o, OS_FLAG_NODUMP, &err)) {
            error_release(&err);
            check_skip("needs a file system with flags");
        }
    }
    check_done(nodump_new(walked(f), &s, &err));
    assert_int_equal(source_facts(s)->root_count, 1);
    check_stream(s, "d:t f:t/b d:t/kept f:t/kept/below l:t/link>a");
    source_close(s);
}

#define folder_test(f) cmocka_unit_test_setup_teardown(f, folder_setup, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        folder_test(caches_are_known_by_their_tag),
        folder_test(folders_are_known_by_a_name_in_them),
        folder_test(a_filter_leaves_marked_folders_out),
        folder_test(marks_are_looked_for_on_a_walk_alone),
        folder_test(what_is_flagged_nodump_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
