#include "tensor/gguf_widen.h"

#include <string.h>

#include "simd/stored.h"

/* In all block types scales are little-endian f16, and elements lie as the llama.cpp project lays
 * them: in a block of 32 the low halves of the bytes are the first 16 elements. */

static float half_at(const uint8_t *bytes) {
    return stored_float_of_f16((uint16_t)(bytes[0] | bytes[1] << 8));
}

static void widen_F32(const uint8_t *restrict blocks, size_t n_blocks, float *restrict values) {
    memcpy(values, blocks, n_blocks * sizeof *values);
}

static void widen_F16(const uint8_t *restrict blocks, size_t n_blocks, float *restrict values) {
    for (size_t i = 0; i < n_blocks; i++) values[i] = half_at(blocks + 2 * i);
}

static void widen_BF16(const uint8_t *restrict blocks, size_t n_blocks, float *restrict values) {
    for (size_t i = 0; i < n_blocks; i++) {
        values[i] = stored_float_of_bf16((uint16_t)(blocks[2 * i] | blocks[2 * i + 1] << 8));
    }
}

/* Four bits of element i of 32 that lie in 16 bytes. */
static int nibble(const uint8_t *bytes, size_t i) {
    return i < 16 ? bytes[i] & 15 : bytes[i - 16] >> 4;
}

static int bit(const uint8_t *bytes, size_t i) {
    return bytes[i / 8] >> (i % 8) & 1;
}

/* scale, 16 bytes of nibbles; a nibble of 8 is zero */
static void widen_Q4_0(const uint8_t *restrict blocks, size_t n_blocks, float *restrict values) {
    for (size_t b = 0; b < n_blocks; b++, blocks += 18) {
        float scale = half_at(blocks);
        for (size_t i = 0; i < 32; i++) *values++ = scale * (float)(nibble(blocks + 2, i) - 8);
    }
}

/* scale, minimum, 16 bytes of nibbles */
static void widen_Q4_1(const uint8_t *restrict blocks, size_t n_blocks, float *restrict values) {
    for (size_t b = 0; b < n_blocks; b++, blocks += 20) {
        float scale = half_at(blocks), minimum = half_at(blocks + 2);
        for (size_t i = 0; i < 32; i++) {
            *values++ = scale * (float)nibble(blocks + 4, i) + minimum;
        }
    }
}

/* scale, 32 fifth bits, 16 bytes of nibbles; 16 is zero */
static void widen_Q5_0(const uint8_t *restrict blocks, size_t n_blocks, float *restrict values) {
    for (size_t b = 0; b < n_blocks; b++, blocks += 22) {
        float scale = half_at(blocks);
        for (size_t i = 0; i < 32; i++) {
            int q = nibble(blocks + 6, i) | bit(blocks + 2, i) << 4;
            *values++ = scale * (float)(q - 16);
        }
    }
}

/* scale, minimum, 32 fifth bits, 16 bytes of nibbles */
static void widen_Q5_1(const uint8_t *restrict blocks, size_t n_blocks, float *restrict values) {
    for (size_t b = 0; b < n_blocks; b++, blocks += 24) {
        float scale = half_at(blocks), minimum = half_at(blocks + 2);
        for (size_t i = 0; i < 32; i++) {
            int q = nibble(blocks + 8, i) | bit(blocks + 4, i) << 4;
            *values++ = scale * (float)q + minimum;
        }
    }
}

/* scale, 32 signed bytes */
static void widen_Q8_0(const uint8_t *restrict blocks, size_t n_blocks, float *restrict values) {
    for (size_t b = 0; b < n_blocks; b++, blocks += 34) {
        float scale = half_at(blocks);
        for (size_t i = 0; i < 32; i++) *values++ = scale * (float)(int8_t)blocks[2 + i];
    }
}

/* The two bits of element i of 256 that lie in 64 bytes: 128 elements share 32 bytes. */
static int two_bits(const uint8_t *bytes, size_t i) {
    return bytes[i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3;
}

/* 16 bytes, each a scale and a minimum of four bits; 64 bytes of two bits; scales of the scales and
 * of the minima */
static void widen_Q2_K(const uint8_t *restrict blocks, size_t n_blocks, float *restrict values) {
    for (size_t b = 0; b < n_blocks; b++, blocks += 84) {
        float scale = half_at(blocks + 80), minimum = half_at(blocks + 82);
        for (size_t i = 0; i < 256; i++) {
            uint8_t both = blocks[i / 16];
            float low = minimum * (float)(both >> 4);
            *values++ = scale * (float)(both & 15) * (float)two_bits(blocks + 16, i) - low;
        }
    }
}

/* The six bits of the i-th of 16 scales in 12 bytes: low four bits in 8 bytes, high two in 4. */
static int scale_of_16(const uint8_t *bytes, size_t i) {
    int low = i < 8 ? bytes[i] & 15 : bytes[i - 8] >> 4;
    return low | (bytes[8 + i % 4] >> (i / 4 * 2) & 3) << 4;
}

/* 32 bytes of third bits, 64 of two bits, 12 of scales, the scales' scale; a third bit that is 0
 * takes 4 away */
static void widen_Q3_K(const uint8_t *restrict blocks, size_t n_blocks, float *restrict values) {
    for (size_t b = 0; b < n_blocks; b++, blocks += 110) {
        float scale = half_at(blocks + 108);
        for (size_t i = 0; i < 256; i++) {
            int third = blocks[i % 32] >> (i / 32) & 1;
            int q = two_bits(blocks + 32, i) - (third == 0 ? 4 : 0);
            *values++ = scale * (float)(scale_of_16(blocks + 96, i / 16) - 32) * (float)q;
        }
    }
}

/* The i-th of 8 scales and minima of six bits in 12 bytes. */
static void scale_of_8(const uint8_t *bytes, size_t i, int *scale, int *minimum) {
    if (i < 4) {
        *scale = bytes[i] & 63;
        *minimum = bytes[i + 4] & 63;
    } else {
        *scale = (bytes[i + 4] & 15) | (bytes[i - 4] >> 2 & 48);
        *minimum = bytes[i + 4] >> 4 | (bytes[i] >> 2 & 48);
    }
}

/* The four bits of element i of 256 that lie in 128 bytes: 64 elements share 32 bytes. */
static int nibble_of_256(const uint8_t *bytes, size_t i) {
    return bytes[i / 64 * 32 + i % 32] >> (i % 64 / 32 * 4) & 15;
}

/* scale and minimum of the block, 12 bytes of eight scales and minima; 128 bytes of nibbles */
static void widen_Q4_K(const uint8_t *restrict blocks, size_t n_blocks, float *restrict values) {
    for (size_t b = 0; b < n_blocks; b++, blocks += 144) {
        float block_scale = half_at(blocks), block_minimum = half_at(blocks + 2);
        for (size_t i = 0; i < 256; i++) {
            int scale, minimum;
            scale_of_8(blocks + 4, i / 32, &scale, &minimum);
            float low = block_minimum * (float)minimum;
            *values++ = block_scale * (float)scale * (float)nibble_of_256(blocks + 16, i) - low;
        }
    }
}

/* As Q4_K, with 32 bytes of fifth bits before the nibbles. */
static void widen_Q5_K(const uint8_t *restrict blocks, size_t n_blocks, float *restrict values) {
    for (size_t b = 0; b < n_blocks; b++, blocks += 176) {
        float block_scale = half_at(blocks), block_minimum = half_at(blocks + 2);
        for (size_t i = 0; i < 256; i++) {
            int scale, minimum;
            scale_of_8(blocks + 4, i / 32, &scale, &minimum);
            int fifth = blocks[16 + i % 32] >> (i / 32) & 1;
            int q = nibble_of_256(blocks + 48, i) | fifth << 4;
            *values++ = block_scale * (float)scale * (float)q - block_minimum * (float)minimum;
        }
    }
}

/* 128 bytes of nibbles (128 elements share 64), 64 bytes of two high bits, 16 signed scales, their
 * scale; 32 is zero */
static void widen_Q6_K(const uint8_t *restrict blocks, size_t n_blocks, float *restrict values) {
    for (size_t b = 0; b < n_blocks; b++, blocks += 210) {
        float block_scale = half_at(blocks + 208);
        for (size_t i = 0; i < 256; i++) {
            int low = blocks[i / 128 * 64 + i % 64] >> (i % 128 / 64 * 4) & 15;
            int q = low | two_bits(blocks + 128, i) << 4;
            *values++ = block_scale * (float)(int8_t)blocks[192 + i / 16] * (float)(q - 32);
        }
    }
}

static const struct gguf_type types[] = {
#define GGUF_TYPE(name, number, elements, bytes) {#name, number, elements, bytes, widen_##name},
#include "tensor/gguf_types.def"
#undef GGUF_TYPE
};

#define GGUF_TYPE(name, number, elements, bytes) \
    _Static_assert((elements) <= GGUF_MAX_BLOCK_ELEMENTS && (bytes) <= GGUF_MAX_BLOCK_BYTES, #name);
#include "tensor/gguf_types.def"
#undef GGUF_TYPE

#define GGUF_TYPE(name, number, elements, bytes) " " #name
const char gguf_type_names[] =
#include "tensor/gguf_types.def"
    ;
#undef GGUF_TYPE

const struct gguf_type *gguf_type_find(uint32_t number) {
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (types[i].number == number) return &types[i];
    }
    return NULL;
}
