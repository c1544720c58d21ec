/*
 * upcase.h: Windows' rule for names that differ in case alone.
 *
 * NTFS maps each UTF-16 unit by itself, through a table that every volume carries ($UpCase, written
 * when the volume is formatted). The table here is the one that mkntfs and Windows 7 write; later
 * ones differ in a few rare letters. Characters beyond U+FFFF take two units and have no case
 * there. Nothing is decomposed or composed: "\u00e9" and "e\u0301" are two names.
 */
#ifndef HOLDFAST_BASE_UPCASE_H
#define HOLDFAST_BASE_UPCASE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"

/* The capital of a code point by $UpCase, or the code point itself. */
uint32_t upcase_point(uint32_t point);

/* True if the two names are one name to NTFS. Names are WTF-8; bytes that are none equal only
 * themselves. */
bool upcase_equal(struct bytes a, struct bytes b);

#endif
