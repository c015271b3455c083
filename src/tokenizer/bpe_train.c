/* Learning the merges of a tokenizer from texts. */

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "tokenizer/bpe_pairs.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/tokenizer_parts.h"

/* A pair with the count it had when it was queued. Counts mostly fall, so an entry is checked when
 * it comes up and queued again with its true count. */
struct queued {
    int64_t count;
    uint32_t pair;
};

struct trainer {
    struct tokenizer *tokenizer;
    struct bpe_pairs pairs;
    struct queued *queue; /* a binary heap, the next merge first */
    size_t n_queue;
    size_t queue_capacity;
};

/* < 0, 0, > 0 as token a's bytes come before, equal or after b's. */
static int compare_tokens(const struct tokenizer *tokenizer, int32_t a, int32_t b) {
    size_t a_length, b_length;
    const char *a_bytes = string_map_get(&tokenizer->bpe.vocabulary, (uint32_t)a, &a_length);
    const char *b_bytes = string_map_get(&tokenizer->bpe.vocabulary, (uint32_t)b, &b_length);
    int order = memcmp(a_bytes, b_bytes, a_length < b_length ? a_length : b_length);
    if (order != 0) return order;
    return (a_length > b_length) - (a_length < b_length);
}

static bool comes_before(const struct trainer *trainer, struct queued a, struct queued b) {
    if (a.count != b.count) return a.count > b.count;
    const struct bpe_pair *x = &trainer->pairs.pairs[a.pair], *y = &trainer->pairs.pairs[b.pair];
    int order = compare_tokens(trainer->tokenizer, x->left, y->left);
    if (order == 0) order = compare_tokens(trainer->tokenizer, x->right, y->right);
    return order < 0;
}

static mneme_status queue_push(struct trainer *trainer, uint32_t pair, mneme_error *error) {
    struct queued queued = {trainer->pairs.pairs[pair].count, pair};
    if (queued.count < 2) return MNEME_OK;
    TRY(memory_grow((void **)&trainer->queue, &trainer->queue_capacity, trainer->n_queue + 1,
                    sizeof *trainer->queue, "token pairs", error));
    struct queued *queue = trainer->queue;
    size_t i = trainer->n_queue++;
    while (i > 0 && comes_before(trainer, queued, queue[(i - 1) / 2])) {
        queue[i] = queue[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    queue[i] = queued;
    return MNEME_OK;
}

static struct queued queue_pop(struct trainer *trainer) {
    struct queued *queue = trainer->queue;
    struct queued first = queue[0], moved = queue[--trainer->n_queue];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < trainer->n_queue; i = child) {
        if (child + 1 < trainer->n_queue && comes_before(trainer, queue[child + 1], queue[child])) {
            child++;
        }
        if (!comes_before(trainer, queue[child], moved)) break;
        queue[i] = queue[child];
    }
    queue[i] = moved;
    return first;
}

static mneme_status queue_grown_pairs(struct trainer *trainer, mneme_error *error) {
    struct bpe_pairs *pairs = &trainer->pairs;
    for (size_t i = 0; i < pairs->n_grown; i++) {
        pairs->pairs[pairs->grown[i]].has_grown = false;
        TRY(queue_push(trainer, pairs->grown[i], error));
    }
    pairs->n_grown = 0;
    return MNEME_OK;
}

/* Merges the pair. It may have been merged before and come back as the result of other merges; then
 * its earlier merge applies. */
static mneme_status merge_pair(struct trainer *trainer, uint32_t pair, mneme_error *error) {
    struct tokenizer *tokenizer = trainer->tokenizer;
    int32_t left = trainer->pairs.pairs[pair].left, right = trainer->pairs.pairs[pair].right;
    int32_t result;
    uint32_t rank = pair_map_get(&tokenizer->bpe.ranks, left, right);
    if (rank != PAIR_MAP_NONE) {
        result = tokenizer->bpe.merges[rank].result;
    } else {
        TRY(bpe_add_merge(&tokenizer->bpe, left, right, &result, error));
    }
    mneme_status status = bpe_pairs_merge(&trainer->pairs, pair, result, error);
    return status == MNEME_OK ? queue_grown_pairs(trainer, error) : status;
}

static mneme_status learn_merges(struct trainer *trainer, size_t vocab_size, mneme_error *error) {
    mneme_status status = bpe_pairs_count(&trainer->pairs, trainer->tokenizer->bpe.byte_ids, error);
    THEN(queue_grown_pairs(trainer, error));
    while (status == MNEME_OK && trainer->n_queue > 0 &&
           tokenizer_vocab_size(trainer->tokenizer) < vocab_size) {
        struct queued next = queue_pop(trainer);
        if (next.count == trainer->pairs.pairs[next.pair].count) {
            status = merge_pair(trainer, next.pair, error);
        } else {
            status = queue_push(trainer, next.pair, error);
        }
    }
    return status;
}

/* The end of text and the bytes. */
static mneme_status add_first_tokens(struct tokenizer *tokenizer, mneme_error *error) {
    uint32_t id;
    mneme_status status = string_map_add(&tokenizer->bpe.vocabulary, TOKENIZER_END_OF_TEXT,
                                         strlen(TOKENIZER_END_OF_TEXT), &id, NULL, error);
    tokenizer->end_of_text = tokenizer->start_of_text = (int32_t)id;
    tokenizer->bpe.unknown = TOKEN_NONE;
    for (int byte = 0; byte < 256 && status == MNEME_OK; byte++) {
        char text = (char)byte;
        status = string_map_add(&tokenizer->bpe.vocabulary, &text, 1, &id, NULL, error);
        tokenizer->bpe.byte_ids[byte] = (int32_t)id;
    }
    return status;
}

static mneme_status count_piece(void *context, const char *piece, size_t length, int32_t added,
                                mneme_error *error) {
    struct trainer *trainer = context;
    (void)added; /* there is none in data */
    return bpe_pairs_add_word(&trainer->pairs, piece, length, error);
}

static mneme_status open_decoder(struct tokenizer *tokenizer, mneme_error *error) {
    json_t *byte_level = json_pack("{s:s}", "type", "ByteLevel");
    mneme_status status = byte_level == NULL ? error_set_memory(error, "the tokenizer")
                                             : decoder_open(byte_level, "tokenizer training",
                                                            &tokenizer->decoder, error);
    json_decref(byte_level);
    return status;
}

/* A tokenizer without merges. */
static mneme_status open_untrained(const char *pattern, struct tokenizer **tokenizer,
                                   mneme_error *error) {
    char name[] = TOKENIZER_END_OF_TEXT;
    const struct split_added end_of_text = {{.text = name, .id = 0, .is_special = true}, false};
    const struct split_plan plan = {
        .rules = {{SPLIT_BY_REGEX, pattern, SPLIT_ISOLATED, false}}, 1, .added = &end_of_text, 1};
    TRY(tokenizer_open(&plan, "tokenizer training", tokenizer, error));
    (*tokenizer)->bpe.by_byte = true;
    TRY(open_decoder(*tokenizer, error));
    (*tokenizer)->pattern = strdup(pattern);
    if ((*tokenizer)->pattern == NULL) return error_set_memory(error, "the tokenizer");
    return add_first_tokens(*tokenizer, error);
}

mneme_status tokenizer_train_pattern(const char *pattern, const char *const *texts, size_t n_texts,
                                     size_t vocab_size, struct tokenizer **tokenizer,
                                     mneme_error *error) {
    if (vocab_size < TOKENIZER_MIN_TOKENS || vocab_size > TOKENIZER_MAX_TOKENS) {
        return error_set(error, MNEME_BAD_INPUT,
                         "a tokenizer's vocabulary has %d to %zu tokens, not %zu",
                         TOKENIZER_MIN_TOKENS, TOKENIZER_MAX_TOKENS, vocab_size);
    }
    struct trainer trainer = {0};
    mneme_status status = open_untrained(pattern, &trainer.tokenizer, error);
    for (size_t i = 0; i < n_texts && status == MNEME_OK; i++) {
        status = splitter_run(trainer.tokenizer->splitter, &trainer.tokenizer->encoder.split,
                              SPLIT_DATA, texts[i], strlen(texts[i]), count_piece, &trainer, error);
    }
    THEN(learn_merges(&trainer, vocab_size, error));
    if (status == MNEME_OK) {
        *tokenizer = trainer.tokenizer;
        trainer.tokenizer = NULL;
    }
    tokenizer_free(trainer.tokenizer);
    bpe_pairs_free(&trainer.pairs);
    free(trainer.queue);
    return status;
}

mneme_status tokenizer_train(const char *const *texts, size_t n_texts, size_t vocab_size,
                             struct tokenizer **tokenizer, mneme_error *error) {
    return tokenizer_train_pattern(TOKENIZER_PATTERN, texts, n_texts, vocab_size, tokenizer, error);
}
