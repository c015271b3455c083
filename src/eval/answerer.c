#include "eval/answerer.h"

#include <stdlib.h>

mneme_status answerer_open(struct answerer *answerer, const struct model *model,
                           const struct answerer_settings *settings, mneme_error *error) {
    const size_t n = settings->n_rows;
    *answerer = (struct answerer){.settings = *settings};
    answerer->outputs = calloc(n * settings->max_new + 1, sizeof *answerer->outputs);
    answerer->lengths = calloc(n + 1, sizeof *answerer->lengths);
    answerer->prompts = calloc(n + 1, sizeof *answerer->prompts);
    if (answerer->outputs == NULL || answerer->lengths == NULL || answerer->prompts == NULL) {
        return error_set_memory(error, "the questions");
    }
    return generator_open(&answerer->generator, model, n, settings->longest + settings->max_new,
                          error);
}

void answerer_close(struct answerer *answerer) {
    generator_close(&answerer->generator);
    free(answerer->outputs);
    free(answerer->lengths);
    free(answerer->prompts);
    *answerer = (struct answerer){0};
}

/* Hands on row i of a group as text. */
static mneme_status hand_on(struct answerer *a, size_t first, size_t i, answer_taker *take,
                            void *user, mneme_error *error) {
    char *said;
    size_t length;
    TRY(tokenizer_decode(a->settings.tokenizer, a->outputs + i * a->settings.max_new, a->lengths[i],
                         &said, &length, error));
    mneme_status status = take(user, first + i, said, length, error);
    free(said);
    return status;
}

mneme_status answerer_ask(struct answerer *a, const struct token_texts *prompts, size_t first,
                          size_t n, answer_taker *take, void *user, mneme_error *error) {
    for (size_t i = 0; i < n; i++) {
        const int32_t *tokens = prompts->tokens.ids + prompts->starts[first + i];
        a->prompts[i] = (struct token_span){tokens, prompts->lengths[first + i]};
    }
    TRY(generate_greedy(&a->generator, n, a->prompts, a->settings.max_new, a->settings.stops,
                        a->outputs, a->lengths, error));
    for (size_t i = 0; i < n; i++) TRY(hand_on(a, first, i, take, user, error));
    return MNEME_OK;
}
