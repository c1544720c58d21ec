/*
 * The content of one file by the index: read in any way, and held against the hash of the index
 * where it is read from its begin to its end.
 */
#include "archive/index_data.h"

#include <string.h>

#include "archive/index_source.h"
#include "support/archived.h"
#include "support/check.h"
#include "support/stream.h"

static struct error err;

enum { SPARSE_BYTES = 300000, PIECE_BYTES = 1000 };

static char text[PIECE_BYTES + 1];

/* An archive with a file, a sparse one and one that is all hole, at one of them. */
struct opened {
    struct told told;
    struct source *index;
    struct entry entry;
    struct index_origin origin;
    struct data *data;
};

static void begin(struct opened *o, const struct folder *f, const char *path)
{
    static const struct memory_piece pieces[] = {{70000, {(const uint8_t *)text, PIECE_BYTES}},
                                                 {200000, {(const uint8_t *)text, PIECE_BYTES}}};
    struct list_source *list = list_source_new();
    const struct entry *e;

    memset(text, 'x', PIECE_BYTES);
    *o = (struct opened){.index = NULL};
    told_init(&o->told);
    list_add(list, ENTRY_DIRECTORY, "t");
    list_file(list, "t/file", text);
    list_sparse_file(list, "t/hole", SPARSE_BYTES, pieces, 0);
    list_sparse_file(list, "t/sparse", SPARSE_BYTES, pieces, 2);
    (void)archived(f, "a", list_source(list), &o->told);
    check_done(index_source_open(archive_handle(f, "a"), INDEX_CHECKED_AS_READ, &o->index, &err));
    do
        assert_int_equal(check_done(source_next(o->index, &e, &err)), 1);
    while (!bytes_equal(e->path, bytes_of(path)));
    o->entry = *e;
    index_source_origin(o->index, &o->origin);
}

static int open_it(struct opened *o)
{
    return index_data_open(index_source_frames(o->index), &o->entry, &o->origin.place, &o->data,
                           &err);
}

static void end(struct opened *o)
{
    data_close(o->data);
    source_close(o->index);
    told_release(&o->told);
}

static int read_at(struct opened *o, uint64_t offset, size_t count)
{
    static uint8_t room[SPARSE_BYTES];
    size_t got;

    assert_true(count <= sizeof room);
    if (data_read(o->data, offset, (struct data_span){room, count}, &got, &err))
        return -1;
    assert_int_equal(got, count);
    return 0;
}

static void the_right_content_is_read_in_any_pieces(void **state)
{
    for (size_t step = 1; step < SPARSE_BYTES; step = step * 7 + 1) {
        struct opened o;
        bool is_small = step < 3000;
        uint64_t size;

        begin(&o, *state, is_small ? "t/file" : "t/sparse");
        assert_true(o.entry.has_data_hash);
        check_done(open_it(&o));
        size = o.data->size;
        for (uint64_t at = 0; at < size; at += step)
            check_done(read_at(&o, at, step < size - at ? step : (size_t)(size - at)));
        /* And once more, in another order. */
        check_done(read_at(&o, size / 2, 10));
        check_done(read_at(&o, 0, (size_t)size));
        end(&o);
    }
}

static void another_content_is_found_by_the_read_that_completes_it(void **state)
{
    static const char *const paths[] = {"t/file", "t/sparse"};

    for (int i = 0; i < 2; i++) {
        struct opened o;
        uint64_t last;

        begin(&o, *state, paths[i]);
        o.entry.data_hash.low ^= 1;
        check_done(open_it(&o));
        last = o.data->extents[o.data->extent_count - 1].offset + PIECE_BYTES - 1;
        check_done(read_at(&o, 0, (size_t)last));
        check_kind(read_at(&o, last, 1), ERROR_FORMAT);
        /* Whoever tries again is not given it either. */
        check_kind(read_at(&o, 0, 1), ERROR_FORMAT);
        end(&o);
    }
}

/* A part says nothing of the whole. */
static void what_is_read_in_part_is_not_held_against_the_hash(void **state)
{
    struct opened o;

    begin(&o, *state, "t/file");
    o.entry.data_hash.high ^= 1;
    check_done(open_it(&o));
    check_done(read_at(&o, 1, PIECE_BYTES - 1));
    check_done(read_at(&o, 0, PIECE_BYTES - 1));
    end(&o);
}

static void a_hole_of_another_hash_is_found_at_once(void **state)
{
    struct opened o;

    begin(&o, *state, "t/hole");
    check_done(open_it(&o));
    check_done(read_at(&o, 0, SPARSE_BYTES));
    data_close(o.data);
    o.data = NULL;
    o.entry.data_hash.low ^= 1;
    check_kind(open_it(&o), ERROR_FORMAT);
    o.entry.has_data_hash = false;
    check_done(open_it(&o));
    end(&o);
}

#define in_folder(test) cmocka_unit_test_setup_teardown(test, folder_setup, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_folder(the_right_content_is_read_in_any_pieces),
        in_folder(another_content_is_found_by_the_read_that_completes_it),
        in_folder(what_is_read_in_part_is_not_held_against_the_hash),
        in_folder(a_hole_of_another_hash_is_found_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
