#ifndef MNEME_ERROR_H
#define MNEME_ERROR_H

/* What a failed call reports. A function that can fail returns a status; if it is not MNEME_OK, the
 * function has written one line into the mneme_error it was given. */

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define MNEME_API __attribute__((visibility("default")))
#define MNEME_PRINTF(format_index, first_argument) \
    __attribute__((format(printf, format_index, first_argument)))
#else
#define MNEME_API
#define MNEME_PRINTF(format_index, first_argument)
#endif

/* The numbers are the exit statuses of the command line. */
typedef enum mneme_status {
    MNEME_OK = 0,
    MNEME_FAILED = 1,    /* the machine could not: disk full, out of memory, NaN in training */
    MNEME_BAD_INPUT = 2, /* the caller's file, recipe or argument is wrong */
} mneme_status;

/* message: one line without a newline, "file:line: what is wrong" or "file: what is wrong". */
typedef struct mneme_error {
    mneme_status status;
    char message[1024];
} mneme_error;

#ifdef __cplusplus
}
#endif

#endif
