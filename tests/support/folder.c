/*
 * folder.c: see folder.h.
 */
#define _GNU_SOURCE
#include "support/folder.h"

#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/check.h"

int folder_setup(void **state)
{
    struct folder *f = calloc(1, sizeof *f);
    const char *parent = getenv("TMPDIR");

    if (!f)
        return -1;
    os_prepare_process();
    (void)snprintf(f->path, sizeof f->path, "%s/holdfast-XXXXXX", parent ? parent : "/tmp");
    if (!mkdtemp(f->path) || os_open_root(f->path, &f->handle, NULL)) {
        free(f);
        return -1;
    }
    *state = f;
    return 0;
}

static void empty(os_handle folder)
{
    struct os_listing listing = {0};

    if (os_list(folder, &listing, NULL))
        print_message("cannot list a temporary folder\n");
    for (size_t i = 0; i < listing.count; i++) {
        const char *name = os_listing_name(&listing, i);
        struct os_object object = folder_object(folder, name);
        uint8_t kind = listing.items[i].kind_hint;
        os_handle below;

        if ((kind == OS_FILE || kind == OS_DIRECTORY) && os_set_flags(&object, 0, NULL))
            print_message("cannot clear the flags of %s\n", name);
        if (kind == OS_DIRECTORY && !os_open_dir(folder, name, &below, NULL)) {
            empty(below);
            os_close(below);
        }
        if (os_remove(folder, name, NULL) && os_remove_dir(folder, name, NULL))
            print_message("cannot remove %s\n", name);
    }
    os_listing_release(&listing);
}

int folder_teardown(void **state)
{
    struct folder *f = *state;
    int result;

    empty(f->handle);
    os_close(f->handle);
    result = rmdir(f->path);
    free(f);
    return result;
}

void folder_write(os_handle folder, const char *name, uint32_t mode, const char *content)
{
    struct error err = {0};
    os_handle file;

    check_done(os_create_file(folder, name, mode, &file, &err));
    check_done(os_write(file, content, strlen(content), &err));
    check_done(os_close_checked(file, &err));
}

struct os_object folder_object(os_handle folder, const char *name)
{
    return (struct os_object){OS_NO_HANDLE, folder, name};
}

bool folder_as_nobody(bool (*act)(void *argument), void *argument)
{
    int status;
    pid_t child;

    if (!os_is_privileged())
        return act(argument);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        bool dropped = !setgroups(0, NULL) && !setresgid(65534, 65534, 65534) &&
                       !setresuid(65534, 65534, 65534);
        /* An assertion must not fail in here: it would jump into a copy of the test runner. */
        _exit(dropped && act(argument) ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
