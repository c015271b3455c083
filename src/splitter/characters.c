#include "splitter/characters.h"

#include <utf8proc.h>

#include "splitter/package_tables.h"
#include "text/utf8.h"

bool character_is_space(uint32_t c) {
    return (c >= 0x09 && c <= 0x0d) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
           c == 0x205f || c == 0x3000;
}

/* Which of n members of `size` bytes, in order, that begin with the first and last character of a
 * range, has the character; NULL for none. */
static const void *find_range(uint32_t character, const void *ranges, size_t n, size_t size) {
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct character_range *range = (const void *)((const char *)ranges + middle * size);
        if (character >= range->first && character <= range->last) return range;
        if (character > range->last) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

#define FIND(character, table) \
    find_range(character, table, sizeof(table) / sizeof *(table), sizeof *(table))

bool character_is_punctuation(uint32_t character) {
    return FIND(character, package_punctuation) != NULL;
}

bool character_is_mark(uint32_t character) {
    return FIND(character, package_marks) != NULL;
}

bool character_is_unknown_to_forms(uint32_t character) {
    return FIND(character, unknown_to_forms) != NULL;
}

uint32_t character_lower(uint32_t character) {
    const struct character_pair *pair = FIND(character, young_lowers);
    return pair != NULL ? pair->to : (uint32_t)utf8proc_tolower((utf8proc_int32_t)character);
}

uint32_t character_stand_in(uint32_t character) {
    const struct character_stand_in *young = FIND(character, young_characters);
    return young == NULL ? character : young->other;
}

/* Symbols that are Alphabetic: circled and squared letters. */
static bool is_letter_symbol(uint32_t c) {
    return (c >= 0x24b6 && c <= 0x24e9) || (c >= 0x1f130 && c <= 0x1f149) ||
           (c >= 0x1f150 && c <= 0x1f169) || (c >= 0x1f170 && c <= 0x1f189);
}

bool character_is_word(uint32_t character) {
    switch (utf8proc_category((utf8proc_int32_t)character_stand_in(character))) {
        case UTF8PROC_CATEGORY_LU:
        case UTF8PROC_CATEGORY_LL:
        case UTF8PROC_CATEGORY_LT:
        case UTF8PROC_CATEGORY_LM:
        case UTF8PROC_CATEGORY_LO:
        case UTF8PROC_CATEGORY_MN:
        case UTF8PROC_CATEGORY_MC:
        case UTF8PROC_CATEGORY_ME:
        case UTF8PROC_CATEGORY_ND:
        case UTF8PROC_CATEGORY_NL:
        case UTF8PROC_CATEGORY_PC:
            return true;
        default:
            return character == 0x200c || character == 0x200d || is_letter_symbol(character);
    }
}

size_t leading_spaces(const char *text, size_t length) {
    size_t n = 0, width;
    uint32_t character;
    while ((width = utf8_decode(text + n, length - n, &character)) > 0 &&
           character_is_space(character)) {
        n += width;
    }
    return n;
}

size_t last_character(const char *text, size_t length, uint32_t *character) {
    size_t start = length - 1;
    while (start > 0 && length - start < 4 && ((unsigned char)text[start] & 0xc0) == 0x80) start--;
    if (utf8_decode(text + start, length - start, character) == length - start) return start;
    *character = 0;
    return length - 1;
}

size_t length_without_trailing_spaces(const char *text, size_t length) {
    while (length > 0) {
        uint32_t character;
        size_t start = last_character(text, length, &character);
        if (!character_is_space(character)) break;
        length = start;
    }
    return length;
}
