/* Reading a memory layer's values: 128 weighted rows a token (gather), and the dot products of its
 * backward pass (dots), against a loop that does nothing but read the same rows. */

#include <omp.h>
#include <stdlib.h>

#include "nn/memory_values.h"
#include "perf/common/reads.h"
#include "simd/simd.h"

#define N_READS 128

enum kind { GATHER, DOTS };
static const char *const kind_names[] = {"gather", "dots"};

#define COUNT(list) (sizeof(list) / sizeof *(list))

struct gather_case {
    enum kind kind;
    struct reads_size size;
};

#define SIZES(v_dim, slots)                                      \
    {GATHER, {64, N_READS, v_dim, (slots) << 10, false}},        \
        {GATHER, {512, N_READS, v_dim, (slots) << 10, false}}, { \
        GATHER, {                                                \
            4096, N_READS, v_dim, (slots) << 10, false           \
        }                                                        \
    }

/* Few slots to many; the last are those with a skew, and the backward pass. */
static const struct gather_case cases[] = {
    SIZES(128, 16),
    SIZES(128, 64),
    SIZES(128, 256),
    SIZES(128, 1024),
    SIZES(1024, 16),
    SIZES(1024, 64),
    SIZES(1024, 256),
    SIZES(1024, 1024),
    {GATHER, {4096, N_READS, 128, 1024 << 10, true}},
    {GATHER, {4096, N_READS, 1024, 1024 << 10, true}},
    {DOTS, {4096, N_READS, 128, 1024 << 10, false}},
    {DOTS, {4096, N_READS, 1024, 1024 << 10, false}},
};

struct work {
    struct gather_case c;
    int32_t *slots;
    float *weights; /* dots writes here */
    float *read;    /* gather writes here; the gradient of dots */
    const float *table;
};

static void describe(size_t i, struct bench_case *c) {
    const struct reads_size *size = &cases[i].size;
    double reads = (double)(size->tokens * size->n_reads);
    reads_describe(kind_names[cases[i].kind], size, c);
    c->flops = 2.0 * reads * (double)size->v_dim;
    c->bytes =
        reads * (4.0 * (double)size->v_dim + 8.0) + 4.0 * (double)(size->tokens * size->v_dim);
    c->quick = size->v_dim == 128 && size->tokens == 512;
}

static void *set_up(size_t i) {
    struct work *w = bench_allocate(1, sizeof *w);
    const struct reads_size *size = &cases[i].size;
    w->c = cases[i];
    w->slots = reads_slots(size);
    w->weights = reads_weights(size);
    w->read = bench_floats(size->tokens * size->v_dim, READS_SEED_GRADIENT);
    w->table = reads_table(size);
    return w;
}

static void tear_down(void *user) {
    struct work *w = user;
    free(w->slots);
    free(w->weights);
    free(w->read);
    free(w);
}

static void run_mneme(void *user) {
    const struct work *w = user;
    const struct reads_size *s = &w->c.size;
    const struct row_table table = row_table_f32(w->table);
    if (w->c.kind == GATHER) {
        memory_values_forward(s->tokens, s->n_reads, s->v_dim, w->slots, w->weights, &table,
                              w->read);
    } else {
        memory_values_backward_weights(s->tokens, s->n_reads, s->v_dim, w->slots, &table, w->read,
                                       w->weights);
    }
}

/* Every thread reads the rows of its tokens one after the other. */
static void run_read_loop(void *user) {
    const struct work *w = user;
    size_t reads = w->c.size.tokens * w->c.size.n_reads;
#pragma omp parallel
    {
        size_t thread = (size_t)omp_get_thread_num(), threads = (size_t)omp_get_num_threads();
        size_t first = reads * thread / threads, end = reads * (thread + 1) / threads;
        simd()->sum_rows(end - first, w->c.size.v_dim, w->slots + first, w->table);
    }
}

static size_t outputs(void *user, struct bench_output *list) {
    const struct work *w = user;
    const struct reads_size *s = &w->c.size;
    if (w->c.kind == GATHER) {
        list[0] = (struct bench_output){.name = "read", .n = s->tokens * s->v_dim};
        list[0].floats = w->read;
    } else {
        list[0] = (struct bench_output){.name = "dweights", .n = s->tokens * s->n_reads};
        list[0].floats = w->weights;
    }
    return 1;
}

int main(int argc, char **argv) {
    static const struct contestant contestants[] = {
        {.name = "mneme", .run = run_mneme},
        {.name = "read_loop",
         .run = run_read_loop,
         .target_least = 0.9,
         .target_cases = "gather/4096x128x1024/1M"},
    };
    static const struct bench_program program = {
        .name = "gather",
        .what = "reading rows of a memory layer's values, against a loop that only reads them",
        .n_cases = COUNT(cases),
        .describe = describe,
        .set_up = set_up,
        .tear_down = tear_down,
        .outputs = outputs,
        .contestants = contestants,
        .n_contestants = COUNT(contestants),
    };
    return bench_main(&program, argc, argv);
}
