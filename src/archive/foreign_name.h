/*
 * foreign_name.h: names of any bytes in 7z archives, whose names are Unicode: as 7-Zip writes and
 * reads them on POSIX. A byte that is no UTF-8 is the character U+EF00 plus the byte (U+EF80 to
 * U+EFFF); a character of that range itself is written as its three bytes. Pure; private to the
 * adapter.
 */
#ifndef HOLDFAST_ARCHIVE_FOREIGN_NAME_H
#define HOLDFAST_ARCHIVE_FOREIGN_NAME_H

#include "base/buffer.h"

/* Replaces `out` by the name as UTF-8; NUL-terminated. */
MUST_CHECK int foreign_name_escape(struct buffer *out, struct bytes name, struct error *err);
/* Replaces `out` by the bytes that such a name stands for; NUL-terminated. */
MUST_CHECK int foreign_name_unescape(struct buffer *out, struct bytes name, struct error *err);

#endif
