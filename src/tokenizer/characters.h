#ifndef TOKENIZER_CHARACTERS_H
#define TOKENIZER_CHARACTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Kinds of characters as the package `tokenizers` has them. */

/* Unicode's White_Space. */
bool character_is_space(uint32_t character);
/* What \w is in its regular expressions: letters, marks, digits, connectors and joiners. */
bool character_is_word(uint32_t character);

/* The bytes of white space that the text begins with. */
size_t leading_spaces(const char *text, size_t length);
/* The length of the text without the white space at its end. */
size_t length_without_trailing_spaces(const char *text, size_t length);

/* Where the text's last character begins, and which it is; *character is 0 where the last bytes are
 * none. Needs length > 0. */
size_t last_character(const char *text, size_t length, uint32_t *character);

#endif
