/* The time of a pretraining step of one model: perf_step SHAPE STEPS prints a line per call with
 * the median in milliseconds, for scripts that take turns between builds. */

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/random.h"
#include "model/batch_builder.h"
#include "train/step.h"

struct shape {
    const char *name;
    struct model_config config;
    size_t sequences, length;
};

/* The recipe tiny; and one wide layer. */
static const struct shape shapes[] = {
    {"tiny",
     {.vocab_size = 768,
      .dim = 128,
      .n_layers = 4,
      .n_heads = 4,
      .n_kv_heads = 4,
      .multiple_of = 32,
      .max_seq_len = 64,
      .norm_eps = 1e-5f,
      .rope_theta = 10000.0f,
      .memory = {.n_layers = 1,
                 .layers = {2},
                 .n_keys = 128,
                 .heads = 4,
                 .knn = 8,
                 .k_dim = 64,
                 .v_dim = 128}},
     64,
     32},
    {"dim1024",
     {.vocab_size = 256,
      .dim = 1024,
      .n_layers = 1,
      .n_heads = 16,
      .n_kv_heads = 16,
      .multiple_of = 64,
      .max_seq_len = 256,
      .norm_eps = 1e-5f,
      .rope_theta = 10000.0f},
     4,
     256},
};

/* Everything that a step needs. */
struct bench {
    struct model model;
    struct optimizer optimizer;
    struct workspace workspace;
    struct batch_builder builder;
};

static void stop(const char *message) {
    fprintf(stderr, "perf_step: %s\n", message);
    exit(1);
}

static void fill(struct bench *bench, const struct shape *shape) {
    int32_t *tokens = malloc((shape->length + 1) * sizeof *tokens);
    if (tokens == NULL) stop("out of memory");
    for (size_t s = 0; s < shape->sequences; s++) {
        for (size_t i = 0; i <= shape->length; i++) {
            tokens[i] = (int32_t)random_below(1, s, i, (uint32_t)shape->config.vocab_size);
        }
        if (!batch_builder_add(&bench->builder, shape->length, tokens, tokens + 1, 0)) {
            stop("the batch does not fit");
        }
    }
    free(tokens);
}

static void set_up(struct bench *bench, const struct shape *shape) {
    const struct adamw_settings settings = {.beta1 = 0.9f,
                                            .beta2 = 0.95f,
                                            .eps = 1e-8f,
                                            .weight_decay = 0.1f,
                                            .values_weight_decay = 0.1f,
                                            .clip = 1.0f};
    size_t tokens = shape->sequences * shape->length, n;
    struct parameter **list;
    mneme_error error;
    if (model_open(&shape->config, &bench->model, &error) != MNEME_OK) stop(error.message);
    model_initialize(&bench->model, 1);
    if (optimizer_list_model(&bench->model, &list, &n, &error) != MNEME_OK ||
        optimizer_open(&bench->optimizer, &settings, list, n, &error) != MNEME_OK ||
        workspace_open(&bench->workspace, &bench->model, tokens, true, &error) != MNEME_OK ||
        batch_builder_open(&bench->builder, tokens, &error) != MNEME_OK) {
        stop(error.message);
    }
    free(list);
    fill(bench, shape);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return 1e3 * (double)time.tv_sec + 1e-6 * (double)time.tv_nsec;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median_step(struct bench *bench, size_t steps) {
    struct batch batch = batch_builder_whole(&bench->builder);
    double *times = malloc(steps * sizeof *times);
    if (times == NULL) stop("out of memory");
    for (size_t i = 0; i <= steps; i++) {
        struct step_result result;
        mneme_error error;
        double start = now();
        if (step_run(&bench->model, &bench->workspace, &bench->optimizer, &batch, 1, 0, 1e-4f,
                     1e-4f, &result, &error) != MNEME_OK) {
            stop(error.message);
        }
        if (i > 0) times[i - 1] = now() - start; /* the first warms up */
    }
    qsort(times, steps, sizeof *times, compare);
    double median = times[steps / 2];
    free(times);
    return median;
}

int main(int argc, char **argv) {
    const struct shape *shape = NULL;
    size_t steps = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        if (argc == 3 && strcmp(argv[1], shapes[i].name) == 0) shape = &shapes[i];
    }
    if (shape == NULL || steps == 0) {
        fputs("usage: perf_step tiny|dim1024 STEPS\n", stderr);
        return 2;
    }
    struct bench bench = {0};
    set_up(&bench, shape);
    printf("{\"shape\": \"%s\", \"threads\": %d, \"step_ms\": %.4f}\n", shape->name,
           omp_get_max_threads(), median_step(&bench, steps));
    batch_builder_close(&bench.builder);
    workspace_close(&bench.workspace);
    optimizer_close(&bench.optimizer);
    model_close(&bench.model);
    return 0;
}
