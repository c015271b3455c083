#ifndef TOKENIZER_SPLIT_PATTERN_H
#define TOKENIZER_SPLIT_PATTERN_H

/* Returns the pattern with each \s, and each \S outside a character class, spelled out as Unicode's
 * White_Space, which other engines mean: PCRE2's \s also matches U+180E, no space since
 * Unicode 6.3. The caller frees it. NULL when memory is short. */
char *split_pattern_spell_spaces(const char *pattern);

/* Returns a part of the pattern that PCRE2 and Oniguruma, which the Python package uses, read
 * differently; NULL when there is none. No known tokenizer needs such a part. */
const char *split_pattern_ambiguity(const char *pattern);

#endif
