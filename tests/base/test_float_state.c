/* A host program that rounds upward and flushes subnormals gets the same bits, and its own state
 * back. */

#include <check.h>
#include <fenv.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include <mneme/digest.h>
#include <mneme/run.h>

#include "temporary.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define FLUSH 0x8040u /* FTZ and DAZ in MXCSR */
static void flush_subnormals(void) {
    _mm_setcsr(_mm_getcsr() | FLUSH);
}
static int flushes_subnormals(void) {
    return (_mm_getcsr() & FLUSH) == FLUSH;
}
#else
static void flush_subnormals(void) {
}
static int flushes_subnormals(void) {
    return 1;
}
#endif

static void digest_run(const char *folder, char sha256[65]) {
    static const char *const overrides[] = {"pretrain.steps=12", "finetune.lora=null",
                                            "finetune.full=null"};
    mneme_run_options options = {.recipe = "data/recipes/nano.json",
                                 .overrides = overrides,
                                 .n_overrides = 3,
                                 .directory = folder};
    mneme_error error = {0};
    mneme_digest digest;
    char *table, path[600];
    assert_ok(mneme_run(&options, &table, &error), &error);
    free(table);
    snprintf(path, sizeof path, "%s/base", folder);
    assert_ok(mneme_digest_path(path, &digest, &error), &error);
    memcpy(sha256, digest.sha256, 65);
    mneme_digest_free(&digest);
}

START_TEST(hostile_host) {
    char plain[65], hostile[65];
    digest_run(temporary_path("plain"), plain);
#pragma omp parallel
    {
        fesetround(FE_UPWARD);
        flush_subnormals();
    }
    digest_run(temporary_path("hostile"), hostile);
    int kept = 0;
#pragma omp parallel reduction(+ : kept)
    kept += fegetround() == FE_UPWARD && flushes_subnormals();
    ck_assert_int_eq(kept, omp_get_max_threads());
    fesetenv(FE_DFL_ENV);
    ck_assert_str_eq(plain, hostile);
}
END_TEST

Suite *float_state_suite(void) {
    Suite *suite = suite_create("float_state");
    TCase *tests = tcase_create("host");
    tcase_add_checked_fixture(tests, temporary_make, temporary_remove);
    tcase_add_test(tests, hostile_host);
    suite_add_tcase(suite, tests);
    return suite;
}
