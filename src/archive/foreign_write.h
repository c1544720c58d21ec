/*
 * foreign_write.h: libarchive's writer: zip, 7z and cpio archives, a member at a time. Strict as
 * the reader (foreign.h): a warning of libarchive is handed out with the member that it is about.
 *
 * Names and targets are the bytes that they are. In zip a name that is Unicode is marked so; in 7z
 * other bytes are written as 7-Zip does (foreign_name.h). The bytes depend on the members alone,
 * and zip's on the time zone, too: it has a field of local time.
 *
 * Memory: zip keeps its table of contents until the end (about 100 bytes and the path for each
 * entry), 7z the same and what LZMA takes (100 MB by default); cpio keeps nothing. 7z puts all that
 * it compresses into a nameless file in $TMPDIR first.
 */
#ifndef HOLDFAST_ARCHIVE_FOREIGN_WRITE_H
#define HOLDFAST_ARCHIVE_FOREIGN_WRITE_H

#include "archive/export_format.h"
#include "os/os.h"

struct foreign_write_options {
    enum export_format format;
    int level; /* compression; 0 is the format's default */
};

/* A member to be written. */
struct foreign_member {
    const struct entry *entry; /* its path, kind, target, device numbers, mode and owner */
    uint64_t size;             /* bytes of content that will follow; of files alone */
    struct timestamp mtime;    /* within what the format holds */
    uint32_t number;           /* cpio: the same for all names of a file, for no others */
    uint32_t names;            /* cpio: how many names the file has, 1 or more */
};

struct foreign_writer;
/* Begins an archive on `handle` (borrowed), which may be a pipe. With OS_NO_HANDLE nothing can be
 * written: for questions about names alone. */
MUST_CHECK int foreign_writer_open(os_handle handle, const struct foreign_write_options *options,
                                   struct foreign_writer **out, struct error *err);
/* Frees; an archive that was not finished just ends. NULL is accepted. */
void foreign_writer_free(struct foreign_writer *w);

/* True if libarchive gives the entry's own name back as it is: names that are marked as Unicode it
 * composes (NFC). */
bool foreign_writer_keeps_name(const struct foreign_writer *w, const struct entry *e);

/* Begins a member: 1; 0 if libarchive refuses it: `trouble` says why and nothing was written; -1.
 * Where it was written with a warning `trouble` is set, too. */
MUST_CHECK int foreign_writer_begin(struct foreign_writer *w, const struct foreign_member *m,
                                    struct error *trouble, struct error *err);
/* Appends content to the member. All that was announced must come. */
MUST_CHECK int foreign_writer_add(struct foreign_writer *w, struct bytes content,
                                  struct error *err);
/* Ends the member; a warning is put into `trouble`. */
MUST_CHECK int foreign_writer_end(struct foreign_writer *w, struct error *trouble,
                                  struct error *err);
/* Ends the archive. */
MUST_CHECK int foreign_writer_finish(struct foreign_writer *w, struct error *err);
/* Bytes written to the handle; complete after foreign_writer_finish. */
uint64_t foreign_writer_bytes(const struct foreign_writer *w);

#endif
