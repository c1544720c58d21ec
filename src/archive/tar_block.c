/*
 * tar_block.c: see tar_block.h. Writers and readers of a number stand side by side; what is read
 * is checked to its last byte.
 */
#include "archive/tar_block.h"

#include <string.h>

_Static_assert(sizeof(struct tar_block) == TAR_BLOCK_BYTES, "a header is one block");
_Static_assert(sizeof(struct tar_slot_block) == TAR_BLOCK_BYTES, "further slots fill one block");

static const char operation[] = "read tar header";

bool tar_block_is_zero(const struct tar_block *block)
{
    static const struct tar_block zero;
    return memcmp(block, &zero, sizeof zero) == 0;
}

static unsigned sum_bytes(const uint8_t *bytes, size_t count)
{
    unsigned sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += bytes[i];
    return sum;
}

/* The checksum: all bytes, with the checksum's own field taken as spaces. */
static unsigned sum_of(const struct tar_block *block)
{
    unsigned own = sum_bytes(block->checksum, sizeof block->checksum);
    return sum_bytes((const uint8_t *)block, sizeof *block) - own +
           ' ' * (unsigned)sizeof block->checksum;
}

/* How many bytes a signed sum takes as negative. */
static int64_t count_high(const struct tar_block *block)
{
    const uint8_t *bytes = (const uint8_t *)block;
    int64_t high = 0;
    for (size_t i = 0; i < sizeof *block; i++)
        high += bytes[i] >> 7;
    return high;
}

bool tar_block_is_sound(const struct tar_block *block)
{
    struct error ignored = {0};
    struct tar_field field = {block->checksum, sizeof block->checksum, "checksum"};
    int64_t stored = 0;
    if (tar_number_get(field, &stored, &ignored)) {
        error_release(&ignored);
        return false;
    }
    int64_t sum = sum_of(block);
    return stored == sum || stored == sum - 256 * count_high(block);
}

void tar_block_seal(struct tar_block *block)
{
    /* Six digits, NUL, space: the form that every reader expects. */
    tar_number_put(block->checksum, 7, sum_of(block));
    block->checksum[7] = ' ';
}

bool tar_is_header(const uint8_t *block)
{
    struct tar_block copy;
    memcpy(&copy, block, sizeof copy);
    return !tar_block_is_zero(&copy) && tar_block_is_sound(&copy);
}

size_t tar_text_bytes(const uint8_t *field, size_t bytes)
{
    const uint8_t *end = memchr(field, 0, bytes);
    return end ? (size_t)(end - field) : bytes;
}

bool tar_number_is_octal(int64_t value, size_t field_bytes)
{
    return value >= 0 && value >> (3 * (field_bytes - 1)) == 0;
}

void tar_number_put(uint8_t *field, size_t field_bytes, int64_t value)
{
    uint64_t bits = (uint64_t)value;
    if (tar_number_is_octal(value, field_bytes)) {
        field[field_bytes - 1] = 0;
        for (size_t i = field_bytes - 1; i-- > 0; bits >>= 3)
            field[i] = (uint8_t)('0' + (bits & 7));
        return;
    }
    uint8_t fill = value < 0 ? 0xff : 0;
    for (size_t i = field_bytes; i-- > 0; bits = bits >> 8 | (uint64_t)fill << 56)
        field[i] = (uint8_t)bits;
    field[0] |= 0x80;
}

static int bad_number(struct tar_field field, struct error *err)
{
    return error_set(err, ERROR_FORMAT, operation, "the field \"%s\" holds no valid number",
                     field.what);
}

/* Two's complement in the field's bytes, the first bit being a mark and the second the sign. */
static int get_base256(struct tar_field field, int64_t *value, struct error *err)
{
    int64_t result = field.at[0] & 0x40 ? -1 : 0;
    for (size_t i = 0; i < field.bytes; i++) {
        if (result > INT64_MAX >> 8 || result < -(INT64_MAX >> 8) - 1)
            return bad_number(field, err);
        uint8_t byte = field.at[i];
        if (i == 0)
            byte = byte & 0x40 ? byte : byte & 0x3f;
        result = (int64_t)((uint64_t)result << 8 | byte);
    }
    *value = result;
    return 0;
}

static int get_octal(struct tar_field field, int64_t *value, struct error *err)
{
    size_t i = 0;
    uint64_t result = 0;
    while (i < field.bytes && field.at[i] == ' ')
        i++;
    for (; i < field.bytes && field.at[i] >= '0' && field.at[i] <= '7'; i++)
        result = result << 3 | (uint64_t)(field.at[i] - '0');
    for (; i < field.bytes; i++) {
        if (field.at[i] != ' ' && field.at[i] != 0)
            return bad_number(field, err);
    }
    *value = (int64_t)result; /* at most 12 digits of 3 bits */
    return 0;
}

int tar_number_get(struct tar_field field, int64_t *value, struct error *err)
{
    return field.at[0] & 0x80 ? get_base256(field, value, err) : get_octal(field, value, err);
}

int tar_number_get_unsigned(struct tar_field field, uint64_t *value, struct error *err)
{
    int64_t number = 0;
    if (tar_number_get(field, &number, err))
        return -1;
    if (number < 0)
        return bad_number(field, err);
    *value = (uint64_t)number;
    return 0;
}

int tar_decimal_get(struct tar_field field, uint64_t *value, struct error *err)
{
    uint64_t result = 0;
    if (field.bytes == 0)
        return bad_number(field, err);
    for (size_t i = 0; i < field.bytes; i++) {
        uint8_t byte = field.at[i];
        if (byte < '0' || byte > '9' || result > (UINT64_MAX - (uint64_t)(byte - '0')) / 10)
            return bad_number(field, err);
        result = result * 10 + (uint64_t)(byte - '0');
    }
    *value = result;
    return 0;
}
