/*
 * New links: as asked for, or not there with the reason; nothing gives way to them.
 */
#include "disk/newlink.h"

#include <stdio.h>

#include "support/check.h"
#include "support/folder.h"
#include "support/ntfs.h"

static struct error err;

static const char *in(const char *folder, const char *name)
{
    static char paths[2][400];
    static int turn;

    turn = !turn;
    (void)snprintf(paths[turn], sizeof paths[turn], "%s/%s", folder, name);
    return paths[turn];
}

/* Makes a link and looks at what is told of it. */
static void make(struct newlink l, const char *target, bool for_folder)
{
    struct newlink_made made;

    check_done(newlink_make(&l, &made, &err));
    check_text(buffer_bytes(&made.target), target);
    assert_int_equal(made.for_folder, for_folder);
    buffer_release(&made.target);
}

static void refuse(struct newlink l)
{
    struct newlink_made made;

    assert_int_equal(newlink_make(&l, &made, &err), -1);
    assert_int_equal(err.kind, ERROR_USAGE);
    assert_non_null(err.path);
    error_release(&err);
    buffer_release(&made.target);
}

static void test_symbolic(void **state)
{
    struct folder *f = *state;
    struct buffer text = {0};

    make((struct newlink){NEWLINK_SYMBOLIC, NEWLINK_FOLDER, "C:\\x", in(f->path, "l")}, "C:\\x",
         false);
    check_done(os_read_link(f->handle, "l", &text, &err));
    check_text(buffer_bytes(&text), "C:\\x");
    buffer_release(&text);
    refuse((struct newlink){NEWLINK_SYMBOLIC, NEWLINK_AS_TARGET, "x", in(f->path, "l")});
    refuse((struct newlink){NEWLINK_JUNCTION, NEWLINK_AS_TARGET, "C:\\x", in(f->path, "j")});
    refuse((struct newlink){NEWLINK_SYMBOLIC, NEWLINK_AS_TARGET, "x", in(f->path, "no/l")});
    refuse((struct newlink){NEWLINK_SYMBOLIC, NEWLINK_AS_TARGET, "x", in(f->path, ".")});
}

static void test_hard(void **state)
{
    struct folder *f = *state;
    struct os_stat a, b;

    folder_write(f->handle, "a", 0600, "content");
    check_done(os_make_dir(f->handle, "d", 0700, &err));
    const char *file = in(f->path, "a");

    make((struct newlink){NEWLINK_HARD, NEWLINK_AS_TARGET, file, in(f->path, "b")}, file, false);
    check_done(os_stat_at(f->handle, "a", &a, &err));
    check_done(os_stat_at(f->handle, "b", &b, &err));
    assert_true(a.file[0] == b.file[0] && b.link_count == 2);
    refuse((struct newlink){NEWLINK_HARD, NEWLINK_AS_TARGET, in(f->path, "d"), in(f->path, "c")});
    refuse((struct newlink){NEWLINK_HARD, NEWLINK_AS_TARGET, in(f->path, "no"), in(f->path, "c")});
    refuse((struct newlink){NEWLINK_HARD, NEWLINK_AS_TARGET, in(f->path, "a"), in(f->path, "b")});
}

static void test_of_windows(void **state)
{
    struct ntfs *n = *state;
    struct buffer want = {0}, raw = {0};

    ntfs_need(n);
    check_done(os_make_dir(n->handle, "d", 0700, &err));
    make((struct newlink){NEWLINK_JUNCTION, NEWLINK_AS_TARGET, "C:/x", in(n->path, "j")}, "C:\\x",
         true);
    ntfs_junction(&want, "C:\\x");
    assert_int_equal(os_read_reparse(n->handle, "j", &raw, &err), 1);
    assert_true(bytes_equal(buffer_bytes(&raw), buffer_bytes(&want)));
    make((struct newlink){NEWLINK_SYMBOLIC, NEWLINK_AS_TARGET, "./d", in(n->path, "s")}, ".\\d",
         true);
    make((struct newlink){NEWLINK_SYMBOLIC, NEWLINK_FILE, "d", in(n->path, "t")}, "d", false);
    refuse((struct newlink){NEWLINK_SYMBOLIC, NEWLINK_FILE, "/d", in(n->path, "u")});
    refuse((struct newlink){NEWLINK_SYMBOLIC, NEWLINK_FILE, "d", in(n->path, "a:b")});
    refuse((struct newlink){NEWLINK_HARD, NEWLINK_FILE, in(n->path, "j"), in(n->path, "u")});
    buffer_release(&want);
    buffer_release(&raw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_symbolic, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(test_hard, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(test_of_windows, ntfs_setup, ntfs_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
