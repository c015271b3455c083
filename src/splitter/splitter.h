#ifndef SPLITTER_SPLITTER_H
#define SPLITTER_SPLITTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/error.h"
#include "splitter/added_tokens.h"
#include "splitter/split_rule.h"

/* Cuts text into the pieces that byte pair encoding works in. No token crosses a cut. */
struct splitter;

/* An added token, and when it is looked for. */
struct split_added {
    struct added_token token; /* its text is not empty */
    bool late;                /* looked for in the text as it was normalised */
};

/* Whose words a text is: in data, what looks like a special token is text like any other. */
enum split_source { SPLIT_PROMPT, SPLIT_DATA };

#define SPLITTER_MAX_RULES 32

/* Each rule works on the pieces that the one before it made. */
struct split_plan {
    struct split_rule rules[SPLITTER_MAX_RULES];
    size_t n_rules;
    const struct split_added *added; /* [n_added] of different texts */
    size_t n_added;
    const json_t *normalizer; /* of a tokenizer.json (normalizer.h), or NULL */
};

/* Copies what it needs of the plan. Refuses a pattern that matches the empty string, or that
 * Oniguruma, which other programs use, would read differently. `place` names the plan's source
 * in messages. */
mneme_status splitter_open(const struct split_plan *plan, const char *place,
                           struct splitter **splitter, mneme_error *error);
void splitter_close(struct splitter *splitter);

/* *normal becomes what the text of a late token is looked for as; the caller frees it. */
mneme_status splitter_normalize(const struct splitter *splitter, const char *text, char **normal,
                                size_t *length, mneme_error *error);

/* What one thread needs to split; all zero before its first use, with one splitter only. */
struct split_scratch {
    void *matches[SPLITTER_MAX_RULES]; /* PCRE2's */
    char *texts[SPLITTER_MAX_RULES];   /* what a rule made of a piece */
    size_t capacities[SPLITTER_MAX_RULES];
};
void split_scratch_free(struct split_scratch *scratch);

#define SPLITTER_NOT_ADDED (-1)

/* Called for each piece in turn; `added` is the id of an added token, or SPLITTER_NOT_ADDED.
 * Any status but MNEME_OK ends the split. */
typedef mneme_status splitter_visit(void *context, const char *piece, size_t length, int32_t added,
                                    mneme_error *error);

/* Visits the pieces of text in order. First the added tokens are cut out (added_tokens.h); what
 * remains is normalised, and the late ones are cut out of that; then each run of bytes that is not
 * well-formed UTF-8 becomes one piece; on what remains the rules work. Fails only when visit does,
 * when memory is short, or for a pattern that exceeds PCRE2's limits. Two threads may share a
 * splitter, not a scratch. */
mneme_status splitter_run(const struct splitter *splitter, struct split_scratch *scratch,
                          enum split_source source, const char *text, size_t length,
                          splitter_visit *visit, void *context, mneme_error *error);

#endif
