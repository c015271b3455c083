/* Pinned threads: each on one CPU, no two on the same, for good. */

#include <check.h>
#include <omp.h>
#include <sched.h>
#include <string.h>

#include "base/pin.h"
#include "tests/assertions.h"

/* How many CPUs the process may use. */
static int allowed_cpus(cpu_set_t *set) {
    CPU_ZERO(set);
    ck_assert_int_eq(sched_getaffinity(0, sizeof *set, set), 0);
    return CPU_COUNT(set);
}

static void check_team(int threads) {
    cpu_set_t all;
    int wrong = 0;
    CPU_ZERO(&all);
#pragma omp parallel num_threads(threads) reduction(| : wrong)
    {
        cpu_set_t own;
        CPU_ZERO(&own);
        wrong |= sched_getaffinity(0, sizeof own, &own) != 0 || CPU_COUNT(&own) != 1;
#pragma omp critical
        CPU_OR(&all, &all, &own);
    }
    ck_assert_int_eq(wrong, 0);
    ck_assert_int_eq(CPU_COUNT(&all), threads);
}

START_TEST(a_cpu_for_each_thread) {
    cpu_set_t allowed;
    mneme_error error = {0};
    int threads = allowed_cpus(&allowed), n = 0;
    if (threads > 4) threads = 4;
    omp_set_num_threads(threads);
    ck_assert_str_eq(pin_list(), "");
    assert_ok(pin_threads(&error), &error);
    check_team(threads);
    /* A loop that is not worth a team does not lose the team's threads. */
#pragma omp parallel for if (threads < 0)
    for (int i = 0; i < 10; i++) n += i;
    ck_assert_int_eq(n, 45);
    check_team(threads);
    ck_assert_uint_gt(strlen(pin_list()), 0);
}
END_TEST

START_TEST(too_few_cpus) {
    cpu_set_t allowed;
    mneme_error error = {0};
    omp_set_num_threads(allowed_cpus(&allowed) + 1);
    ck_assert_int_eq(pin_threads(&error), MNEME_BAD_INPUT);
    ck_assert_ptr_nonnull(strstr(error.message, "OMP_NUM_THREADS"));
    ck_assert_str_eq(pin_list(), "");
}
END_TEST

Suite *pin_suite(void) {
    Suite *suite = suite_create("pin");
    TCase *tests = tcase_create("affinity");
    tcase_add_test(tests, a_cpu_for_each_thread);
    tcase_add_test(tests, too_few_cpus);
    suite_add_tcase(suite, tests);
    return suite;
}
