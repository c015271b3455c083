#include "nn/matmul.h"

#include <stdlib.h>

#include "base/memory.h"
#include "simd/simd.h"

/* A panel of B is [K_BLOCK, COLUMN_BLOCK], of A [ROW_BLOCK, K_BLOCK]; K_BLOCK * 32 columns of B
 * stay in the first-level cache while the rows of A go by. */
#define K_BLOCK 256
#define COLUMN_BLOCK 2048
#define ROW_BLOCK 2016
/* A thread takes this many tiles of C at a time, down and across. */
#define TASK_TILES_DOWN 6
#define TASK_TILES_ACROSS 4
/* Products with less work than this are not worth waking threads for. */
#define PARALLEL_WORK ((size_t)1 << 18)

struct matrix matrix_rows(const float *data, size_t stride) {
    return (struct matrix){data, stride, 1};
}

struct matrix matrix_transposed(const float *data, size_t stride) {
    return (struct matrix){data, 1, stride};
}

mneme_status matmul_scratch_open(struct matmul_scratch *scratch, mneme_error *error) {
    scratch->packed_a = memory_allocate((ROW_BLOCK + GEMM_MAX_ROWS) * (size_t)K_BLOCK, 4);
    scratch->packed_b = memory_allocate((COLUMN_BLOCK + GEMM_MAX_COLUMNS) * (size_t)K_BLOCK, 4);
    if (scratch->packed_a == NULL || scratch->packed_b == NULL) {
        matmul_scratch_close(scratch);
        return error_set_memory(error, "matrix panels");
    }
    return MNEME_OK;
}

void matmul_scratch_close(struct matmul_scratch *scratch) {
    free(scratch->packed_a);
    free(scratch->packed_b);
    *scratch = (struct matmul_scratch){0};
}

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

static size_t tiles(size_t n, size_t tile) {
    return (n + tile - 1) / tile;
}

/* A block of the product: m x n of C over k_count columns of A, at most the panels' sizes. */
struct block {
    const struct simd_kernels *kernels;
    size_t m, n, k;
    struct matrix a, b;
    float *packed_a, *packed_b;
    float *c;
    size_t c_stride;
    bool pack_a;
    bool accumulate;
};

static void pack_b_tile(const struct block *block, size_t tile) {
    size_t first = tile * block->kernels->gemm_columns;
    size_t width = smaller(block->kernels->gemm_columns, block->n - first);
    block->kernels->gemm_pack_b(block->k, width, block->b.data + first * block->b.column_stride,
                                block->b.row_stride, block->b.column_stride,
                                block->packed_b + first * block->k);
}

static void pack_a_tile(const struct block *block, size_t tile) {
    size_t first = tile * block->kernels->gemm_rows;
    size_t height = smaller(block->kernels->gemm_rows, block->m - first);
    block->kernels->gemm_pack_a(height, block->k, block->a.data + first * block->a.row_stride,
                                block->a.row_stride, block->a.column_stride,
                                block->packed_a + first * block->k);
}

/* The part of C that starts at (row, column); both are multiples of the tile. */
static void compute(const struct block *block, size_t row, size_t rows, size_t column,
                    size_t columns) {
    const struct simd_kernels *kernels = block->kernels;
    struct gemm_a a;
    if (block->pack_a) {
        a = (struct gemm_a){block->packed_a + row * block->k, kernels->gemm_rows * block->k, 1,
                            kernels->gemm_rows};
    } else {
        size_t stride = block->a.row_stride;
        a = (struct gemm_a){block->a.data + row * stride, kernels->gemm_rows * stride, stride, 1};
    }
    kernels->gemm_tiles(rows, columns, block->k, &a, block->packed_b + column * block->k,
                        block->c + row * block->c_stride + column, block->c_stride,
                        block->accumulate);
}

/* Called by every thread of a team: packs, waits, computes. */
static void block_product_team(const struct block *block) {
    const size_t rows = TASK_TILES_DOWN * block->kernels->gemm_rows;
    const size_t columns = TASK_TILES_ACROSS * block->kernels->gemm_columns;
    const size_t across = tiles(block->n, columns);
    const size_t tasks = across * tiles(block->m, rows);
    const size_t tiles_b = tiles(block->n, block->kernels->gemm_columns);
    const size_t tiles_a = block->pack_a ? tiles(block->m, block->kernels->gemm_rows) : 0;
#pragma omp for schedule(static) nowait
    for (size_t t = 0; t < tiles_b; t++) pack_b_tile(block, t);
#pragma omp for schedule(static)
    for (size_t t = 0; t < tiles_a; t++) pack_a_tile(block, t);
#pragma omp for schedule(dynamic, 1)
    for (size_t t = 0; t < tasks; t++) {
        size_t row = t / across * rows, column = t % across * columns;
        compute(block, row, smaller(rows, block->m - row), column,
                smaller(columns, block->n - column));
    }
}

static void block_product_alone(const struct block *block) {
    const size_t tiles_b = tiles(block->n, block->kernels->gemm_columns);
    const size_t tiles_a = block->pack_a ? tiles(block->m, block->kernels->gemm_rows) : 0;
    for (size_t t = 0; t < tiles_b; t++) pack_b_tile(block, t);
    for (size_t t = 0; t < tiles_a; t++) pack_a_tile(block, t);
    compute(block, 0, block->m, 0, block->n);
}

/* A in place has k running along its rows. Rows a multiple of 2 KiB apart fall into the same few
 * cache sets, so those are packed when there are columns enough to pay for it. */
static bool worth_packing(const struct matrix *a, size_t n) {
    if (a->column_stride != 1) return true;
    return a->row_stride % 512 == 0 && n > 64;
}

static void clear(float *c, size_t m, size_t n, size_t c_stride) {
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < n; j++) c[i * c_stride + j] = 0.0f;
    }
}

/* All blocks of the product, by the team of threads that calls this or by a lone thread. */
static void product(struct matmul_scratch *scratch, size_t m, size_t n, size_t k, struct matrix a,
                    struct matrix b, float *c, size_t c_stride, bool accumulate, bool team) {
    struct block block = {.kernels = simd(),
                          .packed_a = scratch->packed_a,
                          .packed_b = scratch->packed_b,
                          .c_stride = c_stride,
                          .pack_a = worth_packing(&a, n)};
    size_t row_block = block.pack_a
                           ? ROW_BLOCK / block.kernels->gemm_rows * block.kernels->gemm_rows
                           : (m == 0 ? 1 : m);
    for (size_t j = 0; j < n; j += COLUMN_BLOCK) {
        for (size_t i = 0; i < m; i += row_block) {
            for (size_t p = 0; p < k; p += K_BLOCK) {
                block.m = smaller(row_block, m - i);
                block.n = smaller(COLUMN_BLOCK, n - j);
                block.k = smaller(K_BLOCK, k - p);
                block.a = a;
                block.a.data += i * a.row_stride + p * a.column_stride;
                block.b = b;
                block.b.data += p * b.row_stride + j * b.column_stride;
                block.c = c + i * c_stride + j;
                block.accumulate = accumulate || p > 0;
                if (team) {
                    block_product_team(&block);
                } else {
                    block_product_alone(&block);
                }
            }
        }
    }
}

void matmul_serial(struct matmul_scratch *scratch, size_t m, size_t n, size_t k, struct matrix a,
                   struct matrix b, float *c, size_t c_stride, bool accumulate) {
    if (k == 0 && !accumulate) clear(c, m, n, c_stride);
    product(scratch, m, n, k, a, b, c, c_stride, accumulate, false);
}

void matmul(struct matmul_scratch *scratch, size_t m, size_t n, size_t k, struct matrix a,
            struct matrix b, float *c, size_t c_stride, bool accumulate) {
    if (m * n * k < PARALLEL_WORK) {
        matmul_serial(scratch, m, n, k, a, b, c, c_stride, accumulate);
        return;
    }
#pragma omp parallel
    product(scratch, m, n, k, a, b, c, c_stride, accumulate, true);
}
