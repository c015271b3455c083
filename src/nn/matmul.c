#include "nn/matmul.h"

#include <omp.h>
#include <stdlib.h>

#include "base/memory.h"
#include "nn/onednn.h"
#include "profile/profile.h"
#include "simd/simd.h"

/* A thread keeps a panel of A [ROW_BLOCK, K_BLOCK] and one of B, a few tiles of columns wide, which
 * stays in its second-level cache while the rows of A go by. */
#define K_BLOCK 1024
#define ROW_BLOCK 1036
#define SERIAL_ROW_BLOCK 112
#define PANEL_B ((size_t)K_BLOCK * GEMM_MAX_COLUMNS)
/* Floats of A that are read in place before the columns of B change: they stay in that cache. */
#define IN_PLACE ((size_t)1 << 17)
/* An operand that could be read in place is packed when the other one has more columns or rows; a
 * B that is too big for the caches, sooner. */
#define PACK_A_COLUMNS 256
#define PACK_B_ROWS 256
#define PACK_BIG_B_ROWS 48
#define BIG_B ((size_t)1 << 20)
/* A packed B of 16 bits is widened in registers for so many rows, and before the product for more:
 * then once, and not for every tile of A. */
#define WIDEN_ROWS 32
/* Products with less work than this are not worth waking threads for. */
#define PARALLEL_WORK ((size_t)1 << 18)
/* What a share of C costs besides its multiply-adds, in these: to read or pack a float of an
 * operand; to begin a row, past whose end the hardware fetches what belongs to another thread. */
#define READ_COST 8
#define ROW_COST 30000

static mneme_status open_panels(struct matmul_scratch *scratch, size_t rows, size_t threads,
                                mneme_error *error) {
    *scratch = (struct matmul_scratch){.row_block = rows, .n_threads = threads};
    scratch->panel_size = (rows + GEMM_MAX_ROWS) * K_BLOCK + PANEL_B;
    scratch->panels = memory_allocate_scratch(threads * scratch->panel_size, sizeof(float));
    if (scratch->panels != NULL) return MNEME_OK;
    return error_set_memory(error, "matrix panels");
}

mneme_status matmul_scratch_open(struct matmul_scratch *scratch, mneme_error *error) {
    return open_panels(scratch, ROW_BLOCK, (size_t)omp_get_max_threads(), error);
}

mneme_status matmul_scratch_open_rows(struct matmul_scratch *scratch, size_t rows,
                                      mneme_error *error) {
    size_t row_block = rows < ROW_BLOCK ? rows : ROW_BLOCK;
    return open_panels(scratch, row_block, (size_t)omp_get_max_threads(), error);
}

mneme_status matmul_scratch_open_serial(struct matmul_scratch *scratch, mneme_error *error) {
    return open_panels(scratch, SERIAL_ROW_BLOCK, 1, error);
}

void matmul_scratch_close(struct matmul_scratch *scratch) {
    memory_free_scratch(scratch->panels, scratch->n_threads * scratch->panel_size, sizeof(float));
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

void matmul_serial_pack(size_t k, size_t n, struct matrix b, void *packed) {
    const struct simd_kernels *kernels = simd();
    size_t columns = kernels->gemm_columns;
#pragma omp parallel for schedule(static)
    for (size_t j = 0; j < n; j += columns) {
        kernels->gemm_pack_b(k, smaller(columns, n - j), stored_from(b.stored, j * b.column_stride),
                             b.row_stride, b.column_stride, b.stored.type,
                             (char *)packed + j * k * stored_size(b.stored.type));
    }
}

size_t matmul_packed_size(size_t k, size_t n) {
    return onednn_is_open() ? onednn_packed_size(k, n) : matmul_serial_packed_size(k, n);
}

bool matmul_reads(enum stored_type type) {
    return type == STORED_F32 || !onednn_is_open();
}

bool matmul_pack(size_t k, size_t n, struct matrix b, void *packed) {
    PROFILE(pack_weight, k, n);
    if (onednn_is_open()) return onednn_pack(k, n, &b, packed);
    matmul_serial_pack(k, n, b, packed);
    return true;
}

/* A product, or the part of one that a thread computes. */
struct product {
    size_t m, n, k;
    struct matrix a, b;
    float *c;
    size_t c_stride;
    bool accumulate;
};

/* How one is computed: in blocks of k, each in panels of `rows` of A by `columns` of B. */
struct plan {
    const struct simd_kernels *kernels;
    float *packed_a, *packed_b; /* NULL: read in place, or packed before */
    size_t rows, columns, depth;
};

/* A panel: its rows, columns and part of k, all from the product's first on. */
struct panel {
    size_t row, rows, column, columns, p, depth;
};

/* Packing pays when a packed float is used often enough, or when the rows of A, which are read side
 * by side, would fall into the same few cache sets. */
static bool worth_packing_a(const struct matrix *a, size_t n) {
    if (a->column_stride == 1) return a->row_stride % 512 == 0 && n > 128;
    return n > PACK_A_COLUMNS;
}

static bool worth_packing_b(const struct matrix *b, size_t m, size_t k) {
    const bool is_wide = b->stored.type == STORED_F32;
    if (b->packed != NULL) return !is_wide && m > WIDEN_ROWS;
    if (!is_wide) return true;
    if (b->column_stride != 1 || m > PACK_B_ROWS) return true;
    return m > PACK_BIG_B_ROWS && k * b->row_stride > BIG_B;
}

static struct plan make_plan(const struct product *product, size_t row_block, float *panels) {
    const struct simd_kernels *kernels = simd();
    struct plan plan = {.kernels = kernels, .depth = part_size(product->k, K_BLOCK, 16)};
    size_t columns = PANEL_B / plan.depth / kernels->gemm_columns * kernels->gemm_columns;
    plan.columns = part_size(product->n, columns, kernels->gemm_columns);
    if (worth_packing_b(&product->b, product->m, product->k)) plan.packed_b = panels;
    /* A panel of B that is packed is so once for all rows. */
    size_t in_place = plan.packed_b != NULL ? product->m + 1 : IN_PLACE / plan.depth + 1;
    plan.rows = part_size(product->m, in_place, kernels->gemm_rows);
    if (worth_packing_a(&product->a, product->n)) {
        plan.packed_a = panels + PANEL_B;
        plan.rows = part_size(product->m, row_block, kernels->gemm_rows);
    }
    return plan;
}

/* A matrix of floats from element i on. */
static const float *floats_from(const struct matrix *matrix, size_t i) {
    return (const float *)matrix->stored.data + i;
}

static struct gemm_a find_a(const struct plan *plan, const struct matrix *a,
                            const struct panel *panel) {
    size_t height = plan->kernels->gemm_rows;
    if (plan->packed_a != NULL) {
        return (struct gemm_a){plan->packed_a, height * panel->depth, 1, height};
    }
    const float *from = floats_from(a, panel->row * a->row_stride + panel->p * a->column_stride);
    return (struct gemm_a){from, height * a->row_stride, a->row_stride, a->column_stride};
}

/* Where a panel begins in the packed form. */
static struct stored packed_from(const struct plan *plan, const struct matrix *b, size_t k,
                                 const struct panel *panel) {
    const struct stored packed = {b->packed, b->stored.type};
    return stored_from(packed, panel->column * k + panel->p * plan->kernels->gemm_columns);
}

static struct stored plain_from(const struct matrix *b, const struct panel *panel) {
    return stored_from(b->stored, panel->p * b->row_stride + panel->column * b->column_stride);
}

/* A panel as packed floats, of a B that is packed in 16 bits or not at all. */
static void fill_panel(const struct plan *plan, const struct matrix *b, size_t k,
                       const struct panel *panel) {
    size_t width = plan->kernels->gemm_columns;
    if (b->packed == NULL) {
        plan->kernels->gemm_pack_b(panel->depth, panel->columns, plain_from(b, panel),
                                   b->row_stride, b->column_stride, STORED_F32, plan->packed_b);
        return;
    }
    const struct stored from = packed_from(plan, b, k, panel);
    for (size_t j = 0; j < panel->columns; j += width) {
        plan->kernels->widen(width * panel->depth, stored_from(from, j * k),
                             plan->packed_b + j * panel->depth);
    }
}

static struct gemm_b find_b(const struct plan *plan, const struct matrix *b, size_t k,
                            const struct panel *panel) {
    size_t width = plan->kernels->gemm_columns;
    if (plan->packed_b != NULL) {
        fill_panel(plan, b, k, panel);
        return (struct gemm_b){stored_f32(plan->packed_b), width * panel->depth, width, true};
    }
    if (b->packed != NULL) {
        return (struct gemm_b){packed_from(plan, b, k, panel), width * k, width, true};
    }
    return (struct gemm_b){plain_from(b, panel), width, b->row_stride, false};
}

static void compute_panel(const struct plan *plan, const struct product *product,
                          const struct panel *panel) {
    struct gemm_a a = find_a(plan, &product->a, panel);
    struct gemm_b b = find_b(plan, &product->b, product->k, panel);
    plan->kernels->gemm_tiles(panel->rows, panel->columns, panel->depth, &a, &b,
                              product->c + panel->row * product->c_stride + panel->column,
                              product->c_stride, product->accumulate || panel->p > 0);
}

static void pack_a(const struct plan *plan, const struct matrix *a, const struct panel *panel) {
    const float *from = floats_from(a, panel->row * a->row_stride + panel->p * a->column_stride);
    plan->kernels->gemm_pack_a(panel->rows, panel->depth, from, a->row_stride, a->column_stride,
                               plan->packed_a);
}

/* All of a product by the calling thread. */
static void compute(const struct product *product, size_t row_block, float *panels) {
    const struct plan plan = make_plan(product, row_block, panels);
    struct panel panel;
    for (panel.p = 0; panel.p < product->k; panel.p += plan.depth) {
        panel.depth = smaller(plan.depth, product->k - panel.p);
        for (panel.row = 0; panel.row < product->m; panel.row += plan.rows) {
            panel.rows = smaller(plan.rows, product->m - panel.row);
            if (plan.packed_a != NULL) pack_a(&plan, &product->a, &panel);
            for (panel.column = 0; panel.column < product->n; panel.column += plan.columns) {
                panel.columns = smaller(plan.columns, product->n - panel.column);
                compute_panel(&plan, product, &panel);
            }
        }
    }
}

/* How many threads share the rows and the columns of C. */
struct grid {
    size_t down, across;
};

/* The busiest thread's work. */
static size_t grid_cost(const struct product *product, struct grid grid) {
    size_t rows = tiles(product->m, grid.down);
    size_t columns = part_size(product->n, tiles(product->n, grid.across), simd()->gemm_columns);
    columns = smaller(columns, product->n);
    return product->k * (rows * columns + READ_COST * (rows + columns)) + ROW_COST * rows;
}

/* Threads share C alone, never k; each packs what it needs and waits for none of the others. The
 * share of a thread does not change from call to call, so that what it has written is near it. */
static struct grid choose_grid(const struct product *product, size_t threads) {
    struct grid best = {1, 1};
    size_t least = SIZE_MAX;
    for (size_t down = 1; down <= threads; down++) {
        struct grid grid = {down, threads / down};
        size_t cost = grid_cost(product, grid);
        if (cost < least) best = grid;
        if (cost < least) least = cost;
    }
    return best;
}

/* The share of thread number `thread` of a grid; may be empty. */
static struct product share_of(const struct product *product, struct grid grid, size_t thread) {
    struct product share = *product;
    size_t rows = tiles(product->m, grid.down);
    size_t columns = part_size(product->n, tiles(product->n, grid.across), simd()->gemm_columns);
    size_t row = smaller(thread / grid.across * rows, product->m);
    size_t column = smaller(thread % grid.across * columns, product->n);
    share.m = smaller(rows, product->m - row);
    share.n = smaller(columns, product->n - column);
    share.a.stored = stored_from(share.a.stored, row * product->a.row_stride);
    share.b.stored = stored_from(share.b.stored, column * product->b.column_stride);
    if (product->b.packed != NULL) {
        const struct stored packed = {product->b.packed, product->b.stored.type};
        share.b.packed = stored_from(packed, column * product->k).data;
    }
    share.c += row * product->c_stride + column;
    return share;
}

static void clear(float *c, size_t m, size_t n, size_t c_stride) {
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < n; j++) c[i * c_stride + j] = 0.0f;
    }
}

void matmul_serial(struct matmul_scratch *scratch, size_t m, size_t n, size_t k, struct matrix a,
                   struct matrix b, float *c, size_t c_stride, bool accumulate) {
    if (k == 0 && !accumulate) clear(c, m, n, c_stride);
    const struct product product = {m, n, k, a, b, c, c_stride, accumulate};
    compute(&product, scratch->row_block, scratch->panels);
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
    const struct product product = {m, n, k, a, b, c, c_stride, accumulate};
    const struct grid grid = choose_grid(&product, scratch->n_threads);
#pragma omp parallel for schedule(static, 1) num_threads((int)scratch->n_threads)
    for (size_t thread = 0; thread < grid.down * grid.across; thread++) {
        const struct product share = share_of(&product, grid, thread);
        compute(&share, scratch->row_block,
                scratch->panels + (size_t)omp_get_thread_num() * scratch->panel_size);
    }
}
