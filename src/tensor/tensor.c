#include "tensor/tensor.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
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

bool tensor_type_stored(enum tensor_type type, enum stored_type *stored) {
    for (*stored = 0; *stored < STORED_TYPES; ++*stored) {
        if (tensor_type_of(*stored) == type) return true;
    }
    return false;
}

enum tensor_type tensor_type_of(enum stored_type stored) {
    static const enum tensor_type of[STORED_TYPES] = {
        [STORED_F32] = TENSOR_F32, [STORED_BF16] = TENSOR_BF16, [STORED_F16] = TENSOR_F16};
    return of[stored];
}

/* Values that a thread looks at at a time. */
#define FINITE_BLOCK ((size_t)1 << 16)
/* Numbers of 16 bits that are widened at a time. */
#define WIDE_BLOCK ((size_t)1 << 10)

static bool all_finite(struct stored values, size_t n) {
    const struct simd_kernels *kernels = simd();
    if (values.type == STORED_F32) return kernels->all_finite(n, values.data);
    for (size_t i = 0; i < n; i += WIDE_BLOCK) {
        float wide[WIDE_BLOCK];
        const size_t count = n - i < WIDE_BLOCK ? n - i : WIDE_BLOCK;
        kernels->widen(count, stored_from(values, i), wide);
        if (!kernels->all_finite(count, wide)) return false;
    }
    return true;
}

/* The first block that has one, or n. */
static size_t block_not_finite(struct stored values, size_t n) {
    size_t first = n;
#pragma omp parallel for schedule(static) if (n > FINITE_BLOCK)
    for (size_t i = 0; i < n; i += FINITE_BLOCK) {
        const size_t count = n - i < FINITE_BLOCK ? n - i : FINITE_BLOCK;
        if (all_finite(stored_from(values, i), count)) continue;
#pragma omp critical(not_finite)
        if (i < first) first = i;
    }
    return first;
}

size_t tensor_first_not_finite(struct stored values, size_t n) {
    for (size_t i = block_not_finite(values, n); i < n; i++) {
        if (!all_finite(stored_from(values, i), 1)) return i;
    }
    return n;
}

/* Elements that are made at a time. */
#define READ_BLOCK ((size_t)1 << 16)

static mneme_status pass_on_read(const struct tensor *tensor, size_t count, tensor_take *take,
                                 void *user, mneme_error *error) {
    const size_t size = tensor_type_size(tensor->type);
    void *elements = memory_allocate(READ_BLOCK, size);
    if (elements == NULL) return error_set_memory(error, tensor->name);
    mneme_status status = MNEME_OK;
    for (size_t i = 0; i < count && status == MNEME_OK; i += READ_BLOCK) {
        const size_t n = count - i < READ_BLOCK ? count - i : READ_BLOCK;
        tensor->read(tensor->data, tensor->type, i, n, elements);
        status = take(user, elements, n * size, error);
    }
    free(elements);
    return status;
}

mneme_status tensor_pass_on(const struct tensor *tensor, tensor_take *take, void *user,
                            mneme_error *error) {
    size_t bytes = 0;
    if (!tensor_bytes(tensor, &bytes)) {
        return error_set(error, MNEME_BAD_INPUT, "tensor `%s`: too large", tensor->name);
    }
    if (tensor->read == NULL) return take(user, tensor->data, bytes, error);
    return pass_on_read(tensor, bytes / tensor_type_size(tensor->type), take, user, error);
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
