#include "cli/jobs.h"

#include "os/os.h"

enum { JOBS_MOST = 256 };

int jobs_choose(const struct option_number *given, size_t *out, struct error *err)
{
    if (given->is_set && (given->value < 1 || given->value > JOBS_MOST))
        return error_set(err, ERROR_USAGE, NULL, "--jobs is 1 to %d", JOBS_MOST);
    *out = given->is_set ? (size_t)given->value : os_core_count();
    if (*out > JOBS_MOST)
        *out = JOBS_MOST;
    return 0;
}
