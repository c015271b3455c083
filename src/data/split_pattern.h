#ifndef DATA_SPLIT_PATTERN_H
#define DATA_SPLIT_PATTERN_H

/* PCRE2 takes U+180E (no space since Unicode 6.3) for one in \s. The pattern with each \s, and each
 * \S outside a character class, spelled out as Unicode's White_Space, which other engines mean; the
 * caller frees it. NULL without memory. */
char *split_pattern_spell_spaces(const char *pattern);

/* What in the pattern Oniguruma, which reads it in the Python package, takes for something else
 * than PCRE2 does, and that no known tokenizer needs; NULL when there is nothing. */
const char *split_pattern_ambiguity(const char *pattern);

#endif
