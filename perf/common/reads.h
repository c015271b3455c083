#ifndef PERF_COMMON_READS_H
#define PERF_COMMON_READS_H

#include "perf/common/bench.h"

/* Reads of a memory layer's value table, as gather and scatter share them. */

struct reads_size {
    size_t tokens, n_reads, v_dim, slots; /* n_reads a token */
    bool skewed;                          /* some slots are read far more often (bench_indices) */
};

#define READS_SEED_SLOTS 1
#define READS_SEED_WEIGHTS 2
#define READS_SEED_TABLE 3
#define READS_SEED_GRADIENT 4

/* "KIND/4096x128x1024/1M", or "…/skewed-1M"; and the parameters. */
void reads_describe(const char *kind, const struct reads_size *size, struct bench_case *c);

/* Slots and weights [tokens, n_reads]. */
int32_t *reads_slots(const struct reads_size *size);
float *reads_weights(const struct reads_size *size);

/* Different slots among them. */
size_t reads_distinct(const struct reads_size *size);

/* The value table, the one of the last call if it is big enough; never freed. */
float *reads_table(const struct reads_size *size);

#endif
