/* AdamW for rows: lazily, and as over a whole table whose other gradients are zero. */

#include <check.h>
#include <math.h>
#include <string.h>

#include "smf/sparse_adamw.h"
#include "tests/assertions.h"

enum { ROWS = 5, WIDTH = 2, STEPS = 7 };

static const struct adamw_settings settings = {.beta1 = 0.9f, .beta2 = 0.95f, .eps = 1e-8f};

/* The rows of each step, and how many. */
static const int32_t chosen[STEPS][2] = {{0}, {1, 3}, {0, 1}, {3}, {0}, {1}, {0, 3}};
static const size_t n_chosen[STEPS] = {1, 2, 2, 1, 0, 1, 2};

static void make_gradients(int step, float *gradients) {
    for (size_t i = 0; i < n_chosen[step]; i++) {
        for (int j = 0; j < WIDTH; j++) {
            int number = (step * 7 + chosen[step][i] * 3 + j * 5) % 11 - 5;
            gradients[i * WIDTH + (size_t)j] = (float)number / 10.0f + 0.01f;
        }
    }
}

static void make_table(float *table) {
    for (int i = 0; i < ROWS * WIDTH; i++) table[i] = (float)(i + 1) / 8.0f;
}

/* torch.optim.AdamW (2.13) over the table, lr 0.05, no weight decay, with these gradients and zeros
 * in all other rows: the table after 2, 4 and 7 steps. */
static const float of_torch[3][ROWS * WIDTH] = {
    {0.208932385f, 0.166067705f, 0.338252008f, 0.536747992f, 0.625f, 0.75f, 0.838252068f,
     0.963252008f, 1.125f, 1.25f},
    {0.275491297f, 0.107585959f, 0.274525374f, 0.602153182f, 0.625f, 0.75f, 0.780756474f,
     0.928373337f, 1.125f, 1.25f},
    {0.322952926f, 0.0637389794f, 0.20806472f, 0.621239722f, 0.625f, 0.75f, 0.705441058f,
     0.92941612f, 1.125f, 1.25f}};

/* Rows that lie one after the other. */
struct plain_table {
    struct sparse_table table; /* first */
    float *rows;
};

static float *plain_row(const struct sparse_table *table, int32_t row) {
    return ((const struct plain_table *)table)->rows + (size_t)row * WIDTH;
}

START_TEST(dense_is_torch_with_a_mask) {
    struct sparse_adamw state;
    float table[ROWS * WIDTH], gradients[2 * WIDTH];
    mneme_error error = {0};
    size_t looked = 0;
    const struct plain_table plain = {{plain_row}, table};
    make_table(table);
    assert_ok(sparse_adamw_open(&state, ROWS, WIDTH, &error), &error);
    for (int s = 0; s < STEPS; s++) {
        make_gradients(s, gradients);
        sparse_adamw_update_dense(&state, &settings, 0.05f, (size_t)s + 1, n_chosen[s], chosen[s],
                                  gradients, &plain.table);
        if (s != 1 && s != 3 && s != 6) continue;
        for (size_t i = 0; i < ROWS * WIDTH; i++) {
            ck_assert_float_eq_tol(table[i], of_torch[looked][i], 3e-7f);
        }
        looked++;
    }
    ck_assert_uint_eq(state.n_touched, 3);
    sparse_adamw_close(&state);
}
END_TEST

/* A row's steps are those that choose it: what AdamW makes of the row's own gradients alone. */
START_TEST(lazy_counts_its_own_steps) {
    struct sparse_adamw state, alone;
    float table[ROWS * WIDTH], gradients[2 * WIDTH], row_alone[WIDTH];
    mneme_error error = {0};
    const struct plain_table plain = {{plain_row}, table}, plain_alone = {{plain_row}, row_alone};
    make_table(table);
    memcpy(row_alone, table + 1 * WIDTH, sizeof row_alone);
    assert_ok(sparse_adamw_open(&state, ROWS, WIDTH, &error), &error);
    assert_ok(sparse_adamw_open(&alone, 1, WIDTH, &error), &error);
    size_t own = 0;
    for (int s = 0; s < STEPS; s++) {
        make_gradients(s, gradients);
        sparse_adamw_update(&state, &settings, 0.05f, n_chosen[s], chosen[s], gradients,
                            &plain.table);
        for (size_t i = 0; i < n_chosen[s]; i++) {
            if (chosen[s][i] != 1) continue;
            sparse_adamw_update_dense(&alone, &settings, 0.05f, ++own, 1, &(const int32_t){0},
                                      gradients + i * WIDTH, &plain_alone.table);
        }
    }
    ck_assert_uint_eq(own, 3);
    ck_assert_mem_eq(row_alone, table + 1 * WIDTH, sizeof row_alone);
    sparse_adamw_close(&alone);
    sparse_adamw_close(&state);
}
END_TEST

Suite *sparse_adamw_suite(void) {
    Suite *suite = suite_create("sparse_adamw");
    TCase *tests = tcase_create("smf");
    tcase_add_test(tests, dense_is_torch_with_a_mask);
    tcase_add_test(tests, lazy_counts_its_own_steps);
    suite_add_tcase(suite, tests);
    return suite;
}
