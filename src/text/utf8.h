#ifndef TEXT_UTF8_H
#define TEXT_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Length in bytes of the well-formed UTF-8 character (RFC 3629: no surrogates, nothing overlong,
 * at most U+10FFFF) that the `length` bytes at text begin with, or 0 when they begin with none.
 * *character (may be NULL) is its code point. */
size_t utf8_decode(const char *text, size_t length, uint32_t *character);

/* The same for any bytes: what begins no character is U+FFFD, as long as Python's
 * bytes.decode(errors="replace") takes it for one. Needs length > 0. */
size_t utf8_decode_any(const char *text, size_t length, uint32_t *character);

/* Writes the character, 1 to 4 bytes, and returns how many. Needs a valid code point. */
size_t utf8_encode(uint32_t character, char bytes[4]);

/* Length of the longest well-formed beginning of text. */
size_t utf8_valid_length(const char *text, size_t length);

#endif
