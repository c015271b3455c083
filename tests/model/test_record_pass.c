/* The recording of a step holds all that a memory layer's output is made of. */

#include "model/record_pass.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nn/elementwise.h"
#include "nn/expert.h"
#include "nn/linear.h"
#include "nn/memory_values.h"
#include "nn/sigmoid_gate.h"
#include "tests/assertions.h"
#include "tests/model/tiny_model.h"

#define N 64 /* tokens of the batch */

/* The recorded tensor whose name, without its number, is this; NULL if there is none. */
static const struct tensor *find(const struct recorder *recorder, const char *name) {
    for (size_t i = 0; i < recorder->n; i++) {
        if (strcmp(strchr(recorder->tensors[i].name, '.') + 1, name) == 0) {
            return &recorder->tensors[i];
        }
    }
    return NULL;
}

/* A tensor of layer 1; NULL if there is none. */
static const void *get(const struct recorder *recorder, const char *prefix, const char *name) {
    char full[160];
    snprintf(full, sizeof full, "%slayers.1.%s", prefix, name);
    const struct tensor *tensor = find(recorder, full);
    return tensor == NULL ? NULL : tensor->data;
}

static const float *forward(const struct recorder *recorder, const char *name) {
    return get(recorder, "forward.", name);
}

static const float *weight(const struct recorder *recorder, const char *name) {
    char full[128];
    snprintf(full, sizeof full, "feed_forward.%s", name);
    return get(recorder, "before.", full);
}

static void assert_same(size_t n, const float *ours, const float *recorded, const char *what) {
    ck_assert_msg(recorded != NULL, "%s is not recorded", what);
    ck_assert_msg(memcmp(ours, recorded, n * sizeof *ours) == 0, "%s is another one", what);
}

static void linear(struct matmul_scratch *scratch, const struct recorder *recorder, size_t in,
                   size_t out, const char *name, const float *x, float *y) {
    char of_weight[96], of_bias[96];
    snprintf(of_weight, sizeof of_weight, "%s.weight", name);
    snprintf(of_bias, sizeof of_bias, "%s.bias", name);
    linear_forward(scratch, N, in, out, x, stored_f32(weight(recorder, of_weight)), NULL,
                   weight(recorder, of_bias), y);
}

/* The table's rows that were read, at their places; the others are NaN. */
static float *spread(const struct recorder *recorder, size_t n_slots, size_t v_dim,
                     const char *name) {
    const struct tensor *slots = find(recorder, "forward.layers.1.read_slots");
    const float *rows = forward(recorder, name);
    float *table = malloc(n_slots * v_dim * sizeof *table);
    if (rows == NULL) {
        free(table);
        return NULL;
    }
    memset(table, 0xff, n_slots * v_dim * sizeof *table);
    for (size_t i = 0; i < slots->shape[0]; i++) {
        size_t slot = (size_t)((const int32_t *)slots->data)[i];
        memcpy(table + slot * v_dim, rows + i * v_dim, v_dim * sizeof *rows);
    }
    return table;
}

/* Query, lookup, read and output from nothing but the recording. */
static void recompute(const struct model_config *config, const struct recorder *r) {
    const struct product_key_shape shape = model_product_key_shape(config);
    const size_t dim = config->dim, v_dim = config->memory.v_dim;
    const size_t per_token = shape.heads * shape.knn, n_slots = model_n_slots(config);
    struct matmul_scratch m = {0};
    struct product_key_scratch lookup = {0};
    mneme_error error = {0};
    static float query[N * 64], weights[N * 64], hidden[N * 64], read[N * 64], swilu[N * 64];
    static float out[N * 64], gate[N], gated[N * 64];
    static int32_t slots[N * 64], rows[N * 64], columns[N * 64];
    struct product_key_reads reads = {slots, rows, columns, weights};
    const float *x = forward(r, "ffn_norm");
    assert_ok(matmul_scratch_open(&m, &error), &error);
    assert_ok(product_key_scratch_open(&lookup, &shape, &error), &error);
    linear(&m, r, dim, shape.heads * 2 * shape.half, "query_proj.query_mlps.0", x, query);
    assert_same(N * shape.heads * 2 * shape.half, query, forward(r, "query"), "query");
    ck_assert(product_key_forward(&lookup, &shape, N, query, weight(r, "keys"), NULL, &reads));
    ck_assert_mem_eq(slots, get(r, "forward.", "slots"), N * per_token * sizeof *slots);
    assert_same(N * per_token, weights, forward(r, "slot_weights"), "slot_weights");
    float *values = spread(r, n_slots, v_dim, "read_values");
    float *values_u = spread(r, n_slots, v_dim, "read_values_u");
    if (values_u != NULL) {
        const struct row_table table_u = row_table_f32(values_u);
        expert_forward(N, per_token, v_dim, slots, weights, &table_u, x, hidden, swilu);
        memcpy(weights, swilu, N * per_token * sizeof *weights);
    }
    const struct row_table table = row_table_f32(values);
    memory_values_forward(N, per_token, v_dim, slots, weights, &table, read);
    assert_same(N * v_dim, read, forward(r, "read"), "read");
    if (weight(r, "swilu_projection.weight") != NULL) {
        linear(&m, r, dim, v_dim, "swilu_projection", x, swilu);
        elementwise_silu_multiply(N * v_dim, swilu, read, read);
    }
    memcpy(out, read, N * v_dim * sizeof *out);
    if (weight(r, "value_proj.weight") != NULL) {
        linear(&m, r, v_dim, dim, "value_proj", read, out);
    }
    if (weight(r, "gating.weight") != NULL) {
        linear(&m, r, dim, 1, "gating", x, gate);
        sigmoid_gate_forward(N, dim, gate, out, gated);
        memcpy(out, gated, N * dim * sizeof *out);
    }
    assert_same(N * dim, out, forward(r, "memory_output"), "memory_output");
    elementwise_add(N * dim, forward(r, "after_attention"), out);
    assert_same(N * dim, out, find(r, "forward.layers.2.input")->data, "the next layer's input");
    free(values);
    free(values_u);
    product_key_scratch_close(&lookup);
    matmul_scratch_close(&m);
}

/* The scores are those whose softmax the weights are. */
static void check_scores(const struct model_config *config, const struct recorder *r) {
    const float *scores = forward(r, "scores"), *weights = forward(r, "slot_weights");
    const size_t knn = config->memory.knn;
    for (size_t i = 0; i < N * config->memory.heads * knn; i += knn) {
        double sum = 0.0;
        for (size_t k = 0; k < knn; k++) sum += exp((double)scores[i + k] - (double)scores[i]);
        for (size_t k = 0; k < knn; k++) {
            double exact = exp((double)scores[i + k] - (double)scores[i]) / sum;
            ck_assert_double_eq_tol((double)weights[i + k], exact, 1e-6);
        }
    }
}

static void check(const struct model_config *config) {
    struct tiny_model tiny = {0};
    struct recorder recorder = {0};
    mneme_error error = {0};
    tiny_model_open(&tiny, config);
    tiny.pass.recorder = &recorder;
    record_parameters(&tiny.pass);
    assert_ok(model_forward(&tiny.pass, &tiny.batch, NULL, &error), &error);
    record_forward(&tiny.pass, &tiny.batch);
    ck_assert_uint_eq(tiny.batch.n_tokens, N);
    ck_assert(!recorder.failed);
    recompute(config, &recorder);
    check_scores(config, &recorder);
    recorder_close(&recorder);
    tiny_model_close(&tiny);
}

START_TEST(memory_layers) {
    struct model_config plus = tiny_model_config(), peer = plus, bare = plus, gated = plus;
    check(&plus);
    peer.memory.peer_variant = peer.memory.gated = true;
    peer.memory.swilu_projection = peer.memory.value_proj = false;
    peer.memory.v_dim = peer.dim;
    check(&peer);
    bare.memory.swilu_projection = bare.memory.value_proj = bare.memory.query_bias = false;
    bare.memory.v_dim = bare.dim;
    check(&bare);
    gated.memory.gated = true;
    check(&gated);
}
END_TEST

Suite *record_pass_suite(void) {
    Suite *suite = suite_create("record_pass");
    TCase *tests = tcase_create("recordings");
    tcase_add_test(tests, memory_layers);
    suite_add_tcase(suite, tests);
    return suite;
}
