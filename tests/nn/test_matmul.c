/* Products of any size and layout against the contract's definition, bit for bit: one chain of fma
 * over ascending k per element, in one thread and in many. */

#include <check.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "nn/matmul.h"
#include "tests/assertions.h"

static float value(size_t i) {
    return random_uniform(5, 1, i) * 2.0f - 1.0f;
}

/* Replaces n numbers by ones that have 16 bits of that type, and gives those. */
static uint16_t *narrow(enum stored_type type, size_t n, float *numbers) {
    uint16_t *bits = malloc((n + 1) * sizeof *bits);
    for (size_t i = 0; i < n; i++) {
        uint32_t whole;
        memcpy(&whole, &numbers[i], sizeof whole);
        bits[i] = (uint16_t)(type == STORED_BF16 ? whole >> 16 : whole % 0x7c00);
        numbers[i] =
            type == STORED_BF16 ? stored_float_of_bf16(bits[i]) : stored_float_of_f16(bits[i]);
    }
    return bits;
}

static void check_product_of(enum stored_type type, struct matmul_scratch *scratch, size_t m,
                             size_t n, size_t k, bool a_transposed, bool b_transposed,
                             bool accumulate, bool packed) {
    float *a = malloc((m * k + 1) * sizeof *a), *b = malloc((k * n + 1) * sizeof *b);
    size_t stride = n + 3;
    float *c = malloc((m * stride + 1) * sizeof *c), *expected = malloc((m * stride + 1) * 4);
    for (size_t i = 0; i < m * k; i++) a[i] = value(i);
    for (size_t i = 0; i < k * n; i++) b[i] = value(i + 100000);
    for (size_t i = 0; i < m * stride; i++) expected[i] = c[i] = value(i + 200000);
    uint16_t *bits = type == STORED_F32 ? NULL : narrow(type, k * n, b);
    const struct stored stored = bits == NULL ? stored_f32(b) : (struct stored){bits, type};
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < n; j++) {
            float sum = accumulate ? expected[i * stride + j] : 0.0f;
            for (size_t p = 0; p < k; p++) {
                sum = fmaf(a[a_transposed ? p * m + i : i * k + p],
                           b[b_transposed ? j * k + p : p * n + j], sum);
            }
            expected[i * stride + j] = sum;
        }
    }
    struct matrix right = b_transposed ? matrix_of_columns(stored, k) : matrix_of_rows(stored, n);
    float *panels = malloc((matmul_packed_size(k, n) + 1) * sizeof *panels);
    matmul_pack(k, n, right, panels);
    if (packed) right.packed = panels;
    matmul(scratch, m, n, k, a_transposed ? matrix_transposed(a, m) : matrix_rows(a, k), right, c,
           stride, accumulate);
    free(panels);
    ck_assert_msg(memcmp(c, expected, m * stride * sizeof *c) == 0,
                  "%zu x %zu x %zu, transposed %d %d, accumulate %d, packed %d, type %d", m, n, k,
                  a_transposed, b_transposed, accumulate, packed, (int)type);
    free(bits);
    free(a);
    free(b);
    free(c);
    free(expected);
}

static void check_product(struct matmul_scratch *scratch, size_t m, size_t n, size_t k,
                          bool a_transposed, bool b_transposed, bool accumulate, bool packed) {
    for (enum stored_type type = 0; type < STORED_TYPES; type++) {
        check_product_of(type, scratch, m, n, k, a_transposed, b_transposed, accumulate, packed);
    }
}

START_TEST(any_size) {
    static const size_t sizes[][3] = {{1, 1, 1},     {1, 33, 7},     {15, 31, 17}, {14, 32, 256},
                                      {29, 65, 257}, {100, 130, 70}, {3, 5, 0},    {0, 4, 3},
                                      {70, 1, 600},  {257, 96, 64},  {60, 97, 512}};
    struct matmul_scratch scratch = {0};
    mneme_error error;
    assert_ok(matmul_scratch_open(&scratch, &error), &error);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        for (int form = 0; form < 16; form++) {
            check_product(&scratch, sizes[s][0], sizes[s][1], sizes[s][2], form & 1, form & 2,
                          form & 4, form & 8);
        }
    }
    matmul_scratch_close(&scratch);
}
END_TEST

/* More rows and columns than a panel holds. */
START_TEST(beyond_the_panels) {
    struct matmul_scratch scratch = {0};
    mneme_error error;
    assert_ok(matmul_scratch_open(&scratch, &error), &error);
    check_product(&scratch, 2100, 40, 33, true, false, false, false);
    check_product(&scratch, 40, 2100, 33, false, true, true, false);
    check_product(&scratch, 1100, 1100, 800, true, false, false, false);
    check_product(&scratch, 1100, 1100, 800, true, false, true, true);
    matmul_scratch_close(&scratch);
}
END_TEST

/* Each way to read the operands, in several blocks of k and of rows: A in place beside a packed B
 * that was packed before or is packed now, A packed because its rows fall into the same cache sets,
 * a B too big for the caches. */
START_TEST(every_way_to_read_the_operands) {
    struct matmul_scratch scratch = {0};
    mneme_error error;
    assert_ok(matmul_scratch_open(&scratch, &error), &error);
    check_product(&scratch, 700, 150, 1030, false, true, false, true);
    check_product(&scratch, 700, 150, 1030, false, true, true, false);
    check_product(&scratch, 90, 200, 1536, false, true, false, true);
    check_product(&scratch, 130, 300, 3600, true, false, true, false);
    matmul_scratch_close(&scratch);
}
END_TEST

START_TEST(any_number_of_threads) {
    int before = omp_get_max_threads();
    struct matmul_scratch scratch = {0};
    mneme_error error;
    for (int threads = 1; threads <= 7; threads++) {
        omp_set_num_threads(threads); /* the scratch is for so many */
        assert_ok(matmul_scratch_open(&scratch, &error), &error);
        ck_assert_uint_eq(scratch.n_threads, (size_t)threads);
        check_product(&scratch, 201, 130, 300, false, true, false, false);
        check_product(&scratch, 40, 700, 300, false, true, false, true);
        check_product(&scratch, 700, 33, 60, true, false, true, false);
        matmul_scratch_close(&scratch);
    }
    omp_set_num_threads(before);
}
END_TEST

Suite *matmul_suite(void) {
    Suite *suite = suite_create("matmul");
    TCase *tests = tcase_create("bits");
    tcase_add_test(tests, any_size);
    tcase_add_test(tests, beyond_the_panels);
    tcase_add_test(tests, every_way_to_read_the_operands);
    tcase_add_test(tests, any_number_of_threads);
    suite_add_tcase(suite, tests);
    return suite;
}
