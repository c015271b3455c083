#ifndef EXAM_SUBJECT_H
#define EXAM_SUBJECT_H

#include "generate/language_model.h"
#include "generate/model_texts.h"
#include "tokenizer/chat_style.h"

/* A model that is examined, and how texts are put to it. */
struct subject {
    const struct model *model;
    struct tokenizer *tokenizer;
    struct text_ends ends;          /* where its texts start and end */
    const struct chat_style *style; /* of chats; NULL: none is known */
    bool special_tokens;            /* what looks like a special token in a text is that token */
    struct token_list before;       /* the tokens before a prompt: those that the tokenizer adds */
    int32_t prefix;                 /* the token before a text that has none; TOKEN_NONE */
};

/* `folder` is the language model's. MNEME_BAD_INPUT for one without a tokenizer. */
mneme_status subject_open(struct subject *subject, const struct language_model *language,
                          const char *folder, mneme_error *error);
/* The same of a model whose texts are known. The three are borrowed. */
mneme_status subject_open_parts(struct subject *subject, const struct model *model,
                                struct tokenizer *tokenizer, const struct model_texts *texts,
                                mneme_error *error);
/* Does nothing to {0}. */
void subject_close(struct subject *subject);

/* Appends the ids of a text as it stands. It may be a chat, with turns as bytes (text/form.h), for
 * which there must be a style. */
mneme_status subject_encode(const struct subject *subject, const char *text, struct token_list *ids,
                            mneme_error *error);

#endif
