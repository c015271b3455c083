/* The kernels of this instruction set as a table. */

#include "simd/vec.h"

extern const struct simd_kernels SIMD_FN(simd_kernels);

enum {
#define ALL_ISAS
#define ISA(constant, name, usable) ISA_##name = SIMD_ISA_##constant,
#include "simd/isas.def"
#undef ISA
#undef ALL_ISAS
};

const struct simd_kernels SIMD_FN(simd_kernels) = {
    .isa = (enum simd_isa)SIMD_JOIN(ISA, SIMD_ISA),
    .gemm_rows = VF_GEMM_ROWS,
    .gemm_columns = SIMD_LANES * VF_GEMM_VECTORS,
#define KERNEL(result, name, arguments) .name = SIMD_FN(name),
#include "simd/kernels.def"
#undef KERNEL
};
