#include "model/tiny_model.h"

#include <check.h>

#include "base/random.h"
#include "tests/assertions.h"

#define MAX_TOKENS 64

struct model_config tiny_model_config(void) {
    return (struct model_config){.vocab_size = 37,
                                 .dim = 24,
                                 .n_layers = 3,
                                 .n_heads = 4,
                                 .n_kv_heads = 2,
                                 .multiple_of = 4,
                                 .max_seq_len = 40,
                                 .norm_eps = 1e-5f,
                                 .rope_theta = 10000.0f,
                                 .tied_output = false,
                                 .memory = {.n_layers = 1,
                                            .layers = {1},
                                            .n_keys = 9,
                                            .heads = 2,
                                            .knn = 4,
                                            .k_dim = 14,
                                            .v_dim = 20,
                                            .share_values = false,
                                            MEMORY_PLUS}};
}

static void fill_batch(struct tiny_model *tiny) {
    static const size_t lengths[] = {1, 7, 18, 33, 5};
    int32_t tokens[MAX_TOKENS + 1];
    uint32_t vocab = (uint32_t)tiny->model.config.vocab_size;
    batch_builder_clear(&tiny->builder);
    for (size_t s = 0; s < sizeof lengths / sizeof *lengths; s++) {
        for (size_t i = 0; i <= lengths[s]; i++) {
            tokens[i] = (int32_t)random_below(11, s, i, vocab);
        }
        ck_assert(batch_builder_add(&tiny->builder, lengths[s], tokens, tokens + 1, 0));
    }
    tiny->batch = batch_builder_whole(&tiny->builder);
}

void tiny_model_open(struct tiny_model *tiny, const struct model_config *config) {
    mneme_error error = {0};
    assert_ok(model_open(config, &tiny->model, &error), &error);
    assert_ok(pass_open(&tiny->pass, &tiny->model, MAX_TOKENS, true, &error), &error);
    assert_ok(batch_builder_open(&tiny->builder, MAX_TOKENS, &error), &error);
    model_initialize(&tiny->model, 7);
    fill_batch(tiny);
}

void tiny_model_close(struct tiny_model *tiny) {
    batch_builder_close(&tiny->builder);
    pass_close(&tiny->pass);
    model_close(&tiny->model);
}
