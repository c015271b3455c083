#include <math.h>

#include "simd/math.h"
#include "simd/vec.h"

/* x := exp(x - greatest); returns the canonical sum. The tail's lanes are exp(-inf) = 0. */
static inline float exponentials(size_t n, float *x, float greatest) {
    vf shift = vf_set1(greatest), sum = vf_zero();
    size_t i = 0;
    for (; i + SIMD_LANES <= n; i += SIMD_LANES) {
        vf e = vf_exp(vf_sub(vf_load(x + i), shift));
        vf_store(x + i, e);
        sum = vf_add(sum, e);
    }
    if (i < n) {
        vf e = vf_exp(vf_sub(vf_load_part(x + i, n - i, -INFINITY), shift));
        vf_store_part(x + i, e, n - i);
        sum = vf_add(sum, e);
    }
    return vf_fold_add(sum);
}

static inline void divide(size_t n, float *x, float divisor) {
    vf d = vf_set1(divisor);
    size_t i = 0;
    for (; i + SIMD_LANES <= n; i += SIMD_LANES) vf_store(x + i, vf_div(vf_load(x + i), d));
    if (i < n) vf_store_part(x + i, vf_div(vf_load_part(x + i, n - i, 0.0f), d), n - i);
}

void SIMD_FN(softmax_row)(size_t n, float *x) {
    float sum = exponentials(n, x, SIMD_FN(reduce_max)(n, x));
    divide(n, x, sum);
}

void SIMD_FN(softmax_row_backward)(size_t n, const float *y, const float *dy, float *dx) {
    vf inner = vf_set1(SIMD_FN(reduce_dot)(n, y, dy));
    size_t i = 0;
    for (; i + SIMD_LANES <= n; i += SIMD_LANES) {
        vf_store(dx + i, vf_mul(vf_load(y + i), vf_sub(vf_load(dy + i), inner)));
    }
    if (i < n) {
        vf difference = vf_sub(vf_load_part(dy + i, n - i, 0.0f), inner);
        vf_store_part(dx + i, vf_mul(vf_load_part(y + i, n - i, 0.0f), difference), n - i);
    }
}

/* x := x * (scale / sum) */
static inline void scale_row(size_t n, float *x, float factor) {
    vf f = vf_set1(factor);
    size_t i = 0;
    for (; i + SIMD_LANES <= n; i += SIMD_LANES) vf_store(x + i, vf_mul(vf_load(x + i), f));
    if (i < n) vf_store_part(x + i, vf_mul(vf_load_part(x + i, n - i, 0.0f), f), n - i);
}

float SIMD_FN(cross_entropy_row)(size_t n, float *logits, size_t target, float scale) {
    float greatest = SIMD_FN(reduce_max)(n, logits);
    float target_logit = logits[target];
    float sum = exponentials(n, logits, greatest);
    float loss = math_log(sum) - (target_logit - greatest);
    if (scale != 0.0f) {
        scale_row(n, logits, scale / sum);
        logits[target] -= scale;
    }
    return loss;
}
