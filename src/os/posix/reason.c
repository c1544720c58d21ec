/*
 * reason.c: what error numbers mean to the engines above.
 */
#include <errno.h>

#include "os/os.h"

bool os_error_is_missing(const struct error *err)
{
    return err->os_code == ENOENT;
}

bool os_error_is_exists(const struct error *err)
{
    return err->os_code == EEXIST;
}

bool os_error_is_permission(const struct error *err)
{
    return err->os_code == EPERM || err->os_code == EACCES;
}

bool os_error_is_unsupported(const struct error *err)
{
    return err->kind == ERROR_UNSUPPORTED || err->os_code == EOPNOTSUPP || err->os_code == ENOSYS ||
           err->os_code == ENOTTY;
}

bool os_error_is_cross_device(const struct error *err)
{
    return err->os_code == EXDEV;
}

bool os_error_is_full(const struct error *err)
{
    return err->os_code == ENOSPC || err->os_code == EDQUOT;
}

bool os_error_is_broken(const struct error *err)
{
    switch (err->os_code) {
    case EIO:
    case EROFS:
    case ENODEV:
    case ESTALE:
    case ESHUTDOWN:
        return true;
    default:
        return false;
    }
}

bool os_error_is_too_long(const struct error *err)
{
    return err->os_code == ENAMETOOLONG;
}

bool os_error_is_link(const struct error *err)
{
    return err->os_code == ELOOP || err->os_code == ENOTDIR;
}

bool os_error_is_not_empty(const struct error *err)
{
    return err->os_code == ENOTEMPTY || err->os_code == EEXIST;
}

bool os_error_is_closed_pipe(const struct error *err)
{
    return err->os_code == EPIPE;
}
