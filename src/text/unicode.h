#ifndef TEXT_UNICODE_H
#define TEXT_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Characters as Python's str has them, by tables (unicode_tables.h) of one version of Unicode, so
 * that results are the same whatever version a library on the machine has. */

/* str.isspace */
bool unicode_is_space(uint32_t character);
/* What \w is in Python's re: str.isalnum or an underscore. */
bool unicode_is_word(uint32_t character);

/* Bytes that are no UTF-8 count as U+FFFD, as bytes.decode(errors="replace") has it. Everything is
 * malloc'ed, NULL without memory. */

/* The characters of str.lower() of text[0..length), *n of them. */
uint32_t *unicode_lower(const char *text, size_t length, size_t *n);

/* The characters as UTF-8, with a NUL. */
char *unicode_encode(const uint32_t *characters, size_t n);
/* text[0..length) as UTF-8, with a NUL. */
char *unicode_repair(const char *text, size_t length);
/* The same; *repaired_length becomes its length, the text may have NULs in it. */
char *unicode_repair_bytes(const char *text, size_t length, size_t *repaired_length);

/* Leaves out the white space at both ends (str.strip). */
void unicode_trim(const char **text, size_t *length);

#endif
