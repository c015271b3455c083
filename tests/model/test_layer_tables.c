/* What the tables of a layer's parameters and activations make of a config: every parameter of
 * every form of the memory layer, by name and shape, written down here a second time. */

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "assertions.h"
#include "interchange/hf_layout.h"
#include "model/tiny_model.h"
#include "model/workspace.h"

/* A parameter that a model must have; 0 columns: a vector. */
struct expected {
    const char *name;
    size_t rows, columns;
};

#define AROUND                                                   \
    {"tok_embeddings.weight", 37, 24}, {"norm.weight", 24, 0}, { \
        "output.weight", 37, 24                                  \
    }
#define ATTENTION(l)                                                                             \
    {"layers." l ".attention_norm.weight", 24, 0}, {"layers." l ".attention.wq.weight", 24, 24}, \
        {"layers." l ".attention.wk.weight", 12, 24},                                            \
        {"layers." l ".attention.wv.weight", 12, 24},                                            \
        {"layers." l ".attention.wo.weight", 24, 24}, {                                          \
        "layers." l ".ffn_norm.weight", 24, 0                                                    \
    }
#define FEED_FORWARD(l)                                    \
    {"layers." l ".feed_forward.w1.weight", 64, 24},       \
        {"layers." l ".feed_forward.w2.weight", 24, 64}, { \
        "layers." l ".feed_forward.w3.weight", 64, 24      \
    }
#define LOOKUP(l)                                                           \
    {"layers." l ".feed_forward.query_proj.query_mlps.0.weight", 28, 24}, { \
        "layers." l ".feed_forward.keys", 36, 7                             \
    }
#define QUERY_BIAS(l) \
    { "layers." l ".feed_forward.query_proj.query_mlps.0.bias", 28, 0 }
#define SWILU(l)                                                     \
    {"layers." l ".feed_forward.swilu_projection.weight", 20, 24}, { \
        "layers." l ".feed_forward.swilu_projection.bias", 20, 0     \
    }
#define VALUE(l)                                               \
    {"layers." l ".feed_forward.value_proj.weight", 24, 20}, { \
        "layers." l ".feed_forward.value_proj.bias", 24, 0     \
    }
#define GATING(l)                                         \
    {"layers." l ".feed_forward.gating.weight", 1, 24}, { \
        "layers." l ".feed_forward.gating.bias", 1, 0     \
    }

static void check_parameters(const struct model_config *config, size_t n,
                             const struct expected *expected) {
    struct model model;
    mneme_error error;
    assert_ok(model_describe(config, &model, &error), &error);
    ck_assert_uint_eq(model.n_parameters, n);
    for (size_t i = 0; i < n; i++) {
        const struct expected *e = &expected[i];
        const struct parameter *p = model_parameter(&model, e->name);
        ck_assert_msg(p != NULL, "no %s", e->name);
        ck_assert_msg(p->shape[0] == e->rows && p->shape[1] == e->columns, "%s is [%zu, %zu]",
                      e->name, p->shape[0], p->shape[1]);
        ck_assert_uint_eq(p->rank, e->columns == 0 ? 1 : 2);
        ck_assert_uint_eq(p->count, e->rows * (e->columns == 0 ? 1 : e->columns));
        ck_assert_ptr_eq(&model.parameters[p->index], p);
    }
    model_close(&model);
}
#define CHECK(config, expected) \
    check_parameters(config, sizeof(expected) / sizeof *(expected), expected)

START_TEST(memory_plus) {
    const struct model_config config = tiny_model_config();
    const struct expected expected[] = {AROUND,
                                        ATTENTION("0"),
                                        FEED_FORWARD("0"),
                                        ATTENTION("1"),
                                        LOOKUP("1"),
                                        QUERY_BIAS("1"),
                                        SWILU("1"),
                                        VALUE("1"),
                                        ATTENTION("2"),
                                        FEED_FORWARD("2"),
                                        {"layers.1.feed_forward.values.weight", 81, 20}};
    CHECK(&config, expected);
}
END_TEST

START_TEST(plain_transformer) {
    struct model_config config = tiny_model_config();
    config.memory.n_layers = 0;
    config.n_layers = 1;
    config.tied_output = true;
    const struct expected expected[] = {{"tok_embeddings.weight", 37, 24},
                                        {"norm.weight", 24, 0},
                                        ATTENTION("0"),
                                        FEED_FORWARD("0")};
    CHECK(&config, expected);
}
END_TEST

START_TEST(biases_and_norms) {
    struct model_config config = tiny_model_config();
    config.memory.n_layers = 0;
    config.n_layers = 1;
    config.head_dim = 10;
    config.attention_bias = ATTENTION_BIAS_QKVO;
    config.mlp_bias = config.qk_norm = true;
    const struct expected expected[] = {AROUND,
                                        {"layers.0.attention_norm.weight", 24, 0},
                                        {"layers.0.attention.wq.weight", 40, 24},
                                        {"layers.0.attention.wq.bias", 40, 0},
                                        {"layers.0.attention.wk.weight", 20, 24},
                                        {"layers.0.attention.wk.bias", 20, 0},
                                        {"layers.0.attention.wv.weight", 20, 24},
                                        {"layers.0.attention.wv.bias", 20, 0},
                                        {"layers.0.attention.q_norm.weight", 10, 0},
                                        {"layers.0.attention.k_norm.weight", 10, 0},
                                        {"layers.0.attention.wo.weight", 24, 40},
                                        {"layers.0.attention.wo.bias", 24, 0},
                                        {"layers.0.ffn_norm.weight", 24, 0},
                                        FEED_FORWARD("0"),
                                        {"layers.0.feed_forward.w1.bias", 64, 0},
                                        {"layers.0.feed_forward.w2.bias", 24, 0},
                                        {"layers.0.feed_forward.w3.bias", 64, 0}};
    CHECK(&config, expected);
}
END_TEST

START_TEST(gated_without_swilu) {
    struct model_config config = tiny_model_config();
    config.n_layers = 2;
    config.memory.query_bias = config.memory.swilu_projection = false;
    config.memory.gated = true;
    const struct expected expected[] = {AROUND,
                                        ATTENTION("0"),
                                        FEED_FORWARD("0"),
                                        ATTENTION("1"),
                                        LOOKUP("1"),
                                        VALUE("1"),
                                        GATING("1"),
                                        {"layers.1.feed_forward.values.weight", 81, 20}};
    CHECK(&config, expected);
}
END_TEST

START_TEST(peer_with_shared_tables) {
    struct model_config config = tiny_model_config();
    config.n_layers = 2;
    config.memory.n_layers = 2;
    config.memory.layers[0] = 0;
    config.memory.peer_variant = config.memory.share_values = true;
    config.memory.swilu_projection = config.memory.value_proj = false;
    config.memory.v_dim = config.dim;
    config.memory.layers[1] = 1;
    const struct expected expected[] = {AROUND,
                                        ATTENTION("0"),
                                        LOOKUP("0"),
                                        QUERY_BIAS("0"),
                                        {"layers.0.feed_forward.values_u.weight", 81, 24},
                                        {"layers.0.feed_forward.values_v.weight", 81, 24},
                                        ATTENTION("1"),
                                        LOOKUP("1"),
                                        QUERY_BIAS("1")};
    CHECK(&config, expected);
    struct model model;
    mneme_error error;
    assert_ok(model_describe(&config, &model, &error), &error);
    ck_assert_ptr_eq(model.layers[1].values, model.layers[0].values);
    ck_assert_ptr_eq(model.layers[1].values_u, model.layers[0].values_u);
    ck_assert_uint_eq(model.n_tables, 1);
    model_close(&model);
}
END_TEST

START_TEST(beside) {
    struct model_config config = tiny_model_config();
    config.n_layers = 2;
    config.memory.placement = MEMORY_BESIDE;
    config.memory.swilu_projection = false;
    const struct expected expected[] = {AROUND,
                                        ATTENTION("0"),
                                        FEED_FORWARD("0"),
                                        ATTENTION("1"),
                                        FEED_FORWARD("1"),
                                        {"layers.1.memory.query_proj.query_mlps.0.weight", 28, 24},
                                        {"layers.1.memory.query_proj.query_mlps.0.bias", 28, 0},
                                        {"layers.1.memory.keys", 36, 7},
                                        {"layers.1.memory.values.weight", 81, 20},
                                        {"layers.1.memory.value_proj.weight", 24, 20},
                                        {"layers.1.memory.value_proj.bias", 24, 0},
                                        {"layers.1.memory.scale", 1, 0}};
    CHECK(&config, expected);
}
END_TEST

START_TEST(norm_of_the_lookup) {
    struct model_config config = tiny_model_config();
    config.n_layers = 2;
    config.memory.lookup_norm = true;
    const struct expected expected[] = {AROUND,
                                        ATTENTION("0"),
                                        FEED_FORWARD("0"),
                                        ATTENTION("1"),
                                        LOOKUP("1"),
                                        QUERY_BIAS("1"),
                                        {"layers.1.feed_forward.q_norm.weight", 7, 0},
                                        {"layers.1.feed_forward.k_norm.weight", 7, 0},
                                        SWILU("1"),
                                        VALUE("1"),
                                        {"layers.1.feed_forward.values.weight", 81, 20}};
    CHECK(&config, expected);
}
END_TEST

START_TEST(hugging_face_names) {
    const struct model_config config = tiny_model_config();
    const char *const pairs[][2] = {
        {"tok_embeddings.weight", "model.embed_tokens.weight"},
        {"layers.2.attention.wq.weight", "model.layers.2.self_attn.q_proj.weight"},
        {"layers.2.feed_forward.w2.weight", "model.layers.2.mlp.down_proj.weight"},
        {"layers.1.feed_forward.keys", "model.layers.1.feed_forward.keys"},
        {"norm.weight", "model.norm.weight"},
        {"output.weight", "lm_head.weight"}};
    struct model model;
    mneme_error error;
    assert_ok(model_describe(&config, &model, &error), &error);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char name[FOREIGN_NAME_SIZE];
        hf_layout_name(model_parameter(&model, pairs[i][0]), name);
        ck_assert_str_eq(name, pairs[i][1]);
    }
    model_close(&model);
}
END_TEST

/* A layer has the activations of its own kind in training; one set serves all of them otherwise. */
START_TEST(activations) {
    struct model_config config = tiny_model_config();
    struct activations a;
    mneme_error error;
    const struct pass_size size = {.tokens = 5, .positions = 5, .logits = 5};
    assert_ok(activations_open(&a, &config, &size, true, &error), &error);
    const struct layer_activations *ffn = &a.layers[0], *memory = &a.layers[1];
    ck_assert(ffn->gate != NULL && ffn->slots == NULL && ffn->swilu_read == NULL);
    ck_assert(memory->gate == NULL && memory->slots != NULL && memory->swilu_read != NULL);
    ck_assert(memory->gating == NULL && memory->expert_hidden == NULL);
    ck_assert(a.d_reads != NULL && a.d_expert_hidden == NULL);
    activations_close(&a);
    assert_ok(activations_open(&a, &config, &size, false, &error), &error);
    ck_assert(a.layers[0].gate != NULL && a.layers[0].slots != NULL && a.d_reads == NULL);
    ck_assert_mem_eq(&a.layers[0], &a.layers[2], sizeof a.layers[0]);
    activations_close(&a);
}
END_TEST

Suite *layer_tables_suite(void) {
    Suite *suite = suite_create("layer_tables");
    TCase *tests = tcase_create("tables");
    tcase_add_test(tests, memory_plus);
    tcase_add_test(tests, plain_transformer);
    tcase_add_test(tests, biases_and_norms);
    tcase_add_test(tests, gated_without_swilu);
    tcase_add_test(tests, peer_with_shared_tables);
    tcase_add_test(tests, beside);
    tcase_add_test(tests, norm_of_the_lookup);
    tcase_add_test(tests, hugging_face_names);
    tcase_add_test(tests, activations);
    suite_add_tcase(suite, tests);
    return suite;
}
