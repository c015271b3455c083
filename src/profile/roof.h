#ifndef PROFILE_ROOF_H
#define PROFILE_ROOF_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "simd/simd.h"

/* The machine's limits, measured: what all threads together can do at best with the instruction
 * set in use. GB are 10^9 bytes. */
struct machine_roof {
    size_t threads;
    double gflops;               /* fused multiply-adds in registers, two operations each */
    double read_gb_per_second;   /* a table far bigger than the caches, from end to end */
    double write_gb_per_second;  /* filling it */
    double update_gb_per_second; /* changing it in place: bytes read and bytes written */
    double rows_gb_per_second;   /* rows of 4 KiB of it, in random order */
};

/* The best of a few short turns of each, about a second in all. */
mneme_status roof_measure(struct machine_roof *roof, mneme_error *error);

/* The same in a few tenths of a second, less exactly and with little memory. */
mneme_status roof_measure_briefly(struct machine_roof *roof, mneme_error *error);

/* One turn's work, for those who measure otherwise. */

/* `steps` multiply-adds in each chain of as many as fit into registers, by each thread; returns
 * the operations. */
double roof_run_fma(const struct simd_kernels *kernels, size_t threads, size_t steps);

#define ROOF_ROW_FLOATS 1024

struct roof_table {
    size_t n_rows;
    float *data; /* [n_rows, ROOF_ROW_FLOATS] */
    size_t n_reads;
    int32_t *reads; /* [n_reads] random rows */
};

/* n_rows is a multiple of 64. */
mneme_status roof_table_open(struct roof_table *table, size_t n_rows, size_t n_reads,
                             mneme_error *error);
void roof_table_close(struct roof_table *table);

enum roof_pass { ROOF_READ, ROOF_WRITE, ROOF_UPDATE, ROOF_ROWS, ROOF_N_PASSES };

/* One pass over the table (ROOF_ROWS: over its reads); returns the bytes moved. */
double roof_run_pass(enum roof_pass pass, const struct roof_table *table, size_t threads);

#endif
