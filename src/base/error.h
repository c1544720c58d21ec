/*
 * error.h: an error as a value.
 *
 * A function that can fail takes a `struct error *` last and returns -1 (iterators: 1, 0, -1). The
 * lowest layer that knows them fills in kind, operation, system code and path; the layers above
 * pass the value on. Nobody below cli/ prints. Who does not need the reason passes NULL.
 */
#ifndef HOLDFAST_BASE_ERROR_H
#define HOLDFAST_BASE_ERROR_H

#include <stddef.h>

#if defined(__GNUC__)
#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))
#else
#define MUST_CHECK
#define PRINTF_LIKE(text, first)
#endif

enum error_kind {
    ERROR_NONE = 0,
    ERROR_OS,          /* a system call said no: os_code holds why */
    ERROR_MEMORY,      /* no memory */
    ERROR_FORMAT,      /* bytes that break the format they claim to be */
    ERROR_LIMIT,       /* valid, but over a bound of ours or of the destination */
    ERROR_UNSUPPORTED, /* the destination or this build cannot do it */
    ERROR_REFUSED,     /* not done because it would be unsafe or was not asked for */
    ERROR_CHANGED,     /* something changed under our hands */
    ERROR_USAGE,       /* the request itself is wrong */
    ERROR_INTERRUPTED, /* the user asked to stop */
};

/* One error. Start from `struct error err = {0}`; release it when it was set. */
struct error {
    enum error_kind kind;
    int os_code;           /* errno (POSIX) or GetLastError (Windows); 0 if none */
    const char *operation; /* static text: "open", "read link", ... ; may be NULL */
    char *path; /* owned; NUL-terminated bytes for printing through the masking printer; may be NULL
                 */
    size_t path_bytes;
    char detail[200]; /* NUL-terminated text for people, or "" */
};

/* Frees what `err` owns and zeroes it. NULL is accepted. */
void error_release(struct error *err);

/* Moves `from` into `to` (whose content is released first); `from` is zeroed. */
void error_move(struct error *to, struct error *from);

/* Sets a system error and returns -1. `operation` must be static text. */
int error_os(struct error *err, const char *operation, int os_code);

/* Sets an error with a formatted detail and returns -1. */
int error_set(struct error *err, enum error_kind kind, const char *operation, const char *format,
              ...) PRINTF_LIKE(4, 5);

/* Sets ERROR_MEMORY and returns -1. */
int error_memory(struct error *err);

/* Names the path of an error that has none yet (a copy is kept) and returns -1. A path that is set
 * already stays. */
int error_at(struct error *err, const char *path, size_t path_bytes);

/* The reason as text for people: the detail, the system's words for os_code (strerror), or both.
 * `text` holds it when it must be composed. Returns `text` or a static string; never NULL. */
const char *error_reason(const struct error *err, char *text, size_t text_bytes);

#endif
