/* Matrix products. Packed layouts differ between instruction sets, so that C is compared; and the
 * scalar C with a plain loop: one chain of fma over ascending k. */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernel_check/check.h"

struct shape {
    size_t m, n, k;
    bool a_transposed, b_transposed, accumulate;
    enum stored_type type; /* of B */
    bool widened;          /* while it is packed */
};

static size_t tiles(size_t n, size_t tile) {
    return (n + tile - 1) / tile;
}

/* C by one instruction set, in two parts of k, each operand packed or in place. */
static void product(const struct simd_kernels *kernels, const struct shape *s, bool a_in_place,
                    bool b_in_place, const float *a, struct stored b, float *c, size_t c_stride) {
    size_t rows = kernels->gemm_rows, columns = kernels->gemm_columns;
    size_t row_stride = s->a_transposed ? 1 : s->k, k_stride = s->a_transposed ? s->m : 1;
    struct buffer packed_a = buffer_make(tiles(s->m, rows) * rows * s->k);
    const enum stored_type as = s->widened ? STORED_F32 : s->type;
    /* Tiles of an even number of columns: as many floats hold twice as many of 16 bits. */
    struct buffer packed_b =
        buffer_make(tiles(s->n, columns) * columns * s->k / (sizeof(float) / stored_size(as)));
    struct gemm_a from_a = {a, rows * row_stride, row_stride, k_stride};
    struct gemm_b from_b = {b, columns, s->n, false};
    if (!a_in_place) {
        kernels->gemm_pack_a(s->m, s->k, a, row_stride, k_stride, packed_a.data);
        from_a = (struct gemm_a){packed_a.data, rows * s->k, 1, rows};
    }
    if (!b_in_place) {
        kernels->gemm_pack_b(s->k, s->n, b, s->b_transposed ? 1 : s->n, s->b_transposed ? s->k : 1,
                             as, packed_b.data);
        from_b = (struct gemm_b){{packed_b.data, as}, columns * s->k, columns, true};
    }
    size_t first = s->k / 3;
    if (first > 0) {
        kernels->gemm_tiles(s->m, s->n, first, &from_a, &from_b, c, c_stride, s->accumulate);
    }
    from_a.data += first * from_a.k_stride;
    from_b.stored = stored_from(from_b.stored, first * from_b.k_stride);
    kernels->gemm_tiles(s->m, s->n, s->k - first, &from_a, &from_b, c, c_stride,
                        s->accumulate || first > 0);
    buffer_free(&packed_a);
    buffer_free(&packed_b);
}

static void plain_product(const struct shape *s, const float *a, const float *b, float *c,
                          size_t c_stride) {
    for (size_t i = 0; i < s->m; i++) {
        for (size_t j = 0; j < s->n; j++) {
            float sum = s->accumulate ? c[i * c_stride + j] : 0.0f;
            for (size_t p = 0; p < s->k; p++) {
                sum = fmaf(a[s->a_transposed ? p * s->m + i : i * s->k + p],
                           b[s->b_transposed ? j * s->k + p : p * s->n + j], sum);
            }
            c[i * c_stride + j] = sum;
        }
    }
}

static void check_shape(struct check *check, const struct shape *s, enum kind kind) {
    check_begin(check, s->m, s->n, s->k);
    size_t c_stride = s->n + check_random(check, 3);
    struct buffer a = check_filled(check, kind, s->m * s->k);
    struct numbers b = check_numbers(check, kind, s->type, s->k * s->n);
    struct buffer c = check_filled(check, KIND_NORMAL, (s->m - 1) * c_stride + s->n);
    struct buffer other = check_copy(&c), plain = check_copy(&c);
    bool a_in_place = check_random(check, 2) == 0;
    bool b_in_place = !s->b_transposed && s->type == STORED_F32 && check_random(check, 2) == 0;
    product(check->scalar, s, a_in_place, b_in_place, a.data, b.stored, c.data, c_stride);
    product(check->other, s, a_in_place, b_in_place, a.data, b.stored, other.data, c_stride);
    plain_product(s, a.data, b.floats.data, plain.data, c_stride);
    check_same(check, &plain, &c, "scalar against a plain loop", s->m, s->n, s->k);
    check_same(check, &c, &other,
               a_in_place ? (b_in_place ? "in place" : "A in place")
                          : (b_in_place ? "B in place" : "packed"),
               s->m, s->n, s->k);
    buffer_free(&a);
    numbers_free(&b);
    buffer_free(&c);
    buffer_free(&other);
    buffer_free(&plain);
}

/* The product of a random depth and form. */
static void check_some(struct check *check, size_t m, size_t n) {
    static const size_t depths[] = {0, 1, 2, 3, 15, 16, 17, 64, 257};
    size_t k = depths[check_random(check, sizeof depths / sizeof *depths)];
    for (enum stored_type type = 0; type < STORED_TYPES; type++) {
        uint32_t form = check_random(check, 16);
        struct shape shape = {m, n, k, form & 1, form & 2, form & 4, type, form & 8};
        check_shape(check, &shape, check_random(check, 3) == 0 ? KIND_HARD : KIND_NORMAL);
    }
}

void check_gemm_tiles(struct check *check) {
    static const size_t columns[] = {1, 7, 15, 16, 17, 31, 32, 33, 48, 63, 65};
    for (size_t m = 1; m <= 2 * GEMM_MAX_ROWS + 1; m++) {
        for (size_t j = 0; j < sizeof columns / sizeof *columns; j++) {
            check_some(check, m, columns[j]);
        }
    }
    for (size_t n = 1; n <= 2 * GEMM_MAX_COLUMNS + 1; n++) {
        check_some(check, 1 + check_random(check, 2 * GEMM_MAX_ROWS), n);
    }
}

/* Checked through the product; here: padding is zero and nothing else is written. */
static void check_packing(struct check *check, bool of_a) {
    const struct simd_kernels *kernels = check->other;
    size_t tile = of_a ? kernels->gemm_rows : kernels->gemm_columns;
    for (size_t n = 1; n <= 9 * tile + 1; n += n <= 2 * tile ? 1 : tile - 1) {
        for (int transposed = 0; transposed < 2; transposed++) {
            size_t k = 1 + check_random(check, 20);
            check_begin(check, n, k, (size_t)transposed);
            struct buffer x = check_filled(check, KIND_NORMAL, n * k);
            struct buffer packed = buffer_make(tiles(n, tile) * tile * k);
            struct buffer expected = buffer_make(packed.n);
            size_t along = transposed ? 1 : k, across = transposed ? n : 1;
            for (size_t i = 0; i < tiles(n, tile) * tile; i++) {
                for (size_t p = 0; p < k; p++) {
                    expected.data[i / tile * tile * k + p * tile + i % tile] =
                        i < n ? x.data[i * along + p * across] : 0.0f;
                }
            }
            if (of_a) {
                kernels->gemm_pack_a(n, k, x.data, along, across, packed.data);
            } else {
                kernels->gemm_pack_b(k, n, stored_f32(x.data), across, along, STORED_F32,
                                     packed.data);
            }
            check_same(check, &expected, &packed, "packing", n, k, (size_t)transposed);
            buffer_free(&x);
            buffer_free(&packed);
            buffer_free(&expected);
        }
    }
}

/* Every number of B lands where it should, with its own bits or widened. */
static void check_narrow_pack(struct check *check, enum stored_type type, bool widened, size_t k,
                              size_t n, bool transposed) {
    const struct simd_kernels *kernels = check->other;
    const size_t tile = kernels->gemm_columns, all = tiles(n, tile) * tile;
    struct numbers x = check_numbers(check, KIND_HARD, type, n * k);
    struct buffer packed = buffer_make(all * k / (widened ? 1 : 2));
    struct buffer expected = check_copy(&packed);
    const uint16_t *bits = x.stored.data;
    check_begin(check, n, k, transposed);
    for (size_t i = 0; i < all * k; i++) {
        const size_t j = i / (tile * k) * tile + i % tile, p = i % (tile * k) / tile;
        const size_t from = transposed ? j * k + p : p * n + j;
        if (widened) {
            expected.data[i] = j < n ? x.floats.data[from] : 0.0f;
        } else {
            ((uint16_t *)(void *)expected.data)[i] = j < n ? bits[from] : 0;
        }
    }
    kernels->gemm_pack_b(k, n, x.stored, transposed ? 1 : n, transposed ? k : 1,
                         widened ? STORED_F32 : type, packed.data);
    check_same(check, &expected, &packed, widened ? "widened" : "packed in 16 bits", n, k,
               transposed);
    numbers_free(&x);
    buffer_free(&packed);
    buffer_free(&expected);
}

static void check_narrow_packing(struct check *check, enum stored_type type, bool widened) {
    const size_t tile = check->other->gemm_columns;
    for (size_t n = 1; n <= 9 * tile + 1; n += n <= 2 * tile ? 1 : tile - 1) {
        for (int transposed = 0; transposed < 2; transposed++) {
            check_narrow_pack(check, type, widened, 1 + check_random(check, 40), n, transposed);
        }
    }
}

void check_gemm_pack_a(struct check *check) {
    check_packing(check, true);
}

void check_gemm_pack_b(struct check *check) {
    check_packing(check, false);
    for (enum stored_type type = STORED_BF16; type < STORED_TYPES; type++) {
        check_narrow_packing(check, type, false);
        check_narrow_packing(check, type, true);
    }
}
