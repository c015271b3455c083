/* Product-key lookup, from queries to slots and weights, and its parts: the products of queries and
 * keys, top-k of each half, the combination of two halves. The limit of the products, and so of the
 * whole, is arithmetic; plain loops show what the other parts cost without vectors. */

#include <stdio.h>
#include <stdlib.h>

#include "nn/product_key.h"
#include "perf/common/bench.h"
#include "simd/simd.h"

enum kind { PRODUCTS, TOPK, COMBINE, LOOKUP };
static const char *const kind_names[] = {"products", "topk", "combine", "lookup"};

#define COUNT(list) (sizeof(list) / sizeof *(list))
#define SEED_QUERY 1
#define SEED_KEYS 2
#define SEED_SCORES 3

struct lookup_case {
    enum kind kind;
    size_t tokens, n_keys, k_dim, knn;
};

#define HEADS ((size_t)4)

/* n_keys of 128, 256, 512 and 1,024 are 16K, 64K, 256K and 1M slots. */
static const struct lookup_case cases[] = {
    {LOOKUP, 4096, 128, 512, 32},   {LOOKUP, 4096, 256, 512, 32},    {LOOKUP, 4096, 512, 512, 32},
    {LOOKUP, 4096, 1024, 512, 32},  {LOOKUP, 2048, 128, 64, 8},      {LOOKUP, 2048, 256, 256, 32},
    {LOOKUP, 64, 1024, 512, 32},    {PRODUCTS, 4096, 128, 512, 32},  {PRODUCTS, 4096, 256, 512, 32},
    {PRODUCTS, 4096, 512, 512, 32}, {PRODUCTS, 4096, 1024, 512, 32}, {TOPK, 1024, 128, 0, 32},
    {TOPK, 1024, 256, 0, 32},       {TOPK, 1024, 512, 0, 32},        {TOPK, 1024, 1024, 0, 32},
    {TOPK, 4096, 1024, 0, 32},      {TOPK, 1024, 1024, 0, 8},        {COMBINE, 4096, 1024, 0, 32},
    {COMBINE, 4096, 1024, 0, 8},
};

struct work {
    struct lookup_case c;
    struct product_key_shape shape;
    float *query, *keys, *packed;
    float *scores;          /* [tokens, heads, 2, n_keys]; of products [heads, 2, tokens, n_keys] */
    float *top_scores;      /* [tokens, heads, 2, knn] */
    int32_t *top_keys;      /* the same */
    float *sums;            /* [tokens, heads, knn] */
    struct key_pair *pairs; /* the same */
    int32_t *slots;         /* the same */
    struct product_key_reads reads;
    struct product_key_scratch lookup;
    struct matmul_scratch matmul;
};

static size_t n_lists(const struct lookup_case *c) {
    return c->tokens * HEADS * 2;
}

static void describe(size_t i, struct bench_case *c) {
    const struct lookup_case *l = &cases[i];
    double lists = (double)n_lists(l), scores = lists * (double)l->n_keys;
    double found = lists * (double)l->knn, weights = (double)(HEADS * l->n_keys * l->k_dim);
    bool products = l->kind == PRODUCTS || l->kind == LOOKUP;
    if (products) {
        snprintf(c->name, sizeof c->name, "%s/%zux%zu/k_dim%zu/knn%zu", kind_names[l->kind],
                 l->tokens, l->n_keys, l->k_dim, l->knn);
    } else {
        snprintf(c->name, sizeof c->name, "%s/%zux%zu/knn%zu", kind_names[l->kind],
                 n_lists(l) / (l->kind == TOPK ? 1 : 2), l->n_keys, l->knn);
    }
    c->flops = products ? scores * (double)l->k_dim : 0.0;
    if (products) c->bytes = 4.0 * (lists * (double)l->k_dim / 2.0 + weights);
    if (l->kind == PRODUCTS || l->kind == TOPK) c->bytes += 4.0 * scores;
    if (l->kind != PRODUCTS) c->bytes += 8.0 * found;
    c->quick = l->n_keys <= 256;
    bench_text(c, "kind", kind_names[l->kind]);
    bench_number(c, "tokens", l->tokens);
    bench_number(c, "rows", n_lists(l));
    bench_number(c, "heads", HEADS);
    bench_number(c, "n_keys", l->n_keys);
    bench_number(c, "slots", l->n_keys * l->n_keys);
    bench_number(c, "k_dim", l->k_dim);
    bench_number(c, "knn", l->knn);
    bench_number(c, "seed_query", SEED_QUERY);
    bench_number(c, "seed_keys", SEED_KEYS);
    bench_number(c, "seed_scores", SEED_SCORES);
}

static void open_products(struct work *w) {
    const struct product_key_shape *s = &w->shape;
    mneme_error error;
    w->query = bench_floats(n_lists(&w->c) * s->half, SEED_QUERY);
    w->keys = bench_floats(HEADS * 2 * s->n_keys * s->half, SEED_KEYS);
    w->packed = bench_allocate(product_key_packed_size(s), sizeof(float));
    product_key_pack(s, w->keys, w->packed);
    if (product_key_scratch_open(&w->lookup, s, &error) != MNEME_OK ||
        matmul_scratch_open(&w->matmul, &error) != MNEME_OK) {
        bench_stop("perf_lookup: %s", error.message);
    }
}

static bool topk(struct work *w) {
    bool numbers = true;
#pragma omp parallel for schedule(static) reduction(& : numbers)
    for (size_t i = 0; i < n_lists(&w->c); i++) {
        numbers &= simd()->topk_row(w->c.n_keys, w->scores + i * w->c.n_keys, w->c.knn,
                                    w->top_scores + i * w->c.knn, w->top_keys + i * w->c.knn);
    }
    return numbers;
}

static void *set_up(size_t i) {
    struct work *w = bench_allocate(1, sizeof *w);
    const struct lookup_case *c = &cases[i];
    size_t found = n_lists(c) / 2 * c->knn;
    w->c = *c;
    w->shape = (struct product_key_shape){HEADS, c->n_keys, c->k_dim / 2, c->knn};
    if (c->kind == PRODUCTS || c->kind == LOOKUP) open_products(w);
    w->scores = bench_floats(n_lists(c) * c->n_keys, SEED_SCORES);
    w->top_scores = bench_allocate(2 * found, sizeof(float));
    w->top_keys = bench_allocate(2 * found, sizeof(int32_t));
    w->sums = bench_allocate(found, sizeof(float));
    w->pairs = bench_allocate(found, sizeof *w->pairs);
    w->slots = bench_allocate(found, sizeof(int32_t));
    w->reads = (struct product_key_reads){w->slots, bench_allocate(found, sizeof(int32_t)),
                                          bench_allocate(found, sizeof(int32_t)), w->sums};
    if (c->kind == COMBINE && !topk(w)) bench_stop("perf_lookup: a score is not a number");
    return w;
}

static void tear_down(void *user) {
    struct work *w = user;
    product_key_scratch_close(&w->lookup);
    matmul_scratch_close(&w->matmul);
    free(w->query);
    free(w->keys);
    free(w->packed);
    free(w->scores);
    free(w->top_scores);
    free(w->top_keys);
    free(w->sums);
    free(w->pairs);
    free(w->slots);
    free(w->reads.rows);
    free(w->reads.columns);
    free(w);
}

/* scores [heads, 2, tokens, n_keys], a matrix product each. */
static void products(struct work *w) {
    const struct product_key_shape *s = &w->shape;
    size_t stride = HEADS * 2 * s->half;
    size_t packed_size = matmul_packed_size(s->half, s->n_keys);
    for (size_t table = 0; table < HEADS * 2; table++) {
        struct matrix q = matrix_rows(w->query + table * s->half, stride);
        struct matrix k = matrix_transposed(w->keys + table * s->n_keys * s->half, s->half);
        k.packed = w->packed + table * packed_size;
        matmul(&w->matmul, w->c.tokens, s->n_keys, s->half, q, k,
               w->scores + table * w->c.tokens * s->n_keys, s->n_keys, false);
    }
}

static bool combine(struct work *w) {
    size_t knn = w->c.knn;
    bool numbers = true;
#pragma omp parallel for schedule(static) reduction(& : numbers)
    for (size_t i = 0; i < w->c.tokens * HEADS; i++) {
        const float *scores = w->top_scores + 2 * i * knn;
        const int32_t *keys = w->top_keys + 2 * i * knn;
        numbers &= simd()->product_key_topk(knn, w->c.n_keys, scores, keys, scores + knn,
                                            keys + knn, w->sums + i * knn, w->pairs + i * knn);
    }
    return numbers;
}

static void run_mneme(void *user) {
    struct work *w = user;
    bool numbers = true;
    if (w->c.kind == PRODUCTS) {
        products(w);
    } else if (w->c.kind == TOPK) {
        numbers = topk(w);
    } else if (w->c.kind == COMBINE) {
        numbers = combine(w);
    } else {
        numbers = product_key_forward(&w->lookup, &w->shape, w->c.tokens, w->query, w->keys,
                                      w->packed, &w->reads);
    }
    if (!numbers) bench_stop("perf_lookup: a score is not a number");
}

static void run_fma_roof(void *user) {
    const struct work *w = user;
    bench_fma_roof((double)(n_lists(&w->c) * w->c.n_keys) * (double)w->c.k_dim);
}

/* Keeps the k best of the scores seen so far, best first, the earlier of equal ones. */
static size_t insert(size_t k, size_t n, float score, int32_t index, float *best,
                     int32_t *indices) {
    if (n == k && !(score > best[k - 1])) return n;
    size_t place = n < k ? n : k - 1;
    for (; place > 0 && score > best[place - 1]; place--) {
        best[place] = best[place - 1];
        indices[place] = indices[place - 1];
    }
    best[place] = score;
    indices[place] = index;
    return n < k ? n + 1 : n;
}

static void plain_topk(const struct work *w, size_t row) {
    size_t knn = w->c.knn, n_keys = w->c.n_keys, n = 0;
    for (size_t j = 0; j < n_keys; j++) {
        n = insert(knn, n, w->scores[row * n_keys + j], (int32_t)j, w->top_scores + row * knn,
                   w->top_keys + row * knn);
    }
}

static void plain_combine(const struct work *w, size_t i) {
    size_t knn = w->c.knn, n = 0;
    const float *scores = w->top_scores + 2 * i * knn;
    const int32_t *keys = w->top_keys + 2 * i * knn;
    for (size_t r = 0; r < knn; r++) {
        for (size_t c = 0; c < knn; c++) {
            int32_t slot = keys[r] * (int32_t)w->c.n_keys + keys[knn + c];
            n = insert(knn, n, scores[r] + scores[knn + c], slot, w->sums + i * knn,
                       w->slots + i * knn);
        }
    }
}

static void run_plain_loop(void *user) {
    const struct work *w = user;
    bool lists = w->c.kind == TOPK;
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < n_lists(&w->c) / (lists ? 1 : 2); i++) {
        if (lists) {
            plain_topk(w, i);
        } else {
            plain_combine(w, i);
        }
    }
}

static size_t outputs(void *user, struct bench_output *list) {
    struct work *w = user;
    size_t found = n_lists(&w->c) / 2 * w->c.knn;
    if (w->c.kind == PRODUCTS) {
        list[0] = (struct bench_output){"scores", n_lists(&w->c) * w->c.n_keys, w->scores, NULL};
        return 1;
    }
    if (w->c.kind == TOPK) {
        list[0] = (struct bench_output){"top_scores", 2 * found, w->top_scores, NULL};
        list[1] = (struct bench_output){"top_keys", 2 * found, NULL, w->top_keys};
        return 2;
    }
    if (w->c.kind == COMBINE) {
        for (size_t i = 0; i < found; i++) w->slots[i] = w->pairs[i].slot;
    }
    list[0] = (struct bench_output){w->c.kind == LOOKUP ? "weights" : "sums", found, w->sums, NULL};
    list[1] = (struct bench_output){"slots", found, NULL, w->slots};
    return 2;
}

int main(int argc, char **argv) {
    static const struct contestant contestants[] = {
        {.name = "mneme", .run = run_mneme},
        {.name = "fma_roof", .run = run_fma_roof, .only = "k_dim"},
        {.name = "plain_topk", .run = run_plain_loop, .only = "topk/"},
        {.name = "plain_combine", .run = run_plain_loop, .only = "combine/"},
    };
    static const struct bench_program program = {
        .name = "lookup",
        .what = "product-key lookup and its parts, against the arithmetic's limit and plain loops",
        .n_cases = COUNT(cases),
        .describe = describe,
        .set_up = set_up,
        .tear_down = tear_down,
        .outputs = outputs,
        .contestants = contestants,
        .n_contestants = COUNT(contestants),
    };
    return bench_main(&program, argc, argv);
}
