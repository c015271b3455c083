#include "perf/common/bench.h"

#include <math.h>
#include <omp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/random.h"
#include "profile/roof.h"

void bench_stop(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

double bench_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Seconds of one of `repeats` runs. */
static double turn(const struct contestant *contestant, void *work, size_t repeats) {
    double start = bench_now();
    for (size_t i = 0; i < repeats; i++) contestant->run(work);
    return (bench_now() - start) / (double)repeats;
}

void bench_compare(const struct bench_options *options, const struct contestant *contestants,
                   size_t n, void *work, double seconds[BENCH_MAX_CONTESTANTS]) {
    double *times = bench_allocate(n * options->rounds, sizeof *times);
    size_t repeats[BENCH_MAX_CONTESTANTS] = {0};
    for (size_t c = 0; c < n; c++) {
        if (contestants[c].run == NULL) continue;
        contestants[c].run(work); /* warms up */
        double once = turn(&contestants[c], work, 1);
        repeats[c] = once >= options->seconds ? 1 : (size_t)(options->seconds / once) + 1;
    }
    for (size_t round = 0; round < options->rounds; round++) {
        for (size_t i = 0; i < n; i++) {
            size_t c = (i + round) % n;
            if (contestants[c].run == NULL) continue;
            times[c * options->rounds + round] = turn(&contestants[c], work, repeats[c]);
        }
    }
    for (size_t c = 0; c < n; c++) {
        seconds[c] = NAN;
        if (contestants[c].run == NULL) continue;
        qsort(times + c * options->rounds, options->rounds, sizeof *times, compare);
        seconds[c] = times[c * options->rounds + options->rounds / 2];
    }
    free(times);
}

void *bench_allocate(size_t count, size_t size) {
    void *block = memory_allocate(count, size);
    if (block == NULL) bench_stop("out of memory for %zu elements of %zu bytes", count, size);
    return block;
}

float *bench_floats(size_t n, unsigned seed) {
    float *floats = bench_allocate(n, sizeof *floats);
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < n; i++) floats[i] = 2.0f * random_uniform(seed, 0, i) - 1.0f;
    return floats;
}

float *bench_table(size_t n, unsigned seed) {
    float *period = bench_floats(n < BENCH_TABLE_PERIOD ? n : BENCH_TABLE_PERIOD, seed);
    if (n <= BENCH_TABLE_PERIOD) return period;
    float *table = bench_allocate(n, sizeof *table);
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < n; i += BENCH_TABLE_PERIOD) {
        size_t count = n - i < BENCH_TABLE_PERIOD ? n - i : BENCH_TABLE_PERIOD;
        memcpy(table + i, period, count * sizeof *table);
    }
    free(period);
    return table;
}

int32_t *bench_indices(size_t n, unsigned seed, size_t bound, bool skewed) {
    int32_t *indices = bench_allocate(n, sizeof *indices);
    for (size_t i = 0; i < n; i++) {
        double d = 0x1p-32 * random_draw(seed, 0, i);
        for (int squaring = 0; skewed && squaring < 3; squaring++) d *= d;
        uint64_t index = (uint64_t)((double)bound * d);
        if (skewed) index = index * 2654435769u % bound;
        indices[i] = (int32_t)index;
    }
    return indices;
}

void bench_fma_roof(double flops) {
    size_t threads = (size_t)omp_get_max_threads();
    double step = 2.0 * (double)(simd()->gemm_rows * simd()->gemm_columns * threads);
    roof_run_fma(simd(), threads, (size_t)(flops / step) + 1);
}

static struct bench_parameter *add_parameter(struct bench_case *c, const char *name) {
    if (c->n_parameters == BENCH_MAX_PARAMETERS) bench_stop("%s: too many parameters", c->name);
    struct bench_parameter *parameter = &c->parameters[c->n_parameters++];
    parameter->name = name;
    return parameter;
}

void bench_number(struct bench_case *c, const char *name, size_t value) {
    add_parameter(c, name)->value = value;
}

void bench_text(struct bench_case *c, const char *name, const char *text) {
    add_parameter(c, name)->text = text;
}
