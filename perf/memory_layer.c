/* A memory layer alone, forward and backward, by the functions that the model calls: query
 * projection, lookup, read of the values, gate, value projection, and all gradients. The values'
 * gradient is the rows of the slots that were read, as sparse finetuning takes it. */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn/elementwise.h"
#include "nn/linear.h"
#include "nn/memory_values.h"
#include "nn/product_key.h"
#include "nn/row_scatter.h"
#include "perf/common/bench.h"

enum { SEED = 1 };

struct layer_size {
    size_t n, dim, v_dim;
    struct product_key_shape key;
    int weight_shift; /* weights and keys are uniform in +-2^-weight_shift */
    bool quick;
};

static const struct layer_size sizes[] = {
    {2048, 128, 128, {4, 128, 32, 8}, 3, true},
    {2048, 576, 576, {4, 256, 128, 32}, 4, false},
    {4096, 1024, 1024, {4, 128, 256, 32}, 5, false},
    {4096, 1024, 1024, {4, 256, 256, 32}, 5, false},
    {4096, 1024, 1024, {4, 512, 256, 32}, 5, false},
    {4096, 1024, 1024, {4, 1024, 256, 32}, 5, false},
};

/* A linear layer with bias and its gradients. */
struct linear {
    size_t in, out;
    float *weight, *bias, *d_weight, *d_bias;
};

struct work {
    const struct layer_size *size;
    struct linear query_proj, swilu_projection, value_proj;
    float *keys, *d_keys;        /* [heads * 2 * n_keys, half] */
    float *values;               /* [n_keys^2, v_dim] */
    float *d_values;             /* [slots read, v_dim] */
    float *x, *d_x;              /* [n, dim] */
    float *out, *d_out;          /* [n, dim] */
    float *query, *d_query;      /* [n, heads, k_dim] */
    float *read, *swilu, *gated; /* [n, v_dim] */
    float *d_read, *d_swilu;     /* [n, v_dim] */
    float *d_weights;            /* [n, heads, knn] */
    size_t *groups;              /* [n * heads * knn] 0, 1, 2, … */
    struct product_key_reads reads;
    struct product_key_scratch product_key;
    struct matmul_scratch matmul;
    struct row_scatter scatter;
};

static size_t n_reads(const struct layer_size *size) {
    return size->key.heads * size->key.knn;
}

static size_t n_keys_floats(const struct layer_size *size) {
    return size->key.heads * 2 * size->key.n_keys * size->key.half;
}

static float *scaled_floats(size_t n, unsigned seed, int shift) {
    float *floats = bench_floats(n, seed), scale = ldexpf(1.0f, -shift);
    for (size_t i = 0; i < n; i++) floats[i] *= scale;
    return floats;
}

static struct linear linear_open(size_t in, size_t out, unsigned seed, int shift) {
    return (struct linear){.in = in,
                           .out = out,
                           .weight = scaled_floats(out * in, seed, shift),
                           .bias = scaled_floats(out, seed + 1, shift),
                           .d_weight = bench_allocate(out * in, sizeof(float)),
                           .d_bias = bench_allocate(out, sizeof(float))};
}

static void linear_close(struct linear *linear) {
    free(linear->weight);
    free(linear->bias);
    free(linear->d_weight);
    free(linear->d_bias);
}

static void forward(struct work *w, const struct linear *layer, const float *x, float *y) {
    linear_forward(&w->matmul, w->size->n, layer->in, layer->out, x, stored_f32(layer->weight),
                   NULL, layer->bias, y);
}

static void backward(struct work *w, struct linear *layer, const float *x, const float *dy,
                     float *dx, bool accumulate) {
    size_t n = w->size->n, in = layer->in, out = layer->out;
    memset(layer->d_weight, 0, out * in * sizeof(float));
    memset(layer->d_bias, 0, out * sizeof(float));
    linear_backward_weight(&w->matmul, n, in, out, x, dy, layer->d_weight);
    linear_backward_bias(n, out, dy, layer->d_bias);
    linear_backward_input(&w->matmul, n, in, out, dy, stored_f32(layer->weight), NULL, dx,
                          accumulate);
}

/* The rows of the slots that were read, in the order of the slots. */
static void values_backward(struct work *w) {
    const struct layer_size *size = w->size;
    size_t reads = n_reads(size), n = size->n * reads;
#pragma omp parallel for schedule(static)
    for (size_t e = 0; e < n; e++) {
        w->scatter.rows[e] = w->reads.slots[e];
        w->scatter.coefficients[e] = w->reads.weights[e];
        w->scatter.sources[e] = (int32_t)(e / reads);
    }
    row_scatter_sort(&w->scatter, n, size->key.n_keys * size->key.n_keys);
    row_scatter_compact(&w->scatter, w->scatter.n_groups, w->groups, size->v_dim, w->d_read,
                        size->v_dim, w->d_values);
}

static void run_forward(struct work *w) {
    const struct layer_size *size = w->size;
    const struct row_table values = row_table_f32(w->values);
    forward(w, &w->query_proj, w->x, w->query);
    if (!product_key_forward(&w->product_key, &size->key, size->n, w->query, w->keys, NULL,
                             &w->reads)) {
        bench_stop("perf_memory_layer: a score is NaN");
    }
    memory_values_forward(size->n, n_reads(size), size->v_dim, w->reads.slots, w->reads.weights,
                          &values, w->read);
    forward(w, &w->swilu_projection, w->x, w->swilu);
    elementwise_silu_multiply(size->n * size->v_dim, w->swilu, w->read, w->gated);
    forward(w, &w->value_proj, w->gated, w->out);
}

static void run(void *user) {
    struct work *w = user;
    const struct layer_size *size = w->size;
    const struct row_table values = row_table_f32(w->values);
    run_forward(w);
    backward(w, &w->value_proj, w->gated, w->d_out, w->d_read, false);
    elementwise_silu_multiply_backward(size->n * size->v_dim, w->swilu, w->read, w->d_read,
                                       w->d_swilu, w->d_read);
    memory_values_backward_weights(size->n, n_reads(size), size->v_dim, w->reads.slots, &values,
                                   w->d_read, w->d_weights);
    memset(w->d_keys, 0, n_keys_floats(size) * sizeof(float));
    product_key_backward(&w->scatter, &size->key, size->n, w->query, w->keys, &w->reads,
                         w->d_weights, w->d_query, w->d_keys);
    backward(w, &w->query_proj, w->x, w->d_query, w->d_x, false);
    backward(w, &w->swilu_projection, w->x, w->d_swilu, w->d_x, true);
    values_backward(w);
}

static void open_activations(struct work *w) {
    const struct layer_size *size = w->size;
    size_t n = size->n, reads = n * n_reads(size), query = size->key.heads * 2 * size->key.half;
    w->x = bench_floats(n * size->dim, SEED);
    w->d_out = bench_floats(n * size->dim, SEED + 1);
    w->d_x = bench_allocate(n * size->dim, sizeof(float));
    w->out = bench_allocate(n * size->dim, sizeof(float));
    w->query = bench_allocate(n * query, sizeof(float));
    w->d_query = bench_allocate(n * query, sizeof(float));
    float **wide[] = {&w->read, &w->swilu, &w->gated, &w->d_read, &w->d_swilu};
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++) {
        *wide[i] = bench_allocate(n * size->v_dim, sizeof(float));
    }
    w->d_weights = bench_allocate(reads, sizeof(float));
    w->reads.weights = bench_allocate(reads, sizeof(float));
    w->reads.slots = bench_allocate(reads, sizeof(int32_t));
    w->reads.rows = bench_allocate(reads, sizeof(int32_t));
    w->reads.columns = bench_allocate(reads, sizeof(int32_t));
    w->groups = bench_allocate(reads, sizeof *w->groups);
    for (size_t i = 0; i < reads; i++) w->groups[i] = i;
}

static size_t at_most(size_t a, size_t b) {
    return a < b ? a : b;
}

static void *set_up(size_t i) {
    const struct layer_size *size = &sizes[i];
    struct work *w = bench_allocate(1, sizeof *w);
    size_t n_slots = size->key.n_keys * size->key.n_keys, reads = size->n * n_reads(size);
    size_t query = size->key.heads * 2 * size->key.half;
    mneme_error error;
    w->size = size;
    open_activations(w);
    w->query_proj = linear_open(size->dim, query, SEED + 2, size->weight_shift);
    w->swilu_projection = linear_open(size->dim, size->v_dim, SEED + 4, size->weight_shift);
    w->value_proj = linear_open(size->v_dim, size->dim, SEED + 6, size->weight_shift);
    w->keys = scaled_floats(n_keys_floats(size), SEED + 8, size->weight_shift);
    w->d_keys = bench_allocate(n_keys_floats(size), sizeof(float));
    w->values = bench_table(n_slots * size->v_dim, SEED + 9);
    w->d_values = bench_allocate(at_most(reads, n_slots) * size->v_dim, sizeof(float));
    if (matmul_scratch_open(&w->matmul, &error) != MNEME_OK ||
        product_key_scratch_open(&w->product_key, &size->key, &error) != MNEME_OK ||
        row_scatter_open(&w->scatter, 2 * reads, &error) != MNEME_OK) {
        bench_stop("perf_memory_layer: %s", error.message);
    }
    return w;
}

static void tear_down(void *user) {
    struct work *w = user;
    void *blocks[] = {w->x,          w->d_x,           w->out,    w->d_out,         w->query,
                      w->d_query,    w->read,          w->swilu,  w->gated,         w->d_read,
                      w->d_swilu,    w->d_weights,     w->groups, w->reads.weights, w->reads.slots,
                      w->reads.rows, w->reads.columns, w->keys,   w->d_keys,        w->values,
                      w->d_values};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) free(blocks[i]);
    linear_close(&w->query_proj);
    linear_close(&w->swilu_projection);
    linear_close(&w->value_proj);
    product_key_scratch_close(&w->product_key);
    matmul_scratch_close(&w->matmul);
    row_scatter_close(&w->scatter);
    free(w);
}

static size_t outputs(void *user, struct bench_output outputs[BENCH_MAX_OUTPUTS]) {
    struct work *w = user;
    const struct layer_size *size = w->size;
    size_t x = size->n * size->dim;
    const struct linear *query = &w->query_proj, *swilu = &w->swilu_projection;
    const struct linear *value = &w->value_proj;
    const struct bench_output all[] = {
        {"out", x, w->out, NULL},
        {"x", x, w->d_x, NULL},
        {"query_proj.query_mlps.0.weight", query->in * query->out, query->d_weight, NULL},
        {"keys", n_keys_floats(size), w->d_keys, NULL},
        {"values.weight", w->scatter.n_groups * size->v_dim, w->d_values, NULL},
        {"swilu_projection.weight", swilu->in * swilu->out, swilu->d_weight, NULL},
        {"value_proj.weight", value->in * value->out, value->d_weight, NULL},
        {"value_proj.bias", value->out, value->d_bias, NULL}};
    memcpy(outputs, all, sizeof all);
    return sizeof all / sizeof *all;
}

/* A product of the forward pass has two in the backward pass, the scores' only those of the knn
 * chosen keys of each half; every read of a value is a multiplication and addition in the read, in
 * the weights' gradient and in the values'. */
static double flops(const struct layer_size *size) {
    double n = (double)size->n, dim = (double)size->dim, v_dim = (double)size->v_dim;
    double heads = (double)size->key.heads, half = (double)size->key.half;
    double products = 6.0 * n * dim * (2.0 * heads * half + 2.0 * v_dim);
    double scores = 2.0 * n * 2.0 * heads * half * (double)(size->key.n_keys + 2 * size->key.knn);
    return products + scores + 6.0 * n * (double)n_reads(size) * v_dim;
}

static void run_fma_roof(void *user) {
    const struct work *w = user;
    bench_fma_roof(flops(w->size));
}

/* The rows that are read, in the read and in the weights' gradient, and the gradient's rows: as
 * many as uniformly random reads touch. */
static double bytes(const struct layer_size *size) {
    double slots = (double)size->key.n_keys * (double)size->key.n_keys;
    double reads = (double)size->n * (double)n_reads(size);
    return 4.0 * (double)size->v_dim * (2.0 * reads - slots * expm1(-reads / slots));
}

static void describe(size_t i, struct bench_case *c) {
    const struct layer_size *size = &sizes[i];
    size_t slots = size->key.n_keys * size->key.n_keys;
    bool millions = slots >= (size_t)1 << 20;
    snprintf(c->name, sizeof c->name, "memory/%zux%zu/%zu%c", size->n, size->dim,
             slots >> (millions ? 20 : 10), millions ? 'M' : 'K');
    c->flops = flops(size);
    c->bytes = bytes(size);
    c->quick = size->quick;
    bench_number(c, "tokens", size->n);
    bench_number(c, "dim", size->dim);
    bench_number(c, "v_dim", size->v_dim);
    bench_number(c, "heads", size->key.heads);
    bench_number(c, "n_keys", size->key.n_keys);
    bench_number(c, "k_dim", 2 * size->key.half);
    bench_number(c, "knn", size->key.knn);
    bench_number(c, "slots", slots);
    bench_number(c, "weight_shift", (size_t)size->weight_shift);
    bench_number(c, "seed", SEED);
}

int main(int argc, char **argv) {
    static const struct contestant contestants[] = {{.name = "mneme", .run = run},
                                                    {.name = "fma_roof", .run = run_fma_roof}};
    static const struct bench_program program = {
        .name = "memory_layer",
        .what = "a memory layer, forward and backward, against the arithmetic's limit",
        .n_cases = sizeof sizes / sizeof *sizes,
        .describe = describe,
        .set_up = set_up,
        .tear_down = tear_down,
        .outputs = outputs,
        .contestants = contestants,
        .n_contestants = sizeof contestants / sizeof *contestants};
    return bench_main(&program, argc, argv);
}
