/*
 * Chosen names of archives: content and metadata of a file come with whichever of its names is
 * chosen.
 */
#include "archive/select.h"

#include <stdio.h>
#include <string.h>

#include "support/archived.h"
#include "support/check.h"
#include "support/memory_data.h"
#include "support/stream.h"
#include "support/tarball.h"

static struct error err;

/* One selection from the archive "a" in the test's folder. */
struct chosen {
    const struct folder *folder;
    struct told told;
    char archive[300];
    struct bytes paths[4];
    struct filter_rule rule;
    struct select_options options;
    struct source *source;
};

static void begin(struct chosen *c, void **state)
{
    *c = (struct chosen){.folder = *state};
    told_init(&c->told);
    (void)snprintf(c->archive, sizeof c->archive, "%s/a", c->folder->path);
    c->options = (struct select_options){.contents = true,
                                         .spool = c->folder->handle,
                                         .archive = c->archive,
                                         .reader = {.watcher = &c->told.watcher}};
}

static void choose(struct chosen *c, const char *path)
{
    c->options.filter.paths = c->paths;
    c->paths[c->options.filter.path_count++] = bytes_of(path);
}

static struct source *open_chosen(struct chosen *c)
{
    struct opened_archive opened = archive_opened(c->folder, "a", &c->told);

    check_done(select_new(opened.source, &c->options, &c->source, &err));
    return c->source;
}

static void end(struct chosen *c)
{
    check_told(&c->told, "");
    source_close(c->source);
    told_release(&c->told);
}

/* How contents are kept aside. */
enum manner { SURVEYED, PIPED, IN_MEMORY, MANNERS };

static void set_manner(struct chosen *c, int manner)
{
    if (manner != SURVEYED)
        c->options.archive = NULL;
    if (manner == IN_MEMORY)
        c->options.spool = OS_NO_HANDLE;
}

/* t/a/{file,link,pipe,tty,sparse}, each with names in t/b and t/c. */
static struct list_source *groups(void)
{
    static const char *const names[][3] = {{"t/a/file", "t/b/file", "t/c/file"},
                                           {"t/a/link", "t/b/link", "t/c/link"},
                                           {"t/a/pipe", "t/b/pipe", "t/c/pipe"},
                                           {"t/a/tty", "t/b/tty", "t/c/tty"}};
    struct list_source *list = list_source_new();
    struct entry *e;

    list_add(list, ENTRY_DIRECTORY, "t");
    list_add(list, ENTRY_DIRECTORY, "t/a");
    list_add(list, ENTRY_DIRECTORY, "t/b");
    list_add(list, ENTRY_DIRECTORY, "t/c");
    e = list_file(list, "t/a/file", "shared content");
    e->meta.mode = 0751;
    e->meta.owner_name = "joe";
    check_done(pairs_append(&e->meta.xattrs, bytes_of("user.x"), bytes_of("1"), &err));
    list_file(list, "t/a/single", "alone");
    list_link(list, "t/a/link", "target");
    list_add(list, ENTRY_FIFO, "t/a/pipe");
    list_add(list, ENTRY_CHAR_DEVICE, "t/a/tty")->device_minor = 7;
    for (size_t i = 0; i < 4; i++) {
        list_name(list, names[i][1], names[i][0]);
        list_name(list, names[i][2], names[i][0]);
    }
    list_as_archive(list);
    return list;
}

static void check_groups_at(struct source *s, const char *file)
{
    const struct entry *e = stream_until(s, file);

    assert_false(entry_is_further_name(e));
    assert_true(e->shared);
    assert_int_equal(e->meta.mode, 0751);
    assert_string_equal(e->meta.owner_name, "joe");
    assert_int_equal(pairs_find(&e->meta.xattrs, bytes_of("user.x")), 0);
    check_done(source_load(s, &e, &err));
    assert_false(entry_is_further_name(e));
    struct buffer content = content_of(s);

    check_text(buffer_bytes(&content), "shared content");
    buffer_release(&content);
}

static void a_later_name_brings_the_content(void **state)
{
    for (int manner = 0; manner < MANNERS; manner++) {
        struct chosen c;
        const struct entry *e;

        begin(&c, state);
        set_manner(&c, manner);
        (void)archived(c.folder, "a", list_source(groups()), &c.told);
        choose(&c, "t/b");
        check_groups_at(open_chosen(&c), "t/b/file");
        e = stream_until(c.source, "t/b/link");
        check_text(e->target, "target");
        assert_int_equal(e->kind, ENTRY_SYMLINK);
        assert_int_equal(stream_until(c.source, "t/b/pipe")->kind, ENTRY_FIFO);
        e = stream_until(c.source, "t/b/tty");
        assert_int_equal(e->kind, ENTRY_CHAR_DEVICE);
        assert_int_equal(e->device_minor, 7);
        check_stream(c.source, "");
        assert_int_equal(select_unmatched(c.source, 0), 1);
        end(&c);
    }
}

static void further_names_follow_the_new_first_one(void **state)
{
    for (int manner = 0; manner < MANNERS; manner++) {
        struct chosen c;
        const struct entry *e;
        struct data *data;

        begin(&c, state);
        set_manner(&c, manner);
        (void)archived(c.folder, "a", list_source(groups()), &c.told);
        choose(&c, "t/c/file");
        choose(&c, "t/b");
        choose(&c, "t/none");
        check_groups_at(open_chosen(&c), "t/b/file");
        e = stream_until(c.source, "t/c/file");
        check_text(e->first_name, "t/b/file");
        check_done(source_load(c.source, &e, &err));
        check_text(e->first_name, "t/b/file");
        check_kind(source_open_data(c.source, &data, &err), ERROR_UNSUPPORTED);
        check_stream(c.source, "");
        assert_int_equal(select_unmatched(c.source, 0), 2);
        end(&c);
    }
}

static void rules_and_skips_leave_out_as_paths_do(void **state)
{
    struct chosen c;

    begin(&c, state);
    (void)archived(c.folder, "a", list_source(groups()), &c.told);
    c.rule = (struct filter_rule){FILTER_EXCLUDE, "/a"};
    c.options.filter.rules = &c.rule;
    c.options.filter.rule_count = 1;
    check_groups_at(open_chosen(&c), "t/b/file");
    check_text(stream_until(c.source, "t/c/file")->first_name, "t/b/file");
    source_close(c.source);
    c.options.filter.rule_count = 0;
    (void)stream_until(open_chosen(&c), "t/a");
    source_skip(c.source);
    check_groups_at(c.source, "t/b/file");
    check_text(stream_until(c.source, "t/c/file")->first_name, "t/b/file");
    end(&c);
}

static void what_passes_is_not_kept(void **state)
{
    struct chosen c;

    begin(&c, state);
    c.options.archive = "/nonexistent"; /* nothing is left out: not opened, not needed */
    (void)archived(c.folder, "a", list_source(groups()), &c.told);
    choose(&c, "t/a");
    check_content(open_chosen(&c), "t/a/file", "shared content");
    check_stream(c.source, "l:t/a/link>target p:t/a/pipe f:t/a/single c:t/a/tty");
    end(&c);
}

/* Nothing can be kept aside in /proc. */
static void what_is_not_needed_is_not_kept(void **state)
{
    struct chosen c;
    const struct entry *e;

    begin(&c, state);
    check_done(os_open_root("/proc", &c.options.spool, &err));
    (void)archived(c.folder, "a", list_source(groups()), &c.told);
    choose(&c, "t/a/single");
    check_content(open_chosen(&c), "t/a/single", "alone");
    check_stream(c.source, "");
    source_close(c.source);
    c.options.archive = NULL;
    assert_int_equal(check_done(source_next(open_chosen(&c), &e, &err)), 1);
    assert_int_equal(check_done(source_next(c.source, &e, &err)), 1);
    assert_int_equal(source_next(c.source, &e, &err), -1);
    error_release(&err);
    os_close(c.options.spool);
    end(&c);
}

static void sparse_contents_stay_sparse(void **state)
{
    static const char data[] = "onetwo";
    struct extent extents[] = {{4096, 3}, {1 << 20, 3}};
    struct tar_member m = {.type = TAR_FILE,
                           .path = bytes_of("a"),
                           .size = (1 << 20) + 100,
                           .sparse = true,
                           .extents = extents,
                           .extent_count = 2};
    struct tarball tar;
    struct chosen c;
    struct data *open;
    char part[8];
    size_t got;

    begin(&c, state);
    tarball_init(&tar);
    tarball_member(&tar, "0", '0', bytes_of("before"));
    tarball_patch(&tar, tarball_header(&tar, "1", '1', 0), AT_LINK, bytes_of("0"));
    check_done(tar_encode(&tar.bytes, &m, &err));
    tarball_body(&tar, bytes_of(data));
    tarball_patch(&tar, tarball_header(&tar, "b", '1', 0), AT_LINK, bytes_of("a"));
    tarball_zeros(&tar, 2);
    archive_put(c.folder, "a", buffer_bytes(&tar.bytes));
    choose(&c, "1");
    choose(&c, "b");
    check_content(open_chosen(&c), "1", "before");
    (void)stream_until(c.source, "b");
    check_done(source_open_data(c.source, &open, &err));
    assert_int_equal(open->extent_count, 2);
    assert_int_equal(open->extents[1].offset, 1 << 20);
    check_done(data_read(open, (1 << 20) - 2, (struct data_span){part, 8}, &got, &err));
    assert_int_equal(got, 8);
    assert_memory_equal(part, "\0\0two\0\0\0", 8);
    check_done(data_read(open, 4097, (struct data_span){part, 4}, &got, &err));
    assert_memory_equal(part, "ne\0\0", 4);
    check_done(data_read(open, m.size - 1, (struct data_span){part, 4}, &got, &err));
    assert_int_equal(got, 1);
    data_close(open);
    tarball_release(&tar);
    end(&c);
}

/* A link member. */
static void add_link(struct tarball *tar, const char *name, const char *first)
{
    tarball_patch(tar, tarball_header(tar, name, '1', 0), AT_LINK, bytes_of(first));
}

static void links_to_links_lead_to_the_file(void **state)
{
    for (int manner = 0; manner < MANNERS; manner++) {
        struct tarball tar;
        struct chosen c;

        begin(&c, state);
        set_manner(&c, manner);
        tarball_init(&tar);
        tarball_member(&tar, "x/a", '0', bytes_of("content"));
        add_link(&tar, "x/b", "x/a");
        add_link(&tar, "y/c", "x/b");
        add_link(&tar, "y/d", "x/a");
        tarball_member(&tar, "y/e", '0', bytes_of("other"));
        add_link(&tar, "x/f", "y/e");
        add_link(&tar, "y/g", "x/f");
        tarball_zeros(&tar, 2);
        archive_put(c.folder, "a", buffer_bytes(&tar.bytes));
        choose(&c, "y");
        check_content(open_chosen(&c), "y/c", "content");
        check_text(stream_until(c.source, "y/d")->first_name, "y/c");
        check_content(c.source, "y/e", "other");
        check_text(stream_until(c.source, "y/g")->first_name, "y/e");
        check_stream(c.source, "");
        tarball_release(&tar);
        end(&c);
    }
}

static void a_name_that_comes_again_is_another_file(void **state)
{
    for (int manner = 0; manner < MANNERS; manner++) {
        struct tarball tar;
        struct chosen c;

        begin(&c, state);
        set_manner(&c, manner);
        tarball_init(&tar);
        tarball_member(&tar, "a", '0', bytes_of("old"));
        add_link(&tar, "b", "a");
        tarball_member(&tar, "a", '0', bytes_of("newer"));
        add_link(&tar, "c", "a");
        tarball_zeros(&tar, 2);
        archive_put(c.folder, "a", buffer_bytes(&tar.bytes));
        choose(&c, "b");
        choose(&c, "c");
        check_content(open_chosen(&c), "b", "old");
        check_content(c.source, "c", "newer");
        tarball_release(&tar);
        end(&c);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_later_name_brings_the_content),       TEST(further_names_follow_the_new_first_one),
        TEST(rules_and_skips_leave_out_as_paths_do), TEST(what_passes_is_not_kept),
        TEST(what_is_not_needed_is_not_kept),        TEST(sparse_contents_stay_sparse),
        TEST(links_to_links_lead_to_the_file),       TEST(a_name_that_comes_again_is_another_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
