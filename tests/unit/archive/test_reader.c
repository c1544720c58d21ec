/*
 * Tar archives as sources: what other tools write, right or wrong, and what our own archives
 * promise.
 */
#include "archive/reader.h"

#include <string.h>

#include "archive/record.h"
#include "support/archived.h"
#include "support/check.h"
#include "support/stream.h"
#include "support/tarball.h"

static struct error err;

/* One archive made block by block. */
struct foreign {
    const struct folder *folder;
    struct tarball tar;
    struct told told;
    struct source *source;
};

static void begin(struct foreign *f, void **state)
{
    f->folder = *state;
    f->source = NULL;
    tarball_init(&f->tar);
    told_init(&f->told);
}

/* A member that is a link. */
static void add_link(struct foreign *f, const char *name, char type, const char *target)
{
    size_t start = tarball_header(&f->tar, name, type, 0);

    tarball_patch(&f->tar, start, AT_LINK, bytes_of(target));
}

static int try_open(struct foreign *f, bool strip)
{
    struct reader_options options = {.strip_absolute = strip, .watcher = &f->told.watcher};
    struct opened_archive opened = {0};

    archive_put(f->folder, "foreign.tar", buffer_bytes(&f->tar.bytes));
    if (open_any_archive(archive_handle(f->folder, "foreign.tar"), &options, &opened, &err) != 0)
        return -1;
    assert_true(opened.is_tar);
    f->source = opened.source;
    return 0;
}

static struct source *opened(struct foreign *f)
{
    tarball_zeros(&f->tar, 2);
    check_done(try_open(f, false));
    return f->source;
}

static void end(struct foreign *f, const char *told)
{
    check_told(&f->told, told);
    source_close(f->source);
    tarball_release(&f->tar);
    told_release(&f->told);
}

static void check_problem(struct source *s, const char *path, const char *reason)
{
    const struct entry *e;
    char text[256];

    assert_int_equal(check_done(source_next(s, &e, &err)), 1);
    check_text(e->path, path);
    assert_int_equal(e->problem_scope, PROBLEM_ENTRY);
    assert_string_equal(error_reason(e->problem, text, sizeof text), reason);
}

/* ---- Archives of other tools ---- */

static void names_are_cleaned_and_the_top_is_passed_over(void **state)
{
    struct foreign f;

    begin(&f, state);
    tarball_member(&f.tar, "./", '5', bytes_of(""));
    tarball_member(&f.tar, "./a//", '5', bytes_of(""));
    tarball_member(&f.tar, "./a/./f", '0', bytes_of("content"));
    tarball_member(&f.tar, "label", 'V', bytes_of(""));
    add_link(&f, "./l", '2', "./kept//as/./it/is/");
    check_content(opened(&f), "a/f", "content");
    check_stream(f.source, "l:l>./kept//as/./it/is/");
    assert_false(reader_is_ours(f.source));
    assert_false(source_facts(f.source)->ordered);
    assert_null(reader_tail(f.source));
    end(&f, "remark .: the archive has metadata for its top folder itself ('.'): the destination "
            "keeps its own");
}

static void names_that_lead_out_come_as_they_are(void **state)
{
    struct foreign f;
    const struct entry *e;

    begin(&f, state);
    tarball_member(&f.tar, "../up", '0', bytes_of("1"));
    tarball_member(&f.tar, "/etc/x", '0', bytes_of("2"));
    add_link(&f, "l", '1', "/etc/x");
    check_stream(opened(&f), "f:../up f:/etc/x f:l");
    source_close(f.source);
    check_done(try_open(&f, true));
    assert_int_equal(check_done(source_next(f.source, &e, &err)), 1);
    e = stream_until(f.source, "etc/x");
    assert_int_equal(e->name_offset, 4);
    assert_int_equal(e->depth, 1);
    check_text(stream_until(f.source, "l")->first_name, "etc/x");
    check_stream(f.source, "");
    end(&f, "");
}

static void hard_links_say_whose_names_they_are(void **state)
{
    struct foreign f;
    const struct entry *e;
    struct data *data;
    size_t start;

    begin(&f, state);
    tarball_member(&f.tar, "a", '0', bytes_of("content"));
    start = tarball_header(&f.tar, "b", '1', 6); /* pax allows links with data */
    tarball_patch(&f.tar, start, AT_LINK, bytes_of("./a"));
    tarball_body(&f.tar, bytes_of("other!"));
    add_link(&f, "s", '2', "target");
    add_link(&f, "t", '1', "s");
    add_link(&f, "u", '1', "t");
    tarball_member(&f.tar, "s", '0', bytes_of("a file now"));
    add_link(&f, "v", '1', "s");
    add_link(&f, "w", '1', "./");
    (void)opened(&f);
    e = stream_until(f.source, "b");
    check_text(e->first_name, "a");
    assert_int_equal(e->meta.known, 0);
    assert_int_equal(e->size, 0);
    check_kind(source_open_data(f.source, &data, &err), ERROR_UNSUPPORTED);
    assert_int_equal(stream_until(f.source, "t")->kind, ENTRY_SYMLINK);
    assert_int_equal(stream_until(f.source, "u")->kind, ENTRY_SYMLINK);
    assert_int_equal(stream_until(f.source, "v")->kind, ENTRY_FILE);
    check_problem(f.source, "w", "a hard link to no name");
    check_stream(f.source, "");
    end(&f, "");
}

static void bad_members_are_named_and_the_next_come(void **state)
{
    struct foreign f;
    struct bytes nul = bytes_make("path=d/n\0x", 10);

    begin(&f, state);
    tarball_member(&f.tar, "odd", 'Q', bytes_of("who knows"));
    tarball_member(&f.tar, "good", '0', bytes_of("1"));
    tarball_extended(&f.tar, 'x', &nul, 1);
    tarball_member(&f.tar, "cut", '0', bytes_of("2"));
    tarball_member(&f.tar, ".", '0', bytes_of("no folder"));
    tarball_member(&f.tar, "last", '0', bytes_of("3"));
    check_problem(opened(&f), "odd", "a member of the unknown type 'Q'");
    check_content(f.source, "good", "1");
    const struct entry *e;
    assert_int_equal(check_done(source_next(f.source, &e, &err)), 1);
    assert_int_equal(e->problem_scope, PROBLEM_ENTRY);
    assert_int_equal(e->problem->kind, ERROR_REFUSED);
    check_problem(f.source, ".", "a name without a last component");
    check_content(f.source, "last", "3");
    check_stream(f.source, "");
    end(&f, "");
}

static void what_of_the_metadata_is_lost_is_said(void **state)
{
    struct foreign f;
    const struct entry *e;

    begin(&f, state);
    tarball_record(&f.tar, "SCHILY.fflags=nodump,strange");
    tarball_member(&f.tar, "flags", '0', bytes_of(""));
    tarball_record(&f.tar,
                   "SCHILY.acl.access=user::rw-,user:joe:rw-,group::r--,mask::rw-,other::r--");
    tarball_member(&f.tar, "acl", '0', bytes_of(""));
    tarball_member(&f.tar, "none", '0', bytes_of(""));
    (void)opened(&f);
    e = stream_until(f.source, "flags");
    assert_int_equal(e->problem_scope, PROBLEM_METADATA);
    assert_int_equal(e->meta.flags, FILE_FLAG_NODUMP);
    e = stream_until(f.source, "acl");
    assert_int_equal(e->problem_scope, PROBLEM_METADATA);
    assert_string_equal(e->problem->detail, "an ACL that names users without their numbers");
    assert_int_equal(stream_until(f.source, "none")->problem_scope, PROBLEM_NONE);
    end(&f, "");
}

static void a_folder_can_be_skipped(void **state)
{
    struct foreign f;

    begin(&f, state);
    tarball_member(&f.tar, "d/", '5', bytes_of(""));
    tarball_member(&f.tar, "d/x", '0', bytes_of("1"));
    tarball_member(&f.tar, "d/y/", '5', bytes_of(""));
    tarball_member(&f.tar, "e", '0', bytes_of("2"));
    tarball_member(&f.tar, "d/z", '0', bytes_of("3"));
    (void)stream_until(opened(&f), "d");
    source_skip(f.source);
    source_skip(f.source);
    check_stream(f.source, "f:e f:d/z");
    end(&f, "");
}

static void sparse_contents_have_their_holes(void **state)
{
    static const char data[] = "one!two.";
    struct extent extents[] = {{4096, 4}, {1 << 20, 4}};
    struct tar_member m = {.type = TAR_FILE,
                           .path = bytes_of("s"),
                           .size = (2 << 20) + 5,
                           .sparse = true,
                           .extents = extents,
                           .extent_count = 2};
    struct foreign f;
    struct buffer content;

    begin(&f, state);
    check_done(tar_encode(&f.tar.bytes, &m, &err));
    tarball_body(&f.tar, bytes_of(data));
    tarball_member(&f.tar, "z", '0', bytes_of("behind"));
    (void)stream_until(opened(&f), "s");
    content = content_of(f.source);
    assert_int_equal(content.size, m.size);
    assert_memory_equal(content.data + 4095, "\0one!\0", 6);
    assert_memory_equal(content.data + (1 << 20) - 1, "\0two.\0", 6);
    check_content(f.source, "z", "behind");
    buffer_release(&content);
    end(&f, "");
}

static void contents_may_be_read_in_part(void **state)
{
    struct foreign f;
    struct data *data;
    char part[4];
    size_t got;

    begin(&f, state);
    tarball_member(&f.tar, "a", '0', bytes_of("0123456789"));
    tarball_member(&f.tar, "b", '0', bytes_of("next"));
    (void)stream_until(opened(&f), "a");
    check_done(source_open_data(f.source, &data, &err));
    check_done(data_read(data, 3, (struct data_span){part, 2}, &got, &err));
    assert_memory_equal(part, "34", 2);
    check_done(data_read(data, 8, (struct data_span){part, 4}, &got, &err));
    assert_int_equal(got, 2);
    check_done(data_read(data, 10, (struct data_span){part, 4}, &got, &err));
    assert_int_equal(got, 0);
    data_close(data);
    check_content(f.source, "b", "next");
    end(&f, "");
}

static void an_archive_cut_or_followed_is_an_error(void **state)
{
    struct foreign f;
    const struct entry *e;

    begin(&f, state);
    tarball_member(&f.tar, "a", '0', bytes_of("1"));
    check_done(try_open(&f, false));
    (void)stream_until(f.source, "a");
    check_kind(source_next(f.source, &e, &err), ERROR_FORMAT);
    source_close(f.source);
    tarball_zeros(&f.tar, 2);
    tarball_member(&f.tar, "hidden", '0', bytes_of("2"));
    check_done(try_open(&f, false));
    (void)stream_until(f.source, "a");
    check_kind(source_next(f.source, &e, &err), ERROR_FORMAT);
    end(&f, "");
}

/* ---- Our own archives ---- */

static struct buffer own_record(const char *const *roots, size_t root_count)
{
    struct root_fact facts[4];
    struct member_record record = {.has_archive = true,
                                   .archive = {.version = 1,
                                               .program = "test",
                                               .facts = {.roots = facts,
                                                         .root_count = root_count,
                                                         .host_system = "linux",
                                                         .ordered = true}}};
    struct buffer text = {0};

    for (size_t i = 0; i < root_count; i++)
        facts[i] = (struct root_fact){roots[i], "/x", "ext4", ""};
    check_done(buffer_append(&text, "comment=", 8, &err));
    check_done(record_encode(&text, &record, &err));
    return text;
}

static void begin_own(struct foreign *f, void **state, const char *const *roots, size_t root_count)
{
    struct buffer text = own_record(roots, root_count);
    struct bytes record = buffer_bytes(&text);

    begin(f, state);
    tarball_extended(&f->tar, 'x', &record, 1);
    tarball_member(&f->tar, "t/", '5', bytes_of(""));
    buffer_release(&text);
}

static void the_order_is_kept_or_it_is_damage(void **state)
{
    static const char *const roots[] = {"t"};
    static const char *const broken[] = {"t/a", "t/b", "t", "s"};
    const struct entry *e;

    for (size_t i = 0; i < 4; i++) {
        struct foreign f;

        begin_own(&f, state, roots, 1);
        tarball_member(&f.tar, "t/b", '0', bytes_of(""));
        tarball_member(&f.tar, broken[i], '0', bytes_of(""));
        (void)stream_until(opened(&f), "t/b");
        assert_true(reader_is_ours(f.source));
        check_kind(source_next(f.source, &e, &err), ERROR_FORMAT);
        end(&f, "");
    }
}

static void a_missing_end_record_is_an_error(void **state)
{
    static const char *const roots[] = {"t"};
    struct foreign f;
    const struct entry *e;

    begin_own(&f, state, roots, 1);
    (void)stream_until(opened(&f), "t");
    assert_int_equal(source_next(f.source, &e, &err), -1);
    assert_non_null(strstr(err.detail, "end record is missing"));
    error_release(&err);
    end(&f, "");
}

static void root_names_cannot_lead_out(void **state)
{
    static const char *const wrong[][2] = {{"..", NULL}, {".", NULL}, {"", NULL}, {"a/b", NULL},
                                           {"/", NULL},  {"t", "t"},  {"t", "s"}};

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct foreign f;

        begin_own(&f, state, wrong[i], wrong[i][1] != NULL ? 2 : 1);
        tarball_zeros(&f.tar, 2);
        check_kind(try_open(&f, false), ERROR_FORMAT);
        end(&f, "");
    }
}

static void a_later_version_is_told(void **state)
{
    struct foreign f;
    struct member_record record = {.has_archive = true,
                                   .archive = {.version = 3, .program = "later"}};
    struct buffer text = {0};

    record.archive.facts.host_system = "";
    begin(&f, state);
    check_done(buffer_append(&text, "comment=", 8, &err));
    check_done(record_encode(&text, &record, &err));
    struct bytes bytes = buffer_bytes(&text);
    tarball_extended(&f.tar, 'x', &bytes, 1);
    tarball_member(&f.tar, "t/", '5', bytes_of(""));
    tarball_zeros(&f.tar, 2);
    check_kind(try_open(&f, false), ERROR_UNSUPPORTED);
    buffer_release(&text);
    end(&f, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(names_are_cleaned_and_the_top_is_passed_over),
        TEST(names_that_lead_out_come_as_they_are),
        TEST(hard_links_say_whose_names_they_are),
        TEST(bad_members_are_named_and_the_next_come),
        TEST(what_of_the_metadata_is_lost_is_said),
        TEST(a_folder_can_be_skipped),
        TEST(sparse_contents_have_their_holes),
        TEST(contents_may_be_read_in_part),
        TEST(an_archive_cut_or_followed_is_an_error),
        TEST(the_order_is_kept_or_it_is_damage),
        TEST(a_missing_end_record_is_an_error),
        TEST(root_names_cannot_lead_out),
        TEST(a_later_version_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
