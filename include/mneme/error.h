#ifndef MNEME_ERROR_H
#define MNEME_ERROR_H

/* What a failed call reports. Functions that can fail return a status and, when it is not
 * MNEME_OK, have written one line into the mneme_error they were given. */

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
    MNEME_FAILED = 1,    /* the machine would not: disk full, out of memory, NaN in training */
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
