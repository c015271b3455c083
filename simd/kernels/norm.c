#include <math.h>

#include "simd/vec.h"

float SIMD_FN(rms_norm_row)(size_t n, const float *x, const float *gain, float eps, float *y) {
    float mean_square = SIMD_FN(reduce_sum_squares)(n, x) / (float)n;
    float r = 1.0f / sqrtf(mean_square + eps);
    vf factor = vf_set1(r);
    size_t i = 0;
    for (; i + SIMD_LANES <= n; i += SIMD_LANES) {
        vf_store(y + i, vf_mul(vf_mul(vf_load(x + i), factor), vf_load(gain + i)));
    }
    if (i < n) {
        vf scaled = vf_mul(vf_load_part(x + i, n - i, 0.0f), factor);
        vf_store_part(y + i, vf_mul(scaled, vf_load_part(gain + i, n - i, 0.0f)), n - i);
    }
    return r;
}

/* Canonical sum of (dy * gain) * x. */
static inline float weighted_dot(size_t n, const float *dy, const float *gain, const float *x) {
    vf sum = vf_zero();
    size_t i = 0;
    for (; i + SIMD_LANES <= n; i += SIMD_LANES) {
        sum = vf_fma(vf_mul(vf_load(dy + i), vf_load(gain + i)), vf_load(x + i), sum);
    }
    if (i < n) {
        size_t rest = n - i;
        vf part = vf_mul(vf_load_part(dy + i, rest, 0.0f), vf_load_part(gain + i, rest, 0.0f));
        sum = vf_fma(part, vf_load_part(x + i, rest, 0.0f), sum);
    }
    return vf_fold_add(sum);
}

void SIMD_FN(rms_norm_row_backward)(size_t n, const float *x, const float *gain, float r,
                                    const float *dy, float *dx) {
    float along = ((r * r) * r) / (float)n * weighted_dot(n, dy, gain, x);
    vf factor = vf_set1(r), minus_along = vf_set1(-along);
    size_t i = 0;
    for (; i + SIMD_LANES <= n; i += SIMD_LANES) {
        vf direct = vf_mul(factor, vf_mul(vf_load(dy + i), vf_load(gain + i)));
        vf_store(dx + i, vf_fma(vf_load(x + i), minus_along, direct));
    }
    if (i < n) {
        size_t rest = n - i;
        vf part = vf_mul(vf_load_part(dy + i, rest, 0.0f), vf_load_part(gain + i, rest, 0.0f));
        vf direct = vf_mul(factor, part);
        vf_store_part(dx + i, vf_fma(vf_load_part(x + i, rest, 0.0f), minus_along, direct), rest);
    }
}

void SIMD_FN(rms_norm_gain_gradient)(size_t rows, size_t columns, size_t stride, const float *x,
                                     const float *r, const float *dy, float *dgain) {
    for (size_t j = 0; j < columns; j += SIMD_LANES) {
        size_t width = columns - j < SIMD_LANES ? columns - j : SIMD_LANES;
        bool whole = width == SIMD_LANES;
        vf sum = whole ? vf_load(dgain + j) : vf_load_part(dgain + j, width, 0.0f);
        for (size_t i = 0; i < rows; i++) {
            const float *xi = x + i * stride + j, *di = dy + i * stride + j;
            vf xv = whole ? vf_load(xi) : vf_load_part(xi, width, 0.0f);
            vf dv = whole ? vf_load(di) : vf_load_part(di, width, 0.0f);
            sum = vf_fma(dv, vf_mul(xv, vf_set1(r[i])), sum);
        }
        if (whole) {
            vf_store(dgain + j, sum);
        } else {
            vf_store_part(dgain + j, sum, width);
        }
    }
}

void SIMD_FN(column_sums)(size_t rows, size_t columns, size_t stride, const float *x, float *sums) {
    for (size_t j = 0; j < columns; j += SIMD_LANES) {
        size_t width = columns - j < SIMD_LANES ? columns - j : SIMD_LANES;
        bool whole = width == SIMD_LANES;
        vf sum = whole ? vf_load(sums + j) : vf_load_part(sums + j, width, 0.0f);
        for (size_t i = 0; i < rows; i++) {
            const float *xi = x + i * stride + j;
            sum = vf_add(sum, whole ? vf_load(xi) : vf_load_part(xi, width, 0.0f));
        }
        if (whole) {
            vf_store(sums + j, sum);
        } else {
            vf_store_part(sums + j, sum, width);
        }
    }
}
