#ifndef TESTS_ASSERTIONS_H
#define TESTS_ASSERTIONS_H

#include <check.h>
#include <stdbool.h>
#include <string.h>

#include "base/error.h"

/* The address sanitizer takes signals and address space for itself. */
#ifdef __SANITIZE_ADDRESS__
#define HAS_ADDRESS_SANITIZER true
#else
#define HAS_ADDRESS_SANITIZER false
#endif

/* Assertions for what can fail, besides Check's own; those show the values and the error's message,
 * at the line of the test. */

/* The call, which fills *error, succeeds. */
#define assert_ok(call, error)                                                                   \
    do {                                                                                         \
        mneme_status found_ = (call);                                                            \
        ck_assert_msg(found_ == MNEME_OK, "%s is %d: %s", #call, (int)found_, (error)->message); \
    } while (0)

/* The call fails with `expected` and one line that has both words in it. */
#define assert_refused(call, error, expected, place, cause)                                \
    do {                                                                                   \
        mneme_status found_ = (call);                                                      \
        const char *message_ = (error)->message;                                           \
        ck_assert_msg(found_ == (expected), "%s is %d, not %d: %s", #call, (int)found_,    \
                      (int)(expected), found_ == MNEME_OK ? "" : message_);                \
        ck_assert_int_eq((int)(error)->status, (int)(expected));                           \
        ck_assert_msg(strstr(message_, place) != NULL, "no '%s' in: %s", place, message_); \
        ck_assert_msg(strstr(message_, cause) != NULL, "no '%s' in: %s", cause, message_); \
        ck_assert_msg(strchr(message_, '\n') == NULL, "more than one line: %s", message_); \
    } while (0)

#endif
