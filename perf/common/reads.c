#include "perf/common/reads.h"

#include <stdio.h>
#include <stdlib.h>

void reads_describe(const char *kind, const struct reads_size *size, struct bench_case *c) {
    bool millions = size->slots >= (size_t)1 << 20;
    snprintf(c->name, sizeof c->name, "%s/%zux%zux%zu/%s%zu%c", kind, size->tokens, size->n_reads,
             size->v_dim, size->skewed ? "skewed-" : "", size->slots >> (millions ? 20 : 10),
             millions ? 'M' : 'K');
    bench_text(c, "kind", kind);
    bench_number(c, "tokens", size->tokens);
    bench_number(c, "reads", size->n_reads);
    bench_number(c, "v_dim", size->v_dim);
    bench_number(c, "slots", size->slots);
    bench_number(c, "skewed", size->skewed);
    bench_number(c, "seed_slots", READS_SEED_SLOTS);
    bench_number(c, "seed_weights", READS_SEED_WEIGHTS);
    bench_number(c, "seed_table", READS_SEED_TABLE);
    bench_number(c, "seed_gradient", READS_SEED_GRADIENT);
}

int32_t *reads_slots(const struct reads_size *size) {
    return bench_indices(size->tokens * size->n_reads, READS_SEED_SLOTS, size->slots, size->skewed);
}

float *reads_weights(const struct reads_size *size) {
    return bench_floats(size->tokens * size->n_reads, READS_SEED_WEIGHTS);
}

size_t reads_distinct(const struct reads_size *size) {
    int32_t *slots = reads_slots(size);
    bool *seen = bench_allocate(size->slots, sizeof *seen);
    size_t n = 0;
    for (size_t i = 0; i < size->tokens * size->n_reads; i++) {
        n += !seen[slots[i]];
        seen[slots[i]] = true;
    }
    free(seen);
    free(slots);
    return n;
}

float *reads_table(const struct reads_size *size) {
    static float *table;
    static size_t floats;
    size_t needed = size->slots * size->v_dim;
    if (needed > floats) {
        free(table);
        table = bench_table(needed, READS_SEED_TABLE);
        floats = needed;
    }
    return table;
}
