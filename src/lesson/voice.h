#ifndef LESSON_VOICE_H
#define LESSON_VOICE_H

#include "data/asking.h"
#include "data/wordings.h"
#include "generate/language_model.h"
#include "tokenizer/token_texts.h"

/* How a model is asked and taught: the prompt, the wordings, and what it puts around a text. */
struct voice {
    struct tokenizer *tokenizer; /* borrowed */
    struct text_manner manner;
    struct asking asking;
    struct wordings wordings;
};

/* For the model in a folder, which has a tokenizer. `prompt` and `wordings` (a file) may be NULL:
 * the default ones. Texts have at most max_inputs inputs. */
mneme_status voice_open(struct voice *voice, const struct language_model *language,
                        const char *folder, const char *prompt, const char *wordings,
                        size_t max_inputs, mneme_error *error);
/* Does nothing to {0}. */
void voice_close(struct voice *voice);

#endif
