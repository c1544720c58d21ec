/*
 * index.h: the index of an archive: every entry whole but for its data, in blocks of the tail, and
 * a head that says where they are (docs/format.md, "The index"). Here are its bytes: encoder and
 * decoder of entries, blocks and head. index_writer.h makes one, index_source.h reads one.
 */
#ifndef HOLDFAST_ARCHIVE_INDEX_H
#define HOLDFAST_ARCHIVE_INDEX_H

#include "archive/tail_block.h"
#include "tree/entry.h"

/* A writer ends a block once it holds that much; a reader refuses blocks that hold more than the
 * second. */
enum { INDEX_BLOCK_BYTES = 64 << 10, INDEX_MAX_BLOCK_BYTES = 64 << 20 };

/* Whose files are: numbers and names, as they come together. */
struct index_owner {
    uint64_t owner, group;               /* 0 where the entry does not know them */
    const char *owner_name, *group_name; /* "" where not known */
};

/* One block of entries, as the head tells of it. */
struct index_block {
    struct tail_block block; /* its header in the tail */
    uint64_t tail_offset;    /* where the header begins in the tail */
    uint64_t entry_count;
    uint64_t first_entry;   /* number of its first entry; the archive's first one is 0 */
    uint64_t stream_offset; /* where the headers of its first entry begin in the tar stream */
    struct bytes first_path;
};

/* An archive that holds contents of entries of this one (DESIGN: incremental archives). */
struct index_base {
    struct hash128 identity; /* as index_identity makes it */
    uint64_t entry_count;    /* entries of this archive whose content it holds */
    const char *file_name; /* its last component when it was used; it may have been renamed since */
};

struct index_head {
    const struct index_owner *owners;
    size_t owner_count;
    uint64_t volume_count; /* file systems that the entries came from */
    uint64_t entry_count;
    const struct index_base *bases; /* of a full archive: none */
    size_t base_count;
    const struct index_block *blocks; /* in canonical order */
    size_t block_count;
};

/* The identity of an archive: the hash of its head's content, which has the checksums of all blocks
 * and so of all that is said of every entry, the hashes of the contents included. */
struct hash128 index_identity(struct bytes head);

/* One entry with its place. */
struct index_item {
    struct entry entry; /* without first_name. identity.volume: the ordinal of its file system */
    uint64_t number;    /* of the entry in the archive */
    bool is_further;    /* a further name: nothing but path and kind of `entry` holds */
    uint64_t first;     /* of a further name: the number of its first name */
    bool is_inexact;    /* the tail's losses name it */
    uint64_t owner;     /* index into the head's owners */
    uint64_t header_offset, data_offset; /* in the tar stream */
    size_t base;                         /* 0, or n: neither headers nor data are in this archive,
                                            and data_offset is a place in the head's base n - 1 */
    const struct extent *extents;        /* of a file: its ranges with data, in that order behind
                                            data_offset */
    size_t extent_count;
    struct bytes body; /* got: the encoded entry without its path; see index_body_decode */
};

/* True if the entry has headers in the tar stream: a file whose content is in a base has not, and
 * neither have its further names. */
bool index_item_is_in_stream(const struct index_item *item);

/* Bytes of the tar stream behind data_offset, without and with padding. */
uint64_t index_item_stored(const struct index_item *item);
uint64_t index_item_end(const struct index_item *item);

/* Appends an entry behind that of the path `previous` (empty: the block's first). `item->body` is
 * not used. ERROR_USAGE if its offsets are no multiples of a tar block. */
MUST_CHECK int index_item_encode(struct buffer *out, struct bytes previous,
                                 const struct index_item *item, struct error *err);

/* What a decoded item points into. A zeroed struct is a valid empty one. */
struct index_memory {
    struct buffer path;
    struct pairs xattrs;
    struct extent *extents; /* capacity */
    size_t extent_capacity;
    struct extent whole;
};
void index_memory_release(struct index_memory *m);

/* Goes through the entries of a block. Zeroed and begun; release afterwards. */
struct index_cursor {
    const struct index_head *head; /* borrowed, as the block's content */
    const struct index_block *block;
    struct cursor at;
    uint64_t position; /* in the tar stream: where the next entry's headers begin */
    uint64_t taken;    /* entries */
    struct index_memory memory;
    struct index_item item;
};
void index_cursor_begin(struct index_cursor *c, const struct index_head *head,
                        const struct index_block *block, struct bytes content);
/* The next entry: 1 and *out (borrowed until the next call), 0 at the end, -1 (ERROR_FORMAT). Paths
 * are sound (no empty, `.` or `..` component) and ascend. */
MUST_CHECK int index_cursor_next(struct index_cursor *c, const struct index_item **out,
                                 struct error *err);
void index_cursor_release(struct index_cursor *c);

/* Decodes a body that was kept from index_item.body, of a first name: all of *out but number and
 * path; its data_offset is given, unless it is in a base. */
MUST_CHECK int index_body_decode(const struct index_head *head, struct bytes body,
                                 struct index_memory *memory, struct index_item *out,
                                 struct error *err);

/* Appends the content of the head's block. Of its blocks the tail offset is not told: they follow
 * each other right behind the head. */
MUST_CHECK int index_head_encode(struct buffer *out, const struct index_head *head,
                                 struct error *err);
/* Decodes it; `blocks_offset` is where the block behind the head begins in the tail. */
struct index_head_memory;
MUST_CHECK int index_head_decode(struct bytes content, uint64_t blocks_offset,
                                 struct index_head_memory **out, struct error *err);
const struct index_head *index_head_of(const struct index_head_memory *m);
void index_head_free(struct index_head_memory *m);

#endif
