#include "nn/attention.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "profile/profile.h"
#include "simd/simd.h"

static size_t padded(size_t positions) {
    return (positions + ATTENTION_KEY_BLOCK - 1) / ATTENTION_KEY_BLOCK * ATTENTION_KEY_BLOCK;
}

static mneme_status thread_open(struct attention_thread *thread, size_t positions, size_t head_dim,
                                mneme_error *error) {
    const struct arena_piece pieces[] = {{&thread->weights, positions, positions * sizeof(float)},
                                         {&thread->gradients, positions, positions * sizeof(float)},
                                         {&thread->keys, positions, head_dim * sizeof(float)}};
    TRY(arena_layout(&thread->arena, sizeof pieces / sizeof *pieces, pieces, "attention", error));
    return matmul_scratch_open_serial(&thread->matmul, error);
}

mneme_status attention_scratch_open(struct attention_scratch *scratch,
                                    const struct attention_shape *shape, mneme_error *error) {
    scratch->n_threads = (size_t)omp_get_max_threads();
    scratch->threads = memory_allocate(scratch->n_threads, sizeof *scratch->threads);
    mneme_status status =
        scratch->threads == NULL ? error_set_memory(error, "attention") : MNEME_OK;
    for (size_t i = 0; status == MNEME_OK && i < scratch->n_threads; i++) {
        status =
            thread_open(&scratch->threads[i], padded(shape->max_positions), shape->head_dim, error);
    }
    if (status != MNEME_OK) attention_scratch_close(scratch);
    return status;
}

void attention_scratch_close(struct attention_scratch *scratch) {
    for (size_t i = 0; scratch->threads != NULL && i < scratch->n_threads; i++) {
        arena_close(&scratch->threads[i].arena);
        matmul_scratch_close(&scratch->threads[i].matmul);
    }
    free(scratch->threads);
    *scratch = (struct attention_scratch){0};
}

static struct attention_thread *own_thread(const struct attention_scratch *scratch) {
    return &scratch->threads[omp_get_thread_num()];
}

/* keys [head_dim, stride] := transpose of `length` rows of k, from column `first` on. */
static void transpose_keys(size_t length, size_t head_dim, const float *k, size_t k_stride,
                           size_t first, float *keys, size_t stride) {
    for (size_t j = 0; j < length; j++) {
        for (size_t d = 0; d < head_dim; d++) keys[d * stride + first + j] = k[j * k_stride + d];
    }
}

/* What is the same for all rows of one head of one sequence. */
static struct attention_rows head_rows(const struct attention_shape *shape, size_t length,
                                       const float *q) {
    return (struct attention_rows){.n_rows = length,
                                   .head_dim = shape->head_dim,
                                   .scale = 1.0f / sqrtf((float)shape->head_dim),
                                   .queries = q,
                                   .query_stride = shape->heads * shape->head_dim,
                                   .output_stride = shape->heads * shape->head_dim};
}

/* One head of one sequence, whose first token is q, k, v; out may be NULL for the weights alone. */
static void forward_head(struct attention_thread *thread, const struct attention_shape *shape,
                         size_t length, const float *q, const float *k, const float *v,
                         float *out) {
    size_t kv_stride = shape->kv_heads * shape->head_dim, stride = padded(length);
    transpose_keys(length, shape->head_dim, k, kv_stride, 0, thread->keys, stride);
    struct attention_rows rows = head_rows(shape, length, q);
    rows.keys = thread->keys;
    rows.key_stride = stride;
    rows.values = v;
    rows.value_stride = kv_stride;
    rows.weights = thread->weights;
    rows.weight_stride = stride;
    rows.output = out;
    simd()->attention_forward(&rows);
}

/* For the profile alone: pairs of a query and a key that it sees; keys of all sequences. */
static size_t count_pairs(size_t n_sequences, const size_t *starts, const size_t *pasts) {
    size_t pairs = 0;
    for (size_t s = 0; profile_is_watched() && s < n_sequences; s++) {
        size_t length = starts[s + 1] - starts[s], past = pasts == NULL ? 0 : pasts[s];
        pairs += length * past + length * (length + 1) / 2;
    }
    return pairs;
}

static size_t count_cached(size_t n_sequences, const size_t *starts, const size_t *pasts) {
    size_t keys = starts[n_sequences];
    for (size_t s = 0; profile_is_watched() && s < n_sequences; s++) keys += pasts[s];
    return keys;
}

void attention_forward(struct attention_scratch *scratch, const struct attention_shape *shape,
                       size_t n_sequences, const size_t *starts, const float *q, const float *k,
                       const float *v, float *out) {
    const size_t group = shape->heads / shape->kv_heads;
    PROFILE(attention_forward, starts[n_sequences], shape->heads, shape->kv_heads, shape->head_dim,
            count_pairs(n_sequences, starts, NULL));
#pragma omp parallel for schedule(dynamic, 4) collapse(2) num_threads((int)scratch->n_threads)
    for (size_t s = 0; s < n_sequences; s++) {
        for (size_t h = 0; h < shape->heads; h++) {
            size_t row = (starts[s] * shape->heads + h) * shape->head_dim;
            size_t kv_row = (starts[s] * shape->kv_heads + h / group) * shape->head_dim;
            forward_head(own_thread(scratch), shape, starts[s + 1] - starts[s], q + row, k + kv_row,
                         v + kv_row, out + row);
        }
    }
}

/* dS = scale * P * (dP - sum(P dP)), row by row, zero above the diagonal. */
static void score_gradients(size_t length, size_t stride, float scale, const float *weights,
                            float *gradients) {
    const struct simd_kernels *kernels = simd();
    for (size_t i = 0; i < length; i++) {
        float *row = gradients + i * stride;
        kernels->softmax_row_backward(i + 1, weights + i * stride, row, row);
        for (size_t j = 0; j <= i; j++) row[j] *= scale;
        for (size_t j = i + 1; j < length; j++) row[j] = 0.0f;
    }
}

/* One head of one sequence; dk and dv continue when `accumulate`. */
static void backward_head(struct attention_thread *thread, const struct attention_shape *shape,
                          size_t length, const float *q, const float *k, const float *v,
                          const float *dout, float *dq, float *dk, float *dv, bool accumulate) {
    size_t width = shape->heads * shape->head_dim, kv_width = shape->kv_heads * shape->head_dim;
    size_t d = shape->head_dim, stride = padded(length);
    float *weights = thread->weights, *gradients = thread->gradients;
    forward_head(thread, shape, length, q, k, v, NULL);
    matmul_serial(&thread->matmul, length, d, length, matrix_transposed(weights, stride),
                  matrix_rows(dout, width), dv, kv_width, accumulate);
    matmul_serial(&thread->matmul, length, length, d, matrix_rows(dout, width),
                  matrix_transposed(v, kv_width), gradients, stride, false);
    score_gradients(length, stride, 1.0f / sqrtf((float)d), weights, gradients);
    matmul_serial(&thread->matmul, length, d, length, matrix_rows(gradients, stride),
                  matrix_rows(k, kv_width), dq, width, false);
    matmul_serial(&thread->matmul, length, d, length, matrix_transposed(gradients, stride),
                  matrix_rows(q, width), dk, kv_width, accumulate);
}

void attention_backward(struct attention_scratch *scratch, const struct attention_shape *shape,
                        size_t n_sequences, const size_t *starts, const float *q, const float *k,
                        const float *v, const float *dout, float *dq, float *dk, float *dv) {
    const size_t group = shape->heads / shape->kv_heads;
    PROFILE(attention_backward, starts[n_sequences], shape->heads, shape->kv_heads, shape->head_dim,
            count_pairs(n_sequences, starts, NULL));
#pragma omp parallel for schedule(dynamic, 2) collapse(2) num_threads((int)scratch->n_threads)
    for (size_t s = 0; s < n_sequences; s++) {
        for (size_t kv = 0; kv < shape->kv_heads; kv++) {
            size_t kv_row = (starts[s] * shape->kv_heads + kv) * shape->head_dim;
            for (size_t i = 0; i < group; i++) {
                size_t row = (starts[s] * shape->heads + kv * group + i) * shape->head_dim;
                backward_head(own_thread(scratch), shape, starts[s + 1] - starts[s], q + row,
                              k + kv_row, v + kv_row, dout + row, dq + row, dk + kv_row,
                              dv + kv_row, i > 0);
            }
        }
    }
}

/* Appends the new tokens' keys and values of one key-value head to its cache. */
static void append(const struct attention_shape *shape, size_t length, size_t past, size_t stride,
                   const float *k, const float *v, float *keys, float *values) {
    size_t kv_width = shape->kv_heads * shape->head_dim;
    transpose_keys(length, shape->head_dim, k, kv_width, past, keys, stride);
    for (size_t j = 0; j < length; j++) {
        memcpy(values + (past + j) * shape->head_dim, v + j * kv_width,
               shape->head_dim * sizeof *v);
    }
}

void attention_forward_cached(struct attention_scratch *scratch,
                              const struct attention_shape *shape, size_t n_sequences,
                              const size_t *starts, const size_t *pasts, const size_t *rows,
                              const struct attention_cache *cache, const float *q, const float *k,
                              const float *v, float *out) {
    const size_t group = shape->heads / shape->kv_heads, d = shape->head_dim;
    PROFILE(attention_cached, starts[n_sequences], shape->heads, shape->kv_heads, d,
            count_pairs(n_sequences, starts, pasts), count_cached(n_sequences, starts, pasts));
    const struct simd_kernels *kernels = simd();
#pragma omp parallel for schedule(dynamic, 2) collapse(2) num_threads((int)scratch->n_threads)
    for (size_t s = 0; s < n_sequences; s++) {
        for (size_t kv = 0; kv < shape->kv_heads; kv++) {
            size_t length = starts[s + 1] - starts[s];
            size_t kv_row = (starts[s] * shape->kv_heads + kv) * d;
            size_t place = (rows[s] * shape->kv_heads + kv) * d * cache->stride;
            float *keys = cache->keys + place, *values = cache->values + place;
            append(shape, length, pasts[s], cache->stride, k + kv_row, v + kv_row, keys, values);
            for (size_t i = 0; i < group; i++) {
                size_t row = (starts[s] * shape->heads + kv * group + i) * d;
                struct attention_rows block = head_rows(shape, length, q + row);
                block.first_position = pasts[s];
                block.keys = keys;
                block.key_stride = cache->stride;
                block.values = values;
                block.value_stride = d;
                block.weights = own_thread(scratch)->weights;
                block.weight_stride = cache->stride;
                block.output = out + row;
                block.output_stride = shape->heads * d;
                kernels->attention_forward(&block);
            }
        }
    }
}
