#include <string.h>

#include "base/memory.h"
#include "tokenizer/tokenizer_parts.h"

static bool comes_before(struct bpe_candidate a, struct bpe_candidate b) {
    return a.rank != b.rank ? a.rank < b.rank : a.position < b.position;
}

/* Needs room for one more in the heap. */
static void heap_push(struct bpe_scratch *scratch, struct bpe_candidate candidate) {
    size_t i = scratch->n_heap++;
    while (i > 0 && comes_before(candidate, scratch->heap[(i - 1) / 2])) {
        scratch->heap[i] = scratch->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    scratch->heap[i] = candidate;
}

static struct bpe_candidate heap_pop(struct bpe_scratch *scratch) {
    struct bpe_candidate first = scratch->heap[0];
    struct bpe_candidate moved = scratch->heap[--scratch->n_heap];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < scratch->n_heap; i = child) {
        if (child + 1 < scratch->n_heap &&
            comes_before(scratch->heap[child + 1], scratch->heap[child])) {
            child++;
        }
        if (!comes_before(scratch->heap[child], moved)) break;
        scratch->heap[i] = scratch->heap[child];
    }
    scratch->heap[i] = moved;
    return first;
}

/* Notes the merge of the symbol at position with its next one, if there is any. */
static void consider(struct bpe_scratch *scratch, const struct pair_map *ranks, int32_t position) {
    if (position < 0) return;
    const struct bpe_symbol *symbol = &scratch->symbols[position];
    if (symbol->next < 0) return;
    uint32_t rank = pair_map_get(ranks, symbol->id, scratch->symbols[symbol->next].id);
    if (rank != PAIR_MAP_NONE) heap_push(scratch, (struct bpe_candidate){rank, position});
}

/* Merges the symbol at position with its next one into `result`. */
static void apply(struct bpe_symbol *symbols, int32_t position, int32_t result) {
    struct bpe_symbol *symbol = &symbols[position];
    struct bpe_symbol *removed = &symbols[symbol->next];
    symbol->id = result;
    symbol->next = removed->next;
    removed->id = -1;
    if (symbol->next >= 0) symbols[symbol->next].previous = position;
}

/* The symbols become the bytes of the word, *n of them. */
static mneme_status start_word(struct tokenizer *tokenizer, const char *word, size_t length,
                               size_t *n, mneme_error *error) {
    struct bpe_scratch *scratch = &tokenizer->scratch;
    /* Positions are 32 bits wide. */
    if (length > INT32_MAX / 4) {
        return error_set(error, MNEME_BAD_INPUT, "a word of %zu bytes is too long to encode",
                         length);
    }
    TRY(memory_grow((void **)&scratch->symbols, &scratch->symbol_capacity, length,
                    sizeof *scratch->symbols, "a word", error));
    /* One candidate per pair at first, and at most two more per merge, of which there are fewer
     * than bytes. */
    TRY(memory_grow((void **)&scratch->heap, &scratch->heap_capacity, 3 * length,
                    sizeof *scratch->heap, "a word", error));
    *n = 0;
    bool after_unknown = false;
    for (size_t i = 0; i < length; i++) {
        int32_t id = tokenizer->byte_ids[(unsigned char)word[i]], at = (int32_t)*n;
        bool unknown = id == TOKEN_NONE;
        if (unknown) id = tokenizer->unknown;
        bool dropped = id == TOKEN_NONE || (unknown && after_unknown && tokenizer->fuses_unknown);
        after_unknown = unknown;
        if (!dropped) scratch->symbols[(*n)++] = (struct bpe_symbol){id, at - 1, at + 1};
    }
    if (*n > 0) scratch->symbols[*n - 1].next = -1;
    scratch->n_heap = 0;
    return MNEME_OK;
}

mneme_status bpe_encode_word(struct tokenizer *tokenizer, const char *word, size_t length,
                             struct token_list *list, mneme_error *error) {
    if (length == 0) return MNEME_OK;
    if (tokenizer->ignores_merges) {
        uint32_t whole = string_map_find(&tokenizer->vocabulary, word, length);
        if (whole != STRING_MAP_NONE) {
            return token_list_append(list, &(int32_t){(int32_t)whole}, 1, error);
        }
    }
    struct bpe_scratch *scratch = &tokenizer->scratch;
    size_t n = 0;
    TRY(start_word(tokenizer, word, length, &n, error));
    if (n == 0) return MNEME_OK;
    for (size_t i = 0; i < n; i++) consider(scratch, &tokenizer->ranks, (int32_t)i);
    while (scratch->n_heap > 0) {
        struct bpe_candidate candidate = heap_pop(scratch);
        const struct bpe_merge *merge = &tokenizer->merges[candidate.rank];
        const struct bpe_symbol *symbol = &scratch->symbols[candidate.position];
        /* A candidate is stale when an earlier merge took one of its two symbols. */
        if (symbol->id != merge->left || symbol->next < 0) continue;
        if (scratch->symbols[symbol->next].id != merge->right) continue;
        apply(scratch->symbols, candidate.position, merge->result);
        consider(scratch, &tokenizer->ranks, symbol->previous);
        consider(scratch, &tokenizer->ranks, candidate.position);
    }
    for (int32_t i = 0; i >= 0; i = scratch->symbols[i].next) {
        TRY(token_list_append(list, &scratch->symbols[i].id, 1, error));
    }
    return MNEME_OK;
}
