#include "tokenizer/split_pattern.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SPACES "\\p{Z}\\t-\\r\\x85"

/* What an escape sequence becomes; NULL: it stays. */
static const char *spell(char escaped, bool in_class) {
    if (escaped == 's') return in_class ? SPACES : "[" SPACES "]";
    if (escaped == 'S' && !in_class) return "[^" SPACES "]";
    return NULL;
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

char *split_pattern_spell_spaces(const char *pattern) {
    char *spelled = malloc(strlen(pattern) * sizeof "[^" SPACES "]" + 1);
    if (spelled == NULL) return NULL;
    char *end = spelled;
    bool in_class = false;
    while (*pattern != '\0') {
        if (pattern[0] == '\\' && pattern[1] != '\0') {
            const char *other = spell(pattern[1], in_class);
            end = other == NULL ? mempcpy(end, pattern, 2) : stpcpy(end, other);
            pattern += 2;
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
    if (at[0] == '^' || at[0] == '$') return "^ or $";
    if (at[0] == '}' && at[1] == '+') return "{}+";
    if (at[0] != '(' || at[1] != '?') return NULL;
    size_t flags = 2 + strspn(at + 2, "ixsmnJUa-");
    bool has_m = memchr(at + 2, 'm', flags - 2) != NULL;
    return has_m && (at[flags] == ':' || at[flags] == ')') ? "(?m)" : NULL;
}

const char *split_pattern_ambiguity(const char *pattern) {
    bool in_class = false;
    while (*pattern != '\0') {
        if (pattern[0] == '\\' && pattern[1] != '\0') {
            if (pattern[1] == 'h' || pattern[1] == 'H') return "\\h";
            pattern += 2;
            if (*pattern == '{') pattern += strcspn(pattern, "}") + (strchr(pattern, '}') != NULL);
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
