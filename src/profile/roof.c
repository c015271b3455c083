#include "profile/roof.h"

#include <assert.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/random.h"

/* Rows that a thread passes over at a time. */
#define ROW_BLOCK 64
/* 512 MiB: larger than any cache, and quick to fill. */
#define MEASURED_ROWS ((size_t)1 << 17)
#define MEASURED_READS ((size_t)1 << 16)
/* 128 MiB: larger than most. */
#define BRIEF_ROWS ((size_t)1 << 15)
#define BRIEF_READS ((size_t)1 << 14)
#define TURNS 5
/* A turn of arithmetic is made to last this long. */
#define TURN_SECONDS 0.02

double roof_run_fma(const struct simd_kernels *kernels, size_t threads, size_t steps) {
    size_t chains = kernels->gemm_rows * kernels->gemm_columns / 16;
#pragma omp parallel num_threads((int)threads)
    {
        float x[GEMM_MAX_ROWS * GEMM_MAX_COLUMNS] = {0};
        kernels->fma_chains(chains, steps, 0.5f, 0.25f, x);
    }
    return 2.0 * 16.0 * (double)chains * (double)steps * (double)threads;
}

mneme_status roof_table_open(struct roof_table *table, size_t n_rows, size_t n_reads,
                             mneme_error *error) {
    assert(n_rows % ROW_BLOCK == 0);
    *table = (struct roof_table){.n_rows = n_rows, .n_reads = n_reads};
    table->data = memory_allocate(n_rows, ROOF_ROW_FLOATS * sizeof *table->data);
    table->reads = memory_allocate(n_reads, sizeof *table->reads);
    if (table->data == NULL || table->reads == NULL) {
        roof_table_close(table);
        return error_set_memory(error, "measuring the memory's speed");
    }
    for (size_t i = 0; i < n_reads; i++) {
        table->reads[i] = (int32_t)random_below(1, 0, i, (uint32_t)n_rows);
    }
    return MNEME_OK;
}

void roof_table_close(struct roof_table *table) {
    free(table->data);
    free(table->reads);
    *table = (struct roof_table){0};
}

static void read_block(const float *block) {
    int32_t rows[ROW_BLOCK];
    for (int32_t i = 0; i < ROW_BLOCK; i++) rows[i] = i;
    simd()->sum_rows(ROW_BLOCK, ROOF_ROW_FLOATS, rows, block);
}

static void update_block(float *block) {
    static const float zeros[ROOF_ROW_FLOATS];
    for (size_t i = 0; i < ROW_BLOCK; i++) {
        simd()->add(ROOF_ROW_FLOATS, zeros, block + i * ROOF_ROW_FLOATS);
    }
}

static void pass_blocks(enum roof_pass pass, const struct roof_table *table, size_t threads) {
    size_t floats = (size_t)ROW_BLOCK * ROOF_ROW_FLOATS;
#pragma omp parallel for schedule(static) num_threads((int)threads)
    for (size_t b = 0; b < table->n_rows / ROW_BLOCK; b++) {
        float *block = table->data + b * floats;
        if (pass == ROOF_READ) {
            read_block(block);
        } else if (pass == ROOF_WRITE) {
            memset(block, 0, floats * sizeof *block);
        } else {
            update_block(block);
        }
    }
}

static void read_random_rows(const struct roof_table *table, size_t threads) {
    size_t blocks = (table->n_reads + ROW_BLOCK - 1) / ROW_BLOCK;
#pragma omp parallel for schedule(static) num_threads((int)threads)
    for (size_t b = 0; b < blocks; b++) {
        size_t first = b * ROW_BLOCK, left = table->n_reads - first;
        simd()->sum_rows(left < ROW_BLOCK ? left : ROW_BLOCK, ROOF_ROW_FLOATS, table->reads + first,
                         table->data);
    }
}

double roof_run_pass(enum roof_pass pass, const struct roof_table *table, size_t threads) {
    double row = ROOF_ROW_FLOATS * sizeof *table->data;
    if (pass == ROOF_ROWS) {
        read_random_rows(table, threads);
        return row * (double)table->n_reads;
    }
    pass_blocks(pass, table, threads);
    return row * (double)table->n_rows * (pass == ROOF_UPDATE ? 2.0 : 1.0);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* The first turns are short, until one lasts long enough to be counted. */
static double measure_fma(size_t threads) {
    double best = 0.0;
    size_t steps = 1000;
    for (int turn = 0; turn < TURNS;) {
        double start = now(), operations = roof_run_fma(simd(), threads, steps);
        double seconds = now() - start;
        if (seconds < TURN_SECONDS) {
            steps *= 2;
            continue;
        }
        if (operations / seconds > best) best = operations / seconds;
        turn++;
    }
    return 1e-9 * best;
}

static double measure_pass(enum roof_pass pass, const struct roof_table *table, size_t threads) {
    double best = 0.0;
    for (int turn = 0; turn < TURNS; turn++) {
        double start = now(), bytes = roof_run_pass(pass, table, threads);
        double speed = bytes / (now() - start);
        if (speed > best) best = speed;
    }
    return 1e-9 * best;
}

static mneme_status measure(struct machine_roof *roof, size_t rows, size_t reads,
                            mneme_error *error) {
    struct roof_table table;
    size_t threads = (size_t)omp_get_max_threads();
    TRY(roof_table_open(&table, rows, reads, error));
    *roof = (struct machine_roof){
        .threads = threads,
        .gflops = measure_fma(threads),
        .read_gb_per_second = measure_pass(ROOF_READ, &table, threads),
        .write_gb_per_second = measure_pass(ROOF_WRITE, &table, threads),
        .update_gb_per_second = measure_pass(ROOF_UPDATE, &table, threads),
        .rows_gb_per_second = measure_pass(ROOF_ROWS, &table, threads),
    };
    roof_table_close(&table);
    return MNEME_OK;
}

mneme_status roof_measure(struct machine_roof *roof, mneme_error *error) {
    return measure(roof, MEASURED_ROWS, MEASURED_READS, error);
}

mneme_status roof_measure_briefly(struct machine_roof *roof, mneme_error *error) {
    return measure(roof, BRIEF_ROWS, BRIEF_READS, error);
}
