#include "tensor/tensors_difference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/path.h"
#include "simd/simd.h"
#include "tensor/safetensors.h"
#include "tensor/value_pair.h"

/* Tensors are read in pieces of this many elements. */
#define PIECE ((size_t)1 << 17)
#define MAX_ELEMENT ((size_t)8) /* bytes */

/* Two open files. */
struct comparing {
    struct safetensors a, b;
    unsigned char *a_piece, *b_piece; /* [PIECE * MAX_ELEMENT] */
};

/* What elements are compared as: their type, or that in which 16 bits are computed with. */
static enum tensor_type compared_type(const struct tensor *a, const struct tensor *b) {
    return a->type == b->type ? a->type : TENSOR_F32;
}

/* Sums for the relative error, over elements that are finite in both. These are statistics for
 * people; no result depends on them. */
struct sums {
    double difference, reference;
};

static void add_element(mneme_tensor_difference *tensor, enum tensor_type type, size_t index,
                        const unsigned char *a, const unsigned char *b, struct sums *sums) {
    size_t size = tensor_type_size(type);
    mneme_value_pair pair = value_pair(type, a, b);
    double difference = pair.a - pair.b;
    if (isfinite(pair.a) && isfinite(pair.b)) {
        sums->difference += difference * difference;
        sums->reference += pair.a * pair.a;
        if (fabs(difference) > tensor->max_absolute) tensor->max_absolute = fabs(difference);
    }
    if (memcmp(a, b, size) == 0) return;
    if (tensor->n_different == 0) {
        tensor->first = index;
        tensor->values = pair;
    }
    tensor->n_different++;
    if (pair.ulp > tensor->max_ulp) tensor->max_ulp = pair.ulp;
}

/* Reads n elements, widened where they are compared so. */
static mneme_status read_piece(const struct safetensors *file,
                               const struct safetensors_entry *entry, enum tensor_type as,
                               size_t first, size_t n, unsigned char *piece, mneme_error *error) {
    const size_t size = tensor_type_size(entry->tensor.type);
    const bool widens = entry->tensor.type != as;
    unsigned char *bytes = widens ? piece + PIECE * sizeof(float) : piece;
    TRY(safetensors_read_bytes(file, entry, first * size, bytes, n * size, error));
    if (!widens) return MNEME_OK;
    struct stored stored = {.data = bytes};
    (void)tensor_type_stored(entry->tensor.type, &stored.type); /* it is one: may_compare */
    simd()->widen(n, stored, (float *)(void *)piece);
    return MNEME_OK;
}

static mneme_status compare_bytes(struct comparing *c, const struct safetensors_entry *a,
                                  const struct safetensors_entry *b,
                                  mneme_tensor_difference *tensor, mneme_error *error) {
    const enum tensor_type type = compared_type(&a->tensor, &b->tensor);
    const size_t size = tensor_type_size(type), count = tensor->n_elements;
    struct sums sums = {0};
    for (size_t done = 0; done < count; done += PIECE) {
        size_t n = count - done < PIECE ? count - done : PIECE;
        TRY(read_piece(&c->a, a, type, done, n, c->a_piece, error));
        TRY(read_piece(&c->b, b, type, done, n, c->b_piece, error));
        for (size_t i = 0; i < n; i++) {
            add_element(tensor, type, done + i, c->a_piece + i * size, c->b_piece + i * size,
                        &sums);
        }
    }
    if (a->tensor.type != b->tensor.type && tensor->n_different == 0) {
        tensor->problem = "other type, same numbers";
    }
    if (sums.difference > 0.0) tensor->relative_l2 = sqrt(sums.difference / sums.reference);
    return MNEME_OK;
}

/* Whether the elements of both are compared: types may differ that are computed with as f32. */
static bool may_compare(const struct tensor *a, const struct tensor *b) {
    enum stored_type ignored;
    const bool floats =
        tensor_type_stored(a->type, &ignored) && tensor_type_stored(b->type, &ignored);
    return (a->type == b->type || floats) && a->rank == b->rank &&
           memcmp(a->shape, b->shape, a->rank * sizeof *a->shape) == 0;
}

/* What one entry is; problem NULL when both files have it alike. */
static mneme_status describe(const struct safetensors_entry *entry, const char *problem,
                             mneme_tensor_difference *tensor, mneme_error *error) {
    *tensor = (mneme_tensor_difference){.name = strdup(entry->tensor.name),
                                        .type = tensor_type_name(entry->tensor.type),
                                        .rank = entry->tensor.rank,
                                        .problem = problem,
                                        .n_elements = 1};
    if (tensor->name == NULL) return error_set_memory(error, "a comparison");
    for (size_t i = 0; i < tensor->rank; i++) {
        tensor->shape[i] = entry->tensor.shape[i];
        tensor->n_elements *= tensor->shape[i];
    }
    return MNEME_OK;
}

static mneme_status compare_entry(struct comparing *c, const struct safetensors_entry *a,
                                  mneme_tensors_difference *all, mneme_error *error) {
    const struct safetensors_entry *b = safetensors_find(&c->b, a->tensor.name);
    const char *problem = b == NULL                              ? "only in a"
                          : !may_compare(&a->tensor, &b->tensor) ? "other type or shape"
                                                                 : NULL;
    mneme_tensor_difference *tensor = &all->tensors[all->n_tensors];
    TRY(describe(a, problem, tensor, error));
    all->n_tensors++;
    return problem == NULL ? compare_bytes(c, a, b, tensor, error) : MNEME_OK;
}

static mneme_status add_missing(struct comparing *c, const struct safetensors_entry *b,
                                mneme_tensors_difference *all, mneme_error *error) {
    if (safetensors_find(&c->a, b->tensor.name) != NULL) return MNEME_OK;
    mneme_status status = describe(b, "only in b", &all->tensors[all->n_tensors], error);
    if (status == MNEME_OK) all->n_tensors++;
    return status;
}

static int compare_names(const void *a, const void *b) {
    return strcmp(((const mneme_tensor_difference *)a)->name,
                  ((const mneme_tensor_difference *)b)->name);
}

static mneme_status compare_files(struct comparing *c, mneme_tensors_difference *all,
                                  mneme_error *error) {
    mneme_status status = MNEME_OK;
    all->tensors = calloc(c->a.n + c->b.n + 1, sizeof *all->tensors);
    if (all->tensors == NULL) return error_set_memory(error, "a comparison");
    for (size_t i = 0; i < c->a.n && status == MNEME_OK; i++) {
        status = compare_entry(c, &c->a.entries[i], all, error);
    }
    for (size_t i = 0; i < c->b.n && status == MNEME_OK; i++) {
        status = add_missing(c, &c->b.entries[i], all, error);
    }
    if (all->n_tensors > 1) {
        qsort(all->tensors, all->n_tensors, sizeof *all->tensors, compare_names);
    }
    all->first = all->n_tensors;
    for (size_t i = all->n_tensors; i-- > 0;) {
        if (all->tensors[i].problem == NULL && all->tensors[i].n_different == 0) continue;
        all->first = i;
        all->n_different++;
    }
    return status;
}

/* A model folder stands for its model.safetensors. */
static mneme_status open_side(struct safetensors *file, const char *path, mneme_error *error) {
    struct path model = path_in(path, "model.safetensors");
    return safetensors_open(file, file_is_directory(path) ? model.text : path, error);
}

mneme_status tensors_difference_find(const char *a, const char *b,
                                     mneme_tensors_difference *difference, mneme_error *error) {
    struct comparing c = {.a_piece = malloc(PIECE * MAX_ELEMENT),
                          .b_piece = malloc(PIECE * MAX_ELEMENT)};
    mneme_status status = c.a_piece == NULL || c.b_piece == NULL
                              ? error_set_memory(error, "a comparison")
                              : open_side(&c.a, a, error);
    THEN(open_side(&c.b, b, error));
    THEN(compare_files(&c, difference, error));
    /* A difference says more than a broken seal does. */
    if (status == MNEME_OK && difference->n_different == 0) {
        status = safetensors_check_seal(&c.a, error);
        THEN(safetensors_check_seal(&c.b, error));
    }
    safetensors_close(&c.b);
    safetensors_close(&c.a);
    free(c.b_piece);
    free(c.a_piece);
    return status;
}
