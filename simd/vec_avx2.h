#ifndef SIMD_VEC_AVX2_H
#define SIMD_VEC_AVX2_H

/* 16 lanes in two registers of AVX2 with FMA and F16C: lanes 0-7 and 8-15. */

#include <immintrin.h>
#include <sleef.h>
#include <stddef.h>
#include <stdint.h>

#include "simd/vec_pick.h"

#define VF_GEMM_ROWS 6
#define VF_GEMM_VECTORS 1

typedef struct vf {
    __m256 low, high;
} vf;

static inline vf vf_join(__m256 low, __m256 high) {
    return (vf){low, high};
}

static inline vf vf_set1(float x) {
    return vf_join(_mm256_set1_ps(x), _mm256_set1_ps(x));
}

static inline vf vf_zero(void) {
    return vf_join(_mm256_setzero_ps(), _mm256_setzero_ps());
}

static inline vf vf_load(const float *p) {
    return vf_join(_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8));
}

static inline void vf_store(float *p, vf v) {
    _mm256_storeu_ps(p, v.low);
    _mm256_storeu_ps(p + 8, v.high);
}

static inline __m256i vf_bits_half(const uint16_t *p) {
    return _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(const void *)p));
}

static inline __m256 vf_bf16_half(const uint16_t *p) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(vf_bits_half(p), 16));
}

static inline vf vf_load_bf16(const uint16_t *p) {
    return vf_join(vf_bf16_half(p), vf_bf16_half(p + 8));
}

static inline vf vf_load_f16(const uint16_t *p) {
    const __m128i *halves = (const __m128i *)(const void *)p;
    return vf_join(_mm256_cvtph_ps(_mm_loadu_si128(halves)),
                   _mm256_cvtph_ps(_mm_loadu_si128(halves + 1)));
}

static inline vf vf_load_bits(const uint16_t *p) {
    return vf_join(_mm256_castsi256_ps(vf_bits_half(p)), _mm256_castsi256_ps(vf_bits_half(p + 8)));
}

/* packus works on each half of a register by itself: quarters 0 2 1 3 come out. */
static inline void vf_store_bits(uint16_t *p, vf v) {
    __m256i packed = _mm256_packus_epi32(_mm256_castps_si256(v.low), _mm256_castps_si256(v.high));
    _mm256_storeu_si256((__m256i *)(void *)p, _mm256_permute4x64_epi64(packed, 0xd8));
}

/* All bits set in the first n of 8 lanes; n may be over 8. */
static inline __m256i vf_part_mask(size_t n) {
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), lanes);
}

static inline __m256 vf_load_half(const float *p, __m256i mask, float fill) {
    __m256 loaded = _mm256_maskload_ps(p, mask);
    return _mm256_blendv_ps(_mm256_set1_ps(fill), loaded, _mm256_castsi256_ps(mask));
}

static inline vf vf_load_part(const float *p, size_t n, float fill) {
    if (n <= 8) return vf_join(vf_load_half(p, vf_part_mask(n), fill), _mm256_set1_ps(fill));
    return vf_join(_mm256_loadu_ps(p), vf_load_half(p + 8, vf_part_mask(n - 8), fill));
}

static inline void vf_store_part(float *p, vf v, size_t n) {
    _mm256_maskstore_ps(p, vf_part_mask(n), v.low);
    if (n > 8) _mm256_maskstore_ps(p + 8, vf_part_mask(n - 8), v.high);
}

static inline vf vf_add(vf a, vf b) {
    return vf_join(_mm256_add_ps(a.low, b.low), _mm256_add_ps(a.high, b.high));
}

static inline vf vf_sub(vf a, vf b) {
    return vf_join(_mm256_sub_ps(a.low, b.low), _mm256_sub_ps(a.high, b.high));
}

static inline vf vf_mul(vf a, vf b) {
    return vf_join(_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high));
}

static inline vf vf_div(vf a, vf b) {
    return vf_join(_mm256_div_ps(a.low, b.low), _mm256_div_ps(a.high, b.high));
}

static inline vf vf_sqrt(vf a) {
    return vf_join(_mm256_sqrt_ps(a.low), _mm256_sqrt_ps(a.high));
}

static inline vf vf_negate(vf a) {
    const __m256 sign = _mm256_set1_ps(-0.0f);
    return vf_join(_mm256_xor_ps(a.low, sign), _mm256_xor_ps(a.high, sign));
}

static inline vf vf_fma(vf a, vf b, vf c) {
    return vf_join(_mm256_fmadd_ps(a.low, b.low, c.low), _mm256_fmadd_ps(a.high, b.high, c.high));
}

/* maxps gives its second operand unless the first is greater, which is the definition. */
static inline vf vf_max(vf a, vf b) {
    return vf_join(_mm256_max_ps(a.low, b.low), _mm256_max_ps(a.high, b.high));
}

static inline vf vf_exp(vf a) {
    return vf_join(Sleef_finz_expf8_u10avx2(a.low), Sleef_finz_expf8_u10avx2(a.high));
}

static inline vf vf_erf(vf a) {
    return vf_join(Sleef_finz_erff8_u10avx2(a.low), Sleef_finz_erff8_u10avx2(a.high));
}

static inline vf vf_swap_pairs(vf a) {
    return vf_join(_mm256_permute_ps(a.low, 0xb1), _mm256_permute_ps(a.high, 0xb1));
}

/* An 8 x 8 block: pairs of rows, then fours, within each 128-bit half; then the halves. */
static inline void vf_transpose8(__m256 rows[8]) {
    __m256 pairs[8], fours[8];
#pragma GCC unroll 4
    for (int i = 0; i < 8; i += 2) {
        pairs[i] = _mm256_unpacklo_ps(rows[i], rows[i + 1]);
        pairs[i + 1] = _mm256_unpackhi_ps(rows[i], rows[i + 1]);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 8; i += 2) {
        int from = i / 4 * 4 + i % 4 / 2;
        fours[i] = _mm256_shuffle_ps(pairs[from], pairs[from + 2], 0x44);
        fours[i + 1] = _mm256_shuffle_ps(pairs[from], pairs[from + 2], 0xee);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        rows[i] = _mm256_permute2f128_ps(fours[i], fours[i + 4], 0x20);
        rows[i + 4] = _mm256_permute2f128_ps(fours[i], fours[i + 4], 0x31);
    }
}

/* The blocks on the diagonal stay; the other two change places. */
static inline void vf_transpose(vf rows[16]) {
    __m256 blocks[2][2][8]; /* [down][across] */
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++) {
        blocks[i / 8][0][i % 8] = rows[i].low;
        blocks[i / 8][1][i % 8] = rows[i].high;
    }
    vf_transpose8(blocks[0][0]);
    vf_transpose8(blocks[0][1]);
    vf_transpose8(blocks[1][0]);
    vf_transpose8(blocks[1][1]);
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++) {
        rows[i] = vf_join(blocks[0][i / 8][i % 8], blocks[1][i / 8][i % 8]);
    }
}

static inline float vf_fold_add(vf a) {
    __m256 a8 = _mm256_add_ps(a.low, a.high);
    __m128 a4 = _mm_add_ps(_mm256_castps256_ps128(a8), _mm256_extractf128_ps(a8, 1));
    __m128 a2 = _mm_add_ps(a4, _mm_movehl_ps(a4, a4));
    return _mm_cvtss_f32(_mm_add_ss(a2, _mm_movehdup_ps(a2)));
}

static inline float vf_fold_max(vf a) {
    __m256 a8 = _mm256_max_ps(a.low, a.high);
    __m128 a4 = _mm_max_ps(_mm256_castps256_ps128(a8), _mm256_extractf128_ps(a8, 1));
    __m128 a2 = _mm_max_ps(a4, _mm_movehl_ps(a4, a4));
    return _mm_cvtss_f32(_mm_max_ss(a2, _mm_movehdup_ps(a2)));
}

static inline size_t vf_pick(vf v, uint32_t mask, int32_t first, float *values, int32_t *indices) {
    float lanes[16];
    vf_store(lanes, v);
    return pick_lanes(lanes, mask, first, values, indices);
}

static inline uint32_t vf_greater(vf a, vf b) {
    uint32_t low = (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(a.low, b.low, _CMP_GT_OQ));
    uint32_t high = (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(a.high, b.high, _CMP_GT_OQ));
    return low | high << 8;
}

/* x - x is 0 for finite x and NaN otherwise. */
static inline uint32_t vf_not_finite(vf a) {
    __m256 low = _mm256_sub_ps(a.low, a.low), high = _mm256_sub_ps(a.high, a.high);
    uint32_t low_bits = (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(low, low, _CMP_UNORD_Q));
    uint32_t high_bits = (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(high, high, _CMP_UNORD_Q));
    return low_bits | high_bits << 8;
}

#endif
