#include "splitter/split_pattern.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MAX_BYTES 65536

#define SPACES "\\p{Z}\\t-\\r\\x85"
/* Outside of classes, superscripts and fractions of Latin-1 belong to words too. */
#define WORD SPLIT_PATTERN_LETTERS "\\xb2\\xb3\\xb9\\xbc-\\xbe"
#define HEXADECIMAL "0-9A-Fa-f"
#define BOUNDARY "(?:(?<=[" WORD "])(?![" WORD "])|(?<![" WORD "])(?=[" WORD "]))"
#define NO_BOUNDARY "(?:(?<=[" WORD "])(?=[" WORD "])|(?<![" WORD "])(?![" WORD "]))"
/* The longest of what stands for two bytes or one. */
#define LONGEST (sizeof NO_BOUNDARY)

/* What an escape sequence becomes in a class, and outside. */
static const struct spelling {
    char escaped;
    const char *in_class, *outside;
} spellings[] = {{'s', SPACES, "[" SPACES "]"},
                 {'S', NULL, "[^" SPACES "]"}, /* in a class it is PCRE2's */
                 {'w', SPLIT_PATTERN_LETTERS, "[" WORD "]"},
                 {'W', NULL, "[^" WORD "]"},
                 {'h', HEXADECIMAL, "[" HEXADECIMAL "]"},
                 {'H', NULL, "[^" HEXADECIMAL "]"},
                 {'b', NULL, BOUNDARY},
                 {'B', NULL, NO_BOUNDARY}};

/* What an escape sequence becomes; NULL: it stays. */
static const char *spell(char escaped, bool in_class) {
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        if (spellings[i].escaped != escaped) continue;
        return in_class ? spellings[i].in_class : spellings[i].outside;
    }
    return NULL;
}

/* What a character outside of classes becomes; NULL: it stays. A line begins where one could go on:
 * not after the line feed at the end of a text. */
static const char *spell_anchor(char character) {
    if (character == '^') return "(?:\\A|(?<=\\n)(?!\\z))";
    return character == '$' ? "(?=\\n|\\z)" : NULL;
}

/* How many bytes at `at`, which is no escape, can only be copied together: the beginning of a
 * class, where ']' stands for itself, or a POSIX class such as [:alpha:] inside one. */
static size_t unit_length(const char *at, bool in_class) {
    if (*at != '[') return 1;
    if (!in_class) {
        size_t length = at[1] == '^' ? 2 : 1;
        return length + (at[length] == ']');
    }
    const char *end = at[1] == ':' ? strstr(at, ":]") : NULL;
    return end == NULL ? 1 : (size_t)(end - at) + 2;
}

/* The bytes of an escape sequence with what stands in braces after it: \p{L}. */
static size_t escape_length(const char *at) {
    const char *end = at[2] == '{' ? strchr(at, '}') : NULL;
    return end == NULL ? 2 : (size_t)(end - at) + 1;
}

char *split_pattern_spell(const char *pattern) {
    char *spelled = malloc(strlen(pattern) * LONGEST + 1);
    if (spelled == NULL) return NULL;
    char *end = spelled;
    bool in_class = false;
    while (*pattern != '\0') {
        if (pattern[0] == '\\' && pattern[1] != '\0') {
            const char *other = spell(pattern[1], in_class);
            size_t length = escape_length(pattern);
            end = other == NULL ? mempcpy(end, pattern, length) : stpcpy(end, other);
            pattern += length;
            continue;
        }
        const char *anchor = in_class ? NULL : spell_anchor(*pattern);
        if (anchor != NULL) {
            end = stpcpy(end, anchor);
            pattern++;
            continue;
        }
        size_t length = unit_length(pattern, in_class);
        if (in_class && *pattern == ']') in_class = false;
        if (!in_class && *pattern == '[') in_class = true;
        end = mempcpy(end, pattern, length);
        pattern += length;
    }
    *end = '\0';
    return spelled;
}

/* The same at one place, which is no escape sequence. */
static const char *ambiguity_here(const char *at, bool in_class) {
    if (in_class) {
        if (at[0] == '&' && at[1] == '&') return "&& in a class";
        if (at[0] == '[' && at[1] != ':') return "a class in a class";
        return NULL;
    }
    if (at[0] == '}' && at[1] == '+') return "{}+";
    if (at[0] != '(' || at[1] != '?') return NULL;
    size_t flags = 2 + strspn(at + 2, "ixsmnJUa-");
    bool has_m = memchr(at + 2, 'm', flags - 2) != NULL;
    return has_m && (at[flags] == ':' || at[flags] == ')') ? "(?m)" : NULL;
}

const char *split_pattern_ambiguity(const char *pattern) {
    if (strlen(pattern) > MAX_BYTES) return "more than 65536 bytes";
    bool in_class = false;
    while (*pattern != '\0') {
        if (pattern[0] == '\\' && pattern[1] != '\0') {
            if (in_class && strchr("WH", pattern[1]) != NULL) return "\\W or \\H in a class";
            pattern += escape_length(pattern);
            continue;
        }
        const char *found = ambiguity_here(pattern, in_class);
        if (found != NULL) return found;
        size_t length = unit_length(pattern, in_class);
        if (in_class && *pattern == ']') in_class = false;
        if (!in_class && *pattern == '[') in_class = true;
        pattern += length;
    }
    return NULL;
}
