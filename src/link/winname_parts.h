/*
 * winname_parts.h: the single rules about names, which check and escape share.
 */
#ifndef HOLDFAST_LINK_WINNAME_PARTS_H
#define HOLDFAST_LINK_WINNAME_PARTS_H

#include <stdbool.h>

#include "link/winname.h"

/* One of the characters of WINNAME_CHARACTER. */
bool winname_is_refused(uint8_t byte);
/* The name, whatever follows its first dot, is a device's: WINNAME_DEVICE. */
bool winname_is_device(struct bytes name);
/* A POSIX system can hold it: not WINNAME_NO_NAME. */
bool winname_is_name(struct bytes name);

#endif
