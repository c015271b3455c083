#include "simd/cpu.h"

bool cpu_has_isa(enum simd_isa isa) {
    switch (isa) {
        case SIMD_ISA_SCALAR:
            return true;
#if defined(__x86_64__)
        case SIMD_ISA_AVX2:
            return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
        case SIMD_ISA_AVX512:
            return cpu_has_isa(SIMD_ISA_AVX2) && __builtin_cpu_supports("avx512f") &&
                   __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
                   __builtin_cpu_supports("avx512vl");
#endif
#if defined(__aarch64__)
        case SIMD_ISA_NEON:
            return true;
#endif
        default:
            return false;
    }
}
