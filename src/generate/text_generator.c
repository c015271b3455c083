#include "generate/text_generator.h"

#include <stdlib.h>
#include <string.h>

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

/* A text on its way to its listener. */
struct telling {
    const struct text_listener *listener;
    const struct tokenizer *tokenizer;
    const struct token_list *prompt;
    int32_t *ids; /* room for all */
    size_t n_told;
};

/* Bytes without a character at their end of which more is to come. */
static size_t whole_characters(const char *bytes, size_t length) {
    for (size_t back = 1; back < 4 && back <= length; back++) {
        const unsigned char byte = (unsigned char)bytes[length - back];
        if (byte < 0x80) break;
        if (byte < 0xC0) continue; /* inside a character */
        const size_t wanted = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2;
        return wanted > back ? length - back : length;
    }
    return length;
}

/* Tells what the text has beyond what was told. */
static void tell(struct telling *t, const char *text) {
    const size_t length = strlen(text);
    if (length <= t->n_told) return;
    t->listener->told(text + t->n_told, t->listener->user);
    t->n_told = length;
}

/* The tokens so far. What fails here fails again when the text is whole. */
static void hear(void *listener, const int32_t *ids, size_t n) {
    struct telling *t = listener;
    char *bytes;
    size_t length;
    memcpy(t->ids, ids, n * sizeof *ids);
    n = keep_known(t->tokenizer, t->ids, n);
    if (tokenizer_decode_after(t->tokenizer, t->prompt, t->ids, n, &bytes, &length, NULL) !=
        MNEME_OK) {
        return;
    }
    char *text = unicode_repair(bytes, whole_characters(bytes, length));
    free(bytes);
    if (text != NULL) tell(t, text);
    free(text);
}

/* The continuation as ids [max_new]; `heard` has room for as many. */
static mneme_status continue_prompt(struct text_generator *text, const struct token_list *prompt,
                                    size_t max_new, const struct text_listener *listener,
                                    int32_t *ids, int32_t *heard, char **continuation,
                                    size_t *n_tokens, mneme_error *error) {
    const struct token_span span = {prompt->ids, prompt->n},
                            stops = text_ends_stops(&text->language.ends);
    struct tokenizer *tokenizer = text->language.tokenizer;
    struct telling telling = {listener, tokenizer, prompt, heard, 0};
    text->generator.heard = listener->told == NULL ? NULL : hear;
    text->generator.listener = &telling;
    mneme_status status =
        text_generator_continue_ids(text, span, max_new, stops, ids, n_tokens, error);
    text->generator.heard = NULL;
    *n_tokens = keep_known(tokenizer, ids, status == MNEME_OK ? *n_tokens : 0);
    THEN(decode(tokenizer, prompt, ids, *n_tokens, continuation, error));
    if (status == MNEME_OK && listener->told != NULL) tell(&telling, *continuation);
    return status;
}

mneme_status text_generator_continue(struct text_generator *text, const char *prompt,
                                     size_t max_new, const struct text_listener *listener,
                                     char **continuation, size_t *n_tokens, mneme_error *error) {
    struct token_list prompts = {0};
    size_t limit = text->generator.max_positions;
    if (text->language.tokenizer == NULL) {
        return error_set(error, MNEME_BAD_INPUT,
                         "the model has no tokenizer.json: only token ids can be continued");
    }
    if (max_new > limit) max_new = limit;
    int32_t *ids = calloc(2 * max_new + 1, sizeof *ids);
    if (ids == NULL) return error_set_memory(error, "a continuation");
    mneme_status status =
        text_ends_encode(&text->language.ends, text->language.tokenizer, prompt, &prompts, error);
    THEN(continue_prompt(text, &prompts, max_new, listener, ids, ids + max_new, continuation,
                         n_tokens, error));
    token_list_free(&prompts);
    free(ids);
    return status;
}
