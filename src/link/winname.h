/*
 * winname.h: names that Windows cannot hold, and a way to hold them all the same.
 *
 * One validator serves everything that becomes a name on an NTFS volume: names of entries, and
 * the parts of remapped targets (SAFETY R3). NTFS itself, and ntfs-3g with it, takes nearly any
 * name; Windows then cannot open it, opens a device, a stream or another file instead, or cuts the
 * name. A name is one component of a path, without separators around it.
 */
#ifndef HOLDFAST_LINK_WINNAME_H
#define HOLDFAST_LINK_WINNAME_H

#include "base/buffer.h"

/* The longest name that NTFS holds, in UTF-16 units. */
enum { WINNAME_UNITS = 255 };

/* What is wrong with a name; the first that applies, in this order. */
enum winname_fault {
    WINNAME_FINE,
    WINNAME_NO_NAME,   /* empty, "." or "..", or a slash or NUL in it: no system holds it */
    WINNAME_NOT_TEXT,  /* not well-formed WTF-8, so that it has no UTF-16 form */
    WINNAME_CHARACTER, /* one of \ : < > " | ? * */
    WINNAME_CONTROL,   /* a byte under 0x20 */
    WINNAME_DEVICE,    /* CON, PRN, AUX, NUL, CONIN$, CONOUT$, COM1 to COM9, LPT1 to LPT9 (with
                          superscript digits, too), in any case, whatever follows a dot */
    WINNAME_TRAILING,  /* ends in a dot or a space, which Win32 cuts off */
    WINNAME_LONG,      /* more than WINNAME_UNITS */
};

/* Says whether Windows can hold the name as it is. */
enum winname_fault winname_check(struct bytes name);
/* The fault as words for people: static text, "" for WINNAME_FINE. */
const char *winname_fault_text(enum winname_fault fault);

/*
 * The escape (--windows-names=escape). U+F000 + n stands for the byte n, for n from 0x01 to 0xFF.
 * (Cygwin and WSL write the characters that Windows lacks in the same way.) Escaped are:
 *   - each of \ : < > " | ? * and each byte under 0x20;
 *   - a dot or space at the end;
 *   - the first letter of a device's name;
 *   - each byte that belongs to no well-formed WTF-8;
 *   - each byte of a character from U+F001 to U+F0FF that is in the name already: it becomes three,
 *     so that these characters mean nothing but an escape.
 * All else stays. Every name that a POSIX system can hold comes back from its escaped form, byte
 * for byte, and no two names have the same one.
 */

/* Appends the escaped form, which is WINNAME_FINE. ERROR_FORMAT for what is no name at all
 * (WINNAME_NO_NAME), ERROR_LIMIT if the escaped form is longer than WINNAME_UNITS. On error `out`
 * is as before. */
MUST_CHECK int winname_escape(struct buffer *out, struct bytes name, struct error *err);
/* The same for each component of a path between slashes; a path without any stays empty. */
MUST_CHECK int winname_escape_path(struct buffer *out, struct bytes path, struct error *err);
/* Appends the name whose escaped form this is. ERROR_FORMAT for what winname_escape never writes,
 * such as an escaped letter where none is needed: such a name is nobody's escape and is to be kept
 * as it is. On error `out` is as before. */
MUST_CHECK int winname_unescape(struct buffer *out, struct bytes name, struct error *err);

#endif
