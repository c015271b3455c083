#ifndef SIMD_STORED_H
#define SIMD_STORED_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Numbers as they lie in memory. Those of 16 bits are widened to f32, which is exact, where they
 * are read, and computed with as f32 (rule 10 of docs/arithmetic.md). */

enum stored_type {
    STORED_F32, /* 0: what {0} is */
    STORED_BF16,
    STORED_F16,
    STORED_TYPES
};

struct stored {
    const void *data;
    enum stored_type type;
};

static inline struct stored stored_f32(const float *data) {
    return (struct stored){data, STORED_F32};
}

/* Bytes of a number. */
static inline size_t stored_size(enum stored_type type) {
    return type == STORED_F32 ? sizeof(float) : sizeof(uint16_t);
}

/* From number i on. */
static inline struct stored stored_from(struct stored stored, size_t i) {
    stored.data = (const char *)stored.data + i * stored_size(stored.type);
    return stored;
}

static inline float stored_float_of_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline float stored_float_of_bf16(uint16_t bits) {
    return stored_float_of_bits((uint32_t)bits << 16);
}

static inline float stored_float_of_f16(uint16_t half) {
    uint32_t sign = (uint32_t)(half & 0x8000u) << 16;
    uint32_t exponent = (half >> 10) & 31u, fraction = half & 1023u;
    if (exponent == 31) return stored_float_of_bits(sign | 0x7f800000u | fraction << 13);
    if (exponent > 0) return stored_float_of_bits(sign | (exponent + 112) << 23 | fraction << 13);
    float magnitude = (float)fraction * 0x1p-24f; /* zero or subnormal */
    return sign != 0 ? -magnitude : magnitude;
}

#endif
