#include "simd/vec.h"

/* Attention of a block of queries of one head. Query r sees the keys 0..first_position + r; every
 * sum runs over exactly those, so that a row's bits do not depend on the rows beside it, and
 * decoding with a cache gives the bits of a whole pass. */

#define ROWS 4 /* queries that share each load of keys and values */
#define KEY_VECTORS (ATTENTION_KEY_BLOCK / SIMD_LANES)

/* weights[r, j] = scale * chain over d of q[r, d] * keys[d, j] for the keys [0, n_keys), rounded
 * up to whole blocks; n_rows <= ROWS. */
INLINE void score_rows(const struct attention_rows *a, size_t first_row, const size_t n_rows,
                       size_t n_keys) {
    const float *q = a->queries + first_row * a->query_stride;
    float *weights = a->weights + first_row * a->weight_stride;
    vf scale = vf_set1(a->scale);
    for (size_t j = 0; j < n_keys; j += ATTENTION_KEY_BLOCK) {
        vf sums[ROWS][KEY_VECTORS];
        for (size_t r = 0; r < n_rows; r++) {
            for (size_t v = 0; v < KEY_VECTORS; v++) sums[r][v] = vf_zero();
        }
        for (size_t d = 0; d < a->head_dim; d++) {
            const float *key = a->keys + d * a->key_stride + j;
#pragma GCC unroll 4
            for (size_t r = 0; r < n_rows; r++) {
                vf factor = vf_set1(q[r * a->query_stride + d]);
#pragma GCC unroll 2
                for (size_t v = 0; v < KEY_VECTORS; v++) {
                    sums[r][v] = vf_fma(factor, vf_load(key + v * SIMD_LANES), sums[r][v]);
                }
            }
        }
        for (size_t r = 0; r < n_rows; r++) {
            for (size_t v = 0; v < KEY_VECTORS; v++) {
                float *to = weights + r * a->weight_stride + j + v * SIMD_LANES;
                vf_store(to, vf_mul(sums[r][v], scale));
            }
        }
    }
}

/* Chain over the keys [from, to) into the sums of rows [0, n_rows), columns d..d+width. */
INLINE void add_values(const struct attention_rows *a, const float *weights, const size_t n_rows,
                       size_t from, size_t to, size_t d, size_t width, vf *sums) {
    for (size_t j = from; j < to; j++) {
        const float *value = a->values + j * a->value_stride + d;
        vf lanes = width == SIMD_LANES ? vf_load(value) : vf_load_part(value, width, 0.0f);
#pragma GCC unroll 4
        for (size_t r = 0; r < n_rows; r++) {
            sums[r] = vf_fma(vf_set1(weights[r * a->weight_stride + j]), lanes, sums[r]);
        }
    }
}

INLINE void output_rows(const struct attention_rows *a, size_t first_row, const size_t n_rows) {
    const float *weights = a->weights + first_row * a->weight_stride;
    float *output = a->output + first_row * a->output_stride;
    size_t shared = a->first_position + first_row + 1;
    for (size_t d = 0; d < a->head_dim; d += SIMD_LANES) {
        size_t width = a->head_dim - d < SIMD_LANES ? a->head_dim - d : SIMD_LANES;
        vf sums[ROWS];
        for (size_t r = 0; r < n_rows; r++) sums[r] = vf_zero();
        add_values(a, weights, n_rows, 0, shared, d, width, sums);
        for (size_t r = 0; r < n_rows; r++) {
            add_values(a, weights + r * a->weight_stride, 1, shared, shared + r, d, width,
                       sums + r);
            float *to = output + r * a->output_stride + d;
            if (width == SIMD_LANES) {
                vf_store(to, sums[r]);
            } else {
                vf_store_part(to, sums[r], width);
            }
        }
    }
}

static void zero_after(float *row, size_t first, size_t end) {
    for (size_t j = first; j < end; j++) row[j] = 0.0f;
}

void SIMD_FN(attention_forward)(const struct attention_rows *a) {
    for (size_t first = 0; first < a->n_rows; first += ROWS) {
        size_t n_rows = a->n_rows - first < ROWS ? a->n_rows - first : ROWS;
        size_t n_keys = a->first_position + first + n_rows;
        if (n_rows == ROWS) {
            score_rows(a, first, ROWS, n_keys);
        } else {
            for (size_t r = 0; r < n_rows; r++) score_rows(a, first + r, 1, n_keys);
        }
        for (size_t r = first; r < first + n_rows; r++) {
            float *row = a->weights + r * a->weight_stride;
            size_t visible = a->first_position + r + 1;
            SIMD_FN(softmax_row)(visible, row);
            zero_after(row, visible, a->weight_stride);
        }
        if (a->output == NULL) continue;
        if (n_rows == ROWS) {
            output_rows(a, first, ROWS);
        } else {
            for (size_t r = 0; r < n_rows; r++) output_rows(a, first + r, 1);
        }
    }
}
