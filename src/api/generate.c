#include <mneme/generate.h>

#include <stdlib.h>

#include "base/file.h"
#include "base/float_state.h"
#include "base/path.h"
#include "data/token_texts.h"
#include "data/tokenizer.h"
#include "model/generate.h"
#include "model/model.h"
#include "simd/simd.h"

/* A model may take a million positions; nobody wants the room for them. */
#define MAX_POSITIONS 4096

struct mneme_generator {
    struct model model;
    struct tokenizer *tokenizer; /* NULL: ids only */
    struct generator generator;
};

static mneme_status open_parts(const char *folder, mneme_generator *g, mneme_error *error) {
    char *path = path_join(folder, "tokenizer.json");
    if (path == NULL) return error_set_memory(error, "a path");
    mneme_status status = model_load(folder, &g->model, error);
    bool named = file_exists(path);
    if (status == MNEME_OK && named) status = tokenizer_load(path, &g->tokenizer, error);
    if (status == MNEME_OK && named &&
        tokenizer_vocab_size(g->tokenizer) > g->model.config.vocab_size) {
        status =
            error_set(error, MNEME_BAD_INPUT, "%s: %zu tokens, but the model's vocab_size is %zu",
                      path, tokenizer_vocab_size(g->tokenizer), g->model.config.vocab_size);
    }
    free(path);
    if (status != MNEME_OK) return status;
    return generator_open(&g->generator, &g->model, 1, MAX_POSITIONS, error);
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

/* Refuses ids that the model has no embedding for. */
static mneme_status check_ids(const struct model *model, const int32_t *ids, size_t n,
                              mneme_error *error) {
    for (size_t i = 0; i < n; i++) {
        if (ids[i] >= 0 && (size_t)ids[i] < model->config.vocab_size) continue;
        return error_set(error, MNEME_BAD_INPUT, "prompt: id %d: the model has ids 0 to %zu",
                         (int)ids[i], model->config.vocab_size - 1);
    }
    return MNEME_OK;
}

mneme_status mneme_generate_ids(mneme_generator *generator, const int32_t *prompt, size_t n_prompt,
                                size_t max_new_tokens, int32_t stop_id, int32_t *ids, size_t *n_ids,
                                mneme_error *error) {
    struct token_span span = {prompt, n_prompt};
    struct float_state state = {0};
    *n_ids = 0;
    mneme_status status = check_ids(&generator->model, prompt, n_prompt, error);
    if (status == MNEME_OK) status = float_state_enter(&state, error);
    if (status == MNEME_OK) {
        status = generate_greedy(&generator->generator, 1, &span, max_new_tokens, stop_id, ids,
                                 n_ids, error);
    }
    float_state_leave(&state);
    return status;
}

mneme_status mneme_generate(mneme_generator *generator, const char *prompt, size_t max_new_tokens,
                            char **text, size_t *n_tokens, mneme_error *error) {
    struct tokenizer *tokenizer = generator->tokenizer;
    struct token_texts prompts = {0};
    size_t limit = generator->generator.max_positions, n = 0;
    *text = NULL;
    if (n_tokens != NULL) *n_tokens = 0;
    if (tokenizer == NULL) {
        return error_set(error, MNEME_BAD_INPUT,
                         "the model has no tokenizer.json: only token ids can be continued");
    }
    if (max_new_tokens > limit) max_new_tokens = limit;
    int32_t *ids = calloc(max_new_tokens + 1, sizeof *ids);
    mneme_status status = ids == NULL ? error_set_memory(error, "a continuation")
                                      : token_texts_add_prompt(&prompts, tokenizer, prompt, error);
    if (status == MNEME_OK) {
        status = mneme_generate_ids(generator, prompts.tokens.ids, prompts.tokens.n, max_new_tokens,
                                    tokenizer_end_of_text(tokenizer), ids, &n, error);
    }
    if (status == MNEME_OK) {
        n = keep_known(tokenizer, ids, n);
        status = tokenizer_decode(tokenizer, ids, n, text, NULL, error);
    }
    if (n_tokens != NULL) *n_tokens = n;
    token_texts_free(&prompts);
    free(ids);
    return status;
}
