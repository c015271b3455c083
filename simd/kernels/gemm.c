#include "simd/vec.h"

/* The matrix product's tile and packing. Each element of C is one chain over ascending k
 * (rule 2); the tile's height and width change nothing but speed. */

#define ROWS VF_GEMM_ROWS
#define VECTORS VF_GEMM_VECTORS
#define COLUMNS (SIMD_LANES * VECTORS)

/* How many floats before their use a row's floats are prefetched; so many rows at once are more
 * than the hardware follows. */
#define AHEAD 64
/* The same for columns of A and rows of B that are far apart, and how many tiles of A's columns are
 * packed at once. */
#define AHEAD_COLUMNS 8
#define TOGETHER 4

INLINE vf load_lanes(const float *p, size_t n) {
    return n >= SIMD_LANES ? vf_load(p) : vf_load_part(p, n, 0.0f);
}

/* Writes ROWS lanes of a packed tile in which `left` floats are still to come. More lanes than
 * ROWS are stored where what follows will be written over them. */
INLINE void store_tile_rows(float *packed, vf lanes, size_t left) {
    if (left >= SIMD_LANES) {
        vf_store(packed, lanes);
    } else {
        vf_store_part(packed, lanes, ROWS);
    }
}

/* lanes[p] := element p of 16 vectors of which `count` exist, `stride` apart, `depth` <= 16 long.
 */
INLINE void load_transposed(const size_t count, const size_t depth, const float *from,
                            size_t stride, vf lanes[SIMD_LANES]) {
#pragma GCC unroll 16
    for (size_t i = 0; i < SIMD_LANES; i++) {
        lanes[i] = i < count ? load_lanes(from + i * stride, depth) : vf_zero();
    }
    vf_transpose(lanes);
}

/* k runs along a row of A. */
static void pack_a_rows(size_t rows, size_t k, const float *tile, size_t row_stride,
                        float *packed) {
    size_t p = 0;
    for (; rows == ROWS && p + SIMD_LANES <= k; p += SIMD_LANES) {
        vf lanes[SIMD_LANES];
        for (size_t i = 0; i < ROWS; i++) __builtin_prefetch(tile + i * row_stride + p + AHEAD);
        load_transposed(ROWS, SIMD_LANES, tile + p, row_stride, lanes);
#pragma GCC unroll 16
        for (size_t d = 0; d < SIMD_LANES; d++) {
            store_tile_rows(packed + (p + d) * ROWS, lanes[d], (k - p - d) * ROWS);
        }
    }
    for (; p < k; p += SIMD_LANES) {
        vf lanes[SIMD_LANES];
        size_t depth = k - p < SIMD_LANES ? k - p : SIMD_LANES;
        load_transposed(rows, depth, tile + p, row_stride, lanes);
        for (size_t d = 0; d < depth; d++) {
            store_tile_rows(packed + (p + d) * ROWS, lanes[d], (k - p - d) * ROWS);
        }
    }
}

/* The rows of A lie side by side: a few tiles at once, so that whole cache lines are read. */
INLINE void pack_a_columns(const size_t n_tiles, size_t rows, size_t k, const float *a,
                           size_t column_stride, float *packed) {
    for (size_t p = 0; p < k; p++, a += column_stride) {
        __builtin_prefetch(a + AHEAD_COLUMNS * column_stride);
        __builtin_prefetch(a + AHEAD_COLUMNS * column_stride + (n_tiles - 1) * ROWS);
#pragma GCC unroll 4
        for (size_t t = 0; t < n_tiles; t++) {
            vf lanes = load_lanes(a + t * ROWS, rows - t * ROWS);
            store_tile_rows(packed + (t * k + p) * ROWS, lanes, (k - p) * ROWS);
        }
    }
}

void SIMD_FN(gemm_pack_a)(size_t m, size_t k, const float *a, size_t row_stride,
                          size_t column_stride, float *packed) {
    size_t i = 0;
    for (; column_stride != 1 && m - i >= TOGETHER * ROWS; i += TOGETHER * ROWS) {
        pack_a_columns(TOGETHER, m - i, k, a + i * row_stride, column_stride, packed + i * k);
    }
    for (; i < m; i += ROWS) {
        size_t rows = m - i < ROWS ? m - i : ROWS;
        if (column_stride == 1) {
            pack_a_rows(rows, k, a + i * row_stride, row_stride, packed + i * k);
        } else {
            pack_a_columns(1, rows, k, a + i * row_stride, column_stride, packed + i * k);
        }
    }
}

/* Rows of B are contiguous: copy them, a few tiles at once, so that whole cache lines are read and
 * those that follow each other are read one after the other. */
INLINE void pack_b_rows(const size_t n_tiles, size_t k, size_t width, const float *b,
                        size_t row_stride, float *packed) {
    for (size_t p = 0; p < k; p++, b += row_stride, packed += COLUMNS) {
#pragma GCC unroll 16
        for (size_t v = 0; v < n_tiles * VECTORS; v++) {
            size_t first = v * SIMD_LANES;
            __builtin_prefetch(b + AHEAD_COLUMNS * row_stride + first);
            vf lanes = width > first ? load_lanes(b + first, width - first) : vf_zero();
            vf_store(packed + v / VECTORS * COLUMNS * k + v % VECTORS * SIMD_LANES, lanes);
        }
    }
}

/* 16 columns of B, along which k runs, into one vector of every packed row. */
static void pack_b_columns(size_t k, size_t width, const float *b, size_t column_stride,
                           float *packed) {
    size_t p = 0;
    for (; width >= SIMD_LANES && p + SIMD_LANES <= k; p += SIMD_LANES) {
        vf lanes[SIMD_LANES];
        for (size_t j = 0; j < SIMD_LANES; j++) {
            __builtin_prefetch(b + j * column_stride + p + AHEAD);
        }
        load_transposed(SIMD_LANES, SIMD_LANES, b + p, column_stride, lanes);
#pragma GCC unroll 16
        for (size_t d = 0; d < SIMD_LANES; d++) vf_store(packed + (p + d) * COLUMNS, lanes[d]);
    }
    for (; p < k; p += SIMD_LANES) {
        vf lanes[SIMD_LANES];
        size_t depth = k - p < SIMD_LANES ? k - p : SIMD_LANES;
        load_transposed(width, depth, b + p, column_stride, lanes);
        for (size_t d = 0; d < depth; d++) vf_store(packed + (p + d) * COLUMNS, lanes[d]);
    }
}

void SIMD_FN(gemm_pack_b)(size_t k, size_t n, const float *b, size_t row_stride,
                          size_t column_stride, float *packed) {
    size_t j = 0;
    for (; column_stride == 1 && j + TOGETHER * COLUMNS <= n; j += TOGETHER * COLUMNS) {
        pack_b_rows(TOGETHER, k, n - j, b + j, row_stride, packed + j * k);
    }
    for (; column_stride == 1 && j + COLUMNS < n; j += 2 * COLUMNS) {
        pack_b_rows(2, k, n - j, b + j, row_stride, packed + j * k);
    }
    for (; j < n; j += COLUMNS) {
        size_t width = n - j < COLUMNS ? n - j : COLUMNS;
        const float *tile = b + j * column_stride;
        if (column_stride == 1) {
            pack_b_rows(1, k, width, tile, row_stride, packed + j * k);
            continue;
        }
        for (size_t first = 0; first < COLUMNS; first += SIMD_LANES) {
            size_t rest = width > first ? width - first : 0;
            pack_b_columns(k, rest, tile + first * column_stride, column_stride,
                           packed + j * k + first);
        }
    }
}

INLINE void store_columns(float *p, vf v, size_t width) {
    if (width >= SIMD_LANES) {
        vf_store(p, v);
    } else {
        vf_store_part(p, v, width);
    }
}

/* One tile of C, rows x width, with `vectors` vectors per row. `rows`, `vectors` and `whole` (all
 * of a row of B's tile may be read) are constants at every call, and so is the stride of A that is
 * 1, so that the accumulators live in registers. */
INLINE void tile_of(const size_t rows, const size_t vectors, const bool whole, size_t k,
                    const float *a, size_t row_stride, size_t k_stride, const float *b,
                    size_t b_stride, float *c, size_t c_stride, size_t width, bool accumulate) {
    vf sums[ROWS][VECTORS];
#pragma GCC unroll 16
    for (size_t i = 0; i < rows; i++) {
#pragma GCC unroll 4
        for (size_t v = 0; v < vectors; v++) {
            const float *from = c + i * c_stride + v * SIMD_LANES;
            sums[i][v] = accumulate ? load_lanes(from, width - v * SIMD_LANES) : vf_zero();
        }
    }
#pragma GCC unroll 2
    for (size_t p = 0; p < k; p++, a += k_stride, b += b_stride) {
        vf columns[VECTORS];
#pragma GCC unroll 4
        for (size_t v = 0; v < vectors; v++) {
            columns[v] =
                load_lanes(b + v * SIMD_LANES, whole ? SIMD_LANES : width - v * SIMD_LANES);
        }
#pragma GCC unroll 16
        for (size_t i = 0; i < rows; i++) {
            vf factor = vf_set1(a[i * row_stride]);
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

/* What the tiles of one call share. */
struct tiles {
    size_t k;
    const struct gemm_a *a;
    const struct gemm_b *b;
    size_t c_stride;
    bool accumulate;
};

INLINE void tile_of_rows(const size_t rows, const size_t vectors, const struct tiles *t,
                         const float *a, const float *b, float *c, size_t width) {
    const bool whole = t->b->packed || width >= vectors * SIMD_LANES;
    size_t row_stride = t->a->row_stride, k_stride = t->a->k_stride, b_stride = t->b->k_stride;
    if (!whole) {
        tile_of(rows, vectors, false, t->k, a, row_stride, k_stride, b, b_stride, c, t->c_stride,
                width, t->accumulate);
    } else if (row_stride == 1) {
        tile_of(rows, vectors, true, t->k, a, 1, k_stride, b, b_stride, c, t->c_stride, width,
                t->accumulate);
    } else {
        tile_of(rows, vectors, true, t->k, a, row_stride, 1, b, b_stride, c, t->c_stride, width,
                t->accumulate);
    }
}

INLINE void tile(size_t rows, const size_t vectors, const struct tiles *t, const float *a,
                 const float *b, float *c, size_t width) {
    while (rows > 0) {
        size_t done;
        if (rows >= ROWS) {
            done = ROWS;
            tile_of_rows(ROWS, vectors, t, a, b, c, width);
        } else if (ROWS > 8 && rows >= 8) {
            done = 8;
            tile_of_rows(8, vectors, t, a, b, c, width);
        } else if (ROWS > 4 && rows >= 4) {
            done = 4;
            tile_of_rows(4, vectors, t, a, b, c, width);
        } else if (rows >= 2) {
            done = 2;
            tile_of_rows(2, vectors, t, a, b, c, width);
        } else {
            done = 1;
            tile_of_rows(1, vectors, t, a, b, c, width);
        }
        rows -= done;
        a += done * t->a->row_stride;
        c += done * t->c_stride;
    }
}

/* The C of a tile that comes soon. */
INLINE void prefetch_tile(const float *c, size_t c_stride, size_t rows) {
    for (size_t i = 0; i < rows; i++) {
        for (size_t v = 0; v < VECTORS; v++) {
            __builtin_prefetch(c + i * c_stride + v * SIMD_LANES, 1);
        }
    }
}

/* Tiles side by side share the rows of A while those are in the first-level cache. */
void SIMD_FN(gemm_tiles)(size_t m, size_t n, size_t k, const struct gemm_a *a,
                         const struct gemm_b *b, float *c, size_t c_stride, bool accumulate) {
    const struct tiles shared = {k, a, b, c_stride, accumulate};
    const float *tile_a = a->data;
    for (size_t i = 0; i < m; i += ROWS, tile_a += a->tile_stride, c += ROWS * c_stride) {
        size_t rows = m - i < ROWS ? m - i : ROWS;
        const float *tile_b = b->data;
        for (size_t j = 0; j < n; j += COLUMNS, tile_b += b->tile_stride) {
            size_t width = n - j < COLUMNS ? n - j : COLUMNS;
            if (n - j > COLUMNS) {
                prefetch_tile(c + j + COLUMNS, c_stride, rows);
            } else if (m - i > ROWS) {
                size_t next = m - i - ROWS < ROWS ? m - i - ROWS : ROWS;
                prefetch_tile(c + ROWS * c_stride, c_stride, next);
            }
            if (VECTORS == 2 && width > SIMD_LANES) {
                tile(rows, VECTORS, &shared, tile_a, tile_b, c + j, width);
            } else {
                tile(rows, 1, &shared, tile_a, tile_b, c + j, width);
            }
        }
    }
}
