#include "tokenizer/tokenizer.h"

#include <locale.h>
#include <stdbool.h>

#include "base/random.h"
#include "tests/temporary.h"

static struct tokenizer *train(const char *const *texts, size_t n_texts, size_t vocab_size) {
    struct tokenizer *tokenizer;
    mneme_error error;
    mneme_status status = tokenizer_train(texts, n_texts, vocab_size, &tokenizer, &error);
    ck_assert_msg(status == MNEME_OK, "%s", error.message);
    return tokenizer;
}

static struct token_list encode(struct tokenizer *tokenizer, const char *text, size_t length) {
    struct token_list list = {0};
    mneme_error error;
    mneme_status status = tokenizer_encode(tokenizer, text, length, &list, &error);
    ck_assert_msg(status == MNEME_OK, "%s", error.message);
    return list;
}

/* The bytes of one token; the caller frees them. */
static char *token_bytes(const struct tokenizer *tokenizer, int32_t id) {
    char *bytes;
    mneme_error error;
    assert_ok(tokenizer_decode(tokenizer, &id, 1, &bytes, NULL, &error), &error);
    return bytes;
}

static void check_round_trip(struct tokenizer *tokenizer, const char *text, size_t length) {
    struct token_list list = encode(tokenizer, text, length);
    char *decoded;
    size_t decoded_length;
    mneme_error error;
    assert_ok(tokenizer_decode(tokenizer, list.ids, list.n, &decoded, &decoded_length, &error),
              &error);
    ck_assert_uint_eq(decoded_length, length);
    ck_assert_int_eq(memcmp(decoded, text, length), 0);
    ck_assert_int_eq(decoded[length], '\0');
    free(decoded);
    token_list_free(&list);
}

/* The text's tokens, each followed by '|'. */
static void check_tokens(struct tokenizer *tokenizer, const char *text, const char *expected) {
    struct token_list list = encode(tokenizer, text, strlen(text));
    char joined[1000] = "";
    for (size_t i = 0; i < list.n; i++) {
        char *bytes = token_bytes(tokenizer, list.ids[i]);
        strcat(strcat(joined, bytes), "|");
        free(bytes);
    }
    ck_assert_str_eq(joined, expected);
    token_list_free(&list);
}

static const char *const small_texts[] = {
    "low lower lowest, newer newest wider widest", "the lowest of the low; the newest of the new",
    "it's 17 + 25 = 42 and 1 + 1 = 2", "caf\xc3\xa9 na\xc3\xafve caf\xc3\xa9"};

#define N_SMALL (sizeof small_texts / sizeof *small_texts)

START_TEST(first_ids_are_fixed) {
    struct tokenizer *tokenizer = train(NULL, 0, 1000);
    ck_assert_uint_eq(tokenizer_vocab_size(tokenizer), 257);
    ck_assert_int_eq(tokenizer_end_of_text(tokenizer), 0);
    struct token_list list = encode(tokenizer, "A\xff", 2);
    ck_assert_uint_eq(list.n, 2);
    ck_assert_int_eq(list.ids[0], 1 + 'A');
    ck_assert_int_eq(list.ids[1], 1 + 0xff);
    token_list_free(&list);
    tokenizer_free(tokenizer);
}
END_TEST

/* "aaab" thrice: aa and ab occur 6 and 3 times; then (aa, ab) with 3, after which nothing pairs. */
START_TEST(merges_follow_counts) {
    static const char *const texts[] = {"aaab aaab", "aaab"};
    struct tokenizer *tokenizer = train(texts, 2, 1000);
    static const char *const expected[] = {"aa", "ab", "aaab", " aaab"};
    /* " aaab" occurs once only, so it is no token. */
    ck_assert_uint_eq(tokenizer_vocab_size(tokenizer), 260);
    for (int32_t i = 0; i < 3; i++) {
        char *bytes = token_bytes(tokenizer, 257 + i);
        ck_assert_str_eq(bytes, expected[i]);
        free(bytes);
    }
    tokenizer_free(tokenizer);
}
END_TEST

START_TEST(splits_as_gpt2_with_single_digits) {
    struct tokenizer *tokenizer = train(small_texts, N_SMALL, 400);
    check_tokens(tokenizer, "the lowest", "the| lowest|");
    check_tokens(tokenizer, "caf\xc3\xa9", "caf\xc3\xa9|");
    check_tokens(tokenizer, "low<|end_of_text|> low", "lo|w|<|end_of_text|>| lo|w|");
    tokenizer_free(tokenizer);
    static const char *const texts[] = {"it's it's it's 17 17 17\n\nwow!? wow!?   wow"};
    tokenizer = train(texts, 1, 400);
    check_tokens(tokenizer, "it's", "it|'s|");
    check_tokens(tokenizer, "17 17", "1|7| |1|7|");
    check_tokens(tokenizer, "wow!?   wow", "wow|!?| | | wow|");
    /* U+180E is no space, so the "'s" behind it belongs to its piece. */
    check_tokens(tokenizer, "\xe1\xa0\x8e's", "\xe1|\xa0|\x8e|'|s|");
    tokenizer_free(tokenizer);
}
END_TEST

/* Checked against the Python package `tokenizers` from the saved file. */
START_TEST(golden_ids) {
    struct tokenizer *tokenizer = train(small_texts, N_SMALL, 300);
    static const int32_t expected[] = {264, 262, 281, 33, 280, 59, 33,
                                       50,  56,  267, 33, 51,  54, 276};
    static const char text[] = "the newer caf\xc3\xa9: 17 + 25 wide";
    struct token_list list = encode(tokenizer, text, strlen(text));
    ck_assert_uint_eq(list.n, sizeof expected / sizeof *expected);
    ck_assert_mem_eq(list.ids, expected, sizeof expected);
    token_list_free(&list);
    tokenizer_free(tokenizer);
}
END_TEST

START_TEST(any_bytes_round_trip) {
    struct tokenizer *tokenizer = train(small_texts, N_SMALL, 300);
    check_round_trip(tokenizer, "", 0);
    check_round_trip(tokenizer, "a\0b", 3);
    check_round_trip(tokenizer, " \n\t  x \xe2\x82 \xed\xa0\x80\xf4\x90\x80\x80\xc0\x80", 20);
    char text[300];
    for (uint64_t i = 0; i < 500; i++) {
        size_t length = random_below(1, 1, 2 * i, sizeof text);
        bool mostly_text = i % 2 == 0;
        for (size_t j = 0; j < length; j++) {
            uint32_t byte = random_below(2, i, j, 256);
            text[j] = mostly_text && byte < 230 ? "lowest new 12\xc3\xa9"[byte % 15] : (char)byte;
        }
        check_round_trip(tokenizer, text, length);
    }
    tokenizer_free(tokenizer);
}
END_TEST

START_TEST(long_words_take_little_time) {
    struct tokenizer *tokenizer = train(small_texts, N_SMALL, 300);
    size_t length = (size_t)1 << 20;
    char *text = malloc(length);
    ck_assert_ptr_nonnull(text);
    for (size_t i = 0; i < length; i++) text[i] = "newest"[i % 6];
    check_round_trip(tokenizer, text, length);
    memset(text, ' ', length);
    check_round_trip(tokenizer, text, length);
    memset(text, 0xff, length);
    check_round_trip(tokenizer, text, length);
    free(text);
    tokenizer_free(tokenizer);
}
END_TEST

START_TEST(bad_ids_and_sizes_are_refused) {
    struct tokenizer *tokenizer = train(small_texts, N_SMALL, 300);
    mneme_error error;
    char *text;
    static const int32_t too_large[] = {1, 300}, negative[] = {-1};
    assert_refused(tokenizer_decode(tokenizer, too_large, 2, &text, NULL, &error), &error,
                   MNEME_BAD_INPUT, "token 1", "300");
    assert_refused(tokenizer_decode(tokenizer, negative, 1, &text, NULL, &error), &error,
                   MNEME_BAD_INPUT, "token 0", "-1");
    tokenizer_free(tokenizer);
    assert_refused(tokenizer_train(small_texts, 1, 256, &tokenizer, &error), &error,
                   MNEME_BAD_INPUT, "vocabulary", "256");
    assert_refused(tokenizer_train_pattern("(a", small_texts, 1, 300, &tokenizer, &error), &error,
                   MNEME_BAD_INPUT, "pattern", "parenthesis");
    assert_refused(tokenizer_train_pattern("a*", small_texts, 1, 300, &tokenizer, &error), &error,
                   MNEME_BAD_INPUT, "pattern", "empty");
}
END_TEST

/* The plain algorithm, to check the fast one against. Tokens are strings; words are made of them.
 */
struct naive {
    char words[200][40][48]; /* words[w][i]: token i of word w */
    size_t lengths[200];
    size_t n_words;
};

static void naive_merge(struct naive *naive, size_t w, const char *left, const char *right) {
    char(*tokens)[48] = naive->words[w];
    size_t kept = 0;
    for (size_t i = 0; i < naive->lengths[w]; i++) {
        char token[48];
        strcpy(token, tokens[i]);
        if (i + 1 < naive->lengths[w] && strcmp(token, left) == 0 &&
            strcmp(tokens[i + 1], right) == 0) {
            strcat(token, right);
            i++;
        }
        strcpy(tokens[kept++], token);
    }
    naive->lengths[w] = kept;
}

/* Whether (a_left, a_right) with its count is to be merged before (b_left, b_right). */
static bool naive_before(size_t a, const char *a_left, const char *a_right, size_t b,
                         const char *b_left, const char *b_right) {
    if (a != b) return a > b;
    int order = strcmp(a_left, b_left);
    return order < 0 || (order == 0 && strcmp(a_right, b_right) < 0);
}

static size_t naive_count(const struct naive *naive, const char *left, const char *right) {
    size_t count = 0;
    for (size_t w = 0; w < naive->n_words; w++) {
        for (size_t i = 1; i < naive->lengths[w]; i++) {
            count +=
                strcmp(naive->words[w][i - 1], left) == 0 && strcmp(naive->words[w][i], right) == 0;
        }
    }
    return count;
}

/* The next pair to merge; false when none occurs twice. */
static bool naive_best(const struct naive *naive, char left[48], char right[48]) {
    size_t best = 1;
    for (size_t w = 0; w < naive->n_words; w++) {
        for (size_t i = 1; i < naive->lengths[w]; i++) {
            const char *a = naive->words[w][i - 1], *b = naive->words[w][i];
            size_t count = naive_count(naive, a, b);
            if (count < 2 || !naive_before(count, a, b, best, left, right)) continue;
            best = count;
            strcpy(left, a);
            strcpy(right, b);
        }
    }
    return best > 1;
}

static void naive_make(struct naive *naive, uint64_t seed, char texts[60][40]) {
    naive->n_words = 60;
    for (size_t w = 0; w < naive->n_words; w++) {
        size_t length = 1 + random_below(seed, 1, w, 20);
        naive->lengths[w] = length;
        for (size_t i = 0; i < length; i++) {
            char letter = "aabc"[random_below(seed, 2 + w, i, 4)];
            texts[w][i] = letter;
            naive->words[w][i][0] = letter;
            naive->words[w][i][1] = '\0';
        }
        texts[w][length] = '\0';
    }
}

/* Every new token of the naive trainer, in order, and every word's tokens at the end. */
static void compare_with_naive(uint64_t seed) {
    static struct naive naive;
    static char texts[60][40];
    naive_make(&naive, seed, texts);
    const char *pointers[60];
    for (size_t w = 0; w < 60; w++) pointers[w] = texts[w];
    struct tokenizer *tokenizer = train(pointers, 60, 10000);
    char left[48], right[48], merged[96];
    size_t next = 257;
    while (naive_best(&naive, left, right)) {
        snprintf(merged, sizeof merged, "%s%s", left, right);
        for (size_t w = 0; w < 60; w++) naive_merge(&naive, w, left, right);
        bool known = false;
        for (size_t id = 257; id < next && !known; id++) {
            char *bytes = token_bytes(tokenizer, (int32_t)id);
            known = strcmp(bytes, merged) == 0;
            free(bytes);
        }
        if (known) continue;
        ck_assert_uint_lt(next, tokenizer_vocab_size(tokenizer));
        char *bytes = token_bytes(tokenizer, (int32_t)next++);
        ck_assert_msg(strcmp(bytes, merged) == 0, "seed %d: token %zu is %s, not %s", (int)seed,
                      next - 1, bytes, merged);
        free(bytes);
    }
    ck_assert_uint_eq(tokenizer_vocab_size(tokenizer), next);
    for (size_t w = 0; w < 60; w++) {
        char expected[100] = "";
        for (size_t i = 0; i < naive.lengths[w]; i++) {
            strcat(strcat(expected, naive.words[w][i]), "|");
        }
        check_tokens(tokenizer, texts[w], expected);
    }
    tokenizer_free(tokenizer);
}

START_TEST(training_is_the_plain_algorithm) {
    for (uint64_t seed = 0; seed < 8; seed++) compare_with_naive(seed);
}
END_TEST

static void check_same_file(const struct tokenizer *a, const struct tokenizer *b) {
    mneme_error error;
    char *bytes[2];
    size_t lengths[2];
    const struct tokenizer *both[] = {a, b};
    for (int i = 0; i < 2; i++) {
        const char *path = temporary_path(i == 0 ? "a.json" : "b.json");
        assert_ok(tokenizer_save(both[i], path, &error), &error);
        FILE *stream = fopen(path, "rb");
        ck_assert_ptr_nonnull(stream);
        bytes[i] = malloc(100000);
        ck_assert_ptr_nonnull(bytes[i]);
        lengths[i] = fread(bytes[i], 1, 100000, stream);
        fclose(stream);
    }
    ck_assert_uint_eq(lengths[0], lengths[1]);
    ck_assert_mem_eq(bytes[0], bytes[1], lengths[0]);
    free(bytes[0]);
    free(bytes[1]);
}

START_TEST(training_is_deterministic) {
    const char *reversed[N_SMALL];
    for (size_t i = 0; i < N_SMALL; i++) reversed[i] = small_texts[N_SMALL - 1 - i];
    struct tokenizer *a = train(small_texts, N_SMALL, 320);
    struct tokenizer *b = train(small_texts, N_SMALL, 320);
    check_same_file(a, b);
    tokenizer_free(b);
    const char *locales[] = {"tr_TR.UTF-8", "de_DE.UTF-8", "C.UTF-8"};
    for (size_t i = 0; i < 3; i++) {
        setlocale(LC_ALL, locales[i]);
        b = train(reversed, N_SMALL, 320);
        check_same_file(a, b);
        tokenizer_free(b);
    }
    setlocale(LC_ALL, "C");
    tokenizer_free(a);
}
END_TEST

Suite *tokenizer_suite(void) {
    Suite *suite = suite_create("tokenizer");
    TCase *cases = tcase_create("tokenizer");
    tcase_add_checked_fixture(cases, temporary_make, temporary_remove);
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, first_ids_are_fixed);
    tcase_add_test(cases, merges_follow_counts);
    tcase_add_test(cases, splits_as_gpt2_with_single_digits);
    tcase_add_test(cases, golden_ids);
    tcase_add_test(cases, any_bytes_round_trip);
    tcase_add_test(cases, long_words_take_little_time);
    tcase_add_test(cases, bad_ids_and_sizes_are_refused);
    tcase_add_test(cases, training_is_the_plain_algorithm);
    tcase_add_test(cases, training_is_deterministic);
    suite_add_tcase(suite, cases);
    return suite;
}
