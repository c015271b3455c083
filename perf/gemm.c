/* Matrix products of transformer layers against oneDNN and OpenBLAS: forward, both backward
 * products; weights packed beforehand, by us and by oneDNN, where a layer could keep them packed
 * (forward and input gradient). */

#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn/linear.h"
#include "nn/onednn.h"
#include "perf/common/bench.h"
#include "perf/common/onednn_matmul.h"

enum product { FORWARD, BACKWARD_INPUT, BACKWARD_WEIGHT, N_PRODUCTS };

static const char *const product_names[] = {"forward", "input_gradient", "weight_gradient"};

/* One linear layer on n tokens: x [n, in], W [out, in], y [n, out]. */
struct layer {
    size_t n, in, out;
};

struct work {
    struct layer size;
    enum product product;
    float *x, *weight, *y, *gradient;
    float *packed; /* the weight, where a layer could keep it so */
    struct matmul_scratch scratch;
    struct onednn_matmul *onednn;
};

static void run_mneme(void *user) {
    struct work *w = user;
    const struct layer *s = &w->size;
    if (w->product == FORWARD) {
        linear_forward(&w->scratch, s->n, s->in, s->out, w->x, stored_f32(w->weight), w->packed,
                       NULL, w->y);
    } else if (w->product == BACKWARD_INPUT) {
        linear_backward_input(&w->scratch, s->n, s->in, s->out, w->y, stored_f32(w->weight),
                              w->packed, w->x, false);
    } else {
        linear_backward_weight(&w->scratch, s->n, s->in, s->out, w->x, w->y, w->gradient);
    }
}

static void run_onednn(void *user) {
    onednn_matmul_run(((struct work *)user)->onednn);
}

static void run_openblas(void *user) {
    struct work *w = user;
    int n = (int)w->size.n, in = (int)w->size.in, out = (int)w->size.out;
    if (w->product == FORWARD) {
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, out, in, 1.0f, w->x, in, w->weight,
                    in, 0.0f, w->y, out);
    } else if (w->product == BACKWARD_INPUT) {
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, in, out, 1.0f, w->y, out,
                    w->weight, in, 0.0f, w->x, in);
    } else {
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, out, in, n, 1.0f, w->y, out, w->x, in,
                    1.0f, w->gradient, in);
    }
}

static struct onednn_matmul *open_onednn(struct work *w) {
    const struct layer *s = &w->size;
    switch (w->product) {
        case FORWARD:
            return onednn_matmul_open(s->n, s->out, s->in, false, true, false, true, w->x,
                                      w->weight, w->y);
        case BACKWARD_INPUT:
            return onednn_matmul_open(s->n, s->in, s->out, false, false, false, true, w->y,
                                      w->weight, w->x);
        default:
            return onednn_matmul_open(s->out, s->in, s->n, true, false, true, false, w->y, w->x,
                                      w->gradient);
    }
}

static float *pack(const struct work *w) {
    size_t in = w->size.in, out = w->size.out;
    if (w->product == BACKWARD_WEIGHT) return NULL;
    bool forward = w->product == FORWARD;
    size_t k = forward ? in : out, n = forward ? out : in;
    float *packed = bench_allocate(matmul_packed_size(k, n), sizeof *packed);
    struct matrix b = forward ? matrix_transposed(w->weight, in) : matrix_rows(w->weight, in);
    matmul_pack(k, n, b, packed);
    return packed;
}

/* The layers of models of dim 128, 576, 1024 and 2048, and odd sizes. */
static const struct {
    size_t in, out;
} layers[] = {{128, 128},   {128, 352},   {352, 128},   {128, 768},   {576, 576},
              {576, 1536},  {1536, 576},  {1024, 1024}, {1024, 2816}, {2816, 1024},
              {2048, 2048}, {2048, 5632}, {5632, 2048}, {100, 333},   {577, 65}};
static const size_t tokens[] = {64, 250, 1024, 4096};

#define COUNT(list) (sizeof(list) / sizeof *(list))
#define N_CASES (COUNT(layers) * COUNT(tokens) * N_PRODUCTS)

/* The products of a layer at one number of tokens lie side by side. */
static enum product product_of(size_t i) {
    return (enum product)(i % N_PRODUCTS);
}

static struct layer layer_of(size_t i) {
    size_t l = i / N_PRODUCTS / COUNT(tokens);
    return (struct layer){tokens[i / N_PRODUCTS % COUNT(tokens)], layers[l].in, layers[l].out};
}

static void describe(size_t i, struct bench_case *c) {
    struct layer s = layer_of(i);
    const char *product = product_names[product_of(i)];
    double elements = (double)(s.n * s.in + s.n * s.out + s.in * s.out);
    if (product_of(i) == BACKWARD_WEIGHT) elements += (double)(s.in * s.out);
    snprintf(c->name, sizeof c->name, "%s/%zux%zux%zu", product, s.n, s.in, s.out);
    c->flops = 2.0 * (double)s.n * (double)s.in * (double)s.out;
    c->bytes = sizeof(float) * elements;
    c->quick = s.n == 1024 && i / N_PRODUCTS / COUNT(tokens) % 3 == 0;
    bench_text(c, "product", product);
    bench_number(c, "tokens", s.n);
    bench_number(c, "in", s.in);
    bench_number(c, "out", s.out);
    bench_number(c, "seed_x", 1);
    bench_number(c, "seed_weight", 2);
    bench_number(c, "seed_y", 3);
    bench_number(c, "seed_gradient", 4);
}

static void *set_up(size_t i) {
    struct work *w = bench_allocate(1, sizeof *w);
    struct layer s = layer_of(i);
    mneme_error error;
    w->size = s;
    w->product = product_of(i);
    w->x = bench_floats(s.n * s.in, 1);
    w->weight = bench_floats(s.out * s.in, 2);
    w->y = bench_floats(s.n * s.out, 3);
    w->gradient = bench_floats(s.out * s.in, 4);
    w->packed = pack(w);
    w->onednn = open_onednn(w);
    if (matmul_scratch_open(&w->scratch, &error) != MNEME_OK) bench_stop("%s", error.message);
    if (w->onednn == NULL) bench_stop("perf_gemm: oneDNN refuses the product");
    return w;
}

static void tear_down(void *user) {
    struct work *w = user;
    matmul_scratch_close(&w->scratch);
    onednn_matmul_close(w->onednn);
    free(w->x);
    free(w->weight);
    free(w->y);
    free(w->gradient);
    free(w->packed);
    free(w);
}

/* The weight gradient adds to what is there. */
static void reset(void *user) {
    struct work *w = user;
    float *gradient = bench_floats(w->size.out * w->size.in, 4);
    free(w->gradient);
    w->gradient = gradient;
}

static size_t outputs(void *user, struct bench_output *list) {
    const struct work *w = user;
    const struct layer *s = &w->size;
    if (w->product == FORWARD) {
        list[0] = (struct bench_output){.name = "y", .n = s->n * s->out, .floats = w->y};
    } else if (w->product == BACKWARD_INPUT) {
        list[0] = (struct bench_output){.name = "dx", .n = s->n * s->in, .floats = w->x};
    } else {
        list[0] = (struct bench_output){"dweight", s->out * s->in, w->gradient, NULL};
    }
    return 1;
}

int main(int argc, char **argv) {
    static const struct contestant contestants[] = {
        {.name = "mneme", .run = run_mneme},
        {.name = "onednn", .run = run_onednn, .target_mean = 1.0, .target_least = 0.9},
        {.name = "openblas", .run = run_openblas},
    };
    static const struct bench_program program = {
        .name = "gemm",
        .what = "matrix products against oneDNN and OpenBLAS",
        .n_cases = N_CASES,
        .describe = describe,
        .set_up = set_up,
        .tear_down = tear_down,
        .reset = reset,
        .outputs = outputs,
        .contestants = contestants,
        .n_contestants = COUNT(contestants),
    };
    bench_peer("oneDNN", onednn_version() + strlen("onednn "));
    bench_peer("OpenBLAS", openblas_get_config());
    return bench_main(&program, argc, argv);
}
