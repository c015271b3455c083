#include "tensor/tensor.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "simd/simd.h"

static const struct {
    const char *name;
    size_t size;
} types[TENSOR_N_TYPES] = {
    [TENSOR_BOOL] = {"BOOL", 1}, [TENSOR_U8] = {"U8", 1},   [TENSOR_I8] = {"I8", 1},
    [TENSOR_U16] = {"U16", 2},   [TENSOR_I16] = {"I16", 2}, [TENSOR_F16] = {"F16", 2},
    [TENSOR_BF16] = {"BF16", 2}, [TENSOR_U32] = {"U32", 4}, [TENSOR_I32] = {"I32", 4},
    [TENSOR_F32] = {"F32", 4},   [TENSOR_U64] = {"U64", 8}, [TENSOR_I64] = {"I64", 8},
    [TENSOR_F64] = {"F64", 8},
};

const char *tensor_type_name(enum tensor_type type) {
    return types[type].name;
}

bool tensor_type_from_name(const char *name, enum tensor_type *type) {
    for (size_t i = 0; i < TENSOR_N_TYPES; i++) {
        if (strcmp(types[i].name, name) == 0) {
            *type = (enum tensor_type)i;
            return true;
        }
    }
    return false;
}

size_t tensor_type_size(enum tensor_type type) {
    return types[type].size;
}

bool tensor_bytes(const struct tensor *tensor, size_t *bytes) {
    size_t product = tensor_type_size(tensor->type);
    for (size_t i = 0; i < tensor->rank; i++) {
        if (!size_multiply(product, tensor->shape[i], &product)) return false;
    }
    *bytes = product;
    return true;
}

/* Values that a thread looks at at a time. */
#define FINITE_BLOCK ((size_t)1 << 16)

/* The first block that has one, or n. */
static size_t block_not_finite(const float *values, size_t n) {
    const struct simd_kernels *kernels = simd();
    size_t first = n;
#pragma omp parallel for schedule(static) if (n > FINITE_BLOCK)
    for (size_t i = 0; i < n; i += FINITE_BLOCK) {
        if (kernels->all_finite(n - i < FINITE_BLOCK ? n - i : FINITE_BLOCK, values + i)) continue;
#pragma omp critical(not_finite)
        if (i < first) first = i;
    }
    return first;
}

size_t tensor_first_not_finite(const float *values, size_t n) {
    for (size_t i = block_not_finite(values, n); i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        if ((bits & 0x7f800000u) == 0x7f800000u) return i;
    }
    return n;
}

void tensor_shape_text(size_t rank, const size_t *shape, char text[TENSOR_SHAPE_TEXT]) {
    size_t used = 0;
    text[used++] = '[';
    for (size_t i = 0; i < rank && i < TENSOR_MAX_RANK; i++) {
        int n = snprintf(text + used, TENSOR_SHAPE_TEXT - used, i == 0 ? "%zu" : ",%zu", shape[i]);
        used += (size_t)n;
    }
    text[used++] = ']';
    text[used] = '\0';
}

int tensor_compare_names(const void *a, const void *b) {
    return strcmp(((const struct tensor *)a)->name, ((const struct tensor *)b)->name);
}
