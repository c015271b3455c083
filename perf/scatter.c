/* Gradients of a memory layer's values: contributions (slot, weight, token) sorted by slot and
 * summed, into a dense table (scatter) or rows of their own (compact), and the update of sparse
 * memory finetuning (smf: sort, rank, sum the t best slots' gradients, SGD). What grows with the
 * contributions alone shows as equal times from 16K to 1M slots. Beside them plain loops, and loops
 * that only touch every row once. */

#include <stdlib.h>
#include <string.h>

#include "model/batch_reads.h"
#include "nn/row_scatter.h"
#include "perf/common/reads.h"
#include "simd/simd.h"
#include "smf/slot_ranking.h"

#define N_READS 128
#define N_TRAINABLE 500
#define LEARNING_RATE 0.01f
#define N_BATCHES 1000
/* The background: slot i was read by bench_indices(slots, seed, 64, false)[i] batches. */
#define SEED_BACKGROUND 5

enum kind { SORT, SCATTER, COMPACT, RANK, SMF };
static const char *const kind_names[] = {"sort", "scatter", "compact", "rank", "smf"};

#define COUNT(list) (sizeof(list) / sizeof *(list))

struct scatter_case {
    enum kind kind;
    struct reads_size size;
};

#define FOR_SLOTS(kind, v_dim)                               \
    {kind, {4096, N_READS, v_dim, 16 << 10, false}},         \
        {kind, {4096, N_READS, v_dim, 64 << 10, false}},     \
        {kind, {4096, N_READS, v_dim, 256 << 10, false}},    \
        {kind, {4096, N_READS, v_dim, 1024 << 10, false}}, { \
        kind, {                                              \
            4096, N_READS, v_dim, 1024 << 10, true           \
        }                                                    \
    }

static const struct scatter_case cases[] = {
    FOR_SLOTS(SORT, 128),    FOR_SLOTS(SCATTER, 128),  FOR_SLOTS(SCATTER, 1024),
    FOR_SLOTS(COMPACT, 128), FOR_SLOTS(COMPACT, 1024), FOR_SLOTS(RANK, 128),
    FOR_SLOTS(SMF, 128),     FOR_SLOTS(SMF, 1024),
};

struct work {
    struct scatter_case c;
    struct row_scatter scatter;
    float *source;   /* [tokens, v_dim] */
    float *gradient; /* scatter: [slots, v_dim]; compact: [groups, v_dim] */
    float *table;    /* smf: the values */
    struct background background;
    struct slot_ranking ranking;
    struct ranked_slot *ranked; /* [contributions] */
    size_t *chosen;             /* [contributions] groups */
    size_t n_chosen;
    int32_t *slot_group; /* [slots] the group of a slot, which plain loops are given */
    uint64_t *keys;      /* [contributions] for qsort */
};

static void describe(size_t i, struct bench_case *c) {
    const struct reads_size *size = &cases[i].size;
    enum kind kind = cases[i].kind;
    double n = (double)(size->tokens * size->n_reads), rows = (double)reads_distinct(size);
    double row = 4.0 * (double)size->v_dim, source = (double)size->tokens * row;
    reads_describe(kind_names[kind], size, c);
    c->bytes = 12.0 * n;
    if (kind == SCATTER) c->bytes += source + 2.0 * rows * row;
    if (kind == COMPACT) c->bytes += source + rows * row;
    if (kind == SMF) c->bytes += 2.0 * N_TRAINABLE * row;
    if (kind == SCATTER || kind == COMPACT) c->flops = 2.0 * n * (double)size->v_dim;
    c->quick = size->v_dim == 128 && size->slots == 64 << 10;
    bench_number(c, "distinct_slots", (size_t)rows);
    bench_number(c, "trainable", N_TRAINABLE);
    bench_number(c, "background_batches", N_BATCHES);
    bench_number(c, "seed_background", SEED_BACKGROUND);
}

static void list_contributions(struct work *w) {
    const struct reads_size *size = &w->c.size;
    int32_t *slots = reads_slots(size);
    float *weights = reads_weights(size);
    for (size_t e = 0; e < size->tokens * size->n_reads; e++) {
        w->scatter.rows[e] = slots[e];
        w->scatter.coefficients[e] = weights[e];
        w->scatter.sources[e] = (int32_t)(e / size->n_reads);
    }
    free(slots);
    free(weights);
}

static void sort(struct work *w) {
    row_scatter_sort(&w->scatter, w->scatter.capacity, w->c.size.slots);
}

static void rank(struct work *w) {
    slot_ranking_run(&w->ranking, 0, batch_reads_slots(&w->scatter), N_TRAINABLE, w->ranked);
}

static void open_target(struct work *w) {
    const struct reads_size *size = &w->c.size;
    size_t groups = w->scatter.n_groups;
    w->source = bench_floats(size->tokens * size->v_dim, READS_SEED_GRADIENT);
    if (w->c.kind == SCATTER) w->gradient = bench_allocate(size->slots * size->v_dim, 4);
    if (w->c.kind == COMPACT) w->gradient = bench_allocate(groups * size->v_dim, 4);
    if (w->c.kind == SMF) {
        w->gradient = bench_allocate(N_TRAINABLE * size->v_dim, 4);
        w->table = bench_table(size->slots * size->v_dim, READS_SEED_TABLE);
    }
}

static void *set_up(size_t i) {
    struct work *w = bench_allocate(1, sizeof *w);
    const struct reads_size *size = &cases[i].size;
    size_t n = size->tokens * size->n_reads;
    mneme_error error;
    w->c = cases[i];
    if (row_scatter_open(&w->scatter, n, &error) != MNEME_OK) {
        bench_stop("perf_scatter: %s", error.message);
    }
    list_contributions(w);
    sort(w);
    w->background = (struct background){
        .n_slots = size->slots,
        .n_batches = N_BATCHES,
        .batches_reading = bench_indices(size->slots, SEED_BACKGROUND, 64, false),
        .reads = bench_allocate(size->slots, sizeof *w->background.reads)};
    w->ranking = slot_ranking_make(SLOTS_TF_IDF, &w->background,
                                   (struct slot_range){0, w->background.n_slots}, 0);
    w->ranked = bench_allocate(n, sizeof *w->ranked);
    w->chosen = bench_allocate(n, sizeof *w->chosen);
    w->slot_group = bench_allocate(size->slots, sizeof *w->slot_group);
    w->keys = bench_allocate(n, sizeof *w->keys);
    for (size_t g = 0; g < w->scatter.n_groups; g++) {
        w->slot_group[w->scatter.group_rows[g]] = (int32_t)g;
        w->chosen[g] = g;
    }
    w->n_chosen = w->scatter.n_groups;
    open_target(w);
    return w;
}

static void tear_down(void *user) {
    struct work *w = user;
    row_scatter_close(&w->scatter);
    background_close(&w->background);
    free(w->source);
    free(w->gradient);
    free(w->table);
    free(w->ranked);
    free(w->chosen);
    free(w->slot_group);
    free(w->keys);
    free(w);
}

/* The update as smf/sparse_step.c makes it. */
static void smf(struct work *w) {
    size_t v_dim = w->c.size.v_dim;
    sort(w);
    rank(w);
    w->n_chosen = w->scatter.n_groups < N_TRAINABLE ? w->scatter.n_groups : N_TRAINABLE;
    for (size_t i = 0; i < w->n_chosen; i++) w->chosen[i] = w->ranked[i].group;
    row_scatter_compact(&w->scatter, w->n_chosen, w->chosen, v_dim, w->source, v_dim, w->gradient);
    for (size_t i = 0; i < w->n_chosen; i++) {
        size_t slot = (size_t)w->scatter.group_rows[w->chosen[i]];
        simd()->sgd_update(v_dim, LEARNING_RATE, w->gradient + i * v_dim, w->table + slot * v_dim);
    }
}

static void run_mneme(void *user) {
    struct work *w = user;
    size_t v_dim = w->c.size.v_dim;
    switch (w->c.kind) {
        case SORT:
            sort(w);
            break;
        case SCATTER:
            sort(w);
            row_scatter_add(&w->scatter, v_dim, w->source, v_dim, w->gradient);
            break;
        case COMPACT:
            sort(w);
            row_scatter_compact(&w->scatter, w->n_chosen, w->chosen, v_dim, w->source, v_dim,
                                w->gradient);
            break;
        case RANK:
            rank(w);
            break;
        default:
            smf(w);
    }
}

static int by_key(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void run_qsort(void *user) {
    struct work *w = user;
    for (size_t e = 0; e < w->scatter.capacity; e++) {
        w->keys[e] = (uint64_t)(uint32_t)w->scatter.rows[e] << 32 | e;
    }
    qsort(w->keys, w->scatter.capacity, sizeof *w->keys, by_key);
}

/* Contributions as they come, without a sort; each thread has columns of its own. The compact rows
 * are found through a table of all slots. */
static void run_plain_loop(void *user) {
    struct work *w = user;
    const struct row_scatter *s = &w->scatter;
    size_t v_dim = w->c.size.v_dim;
    bool compact = w->c.kind == COMPACT;
#pragma omp parallel for schedule(static)
    for (size_t part = 0; part < v_dim; part += 64) {
        for (size_t g = 0; compact && g < s->n_groups; g++) {
            memset(w->gradient + g * v_dim + part, 0, 64 * sizeof(float));
        }
        for (size_t e = 0; e < s->capacity; e++) {
            size_t row = (size_t)(compact ? w->slot_group[s->rows[e]] : s->rows[e]);
            const float *from = w->source + (size_t)s->sources[e] * v_dim + part;
            float *restrict to = w->gradient + row * v_dim + part, weight = s->coefficients[e];
            for (size_t j = 0; j < 64; j++) to[j] += weight * from[j];
        }
    }
}

/* Passes over every row that has a gradient once, in order, as if it had one contribution. */
static void run_touch_loop(void *user) {
    struct work *w = user;
    const struct row_scatter *s = &w->scatter;
    size_t v_dim = w->c.size.v_dim;
#pragma omp parallel for schedule(static)
    for (size_t g = 0; g < s->n_groups; g++) {
        const float *from = w->source + (size_t)s->sorted_sources[s->group_starts[g]] * v_dim;
        if (w->c.kind == COMPACT) {
            memcpy(w->gradient + g * v_dim, from, v_dim * sizeof *from);
        } else {
            simd()->add(v_dim, from, w->gradient + (size_t)s->group_rows[g] * v_dim);
        }
    }
}

/* The dense gradient is added to. */
static void reset(void *user) {
    struct work *w = user;
    if (w->c.kind != SCATTER) return;
    memset(w->gradient, 0, w->c.size.slots * w->c.size.v_dim * sizeof *w->gradient);
}

/* Sort and rank: the different slots, ascending or best first. */
static size_t outputs(void *user, struct bench_output *list) {
    struct work *w = user;
    size_t v_dim = w->c.size.v_dim, n = w->n_chosen;
    size_t rows = w->c.kind == SCATTER ? w->c.size.slots : n;
    if (w->c.kind == RANK) {
        n = n < N_TRAINABLE ? n : N_TRAINABLE;
        for (size_t i = 0; i < n; i++) w->chosen[i] = w->ranked[i].group;
    }
    for (size_t i = 0; i < n; i++) w->slot_group[i] = w->scatter.group_rows[w->chosen[i]];
    list[0] = (struct bench_output){"slots", n, NULL, w->slot_group};
    if (w->gradient == NULL) return 1;
    list[1] = (struct bench_output){"gradient", rows * v_dim, w->gradient, NULL};
    return 2;
}

int main(int argc, char **argv) {
    static const struct contestant contestants[] = {
        {.name = "mneme", .run = run_mneme},
        {.name = "qsort", .run = run_qsort, .only = "sort/"},
        {.name = "plain_loop", .run = run_plain_loop, .only = "scatter/|compact/"},
        {.name = "touch_loop", .run = run_touch_loop, .only = "scatter/|compact/"},
    };
    static const struct bench_program program = {
        .name = "scatter",
        .what = "gradients of a memory layer's values, and the sparse update",
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
