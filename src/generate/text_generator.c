#include "generate/text_generator.h"

#include <stdlib.h>

#include "text/unicode.h"

mneme_status text_generator_open(struct text_generator *text, const char *folder,
                                 mneme_error *error) {
    *text = (struct text_generator){0};
    TRY(language_model_open(&text->language, folder, error));
    return text_generator_begin(text, error);
}

mneme_status text_generator_begin(struct text_generator *text, mneme_error *error) {
    const struct model *model = &text->language.model;
    mneme_status status =
        generator_open(&text->generator, model, 1, model->config.max_seq_len, error);
    if (status != MNEME_OK) text_generator_close(text);
    return status;
}

void text_generator_close(struct text_generator *text) {
    generator_close(&text->generator);
    language_model_close(&text->language);
    *text = (struct text_generator){0};
}

mneme_status text_generator_continue_ids(struct text_generator *text, struct token_span prompt,
                                         size_t max_new, struct token_span stops, int32_t *ids,
                                         size_t *n_ids, mneme_error *error) {
    const size_t vocab_size = text->language.model.config.vocab_size;
    for (size_t i = 0; i < prompt.n; i++) {
        if (prompt.tokens[i] >= 0 && (size_t)prompt.tokens[i] < vocab_size) continue;
        return error_set(error, MNEME_BAD_INPUT, "prompt: id %d: the model has ids 0 to %zu",
                         (int)prompt.tokens[i], vocab_size - 1);
    }
    return generate_greedy(&text->generator, 1, &prompt, max_new, stops, ids, n_ids, error);
}

/* Leaves out tokens that the model knows but the tokenizer has no name for. */
static size_t keep_known(const struct tokenizer *tokenizer, int32_t *ids, size_t n) {
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if ((size_t)ids[i] < tokenizer_vocab_size(tokenizer)) ids[kept++] = ids[i];
    }
    return kept;
}

/* What the ids add to the prompt, as UTF-8. */
static mneme_status decode(const struct tokenizer *tokenizer, const struct token_list *prompt,
                           const int32_t *ids, size_t n_ids, char **text, mneme_error *error) {
    char *bytes;
    size_t length;
    TRY(tokenizer_decode_after(tokenizer, prompt, ids, n_ids, &bytes, &length, error));
    *text = unicode_repair(bytes, length);
    free(bytes);
    return *text == NULL ? error_set_memory(error, "a continuation") : MNEME_OK;
}

mneme_status text_generator_continue(struct text_generator *text, const char *prompt,
                                     size_t max_new, char **continuation, size_t *n_tokens,
                                     mneme_error *error) {
    struct tokenizer *tokenizer = text->language.tokenizer;
    struct token_list prompts = {0};
    size_t limit = text->generator.max_positions;
    if (tokenizer == NULL) {
        return error_set(error, MNEME_BAD_INPUT,
                         "the model has no tokenizer.json: only token ids can be continued");
    }
    if (max_new > limit) max_new = limit;
    int32_t *ids = calloc(max_new + 1, sizeof *ids);
    if (ids == NULL) return error_set_memory(error, "a continuation");
    mneme_status status =
        text_ends_encode(&text->language.ends, tokenizer, prompt, &prompts, error);
    const struct token_span span = {prompts.ids, prompts.n};
    THEN(text_generator_continue_ids(text, span, max_new, text_ends_stops(&text->language.ends),
                                     ids, n_tokens, error));
    *n_tokens = keep_known(tokenizer, ids, status == MNEME_OK ? *n_tokens : 0);
    THEN(decode(tokenizer, &prompts, ids, *n_tokens, continuation, error));
    token_list_free(&prompts);
    free(ids);
    return status;
}
