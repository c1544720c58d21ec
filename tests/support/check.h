/*
 * check.h: cmocka with what it wants included before it, and checks of this project's own values.
 */
#ifndef SUPPORT_CHECK_H
#define SUPPORT_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/error.h"

/* The call succeeds (is not negative); its result. Wants a `struct error err` in sight, whose
 * reason is printed otherwise. */
#define check_done(call) check_done_at((call), &err, #call, __FILE__, __LINE__)
int check_done_at(int result, struct error *err, const char *call, const char *file, int line);

/* The call fails with this kind of error. */
#define check_kind(call, kind) check_failed_at((call), &err, (kind), 0, __FILE__, __LINE__)
/* The call fails with this system code. */
#define check_code(call, code) check_failed_at((call), &err, ERROR_NONE, (code), __FILE__, __LINE__)
void check_failed_at(int result, struct error *err, enum error_kind kind, int code,
                     const char *file, int line);

/* Bytes equal a C string. */
#define check_text(bytes, text) check_text_at((bytes), (text), __FILE__, __LINE__)
void check_text_at(struct bytes got, const char *wanted, const char *file, int line);

/* Skips the running test and says why. */
#define check_skip(why)                                                                            \
    do {                                                                                           \
        print_message("SKIP %s: %s\n", __func__, (why));                                           \
        skip();                                                                                    \
    } while (0)

#endif
