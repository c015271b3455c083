#ifndef SPLITTER_CHARACTERS_H
#define SPLITTER_CHARACTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Kinds of characters as the package `tokenizers` has them. */

/* Unicode's White_Space. */
bool character_is_space(uint32_t character);
/* What \w is in its regular expressions: letters, marks, digits, connectors and joiners. */
bool character_is_word(uint32_t character);

/* What its Punctuation cuts, and what its StripAccents takes away. */
bool character_is_punctuation(uint32_t character);
bool character_is_mark(uint32_t character);
/* Its normal forms know neither a decomposition nor an order of it. */
bool character_is_unknown_to_forms(uint32_t character);
/* The character that its Lowercase makes of one (but of U+0130 it makes two). */
uint32_t character_lower(uint32_t character);

/* Its regular expressions know Unicode 16, PCRE2 in Debian 12 Unicode 14: a character that PCRE2
 * may not know has an older one of the same general category, and as many bytes, to be matched in
 * its place. Any other is its own. */
uint32_t character_stand_in(uint32_t character);

/* The bytes of white space that the text begins with. */
size_t leading_spaces(const char *text, size_t length);
/* The length of the text without the white space at its end. */
size_t length_without_trailing_spaces(const char *text, size_t length);

/* Where the text's last character begins, and which it is; *character is 0 where the last bytes are
 * none. Needs length > 0. */
size_t last_character(const char *text, size_t length, uint32_t *character);

#endif
