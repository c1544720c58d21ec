/*
 * tar_decode.c: the decoder of tar.h: the order of blocks in an archive, and what ends the reading
 * or a member alone. What a member's headers say is tar_member.c's.
 */
#include "archive/tar_member.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char operation[] = "read tar header";

enum decoder_state { DECODER_READY, DECODER_ENDED, DECODER_BROKEN };

struct tar_decoder {
    struct tar_stream stream;
    enum decoder_state state;
    uint64_t remaining; /* of the member's stored data */
    uint64_t padding;   /* behind it */
    struct tar_reader reader;
    struct buffer body; /* of an extended header */
};

int tar_decoder_new(struct tar_input *in, struct tar_decoder **out, struct error *err)
{
    struct tar_decoder *d = calloc(1, sizeof *d);
    if (!d)
        return error_memory(err);
    d->stream.in = in;
    *out = d;
    return 0;
}

void tar_decoder_free(struct tar_decoder *d)
{
    if (!d)
        return;
    tar_reader_release(&d->reader);
    buffer_release(&d->body);
    free(d);
}

uint64_t tar_position(const struct tar_decoder *d)
{
    return d->stream.position;
}

/* Names the block that is no header. */
static int bad_header(const struct tar_decoder *d, const char *what, struct error *err)
{
    return error_set(err, ERROR_FORMAT, operation, "%s at byte %" PRIu64, what,
                     d->stream.position - TAR_BLOCK_BYTES);
}

/* Reads the next header into the reader's block: 1, 0 at the end of the archive, -1. */
static int next_header(struct tar_decoder *d, struct error *err)
{
    struct tar_block *block = &d->reader.block;
    if (tar_stream_exact(&d->stream, block, sizeof *block, err))
        return -1;
    if (!tar_block_is_zero(block))
        return tar_block_is_sound(block)
                   ? 1
                   : bad_header(d, "no valid tar header (wrong checksum)", err);
    if (tar_stream_exact(&d->stream, block, sizeof *block, err))
        return -1;
    return tar_block_is_zero(block)
               ? 0
               : bad_header(d, "a lone zero block stands before the block", err);
}

/* --- headers that say something about the next one --- */

static int read_extended(struct tar_decoder *d, uint64_t size, struct error *err)
{
    struct tar_reader *r = &d->reader;
    if (r->pax.present)
        return bad_header(d, "a second extended header for one member", err);
    if (size > TAR_MAX_EXTENDED_BYTES) {
        uint64_t member_size = 0;
        int found = tar_pax_scan_size(&d->stream, size, &member_size, err);
        if (found < 0)
            return -1;
        r->pax.present = true;
        r->size_is_known = found > 0;
        r->known_size = member_size;
        error_set(err, ERROR_LIMIT, operation,
                  "an extended header of %" PRIu64 " bytes is too large", size);
        return tar_reader_trouble(r, err);
    }
    buffer_clear(&d->body);
    if (tar_stream_body(&d->stream, size, &d->body, err))
        return -1;
    return tar_pax_parse(&r->pax, buffer_bytes(&d->body), err);
}

static int read_global(struct tar_decoder *d, uint64_t size, struct error *err)
{
    struct tar_pax records = {0};
    struct buffer body = {0};
    int result = -1;
    if (size > TAR_MAX_EXTENDED_BYTES) {
        bad_header(d, "a global extended header that is too large", err);
        goto done;
    }
    if (tar_stream_body(&d->stream, size, &body, err))
        goto done;
    if (tar_pax_parse(&records, buffer_bytes(&body), err))
        goto done;
    result = tar_reader_set_globals(&d->reader, &records, err);
done:
    tar_pax_release(&records);
    buffer_release(&body);
    return result;
}

/* GNU's L and K: the name of the next member in a body of its own, ended by a NUL. */
static int read_long(struct tar_decoder *d, uint64_t size, struct tar_long_text *text,
                     struct error *err)
{
    text->present = false;
    buffer_clear(&text->bytes);
    if (size > TAR_MAX_PATH_BYTES + 1) {
        if (tar_stream_skip(&d->stream, size + tar_padding(size), err))
            return -1;
        error_set(err, ERROR_LIMIT, operation, "a name of %" PRIu64 " bytes is too long", size);
        return tar_reader_trouble(&d->reader, err);
    }
    if (tar_stream_body(&d->stream, size, &text->bytes, err))
        return -1;
    while (text->bytes.size && text->bytes.data[text->bytes.size - 1] == 0)
        text->bytes.size--;
    text->present = text->bytes.size > 0;
    return 0;
}

/* 1 if the header was one of those, 0 if it is a member's own, -1. */
static int read_prelude(struct tar_decoder *d, struct error *err)
{
    struct tar_reader *r = &d->reader;
    uint64_t size = 0;
    int result = 0;
    if (r->block.type == 0 || !strchr("xXgLKVM", r->block.type))
        return 0;
    struct tar_field field = {r->block.size, sizeof r->block.size, "size"};
    if (tar_number_get_unsigned(field, &size, err))
        return -1;
    switch (r->block.type) {
    case 'x':
    case 'X':
        result = read_extended(d, size, err);
        break;
    case 'g':
        result = read_global(d, size, err);
        break;
    case 'L':
        result = read_long(d, size, &r->long_path, err);
        break;
    case 'K':
        result = read_long(d, size, &r->long_link, err);
        break;
    case 'V':
        result = tar_stream_skip(&d->stream, size + tar_padding(size), err);
        break;
    default:
        return error_set(err, ERROR_UNSUPPORTED, operation,
                         "this is a further volume of a multi-volume archive");
    }
    return result ? -1 : 1;
}

/* --- members --- */

/* Decodes the member whose own header is in the reader's block. */
static int read_member(struct tar_decoder *d, struct error *err)
{
    struct tar_reader *r = &d->reader;
    if (tar_reader_member(r, &d->stream, err))
        return -1;
    d->remaining = r->stored;
    d->padding = tar_padding(r->stored);
    if (r->trouble.kind == ERROR_NONE)
        return 0;
    error_move(err, &r->trouble);
    return -1;
}

static int next_member(struct tar_decoder *d, struct error *err)
{
    tar_reader_begin(&d->reader);
    for (;;) {
        int found = next_header(d, err);
        if (found < 0)
            return -1;
        int prelude = found ? read_prelude(d, err) : 0;
        if (prelude < 0)
            return -1;
        if (found && !prelude)
            return read_member(d, err) ? -1 : 1;
        if (found)
            continue;
        if (tar_reader_expects_member(&d->reader))
            return bad_header(d, "an extended header without its member", err);
        return 0;
    }
}

/* Leaves the last member behind. */
static int skip_rest(struct tar_decoder *d, struct error *err)
{
    uint64_t rest = d->remaining + d->padding;
    d->remaining = 0;
    d->padding = 0;
    return tar_stream_skip(&d->stream, rest, err);
}

int tar_next(struct tar_decoder *d, const struct tar_member **out, struct error *err)
{
    if (d->state == DECODER_ENDED)
        return 0;
    if (d->state == DECODER_BROKEN)
        return error_set(err, ERROR_FORMAT, operation,
                         "the archive is damaged and cannot be read further");
    d->state = DECODER_BROKEN;
    if (skip_rest(d, err))
        return -1;
    int found = next_member(d, err);
    if (found >= 0 || err->kind == ERROR_REFUSED || err->kind == ERROR_LIMIT)
        d->state = found ? DECODER_READY : DECODER_ENDED;
    if (found > 0)
        *out = &d->reader.member;
    return found;
}

int tar_read(struct tar_decoder *d, void *bytes, size_t capacity, size_t *got, struct error *err)
{
    size_t part = capacity < d->remaining ? capacity : (size_t)d->remaining;
    *got = 0;
    if (part && tar_stream_exact(&d->stream, bytes, part, err))
        return -1;
    d->remaining -= part;
    *got = part;
    return 0;
}

int tar_take(struct tar_decoder *d, size_t most, struct bytes *out, struct error *err)
{
    *out = bytes_make(NULL, 0);
    if (most > d->remaining)
        most = (size_t)d->remaining;
    if (!most)
        return 0;
    if (tar_stream_take(&d->stream, most, out, err))
        return -1;
    if (!out->size)
        return tar_stream_cut(&d->stream, err);
    d->remaining -= out->size;
    return 0;
}
