#include "nn/attention.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "profile/profile.h"
#include "simd/simd.h"

/* Weights of a block of queries, a quarter of a second-level cache; its rows, a multiple of what a
 * kernel takes at once and enough for a product to be worth its packing. */
#define BLOCK_WEIGHTS ((size_t)1 << 16)
#define BLOCK_UNIT 4
#define LEAST_BLOCK 32

static size_t padded(size_t positions) {
    return (positions + ATTENTION_KEY_BLOCK - 1) / ATTENTION_KEY_BLOCK * ATTENTION_KEY_BLOCK;
}

/* Queries that are taken together: a function of the length alone, as a block's sums end with the
 * last key that one of them sees. Short sequences are one block. */
static size_t query_block(size_t length) {
    size_t rows = BLOCK_WEIGHTS / padded(length) / BLOCK_UNIT * BLOCK_UNIT;
    return rows < LEAST_BLOCK ? LEAST_BLOCK : rows;
}

/* A thread's weights of any sequence of at most that many positions. */
static size_t most_weights(size_t positions) {
    size_t longest = query_block(positions) * padded(positions);
    return longest > BLOCK_WEIGHTS ? longest : BLOCK_WEIGHTS;
}

/* The room of a pass over short sequences is a matrix of theirs, not a whole block. */
static size_t weights_room(size_t positions) {
    size_t rows = (positions + BLOCK_UNIT - 1) / BLOCK_UNIT * BLOCK_UNIT;
    size_t matrix;
    if (!size_multiply(rows, padded(positions), &matrix)) return most_weights(positions);
    return matrix < most_weights(positions) ? matrix : most_weights(positions);
}

static mneme_status thread_open(struct attention_thread *thread,
                                const struct attention_shape *shape, bool cached,
                                mneme_error *error) {
    const size_t positions = shape->max_positions, weights = weights_room(positions);
    const size_t keys = cached ? 0 : padded(positions);
    const struct arena_piece pieces[] = {{&thread->weights, weights, sizeof(float)},
                                         {&thread->gradients, cached ? 0 : weights, sizeof(float)},
                                         {&thread->keys, keys, shape->head_dim * sizeof(float)}};
    TRY(arena_layout_scratch(&thread->arena, sizeof pieces / sizeof *pieces, pieces, "attention",
                             error));
    return cached ? MNEME_OK : matmul_scratch_open_serial(&thread->matmul, error);
}

static mneme_status open_scratch(struct attention_scratch *scratch,
                                 const struct attention_shape *shape, bool cached,
                                 mneme_error *error) {
    scratch->n_threads = (size_t)omp_get_max_threads();
    scratch->threads = memory_allocate(scratch->n_threads, sizeof *scratch->threads);
    mneme_status status =
        scratch->threads == NULL ? error_set_memory(error, "attention") : MNEME_OK;
    for (size_t i = 0; status == MNEME_OK && i < scratch->n_threads; i++) {
        status = thread_open(&scratch->threads[i], shape, cached, error);
    }
    if (status != MNEME_OK) attention_scratch_close(scratch);
    return status;
}

mneme_status attention_scratch_open(struct attention_scratch *scratch,
                                    const struct attention_shape *shape, mneme_error *error) {
    return open_scratch(scratch, shape, false, error);
}

mneme_status attention_scratch_open_cached(struct attention_scratch *scratch,
                                           const struct attention_shape *shape,
                                           mneme_error *error) {
    return open_scratch(scratch, shape, true, error);
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

/* One head of one sequence, as its kernels see it. */
struct head {
    size_t length;   /* queries */
    size_t past;     /* keys before the first query's own */
    size_t head_dim; /* of q, k, v and out */
    size_t width, kv_width;
    const float *q;
    const float *keys;
    size_t key_stride;
    const float *v;
    size_t value_stride;
    float *out; /* NULL: for the weights alone */
};

static struct head head_of(const struct attention_shape *shape, size_t length, const float *q,
                           const float *v, float *out) {
    size_t kv_width = shape->kv_heads * shape->head_dim;
    return (struct head){.length = length,
                         .head_dim = shape->head_dim,
                         .width = shape->heads * shape->head_dim,
                         .kv_width = kv_width,
                         .q = q,
                         .v = v,
                         .value_stride = kv_width,
                         .out = out};
}

/* The queries [first, end); their weights are left in the thread's. */
static void forward_block(const struct attention_thread *thread, const struct head *head,
                          size_t first, size_t end) {
    const struct attention_rows rows = {
        .n_rows = end - first,
        .first_position = head->past + first,
        .head_dim = head->head_dim,
        .scale = 1.0f / sqrtf((float)head->head_dim),
        .queries = head->q + first * head->width,
        .query_stride = head->width,
        .keys = head->keys,
        .key_stride = head->key_stride,
        .values = head->v,
        .value_stride = head->value_stride,
        .weights = thread->weights,
        .weight_stride = padded(head->past + head->length),
        .output = head->out == NULL ? NULL : head->out + first * head->width,
        .output_stride = head->width};
    simd()->attention_forward(&rows);
}

static size_t block_end(const struct head *head, size_t first) {
    size_t block = query_block(head->past + head->length);
    return head->length - first < block ? head->length : first + block;
}

static void forward_head(const struct attention_thread *thread, const struct head *head) {
    for (size_t first = 0; first < head->length; first = block_end(head, first)) {
        forward_block(thread, head, first, block_end(head, first));
    }
}

/* The head's keys become the thread's, transposed. */
static void take_keys(struct attention_thread *thread, struct head *head, const float *k) {
    head->keys = thread->keys;
    head->key_stride = padded(head->length);
    transpose_keys(head->length, head->head_dim, k, head->kv_width, 0, thread->keys,
                   head->key_stride);
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
            struct head head =
                head_of(shape, starts[s + 1] - starts[s], q + row, v + kv_row, out + row);
            take_keys(own_thread(scratch), &head, k + kv_row);
            forward_head(own_thread(scratch), &head);
        }
    }
}

/* dS = scale * P * (dP - sum(P dP)), of the queries [first, end) and the keys before `end`, zero
 * above the diagonal. */
static void score_gradients(size_t first, size_t end, size_t stride, float scale,
                            const float *weights, float *gradients) {
    const struct simd_kernels *kernels = simd();
    for (size_t i = first; i < end; i++, weights += stride, gradients += stride) {
        kernels->softmax_row_backward(i + 1, weights, gradients, gradients);
        for (size_t j = 0; j <= i; j++) gradients[j] *= scale;
        for (size_t j = i + 1; j < end; j++) gradients[j] = 0.0f;
    }
}

/* What a head's backward pass reads and writes, besides what its forward pass does. */
struct head_gradients {
    const float *k, *dout;
    float *dq, *dk, *dv;
};

/* The queries [first, end) add to dk and dv of the keys that they see. */
static void backward_block(struct attention_thread *thread, const struct head *head,
                           const struct head_gradients *g, size_t first, size_t end) {
    size_t n = end - first, d = head->head_dim, width = head->width, kv_width = head->kv_width;
    size_t stride = padded(head->length);
    float *weights = thread->weights, *gradients = thread->gradients;
    struct matrix dout = matrix_rows(g->dout + first * width, width);
    forward_block(thread, head, first, end);
    matmul_serial(&thread->matmul, end, d, n, matrix_transposed(weights, stride), dout, g->dv,
                  kv_width, true);
    matmul_serial(&thread->matmul, n, end, d, dout, matrix_transposed(head->v, kv_width), gradients,
                  stride, false);
    score_gradients(first, end, stride, 1.0f / sqrtf((float)d), weights, gradients);
    matmul_serial(&thread->matmul, n, d, end, matrix_rows(gradients, stride),
                  matrix_rows(g->k, kv_width), g->dq + first * width, width, false);
    matmul_serial(&thread->matmul, end, d, n, matrix_transposed(gradients, stride),
                  matrix_rows(head->q + first * width, width), g->dk, kv_width, true);
}

static void zero_rows(size_t n, size_t width, size_t stride, float *rows) {
    for (size_t i = 0; i < n; i++) memset(rows + i * stride, 0, width * sizeof *rows);
}

/* One head of one sequence: dk and dv continue. */
static void backward_head(struct attention_thread *thread, struct head *head,
                          const struct head_gradients *g) {
    take_keys(thread, head, g->k);
    for (size_t first = 0; first < head->length; first = block_end(head, first)) {
        backward_block(thread, head, g, first, block_end(head, first));
    }
}

void attention_backward(struct attention_scratch *scratch, const struct attention_shape *shape,
                        size_t n_sequences, const size_t *starts, const float *q, const float *k,
                        const float *v, const float *dout, float *dq, float *dk, float *dv) {
    const size_t group = shape->heads / shape->kv_heads, d = shape->head_dim;
    PROFILE(attention_backward, starts[n_sequences], shape->heads, shape->kv_heads, shape->head_dim,
            count_pairs(n_sequences, starts, NULL));
#pragma omp parallel for schedule(dynamic, 2) collapse(2) num_threads((int)scratch->n_threads)
    for (size_t s = 0; s < n_sequences; s++) {
        for (size_t kv = 0; kv < shape->kv_heads; kv++) {
            size_t kv_row = (starts[s] * shape->kv_heads + kv) * d,
                   length = starts[s + 1] - starts[s];
            zero_rows(length, d, shape->kv_heads * d, dk + kv_row);
            zero_rows(length, d, shape->kv_heads * d, dv + kv_row);
            for (size_t i = 0; i < group; i++) {
                size_t row = (starts[s] * shape->heads + kv * group + i) * d;
                struct head head = head_of(shape, length, q + row, v + kv_row, NULL);
                const struct head_gradients gradients = {.k = k + kv_row,
                                                         .dout = dout + row,
                                                         .dq = dq + row,
                                                         .dk = dk + kv_row,
                                                         .dv = dv + kv_row};
                backward_head(own_thread(scratch), &head, &gradients);
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
                struct head head = head_of(shape, length, q + row, values, out + row);
                head.past = pasts[s];
                head.keys = keys;
                head.key_stride = cache->stride;
                head.value_stride = d;
                forward_head(own_thread(scratch), &head);
            }
        }
    }
}
