/* Attention over sequences of several blocks of queries, against its formula in double, and in
 * parts against itself. */

#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "base/random.h"
#include "nn/attention.h"
#include "tests/assertions.h"

#define HEADS 4
#define KV_HEADS 2
#define DIM 6
#define LONGEST 700
#define TOKENS (3 + LONGEST + 300)

static const struct attention_shape shape = {
    .heads = HEADS, .kv_heads = KV_HEADS, .head_dim = DIM, .max_positions = LONGEST};
static const size_t starts[] = {0, 3, 3 + LONGEST, TOKENS};
#define SEQUENCES (sizeof starts / sizeof *starts - 1)

static float q[TOKENS][HEADS][DIM], k[TOKENS][KV_HEADS][DIM], v[TOKENS][KV_HEADS][DIM];
static float out[TOKENS][HEADS][DIM], dout[TOKENS][HEADS][DIM];
static float dq[TOKENS][HEADS][DIM], dk[TOKENS][KV_HEADS][DIM], dv[TOKENS][KV_HEADS][DIM];
/* The same in double. */
static double true_out[TOKENS][HEADS][DIM], true_dq[TOKENS][HEADS][DIM];
static double true_dk[TOKENS][KV_HEADS][DIM], true_dv[TOKENS][KV_HEADS][DIM];

static void fill(float *x, size_t n, uint64_t stream) {
    for (size_t i = 0; i < n; i++) x[i] = 2.0f * random_uniform(7, stream, i) - 1.0f;
}

static double dot(const float *a, const float *b) {
    double sum = 0.0;
    for (size_t d = 0; d < DIM; d++) sum += (double)a[d] * (double)b[d];
    return sum;
}

/* Query i of head h, whose sequence starts at `start`. */
static void true_row(size_t start, size_t i, size_t h) {
    static double p[LONGEST], dp[LONGEST];
    size_t kv = h / (HEADS / KV_HEADS);
    double sum = 0.0, mean = 0.0;
    for (size_t j = start; j <= i; j++) {
        sum += p[j - start] = exp(dot(q[i][h], k[j][kv]) / sqrt((double)DIM));
        dp[j - start] = dot(dout[i][h], v[j][kv]);
    }
    for (size_t j = start; j <= i; j++) {
        p[j - start] /= sum;
        mean += p[j - start] * dp[j - start];
    }
    for (size_t j = start; j <= i; j++) {
        double ds = p[j - start] * (dp[j - start] - mean) / sqrt((double)DIM);
        for (size_t d = 0; d < DIM; d++) {
            true_out[i][h][d] += p[j - start] * (double)v[j][kv][d];
            true_dv[j][kv][d] += p[j - start] * (double)dout[i][h][d];
            true_dq[i][h][d] += ds * (double)k[j][kv][d];
            true_dk[j][kv][d] += ds * (double)q[i][h][d];
        }
    }
}

static void near(const char *what, size_t n, const float *x, const double *truth) {
    for (size_t i = 0; i < n; i++) {
        ck_assert_msg(fabs((double)x[i] - truth[i]) < 2e-6 * (1.0 + fabs(truth[i])),
                      "%s[%zu]: %g instead of %g", what, i, (double)x[i], truth[i]);
    }
}

static void fill_all(void) {
    fill(&q[0][0][0], sizeof q / sizeof(float), 1);
    fill(&k[0][0][0], sizeof k / sizeof(float), 2);
    fill(&v[0][0][0], sizeof v / sizeof(float), 3);
    fill(&dout[0][0][0], sizeof dout / sizeof(float), 4);
}

START_TEST(formula) {
    struct attention_scratch scratch;
    mneme_error error = {0};
    fill_all();
    for (size_t s = 0; s < SEQUENCES; s++) {
        for (size_t i = starts[s]; i < starts[s + 1]; i++) {
            for (size_t h = 0; h < HEADS; h++) true_row(starts[s], i, h);
        }
    }
    assert_ok(attention_scratch_open(&scratch, &shape, &error), &error);
    attention_forward(&scratch, &shape, SEQUENCES, starts, &q[0][0][0], &k[0][0][0], &v[0][0][0],
                      &out[0][0][0]);
    attention_backward(&scratch, &shape, SEQUENCES, starts, &q[0][0][0], &k[0][0][0], &v[0][0][0],
                       &dout[0][0][0], &dq[0][0][0], &dk[0][0][0], &dv[0][0][0]);
    attention_scratch_close(&scratch);
    near("out", sizeof out / sizeof(float), &out[0][0][0], &true_out[0][0][0]);
    near("dq", sizeof dq / sizeof(float), &dq[0][0][0], &true_dq[0][0][0]);
    near("dk", sizeof dk / sizeof(float), &dk[0][0][0], &true_dk[0][0][0]);
    near("dv", sizeof dv / sizeof(float), &dv[0][0][0], &true_dv[0][0][0]);
}
END_TEST

/* The long sequence alone: its block's rows lie elsewhere in the scratch, its bits are the same. */
START_TEST(alone) {
    static float alone_dk[LONGEST][KV_HEADS][DIM], alone_dq[LONGEST][HEADS][DIM];
    static float alone_dv[LONGEST][KV_HEADS][DIM];
    struct attention_scratch scratch;
    struct attention_shape larger = shape;
    mneme_error error = {0};
    const size_t own[] = {0, LONGEST}, at = starts[1];
    larger.max_positions = 5000;
    fill_all();
    assert_ok(attention_scratch_open(&scratch, &larger, &error), &error);
    attention_backward(&scratch, &shape, SEQUENCES, starts, &q[0][0][0], &k[0][0][0], &v[0][0][0],
                       &dout[0][0][0], &dq[0][0][0], &dk[0][0][0], &dv[0][0][0]);
    attention_backward(&scratch, &larger, 1, own, &q[at][0][0], &k[at][0][0], &v[at][0][0],
                       &dout[at][0][0], &alone_dq[0][0][0], &alone_dk[0][0][0], &alone_dv[0][0][0]);
    attention_scratch_close(&scratch);
    ck_assert_mem_eq(alone_dq, &dq[at], sizeof alone_dq);
    ck_assert_mem_eq(alone_dk, &dk[at], sizeof alone_dk);
    ck_assert_mem_eq(alone_dv, &dv[at], sizeof alone_dv);
}
END_TEST

Suite *attention_suite(void) {
    Suite *suite = suite_create("attention");
    TCase *tests = tcase_create("blocks");
    tcase_add_test(tests, formula);
    tcase_add_test(tests, alone);
    suite_add_tcase(suite, tests);
    return suite;
}
