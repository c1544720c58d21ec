/*
 * The journal of links that lead elsewhere: any bytes; and any lines under a title and above the
 * end that they should have. What is read is written and read again as the same links.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "tree/retarget.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_same(const struct retargets *a, const struct retargets *b)
{
    assert(a->count == b->count);
    for (size_t i = 0; i < a->count; i++) {
        struct retarget x = retargets_at(a, i), y = retargets_at(b, i);

        assert(bytes_equal(x.path, y.path) && bytes_equal(x.from, y.from));
        assert(bytes_equal(x.to, y.to) && x.form == y.form && x.group == y.group);
    }
}

static void check(struct bytes journal)
{
    struct retargets list = {0}, again = {0};
    struct buffer folder = {0}, text = {0}, other = {0};
    struct error err = {0};

    if (retargets_read(journal, &list, &folder, &err) == 0) {
        assert(retargets_write(&list, buffer_bytes(&folder), &text, NULL) == 0);
        assert(retargets_read(buffer_bytes(&text), &again, &other, NULL) == 0);
        assert(bytes_equal(buffer_bytes(&folder), buffer_bytes(&other)));
        check_same(&list, &again);
    } else {
        assert(err.kind == ERROR_FORMAT && !list.count);
    }
    error_release(&err);
    retargets_release(&list);
    retargets_release(&again);
    buffer_release(&folder);
    buffer_release(&other);
    buffer_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char begin[] = "holdfast remap journal 1\nfolder Lw==\n";
    struct buffer text = {0};
    size_t lines = 0;
    char end[100];

    check(bytes_make(data, size));
    for (size_t i = 0; i < size; i++)
        lines += data[i] == '\n';
    assert(buffer_append(&text, begin, strlen(begin), NULL) == 0);
    assert(buffer_append(&text, data, size, NULL) == 0);
    if (size && data[size - 1] != '\n')
        assert(buffer_append_byte(&text, '\n', NULL) == 0 && ++lines);
    struct hash128 hash = hash_bytes(buffer_bytes(&text));

    (void)snprintf(end, sizeof end, "end %zu %016" PRIx64 "%016" PRIx64 "\n", lines, hash.high,
                   hash.low);
    assert(buffer_append(&text, end, strlen(end), NULL) == 0);
    check(buffer_bytes(&text));
    buffer_release(&text);
    return 0;
}
