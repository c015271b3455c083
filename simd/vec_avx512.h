#ifndef SIMD_VEC_AVX512_H
#define SIMD_VEC_AVX512_H

/* 16 lanes in one register of AVX-512 (F, BW, DQ, VL). */

#include <immintrin.h>
#include <sleef.h>
#include <stddef.h>
#include <stdint.h>

#define VF_GEMM_ROWS 14
#define VF_GEMM_VECTORS 2

typedef __m512 vf;

static inline vf vf_set1(float x) {
    return _mm512_set1_ps(x);
}

static inline vf vf_zero(void) {
    return _mm512_setzero_ps();
}

static inline vf vf_load(const float *p) {
    return _mm512_loadu_ps(p);
}

static inline void vf_store(float *p, vf v) {
    _mm512_storeu_ps(p, v);
}

static inline __m256i vf_halves(const uint16_t *p) {
    return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

static inline vf vf_load_bf16(const uint16_t *p) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(vf_halves(p)), 16));
}

static inline vf vf_load_f16(const uint16_t *p) {
    return _mm512_cvtph_ps(vf_halves(p));
}

static inline vf vf_load_bits(const uint16_t *p) {
    return _mm512_castsi512_ps(_mm512_cvtepu16_epi32(vf_halves(p)));
}

static inline void vf_store_bits(uint16_t *p, vf v) {
    _mm256_storeu_si256((__m256i *)(void *)p, _mm512_cvtepi32_epi16(_mm512_castps_si512(v)));
}

static inline vf vf_load_part(const float *p, size_t n, float fill) {
    __mmask16 mask = (__mmask16)((1u << n) - 1u);
    return _mm512_mask_loadu_ps(_mm512_set1_ps(fill), mask, p);
}

static inline void vf_store_part(float *p, vf v, size_t n) {
    _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1u), v);
}

static inline vf vf_add(vf a, vf b) {
    return _mm512_add_ps(a, b);
}

static inline vf vf_sub(vf a, vf b) {
    return _mm512_sub_ps(a, b);
}

static inline vf vf_mul(vf a, vf b) {
    return _mm512_mul_ps(a, b);
}

static inline vf vf_div(vf a, vf b) {
    return _mm512_div_ps(a, b);
}

static inline vf vf_sqrt(vf a) {
    return _mm512_sqrt_ps(a);
}

static inline vf vf_negate(vf a) {
    return _mm512_xor_ps(a, _mm512_set1_ps(-0.0f));
}

static inline vf vf_fma(vf a, vf b, vf c) {
    return _mm512_fmadd_ps(a, b, c);
}

/* maxps gives its second operand unless the first is greater, which is the definition. */
static inline vf vf_max(vf a, vf b) {
    return _mm512_max_ps(a, b);
}

static inline vf vf_exp(vf a) {
    return Sleef_finz_expf16_u10avx512f(a);
}

static inline vf vf_erf(vf a) {
    return Sleef_finz_erff16_u10avx512f(a);
}

static inline vf vf_swap_pairs(vf a) {
    return _mm512_permute_ps(a, 0xb1);
}

/* Pairs of rows, then fours, within each 128-bit part; then the parts themselves. */
static inline void vf_transpose(vf rows[16]) {
    vf pairs[16], fours[16];
#pragma GCC unroll 8
    for (int i = 0; i < 16; i += 2) {
        pairs[i] = _mm512_unpacklo_ps(rows[i], rows[i + 1]);
        pairs[i + 1] = _mm512_unpackhi_ps(rows[i], rows[i + 1]);
    }
#pragma GCC unroll 8
    for (int i = 0; i < 16; i += 2) {
        int from = i / 4 * 4 + i % 4 / 2;
        __m512d a = _mm512_castps_pd(pairs[from]), b = _mm512_castps_pd(pairs[from + 2]);
        fours[i] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, b));
        fours[i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, b));
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        vf even_low = _mm512_shuffle_f32x4(fours[i], fours[i + 4], 0x88);
        vf odd_low = _mm512_shuffle_f32x4(fours[i], fours[i + 4], 0xdd);
        vf even_high = _mm512_shuffle_f32x4(fours[i + 8], fours[i + 12], 0x88);
        vf odd_high = _mm512_shuffle_f32x4(fours[i + 8], fours[i + 12], 0xdd);
        rows[i] = _mm512_shuffle_f32x4(even_low, even_high, 0x88);
        rows[i + 4] = _mm512_shuffle_f32x4(odd_low, odd_high, 0x88);
        rows[i + 8] = _mm512_shuffle_f32x4(even_low, even_high, 0xdd);
        rows[i + 12] = _mm512_shuffle_f32x4(odd_low, odd_high, 0xdd);
    }
}

static inline __m256 vf_low(vf a) {
    return _mm512_castps512_ps256(a);
}

static inline __m256 vf_high(vf a) {
    return _mm512_extractf32x8_ps(a, 1);
}

static inline float vf_fold_add(vf a) {
    __m256 a8 = _mm256_add_ps(vf_low(a), vf_high(a));
    __m128 a4 = _mm_add_ps(_mm256_castps256_ps128(a8), _mm256_extractf128_ps(a8, 1));
    __m128 a2 = _mm_add_ps(a4, _mm_movehl_ps(a4, a4));
    return _mm_cvtss_f32(_mm_add_ss(a2, _mm_movehdup_ps(a2)));
}

static inline float vf_fold_max(vf a) {
    __m256 a8 = _mm256_max_ps(vf_low(a), vf_high(a));
    __m128 a4 = _mm_max_ps(_mm256_castps256_ps128(a8), _mm256_extractf128_ps(a8, 1));
    __m128 a2 = _mm_max_ps(a4, _mm_movehl_ps(a4, a4));
    return _mm_cvtss_f32(_mm_max_ss(a2, _mm_movehdup_ps(a2)));
}

static inline uint32_t vf_greater(vf a, vf b) {
    return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ);
}

static inline size_t vf_pick(vf v, uint32_t mask, int32_t first, float *values, int32_t *indices) {
    const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    __m512i index = _mm512_add_epi32(lanes, _mm512_set1_epi32(first));
    _mm512_storeu_ps(values, _mm512_maskz_compress_ps((__mmask16)mask, v));
    _mm512_storeu_si512(indices, _mm512_maskz_compress_epi32((__mmask16)mask, index));
    return (size_t)__builtin_popcount(mask);
}

/* Classes: quiet NaN, +infinity, -infinity, signalling NaN. */
static inline uint32_t vf_not_finite(vf a) {
    return _mm512_fpclass_ps_mask(a, 0x01 | 0x08 | 0x10 | 0x80);
}

#endif
