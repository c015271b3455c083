#include "nn/matmul.h"

#include <omp.h>
#include <stdlib.h>

#include "base/memory.h"
#include "nn/onednn.h"
#include "profile/profile.h"
#include "simd/simd.h"

/* A panel of A is at most [ROW_BLOCK, K_BLOCK], a lone thread's is smaller. */
#define K_BLOCK 1024
#define ROW_BLOCK 1036
#define SERIAL_ROW_BLOCK 112
/* A thread takes TASK_ACROSS tiles of columns over many rows of C: it packs its part of B, which
 * then stays in its second-level cache while the rows of A go by. Less where that would leave fewer
 * than TASKS_PER_THREAD tasks for each. */
#define TASK_ACROSS 2
#define TASKS_PER_THREAD 4
/* An operand that could be read in place is packed when the other one has more columns or rows. */
#define PACK_A_COLUMNS 256
#define PACK_B_ROWS 256
/* Products with less work than this are not worth waking threads for. */
#define PARALLEL_WORK ((size_t)1 << 18)

struct matrix matrix_rows(const float *data, size_t stride) {
    return (struct matrix){data, stride, 1, NULL};
}

struct matrix matrix_transposed(const float *data, size_t stride) {
    return (struct matrix){data, 1, stride, NULL};
}

static mneme_status open_panels(struct matmul_scratch *scratch, size_t rows, size_t sides,
                                size_t threads, mneme_error *error) {
    *scratch = (struct matmul_scratch){.row_block = rows, .n_threads = threads};
    scratch->packed_b =
        memory_allocate(threads * TASK_ACROSS * GEMM_MAX_COLUMNS * K_BLOCK, sizeof(float));
    bool fits = scratch->packed_b != NULL;
    for (size_t side = 0; side < sides; side++) {
        scratch->packed_a[side] = memory_allocate((rows + GEMM_MAX_ROWS) * K_BLOCK, sizeof(float));
        fits = fits && scratch->packed_a[side] != NULL;
    }
    if (fits) return MNEME_OK;
    matmul_scratch_close(scratch);
    return error_set_memory(error, "matrix panels");
}

mneme_status matmul_scratch_open(struct matmul_scratch *scratch, mneme_error *error) {
    return open_panels(scratch, ROW_BLOCK, 2, (size_t)omp_get_max_threads(), error);
}

mneme_status matmul_scratch_open_serial(struct matmul_scratch *scratch, mneme_error *error) {
    return open_panels(scratch, SERIAL_ROW_BLOCK, 1, 1, error);
}

void matmul_scratch_close(struct matmul_scratch *scratch) {
    free(scratch->packed_a[0]);
    free(scratch->packed_a[1]);
    free(scratch->packed_b);
    *scratch = (struct matmul_scratch){0};
}

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

static size_t tiles(size_t n, size_t tile) {
    return (n + tile - 1) / tile;
}

/* The size of equal parts of n that are at most `largest` and, but for the last, multiples of
 * `unit`. */
static size_t part_size(size_t n, size_t largest, size_t unit) {
    size_t parts = tiles(n, largest);
    return parts == 0 ? unit : tiles(tiles(n, parts), unit) * unit;
}

size_t matmul_serial_packed_size(size_t k, size_t n) {
    size_t columns = simd()->gemm_columns;
    return tiles(n, columns) * columns * k;
}

void matmul_serial_pack(size_t k, size_t n, struct matrix b, float *packed) {
    const struct simd_kernels *kernels = simd();
    size_t columns = kernels->gemm_columns;
#pragma omp parallel for schedule(static)
    for (size_t j = 0; j < n; j += columns) {
        kernels->gemm_pack_b(k, smaller(columns, n - j), b.data + j * b.column_stride, b.row_stride,
                             b.column_stride, packed + j * k);
    }
}

size_t matmul_packed_size(size_t k, size_t n) {
    return onednn_is_open() ? onednn_packed_size(k, n) : matmul_serial_packed_size(k, n);
}

bool matmul_pack(size_t k, size_t n, struct matrix b, float *packed) {
    PROFILE(pack_weight, k, n);
    if (onednn_is_open()) return onednn_pack(k, n, &b, packed);
    matmul_serial_pack(k, n, b, packed);
    return true;
}

/* The whole product, and how it is cut. */
struct product {
    const struct simd_kernels *kernels;
    const struct matmul_scratch *scratch;
    size_t m, n, k;
    struct matrix a, b;
    float *c;
    size_t c_stride;
    bool accumulate;
    bool pack_a, pack_b;
    size_t row_block, k_block;
};

/* A block of it: rows i.. of C, over p.. of k. */
struct block {
    size_t i, p;
    size_t m, k;
    float *packed_a; /* NULL: in place */
};

/* Part of C: rows from `row` of a block on, columns from `column` on; both multiples of the tile.
 */
struct part {
    size_t row, rows;
    size_t column, columns;
};

/* Where the part's rows of A are, over the block's k from `p` on. */
static struct gemm_a find_a(const struct product *product, const struct block *block,
                            const struct part *part, size_t p) {
    const struct matrix *a = &product->a;
    size_t height = product->kernels->gemm_rows;
    if (block->packed_a != NULL) {
        const float *from = block->packed_a + part->row * block->k + p * height;
        return (struct gemm_a){from, height * block->k, 1, height};
    }
    const float *from =
        a->data + (block->i + part->row) * a->row_stride + (block->p + p) * a->column_stride;
    return (struct gemm_a){from, height * a->row_stride, a->row_stride, a->column_stride};
}

/* The same for its columns of B and k_count of k; packs them into `panel` if that is to be done. */
static struct gemm_b find_b(const struct product *product, const struct part *part, size_t p,
                            size_t k_count, float *panel) {
    const struct matrix *b = &product->b;
    size_t width = product->kernels->gemm_columns;
    const float *from = b->data + p * b->row_stride + part->column * b->column_stride;
    if (product->pack_b) {
        product->kernels->gemm_pack_b(k_count, part->columns, from, b->row_stride, b->column_stride,
                                      panel);
        return (struct gemm_b){panel, width * k_count, width, true};
    }
    if (b->packed != NULL) {
        return (struct gemm_b){b->packed + part->column * product->k + p * width,
                               width * product->k, width, true};
    }
    return (struct gemm_b){from, width, b->row_stride, false};
}

static void compute(const struct product *product, const struct block *block,
                    const struct part *part, float *panel) {
    float *c = product->c + (block->i + part->row) * product->c_stride + part->column;
    for (size_t p = 0; p < block->k; p += product->k_block) {
        size_t k_count = smaller(product->k_block, block->k - p);
        struct gemm_a a = find_a(product, block, part, p);
        struct gemm_b b = find_b(product, part, block->p + p, k_count, panel);
        product->kernels->gemm_tiles(part->rows, part->columns, k_count, &a, &b, c,
                                     product->c_stride, product->accumulate || block->p + p > 0);
    }
}

static void pack_a_rows(const struct product *product, const struct block *block, size_t row,
                        size_t rows) {
    const struct matrix *a = &product->a;
    const float *from = a->data + (block->i + row) * a->row_stride + block->p * a->column_stride;
    product->kernels->gemm_pack_a(smaller(rows, block->m - row), block->k, from, a->row_stride,
                                  a->column_stride, block->packed_a + row * block->k);
}

/* The size of a thread's task in tiles. */
struct task {
    size_t down, across;
};

static struct task task_size(size_t tiles_down, size_t tiles_across, size_t most_down) {
    struct task task = {part_size(tiles_down, most_down, 1), TASK_ACROSS};
    size_t wanted = TASKS_PER_THREAD * (size_t)omp_get_num_threads();
    while (task.down * task.across > 1 &&
           tiles(tiles_down, task.down) * tiles(tiles_across, task.across) < wanted) {
        if (task.across > 1) {
            task.across /= 2;
        } else {
            task.down = (task.down + 1) / 2;
        }
    }
    return task;
}

/* Called by every thread of a team, which leaves as soon as there is no part of C left to take. */
static void compute_team(const struct product *product, const struct block *block) {
    const size_t height = product->kernels->gemm_rows, width = product->kernels->gemm_columns;
    const size_t tiles_down = tiles(block->m, height), tiles_across = tiles(product->n, width);
    const struct task task = task_size(tiles_down, tiles_across, ROW_BLOCK / height);
    const size_t tasks_across = tiles(tiles_across, task.across);
    const size_t tasks = tasks_across * tiles(tiles_down, task.down);
    float *panel =
        product->scratch->packed_b + (size_t)omp_get_thread_num() * TASK_ACROSS * width * K_BLOCK;
#pragma omp for schedule(dynamic, 1) nowait
    for (size_t t = 0; t < tasks; t++) {
        size_t row = t / tasks_across * task.down * height;
        size_t column = t % tasks_across * task.across * width;
        const struct part part = {row, smaller(task.down * height, block->m - row), column,
                                  smaller(task.across * width, product->n - column)};
        compute(product, block, &part, panel);
    }
}

static void compute_alone(const struct product *product, const struct block *block) {
    const size_t columns = TASK_ACROSS * product->kernels->gemm_columns;
    for (size_t column = 0; column < product->n; column += columns) {
        const struct part part = {0, block->m, column, smaller(columns, product->n - column)};
        compute(product, block, &part, product->scratch->packed_b);
    }
}

/* Called by every thread of a team: packs A's panel together, then computes. */
static void panel_team(const struct product *product, const struct block *block) {
    const size_t rows = 4 * product->kernels->gemm_rows; /* in whole cache lines */
#pragma omp for schedule(dynamic, 1)
    for (size_t row = 0; row < block->m; row += rows) pack_a_rows(product, block, row, rows);
    compute_team(product, block);
}

/* With A packed: panel by panel. A thread packs its share of a panel when all have left the one
 * before the last, so that two in turn suffice. */
static void all_panels(const struct product *product, bool team) {
    size_t turn = 0;
    for (size_t p = 0; p < product->k; p += product->k_block) {
        for (size_t i = 0; i < product->m; i += product->row_block, turn ^= team) {
            const struct block block = {.i = i,
                                        .p = p,
                                        .m = smaller(product->row_block, product->m - i),
                                        .k = smaller(product->k_block, product->k - p),
                                        .packed_a = product->scratch->packed_a[turn]};
            if (team) {
                panel_team(product, &block);
            } else {
                pack_a_rows(product, &block, 0, block.m);
                compute_alone(product, &block);
            }
        }
    }
}

/* With A in place every thread goes its own way through all of k. */
static void run(const struct product *product, bool team) {
    const struct block whole = {.m = product->m, .k = product->k};
    if (product->pack_a) {
        all_panels(product, team);
    } else if (team) {
        compute_team(product, &whole);
    } else {
        compute_alone(product, &whole);
    }
}

/* Packing pays when a packed float is used often enough, or when the rows of A, which are read side
 * by side, would fall into the same few cache sets. */
static bool worth_packing_a(const struct matrix *a, size_t n) {
    if (a->column_stride == 1) return a->row_stride % 1024 == 0 && n > 512;
    return n > PACK_A_COLUMNS;
}

static bool worth_packing_b(const struct matrix *b, size_t m) {
    return b->packed == NULL && (b->column_stride != 1 || m > PACK_B_ROWS);
}

static struct product cut(const struct matmul_scratch *scratch, size_t m, size_t n, size_t k,
                          struct matrix a, struct matrix b, float *c, size_t c_stride,
                          bool accumulate) {
    const struct simd_kernels *kernels = simd();
    return (struct product){.kernels = kernels,
                            .scratch = scratch,
                            .m = m,
                            .n = n,
                            .k = k,
                            .a = a,
                            .b = b,
                            .c = c,
                            .c_stride = c_stride,
                            .accumulate = accumulate,
                            .pack_a = worth_packing_a(&a, n),
                            .pack_b = worth_packing_b(&b, m),
                            .row_block = part_size(m, scratch->row_block, kernels->gemm_rows),
                            .k_block = part_size(k, K_BLOCK, 16)};
}

static void clear(float *c, size_t m, size_t n, size_t c_stride) {
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < n; j++) c[i * c_stride + j] = 0.0f;
    }
}

void matmul_serial(struct matmul_scratch *scratch, size_t m, size_t n, size_t k, struct matrix a,
                   struct matrix b, float *c, size_t c_stride, bool accumulate) {
    if (k == 0 && !accumulate) clear(c, m, n, c_stride);
    struct product product = cut(scratch, m, n, k, a, b, c, c_stride, accumulate);
    run(&product, false);
}

void matmul(struct matmul_scratch *scratch, size_t m, size_t n, size_t k, struct matrix a,
            struct matrix b, float *c, size_t c_stride, bool accumulate) {
    if (onednn_is_open()) {
        if (onednn_matmul(m, n, k, &a, &b, c, c_stride, accumulate)) return;
        b.packed = NULL; /* in another's layout */
    }
    if (m * n * k < PARALLEL_WORK) {
        matmul_serial(scratch, m, n, k, a, b, c, c_stride, accumulate);
        return;
    }
    struct product product = cut(scratch, m, n, k, a, b, c, c_stride, accumulate);
#pragma omp parallel num_threads((int)scratch->n_threads)
    run(&product, true);
}
