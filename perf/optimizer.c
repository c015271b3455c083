/* Optimizer steps over one tensor: AdamW (reads gradient, moments and parameter, writes all but the
 * gradient), SGD, and the gradient norm. The limit is memory: beside them a loop that moves the
 * same bytes with one addition each, and plain loops. */

#include "train/optimizer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "perf/common/bench.h"
#include "profile/roof.h"
#include "simd/simd.h"

enum kind { ADAMW, SGD, NORM };
static const char *const kind_names[] = {"adamw", "sgd", "norm"};

#define COUNT(list) (sizeof(list) / sizeof *(list))
#define SEED_PARAMETER 1
#define SEED_GRADIENT 2
#define LEARNING_RATE 1e-3f
/* Elements that a thread takes at a time. */
#define BLOCK ((size_t)16384)

static const struct optimizer_case {
    enum kind kind;
    size_t millions; /* of 2^20 elements */
} cases[] = {{ADAMW, 1}, {ADAMW, 16}, {ADAMW, 64}, {SGD, 1},  {SGD, 16},
             {SGD, 64},  {NORM, 1},   {NORM, 16},  {NORM, 64}};

struct work {
    enum kind kind;
    size_t n;
    struct parameter parameter;
    struct optimizer optimizer;
    float norm;
};

static const struct adamw_settings settings = {.beta1 = 0.9f,
                                               .beta2 = 0.95f,
                                               .eps = 1e-8f,
                                               .weight_decay = 0.1f,
                                               .values_weight_decay = 0.1f,
                                               .clip = 0.0f};

static void describe(size_t i, struct bench_case *c) {
    static const double floats_moved[] = {7.0, 3.0, 1.0}, operations[] = {15.0, 2.0, 2.0};
    enum kind kind = cases[i].kind;
    size_t n = cases[i].millions << 20;
    snprintf(c->name, sizeof c->name, "%s/%zuM", kind_names[kind], cases[i].millions);
    c->flops = operations[kind] * (double)n;
    c->bytes = 4.0 * floats_moved[kind] * (double)n;
    c->quick = cases[i].millions < 64;
    bench_text(c, "kind", kind_names[kind]);
    bench_number(c, "elements", n);
    bench_text(c, "lr", "1e-3");
    bench_text(c, "adamw", "beta1 0.9, beta2 0.95, eps 1e-8, weight decay 0.1");
    bench_number(c, "seed_parameter", SEED_PARAMETER);
    bench_number(c, "seed_gradient", SEED_GRADIENT);
}

static void *set_up(size_t i) {
    struct work *w = bench_allocate(1, sizeof *w);
    struct parameter *list[] = {&w->parameter};
    mneme_error error;
    w->kind = cases[i].kind;
    w->n = cases[i].millions << 20;
    w->parameter = (struct parameter){.name = "weight", .rank = 1, .shape = {w->n}, .count = w->n};
    w->parameter.data = bench_floats(w->n, SEED_PARAMETER);
    if (optimizer_open(&w->optimizer, &settings, list, 1, &error) != MNEME_OK) {
        bench_stop("perf_optimizer: %s", error.message);
    }
    float *gradient = bench_floats(w->n, SEED_GRADIENT);
    float *placed = gradient_of(&w->optimizer.gradients, &w->parameter);
#pragma omp parallel for schedule(static)
    for (size_t j = 0; j < w->n; j++) placed[j] = gradient[j];
    free(gradient);
    return w;
}

static void tear_down(void *user) {
    struct work *w = user;
    optimizer_close(&w->optimizer);
    free(w->parameter.data);
    free(w);
}

static void run_mneme(void *user) {
    struct work *w = user;
    struct parameter *p = &w->parameter;
    const float *gradient = gradient_of(&w->optimizer.gradients, p);
    if (w->kind == ADAMW) {
        optimizer_step(&w->optimizer, LEARNING_RATE, LEARNING_RATE,
                       (struct gradient_norms){1.0f, 1.0f});
    } else if (w->kind == NORM) {
        w->norm = optimizer_gradient_norms(&w->optimizer).common;
    } else {
#pragma omp parallel for schedule(static)
        for (size_t j = 0; j < w->n; j += BLOCK) {
            simd()->sgd_update(BLOCK, LEARNING_RATE, gradient + j, p->data + j);
        }
    }
}

/* The same bytes with as little arithmetic as there can be. */
static void run_touch_loop(void *user) {
    const struct work *w = user;
    const struct parameter *p = &w->parameter;
    const float *gradient = gradient_of(&w->optimizer.gradients, p);
    const struct moments moments = w->optimizer.moments[0];
    static const float zeros[BLOCK];
    static const int32_t rows[BLOCK / ROOF_ROW_FLOATS] = {0, 1, 2,  3,  4,  5,  6,  7,
                                                          8, 9, 10, 11, 12, 13, 14, 15};
#pragma omp parallel for schedule(static)
    for (size_t j = 0; j < w->n; j += BLOCK) {
        if (w->kind == NORM) {
            simd()->sum_rows(COUNT(rows), ROOF_ROW_FLOATS, rows, gradient + j);
            continue;
        }
        simd()->add(BLOCK, gradient + j, p->data + j);
        if (w->kind == SGD) continue;
        simd()->add(BLOCK, zeros, moments.first + j);
        simd()->add(BLOCK, zeros, moments.second + j);
    }
}

static void plain_adamw(const struct work *w) {
    const struct parameter *p = &w->parameter;
    const float *gradient = gradient_of(&w->optimizer.gradients, p);
    const struct moments moments = w->optimizer.moments[0];
    const struct adamw_settings *s = &settings;
    float keep = 1.0f - LEARNING_RATE * s->weight_decay;
#pragma omp parallel for schedule(static)
    for (size_t j = 0; j < w->n; j++) {
        float g = gradient[j];
        moments.first[j] = s->beta1 * moments.first[j] + (1.0f - s->beta1) * g;
        moments.second[j] = s->beta2 * moments.second[j] + (1.0f - s->beta2) * g * g;
        float change = moments.first[j] / (sqrtf(moments.second[j]) + s->eps);
        p->data[j] = keep * p->data[j] - LEARNING_RATE * change;
    }
}

static void run_plain_loop(void *user) {
    struct work *w = user;
    const struct parameter *p = &w->parameter;
    const float *gradient = gradient_of(&w->optimizer.gradients, p);
    if (w->kind == ADAMW) {
        plain_adamw(w);
    } else if (w->kind == SGD) {
#pragma omp parallel for schedule(static)
        for (size_t j = 0; j < w->n; j++) p->data[j] -= LEARNING_RATE * gradient[j];
    } else {
        float sum = 0.0f; /* in any order: a peer's, which is timed alone */
#pragma omp parallel for schedule(static) reduction(+ : sum)
        for (size_t j = 0; j < w->n; j++) sum += gradient[j] * gradient[j];
        w->norm = sqrtf(sum);
    }
}

/* The parameter as at first, moments of zero, no step taken. */
static void reset(void *user) {
    struct work *w = user;
    float *fresh = bench_floats(w->n, SEED_PARAMETER);
    for (size_t j = 0; j < w->n; j++) {
        w->parameter.data[j] = fresh[j];
        w->optimizer.moments[0].first[j] = 0.0f;
        w->optimizer.moments[0].second[j] = 0.0f;
    }
    free(fresh);
    w->optimizer.step = 0;
}

static size_t outputs(void *user, struct bench_output *list) {
    const struct work *w = user;
    list[0] = (struct bench_output){"parameter", w->n, w->parameter.data, NULL};
    if (w->kind == NORM) list[0] = (struct bench_output){"norm", 1, &w->norm, NULL};
    return 1;
}

int main(int argc, char **argv) {
    static const struct contestant contestants[] = {
        {.name = "mneme", .run = run_mneme},
        {.name = "touch_loop", .run = run_touch_loop},
        {.name = "plain_loop", .run = run_plain_loop},
    };
    static const struct bench_program program = {
        .name = "optimizer",
        .what = "optimizer steps against the memory's speed",
        .n_cases = COUNT(cases),
        .describe = describe,
        .set_up = set_up,
        .tear_down = tear_down,
        .reset = reset,
        .outputs = outputs,
        .contestants = contestants,
        .n_contestants = COUNT(contestants),
    };
    return bench_main(&program, argc, argv);
}
