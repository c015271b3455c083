#include "tokenizer/tokenizer.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "tokenizer/tokenizer_parts.h"

/* The cache is for the words of a language: longer pieces are rare, and a flood of different words
 * must not eat the memory. */
#define CACHE_MAX_WORDS ((size_t)1 << 17)
#define CACHE_MAX_LENGTH 64

mneme_status tokenizer_open(const struct split_plan *plan, const char *place,
                            struct tokenizer **tokenizer, mneme_error *error) {
    struct tokenizer *opened = calloc(1, sizeof *opened);
    if (opened == NULL) return error_set_memory(error, "the tokenizer");
    mneme_status status = splitter_open(plan, place, &opened->splitter, error);
    if (status == MNEME_OK) {
        *tokenizer = opened;
    } else {
        tokenizer_free(opened);
    }
    return status;
}

void tokenizer_free(struct tokenizer *tokenizer) {
    if (tokenizer == NULL) return;
    splitter_close(tokenizer->splitter);
    string_map_free(&tokenizer->vocabulary);
    string_map_free(&tokenizer->cache.words);
    token_list_free(&tokenizer->cache.ids);
    pair_map_free(&tokenizer->ranks);
    free(tokenizer->cache.starts);
    free(tokenizer->scratch.symbols);
    free(tokenizer->scratch.heap);
    free(tokenizer->merges);
    free(tokenizer->pattern);
    free(tokenizer->source);
    free(tokenizer->path);
    token_frame_free(&tokenizer->frame);
    free(tokenizer);
}

mneme_status tokenizer_add_merge(struct tokenizer *tokenizer, int32_t left, int32_t right,
                                 int32_t *result, mneme_error *error) {
    size_t left_length, right_length;
    const char *bytes = string_map_get(&tokenizer->vocabulary, (uint32_t)left, &left_length);
    string_map_get(&tokenizer->vocabulary, (uint32_t)right, &right_length);
    char *joined = malloc(left_length + right_length + 1);
    if (joined == NULL) return error_set_memory(error, "a token");
    memcpy(joined, bytes, left_length);
    bytes = string_map_get(&tokenizer->vocabulary, (uint32_t)right, &right_length);
    memcpy(joined + left_length, bytes, right_length);
    uint32_t id;
    mneme_status status = string_map_add(&tokenizer->vocabulary, joined, left_length + right_length,
                                         &id, NULL, error);
    free(joined);
    if (status != MNEME_OK) return status;
    *result = (int32_t)id;
    TRY(memory_grow((void **)&tokenizer->merges, &tokenizer->merge_capacity,
                    tokenizer->n_merges + 1, sizeof *tokenizer->merges, "merges", error));
    tokenizer->merges[tokenizer->n_merges] = (struct bpe_merge){left, right, *result};
    status = pair_map_put(&tokenizer->ranks, left, right, (uint32_t)tokenizer->n_merges, error);
    if (status == MNEME_OK) tokenizer->n_merges++;
    return status;
}

/* Keeps the ids under the word. */
static mneme_status cache_store(struct word_cache *cache, const char *word, size_t length,
                                const int32_t *ids, size_t n_ids, mneme_error *error) {
    TRY(memory_grow((void **)&cache->starts, &cache->start_capacity, cache->words.n + 2,
                    sizeof *cache->starts, "words", error));
    cache->starts[cache->words.n] = cache->ids.n;
    TRY(token_list_append(&cache->ids, ids, n_ids, error));
    cache->starts[cache->words.n + 1] = cache->ids.n;
    uint32_t index;
    return string_map_add(&cache->words, word, length, &index, NULL, error);
}

/* Where an encoded text goes. */
struct encode_target {
    struct tokenizer *tokenizer;
    struct token_list *list;
};

static mneme_status encode_piece(void *context, const char *piece, size_t length, int32_t special,
                                 mneme_error *error) {
    struct encode_target *target = context;
    struct tokenizer *tokenizer = target->tokenizer;
    struct word_cache *cache = &tokenizer->cache;
    struct token_list *list = target->list;
    if (special != SPLITTER_NOT_SPECIAL) return token_list_append(list, &special, 1, error);
    if (length > CACHE_MAX_LENGTH) return bpe_encode_word(tokenizer, piece, length, list, error);

    uint32_t word = string_map_find(&cache->words, piece, length);
    if (word != STRING_MAP_NONE) {
        size_t start = cache->starts[word];
        return token_list_append(list, cache->ids.ids + start, cache->starts[word + 1] - start,
                                 error);
    }
    size_t first = list->n;
    mneme_status status = bpe_encode_word(tokenizer, piece, length, list, error);
    if (status != MNEME_OK || cache->words.n >= CACHE_MAX_WORDS) return status;
    return cache_store(cache, piece, length, list->ids + first, list->n - first, error);
}

mneme_status tokenizer_encode(struct tokenizer *tokenizer, const char *text, size_t length,
                              struct token_list *list, mneme_error *error) {
    struct encode_target target = {tokenizer, list};
    return splitter_run(tokenizer->splitter, SPLIT_PROMPT, text, length, encode_piece, &target,
                        error);
}

mneme_status tokenizer_encode_data(struct tokenizer *tokenizer, const char *text, size_t length,
                                   struct token_list *list, mneme_error *error) {
    struct encode_target target = {tokenizer, list};
    return splitter_run(tokenizer->splitter, SPLIT_DATA, text, length, encode_piece, &target,
                        error);
}

mneme_status tokenizer_decode(const struct tokenizer *tokenizer, const int32_t *ids, size_t n_ids,
                              char **text, size_t *length, mneme_error *error) {
    size_t total = 0, token_length;
    for (size_t i = 0; i < n_ids; i++) {
        if (ids[i] < 0 || (size_t)ids[i] >= tokenizer->vocabulary.n) {
            return error_set(error, MNEME_BAD_INPUT, "token %zu: id %d is not in the vocabulary", i,
                             (int)ids[i]);
        }
        string_map_get(&tokenizer->vocabulary, (uint32_t)ids[i], &token_length);
        total += token_length;
    }
    char *decoded = malloc(total + 1);
    if (decoded == NULL) return error_set_memory(error, "decoded text");
    char *end = decoded;
    for (size_t i = 0; i < n_ids; i++) {
        const char *bytes = string_map_get(&tokenizer->vocabulary, (uint32_t)ids[i], &token_length);
        memcpy(end, bytes, token_length);
        end += token_length;
    }
    *end = '\0';
    *text = decoded;
    if (length != NULL) *length = total;
    return MNEME_OK;
}

size_t tokenizer_vocab_size(const struct tokenizer *tokenizer) {
    return tokenizer->vocabulary.n;
}

size_t tokenizer_text_size(const struct tokenizer *tokenizer) {
    return tokenizer->source == NULL ? tokenizer->vocabulary.n : tokenizer->n_model_ids;
}

const char *tokenizer_place(const struct tokenizer *tokenizer) {
    return tokenizer->path == NULL ? "the tokenizer" : tokenizer->path;
}

const struct token_frame *tokenizer_frame(const struct tokenizer *tokenizer) {
    return &tokenizer->frame;
}

int32_t tokenizer_end_of_text(const struct tokenizer *tokenizer) {
    return tokenizer->end_of_text;
}

int32_t tokenizer_start_of_text(const struct tokenizer *tokenizer) {
    return tokenizer->start_of_text;
}
