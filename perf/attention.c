/* Causal attention, forward and backward, in the shapes of models of dim 128, 576 and 1,024. The
 * limit is arithmetic: operations are those of the visible scores alone, i.e. n (n + 1) / 2 a head
 * and sequence of n tokens, times 2 products forward, times 5 backward (scores again, and the
 * gradients of scores, values, queries and keys). */

#include "nn/attention.h"

#include <stdio.h>
#include <stdlib.h>

#include "perf/common/bench.h"

enum kind { FORWARD, BACKWARD };
static const char *const kind_names[] = {"forward", "backward"};

#define COUNT(list) (sizeof(list) / sizeof *(list))
#define MAX_SEQUENCES 64
enum { SEED_Q = 1, SEED_K, SEED_V, SEED_DOUT };

static const struct shape {
    size_t heads, kv_heads, head_dim, length, sequences;
} shapes[] = {{4, 4, 32, 32, 64},   {4, 4, 32, 64, 64},    {9, 9, 64, 256, 8},  {9, 3, 64, 256, 8},
              {16, 16, 64, 256, 4}, {16, 16, 64, 1024, 2}, {16, 4, 64, 1024, 2}};

struct work {
    struct shape size;
    enum kind kind;
    struct attention_shape shape;
    struct attention_scratch scratch;
    size_t starts[MAX_SEQUENCES + 1];
    float *q, *k, *v, *out;
    float *dout, *dq, *dk, *dv;
};

static double flops_of(const struct shape *s, enum kind kind) {
    double visible = (double)s->length * (double)(s->length + 1) / 2.0;
    double product = 2.0 * visible * (double)(s->head_dim * s->heads * s->sequences);
    return product * (kind == FORWARD ? 2.0 : 5.0);
}

static void describe(size_t i, struct bench_case *c) {
    const struct shape *s = &shapes[i / 2];
    enum kind kind = (enum kind)(i % 2);
    double tokens = (double)(s->sequences * s->length);
    double row = 4.0 * (double)(s->heads * s->head_dim);
    double kv_row = 4.0 * (double)(s->kv_heads * s->head_dim);
    snprintf(c->name, sizeof c->name, "%s/%zux%zu/%zux%zux%zu", kind_names[kind], s->sequences,
             s->length, s->heads, s->kv_heads, s->head_dim);
    c->flops = flops_of(s, kind);
    c->bytes = tokens * (kind == FORWARD ? 2.0 * row + 2.0 * kv_row : 3.0 * row + 4.0 * kv_row);
    c->quick = s->length <= 256;
    bench_text(c, "kind", kind_names[kind]);
    bench_number(c, "sequences", s->sequences);
    bench_number(c, "length", s->length);
    bench_number(c, "heads", s->heads);
    bench_number(c, "kv_heads", s->kv_heads);
    bench_number(c, "head_dim", s->head_dim);
    bench_number(c, "seed_q", SEED_Q);
    bench_number(c, "seed_k", SEED_K);
    bench_number(c, "seed_v", SEED_V);
    bench_number(c, "seed_dout", SEED_DOUT);
}

static void *set_up(size_t i) {
    struct work *w = bench_allocate(1, sizeof *w);
    const struct shape *s = &shapes[i / 2];
    size_t n = s->sequences * s->length;
    size_t width = n * s->heads * s->head_dim, kv_width = n * s->kv_heads * s->head_dim;
    mneme_error error;
    w->size = *s;
    w->kind = (enum kind)(i % 2);
    w->shape = (struct attention_shape){s->heads, s->kv_heads, s->head_dim, s->length};
    for (size_t j = 0; j <= s->sequences; j++) w->starts[j] = j * s->length;
    w->q = bench_floats(width, SEED_Q);
    w->k = bench_floats(kv_width, SEED_K);
    w->v = bench_floats(kv_width, SEED_V);
    w->dout = bench_floats(width, SEED_DOUT);
    w->out = bench_allocate(width, sizeof(float));
    w->dq = bench_allocate(width, sizeof(float));
    w->dk = bench_allocate(kv_width, sizeof(float));
    w->dv = bench_allocate(kv_width, sizeof(float));
    if (attention_scratch_open(&w->scratch, &w->shape, &error) != MNEME_OK) {
        bench_stop("perf_attention: %s", error.message);
    }
    return w;
}

static void tear_down(void *user) {
    struct work *w = user;
    attention_scratch_close(&w->scratch);
    free(w->q);
    free(w->k);
    free(w->v);
    free(w->out);
    free(w->dout);
    free(w->dq);
    free(w->dk);
    free(w->dv);
    free(w);
}

static void run_mneme(void *user) {
    struct work *w = user;
    if (w->kind == FORWARD) {
        attention_forward(&w->scratch, &w->shape, w->size.sequences, w->starts, w->q, w->k, w->v,
                          w->out);
    } else {
        attention_backward(&w->scratch, &w->shape, w->size.sequences, w->starts, w->q, w->k, w->v,
                           w->dout, w->dq, w->dk, w->dv);
    }
}

static void run_fma_roof(void *user) {
    const struct work *w = user;
    bench_fma_roof(flops_of(&w->size, w->kind));
}

static size_t outputs(void *user, struct bench_output *list) {
    const struct work *w = user;
    size_t n = w->size.sequences * w->size.length * w->size.head_dim;
    size_t width = n * w->size.heads, kv_width = n * w->size.kv_heads;
    if (w->kind == FORWARD) {
        list[0] = (struct bench_output){"out", width, w->out, NULL};
        return 1;
    }
    list[0] = (struct bench_output){"dq", width, w->dq, NULL};
    list[1] = (struct bench_output){"dk", kv_width, w->dk, NULL};
    list[2] = (struct bench_output){"dv", kv_width, w->dv, NULL};
    return 3;
}

int main(int argc, char **argv) {
    static const struct contestant contestants[] = {
        {.name = "mneme", .run = run_mneme},
        {.name = "fma_roof", .run = run_fma_roof},
    };
    static const struct bench_program program = {
        .name = "attention",
        .what = "causal attention against the arithmetic's limit",
        .n_cases = 2 * COUNT(shapes),
        .describe = describe,
        .set_up = set_up,
        .tear_down = tear_down,
        .outputs = outputs,
        .contestants = contestants,
        .n_contestants = COUNT(contestants),
    };
    return bench_main(&program, argc, argv);
}
