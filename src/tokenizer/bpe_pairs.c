#include <stdlib.h>

#include "base/memory.h"
#include "tokenizer/bpe_pairs.h"

mneme_status bpe_pairs_add_word(struct bpe_pairs *pairs, const char *word, size_t length,
                                mneme_error *error) {
    uint32_t index;
    bool added;
    TRY(string_map_add(&pairs->words, word, length, &index, &added, error));
    TRY(memory_grow((void **)&pairs->word_counts, &pairs->count_capacity, pairs->words.n,
                    sizeof *pairs->word_counts, "words", error));
    if (added) pairs->word_counts[index] = 0;
    pairs->word_counts[index]++;
    return MNEME_OK;
}

/* The number of the pair (left, right), which is listed when it is new. */
static mneme_status find_pair(struct bpe_pairs *pairs, int32_t left, int32_t right, uint32_t *index,
                              mneme_error *error) {
    *index = pair_map_get(&pairs->index, left, right);
    if (*index != PAIR_MAP_NONE) return MNEME_OK;
    TRY(memory_grow((void **)&pairs->pairs, &pairs->capacity, pairs->n + 1, sizeof *pairs->pairs,
                    "token pairs", error));
    *index = (uint32_t)pairs->n;
    pairs->pairs[pairs->n] = (struct bpe_pair){.left = left, .right = right};
    mneme_status status = pair_map_put(&pairs->index, left, right, *index, error);
    if (status == MNEME_OK) pairs->n++;
    return status;
}

/* The pair occurs once more in the word. */
static mneme_status gain(struct bpe_pairs *pairs, int32_t left, int32_t right, uint32_t word,
                         mneme_error *error) {
    uint32_t index;
    TRY(find_pair(pairs, left, right, &index, error));
    struct bpe_pair *pair = &pairs->pairs[index];
    pair->count += pairs->word_counts[word];
    if (!pair->has_grown) {
        TRY(memory_grow((void **)&pairs->grown, &pairs->grown_capacity, pairs->n_grown + 1,
                        sizeof *pairs->grown, "token pairs", error));
        pairs->grown[pairs->n_grown++] = index;
        pair->has_grown = true;
    }
    if (pair->n_words > 0 && pair->words[pair->n_words - 1] == word) return MNEME_OK;
    mneme_status status = memory_grow((void **)&pair->words, &pair->word_capacity,
                                      pair->n_words + 1, sizeof *pair->words, "token pairs", error);
    if (status == MNEME_OK) pair->words[pair->n_words++] = word;
    return status;
}

/* The pair, which is listed, occurs once less in the word. */
static void lose(struct bpe_pairs *pairs, int32_t left, int32_t right, uint32_t word) {
    uint32_t index = pair_map_get(&pairs->index, left, right);
    pairs->pairs[index].count -= pairs->word_counts[word];
}

static mneme_status allocate_tokens(struct bpe_pairs *pairs, mneme_error *error) {
    pairs->starts = calloc(pairs->words.n + 1, sizeof *pairs->starts);
    pairs->lengths = calloc(pairs->words.n + 1, sizeof *pairs->lengths);
    pairs->tokens = calloc(pairs->words.n_bytes + 1, sizeof *pairs->tokens);
    if (pairs->starts == NULL || pairs->lengths == NULL || pairs->tokens == NULL) {
        return error_set_memory(error, "the words of the texts");
    }
    return MNEME_OK;
}

mneme_status bpe_pairs_count(struct bpe_pairs *pairs, const int32_t byte_ids[256],
                             mneme_error *error) {
    TRY(allocate_tokens(pairs, error));
    for (uint32_t word = 0; word < pairs->words.n; word++) {
        const char *bytes = string_map_get(&pairs->words, word, &pairs->lengths[word]);
        int32_t *tokens = pairs->tokens + pairs->starts[word];
        for (size_t i = 0; i < pairs->lengths[word]; i++) {
            tokens[i] = byte_ids[(unsigned char)bytes[i]];
            if (i == 0) continue;
            TRY(gain(pairs, tokens[i - 1], tokens[i], word, error));
        }
        pairs->starts[word + 1] = pairs->starts[word] + pairs->lengths[word];
    }
    return MNEME_OK;
}

/* Merges the pair in one word. Kept tokens move down to tokens[0..kept) while i runs ahead. */
static mneme_status merge_word(struct bpe_pairs *pairs, int32_t left, int32_t right, int32_t result,
                               uint32_t word, mneme_error *error) {
    int32_t *tokens = pairs->tokens + pairs->starts[word];
    size_t length = pairs->lengths[word], kept = 0;
    for (size_t i = 0; i < length; i++) {
        if (tokens[i] != left || i + 1 == length || tokens[i + 1] != right) {
            tokens[kept++] = tokens[i];
            continue;
        }
        lose(pairs, left, right, word);
        if (kept > 0) {
            lose(pairs, tokens[kept - 1], left, word);
            TRY(gain(pairs, tokens[kept - 1], result, word, error));
        }
        if (i + 2 < length) {
            lose(pairs, right, tokens[i + 2], word);
            TRY(gain(pairs, result, tokens[i + 2], word, error));
        }
        tokens[kept++] = result;
        i++;
    }
    pairs->lengths[word] = kept;
    return MNEME_OK;
}

mneme_status bpe_pairs_merge(struct bpe_pairs *pairs, uint32_t pair, int32_t result,
                             mneme_error *error) {
    int32_t left = pairs->pairs[pair].left, right = pairs->pairs[pair].right;
    /* Gaining other pairs may move the array of pairs, so the list is taken off first. */
    uint32_t *words = pairs->pairs[pair].words;
    size_t n_words = pairs->pairs[pair].n_words;
    pairs->pairs[pair].words = NULL;
    pairs->pairs[pair].n_words = pairs->pairs[pair].word_capacity = 0;
    mneme_status status = MNEME_OK;
    for (size_t i = 0; i < n_words && status == MNEME_OK; i++) {
        status = merge_word(pairs, left, right, result, words[i], error);
    }
    free(words);
    return status;
}

void bpe_pairs_free(struct bpe_pairs *pairs) {
    for (size_t i = 0; i < pairs->n; i++) free(pairs->pairs[i].words);
    free(pairs->pairs);
    free(pairs->grown);
    free(pairs->tokens);
    free(pairs->starts);
    free(pairs->lengths);
    free(pairs->word_counts);
    pair_map_free(&pairs->index);
    string_map_free(&pairs->words);
    *pairs = (struct bpe_pairs){0};
}
