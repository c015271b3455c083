#ifndef SIMD_VEC_SCALAR_H
#define SIMD_VEC_SCALAR_H

/* The specification: 16 lanes as an array, one C operation per lane. */

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "simd/sleef_pure.h"
#include "simd/stored.h"
#include "simd/vec_pick.h"

#define VF_GEMM_ROWS 4
#define VF_GEMM_VECTORS 1

typedef struct vf {
    float lane[16];
} vf;

static inline vf vf_set1(float x) {
    vf r;
    for (int i = 0; i < 16; i++) r.lane[i] = x;
    return r;
}

static inline vf vf_zero(void) {
    return vf_set1(0.0f);
}

static inline vf vf_load(const float *p) {
    vf r;
    memcpy(r.lane, p, sizeof r.lane);
    return r;
}

static inline void vf_store(float *p, vf v) {
    memcpy(p, v.lane, sizeof v.lane);
}

static inline vf vf_load_bf16(const uint16_t *p) {
    vf r;
    for (int i = 0; i < 16; i++) r.lane[i] = stored_float_of_bf16(p[i]);
    return r;
}

static inline vf vf_load_f16(const uint16_t *p) {
    vf r;
    for (int i = 0; i < 16; i++) r.lane[i] = stored_float_of_f16(p[i]);
    return r;
}

static inline vf vf_load_bits(const uint16_t *p) {
    vf r;
    for (int i = 0; i < 16; i++) r.lane[i] = stored_float_of_bits(p[i]);
    return r;
}

static inline void vf_store_bits(uint16_t *p, vf v) {
    uint32_t bits[16];
    memcpy(bits, v.lane, sizeof bits);
    for (int i = 0; i < 16; i++) p[i] = (uint16_t)bits[i];
}

static inline vf vf_load_part(const float *p, size_t n, float fill) {
    vf r = vf_set1(fill);
    memcpy(r.lane, p, n * sizeof *p);
    return r;
}

static inline void vf_store_part(float *p, vf v, size_t n) {
    memcpy(p, v.lane, n * sizeof *p);
}

static inline vf vf_add(vf a, vf b) {
    for (int i = 0; i < 16; i++) a.lane[i] += b.lane[i];
    return a;
}

static inline vf vf_sub(vf a, vf b) {
    for (int i = 0; i < 16; i++) a.lane[i] -= b.lane[i];
    return a;
}

static inline vf vf_mul(vf a, vf b) {
    for (int i = 0; i < 16; i++) a.lane[i] *= b.lane[i];
    return a;
}

static inline vf vf_div(vf a, vf b) {
    for (int i = 0; i < 16; i++) a.lane[i] /= b.lane[i];
    return a;
}

static inline vf vf_sqrt(vf a) {
    for (int i = 0; i < 16; i++) a.lane[i] = sqrtf(a.lane[i]);
    return a;
}

/* By its bits: where the CPU has an fma, gcc makes of -fma(a, b, c) fma(-a, b, -c), which has
 * another sign where the sum is 0. */
static inline vf vf_negate(vf a) {
    uint32_t bits[16];
    memcpy(bits, a.lane, sizeof bits);
    for (int i = 0; i < 16; i++) bits[i] ^= 0x80000000u;
    memcpy(a.lane, bits, sizeof bits);
    return a;
}

static inline vf vf_fma(vf a, vf b, vf c) {
    for (int i = 0; i < 16; i++) c.lane[i] = fmaf(a.lane[i], b.lane[i], c.lane[i]);
    return c;
}

static inline vf vf_max(vf a, vf b) {
    for (int i = 0; i < 16; i++) a.lane[i] = a.lane[i] > b.lane[i] ? a.lane[i] : b.lane[i];
    return a;
}

static inline vf vf_exp(vf a) {
    for (int i = 0; i < 16; i++) a.lane[i] = Sleef_finz_expf1_u10purecfma(a.lane[i]);
    return a;
}

static inline vf vf_erf(vf a) {
    for (int i = 0; i < 16; i++) a.lane[i] = Sleef_finz_erff1_u10purecfma(a.lane[i]);
    return a;
}

static inline vf vf_swap_pairs(vf a) {
    vf r;
    for (int i = 0; i < 16; i++) r.lane[i] = a.lane[i ^ 1];
    return r;
}

static inline void vf_transpose(vf rows[16]) {
    for (int i = 0; i < 16; i++) {
        for (int j = 0; j < i; j++) {
            float below = rows[i].lane[j];
            rows[i].lane[j] = rows[j].lane[i];
            rows[j].lane[i] = below;
        }
    }
}

static inline float vf_fold_add(vf a) {
    for (int half = 8; half > 0; half /= 2) {
        for (int i = 0; i < half; i++) a.lane[i] += a.lane[i + half];
    }
    return a.lane[0];
}

static inline float vf_fold_max(vf a) {
    for (int half = 8; half > 0; half /= 2) {
        for (int i = 0; i < half; i++) {
            a.lane[i] = a.lane[i] > a.lane[i + half] ? a.lane[i] : a.lane[i + half];
        }
    }
    return a.lane[0];
}

static inline uint32_t vf_greater(vf a, vf b) {
    uint32_t bits = 0;
    for (int i = 0; i < 16; i++) bits |= (uint32_t)(a.lane[i] > b.lane[i]) << i;
    return bits;
}

static inline size_t vf_pick(vf v, uint32_t mask, int32_t first, float *values, int32_t *indices) {
    return pick_lanes(v.lane, mask, first, values, indices);
}

static inline uint32_t vf_not_finite(vf a) {
    uint32_t bits = 0;
    for (int i = 0; i < 16; i++) bits |= (uint32_t)!isfinite(a.lane[i]) << i;
    return bits;
}

#endif
