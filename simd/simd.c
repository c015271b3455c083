#include "simd/simd.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simd/cpu.h"

extern const struct simd_kernels simd_kernels_scalar;
#if defined(__x86_64__)
extern const struct simd_kernels simd_kernels_avx2, simd_kernels_avx512;
#endif
#if defined(__aarch64__)
extern const struct simd_kernels simd_kernels_neon;
#endif

static const char *const isa_names[SIMD_ISA_COUNT] = {"scalar", "neon", "avx2", "avx512"};

static pthread_once_t choose_once = PTHREAD_ONCE_INIT;
static const struct simd_kernels *chosen;
static char problem[160];

const char *simd_isa_name(enum simd_isa isa) {
    return isa < SIMD_ISA_COUNT ? isa_names[isa] : "unknown";
}

const struct simd_kernels *simd_table(enum simd_isa isa) {
    if (!cpu_has_isa(isa)) return NULL;
    switch (isa) {
        case SIMD_ISA_SCALAR:
            return &simd_kernels_scalar;
#if defined(__x86_64__)
        case SIMD_ISA_AVX2:
            return &simd_kernels_avx2;
        case SIMD_ISA_AVX512:
            return &simd_kernels_avx512;
#endif
#if defined(__aarch64__)
        case SIMD_ISA_NEON:
            return &simd_kernels_neon;
#endif
        default:
            return NULL;
    }
}

/* A ladder: each step that the CPU can climb replaces the table before it. */
static void choose(void) {
    for (enum simd_isa isa = SIMD_ISA_SCALAR; isa < SIMD_ISA_COUNT; isa++) {
        const struct simd_kernels *table = simd_table(isa);
        if (table != NULL) chosen = table;
    }
    const char *wanted = getenv("MNEME_ISA");
    if (wanted == NULL || wanted[0] == '\0') return;
    for (enum simd_isa isa = SIMD_ISA_SCALAR; isa < SIMD_ISA_COUNT; isa++) {
        const struct simd_kernels *table = simd_table(isa);
        if (strcmp(wanted, isa_names[isa]) == 0 && table != NULL) {
            chosen = table;
            return;
        }
    }
    snprintf(problem, sizeof problem,
             "MNEME_ISA=%.32s: this build and CPU have no such instruction set (best here: %s)",
             wanted, isa_names[chosen->isa]);
}

const struct simd_kernels *simd(void) {
    pthread_once(&choose_once, choose);
    return chosen;
}

bool simd_use(enum simd_isa isa) {
    const struct simd_kernels *table = simd_table(isa);
    pthread_once(&choose_once, choose);
    if (table != NULL) chosen = table;
    return table != NULL;
}

const char *simd_problem(void) {
    pthread_once(&choose_once, choose);
    return problem[0] == '\0' ? NULL : problem;
}
