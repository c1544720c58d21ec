/*
 * acl.h: POSIX ACLs between the kernel's binary xattr form (linux/posix_acl_xattr.h, version 2,
 * little-endian) and the text of star's SCHILY.acl.* records.
 */
#ifndef HOLDFAST_ARCHIVE_ACL_H
#define HOLDFAST_ARCHIVE_ACL_H

#include "base/buffer.h"

/* Appends "user::rwx,user:1000:r-x,group::r--,mask::r-x,other::---" (three fields, numbers). */
MUST_CHECK int acl_to_text(struct buffer *out, struct bytes binary, struct error *err);

/* Appends the binary form. Reads long and short tags, commas or newlines, numbers in the second or
 * fourth field (names without a number are ERROR_UNSUPPORTED), comments and "default:" prefixes.
 * Entries are sorted as the kernel wants them. */
MUST_CHECK int acl_from_text(struct buffer *out, struct bytes text, struct error *err);

#endif
