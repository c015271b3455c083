#ifndef SIMD_VEC_PICK_H
#define SIMD_VEC_PICK_H

#include <stddef.h>
#include <stdint.h>

/* vf_pick where the instruction set has no compression of a vector. */
static inline size_t pick_lanes(const float *lanes, uint32_t mask, int32_t first, float *values,
                                int32_t *indices) {
    size_t n = 0;
    for (; mask != 0; mask &= mask - 1, n++) {
        int lane = __builtin_ctz(mask);
        values[n] = lanes[lane];
        indices[n] = first + lane;
    }
    return n;
}

#endif
