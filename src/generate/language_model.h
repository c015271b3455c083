#ifndef GENERATE_LANGUAGE_MODEL_H
#define GENERATE_LANGUAGE_MODEL_H

#include "generate/text_ends.h"
#include "model/model.h"
#include "tokenizer/tokenizer.h"

/* What a model folder has: a model, the tokenizer of its texts, and where those start and end. */
struct language_model {
    struct model model;
    struct tokenizer *tokenizer; /* NULL: the folder has none */
    struct text_ends ends;
};

/* In memory that does not move while it is open: passes refer to it. */
mneme_status language_model_open(struct language_model *language, const char *folder,
                                 mneme_error *error);
/* The rest, where the model is opened already, as a patch makes it; closes all on failure. */
mneme_status language_model_open_texts(struct language_model *language, const char *folder,
                                       mneme_error *error);
/* Does nothing to {0}. */
void language_model_close(struct language_model *language);

/* Refuses a tokenizer whose texts have ids that the model has not. Added tokens may lie beyond: a
 * prompt that has one is refused. */
mneme_status language_model_check(const struct tokenizer *tokenizer, const struct model *model,
                                  mneme_error *error);

#endif
