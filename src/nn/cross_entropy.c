#include "nn/cross_entropy.h"

#include <string.h>

#include "profile/profile.h"
#include "simd/simd.h"

void cross_entropy(size_t n, size_t classes, float *logits, const int32_t *targets, float scale,
                   float *losses) {
    PROFILE(cross_entropy, n, classes, scale != 0.0f);
    const struct simd_kernels *kernels = simd();
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < n; i++) {
        float *row = logits + i * classes;
        losses[i] = 0.0f;
        if (targets[i] != CROSS_ENTROPY_IGNORE) {
            losses[i] = kernels->cross_entropy_row(classes, row, (size_t)targets[i], scale);
        } else if (scale != 0.0f) {
            memset(row, 0, classes * sizeof *row);
        }
    }
}
