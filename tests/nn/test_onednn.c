/* oneDNN as the backend of matmul(): near the sums in double precision for every layout, packed and
 * not, and never left on. */

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "nn/matmul.h"
#include "nn/matmul_backend.h"
#include "nn/onednn.h"
#include "tests/assertions.h"

/* A and B [k, n] hold values in [-1, 1); C is padded by 3. */
struct problem {
    size_t m, n, k, stride;
    float *a, *b, *c;
    double *expected;
};

static void fill(float *x, size_t n, unsigned stream) {
    for (size_t i = 0; i < n; i++) x[i] = random_uniform(9, stream, i) * 2.0f - 1.0f;
}

static struct problem make(size_t m, size_t n, size_t k, bool a_transposed, bool b_transposed,
                           bool accumulate) {
    size_t stride = n + 3;
    struct problem p = {m,
                        n,
                        k,
                        stride,
                        malloc(m * k * 4),
                        malloc(k * n * 4),
                        malloc(m * stride * 4),
                        malloc(m * stride * 8)};
    fill(p.a, m * k, 1);
    fill(p.b, k * n, 2);
    fill(p.c, m * stride, 3);
    for (size_t i = 0; i < m * stride; i++) p.expected[i] = (double)p.c[i];
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < n; j++) {
            double sum = accumulate ? p.expected[i * stride + j] : 0.0;
            for (size_t q = 0; q < k; q++) {
                sum += (double)p.a[a_transposed ? q * m + i : i * k + q] *
                       (double)p.b[b_transposed ? j * k + q : q * n + j];
            }
            p.expected[i * stride + j] = sum;
        }
    }
    return p;
}

static void check_form(struct matmul_scratch *scratch, const size_t size[3], int form) {
    bool a_transposed = form & 1, b_transposed = form & 2, accumulate = form & 4, packed = form & 8;
    struct problem p = make(size[0], size[1], size[2], a_transposed, b_transposed, accumulate);
    struct matrix left = a_transposed ? matrix_transposed(p.a, p.m) : matrix_rows(p.a, p.k);
    struct matrix right = b_transposed ? matrix_transposed(p.b, p.k) : matrix_rows(p.b, p.n);
    float *panels = malloc((matmul_packed_size(p.k, p.n) + 1) * sizeof *panels);
    ck_assert(matmul_pack(p.k, p.n, right, panels));
    if (packed) right.packed = panels;
    matmul(scratch, p.m, p.n, p.k, left, right, p.c, p.stride, accumulate);
    for (size_t i = 0; i < p.m * p.stride; i++) {
        double distance = fabs((double)p.c[i] - p.expected[i]);
        ck_assert_msg(distance <= 1e-6 * (double)(p.k + 8), "%zu x %zu x %zu, form %d, element %zu",
                      p.m, p.n, p.k, form, i);
    }
    free(panels);
    free(p.a);
    free(p.b);
    free(p.c);
    free(p.expected);
}

START_TEST(products_are_near_the_exact_ones) {
    static const size_t sizes[][3] = {{1, 1, 1},     {1, 33, 7},   {29, 65, 257},
                                      {64, 128, 96}, {100, 70, 3}, {300, 48, 130}};
    struct matmul_scratch scratch = {0};
    mneme_error error;
    if (matmul_backend_choose(MATMUL_ONEDNN, &error) != MNEME_OK) {
        ck_assert_str_eq(error.message, "matmul onednn: this build has no oneDNN");
        puts("skip: oneDNN's products: this build has no oneDNN");
        return;
    }
    ck_assert_str_eq(matmul_backend_mark(), onednn_version());
    assert_ok(matmul_scratch_open(&scratch, &error), &error);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        for (int form = 0; form < 16; form++) check_form(&scratch, sizes[s], form);
    }
    matmul_scratch_close(&scratch);
    assert_ok(matmul_backend_choose(MATMUL_CANONICAL, &error), &error);
    ck_assert_ptr_null(matmul_backend_mark());
}
END_TEST

/* More shapes than are remembered; and products that oneDNN does not take. */
START_TEST(many_shapes_and_empty_products) {
    struct matmul_scratch scratch = {0};
    mneme_error error;
    float a[8] = {1, 2, 3, 4, 5, 6, 7, 8}, b[8] = {1, 1, 1, 1, 1, 1, 1, 1}, c[4] = {9, 9, 9, 9};
    if (matmul_backend_choose(MATMUL_ONEDNN, &error) != MNEME_OK) {
        puts("skip: oneDNN's many shapes: this build has no oneDNN");
        return;
    }
    assert_ok(matmul_scratch_open(&scratch, &error), &error);
    for (size_t stride = 4; stride < 1200; stride++) {
        float sum = 0.0f;
        matmul(&scratch, 1, 1, 4, matrix_rows(a, stride), matrix_rows(b, 1), &sum, 1, false);
        ck_assert(sum == 10.0f);
    }
    matmul(&scratch, 2, 2, 0, matrix_rows(a, 1), matrix_rows(b, 2), c, 2, false);
    for (size_t i = 0; i < 4; i++) ck_assert(c[i] == 0.0f);
    matmul_scratch_close(&scratch);
    assert_ok(matmul_backend_choose(MATMUL_CANONICAL, &error), &error);
}
END_TEST

Suite *onednn_suite(void) {
    Suite *suite = suite_create("onednn");
    TCase *tests = tcase_create("products");
    tcase_add_test(tests, products_are_near_the_exact_ones);
    tcase_add_test(tests, many_shapes_and_empty_products);
    suite_add_tcase(suite, tests);
    return suite;
}
