#include "profile/roof.h"
#include "tests/assertions.h"

#include <check.h>
#include <math.h>
#include <omp.h>

static struct roof_table open_table(float filled) {
    struct roof_table table;
    mneme_error error;
    assert_ok(roof_table_open(&table, 192, 100, &error), &error);
    for (size_t i = 0; i < table.n_rows * ROOF_ROW_FLOATS; i++) table.data[i] = filled;
    return table;
}

/* Every float of the table is 0, and none is -0. */
static bool is_zero(const struct roof_table *table) {
    for (size_t i = 0; i < table->n_rows * ROOF_ROW_FLOATS; i++) {
        if (table->data[i] != 0.0f || signbit(table->data[i])) return false;
    }
    return true;
}

/* The bytes that are counted are those of the whole table, and the whole table is passed over:
 * adding 0 to -0 gives 0. */
START_TEST(passes_reach_every_row) {
    for (size_t threads = 1; threads <= 3; threads++) {
        struct roof_table table = open_table(1.0f);
        ck_assert_double_eq(roof_run_pass(ROOF_READ, &table, threads), 192 * 4096.0);
        ck_assert_double_eq(roof_run_pass(ROOF_ROWS, &table, threads), 100 * 4096.0);
        ck_assert(!is_zero(&table));
        ck_assert_double_eq(roof_run_pass(ROOF_WRITE, &table, threads), 192 * 4096.0);
        ck_assert(is_zero(&table));
        roof_table_close(&table);
        table = open_table(-0.0f);
        ck_assert(!is_zero(&table));
        ck_assert_double_eq(roof_run_pass(ROOF_UPDATE, &table, threads), 2 * 192 * 4096.0);
        ck_assert(is_zero(&table));
        roof_table_close(&table);
    }
}
END_TEST

/* Two operations in each lane of the matrix tile's accumulators. */
START_TEST(arithmetic_is_counted) {
    for (enum simd_isa isa = SIMD_ISA_SCALAR; isa < SIMD_ISA_COUNT; isa++) {
        const struct simd_kernels *kernels = simd_table(isa);
        if (kernels == NULL) continue;
        double lanes = (double)(kernels->gemm_rows * kernels->gemm_columns);
        ck_assert_double_eq(roof_run_fma(kernels, 2, 10), 2 * lanes * 10 * 2);
    }
}
END_TEST

START_TEST(roof_is_measured) {
    struct machine_roof roof;
    mneme_error error;
    assert_ok(roof_measure(&roof, &error), &error);
    ck_assert_uint_eq(roof.threads, (size_t)omp_get_max_threads());
    const double limits[] = {roof.gflops, roof.read_gb_per_second, roof.write_gb_per_second,
                             roof.update_gb_per_second, roof.rows_gb_per_second};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        ck_assert_double_gt(limits[i], 1e-3);
        ck_assert_double_lt(limits[i], 1e6);
    }
}
END_TEST

Suite *roof_suite(void);
Suite *roof_suite(void) {
    Suite *suite = suite_create("roof");
    TCase *tests = tcase_create("roof");
    tcase_add_test(tests, passes_reach_every_row);
    tcase_add_test(tests, arithmetic_is_counted);
    tcase_add_test(tests, roof_is_measured);
    suite_add_tcase(suite, tests);
    return suite;
}
