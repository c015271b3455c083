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
/* Tiles of B that one row of A goes through at once. */
#define SIDE 4

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

/* How B is packed; constants at every call. Numbers that keep their 16 bits are moved as the low
 * bits of lanes. */
struct format {
    enum stored_type from, as;
};

INLINE bool keeps_bits(const struct format f) {
    return f.as != STORED_F32;
}

/* Numbers i.. of B, of which n exist. */
INLINE vf load_numbers(const struct format f, const void *b, size_t i, size_t n) {
    const char *p = stored_place(f.from, b, i);
    uint16_t part[SIMD_LANES] = {0};
    if (!keeps_bits(f)) {
        return n >= SIMD_LANES ? vf_load_stored(f.from, p) : vf_load_stored_part(f.from, p, n);
    }
    if (n >= SIMD_LANES) return vf_load_bits((const uint16_t *)(const void *)p);
    memcpy(part, p, n * sizeof *part);
    return vf_load_bits(part);
}

INLINE void store_numbers(const struct format f, void *packed, size_t i, vf lanes) {
    if (keeps_bits(f)) {
        vf_store_bits((uint16_t *)packed + i, lanes);
    } else {
        vf_store((float *)packed + i, lanes);
    }
}

INLINE void prefetch_number(const struct format f, const void *b, size_t i) {
    __builtin_prefetch(stored_place(f.from, b, i));
}

/* Rows of B are contiguous: copy them, a few tiles at once, so that whole cache lines are read and
 * those that follow each other are read one after the other. */
INLINE void pack_b_rows(const struct format f, const size_t n_tiles, size_t k, size_t width,
                        const void *b, size_t row_stride, void *packed, size_t to) {
    for (size_t p = 0, i = 0; p < k; p++, i += row_stride, to += COLUMNS) {
#pragma GCC unroll 16
        for (size_t v = 0; v < n_tiles * VECTORS; v++) {
            size_t first = v * SIMD_LANES;
            prefetch_number(f, b, i + AHEAD_COLUMNS * row_stride + first);
            vf lanes = width > first ? load_numbers(f, b, i + first, width - first) : vf_zero();
            store_numbers(f, packed, to + v / VECTORS * COLUMNS * k + v % VECTORS * SIMD_LANES,
                          lanes);
        }
    }
}

/* `depth` numbers of 16 columns of B, of which `count` exist, from number i on, into the rows of a
 * tile. */
INLINE void pack_b_block(const struct format f, const size_t count, const size_t depth,
                         const void *b, size_t i, size_t column_stride, void *packed, size_t to) {
    vf lanes[SIMD_LANES];
#pragma GCC unroll 16
    for (size_t j = 0; j < SIMD_LANES; j++) {
        lanes[j] = j < count ? load_numbers(f, b, i + j * column_stride, depth) : vf_zero();
    }
    vf_transpose(lanes);
#pragma GCC unroll 16
    for (size_t d = 0; d < depth; d++) store_numbers(f, packed, to + d * COLUMNS, lanes[d]);
}

/* 16 columns of B, along which k runs, into one vector of every packed row. */
INLINE void pack_b_columns(const struct format f, size_t k, size_t width, const void *b,
                           size_t column_stride, void *packed, size_t to) {
    size_t p = 0;
    for (; width >= SIMD_LANES && p + SIMD_LANES <= k; p += SIMD_LANES) {
        for (size_t j = 0; j < SIMD_LANES; j++) {
            prefetch_number(f, b, j * column_stride + p + AHEAD);
        }
        pack_b_block(f, SIMD_LANES, SIMD_LANES, b, p, column_stride, packed, to + p * COLUMNS);
    }
    for (; p < k; p += SIMD_LANES) {
        size_t depth = k - p < SIMD_LANES ? k - p : SIMD_LANES;
        pack_b_block(f, width, depth, b, p, column_stride, packed, to + p * COLUMNS);
    }
}

INLINE void pack_b(const struct format f, size_t k, size_t n, const void *b, size_t row_stride,
                   size_t column_stride, void *packed) {
    size_t j = 0;
    for (; column_stride == 1 && j + TOGETHER * COLUMNS <= n; j += TOGETHER * COLUMNS) {
        pack_b_rows(f, TOGETHER, k, n - j, stored_place(f.from, b, j), row_stride, packed, j * k);
    }
    for (; column_stride == 1 && j + COLUMNS < n; j += 2 * COLUMNS) {
        pack_b_rows(f, 2, k, n - j, stored_place(f.from, b, j), row_stride, packed, j * k);
    }
    for (; j < n; j += COLUMNS) {
        size_t width = n - j < COLUMNS ? n - j : COLUMNS;
        const char *tile = stored_place(f.from, b, j * column_stride);
        if (column_stride == 1) {
            pack_b_rows(f, 1, k, width, tile, row_stride, packed, j * k);
            continue;
        }
        for (size_t first = 0; first < COLUMNS; first += SIMD_LANES) {
            size_t rest = width > first ? width - first : 0;
            pack_b_columns(f, k, rest, stored_place(f.from, tile, first * column_stride),
                           column_stride, packed, j * k + first);
        }
    }
}

void SIMD_FN(gemm_pack_b)(size_t k, size_t n, struct stored b, size_t row_stride,
                          size_t column_stride, enum stored_type as, void *packed) {
    const struct format floats = {STORED_F32, STORED_F32}, bf16 = {STORED_BF16, STORED_F32};
    const struct format f16 = {STORED_F16, STORED_F32}, bits = {STORED_BF16, STORED_BF16};
    if (as != STORED_F32) {
        pack_b(bits, k, n, b.data, row_stride, column_stride, packed);
    } else if (b.type == STORED_BF16) {
        pack_b(bf16, k, n, b.data, row_stride, column_stride, packed);
    } else if (b.type == STORED_F16) {
        pack_b(f16, k, n, b.data, row_stride, column_stride, packed);
    } else {
        pack_b(floats, k, n, b.data, row_stride, column_stride, packed);
    }
}

INLINE void store_columns(float *p, vf v, size_t width) {
    if (width >= SIMD_LANES) {
        vf_store(p, v);
    } else {
        vf_store_part(p, v, width);
    }
}

INLINE vf load_columns(const enum stored_type type, const char *b, size_t v, size_t n) {
    b = stored_place(type, b, v * SIMD_LANES);
    return n >= SIMD_LANES ? vf_load_stored(type, b) : vf_load_stored_part(type, b, n);
}

/* One tile of C, rows x width, with `vectors` vectors per row. `type`, `rows`, `vectors` and
 * `whole` (all of a row of B's tile may be read) are constants at every call, and so is the stride
 * of A that is 1, so that the accumulators live in registers. */
INLINE void tile_of(const enum stored_type type, const size_t rows, const size_t vectors,
                    const bool whole, size_t k, const float *a, size_t row_stride, size_t k_stride,
                    const char *b, size_t b_stride, float *c, size_t c_stride, size_t width,
                    bool accumulate) {
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
    for (size_t p = 0; p < k; p++, a += k_stride, b = stored_place(type, b, b_stride)) {
        vf columns[VECTORS];
#pragma GCC unroll 4
        for (size_t v = 0; v < vectors; v++) {
            columns[v] = load_columns(type, b, v, whole ? SIMD_LANES : width - v * SIMD_LANES);
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

INLINE void tile_of_rows(const enum stored_type type, const size_t rows, const size_t vectors,
                         const struct tiles *t, const float *a, const char *b, float *c,
                         size_t width) {
    const bool whole = type != STORED_F32 || t->b->packed || width >= vectors * SIMD_LANES;
    size_t row_stride = t->a->row_stride, k_stride = t->a->k_stride, b_stride = t->b->k_stride;
    if (!whole) {
        tile_of(type, rows, vectors, false, t->k, a, row_stride, k_stride, b, b_stride, c,
                t->c_stride, width, t->accumulate);
    } else if (row_stride == 1) {
        tile_of(type, rows, vectors, true, t->k, a, 1, k_stride, b, b_stride, c, t->c_stride, width,
                t->accumulate);
    } else {
        tile_of(type, rows, vectors, true, t->k, a, row_stride, 1, b, b_stride, c, t->c_stride,
                width, t->accumulate);
    }
}

INLINE void tile(const enum stored_type type, size_t rows, const size_t vectors,
                 const struct tiles *t, const float *a, const char *b, float *c, size_t width) {
    while (rows > 0) {
        size_t done;
        if (rows >= ROWS) {
            done = ROWS;
            tile_of_rows(type, ROWS, vectors, t, a, b, c, width);
        } else if (ROWS > 8 && rows >= 8) {
            done = 8;
            tile_of_rows(type, 8, vectors, t, a, b, c, width);
        } else if (ROWS > 4 && rows >= 4) {
            done = 4;
            tile_of_rows(type, 4, vectors, t, a, b, c, width);
        } else if (rows >= 2) {
            done = 2;
            tile_of_rows(type, 2, vectors, t, a, b, c, width);
        } else {
            done = 1;
            tile_of_rows(type, 1, vectors, t, a, b, c, width);
        }
        rows -= done;
        a += done * t->a->row_stride;
        c += done * t->c_stride;
    }
}

/* One row of C through SIDE whole tiles of B side by side: a tile alone has a chain or two, which
 * would wait for themselves. */
INLINE void row_of_tiles(const enum stored_type type, const struct tiles *t, const float *a,
                         const char *b, float *c) {
    vf sums[SIDE * VECTORS];
    const char *tiles[SIDE];
#pragma GCC unroll 8
    for (size_t i = 0; i < SIDE * VECTORS; i++) {
        sums[i] = t->accumulate ? vf_load(c + i * SIMD_LANES) : vf_zero();
        tiles[i / VECTORS] = stored_place(type, b, i / VECTORS * t->b->tile_stride);
    }
    for (size_t p = 0; p < t->k; p++, a += t->a->k_stride) {
        vf factor = vf_set1(*a);
#pragma GCC unroll 8
        for (size_t i = 0; i < SIDE * VECTORS; i++) {
            const char *row = stored_place(type, tiles[i / VECTORS], p * t->b->k_stride);
            sums[i] = vf_fma(factor, load_columns(type, row, i % VECTORS, SIMD_LANES), sums[i]);
        }
    }
#pragma GCC unroll 8
    for (size_t i = 0; i < SIDE * VECTORS; i++) vf_store(c + i * SIMD_LANES, sums[i]);
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
INLINE void all_tiles(const enum stored_type type, size_t m, size_t n, const struct tiles *t,
                      float *c) {
    const float *tile_a = t->a->data;
    for (size_t i = 0; i < m; i += ROWS, tile_a += t->a->tile_stride, c += ROWS * t->c_stride) {
        size_t rows = m - i < ROWS ? m - i : ROWS, j = 0;
        const char *tile_b = t->b->stored.data;
        for (; rows == 1 && j + SIDE * COLUMNS <= n; j += SIDE * COLUMNS) {
            row_of_tiles(type, t, tile_a, tile_b, c + j);
            tile_b = stored_place(type, tile_b, SIDE * t->b->tile_stride);
        }
        for (; j < n; j += COLUMNS) {
            size_t width = n - j < COLUMNS ? n - j : COLUMNS;
            if (n - j > COLUMNS) {
                prefetch_tile(c + j + COLUMNS, t->c_stride, rows);
            } else if (m - i > ROWS) {
                size_t next = m - i - ROWS < ROWS ? m - i - ROWS : ROWS;
                prefetch_tile(c + ROWS * t->c_stride, t->c_stride, next);
            }
            if (VECTORS == 2 && width > SIMD_LANES) {
                tile(type, rows, VECTORS, t, tile_a, tile_b, c + j, width);
            } else {
                tile(type, rows, 1, t, tile_a, tile_b, c + j, width);
            }
            tile_b = stored_place(type, tile_b, t->b->tile_stride);
        }
    }
}

void SIMD_FN(gemm_tiles)(size_t m, size_t n, size_t k, const struct gemm_a *a,
                         const struct gemm_b *b, float *c, size_t c_stride, bool accumulate) {
    const struct tiles shared = {k, a, b, c_stride, accumulate};
    if (b->stored.type == STORED_BF16) {
        all_tiles(STORED_BF16, m, n, &shared, c);
    } else if (b->stored.type == STORED_F16) {
        all_tiles(STORED_F16, m, n, &shared, c);
    } else {
        all_tiles(STORED_F32, m, n, &shared, c);
    }
}
