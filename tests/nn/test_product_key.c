/* The lookup against brute force over all n_keys^2 slots, and the sorted scatter against a plain
 * loop in the contract's order. */

#include <check.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "nn/matmul.h"
#include "nn/product_key.h"
#include "nn/row_scatter.h"
#include "tests/assertions.h"

struct scored {
    float score;
    size_t place;
    int32_t slot;
};

static int by_score(const void *a, const void *b) {
    const struct scored *x = a, *y = b;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return x->place < y->place ? -1 : x->place > y->place;
}

static float chain(size_t n, const float *x, const float *y) {
    float sum = 0.0f;
    for (size_t i = 0; i < n; i++) sum = fmaf(x[i], y[i], sum);
    return sum;
}

/* Ranks of a half's keys: position in the order by score, equal scores by lower key. */
static void rank_half(const struct product_key_shape *shape, const float *q, const float *keys,
                      struct scored *ranked) {
    for (size_t i = 0; i < shape->n_keys; i++) {
        ranked[i] = (struct scored){chain(shape->half, q, keys + i * shape->half), i, (int32_t)i};
    }
    qsort(ranked, shape->n_keys, sizeof *ranked, by_score);
}

static void check_lookup(const struct product_key_shape *shape, size_t n, bool coarse) {
    size_t half = shape->half, keys_n = shape->heads * 2 * shape->n_keys * half;
    size_t query_n = n * shape->heads * 2 * half, reads_n = n * shape->heads * shape->knn;
    float *keys = malloc(keys_n * sizeof *keys), *query = malloc(query_n * sizeof *query);
    /* Coarse values make many equal scores. */
    for (size_t i = 0; i < keys_n; i++) keys[i] = random_uniform(1, 2, i) - 0.5f;
    for (size_t i = 0; i < query_n; i++) query[i] = random_uniform(1, 3, i) - 0.5f;
    for (size_t i = 0; coarse && i < keys_n; i++) keys[i] = roundf(keys[i] * 2.0f);
    for (size_t i = 0; coarse && i < query_n; i++) query[i] = roundf(query[i] * 4.0f);
    struct product_key_reads reads = {calloc(reads_n, 4), calloc(reads_n, 4), calloc(reads_n, 4),
                                      calloc(reads_n, 4)};
    struct product_key_scratch scratch = {0};
    mneme_error error;
    assert_ok(product_key_scratch_open(&scratch, shape, &error), &error);
    float *packed = malloc(product_key_packed_size(shape) * sizeof *packed);
    product_key_pack(shape, keys, packed);
    ck_assert(product_key_forward(&scratch, shape, n, query, keys, coarse ? packed : NULL, &reads));
    free(packed);
    struct scored *rows = calloc(shape->n_keys, sizeof *rows);
    struct scored *columns = calloc(shape->n_keys, sizeof *columns);
    struct scored *all = calloc(shape->n_keys * shape->n_keys, sizeof *all);
    for (size_t i = 0; i < n * shape->heads; i++) {
        const float *table = keys + i % shape->heads * 2 * shape->n_keys * half;
        rank_half(shape, query + i * 2 * half, table, rows);
        rank_half(shape, query + (i * 2 + 1) * half, table + shape->n_keys * half, columns);
        size_t e = 0;
        for (size_t r = 0; r < shape->n_keys; r++) {
            for (size_t c = 0; c < shape->n_keys; c++, e++) {
                all[e] = (struct scored){rows[r].score + columns[c].score, e,
                                         rows[r].slot * (int32_t)shape->n_keys + columns[c].slot};
            }
        }
        qsort(all, e, sizeof *all, by_score);
        for (size_t r = 0; r < shape->knn; r++) {
            ck_assert_int_eq(reads.slots[i * shape->knn + r], all[r].slot);
        }
    }
    free(rows);
    free(columns);
    free(all);
    free(keys);
    free(query);
    free(reads.slots);
    free(reads.rows);
    free(reads.columns);
    free(reads.weights);
    product_key_scratch_close(&scratch);
}

START_TEST(brute_force) {
    for (int coarse = 0; coarse < 2; coarse++) {
        check_lookup(&(struct product_key_shape){2, 9, 7, 4}, 33, coarse);
        check_lookup(&(struct product_key_shape){1, 32, 8, 32}, 9, coarse);
        check_lookup(&(struct product_key_shape){3, 17, 5, 1}, 300, coarse);
        check_lookup(&(struct product_key_shape){1, 1, 3, 1}, 2, coarse);
        check_lookup(&(struct product_key_shape){1, 100, 4, 32}, 60, coarse);
    }
}
END_TEST

START_TEST(nan_is_an_error) {
    struct product_key_shape shape = {1, 4, 2, 2};
    float query[4] = {1.0f, NAN, 0.0f, 0.0f}, keys[16] = {0}, weights[2];
    int32_t slots[2], rows[2], columns[2];
    struct product_key_reads reads = {slots, rows, columns, weights};
    struct product_key_scratch scratch = {0};
    mneme_error error;
    assert_ok(product_key_scratch_open(&scratch, &shape, &error), &error);
    ck_assert(!product_key_forward(&scratch, &shape, 1, query, keys, NULL, &reads));
    query[1] = 0.0f;
    ck_assert(product_key_forward(&scratch, &shape, 1, query, keys, NULL, &reads));
    product_key_scratch_close(&scratch);
}
END_TEST

static void check_scatter(size_t n, size_t rows) {
    enum { WIDTH = 21, SOURCES = 50 };
    struct row_scatter scatter;
    mneme_error error;
    float *source = malloc(SOURCES * WIDTH * sizeof *source);
    float *table = malloc(rows * WIDTH * sizeof *table);
    float *expected = malloc(rows * WIDTH * sizeof *expected);
    assert_ok(row_scatter_open(&scatter, n, &error), &error);
    for (size_t i = 0; i < SOURCES * WIDTH; i++) source[i] = random_uniform(2, 1, i) - 0.5f;
    for (size_t i = 0; i < rows * WIDTH; i++) expected[i] = table[i] = random_uniform(2, 2, i);
    for (size_t e = 0; e < n; e++) {
        uint32_t below = (uint32_t)(e % 2 == 0 || rows < 5 ? rows : 5);
        scatter.rows[e] = (int32_t)random_below(2, 3, e, below);
        scatter.coefficients[e] = random_uniform(2, 4, e) - 0.5f;
        scatter.sources[e] = (int32_t)random_below(2, 5, e, SOURCES);
        for (size_t j = 0; j < WIDTH; j++) {
            float *to = &expected[(size_t)scatter.rows[e] * WIDTH + j];
            *to =
                fmaf(scatter.coefficients[e], source[(size_t)scatter.sources[e] * WIDTH + j], *to);
        }
    }
    row_scatter_sort(&scatter, n, rows);
    row_scatter_add(&scatter, WIDTH, source, WIDTH, table);
    ck_assert_mem_eq(table, expected, rows * WIDTH * sizeof *table);
    ck_assert_uint_eq(scatter.group_starts[scatter.n_groups], n);
    for (size_t g = 1; g < scatter.n_groups; g++) {
        ck_assert_int_lt(scatter.group_rows[g - 1], scatter.group_rows[g]);
    }
    row_scatter_close(&scatter);
    free(source);
    free(table);
    free(expected);
}

START_TEST(scatter_in_order) {
    int before = omp_get_max_threads();
    for (int threads = 1; threads <= 5; threads += 2) {
        omp_set_num_threads(threads);
        check_scatter(0, 3);
        check_scatter(3000, 700);
        check_scatter(20000, 5000);
        check_scatter(20000, 1);
    }
    omp_set_num_threads(before);
}
END_TEST

Suite *product_key_suite(void) {
    Suite *suite = suite_create("product_key");
    TCase *tests = tcase_create("slots");
    tcase_add_test(tests, brute_force);
    tcase_add_test(tests, nan_is_an_error);
    tcase_add_test(tests, scatter_in_order);
    suite_add_tcase(suite, tests);
    return suite;
}
