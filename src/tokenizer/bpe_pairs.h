#ifndef TOKENIZER_BPE_PAIRS_H
#define TOKENIZER_BPE_PAIRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "text/string_map.h"
#include "tokenizer/pair_map.h"

/* Counting for byte pair encoding: how often each pair of neighbouring tokens occurs in a set of
 * words, kept up to date while pairs are merged. For tokenizer training only. */

/* A pair of tokens that are, or were, neighbours somewhere. */
struct bpe_pair {
    int32_t left, right;
    int64_t count;   /* occurrences in all words, each word as often as it occurs */
    uint32_t *words; /* [n_words] every word with the pair, and perhaps some that had it */
    size_t n_words;
    size_t word_capacity;
    bool has_grown; /* listed in bpe_pairs.grown */
};

struct bpe_pairs {
    struct string_map words;
    int64_t *word_counts; /* [words.n] */
    size_t count_capacity;
    size_t *starts;  /* [words.n + 1] word i's tokens begin at tokens[starts[i]] */
    size_t *lengths; /* [words.n] how many there are, fewer with each merge */
    int32_t *tokens;
    struct bpe_pair *pairs; /* [n] */
    size_t n;
    size_t capacity;
    struct pair_map index; /* (left, right) -> index in pairs */
    uint32_t *grown;       /* [n_grown] pairs whose count rose since this was last emptied */
    size_t n_grown;
    size_t grown_capacity;
};

/* Counts one more occurrence of a word. */
mneme_status bpe_pairs_add_word(struct bpe_pairs *pairs, const char *word, size_t length,
                                mneme_error *error);

/* After the last word: cuts the words into bytes, with these token ids, and counts the pairs. */
mneme_status bpe_pairs_count(struct bpe_pairs *pairs, const int32_t byte_ids[256],
                             mneme_error *error);

/* Replaces the pair by the token `result` in every word, from the left. Its count becomes 0. */
mneme_status bpe_pairs_merge(struct bpe_pairs *pairs, uint32_t pair, int32_t result,
                             mneme_error *error);

void bpe_pairs_free(struct bpe_pairs *pairs);

#endif
