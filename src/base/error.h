#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <mneme/error.h>

/* Writes status and the formatted message into *error (which may be NULL) and returns status,
 * so that `return error_set(error, MNEME_BAD_INPUT, "%s: cut short", path);` is one line.
 * Newlines and control characters in the message become spaces. */
mneme_status error_set(mneme_error *error, mneme_status status, const char *format, ...)
    MNEME_PRINTF(3, 4);

/* Adds one complaint "PLACE: cause" to those in *all, which is {0} before the first: they become
 * "PLACE: cause; cause; …". One that has no room is told as "…". */
void error_join(mneme_error *all, const mneme_error *one, const char *place);

/* error_set(MNEME_FAILED) with "PATH: ACTION: " and the text of the current errno. */
mneme_status error_set_errno(mneme_error *error, const char *path, const char *action);

/* The idiom for calls that can fail, everywhere in src/.
 *
 * A function that has nothing to free returns at once:
 *
 *     TRY(file_read(path, MAX_BYTES, &bytes, &length, error));
 *
 * A function that has something to free keeps a `status`, continues while that is MNEME_OK, and
 * frees everything at its end, whether it failed or not (a close function accepts what is {0} or
 * half open):
 *
 *     mneme_status status = text_order_open(&order, …, error);
 *     THEN(batch_builder_open(&builder, …, error));
 *     THEN(count(&order, &builder, error));
 *     batch_builder_close(&builder);
 *     text_order_close(&order);
 *     return status;
 */
#define TRY(call)                          \
    do {                                   \
        mneme_status try_ = (call);        \
        if (try_ != MNEME_OK) return try_; \
    } while (0)
#define THEN(call)                               \
    do {                                         \
        if (status == MNEME_OK) status = (call); \
    } while (0)

/* Out of memory while making `what`; always MNEME_FAILED. */
mneme_status error_set_memory(mneme_error *error, const char *what);

#ifdef __clang_analyzer__
/* The analyzer sees only the functions of the file it reads, and would take these calls for
 * successes. */
#define error_set(error, status, ...) ((void)error_set(error, status, __VA_ARGS__), (status))
#define error_set_errno(error, path, action) \
    ((void)error_set_errno(error, path, action), MNEME_FAILED)
#define error_set_memory(error, what) ((void)error_set_memory(error, what), MNEME_FAILED)
#endif

#endif
