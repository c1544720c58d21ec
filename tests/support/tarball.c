#include "support/tarball.h"

#include <stdio.h>
#include <string.h>

#include "support/check.h"

enum { BLOCK = 512, PIECE = 300 };

/* In pieces that end inside of blocks. */
static int take_bytes(struct tar_input *in, size_t most, struct bytes *out, struct error *err)
{
    struct tarball *t = (struct tarball *)in;
    size_t left = t->bytes.size - t->at;
    (void)err;
    if (most > PIECE)
        most = PIECE;
    if (!left) {
        *out = bytes_make(NULL, 0);
        return 0;
    }
    *out = bytes_make(t->bytes.data + t->at, most < left ? most : left);
    t->at += out->size;
    return 0;
}

void tarball_init(struct tarball *t)
{
    *t = (struct tarball){.input.take = take_bytes};
}

void tarball_release(struct tarball *t)
{
    tar_decoder_free(t->decoder);
    buffer_release(&t->bytes);
}

static void append(struct tarball *t, const void *bytes, size_t count)
{
    struct error err = {0};
    check_done(buffer_append(&t->bytes, bytes, count, &err));
}

void tarball_zeros(struct tarball *t, size_t blocks)
{
    static const uint8_t zeros[BLOCK];
    while (blocks--)
        append(t, zeros, sizeof zeros);
}

static void seal(uint8_t *block)
{
    unsigned sum = 0;
    memset(block + AT_CHECKSUM, ' ', 8);
    for (size_t i = 0; i < BLOCK; i++)
        sum += block[i];
    snprintf((char *)block + AT_CHECKSUM, 8, "%06o", sum);
}

size_t tarball_header(struct tarball *t, const char *name, char type, unsigned long size)
{
    size_t start = t->bytes.size;
    size_t name_bytes = strlen(name);
    tarball_zeros(t, 1);
    uint8_t *block = t->bytes.data + start;
    assert_true(name_bytes <= 100);
    memcpy(block, name, name_bytes);
    memcpy(block + AT_MODE, "0000644", 8);
    memcpy(block + AT_UID, "0000000", 8);
    memcpy(block + AT_GID, "0000000", 8);
    snprintf((char *)block + AT_SIZE, 12, "%011lo", size);
    memcpy(block + AT_MTIME, "00000000001", 12);
    block[AT_TYPE] = (uint8_t)type;
    memcpy(block + AT_MAGIC, "ustar\00000", 8);
    seal(block);
    return start;
}

void tarball_patch(struct tarball *t, size_t start, size_t offset, struct bytes bytes)
{
    memcpy(t->bytes.data + start + offset, bytes.data, bytes.size);
    if (offset != AT_CHECKSUM)
        seal(t->bytes.data + start);
}

void tarball_make_v7(struct tarball *t, size_t start)
{
    tarball_patch(t, start, AT_MAGIC, bytes_make("\0\0\0\0\0\0\0", 8));
}

void tarball_make_gnu(struct tarball *t, size_t start)
{
    tarball_patch(t, start, AT_MAGIC, bytes_make("ustar  ", 8));
}

void tarball_body(struct tarball *t, struct bytes body)
{
    append(t, body.data, body.size);
    while (t->bytes.size % BLOCK)
        append(t, "", 1);
}

void tarball_member(struct tarball *t, const char *name, char type, struct bytes body)
{
    tarball_header(t, name, type, body.size);
    tarball_body(t, body);
}

static void append_record(struct buffer *out, struct bytes record)
{
    struct error err = {0};
    char head[32];
    size_t length = record.size + 3;
    while (length != record.size + 2 + (size_t)snprintf(head, sizeof head, "%zu", length))
        length++;
    int count = snprintf(head, sizeof head, "%zu ", length);
    check_done(buffer_append(out, head, (size_t)count, &err));
    check_done(buffer_append(out, record.data, record.size, &err));
    check_done(buffer_append_byte(out, '\n', &err));
}

void tarball_extended(struct tarball *t, char type, const struct bytes *records, size_t count)
{
    struct buffer body = {0};
    for (size_t i = 0; i < count; i++)
        append_record(&body, records[i]);
    tarball_member(t, "PaxHeaders/x", type, buffer_bytes(&body));
    buffer_release(&body);
}

void tarball_record(struct tarball *t, const char *record)
{
    struct bytes one = bytes_of(record);
    tarball_extended(t, 'x', &one, 1);
}

void tarball_open(struct tarball *t)
{
    struct error err = {0};
    check_done(tar_decoder_new(&t->input, &t->decoder, &err));
}

const struct tar_member *tarball_next(struct tarball *t)
{
    struct error err = {0};
    const struct tar_member *m = NULL;
    assert_int_equal(check_done(tar_next(t->decoder, &m, &err)), 1);
    return m;
}

void tarball_ends(struct tarball *t)
{
    struct error err = {0};
    const struct tar_member *m = NULL;
    assert_int_equal(check_done(tar_next(t->decoder, &m, &err)), 0);
}

void tarball_fails(struct tarball *t, enum error_kind kind)
{
    struct error err = {0};
    const struct tar_member *m = NULL;
    check_kind(tar_next(t->decoder, &m, &err), kind);
    error_release(&err);
}

void tarball_has_data(struct tarball *t, struct bytes data)
{
    struct error err = {0};
    struct buffer got = {0};
    uint8_t part[100];
    size_t count = 0;
    do {
        check_done(tar_read(t->decoder, part, sizeof part, &count, &err));
        check_done(buffer_append(&got, part, count, &err));
    } while (count);
    assert_true(bytes_equal(buffer_bytes(&got), data));
    buffer_release(&got);
}
