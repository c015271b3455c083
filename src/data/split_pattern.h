#ifndef DATA_SPLIT_PATTERN_H
#define DATA_SPLIT_PATTERN_H

/* The pattern with each \s, and each \S outside a character class, spelled out as Unicode's
 * White_Space, which other engines mean by them; PCRE2's \s also matches U+180E, which is no space
 * since Unicode 6.3. The caller frees it. NULL without memory. */
char *split_pattern_spell_spaces(const char *pattern);

/* The construct in the pattern that Oniguruma, which the Python package uses, reads differently
 * from PCRE2, and that no known tokenizer needs; NULL when there is none. */
const char *split_pattern_ambiguity(const char *pattern);

#endif
