#include "simd/vec.h"

/* The matrix product's tile and packing. Each element of C is one chain over ascending k
 * (rule 2); the tile's height and width change nothing but speed. */

#define ROWS VF_GEMM_ROWS
#define VECTORS VF_GEMM_VECTORS
#define COLUMNS (SIMD_LANES * VECTORS)

#define INLINE static inline __attribute__((always_inline))

void SIMD_FN(gemm_pack_a)(size_t m, size_t k, const float *a, size_t row_stride,
                          size_t column_stride, float *packed) {
    for (size_t i0 = 0; i0 < m; i0 += ROWS, packed += ROWS * k) {
        size_t rows = m - i0 < ROWS ? m - i0 : ROWS;
        const float *tile = a + i0 * row_stride;
        for (size_t p = 0; p < k; p++) {
            for (size_t i = 0; i < ROWS; i++) {
                packed[p * ROWS + i] = i < rows ? tile[i * row_stride + p * column_stride] : 0.0f;
            }
        }
    }
}

/* Rows of B are contiguous: copy them. */
static void pack_b_rows(size_t k, size_t width, const float *b, size_t row_stride, float *packed) {
    for (size_t p = 0; p < k; p++, b += row_stride, packed += COLUMNS) {
        for (size_t v = 0; v < VECTORS; v++) {
            size_t first = v * SIMD_LANES;
            size_t rest = width > first ? width - first : 0;
            vf lanes = rest >= SIMD_LANES ? vf_load(b + first)
                       : rest > 0         ? vf_load_part(b + first, rest, 0.0f)
                                          : vf_zero();
            vf_store(packed + first, lanes);
        }
    }
}

/* Any other layout; in blocks of k, so that a transposed B is read by whole cache lines. */
static void pack_b_strided(size_t k, size_t width, const float *b, size_t row_stride,
                           size_t column_stride, float *packed) {
    for (size_t p0 = 0; p0 < k; p0 += SIMD_LANES) {
        size_t p1 = k - p0 < SIMD_LANES ? k : p0 + SIMD_LANES;
        for (size_t j = 0; j < COLUMNS; j++) {
            for (size_t p = p0; p < p1; p++) {
                packed[p * COLUMNS + j] = j < width ? b[p * row_stride + j * column_stride] : 0.0f;
            }
        }
    }
}

void SIMD_FN(gemm_pack_b)(size_t k, size_t n, const float *b, size_t row_stride,
                          size_t column_stride, float *packed) {
    for (size_t j = 0; j < n; j += COLUMNS, packed += COLUMNS * k) {
        size_t width = n - j < COLUMNS ? n - j : COLUMNS;
        const float *tile = b + j * column_stride;
        if (column_stride == 1) {
            pack_b_rows(k, width, tile, row_stride, packed);
        } else {
            pack_b_strided(k, width, tile, row_stride, column_stride, packed);
        }
    }
}

INLINE vf load_columns(const float *p, size_t width) {
    return width >= SIMD_LANES ? vf_load(p) : vf_load_part(p, width, 0.0f);
}

INLINE void store_columns(float *p, vf v, size_t width) {
    if (width >= SIMD_LANES) {
        vf_store(p, v);
    } else {
        vf_store_part(p, v, width);
    }
}

/* One tile of C, rows x width, with `vectors` vectors per row. `rows`, `vectors` and `k_stride`
 * are constants at every call, so that the accumulators live in registers. */
INLINE void tile_of(const size_t rows, const size_t vectors, const size_t k_stride, size_t k,
                    const float *a, size_t row_stride, const float *b, float *c, size_t c_stride,
                    size_t width, bool accumulate) {
    vf sums[ROWS][VECTORS];
#pragma GCC unroll 16
    for (size_t i = 0; i < rows; i++) {
#pragma GCC unroll 4
        for (size_t v = 0; v < vectors; v++) {
            const float *from = c + i * c_stride + v * SIMD_LANES;
            sums[i][v] = accumulate ? load_columns(from, width - v * SIMD_LANES) : vf_zero();
        }
    }
#pragma GCC unroll 2
    for (size_t p = 0; p < k; p++) {
        vf columns[VECTORS];
#pragma GCC unroll 4
        for (size_t v = 0; v < vectors; v++) {
            columns[v] = vf_load(b + p * COLUMNS + v * SIMD_LANES);
        }
#pragma GCC unroll 16
        for (size_t i = 0; i < rows; i++) {
            vf factor = vf_set1(a[i * row_stride + p * k_stride]);
#pragma GCC unroll 4
            for (size_t v = 0; v < vectors; v++) {
                sums[i][v] = vf_fma(factor, columns[v], sums[i][v]);
            }
        }
    }
#pragma GCC unroll 16
    for (size_t i = 0; i < rows; i++) {
#pragma GCC unroll 4
        for (size_t v = 0; v < vectors; v++) {
            float *to = c + i * c_stride + v * SIMD_LANES;
            store_columns(to, sums[i][v], width - v * SIMD_LANES);
        }
    }
}

/* Packed A has its rows side by side; unpacked A has k running along a row. */
INLINE void tile_of_rows(const size_t rows, const size_t vectors, size_t k, const float *a,
                         const struct gemm_a *layout, const float *b, float *c, size_t c_stride,
                         size_t width, bool accumulate) {
    if (layout->k_stride == 1) {
        tile_of(rows, vectors, 1, k, a, layout->row_stride, b, c, c_stride, width, accumulate);
    } else {
        tile_of(rows, vectors, ROWS, k, a, 1, b, c, c_stride, width, accumulate);
    }
}

INLINE void tile(size_t rows, const size_t vectors, size_t k, const float *a,
                 const struct gemm_a *layout, const float *b, float *c, size_t c_stride,
                 size_t width, bool accumulate) {
    while (rows > 0) {
        size_t done;
        if (rows >= ROWS) {
            done = ROWS;
            tile_of_rows(ROWS, vectors, k, a, layout, b, c, c_stride, width, accumulate);
        } else if (ROWS > 8 && rows >= 8) {
            done = 8;
            tile_of_rows(8, vectors, k, a, layout, b, c, c_stride, width, accumulate);
        } else if (ROWS > 4 && rows >= 4) {
            done = 4;
            tile_of_rows(4, vectors, k, a, layout, b, c, c_stride, width, accumulate);
        } else if (rows >= 2) {
            done = 2;
            tile_of_rows(2, vectors, k, a, layout, b, c, c_stride, width, accumulate);
        } else {
            done = 1;
            tile_of_rows(1, vectors, k, a, layout, b, c, c_stride, width, accumulate);
        }
        rows -= done;
        a += done * layout->row_stride;
        c += done * c_stride;
    }
}

void SIMD_FN(gemm_tiles)(size_t m, size_t n, size_t k, const struct gemm_a *a,
                         const float *packed_b, float *c, size_t c_stride, bool accumulate) {
    for (size_t j = 0; j < n; j += COLUMNS, packed_b += COLUMNS * k) {
        size_t width = n - j < COLUMNS ? n - j : COLUMNS;
        for (size_t i = 0; i < m; i += ROWS) {
            size_t rows = m - i < ROWS ? m - i : ROWS;
            const float *tile_a = a->data + i / ROWS * a->tile_stride;
            float *tile_c = c + i * c_stride + j;
            if (VECTORS == 2 && width > SIMD_LANES) {
                tile(rows, VECTORS, k, tile_a, a, packed_b, tile_c, c_stride, width, accumulate);
            } else {
                tile(rows, 1, k, tile_a, a, packed_b, tile_c, c_stride, width, accumulate);
            }
        }
    }
}
