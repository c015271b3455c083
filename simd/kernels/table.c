#include "simd/vec.h"

extern const struct simd_kernels SIMD_FN(simd_kernels);

#define ISA_scalar SIMD_ISA_SCALAR
#define ISA_neon SIMD_ISA_NEON
#define ISA_avx2 SIMD_ISA_AVX2
#define ISA_avx512 SIMD_ISA_AVX512

const struct simd_kernels SIMD_FN(simd_kernels) = {
    .isa = SIMD_JOIN(ISA, SIMD_ISA),
    .gemm_rows = VF_GEMM_ROWS,
    .gemm_columns = SIMD_LANES * VF_GEMM_VECTORS,
#define KERNEL(result, name, arguments) .name = SIMD_FN(name),
#include "simd/kernels.def"
#undef KERNEL
};
