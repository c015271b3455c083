#include "eval/qa_score.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "text/unicode.h"

/* A normalised text: words with one blank between them. */
struct words {
    uint32_t *characters; /* [n] */
    size_t n;
};

/* string.punctuation */
static bool is_punctuation(uint32_t c) {
    return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
           (c >= '{' && c <= '~');
}

static void remove_punctuation(struct words *text) {
    size_t kept = 0;
    for (size_t i = 0; i < text->n; i++) {
        if (!is_punctuation(text->characters[i])) text->characters[kept++] = text->characters[i];
    }
    text->n = kept;
}

/* Length of the article that stands at `at` as a word of its own, or 0. */
static size_t article_length(const struct words *text, size_t at) {
    static const char *const articles[] = {"a", "an", "the"};
    for (size_t i = 0; i < sizeof articles / sizeof *articles; i++) {
        size_t length = 0;
        while (articles[i][length] != '\0' && at + length < text->n &&
               text->characters[at + length] == (unsigned char)articles[i][length]) {
            length++;
        }
        if (articles[i][length] != '\0') continue;
        size_t end = at + length;
        if (end == text->n || !unicode_is_word(text->characters[end])) return length;
    }
    return 0;
}

/* Each article becomes a blank. */
static void remove_articles(struct words *text) {
    size_t kept = 0;
    bool is_inside = false; /* a word goes on */
    for (size_t i = 0; i < text->n;) {
        size_t length = is_inside ? 0 : article_length(text, i);
        if (length > 0) {
            text->characters[kept++] = ' ';
            i += length;
            is_inside = true; /* behind the article's last letter */
        } else {
            is_inside = unicode_is_word(text->characters[i]);
            text->characters[kept++] = text->characters[i++];
        }
    }
    text->n = kept;
}

/* One blank between words, none at the ends. */
static void join_words(struct words *text) {
    size_t kept = 0;
    bool is_due = false;
    for (size_t i = 0; i < text->n; i++) {
        uint32_t c = text->characters[i];
        if (unicode_is_space(c)) {
            is_due = kept > 0;
            continue;
        }
        if (is_due) text->characters[kept++] = ' ';
        is_due = false;
        text->characters[kept++] = c;
    }
    text->n = kept;
}

/* Its characters are malloc'ed; NULL without memory. */
static struct words normalize(const char *text, size_t length) {
    struct words words = {0};
    words.characters = unicode_lower(text, length, &words.n);
    if (words.characters == NULL) return words;
    remove_punctuation(&words);
    remove_articles(&words);
    join_words(&words);
    return words;
}

char *qa_normalize(const char *text, size_t length) {
    struct words words = normalize(text, length);
    if (words.characters == NULL) return NULL;
    char *normal = unicode_encode(words.characters, words.n);
    free(words.characters);
    return normal;
}

static bool are_equal(struct words a, struct words b) {
    return a.n == b.n && memcmp(a.characters, b.characters, a.n * sizeof *a.characters) == 0;
}

/* The next word, which *text loses; one without characters at the end. */
static struct words next_word(struct words *text) {
    struct words word = {text->characters, 0};
    while (word.n < text->n && text->characters[word.n] != ' ') word.n++;
    size_t used = word.n < text->n ? word.n + 1 : word.n;
    *text = (struct words){text->characters + used, text->n - used};
    return word;
}

static size_t count_words(struct words text) {
    size_t count = 0;
    while (next_word(&text).n > 0) count++;
    return count;
}

/* How often the word stands in the text. */
static size_t count_word(struct words text, struct words word) {
    size_t count = 0;
    for (struct words next; (next = next_word(&text)).n > 0;) count += are_equal(next, word);
    return count;
}

/* Words in common, as multisets: each different word of a counts as often as both have it. */
static size_t overlap(struct words a, struct words b) {
    size_t common = 0;
    struct words rest = a;
    for (struct words word; (word = next_word(&rest)).n > 0;) {
        struct words earlier = {a.characters, (size_t)(word.characters - a.characters)};
        common += count_word(earlier, word) < count_word(b, word);
    }
    return common;
}

static double f1_of(struct words said, struct words answer) {
    size_t n_said = count_words(said), n_answer = count_words(answer);
    if (n_said == 0 || n_answer == 0) return n_said == n_answer ? 1.0 : 0.0;
    size_t common = overlap(said, answer);
    if (common == 0) return 0.0;
    double precision = (double)common / (double)n_said;
    double recall = (double)common / (double)n_answer;
    return 2.0 * precision * recall / (precision + recall);
}

mneme_status qa_score(const char *said, size_t length, const char *const *answers, size_t n_answers,
                      double *f1, double *exact_match, mneme_error *error) {
    *f1 = *exact_match = 0.0;
    struct words words = normalize(said, length);
    if (words.characters == NULL) return error_set_memory(error, "an answer");
    mneme_status status = MNEME_OK;
    for (size_t i = 0; status == MNEME_OK && i < n_answers; i++) {
        struct words answer = normalize(answers[i], strlen(answers[i]));
        if (answer.characters == NULL) {
            status = error_set_memory(error, "an answer");
            break;
        }
        double score = f1_of(words, answer);
        if (score > *f1) *f1 = score;
        if (are_equal(words, answer)) *exact_match = 1.0;
        free(answer.characters);
    }
    free(words.characters);
    return status;
}
