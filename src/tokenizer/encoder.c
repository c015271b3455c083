/* Texts to ids: pieces, and a cache of what became of them. */

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "tokenizer/tokenizer_parts.h"

/* The cache is for the words of a language: longer pieces are rare, and a flood of different words
 * must not eat the memory. */
#define CACHE_MAX_WORDS ((size_t)1 << 17)
#define CACHE_MAX_LENGTH 64

void encoder_free(struct encoder *encoder) {
    split_scratch_free(&encoder->split);
    string_map_free(&encoder->cache.words);
    token_list_free(&encoder->cache.ids);
    free(encoder->cache.starts);
    free(encoder->scratch.symbols);
    free(encoder->scratch.heap);
    *encoder = (struct encoder){0};
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
struct target {
    const struct bpe *bpe;
    struct encoder *encoder;
    struct token_list *list;
};

static mneme_status encode_word(const struct target *target, const char *word, size_t length,
                                mneme_error *error) {
    struct word_cache *cache = &target->encoder->cache;
    struct bpe_scratch *scratch = &target->encoder->scratch;
    struct token_list *list = target->list;
    if (length > CACHE_MAX_LENGTH) {
        return bpe_encode_word(target->bpe, scratch, word, length, list, error);
    }
    uint32_t found = string_map_find(&cache->words, word, length);
    if (found != STRING_MAP_NONE) {
        size_t start = cache->starts[found], n_ids = cache->starts[found + 1] - start;
        if (n_ids == 0) return MNEME_OK;
        return token_list_append(list, cache->ids.ids + start, n_ids, error);
    }
    size_t first = list->n;
    mneme_status status = bpe_encode_word(target->bpe, scratch, word, length, list, error);
    if (status != MNEME_OK || cache->words.n >= CACHE_MAX_WORDS) return status;
    const int32_t *ids = list->n == first ? NULL : list->ids + first;
    return cache_store(cache, word, length, ids, list->n - first, error);
}

/* Where the next word begins: at a U+2581 after another character. */
static size_t word_end(const char *text, size_t length) {
    static const char blank[] = "\xe2\x96\x81";
    size_t end = 0;
    while (end + 3 <= length && memcmp(text + end, blank, 3) == 0) end += 3;
    const char *next = memmem(text + end, length - end, blank, 3);
    return next == NULL ? length : (size_t)(next - text);
}

/* A piece that no token crosses between words is encoded word by word, which the cache knows. */
static mneme_status encode_piece(void *context, const char *piece, size_t length, int32_t added,
                                 mneme_error *error) {
    const struct target *target = context;
    if (added != SPLITTER_NOT_ADDED) return token_list_append(target->list, &added, 1, error);
    while (target->bpe->cuts_words && length > 0) {
        size_t end = word_end(piece, length);
        TRY(encode_word(target, piece, end, error));
        piece += end;
        length -= end;
    }
    return length == 0 ? MNEME_OK : encode_word(target, piece, length, error);
}

mneme_status encoder_run(struct encoder *encoder, const struct tokenizer *tokenizer,
                         enum split_source source, const char *text, size_t length,
                         struct token_list *list, mneme_error *error) {
    struct target target = {&tokenizer->bpe, encoder, list};
    return splitter_run(tokenizer->splitter, &encoder->split, source, text, length, encode_piece,
                        &target, error);
}
