/*
 * reparse_tag.h: reparse tags: what they are called, what may be done with what carries them, and
 * what the user wants to be done (--reparse TAG=POLICY). [MS-FSCC] 2.1.2.1.
 */
#ifndef HOLDFAST_LINK_REPARSE_TAG_H
#define HOLDFAST_LINK_REPARSE_TAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

/* The tags that the program looks into. All others are told apart by number alone. */
#define REPARSE_TAG_MOUNT_POINT UINT32_C(0xA0000003) /* junctions and volume mount points */
#define REPARSE_TAG_SYMLINK UINT32_C(0xA000000C)
#define REPARSE_TAG_LX_SYMLINK UINT32_C(0xA000001D) /* WSL's symbolic link */

/* What a tag means for reading the file or folder that carries it. */
enum reparse_class {
    REPARSE_CLASS_LINK, /* its buffer is a link, and all there is of it */
    REPARSE_CLASS_KEPT, /* its buffer is kept; what opening it would do is not known, or nothing is
                           behind it. AppExecLink, sockets, and each tag without a name here */
    REPARSE_CLASS_DATA, /* a file whose content is stored in another way (compressed, deduplicated):
                           where the system can read it, reading has no effect */
    REPARSE_CLASS_NEVER, /* a placeholder: opening it would fetch its content from elsewhere. Every
                            unknown tag with the bit that once meant "high latency", too */
};

/* The class of any tag. */
enum reparse_class reparse_tag_class(uint32_t tag);
/* A short name for people and for options, "symlink", "cloud", ..., or NULL. Several tags can have
 * one name: the sixteen of the cloud filter do. "junction" is REPARSE_TAG_MOUNT_POINT. */
const char *reparse_tag_name(uint32_t tag);
/* The name-surrogate bit: what carries the tag stands for another name. Such a thing is never
 * walked into and is deleted as itself (SAFETY, recursive delete through a junction). */
bool reparse_tag_is_surrogate(uint32_t tag);
/* The Microsoft bit; a tag without it has a GUID in its buffer. */
bool reparse_tag_is_microsoft(uint32_t tag);

/* What to do with what carries a tag. */
enum reparse_policy {
    REPARSE_RAW,    /* keep its buffer, every byte. Data may be kept beside it where reading has no
                       effect: REPARSE_CLASS_DATA alone */
    REPARSE_DATA,   /* keep its data as an ordinary file, without the buffer */
    REPARSE_SKIP,   /* leave it out, and say so */
    REPARSE_REFUSE, /* name it as an error */
};

/* What the user wants for tags. A zeroed struct wants nothing: every tag is REPARSE_RAW. */
enum { REPARSE_WISHES = 64 };
struct reparse_policies {
    struct reparse_wish {
        uint32_t tag, mask; /* meets the tags whose bits under the mask are these */
        enum reparse_policy policy;
    } wishes[REPARSE_WISHES];
    size_t count;
};

/* Takes one TAG=POLICY: TAG is a name of reparse_tag_name or a number in hexadecimal with 0x,
 * POLICY one of raw, data, skip, refuse. ERROR_USAGE with the reason in words for everything else;
 * also for `data` with a link (its data would be what it leads to), with another name surrogate,
 * and with a placeholder (reading would fetch it). ERROR_LIMIT after REPARSE_WISHES. */
MUST_CHECK int reparse_policies_add(struct reparse_policies *p, struct bytes text,
                                    struct error *err);
/* The policy for a tag: that of the last wish that meets it. */
enum reparse_policy reparse_policy_of(const struct reparse_policies *p, uint32_t tag);

#endif
