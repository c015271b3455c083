#include "tensor/narrow.h"

#include <math.h>

#define INFINITE 0x7f800000u
#define SIGN 0x8000u
/* The least f32 that rounds to an infinite f16, 65520, and the least normal f16, 2^-14. */
#define F16_BEYOND 0x477ff000u
#define F16_NORMAL 0x38800000u
/* Between the exponents' biases of f32 and f16, where f32 has the exponent. */
#define F16_BIAS (112u << 23)

static uint32_t bits_of(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* All bits but the lowest n, which round it to the nearest, ties to even. */
static uint32_t round_off(uint32_t bits, unsigned n) {
    return (bits + (1u << (n - 1)) - 1u + (bits >> n & 1u)) >> n;
}

uint16_t narrow_to_bf16(float x) {
    const uint32_t bits = bits_of(x);
    if ((bits & ~(SIGN << 16)) > INFINITE) return (uint16_t)(bits >> 16 | 0x40u);
    return (uint16_t)round_off(bits, 16);
}

uint16_t narrow_to_f16(float x) {
    const uint32_t bits = bits_of(x), sign = bits >> 16 & SIGN, magnitude = bits & ~(SIGN << 16);
    if (magnitude > INFINITE) return (uint16_t)(sign | 0x7e00u | (magnitude >> 13 & 0x3ffu));
    if (magnitude >= F16_BEYOND) return (uint16_t)(sign | 0x7c00u);
    if (magnitude >= F16_NORMAL) return (uint16_t)(sign | round_off(magnitude - F16_BIAS, 13));
    /* A subnormal counts units of 2^-24. */
    return (uint16_t)(sign | (uint32_t)nearbyintf(fabsf(x) * 0x1p24f));
}

void narrow_floats(enum stored_type as, size_t n, const float *from, void *to) {
    uint16_t *bits = to;
    if (as == STORED_F32) memcpy(to, from, n * sizeof *from);
    for (size_t i = 0; as == STORED_BF16 && i < n; i++) bits[i] = narrow_to_bf16(from[i]);
    for (size_t i = 0; as == STORED_F16 && i < n; i++) bits[i] = narrow_to_f16(from[i]);
}

/* A float after it was rounded. */
static float rounded(enum stored_type as, float x) {
    if (as == STORED_BF16) return stored_float_of_bf16(narrow_to_bf16(x));
    return as == STORED_F16 ? stored_float_of_f16(narrow_to_f16(x)) : x;
}

bool narrow_is_exact(enum stored_type as, size_t n, const float *from) {
    for (size_t i = 0; i < n; i++) {
        if (bits_of(rounded(as, from[i])) != bits_of(from[i])) return false;
    }
    return true;
}

size_t narrow_first_beyond(enum stored_type as, size_t n, const float *from) {
    size_t i = 0;
    while (i < n && (isinf(rounded(as, from[i])) == 0 || isinf(from[i]) != 0)) i++;
    return i;
}
