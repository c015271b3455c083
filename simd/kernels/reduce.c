#include <math.h>

#include "simd/vec.h"

/* Rule 3: element i in lane i mod 16, ascending; the tail's missing lanes hold the identity. */

float SIMD_FN(reduce_sum)(size_t n, const float *x) {
    vf sum = vf_zero();
    size_t i = 0;
    for (; i + SIMD_LANES <= n; i += SIMD_LANES) sum = vf_add(sum, vf_load(x + i));
    if (i < n) sum = vf_add(sum, vf_load_part(x + i, n - i, 0.0f));
    return vf_fold_add(sum);
}

float SIMD_FN(reduce_dot)(size_t n, const float *x, const float *y) {
    vf sum = vf_zero();
    size_t i = 0;
    for (; i + SIMD_LANES <= n; i += SIMD_LANES) {
        sum = vf_fma(vf_load(x + i), vf_load(y + i), sum);
    }
    if (i < n) {
        sum = vf_fma(vf_load_part(x + i, n - i, 0.0f), vf_load_part(y + i, n - i, 0.0f), sum);
    }
    return vf_fold_add(sum);
}

float SIMD_FN(reduce_sum_squares)(size_t n, const float *x) {
    return SIMD_FN(reduce_dot)(n, x, x);
}

float SIMD_FN(reduce_max)(size_t n, const float *x) {
    vf greatest = vf_set1(-INFINITY);
    size_t i = 0;
    for (; i + SIMD_LANES <= n; i += SIMD_LANES) greatest = vf_max(greatest, vf_load(x + i));
    if (i < n) greatest = vf_max(greatest, vf_load_part(x + i, n - i, -INFINITY));
    return vf_fold_max(greatest);
}

bool SIMD_FN(all_finite)(size_t n, const float *x) {
    size_t i = 0;
    for (; i + SIMD_LANES <= n; i += SIMD_LANES) {
        if (vf_not_finite(vf_load(x + i)) != 0) return false;
    }
    return i == n || vf_not_finite(vf_load_part(x + i, n - i, 0.0f)) == 0;
}
