#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include <mneme/error.h>

/* Text that grows; all zero is empty. Once memory is short nothing more is added. Decimal numbers
 * have a point in every locale. */
struct text {
    char *bytes;
    size_t length;
    size_t capacity;
    bool failed;
};

void text_add(struct text *text, const char *format, ...) MNEME_PRINTF(2, 3);

/* The bytes with a NUL, which the caller frees; NULL when memory was short. *text is empty then. */
char *text_take(struct text *text);

#endif
