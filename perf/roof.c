/* The limits of the machine that the other benchmarks are measured against: arithmetic in registers
 * for every instruction set, and memory read, written, changed in place and read by random rows of
 * 4 KiB, on one thread and on all. */

#include "profile/roof.h"

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>

#include "perf/common/bench.h"

/* 4 GiB, the values of a big memory layer. */
#define TABLE_ROWS ((size_t)1 << 20)
#define TABLE_READS ((size_t)1 << 17)
#define FMA_STEPS ((size_t)1 << 16)

#define N_WORKS (SIMD_ISA_COUNT + ROOF_N_PASSES)
static const char *const pass_names[] = {"read", "write", "update", "rows"};

/* What is measured: arithmetic of an instruction set, or a pass over memory. */
struct work {
    const struct simd_kernels *kernels;
    size_t threads;
    enum roof_pass pass;
    bool arithmetic;
};

static struct work cases[2 * N_WORKS];
static size_t n_cases;
static struct roof_table table;

static void list_cases(size_t threads) {
    for (enum simd_isa isa = SIMD_ISA_SCALAR; isa < SIMD_ISA_COUNT; isa++) {
        const struct simd_kernels *kernels = simd_table(isa);
        if (kernels == NULL) continue;
        cases[n_cases++] = (struct work){kernels, threads, ROOF_READ, true};
    }
    for (enum roof_pass pass = ROOF_READ; pass < ROOF_N_PASSES; pass++) {
        cases[n_cases++] = (struct work){simd(), threads, pass, false};
    }
}

static double flops_of(const struct work *w) {
    const size_t chains = w->kernels->gemm_rows * w->kernels->gemm_columns / 16;
    return w->arithmetic ? 2.0 * 16.0 * (double)(chains * FMA_STEPS * w->threads) : 0.0;
}

static double bytes_of(const struct work *w) {
    double row = ROOF_ROW_FLOATS * sizeof(float);
    if (w->arithmetic) return 0.0;
    if (w->pass == ROOF_ROWS) return row * (double)TABLE_READS;
    return row * (double)TABLE_ROWS * (w->pass == ROOF_UPDATE ? 2.0 : 1.0);
}

static void describe(size_t i, struct bench_case *c) {
    const struct work *w = &cases[i];
    const char *name = w->arithmetic ? simd_isa_name(w->kernels->isa) : pass_names[w->pass];
    snprintf(c->name, sizeof c->name, "%s/%s/%zu", w->arithmetic ? "fma" : "memory", name,
             w->threads);
    c->flops = flops_of(w);
    c->bytes = bytes_of(w);
    c->quick = w->arithmetic;
    bench_text(c, "what", name);
    bench_number(c, "used_threads", w->threads);
}

/* The table serves all cases. */
static void *set_up(size_t i) {
    mneme_error error;
    if (!cases[i].arithmetic && table.data == NULL &&
        roof_table_open(&table, TABLE_ROWS, TABLE_READS, &error) != MNEME_OK) {
        bench_stop("perf_roof: %s", error.message);
    }
    return &cases[i];
}

static void tear_down(void *user) {
    (void)user;
}

static void run(void *user) {
    const struct work *w = user;
    if (w->arithmetic) {
        roof_run_fma(w->kernels, w->threads, FMA_STEPS);
    } else {
        roof_run_pass(w->pass, &table, w->threads);
    }
}

static size_t outputs(void *user, struct bench_output *list) {
    (void)user;
    (void)list;
    return 0;
}

int main(int argc, char **argv) {
    static const struct contestant contestants[] = {{.name = "mneme", .run = run}};
    size_t threads = (size_t)omp_get_max_threads();
    list_cases(1);
    if (threads > 1) list_cases(threads);
    const struct bench_program program = {
        .name = "roof",
        .what = "the machine's limits: arithmetic and memory",
        .n_cases = n_cases,
        .describe = describe,
        .set_up = set_up,
        .tear_down = tear_down,
        .outputs = outputs,
        .contestants = contestants,
        .n_contestants = 1,
    };
    int status = bench_main(&program, argc, argv);
    roof_table_close(&table);
    return status;
}
