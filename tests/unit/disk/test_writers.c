/* What other threads make while the run goes on: files of many batches, what cannot be made, names
 * that are no names of their file. */
#include <stdio.h>
#include <string.h>

#include "support/check.h"
#include "support/transferred.h"

enum { MANY = 700, DEPTH = 60 };

static struct list_source *empty_tree(void)
{
    struct list_source *l = list_source_new();

    list_add(l, ENTRY_DIRECTORY, "t");
    return l;
}

/* More than any batch takes in one folder, and a folder with a file at each level below. */
static void makes_files_of_many_batches(void **state)
{
    static char wide[MANY][24], folders[DEPTH][3 * DEPTH], deep[DEPTH][3 * DEPTH + 4];
    const struct folder *f = *state;
    struct list_source *l = empty_tree();
    struct transferred t;

    for (size_t i = 0; i < MANY; i++) {
        (void)snprintf(wide[i], sizeof wide[i], "t/file-%zu", i);
        list_file(l, wide[i], i % 2 ? "odd" : "even");
    }
    for (size_t i = 0; i < DEPTH; i++) {
        (void)snprintf(folders[i], sizeof folders[i], "%s/d", i ? folders[i - 1] : "t");
        (void)snprintf(deep[i], sizeof deep[i], "%s/f", folders[i]);
        list_add(l, ENTRY_DIRECTORY, folders[i]);
        list_file(l, deep[i], "deep");
    }
    transferred_init(&t, f);
    transferred_exactly(&t, l);
    assert_int_equal(t.transfer.counts.created, 1 + MANY + 2 * DEPTH);
    for (size_t i = 0; i < MANY; i++)
        check_standing(f, wide[i], i % 2 ? "odd" : "even");
    for (size_t i = 0; i < DEPTH; i++) {
        check_standing(f, deep[i], "deep");
        assert_int_equal(standing(f, folders[i]).mtime.seconds, 100);
    }
    assert_int_equal(standing(f, "t").mtime.seconds, 100);
    check_no_leftovers(f);
    transferred_release(&t);
}

/* It is told and not counted; what stands beside it is whole, and the folder has its time. */
static void tells_what_it_cannot_make(void **state)
{
    static char name[5 + 300] = "t/d/";
    const struct folder *f = *state;
    struct list_source *l = empty_tree();
    struct transferred t;
    struct error err = {0};

    memset(name + 4, 'n', 300);
    list_add(l, ENTRY_DIRECTORY, "t/d");
    list_file(l, "t/d/a", "a");
    list_file(l, name, "too long a name");
    list_file(l, "t/d/z", "z");
    transferred_init(&t, f);
    check_done(transferred_run(&t, l, &err));
    assert_int_equal(t.errors, 1);
    assert_true(transferred_told(&t, "error t/d/nnn"));
    assert_int_equal(t.transfer.counts.created, 4);
    check_standing(f, "t/d/a", "a");
    check_standing(f, "t/d/z", "z");
    assert_int_equal(standing(f, "t/d").mtime.seconds, 100);
    transferred_release(&t);
}

/* A link has its target and its time; one whose target is too long is a loss, and not counted. */
static void makes_symbolic_links(void **state)
{
    static char names[MANY][24], long_target[5000];
    const struct folder *f = *state;
    struct list_source *l = empty_tree();
    struct transferred t;
    struct error err = {0};
    struct buffer target = {0};
    os_handle tree;

    for (size_t i = 0; i < MANY; i++)
        (void)snprintf(names[i], sizeof names[i], "t/link-%03zu", i);
    for (size_t i = 0; i < MANY; i++)
        list_link(l, names[i], names[MANY - 1 - i]);
    memset(long_target, 'x', sizeof long_target - 1);
    list_link(l, "t/z", long_target);
    transferred_init(&t, f);
    check_done(transferred_run(&t, l, &err));
    assert_true(transferred_told(&t, "loss t/z: link target too long for this file system"));
    assert_int_equal(t.errors, 0);
    assert_int_equal(t.transfer.counts.created, 1 + MANY);
    check_done(os_open_dir(f->handle, "t", &tree, &err));
    for (size_t i = 0; i < MANY; i++) {
        buffer_clear(&target);
        check_done(os_read_link(tree, names[i] + 2, &target, &err));
        check_text(buffer_bytes(&target), names[MANY - 1 - i]);
        assert_int_equal(standing(f, names[i]).mtime.seconds, 100);
    }
    assert_int_equal(standing(f, "t/z").kind, OS_KIND_UNKNOWN);
    assert_int_equal(standing(f, "t").mtime.seconds, 100);
    os_close(tree);
    buffer_release(&target);
    transferred_release(&t);
}

/* Somebody puts another file in the place of a first name before the writers make a further one. */
struct swapping {
    struct transferred t; /* first: the watcher */
    const struct folder *folder;
    void (*notice)(struct watcher *w, const struct notice *n);
};

static void swap_the_first_name(struct watcher *w, const struct notice *n)
{
    struct swapping *s = (struct swapping *)(void *)w;
    char from[4096], to[4096];

    s->notice(w, n);
    if (n->kind != NOTICE_CHANGE || !bytes_equal(n->path, bytes_of("t/b")))
        return;
    (void)snprintf(from, sizeof from, "%s/other", s->folder->path);
    (void)snprintf(to, sizeof to, "%s/t/a", s->folder->path);
    assert_int_equal(rename(from, to), 0);
}

static void run_swapping(struct swapping *s, struct list_source *l)
{
    struct error err = {0};

    put_file(s->folder, "other", "not of the tree");
    list_as_archive(l);
    transferred_init(&s->t, s->folder);
    s->notice = s->t.watcher.notice;
    s->t.watcher.notice = swap_the_first_name;
    check_done(transferred_run(&s->t, l, &err));
}

static void a_name_of_another_file_goes(void **state)
{
    struct swapping s = {.folder = *state};
    struct list_source *l = empty_tree();

    list_file(l, "t/a", "a");
    list_name(l, "t/b", "t/a");
    list_name(l, "t/c", "t/a");
    run_swapping(&s, l);
    assert_int_equal(s.t.errors, 2);
    assert_true(transferred_told(&s.t, "error t/b: its first name is another file meanwhile"));
    assert_true(transferred_told(&s.t, "error t/c: its first name is another file meanwhile"));
    assert_int_equal(s.t.transfer.counts.linked, 0);
    assert_int_equal(standing(s.folder, "t/b").kind, OS_KIND_UNKNOWN);
    assert_int_equal(standing(s.folder, "t/c").kind, OS_KIND_UNKNOWN);
    assert_int_equal(standing(s.folder, "t").mtime.seconds, 100);
    transferred_release(&s.t);
}

/* The same where the folder is read to look at many names at once: those of other files stay. */
static void one_of_many_names_of_another_file_goes(void **state)
{
    static const char *const names[] = {"t/e", "t/f", "t/g", "t/h", "t/i"};
    struct swapping s = {.folder = *state};
    struct list_source *l = empty_tree();

    list_file(l, "t/a", "a");
    list_name(l, "t/b", "t/a");
    list_file(l, "t/d", "d");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        list_name(l, names[i], "t/d");
    run_swapping(&s, l);
    assert_int_equal(s.t.errors, 1);
    assert_true(transferred_told(&s.t, "error t/b: its first name is another file meanwhile"));
    assert_int_equal(s.t.transfer.counts.linked, 5);
    assert_int_equal(standing(s.folder, "t/b").kind, OS_KIND_UNKNOWN);
    assert_int_equal(standing(s.folder, "t/d").link_count, 6);
    assert_int_equal(standing(s.folder, "t").mtime.seconds, 100);
    transferred_release(&s.t);
}

/* A further name is mapped as each other name is. */
static void a_name_is_mapped_to_what_windows_can_hold(void **state)
{
    const struct folder *f = *state;
    struct list_source *l = empty_tree();
    struct transferred t;
    struct error err = {0};

    list_file(l, "t/a", "a");
    list_name(l, "t/b:c", "t/a");
    list_name(l, "t/d", "t/a");
    list_as_archive(l);
    transferred_init(&t, f);
    t.transfer.options.windows_names = NAMES_ESCAPE;
    check_done(transferred_run(&t, l, &err));
    assert_int_equal(t.errors, 0);
    assert_int_equal(t.transfer.counts.linked, 2);
    assert_int_equal(standing(f, "t/b:c").kind, OS_KIND_UNKNOWN);
    assert_int_equal(standing(f, "t/b\xef\x80\xba"
                                 "c")
                         .link_count,
                     3);
    assert_int_equal(standing(f, "t/d").link_count, 3);
    transferred_release(&t);
}

#define folder_test(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        folder_test(makes_files_of_many_batches),
        folder_test(tells_what_it_cannot_make),
        folder_test(makes_symbolic_links),
        folder_test(a_name_of_another_file_goes),
        folder_test(one_of_many_names_of_another_file_goes),
        folder_test(a_name_is_mapped_to_what_windows_can_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
