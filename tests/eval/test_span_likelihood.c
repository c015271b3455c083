#include "eval/span_likelihood.h"

#include <check.h>
#include <stdlib.h>

#include "base/random.h"
#include "eval/rolling_windows.h"
#include "eval/shared_likelihood.h"
#include "exam/branch_likelihood.h"
#include "model/tiny_model.h"
#include "tests/assertions.h"

#define N_TOKENS 300

static int32_t tokens[N_TOKENS];

static void draw_tokens(size_t vocab_size) {
    for (size_t i = 0; i < N_TOKENS; i++) {
        tokens[i] = (int32_t)random_below(5, 0, i, (uint32_t)vocab_size);
    }
}

/* The losses of one span, by a whole pass and model_loss. */
static double whole_pass(struct tiny_model *tiny, const struct scored_span *span, bool *greedy) {
    mneme_error error;
    double sum = 0.0;
    size_t vocab = tiny->model.config.vocab_size;
    batch_builder_clear(&tiny->builder);
    ck_assert(batch_builder_add(&tiny->builder, span->n - 1, span->tokens, span->tokens + 1, 0));
    struct batch batch = batch_builder_whole(&tiny->builder);
    assert_ok(model_forward(&tiny->pass, &batch, NULL, &error), &error);
    model_loss(&tiny->pass, &batch, 0.0f, NULL);
    *greedy = true;
    for (size_t t = span->n - 1 - span->n_scored; t < span->n - 1; t++) {
        const float *logits = tiny->pass.activations.logits + t * vocab;
        sum += (double)tiny->pass.activations.losses[t];
        for (size_t i = 0; i < vocab; i++) {
            if (logits[i] > logits[span->tokens[t + 1]]) *greedy = false;
        }
    }
    return sum;
}

START_TEST(a_span_alone_and_among_many) {
    struct model_config config = tiny_model_config();
    struct tiny_model tiny;
    struct span_reader reader;
    struct scored_span spans[200];
    double nll[200];
    bool greedy[200];
    size_t n_greedy = 0;
    mneme_error error;
    tiny_model_open(&tiny, &config);
    draw_tokens(config.vocab_size);
    for (size_t i = 0; i < 200; i++) {
        size_t n = 2 + i % 39;
        spans[i] = (struct scored_span){tokens + i, n, i % 3 == 0 ? 1 : 1 + i % (n - 1)};
    }
    assert_ok(span_reader_open(&reader, &tiny.model, 40, &error), &error);
    assert_ok(span_likelihoods(&reader, 200, spans, nll, greedy, NULL, NULL, &error), &error);
    for (size_t i = 0; i < 200; i++) {
        bool is_greedy;
        ck_assert(nll[i] == whole_pass(&tiny, &spans[i], &is_greedy));
        ck_assert(greedy[i] == is_greedy);
        n_greedy += is_greedy;
    }
    ck_assert_uint_gt(n_greedy, 0);
    span_reader_close(&reader);
    tiny_model_close(&tiny);
}
END_TEST

/* Stems with one to four branches, of one token and more, more stems than stand side by side. */
START_TEST(branches_score_as_spans) {
    struct model_config config = tiny_model_config();
    struct tiny_model tiny;
    struct span_reader reader;
    static int32_t texts[240][40];
    struct scored_span spans[240];
    double nll[240], branched[240];
    size_t n = 0;
    mneme_error error;
    tiny_model_open(&tiny, &config);
    draw_tokens(config.vocab_size);
    for (size_t stem = 0; n + 4 < 240; stem++) {
        for (size_t k = 0; k < 1 + stem % 4; k++, n++) {
            size_t length = 1 + stem % 23, n_scored = 1 + (stem + 5 * k) % 16;
            memcpy(texts[n], tokens + stem, length * sizeof *tokens);
            memcpy(texts[n] + length, tokens + 7 * k + stem % 50, n_scored * sizeof *tokens);
            spans[n] = (struct scored_span){texts[n], length + n_scored, n_scored};
        }
    }
    assert_ok(span_reader_open(&reader, &tiny.model, 40, &error), &error);
    assert_ok(span_likelihoods(&reader, n, spans, nll, NULL, NULL, NULL, &error), &error);
    assert_ok(branch_likelihoods(&tiny.model, n, spans, branched, NULL, NULL, &error), &error);
    ck_assert_mem_eq(nll, branched, n * sizeof *nll);
    span_reader_close(&reader);
    tiny_model_close(&tiny);
}
END_TEST

/* Questions after two examples, of which the first few have others since none shows itself, with
 * answers of different lengths; spans that are wholly alike, one that is short, and long ones. */
START_TEST(spans_that_begin_alike_score_as_spans) {
    struct model_config config = tiny_model_config();
    struct tiny_model tiny;
    struct span_reader reader;
    static int32_t texts[150][80];
    struct scored_span spans[150];
    double nll[150], shared[150];
    mneme_error error;
    config.max_seq_len = 100;
    tiny_model_open(&tiny, &config);
    draw_tokens(config.vocab_size);
    for (size_t i = 0; i < 150; i++) {
        size_t n = 0;
        for (size_t shot = 0, shown = 0; shown < 2; shot++) {
            if (shot == i) continue;
            memcpy(texts[i] + n, tokens + 20 * shot, 20 * sizeof *tokens);
            n += 20;
            shown++;
        }
        if (i == 70) n = 1;
        size_t rest = 2 + (i == 90 ? 0 : i % 31), n_scored = 1 + i % rest;
        memcpy(texts[i] + n, tokens + 60 + i % 40, rest * sizeof *tokens);
        spans[i] = (struct scored_span){texts[i], n + rest, n_scored};
        if (i > 100 && i < 110) spans[i] = spans[100];
    }
    assert_ok(span_reader_open(&reader, &tiny.model, 80, &error), &error);
    assert_ok(span_likelihoods(&reader, 150, spans, nll, NULL, NULL, NULL, &error), &error);
    assert_ok(shared_likelihoods(&tiny.model, 150, spans, shared, NULL, NULL, &error), &error);
    ck_assert_mem_eq(nll, shared, sizeof nll);
    span_reader_close(&reader);
    tiny_model_close(&tiny);
}
END_TEST

static void check_window(const struct scored_span *span, size_t n, size_t n_scored,
                         size_t last_scored) {
    ck_assert_uint_eq(span->n, n);
    ck_assert_uint_eq(span->n_scored, n_scored);
    ck_assert_int_eq(span->tokens[span->n - 1], (int)last_scored);
}

/* Of lm-evaluation-harness 0.4.9: get_rolling_token_windows(list(range(25)), 99, 10, c) for the
 * strides 10 and 4, that is c = 1 and 7. */
START_TEST(windows_are_those_of_the_harness) {
    struct rolling_windows windows;
    int32_t text[25];
    mneme_error error;
    for (int32_t i = 0; i < 25; i++) text[i] = i;
    assert_ok(rolling_windows_open(&windows, 99, text, 25, 10, 10, &error), &error);
    ck_assert_uint_eq(windows.n, 3);
    ck_assert_int_eq(windows.spans[0].tokens[0], 99);
    check_window(&windows.spans[0], 11, 10, 9);
    check_window(&windows.spans[1], 11, 10, 19);
    check_window(&windows.spans[2], 11, 5, 24);
    rolling_windows_close(&windows);
    assert_ok(rolling_windows_open(&windows, 99, text, 25, 10, 4, &error), &error);
    ck_assert_uint_eq(windows.n, 5);
    check_window(&windows.spans[1], 11, 4, 13);
    ck_assert_int_eq(windows.spans[1].tokens[0], 3);
    check_window(&windows.spans[4], 11, 3, 24);
    rolling_windows_close(&windows);
    assert_ok(rolling_windows_open(&windows, 99, text, 3, 10, 10, &error), &error);
    ck_assert_uint_eq(windows.n, 1);
    check_window(&windows.spans[0], 4, 3, 2);
    rolling_windows_close(&windows);
}
END_TEST

Suite *span_likelihood_suite(void);
Suite *span_likelihood_suite(void) {
    Suite *suite = suite_create("span_likelihood");
    TCase *tests = tcase_create("spans");
    tcase_add_test(tests, a_span_alone_and_among_many);
    tcase_add_test(tests, branches_score_as_spans);
    tcase_add_test(tests, spans_that_begin_alike_score_as_spans);
    tcase_add_test(tests, windows_are_those_of_the_harness);
    suite_add_tcase(suite, tests);
    return suite;
}
