/*
 * An entry in one piece of memory: all that it points to lies there, and what it pointed to before
 * may go.
 */
#include "tree/pack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "support/check.h"

/* Packed into memory of just that size, which the caller frees. */
static struct entry *packed(const struct entry *e, size_t *bytes)
{
    struct packer measure = {0}, copy = {0};
    struct entry measured = *e;
    struct entry *result;

    pack(&measure, e, sizeof *e);
    pack_entry(&measure, &measured);
    copy.memory = malloc(measure.used);
    assert_non_null(copy.memory);
    result = pack(&copy, e, sizeof *e);
    pack_entry(&copy, result);
    assert_int_equal(copy.used, measure.used);
    *bytes = copy.used;
    return result;
}

static void all_that_it_points_to_goes_along(void **state)
{
    char path[] = "a/b", target[] = "to", reparse[] = "rp", first[] = "a/a", user[] = "ana";
    struct error err = {0}, problem = {0};
    struct entry e = {
        .path = bytes_of(path),
        .kind = ENTRY_SYMLINK,
        .target = bytes_of(target),
        .reparse = bytes_of(reparse),
        .first_name = bytes_of(first),
        .meta.owner_name = user,
    };
    size_t bytes;

    (void)state;
    check_done(pairs_append(&e.meta.xattrs, bytes_of("user.x"), bytes_of("value"), &err));
    error_os(&problem, "read", EIO);
    error_at(&problem, path, strlen(path));
    e.problem_scope = PROBLEM_METADATA;
    e.problem = &problem;

    struct entry *p = packed(&e, &bytes);
    pairs_release(&e.meta.xattrs);
    error_release(&problem);
    memset(path, 'x', strlen(path));
    memset(target, 'x', strlen(target));
    memset(reparse, 'x', strlen(reparse));
    memset(first, 'x', strlen(first));
    memset(user, 'x', strlen(user));

    check_text(p->path, "a/b");
    check_text(p->target, "to");
    check_text(p->reparse, "rp");
    check_text(p->first_name, "a/a");
    assert_string_equal(p->meta.owner_name, "ana");
    assert_null(p->meta.group_name);
    assert_int_equal(p->meta.xattrs.count, 1);
    check_text(pairs_name(&p->meta.xattrs, 0), "user.x");
    check_text(pairs_value(&p->meta.xattrs, 0), "value");
    assert_int_equal(p->problem->os_code, EIO);
    assert_string_equal(p->problem->path, "a/b");
    free(p);
}

static void nothing_stays_nothing(void **state)
{
    const struct entry e = {.path = bytes_of("a"), .kind = ENTRY_FILE};
    size_t bytes;
    struct entry *p = packed(&e, &bytes);

    (void)state;
    check_text(p->path, "a");
    assert_int_equal(p->target.size, 0);
    assert_int_equal(p->meta.xattrs.count, 0);
    assert_null(p->problem);
    assert_in_range(bytes, sizeof e, sizeof e + 64);
    free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_it_points_to_goes_along),
        cmocka_unit_test(nothing_stays_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
