#include "nn/product_key.h"

#include <omp.h>
#include <stdlib.h>

#include "base/memory.h"
#include "simd/simd.h"

/* Tokens whose scores against all sub-keys are held at a time: they stay in the cache. */
#define TOKEN_BLOCK 256

/* One thread's lists for one (token, head), laid out one after the other. */
struct lists {
    float *row_scores, *column_scores, *sums; /* [knn] each */
    int32_t *rows, *columns;                  /* [knn] each */
    struct key_pair *pairs;                   /* [knn] */
};

static struct lists own_lists(const struct product_key_scratch *scratch, size_t knn) {
    unsigned char *base = scratch->lists + (size_t)omp_get_thread_num() * scratch->list_bytes;
    float *floats = (float *)(void *)base;
    int32_t *integers = (int32_t *)(void *)(floats + 3 * knn);
    return (struct lists){.row_scores = floats,
                          .column_scores = floats + knn,
                          .sums = floats + 2 * knn,
                          .rows = integers,
                          .columns = integers + knn,
                          .pairs = (struct key_pair *)(void *)(integers + 2 * knn)};
}

mneme_status product_key_scratch_open(struct product_key_scratch *scratch,
                                      const struct product_key_shape *shape, mneme_error *error) {
    size_t bytes = shape->knn * (5 * sizeof(float) + sizeof(struct key_pair));
    scratch->list_bytes = (bytes + MEMORY_ALIGNMENT - 1) / MEMORY_ALIGNMENT * MEMORY_ALIGNMENT;
    scratch->n_threads = (size_t)omp_get_max_threads();
    scratch->block = TOKEN_BLOCK;
    scratch->lists = memory_allocate(scratch->n_threads, scratch->list_bytes);
    scratch->scores = memory_allocate(2 * TOKEN_BLOCK * shape->n_keys, sizeof(float));
    if (scratch->lists == NULL || scratch->scores == NULL) {
        product_key_scratch_close(scratch);
        return error_set_memory(error, "product-key lookup");
    }
    return MNEME_OK;
}

void product_key_scratch_close(struct product_key_scratch *scratch) {
    free(scratch->lists);
    free(scratch->scores);
    *scratch = (struct product_key_scratch){0};
}

/* The knn slots of one (token, head) from the scores of its two halves. */
static bool choose_slots(const struct lists *lists, const struct product_key_shape *shape,
                         const float *row_scores, const float *column_scores, size_t place,
                         struct product_key_reads *reads) {
    const struct simd_kernels *kernels = simd();
    size_t knn = shape->knn;
    if (!kernels->topk_row(shape->n_keys, row_scores, knn, lists->row_scores, lists->rows) ||
        !kernels->topk_row(shape->n_keys, column_scores, knn, lists->column_scores,
                           lists->columns) ||
        !kernels->product_key_topk(knn, shape->n_keys, lists->row_scores, lists->rows,
                                   lists->column_scores, lists->columns, lists->sums,
                                   lists->pairs)) {
        return false;
    }
    for (size_t r = 0; r < knn; r++) {
        reads->slots[place + r] = lists->pairs[r].slot;
        reads->rows[place + r] = lists->pairs[r].row;
        reads->columns[place + r] = lists->pairs[r].column;
        reads->weights[place + r] = lists->sums[r];
    }
    kernels->softmax_row(knn, reads->weights + place);
    return true;
}

/* One head of the tokens [first, first + count). */
static bool head_block(struct product_key_scratch *scratch, struct matmul_scratch *matmul_scratch,
                       const struct product_key_shape *shape, size_t first, size_t count,
                       size_t head, const float *query, const float *keys,
                       struct product_key_reads *reads) {
    size_t stride = shape->heads * 2 * shape->half, n_keys = shape->n_keys;
    float *row_scores = scratch->scores, *column_scores = row_scores + scratch->block * n_keys;
    for (size_t part = 0; part < 2; part++) {
        const float *q = query + first * stride + (head * 2 + part) * shape->half;
        const float *table = keys + (head * 2 + part) * n_keys * shape->half;
        matmul(matmul_scratch, count, n_keys, shape->half, matrix_rows(q, stride),
               matrix_transposed(table, shape->half), part == 0 ? row_scores : column_scores,
               n_keys, false);
    }
    int failures = 0;
#pragma omp parallel for schedule(static) reduction(|           \
                                                    : failures) \
    num_threads((int)scratch->n_threads)
    for (size_t i = 0; i < count; i++) {
        struct lists lists = own_lists(scratch, shape->knn);
        size_t place = ((first + i) * shape->heads + head) * shape->knn;
        failures |= !choose_slots(&lists, shape, row_scores + i * n_keys,
                                  column_scores + i * n_keys, place, reads);
    }
    return failures == 0;
}

bool product_key_forward(struct product_key_scratch *scratch, struct matmul_scratch *matmul,
                         const struct product_key_shape *shape, size_t n, const float *query,
                         const float *keys, struct product_key_reads *reads) {
    for (size_t first = 0; first < n; first += scratch->block) {
        size_t count = n - first < scratch->block ? n - first : scratch->block;
        for (size_t head = 0; head < shape->heads; head++) {
            if (!head_block(scratch, matmul, shape, first, count, head, query, keys, reads)) {
                return false;
            }
        }
    }
    return true;
}

/* Lists the contributions to the keys in the order (token, head, half, rank). */
static size_t list_key_gradients(struct row_scatter *scatter, const struct product_key_shape *shape,
                                 size_t n, const struct product_key_reads *reads,
                                 const float *dscores) {
    size_t e = 0;
    for (size_t i = 0; i < n * shape->heads; i++) {
        for (size_t part = 0; part < 2; part++) {
            const int32_t *chosen = (part == 0 ? reads->rows : reads->columns) + i * shape->knn;
            size_t table = (i % shape->heads * 2 + part) * shape->n_keys;
            for (size_t r = 0; r < shape->knn; r++, e++) {
                scatter->rows[e] = (int32_t)table + chosen[r];
                scatter->coefficients[e] = dscores[i * shape->knn + r];
                scatter->sources[e] = (int32_t)(i * 2 + part);
            }
        }
    }
    return e;
}

void product_key_backward(struct row_scatter *scatter, const struct product_key_shape *shape,
                          size_t n, const float *query, const float *keys,
                          const struct product_key_reads *reads, float *dweights, float *dquery,
                          float *dkeys) {
    const struct simd_kernels *kernels = simd();
    const size_t knn = shape->knn, half = shape->half;
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < n * shape->heads; i++) {
        float *dscores = dweights + i * knn;
        kernels->softmax_row_backward(knn, reads->weights + i * knn, dscores, dscores);
        if (dquery == NULL) continue;
        const float *tables = keys + i % shape->heads * 2 * shape->n_keys * half;
        kernels->gather_rows(knn, half, dscores, reads->rows + i * knn, tables,
                             dquery + i * 2 * half);
        kernels->gather_rows(knn, half, dscores, reads->columns + i * knn,
                             tables + shape->n_keys * half, dquery + (i * 2 + 1) * half);
    }
    if (dkeys == NULL) return;
    size_t contributions = list_key_gradients(scatter, shape, n, reads, dweights);
    row_scatter_sort(scatter, contributions, shape->heads * 2 * shape->n_keys);
    row_scatter_add(scatter, half, query, half, dkeys);
}
