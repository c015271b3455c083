/* The tables of the instruction sets, and the choice between them. */

#include "simd/simd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>

/* Compilers know no name for it yet. */
static bool has_f16c(void) {
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0;
}
#endif

#define ISA(constant, name, usable) extern const struct simd_kernels simd_kernels_##name;
#include "simd/isas.def"
#undef ISA

static const char *const isa_names[SIMD_ISA_COUNT] = {
#define ALL_ISAS
#define ISA(constant, name, usable) #name,
#include "simd/isas.def"
#undef ISA
#undef ALL_ISAS
};

const struct simd_kernels *simd_chosen = &simd_kernels_scalar;
static char problem[160];

const char *simd_isa_name(enum simd_isa isa) {
    return isa < SIMD_ISA_COUNT ? isa_names[isa] : "unknown";
}

const struct simd_kernels *simd_table(enum simd_isa isa) {
    switch (isa) {
#define ISA(constant, name, usable) \
    case SIMD_ISA_##constant:       \
        return (usable) ? &simd_kernels_##name : NULL;
#include "simd/isas.def"
#undef ISA
        default:
            return NULL;
    }
}

bool simd_use(enum simd_isa isa) {
    const struct simd_kernels *table = simd_table(isa);
    if (table != NULL) simd_chosen = table;
    return table != NULL;
}

/* A ladder: each step that the CPU can climb replaces the table before it. */
__attribute__((constructor)) static void choose(void) {
    const char *wanted = getenv("MNEME_ISA");
#if defined(__x86_64__)
    __builtin_cpu_init();
#endif
    if (simd_table(SIMD_ISA_SCALAR) == NULL) {
        snprintf(problem, sizeof problem,
                 "this CPU, or what emulates it, lacks AVX2 or FMA instructions (mneme computes "
                 "with fused multiply-adds and needs both)");
        return;
    }
    for (enum simd_isa isa = SIMD_ISA_SCALAR; isa < SIMD_ISA_COUNT; isa++) simd_use(isa);
    if (wanted == NULL || wanted[0] == '\0') return;
    for (enum simd_isa isa = SIMD_ISA_SCALAR; isa < SIMD_ISA_COUNT; isa++) {
        if (strcmp(wanted, isa_names[isa]) == 0 && simd_use(isa)) return;
    }
    snprintf(problem, sizeof problem,
             "MNEME_ISA=%.32s: this build and CPU have no such instruction set (best here: %s)",
             wanted, isa_names[simd()->isa]);
}

const char *simd_problem(void) {
    return problem[0] == '\0' ? NULL : problem;
}
