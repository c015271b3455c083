#ifndef SPLITTER_SPLIT_STAGE_H
#define SPLITTER_SPLIT_STAGE_H

#include <stddef.h>

#include "base/error.h"
#include "splitter/split_rule.h"

/* One rule at work; for the splitter only. All zero is a stage that is not open. */
struct split_stage {
    struct split_rule rule; /* `pattern` is the stage's own */
    char *pattern;
    void *code; /* PCRE2's */
};

mneme_status split_stage_open(const struct split_rule *rule, const char *place,
                              struct split_stage *stage, mneme_error *error);
void split_stage_close(struct split_stage *stage);

/* A piece; `is_start` when it begins where the whole text does. */
struct split_piece {
    const char *text;
    size_t length;
    bool is_start;
};

typedef mneme_status split_stage_visit(void *context, const struct split_piece *piece,
                                       mneme_error *error);

/* What a stage works with: its own part of the scratch. */
struct split_stage_scratch {
    void **match;
    char **text;
    size_t *capacity;
};

/* Visits the pieces that the stage makes of one; none is empty. */
mneme_status split_stage_run(const struct split_stage *stage, struct split_stage_scratch scratch,
                             const struct split_piece *piece, split_stage_visit *visit,
                             void *context, mneme_error *error);

#endif
