#ifndef SIMD_SIMD_H
#define SIMD_SIMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "simd/stored.h"

/* The kernels of every instruction set, and the choice between them.
 *
 * A kernel works on plain arrays, starts no threads, allocates nothing and gives the same bits in
 * every instruction set (docs/arithmetic.md). What each computes is written in kernels.def.
 * Unless kernels.def says otherwise arrays do not overlap and need no alignment. */

enum simd_isa {
#define ALL_ISAS
#define ISA(constant, name, usable) SIMD_ISA_##constant,
#include "simd/isas.def"
#undef ISA
#undef ALL_ISAS
    SIMD_ISA_COUNT
};

/* Where gemm_tiles finds A: element (i, p) of the tile t, i < gemm_rows, is
 * data[t * tile_stride + i * row_stride + p * k_stride]. Packed by gemm_pack_a (row_stride 1,
 * k_stride gemm_rows), or in place with one of the strides 1. */
struct gemm_a {
    const float *data;
    size_t tile_stride;
    size_t row_stride;
    size_t k_stride;
};

/* The same for B: element (p, j) of the tile t, j < gemm_columns, is number
 * t * tile_stride + p * k_stride + j. Packed by gemm_pack_b (k_stride gemm_columns; whole tiles are
 * read), or in place, then f32. */
struct gemm_b {
    struct stored stored;
    size_t tile_stride;
    size_t k_stride;
    bool packed;
};

/* What an AdamW step needs besides the arrays (Loshchilov & Hutter 2017, algorithm 2). */
struct adamw_step {
    float gradient_scale; /* clipping: every gradient is multiplied by this first */
    float beta1, beta2;
    float one_minus_beta1, one_minus_beta2;
    float step_size;       /* lr / (1 - beta1^t) */
    float root_correction; /* sqrt(1 - beta2^t) */
    float eps;
    float keep; /* 1 - lr * weight_decay */
};

/* Rows of attention for one head: the queries of consecutive positions of one sequence. */
struct attention_rows {
    size_t n_rows;         /* queries */
    size_t first_position; /* position of the first query; query r sees keys 0..first+r */
    size_t head_dim;
    float scale;          /* 1 / sqrt(head_dim) */
    const float *queries; /* [n_rows, head_dim], rows query_stride apart */
    size_t query_stride;
    const float *keys;   /* transposed: [head_dim, positions], rows key_stride apart */
    size_t key_stride;   /* a multiple of ATTENTION_KEY_BLOCK; all of it readable */
    const float *values; /* [positions, head_dim], rows value_stride apart */
    size_t value_stride;
    float *weights; /* out: softmax weights [n_rows, weight_stride]; zero after a row's last key */
    size_t weight_stride; /* at least the last row's keys, rounded up to ATTENTION_KEY_BLOCK */
    float *output;        /* out: [n_rows, head_dim], rows output_stride apart; may be NULL */
    size_t output_stride;
};
#define ATTENTION_KEY_BLOCK 32

/* One of the pairs that product_key_topk chose. */
struct key_pair {
    int32_t slot; /* row * n_keys + column */
    int32_t row;  /* sub-key of the first half */
    int32_t column;
};

struct simd_kernels {
    enum simd_isa isa;
    size_t gemm_rows;    /* height of a packed tile of A */
    size_t gemm_columns; /* width of a packed tile of B */
#define KERNEL(result, name, arguments) result(*name) arguments;
#include "simd/kernels.def"
#undef KERNEL
};

/* The tile of any instruction set fits in these. */
#define GEMM_MAX_ROWS 16
#define GEMM_MAX_COLUMNS 64

extern const struct simd_kernels *simd_chosen; /* for simd() alone */

/* The kernels of the instruction set in use: the best that the CPU has, or what the environment
 * variable MNEME_ISA asks for. Chosen once, when the program or the library is loaded. */
static inline const struct simd_kernels *simd(void) {
    return simd_chosen;
}

/* Makes simd() that instruction set, for tests of all of them; false, without any change, where
 * this build or CPU lacks it. No kernel may be running, and packed matrices must be packed anew. */
bool simd_use(enum simd_isa isa);

/* NULL, or why MNEME_ISA could not be followed (simd() is then the best the CPU has), or why the
 * CPU can run no kernel at all (simd_table is then NULL for each). Nothing may compute then. */
const char *simd_problem(void);

/* The kernels of one instruction set; NULL where this build or this CPU lacks it. */
const struct simd_kernels *simd_table(enum simd_isa isa);

/* "scalar", "neon"…, as in isas.def. */
const char *simd_isa_name(enum simd_isa isa);

#endif
