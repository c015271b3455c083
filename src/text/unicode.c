#include "text/unicode.h"

#include <stdlib.h>

#include "text/unicode_tables.h"
#include "text/utf8.h"

#define CAPITAL_DOTTED_I 0x130u
#define DOT_ABOVE 0x307u
#define CAPITAL_SIGMA 0x3a3u
#define FINAL_SIGMA 0x3c2u
#define SIGMA 0x3c3u

#define IS_IN(character, table) is_in(character, table, sizeof(table) / sizeof *(table))

static bool is_in(uint32_t character, const struct unicode_range *table, size_t n) {
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (character > table[middle].last) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < n && character >= table[low].first;
}

bool unicode_is_space(uint32_t character) {
    return IS_IN(character, unicode_spaces);
}

bool unicode_is_word(uint32_t character) {
    return character == '_' || IS_IN(character, unicode_letters);
}

static uint32_t lower(uint32_t character) {
    const struct unicode_lower_range *table = unicode_lowers;
    size_t n = sizeof unicode_lowers / sizeof *unicode_lowers, low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (character > table[middle].last) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == n || character < table[low].first) return character;
    if ((character - table[low].first) % (uint32_t)table[low].step != 0) return character;
    return (uint32_t)((int32_t)character + table[low].shift);
}

/* A capital sigma is a final one when a cased letter stands before it and none after, what is
 * Case_Ignorable passed over. */
static bool is_final_sigma(const uint32_t *text, size_t n, size_t at) {
    size_t before = at, after = at + 1;
    while (before > 0 && IS_IN(text[before - 1], unicode_ignorable)) before--;
    if (before == 0 || !IS_IN(text[before - 1], unicode_cased)) return false;
    while (after < n && IS_IN(text[after], unicode_ignorable)) after++;
    return after == n || !IS_IN(text[after], unicode_cased);
}

/* The characters of a text; room for twice as many. */
static uint32_t *decode(const char *text, size_t length, size_t *n) {
    uint32_t *characters = calloc(length + 1, 2 * sizeof *characters);
    *n = 0;
    for (size_t at = 0; characters != NULL && at < length; ++*n) {
        at += utf8_decode_any(text + at, length - at, &characters[*n]);
    }
    return characters;
}

uint32_t *unicode_lower(const char *text, size_t length, size_t *n) {
    size_t n_from;
    uint32_t *to = decode(text, length, &n_from);
    *n = 0;
    if (to == NULL) return NULL;
    /* Sigmas are looked at between characters as they were, which move to the upper half. No
     * character becomes more than it has bytes, so that it stays there. */
    uint32_t *from = to + length + 1;
    for (size_t i = 0; i < n_from; i++) from[i] = to[i];
    for (size_t i = 0; i < n_from; i++) {
        if (from[i] == CAPITAL_DOTTED_I) {
            to[(*n)++] = 'i';
            to[(*n)++] = DOT_ABOVE;
        } else if (from[i] == CAPITAL_SIGMA) {
            to[(*n)++] = is_final_sigma(from, n_from, i) ? FINAL_SIGMA : SIGMA;
        } else {
            to[(*n)++] = lower(from[i]);
        }
    }
    return to;
}

/* unicode_encode; *length becomes its length. */
static char *encode(const uint32_t *characters, size_t n, size_t *length) {
    char *text = malloc(4 * n + 1);
    *length = 0;
    if (text == NULL) return NULL;
    for (size_t i = 0; i < n; i++) *length += utf8_encode(characters[i], text + *length);
    text[*length] = '\0';
    return text;
}

char *unicode_encode(const uint32_t *characters, size_t n) {
    size_t length;
    return encode(characters, n, &length);
}

char *unicode_repair_bytes(const char *text, size_t length, size_t *repaired_length) {
    size_t n;
    uint32_t *characters = decode(text, length, &n);
    if (characters == NULL) return NULL;
    char *repaired = encode(characters, n, repaired_length);
    free(characters);
    return repaired;
}

char *unicode_repair(const char *text, size_t length) {
    size_t repaired;
    return unicode_repair_bytes(text, length, &repaired);
}

/* Length of the white space that text begins with. */
static size_t space_length(const char *text, size_t length) {
    size_t at = 0, step;
    uint32_t character;
    while ((step = utf8_decode(text + at, length - at, &character)) > 0 &&
           unicode_is_space(character)) {
        at += step;
    }
    return at;
}

void unicode_trim(const char **text, size_t *length) {
    size_t leading = space_length(*text, *length);
    *text += leading;
    *length -= leading;
    for (size_t step = 1; step <= 3 && step <= *length; step++) {
        uint32_t character;
        const char *last = *text + *length - step;
        if (utf8_decode(last, step, &character) != step || !unicode_is_space(character)) continue;
        *length -= step;
        step = 0;
    }
}
