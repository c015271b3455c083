#ifndef SPLITTER_SPLIT_PATTERN_H
#define SPLITTER_SPLIT_PATTERN_H

/* A regular expression is meant as Oniguruma means it, which the Python package uses. */

/* Alphabetic, Mark, Decimal_Number and Connector_Punctuation, to stand in a class; the ranges are
 * the symbols that are Alphabetic. */
#define SPLIT_PATTERN_LETTERS                                         \
    "\\p{L}\\p{M}\\p{Nl}\\p{Nd}\\p{Pc}\\x{24b6}-\\x{24e9}\\x{1f130}-" \
    "\\x{1f149}\\x{1f150}-\\x{1f169}\\x{1f170}-\\x{1f189}"

/* Returns the pattern with what PCRE2 would read differently spelled out: \s and \S as Unicode's
 * White_Space (PCRE2's has U+180E, no space since Unicode 6.3), \w and \W with marks and all
 * letters, \h and \H as hexadecimal digits, and outside of classes \b and \B, and ^ and $, which
 * stand at the ends of lines. The caller frees it. NULL when memory is short. */
char *split_pattern_spell(const char *pattern);

/* Returns a part of the pattern that the two engines read differently and that is not spelled out;
 * NULL when there is none. No known tokenizer needs such a part. */
const char *split_pattern_ambiguity(const char *pattern);

#endif
