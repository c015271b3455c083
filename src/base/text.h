#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include <mneme/error.h>

/* Text that grows; all zero is empty. When memory runs short it stops growing. Decimal numbers have
 * a point in every locale. */
struct text {
    char *bytes;
    size_t length;
    size_t capacity;
    bool failed;
};

void text_add(struct text *text, const char *format, ...) MNEME_PRINTF(2, 3);

/* Returns the bytes with a NUL, which the caller frees, and empties *text; NULL when memory was
 * short. */
char *text_take(struct text *text);

#endif
