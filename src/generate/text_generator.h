#ifndef GENERATE_TEXT_GENERATOR_H
#define GENERATE_TEXT_GENERATOR_H

#include "generate/generate.h"
#include "generate/language_model.h"

/* Greedy continuation of one prompt at a time by the model in a folder. */
struct text_generator {
    struct language_model language;
    struct generator generator;
};

/* In memory that does not move while it is open. */
mneme_status text_generator_open(struct text_generator *text, const char *folder,
                                 mneme_error *error);
/* The same where text->language is open, and all else {0}. */
mneme_status text_generator_begin(struct text_generator *text, mneme_error *error);
/* Does nothing to {0}. */
void text_generator_close(struct text_generator *text);

/* Whom a text is told as it comes (mneme_generate_told of <mneme/generate.h>). */
struct text_listener {
    void (*told)(const char *piece, void *user); /* NULL: nobody */
    void *user;
};

/* mneme_generate_ids, and mneme_generate with a listener, of <mneme/generate.h>. */
mneme_status text_generator_continue_ids(struct text_generator *text, struct token_span prompt,
                                         size_t max_new, struct token_span stops, int32_t *ids,
                                         size_t *n_ids, mneme_error *error);
mneme_status text_generator_continue(struct text_generator *text, const char *prompt,
                                     size_t max_new, const struct text_listener *listener,
                                     char **continuation, size_t *n_tokens, mneme_error *error);

#endif
