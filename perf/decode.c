/* Decoding: a few tokens through the linear layers of a model whose weights are more than any cache
 * holds, in f32 and stored in 16 bits, packed beforehand; against a loop that does nothing but read
 * as many bytes. */

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn/linear.h"
#include "perf/common/bench.h"
#include "simd/simd.h"

/* Layers of that size until they have this many numbers. */
#define NUMBERS ((size_t)1 << 26)
#define SEED_X 1
#define SEED_WEIGHTS 2
/* Floats of a row of the loop that only reads. */
#define ROW 1024

static const char *const type_names[STORED_TYPES] = {
    [STORED_F32] = "f32", [STORED_BF16] = "bf16", [STORED_F16] = "f16"};

static const struct size {
    size_t tokens, in, out;
} sizes[] = {{1, 576, 1536}, {1, 2048, 2048}, {1, 2048, 5632}, {4, 2048, 2048}, {16, 2048, 2048}};

#define COUNT(list) (sizeof(list) / sizeof *(list))
#define N_CASES (COUNT(sizes) * STORED_TYPES)

struct work {
    struct size size;
    enum stored_type type;
    size_t n_layers, layer_numbers; /* packed */
    void *plain, *packed;           /* one layer; [n_layers, layer_numbers] */
    float *x, *y;
    int32_t *rows; /* of the packed weights as floats, for the loop */
    struct matmul_scratch scratch;
};

static size_t layers_of(const struct size *size) {
    return NUMBERS / (size->in * size->out);
}

static void describe(size_t i, struct bench_case *c) {
    const struct size *size = &sizes[i / STORED_TYPES];
    const enum stored_type type = (enum stored_type)(i % STORED_TYPES);
    const double numbers = (double)(layers_of(size) * size->in * size->out);
    snprintf(c->name, sizeof c->name, "decode/%zux%zux%zu/%s", size->tokens, size->in, size->out,
             type_names[type]);
    c->flops = 2.0 * numbers * (double)size->tokens;
    c->bytes = numbers * (double)stored_size(type);
    c->quick = size->in == 576;
    bench_number(c, "tokens", size->tokens);
    bench_number(c, "in", size->in);
    bench_number(c, "out", size->out);
    bench_text(c, "type", type_names[type]);
}

/* Weights of that type whose bits are those of small floats, cut. */
static void *make_weights(enum stored_type type, size_t n) {
    float *floats = bench_floats(n, SEED_WEIGHTS);
    if (type == STORED_F32) return floats;
    uint16_t *bits = bench_allocate(n, sizeof *bits);
    for (size_t i = 0; i < n; i++) {
        uint32_t whole;
        memcpy(&whole, &floats[i], sizeof whole);
        bits[i] = (uint16_t)(type == STORED_BF16 ? whole >> 16 : whole >> 16 & 0xbfff);
    }
    free(floats);
    return bits;
}

static size_t bytes_of(const struct work *w) {
    return w->n_layers * w->layer_numbers * stored_size(w->type);
}

static void *set_up(size_t i) {
    struct work *w = bench_allocate(1, sizeof *w);
    mneme_error error;
    w->size = sizes[i / STORED_TYPES];
    w->type = (enum stored_type)(i % STORED_TYPES);
    const size_t in = w->size.in, out = w->size.out;
    w->n_layers = layers_of(&w->size);
    w->layer_numbers = matmul_packed_size(in, out);
    w->plain = make_weights(w->type, in * out);
    w->packed = bench_allocate(bytes_of(w), 1);
    const struct stored plain = {w->plain, w->type}, packed = {w->packed, w->type};
    for (size_t l = 0; l < w->n_layers; l++) {
        const struct stored to = stored_from(packed, l * w->layer_numbers);
        matmul_pack(in, out, matrix_of_columns(plain, in), (void *)(uintptr_t)to.data);
    }
    w->x = bench_floats(w->size.tokens * in, SEED_X);
    w->y = bench_allocate(w->size.tokens * out, sizeof *w->y);
    w->rows = bench_allocate(bytes_of(w) / sizeof(float) / ROW, sizeof *w->rows);
    for (size_t r = 0; r < bytes_of(w) / sizeof(float) / ROW; r++) w->rows[r] = (int32_t)r;
    if (matmul_scratch_open(&w->scratch, &error) != MNEME_OK) bench_stop("%s", error.message);
    return w;
}

static void tear_down(void *user) {
    struct work *w = user;
    matmul_scratch_close(&w->scratch);
    free(w->plain);
    free(w->packed);
    free(w->x);
    free(w->y);
    free(w->rows);
    free(w);
}

static void run_mneme(void *user) {
    struct work *w = user;
    const struct stored plain = {w->plain, w->type}, packed = {w->packed, w->type};
    for (size_t l = 0; l < w->n_layers; l++) {
        linear_forward(&w->scratch, w->size.tokens, w->size.in, w->size.out, w->x, plain,
                       stored_from(packed, l * w->layer_numbers).data, NULL, w->y);
    }
}

/* Every thread reads its part of the bytes, as floats whatever they are. */
static void run_read_loop(void *user) {
    const struct work *w = user;
    const size_t n = bytes_of(w) / sizeof(float) / ROW;
#pragma omp parallel
    {
        size_t thread = (size_t)omp_get_thread_num(), threads = (size_t)omp_get_num_threads();
        size_t first = n * thread / threads, end = n * (thread + 1) / threads;
        simd()->sum_rows(end - first, ROW, w->rows + first, w->packed);
    }
}

static size_t outputs(void *user, struct bench_output *list) {
    const struct work *w = user;
    list[0] = (struct bench_output){.name = "y", .n = w->size.tokens * w->size.out};
    list[0].floats = w->y;
    return 1;
}

int main(int argc, char **argv) {
    static const struct contestant contestants[] = {
        {.name = "mneme", .run = run_mneme},
        {.name = "read_loop", .run = run_read_loop, .target_least = 0.9, .target_cases = "/1x"},
    };
    static const struct bench_program program = {
        .name = "decode",
        .what =
            "a few tokens through many linear layers in f32, bf16 and f16, against a loop that "
            "only reads",
        .n_cases = N_CASES,
        .describe = describe,
        .set_up = set_up,
        .tear_down = tear_down,
        .outputs = outputs,
        .contestants = contestants,
        .n_contestants = COUNT(contestants),
    };
    return bench_main(&program, argc, argv);
}
