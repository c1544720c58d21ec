/*
 * The archives that an incremental one needs: where they are looked for, how they are recognised,
 * and what is told of those that are not there.
 */
#include "archive/bases.h"

#include <stdio.h>
#include <string.h>

#include "archive/index.h"
#include "support/archived.h"
#include "support/check.h"

static struct error err;

static struct source *tree(const char *path)
{
    struct list_source *list = list_source_new();

    list_add(list, ENTRY_DIRECTORY, "t");
    list_file(list, path, path);
    list_as_archive(list);
    return list_source(list);
}

static struct hash128 identity_of(const struct folder *f, const char *name)
{
    struct source *s;

    assert_int_equal(
        check_done(index_source_open(archive_handle(f, name), INDEX_CHECKED_FIRST, &s, &err)), 1);
    struct hash128 identity = index_source_tail(s)->identity;

    source_close(s);
    return identity;
}

/* A head that needs two archives, which are made, and one that holds nothing. */
struct chain {
    const struct folder *folder;
    struct told told;
    struct index_base items[3];
    struct index_head head;
    char here[300], other[300];
    const char *paths[1];
    struct bases_places places;
    struct bases *bases;
};

static void begin(struct chain *c, const struct folder *f)
{
    *c = (struct chain){.folder = f};
    told_init(&c->told);
    (void)archived(f, "one", tree("t/1"), &c->told);
    (void)archived(f, "two", tree("t/2"), &c->told);
    c->items[0] = (struct index_base){identity_of(f, "one"), 1, "one"};
    c->items[1] = (struct index_base){{1, 2}, 0, "not needed"};
    c->items[2] = (struct index_base){identity_of(f, "two"), 1, "two"};
    c->head = (struct index_head){.bases = c->items, .base_count = 3};
    (void)snprintf(c->here, sizeof c->here, "%s/new", f->path);
    (void)snprintf(c->other, sizeof c->other, "%s/other", f->path);
    c->paths[0] = c->other;
    c->places = (struct bases_places){c->here, c->paths, 1};
}

static int look(struct chain *c)
{
    return bases_open(&c->head, &c->places, &c->told.watcher, &c->bases, &err);
}

static void end(struct chain *c)
{
    bases_close(c->bases);
    told_release(&c->told);
}

static void rename_in(const struct folder *f, const char *from, const char *to)
{
    struct buffer bytes = archive_bytes(f, from);

    archive_put(f, to, buffer_bytes(&bytes));
    check_done(os_remove(f->handle, from, &err));
    buffer_release(&bytes);
}

/* The content of the only file of a base. */
static void check_base(const struct chain *c, size_t n, const char *content)
{
    struct opened_archive a;
    struct told told;
    struct index_origin origin;
    const struct entry *e;
    uint8_t bytes[16];

    told_init(&told);
    check_done(index_source_open(archive_handle(c->folder, n == 0 ? "one" : "two"),
                                 INDEX_CHECKED_FIRST, &a.source, &err));
    while (source_next(a.source, &e, &err) == 1)
        index_source_origin(a.source, &origin);
    check_done(frames_read(bases_frames(c->bases, n), origin.place.data_offset, bytes,
                           strlen(content), &err));
    check_text(bytes_make(bytes, strlen(content)), content);
    source_close(a.source);
    told_release(&told);
}

static void they_are_found_beside_the_archive(void **state)
{
    struct chain c;

    begin(&c, *state);
    assert_int_equal(check_done(look(&c)), 1);
    check_told(&c.told, "");
    check_base(&c, 0, "t/1");
    check_base(&c, 2, "t/2");
    assert_null(bases_frames(c.bases, 1));
    assert_null(bases_frames(c.bases, 3));
    end(&c);
}

static void an_archive_without_a_folder_in_its_path_looks_where_it_is(void **state)
{
    struct chain c;

    begin(&c, *state);
    c.places.archive = "new";
    c.places.path_count = 0;
    assert_int_equal(check_done(look(&c)), 0);
    end(&c);
}

static void they_are_found_under_any_name_at_the_paths_that_are_given(void **state)
{
    struct chain c;

    begin(&c, *state);
    rename_in(*state, "one", "other");
    assert_int_equal(check_done(look(&c)), 1);
    check_told(&c.told, "");
    assert_non_null(bases_frames(c.bases, 0));
    end(&c);
}

static void all_that_are_missing_are_told(void **state)
{
    struct chain c;
    char wanted[600];

    begin(&c, *state);
    rename_in(*state, "one", "elsewhere");
    check_done(os_remove(c.folder->handle, "two", &err));
    assert_int_equal(check_done(look(&c)), 0);
    (void)snprintf(
        wanted, sizeof wanted,
        "error one: this base (identity %016llx%016llx) is not beside the archive, or is "
        "damaged: put it there, or give it with --base FILE; "
        "error two: this base (identity %016llx%016llx) is not beside the archive, or is "
        "damaged: put it there, or give it with --base FILE",
        (unsigned long long)c.items[0].identity.high, (unsigned long long)c.items[0].identity.low,
        (unsigned long long)c.items[2].identity.high, (unsigned long long)c.items[2].identity.low);
    check_told(&c.told, wanted);
    assert_null(bases_frames(c.bases, 0));
    end(&c);
}

static void what_is_there_is_opened_though_another_is_missing(void **state)
{
    struct chain c;

    begin(&c, *state);
    rename_in(*state, "one", "elsewhere");
    assert_int_equal(check_done(look(&c)), 0);
    check_base(&c, 2, "t/2");
    assert_null(bases_frames(c.bases, 0));
    end(&c);
}

static void another_archive_under_the_name_is_told(void **state)
{
    struct chain c;

    begin(&c, *state);
    (void)archived(*state, "one", tree("t/3"), &c.told);
    rename_in(*state, "two", "other");
    assert_int_equal(check_done(look(&c)), 0);
    check_told(
        &c.told,
        "error one: is another archive than the base that was used, or its index is damaged: "
        "give the right one with --base FILE");
    end(&c);
}

/* No archive, or one whose index is damaged, cannot be recognised. */
static void what_has_no_sound_index_is_no_base(void **state)
{
    struct chain c;
    struct buffer bytes;

    begin(&c, *state);
    archive_put(*state, "one", bytes_of("text"));
    bytes = archive_bytes(*state, "two");
    archive_put(*state, "two", bytes_make(bytes.data, bytes.size - 60));
    assert_int_equal(check_done(look(&c)), 0);
    assert_null(bases_frames(c.bases, 0));
    assert_null(bases_frames(c.bases, 2));
    buffer_release(&bytes);
    end(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(they_are_found_beside_the_archive, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(an_archive_without_a_folder_in_its_path_looks_where_it_is,
                                        folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(they_are_found_under_any_name_at_the_paths_that_are_given,
                                        folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(all_that_are_missing_are_told, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(what_is_there_is_opened_though_another_is_missing,
                                        folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(another_archive_under_the_name_is_told, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(what_has_no_sound_index_is_no_base, folder_setup,
                                        folder_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
