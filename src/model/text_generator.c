#include <mneme/generate.h>

#include <stdlib.h>

#include "base/float_state.h"
#include "base/path.h"
#include "data/token_texts.h"
#include "data/tokenizer.h"
#include "model/generate.h"
#include "model/model.h"
#include "simd/simd.h"

struct mneme_generator {
    struct model model;
    struct tokenizer *tokenizer;
    struct generator generator;
};

static mneme_status open_parts(const char *folder, mneme_generator *g, mneme_error *error) {
    char *path = path_join(folder, "tokenizer.json");
    if (path == NULL) return error_set_memory(error, "a path");
    mneme_status status = model_load(folder, &g->model, error);
    if (status == MNEME_OK) status = tokenizer_load(path, &g->tokenizer, error);
    if (status == MNEME_OK && tokenizer_vocab_size(g->tokenizer) > g->model.config.vocab_size) {
        status =
            error_set(error, MNEME_BAD_INPUT, "%s: %zu tokens, but the model's vocab_size is %zu",
                      path, tokenizer_vocab_size(g->tokenizer), g->model.config.vocab_size);
    }
    free(path);
    if (status != MNEME_OK) return status;
    return generator_open(&g->generator, &g->model, 1, g->model.config.max_seq_len, error);
}

mneme_status mneme_generator_open(const char *folder, mneme_generator **generator,
                                  mneme_error *error) {
    *generator = NULL;
    if (simd_problem() != NULL) return error_set(error, MNEME_BAD_INPUT, "%s", simd_problem());
    mneme_generator *g = calloc(1, sizeof *g);
    if (g == NULL) return error_set_memory(error, "the generator");
    struct float_state state = {0};
    mneme_status status = float_state_enter(&state, error);
    if (status == MNEME_OK) status = open_parts(folder, g, error);
    float_state_leave(&state);
    if (status == MNEME_OK) {
        *generator = g;
    } else {
        mneme_generator_close(g);
    }
    return status;
}

void mneme_generator_close(mneme_generator *generator) {
    if (generator == NULL) return;
    generator_close(&generator->generator);
    tokenizer_free(generator->tokenizer);
    model_close(&generator->model);
    free(generator);
}

/* Tokens that the model knows but the tokenizer does not name are left out of the text. */
static size_t keep_known(const struct tokenizer *tokenizer, int32_t *ids, size_t n) {
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if ((size_t)ids[i] < tokenizer_vocab_size(tokenizer)) ids[kept++] = ids[i];
    }
    return kept;
}

mneme_status mneme_generate(mneme_generator *generator, const char *prompt, size_t max_new_tokens,
                            char **text, size_t *n_tokens, mneme_error *error) {
    struct token_texts prompts = {0};
    size_t limit = generator->model.config.max_seq_len, n = 0;
    if (max_new_tokens > limit) max_new_tokens = limit;
    int32_t *ids = calloc(max_new_tokens + 1, sizeof *ids);
    *text = NULL;
    mneme_status status =
        ids == NULL ? error_set_memory(error, "a continuation")
                    : token_texts_add_prompt(&prompts, generator->tokenizer, prompt, error);
    if (status == MNEME_OK) {
        struct token_span span = {prompts.tokens.ids, prompts.tokens.n};
        struct float_state state = {0};
        status = float_state_enter(&state, error);
        if (status == MNEME_OK) {
            status = generate_greedy(&generator->generator, 1, &span, max_new_tokens,
                                     tokenizer_end_of_text(generator->tokenizer), ids, &n, error);
        }
        float_state_leave(&state);
    }
    if (status == MNEME_OK) {
        n = keep_known(generator->tokenizer, ids, n);
        status = tokenizer_decode(generator->tokenizer, ids, n, text, NULL, error);
    }
    if (n_tokens != NULL) *n_tokens = n;
    token_texts_free(&prompts);
    free(ids);
    return status;
}
