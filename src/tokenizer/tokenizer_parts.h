#ifndef TOKENIZER_TOKENIZER_PARTS_H
#define TOKENIZER_TOKENIZER_PARTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "text/string_map.h"
#include "tokenizer/pair_map.h"
#include "tokenizer/splitter.h"
#include "tokenizer/token_list.h"
#include "tokenizer/tokenizer_names.h"

/* What the files of the tokenizer share; for them only. */

struct bpe_merge {
    int32_t left, right;
    int32_t result; /* the token whose bytes are left's and right's */
};

/* A word in the making: its symbols as a linked list over arrays, so that a merge is O(1). */
struct bpe_symbol {
    int32_t id;
    int32_t previous, next; /* -1 at the ends */
};

/* A merge that may be applied at the symbol `position`. */
struct bpe_candidate {
    uint32_t rank; /* index of the merge; lower is applied first */
    int32_t position;
};

/* Scratch of bpe_encode_word, kept between words. */
struct bpe_scratch {
    struct bpe_symbol *symbols;
    size_t symbol_capacity;
    struct bpe_candidate *heap; /* a binary heap, least (rank, position) first */
    size_t n_heap;
    size_t heap_capacity;
};

/* Ids of words that were encoded before. */
struct word_cache {
    struct string_map words;
    size_t *starts; /* [words.n + 1] word i's ids are ids.ids[starts[i]..starts[i + 1]) */
    size_t start_capacity;
    struct token_list ids;
};

struct tokenizer {
    char *pattern; /* of a trained tokenizer */
    char *path;    /* of a loaded tokenizer */
    char *source;  /* the file that a loaded tokenizer is from, [source_length] bytes */
    size_t source_length;
    struct splitter *splitter;
    /* A token's number is its id; a special token that merges cannot make is by its name, hidden,
     * and an id without a token is hidden and empty. */
    struct string_map vocabulary;
    size_t n_model_ids; /* of a loaded tokenizer: one more than the highest id of model.vocab */
    struct bpe_merge *merges; /* [n_merges] in the order they apply */
    size_t n_merges;
    size_t merge_capacity;
    struct pair_map ranks;              /* (left, right) -> index in merges */
    int32_t byte_ids[256];              /* TOKEN_NONE: the byte becomes `unknown` */
    int32_t unknown;                    /* TOKEN_NONE: nothing at all */
    bool fuses_unknown;                 /* neighbours become one */
    int32_t start_of_text, end_of_text; /* TOKEN_NONE where no token does that */
    struct token_frame frame;
    bool ignores_merges; /* a piece that is a token of the vocabulary is that token */
    struct word_cache cache;
    struct bpe_scratch scratch;
};

/* A tokenizer with a splitter and an empty vocabulary. `place` names the plan's source. */
mneme_status tokenizer_open(const struct split_plan *plan, const char *place,
                            struct tokenizer **tokenizer, mneme_error *error);

/* What a tokenizer.json's `pre_tokenizer` says, as rules; the patterns belong to it. `path` names
 * the file. MNEME_BAD_INPUT for anything but ByteLevel, alone or last in a Sequence after Splits
 * and Digits. */
mneme_status tokenizer_read_rules(const json_t *pre_tokenizer, const char *path,
                                  struct split_plan *plan, mneme_error *error);

/* Appends what a tokenizer.json's `post_processor` puts around a text. */
mneme_status tokenizer_read_frame(const struct tokenizer_file *file, const json_t *processor,
                                  struct token_frame *frame);

/* Appends the merge of two tokens; its result joins the vocabulary when it is a new token.
 * *result becomes its id. Needs that the pair has no merge yet. */
mneme_status tokenizer_add_merge(struct tokenizer *tokenizer, int32_t left, int32_t right,
                                 int32_t *result, mneme_error *error);

/* Appends the ids of one piece of text to *list: from its bytes on, the merge of lowest rank is
 * applied, the leftmost first, until none applies. O(n log n). */
mneme_status bpe_encode_word(struct tokenizer *tokenizer, const char *word, size_t length,
                             struct token_list *list, mneme_error *error);

#endif
