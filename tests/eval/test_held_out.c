/* The NLL of held-out text is that of its documents' windows, one by one. */

#include <check.h>
#include <stdlib.h>

#include "eval/held_out.h"
#include "eval/rolling_windows.h"
#include "model/tiny_model.h"
#include "tests/assertions.h"

#define WINDOW 5

/* Documents of 13, 0, 2 and 5 tokens between ends, 0; where the start is a token of its own, 1, it
 * stands before each. */
static size_t write_text(int32_t *tokens, size_t vocab, bool own_start) {
    static const size_t lengths[] = {13, 0, 2, 5};
    size_t n = 0;
    for (size_t d = 0; d < 4; d++) {
        if (d == 0 || own_start) tokens[n++] = own_start ? 1 : 0;
        for (size_t i = 0; i < lengths[d]; i++) {
            tokens[n] = 2 + (int32_t)((n * 7) % (vocab - 2));
            n++;
        }
        tokens[n++] = 0;
    }
    return n;
}

/* By the windows of rolling_windows.h, each read alone; at most `most` tokens. */
static double expected(const struct model *model, const struct packed_text *text, size_t most) {
    struct span_reader reader;
    mneme_error error = {0};
    double sum = 0.0;
    size_t at = 0, n, n_scored = 0;
    assert_ok(span_reader_open(&reader, model, WINDOW + 1, &error), &error);
    while (n_scored < most && packed_text_document(text, &at, &n)) {
        struct rolling_windows windows;
        const size_t left = most - n_scored;
        assert_ok(rolling_windows_open(&windows, text->tokens[at - 1], text->tokens + at,
                                       n < left ? n : left, WINDOW, WINDOW, &error),
                  &error);
        for (size_t i = 0; i < windows.n; i++) {
            double nll;
            assert_ok(
                span_likelihoods(&reader, 1, &windows.spans[i], &nll, NULL, NULL, NULL, &error),
                &error);
            sum += nll;
            n_scored += windows.spans[i].n_scored;
        }
        rolling_windows_close(&windows);
        at += n;
    }
    span_reader_close(&reader);
    return sum / (double)n_scored;
}

START_TEST(same_as_its_windows) {
    const struct model_config config = tiny_model_config();
    struct tiny_model tiny;
    mneme_error error = {0};
    tiny_model_open(&tiny, &config);
    for (int own_start = 0; own_start < 2; own_start++) {
        int32_t tokens[64];
        struct packed_text text = {.tokens = tokens, .sequence_length = WINDOW};
        text.n_tokens = write_text(tokens, config.vocab_size, own_start != 0);
        for (size_t most = 0; most <= 20; most += 4) {
            const struct held_out held_out = {.text = &text, .max_tokens = most};
            double nll;
            assert_ok(held_out_nll(&held_out, &tiny.model, &nll, &error), &error);
            ck_assert_double_eq(nll, expected(&tiny.model, &text, most == 0 ? 20 : most));
        }
    }
    tiny_model_close(&tiny);
}
END_TEST

START_TEST(text_without_tokens_is_refused) {
    const struct model_config config = tiny_model_config();
    const int32_t tokens[] = {0, 0};
    const struct packed_text text = {.tokens = tokens, .n_tokens = 2, .sequence_length = WINDOW};
    const struct held_out held_out = {.text = &text};
    struct tiny_model tiny;
    mneme_error error = {0};
    double nll;
    tiny_model_open(&tiny, &config);
    assert_refused(held_out_nll(&held_out, &tiny.model, &nll, &error), &error, MNEME_BAD_INPUT,
                   "held-out text", "no token");
    tiny_model_close(&tiny);
}
END_TEST

Suite *held_out_suite(void) {
    Suite *suite = suite_create("held_out");
    TCase *tests = tcase_create("held_out");
    tcase_add_test(tests, same_as_its_windows);
    tcase_add_test(tests, text_without_tokens_is_refused);
    suite_add_tcase(suite, tests);
    return suite;
}
