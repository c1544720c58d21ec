/*
 * tar_block.h: the 512-byte header block: its fields, its numbers and its checksum. Private to the
 * tar codec.
 *
 * Sources: POSIX.1-2017 pax (ustar Interchange Format), GNU tar manual "Basic Tar Format".
 */
#ifndef HOLDFAST_ARCHIVE_TAR_BLOCK_H
#define HOLDFAST_ARCHIVE_TAR_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "archive/tar.h"

/* One range of an old GNU sparse map. */
struct tar_slot {
    uint8_t offset[12], length[12];
};

enum { TAR_SLOTS_IN_HEADER = 4, TAR_SLOTS_IN_BLOCK = 21 };

/* Bytes of fields that decide about what stands where. */
enum {
    TAR_NAME_BYTES = 100, /* of a link target, too */
    TAR_PREFIX_BYTES = 155,
    TAR_ID_BYTES = 8,
    TAR_SIZE_BYTES = 12,
    TAR_TIME_BYTES = 12,
    TAR_OWNER_NAME_BYTES = 32,
};

/* A header block. What stands behind `minor` depends on the magic: ustar's prefix or GNU's own
 * fields. */
struct tar_block {
    uint8_t name[TAR_NAME_BYTES], mode[8], owner[TAR_ID_BYTES], group[TAR_ID_BYTES];
    uint8_t size[TAR_SIZE_BYTES], mtime[TAR_TIME_BYTES], checksum[8];
    uint8_t type;
    uint8_t link[TAR_NAME_BYTES], magic[8];
    uint8_t owner_name[TAR_OWNER_NAME_BYTES], group_name[TAR_OWNER_NAME_BYTES], major[8], minor[8];
    union {
        uint8_t prefix[TAR_PREFIX_BYTES];
        struct {
            uint8_t atime[12], ctime[12], offset[12], longnames[4], unused;
            struct tar_slot slots[TAR_SLOTS_IN_HEADER];
            uint8_t extended; /* not zero: a block of further slots follows */
            uint8_t real_size[12];
        } gnu;
    } tail;
    uint8_t padding[12];
};

/* A block of further slots of a sparse map. */
struct tar_slot_block {
    struct tar_slot slots[TAR_SLOTS_IN_BLOCK];
    uint8_t extended;
    uint8_t padding[7];
};

/* Both begin "ustar": POSIX's magic and version, and the older GNU form, which has no prefix. */
#define TAR_MAGIC_USTAR "ustar\00000"
#define TAR_MAGIC_GNU "ustar  "

/* A field and what it is called in messages. */
struct tar_field {
    const uint8_t *at;
    size_t bytes;
    const char *what;
};

/* True if all bytes are zero. */
bool tar_block_is_zero(const struct tar_block *block);
/* True if the checksum is right, as the sum of unsigned bytes or, as some old writers did it, of
 * signed ones. */
bool tar_block_is_sound(const struct tar_block *block);
/* Writes the checksum over the finished block. */
void tar_block_seal(struct tar_block *block);

/* How many bytes stand before the first NUL of a field. */
size_t tar_text_bytes(const uint8_t *field, size_t bytes);

/* True if the number fits a field in octal with a NUL behind it. */
bool tar_number_is_octal(int64_t value, size_t field_bytes);
/* Writes a number in octal, or in GNU's base 256 where that does not do. */
void tar_number_put(uint8_t *field, size_t field_bytes, int64_t value);
/* Reads octal (leading spaces, ended by spaces, NULs or the field's end; blank is 0) or base 256.
 * Anything else, and what does not fit 63 bits, is ERROR_FORMAT. */
MUST_CHECK int tar_number_get(struct tar_field field, int64_t *value, struct error *err);
/* The same for numbers that cannot be negative. */
MUST_CHECK int tar_number_get_unsigned(struct tar_field field, uint64_t *value, struct error *err);

/* Reads decimal digits, nothing else, as pax records hold them; ERROR_FORMAT. */
MUST_CHECK int tar_decimal_get(struct tar_field field, uint64_t *value, struct error *err);

#endif
