#ifndef SIMD_VEC_H
#define SIMD_VEC_H

/* Chooses the 16-lane vector type of the instruction set that this object is compiled for
 * (SIMD_ISA, given by the Makefile) and names its functions.
 *
 * Every header defines, on `vf` (16 f32 lanes):
 *   vf_zero, vf_set1, vf_load, vf_store            unaligned is allowed
 *   vf_load_part(p, n, fill), vf_store_part(p, v, n)   n < 16 lanes; memory after them untouched
 *   vf_load_bf16(p), vf_load_f16(p)                 16 numbers of 16 bits, widened
 *   vf_load_bits(p), vf_store_bits(p, v)            16 bits as the low bits of each lane, which
 *                                                   can be moved about, and back
 *   vf_add, vf_sub, vf_mul, vf_div, vf_sqrt, vf_negate, vf_fma(a, b, c) = a * b + c
 *   vf_max(a, b) = a > b ? a : b, lane by lane
 *   vf_exp                                          SLEEF's deterministic exp
 *   vf_erf                                          SLEEF's deterministic erf
 *   vf_swap_pairs                                   lanes 1 0 3 2 5 4 ...
 *   vf_transpose(rows)                              lane j of rows[i] and lane i of rows[j] change
 *                                                   places, 16 x 16
 *   vf_fold_add, vf_fold_max                        lanes i and i+8, then 4, 2, 1
 *   vf_greater(a, b), vf_not_finite(a)              a bit per lane, lane 0 lowest
 *   vf_pick(v, mask, first, values, indices)        the mask's lanes one after the other, and first
 *                                                   + lane; returns how many. Both arrays have
 *                                                   room for 16, all of which may be written
 * and the matrix tile: VF_GEMM_ROWS x (16 * VF_GEMM_VECTORS). */

#define SIMD_JOIN_(a, b) a##_##b
#define SIMD_JOIN(a, b) SIMD_JOIN_(a, b)
#define SIMD_QUOTE_(text) #text
#define SIMD_QUOTE(text) SIMD_QUOTE_(text)
/* Unformatted: blanks would become part of the path. */
/* clang-format off */
#define SIMD_HEADER_(isa) SIMD_QUOTE(simd/vec_##isa.h)
/* clang-format on */
#define SIMD_HEADER(isa) SIMD_HEADER_(isa)

/* A kernel's name in this instruction set: SIMD_FN(add) is add_avx2. */
#define SIMD_FN(name) SIMD_JOIN(name, SIMD_ISA)

#define SIMD_LANES 16

/* For functions whose sizes are constants at every call. */
#define INLINE static inline __attribute__((always_inline))

#include SIMD_HEADER(SIMD_ISA)

#include "simd/simd.h"

/* 16 numbers of a type that is a constant at every call, as floats. */
INLINE vf vf_load_stored(const enum stored_type type, const void *p) {
    if (type == STORED_BF16) return vf_load_bf16(p);
    if (type == STORED_F16) return vf_load_f16(p);
    return vf_load(p);
}

/* Their first n, no more of which is read; the others are 0. */
INLINE vf vf_load_stored_part(const enum stored_type type, const void *p, size_t n) {
    if (type == STORED_F32) return vf_load_part(p, n, 0.0f);
    uint16_t lanes[SIMD_LANES] = {0};
    memcpy(lanes, p, n * sizeof *lanes);
    return type == STORED_BF16 ? vf_load_bf16(lanes) : vf_load_f16(lanes);
}

/* Where number i of a type lies. */
INLINE const char *stored_place(const enum stored_type type, const void *p, size_t i) {
    return (const char *)p + i * stored_size(type);
}

#define KERNEL(result, name, arguments) result SIMD_FN(name) arguments;
#include "simd/kernels.def"
#undef KERNEL

#endif
