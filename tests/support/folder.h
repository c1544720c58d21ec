/*
 * folder.h: a temporary folder for tests, as a setup and a teardown of cmocka.
 */
#ifndef SUPPORT_FOLDER_H
#define SUPPORT_FOLDER_H

#include "os/os.h"

struct folder {
    char path[200];
    os_handle handle;
};

/* Makes a folder below $TMPDIR (or /tmp) and puts a struct folder in *state. Sets the umask to 0,
 * as the program does. */
int folder_setup(void **state);
/* Removes it with all that is in it, file flags or not. */
int folder_teardown(void **state);

/* Makes a file of this mode and content in a folder. */
void folder_write(os_handle folder, const char *name, uint32_t mode, const char *content);
/* The object of that name, without a handle. */
struct os_object folder_object(os_handle folder, const char *name);

/* Runs `act(argument)` as an ordinary user: in a child process as 65534 if this one is privileged.
 * Returns what it returns. */
bool folder_as_nobody(bool (*act)(void *argument), void *argument);

#endif
