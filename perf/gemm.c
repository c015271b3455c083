/* Matrix products of transformer layers against oneDNN and OpenBLAS: forward, both backward
 * products; weights packed beforehand, by us and by oneDNN, where a layer could keep them packed
 * (forward and input gradient). */

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nn/linear.h"
#include "perf/common/bench.h"
#include "perf/common/onednn_matmul.h"

enum product { FORWARD, BACKWARD_INPUT, BACKWARD_WEIGHT, N_PRODUCTS };

static const char *const product_names[] = {"forward", "input gradient", "weight gradient"};

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
        linear_forward(&w->scratch, s->n, s->in, s->out, w->x, w->weight, w->packed, NULL, w->y);
    } else if (w->product == BACKWARD_INPUT) {
        linear_backward_input(&w->scratch, s->n, s->in, s->out, w->y, w->weight, w->packed, w->x,
                              false);
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
    float *packed = bench_floats(matmul_packed_size(k, n), 0);
    struct matrix b = forward ? matrix_transposed(w->weight, in) : matrix_rows(w->weight, in);
    matmul_pack(k, n, b, packed);
    return packed;
}

static void set_up(struct work *w) {
    const struct layer *s = &w->size;
    mneme_error error;
    w->x = bench_floats(s->n * s->in, 1);
    w->weight = bench_floats(s->out * s->in, 2);
    w->y = bench_floats(s->n * s->out, 3);
    w->gradient = bench_floats(s->out * s->in, 4);
    w->packed = pack(w);
    w->onednn = open_onednn(w);
    if (matmul_scratch_open(&w->scratch, &error) != MNEME_OK || w->onednn == NULL) {
        fputs("perf_gemm: no memory, or oneDNN refuses\n", stderr);
        exit(1);
    }
}

static void tear_down(struct work *w) {
    matmul_scratch_close(&w->scratch);
    onednn_matmul_close(w->onednn);
    free(w->x);
    free(w->weight);
    free(w->y);
    free(w->gradient);
    free(w->packed);
}

/* The layers of models of dim 128, 576, 1024 and 2048, and odd sizes. */
static const struct {
    size_t in, out;
} layers[] = {{128, 128},   {128, 352},   {352, 128},   {128, 768},   {576, 576},
              {576, 1536},  {1536, 576},  {1024, 1024}, {1024, 2816}, {2816, 1024},
              {2048, 2048}, {2048, 5632}, {5632, 2048}, {100, 333},   {577, 65}};
static const size_t tokens[] = {64, 250, 1024, 4096};

#define COUNT(list) (sizeof(list) / sizeof *(list))

struct totals {
    double log_onednn, log_openblas, least;
    size_t n;
};

static void report(const struct bench_options *options, const struct work *w,
                   const double seconds[3], struct totals *totals) {
    const struct layer *s = &w->size;
    double flops = 2.0 * (double)s->n * (double)s->in * (double)s->out;
    double to_onednn = seconds[1] / seconds[0], to_openblas = seconds[2] / seconds[0];
    totals->log_onednn += log(to_onednn);
    totals->log_openblas += log(to_openblas);
    if (to_onednn < totals->least) totals->least = to_onednn;
    totals->n++;
    if (options->json) {
        bench_json_row();
        printf(
            "{\"product\": \"%s\", \"tokens\": %zu, \"in\": %zu, \"out\": %zu, "
            "\"mneme_gflops\": %.2f, \"onednn_gflops\": %.2f, \"openblas_gflops\": %.2f}",
            product_names[w->product], s->n, s->in, s->out, flops / seconds[0] * 1e-9,
            flops / seconds[1] * 1e-9, flops / seconds[2] * 1e-9);
    } else {
        printf("%-15s %6zu %5zu %5zu  %8.1f %8.1f %8.1f  %7.2f %8.2f\n", product_names[w->product],
               s->n, s->in, s->out, flops / seconds[0] * 1e-9, flops / seconds[1] * 1e-9,
               flops / seconds[2] * 1e-9, to_onednn, to_openblas);
    }
    fflush(stdout);
}

int main(int argc, char **argv) {
    struct bench_options options =
        bench_parse(argc, argv, "perf_gemm", "matrix products against oneDNN and OpenBLAS");
    const struct contestant contestants[] = {
        {"mneme", run_mneme}, {"onednn", run_onednn}, {"openblas", run_openblas}};
    struct totals totals = {.least = INFINITY};
    bench_peer("oneDNN", onednn_version());
    bench_peer("OpenBLAS", openblas_get_config());
    if (options.json) {
        bench_json_begin(&options, "gemm");
    } else {
        printf("%-15s %6s %5s %5s  %8s %8s %8s  %7s %8s\n", "GFLOP/s", "tokens", "in", "out",
               "mneme", "oneDNN", "OpenBLAS", "/oneDNN", "/OpenBLAS");
    }
    for (size_t l = 0; l < COUNT(layers); l++) {
        for (size_t t = 0; t < COUNT(tokens); t++) {
            if (options.quick && (t != 2 || l % 3 != 0)) continue;
            for (enum product product = FORWARD; product < N_PRODUCTS; product++) {
                struct work work = {.size = {tokens[t], layers[l].in, layers[l].out},
                                    .product = product};
                double seconds[BENCH_MAX_CONTESTANTS];
                set_up(&work);
                bench_compare(&options, contestants, COUNT(contestants), &work, seconds);
                report(&options, &work, seconds, &totals);
                tear_down(&work);
            }
        }
    }
    if (options.json) {
        bench_json_end();
    } else {
        printf(
            "oneDNN %s; %zu products: geometric mean %.3f of oneDNN, %.3f of OpenBLAS; least %.3f "
            "of "
            "oneDNN\n",
            onednn_version(), totals.n, exp(totals.log_onednn / (double)totals.n),
            exp(totals.log_openblas / (double)totals.n), totals.least);
    }
    return 0;
}
