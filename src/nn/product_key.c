#include "nn/product_key.h"

#include <omp.h>
#include <stdlib.h>

#include "base/memory.h"
#include "profile/profile.h"
#include "simd/simd.h"

/* Tokens whose scores against all sub-keys of a head a thread holds at a time. */
#define TOKEN_BLOCK 56
/* Tasks per thread, so that none waits long for another. */
#define TASKS_PER_THREAD 4

struct product_key_thread {
    struct matmul_scratch matmul;
    float *scores;                            /* [2, TOKEN_BLOCK, n_keys] */
    float *row_scores, *column_scores, *sums; /* [knn] each */
    int32_t *rows, *columns;                  /* [knn] each */
    struct key_pair *pairs;                   /* [knn] */
    struct arena arena;
};

static mneme_status thread_open(struct product_key_thread *thread,
                                const struct product_key_shape *shape, mneme_error *error) {
    const size_t knn = shape->knn;
    const struct arena_piece pieces[] = {
        {&thread->scores, 2 * TOKEN_BLOCK * shape->n_keys, sizeof(float)},
        {&thread->row_scores, knn, sizeof(float)},
        {&thread->column_scores, knn, sizeof(float)},
        {&thread->sums, knn, sizeof(float)},
        {&thread->rows, knn, sizeof(int32_t)},
        {&thread->columns, knn, sizeof(int32_t)},
        {&thread->pairs, knn, sizeof *thread->pairs}};
    TRY(arena_layout_scratch(&thread->arena, sizeof pieces / sizeof *pieces, pieces,
                             "product-key lookup", error));
    return matmul_scratch_open_serial(&thread->matmul, error);
}

static void thread_close(struct product_key_thread *thread) {
    matmul_scratch_close(&thread->matmul);
    arena_close(&thread->arena);
}

mneme_status product_key_scratch_open(struct product_key_scratch *scratch,
                                      const struct product_key_shape *shape, mneme_error *error) {
    scratch->n_threads = (size_t)omp_get_max_threads();
    scratch->threads = memory_allocate(scratch->n_threads, sizeof *scratch->threads);
    scratch->packed_size = product_key_packed_size(shape);
    scratch->packed = memory_allocate_scratch(scratch->packed_size, sizeof(float));
    mneme_status status = MNEME_OK;
    if (scratch->threads == NULL || scratch->packed == NULL) {
        status = error_set_memory(error, "product-key lookup");
    }
    for (size_t i = 0; status == MNEME_OK && i < scratch->n_threads; i++) {
        status = thread_open(&scratch->threads[i], shape, error);
    }
    if (status != MNEME_OK) product_key_scratch_close(scratch);
    return status;
}

void product_key_scratch_close(struct product_key_scratch *scratch) {
    for (size_t i = 0; scratch->threads != NULL && i < scratch->n_threads; i++) {
        thread_close(&scratch->threads[i]);
    }
    free(scratch->threads);
    memory_free_scratch(scratch->packed, scratch->packed_size, sizeof(float));
    *scratch = (struct product_key_scratch){0};
}

size_t product_key_packed_size(const struct product_key_shape *shape) {
    return shape->heads * 2 * matmul_serial_packed_size(shape->half, shape->n_keys);
}

void product_key_pack(const struct product_key_shape *shape, const float *keys, float *packed) {
    size_t size = matmul_serial_packed_size(shape->half, shape->n_keys);
    for (size_t table = 0; table < shape->heads * 2; table++) {
        const float *from = keys + table * shape->n_keys * shape->half;
        matmul_serial_pack(shape->half, shape->n_keys, matrix_transposed(from, shape->half),
                           packed + table * size);
    }
}

/* The knn slots of one (token, head) from the scores of its two halves. */
static bool choose_slots(const struct simd_kernels *kernels,
                         const struct product_key_thread *thread,
                         const struct product_key_shape *shape, const float *row_scores,
                         const float *column_scores, size_t place,
                         struct product_key_reads *reads) {
    size_t knn = shape->knn;
    if (!kernels->topk_row(shape->n_keys, row_scores, knn, thread->row_scores, thread->rows) ||
        !kernels->topk_row(shape->n_keys, column_scores, knn, thread->column_scores,
                           thread->columns) ||
        !kernels->product_key_topk(knn, shape->n_keys, thread->row_scores, thread->rows,
                                   thread->column_scores, thread->columns, thread->sums,
                                   thread->pairs)) {
        return false;
    }
    for (size_t r = 0; r < knn; r++) {
        reads->slots[place + r] = thread->pairs[r].slot;
        reads->rows[place + r] = thread->pairs[r].row;
        reads->columns[place + r] = thread->pairs[r].column;
        reads->weights[place + r] = thread->sums[r];
    }
    kernels->softmax_row(knn, reads->weights + place);
    return true;
}

/* One head of the tokens [first, first + count). */
static bool head_block(const struct simd_kernels *kernels, struct product_key_thread *thread,
                       const struct product_key_shape *shape, size_t first, size_t count,
                       size_t head, const float *query, const float *keys, const float *packed,
                       struct product_key_reads *reads) {
    size_t stride = shape->heads * 2 * shape->half, n_keys = shape->n_keys;
    size_t packed_size = matmul_serial_packed_size(shape->half, n_keys);
    float *row_scores = thread->scores, *column_scores = row_scores + TOKEN_BLOCK * n_keys;
    for (size_t part = 0; part < 2; part++) {
        size_t table = head * 2 + part;
        struct matrix q = matrix_rows(query + first * stride + table * shape->half, stride);
        struct matrix k = matrix_transposed(keys + table * n_keys * shape->half, shape->half);
        k.packed = packed + table * packed_size;
        matmul_serial(&thread->matmul, count, n_keys, shape->half, q, k,
                      part == 0 ? row_scores : column_scores, n_keys, false);
    }
    for (size_t i = 0; i < count; i++) {
        size_t place = ((first + i) * shape->heads + head) * shape->knn;
        if (!choose_slots(kernels, thread, shape, row_scores + i * n_keys,
                          column_scores + i * n_keys, place, reads)) {
            return false;
        }
    }
    return true;
}

bool product_key_forward(struct product_key_scratch *scratch, const struct product_key_shape *shape,
                         size_t n, const float *query, const float *keys, const float *packed,
                         struct product_key_reads *reads) {
    PROFILE(product_key_forward, n, shape->heads, shape->n_keys, shape->half, shape->knn);
    if (packed == NULL) {
        product_key_pack(shape, keys, scratch->packed);
        packed = scratch->packed;
    }
    size_t block = n / (scratch->n_threads * TASKS_PER_THREAD) + 1;
    if (block > TOKEN_BLOCK) block = TOKEN_BLOCK;
    const struct simd_kernels *kernels = simd();
    int failures = 0;
#pragma omp parallel for schedule(dynamic, 1) reduction(|           \
                                                        : failures) \
    num_threads((int)scratch->n_threads)
    for (size_t task = 0; task < (n + block - 1) / block * shape->heads; task++) {
        size_t first = task / shape->heads * block, head = task % shape->heads;
        size_t count = n - first < block ? n - first : block;
        failures |= !head_block(kernels, &scratch->threads[omp_get_thread_num()], shape, first,
                                count, head, query, keys, packed, reads);
    }
    return failures == 0;
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
    PROFILE(product_key_backward, n, shape->heads, half, knn, dquery != NULL);
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < n * shape->heads; i++) {
        float *dscores = dweights + i * knn;
        kernels->softmax_row_backward(knn, reads->weights + i * knn, dscores, dscores);
        if (dquery == NULL) continue;
        const float *tables = keys + i % shape->heads * 2 * shape->n_keys * half;
        kernels->gather_rows(knn, half, dscores, reads->rows + i * knn, stored_f32(tables),
                             dquery + i * 2 * half);
        kernels->gather_rows(knn, half, dscores, reads->columns + i * knn,
                             stored_f32(tables + shape->n_keys * half),
                             dquery + (i * 2 + 1) * half);
    }
    if (dkeys == NULL) return;
    size_t contributions = list_key_gradients(scatter, shape, n, reads, dweights);
    row_scatter_sort(scatter, contributions, shape->heads * 2 * shape->n_keys);
    row_scatter_add(scatter, half, query, half, dkeys);
}
