/* mneme_eval on a small random model, held against what lm-evaluation-harness, transformers and
 * SQuAD's rules make of the same files (tests/eval/write_tiny.py). */

#include <mneme/eval.h>

#include <math.h>
#include <stdlib.h>

#include "base/json_read.h"
#include "tests/assertions.h"
#include "tests/interchange/imports.h"

#define TINY "tests/eval/tiny"

static json_t *expected;

static void set_up(void) {
    mneme_error error = {0};
    temporary_make();
    assert_ok(json_read_file(TINY "/expected.json", JSON_MAX_BYTES, &expected, &error), &error);
    import("hf", TINY, temporary_path("tiny"));
}

static void tear_down(void) {
    json_decref(expected);
    temporary_remove();
}

static void check(const char *what, const char *key, double value) {
    const json_t *wanted = json_object_get(json_object_get(expected, what), key);
    ck_assert_msg(json_is_number(wanted), "%s has no %s", what, key);
    double number = json_number_value(wanted);
    ck_assert_msg(fabs(value - number) <= 2e-6 * fabs(number), "%s: %s is %.17g, not %.17g", what,
                  key, value, number);
}

/* Files of each kind, at most two, in the test's folder; the caller frees the results. */
static mneme_eval_results evaluate(const mneme_eval_options *options) {
    mneme_eval_options with_model = *options;
    mneme_eval_results results;
    mneme_error error = {0};
    with_model.model = temporary_path("tiny");
    assert_ok(mneme_eval(&with_model, &results, &error), &error);
    return results;
}

static void check_questions(const char *what, size_t shots) {
    const char *const files[] = {TINY "/questions.jsonl"};
    mneme_eval_results results = evaluate(&(mneme_eval_options){
        .questions = files, .n_questions = 1, .shots = shots, .max_new_tokens = 8});
    ck_assert_uint_eq(results.n_questions, 1);
    const mneme_eval_questions *r = results.questions;
    check(what, "n", (double)r->n);
    check(what, "f1", r->f1);
    check(what, "exact_match", r->exact_match);
    check(what, "nll", r->nll);
    check(what, "answer_nll", r->answer_nll);
    ck_assert_uint_eq(r->n_shortened, shots == 0 ? 1 : 3);
    mneme_eval_results_free(&results);
}

START_TEST(questions_score_as_with_transformers) {
    check_questions("questions", 0);
    check_questions("questions with a shot", 1);
}
END_TEST

static void check_choices(const char *what, const mneme_eval_choices *r, size_t n_shortened) {
    check(what, "n", (double)r->n);
    check(what, "acc", r->acc);
    check(what, "acc_norm", r->acc_norm);
    check(what, "acc_norm_bytes", r->acc_norm_bytes);
    check(what, "acc_norm_tokens", r->acc_norm_tokens);
    ck_assert_uint_eq(r->n_shortened, n_shortened);
}

START_TEST(choices_score_as_in_the_harness) {
    const char *const files[] = {TINY "/arc.jsonl", TINY "/hellaswag.jsonl"};
    mneme_eval_results results = evaluate(&(mneme_eval_options){.choices = files, .n_choices = 2});
    ck_assert_uint_eq(results.n_choices, 2);
    check_choices("arc", &results.choices[0], 1);
    check_choices("hellaswag", &results.choices[1], 0);
    mneme_eval_results_free(&results);
}
END_TEST

static void check_text(const char *what, size_t window, size_t stride) {
    const char *const files[] = {TINY "/text.txt"};
    mneme_eval_results results = evaluate(
        &(mneme_eval_options){.texts = files, .n_texts = 1, .window = window, .stride = stride});
    ck_assert_uint_eq(results.n_texts, 1);
    const mneme_eval_text *r = results.texts;
    check(what, "perplexity", r->perplexity);
    if (stride == 0) {
        check(what, "tokens", (double)r->n_tokens);
        check(what, "words", (double)r->n_words);
        check(what, "bytes", (double)r->n_bytes);
        check(what, "bits_per_byte", r->bits_per_byte);
        check(what, "byte_perplexity", r->byte_perplexity);
        double nats = log(
            json_number_value(json_object_get(json_object_get(expected, what), "word_perplexity")));
        ck_assert(fabs(log(r->word_perplexity) - nats) <= 1e-6 * nats);
    }
    mneme_eval_results_free(&results);
}

START_TEST(texts_score_as_in_the_harness) {
    check_text("text", 0, 0);
    check_text("text in windows of 50", 50, 0);
}
END_TEST

START_TEST(texts_with_a_stride_score_as_in_the_guide) {
    check_text("text with a stride of 20", 50, 20);
    check_text("text with a stride of 50", 50, 50);
}
END_TEST

Suite *eval_suite(void);
Suite *eval_suite(void) {
    Suite *suite = suite_create("eval");
    TCase *tests = tcase_create("scores");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, questions_score_as_with_transformers);
    tcase_add_test(tests, choices_score_as_in_the_harness);
    tcase_add_test(tests, texts_score_as_in_the_harness);
    tcase_add_test(tests, texts_with_a_stride_score_as_in_the_guide);
    suite_add_tcase(suite, tests);
    return suite;
}
