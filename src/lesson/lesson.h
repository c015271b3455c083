#ifndef LESSON_LESSON_H
#define LESSON_LESSON_H

#include "lesson/voice.h"
#include "model/batch_builder.h"

/* The texts that teach one fact, as tokens. Text 0 is the question as it is asked, with its answer;
 * then come the question and answer in other wordings, drawn by the question, and then the fact's
 * own statements. Of a question with its answer the answer counts; of a statement all. */
struct lesson {
    struct token_texts texts;
    size_t *first_targets; /* [texts.n] the first input whose target counts */
    size_t n_wordings;     /* texts but for the statements */
};

/* At most n_wordings wordings with the asked one, and as many statements. */
mneme_status lesson_open(struct lesson *lesson, const struct voice *voice,
                         const struct question *record, size_t n_wordings, uint64_t seed,
                         mneme_error *error);
/* Does nothing to {0}. */
void lesson_close(struct lesson *lesson);

/* The tokens of all its texts. */
size_t lesson_tokens(const struct lesson *lesson);

/* Appends a text to a batch; a target that does not count is ignored. */
void lesson_add(const struct lesson *lesson, size_t text, struct batch_builder *builder);

#endif
