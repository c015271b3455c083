#ifndef GENERATE_MODEL_TEXTS_H
#define GENERATE_MODEL_TEXTS_H

#include "generate/text_ends.h"
#include "tokenizer/token_texts.h"

/* How a model writes texts: what stands before and after them, its chats, where its texts stop. */
struct model_texts {
    const struct chat_style *style; /* NULL: no chats that are known */
    struct token_list before;       /* tokens before a text */
    int32_t end;                    /* the token after one; TOKEN_NONE */
    struct text_ends ends;
};

/* Those of the model in a folder, as others write them: before a text what the tokenizer's
 * post_processor puts there, where the folder says how texts start and end (text_ends.h). NULL: of
 * a model that is trained here, with the tokenizer's own ends and no chats. */
mneme_status model_texts_open(struct model_texts *texts, struct tokenizer *tokenizer,
                              const char *folder, mneme_error *error);
/* Does nothing to {0}. */
void model_texts_close(struct model_texts *texts);

/* The manner of texts with at most max_inputs inputs; borrows the tokens. */
struct text_manner model_texts_manner(const struct model_texts *texts, size_t max_inputs);

/* Appends the tokens that end an answer of one line: answer_ends.h, and where the model's texts
 * stop. */
mneme_status model_texts_answer_ends(const struct model_texts *texts, struct tokenizer *tokenizer,
                                     struct token_list *stops, mneme_error *error);

#endif
