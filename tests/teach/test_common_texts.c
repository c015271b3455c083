/* The common questions as texts: alone, and after others. */

#include <string.h>
#include <strings.h>

#include "data/questions.h"
#include "lesson/common_questions.h"
#include "lesson/common_texts.h"
#include "tests/assertions.h"
#include "tests/temporary.h"

/* A tokenizer of some text, and how it is taught. */
static void open_voice(struct voice *voice) {
    static const char *const text[] = {"Question: Who is it? Answer: it is he, who was here."};
    mneme_error error = {0};
    *voice = (struct voice){.manner = {.end = TOKEN_NONE, .max_inputs = 4096}};
    assert_ok(tokenizer_train(text, 1, 270, &voice->tokenizer, &error), &error);
    assert_ok(asking_read("Question: {question}\nAnswer:", "--prompt", &voice->asking, &error),
              &error);
    assert_ok(wordings_load(NULL, &voice->wordings, &error), &error);
}

static void close_voice(struct voice *voice) {
    tokenizer_free(voice->tokenizer);
    asking_free(&voice->asking);
    wordings_free(&voice->wordings);
}

/* Text i, as the tokenizer has it. */
static char *text_of(const struct voice *voice, const struct token_texts *texts, size_t i) {
    char *text;
    mneme_error error = {0};
    assert_ok(tokenizer_decode(voice->tokenizer, texts->tokens.ids + texts->starts[i],
                               texts->lengths[i] + 1, &text, NULL, &error),
              &error);
    return text;
}

/* How often `part` is in `text`. */
static size_t count(const char *text, const char *part) {
    size_t n = 0;
    for (; (text = strstr(text, part)) != NULL; text++) n++;
    return n;
}

START_TEST(groups) {
    struct question_set set;
    struct common_texts common;
    struct voice voice;
    mneme_error error = {0};
    open_voice(&voice);
    assert_ok(common_questions_load(&set, &error), &error);
    assert_ok(common_texts_open(&common, &voice, &set, 1, &error), &error);
    ck_assert_uint_eq(common.n_groups, (set.n + 3) / 4);
    ck_assert_uint_eq(common.starts[common.n_groups], common.texts.n);
    for (size_t g = 0, longest = 0; g < common.n_groups; g++) {
        const size_t n = g + 1 < common.n_groups ? 4 : set.n - 4 * g;
        size_t tokens = 0;
        ck_assert_uint_eq(common.starts[g + 1] - common.starts[g], 1 + 2 * n);
        char *chain = text_of(&voice, &common.texts, common.starts[g]);
        ck_assert_uint_eq(count(chain, "Question: "), n);
        for (size_t i = 0; i < n; i++) {
            const struct question *question = &set.questions[4 * g + i];
            char *alone = text_of(&voice, &common.texts, common.starts[g] + 1 + 2 * i);
            ck_assert_ptr_nonnull(strstr(chain, question->question));
            ck_assert_ptr_nonnull(strstr(alone, question->question));
            ck_assert_ptr_nonnull(strstr(alone, question->answers.texts[0]));
            ck_assert_uint_eq(count(alone, "Question: "), 1);
            free(alone);
        }
        for (size_t t = common.starts[g]; t < common.starts[g + 1]; t++) {
            tokens += common.texts.lengths[t];
        }
        longest = tokens > longest ? tokens : longest;
        ck_assert_uint_le(longest, common_texts_longest(&common));
        free(chain);
    }
    common_texts_close(&common);
    questions_free(&set);
    close_voice(&voice);
}
END_TEST

/* What is protected is measured by other questions. */
START_TEST(none_is_measured) {
    struct question_set set, measured;
    mneme_error error = {0};
    assert_ok(common_questions_load(&set, &error), &error);
    assert_ok(questions_load("data/questions/general.jsonl", &measured, &error), &error);
    ck_assert_uint_gt(set.n, 500);
    for (size_t i = 0; i < set.n; i++) {
        ck_assert_uint_gt(set.questions[i].answers.n, 0);
        for (size_t j = 0; j < measured.n; j++) {
            ck_assert_int_ne(strcasecmp(set.questions[i].question, measured.questions[j].question),
                             0);
        }
        for (size_t j = 0; j < i; j++) {
            ck_assert_str_ne(set.questions[i].question, set.questions[j].question);
        }
    }
    questions_free(&set);
    questions_free(&measured);
}
END_TEST

Suite *common_texts_suite(void) {
    Suite *suite = suite_create("common_texts");
    TCase *tests = tcase_create("tests");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, groups);
    tcase_add_test(tests, none_is_measured);
    suite_add_tcase(suite, tests);
    return suite;
}
