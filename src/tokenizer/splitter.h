#ifndef TOKENIZER_SPLITTER_H
#define TOKENIZER_SPLITTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/error.h"

/* Cuts text into the pieces that byte pair encoding works in. No token crosses a cut. */
struct splitter;

/* What becomes a piece: the matches of the pattern and what lies between them, or one of both. */
enum split_kept { SPLIT_ALL, SPLIT_MATCHES, SPLIT_GAPS };

struct split_rule {
    const char *pattern;
    bool literal; /* a string to look for; otherwise a PCRE2 regular expression, with UTF and UCP */
    enum split_kept kept;
};

/* A text that is a piece of its own wherever it stands. */
struct split_special {
    const char *text;
    int32_t id;   /* at least 0 */
    bool late;    /* looked for after the others, in the rest of the text */
    bool is_text; /* an added word, which is a piece in data too */
};

/* Whose words a text is: in data, what looks like a special text is text like any other. */
enum split_source { SPLIT_PROMPT, SPLIT_DATA };

#define SPLITTER_MAX_RULES 8

/* Each rule cuts the pieces that the one before it made. */
struct split_plan {
    struct split_rule rules[SPLITTER_MAX_RULES];
    size_t n_rules;
    const struct split_special *specials; /* [n_specials] of different texts */
    size_t n_specials;
    const json_t *normalizer; /* of a tokenizer.json (normalizer.h), or NULL */
};

/* Copies what it needs of the plan. Refuses a pattern that matches the empty string, or that
 * Oniguruma, which other programs use, would read differently. `place` names the plan's source
 * in messages. */
mneme_status splitter_open(const struct split_plan *plan, const char *place,
                           struct splitter **splitter, mneme_error *error);
void splitter_close(struct splitter *splitter);

#define SPLITTER_NOT_SPECIAL (-1)

/* Called for each piece in turn; `special` is the id of a special text, or SPLITTER_NOT_SPECIAL.
 * Any status but MNEME_OK ends the split. */
typedef mneme_status splitter_visit(void *context, const char *piece, size_t length,
                                    int32_t special, mneme_error *error);

/* Visits the pieces of text in order. First the special texts that count in such a source are cut
 * out, the leftmost and of equals the longest first; what remains is normalised, and the late ones
 * are cut out of that; then each run of bytes that is not well-formed UTF-8 becomes one piece; what
 * remains is cut by the rules. Together the pieces are the text as it was normalised, unless a rule
 * drops something. Fails only when visit does, or for a pattern that exceeds PCRE2's
 * limits. Two threads must not share a splitter. */
mneme_status splitter_run(struct splitter *splitter, enum split_source source, const char *text,
                          size_t length, splitter_visit *visit, void *context, mneme_error *error);

#endif
