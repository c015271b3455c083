#include "eval/qa_score.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static bool is_space(unsigned char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_punctuation(unsigned char c) {
    return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
           (c >= '{' && c <= '~');
}

/* Lowercase of a code point of two UTF-8 bytes, U+0080 to U+07FF; the result has two bytes too. */
static uint32_t lower_two_bytes(uint32_t c) {
    if ((c >= 0xc0 && c <= 0xde && c != 0xd7) || (c >= 0x391 && c <= 0x3a9 && c != 0x3a2)) {
        return c + 32; /* Latin-1; Greek */
    }
    if (c >= 0x410 && c <= 0x42f) return c + 32; /* Cyrillic */
    if (c >= 0x400 && c <= 0x40f) return c + 80;
    bool odd_is_upper = (c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e);
    bool even_is_upper = (c >= 0x100 && c <= 0x137 && c != 0x130) || (c >= 0x14a && c <= 0x177);
    if (c == 0x178) return 0xff;
    if ((odd_is_upper && c % 2 == 1) || (even_is_upper && c % 2 == 0)) return c + 1;
    return c;
}

/* Lowercased and without punctuation, in place. */
static void fold(char *text) {
    char *to = text;
    for (const char *from = text; *from != '\0';) {
        unsigned char c = (unsigned char)from[0], next = (unsigned char)from[1];
        if (c < 0x80) {
            from++;
            if (is_punctuation(c)) continue;
            *to++ = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
        } else if (c >= 0xc2 && c <= 0xdf && (next & 0xc0) == 0x80) {
            uint32_t lower = lower_two_bytes((uint32_t)(c & 0x1f) << 6 | (next & 0x3f));
            *to++ = (char)(0xc0 | lower >> 6);
            *to++ = (char)(0x80 | (lower & 0x3f));
            from += 2;
        } else {
            *to++ = *from++;
        }
    }
    *to = '\0';
}

/* The next word from *at on; its length, 0 at the end. */
static size_t next_word(const char **at) {
    while (is_space((unsigned char)**at)) (*at)++;
    size_t length = 0;
    while ((*at)[length] != '\0' && !is_space((unsigned char)(*at)[length])) length++;
    return length;
}

static bool is_article(const char *word, size_t length) {
    return (length == 1 && word[0] == 'a') || (length == 2 && memcmp(word, "an", 2) == 0) ||
           (length == 3 && memcmp(word, "the", 3) == 0);
}

char *qa_normalize(const char *text) {
    char *folded = strdup(text);
    if (folded == NULL) return NULL;
    fold(folded);
    char *to = folded;
    const char *at = folded;
    for (size_t length = next_word(&at); length > 0; length = next_word(&at)) {
        if (!is_article(at, length)) {
            if (to != folded) *to++ = ' ';
            memmove(to, at, length);
            to += length;
        }
        at += length;
    }
    *to = '\0';
    return folded;
}

/* How often the word stands in the normalised text. */
static size_t count_word(const char *text, const char *word, size_t length) {
    size_t count = 0;
    for (size_t n = next_word(&text); n > 0; n = next_word(&text)) {
        count += n == length && memcmp(text, word, n) == 0;
        text += n;
    }
    return count;
}

static size_t count_words(const char *text) {
    size_t count = 0;
    for (size_t n = next_word(&text); n > 0; n = next_word(&text), count++) text += n;
    return count;
}

/* Words in common, as multisets: each different word of a counts as often as both have it. */
static size_t overlap(const char *a, const char *b) {
    size_t common = 0;
    const char *at = a;
    for (size_t n = next_word(&at); n > 0; n = next_word(&at)) {
        size_t before = 0;
        const char *earlier = a;
        for (size_t m = next_word(&earlier); earlier < at; m = next_word(&earlier)) {
            before += m == n && memcmp(earlier, at, n) == 0;
            earlier += m;
        }
        common += before < count_word(b, at, n);
        at += n;
    }
    return common;
}

static double f1_of(const char *said, const char *answer) {
    size_t words = count_words(said), wanted = count_words(answer);
    if (words == 0 || wanted == 0) return words == wanted ? 1.0 : 0.0;
    size_t common = overlap(said, answer);
    if (common == 0) return 0.0;
    return 2.0 * (double)common / (double)(words + wanted);
}

mneme_status qa_score(const char *said, const char *const *answers, size_t n_answers, double *f1,
                      double *exact_match, mneme_error *error) {
    *f1 = *exact_match = 0.0;
    char *normal = qa_normalize(said);
    mneme_status status = normal == NULL ? error_set_memory(error, "an answer") : MNEME_OK;
    for (size_t i = 0; status == MNEME_OK && i < n_answers; i++) {
        char *answer = qa_normalize(answers[i]);
        if (answer == NULL) {
            status = error_set_memory(error, "an answer");
            break;
        }
        double score = f1_of(normal, answer);
        if (score > *f1) *f1 = score;
        if (strcmp(normal, answer) == 0) *exact_match = 1.0;
        free(answer);
    }
    free(normal);
    return status;
}
