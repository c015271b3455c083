#include "tensor/value_pair.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* The number of representable floats between -0 and this one, negative below it: adjacent floats
 * are adjacent integers. `bits` is sign and magnitude, `width` wide. */
static int64_t order(uint64_t bits, unsigned width) {
    uint64_t sign = (uint64_t)1 << (width - 1), magnitude = bits & (sign - 1);
    return (bits & sign) != 0 ? -(int64_t)magnitude - 1 : (int64_t)magnitude;
}

static double value(enum tensor_type type, uint64_t bits) {
    float single;
    double wide;
    uint32_t low = (uint32_t)bits;
    switch (type) {
        case TENSOR_F32:
            memcpy(&single, &low, sizeof single);
            return (double)single;
        case TENSOR_BF16:
            return (double)stored_float_of_bf16((uint16_t)bits);
        case TENSOR_F16:
            return (double)stored_float_of_f16((uint16_t)bits);
        case TENSOR_F64:
            memcpy(&wide, &bits, sizeof wide);
            return wide;
        case TENSOR_I8:
            return (double)(int8_t)bits;
        case TENSOR_I16:
            return (double)(int16_t)bits;
        case TENSOR_I32:
            return (double)(int32_t)low;
        case TENSOR_I64:
            return (double)(int64_t)bits;
        default:
            return (double)bits;
    }
}

static bool is_float(enum tensor_type type) {
    return type == TENSOR_F16 || type == TENSOR_BF16 || type == TENSOR_F32 || type == TENSOR_F64;
}

static bool is_signed(enum tensor_type type) {
    return type == TENSOR_I8 || type == TENSOR_I16 || type == TENSOR_I32 || type == TENSOR_I64;
}

static uint64_t distance(int64_t a, int64_t b) {
    return a > b ? (uint64_t)a - (uint64_t)b : (uint64_t)b - (uint64_t)a;
}

static int64_t extend(uint64_t bits, unsigned width) {
    uint64_t sign = (uint64_t)1 << (width - 1);
    return (int64_t)((bits ^ sign) - sign);
}

mneme_value_pair value_pair(enum tensor_type type, const void *a, const void *b) {
    size_t size = tensor_type_size(type);
    unsigned width = (unsigned)(8 * size);
    uint64_t a_bits = 0, b_bits = 0;
    memcpy(&a_bits, a, size);
    memcpy(&b_bits, b, size);
    mneme_value_pair pair = {.a = value(type, a_bits), .b = value(type, b_bits)};
    if (is_float(type)) {
        bool ordered = !isnan(pair.a) && !isnan(pair.b);
        pair.ulp = ordered ? distance(order(a_bits, width), order(b_bits, width)) : UINT64_MAX;
    } else if (is_signed(type)) {
        pair.ulp = distance(extend(a_bits, width), extend(b_bits, width));
    } else {
        pair.ulp = a_bits > b_bits ? a_bits - b_bits : b_bits - a_bits;
    }
    return pair;
}
