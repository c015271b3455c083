/* One piece of text to ids. */

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "text/utf8.h"
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
    removed->id = TOKEN_NONE;
    if (symbol->next >= 0) symbols[symbol->next].previous = position;
}

/* Whether the merge still stands where it was noted. It is stale when an earlier merge took one of
 * its two symbols, unless what is there now makes the same token, as in the Python package. */
static bool still_applies(const struct bpe *bpe, const struct bpe_scratch *scratch,
                          struct bpe_candidate candidate) {
    const struct bpe_merge *merge = &bpe->merges[candidate.rank];
    const struct bpe_symbol *symbol = &scratch->symbols[candidate.position];
    if (symbol->id == TOKEN_NONE || symbol->next < 0) return false;
    int32_t right = scratch->symbols[symbol->next].id;
    if (symbol->id == merge->left && right == merge->right) return true;
    uint32_t rank = pair_map_get(&bpe->ranks, symbol->id, right);
    return rank != PAIR_MAP_NONE && bpe->merges[rank].result == merge->result;
}

/* Applies all merges. */
static void merge_symbols(const struct bpe *bpe, struct bpe_scratch *scratch) {
    scratch->n_heap = 0;
    for (size_t i = 0; i < scratch->n_symbols; i++) {
        consider(scratch, &bpe->ranks, (int32_t)i);
    }
    while (scratch->n_heap > 0) {
        struct bpe_candidate candidate = heap_pop(scratch);
        if (!still_applies(bpe, scratch, candidate)) continue;
        apply(scratch->symbols, candidate.position, bpe->merges[candidate.rank].result);
        consider(scratch, &bpe->ranks, scratch->symbols[candidate.position].previous);
        consider(scratch, &bpe->ranks, candidate.position);
    }
}

/* Makes room for the symbols of a word and for what may be merged. */
static mneme_status make_room(struct bpe_scratch *scratch, size_t n, mneme_error *error) {
    /* Positions are 32 bits wide. */
    if (n > INT32_MAX / 4) {
        return error_set(error, MNEME_BAD_INPUT, "a word of %zu bytes is too long to encode", n);
    }
    TRY(memory_grow((void **)&scratch->symbols, &scratch->symbol_capacity, n,
                    sizeof *scratch->symbols, "a word", error));
    /* One candidate per pair at first, and at most two more per merge, of which there are fewer
     * than symbols. */
    return memory_grow((void **)&scratch->heap, &scratch->heap_capacity, 3 * n,
                       sizeof *scratch->heap, "a word", error);
}

static void add_symbol(struct bpe_scratch *scratch, int32_t id) {
    int32_t at = (int32_t)scratch->n_symbols++;
    scratch->symbols[at] = (struct bpe_symbol){id, at - 1, at + 1};
}

/* What has no token waits until the next that has: neighbours may become one. A symbol made of
 * fallback bytes does not end the wait, as in the Python package. */
struct unknowns {
    bool waiting;
};

static void add_unknown(const struct bpe *bpe, struct bpe_scratch *scratch,
                        struct unknowns *unknowns) {
    if (bpe->unknown == TOKEN_NONE) return;
    if (unknowns->waiting && !bpe->fuses_unknown) add_symbol(scratch, bpe->unknown);
    unknowns->waiting = true;
}

static void flush_unknowns(const struct bpe *bpe, struct bpe_scratch *scratch,
                           struct unknowns *unknowns) {
    if (unknowns->waiting) add_symbol(scratch, bpe->unknown);
    unknowns->waiting = false;
}

/* Adds the bytes of a symbol as their fallback tokens; false when one has none. */
static bool add_fallback(const struct bpe *bpe, struct bpe_scratch *scratch, const char *text,
                         size_t length) {
    for (size_t i = 0; i < length; i++) {
        if (bpe->byte_ids[(unsigned char)text[i]] == TOKEN_NONE) return false;
    }
    for (size_t i = 0; i < length; i++) {
        add_symbol(scratch, bpe->byte_ids[(unsigned char)text[i]]);
    }
    return true;
}

static void start_bytes(const struct bpe *bpe, struct bpe_scratch *scratch, const char *word,
                        size_t length) {
    struct unknowns unknowns = {false};
    for (size_t i = 0; i < length; i++) {
        int32_t id = bpe->byte_ids[(unsigned char)word[i]];
        if (id == TOKEN_NONE) {
            add_unknown(bpe, scratch, &unknowns);
        } else {
            flush_unknowns(bpe, scratch, &unknowns);
            add_symbol(scratch, id);
        }
    }
    flush_unknowns(bpe, scratch, &unknowns);
}

/* Adds the symbol of one character, whose text may have a prefix and a suffix around it. */
static void add_character(const struct bpe *bpe, struct bpe_scratch *scratch, const char *text,
                          size_t length, struct unknowns *unknowns) {
    uint32_t id = string_map_find(&bpe->vocabulary, text, length);
    if (id != STRING_MAP_NONE) {
        flush_unknowns(bpe, scratch, unknowns);
        add_symbol(scratch, (int32_t)id);
    } else if (!add_fallback(bpe, scratch, text, length)) {
        add_unknown(bpe, scratch, unknowns);
    }
}

/* The longest prefix or suffix. */
#define MAX_AFFIX 64

static void start_characters(const struct bpe *bpe, struct bpe_scratch *scratch, const char *word,
                             size_t length) {
    struct unknowns unknowns = {false};
    for (size_t i = 0, n; i < length; i += n) {
        n = utf8_decode(word + i, length - i, NULL);
        if (n == 0) n = 1;
        if (bpe->prefix == NULL && bpe->suffix == NULL) {
            add_character(bpe, scratch, word + i, n, &unknowns);
            continue;
        }
        char text[2 * MAX_AFFIX + 4], *end = text;
        if (i > 0 && bpe->prefix != NULL) end = stpncpy(end, bpe->prefix, MAX_AFFIX);
        end = mempcpy(end, word + i, n);
        if (i + n == length && bpe->suffix != NULL) end = stpncpy(end, bpe->suffix, MAX_AFFIX);
        add_character(bpe, scratch, text, (size_t)(end - text), &unknowns);
    }
    flush_unknowns(bpe, scratch, &unknowns);
}

mneme_status bpe_encode_word(const struct bpe *bpe, struct bpe_scratch *scratch, const char *word,
                             size_t length, struct token_list *list, mneme_error *error) {
    if (length == 0) return MNEME_OK;
    uint32_t whole =
        bpe->ignores_merges ? string_map_find(&bpe->vocabulary, word, length) : STRING_MAP_NONE;
    if (whole != STRING_MAP_NONE) {
        return token_list_append(list, &(int32_t){(int32_t)whole}, 1, error);
    }
    bool has_affix = bpe->prefix != NULL || bpe->suffix != NULL;
    TRY(make_room(scratch, length * (has_affix ? 1 + 2 * MAX_AFFIX : 1), error));
    scratch->n_symbols = 0;
    (bpe->by_byte ? start_bytes : start_characters)(bpe, scratch, word, length);
    if (scratch->n_symbols == 0) return MNEME_OK;
    scratch->symbols[scratch->n_symbols - 1].next = -1;
    merge_symbols(bpe, scratch);
    for (int32_t i = 0; i >= 0; i = scratch->symbols[i].next) {
        TRY(token_list_append(list, &scratch->symbols[i].id, 1, error));
    }
    return MNEME_OK;
}
