/*
 * Any bytes as a tar archive: what the decoder accepts keeps to its contract, and what the encoder
 * makes of a member decodes to the same member. Blocks that look like headers get a right checksum
 * first, or hardly any input would pass beyond it.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/tar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BLOCK = 512, AT_CHECKSUM = 148, AT_MAGIC = 257 };

struct memory_input {
    struct tar_input input;
    struct bytes left;
};

static int take_bytes(struct tar_input *in, size_t most, struct bytes *out, struct error *err)
{
    struct memory_input *m = (struct memory_input *)in;
    (void)err;
    *out = bytes_make(m->left.data, most < m->left.size ? most : m->left.size);
    m->left = bytes_make(m->left.data + out->size, m->left.size - out->size);
    return 0;
}

static void seal_headers(uint8_t *data, size_t size)
{
    for (; size >= BLOCK; data += BLOCK, size -= BLOCK) {
        unsigned sum = 0;
        if (memcmp(data + AT_MAGIC, "ustar", 5) != 0)
            continue;
        memset(data + AT_CHECKSUM, ' ', 8);
        for (size_t i = 0; i < BLOCK; i++)
            sum += data[i];
        snprintf((char *)data + AT_CHECKSUM, 7, "%06o", sum);
    }
}

static void check_extents(const struct tar_member *m)
{
    uint64_t end = 0;
    for (size_t i = 0; i < m->extent_count; i++) {
        assert(m->extents[i].length > 0);
        assert(i == 0 || m->extents[i].offset > end);
        end = m->extents[i].offset + m->extents[i].length;
        assert(end <= m->size);
    }
}

static bool holds_acl(const struct pairs *xattrs)
{
    return pairs_find(xattrs, bytes_of("system.posix_acl_access")) >= 0 ||
           pairs_find(xattrs, bytes_of("system.posix_acl_default")) >= 0;
}

static void check_same(const struct tar_member *a, const struct tar_member *b)
{
    assert(a->type == b->type && a->size == b->size && a->sparse == b->sparse);
    assert(bytes_equal(a->path, b->path) && bytes_equal(a->link, b->link));
    assert(bytes_equal(a->comment, b->comment));
    assert(a->extent_count == b->extent_count);
    for (size_t i = 0; i < a->extent_count; i++)
        assert(memcmp(&a->extents[i], &b->extents[i], sizeof *a->extents) == 0);
    assert(a->meta.mode == b->meta.mode && a->meta.owner == b->meta.owner &&
           a->meta.group == b->meta.group);
    assert(timestamp_compare(a->meta.mtime, b->meta.mtime) == 0);
    assert(a->device_major == b->device_major && a->device_minor == b->device_minor);
    /* An access ACL that says what the mode says is left out. */
    assert(holds_acl(&a->meta.xattrs) || pairs_equal(&a->meta.xattrs, &b->meta.xattrs));
}

static void check_encoding(const struct tar_member *m)
{
    struct buffer out = {0};
    struct error err = {0};
    struct tar_decoder *d = NULL;
    const struct tar_member *again = NULL;
    if (tar_encode(&out, m, &err) == 0) {
        struct memory_input input = {{take_bytes}, buffer_bytes(&out)};
        assert(out.size % BLOCK == 0);
        assert(tar_decoder_new(&input.input, &d, &err) == 0);
        assert(tar_next(d, &again, &err) == 1);
        check_same(m, again);
        assert(tar_position(d) == out.size);
        tar_decoder_free(d);
    } else {
        assert(err.kind != ERROR_NONE && out.size == 0);
    }
    error_release(&err);
    buffer_release(&out);
}

static bool read_data(struct tar_decoder *d)
{
    struct error err = {0};
    uint8_t bytes[700];
    size_t got = 0;
    int result;
    do
        result = tar_read(d, bytes, sizeof bytes, &got, &err);
    while (result == 0 && got);
    error_release(&err);
    return result == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = {0};
    struct tar_decoder *d = NULL;
    const struct tar_member *m = NULL;
    uint8_t *copy = malloc(size + 1);
    int result = 0;
    assert(copy);
    if (size)
        memcpy(copy, data, size);
    seal_headers(copy, size);
    struct memory_input input = {{take_bytes}, bytes_make(copy, size)};
    assert(tar_decoder_new(&input.input, &d, &err) == 0);
    for (unsigned n = 0;; n++) {
        result = tar_next(d, &m, &err);
        if (result == 0 || (result < 0 && err.kind != ERROR_REFUSED && err.kind != ERROR_LIMIT))
            break;
        error_release(&err);
        if (result < 0)
            continue;
        assert(m->path.size > 0 && !memchr(m->path.data, 0, m->path.size));
        check_extents(m);
        check_encoding(m);
        if (n % 2 && !read_data(d))
            break;
    }
    assert(tar_position(d) <= size);
    error_release(&err);
    tar_decoder_free(d);
    free(copy);
    return 0;
}
