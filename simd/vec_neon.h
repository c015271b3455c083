#ifndef SIMD_VEC_NEON_H
#define SIMD_VEC_NEON_H

/* 16 lanes in four registers of AArch64 Advanced SIMD. */

#include <arm_neon.h>
#include <sleef.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "simd/vec_pick.h"

#define VF_GEMM_ROWS 6
#define VF_GEMM_VECTORS 1

typedef struct vf {
    float32x4_t q[4]; /* lanes 0-3, 4-7, 8-11, 12-15 */
} vf;

#define VF_EACH(expression)                            \
    vf r;                                              \
    for (int i = 0; i < 4; i++) r.q[i] = (expression); \
    return r

static inline vf vf_set1(float x) {
    VF_EACH(vdupq_n_f32(x));
}

static inline vf vf_zero(void) {
    return vf_set1(0.0f);
}

static inline vf vf_load(const float *p) {
    VF_EACH(vld1q_f32(p + 4 * i));
}

static inline void vf_store(float *p, vf v) {
    for (int i = 0; i < 4; i++) vst1q_f32(p + 4 * i, v.q[i]);
}

static inline vf vf_load_bf16(const uint16_t *p) {
    VF_EACH(vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(p + 4 * i), 16)));
}

static inline vf vf_load_f16(const uint16_t *p) {
    VF_EACH(vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p + 4 * i))));
}

static inline vf vf_load_bits(const uint16_t *p) {
    VF_EACH(vreinterpretq_f32_u32(vmovl_u16(vld1_u16(p + 4 * i))));
}

static inline void vf_store_bits(uint16_t *p, vf v) {
    for (int i = 0; i < 4; i++) vst1_u16(p + 4 * i, vmovn_u32(vreinterpretq_u32_f32(v.q[i])));
}

static inline vf vf_load_part(const float *p, size_t n, float fill) {
    float lanes[16];
    vf_store(lanes, vf_set1(fill));
    memcpy(lanes, p, n * sizeof *p);
    return vf_load(lanes);
}

static inline void vf_store_part(float *p, vf v, size_t n) {
    float lanes[16];
    vf_store(lanes, v);
    memcpy(p, lanes, n * sizeof *p);
}

static inline vf vf_add(vf a, vf b) {
    VF_EACH(vaddq_f32(a.q[i], b.q[i]));
}

static inline vf vf_sub(vf a, vf b) {
    VF_EACH(vsubq_f32(a.q[i], b.q[i]));
}

static inline vf vf_mul(vf a, vf b) {
    VF_EACH(vmulq_f32(a.q[i], b.q[i]));
}

static inline vf vf_div(vf a, vf b) {
    VF_EACH(vdivq_f32(a.q[i], b.q[i]));
}

static inline vf vf_sqrt(vf a) {
    VF_EACH(vsqrtq_f32(a.q[i]));
}

/* By its bits: gcc makes of vnegq_f32 of an fma the fma of the negated operands, which has another
 * sign where the sum is 0. */
static inline vf vf_negate(vf a) {
    const uint32x4_t sign = vdupq_n_u32(0x80000000u);
    VF_EACH(vreinterpretq_f32_u32(veorq_u32(vreinterpretq_u32_f32(a.q[i]), sign)));
}

static inline vf vf_fma(vf a, vf b, vf c) {
    VF_EACH(vfmaq_f32(c.q[i], a.q[i], b.q[i]));
}

/* vmaxq_f32 treats zeros and NaN in its own way: compare and select instead. */
static inline float32x4_t vf_max4(float32x4_t a, float32x4_t b) {
    return vbslq_f32(vcgtq_f32(a, b), a, b);
}

static inline vf vf_max(vf a, vf b) {
    VF_EACH(vf_max4(a.q[i], b.q[i]));
}

static inline vf vf_exp(vf a) {
    VF_EACH(Sleef_finz_expf4_u10advsimd(a.q[i]));
}

static inline vf vf_erf(vf a) {
    VF_EACH(Sleef_finz_erff4_u10advsimd(a.q[i]));
}

static inline vf vf_swap_pairs(vf a) {
    VF_EACH(vrev64q_f32(a.q[i]));
}

/* The 4 x 4 block whose rows are a, b, c, d. */
static inline void vf_transpose4(float32x4_t *a, float32x4_t *b, float32x4_t *c, float32x4_t *d) {
    float64x2_t even_ab = vreinterpretq_f64_f32(vtrn1q_f32(*a, *b));
    float64x2_t odd_ab = vreinterpretq_f64_f32(vtrn2q_f32(*a, *b));
    float64x2_t even_cd = vreinterpretq_f64_f32(vtrn1q_f32(*c, *d));
    float64x2_t odd_cd = vreinterpretq_f64_f32(vtrn2q_f32(*c, *d));
    *a = vreinterpretq_f32_f64(vtrn1q_f64(even_ab, even_cd));
    *b = vreinterpretq_f32_f64(vtrn1q_f64(odd_ab, odd_cd));
    *c = vreinterpretq_f32_f64(vtrn2q_f64(even_ab, even_cd));
    *d = vreinterpretq_f32_f64(vtrn2q_f64(odd_ab, odd_cd));
}

static inline void vf_transpose(vf rows[16]) {
    vf from[16];
    memcpy(from, rows, sizeof from);
    for (int i = 0; i < 16; i += 4) {
        for (int j = 0; j < 4; j++) {
            float32x4_t *to[4];
            for (int r = 0; r < 4; r++) {
                to[r] = &rows[4 * j + r].q[i / 4];
                *to[r] = from[i + r].q[j];
            }
            vf_transpose4(to[0], to[1], to[2], to[3]);
        }
    }
}

static inline float vf_fold_add(vf a) {
    float32x4_t a4 = vaddq_f32(vaddq_f32(a.q[0], a.q[2]), vaddq_f32(a.q[1], a.q[3]));
    float32x2_t a2 = vadd_f32(vget_low_f32(a4), vget_high_f32(a4));
    return vget_lane_f32(a2, 0) + vget_lane_f32(a2, 1);
}

static inline float vf_fold_max(vf a) {
    float32x4_t a4 = vf_max4(vf_max4(a.q[0], a.q[2]), vf_max4(a.q[1], a.q[3]));
    float lanes[4];
    vst1q_f32(lanes, a4);
    float even = lanes[0] > lanes[2] ? lanes[0] : lanes[2];
    float odd = lanes[1] > lanes[3] ? lanes[1] : lanes[3];
    return even > odd ? even : odd;
}

/* A bit per lane of four comparisons. */
static inline uint32_t vf_bits(const uint32x4_t *masks) {
    static const uint32_t weights[4] = {1, 2, 4, 8};
    uint32_t bits = 0;
    for (int i = 0; i < 4; i++) {
        bits |= vaddvq_u32(vandq_u32(masks[i], vld1q_u32(weights))) << (4 * i);
    }
    return bits;
}

static inline uint32_t vf_greater(vf a, vf b) {
    uint32x4_t masks[4];
    for (int i = 0; i < 4; i++) masks[i] = vcgtq_f32(a.q[i], b.q[i]);
    return vf_bits(masks);
}

static inline size_t vf_pick(vf v, uint32_t mask, int32_t first, float *values, int32_t *indices) {
    float lanes[16];
    vf_store(lanes, v);
    return pick_lanes(lanes, mask, first, values, indices);
}

/* x - x is 0 for finite x and NaN otherwise. */
static inline uint32_t vf_not_finite(vf a) {
    uint32x4_t masks[4];
    for (int i = 0; i < 4; i++) {
        float32x4_t zero = vsubq_f32(a.q[i], a.q[i]);
        masks[i] = vmvnq_u32(vceqq_f32(zero, zero));
    }
    return vf_bits(masks);
}

#endif
