#ifndef LESSON_COMMON_TEXTS_H
#define LESSON_COMMON_TEXTS_H

#include "data/question_set.h"
#include "lesson/voice.h"

/* Common questions with their answers as a model gets them, in groups. A group's first text
 * asks its questions one after the other, each after the ones before as examples; then come the
 * same questions alone, as they are asked and in other wordings. */
struct common_texts {
    struct token_texts texts;
    size_t n_groups;
    size_t *starts; /* [n_groups + 1] a group's first text */
};

mneme_status common_texts_open(struct common_texts *common, const struct voice *voice,
                               const struct question_set *questions, uint64_t seed,
                               mneme_error *error);
/* Does nothing to {0}. */
void common_texts_close(struct common_texts *common);

/* Tokens of the longest group. */
size_t common_texts_longest(const struct common_texts *common);

#endif
