#include <math.h>

#include "simd/vec.h"

/* Exact selection: by score descending, equal scores by lower position (rule 6). Candidates come
 * in ascending position, so a candidate that only equals the last one kept is not better. */

/* Inserts a candidate into the best n of a list, best first; the last one falls out. */
static inline void insert(float *scores, int32_t *positions, size_t n, float score,
                          int32_t position) {
    size_t i = n - 1;
    for (; i > 0 && score > scores[i - 1]; i--) {
        scores[i] = scores[i - 1];
        positions[i] = positions[i - 1];
    }
    scores[i] = score;
    positions[i] = position;
}

/* Looks at 16 scores, from index `first` on. */
static inline void look(vf lanes, size_t first, size_t k, float *top_scores, int32_t *top_indices) {
    uint32_t better = vf_greater(lanes, vf_set1(top_scores[k - 1]));
    if (better == 0) return;
    float scores[SIMD_LANES];
    vf_store(scores, lanes);
    for (; better != 0; better &= better - 1) {
        size_t lane = (size_t)__builtin_ctz(better);
        if (scores[lane] > top_scores[k - 1]) {
            insert(top_scores, top_indices, k, scores[lane], (int32_t)(first + lane));
        }
    }
}

static bool any_nan(size_t n, const float *scores) {
    for (size_t i = 0; i < n; i += SIMD_LANES) {
        vf lanes = n - i < SIMD_LANES ? vf_load_part(scores + i, n - i, 0.0f) : vf_load(scores + i);
        if (vf_not_finite(lanes) == 0) continue;
        size_t end = n - i < SIMD_LANES ? n : i + SIMD_LANES;
        for (size_t j = i; j < end; j++) {
            if (isnan(scores[j])) return true;
        }
    }
    return false;
}

bool SIMD_FN(topk_row)(size_t n, const float *scores, size_t k, float *top_scores,
                       int32_t *top_indices) {
    if (any_nan(n, scores)) return false;
    for (size_t i = 0; i < k; i++) insert(top_scores, top_indices, i + 1, scores[i], (int32_t)i);
    size_t i = k;
    for (; i + SIMD_LANES <= n; i += SIMD_LANES) {
        look(vf_load(scores + i), i, k, top_scores, top_indices);
    }
    if (i < n) look(vf_load_part(scores + i, n - i, -INFINITY), i, k, top_scores, top_indices);
    return true;
}

/* Opens the place of the new pair in the kept list of n, whose last one falls out. */
static inline size_t open_place(float *scores, struct key_pair *pairs, size_t n, float score) {
    size_t place = n - 1;
    for (; place > 0 && score > scores[place - 1]; place--) {
        scores[place] = scores[place - 1];
        pairs[place] = pairs[place - 1];
    }
    return place;
}

bool SIMD_FN(product_key_topk)(size_t k, size_t n_keys, const float *row_scores,
                               const int32_t *row_keys, const float *column_scores,
                               const int32_t *column_keys, float *top_scores,
                               struct key_pair *top_pairs) {
    size_t n_kept = 0;
    for (size_t i = 0; i < k; i++) {
        for (size_t j = 0; (i + 1) * (j + 1) <= k; j++) {
            float score = row_scores[i] + column_scores[j];
            if (isnan(score)) return false;
            /* Sums fall with j: once one does not enter a full list, none after it does. */
            if (n_kept == k && !(score > top_scores[k - 1])) break;
            if (n_kept < k) n_kept++;
            size_t place = open_place(top_scores, top_pairs, n_kept, score);
            top_scores[place] = score;
            top_pairs[place] =
                (struct key_pair){.slot = row_keys[i] * (int32_t)n_keys + column_keys[j],
                                  .row = row_keys[i],
                                  .column = column_keys[j]};
        }
    }
    return true;
}
