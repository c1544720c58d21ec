/*
 * Relink files: any bytes are read or refused; what was read is found, and the same file again.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "tree/ntfs_note.h"
#include "tree/relink.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes file = bytes_make(data, size);
    struct relink r;
    struct error err = {0};

    relink_init(&r);
    if (!relink_read(&r, file, &err)) {
        struct ntfs_note decoded;
        struct bytes note;

        assert(bytes_equal(buffer_bytes(&r.text), file) && !r.is_changed);

        if (relink_find(&r, bytes_of("t/a"), &note))
            (void)!ntfs_note_decode(note, &decoded, NULL, NULL);
    } else {
        assert(err.kind == ERROR_FORMAT || err.kind == ERROR_MEMORY);
    }
    error_release(&err);
    relink_release(&r);
    return 0;
}
