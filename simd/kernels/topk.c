#include <math.h>
#include <stdint.h>

#include "simd/vec.h"

/* Exact selection: by score descending, equal scores by lower position (rule 6). Most scores are
 * dropped by a bound that is found first; the place of each that is left is the number of those
 * before it. */

/* Groups whose greatest scores give the bound: VECTORS vectors of them. */
#define VECTORS 4
#define GROUPS (VECTORS * SIMD_LANES)
/* No more scores than this are ranked; where more are left, or more are wanted than there are
 * groups, each is inserted into a sorted list. */
#define CANDIDATES 256

struct candidates {
    size_t n;
    float scores[CANDIDATES + SIMD_LANES];
    int32_t positions[CANDIDATES + SIMD_LANES];
};

static vf load_scores(const float *scores, size_t n, float fill) {
    return n < SIMD_LANES ? vf_load_part(scores, n, fill) : vf_load(scores);
}

static bool any_nan(size_t n, const float *scores) {
    for (size_t i = 0; i < n; i += SIMD_LANES) {
        if (vf_not_finite(load_scores(scores + i, n - i, 0.0f)) == 0) continue;
        size_t end = n - i < SIMD_LANES ? n : i + SIMD_LANES;
        for (size_t j = i; j < end; j++) {
            if (isnan(scores[j])) return true;
        }
    }
    return false;
}

static size_t count_lanes(uint32_t mask) {
    return (size_t)__builtin_popcount(mask);
}

static float least_of_all(const vf *groups) {
    vf greatest = vf_negate(groups[0]);
    for (size_t v = 1; v < VECTORS; v++) greatest = vf_max(greatest, vf_negate(groups[v]));
    return -vf_fold_max(greatest);
}

static float greatest_of_all(const vf *groups) {
    vf greatest = groups[0];
    for (size_t v = 1; v < VECTORS; v++) greatest = vf_max(greatest, groups[v]);
    return vf_fold_max(greatest);
}

/* A score that at least k <= GROUPS of the scores reach: so many groups have a member that does.
 * A few halvings bring it close to the k-th greatest of the groups' maxima. */
static float lower_bound(size_t n, const float *scores, size_t k) {
    vf groups[VECTORS];
    for (size_t v = 0; v < VECTORS; v++) groups[v] = vf_set1(-INFINITY);
    size_t i = 0;
    for (; i + GROUPS <= n; i += GROUPS) {
#pragma GCC unroll 4
        for (size_t v = 0; v < VECTORS; v++) {
            groups[v] = vf_max(groups[v], vf_load(scores + i + v * SIMD_LANES));
        }
    }
    for (size_t v = 0; i < n; i += SIMD_LANES, v++) {
        groups[v] = vf_max(groups[v], load_scores(scores + i, n - i, -INFINITY));
    }
    float low = least_of_all(groups), high = greatest_of_all(groups);
    for (int step = 0; step < 8; step++) {
        float middle = low + (high - low) * 0.5f;
        size_t reach = 0;
        for (size_t v = 0; v < VECTORS; v++) {
            reach += count_lanes(vf_greater(groups[v], vf_set1(middle)));
        }
        if (reach >= k) {
            low = middle;
            if (reach <= k + 2) break;
        } else {
            high = middle;
        }
    }
    return low;
}

/* The scores that are not below `bound`, in ascending position; false when there are too many. */
static bool pick_candidates(size_t n, const float *scores, float bound, struct candidates *c) {
    vf bounds = vf_set1(bound);
    c->n = 0;
    for (size_t i = 0; i < n; i += SIMD_LANES) {
        uint32_t exist = n - i < SIMD_LANES ? (1u << (n - i)) - 1 : 0xffffu;
        vf lanes = load_scores(scores + i, n - i, -INFINITY);
        uint32_t picked = ~vf_greater(bounds, lanes) & exist;
        if (c->n > CANDIDATES - SIMD_LANES) return false;
        c->n += vf_pick(lanes, picked, (int32_t)i, c->scores + c->n, c->positions + c->n);
    }
    return true;
}

/* How many candidates come before number i: greater ones, and equal ones at lower positions. */
static inline size_t place_of(const struct candidates *c, size_t i) {
    vf score = vf_set1(c->scores[i]);
    size_t own = i / SIMD_LANES, place = 0;
    for (size_t v = 0; v < own; v++) {
        vf lanes = vf_load(c->scores + v * SIMD_LANES);
        place += SIMD_LANES - count_lanes(vf_greater(score, lanes));
    }
    vf lanes = vf_load(c->scores + own * SIMD_LANES);
    uint32_t before = (1u << i % SIMD_LANES) - 1;
    place +=
        count_lanes((~vf_greater(score, lanes) & before) | (vf_greater(lanes, score) & ~before));
    for (size_t v = own + 1; v * SIMD_LANES < c->n; v++) {
        place += count_lanes(vf_greater(vf_load(c->scores + v * SIMD_LANES), score));
    }
    return place;
}

static void rank_candidates(struct candidates *c, size_t k, float *top_scores,
                            int32_t *top_positions) {
    vf_store(c->scores + c->n, vf_set1(-INFINITY));
    for (size_t i = 0; i < c->n; i++) {
        size_t place = place_of(c, i);
        if (place >= k) continue;
        top_scores[place] = c->scores[i];
        top_positions[place] = c->positions[i];
    }
}

/* Inserts a candidate into the best n of a list, best first; the last one falls out. Candidates
 * come in ascending position, so one that only equals the last one kept is not better. */
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

static void insert_all(size_t n, const float *scores, size_t k, float *top_scores,
                       int32_t *top_positions) {
    for (size_t i = 0; i < n; i++) {
        if (i < k) {
            insert(top_scores, top_positions, i + 1, scores[i], (int32_t)i);
        } else if (scores[i] > top_scores[k - 1]) {
            insert(top_scores, top_positions, k, scores[i], (int32_t)i);
        }
    }
}

bool SIMD_FN(topk_row)(size_t n, const float *scores, size_t k, float *top_scores,
                       int32_t *top_indices) {
    struct candidates candidates;
    if (any_nan(n, scores)) return false;
    float bound = n <= GROUPS ? -INFINITY : lower_bound(n, scores, k < GROUPS ? k : GROUPS);
    if ((k <= GROUPS || n <= GROUPS) && pick_candidates(n, scores, bound, &candidates)) {
        rank_candidates(&candidates, k, top_scores, top_indices);
    } else {
        insert_all(n, scores, k, top_scores, top_indices);
    }
    return true;
}

/* The longest lists whose pairs are ranked together, and how many pairs (i, j) with
 * (i+1)(j+1) <= k those have. */
#define PAIRS_MAX_K 64
#define PAIRS 280

struct pairs {
    size_t n;
    float sums[PAIRS + SIMD_LANES];
    uint8_t rows[PAIRS], columns[PAIRS];
};

/* All pairs that can be among the k best, in the order of i * k + j. */
static void list_pairs(size_t k, const float *row_scores, const float *column_scores,
                       struct pairs *pairs) {
    pairs->n = 0;
    for (size_t i = 0; i < k; i++) {
        vf row = vf_set1(row_scores[i]);
        size_t columns = k / (i + 1);
        for (size_t j = 0; j < columns; j += SIMD_LANES) {
            vf sums = vf_add(row, load_scores(column_scores + j, columns - j, 0.0f));
            vf_store(pairs->sums + pairs->n + j, sums);
        }
        for (size_t j = 0; j < columns; j++, pairs->n++) {
            pairs->rows[pairs->n] = (uint8_t)i;
            pairs->columns[pairs->n] = (uint8_t)j;
        }
    }
}

static struct key_pair make_pair(size_t n_keys, int32_t row, int32_t column) {
    return (struct key_pair){.slot = row * (int32_t)n_keys + column, .row = row, .column = column};
}

/* For long lists: opens the place of a pair in the best n, whose last one falls out. */
static size_t open_place(float *scores, struct key_pair *pairs, size_t n, float score) {
    size_t place = n - 1;
    for (; place > 0 && score > scores[place - 1]; place--) {
        scores[place] = scores[place - 1];
        pairs[place] = pairs[place - 1];
    }
    return place;
}

static bool insert_pairs(size_t k, size_t n_keys, const float *row_scores, const int32_t *row_keys,
                         const float *column_scores, const int32_t *column_keys, float *top_scores,
                         struct key_pair *top_pairs) {
    size_t n = 0;
    for (size_t i = 0; i < k; i++) {
        for (size_t j = 0; (i + 1) * (j + 1) <= k; j++) {
            float score = row_scores[i] + column_scores[j];
            if (isnan(score)) return false;
            if (n == k && !(score > top_scores[k - 1])) continue;
            if (n < k) n++;
            size_t place = open_place(top_scores, top_pairs, n, score);
            top_scores[place] = score;
            top_pairs[place] = make_pair(n_keys, row_keys[i], column_keys[j]);
        }
    }
    return true;
}

bool SIMD_FN(product_key_topk)(size_t k, size_t n_keys, const float *row_scores,
                               const int32_t *row_keys, const float *column_scores,
                               const int32_t *column_keys, float *top_scores,
                               struct key_pair *top_pairs) {
    if (k > PAIRS_MAX_K) {
        return insert_pairs(k, n_keys, row_scores, row_keys, column_scores, column_keys, top_scores,
                            top_pairs);
    }
    struct pairs pairs = {0};
    int32_t best[PAIRS_MAX_K] = {0};
    list_pairs(k, row_scores, column_scores, &pairs);
    if (!SIMD_FN(topk_row)(pairs.n, pairs.sums, k, top_scores, best)) return false;
    for (size_t r = 0; r < k; r++) {
        top_pairs[r] =
            make_pair(n_keys, row_keys[pairs.rows[best[r]]], column_keys[pairs.columns[best[r]]]);
    }
    return true;
}
